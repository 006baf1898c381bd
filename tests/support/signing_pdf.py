"""A one-page PDF with an empty signature field whose widget has an appearance, for tests of sealing."""

from __future__ import annotations


def empty_pdf(*, xref_stream: bool = False, field: str = "Seal1") -> bytes:
    """Deterministic; AcroForm direct in the catalog, as templates make it."""
    drawing = b"1 0 0 RG 2 w 10 10 80 80 re S"
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [5 0 R] >> /Lang (zh-CN) >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 300 300] /Annots [5 0 R] /Resources << >> /Contents 4 0 R >>",
        b"<< /Length 20 >>\nstream\n0 0 1 rg 9 9 9 9 re f\nendstream".replace(b"20", b"21"),
        b"<< /Type /Annot /Subtype /Widget /FT /Sig /T (%s) /F 132 /Rect [100 100 200 200] /P 3 0 R "
        b"/AP << /N 6 0 R >> >>" % field.encode(),
        b"<< /Type /XObject /Subtype /Form /BBox [0 0 100 100] /Length %d >>\nstream\n%s\nendstream"
        % (len(drawing), drawing),
        b"<< /Title (Test) /CreationDate (D:20260101000000Z) >>",
    ]
    out = bytearray(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")
    offsets = []
    for number, body in enumerate(objects, 1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    identity = b"/ID [<00112233445566778899AABBCCDDEEFF> <00112233445566778899AABBCCDDEEFF>]"
    start = len(out)
    if xref_stream:
        data = b"\x00" + bytes(5) + b"\xff\xff"
        for offset in [*offsets, start]:
            data += b"\x01" + offset.to_bytes(5, "big") + bytes(2)
        out += b"8 0 obj\n<< /Type /XRef /Size 9 /W [1 5 2] /Root 1 0 R /Info 7 0 R %s /Length %d >>\nstream\n" % (
            identity,
            len(data),
        )
        out += data + b"\nendstream\nendobj\n"
    else:
        out += b"xref\n0 8\n0000000000 65535 f\r\n" + b"".join(b"%010d 00000 n\r\n" % o for o in offsets)
        out += b"trailer\n<< /Size 8 /Root 1 0 R /Info 7 0 R %s >>\n" % identity
    out += b"startxref\n%d\n%%%%EOF\n" % start
    return bytes(out)
