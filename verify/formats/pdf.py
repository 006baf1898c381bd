"""Reading the bytes of a PDF's later updates strictly: what is there, and is that all?

Viewers repair, and so do most libraries; a verifier that must account for every byte cannot. This reader accepts one
plain form of an incremental update: numbered objects, one cross-reference table that lists exactly these, a trailer,
``startxref``, ``%%EOF``, nothing between but spaces and line ends. Values keep the bytes they were written with, so
that two values are equal only when they are written alike.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

MAX_NESTING = 40
_SPACE = re.compile(rb"(?:[ \n]|\r\n)*")
_TOKEN_END = frozenset(b" \r\n()<>[]{}/%")
_INTEGER = re.compile(rb"(?:0|[1-9][0-9]{0,9})(?![^ \r\n()<>\[\]{}/%])")
_REFERENCE = re.compile(rb"(0|[1-9][0-9]{0,9}) (0|[1-9][0-9]{0,4}) R(?![^ \r\n()<>\[\]{}/%])")
_NUMBER = re.compile(rb"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?![^ \r\n()<>\[\]{}/%])")
_NAME = re.compile(rb"/[!-\"$&'*-.0-;=?-Z\\^-z|~#]*")
_HEX = re.compile(rb"<(?:[0-9A-F]*|[0-9a-f]*)>")
_OBJECT = re.compile(rb"([1-9][0-9]{0,9}) (0|[1-9][0-9]{0,4}) obj(?=[ \r\n<\[(/])")
_STREAM = re.compile(rb"stream(?:\r\n|\n)")
_ENDSTREAM = re.compile(rb"(?:\r\n|\n)?endstream(?:\r\n|\n| )endobj(?:\r\n|\n)")
_ENDOBJ = re.compile(rb"(?:\r\n|\n| )?endobj(?:\r\n|\n)")
_SUBSECTION = re.compile(rb"(0|[1-9][0-9]{0,9}) ([1-9][0-9]{0,6}) ?(?:\r\n|\n)")
_ENTRY = re.compile(rb"([0-9]{10}) ([0-9]{5}) ([nf])(?: \n|\r\n)")
_TAIL = re.compile(rb"startxref(?:\r\n|\n)(0|[1-9][0-9]{0,10})(?:\r\n|\n)%%EOF(?:\r\n|\n)")
_LAST_STARTXREF = re.compile(rb"startxref\s+([0-9]{1,11})\s+%%EOF\s*\Z")


class PdfSyntaxError(ValueError):
    """The bytes are not of the strict form. ``offset`` is where it was noticed."""

    def __init__(self, reason: str, offset: int) -> None:
        super().__init__(f"{reason} at byte {offset}")
        self.reason = reason
        self.offset = offset


@dataclass(frozen=True, slots=True)
class Reference:
    """``number generation R``."""

    number: int
    generation: int


@dataclass(frozen=True, slots=True)
class Atom:
    """A name, string, number, truth value or null, as written."""

    raw: bytes


@dataclass(frozen=True, slots=True)
class Array:
    """``[…]``."""

    items: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Dictionary:
    """``<<…>>``; keys are names with their slash, no key twice. Order does not count in comparisons."""

    entries: dict[bytes, Value]

    def get(self, key: bytes) -> Value | None:
        """The value under a key, or None."""
        return self.entries.get(key)

    def keys(self) -> set[bytes]:
        """All keys."""
        return set(self.entries)


Value = Reference | Atom | Array | Dictionary


@dataclass(frozen=True, slots=True)
class PdfObject:
    """One numbered object. ``stream`` is None when it has none."""

    number: int
    generation: int
    offset: int
    value: Value
    stream: bytes | None


@dataclass(frozen=True, slots=True)
class Trailer:
    """A trailer dictionary, the ``startxref`` value that leads to it, and where its section begins."""

    entries: Dictionary
    startxref: int
    is_table: bool


@dataclass(frozen=True, slots=True)
class Update:
    """One incremental update: its span of bytes, objects by number, trailer."""

    start: int
    end: int
    objects: dict[int, PdfObject]
    trailer: Trailer


class Lexer:
    """Reads values at a position, with the strict white space of this module."""

    def __init__(self, data: bytes, position: int, end: int | None = None) -> None:
        self.data = data
        self.position = position
        self.end = len(data) if end is None else end

    def fail(self, reason: str) -> PdfSyntaxError:
        """An error at the current position."""
        return PdfSyntaxError(reason, self.position)

    def take(self, pattern: re.Pattern[bytes]) -> re.Match[bytes] | None:
        """Match here and move on, or stay and give None."""
        match = pattern.match(self.data, self.position, self.end)
        if match:
            self.position = match.end()
        return match

    def need(self, pattern: re.Pattern[bytes], what: str) -> re.Match[bytes]:
        """Match here and move on; PdfSyntaxError otherwise."""
        match = self.take(pattern)
        if match is None:
            raise self.fail(f"expected {what}")
        return match

    def space(self) -> None:
        """Skip spaces and line ends."""
        self.take(_SPACE)

    def starts(self, text: bytes) -> bool:
        """Whether ``text`` stands here."""
        return self.data.startswith(text, self.position, self.end)

    def value(self, depth: int = 0) -> Value:
        """Read one value."""
        if depth > MAX_NESTING:
            raise self.fail("nested too deeply")
        self.space()
        if self.starts(b"<<"):
            return self._dictionary(depth)
        if self.starts(b"["):
            return self._array(depth)
        if match := self.take(_REFERENCE):
            return Reference(int(match[1]), int(match[2]))
        for pattern in (_NAME, _HEX, _NUMBER):
            if match := self.take(pattern):
                if pattern is _HEX and len(match[0]) % 2:
                    raise self.fail("odd number of hexadecimal digits")
                return Atom(match[0])
        if self.starts(b"("):
            return self._literal()
        for word in (b"true", b"false", b"null"):
            following = self.data[self.position + len(word) : self.position + len(word) + 1]
            if self.starts(word) and (not following or following[0] in _TOKEN_END):
                self.position += len(word)
                return Atom(word)
        raise self.fail("no value")

    def _dictionary(self, depth: int) -> Dictionary:
        self.position += 2
        entries: dict[bytes, Value] = {}
        while True:
            self.space()
            if self.starts(b">>"):
                self.position += 2
                return Dictionary(entries)
            key = self.need(_NAME, "a key")[0]
            if key in entries:
                raise self.fail("a key stands twice")
            entries[key] = self.value(depth + 1)

    def _array(self, depth: int) -> Array:
        self.position += 1
        items: list[Value] = []
        while True:
            self.space()
            if self.starts(b"]"):
                self.position += 1
                return Array(tuple(items))
            items.append(self.value(depth + 1))

    def _literal(self) -> Atom:
        start = self.position
        depth = 0
        while self.position < self.end:
            byte = self.data[self.position]
            self.position += 1
            if byte == 0x5C:
                self.position += 1
            elif byte == 0x28:
                depth += 1
            elif byte == 0x29:
                depth -= 1
                if not depth:
                    return Atom(self.data[start : self.position])
        raise self.fail("a string does not end")


def object_at(data: bytes, offset: int) -> PdfObject:
    """Read the numbered object that begins exactly at ``offset``. Raises PdfSyntaxError."""
    lexer = Lexer(data, offset)
    return _object(lexer)


def _object(lexer: Lexer) -> PdfObject:
    offset = lexer.position
    head = lexer.need(_OBJECT, "an object")
    value = lexer.value()
    lexer.space()
    stream: bytes | None = None
    if isinstance(value, Dictionary) and lexer.take(_STREAM):
        length = value.get(b"/Length")
        if not isinstance(length, Atom) or not _INTEGER.fullmatch(length.raw):
            raise lexer.fail("the length of a stream is not written in place")
        end = lexer.position + int(length.raw)
        if end > lexer.end:
            raise lexer.fail("a stream is truncated")
        stream = lexer.data[lexer.position : end]
        lexer.position = end
        lexer.need(_ENDSTREAM, "the end of a stream")
    else:
        lexer.need(_ENDOBJ, "the end of an object")
    return PdfObject(int(head[1]), int(head[2]), offset, value, stream)


def last_startxref(data: bytes, end: int) -> int | None:
    """The ``startxref`` value of the revision whose bytes end at ``end``, or None."""
    match = _LAST_STARTXREF.search(data, max(0, end - 2048), end)
    return int(match[1]) if match else None


def trailer_at(data: bytes, startxref: int) -> Trailer:
    """Read the trailer that belongs to a cross-reference table or stream. Raises PdfSyntaxError."""
    if not 0 <= startxref < len(data):
        raise PdfSyntaxError("startxref leads elsewhere", 0)
    lexer = Lexer(data, startxref)
    if not lexer.starts(b"xref"):
        found = _object_head(lexer)
        return Trailer(found, startxref, is_table=False)
    position = data.find(b"trailer", startxref)
    if position < 0:
        raise lexer.fail("no trailer")
    lexer.position = position + len(b"trailer")
    value = lexer.value()
    if not isinstance(value, Dictionary):
        raise lexer.fail("the trailer is no dictionary")
    return Trailer(value, startxref, is_table=True)


def _object_head(lexer: Lexer) -> Dictionary:
    lexer.need(_OBJECT, "a cross-reference section")
    value = lexer.value()
    if not isinstance(value, Dictionary):
        raise lexer.fail("a cross-reference stream has no dictionary")
    return value


def updates_after(data: bytes, start: int, limit: int = 200) -> Iterator[Update]:
    """Read every update from ``start`` to the end of the file. Raises PdfSyntaxError for any byte that fits nowhere."""
    position = start
    count = 0
    while position < len(data):
        count += 1
        if count > limit:
            raise PdfSyntaxError("too many updates", position)
        update = _update(data, position)
        yield update
        position = update.end


def _update(data: bytes, start: int) -> Update:
    lexer = Lexer(data, start)
    objects: dict[int, PdfObject] = {}
    lexer.space()
    while not lexer.starts(b"xref"):
        found = _object(lexer)
        if found.number in objects:
            raise PdfSyntaxError("an object stands twice in one update", found.offset)
        objects[found.number] = found
        lexer.space()
    startxref = lexer.position
    _table(lexer, objects)
    lexer.need(re.compile(rb"trailer\n"), "a trailer")
    begins = lexer.position
    trailer = lexer.value()
    if not isinstance(trailer, Dictionary):
        raise lexer.fail("the trailer is no dictionary")
    if data[begins : lexer.position] != _written(trailer):
        raise PdfSyntaxError("the trailer is not written in the one way", begins)
    lexer.need(re.compile(rb"\n"), "the end of a line")
    tail = lexer.need(_TAIL, "startxref and the end of the update")
    if int(tail[1]) != startxref:
        raise PdfSyntaxError("startxref leads elsewhere", startxref)
    return Update(start, lexer.position, objects, Trailer(trailer, startxref, is_table=True))


def _written(value: Value) -> bytes:
    """How a trailer's values are written: offsets do not hold its spaces in place, as they do those of objects."""
    if isinstance(value, Reference):
        return b"%d %d R" % (value.number, value.generation)
    if isinstance(value, Atom):
        return value.raw
    if isinstance(value, Array):
        return b"[ " + b" ".join(_written(v) for v in value.items) + b" ]"
    lines = (key + b" " + _written(v) + b"\n" for key, v in value.entries.items())
    return b"<<\n" + b"".join(lines) + b">>"


def _table(lexer: Lexer, objects: dict[int, PdfObject]) -> None:
    """Read a cross-reference table that must list exactly ``objects``."""
    lexer.need(re.compile(rb"xref(?:\r\n|\n)"), "a cross-reference table")
    listed: set[int] = set()
    while subsection := lexer.take(_SUBSECTION):
        first, count = int(subsection[1]), int(subsection[2])
        if count > len(objects) + 1:
            raise lexer.fail("a cross-reference table lists what is not there")
        for number in range(first, first + count):
            entry = lexer.need(_ENTRY, "a cross-reference entry")
            if entry[3] == b"f":
                if number or int(entry[1]) or entry[2] != b"65535":
                    raise lexer.fail("an object is freed")
                continue
            found = objects.get(number)
            if found is None or number in listed or found.offset != int(entry[1]) or found.generation != int(entry[2]):
                raise lexer.fail("a cross-reference entry leads elsewhere")
            listed.add(number)
    if listed != set(objects):
        raise lexer.fail("an object is not listed")


def table_offset(data: bytes, startxref: int, number: int, limit: int = 200) -> int | None:
    """Where cross-reference tables, newest first, say object ``number`` begins; None when they do not say.

    Raises PdfSyntaxError when a section is no table.
    """
    position: int | None = startxref
    seen: set[int] = set()
    while position is not None and position not in seen and len(seen) < limit:
        seen.add(position)
        offset = _offset_in(data, position, number)
        if offset is not None:
            return offset
        previous = trailer_at(data, position).entries.get(b"/Prev")
        position = int(previous.raw) if isinstance(previous, Atom) and _INTEGER.fullmatch(previous.raw) else None
    return None


def _offset_in(data: bytes, startxref: int, number: int) -> int | None:
    lexer = Lexer(data, startxref)
    lexer.need(re.compile(rb"xref[ \r\n]+"), "a cross-reference table")
    while subsection := lexer.take(re.compile(rb"([0-9]{1,10}) ([0-9]{1,10})[ \r\n]+")):
        first, count = int(subsection[1]), int(subsection[2])
        if first <= number < first + count:
            lexer.position += 20 * (number - first)
            entry = lexer.need(_ENTRY, "a cross-reference entry")
            return int(entry[1]) if entry[3] == b"n" else None
        lexer.position += 20 * count
    return None


def integer(value: Value | None) -> int | None:
    """The number that an atom is, when it is a plain non-negative integer."""
    return int(value.raw) if isinstance(value, Atom) and _INTEGER.fullmatch(value.raw) else None
