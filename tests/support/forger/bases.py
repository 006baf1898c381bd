"""Genuine signed documents for the forger to work on: drawn here, signed by pyHanko with test keys.

One drawing, an invoice of two pages with a form, annotations, an attachment, layers and named places; signed as an
approval or as a certification (P 1, 2, 3), as tables, cross-reference streams or object streams.
"""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from asn1crypto import x509
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign import signers
from pyhanko.sign.fields import MDPPerm
from pyhanko_certvalidator.registry import SimpleCertificateStore

from signing.formats.pades import extend_archive
from signing.keys import KeyPurpose
from signing.tbs import ToBeSigned
from tests.support.forger.writer import Builder, stream, update
from tests.support.sealed import validation_data
from tests.support.signing_pki import AT, shared_pki
from verify import TrustStore


class TestSigner(signers.Signer):
    """pyHanko's signer over one of our test keys."""

    __test__ = False

    def __init__(self) -> None:
        pki = shared_pki("p256")
        self._signer = pki.signer(KeyPurpose.SEAL)
        store = SimpleCertificateStore()
        store.register(x509.Certificate.load(pki.issuing.certificate))
        certificate = x509.Certificate.load(pki.certificate(KeyPurpose.SEAL))
        super().__init__(signing_cert=certificate, cert_registry=store, embed_roots=False)

    async def async_sign_raw(self, data: bytes, digest_algorithm: str, dry_run: bool = False) -> bytes:
        return self._signer.sign(ToBeSigned(data, KeyPurpose.SEAL))


@dataclass(frozen=True)
class Base:
    """A signed file: its bytes, the numbers of its objects by name, and those bodies that stand in object streams."""

    name: str
    pdf: bytes
    parts: Mapping[str, int]
    packed: Mapping[int, bytes] = field(default_factory=dict)

    def number(self, part: str) -> int:
        return self.parts[part]

    def ref(self, part: str) -> bytes:
        return b"%d 0 R" % self.parts[part]

    def body(self, part: str | int) -> bytes:
        """The last version of an object."""
        number = self.parts[part] if isinstance(part, str) else part
        found = re.findall(rb"(?<![0-9])%d 0 obj(.*?)endobj" % number, self.pdf, re.S)
        return bytes(found[-1].strip()) if found else self.packed[number]

    @property
    def free(self) -> int:
        """The first number that no object has (the cross-reference stream's own among them)."""
        return max(int(n) for n in re.findall(rb"/Size +(\d+)", self.pdf)) + 5

    def update(self, objects: Mapping[str | int, bytes], **options: Any) -> bytes:
        """The file with an incremental update of objects, named or numbered."""
        numbered = {self.parts[k] if isinstance(k, str) else k: v for k, v in objects.items()}
        return update(self.pdf, numbered, **options)

    @property
    def signature(self) -> int:
        """The number of the (last) signature's object."""
        gap = self.byte_range()[0]
        return int(re.findall(rb"(?<![0-9])(\d+) 0 obj", self.pdf[:gap])[-1])

    def byte_range(self) -> tuple[int, int, int]:
        """Start and end of the gap, and the end of what the last signature covers."""
        found = re.findall(rb"/ByteRange *\[ *0 +(\d+) +(\d+) +(\d+)", self.pdf)[-1]
        length, second, rest = (int(n) for n in found)
        return length, second, second + rest


def trust() -> TrustStore:
    """The anchors under which the base documents are judged."""
    pki = shared_pki("p256")
    return TrustStore(anchors=(pki.root.certificate,), certificates=(pki.issuing.certificate,), allow_example=True)


# --- the drawing ----------------------------------------------------------------------------------------------------

_PAGE = b"/Type /Page /Parent 2 0 R"
_TEXT = b"""BT /F1 18 Tf 60 780 Td (Invoice 2026-17) Tj ET
BT /F1 12 Tf 60 740 Td (Pay to: Example Works) Tj ET
BT /F1 12 Tf 60 720 Td (Amount: 100.00) Tj ET
BT /F2 12 Tf 60 700 Td (Account: 1234567890) Tj ET
q 1 0 0 1 60 600 cm /Box Do Q
q 40 0 0 40 400 740 cm /Im Do Q
/OC /Layer1 BDC BT /F1 12 Tf 60 560 Td (Delivery in May) Tj ET EMC
"""
_SECOND = b"BT /F1 12 Tf 60 780 Td (General terms, page two) Tj ET\n"
_MAP = b"""/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapName /M def
1 begincodespacerange <00> <FF> endcodespacerange
1 beginbfrange <20> <7E> <0020> endbfrange endcmap end end
"""
_XMP = (
    b'<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">'
    b'<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" '
    b'xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:format>application/pdf</dc:format></rdf:Description></rdf:RDF>'
    b'</x:xmpmeta><?xpacket end="w"?>'
)


def look(text: bytes, width: int = 200, height: int = 20, *, background: bytes = b"") -> bytes:
    """An appearance stream that shows ``text``."""
    fill = background + b" 0 0 %d %d re f " % (width, height) if background else b""
    drawing = b"/Tx BMC q %s0 g BT /F1 12 Tf 2 5 Td (%s) Tj ET Q EMC" % (fill, text)
    return stream(
        drawing,
        b"/Type /XObject /Subtype /Form /BBox [0 0 %d %d] /Resources << /Font << /F1 7 0 R >> >>" % (width, height),
    )


def field_body(kind: bytes, name: bytes, rect: bytes, more: bytes = b"") -> bytes:
    """A field with its widget in one."""
    return b"<< /Type /Annot /Subtype /Widget /FT /%s /T (%s) /F 4 /P 3 0 R /Rect [%s] %s >>" % (
        kind,
        name,
        rect,
        more,
    )


def draw(style: str = "table", **replaced: bytes) -> Builder:
    """The unsigned invoice; ``replaced`` gives other bodies to objects by name."""
    doc = Builder(style)
    doc.put(
        "catalog",
        b"<< /Type /Catalog /Pages 2 0 R /AcroForm 20 0 R /Names 30 0 R /Metadata 31 0 R /Dests 33 0 R "
        b"/OCProperties 34 0 R /AF [40 0 R] /PageMode /UseNone /Lang (en) >>",
        1,
    )
    doc.put(
        "pages",
        b"<< /Type /Pages /Kids [3 0 R 4 0 R] /Count 2 /MediaBox [0 0 595 842] "
        b"/Resources << /Font << /F1 7 0 R >> >> >>",
        2,
    )
    doc.put(
        "page",
        b"<< " + _PAGE + b" /MediaBox [0 0 595 842] /Contents 5 0 R /Annots 12 0 R /Resources << /Font << /F1 7 0 R "
        b"/F2 8 0 R >> /XObject << /Im 10 0 R /Box 11 0 R >> /Properties << /Layer1 35 0 R /Layer2 36 0 R >> >> >>",
        3,
    )
    doc.put("page2", b"<< " + _PAGE + b" /Contents 6 0 R >>", 4)
    doc.put("content", stream(_TEXT), 5)
    doc.put("content2", stream(_SECOND, packed=True), 6)
    doc.put("font", b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>", 7)
    doc.put(
        "font2",
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Courier /Encoding 13 0 R /ToUnicode 9 0 R >>",
        8,
    )
    doc.put("map", stream(_MAP), 9)
    doc.put(
        "image",
        stream(
            b"\x40\x80\xc0\xff",
            b"/Type /XObject /Subtype /Image /Width 2 /Height 2 /ColorSpace /DeviceGray /BitsPerComponent 8",
        ),
        10,
    )
    doc.put(
        "box",
        stream(b"1 0 0 RG 0 0 80 40 re S", b"/Type /XObject /Subtype /Form /BBox [0 0 80 40] /Resources << >>"),
        11,
    )
    doc.put("annots", b"[21 0 R 22 0 R 23 0 R 24 0 R 25 0 R 26 0 R 28 0 R]", 12)
    doc.put("encoding", b"<< /Type /Encoding /BaseEncoding /WinAnsiEncoding /Differences [128 /Euro] >>", 13)
    doc.put(
        "form",
        b"<< /Fields [21 0 R 22 0 R 23 0 R 24 0 R 25 0 R] /DA (/F1 12 Tf 0 g) /DR << /Font << /F1 7 0 R >> >> >>",
        20,
    )
    doc.put("sig1", field_body(b"Sig", b"Sig1", b"60 60 200 110"), 21)
    doc.put("sig2", field_body(b"Sig", b"Sig2", b"300 60 440 110"), 22)
    doc.put(
        "payee",
        field_body(b"Tx", b"payee", b"60 500 260 520", b"/V (Example Works) /DA (/F1 12 Tf 0 g) /AP << /N 50 0 R >>"),
        23,
    )
    doc.put(
        "agree",
        field_body(b"Btn", b"agree", b"60 470 80 490", b"/V /Off /AS /Off /AP << /N << /Yes 51 0 R /Off 52 0 R >> >>"),
        24,
    )
    doc.put(
        "logo",
        field_body(b"Btn", b"logo", b"400 600 500 650", b"/Ff 65536 /MK << /TP 1 /I 53 0 R >> /AP << /N 53 0 R >>"),
        25,
    )
    doc.put(
        "note",
        b"<< /Type /Annot /Subtype /Text /Rect [500 780 520 800] /P 3 0 R /Contents (checked) /T (clerk) /F 4 "
        b"/Popup 28 0 R /AP << /N 54 0 R >> >>",
        26,
    )
    doc.put("popup", b"<< /Type /Annot /Subtype /Popup /Rect [520 700 590 780] /Parent 26 0 R /F 4 >>", 28)
    doc.put("names", b"<< /EmbeddedFiles << /Names [(terms.txt) 40 0 R] >> >>", 30)
    doc.put("metadata", stream(_XMP, b"/Type /Metadata /Subtype /XML"), 31)
    doc.put("info", b"<< /Title (Invoice) /CreationDate (D:20260101000000Z) >>", 32)
    doc.put("dests", b"<< /terms [4 0 R /Fit] >>", 33)
    doc.put("layers", b"<< /OCGs [35 0 R 36 0 R] /D << /Order [35 0 R 36 0 R] /ON [35 0 R] /OFF [36 0 R] >> >>", 34)
    doc.put("layer1", b"<< /Type /OCG /Name (Delivery) >>", 35)
    doc.put("layer2", b"<< /Type /OCG /Name (Draft) >>", 36)
    doc.put(
        "filespec",
        b"<< /Type /Filespec /F (terms.txt) /UF (terms.txt) /AFRelationship /Data /EF << /F 41 0 R /UF 41 0 R >> >>",
        40,
    )
    doc.put("file", stream(b"Payment within 30 days.\n", b"/Type /EmbeddedFile /Subtype /text#2Fplain"), 41)
    doc.put("payee_look", look(b"Example Works"), 50)
    doc.put("yes_look", look(b"X", 20, 20), 51)
    doc.put("off_look", look(b" ", 20, 20), 52)
    doc.put("logo_look", look(b"Our logo", 100, 50), 53)
    doc.put("note_look", look(b"!", 20, 20), 54)
    for name, body in replaced.items():
        doc.put(name, body, doc.parts.get(name))
    return doc


# --- signing --------------------------------------------------------------------------------------------------------


def sign(
    pdf: bytes, field_name: str = "Sig1", *, certify: int | None = None, rect: list[int] | None = None, **options: Any
) -> bytes:
    """``pdf`` signed by pyHanko in an existing field; ``certify`` is the DocMDP level, ``rect`` moves the field."""
    metadata = signers.PdfSignatureMetadata(
        field_name=field_name,
        md_algorithm="sha256",
        certify=certify is not None,
        docmdp_permissions=MDPPerm(certify or 2),
        reason="Test",
        **options,
    )
    out = io.BytesIO()
    writer = IncrementalPdfFileWriter(io.BytesIO(pdf), strict=False)
    if rect is not None:
        fields = (item.get_object() for item in writer.root["/AcroForm"]["/Fields"])
        field = next(f for f in fields if f["/T"] == field_name)
        field["/Rect"] = generic.ArrayObject(map(generic.NumberObject, rect))
        writer.update_container(field)
    signers.PdfSigner(metadata, TestSigner()).sign_pdf(writer, existing_fields_only=True, output=out)
    return out.getvalue()


@lru_cache(maxsize=64)
def base(name: str) -> Base:
    """A signed base by name: ``approval``, ``p1``, ``p2`` or ``p3``, then maybe ``-stream`` or ``-packed``."""
    kind, _, style = name.partition("-")
    doc = draw(style or "table")
    certify = None if kind == "approval" else int(kind[1])
    return Base(name, sign(doc.write(), certify=certify), doc.parts, dict(doc.objects) if style == "packed" else {})


def signed(doc: Builder, name: str, certify: int | None = None, **options: Any) -> Base:
    """Sign what a forgery drew for itself."""
    packed = dict(doc.objects) if doc.style == "packed" else {}
    return Base(name, sign(doc.write(), certify=certify, **options), doc.parts, packed)


def with_timestamp(pdf: bytes) -> bytes:
    """``pdf`` with validation data and a document timestamp, as an archive would add them."""
    pki = shared_pki("p256")
    return extend_archive(pdf, stamp=pki.tsa().at(AT), validation=validation_data(pki), at=AT)
