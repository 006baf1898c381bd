"""A tiny writer of PDF files for tests of the reader: every structure by hand, right or wrong on purpose."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field

from verify.formats.pdfvalues import Name, Reference, Text, Value

CATALOG = b"<</Type/Catalog/Pages 2 0 R>>"
PAGES = b"<</Type/Pages/Kids[3 0 R]/Count 1>>"
PAGE = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 100 100]>>"


@dataclass
class PdfWriter:
    """Grows a file. ``offsets`` are those of the objects written since the last section."""

    data: bytes = b"%PDF-1.7\n"
    offsets: dict[int, int] = field(default_factory=dict)
    last: int | None = None

    def object(self, number: int, body: bytes, generation: int = 0) -> int:
        """Write an object; gives its offset."""
        offset = self.offsets[number] = len(self.data)
        self.data += b"%d %d obj\n" % (number, generation) + body + b"\nendobj\n"
        return offset

    def stream(self, number: int, content: bytes, entries: bytes = b"", length: bytes | None = None) -> int:
        """Write a stream object."""
        said = b"%d" % len(content) if length is None else length
        return self.object(number, b"<<%s/Length %s>>stream\n%s\nendstream" % (entries, said, content))

    def table(self, extra: bytes = b"", rows: dict[int, tuple[int, int, bytes]] | None = None, size: int = 99) -> int:
        """Write a cross-reference table of what was written, with trailer and tail; gives its offset."""
        start = len(self.data)
        entries = {number: (offset, 0, b"n") for number, offset in self.offsets.items()}
        entries.update(rows or {})
        self.data += b"xref\n0 1\n0000000000 65535 f \n"
        for number, (offset, generation, kind) in sorted(entries.items()):
            self.data += b"%d 1\n%010d %05d %s \n" % (number, offset, generation, kind)
        prev = b"" if self.last is None else b"/Prev %d" % self.last
        self.data += b"trailer\n<</Size %d/Root 1 0 R%s%s>>\n" % (size, prev, extra)
        self._tail(start)
        return start

    def cross_stream(
        self, number: int, extra: bytes = b"", compressed: dict[int, tuple[int, int]] | None = None
    ) -> int:
        """Write a cross-reference stream of what was written, and of objects in object streams."""
        start = self.offsets[number] = len(self.data)
        rows = {n: (1, offset, 0) for n, offset in self.offsets.items()}
        rows.update({n: (2, container, index) for n, (container, index) in (compressed or {}).items()})
        index = b" ".join(b"%d 1" % n for n in sorted(rows))
        raw = b"".join(
            kind.to_bytes(1, "big") + where.to_bytes(4, "big") + last.to_bytes(2, "big")
            for _, (kind, where, last) in sorted(rows.items())
        )
        prev = b"" if self.last is None else b"/Prev %d" % self.last
        content = zlib.compress(raw)
        head = b"/Type/XRef/W[1 4 2]/Size 99/Root 1 0 R/Filter/FlateDecode/Index[" + index + b"]" + prev + extra
        self.stream(number, content, head)
        self._tail(start)
        return start

    def object_stream(self, number: int, objects: dict[int, bytes]) -> int:
        """Write an object stream."""
        header, body = b"", b""
        for inner, value in objects.items():
            header += b"%d %d " % (inner, len(body))
            body += value + b" "
        content = zlib.compress(header + body)
        entries = b"/Type/ObjStm/Filter/FlateDecode/N %d/First %d" % (len(objects), len(header))
        return self.stream(number, content, entries)

    def _tail(self, start: int) -> None:
        self.data += b"startxref\n%d\n%%%%EOF\n" % start
        self.last = start
        self.offsets = {}


def one_page(*more: tuple[int, bytes]) -> PdfWriter:
    """A file of one empty page with further objects, not yet closed by a section."""
    writer = PdfWriter()
    for number, body in ((1, CATALOG), (2, PAGES), (3, PAGE), *more):
        writer.object(number, body)
    return writer


def written(value: Value) -> bytes:
    """A value as a file holds it; strings in hexadecimal."""
    if value is None:
        return b"null"
    if isinstance(value, bool):
        return b"true" if value else b"false"
    if isinstance(value, Reference):
        return b"%d %d R" % value
    if isinstance(value, int):
        return b"%d" % value
    if isinstance(value, float):
        return b"%.6f" % value
    if isinstance(value, Name):
        return b"/" + b"".join(b"#%02x" % c if c in b"()<>[]{}/%#" or not 33 <= c <= 126 else bytes([c]) for c in value)
    if isinstance(value, Text):
        return b"<" + value.hex().encode() + b">"
    if isinstance(value, list):
        return b"[" + b" ".join(map(written, value)) + b"]"
    assert isinstance(value, dict)
    return b"<<" + b" ".join(written(Name(k)) + b" " + written(v) for k, v in value.items()) + b">>"
