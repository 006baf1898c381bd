"""Cross-reference sections (7.5.4 tables, 7.5.8 streams, 7.5.8.4 both), read as leniently as viewers do."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from verify.formats.pdflexer import SKIP
from verify.formats.pdflimits import Notices, PdfError, PdfLimitError
from verify.formats.pdfobjects import ObjectReader, is_type
from verify.formats.pdfvalues import Dictionary, Stream, Value

_SPACE = rb"[\0\t\n\f\r ]"
_XREF = re.compile(SKIP + rb"xref(?![A-Za-z])")
_SUBSECTION = re.compile((SKIP + rb"([0-9]{1,10}+)S++([0-9]{1,10}+)(?=S)").replace(b"S", _SPACE))
_STRICT_ENTRY = re.compile(rb"([0-9]{10}) ([0-9]{5}) ([nf])[ \r][\r\n]")
_LOOSE_ENTRY = re.compile(rb"S*+([0-9]{1,20}+)S++([0-9]{1,10}+)S++([nf])(?![A-Za-z0-9])".replace(b"S", _SPACE))
_NEAR = 16
_TRAILER = re.compile(SKIP + rb"trailer")

OFFSET, COMPRESSED, FREE = "offset", "compressed", "free"


class Entry(NamedTuple):
    """Where a cross-reference says that an object is.

    ``kind`` is OFFSET (``offset`` in the file), COMPRESSED (``index`` in the object stream ``container``) or FREE.
    """

    kind: str
    offset: int
    generation: int
    container: int
    index: int  # type: ignore[assignment]


@dataclass(slots=True)
class Section:
    """One cross-reference section and its trailer.

    ``offset`` is the value that led to it, ``[start, end)`` the bytes it occupies with its trailer dictionary or as a
    stream object. ``hybrid`` is the stream section that a table's /XRefStm names. ``number`` is that of the stream
    object, 0 for a table. ``faults`` say what was passed over in reading it.
    """

    offset: int
    start: int
    end: int
    entries: dict[int, Entry]
    trailer: Dictionary
    is_stream: bool
    number: int = 0
    hybrid: Section | None = None
    faults: list[str] = field(default_factory=list)

    @property
    def prev(self) -> int | None:
        """The offset of the section before, as written."""
        return offset_in(self.trailer, b"Prev")


class SectionReader:
    """Reads sections at offsets, each once. ``left`` is how many entries may still be read from this file."""

    def __init__(
        self, reader: ObjectReader, notices: Notices, most: int, decoded: Callable[[Stream], bytes], base: int
    ) -> None:
        self.reader = reader
        self.data = reader.data
        self.notices = notices
        self.left = self.most = most
        self.decoded = decoded
        self.base = base
        self._known: dict[tuple[int, int], Section | PdfError] = {}

    def at(self, offset: int, end: int) -> Section:
        """The section that the value ``offset`` leads to, within ``data[:end]``. Raises PdfError.

        Offsets count from ``%PDF``; where nothing is found that way, from the beginning of the file.
        """
        found, error = self._try(offset, self.base, end)
        if self.base:
            other, _ = self._try(offset, 0, end)
            if found is not None and other is not None:
                self.notices.add("two-bases", found.start, 0, "offsets make sense from two beginnings of the file")
            found = found or other
        if found is None:
            found = self._near(offset, end)
        if found is None:
            raise error or PdfError("no-xref", offset=offset)
        return found

    def _try(self, offset: int, base: int, end: int) -> tuple[Section | None, PdfError | None]:
        try:
            return self._once(offset, base, end), None
        except PdfLimitError:
            raise
        except PdfError as error:
            return None, error

    def _near(self, offset: int, end: int) -> Section | None:
        """The table that begins a few bytes before the offset (white space after it is passed over anyway)."""
        position = offset + self.base
        start = self.data.rfind(b"xref", max(0, position - _NEAR), min(position + 4, end))
        if start < 0 or self.data[start - 5 : start] == b"start":
            return None
        found, _ = self._try(start - self.base, self.base, end)
        if found is not None:
            text = f"the offset that leads to it is wrong by {position - start}"
            if text not in found.faults:
                found.faults.append(text)
        return found

    def _once(self, offset: int, base: int, end: int) -> Section:
        found = self._known.get((offset, base))
        if found is None:
            try:
                found = self._read(offset, base)
            except PdfLimitError:
                raise
            except PdfError as error:
                found = error
            self._known[offset, base] = found
        if isinstance(found, PdfError):
            raise found
        if found.end > end:
            raise PdfError("no-xref", "a cross-reference section is cut off", offset)
        return found

    def _read(self, offset: int, base: int) -> Section:
        position = offset + base
        if not 0 <= position < len(self.data):
            raise PdfError("no-xref", "a cross-reference section would lie outside the file", offset)
        head = _XREF.match(self.data, position)
        return self._table(offset, head, base) if head else self._stream(offset, position, base)

    def _table(self, offset: int, head: re.Match[bytes], base: int) -> Section:
        entries: dict[int, Entry] = {}
        section = Section(offset, head.end() - len(b"xref"), head.end(), entries, {}, is_stream=False)
        position = head.end()
        while subsection := _SUBSECTION.match(self.data, position):
            position = self._subsection(section, int(subsection[1]), int(subsection[2]), subsection.end(), base)
        trailer = _TRAILER.match(self.data, position)
        if trailer is None:
            raise PdfError("no-xref", "a cross-reference table has no trailer", position)
        value, section.end = self.reader.lexer.value(trailer.end(), len(self.data))
        if not isinstance(value, dict):
            raise PdfError("no-xref", "a trailer is no dictionary", position)
        section.trailer = value
        hybrid = offset_in(value, b"XRefStm")
        if hybrid is not None:
            self._hybrid(section, hybrid, base)
        return section

    def _hybrid(self, section: Section, offset: int, base: int) -> None:
        try:
            found = self._once(offset, base, len(self.data))
        except PdfLimitError:
            raise
        except PdfError as error:
            section.faults.append(f"its /XRefStm leads to nothing: {error}")
            return
        if not found.is_stream:
            section.faults.append("its /XRefStm leads to a table")
            return
        section.hybrid = found

    def _subsection(self, section: Section, first: int, count: int, position: int, base: int) -> int:
        """Read ``count`` entries from ``position``; gives where they end."""
        self._spend(min(count, (len(self.data) - position) // 5))
        start = _blank(self.data, position)
        end = start + 20 * count
        rows = _STRICT_ENTRY.findall(self.data, start, end)
        if len(rows) == count and end <= len(self.data):
            position = end
        else:
            rows, position = self._loose_rows(section, count, position)
        if first == 1 and rows and rows[0][2] == b"f" and int(rows[0][1]) == 65535:
            section.faults.append("numbering begins one too high")
            first = 0
        entries = section.entries
        for number, (offset, generation, kind) in enumerate(rows, first):
            if number in entries:
                self._twice(section, number, entries[number], offset, kind, base)
            if kind == b"n" and (place := int(offset)):
                entries[number] = Entry(OFFSET, place + base, int(generation), 0, 0)
            else:
                entries[number] = Entry(FREE, 0, int(generation), 0, 0)
        return position

    def _twice(self, section: Section, number: int, known: Entry, offset: bytes, kind: bytes, base: int) -> None:
        if kind == b"n" and known.kind == OFFSET and known.offset == int(offset) + base:
            return
        self.notices.add("listed-twice", section.start, number, "one table lists one object twice")

    def _loose_rows(self, section: Section, count: int, position: int) -> tuple[list[tuple[bytes, bytes, bytes]], int]:
        rows: list[tuple[bytes, bytes, bytes]] = []
        while entry := _LOOSE_ENTRY.match(self.data, position):
            if len(rows) >= count:
                self._spend(1)
            rows.append((entry[1], entry[2], entry[3]))
            position = entry.end()
        if len(rows) != count:
            section.faults.append(f"{count} entries are announced, {len(rows)} are there")
        return rows, position

    def _spend(self, count: int) -> None:
        self.left -= count
        if self.left < 0:
            raise PdfLimitError("objects", self.most)

    def _stream(self, offset: int, position: int, base: int) -> Section:
        found = self.reader.at(position, len(self.data), lambda reference: None)
        if found is None or not isinstance(found.value, Stream) or not is_type(found.value, b"XRef"):
            raise PdfError("no-xref", "no cross-reference section is there", offset)
        stream = found.value
        trailer = stream.dictionary
        entries = self._stream_entries(trailer, self.decoded(stream), found.start, base)
        section = Section(offset, found.start, found.end, entries, trailer, is_stream=True, number=found.number)
        if not found.trusted_length:
            section.faults.append("its length is wrong")
        return section

    def _stream_entries(self, trailer: Dictionary, raw: bytes, start: int, base: int) -> dict[int, Entry]:
        widths = _integers(trailer.get(b"W"))
        if len(widths) < 3 or min(widths) < 0 or max(widths) > 16 or not sum(widths):
            raise PdfError("no-xref", "the widths of a cross-reference stream are wrong", start)
        size = trailer.get(b"Size")
        index = _integers(trailer.get(b"Index")) or [0, size if isinstance(size, int) else 0]
        one, two, three = widths[:3]
        stride, position = sum(widths), 0
        entries: dict[int, Entry] = {}
        number_of = int.from_bytes
        for first, announced in zip(index[::2], index[1::2], strict=False):
            count = max(0, min(announced, (len(raw) - position) // stride))
            self._spend(count)
            for number in range(first, first + count):
                kind = number_of(raw[position : position + one], "big") if one else 1
                second = number_of(raw[position + one : position + one + two], "big")
                third = number_of(raw[position + one + two : position + one + two + three], "big")
                position += stride
                if number in entries:
                    self.notices.add("listed-twice", start, number, "one stream lists one object twice")
                if kind == 1:
                    entries[number] = Entry(OFFSET, second + base, third, 0, 0) if second else _FREE_ENTRY
                elif kind == 2:
                    entries[number] = Entry(COMPRESSED, 0, 0, second, third)
                else:
                    entries[number] = Entry(FREE, 0, third if kind == 0 else 0, 0, 0)
        return entries


_FREE_ENTRY = Entry(FREE, 0, 0, 0, 0)
_BLANK = re.compile(_SPACE + rb"*+")


def _blank(data: bytes, position: int) -> int:
    match = _BLANK.match(data, position)
    return match.end() if match else position


def _integers(value: Value) -> list[int]:
    """The integers of an array; empty when it is none or holds anything else."""
    if not isinstance(value, list):
        return []
    return [item for item in value if isinstance(item, int)] if all(isinstance(v, int) for v in value) else []


def offset_in(trailer: Dictionary, key: bytes) -> int | None:
    """An offset that a trailer holds, None when there is none that could be one."""
    found = trailer.get(key)
    if isinstance(found, float) and found.is_integer():
        return int(found)
    return found if isinstance(found, int) and not isinstance(found, bool) and found >= 0 else None
