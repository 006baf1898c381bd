"""Comparing revisions: what a later revision may change, and what names itself when it may not."""

from __future__ import annotations

import zlib
from collections.abc import Callable

import pytest

from tests.support.forger.bases import Base, base, field_body, look
from tests.support.forger.writer import array, changed, entries, items, stream
from verify.checks.changes.compare import compare
from verify.checks.changes.fieldlook import plain
from verify.checks.changes.fonts import glyph_text, read_map
from verify.checks.changes.judge import Judge
from verify.checks.changes.metadata import is_xmp
from verify.checks.changes.model import MOST_FAULTS, Area, Changes, Kind, Path, Remark
from verify.checks.changes.permissions import Lock, Rights, rights_after
from verify.checks.changes.reasons import Doubt, Reason
from verify.checks.changes.walk import Effort
from verify.formats.pdffile import PdfFile, PdfLimitError
from verify.formats.pdfsignatures import find_signatures
from verify.formats.pdfvalues import Name, Text
from verify.messages.reasons_zh import PHRASES
from verify.place import Place

Edit = Callable[[Base], bytes]


def judged(pdf: bytes, end: int | None = None) -> Changes:
    """What happened after the first signature of a file, or after ``end``."""
    file = PdfFile(pdf)
    signatures = [(s, s.byte_range[2] + s.byte_range[3]) for s in find_signatures(file.newest, 50)]
    return Judge(file, signatures).after(end or min(e for _, e in signatures))


def again(doc: Base, pdf: bytes) -> Base:
    return Base(doc.name, pdf, doc.parts, doc.packed)


# -- harmless


def _rewritten_store(doc: Base) -> bytes:
    """A store, then a newer one with other streams under another number."""
    n = doc.free
    vri = b"<< /%s << /Cert [%d 0 R] >> >>"
    objects: dict[str | int, bytes] = {
        n: stream(b"0certificate"),
        n + 1: b"<< /Certs [%d 0 R] /VRI %s >>" % (n, vri % (b"A" * 40, n)),
        "catalog": changed(doc.body("catalog"), DSS=b"%d 0 R" % (n + 1)),
    }
    first = again(doc, doc.update(objects))
    n = first.free
    return first.update(
        {
            n: stream(b"0newer"),
            n + 1: b"<< /Certs [%d 0 R] /VRI %s >>" % (n, vri % (b"B" * 64, n)),
            "catalog": changed(first.body("catalog"), DSS=b"%d 0 R" % (n + 1)),
        }
    )


def _moved(doc: Base) -> bytes:
    """Contents, font and page tree under other numbers, in other shape, with the same values."""
    n = doc.free
    content = doc.body("content")
    data = content[content.index(b"stream\n") + 7 : content.rindex(b"\nendstream")]
    page = doc.body("page").replace(b"/Contents 5 0 R", b"/Contents %d 0 R" % n).replace(b"7 0 R", b"%d 0 R" % (n + 1))
    pages = changed(doc.body("pages"), Kids=b"[%d 0 R 4 0 R]" % (n + 2))
    between = b"<< /Type /Pages /Parent 2 0 R /Count 1 /Kids [3 0 R] >>"
    return doc.update(
        {
            "page": page.replace(b"/Parent 2 0 R", b"/Parent %d 0 R" % (n + 2)),
            "pages": pages,
            n: stream(data, packed=True),
            n + 1: doc.body("font"),
            n + 2: between,
        }
    )


def _annotations_direct(doc: Base) -> bytes:
    return doc.update({"page": changed(doc.body("page"), Annots=doc.body("annots"))})


def _orphans(doc: Base) -> bytes:
    return doc.update({doc.free: stream(b"(nobody asks for this) Tj"), doc.free + 1: b"<< /Type /Font >>"})


def _new_field(doc: Base) -> bytes:
    fields = items(entries(doc.body("form"))[b"/Fields"])
    return doc.update(
        {
            "form": changed(doc.body("form"), Fields=array([*fields, b"%d 0 R" % doc.free])),
            "annots": array([*items(doc.body("annots")), b"%d 0 R" % doc.free]),
            doc.free: field_body(b"Sig", b"Sig9", b"0 0 0 0"),
        }
    )


def _filled(doc: Base) -> bytes:
    n = doc.free
    payee = changed(doc.body("payee"), V=b"(Good Works)", AP=b"<< /N %d 0 R >>" % n)
    return doc.update({"payee": payee, n: look(b"Good Works")})


HARMLESS: dict[str, tuple[str, Edit, set[Kind]]] = {
    "nothing": ("p1", lambda d: d.pdf, set()),
    "empty-update": ("p1", lambda d: d.update({}), {Kind.REWRITTEN}),
    "store-rewritten": ("p1", _rewritten_store, {Kind.VALIDATION_DATA}),
    "objects-moved": ("p1", _moved, {Kind.REWRITTEN}),
    "annotations-direct": ("p1", _annotations_direct, {Kind.REWRITTEN}),
    "orphans": ("p1", _orphans, {Kind.REWRITTEN}),
    "identifier": ("p1", lambda d: d.update({}, trailer={b"/ID": b"[<01> <02>]"}), {Kind.CATALOG}),
    "version": ("p1", lambda d: d.update({"catalog": changed(d.body("catalog"), Version=b"/1.6")}), {Kind.CATALOG}),
    "invisible-field": ("p2", _new_field, {Kind.SIGNATURE_FIELD}),
    "form-filled": ("p2", _filled, {Kind.FORM_DATA}),
    "form-filled-without-certification": ("approval", _filled, {Kind.FORM_DATA}),
}


@pytest.mark.parametrize("name", HARMLESS)
def test_harmless_changes_are_permitted_and_named(name: str) -> None:
    kind, edit, kinds = HARMLESS[name]
    changes = judged(edit(base(kind)))
    assert changes.faults == []
    assert changes.kinds == kinds


def test_a_signature_still_covers_all_after_validation_data_and_not_after_filling() -> None:
    assert judged(_rewritten_store(base("p1"))).lasting
    filled = judged(_filled(base("p2")))
    assert not filled.faults
    assert not filled.lasting


def test_the_place_of_a_filled_field_is_told() -> None:
    assert judged(_filled(base("p2"))).pages == [(1, (60.0, 500.0, 260.0, 520.0))]


# -- faults, with their places


def _sub(part: str, old: bytes, new: bytes) -> Edit:
    return lambda d: d.update({part: d.body(part).replace(old, new)})


def _set(part: str, **entries_: bytes | None) -> Edit:
    return lambda d: d.update({part: changed(d.body(part), **entries_)})


FAULTS: dict[str, tuple[str, Edit, Reason, str]] = {
    "content": ("approval", _sub("content", b"100.00", b"900.00"), Reason.PAGE_CONTENT, "/Root/Pages/Kids[0]/Contents"),
    "font": (
        "approval",
        _set("font", BaseFont=b"/Symbol"),
        Reason.PAGE_RESOURCES,
        "/Root/Pages/Kids[0]/Resources/Font/F1/BaseFont",
    ),
    "unicode-map": ("approval", _sub("map", b"<0020>", b"<0021>"), Reason.PAGE_RESOURCES, "/Resources/Font/F2"),
    "box": ("approval", _set("page", CropBox=b"[0 0 9 9]"), Reason.PAGE_BOX, "/Root/Pages/Kids[0]/CropBox"),
    "page-removed": ("approval", _set("pages", Kids=b"[3 0 R]", Count=b"1"), Reason.PAGES_REMOVED, "/Root/Pages"),
    "page-twice": (
        "approval",
        _set("pages", Kids=b"[3 0 R 4 0 R 4 0 R]", Count=b"3"),
        Reason.PAGES_ADDED,
        "/Root/Pages",
    ),
    "pages-swapped": ("approval", _set("pages", Kids=b"[4 0 R 3 0 R]"), Reason.PAGE_CONTENT, "/Contents"),
    "opening-script": (
        "approval",
        _set("catalog", OpenAction=b"<< /S /JavaScript /JS (x) >>"),
        Reason.SCRIPT,
        "/Root/OpenAction",
    ),
    "layers": ("approval", _set("catalog", OCProperties=None), Reason.LAYERS, "/Root/OCProperties"),
    "unknown-key": ("approval", _set("catalog", Example=b"1"), Reason.CATALOG, "/Root/Example"),
    "field-removed": (
        "approval",
        lambda d: d.update({"form": changed(d.body("form"), Fields=b"[21 0 R 22 0 R]")}),
        Reason.FIELD_REMOVED,
        "/Root/AcroForm/Fields",
    ),
    "field-renamed": ("approval", _set("payee", T=b"(payer)"), Reason.FIELD_ENTRY, "/T"),
    "field-moved": ("approval", _set("payee", Rect=b"[0 0 500 500]"), Reason.FIELD_ENTRY, "/Rect"),
    "field-of-other-type": ("approval", _set("payee", FT=b"/Btn"), Reason.FIELD_TYPE, "/Root/AcroForm/Fields[2]"),
    "annotation-removed": (
        "approval",
        lambda d: d.update({"annots": array(items(d.body("annots"))[:-1])}),
        Reason.ANNOTATION_REMOVED,
        "/Root/Pages/Kids[0]/Annots",
    ),
    "note-reworded": ("approval", _set("note", Contents=b"(other)"), Reason.ANNOTATION_CHANGED, "/Contents"),
    "filled-where-nothing-may": ("p1", _filled, Reason.FILLING_FORBIDDEN, "/Root/AcroForm/Fields[2]"),
    "value-without-look": ("approval", _set("payee", V=b"(Evil Works)"), Reason.APPEARANCE_DIFFERS, "/AP/N"),
    "look-without-value": (
        "approval",
        lambda d: d.update({"payee_look": look(b"Evil Works")}),
        Reason.APPEARANCE_REPLACED,
        "/AP",
    ),
    "store-emptied": (
        "approval",
        lambda d: again(d, _rewritten_store(d)).update(
            {"catalog": changed(again(d, _rewritten_store(d)).body("catalog"), DSS=b"<< >>")}
        ),
        Reason.DSS_REMOVED,
        "/Root/DSS",
    ),
    "object-in-two-roles": (
        "approval",
        lambda d: d.update(
            {
                "catalog": changed(d.body("catalog"), DSS=b"<< /Certs [5 0 R] >>"),
                "content": stream(b"0no certificate"),
            }
        ),
        Reason.PAGE_CONTENT,
        "/Root/Pages/Kids[0]/Contents",
    ),
    "plain-metadata": (
        "approval",
        lambda d: d.update({"metadata": stream(b"<a/>")}),
        Reason.METADATA,
        "/Root/Metadata",
    ),
    "bytes-behind": ("approval", lambda d: d.pdf + b"\nrubbish\n", Reason.UNKNOWN_BYTES, ""),
    "object-nobody-lists": (
        "approval",
        lambda d: d.update({"content": stream(b"0 g")}, unlisted=[d.number("content")]),
        Reason.UNLISTED,
        "",
    ),
    "entry-to-another-object": (
        "approval",
        lambda d: d.update({}, offsets={d.number("content"): d.pdf.rindex(b"11 0 obj")}),
        Reason.AMBIGUOUS,
        "",
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_other_changes_are_faults_that_name_object_and_way(name: str) -> None:
    kind, edit, reason, way = FAULTS[name]
    found = [f for f in judged(edit(base(kind))).faults if f.reason is reason]
    assert found
    assert found[0].place.page == (1 if "/Kids[0]" in found[0].place.path else found[0].place.page)
    assert way in found[0].place.path
    assert found[0].place.object_number is not None or found[0].place.span is not None or found[0].place.path


def test_a_change_that_the_next_revision_takes_back_is_a_fault() -> None:
    doc = base("approval")
    wrong = again(doc, doc.update({"content": doc.body("content").replace(b"100.00", b"900.00")}))
    right = wrong.update({"content": doc.body("content")})
    assert Reason.PAGE_CONTENT in {f.reason for f in judged(right).faults}


def test_comparing_costs_no_more_than_its_limit() -> None:
    file = PdfFile(again(base("approval"), base("approval").pdf).update({"content": stream(b"0 g")}))
    old = file.snapshot(base("approval").byte_range()[2])
    with pytest.raises(PdfLimitError):
        compare(old, file.newest, Rights(), None, Effort(20))


def test_thousands_of_doubts_are_told_as_a_few() -> None:
    many, other = Changes(), Changes()
    for number in range(3_000):
        place = Place(object_number=number)
        many.doubts.append(Remark(Doubt.OWN_FONT, place))
        other.areas.append(Area(1, (0.0, 0.0, 1.0, float(number)), Kind.FORM_DATA))
    other.merge(many)
    assert len(other.doubts) == MOST_FAULTS
    assert len(other.areas) == 3_000


def test_a_revision_that_is_only_partly_signed_is_a_fault() -> None:
    doc = base("approval")
    end = doc.byte_range()[2]
    assert [f.reason for f in judged(doc.pdf, end - 12).faults] == [Reason.NO_REVISION]


def test_the_same_bytes_count_as_equal_only_when_every_reader_decodes_them_alike() -> None:
    doc = base("approval")
    body = doc.body("content2")
    data = zlib.decompress(body[body.index(b"stream\n") + 7 : body.rindex(b"\nendstream")])
    assert not judged(doc.update({"content2": stream(data)})).faults
    trailing = stream(zlib.compress(data) + zlib.compress(b"other"), b"/Filter /FlateDecode")
    assert judged(doc.update({"content2": trailing})).faults


# -- what fields show


@pytest.mark.parametrize(
    ("value", "drawing", "reason"),
    [
        (b"(a b)", b"BT /F1 9 Tf (a) Tj 5 0 Td (b) Tj ET", None),
        (b"(ab)", b"BT /F1 9 Tf [(a) -20 (b)] TJ ET", None),
        (b"(1\\(2\\))", b"BT /F1 9 Tf (1\\(2\\)) Tj ET", None),
        (b"<FEFF00E9>", b"BT /F1 9 Tf <E9> Tj ET", None),
        (b"(ab)", b"BT /F1 9 Tf (ba) Tj ET", Reason.APPEARANCE_DIFFERS),
        (b"(ab)", b"BT 3 Tr /F1 9 Tf (ab) Tj ET", Reason.APPEARANCE_DIFFERS),
        (b"(ab)", b"BT /F1 9 Tf (ab) Tj ET 1 g 0 0 99 99 re f", Reason.APPEARANCE_DIFFERS),
        (b"(ab)", b"q /Im Do Q BT /F1 9 Tf (ab) Tj ET", Reason.APPEARANCE_PICTURE),
        (b"(ab)", b"BI /W 1 /H 1 /BPC 8 /CS /G ID x EI BT (ab) Tj ET", Reason.APPEARANCE_PICTURE),
        (b"(ab)", b"BT (ab Tj ET", Reason.APPEARANCE_UNREADABLE),
    ],
)
def test_a_filled_text_field_has_to_show_its_value(value: bytes, drawing: bytes, reason: Reason | None) -> None:
    doc = base("approval")
    resources = b"/Type /XObject /Subtype /Form /BBox [0 0 99 20] /Resources << /Font << /F1 7 0 R >> >>"
    made = doc.update({"payee": changed(doc.body("payee"), V=value), "payee_look": stream(drawing, resources)})
    assert {f.reason for f in judged(made).faults} == ({reason} if reason else set())


def test_a_button_shows_the_state_that_is_its_value() -> None:
    doc = base("approval")
    right = changed(doc.body("agree"), V=b"/Yes", AS=b"/Yes")
    wrong = changed(doc.body("agree"), V=b"/Off", AS=b"/Yes")
    assert not judged(doc.update({"agree": right})).faults
    assert Reason.APPEARANCE_STATE in {f.reason for f in judged(doc.update({"agree": wrong})).faults}


def test_a_button_drawn_anew_has_to_tell_on_from_off() -> None:
    doc = base("approval")
    n = doc.free
    cross, nothing = stream(b"0 0 m 9 9 l S", _LOOK), stream(b"0 0 9 9 re S", _LOOK)

    def reasons(on: bytes, off: bytes, states: bytes = b"/Yes %d 0 R /Off %d 0 R") -> set[Reason]:
        looks = b"<< /N << " + states % (n, n + 1) + b" >> >>"
        body = changed(doc.body("agree"), V=b"/Yes", AS=b"/Yes", AP=looks)
        return {f.reason for f in judged(doc.update({"agree": body, n: on, n + 1: off})).faults}

    assert reasons(cross, nothing) == set()
    assert reasons(nothing, cross) == {Reason.APPEARANCE_PICTURE}
    assert reasons(nothing, nothing) == {Reason.APPEARANCE_PICTURE}
    assert reasons(stream(b"/Im Do", _LOOK), nothing) == {Reason.APPEARANCE_PICTURE}
    assert reasons(cross, nothing, b"/Yes %d 0 R /No %d 0 R") == {Reason.APPEARANCE_PICTURE}


_LOOK = b"/Type /XObject /Subtype /Form /BBox [0 0 9 9] /Resources << /Font << /F1 7 0 R >> >>"


def _with_fields(*bodies: bytes) -> Base:
    """The approval with further fields on its first page, signed by nobody again: its end counts as signed."""
    doc = base("approval")
    numbers = range(doc.free, doc.free + len(bodies))
    refs = [b"%d 0 R" % n for n in numbers]
    objects: dict[str | int, bytes] = dict(zip(numbers, bodies, strict=True))
    objects["annots"] = array([*items(doc.body("annots")), *refs])
    objects["form"] = changed(doc.body("form"), Fields=array([*items(entries(doc.body("form"))[b"/Fields"]), *refs]))
    return again(doc, doc.update(objects))


def test_a_list_shows_options_in_their_order_with_the_chosen_one_among_them() -> None:
    options = b"/Opt [(One) (Two) (Three)] /V (One)"
    doc = _with_fields(field_body(b"Ch", b"list", b"60 300 160 360", options))
    number, end = doc.free - 5, len(doc.pdf)
    number = max(n for n in range(number - 20, number + 1) if b"%d 0 obj" % n in doc.pdf)

    def faults(drawing: bytes) -> set[Reason]:
        body = changed(doc.body(number), V=b"(Two)", I=b"[1]", AP=b"<< /N %d 0 R >>" % doc.free)
        return {f.reason for f in judged(doc.update({number: body, doc.free: stream(drawing, list_look)}), end).faults}

    list_look = _LOOK.replace(b"[0 0 9 9]", b"[0 0 100 60]")
    shown = b"BT /F1 9 Tf 2 50 Td (%s) Tj ET BT /F1 9 Tf 2 20 Td (%s) Tj ET"
    assert faults(shown % (b"One", b"TwoThree")) == set()
    assert faults(shown % (b"Two", b"Three")) == set()
    assert faults(shown % (b"One", b"Three")) == {Reason.APPEARANCE_DIFFERS}
    assert faults(shown % (b"Three", b"TwoOne")) == {Reason.APPEARANCE_DIFFERS}


def test_the_buttons_of_a_group_follow_its_value() -> None:
    looks = b"/AP << /N << /%s 11 0 R >> >> /AS /Off"
    widget = b"<< /Type /Annot /Subtype /Widget /F 4 /P 3 0 R /Parent %d 0 R /Rect [60 %d 80 %d] " + looks + b" >>"
    doc = base("approval")
    n = doc.free
    objects: dict[str | int, bytes] = {
        n: b"<< /FT /Btn /Ff 32768 /T (group) /Kids [%d 0 R %d 0 R] >>" % (n + 1, n + 2),
        n + 1: widget % (n, 300, 320, b"a"),
        n + 2: widget % (n, 340, 360, b"b"),
        "annots": array([*items(doc.body("annots")), b"%d 0 R" % (n + 1), b"%d 0 R" % (n + 2)]),
        "form": changed(doc.body("form"), Fields=array([*items(entries(doc.body("form"))[b"/Fields"]), b"%d 0 R" % n])),
    }
    signed = again(doc, doc.update(objects))
    end = len(signed.pdf)
    group = changed(signed.body(n), V=b"/b")
    right = signed.update({n: group, n + 2: changed(signed.body(n + 2), AS=b"/b")})
    wrong = signed.update({n: group, n + 1: changed(signed.body(n + 1), AS=b"/a")})
    assert judged(right, end).faults == []
    assert {f.reason for f in judged(wrong, end).faults} == {Reason.APPEARANCE_STATE}


def test_a_field_over_printed_text_needs_a_signature_and_no_certification() -> None:
    def added(kind: str, rect: bytes) -> Changes:
        doc = base(kind)
        fields = items(entries(doc.body("form"))[b"/Fields"])
        return judged(
            doc.update(
                {
                    "form": changed(doc.body("form"), Fields=array([*fields, b"%d 0 R" % doc.free])),
                    "annots": array([*items(doc.body("annots")), b"%d 0 R" % doc.free]),
                    doc.free: field_body(b"Sig", b"Sig9", rect),
                }
            )
        )

    over, beside = b"50 690 300 760", b"300 300 400 340"
    assert added("approval", beside).faults == []
    assert {f.reason for f in added("approval", over).faults} == {Reason.EMPTY_FIELD_COVERS}
    assert Reason.VISIBLE_FIELD in {f.reason for f in added("p2", beside).faults}


def test_a_signature_is_never_written_again_even_unchanged() -> None:
    doc = base("approval")
    again_written = doc.update({doc.signature: doc.body(doc.signature)})
    assert Reason.SIGNATURE_CHANGED in {f.reason for f in judged(again_written).faults}


def test_fields_to_be_drawn_anew_are_a_doubt_where_they_contradict_their_values() -> None:
    doc = base("approval")
    asked = changed(doc.body("form"), NeedAppearances=b"true")
    assert judged(doc.update({"form": asked})).doubts == []
    waiting = again(doc, doc.update({"payee": changed(doc.body("payee"), V=b"(Evil Works)")}))
    found = judged(waiting.update({"form": asked}), len(waiting.pdf))
    assert not found.faults
    assert {d.doubt for d in found.doubts} == {Doubt.DRAWN_ANEW}


def test_a_font_that_comes_with_its_value_is_a_doubt() -> None:
    doc = base("approval")
    n = doc.free
    font = b"<< /Type /Font /Subtype /Type1 /BaseFont /Own /FontDescriptor %d 0 R >>" % (n + 1)
    drawing = stream(
        b"BT /Own 9 Tf (ab) Tj ET",
        b"/Type /XObject /Subtype /Form /BBox [0 0 99 20] /Resources << /Font << /Own %d 0 R >> >>" % n,
    )
    descriptor = b"<< /Type /FontDescriptor /FontName /Own /FontFile %d 0 R >>" % (n + 2)
    made = doc.update(
        {
            "payee": changed(doc.body("payee"), V=b"(ab)"),
            "payee_look": drawing,
            n: font,
            n + 1: descriptor,
            n + 2: stream(b"%!"),
        }
    )
    changes = judged(made)
    assert not changes.faults
    assert [d.doubt for d in changes.doubts] == [Doubt.OWN_FONT]


def test_the_meaning_of_codes_is_read_from_maps_and_names_of_glyphs() -> None:
    content = (
        b"1 beginbfchar <01> <0041> endbfchar 2 beginbfrange <10> <12> <0061> <20> <21> [<4E2D> <6587>] endbfrange"
    )
    assert read_map(content) == {1: "A", 0x10: "a", 0x11: "b", 0x12: "c", 0x20: "中", 0x21: "文"}
    assert [glyph_text(n) for n in ("A", "seven", "Adieresis", "uni4E2D", "g123")] == ["A", "7", "Ä", "中", "\ufffd"]
    assert plain(" ﬁ\u00a0１\n") == "fi1"


# -- permissions


@pytest.mark.parametrize(
    ("lock", "locked"),
    [
        (Lock(b"All"), {"a", "a.b", "ab", "c"}),
        (Lock(b"Include", ("a",)), {"a", "a.b"}),
        (Lock(b"Exclude", ("a",)), {"ab", "c"}),
        (Lock(b"Nonsense"), {"a", "a.b", "ab", "c"}),
    ],
)
def test_a_lock_covers_fields_by_their_full_names(lock: Lock, locked: set[str]) -> None:
    assert {name for name in ("a", "a.b", "ab", "c") if lock.covers(name)} == locked


def test_the_strictest_of_all_permissions_counts() -> None:
    snapshot = PdfFile(base("approval").pdf).newest

    def certified(level: object) -> dict[bytes, object]:
        transform = {b"TransformMethod": Name(b"DocMDP"), b"TransformParams": {b"P": level}}
        return {b"V": {b"Reference": [transform]}}

    locking: dict[bytes, object] = {b"V": {}, b"Lock": {b"Action": Name(b"Include"), b"Fields": [Text(b"x")], b"P": 1}}
    assert rights_after(snapshot, []).level is None
    assert rights_after(snapshot, [certified(3), certified(None)]).level == 2  # type: ignore[list-item]
    assert rights_after(snapshot, [certified(Text(b"3"))]).level == 1  # type: ignore[list-item]
    both = rights_after(snapshot, [certified(3), locking])  # type: ignore[list-item]
    assert (both.level, both.certified, both.is_locked("x.y"), both.is_locked("z")) == (1, True, True, False)


# -- metadata, words


@pytest.mark.parametrize(
    ("content", "fine"),
    [
        (b'<x:xmpmeta xmlns:x="adobe:ns:meta/"/>', True),
        (b'\xef\xbb\xbf<?xpacket begin=""?><x:xmpmeta xmlns:x="adobe:ns:meta/"/><?xpacket end="w"?>  ', True),
        (b"<xmpmeta/>", False),
        (b'<x:xmpmeta xmlns:x="adobe:ns:meta/">', False),
        (b'<!DOCTYPE x><x:xmpmeta xmlns:x="adobe:ns:meta/"/>', False),
        (b'<!DOCTYPE x [<!ENTITY e "e">]><x:xmpmeta xmlns:x="adobe:ns:meta/">&e;</x:xmpmeta>', False),
        (b"", False),
    ],
)
def test_metadata_are_one_xmp_packet_without_entities(content: bytes, fine: bool) -> None:
    assert is_xmp(content) is fine


def test_a_way_through_objects_is_told_from_the_trailer_and_not_without_end() -> None:
    path = Path(None, "", 0).key(b"Root").key(b"Pages").key(b"Kids").item(0).at(7)
    assert (str(path), path.number) == ("/Root/Pages/Kids[0]", 7)
    for _ in range(500):
        path = path.key(b"K")
    assert len(str(path)) < 200


def test_every_reason_has_its_chinese() -> None:
    assert [word for words in (Reason, Doubt, Kind) for word in words if str(word) not in PHRASES] == []
