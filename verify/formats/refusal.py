"""The one shape in which every part of certvault says no.

A refusal names the field, the reason and the remedy, in Chinese and English, under a stable code. It is data, so
that the command line, HTTP and a bulk report can each show it in their own way.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

_HIDDEN = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff\ufeff\ufff9-\ufffb"
    "\U000e0000-\U000e007f]"
)


def printable(text: str) -> str:
    """``text`` with what would steer a terminal, turn its direction or not be encodable replaced; line feeds stay."""
    return _HIDDEN.sub("\ufffd", text)


@dataclass(frozen=True, slots=True)
class Text:
    """One sentence in both languages."""

    zh: str
    en: str

    def in_language(self, lang: str) -> str:
        """The sentence in ``lang`` (``zh`` or ``en``); anything else reads as English."""
        return self.zh if lang == "zh" else self.en


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why one request, or one field of it, was refused.

    ``code`` is UPPER_SNAKE and stable; ``field`` is the dotted English name of the datum, empty when the request as a
    whole is meant. Reasons may quote what was sent, so they are made printable here, for every way of showing them.
    """

    code: str
    field: str
    reason: Text
    remedy: Text

    def __post_init__(self) -> None:
        object.__setattr__(self, "field", printable(self.field))
        object.__setattr__(self, "reason", Text(printable(self.reason.zh), printable(self.reason.en)))


class RefusedError(Exception):
    """A rule said no. Carries every reason found, not only the first."""

    def __init__(self, refusals: Refusal | Iterable[Refusal]) -> None:
        self.refusals: tuple[Refusal, ...] = (refusals,) if isinstance(refusals, Refusal) else tuple(refusals)
        super().__init__("; ".join(f"{r.code} {r.field}: {r.reason.en}" for r in self.refusals))

    @property
    def first(self) -> Refusal:
        """The reason to show where there is room for only one."""
        return self.refusals[0]


def refuse(code: str, field: str, zh: str, en: str, *, remedy_zh: str, remedy_en: str) -> RefusedError:
    """Build the error for one refusal; the caller raises it."""
    return RefusedError(Refusal(code, field, Text(zh, en), Text(remedy_zh, remedy_en)))
