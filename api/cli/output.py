"""What the command line says: results on stdout, everything else on stderr."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from typing import Any

from api.cli.options import Invocation
from verify.formats.refusal import Refusal


def document(value: Any) -> None:
    """One JSON document on stdout."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=2) + "\n")


def line(text: str = "") -> None:
    """One line of the result on stdout."""
    sys.stdout.write(text + "\n")


def say(text: str) -> None:
    """One line beside the result, on stderr."""
    sys.stderr.write(text + "\n")


def show(invocation: Invocation, value: Any, lines: Sequence[str]) -> None:
    """The result: ``value`` under ``--json``, else ``lines``."""
    if invocation.as_json:
        document(value)
        return
    for text in lines:
        line(text)


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
