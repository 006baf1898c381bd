"""The last stage of drawing: a composed page, the record and the code become one unsigned PDF/A-3b file.

ISO 19005-3, level B: every font embedded with its true widths, colours in DeviceRGB under an sRGB output intent, XMP
that agrees with Info, the record as an associated file. ``/AcroForm`` is direct in the catalog and holds one empty
signature field, ``Seal1``, whose appearance is the seal; signing and later updates are incremental.
"""

from __future__ import annotations

import datetime
import functools
import hashlib
import zlib
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

from templates.barcode import draw_modules, qr_modules
from templates.fonts import DEFLATE_LEVEL, FontFile
from templates.pdf import PdfFile, dictionary, number, reference, text_string
from templates.srgb import CONDITION, srgb_profile
from verify.formats.license import ATTACHMENT_NAME

if TYPE_CHECKING:
    from templates.render import Composition

SEAL_FIELD = "Seal1"
PRODUCER = "certvault"
_WIDGET_FLAGS = 132  # print, locked


def assemble(
    composition: Composition,
    *,
    record: bytes,
    code_text: str,
    title: str,
    created: datetime.datetime,
    identifier: str,
    issuer: str,
) -> bytes:
    """The unsigned file. ``record`` are the canonical bytes of ``license.json``, ``code_text`` what the QR code says,
    ``created`` an aware moment (UTC). Same in, same bytes out.

    Raises RefusedError (CODE_TOO_LONG) for a code text that is too long.
    """
    if created.tzinfo is None:
        raise ValueError("created must be aware")
    moment = created.astimezone(datetime.UTC).replace(microsecond=0)
    code = draw_modules(qr_modules(code_text), *_square(composition))
    identity = _identity(composition, moment, record, code_text, title, identifier, issuer)
    file = PdfFile()
    root, pages, page = file.reserve(), file.reserve(), file.reserve()
    fonts = {font.resource: _font(file, font) for font in (*composition.page.fonts, *composition.fonts)}
    forms = {form: _form(file, box, data) for form, box, data in composition.page.forms}
    contents = [
        file.stream(b"", composition.page.content, deflated=True),
        file.stream(b"", composition.content, deflated=True),
        file.stream(b"", zlib.compress(code, DEFLATE_LEVEL), deflated=True),
    ]
    widget = _widget(file, composition, page)
    width, height = composition.face.pages[0]
    file.put(
        pages,
        dictionary({"Type": b"/Pages", "Kids": b"[" + reference(page) + b"]", "Count": b"1"}),
    )
    file.put(
        page,
        dictionary(
            {
                "Type": b"/Page",
                "Parent": reference(pages),
                "MediaBox": b"[0 0 " + number(width) + b" " + number(height) + b"]",
                "Resources": dictionary({"Font": dictionary(fonts), "XObject": dictionary(forms)}),
                "Contents": b"[" + b" ".join(contents) + b"]",
                "Annots": b"[" + widget + b"]",
                "Group": b"<< /Type /Group /S /Transparency /CS /DeviceRGB >>",
            }
        ),
    )
    record_file = _attachment(file, record, moment)
    metadata = file.stream(
        b"/Type /Metadata /Subtype /XML", _xmp(title, issuer, identifier, moment, identity), deflated=False
    )
    profile = file.stream(b"/N 3", _deflated_profile(), deflated=True)
    intent = dictionary(
        {
            "Type": b"/OutputIntent",
            "S": b"/GTS_PDFA1",
            "OutputConditionIdentifier": text_string(CONDITION),
            "Info": text_string(CONDITION),
            "DestOutputProfile": profile,
        }
    )
    file.put(
        root,
        dictionary(
            {
                "Type": b"/Catalog",
                "Version": b"/1.7",
                "Pages": reference(pages),
                "Metadata": metadata,
                "OutputIntents": b"[" + intent + b"]",
                "Lang": b"(zh-CN)",
                "ViewerPreferences": b"<< /DisplayDocTitle true >>",
                "Names": b"<< /EmbeddedFiles << /Names ["
                + text_string(ATTACHMENT_NAME)
                + b" "
                + record_file
                + b"] >> >>",
                "AF": b"[" + record_file + b"]",
                "AcroForm": b"<< /Fields [" + widget + b"] /SigFlags 3 >>",
            }
        ),
    )
    info = file.add(
        dictionary(
            {
                "Title": text_string(title),
                "Author": text_string(issuer),
                "Creator": text_string(PRODUCER),
                "Producer": text_string(PRODUCER),
                "CreationDate": text_string(_pdf_date(moment)),
                "ModDate": text_string(_pdf_date(moment)),
            }
        )
    )
    return file.write(reference(root), info, identity)


def _square(composition: Composition) -> tuple[float, float, float]:
    x0, y0, x1, _ = composition.face.code_box
    return x0, y0, x1 - x0


def _identity(composition: Composition, moment: datetime.datetime, record: bytes, *texts: str) -> bytes:
    """Sixteen bytes that name this file, from all that goes into it."""
    parts = (composition.page.content, composition.content, composition.seal.deflated, record)
    fonts = (f.data for f in (*composition.page.fonts, *composition.fonts))
    digest = hashlib.sha256()
    for part in (*parts, *fonts, moment.isoformat().encode(), *(t.encode() for t in texts)):
        digest.update(len(part).to_bytes(8, "big") + part)
    return digest.digest()[:16]


def _font(file: PdfFile, font: FontFile) -> bytes:
    """A Type 0 font over a TrueType subset: codes are glyph numbers (Identity-H), widths those of its hmtx table."""
    name = b"/" + font.name.encode("ascii")
    data = file.stream(b"/Length1 %d" % len(font.data), font.deflated, deflated=True)
    descriptor = file.add(
        dictionary(
            {
                "Type": b"/FontDescriptor",
                "FontName": name,
                "Flags": b"4",
                "FontBBox": b"[" + b" ".join(b"%d" % v for v in font.bounds) + b"]",
                "ItalicAngle": b"0",
                "Ascent": b"%d" % font.ascent,
                "Descent": b"%d" % font.descent,
                "CapHeight": b"%d" % font.ascent,
                "StemV": b"80",
                "FontFile2": data,
            }
        )
    )
    descendant = file.add(
        dictionary(
            {
                "Type": b"/Font",
                "Subtype": b"/CIDFontType2",
                "BaseFont": name,
                "CIDSystemInfo": b"<< /Registry (Adobe) /Ordering (Identity) /Supplement 0 >>",
                "FontDescriptor": descriptor,
                "DW": b"1000",
                "W": b"[" + font.widths + b"]",
                "CIDToGIDMap": b"/Identity",
            }
        )
    )
    unicode = file.stream(b"", font.unicode, deflated=True)
    return file.add(
        dictionary(
            {
                "Type": b"/Font",
                "Subtype": b"/Type0",
                "BaseFont": name,
                "Encoding": b"/Identity-H",
                "DescendantFonts": b"[" + descendant + b"]",
                "ToUnicode": unicode,
            }
        )
    )


def _form(file: PdfFile, box: tuple[float, float, float, float], data: bytes) -> bytes:
    bounds = b"[" + b" ".join(number(v) for v in box) + b"]"
    return file.stream(b"/Type /XObject /Subtype /Form /BBox " + bounds + b" /Resources << >>", data, deflated=True)


def _widget(file: PdfFile, composition: Composition, page: int) -> bytes:
    """The empty signature field, its widget and the seal as the widget's appearance.

    The seal multiplies with what lies under it, as ink does, so that authority and date stay readable.
    """
    seal = composition.seal
    appearance = file.stream(
        b"/Type /XObject /Subtype /Form /BBox [0 0 " + number(seal.width) + b" " + number(seal.height) + b"]"
        b" /Group << /Type /Group /S /Transparency /CS /DeviceRGB >>"
        b" /Resources << /ExtGState << /Ink << /Type /ExtGState /BM /Multiply >> >> >>",
        seal.deflated,
        deflated=True,
    )
    return file.add(
        dictionary(
            {
                "Type": b"/Annot",
                "Subtype": b"/Widget",
                "FT": b"/Sig",
                "T": text_string(SEAL_FIELD),
                "F": b"%d" % _WIDGET_FLAGS,
                "Rect": b"[" + b" ".join(number(v) for v in composition.face.seal_box) + b"]",
                "P": reference(page),
                "AP": b"<< /N " + appearance + b" >>",
            }
        )
    )


def _attachment(file: PdfFile, record: bytes, moment: datetime.datetime) -> bytes:
    """The record as an associated file: ``/AFRelationship /Data``."""
    checksum = hashlib.md5(record, usedforsecurity=False).hexdigest().upper().encode("ascii")
    params = dictionary(
        {"Size": b"%d" % len(record), "ModDate": text_string(_pdf_date(moment)), "CheckSum": b"<" + checksum + b">"}
    )
    data = file.stream(
        b"/Type /EmbeddedFile /Subtype /application#2Fjson /Params " + params,
        zlib.compress(record, DEFLATE_LEVEL),
        deflated=True,
    )
    return file.add(
        dictionary(
            {
                "Type": b"/Filespec",
                "F": text_string(ATTACHMENT_NAME),
                "UF": text_string(ATTACHMENT_NAME),
                "Desc": text_string("the license record 证照数据"),
                "AFRelationship": b"/Data",
                "EF": b"<< /F " + data + b" /UF " + data + b" >>",
            }
        )
    )


def _xmp(title: str, issuer: str, identifier: str, moment: datetime.datetime, identity: bytes) -> bytes:
    when = moment.strftime("%Y-%m-%dT%H:%M:%S+00:00")
    uuid = identity.hex()
    document = f"uuid:{uuid[:8]}-{uuid[8:12]}-{uuid[12:16]}-{uuid[16:20]}-{uuid[20:]}"
    return f"""<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/">
<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:xmp="http://ns.adobe.com/xap/1.0/" \
xmlns:xmpMM="http://ns.adobe.com/xap/1.0/mm/" xmlns:pdf="http://ns.adobe.com/pdf/1.3/" xmlns:pdfaid="http://www.aiim.org/pdfa/ns/id/">
<pdfaid:part>3</pdfaid:part>
<pdfaid:conformance>B</pdfaid:conformance>
<dc:format>application/pdf</dc:format>
<dc:identifier>{escape(identifier)}</dc:identifier>
<dc:title><rdf:Alt><rdf:li xml:lang="x-default">{escape(title)}</rdf:li></rdf:Alt></dc:title>
<dc:creator><rdf:Seq><rdf:li>{escape(issuer)}</rdf:li></rdf:Seq></dc:creator>
<xmp:CreatorTool>{PRODUCER}</xmp:CreatorTool>
<xmp:CreateDate>{when}</xmp:CreateDate>
<xmp:ModifyDate>{when}</xmp:ModifyDate>
<xmp:MetadataDate>{when}</xmp:MetadataDate>
<xmpMM:DocumentID>{document}</xmpMM:DocumentID>
<xmpMM:InstanceID>{document}</xmpMM:InstanceID>
<pdf:Producer>{PRODUCER}</pdf:Producer>
</rdf:Description>
</rdf:RDF>
</x:xmpmeta>
<?xpacket end="w"?>""".encode()


def _pdf_date(moment: datetime.datetime) -> str:
    return moment.strftime("D:%Y%m%d%H%M%S+00'00'")


@functools.cache
def _deflated_profile() -> bytes:
    return zlib.compress(srgb_profile(), 9)
