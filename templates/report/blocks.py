"""A verification report as blocks: what it says, apart from how PDF and HTML show it.

A stranger's texts pass :func:`clean` before they stand in one.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

from templates.report.pixels import Picture
from templates.report.words import word

MAX_TEXT = 600
_TONES = {
    "INTACT": "good", "VALID": "good", "IN_FORCE": "good", "RECOGNIZED": "good", "PASSED": "good",
    "ALTERED": "bad", "UNREADABLE": "bad", "INVALID": "bad", "FAILED": "bad", "FATAL": "bad", "REVOKED": "bad",
    "NOT_RECOGNIZED": "bad", "EXPIRED": "lapsed", "SUSPENDED": "lapsed", "SUPERSEDED": "lapsed", "NOT_YET": "lapsed",
    "NOTE": "note", "NOT_RUN": "note",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Banner:
    """The whole in two sentences; ``tone`` is good, lapsed, open or bad."""

    tone: str
    title: str
    advice: str


@dataclass(frozen=True, slots=True)
class Heading:
    """Begins a part."""

    text: str


@dataclass(frozen=True, slots=True)
class Note:
    """A sentence between others."""

    text: str


@dataclass(frozen=True, slots=True)
class Rows:
    """Names and values."""

    rows: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """One of the separate answers."""

    tone: str
    name: str
    value: str
    code: str
    reason: str


@dataclass(frozen=True, slots=True)
class FindingBlock:
    """One finding with its reasons."""

    tone: str
    severity: str
    message: str
    details: str
    why: str
    action: str


@dataclass(frozen=True, slots=True)
class Pair:
    """One page: as signed (where known) and as shown, ``boxes`` as fractions left top right bottom."""

    caption: str
    signed_caption: str
    shown_caption: str
    signed: Picture | None
    shown: Picture
    boxes: tuple[tuple[float, float, float, float], ...]
    alone: bool


@dataclass(frozen=True, slots=True)
class CheckRow:
    """One check and its outcome."""

    tone: str
    title: str
    clause: str
    outcome: str


@dataclass(frozen=True, slots=True)
class Checks:
    """All checks."""

    rows: tuple[CheckRow, ...]


Block = Banner | Heading | Note | Rows | Answer | FindingBlock | Pair | Checks


@dataclass(frozen=True, slots=True)
class Origin:
    """Who reports, when (RFC 3339), on a file of what name, and whether a key signs the report."""

    name: str
    made_at: str
    made_by: str
    signed: bool


def clean(value: object, limit: int = MAX_TEXT) -> str:
    """A stranger's text for showing: no control, direction or private characters, at most ``limit`` long."""
    if not isinstance(value, (str, int, float)) or isinstance(value, bool):
        return ""
    kept = []
    for char in str(value)[: limit + 1]:
        category = unicodedata.category(char)
        kept.append(" " if char in "\n\r\t\u2028\u2029" else "\ufffd" if category in _HIDDEN else char)
    text = "".join(kept)
    return text if len(text) <= limit else text[: limit - 1] + "…"


_HIDDEN = {"Cc", "Cf", "Cs", "Co", "Cn"}


def tone_of(value: str) -> str:
    """The tone of an answer, outcome or severity."""
    return _TONES.get(value, "open")


def report_title(lang: str) -> str:
    """What the report is called."""
    return word("title", lang)
