"""Tools of a forger: what can be done to a sealed file without the issuer's key."""

from __future__ import annotations

import re

_RANGE = re.compile(rb"/ByteRange *\[ *0 +(\d+) +(\d+) +(\d+)")


def seal_range(pdf: bytes) -> tuple[int, int, int]:
    """Start and end of the gap, and end of the signed part, of the first signature."""
    match = _RANGE.search(pdf)
    assert match
    length, second, rest = (int(n) for n in match.groups())
    return length, second, second + rest


def root_number(pdf: bytes) -> int:
    return int(re.findall(rb"/Root +(\d+) 0 R", pdf)[-1])


def size(pdf: bytes) -> int:
    return int(re.findall(rb"/Size +(\d+)", pdf)[-1])


def object_text(pdf: bytes, number: int) -> bytes:
    """The last version of an object, between ``obj`` and ``endobj``."""
    found = re.findall(rb"(?<![0-9])%d 0 obj(.*?)endobj" % number, pdf, re.S)
    return found[-1].strip()


def catalog(pdf: bytes) -> bytes:
    return object_text(pdf, root_number(pdf))


def append_update(pdf: bytes, objects: dict[int, bytes], *, listed: bool = True, trailer_extra: bytes = b"") -> bytes:
    """Append a well-formed incremental update that writes these objects.

    ``listed`` False leaves the cross-reference table empty: viewers repair that, comparers of listed objects see none.
    """
    previous = int(re.findall(rb"startxref\s+(\d+)", pdf)[-1])
    trailer = re.findall(rb"trailer\s*<<(.*?)>>\s*startxref", pdf, re.S)[-1]
    info = re.search(rb"/Info +\d+ 0 R", trailer)
    identity = re.search(rb"/ID *\[.*?\]", trailer, re.S)
    out = bytearray(b"" if pdf.endswith(b"\n") else b"\n")
    table = bytearray(b"xref\n")
    for number, body in sorted(objects.items()):
        table += b"%d 1\n%010d 00000 n\r\n" % (number, len(pdf) + len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    start = len(pdf) + len(out)
    out += table if listed else b"xref\n0 0\n"
    highest = max([size(pdf), *(n + 1 for n in objects)])
    entries = [b"/Size %d" % highest, b"/Root %d 0 R" % root_number(pdf), b"/Prev %d" % previous]
    entries += [e for e in (info and info[0], identity and identity[0], trailer_extra) if e]
    out += b"trailer\n<<\n%s\n>>\nstartxref\n%d\n%%%%EOF\n" % (b"\n".join(entries), start)
    return pdf + bytes(out)


def page_number(pdf: bytes) -> int:
    """Object number of the first page."""
    match = re.search(rb"(?<![0-9])(\d+) 0 obj\s*<<[^>]{0,40}/Type */Page\b(?!s)", pdf)
    assert match
    return int(match[1])


def stream(data: bytes, entries: bytes = b"") -> bytes:
    return b"<< %s /Length %d >>\nstream\n%s\nendstream" % (entries, len(data), data)
