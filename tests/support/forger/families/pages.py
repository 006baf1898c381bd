"""The page tree and what pages inherit: order, count, places, content, in updates (ISO 32000-2 7.7.3)."""

from __future__ import annotations

from tests.support.forger.bases import Base
from tests.support.forger.registry import forgery
from tests.support.forger.writer import changed, stream

_TREE, _ATTRIBUTE, _CONTENT = "page-tree", "page-attributes", "page-content"
_ALL = ("approval", "p1", "p2", "p3", "approval-packed")
_EVIL = b"BT /F1 12 Tf 300 740 Td (Pay to: Evil Works) Tj ET"


@forgery(
    _TREE,
    *_ALL,
    cases={
        "order": b"[4 0 R 3 0 R]",
        "one-left": b"[3 0 R]",
        "other-left": b"[4 0 R]",
        "twice": b"[3 0 R 4 0 R 3 0 R]",
        "none": b"[]",
        "self": b"[2 0 R]",
        "foreign": b"[3 0 R 7 0 R]",
        "gone": b"[3 0 R 999 0 R]",
    },
)
def kids_changed(doc: Base, kids: bytes) -> bytes:
    """The root of the page tree lists other kids (ISO 32000-2 7.7.3.2)."""
    return doc.update({"pages": changed(doc.body("pages"), Kids=kids)})


@forgery(_TREE, *_ALL, cases={"less": b"1", "more": b"3", "negative": b"-2", "text": b"(2)"})
def count_changed(doc: Base, count: bytes) -> bytes:
    """/Count says another number of pages than there are (ISO 32000-2 7.7.3.2)."""
    return doc.update({"pages": changed(doc.body("pages"), Count=count)})


@forgery(_TREE, *_ALL)
def page_added(doc: Base) -> bytes:
    """A page is put behind the signed ones (ISO 32000-2 7.7.3.2)."""
    n = doc.free
    page = b"<< /Type /Page /Parent 2 0 R /Contents %d 0 R >>" % (n + 1)
    pages = changed(doc.body("pages"), Kids=b"[3 0 R 4 0 R %d 0 R]" % n, Count=b"3")
    return doc.update({"pages": pages, n: page, n + 1: stream(_EVIL)})


@forgery(_TREE, *_ALL)
def page_replaced(doc: Base) -> bytes:
    """The first page's object is another page (ISO 32000-2 7.7.3.3)."""
    n = doc.free
    return doc.update({"page": b"<< /Type /Page /Parent 2 0 R /Contents %d 0 R >>" % n, n: stream(_EVIL)})


@forgery(_TREE, *_ALL)
def pages_root_replaced(doc: Base) -> bytes:
    """The catalog names another page tree (ISO 32000-2 7.7.2)."""
    n = doc.free
    tree = changed(doc.body("pages"), Kids=b"[4 0 R]", Count=b"1")
    return doc.update({"catalog": changed(doc.body("catalog"), Pages=b"%d 0 R" % n), n: tree})


@forgery(_TREE, *_ALL)
def level_put_between(doc: Base) -> bytes:
    """A node is put between root and page that turns the page by what it inherits (ISO 32000-2 7.7.3.4)."""
    n = doc.free
    pages = changed(doc.body("pages"), Kids=b"[%d 0 R 4 0 R]" % n)
    node = b"<< /Type /Pages /Parent 2 0 R /Kids [3 0 R] /Count 1 /Rotate 180 >>"
    return doc.update({"pages": pages, n: node, "page": changed(doc.body("page"), Parent=b"%d 0 R" % n)})


_ATTRIBUTES = {
    "rotate": ("page", {"Rotate": b"180"}),
    "media-box": ("page", {"MediaBox": b"[0 0 595 600]"}),
    "crop-box": ("page", {"CropBox": b"[0 0 595 730]"}),
    "user-unit": ("page", {"UserUnit": b"2"}),
    "resources-gone": ("page", {"Resources": None}),
    "group": ("page", {"Group": b"<< /S /Transparency /CS /DeviceGray >>"}),
    "parent": ("page", {"Parent": b"3 0 R"}),
    "type": ("page", {"Type": b"/Template"}),
    "annotations-gone": ("page", {"Annots": None}),
    "thumbnail": ("page", {"Thumb": b"10 0 R"}),
    "duration": ("page", {"Dur": b"1", "Trans": b"<< /S /R >>"}),
    "view-ports": ("page", {"VP": b"[<< /Type /Viewport /BBox [0 0 9 9] >>]"}),
    "separations": ("page", {"SeparationInfo": b"<< /Pages [3 0 R] >>"}),
    "box-colours": ("page", {"BoxColorInfo": b"<< >>", "TrimBox": b"[0 0 10 10]"}),
    "inherited-media-box": ("pages", {"MediaBox": b"[0 0 595 600]"}),
    "inherited-rotate": ("pages", {"Rotate": b"90"}),
    "inherited-crop-box": ("pages", {"CropBox": b"[0 0 100 100]"}),
    "inherited-resources": ("pages", {"Resources": b"<< /Font << /F1 8 0 R >> >>"}),
    "inherited-resources-gone": ("pages", {"Resources": None}),
    "output-intents": ("catalog", {"OutputIntents": b"[<< /S /GTS_PDFX >>]"}),
    "page-labels": ("catalog", {"PageLabels": b"<< /Nums [0 << /St 17 /S /D >>] >>"}),
    "page-mode": ("catalog", {"PageMode": b"/FullScreen"}),
    "viewer-preferences": ("catalog", {"ViewerPreferences": b"<< /HideToolbar true /Direction /R2L >>"}),
    "language": ("catalog", {"Lang": b"(zh)"}),
    "structure-tree": ("catalog", {"StructTreeRoot": b"<< /Type /StructTreeRoot >>"}),
    "threads": ("catalog", {"Threads": b"[]"}),
    "collection": ("catalog", {"Collection": b"<< /View /D /D (terms.txt) >>"}),
    "legal": ("catalog", {"Legal": b"<< /JavaScriptActions 0 >>"}),
    "unknown-key": ("catalog", {"Example": b"1"}),
}


@forgery(_ATTRIBUTE, "approval", "p1", "p2", cases=_ATTRIBUTES)
def attribute_changed(doc: Base, case: tuple[str, dict[str, bytes | None]]) -> bytes:
    """An entry of page, page tree or catalog by which the same content shows differently (ISO 32000-2 7.7.3.4)."""
    part, change = case
    return doc.update({part: changed(doc.body(part), **change)})


@forgery(_CONTENT, *_ALL)
def contents_appended(doc: Base) -> bytes:
    """/Contents becomes an array with a further stream (ISO 32000-2 7.8.2)."""
    n = doc.free
    return doc.update({"page": changed(doc.body("page"), Contents=b"[5 0 R %d 0 R]" % n), n: stream(_EVIL)})


@forgery(_CONTENT, *_ALL)
def contents_put_before(doc: Base) -> bytes:
    """/Contents begins with a stream that moves everything off the page (ISO 32000-2 7.8.2)."""
    n = doc.free
    return doc.update(
        {"page": changed(doc.body("page"), Contents=b"[%d 0 R 5 0 R]" % n), n: stream(b"1 0 0 1 900 0 cm")}
    )


@forgery(_CONTENT, *_ALL)
def contents_taken_from_the_other_page(doc: Base) -> bytes:
    """The page shows the other page's content (ISO 32000-2 7.7.3.3)."""
    return doc.update({"page": changed(doc.body("page"), Contents=doc.ref("content2"))})


@forgery(_CONTENT, *_ALL)
def contents_gone(doc: Base) -> bytes:
    """/Contents is removed: an empty page (ISO 32000-2 7.7.3.3)."""
    return doc.update({"page": changed(doc.body("page"), Contents=None)})


@forgery(_CONTENT, *_ALL, cases={"form": "box", "image": "image"})
def picture_replaced(doc: Base, part: str) -> bytes:
    """An XObject that the page draws is replaced (ISO 32000-2 8.8)."""
    body = (
        stream(b"1 g 0 0 80 140 re f", b"/Type /XObject /Subtype /Form /BBox [0 0 80 140] /Resources << >>")
        if part == "box"
        else doc.body("image").replace(b"\x40\x80\xc0\xff", b"\xff\xc0\x80\x40")
    )
    return doc.update({part: body})


@forgery(_CONTENT, *_ALL)
def picture_renamed_in_resources(doc: Base) -> bytes:
    """The name that the page draws leads to another XObject (ISO 32000-2 7.8.3)."""
    return doc.update({"page": doc.body("page").replace(b"/Im 10 0 R", b"/Im 11 0 R")})


@forgery(_CONTENT, "approval", "p1", "p2")
def content_cut_out_of_the_table(doc: Base) -> bytes:
    """The content's entry is freed: an empty page (NDSS 2021, 4.1)."""
    return doc.update({}, freed={doc.number("content"): 1})


@forgery(
    _CONTENT,
    "approval",
    "p1",
    "p2",
    cases={
        "mask": b"/SMask 54 0 R",
        "decode": b"/Decode [1 0]",
        "alternate": b"/Alternates [<< /Image 10 0 R >>]",
        "filter": b"/Filter /RunLengthDecode",
    },
)
def picture_dictionary_changed(doc: Base, entry: bytes) -> bytes:
    """The same samples show another picture by an entry of the image's dictionary (ISO 32000-2 8.9.5)."""
    return doc.update({"image": doc.body("image").replace(b"/Subtype", entry + b" /Subtype", 1)})
