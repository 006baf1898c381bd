"""How many graphics states the content of a page leaves open, so that something can be drawn after it in a clean one.

Content of other producers is put between ``q`` and ``Q``; where it saves more states than it restores, or the other
way, the pair has to be made up for that (ISO 32000-1 8.4.2).
"""

from __future__ import annotations

import re

_TOKEN = re.compile(
    rb"[(%]|<<|<[0-9A-Fa-f\s]*>|(?<![^\0\t\n\f\r ()<>\[\]{}/%])(?:q|Q|BI)(?=[\0\t\n\f\r ()<>\[\]{}/%]|$)"
)
_LINE = re.compile(rb"[\r\n]|$")
_BRACKET = re.compile(rb"[()\\]")
_IMAGE_END = re.compile(rb"[\0\t\n\f\r ]EI(?=[\0\t\n\f\r ]|$)")


def open_states(content: bytes) -> tuple[int, int]:
    """How many more states are restored than were saved, at worst, and how many are open at the end if so many more
    had been saved before."""
    depth = lowest = at = 0
    while match := _TOKEN.search(content, at):
        token, at = match[0], match.end()
        if token == b"(":
            at = _string_end(content, at)
        elif token == b"%":
            line = _LINE.search(content, at)
            at = line.end() if line else len(content)
        elif token == b"BI":
            image = _IMAGE_END.search(content, at)
            at = image.end() if image else len(content)
        elif token in (b"q", b"Q"):
            depth += 1 if token == b"q" else -1
            lowest = min(lowest, depth)
    return -lowest, depth - lowest


def _string_end(content: bytes, at: int) -> int:
    depth = 1
    while depth:
        match = _BRACKET.search(content, at)
        if match is None:
            return len(content)
        at = match.end()
        if match[0] == b"\\":
            at += 1
        else:
            depth += 1 if match[0] == b"(" else -1
    return at
