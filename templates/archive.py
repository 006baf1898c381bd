"""Parts of a PDF/A-3b file that every document here has: fonts, XMP, the output intent, an associated file."""

from __future__ import annotations

import datetime
import functools
import hashlib
import zlib
from xml.sax.saxutils import escape

from templates.fonts import DEFLATE_LEVEL, FontFile
from templates.pdf import PdfFile, dictionary, text_string
from templates.srgb import CONDITION, srgb_profile

PRODUCER = "certvault"


def font_object(file: PdfFile, font: FontFile) -> bytes:
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


def attached(file: PdfFile, name: str, content: bytes, description: str, moment: datetime.datetime) -> bytes:
    """JSON as an associated file: ``/AFRelationship /Data``. A reference to its file specification."""
    checksum = hashlib.md5(content, usedforsecurity=False).hexdigest().upper().encode("ascii")
    params = dictionary(
        {"Size": b"%d" % len(content), "ModDate": text_string(pdf_date(moment)), "CheckSum": b"<" + checksum + b">"}
    )
    data = file.stream(
        b"/Type /EmbeddedFile /Subtype /application#2Fjson /Params " + params,
        zlib.compress(content, DEFLATE_LEVEL),
        deflated=True,
    )
    return file.add(
        dictionary(
            {
                "Type": b"/Filespec",
                "F": text_string(name),
                "UF": text_string(name),
                "Desc": text_string(description),
                "AFRelationship": b"/Data",
                "EF": b"<< /F " + data + b" /UF " + data + b" >>",
            }
        )
    )


def output_intent(file: PdfFile) -> bytes:
    """The output intent: DeviceRGB means sRGB."""
    profile = file.stream(b"/N 3", _deflated_profile(), deflated=True)
    return dictionary(
        {
            "Type": b"/OutputIntent",
            "S": b"/GTS_PDFA1",
            "OutputConditionIdentifier": text_string(CONDITION),
            "Info": text_string(CONDITION),
            "DestOutputProfile": profile,
        }
    )


def info(file: PdfFile, title: str, author: str, moment: datetime.datetime) -> bytes:
    """The document information dictionary."""
    return file.add(
        dictionary(
            {
                "Title": text_string(title),
                "Author": text_string(author),
                "Creator": text_string(PRODUCER),
                "Producer": text_string(PRODUCER),
                "CreationDate": text_string(pdf_date(moment)),
                "ModDate": text_string(pdf_date(moment)),
            }
        )
    )


def xmp(title: str, issuer: str, identifier: str, moment: datetime.datetime, identity: bytes) -> bytes:
    """The metadata stream; it says what Info says."""
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


def pdf_date(moment: datetime.datetime) -> str:
    """A date as PDF writes it; ``moment`` in UTC."""
    return moment.strftime("D:%Y%m%d%H%M%S+00'00'")


@functools.cache
def _deflated_profile() -> bytes:
    return zlib.compress(srgb_profile(), 9)
