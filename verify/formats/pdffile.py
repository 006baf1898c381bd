"""A PDF file as every viewer may see it: its revisions as documents of their own, and what each byte is.

:class:`PdfFile` is the file; :class:`~verify.formats.pdfsnapshot.Snapshot` is the document that its first so many
bytes show. Both read as leniently as viewers do. What had to be repaired is in ``repaired``, what two viewers may
read differently in ``ambiguities``: nothing signed should be called intact by the reading alone when one is not empty.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from verify.formats.pdflexer import Lexer
from verify.formats.pdflimits import Budget, Notice, Notices, PdfError, PdfLimitError, PdfLimits, PdfPasswordError
from verify.formats.pdfobjects import LengthSource, ObjectReader, PdfObject, is_type
from verify.formats.pdfsnapshot import Snapshot
from verify.formats.pdfspans import COMMENT, EOF, OBJECT, SPACE, STARTXREF, Accounting, Span, Walker
from verify.formats.pdfstreams import ObjectStream
from verify.formats.pdfvalues import Reference, Stream
from verify.formats.pdfxref import COMPRESSED, OFFSET, Section, SectionReader

__all__ = ["PdfError", "PdfFile", "PdfLimitError", "PdfLimits", "PdfPasswordError", "Revision", "Snapshot"]

_STARTXREF = re.compile(rb"startxref[\0\t\n\f\r ]*+([0-9]{1,20}+)")
_PLAIN_INTEGER = re.compile(
    rb"([0-9]{1,10}+)[\0\t\n\f\r ]++[0-9]{1,5}+[\0\t\n\f\r ]++obj[\0\t\n\f\r ]++([0-9]{1,12}+)[\0\t\n\f\r ]++endobj"
)
_LINE_END = re.compile(rb"[ \t]*(?:\r\n|\r|\n)?")
_HEADER_WITHIN = 1024
_FRONT_OBJECTS = 8
_HARMLESS = frozenset(("filter", "no-endobj", "stream-padding", "prev-zero"))
"""Kinds of notices that viewers read alike, or that change no more than a length on the page."""


@dataclass(slots=True)
class Revision:
    """One state of the file: ``[0, end)``, to the end of the line of its ``%%EOF``.

    ``sections`` are newest first, as its ``startxref`` (at byte ``startxref_at``) leads to them.
    """

    end: int
    startxref_at: int
    sections: list[Section]


class PdfFile:
    """An opened file. Raises PdfError when no reading gives a document, PdfPasswordError when it stays encrypted."""

    def __init__(self, data: bytes, *, password: str | None = None, limits: PdfLimits | None = None) -> None:
        self.data = data
        self.limits = limits or PdfLimits()
        self.notices = Notices()
        self.budget = Budget(self.limits, len(data))
        self.header = data.find(b"%PDF-", 0, _HEADER_WITHIN + 5)
        if self.header < 0:
            raise PdfError("no-header", "no PDF header in the first kilobyte")
        self.lexer = Lexer(data, self.budget, self.notices, self.limits.nesting)
        self.reader = ObjectReader(self.lexer)
        self.section_reader = SectionReader(
            self.reader, self.notices, self.limits.objects, self._decoded_section, self.header
        )
        self.encrypted = False
        self._objects: dict[int, PdfObject | None] = {}
        self._streams: dict[tuple[int, int | None], PdfObject | None] = {}
        self._snapshots: dict[int, Snapshot] = {}
        self._accounting: Accounting | None = None
        self._revisions: list[Revision] | None = None
        self._plain_lengths: dict[int, int] | None = None
        self.odd_references: set[Reference] = set()
        self.object_streams: dict[tuple[int, int], ObjectStream | None] = {}
        self._password = password
        self._opened = False
        self._examined = False
        self.newest: Snapshot = self.snapshot(len(data))

    @property
    def repaired(self) -> list[str]:
        """What had to be repaired, in any revision looked at."""
        return list(dict.fromkeys(text for snapshot in self._snapshots.values() for text in snapshot.repaired))

    @property
    def ambiguities(self) -> list[Notice]:
        """What two viewers may read differently, anywhere in the file."""
        if not self._examined:
            self._examined = True
            self._examine()
        return [notice for notice in self.notices.found if notice.kind not in _HARMLESS]

    @property
    def shows_its_front(self) -> bool:
        """Whether viewers that know linearized files (Annex F) begin with another section than the last ``startxref``.

        They take such a file for linearized while /L is its length, and then go by the first section in it.
        """
        front = self.data[: _HEADER_WITHIN * 4]
        if b"Linearized" not in front and b"#" not in front:
            return False
        spans = self.spans()
        for span in spans.objects[:_FRONT_OBJECTS]:
            held = self.object_at(span.start, self.newest.length_of)
            if held is not None and isinstance(held.value, dict) and held.value.get(b"Linearized") is not None:
                first, sections = min(spans.sections, default=0), self.newest.sections
                length = self.newest.resolve(held.value.get(b"L"))
                return length == len(self.data) and bool(sections) and sections[0].start != first
        return False

    @property
    def entry_count(self) -> int:
        """How many cross-reference entries have been read."""
        return self.limits.objects - self.section_reader.left

    def snapshot(self, end: int) -> Snapshot:
        """The document that ``data[:end]`` alone shows. Raises PdfError when it shows none."""
        found = self._snapshots.get(end)
        if found is None:
            if len(self._snapshots) >= self.limits.sections:
                raise PdfLimitError("revisions", self.limits.sections)
            found = Snapshot(self, end)
            if not self._opened:
                self._open_encryption(found)
                self._opened = True
            found.check_encryption()
            found.find_root()
            self._snapshots[end] = found
        return found

    def newest_or(self, other: Snapshot) -> Snapshot:
        """The file's last state, or ``other`` while that is being read."""
        return self._snapshots.get(len(self.data), other)

    def _open_encryption(self, newest: Snapshot) -> None:
        handler = newest.security_handler(self._password)
        if handler is not None:
            self.encrypted = True
            self._objects.clear()
            self._streams.clear()
            self.object_streams.clear()
            newest.forget()
            skipped = newest.encryption_number
            self.reader.decryption = lambda number, generation: (
                None if number == skipped else handler.cipher(number, generation)
            )

    def decrypted_text(self, home: Reference, text: bytes) -> bytes:
        """A string of the object ``home`` as it is once decrypted, also where strings there are not encrypted."""
        decryption = self.reader.decryption
        cipher = decryption(home.number, home.generation) if decryption is not None else None
        return text if cipher is None else cipher.text(text)

    def chain(self, end: int) -> tuple[list[Section], str]:
        """The sections of ``data[:end]``, newest first, and what was wrong on the way to the last of them."""
        position = self.data.rfind(b"startxref", 0, end)
        match = _STARTXREF.match(self.data, position, end) if position >= 0 else None
        if match is None:
            return [], "no startxref"
        return self.chain_from(int(match[1]), end)

    def chain_from(self, offset: int | None, end: int) -> tuple[list[Section], str]:
        """The sections from one offset on, newest first, and what was wrong."""
        sections: list[Section] = []
        seen: set[int] = set()
        while offset is not None:
            if offset in seen:
                return sections, f"the cross-reference section at {offset} comes before itself"
            seen.add(offset)
            try:
                section = self.section_reader.at(offset, end)
            except PdfLimitError:
                raise
            except PdfError as error:
                return sections, str(error)
            sections.append(section)
            if len(sections) > self.limits.sections:
                raise PdfLimitError("cross-reference sections", self.limits.sections)
            offset = section.prev
            if offset == 0:
                self.notices.add("prev-zero", section.start)
                offset = None
        return sections, ""

    def object_at(self, position: int, length_of: LengthSource) -> PdfObject | None:
        """The numbered object at a position, with its stream's length from ``length_of``; None when there is none."""
        if position in self._objects:
            found = self._objects[position]
            if found is None or not isinstance(found.value, Stream) or found.value.length_from is None:
                return found
            key = (position, length_of(found.value.length_from))
            if key not in self._streams:
                self._streams[key] = self.reader.at(position, len(self.data), length_of)
            return self._streams[key]
        self._objects[position] = None  # an object whose length is itself ends here
        found = self._objects[position] = self.reader.at(position, len(self.data), length_of)
        if found is not None and isinstance(found.value, Stream) and found.value.length_from is not None:
            self._streams[position, length_of(found.value.length_from)] = found
        return found

    def _decoded_section(self, stream: Stream) -> bytes:
        from verify.formats.pdffilters import decode, filters_of

        filters = filters_of(stream.dictionary, lambda value: value, self.limits.filters)
        return decode(
            stream.stored, filters, self.limits.decompressed_bytes, self.budget, lambda text: self._note(stream, text)
        )

    def _note(self, stream: Stream, text: str) -> None:
        self.notices.add("structure-filter", stream.start, 0, text)

    def spans(self) -> Accounting:
        """What every byte of the file is."""
        if self._accounting is None:
            length_of = self.newest.length_of if self._opened and self.newest_is_known else self.plain_length
            walker = Walker(self.data, self.limits, lambda at: self.object_at(at, length_of), self._section_at)
            self._accounting = walker.walk()
        return self._accounting

    @property
    def newest_is_known(self) -> bool:
        """Whether the file's last state has been read by its cross-references."""
        found = self._snapshots.get(len(self.data))
        return found is not None and bool(found.sections)

    def _section_at(self, position: int) -> Section | None:
        try:
            return self.section_reader.at(position - self.header, len(self.data))
        except PdfLimitError:
            raise
        except PdfError:
            return None

    def plain_length(self, reference: Reference) -> int | None:
        """The last plain integer object of a number, found without cross-references."""
        if self._plain_lengths is None:
            found = _PLAIN_INTEGER.findall(self.data)
            self._plain_lengths = {int(number): int(value) for number, value in found}
        return self._plain_lengths.get(reference.number)

    @property
    def revisions(self) -> list[Revision]:
        """Every state that a ``startxref`` outside of objects leads to, oldest first."""
        if self._revisions is None:
            accounting = self.spans()
            if len(accounting.tails) > self.limits.sections:
                raise PdfLimitError("revisions", self.limits.sections)
            found = (self._revision(accounting, tail) for tail in accounting.tails)
            self._revisions = [revision for revision in found if revision.sections]
        return self._revisions

    def _examine(self) -> None:
        """Note cross-references that lead into other objects, and a last ``startxref`` that is hidden in something."""
        spans = self.spans()
        last = self.data.rfind(b"startxref")
        span = spans.at(last) if last >= 0 else None
        if span is not None and span.kind != STARTXREF:
            self.notices.add("startxref-hidden", last, 0, f"the last startxref stands in {span.kind} bytes")
        for section in self.all_sections():
            for number, entry in section.entries.items():
                if entry.kind != OFFSET:
                    continue
                span = spans.at(entry.offset)
                if span is not None and span.kind == OBJECT and span.start != entry.offset:
                    detail = f"the cross-reference leads into object {span.number}"
                    self.notices.add("inside-object", entry.offset, number, detail)

    def _revision(self, accounting: Accounting, tail: Span) -> Revision:
        mark = self.data.find(b"%%EOF", tail.end, tail.end + 64)
        closing = accounting.at(mark) if mark >= 0 else None
        end = closing.end if closing is not None and closing.kind == EOF else tail.end
        line = _LINE_END.match(self.data, end)
        sections = self.chain_from(tail.value, tail.start)[0] if tail.value else []
        return Revision(line.end() if line else end, tail.start, sections)

    def orphan_sections(self) -> list[Section]:
        """Sections that stand in the file and are not reached from its last ``startxref``, in file order."""
        reached: set[int] = set()
        for section in self.newest.sections:
            reached.add(section.start)
            if section.hybrid is not None:
                reached.add(section.hybrid.start)
        return [section for start, section in self.spans().sections.items() if start not in reached]

    def all_sections(self) -> list[Section]:
        """Every section: those of the file's last state, and the orphans."""
        return [*self.newest.sections, *self.orphan_sections()]

    def unlisted(self, start: int = 0) -> list[Span]:
        """Objects that end behind ``start`` and that no section, reached or not, leads to by their number."""
        listed: set[tuple[int, int]] = set()
        for section in self.all_sections():
            for part in (section, section.hybrid):
                if part is not None:
                    listed.update((e.offset, number) for number, e in part.entries.items() if e.kind == OFFSET)
        spans = self.spans()
        found = [span for span in spans.objects if span.end > start and (span.start, span.number) not in listed]
        blank = _blank_before(spans, listed) if found else set()
        return [span for span in found if span.start not in blank]

    def unlisted_compressed(self) -> list[tuple[int, int]]:
        """Objects inside object streams that no section leads to: the number of the stream's object, and theirs."""
        listed: set[tuple[int, int]] = set()
        for section in self.all_sections():
            for part in (section, section.hybrid):
                for number, entry in part.entries.items() if part is not None else ():
                    if entry.kind == COMPRESSED:
                        listed.add((entry.container, number))
        found: list[tuple[int, int]] = []
        for span in self.spans().objects:
            held = self.object_at(span.start, self.newest.length_of)
            if held is None or not isinstance(held.value, Stream) or not is_type(held.value, b"ObjStm"):
                continue
            numbers = self.newest.numbers_in(held.value)
            found.extend((span.number, number) for number in numbers if (span.number, number) not in listed)
        return found


def _blank_before(spans: Accounting, listed: set[tuple[int, int]]) -> set[int]:
    """Objects whose cross-reference entry points at the white space or comments before them."""
    found: set[int] = set()
    for before, span in zip(spans.spans, spans.spans[1:], strict=False):
        near = range(before.start, min(before.end, before.start + 64))
        if span.kind == OBJECT and before.kind in (SPACE, COMMENT) and any((at, span.number) in listed for at in near):
            found.add(span.start)
    return found
