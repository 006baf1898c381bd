"""Dictionary spoofing: one dictionary that two readers read in two ways.

Rohlmann, Mainka, Mladenov, Schwenk: "Every Signature is Broken" (2022);
ISO 32000-2 7.3.7 for duplicate keys.
"""

from __future__ import annotations

import re

from tests.support.forger.bases import Base, draw, signed
from tests.support.forger.registry import Expected, forgery
from tests.support.forger.writer import changed, stream

_FAMILY = "dictionary-spoofing"
_SIGNED = ("approval", "p1", "p2")


def _twice(body: bytes, entry: bytes, *, first: bool) -> bytes:
    """A dictionary with a further entry whose key it has already."""
    at = body.index(b"<<") + 2 if first else body.rindex(b">>")
    return body[:at] + b" " + entry + b" " + body[at:]


@forgery(_FAMILY, *_SIGNED, cases={"first": True, "last": False})
def signature_with_two_contents(doc: Base, first: bool) -> bytes:
    """A new version of the signature object with two /Contents (ISO 32000-2 7.3.7)."""
    return doc.update({doc.signature: _twice(doc.body(doc.signature), b"/Contents <3000>", first=first)})


@forgery(_FAMILY, *_SIGNED, cases={"first": True, "last": False})
def signature_with_two_byte_ranges(doc: Base, first: bool) -> bytes:
    """A new version of the signature object with two /ByteRange (ISO 32000-2 7.3.7)."""
    return doc.update({doc.signature: _twice(doc.body(doc.signature), b"/ByteRange [0 1 2 3]", first=first)})


@forgery(_FAMILY, *_SIGNED)
def byte_range_by_reference(doc: Base) -> bytes:
    """/ByteRange as a reference to an array that an update may change (ISO 32000-2 Table 255: direct)."""
    found = re.findall(rb"/ByteRange *(\[[^]]*\])", doc.pdf)[-1]
    body = changed(doc.body(doc.signature), ByteRange=b"%d 0 R" % doc.free)
    return doc.update({doc.signature: body, doc.free: found})


@forgery(_FAMILY, *_SIGNED)
def contents_by_reference(doc: Base) -> bytes:
    """/Contents as a reference to a string elsewhere (ISO 32000-2 Table 255: direct)."""
    length, old, _ = doc.byte_range()
    body = changed(doc.body(doc.signature), Contents=b"%d 0 R" % doc.free)
    return doc.update({doc.signature: body, doc.free: doc.pdf[length:old]})


_TWO = {
    "page-contents": ("page", b"/Contents %d 0 R"),
    "page-mediabox": ("page", b"/MediaBox [0 0 100 100]"),
    "page-resources": ("page", b"/Resources << >>"),
    "catalog-pages": ("catalog", b"/Pages %d 0 R"),
    "pages-kids": ("pages", b"/Kids [4 0 R]"),
    "font-basefont": ("font", b"/BaseFont /Symbol"),
    "field-value": ("payee", b"/V (Evil Works)"),
    "escaped-name": ("page", b"/Cont#65nts %d 0 R"),
}


@forgery(
    _FAMILY,
    *_SIGNED,
    cases={f"{k}-{'first' if f else 'last'}": (*v, f) for k, v in _TWO.items() for f in (True, False)},
)
def key_written_twice(doc: Base, case: tuple[str, bytes, bool]) -> bytes:
    """An update writes an object with one key twice, one value for the checker, one for the viewer (7.3.7)."""
    part, entry, first = case
    other = doc.free
    if b"%d" in entry:
        entry = entry % other
    more = stream(b"BT /F1 12 Tf 60 740 Td (Pay to: Evil Works) Tj ET")
    return doc.update({part: _twice(doc.body(part), entry, first=first), other: more})


_TYPES = {
    "page-as-template": ("page", b"/Template"),
    "pages-as-page": ("pages", b"/Page"),
    "catalog-as-page": ("catalog", b"/Page"),
    "annotation-as-page": ("note", b"/Page"),
    "font-as-xobject": ("font", b"/XObject"),
    "widget-as-sig": ("payee", b"/Sig"),
}


@forgery(_FAMILY, *_SIGNED, cases=_TYPES)
def type_rewritten(doc: Base, case: tuple[str, bytes]) -> bytes:
    """An update gives an object another /Type, by which some checkers choose their rules (ISO 32000-2 7.3.7)."""
    part, kind = case
    return doc.update({part: changed(doc.body(part), Type=kind)})


@forgery(
    _FAMILY,
    *_SIGNED,
    cases={
        "sig": b"/Type /Sig",
        "dss": b"/Type /DSS",
        "field": b"/FT /Sig",
        "ocg": b"/Type /OCG",
        "metadata": b"/Type /Metadata /Subtype /XML",
        "xref": b"/Type /XRef",
        "objstm": b"/Type /ObjStm /N 0 /First 0",
    },
)
def page_content_disguised(doc: Base, kind: bytes) -> bytes:
    """The page's new content stream claims a type that updates may bring (ISO 32000-2 7.8.2)."""
    return doc.update({"content": stream(b"BT /F1 12 Tf 60 740 Td (Pay to: Evil) Tj ET", kind)})


@forgery(_FAMILY, *_SIGNED)
def content_doubles_as_validation_data(doc: Base) -> bytes:
    """The page's content is overwritten, and the new DSS names the same object as a certificate (12.8.4.3)."""
    catalog = changed(doc.body("catalog"), DSS=b"<< /Type /DSS /Certs [5 0 R] >>")
    return doc.update({"catalog": catalog, "content": stream(b"BT /F1 12 Tf 60 740 Td (Pay to: Evil) Tj ET")})


@forgery(_FAMILY, *_SIGNED)
def content_doubles_as_metadata(doc: Base) -> bytes:
    """The catalog's new /Metadata is the page's own, overwritten content (ISO 32000-2 14.3.2)."""
    catalog = changed(doc.body("catalog"), Metadata=b"5 0 R")
    evil = stream(b"BT /F1 12 Tf 60 740 Td (Pay to: Evil) Tj ET", b"/Type /Metadata /Subtype /XML")
    return doc.update({"catalog": catalog, "content": evil})


@forgery(_FAMILY, *_SIGNED)
def image_doubles_as_field_look(doc: Base) -> bytes:
    """A field's new look is an XObject of the page, overwritten in the same update (ISO 32000-2 12.5.5)."""
    payee = changed(doc.body("payee"), AP=b"<< /N 11 0 R >>", V=b"(x)")
    evil = stream(b"1 g 0 0 500 500 re f", b"/Type /XObject /Subtype /Form /BBox [0 0 500 500] /Resources << >>")
    return doc.update({"payee": payee, "box": evil})


@forgery(_FAMILY, expected=Expected.NOT_INTACT)
def signed_with_two_contents() -> bytes:
    """The signer's own file has a second /Contents in the signature's dictionary, outside the gap (7.3.7)."""
    made = signed(draw(), "two-contents")
    at = made.pdf.rindex(b"/Type /Sig")
    return made.pdf[:at] + b"/Contents <3000> " + made.pdf[at:]
