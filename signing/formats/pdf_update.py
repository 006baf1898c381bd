"""Incremental updates of a PDF (ISO 32000-1 7.5.6), written object by object.

A signed file may only grow, and only by what we mean to add: an update holds exactly the objects it was given, a
cross-reference section of the same kind as the file's last one, and a trailer that keeps Root, Info and ID. pyHanko
reads the file and serializes objects; what is written where is decided here.
"""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterable, Mapping
from typing import Any

from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.misc import PdfError
from pyhanko.pdf_utils.reader import PdfFileReader

from signing.errors import SigningError
from signing.formats.pdf_body import PIECE, MemoryBody, PdfBody

# pyHanko's object model is half typed; these four are all that is built with it.
_generic: Any = generic
Name: Any = generic.NameObject

# What pyHanko's reader has been seen to raise on broken files.
BROKEN = (
    PdfError, ValueError, TypeError, LookupError, AttributeError, ArithmeticError, AssertionError,
    NotImplementedError, RecursionError, OSError, struct.error, zlib.error,
)  # fmt: skip

Reference = Any
"""A reference to an indirect object."""


def reference(number: int, generation: int = 0) -> Reference:
    """The reference ``number generation R``."""
    return _generic.IndirectObject(number, generation, None)


def number(value: int) -> Any:
    """An integer object."""
    return _generic.NumberObject(value)


def dictionary(entries: Mapping[str, Any] | None = None) -> Any:
    """A dictionary object; keys with their slash."""
    return _generic.DictionaryObject({Name(k): v for k, v in (entries or {}).items()})


def real(value: float) -> Any:
    """A number with at most four decimals."""
    return _generic.FloatObject(f"{value:.4f}".rstrip("0").rstrip(".") or "0")


def string(value: str) -> Any:
    """A text string."""
    return _generic.pdf_string(value)


def array(values: Iterable[Any] = ()) -> Any:
    """An array object."""
    return _generic.ArrayObject(values)


def is_reference(value: object) -> bool:
    """Whether a value is a reference to another object."""
    return isinstance(value, generic.IndirectObject)


def is_dictionary(value: object) -> bool:
    """Whether a value is a dictionary (or a stream)."""
    return isinstance(value, generic.DictionaryObject)


class PdfReadError(SigningError):
    """The PDF is too broken to be updated."""

    code = "PDFBROKEN"


class PdfEncryptedError(SigningError):
    """The PDF is encrypted."""

    code = "PDF_ENCRYPTED"


def _unreadable(error: Exception) -> PdfReadError:
    return PdfReadError(f"the PDF cannot be read: {type(error).__name__}")


class PdfUpdater:
    """The last revision of a file, and the updates that were added behind it.

    What was written in an update is what :meth:`resolve` gives from then on, except for objects given as bytes.
    """

    def __init__(self, pdf: bytes | PdfBody) -> None:
        self.body = MemoryBody(pdf) if isinstance(pdf, bytes) else pdf
        self._written: dict[int, Any] = {}
        try:
            reader: Any = PdfFileReader(self.body.stream(), strict=False)
            if reader.encrypted:
                raise PdfEncryptedError("an encrypted PDF is not updated")
            self._reader = reader
            self.catalog_reference = reference(reader.root_ref.idnum, reader.root_ref.generation)
            self.catalog: Any = reader.root
            trailer = reader.trailer
            self._size = max(int(trailer["/Size"]), _highest(reader) + 1)
            self._previous = int(reader.last_startxref)
            self._info = trailer.raw_get("/Info") if "/Info" in trailer else None
            self._id = trailer.raw_get("/ID") if "/ID" in trailer else None
            # of the last section, since a hybrid file goes on with tables (ISO 32000-1 7.5.8.4)
            self._stream_style = not bytes(self.body.piece(self._previous, 16)).lstrip().startswith(b"xref")
        except BROKEN as error:
            raise _unreadable(error) from error
        if self._id is None:
            digest = _generic.ByteStringObject(self.body.hasher("sha256").digest()[:16])
            self._id = array([digest, digest])

    @property
    def length(self) -> int:
        """How many bytes the file has, updates included."""
        return self.body.length

    def new_reference(self) -> Reference:
        """The number for a new object."""
        self._size += 1
        return reference(self._size - 1)

    def resolve(self, value: Any) -> Any:
        """The object behind a reference, or the value itself."""
        if not is_reference(value):
            return value
        if value.idnum in self._written:
            return self._written[value.idnum]
        try:
            return self._reader.get_object(_generic.Reference(value.idnum, value.generation, self._reader))
        except BROKEN as error:
            raise _unreadable(error) from error

    def entry(self, holder: Any, key: str) -> Any:
        """The entry of a dictionary, resolved; None when it is missing or null, or there is no dictionary."""
        held = self.resolve(holder)
        found = self.resolve(held.raw_get(key)) if is_dictionary(held) and key in held else None
        return None if isinstance(found, generic.NullObject) else found

    def content(self, holder: Any) -> bytes:
        """What a stream holds, its filters undone. Raises PdfReadError when it is none, or cannot be decoded."""
        held = self.resolve(holder)
        try:
            return bytes(held.data)
        except BROKEN as error:
            raise _unreadable(error) from error

    def append(self, objects: Mapping[Reference, Any]) -> tuple[bytearray, dict[int, int]]:
        """Lay out an update of these objects behind the file; gives its bytes and where each object's body starts.

        Offsets count from the start of the update. The bytes become part of the file with :meth:`accept`.
        """
        out = bytearray(b"" if self.body.ends_line() else b"\n")
        entries: dict[int, tuple[int, int]] = {}
        bodies: dict[int, int] = {}
        for target, value in objects.items():
            entries[target.idnum] = (self.length + len(out), target.generation)
            out += b"%d %d obj\n" % (target.idnum, target.generation)
            bodies[target.idnum] = len(out)
            out += value if isinstance(value, bytes) else serialize(value)
            out += b"\nendobj\n"
        self._finish(out, entries)
        self._pending = {target.idnum: value for target, value in objects.items() if not isinstance(value, bytes)}
        return out, bodies

    def accept(self, update: bytes | bytearray) -> None:
        """Make an update part of the file."""
        self._previous = self._next_previous
        self._written |= self._pending
        self.body.append(bytes(update))

    def digest(self, name: str, *more: bytes | bytearray | memoryview) -> bytes:
        """Hash of the whole file, then of ``more``."""
        hasher = self.body.hasher(name)
        for part in more:
            for start in range(0, len(part), PIECE):
                hasher.update(part[start : start + PIECE])
        return bytes(hasher.digest())

    def result(self) -> bytes:
        """The file with all updates. Only for one that is kept in memory."""
        if not isinstance(self.body, MemoryBody):
            raise SigningError("the file is not kept in memory")
        return self.body.result()

    def _finish(self, out: bytearray, entries: dict[int, tuple[int, int]]) -> None:
        start = self.length + len(out)
        self._next_previous = start
        trailer = dictionary()
        if self._stream_style:
            self._xref_stream(out, entries, trailer, start)
        else:
            out += _xref_table(entries)
            self._fill(trailer)
            out += b"trailer\n" + serialize(trailer)
        out += b"\nstartxref\n%d\n%%%%EOF\n" % start

    def _fill(self, trailer: Any) -> None:
        trailer[Name("/Size")] = number(self._size)
        trailer[Name("/Root")] = self.catalog_reference
        trailer[Name("/Prev")] = number(self._previous)
        if self._info is not None:
            trailer[Name("/Info")] = self._info
        trailer[Name("/ID")] = self._id

    def _xref_stream(self, out: bytearray, entries: dict[int, tuple[int, int]], trailer: Any, start: int) -> None:
        own = self.new_reference().idnum
        entries = dict(sorted({**entries, own: (start, 0)}.items()))
        self._fill(trailer)
        index, data = array(), bytearray()
        for first, run in _runs(entries):
            index += [number(first), number(len(run))]
            for offset, generation in run:
                data += b"\x01" + offset.to_bytes(5, "big") + generation.to_bytes(2, "big")
        trailer[Name("/Type")] = Name("/XRef")
        trailer[Name("/W")] = array([number(1), number(5), number(2)])
        trailer[Name("/Index")] = index
        out += b"%d 0 obj\n" % own + stream(trailer, bytes(data)) + b"\nendobj"


def _highest(reader: Any) -> int:
    """The highest number that any section lists, its own stream among them: some producers state too small a size."""
    highest = 0
    for revision in range(reader.xrefs.total_revisions):
        for taken in (reader.xrefs.explicit_refs_in_revision(revision), reader.xrefs.refs_freed_in_revision(revision)):
            highest = max(highest, max((ref.idnum for ref in taken), default=0))
        hybrid = reader.xrefs.get_xref_data(revision).hybrid
        sections = [reader.xrefs.get_xref_container_info(revision), *([hybrid.meta_info] if hybrid else [])]
        highest = max(highest, max((s.stream_ref.idnum for s in sections if s.stream_ref is not None), default=0))
    return highest


def _runs(entries: dict[int, tuple[int, int]]) -> list[tuple[int, list[tuple[int, int]]]]:
    runs: list[tuple[int, list[tuple[int, int]]]] = []
    for number in sorted(entries):
        if runs and runs[-1][0] + len(runs[-1][1]) == number:
            runs[-1][1].append(entries[number])
        else:
            runs.append((number, [entries[number]]))
    return runs


def _xref_table(entries: dict[int, tuple[int, int]]) -> bytes:
    out = bytearray(b"xref\n")
    for first, run in _runs(entries):
        out += b"%d %d\n" % (first, len(run))
        for offset, generation in run:
            out += b"%010d %05d n\r\n" % (offset, generation)
    return bytes(out)


def serialize(value: Any) -> bytes:
    """A PDF object as bytes, without ``obj`` and ``endobj``."""
    buffer = io.BytesIO()
    value.write_to_stream(buffer, None)
    return buffer.getvalue()


def stream(entries: Any, data: bytes) -> bytes:
    """A stream object with these bytes as they are."""
    entries[Name("/Length")] = number(len(data))
    return serialize(entries) + b"\nstream\n" + data + b"\nendstream"


def text(value: str) -> bytes:
    """A text string: ASCII as a literal, anything else as UTF-16BE in hex (ISO 32000-1 7.9.2.2)."""
    if value.isascii() and value.isprintable():
        return b"(" + value.replace("\\", "\\\\").replace("(", "\\(").replace(")", "\\)").encode() + b")"
    return b"<" + ("\ufeff" + value).encode("utf-16-be").hex().upper().encode() + b">"
