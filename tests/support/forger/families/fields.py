"""Form fields: the look against the value, values swapped, fields that look like others (ISO 32000-2 12.7)."""

from __future__ import annotations

from tests.support.forger.bases import Base, field_body, look
from tests.support.forger.families.sneaky import with_field
from tests.support.forger.registry import forgery
from tests.support.forger.writer import array, changed, entries, items, stream

_FAMILY = "field-appearance"
_ALL = ("approval", "p2", "p3")
_FORBIDDEN = ("p1",)


@forgery(_FAMILY, *_ALL)
def look_without_value(doc: Base) -> bytes:
    """The text field shows another payee while /V keeps the signed one (NDSS 2021, 4.2)."""
    return doc.update({"payee_look": look(b"Evil Works")})


@forgery(_FAMILY, *_ALL)
def value_and_other_look(doc: Base) -> bytes:
    """The field is filled, but its look shows something other than its value (ISO 32000-2 12.7.4.3)."""
    n = doc.free
    body = changed(doc.body("payee"), V=b"(Good Works)", AP=b"<< /N %d 0 R >>" % n)
    return doc.update({"payee": body, n: look(b"Evil Works")})


@forgery(_FAMILY, *_ALL)
def value_with_an_opaque_cover(doc: Base) -> bytes:
    """The filled field's look is larger than the field and covers the page (ISO 32000-2 12.5.5)."""
    n = doc.free
    cover = stream(
        b"1 g -400 -400 900 900 re f BT /F1 12 Tf 2 5 Td (Good Works) Tj ET",
        b"/Type /XObject /Subtype /Form /BBox [-400 -400 600 600] /Matrix [1 0 0 1 0 0] "
        b"/Resources << /Font << /F1 7 0 R >> >>",
    )
    body = changed(doc.body("payee"), V=b"(Good Works)", AP=b"<< /N %d 0 R >>" % n, Rect=b"[0 400 590 840]")
    return doc.update({"payee": body, n: cover})


@forgery(_FAMILY, *_ALL)
def button_icon_replaced(doc: Base) -> bytes:
    """The icon of a push button, which nobody fills, is replaced (NDSS 2021, 4.1)."""
    return doc.update({"logo_look": look(b"Evil logo", 100, 50)})


@forgery(_FAMILY, *_ALL)
def button_icon_given(doc: Base) -> bytes:
    """A push button gets another look that covers the amount (NDSS 2021, 4.1)."""
    n = doc.free
    body = changed(doc.body("logo"), AP=b"<< /N %d 0 R >>" % n, Rect=b"[50 690 300 760]")
    return doc.update({"logo": body, n: look(b"Amount: 900.00", 250, 70, background=b"1 g")})


@forgery(_FAMILY, *_ALL)
def check_mark_redrawn(doc: Base) -> bytes:
    """The look of the state Off of a check box shows a check (ISO 32000-2 12.7.5.2.3)."""
    return doc.update({"off_look": look(b"X", 20, 20)})


@forgery(_FAMILY, *_ALL)
def check_state_against_value(doc: Base) -> bytes:
    """The shown state /AS of the check box is another than its value /V (ISO 32000-2 12.7.5.2.3)."""
    return doc.update({"agree": changed(doc.body("agree"), AS=b"/Yes")})


@forgery(_FAMILY, *_FORBIDDEN, cases={"text": "payee", "check": "agree"})
def filled_where_nothing_is_permitted(doc: Base, part: str) -> bytes:
    """A field is filled in although P is 1 (ISO 32000-2 Table 257)."""
    change = {"V": b"(Evil Works)"} if part == "payee" else {"V": b"/Yes", "AS": b"/Yes"}
    return doc.update({part: changed(doc.body(part), **change)})


@forgery(
    _FAMILY,
    *_ALL,
    "p1",
    cases={
        "type": {"FT": b"/Btn"},
        "name": {"T": b"(amount)"},
        "flags": {"Ff": b"8192"},
        "rect": {"Rect": b"[60 715 260 735]"},
        "hidden": {"F": b"6"},
        "no-parent-form": {"FT": None},
        "alternate-name": {"TU": b"(sum)"},
        "max-length": {"MaxLen": b"1"},
        "colour": {"MK": b"<< /BG [1 1 1] >>"},
        "border": {"BS": b"<< /W 60 >>"},
        "layer": {"OC": b"36 0 R"},
        "page": {"P": b"4 0 R"},
        "default-look": {"DA": b"(/F1 90 Tf 1 g)"},
        "rich-text": {"RV": b"(<body>Evil</body>)"},
    },
)
def field_dictionary_changed(doc: Base, change: dict[str, bytes | None]) -> bytes:
    """Something other than the value of a field is changed (ISO 32000-2 12.7.4)."""
    return doc.update({"payee": changed(doc.body("payee"), **change)})


@forgery(
    "look-alike-field",
    *_ALL,
    "p1",
    cases={
        "same-name": b"payee",
        "same-as-signature": b"Sig1",
        "with-space": b"payee ",
        "look-alike": b"p\\341yee",
        "dotted": b"a.b",
    },
)
def text_field_added(doc: Base, name: bytes) -> bytes:
    """A new text field, named (nearly) as a signed one, is laid over the page (ISO 32000-2 12.7.4.2)."""
    n = doc.free + 1
    body = field_body(b"Tx", name, b"50 690 300 760", b"/V (x) /AP << /N %d 0 R >>" % n)
    return with_field(doc, body, more={n: look(b"Amount: 900.00", 250, 70, background=b"1 g")})


@forgery("look-alike-field", "approval", "p1", "p2")
def signature_field_of_the_same_name(doc: Base) -> bytes:
    """A second signature field named Sig1 without a signature (ISO 32000-2 12.7.4.2: names are unique)."""
    return with_field(doc, field_body(b"Sig", b"Sig1", b"300 300 400 350"))


@forgery("look-alike-field", "approval", "p2")
def signature_shown_twice(doc: Base) -> bytes:
    """A new field's value is the old signature, so that one signature counts as two (ISO 32000-2 12.7.5.5)."""
    body = field_body(b"Sig", b"Sig3", b"300 300 400 350", b"/V %d 0 R" % doc.signature)
    return with_field(doc, body)


@forgery("field-values-swapped", "approval", "p1", "p2")
def signature_moved_to_another_field(doc: Base) -> bytes:
    """The signature's value is taken from its field and given to the other (ISO 32000-2 12.7.5.5)."""
    value = entries(doc.body("sig1"))[b"/V"]
    return doc.update({"sig1": changed(doc.body("sig1"), V=None), "sig2": changed(doc.body("sig2"), V=value)})


@forgery("field-values-swapped", "approval", "p1", "p2")
def signature_given_to_both_fields(doc: Base) -> bytes:
    """The empty field gets the other one's signature as its value (ISO 32000-2 12.7.5.5)."""
    value = entries(doc.body("sig1"))[b"/V"]
    return doc.update({"sig2": changed(doc.body("sig2"), V=value)})


@forgery("field-values-swapped", "approval", "p1", "p2")
def fields_swap_their_names(doc: Base) -> bytes:
    """The signed field and the empty one exchange their names (ISO 32000-2 12.7.4.2)."""
    return doc.update({"sig1": changed(doc.body("sig1"), T=b"(Sig2)"), "sig2": changed(doc.body("sig2"), T=b"(Sig1)")})


@forgery("field-values-swapped", "approval", "p2", "p3")
def looks_swapped(doc: Base) -> bytes:
    """Two fields exchange their appearances (ISO 32000-2 12.5.5)."""
    first, second = entries(doc.body("payee"))[b"/AP"], entries(doc.body("logo"))[b"/AP"]
    return doc.update({"payee": changed(doc.body("payee"), AP=second), "logo": changed(doc.body("logo"), AP=first)})


@forgery("field-values-swapped", "approval", "p2", "p3")
def field_removed_from_the_form(doc: Base) -> bytes:
    """A filled field is taken out of the form, its widget stays (ISO 32000-2 12.7.3)."""
    kept = [i for i in items(entries(doc.body("form"))[b"/Fields"]) if i != doc.ref("payee")]
    return doc.update({"form": changed(doc.body("form"), Fields=array(kept))})


@forgery(
    "form-dictionary",
    "p1",
    cases={
        "need-appearances": {"NeedAppearances": b"true"},
        "default-look": {"DA": b"(/F1 40 Tf 1 g)"},
        "right-aligned": {"Q": b"2"},
        "resources": {"DR": b"<< >>"},
    },
)
def form_defaults_changed(doc: Base, change: dict[str, bytes | None]) -> bytes:
    """The form's defaults, by which fields may be drawn anew, are changed although P is 1 (ISO 32000-2 12.7.3)."""
    return doc.update({"form": changed(doc.body("form"), **change)})


@forgery(
    "form-dictionary",
    *_ALL,
    "p1",
    cases={
        "xfa": {"XFA": b"[(form) 5 0 R]"},
        "fields-gone": {"Fields": b"[]"},
        "fields-null": {"Fields": b"null"},
        "unknown": {"Example": b"1"},
    },
)
def form_dictionary_changed(doc: Base, change: dict[str, bytes | None]) -> bytes:
    """The form's own dictionary is changed, by which every field shows differently (ISO 32000-2 12.7.3)."""
    return doc.update({"form": changed(doc.body("form"), **change)})


@forgery("xfa-change", "approval", "p1", "p2", "p3", cases={"stream": True, "array": False})
def xfa_added(doc: Base, single: bool) -> bytes:
    """An XFA form is added: readers that know it show it in place of the signed pages (ISO 32000-2 12.7.8)."""
    n = doc.free
    packet = stream(b"<xdp:xdp xmlns:xdp='http://ns.adobe.com/xdp/'><template/></xdp:xdp>")
    value = b"%d 0 R" % n if single else b"[(xdp:xdp) %d 0 R (/xdp:xdp) %d 0 R]" % (n, n)
    return doc.update({"form": changed(doc.body("form"), XFA=value), n: packet})
