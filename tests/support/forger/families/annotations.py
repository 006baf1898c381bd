"""Evil annotation attack: permitted or hidden annotations put on a certified document show something else.

Rohlmann, Mladenov, Mainka, Schwenk: "Breaking the Specification: PDF Certification" (IEEE S&P 2021), 4.1.
"""

from __future__ import annotations

from tests.support.forger.bases import Base, look
from tests.support.forger.registry import forgery
from tests.support.forger.writer import array, changed, items, stream

_FAMILY = "evil-annotation"
_FORBIDDEN = ("p1", "p2", "p2-stream")
_COVER = b"/Rect [50 690 300 760]"


def annotate(doc: Base, *annotations: bytes, more: dict[str | int, bytes] | None = None, **options: object) -> bytes:
    """The file with annotations added to its first page; they get the numbers from ``doc.free`` on."""
    numbers = range(doc.free, doc.free + len(annotations))
    refs = [b"%d 0 R" % n for n in numbers]
    objects: dict[str | int, bytes] = dict(zip(numbers, annotations, strict=True))
    objects["annots"] = array(items(doc.body("annots")) + refs)
    return doc.update({**objects, **(more or {})}, **options)


def annotation(subtype: bytes, more: bytes = b"", rect: bytes = _COVER) -> bytes:
    return b"<< /Type /Annot /Subtype /%s %s /P 3 0 R /F 4 %s >>" % (subtype, rect, more)


_KINDS = {
    "freetext": annotation(b"FreeText", b"/Contents (Pay to: Evil Works) /DA (/F1 12 Tf 0 g) /C [1 1 1]"),
    "redact": annotation(
        b"Redact", b"/IC [1 1 1] /OverlayText (Amount: 900.00) /QuadPoints [50 760 300 760 50 690 300 690]"
    ),
    "stamp": annotation(b"Stamp", b"/Name /Approved"),
    "square": annotation(b"Square", b"/IC [1 1 1] /C [1 1 1]"),
    "circle": annotation(b"Circle", b"/IC [1 1 1]"),
    "line": annotation(b"Line", b"/L [50 725 300 725] /BS << /W 40 >> /C [1 1 1]"),
    "polygon": annotation(b"Polygon", b"/Vertices [50 690 300 690 300 760 50 760] /IC [1 1 1]"),
    "ink": annotation(b"Ink", b"/InkList [[50 725 300 725]] /BS << /W 60 >> /C [1 1 1]"),
    "highlight": annotation(b"Highlight", b"/QuadPoints [50 760 300 760 50 690 300 690] /C [0 0 0]"),
    "strikeout": annotation(b"StrikeOut", b"/QuadPoints [50 760 300 760 50 690 300 690]"),
    "caret": annotation(b"Caret", b"/Contents (900.00)"),
    "text": annotation(b"Text", b"/Contents (void) /Name /Note", b"/Rect [50 740 70 760]"),
    "file-attachment": annotation(b"FileAttachment", b"/FS 40 0 R /Contents (other terms)"),
    "link": annotation(b"Link", b"/A << /S /URI /URI (http://127.0.0.1/evil) >>"),
    "watermark": annotation(b"Watermark", b"/FixedPrint << /Type /FixedPrint >>"),
    "screen": annotation(b"Screen", b"/MK << /BG [1 1 1] >>"),
    "3d": annotation(b"3D"),
    "rich-media": annotation(b"RichMedia"),
    "movie": annotation(b"Movie", b"/Movie << /F (x) >>"),
    "projection": annotation(b"Projection"),
    "popup": annotation(b"Popup", b"/Open true"),
    "unknown": annotation(b"Example", b"/Contents (x)"),
}


@forgery(_FAMILY, *_FORBIDDEN, cases=_KINDS)
def annotation_where_none_is_permitted(doc: Base, body: bytes) -> bytes:
    """An annotation over the text of a document whose certification permits none (ISO 32000-2 Table 257, P 1 and 2)."""
    return annotate(doc, body)


@forgery(_FAMILY, *_FORBIDDEN, "p1-packed", cases={"white": b"1 g", "text": b""})
def annotation_with_an_appearance(doc: Base, colour: bytes) -> bytes:
    """A stamp whose appearance is a changed piece of the page (S&P 2021, 4.1)."""
    number = doc.free + 1
    body = annotation(b"Stamp", b"/AP << /N %d 0 R >>" % number)
    return annotate(doc, body, more={number: look(b"Amount: 900.00", 250, 70, background=colour)})


_NOT_EVEN_AT_3 = {
    k: _KINDS[k] for k in ("redact", "screen", "3d", "rich-media", "movie", "watermark", "projection", "unknown")
}


@forgery(_FAMILY, "p3", cases=_NOT_EVEN_AT_3)
def kind_that_is_no_comment(doc: Base, body: bytes) -> bytes:
    """P 3 permits comments; this kind plays, redacts or prints and is none (ISO 32000-2 Table 257; S&P 2021, 4.1)."""
    return annotate(doc, body)


@forgery(_FAMILY, "p3", cases={"white": b"1 g", "grey": b"0.99 g"})
def comment_that_covers_text_opaquely(doc: Base, colour: bytes) -> bytes:
    """A comment, permitted at P 3, whose appearance replaces signed text by other text (S&P 2021, 4.1)."""
    number = doc.free + 1
    body = annotation(b"FreeText", b"/Contents () /DA (/F1 12 Tf 0 g) /AP << /N %d 0 R >>" % number)
    return annotate(doc, body, more={number: look(b"Amount: 900.00", 250, 70, background=colour)})


@forgery(
    _FAMILY,
    "p3",
    cases={
        "uri": b"/S /URI /URI (http://127.0.0.1/)",
        "js": b"/S /JavaScript /JS (app.alert\\(1\\))",
        "launch": b"/S /Launch /F (calc.exe)",
        "gotor": b"/S /GoToR /F (x.pdf) /D [0 /Fit]",
    },
)
def comment_with_an_action(doc: Base, action: bytes) -> bytes:
    """A comment, permitted at P 3, that carries an action (ISO 32000-2 12.6)."""
    return annotate(doc, annotation(b"Square", b"/A << %s >>" % action))


@forgery(_FAMILY, "approval", "p1", "p2", "p3")
def signed_annotation_removed(doc: Base) -> bytes:
    """An annotation that was signed is taken off the page (ISO 32000-2 12.5.2)."""
    kept = [i for i in items(doc.body("annots")) if i not in (b"26 0 R", b"28 0 R")]
    return doc.update({"annots": array(kept)})


@forgery(_FAMILY, "p1", "p2")
def signed_annotation_reworded(doc: Base) -> bytes:
    """The words of a signed note are replaced (ISO 32000-2 12.5.2)."""
    return doc.update({"note": changed(doc.body("note"), Contents=b"(rejected)")})


@forgery(_FAMILY, "p1", "p2", cases={"hidden": b"6", "no-view": b"36", "print-off": b"0", "invisible": b"5"})
def annotation_flags_changed(doc: Base, flags: bytes) -> bytes:
    """The flags of a signed annotation are changed: it appears or vanishes (ISO 32000-2 12.5.3)."""
    return doc.update({"note": changed(doc.body("note"), F=flags)})


@forgery(_FAMILY, "p1", "p2")
def annotation_under_optional_content(doc: Base) -> bytes:
    """A signed annotation is put into a layer that is off (ISO 32000-2 8.11.3.3)."""
    return doc.update({"note": changed(doc.body("note"), OC=doc.ref("layer2"))})


@forgery(_FAMILY, "approval", "p1", "p2")
def annotation_look_replaced(doc: Base) -> bytes:
    """The appearance stream of a signed note shows something else (ISO 32000-2 12.5.5)."""
    return doc.update({"note_look": look(b"VOID", 20, 20, background=b"1 0 0 rg")})


@forgery(_FAMILY, "p1", "p2")
def annotation_moved(doc: Base) -> bytes:
    """The rectangle of a signed annotation is moved over the amount (ISO 32000-2 12.5.2)."""
    return doc.update({"note": changed(doc.body("note"), Rect=b"[60 715 200 735]")})


@forgery(_FAMILY, "p1", "p2")
def annotations_reordered(doc: Base) -> bytes:
    """The order of painting of annotations is turned round (ISO 32000-2 12.5.2)."""
    return doc.update({"annots": array(reversed(items(doc.body("annots"))))})


@forgery(_FAMILY, "p2", "p3")
def annotations_of_another_page(doc: Base) -> bytes:
    """The second page gets the first one's array, widgets included (ISO 32000-2 7.7.3.3)."""
    return doc.update({"page2": changed(doc.body("page2"), Annots=doc.ref("annots"))})


@forgery(_FAMILY, "p1", "p2")
def popup_opened(doc: Base) -> bytes:
    """A signed pop-up window is opened over the text, with other words in its parent (ISO 32000-2 12.5.6.14)."""
    return doc.update({"popup": changed(doc.body("popup"), Open=b"true", Rect=b"[50 690 300 760]")})


@forgery(_FAMILY, "p1", "p2")
def annotation_added_and_hidden_then_shown(doc: Base) -> bytes:
    """One update brings a hidden stamp, the next shows it (S&P 2021, 4.1)."""
    number = doc.free
    hidden = annotation(b"Stamp", b"/AP << /N %d 0 R >>" % (number + 1)).replace(b"/F 4", b"/F 2")
    first = annotate(doc, hidden, more={number + 1: look(b"Amount: 900.00", 250, 70, background=b"1 g")})
    second = Base(doc.name, first, doc.parts)
    return second.update({number: changed(second.body(number), F=b"4")})


@forgery(_FAMILY, "p1", "p2", "p3")
def annotation_that_is_page_content(doc: Base) -> bytes:
    """The new annotation's appearance is the object that draws the page (ISO 32000-2 7.8.2)."""
    body = annotation(b"Stamp", b"/AP << /N 5 0 R >>")
    clash = stream(b"BT /F1 12 Tf 60 740 Td (Pay to: Evil) Tj ET", b"/Type /XObject /Subtype /Form /BBox [0 0 250 70]")
    return annotate(doc, body, more={"content": clash})
