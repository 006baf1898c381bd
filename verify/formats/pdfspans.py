"""What every byte of a file is: one walk from front to back, as a reader without cross-references would do it.

Streams are passed over by the lengths that the objects' own reading gave, so that what stands inside a stream is
never taken for an object. Bytes that fit nowhere are UNKNOWN up to the next thing that can be read.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from verify.formats.pdflimits import PdfLimitError, PdfLimits
from verify.formats.pdfobjects import PdfObject, is_type
from verify.formats.pdfxref import Section

HEADER, OBJECT, XREF, STARTXREF, EOF = "header", "object", "xref", "startxref", "eof"
SPACE, COMMENT, UNKNOWN = "space", "comment", "unknown"

_S = rb"[\0\t\n\f\r ]"
_BLANK = re.compile(_S + rb"++")
_HEADER = re.compile(rb"%PDF-[^\r\n]*+")
_EOF = re.compile(rb"%%EOF(?=[\0\t\n\f\r %]|\Z|[0-9]{1,10} [0-9]{1,5} obj)")
_COMMENT = re.compile(rb"(?:%(?!%EOF|PDF-)[^\r\n]*+" + _S + rb"*+)++")
_STARTXREF = re.compile(rb"startxref" + _S + rb"++([0-9]{1,20}+)(?![^\0\t\n\f\r %])")
_OBJECT = re.compile(rb"[0-9]{1,10}+" + _S + rb"++[0-9]{1,10}+" + _S + rb"++obj(?![A-Za-z0-9])")
_LANDMARK = re.compile(
    rb"(?<![0-9])[0-9]{1,10}+" + _S + rb"++[0-9]{1,10}+" + _S + rb"++obj(?![A-Za-z0-9])"
    rb"|(?<![A-Za-z])xref(?![A-Za-z])|startxref" + _S + rb"|%%EOF"
)


class Span(NamedTuple):
    """Bytes ``[start, end)`` of the file and what they are.

    ``number`` and ``generation`` are those of an object (or of a cross-reference stream), else 0. ``value`` is what
    a ``startxref`` says.
    """

    kind: str
    start: int
    end: int
    number: int
    generation: int
    value: int


@dataclass(slots=True)
class Accounting:
    """Every byte of the file, in order, without gaps. ``objects`` are the OBJECT spans; ``sections`` by their start."""

    spans: list[Span] = field(default_factory=list)
    objects: list[Span] = field(default_factory=list)
    sections: dict[int, Section] = field(default_factory=dict)
    tails: list[Span] = field(default_factory=list)
    """The ``startxref`` spans."""

    def unknown(self, start: int = 0) -> list[Span]:
        """Bytes from ``start`` on that belong to nothing."""
        return [span for span in self.spans if span.kind == UNKNOWN and span.end > start]

    def at(self, position: int) -> Span | None:
        """The span that holds the byte at ``position``."""
        index = bisect_right(self.spans, position, key=lambda span: span.start) - 1
        return self.spans[index] if index >= 0 and position < self.spans[index].end else None


class Walker:
    """Walks a file. ``object_at`` and ``section_at`` read what stands at a position, or say None."""

    def __init__(
        self,
        data: bytes,
        limits: PdfLimits,
        object_at: Callable[[int], PdfObject | None],
        section_at: Callable[[int], Section | None],
    ) -> None:
        self.data = data
        self.limits = limits
        self.objects = limits.objects
        self.object_at = object_at
        self.section_at = section_at
        self.found = Accounting()

    def walk(self) -> Accounting:
        """Account for every byte."""
        data, position, size = self.data, 0, len(self.data)
        while position < size:
            octet = data[position]
            if octet in b"\0\t\n\f\r ":
                match = _BLANK.match(data, position)
                position = self._add(SPACE, position, match.end() if match else position + 1)
            elif 0x30 <= octet <= 0x39:
                position = self._object(position)
            elif octet == 0x25:
                position = self._percent(position)
            elif octet == 0x78 and data.startswith(b"xref", position):
                position = self._table(position)
            elif octet == 0x73 and (match := _STARTXREF.match(data, position)):
                position = self._add(STARTXREF, position, match.end(), value=int(match[1]))
            else:
                position = self._unknown(position, position)
        return self.found

    def _add(self, kind: str, start: int, end: int, number: int = 0, generation: int = 0, value: int = 0) -> int:
        span = Span(kind, start, end, number, generation, value)
        self.found.spans.append(span)
        if len(self.found.spans) > self.limits.spans:
            raise PdfLimitError("pieces", self.limits.spans)
        if kind == OBJECT:
            self.found.objects.append(span)
        elif kind == STARTXREF:
            self.found.tails.append(span)
        return end

    def _object(self, position: int) -> int:
        found = self.object_at(position) if _OBJECT.match(self.data, position) else None
        if found is None:
            return self._unknown(position, position)
        self.objects -= 1
        if self.objects < 0:
            raise PdfLimitError("objects", self.limits.objects)
        if found.fault:
            return self._unknown(position, max(found.end, position + 1))
        if is_type(found.value, b"XRef") and (section := self.section_at(position)) is not None:
            self.found.sections[position] = section
            return self._add(XREF, position, found.end, found.number, found.generation)
        return self._add(OBJECT, position, found.end, found.number, found.generation)

    def _percent(self, position: int) -> int:
        if match := _EOF.match(self.data, position):
            return self._add(EOF, position, match.end())
        if match := _HEADER.match(self.data, position):
            return self._add(HEADER, position, match.end())
        match = _COMMENT.match(self.data, position)
        return self._add(COMMENT, position, match.end() if match else position + 1)

    def _table(self, position: int) -> int:
        section = self.section_at(position)
        if section is None or section.end <= position:
            return self._unknown(position, position)
        self.found.sections[position] = section
        return self._add(XREF, position, section.end)

    def _unknown(self, start: int, resume: int) -> int:
        """Bytes that fit nowhere, to the next thing that could be read after ``resume``."""
        match = _LANDMARK.search(self.data, max(resume, start + 1))
        end = match.start() if match else len(self.data)
        spans = self.found.spans
        if spans and spans[-1].kind == UNKNOWN:
            start = spans.pop().start
        return self._add(UNKNOWN, start, end)
