"""What a look may do with a field's value: forms of characters, formats of numbers, rich text, place on the page."""

from __future__ import annotations

import math
import re
import unicodedata
from decimal import Decimal
from typing import TYPE_CHECKING
from xml.parsers import expat

from verify.checks.changes.graphics import applied
from verify.formats.pdfvalues import Dictionary, Stream

if TYPE_CHECKING:
    from verify.checks.changes.drawing import Drawn
    from verify.checks.changes.walk import Walk

_TELLING = ("<super>", "<sub>", "<fraction>", "<circle>", "<square>")
"""Compatibility forms that mean something else than their plain characters: 10⁶ is not 106."""
_NUMBER = re.compile(r"[0-9](?:[0-9.,'’]*[0-9])?")
_MOST_DIGITS = 40
_MOST_LETTERS = 4
"""Of a currency or a unit, which a format adds."""
_STRETCH = 4.0
_NEGATIVE = "-−("


def plain(text: str) -> str:
    """A text without what may differ between a value and its picture: white space, and forms of one character."""
    found = (c if unicodedata.decomposition(c).startswith(_TELLING) else unicodedata.normalize("NFKC", c) for c in text)
    return unicodedata.normalize("NFC", "".join(c for c in "".join(found) if not c.isspace() and c.isprintable()))


def is_formatted(shown: str, wanted: str) -> bool:
    """Whether a script may have made one text of the other: the same number, or the same digits in the same order."""
    if sum(map(str.isalpha, shown)) > sum(map(str.isalpha, wanted)) + _MOST_LETTERS:
        return False
    one, other = _NUMBER.findall(shown), _NUMBER.findall(wanted)
    if len(one) == len(other) == 1 and len(one[0]) <= _MOST_DIGITS >= len(other[0]):
        negative, meant = (any(c in text for c in _NEGATIVE) for text in (shown, wanted))
        if negative and not meant:
            return False
        values = _numbers(other[0])
        return any(v in values or ("%" in shown and v / 100 in values) for v in _numbers(one[0]))
    digits = ["".join(c for c in text if c.isdecimal()) for text in (shown, wanted)]
    return digits[0] == digits[1] != ""


def _numbers(text: str) -> set[Decimal]:
    """What a number with separators can mean: the last one as the decimal sign, or all of them as groups of three."""
    parts = re.split(r"[^0-9]", text)
    found = set()
    if all(len(part) == 3 for part in parts[1:]) and len(parts[0]) <= 3:
        found.add(Decimal("".join(parts)))
    if len(parts) > 1 and len(set(re.findall(r"[^0-9]", text[: -len(parts[-1]) - 1]))) <= 1:
        found.add(Decimal("".join(parts[:-1]) + "." + parts[-1]))
    return found or {Decimal("".join(parts))}


def rich_text(content: str) -> str | None:
    """The characters of rich text (12.7.4.4), None when it is not well-formed."""
    parser = expat.ParserCreate()
    parts: list[str] = []

    def refuse(*_: object) -> None:
        raise ValueError

    parser.CharacterDataHandler = parts.append
    parser.StartDoctypeDeclHandler = refuse
    try:
        parser.Parse(content, True)
    except (expat.ExpatError, ValueError):
        return None
    return "".join(parts)


def is_upright(walk: Walk, look: Stream, widget: Dictionary, drawn: Drawn) -> bool:
    """Whether a look is put on the page about as large as it is drawn, and turned as the widget says (12.5.5)."""
    edges = [walk.new.resolve(v) for v in walk.new.items_of(widget.get(b"Rect"))]
    numbers = [float(v) for v in edges if isinstance(v, (int, float))]
    if len(numbers) != 4 or not drawn.pieces:
        return True
    entries = [walk.new.resolve(v) for v in walk.new.items_of(look.get(b"Matrix"))] or [1, 0, 0, 1, 0, 0]
    values = [float(v) for v in entries if isinstance(v, (int, float))]
    if len(values) != 6 or values[0] * values[3] - values[1] * values[2] <= 0:
        return False
    matrix = (values[0], values[1], values[2], values[3], values[4], values[5])
    box = drawn.box
    corners = [applied(matrix, x, y) for x in box[::2] for y in box[1::2]]
    for axis, (low, high) in enumerate(((numbers[0], numbers[2]), (numbers[1], numbers[3]))):
        sides = [corner[axis] for corner in corners]
        size, room = max(sides) - min(sides), abs(high - low)
        if not size / _STRETCH <= room <= size * _STRETCH:
            return False
    turned = walk.new.entry_of(widget.get(b"MK"), b"R")
    angle = math.degrees(math.atan2(values[1], values[0])) - (turned if isinstance(turned, int) else 0)
    return all(abs((piece.angle + angle + 180) % 360 - 180) < 2 for piece in drawn.pieces)
