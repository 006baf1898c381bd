"""Reading what a small content stream draws, as text: the appearance of a form field (ISO 32000-2 7.8, 9)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from verify.checks.changes.fonts import FontReader, ReadFont
from verify.checks.changes.reasons import Reason
from verify.checks.changes.walk import Walk
from verify.formats.pdflimits import PdfError
from verify.formats.pdfvalues import Stream

_MOST_BYTES = 200_000
_COST = 1_000
"""What reading one drawing costs, in pairs of values."""
_MOST_CURVES = 16
_MOST_LINES = 400
_INVISIBLE = 3
_TOKEN = re.compile(
    rb"(?P<space>[\0\t\n\f\r ]++|%[^\r\n]*+)"
    rb"|(?P<name>/[^\0\t\n\f\r ()<>\[\]{}/%]*+)"
    rb"|(?P<number>[+-]?(?:[0-9]++\.?[0-9]*+|\.[0-9]++))"
    rb"|(?P<hex><[0-9A-Fa-f\0\t\n\f\r ]*+>)"
    rb"|(?P<bracket><<|>>|\[|\])"
    rb"|(?P<word>[A-Za-z'\"*][A-Za-z0-9'\"*]*+)"
)
_STRING_PART = re.compile(rb"[^()\\]++|\\(?:\r\n|[0-7]{1,3}|.)|[()]", re.DOTALL)
_ESCAPES = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f"}
_FILLS = frozenset((b"f", b"F", b"f*", b"B", b"B*", b"b", b"b*"))


class DrawingError(Exception):
    """The stream draws something that is no text, or that cannot be read."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(slots=True)
class Drawn:
    """The text that a stream draws, in its order.

    ``fills`` counts filled areas, ``marks`` characters, lines and curves; rectangles are frames and backgrounds.
    ``covered`` says that an area was filled after text. ``own_font``: the older revision does not have a font used.
    """

    text: str = ""
    fills: int = 0
    marks: int = 0
    covered: bool = False
    own_font: bool = False


@dataclass(slots=True)
class _State:
    font: ReadFont | None = None
    mode: int = 0


@dataclass(slots=True)
class _Reader:
    fonts: FontReader
    drawn: Drawn = field(default_factory=Drawn)
    state: _State = field(default_factory=_State)
    saved: list[_State] = field(default_factory=list)
    curves: int = 0
    lines: int = 0

    def run(self, content: bytes) -> None:
        operands: list[bytes | float] = []
        for kind, value in tokens(content):
            if kind == "word":
                self._operator(bytes(value) if isinstance(value, bytes) else b"", operands)
                operands = []
            elif len(operands) < 2_000:
                operands.append(value)

    def _operator(self, name: bytes, operands: list[bytes | float]) -> None:
        if name in (b"Do", b"sh", b"BI", b"INLINE"):
            raise DrawingError(Reason.APPEARANCE_PICTURE)
        if name in (b"Tj", b"TJ", b"'", b'"'):
            for operand in operands:
                if isinstance(operand, bytes) and not isinstance(operand, NameToken):
                    self._show(operand)
        elif name == b"Tf":
            self.state = _State(self.fonts.named(operands[0] if operands else b""), self.state.mode)
        elif name == b"Tr":
            self.state = _State(self.state.font, int(operands[0]) if operands and operands[0] != b"" else 0)
        elif name == b"q":
            self.saved.append(self.state)
        elif name == b"Q" and self.saved:
            self.state = self.saved.pop()
        elif name in (b"c", b"v", b"y"):
            self.curves += 1
            self.drawn.marks += 1
        elif name == b"l":
            self.lines += 1
            self.drawn.marks += 1
        elif name in _FILLS:
            self.drawn.fills += 1
            self.drawn.covered = self.drawn.covered or bool(self.drawn.text.strip())
        if self.curves > _MOST_CURVES or self.lines > _MOST_LINES or len(self.saved) > 64:
            raise DrawingError(Reason.APPEARANCE_PICTURE)

    def _show(self, text: bytes) -> None:
        if self.state.mode >= _INVISIBLE and self.state.mode != 4:
            raise DrawingError(Reason.APPEARANCE_DIFFERS)
        font = self.state.font or self.fonts.named(b"")
        self.drawn.text += font.text(text)
        self.drawn.marks += len(text.strip())
        self.drawn.own_font = self.drawn.own_font or font.is_own


def read_drawing(walk: Walk, stream: Stream) -> Drawn:
    """What the newer revision's form XObject draws. Raises DrawingError, PdfLimitError for too many of them."""
    known = walk.drawings.get(id(stream))
    if known is None:
        walk.effort.spend(_COST)
        known = walk.drawings[id(stream)] = _read(walk, stream)
    if isinstance(known, DrawingError):
        raise known
    return known


def _read(walk: Walk, stream: Stream) -> Drawn | DrawingError:
    try:
        content = walk.new.decoded(stream, _MOST_BYTES)
        reader = _Reader(FontReader(walk, stream))
        reader.run(content)
    except DrawingError as error:
        return error
    except (PdfError, ValueError, TypeError):
        return DrawingError(Reason.APPEARANCE_UNREADABLE)
    return reader.drawn


def tokens(content: bytes) -> Iterator[tuple[str, bytes | float]]:
    """The tokens of a content stream: ``string``, ``name``, ``number``, ``word``; brackets are left out."""
    position, size = 0, len(content)
    while position < size:
        if content[position] == 0x28:
            text, position = _string(content, position)
            yield "string", text
            continue
        match = _TOKEN.match(content, position)
        if match is None:
            raise ValueError("no token")
        position = match.end()
        kind, text = match.lastgroup or "", match[0]
        if kind == "hex":
            digits = re.sub(rb"[^0-9A-Fa-f]", b"", text)
            yield "string", bytes.fromhex((digits + b"0" * (len(digits) % 2)).decode())
        elif kind == "number":
            yield "number", float(text)
        elif kind == "name":
            yield "name", NameToken(text[1:])
        elif kind == "word":
            yield "word", text


class NameToken(bytes):
    """A name among the operands, which is no string to show."""

    __slots__ = ()


def _string(content: bytes, position: int) -> tuple[bytes, int]:
    parts: list[bytes] = []
    depth, position = 1, position + 1
    while True:
        match = _STRING_PART.match(content, position)
        if match is None:
            raise ValueError("a string does not end")
        position, part = match.end(), match[0]
        if part == b"(":
            depth += 1
        elif part == b")":
            depth -= 1
            if not depth:
                return b"".join(parts), position
        elif part[:1] == b"\\":
            part = _unescaped(part[1:])
        parts.append(part)


def _unescaped(part: bytes) -> bytes:
    if part[:1].isdigit():
        return bytes((int(part, 8) & 0xFF,))
    if part in (b"\r\n", b"\n", b"\r"):
        return b""
    return _ESCAPES.get(part, part)
