"""Fonts: the glyphs, their codes or the text copied out of them change, while no content stream does.

Mainka, Mladenov, Rohlmann: "Shadow Attacks" (NDSS 2021), 4.3; ISO 32000-2 9.
"""

from __future__ import annotations

from tests.support.forger.bases import Base
from tests.support.forger.registry import forgery
from tests.support.forger.writer import changed, stream

_FAMILY = "font-change"
_ALL = ("approval", "p1", "p2", "p2-packed")
_SWAP = b"/Differences [48 /nine /eight /seven /six /five /four /three /two /one /zero]"


@forgery(_FAMILY, *_ALL)
def encoding_differences(doc: Base) -> bytes:
    """The font's encoding shows each digit as another one (ISO 32000-2 9.6.5)."""
    body = b"<< /Type /Encoding /BaseEncoding /WinAnsiEncoding " + _SWAP + b" >>"
    return doc.update({"encoding": body})


@forgery(_FAMILY, *_ALL)
def encoding_given(doc: Base) -> bytes:
    """A font that had a named encoding gets one that swaps digits (ISO 32000-2 9.6.5)."""
    return doc.update({"font": changed(doc.body("font"), Encoding=b"<< /Type /Encoding " + _SWAP + b" >>")})


@forgery(_FAMILY, *_ALL)
def other_face(doc: Base) -> bytes:
    """The font is replaced by one of symbols (ISO 32000-2 9.6.2.2)."""
    return doc.update({"font": changed(doc.body("font"), BaseFont=b"/Symbol", Encoding=None)})


@forgery(_FAMILY, *_ALL)
def drawn_font(doc: Base) -> bytes:
    """The font becomes a Type 3 font whose 1 is drawn as a 9 (ISO 32000-2 9.6.4)."""
    n = doc.free
    body = (
        b"<< /Type /Font /Subtype /Type3 /FontBBox [0 0 1000 1000] /FontMatrix [0.001 0 0 0.001 0 0] /FirstChar 49 "
        b"/LastChar 49 /Widths [600] /Resources << >> /Encoding << /Type /Encoding /Differences [49 /nine] >> "
        b"/CharProcs << /nine %d 0 R >> >>" % n
    )
    return doc.update({"font": body, n: stream(b"600 0 0 0 600 700 d1 100 100 300 500 re f")})


@forgery(_FAMILY, *_ALL)
def text_map_changed(doc: Base) -> bytes:
    """/ToUnicode is overwritten: glyphs stay, text that is copied or read aloud differs (ISO 32000-2 9.10.3)."""
    body = doc.body("map").replace(b"<20> <7E> <0020>", b"<20> <7E> <0021>")
    return doc.update({"map": body})


@forgery(_FAMILY, *_ALL)
def text_map_added(doc: Base) -> bytes:
    """/ToUnicode is given to a font that had none (ISO 32000-2 9.10.3)."""
    return doc.update({"font": changed(doc.body("font"), ToUnicode=doc.ref("map"))})


@forgery(_FAMILY, *_ALL)
def text_map_removed(doc: Base) -> bytes:
    """/ToUnicode is taken from a font (ISO 32000-2 9.10.3)."""
    return doc.update({"font2": changed(doc.body("font2"), ToUnicode=None)})


@forgery(_FAMILY, *_ALL)
def widths_changed(doc: Base) -> bytes:
    """The font gets widths of nothing: characters pile up (ISO 32000-2 9.2.4)."""
    widths = b"[" + b"0 " * 95 + b"]"
    return doc.update({"font": changed(doc.body("font"), FirstChar=b"32", LastChar=b"126", Widths=widths)})


@forgery(_FAMILY, *_ALL)
def face_embedded(doc: Base) -> bytes:
    """A font descriptor with an embedded file is given to a standard font (ISO 32000-2 9.8)."""
    n = doc.free
    descriptor = b"<< /Type /FontDescriptor /FontName /Evil /Flags 4 /FontFile2 %d 0 R >>" % (n + 1)
    body = changed(doc.body("font"), Subtype=b"/TrueType", FontDescriptor=b"%d 0 R" % n)
    return doc.update({"font": body, n: descriptor, n + 1: stream(b"\0\1\0\0", b"/Length1 4")})


@forgery(_FAMILY, *_ALL)
def page_names_another_font(doc: Base) -> bytes:
    """The page's resources call another font F1 (ISO 32000-2 7.8.3)."""
    body = doc.body("page").replace(b"/F1 7 0 R", b"/F1 8 0 R")
    return doc.update({"page": body})


@forgery(_FAMILY, "p2", "approval")
def default_resources_of_the_form(doc: Base) -> bytes:
    """Form filling is the pretext, and the form's default font is one of symbols (ISO 32000-2 12.7.4.3)."""
    n = doc.free
    form = changed(doc.body("form"), DR=b"<< /Font << /F1 %d 0 R >> >>" % n)
    return doc.update({"form": form, n: b"<< /Type /Font /Subtype /Type1 /BaseFont /Symbol >>"})
