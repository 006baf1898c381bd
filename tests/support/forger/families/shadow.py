"""Shadow attacks: the attacker prepares the file, the victim signs it, the attacker reveals what waited in it.

Mainka, Mladenov, Rohlmann: "Shadow Attacks: Hiding and Replacing Content in Signed PDFs" (NDSS 2021).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from tests.support.forger.bases import Base, draw, field_body, look, signed
from tests.support.forger.registry import Expected, forgery
from tests.support.forger.writer import Builder, array, changed, items, stream

_CERTIFY: dict[str, int | None] = {"approval": None, "p1": 1, "p2": 2, "p3": 3}
_HIDDEN = b"BT /F1 12 Tf 60 740 Td (Pay to: Evil Works) Tj ET"
_COVER = stream(
    b"\xff", b"/Type /XObject /Subtype /Image /Width 1 /Height 1 /ColorSpace /DeviceGray /BitsPerComponent 8"
)


def with_cover(form: bool) -> Builder:
    """A page whose unwanted words lie under a white picture (or form) that fits over them."""
    doc = draw()
    content = doc.objects[5][doc.objects[5].index(b"stream\n") + 7 : doc.objects[5].rindex(b"\nendstream")]
    content = b"BT /F1 12 Tf 60 740 Td (Transfer everything) Tj ET\nq 300 0 0 60 50 700 cm /Cover Do Q\n" + content
    doc.objects[5] = stream(content)
    white = stream(b"1 g 0 0 1 1 re f", b"/Type /XObject /Subtype /Form /BBox [0 0 1 1] /Resources << >>")
    doc.put("cover", white if form else _COVER, 60)
    doc.objects[3] = doc.objects[3].replace(b"/Im 10 0 R", b"/Im 10 0 R /Cover 60 0 R")
    return doc


@lru_cache(maxsize=16)
def _prepared(make: Callable[[], Builder], name: str, level: str) -> Base:
    return signed(make(), f"{name}-{level}", _CERTIFY[level])


def cover_image() -> Builder:
    return with_cover(form=False)


def cover_form() -> Builder:
    return with_cover(form=True)


def two_trees() -> Builder:
    """Besides the catalog and tree that show, another page tree that nothing leads to."""
    doc = draw()
    doc.put("catalog2", changed(doc.objects[1], Pages=b"71 0 R"), 70)
    doc.put("pages2", changed(doc.objects[2], Kids=b"[72 0 R]", Count=b"1"), 71)
    doc.put("page3", b"<< /Type /Page /Parent 71 0 R /Contents 73 0 R >>", 72)
    doc.put("content3", stream(_HIDDEN), 73)
    return doc


def spare_font() -> Builder:
    """Besides the font that shows, another one whose digits are others; nothing leads to it."""
    doc = draw()
    swap = b"<< /Type /Encoding /Differences [48 /nine /eight /seven /six /five /four /three /two /one /zero] >>"
    doc.put("font3", changed(doc.objects[7], Encoding=swap), 70)
    return doc


def spare_content() -> Builder:
    """Besides the content that shows, another one that nothing leads to."""
    doc = draw()
    doc.put("content3", stream(_HIDDEN), 70)
    return doc


def layered() -> Builder:
    """A layer that is off holds other words over the same place."""
    doc = draw()
    content = doc.objects[5][doc.objects[5].index(b"stream\n") + 7 : doc.objects[5].rindex(b"\nendstream")]
    doc.objects[5] = stream(content + b"/OC /Layer2 BDC " + _HIDDEN + b" EMC\n")
    return doc


def value_under_look() -> Builder:
    """A text field whose value is not what its look shows."""
    doc = draw()
    doc.objects[23] = changed(doc.objects[23], V=b"(Evil Works)")
    return doc


def cover_field() -> Builder:
    """A button over the text of the page whose icon is empty, to be filled later."""
    doc = draw()
    doc.objects[25] = changed(doc.objects[25], Rect=b"[50 690 300 760]")
    doc.objects[53] = stream(b"", b"/Type /XObject /Subtype /Form /BBox [0 0 100 50] /Resources << >>")
    return doc


def hidden_note() -> Builder:
    """An annotation with other words that is hidden."""
    doc = draw()
    doc.put(
        "secret", b"<< /Type /Annot /Subtype /Stamp /Rect [50 690 300 760] /P 3 0 R /F 2 /AP << /N 71 0 R >> >>", 70
    )
    doc.put("secret_look", look(b"Amount: 900.00", 250, 70, background=b"1 g"), 71)
    doc.objects[12] = array([*items(doc.objects[12]), b"70 0 R"])
    return doc


def cover_annotation() -> Builder:
    """A white annotation over unwanted words of the page."""
    doc = draw()
    content = doc.objects[5][doc.objects[5].index(b"stream\n") + 7 : doc.objects[5].rindex(b"\nendstream")]
    doc.objects[5] = stream(content + b"BT /F1 12 Tf 60 660 Td (Transfer everything) Tj ET\n")
    doc.put(
        "cover_note", b"<< /Type /Annot /Subtype /Stamp /Rect [50 650 300 680] /P 3 0 R /F 4 /AP << /N 71 0 R >> >>", 70
    )
    doc.put("cover_look", stream(b"1 g 0 0 250 30 re f", b"/Type /XObject /Subtype /Form /BBox [0 0 250 30]"), 71)
    doc.objects[12] = array([*items(doc.objects[12]), b"70 0 R"])
    return doc


def cover_widget() -> Builder:
    """A field with an opaque look over unwanted words of the page."""
    doc = draw()
    content = doc.objects[5][doc.objects[5].index(b"stream\n") + 7 : doc.objects[5].rindex(b"\nendstream")]
    doc.objects[5] = stream(content + b"BT /F1 12 Tf 64 505 Td (Evil Works) Tj ET\n")
    doc.objects[50] = look(b"Example Works", 200, 20, background=b"1 g")
    return doc


def script_waiting() -> Builder:
    """A script that runs when the file opens."""
    doc = draw()
    doc.objects[1] = changed(doc.objects[1], OpenAction=b"<< /S /JavaScript /JS (reveal\\(\\)) >>")
    return doc


def white_text() -> Builder:
    """Words in white on white."""
    doc = draw()
    content = doc.objects[5][doc.objects[5].index(b"stream\n") + 7 : doc.objects[5].rindex(b"\nendstream")]
    doc.objects[5] = stream(content + b"1 g " + _HIDDEN.replace(b"740", b"640") + b" 0 g\n")
    return doc


def detached_field() -> Builder:
    """A filled field of the form that stands on no page yet."""
    doc = draw()
    value = b"/V (Amount: 900.00) /AP << /N 71 0 R >>"
    doc.put("spare_field", field_body(b"Tx", b"spare", b"50 690 300 760", value), 70)
    doc.put("spare_look", look(b"Amount: 900.00", 250, 70, background=b"1 g"), 71)
    doc.objects[20] = doc.objects[20].replace(b"25 0 R]", b"25 0 R 70 0 R]")
    return doc


_LEVELS = {k: k for k in _CERTIFY}


@forgery("shadow-hide", cases=_LEVELS)
def cover_picture_freed(level: str) -> bytes:
    """The white picture over unwanted words is marked free: the words show (4.1)."""
    return _prepared(cover_image, "cover-image", level).update({}, freed={60: 1})


@forgery("shadow-hide", cases=_LEVELS)
def cover_picture_emptied(level: str) -> bytes:
    """The white picture is replaced by an empty form (4.1)."""
    empty = stream(b"", b"/Type /XObject /Subtype /Form /BBox [0 0 1 1]")
    return _prepared(cover_image, "cover-image", level).update({60: empty})


@forgery("shadow-hide", cases=_LEVELS)
def cover_form_renamed(level: str) -> bytes:
    """The cover's /Type and /Subtype are changed so that readers no longer draw it (4.1)."""
    doc = _prepared(cover_form, "cover-form", level)
    return doc.update({60: changed(doc.body(60), Type=b"/Example", Subtype=b"/Example")})


@forgery("shadow-hide", cases=_LEVELS)
def cover_annotation_removed(level: str) -> bytes:
    """The white annotation is removed: the words below show (4.1)."""
    doc = _prepared(cover_annotation, "cover-annotation", level)
    return doc.update({"annots": array(i for i in items(doc.body("annots")) if i != b"70 0 R")})


@forgery("shadow-hide", cases=_LEVELS)
def cover_annotation_freed(level: str) -> bytes:
    """The white annotation is marked free (4.1)."""
    return _prepared(cover_annotation, "cover-annotation", level).update({}, freed={70: 1})


@forgery("shadow-hide", cases=_LEVELS)
def cover_widget_emptied(level: str) -> bytes:
    """A field's opaque look becomes transparent: other words show through it (4.1)."""
    return _prepared(cover_widget, "cover-widget", level).update({"payee_look": look(b" ")})


@forgery("shadow-replace", cases=_LEVELS)
def value_drawn_in_place_of_look(level: str) -> bytes:
    """The field's look is taken away: readers draw the value that waited below it (4.2)."""
    doc = _prepared(value_under_look, "value-under-look", level)
    return doc.update({"payee": changed(doc.body("payee"), AP=None)})


@forgery("shadow-replace", cases={"p1": "p1"})
@forgery("shadow-replace", cases={k: k for k in ("approval", "p2", "p3")}, expected=Expected.NOT_VALID)
def fields_drawn_anew(level: str) -> bytes:
    """NeedAppearances makes readers draw the value that waited below the look (4.2)."""
    doc = _prepared(value_under_look, "value-under-look", level)
    return doc.update({"form": changed(doc.body("form"), NeedAppearances=b"true")})


@forgery("shadow-replace", cases=_LEVELS)
def prepared_font_used(level: str) -> bytes:
    """The page's resources switch to a font with swapped digits that waited in the signed file (4.2)."""
    doc = _prepared(spare_font, "spare-font", level)
    return doc.update({"page": doc.body("page").replace(b"/F1 7 0 R", b"/F1 70 0 R")})


@forgery("shadow-replace", cases=_LEVELS)
def font_overwritten(level: str) -> bytes:
    """The font's object is overwritten by one with swapped digits (4.2)."""
    doc = _prepared(spare_font, "spare-font", level)
    return doc.update({"font": doc.body("font3")})


@forgery("shadow-replace", cases=_LEVELS)
def button_filled_over_the_text(level: str) -> bytes:
    """An empty button that lies over the text gets an icon (4.2)."""
    doc = _prepared(cover_field, "cover-field", level)
    return doc.update({"logo_look": look(b"Amount: 900.00", 100, 50, background=b"1 g")})


@forgery("shadow-hide-and-replace", cases=_LEVELS)
def tree_switched(level: str) -> bytes:
    """The catalog is overwritten to lead to a page tree that waited in the signed file (4.3)."""
    doc = _prepared(two_trees, "two-trees", level)
    return doc.update({"catalog": changed(doc.body("catalog"), Pages=b"71 0 R")})


@forgery("shadow-hide-and-replace", cases=_LEVELS)
def catalog_switched(level: str) -> bytes:
    """The trailer leads to a second catalog that waited in the signed file; nothing is written (4.3)."""
    return _prepared(two_trees, "two-trees", level).update({}, trailer={b"/Root": b"70 0 R"})


@forgery("shadow-hide-and-replace", cases=_LEVELS)
def entry_switched(level: str) -> bytes:
    """The table leads from the page's content to one that waited in the signed file (4.3)."""
    doc = _prepared(spare_content, "spare-content", level)
    return doc.update({}, offsets={5: doc.pdf.index(b"70 0 obj")})


@forgery("shadow-hide-and-replace", cases=_LEVELS)
def content_named(level: str) -> bytes:
    """The page's /Contents name a stream that waited in the signed file (4.3)."""
    doc = _prepared(spare_content, "spare-content", level)
    return doc.update({"page": changed(doc.body("page"), Contents=b"70 0 R")})


@forgery("shadow-hide-and-replace", cases=_LEVELS)
def layer_switched(level: str) -> bytes:
    """The layer with other words is turned on (4.3)."""
    doc = _prepared(layered, "layered", level)
    return doc.update({"layers": changed(doc.body("layers"), D=b"<< /ON [36 0 R] /OFF [35 0 R] >>")})


@forgery("shadow-hide-and-replace", cases=_LEVELS)
def hidden_annotation_shown(level: str) -> bytes:
    """A hidden stamp of the signed file is shown by its flags (4.3)."""
    doc = _prepared(hidden_note, "hidden-note", level)
    return doc.update({70: changed(doc.body(70), F=b"4")})


@forgery("shadow-hide-and-replace", cases=_LEVELS)
def detached_field_put_on_the_page(level: str) -> bytes:
    """A field that stood on no page is put over the text (4.3)."""
    doc = _prepared(detached_field, "detached-field", level)
    return doc.update({"annots": array([*items(doc.body("annots")), b"70 0 R"])})
