"""The document that the first so many bytes of a file show: objects by number, found by its cross-references."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from verify.formats.pdffilters import decode, filters_of
from verify.formats.pdflimits import PdfError, PdfLimitError
from verify.formats.pdfobjects import PdfObject, is_type
from verify.formats.pdfsearch import KEPT, differences, searched_entries, searched_trailer
from verify.formats.pdfstreams import ObjectStream
from verify.formats.pdfvalues import Dictionary, Reference, Stream, Text, Value, same_value
from verify.formats.pdfxref import COMPRESSED, FREE, OFFSET, Entry, Section

if TYPE_CHECKING:
    from verify.formats.pdfcrypt import SecurityHandler
    from verify.formats.pdffile import PdfFile

_MOST_LENGTHS = 8
"""Streams whose length waits for that of another."""


class Snapshot:
    """``data[:end]`` as a document. Made by :meth:`PdfFile.snapshot`; values are shared with other snapshots.

    ``sections`` are its cross-reference sections, newest first; empty when the file had to be searched for objects.
    ``repaired`` says what the reading had to repair.
    """

    def __init__(self, file: PdfFile, end: int) -> None:
        self.file = file
        self.end = end
        self.repaired: list[str] = []
        self.trailer: Dictionary = {}
        self.root: Dictionary = {}
        self.root_reference: Reference | None = None
        self._values: dict[int, Value] = {}
        self._depth = 0
        self._found: dict[int, int] | None = None
        self._searched: dict[int, Entry] | None = None
        self.sections, fault = file.chain(end)
        self._complete = not fault
        if fault:
            self._repair(f"cross-references: {fault}")
        for section in self.sections:
            self.repaired.extend(f"section at {section.start}: {text}" for text in section.faults)
        self.entries: dict[int, Entry] = {}
        self._merge()

    def _merge(self) -> None:
        entries = self.entries
        met: set[int] = set()
        for section in reversed(self.sections):
            hidden = section.hybrid.entries if section.hybrid is not None else {}
            if section.hybrid is not None and section.hybrid.start not in met:
                met.add(section.hybrid.start)  # later tables only repeat what the first one said
                self._compare_hybrid(section, hidden)
            self.file.budget.merge(len(section.entries) + len(hidden))
            entries.update(hidden)
            for number, entry in section.entries.items() if hidden else ():
                if entry.kind != FREE or number not in hidden:
                    entries[number] = entry
            if not hidden:
                entries.update(section.entries)
        for section in self.sections:
            self.trailer = {**section.trailer, **self.trailer} if not self.trailer else self.trailer
            for key in KEPT:
                if key not in self.trailer and key in section.trailer:
                    self.trailer[key] = section.trailer[key]
        self._note_size()

    def _compare_hybrid(self, section: Section, hidden: dict[int, Entry]) -> None:
        for number, entry in hidden.items():
            other = section.entries.get(number)
            if other is not None and other.kind != FREE and other != entry:
                self.file.notices.add("hybrid", section.start, number, "table and stream of one section differ")

    def _note_size(self) -> None:
        """Some viewers drop objects whose number is not below /Size: those of earlier sections vanish for them."""
        size = self.trailer.get(b"Size")
        if not isinstance(size, int) or max(self.entries, default=0) < size:
            return
        for section in self.sections[1:] or self.sections:
            for number in section.entries:
                if number >= size and self.entries[number].kind != FREE:
                    self.file.notices.add("beyond-size", self.sections[0].start, number)

    def _repair(self, text: str) -> None:
        if text not in self.repaired and len(self.repaired) < 100:
            self.repaired.append(text)

    # -- opening -------------------------------------------------------------------------------------------------

    def find_root(self) -> None:
        """Find the catalog; search the whole file when the cross-references do not lead to one. Raises PdfError."""
        taken = self._take_root(self.trailer.get(b"Root"))
        if taken and self._has_pages():
            return
        before = (self.sections, self.entries, self.trailer, self.root, self.root_reference, self._complete)
        self._rebuild()
        found = self._take_root(self.trailer.get(b"Root")) or self._search_root()
        if not found and not taken:
            raise PdfError("no-root", "the file has no catalog")
        if taken and not (found and self._has_pages()):
            self.forget()
            self.repaired.pop()
            self.sections, self.entries, self.trailer, self.root, self.root_reference, self._complete = before

    def _take_root(self, value: Value) -> bool:
        root = self.resolve(value)
        if not isinstance(root, dict) or not (is_type(root, b"Catalog") or b"Pages" in root):
            return False
        self.root = root
        self.root_reference = value if isinstance(value, Reference) else None
        return True

    def _has_pages(self) -> bool:
        """Whether the catalog leads to a tree of pages, without which viewers search the file, too."""
        tree = self.entry_of(self.root, b"Pages")
        return isinstance(tree, dict) and (not self.items_of(tree.get(b"Kids")) or self._first_kid(tree))

    def _first_kid(self, tree: Dictionary) -> bool:
        return any(isinstance(self.resolve(kid), dict) for kid in self.items_of(tree.get(b"Kids"))[:100])

    def _search_root(self) -> bool:
        numbers = sorted(self.entries, key=lambda number: self.entries[number].offset, reverse=True)
        return any(
            self._take_root(Reference(number, self.entries[number].generation))
            for number in numbers
            if is_type(self.get(number), b"Catalog")
        )

    def _rebuild(self) -> None:
        """Find objects and trailers by searching the file, the last of each number, as viewers do."""
        self._repair("the file was searched for its objects")
        self.forget()
        self.sections, self._complete = [], True
        self.entries = searched_entries(self)
        self.trailer = searched_trailer(self)

    # -- encryption ----------------------------------------------------------------------------------------------

    @property
    def encryption_number(self) -> int:
        """The number of the encryption dictionary's object, 0 when it stands in the trailer."""
        value = self.trailer.get(b"Encrypt")
        return value.number if isinstance(value, Reference) else 0

    def security_handler(self, password: str | None) -> SecurityHandler | None:
        """The handler that decrypts the file, None when it is not encrypted. Raises PdfError, PdfPasswordError."""
        if not self.sections:
            self._rebuild()
        value = self.resolve(self.trailer.get(b"Encrypt"))
        if value is None:
            return None
        if not isinstance(value, dict):
            raise PdfError("encryption", "the encryption dictionary is missing")
        from verify.formats.pdfcrypt import SecurityHandler

        identifiers = self.resolve(self.trailer.get(b"ID"))
        first = self.resolve(identifiers[0]) if isinstance(identifiers, list) and identifiers else b""
        plain = self._followed(value)
        return SecurityHandler(plain, bytes(first) if isinstance(first, Text) else b"", password or "")

    def _followed(self, value: Any, depth: int = 0) -> Any:
        """An encryption dictionary with references replaced by what they lead to."""
        value = self.resolve(value)
        if isinstance(value, dict) and depth < 4:
            return {key: self._followed(entry, depth + 1) for key, entry in value.items()}
        return value

    def check_encryption(self) -> None:
        """Note when this revision says other things about encryption than the file's last one."""
        newest = self.file.newest_or(self)
        for key in (b"Encrypt", b"ID") if self.file.encrypted or b"Encrypt" in self.trailer else ():
            one, other = self.trailer.get(key), newest.trailer.get(key)
            if key == b"ID":
                one, other = (v[0] if isinstance(v, list) and v else None for v in (one, other))
            if not same_value(one, other):
                self.file.notices.add("encryption-differs", self.end, 0, key.decode())

    # -- objects -------------------------------------------------------------------------------------------------

    def forget(self) -> None:
        """Drop what was read of objects."""
        self._values.clear()

    def numbers(self) -> list[int]:
        """The numbers of all objects that are not free, ascending."""
        return sorted(number for number, entry in self.entries.items() if entry.kind != FREE)

    def entry(self, number: int) -> Entry | None:
        """Where object ``number`` is, None when no section says; where sections are incomplete, what a search says."""
        found = self.entries.get(number)
        return self._search(number) if found is None and not self._complete else found

    def get(self, number: int, generation: int | None = None) -> Value:
        """The value of an object, None when it is missing, free, broken, or of another generation."""
        if generation is not None and generation and not self._is_generation(number, generation):
            return None
        try:
            return self._values[number]
        except KeyError:
            self._values[number] = None  # a value that needs itself is none
            value = self._values[number] = self._read(number)
            return value

    def _is_generation(self, number: int, generation: int) -> bool:
        entry = self.entry(number)
        if entry is None or entry.generation == generation:
            return True
        self.file.odd_references.add(Reference(number, generation))
        self.file.notices.add("generation", entry.offset, number, f"referred to as generation {generation}")
        return False

    def _read(self, number: int) -> Value:
        entry = self.entry(number)
        if entry is None or entry.kind == FREE:
            return None
        if entry.kind == COMPRESSED:
            return self.packed_value(entry.container, number, entry.index)
        found = self.object(number)
        return found.value if found is not None else None

    def packed_value(self, container: int, number: int, index: int) -> Value:
        """The object ``number`` at ``index`` of an object stream, None when it is not there."""
        held = self._container(container)
        return held.value(number, index) if held is not None else None

    def object(self, number: int) -> PdfObject | None:
        """The numbered object itself with its span, None when it is missing, free or in an object stream."""
        entry = self.entry(number)
        if entry is None or entry.kind != OFFSET:
            return None
        found = self._object_at(entry.offset)
        if found is not None and found.number == number:
            if found.generation != entry.generation:
                self.file.notices.add("wrong-generation", found.start, number)
            return found
        what = "nothing" if found is None else f"object {found.number}"
        self._repair(f"object {number}: its cross-reference leads to {what} at byte {entry.offset}")
        self.file.notices.add("wrong-number", entry.offset, number, f"the cross-reference leads to {what}")
        other = self._search(number)
        return self._object_at(other.offset) if other is not None else None

    def _object_at(self, position: int) -> PdfObject | None:
        found = self.file.object_at(position, self.length_of)
        return found if found is not None and found.end <= self.end else None

    def _search(self, number: int) -> Entry | None:
        """Where a search of the file finds an object: the last one of its number."""
        if self._found is None:
            spans = [span for span in self.file.spans().objects if span.end <= self.end]
            self._found = {span.number: span.start for span in spans}
        start = self._found.get(number)
        return None if start is None else Entry(OFFSET, start, 0, 0, 0)

    def length_of(self, reference: Reference) -> int | None:
        """What an indirect /Length is."""
        if not self.entries:
            return self.file.plain_length(reference)
        if self._depth > _MOST_LENGTHS:
            return None
        self._depth += 1
        try:
            found = self.get(reference.number)
        finally:
            self._depth -= 1
        return found if isinstance(found, int) and not isinstance(found, bool) else None

    def resolve(self, value: Value) -> Value:
        """Follow references to a value that is none; None when they lead nowhere or in a circle."""
        if not isinstance(value, Reference):
            return value
        for _ in range(self.file.limits.references):
            if not isinstance(value, Reference):
                return value
            value = self.get(value.number, value.generation)
        return None

    def entry_of(self, value: Value, key: bytes) -> Value:
        """The entry of a dictionary or stream (or of a reference to one), resolved; None when there is none."""
        holder = self.resolve(value)
        if isinstance(holder, Stream):
            holder = holder.dictionary
        return self.resolve(holder.get(key)) if isinstance(holder, dict) else None

    def items_of(self, value: Value) -> list[Value]:
        """The items of an array (or of a reference to one), not resolved; empty when it is none."""
        found = self.resolve(value)
        return found if isinstance(found, list) else []

    def decoded(self, stream: Stream, limit: int | None = None, *, kind: str = "filter") -> bytes:
        """A stream's content with its filters undone, but those of pictures. Raises PdfError, beyond ``limit`` too.

        ``kind`` is that of the notices of what was forgiven.
        """
        limits = self.file.limits
        most = limits.decompressed_bytes if limit is None else min(limit, limits.decompressed_bytes)
        filters = filters_of(stream.dictionary, self.resolve, limits.filters)
        raw = stream.raw
        found = decode(
            raw, filters, most, self.file.budget, lambda text: self.file.notices.add(kind, stream.start, 0, text)
        )
        if len(found) > most and limit is not None:
            raise PdfLimitError("decompressed bytes in a stream", most)
        return found

    def raw_object_span(self, number: int) -> tuple[int, int] | None:
        """The bytes ``[start, end)`` of the object, or of the object stream that holds it."""
        entry = self.entry(number)
        if entry is None or entry.kind == FREE:
            return None
        found = self.object(entry.container if entry.kind == COMPRESSED else number)
        return (found.start, found.end) if found is not None else None

    def searched(self) -> dict[int, Entry]:
        """Where a search of these bytes finds the last object of each number."""
        if self._searched is None:
            self._searched = searched_entries(self)
        return self._searched

    def search_differences(self) -> list[int]:
        """The objects that a search of these bytes for the last one of each number finds otherwise than sections say.

        Empty: a viewer that repairs the file sees what one that trusts its cross-references does, whatever was wrong
        with these.
        """
        return differences(self)

    # -- object streams ------------------------------------------------------------------------------------------

    def _container(self, number: int) -> ObjectStream | None:
        entry = self.entry(number)
        if entry is None or entry.kind != OFFSET:
            self.file.notices.add("object-stream", 0, number, "an object stream that is none")
            return None
        found = self.object(number)
        if found is None or not isinstance(found.value, Stream):
            self.file.notices.add("object-stream", entry.offset, number, "an object stream that is none")
            return None
        return self._object_stream(found.value)

    def _object_stream(self, stream: Stream) -> ObjectStream | None:
        known = self.file.object_streams
        key = (stream.start, stream.end)
        if key not in known:
            known[key] = None
            try:
                raw = self.decoded(stream, kind="structure-filter")
                known[key] = ObjectStream(stream, raw, self.file.lexer, self.file.limits.objects)
            except PdfLimitError:
                raise
            except PdfError as error:
                self.file.notices.add("object-stream", stream.start, 0, str(error))
        return known[key]

    def numbers_in(self, stream: Stream) -> list[int]:
        """The numbers of the objects in an object stream, as its header lists them."""
        held = self._object_stream(stream)
        return held.numbers if held is not None else []
