"""Streams: lengths, filters and encodings that make two readers see two contents (ISO 32000-2 7.3.8, 7.4)."""

from __future__ import annotations

import zlib

from tests.support.forger.bases import Base
from tests.support.forger.registry import forgery
from tests.support.forger.writer import changed, stream

_FAMILY = "stream-encoding"
_ALL = ("approval", "p1", "p2")


def _old(doc: Base) -> bytes:
    body = doc.body("content")
    return body[body.index(b"stream\n") + 7 : body.rindex(b"\nendstream")]


def _new(doc: Base) -> bytes:
    return _old(doc).replace(b"100.00", b"900.00")


def _variants() -> dict[str, object]:
    def both(doc: Base) -> bytes:
        return _old(doc) + b"\nendstream\n" + _new(doc)

    return {
        "length-too-short": lambda d: stream(_new(d), length=b"10"),
        "length-too-long": lambda d: stream(_new(d), length=b"99999"),
        "length-zero": lambda d: stream(_new(d), length=b"0"),
        "length-negative": lambda d: stream(_new(d), length=b"-1"),
        "length-missing": lambda d: b"<< >>\nstream\n%s\nendstream" % _new(d),
        "length-by-reference": lambda d: stream(_new(d), length=b"999 0 R"),
        "length-of-itself": lambda d: stream(_new(d), length=b"5 0 R"),
        "endstream-inside": lambda d: stream(both(d)),
        "old-then-new": lambda d: stream(both(d), length=b"%d" % len(_old(d))),
        "deflated": lambda d: stream(_new(d), packed=True),
        "hex": lambda d: stream(_new(d).hex().encode() + b">", b"/Filter /ASCIIHexDecode"),
        "two-filters": lambda d: stream(zlib.compress(_new(d)).hex().encode(), b"/Filter [/AHx /Fl]"),
        "unknown-filter": lambda d: stream(_new(d), b"/Filter /Example"),
        "crypt-filter": lambda d: stream(_new(d), b"/Filter /Crypt"),
        "external-file": lambda d: stream(_old(d), b"/F (other.txt) /FFilter /ASCIIHexDecode"),
        "damaged-deflate": lambda d: stream(zlib.compress(_new(d))[:-6], b"/Filter /FlateDecode"),
        "bytes-behind-deflate": lambda d: stream(
            zlib.compress(_old(d)) + zlib.compress(_new(d)), b"/Filter /FlateDecode"
        ),
        "predictor": lambda d: stream(zlib.compress(_new(d)), b"/Filter /FlateDecode /DecodeParms << /Predictor 12 >>"),
        "parameters-abbreviated": lambda d: stream(_new(d).hex().encode(), b"/F /AHx"),
        "no-end": lambda d: stream(_new(d)).replace(b"\nendstream", b""),
        "carriage-return": lambda d: stream(_new(d)).replace(b"stream\n", b"stream\r", 1),
        "inline-image": lambda d: stream(_old(d) + b" BI /W 1 /H 1 /BPC 8 /CS /G ID \x00 EI"),
    }


@forgery(_FAMILY, *_ALL, cases=_variants())
def content_written_again(doc: Base, make: object) -> bytes:
    """The page's content in an update, in a form by which length and filters lead to two readings (7.3.8.2, 7.4)."""
    assert callable(make)
    return doc.update({"content": make(doc)})


@forgery(
    _FAMILY,
    *_ALL,
    "p2-packed",
    cases={
        "length": {"Length": b"20"},
        "filter": {"Filter": b"/ASCIIHexDecode"},
        "nothing": {},
        "extra": {"Example": b"1"},
    },
)
def dictionary_of_signed_stream(doc: Base, change: dict[str, bytes]) -> bytes:
    """The same data under another stream dictionary (ISO 32000-2 7.3.8.2): `nothing` appends text by one operator."""
    body = doc.body("content")
    return doc.update({"content": changed(body, **change) if change else stream(_old(doc) + b"/Box Do\n")})


@forgery(_FAMILY, *_ALL)
def length_object_overwritten(doc: Base) -> bytes:
    """A new page content whose /Length is an object that a further update changes (ISO 32000-2 7.3.8.2)."""
    n = doc.free
    first = Base(doc.name, doc.update({"content": stream(_old(doc), length=b"%d 0 R" % n), n: b"40"}), doc.parts)
    return first.update({n: b"%d" % len(_old(doc))})
