"""Documents of other people that wait for a seal: contracts of any length, as tables, streams, packed or hybrid."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Sequence
from functools import lru_cache

from tests.support.forger.writer import Builder, stream

LINES = (b"Party A: Example Works Ltd.", b"Party B: Sample Trading Ltd.", b"The parties agree on what follows.")
_MAP = b"""/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapName /M def
1 begincodespacerange <00> <FF> endcodespacerange
3 beginbfchar <61> <7532> <62> <65B9> <63> <76D6> endbfchar
1 beginbfchar <64> <7AE0> endbfchar endcmap end end
"""
"""What is drawn as ``abcd`` is read as 甲方盖章."""


def contract(
    pages: int = 1,
    *,
    style: str = "table",
    rotate: Sequence[int] = (0,),
    media: bytes = b"0 0 595 842",
    crop: bytes = b"",
    unit: float = 1,
    content: bytes = b"",
    catalog: bytes = b"",
    page: bytes = b"",
    extra: Sequence[bytes] = (),
) -> bytes:
    """A contract of so many pages, each with its number, some text and ``abcd`` (甲方盖章) at the bottom.

    ``catalog`` and ``page`` are further entries, ``extra`` further objects, numbered from 5.
    """
    doc = Builder("table" if style == "hybrid" else style)
    doc.put("catalog", b"<< /Type /Catalog /Pages 2 0 R %s >>" % catalog, 1)
    font = b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding"
    doc.put("font", font + b" >>", 3)
    doc.put("cjk", font + b" /ToUnicode 4 0 R >>", 9)
    doc.put("map", stream(_MAP), 4)
    for number, body in enumerate(extra, 5):
        doc.put(f"extra{number}", body, number)
    kids = []
    for index in range(pages):
        number, place = 20 + 2 * index, b"/Rotate %d" % rotate[index % len(rotate)]
        kids.append(b"%d 0 R" % number)
        shown = b"/CropBox [%s]" % crop if crop else b""
        scale = b"/UserUnit %g" % unit if unit != 1 else b""
        doc.put(
            f"page{index + 1}",
            b"<< /Type /Page /Parent 2 0 R /Contents %d 0 R %s %s %s %s >>" % (number + 1, place, shown, scale, page),
            number,
        )
        text = b"BT /F1 12 Tf 72 780 Td (Contract, page %d) Tj " % (index + 1)
        text += b"".join(b"0 -40 Td (%s) Tj " % line for line in LINES)
        text += b"ET BT /F2 12 Tf 100 200 Td (abcd) Tj ET"
        doc.put(f"content{index + 1}", stream(text + b"\n" + content, packed=True), number + 1)
    doc.put(
        "pages",
        b"<< /Type /Pages /Kids [%s] /Count %d /MediaBox [%s] /Resources << /Font << /F1 3 0 R /F2 9 0 R >> >> >>"
        % (b" ".join(kids), pages, media),
        2,
    )
    if style == "hybrid":
        return _hybrid(doc)
    return doc.write()


def _hybrid(doc: Builder) -> bytes:
    """The font in an object stream that only /XRefStm lists (ISO 32000-1 7.5.8.4): old readers see a free object."""
    packed = doc.objects.pop(3)
    number = max(doc.objects) + 1
    doc.objects[number] = stream(b"3 0 " + packed, b"/Type /ObjStm /N 1 /First 4")
    whole = doc.write(trailer=b"/XRefStm 0000000000")
    cut = whole.rindex(b"xref\n0 ", 0, whole.rindex(b"startxref"))
    rows = b"\x02" + struct.pack(">IH", number, 0)
    body = b"<< /Type /XRef /Size %d /W [1 4 2] /Index [3 1] /Length %d >>\nstream\n" % (number + 2, len(rows))
    section = b"%d 0 obj\n%s%s\nendstream\nendobj\n" % (number + 1, body, rows)
    tail = whole[cut:].replace(b"/XRefStm 0000000000", b"/XRefStm %010d" % cut)
    tail = tail.replace(b"/Size %d" % (number + 1), b"/Size %d" % (number + 2))
    tail = tail.replace(b"startxref\n%d" % cut, b"startxref\n%d" % (cut + len(section)))
    return whole[:cut] + section + tail


@lru_cache(maxsize=4)
def png(side: int = 120, alpha: int = 255) -> bytes:
    """A red disc on transparent ground."""
    from PIL import Image, ImageDraw

    image = Image.new("RGBA", (side, side), (0, 0, 0, 0))
    ImageDraw.Draw(image).ellipse((2, 2, side - 3, side - 3), outline=(212, 18, 23, alpha), width=side // 12)
    ImageDraw.Draw(image).rectangle((side // 2 - 5, 10, side // 2 + 5, 40), fill=(212, 18, 23, alpha))
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


def deflated(content: bytes) -> bytes:
    """A content stream as vector pictures have it."""
    return zlib.compress(content)


DISC = b"q /Ink gs 0.83 0.07 0.09 RG 3 w 59.5 59.5 m 117 59.5 l S 2 2 115 115 re S Q"
"""Operators of a vector picture, 42 mm wide."""
