"""What the command line says: results on stdout, everything else on stderr."""

from __future__ import annotations

import json
import os
import re
import sys
import time
import unicodedata
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from api.cli.options import Invocation
from verify.formats.refusal import Refusal, printable, refuse

_HALF = re.compile("[\ud800-\udfff]")


def document(value: Any) -> None:
    """One JSON document on stdout."""
    sys.stdout.write(json_text(value) + "\n")


def json_text(value: Any) -> str:
    """``value`` as JSON; a name that is no text on this system (an undecodable path) is shown as near as can be."""
    return _HALF.sub("\ufffd", json.dumps(value, ensure_ascii=False, indent=2))


def line(text: str = "") -> None:
    """One line of the result on stdout."""
    sys.stdout.write(printable(text) + "\n")


def say(text: str) -> None:
    """One line beside the result, on stderr."""
    sys.stderr.write(printable(text) + "\n")


def show(invocation: Invocation, value: Any, lines: Sequence[str], *, aside: bool = False) -> None:
    """The result: ``value`` under ``--json``, else ``lines``; ``aside`` on stderr, when stdout carries a file."""
    stream = sys.stderr if aside else sys.stdout
    text = json_text(value) if invocation.as_json else printable("\n".join(lines))
    stream.write(text + "\n" if text else "")


def table(invocation: Invocation, name: str, rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> None:
    """Records of one kind: ``{name: rows}`` under ``--json``, else a line each with the ``columns`` below each other.

    A value that is itself in two languages (``{"zh", "en"}``) is shown in the caller's, an absent one as a dash.
    """
    cells = [[_cell(row[c], invocation.lang) for c in columns] for row in rows]
    widths = [max((_width(line[i]) for line in cells), default=0) for i in range(len(columns))]
    lines = [
        "  ".join(text + " " * (width - _width(text)) for text, width in zip(line, widths, strict=True)).rstrip()
        for line in cells
    ]
    show(invocation, {name: list(rows)}, lines)


def facts(invocation: Invocation, value: Mapping[str, Any], heading: str = "") -> None:
    """One record: itself under ``--json``, else a line for each member below ``heading``."""
    indent = "  " if heading else ""
    lines = [f"{indent}{name}: {_cell(member, invocation.lang)}" for name, member in value.items()]
    show(invocation, value, [heading, *lines] if heading else lines)


def _cell(value: Any, lang: str) -> str:
    if isinstance(value, Mapping):
        return str(value[lang])
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ", ".join(map(str, value))
    return "-" if value is None else str(value)


def _width(text: str) -> int:
    """Columns on a terminal: wide characters take two (UAX #11)."""
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def check_target(path: Path | None) -> None:
    """Refuse an output that cannot be written before anything is done: a folder, or one without leave to write.

    Whatever else can be written to will do: a file, a pipe, ``/dev/stdout``.
    """
    if path is None:
        return
    if path.exists():
        fine = os.access(path, os.W_OK) and not path.is_dir()
    else:
        fine = path.parent.is_dir() and os.access(path.parent, os.W_OK | os.X_OK)
    if not fine:
        raise refuse(
            "OUTPUT_UNWRITABLE",
            str(path),
            f"无法写入 {path}。",
            f"{path} cannot be written.",
            remedy_zh="请给出可写文件夹中的文件名；尚未进行任何操作。",
            remedy_en="Name a file in a folder that can be written; nothing was done.",
        )


def check_new(path: Path, *, force: bool) -> None:
    """Like :func:`check_target`, and refuse a file that is there already unless ``force``."""
    check_target(path)
    if path.is_file() and not force:
        raise refuse(
            "FILE_EXISTS",
            str(path),
            f"{path} 已经存在。",
            f"{path} exists already.",
            remedy_zh="请另选文件名，或加上 --force 覆盖它。",
            remedy_en="Choose another name, or add --force to replace it.",
        )


def write_private(path: Path, content: bytes) -> None:
    """Write a file that its owner alone may read."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)


def is_stdout(path: Path | None) -> bool:
    """Whether ``path`` is this process's stdout, so that the result has to be told elsewhere."""
    try:
        return path is not None and os.path.samestat(path.stat(), os.fstat(1))
    except OSError:
        return False


def refusals(invocation: Invocation, refused: Sequence[Refusal], *, reference: str | None = None) -> None:
    """Each refusal as field, reason, remedy and code; under ``--json`` one document on stdout as well."""
    if invocation.as_json:
        entries = [_entry(r, invocation.lang) for r in refused]
        value: dict[str, Any] = {**entries[0], "refusals": entries}
        if reference:
            value["reference"] = reference
        document(value)
    for refusal in refused:
        entry = _entry(refusal, invocation.lang)
        place = f"{entry['field']}: " if entry["field"] else ""
        say(f"{place}{entry['reason']}")
        say(f"  → {entry['remedy']}  [{entry['code']}]")


def _entry(refusal: Refusal, lang: str) -> dict[str, str]:
    return {
        "code": refusal.code,
        "field": refusal.field,
        "reason": refusal.reason.in_language(lang),
        "remedy": refusal.remedy.in_language(lang),
    }


class ProgressBar:
    """A bar on stderr, on a terminal only; drawn at most ten times a second."""

    WIDTH = 40

    def __init__(self, *, interval: float = 0.1) -> None:
        self._shown = sys.stderr.isatty()
        self._interval = interval
        self._last = 0.0
        self._started = time.monotonic()

    def update(self, done: int, total: int, note: str = "") -> None:
        """Draw ``done`` of ``total``; ``total`` 0 means unknown."""
        now = time.monotonic()
        if not self._shown or (now - self._last < self._interval and done != total):
            return
        self._last = now
        filled = self.WIDTH * done // total if total else 0
        rate = done / max(now - self._started, 1e-6)
        bar = "█" * filled + "░" * (self.WIDTH - filled)
        sys.stderr.write(f"\r{bar} {done}/{total or '?'} {rate:.0f}/s {note}\x1b[K")
        sys.stderr.flush()

    def finish(self) -> None:
        """Leave the line."""
        if self._shown and self._last:
            sys.stderr.write("\n")
