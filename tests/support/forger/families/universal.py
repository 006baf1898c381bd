"""Universal signature forgery: the signature's own entries made so that a lazy reader finds nothing to object to.

Mladenov, Mainka, Meyer zu Selhausen, Grothe, Schwenk: "1 Trillion Dollar Refund" (CCS 2019), 4.1.
"""

from __future__ import annotations

import re

from tests.support.forger.bases import Base
from tests.support.forger.registry import forgery
from tests.support.forger.writer import changed, same_length

_FAMILY = "universal-signature-forgery"
_SIGNED = ("approval", "p2")


def _show_more(doc: Base, signature: bytes, **options: object) -> bytes:
    """An update with another amount on the page, and with the signature's object as given."""
    content = doc.body("content").replace(b"100.00", b"900.00")
    return doc.update({"content": content, doc.signature: signature}, **options)


_RANGES = {
    "zero": b"[0 0 0 0]",
    "null": b"null",
    "empty": b"[]",
    "negative": b"[0 -1 20 40]",
    "two-numbers": b"[0 5000]",
    "six-numbers": b"[0 100 200 100 400 100]",
    "strings": b"[(0) (100) (200) (300)]",
    "one-string": b"(0 100 200 300)",
    "huge": b"[0 99999999999999999999 999999999999999999999 99999999]",
    "overlapping": b"[0 9000 100 9000]",
    "reals": b"[0.0 100.5 200.0 300.0]",
    "backwards": b"[9000 100 0 100]",
    "name": b"[/A /B /C /D]",
    "dictionary": b"<< /A 0 >>",
    "boolean": b"true",
    "nested": b"[[0 100 200 300]]",
    "octal-looking": b"[0 010 020 030]",
    "first-part-only": b"[0 100 100 0]",
}


@forgery(_FAMILY, *_SIGNED, cases=_RANGES)
def byte_range_in_an_update(doc: Base, value: bytes) -> bytes:
    """A new version of the signature object whose /ByteRange says nothing usable (ISO 32000-2 12.8.1)."""
    return _show_more(doc, changed(doc.body(doc.signature), ByteRange=value))


@forgery(_FAMILY, *_SIGNED, cases={k: v for k, v in _RANGES.items() if len(v) < 40})
def byte_range_in_place(doc: Base, value: bytes) -> bytes:
    """The /ByteRange overwritten in place, nothing else (ISO 32000-2 12.8.1)."""
    found = re.findall(rb"/ByteRange *\[[^]]*\] *", doc.pdf)[-1]
    return same_length(doc.pdf, found, b"/ByteRange " + value)


@forgery(_FAMILY, *_SIGNED)
def byte_range_removed(doc: Base) -> bytes:
    """The signature object written again without /ByteRange (ISO 32000-2 Table 255)."""
    return _show_more(doc, changed(doc.body(doc.signature), ByteRange=None))


@forgery(_FAMILY, *_SIGNED)
def byte_range_renamed(doc: Base) -> bytes:
    """The key /ByteRange misspelt in place (ISO 32000-2 Table 255)."""
    at = doc.pdf.rindex(b"/ByteRange")
    return doc.pdf[:at] + b"/ByteRangx" + doc.pdf[at + 10 :]


@forgery(_FAMILY, *_SIGNED)
def byte_range_whole_file(doc: Base) -> bytes:
    """A /ByteRange that claims the whole new file with no gap (CCS 2019, 4.1)."""
    body = changed(doc.body(doc.signature), ByteRange=b"[0 20000 20000 0]")
    return _show_more(doc, body)


@forgery(_FAMILY, *_SIGNED)
def byte_range_short_of_the_end(doc: Base) -> bytes:
    """A second part that ends before the file does, in place (ISO 32000-2 12.8.1)."""
    length, second, end = doc.byte_range()
    found = re.findall(rb"/ByteRange *\[[^]]*\] *", doc.pdf)[-1]
    return same_length(doc.pdf, found, b"/ByteRange [0 %d %d %d]" % (length, second, end - second - 30))


_CONTENTS = {
    "zero-byte": b"<00>",
    "empty": b"<>",
    "empty-string": b"()",
    "null": b"null",
    "number": b"1",
    "name": b"/None",
    "array": b"[<00>]",
    "text": b"(signed)",
    "sequence-without-content": b"<3000>",
    "indefinite": b"<3080>",
    "boolean": b"true",
    "odd": b"<308>",
}


@forgery(_FAMILY, *_SIGNED, cases=_CONTENTS)
def contents_in_an_update(doc: Base, value: bytes) -> bytes:
    """A new version of the signature object whose /Contents holds no signature (ISO 32000-2 12.8.1)."""
    return _show_more(doc, changed(doc.body(doc.signature), Contents=value))


@forgery(_FAMILY, *_SIGNED)
def contents_removed(doc: Base) -> bytes:
    """The signature object written again without /Contents (ISO 32000-2 Table 255)."""
    return _show_more(doc, changed(doc.body(doc.signature), Contents=None))


def _gap(doc: Base, make: bytes) -> bytes:
    start, end, _ = doc.byte_range()
    return doc.pdf[:start] + make + doc.pdf[end:]


def _hex(doc: Base) -> bytes:
    start, end, _ = doc.byte_range()
    return doc.pdf[start + 1 : end - 1]


@forgery(_FAMILY, *_SIGNED)
def contents_zeroed(doc: Base) -> bytes:
    """Every digit of /Contents overwritten by 0 in place (ISO 32000-2 12.8.1)."""
    return _gap(doc, b"<" + b"0" * len(_hex(doc)) + b">")


@forgery(_FAMILY, *_SIGNED)
def contents_cleared_to_spaces(doc: Base) -> bytes:
    """/Contents emptied in place by white space (ISO 32000-2 7.3.4.3)."""
    return _gap(doc, b"<" + b" " * len(_hex(doc)) + b">")


@forgery(_FAMILY, *_SIGNED)
def contents_random(doc: Base) -> bytes:
    """/Contents overwritten by other digits (RFC 5652 5)."""
    return _gap(doc, b"<" + (b"30820fa0deadbeef" * len(_hex(doc)))[: len(_hex(doc))] + b">")


@forgery(_FAMILY, *_SIGNED)
def contents_value_changed(doc: Base) -> bytes:
    """The signature value inside the CMS altered by one bit (RFC 5652 5.4)."""
    value = bytearray(bytes.fromhex(_hex(doc).decode()))
    end = len(bytes(value).rstrip(b"\0"))
    value[end - 5] ^= 1
    return _gap(doc, b"<" + bytes(value).hex().encode() + b">")


@forgery(_FAMILY, *_SIGNED)
def subfilter_unknown(doc: Base) -> bytes:
    """A /SubFilter that no reader knows, so that nothing checks the value (ISO 32000-2 12.8.3)."""
    return _show_more(doc, changed(doc.body(doc.signature), SubFilter=b"/Example.unknown"))


@forgery(_FAMILY, *_SIGNED)
def subfilter_removed(doc: Base) -> bytes:
    """The signature object written again without /SubFilter (ISO 32000-2 Table 255)."""
    return _show_more(doc, changed(doc.body(doc.signature), SubFilter=None))


@forgery(_FAMILY, *_SIGNED, cases={"null": b"null", "empty": b"<< >>", "number": b"7", "missing": b"9999 0 R"})
def field_value_replaced(doc: Base, value: bytes) -> bytes:
    """The signature field's /V replaced, so that the field looks signed and nothing is checked (CCS 2019, 4.1)."""
    content = doc.body("content").replace(b"100.00", b"900.00")
    return doc.update({"content": content, "sig1": changed(doc.body("sig1"), V=value)})


@forgery(_FAMILY, *_SIGNED)
def type_of_signature_changed(doc: Base) -> bytes:
    """/Type /Sig of the signature rewritten as another type (ISO 32000-2 Table 255)."""
    return _show_more(doc, changed(doc.body(doc.signature), Type=b"/Example"))


@forgery(_FAMILY, *_SIGNED)
def form_taken_away(doc: Base) -> bytes:
    """The catalog's /AcroForm removed: the file shows as unsigned (ISO 32000-2 12.7.3)."""
    return doc.update({"catalog": changed(doc.body("catalog"), AcroForm=None)})


@forgery(_FAMILY, *_SIGNED)
def field_taken_away(doc: Base) -> bytes:
    """The signed field removed from the form: the file shows as unsigned (ISO 32000-2 12.7.3)."""
    rest = b" ".join(doc.ref(p) for p in ("sig2", "payee", "agree", "logo"))
    return doc.update({"form": changed(doc.body("form"), Fields=b"[%s]" % rest)})
