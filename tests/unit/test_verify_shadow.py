"""What waits in a signed file is a doubt, and ordinary files raise none."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.support.forger.bases import base, draw, sign
from tests.support.forger.families import shadow
from tests.support.forger.families.waiting import two_objects_of_one_number
from tests.support.forger.judging import judge
from tests.support.forger.writer import Builder, changed, stream
from verify import Integrity, Verdict

_DOT = b"/Type /XObject /Subtype /Image /Width 1 /Height 1 /ColorSpace /DeviceGray /BitsPerComponent 8 "


def doubts(verdict: Verdict) -> set[str]:
    return {code for code in verdict.codes() if code.startswith("SHADOW_")}


@pytest.mark.parametrize(
    ("make", "code"),
    [
        (shadow.cover_image, "SHADOW_TEXT"),
        (shadow.cover_form, "SHADOW_TEXT"),
        (shadow.cover_annotation, "SHADOW_TEXT"),
        (shadow.cover_widget, "SHADOW_TEXT"),
        (shadow.white_text, "SHADOW_TEXT"),
        (shadow.two_trees, "SHADOW_UNUSED_OBJECT"),
        (shadow.spare_font, "SHADOW_UNUSED_OBJECT"),
        (shadow.spare_content, "SHADOW_UNUSED_OBJECT"),
        (shadow.layered, "SHADOW_LAYER"),
        (shadow.hidden_note, "SHADOW_ANNOTATION"),
        (shadow.script_waiting, "SHADOW_SCRIPT"),
        (shadow.value_under_look, "SHADOW_FIELD_VALUE"),
        (shadow.detached_field, "SHADOW_FIELD_UNPLACED"),
        (shadow.cover_field, "SHADOW_BUTTON"),
    ],
)
def test_each_preparation_has_its_doubt_and_no_other(make: Callable[[], Builder], code: str) -> None:
    verdict = judge(sign(make().write()))
    assert verdict.integrity is Integrity.INTACT
    assert doubts(verdict) == {code}


@pytest.mark.parametrize(
    ("part", "body"),
    [
        ("content", stream(b"", b"/F (other.bin) /FFilter /FlateDecode")),
        ("box", stream(b"", b"/Type /XObject /Subtype /Form /BBox [0 0 9 9] /Ref << /F (other.pdf) /Page 0 >>")),
        ("image", stream(b"@", _DOT + b"/Alternates [ << /Image 11 0 R /DefaultForPrinting true >> ]")),
        ("image", stream(b"@", _DOT + b"/OPI << /2.0 << /F (other.tif) >> >>")),
    ],
)
def test_what_is_shown_from_elsewhere_is_a_doubt(part: str, body: bytes) -> None:
    """Another file, or another picture on paper: the signature says nothing of it (ISO 32000-2 7.3.8.1, 8.9.5.4)."""
    verdict = judge(sign(draw(**{part: body}).write()))
    assert verdict.integrity is Integrity.INTACT
    assert "SHADOW_ELSEWHERE" in doubts(verdict)


def test_a_font_that_says_nothing_of_itself_is_left_over() -> None:
    """iText leaves such a dictionary; a font that names a typeface waits for its use."""
    for font, found in (
        (b"<< /Type /Font >>", set()),
        (b"<< /Type /Font /Subtype /Type3 >>", {"SHADOW_UNUSED_OBJECT"}),
    ):
        doc = draw()
        doc.put("spare", font, 70)
        assert doubts(judge(sign(doc.write()))) == found


def test_a_number_with_two_objects() -> None:
    assert doubts(judge(two_objects_of_one_number())) == {"SHADOW_UNUSED_OBJECT"}


@pytest.mark.parametrize("name", ["approval", "p1", "p2-stream", "p3-packed"])
def test_an_ordinary_document_raises_no_doubt(name: str) -> None:
    assert doubts(judge(base(name).pdf)) == set()


def _content(doc: Builder, more: bytes) -> Builder:
    body = doc.objects[5]
    data = body[body.index(b"stream\n") + 7 : body.rindex(b"\nendstream")]
    doc.objects[5] = stream(data + more)
    return doc


def test_recognized_text_under_a_scan_raises_no_doubt() -> None:
    """Scanners lay invisible text under or over their picture; no change reveals it."""
    doc = _content(draw(), b"BT 3 Tr /F1 12 Tf 60 640 Td (recognized words) Tj 0 Tr ET")
    assert doubts(judge(sign(doc.write()))) == set()


def test_a_frame_painted_after_its_text_raises_no_doubt() -> None:
    doc = _content(draw(), b"0 G 50 690 300 100 re S 0.9 g 300 300 50 50 re f")
    assert doubts(judge(sign(doc.write()))) == set()


def test_a_destination_on_opening_and_formatting_scripts_raise_no_doubt() -> None:
    doc = draw()
    doc.objects[1] = changed(doc.objects[1], OpenAction=b"[3 0 R /Fit]")
    script = b"<< /S /JavaScript /JS (AFNumber_Format\\(2, 0, 0, 0, \\042\\042, true\\);) >>"
    doc.objects[23] = changed(doc.objects[23], AA=b"<< /F %s >>" % script)
    assert doubts(judge(sign(doc.write()))) == set()


def test_an_updated_document_keeps_its_old_versions_without_doubt() -> None:
    """What was replaced before signing is history, as every editor leaves it."""
    from tests.support.forger.writer import update

    doc = draw()
    edited = update(doc.write(), {5: doc.objects[5].replace(b"100.00", b"120.00")})
    assert doubts(judge(sign(edited))) == set()
