"""Revisions compared as pictures: the second opinion sees what is shown, whatever the objects say."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.support.forger.bases import Base, base, look, sign
from tests.support.forger.judging import judge
from tests.support.forger.writer import changed
from tests.support.signing_pki import AT
from verify import DEFAULT_POLICY, Limits, Policy, TrustStore
from verify.checks.rendered import Permitted, check_rendered
from verify.evidence import NO_EVIDENCE
from verify.formats.pageview import Revisions
from verify.inquiry import Inquiry
from verify.place import Box

_PAYEE = (60.0, 500.0, 260.0, 520.0)


def compared(
    doc: Base, pdf: bytes, *places: tuple[int, Box | None], policy: Policy = DEFAULT_POLICY, lasting: bool = False
) -> Inquiry:
    inquiry = Inquiry("pdf", trust=TrustStore(anchors=()), at=AT, policy=policy, evidence=NO_EVIDENCE)
    views = Revisions(pdf)
    check_rendered(inquiry, views, [Permitted(len(doc.pdf), places, lasting)])
    views.close()
    return inquiry


def codes(inquiry: Inquiry) -> set[str]:
    return {f.code for f in inquiry.findings}


def test_other_content_is_seen_and_its_place_is_named() -> None:
    doc = base("p2")
    body = doc.body("content").replace(b"100.00", b"900.00")
    (found,) = [f for f in compared(doc, doc.update({"content": body})).findings if f.code == "RENDERED_CHANGE"]
    assert found.place is not None
    assert found.place.page == 1
    assert found.place.box is not None
    left, bottom, right, top = found.place.box
    assert 60 < left < right < 200
    assert 700 < bottom < top < 745


def test_a_filled_field_may_differ_in_its_box_and_only_there() -> None:
    doc = base("p2")
    filled = doc.update({"payee_look": look(b"Good Works")})
    assert codes(compared(doc, filled, (1, _PAYEE))) == set()
    assert codes(compared(doc, filled)) == {"RENDERED_CHANGE"}
    assert codes(compared(doc, filled, (2, _PAYEE))) == {"RENDERED_CHANGE"}


def test_a_permitted_box_hides_no_change_of_the_page_below_it() -> None:
    """The page's own content is compared without annotations, inside permitted boxes too."""
    doc = base("p2")
    body = doc.body("content").replace(b"Amount: 100.00", b"Amount: 900.00")
    made = doc.update({"content": body, "payee_look": look(b"Good Works")})
    assert "RENDERED_CHANGE" in codes(compared(doc, made, (1, (0.0, 0.0, 595.0, 842.0))))
    assert "RENDERED_CHANGE" in codes(compared(doc, made, (1, None)))


def test_text_that_reads_differently_and_looks_the_same_is_seen() -> None:
    doc = base("p2")
    mapped = doc.update({"map": doc.body("map").replace(b"<20> <7E> <0020>", b"<20> <7E> <0021>")})
    assert codes(compared(doc, mapped)) == {"RENDERED_TEXT_CHANGE"}


@pytest.mark.parametrize(
    "change",
    [{"Kids": b"[3 0 R]", "Count": b"1"}, {"Kids": b"[4 0 R 3 0 R]"}, {"MediaBox": b"[0 0 600 842]"}],
    ids=["a page less", "pages in another order", "another size"],
)
def test_another_page_tree_is_seen(change: dict[str, bytes]) -> None:
    doc = base("p2")
    made = doc.update({"pages": changed(doc.body("pages"), **change)})
    assert codes(compared(doc, made)) >= {"RENDERED_CHANGE"}


def test_a_turned_page_is_seen_even_where_only_a_glance_is_due() -> None:
    doc = base("p2")
    made = doc.update({"page": changed(doc.body("page"), Rotate=b"180")})
    assert codes(compared(doc, made, lasting=True)) == {"RENDERED_CHANGE"}


def test_a_page_that_cannot_be_drawn_is_a_check_that_did_not_run() -> None:
    doc = base("p2")
    assert codes(compared(doc, doc.pdf + b" " * 4 + b"x", policy=_limited(drawn_pixels=0))) == {"CHECK_NOT_RUN"}


def test_more_pages_than_are_drawn_is_a_check_that_did_not_run() -> None:
    doc = base("p2")
    assert codes(compared(doc, doc.update({}), policy=_limited(drawn_pages=1))) == {"CHECK_NOT_RUN"}
    assert codes(compared(doc, doc.update({}), policy=_limited(drawn_pages=1), lasting=True)) == set()


def _limited(**limits: int) -> Policy:
    return replace(DEFAULT_POLICY, limits=replace(Limits(), **limits))


def test_nothing_is_drawn_where_nothing_follows() -> None:
    doc = base("p2")
    assert codes(compared(doc, doc.pdf, policy=_limited(drawn_pixels=0))) == set()


def test_a_rotated_page_has_its_permitted_places_where_they_are() -> None:
    from tests.support.forger.bases import draw, signed

    unsigned = draw()
    unsigned.objects[3] = changed(unsigned.objects[3], Rotate=b"90", CropBox=b"[20 30 595 842]")
    doc = signed(unsigned, "rotated", 2)
    filled = doc.update({"payee_look": look(b"Good Works")})
    assert codes(compared(doc, filled, (1, _PAYEE))) == set()
    assert codes(compared(doc, filled, (1, (60.0, 400.0, 260.0, 420.0)))) == {"RENDERED_CHANGE"}


def test_a_second_signature_stays_intact_with_its_picture() -> None:
    verdict = judge(sign(base("p2").pdf, "Sig2"))
    assert verdict.integrity.value == "INTACT"
    assert not {c for c in verdict.codes() if c.startswith("RENDERED")}
