"""Verdicts as the command line shows them: answers first, then reasons by weight; or one JSON document."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Mapping
from typing import Any

from api.cli import output
from api.cli.options import Invocation
from templates.report.composing import place_words
from templates.report.words import word

ALL_GOOD, UNREADABLE_PATH, SOME_INVALID, SOME_OPEN, SOME_NOT_IN_FORCE = 0, 1, 10, 11, 12
_ORDER = {"FATAL": 0, "DOUBT": 1, "NOTE": 2}


class Tally:
    """Adds answers up to an exit status, worst first: unreadable path, invalid, open, not in force."""

    def __init__(self) -> None:
        self._seen: set[int] = set()

    def add(self, answer: Mapping[str, Any]) -> None:
        """Count one answer."""
        self._seen.add(_status_of(answer))

    @property
    def status(self) -> int:
        """The status for all answers so far."""
        worst = (UNREADABLE_PATH, SOME_INVALID, SOME_OPEN, SOME_NOT_IN_FORCE)
        return next((status for status in worst if status in self._seen), ALL_GOOD)


def _status_of(answer: Mapping[str, Any]) -> int:
    if "error" in answer:
        return UNREADABLE_PATH
    if answer["conclusion"] == "VALID":
        return ALL_GOOD if answer["standing"] in (None, "IN_FORCE") else SOME_NOT_IN_FORCE
    return SOME_INVALID if answer["conclusion"] == "INVALID" else SOME_OPEN


class Shown:
    """Writes answers as they come."""

    def __init__(self, invocation: Invocation, depth: str | None) -> None:
        self._invocation = invocation
        self._depth = depth
        self._errors: list[Mapping[str, Any]] = []
        self._count = 0

    def add(self, answer: Mapping[str, Any]) -> None:
        """Write one answer; a path that cannot be read is told on stderr."""
        if "error" in answer:
            self._errors.append(answer)
            separator = "：" if self._invocation.zh else ": "
            told = "无法读取" if self._invocation.zh else "cannot be read"
            output.say(f"{answer['file']}: {told}{separator}{answer['error']}")
        elif self._invocation.as_json:
            self._write_json(answer)
        else:
            for line in human(answer, self._invocation.lang, self._depth):
                output.line(line)

    def end(self) -> None:
        """Finish the document."""
        if not self._invocation.as_json:
            return
        sys.stdout.write("\n  ]" if self._count else '{\n  "files": []')
        if self._errors:
            text = output.json_text(self._errors)
            sys.stdout.write(',\n  "errors": ' + textwrap.indent(text, "  ").lstrip())
        sys.stdout.write("\n}\n")

    def _write_json(self, answer: Mapping[str, Any]) -> None:
        text = textwrap.indent(output.json_text(answer), "    ")
        sys.stdout.write((",\n" if self._count else '{\n  "files": [\n') + text)
        self._count += 1


def human(answer: Mapping[str, Any], lang: str, depth: str | None) -> list[str]:
    """The lines for one file."""
    summary = answer["summary"]
    lines = [f"{answer['file']}: {summary['title']}", f"  → {summary['advice']}", _answers_line(answer, lang)]
    if answer["license"]:
        known = answer["license"]
        holders = "、".join(h["name"] for h in known["holders"])
        lines.append(f"  {known['type']}  {known['number']}  {holders}  {known['issuer']}")
    if answer.get("recognition"):
        lines.append(_recognition_line(answer["recognition"], lang))
    if depth is not None:
        lines += _reasons(answer, lang)
    if depth != "conclusion":
        lines += _findings(answer, lang)
    if depth in ("checks", "facts"):
        lines += [f"  {c['outcome']:<8} {c['title']}  [{c['name']}]" for c in answer["checks"]]
    if depth == "facts":
        lines += _facts(answer["facts"], lang)
    return lines


def _answers_line(answer: Mapping[str, Any], lang: str) -> str:
    shown = [(name, answer[name]) for name in ("integrity", "conclusion", "standing") if answer[name]]
    separator = "：" if lang == "zh" else ": "
    return "  " + "   ".join(f"{word(f'answer_{n}', lang)}{separator}{word(v, lang)} {v}" for n, v in shown)


def _recognition_line(known: Mapping[str, Any], lang: str) -> str:
    separator = "：" if lang == "zh" else ": "
    name, outcome = word("answer_recognition", lang), known["outcome"]
    line = f"  {name}{separator}{word(outcome, lang)} {outcome}  {known['region'] or '?'}"
    return f"{line} → {known['as_type']}" if known["as_type"] else line


def _reasons(answer: Mapping[str, Any], lang: str) -> list[str]:
    separator = "：" if lang == "zh" else ": "
    told = [(name, found) for name, found in answer["answers"].items() if found]
    return [f"  {word(f'answer_{name}', lang)}{separator}{found['reason']}" for name, found in told]


def _findings(answer: Mapping[str, Any], lang: str) -> list[str]:
    lines = []
    for found in sorted(answer["findings"], key=lambda f: _ORDER[f["severity"]]):
        place = place_words(found, lang)
        place = (f"（{place}）" if lang == "zh" else f" ({place})") if place else ""
        shown = word(found["severity"], lang)
        lines.append(f"  {found['severity']:<5} {shown}  {found['message']}{place} [{found['code']}]")
    return lines


def _facts(facts: Mapping[str, Any], lang: str) -> list[str]:
    lines = [f"  SHA-256 {facts['file']['sha256']}  {word('bytes', lang, facts['file']['bytes'])}"]
    for revision in facts["revisions"]:
        signed = ", ".join(revision["signed_by"])
        lines.append(f"  {word('revision', lang, revision['number'], revision['start'], revision['end'])}  {signed}")
    for one in facts["certificates"]:
        validity = f"{one.get('not_before')} – {one.get('not_after')}"
        lines.append(f"  {word('certificates', lang)} {one.get('subject')}  {validity}  SHA-256 {one['sha256']}")
    return lines
