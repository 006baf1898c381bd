"""Signature wrapping: the signed bytes are moved, the gap grows, and something else fills it.

Mladenov et al., "1 Trillion Dollar Refund" (CCS 2019), 4.3.
"""

from __future__ import annotations

import re

from tests.support.forger.bases import Base
from tests.support.forger.registry import forgery
from tests.support.forger.writer import trailer_of

_FAMILY = "signature-wrapping"
_SIGNED = ("approval", "p1", "p2")


def _evil(doc: Base) -> bytes:
    return b"%d 0 obj\n%s\nendobj\n" % (doc.number("content"), doc.body("content").replace(b"100.00", b"900.00"))


def _wrapped(doc: Base, filling: bytes, *, whole_update: bool = False) -> bytes:
    """Signed part one, the value, ``filling`` inside the gap, signed part two at its new place."""
    length, old, end = doc.byte_range()
    value = doc.pdf[length:old]
    update = b""
    if whole_update:
        place = length + len(value) + 1
        kept = trailer_of(doc.pdf)
        table = b"xref\n%d 1\n%010d 00000 n\r\n" % (doc.number("content"), place)
        update = table + b"trailer\n<< /Size %s /Root 1 0 R >>\n" % kept[b"/Size"]
    middle = value + filling + update
    return doc.pdf[:length] + middle + doc.pdf[old:end]


@forgery(_FAMILY, *_SIGNED)
def objects_in_the_gap(doc: Base) -> bytes:
    """The second part is moved behind objects that stand after the value, the range left as it was."""
    return _wrapped(doc, b"\n" + _evil(doc))


@forgery(_FAMILY, *_SIGNED)
def objects_in_the_gap_and_a_table(doc: Base) -> bytes:
    """As before, with a cross-reference table in the gap that startxref leads to."""
    return _wrapped(doc, b"\n" + _evil(doc), whole_update=True)


@forgery(_FAMILY, *_SIGNED)
def range_moved_with_the_second_part(doc: Base) -> bytes:
    """An update names a wider gap: /ByteRange is rewritten to where the moved second part now stands."""
    length, old, end = doc.byte_range()
    filling = b"\n" + _evil(doc)
    wide = Base(doc.name, _wrapped(doc, filling), doc.parts)
    body = wide.body(doc.signature)
    body = re.sub(rb"/ByteRange *\[[^]]*\]", b"/ByteRange [0 %d %d %d]" % (length, old + len(filling), end - old), body)
    return wide.pdf + b"\n%d 0 obj\n%s\nendobj\n" % (doc.signature, body)


@forgery(_FAMILY, *_SIGNED)
def objects_in_the_padding(doc: Base) -> bytes:
    """The zeros that pad /Contents give way to an object; the digits around it stay (ISO 32000-2 12.8.1)."""
    length, old, _ = doc.byte_range()
    gap = doc.pdf[length:old]
    value = gap.rstrip(b"0>")
    evil = b">\n" + _evil(doc) + b"<"
    room = len(gap) - len(value) - 1
    filled = (value + evil)[: len(gap) - 1] if len(evil) > room else value + evil + b"0" * (room - len(evil))
    return doc.pdf[:length] + filled + b">" + doc.pdf[old:]


@forgery(_FAMILY, *_SIGNED, cases={"object": b"9 0 obj (x) endobj", "text": b"not zero", "one": b"\x01"})
def bytes_in_the_padding(doc: Base, data: bytes) -> bytes:
    """Bytes in place of the zeros behind the CMS value, hexadecimal as they should be (ISO 32000-2 12.8.1)."""
    length, old, _ = doc.byte_range()
    return doc.pdf[: old - 1 - 2 * len(data)] + data.hex().encode() + doc.pdf[old - 1 :]


@forgery(_FAMILY, *_SIGNED)
def gap_wider_than_the_value(doc: Base) -> bytes:
    """The value is shortened by its padding and white space fills the gap (ISO 32000-2 12.8.1)."""
    length, old, _ = doc.byte_range()
    gap = doc.pdf[length:old]
    value = gap.rstrip(b"0>")
    value += b"0" * (len(value) % 2 == 0)
    return doc.pdf[:length] + (value + b">").ljust(len(gap)) + doc.pdf[old:]


@forgery(_FAMILY, *_SIGNED)
def second_dictionary_in_the_gap(doc: Base) -> bytes:
    """The value ends early, and the rest of the gap brings further entries of the dictionary (CCS 2019, 4.3)."""
    length, old, _ = doc.byte_range()
    gap = doc.pdf[length:old]
    value = gap.rstrip(b"0>")
    value += b"0" * (len(value) % 2 == 0)
    more = value + b"> /Name (Somebody Else) /M (D:20200101000000Z)"
    return doc.pdf[:length] + more.ljust(len(gap)) + doc.pdf[old:]


@forgery(_FAMILY, *_SIGNED)
def comment_in_the_gap(doc: Base) -> bytes:
    """The value ends early and a comment with an object fills the gap (ISO 32000-2 7.2.4)."""
    length, old, _ = doc.byte_range()
    gap = doc.pdf[length:old]
    value = gap.rstrip(b"0>")
    value += b"0" * (len(value) % 2 == 0)
    return doc.pdf[:length] + (value + b">%hidden").ljust(len(gap) - 1) + b"\n" + doc.pdf[old:]


@forgery(_FAMILY, *_SIGNED)
def string_in_the_gap(doc: Base) -> bytes:
    """/Contents becomes a literal string of the same length (ISO 32000-2 12.8.1)."""
    length, old, _ = doc.byte_range()
    value = bytes.fromhex(doc.pdf[length + 1 : old - 1].decode()).rstrip(b"\0")
    escaped = b"".join(b"\\%03o" % b if b in b"()\\\r" else bytes([b]) for b in value)
    return doc.pdf[:length] + b"(" + escaped.ljust(old - length - 2, b"\0") + b")" + doc.pdf[old:]


@forgery(_FAMILY, *_SIGNED, cases={"header": b"%PDF-1.7\n", "comment": b"%x\n", "byte": b"\n"})
def bytes_before_the_header(doc: Base, data: bytes) -> bytes:
    """Bytes stand before the header, so that every signed place moves (ISO 32000-2 7.5.2)."""
    return data + doc.pdf


@forgery(_FAMILY, *_SIGNED)
def startxref_moved_into_the_gap(doc: Base) -> bytes:
    """An update behind the signed part whose cross-reference stands inside the zeros of /Contents (CCS 2019, 4.3)."""
    length, old, _ = doc.byte_range()
    gap = doc.pdf[length:old]
    value = gap.rstrip(b"0>")
    value += b"0" * (len(value) % 2 == 0)
    kept = trailer_of(doc.pdf)
    start = length + len(value) + 2
    table = b"xref\n0 0\ntrailer\n<< /Size %s /Root 1 0 R /Prev %s >>\n" % (kept[b"/Size"], kept[b"/Prev"])
    filled = (value + b">\n" + table).ljust(len(gap))
    return doc.pdf[:length] + filled + doc.pdf[old:] + b"startxref\n%d\n%%%%EOF\n" % start
