"""Sneaky signature attack: further signature fields whose appearance covers and replaces signed text.

Rohlmann et al., "Breaking the Specification: PDF Certification" (IEEE S&P 2021), 4.2.
"""

from __future__ import annotations

from tests.support.forger.bases import Base, field_body, look, sign
from tests.support.forger.families.annotations import annotate
from tests.support.forger.families.sneaky_signing import sign_without_leave
from tests.support.forger.registry import Expected, forgery
from tests.support.forger.writer import array, changed, entries, items

_FAMILY = "sneaky-signature"


def with_field(doc: Base, body: bytes, *, on_page: bool = True, more: dict[str | int, bytes] | None = None) -> bytes:
    """The file with one more field (its number ``doc.free``) in form and page."""
    fields = items(entries(doc.body("form"))[b"/Fields"]) + [b"%d 0 R" % doc.free]
    objects: dict[str | int, bytes] = {"form": changed(doc.body("form"), Fields=array(fields)), **(more or {})}
    if on_page:
        return annotate(doc, body, more=objects)
    return doc.update({doc.free: body, **objects})


def _signature_field(doc: Base, rect: bytes, text: bytes, size: tuple[int, int]) -> bytes:
    number = doc.free + 1
    body = field_body(b"Sig", b"Sig9", rect, b"/AP << /N %d 0 R >>" % number)
    return with_field(doc, body, more={number: look(text, *size, background=b"1 g")})


@forgery(_FAMILY, "p1", "p2", "p3")
def empty_field_over_the_text(doc: Base) -> bytes:
    """A new signature field, never signed, whose appearance replaces the amount (S&P 2021, 4.2)."""
    return _signature_field(doc, b"50 690 300 760", b"Amount: 900.00", (250, 70))


@forgery(_FAMILY, "p1", "p2", "p3")
def signed_field_over_the_text(doc: Base) -> bytes:
    """As before and signed, by somebody, with any key (S&P 2021, 4.2)."""
    return sign_without_leave(_signature_field(doc, b"50 690 300 760", b"Amount: 900.00", (250, 70)), "Sig9")


@forgery(_FAMILY, "approval", expected=Expected.NOT_VALID)
def second_signer_covers_the_text(doc: Base) -> bytes:
    """Nothing is certified, and the second signature's look replaces the amount the first one saw (S&P 2021, 4.2)."""
    return sign_without_leave(_signature_field(doc, b"50 690 300 760", b"Amount: 900.00", (250, 70)), "Sig9")


@forgery(_FAMILY, "p2", "p3")
def existing_field_moved_and_signed(doc: Base) -> bytes:
    """The reserved empty field is moved over the amount, then signed (ISO 32000-2 12.8.2.2)."""
    moved = doc.update({"sig2": changed(doc.body("sig2"), Rect=b"[50 690 300 760]")})
    return sign(moved, "Sig2")


@forgery(_FAMILY, "p1", "p2", "approval")
def signed_widget_replaced(doc: Base) -> bytes:
    """The appearance of the field that was signed first shows another signer (S&P 2021, 4.2)."""
    number = doc.free
    body = changed(doc.body("sig1"), AP=b"<< /N %d 0 R >>" % number)
    return doc.update({"sig1": body, number: look(b"signed by the minister", 140, 50)})


@forgery(_FAMILY, "p1", "p2", "approval")
def signed_widget_look_overwritten(doc: Base) -> bytes:
    """The appearance stream of the signed field is overwritten under its own number (ISO 32000-2 12.5.5)."""
    number = int(entries(entries(doc.body("sig1"))[b"/AP"])[b"/N"].split()[0])
    return doc.update({number: look(b"signed by the minister", 140, 50)})


@forgery(
    _FAMILY,
    "p2",
    "approval",
    cases={"over-the-amount": [60, 715, 300, 735], "elsewhere": [300, 160, 440, 210], "wider": [300, 60, 590, 110]},
)
def prepared_field_moved_while_it_is_signed(doc: Base, rect: list[int]) -> bytes:
    """The second signer's field is signed at another place than the one that was reserved (ISO 32000-2 12.7.5.5)."""
    return sign(doc.pdf, "Sig2", rect=rect)


@forgery(_FAMILY, "p1", "p2", "approval")
def signed_widget_moved(doc: Base) -> bytes:
    """The widget of the signed field is enlarged over the page (ISO 32000-2 12.5.2)."""
    return doc.update({"sig1": changed(doc.body("sig1"), Rect=b"[50 600 500 800]")})


@forgery(_FAMILY, "p1", "p2", "approval", cases={"hidden": b"6", "no-view": b"36"})
def signed_widget_hidden(doc: Base, flags: bytes) -> bytes:
    """The widget of the signed field is hidden (ISO 32000-2 12.5.3)."""
    return doc.update({"sig1": changed(doc.body("sig1"), F=flags)})


@forgery(_FAMILY, "p1")
def second_signature_where_none_is_permitted(doc: Base) -> bytes:
    """A further signature in a reserved field although P is 1 (ISO 32000-2 Table 257)."""
    return sign_without_leave(doc.pdf, "Sig2")


@forgery(_FAMILY, "p1", "p2")
def field_without_rectangle(doc: Base) -> bytes:
    """A new signature field whose widget has no /Rect but a look, as some readers draw (S&P 2021, 4.2)."""
    number = doc.free + 1
    body = changed(field_body(b"Sig", b"Sig9", b"0 0 0 0", b"/AP << /N %d 0 R >>" % number), Rect=None)
    return with_field(doc, body, more={number: look(b"Amount: 900.00", 250, 70, background=b"1 g")})


@forgery(_FAMILY, "p2", "p3", "approval")
def field_with_widgets_over_both_pages(doc: Base) -> bytes:
    """A new signature field with several widgets, one of them across the other page (ISO 32000-2 12.7.5.5)."""
    n = doc.free
    widget = b"<< /Type /Annot /Subtype /Widget /Parent %d 0 R /F 4 /Rect [%s] /AP << /N %d 0 R >> >>"
    objects: dict[str | int, bytes] = {
        n + 1: widget % (n, b"50 700 300 800", n + 3),
        n + 2: widget % (n, b"50 100 500 800", n + 3),
        n + 3: look(b"Amount: 900.00", 250, 70, background=b"1 g"),
        "page2": changed(doc.body("page2"), Annots=b"[%d 0 R]" % (n + 2)),
        "annots": array([*items(doc.body("annots")), b"%d 0 R" % (n + 1)]),
        "form": changed(doc.body("form"), Fields=array([*items(entries(doc.body("form"))[b"/Fields"]), b"%d 0 R" % n])),
        n: b"<< /FT /Sig /T (Sig9) /Kids [%d 0 R %d 0 R] >>" % (n + 1, n + 2),
    }
    return doc.update(objects)


@forgery(_FAMILY, "p2", "p3")
def field_that_is_not_in_the_form(doc: Base) -> bytes:
    """A signature widget on the page that the form does not list (ISO 32000-2 12.7.3)."""
    number = doc.free + 1
    body = field_body(b"Sig", b"Sig9", b"50 690 300 760", b"/AP << /N %d 0 R >>" % number)
    return annotate(doc, body, more={number: look(b"Amount: 900.00", 250, 70, background=b"1 g")})


@forgery(_FAMILY, "p2", "p3")
def field_with_an_action(doc: Base) -> bytes:
    """A new signature field that runs a script when touched (ISO 32000-2 12.6.3)."""
    body = field_body(b"Sig", b"Sig9", b"0 0 0 0", b"/AA << /E << /S /JavaScript /JS (app.alert\\(1\\)) >> >>")
    return with_field(doc, body)
