"""Licenses that several seals make: the genuine one, and what others try with the places that wait for a seal."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import lru_cache
from typing import Any

import pytest

from signing.formats.ocsp import ocsp_for
from signing.formats.pades import Baseline, seal_pdf
from signing.formats.placement import AtPosition
from signing.formats.seal_document import Reserved, reserve_fields, seal_document
from signing.formats.seal_look import VectorPicture
from signing.keys import KeyPurpose
from templates.seals import SealArt, draw_seal
from tests.support.forger.writer import update
from tests.support.sealed import ISSUER_NAME, NOW, Sealed, build, validation_data
from tests.support.sealing import Faithless, instrument, order, stranger
from tests.support.signing_pki import AT, serial_of, shared_pki
from verify import Conclusion, Integrity, Verdict, verify_document
from verify.formats.refusal import RefusedError

PICTURE = VectorPicture(draw_seal(SealArt(ISSUER_NAME, "official", "", 42.0)).deflated, 42, 42)


@lru_cache(maxsize=1)
def issued() -> tuple[Sealed, bytes]:
    """A license with one seal, and the same before it was sealed."""
    unsigned: list[bytes] = []

    def keep(pdf: bytes) -> bytes:
        unsigned.append(pdf)
        return pdf

    sealed = build(shared_pki("p256"), "business-license-duplicate", change_pdf=keep)
    return sealed, unsigned[0]


def evidence() -> dict[str, Any]:
    pki = shared_pki("p256")
    return {"baseline": Baseline.B_LT, "stamp": pki.tsa().at(AT), "validation": validation_data(pki)}


@lru_cache(maxsize=1)
def begun() -> bytes:
    """Certified by the issuer, with a place for one further seal."""
    pki = shared_pki("p256")
    place = Reserved("Seal2", AtPosition(1, 60, 110), (44, 44), lock=True)
    return seal_pdf(
        reserve_fields(issued()[1], (place,)),
        field="Seal1",
        signer=pki.signer(KeyPurpose.SEAL),
        certificate=pki.certificate(KeyPurpose.SEAL),
        chain=(pki.issuing.certificate,),
        at=AT,
        permission=2,
        **evidence(),
    )


@lru_cache(maxsize=1)
def complete() -> bytes:
    """The other organization has sealed as well."""
    return seal_document(begun(), order(picture=PICTURE, field="Seal2", instrument=stranger(), **evidence()))


def judge(pdf: bytes) -> Verdict:
    sealed = issued()[0]
    known = sealed.evidence()
    pki = shared_pki("p256")
    answer = ocsp_for([serial_of(stranger().certificate)], responder=pki.responder, at=AT)
    return verify_document(pdf, trust=sealed.trust(), at=NOW, evidence=replace(known, ocsps=(*known.ocsps, answer)))


def assert_altered(verdict: Verdict, *codes: str) -> None:
    assert verdict.integrity is Integrity.ALTERED, verdict.findings
    assert verdict.conclusion is Conclusion.INVALID
    assert verdict.license is None
    assert not codes or verdict.codes() & set(codes), verdict.codes()


def test_a_license_with_both_seals_is_valid() -> None:
    verdict = judge(complete())
    assert verdict.conclusion is Conclusion.VALID, verdict.findings
    assert verdict.license is not None
    assert [s.signer for s in verdict.signatures] == ["开封市示例局 seal", "路人公司"]
    assert {s.indication for s in verdict.signatures} == {"TOTAL_PASSED"}


def test_a_license_that_lacks_a_seal_is_not_valid_yet() -> None:
    verdict = judge(begun())
    assert verdict.integrity is Integrity.INTACT
    assert verdict.conclusion is Conclusion.INDETERMINATE
    assert "SEAL_PENDING" in verdict.codes()
    assert verdict.license is None


def test_a_signature_that_nobody_reserved_a_place_for_is_refused() -> None:
    """Invisible, as a certification at level 2 bears it elsewhere."""
    added = seal_document(begun(), order(field="Another", instrument=stranger()))
    assert_altered(judge(added), "SECOND_SIGNATURE")
    both = seal_document(added, order(picture=PICTURE, field="Seal2", instrument=instrument()))
    assert_altered(judge(both), "SECOND_SIGNATURE")


def test_the_last_seal_closes_it() -> None:
    with pytest.raises(RefusedError, match="CHANGE_FORBIDDEN"):
        seal_document(complete(), order(field="Another"))


def test_another_record_behind_the_first_seal_is_refused() -> None:
    pdf = complete()
    number, body = next(
        (int(m[1]), m[2])
        for m in re.finditer(rb"(\d+) 0 obj\n(<< /Type /EmbeddedFile.*?)endobj", pdf, re.S)
        if b"json" in m[2]
    )
    size = int(re.findall(rb"/Length (\d+)", body)[0])
    changed = body.replace(b"/Length %d" % size, b"/Length 2").partition(b"stream\n")[0] + b"stream\n{}\nendstream"
    assert_altered(judge(update(pdf, {number: changed})))


def test_the_digits_of_either_seal_have_one_form() -> None:
    pdf = complete()
    for found in re.finditer(rb"/Contents <(30[0-9a-f]+)>", pdf):
        upper = pdf[: found.start(1)] + found[1].upper() + pdf[found.end(1) :]
        assert_altered(judge(upper), "CONTENTS_NOT_CANONICAL")


def test_a_second_seal_by_a_key_that_is_not_for_seals_is_refused() -> None:
    pki = shared_pki("p256")
    record = replace(
        instrument(), certificate=pki.certificate(KeyPurpose.RECORD), signer=Faithless(pki.signer(KeyPurpose.RECORD))
    )
    made = seal_document(begun(), order(picture=PICTURE, field="Seal2", instrument=record, **evidence()))
    verdict = judge(made)
    assert verdict.conclusion is Conclusion.INVALID
    assert "CERTIFICATE_PURPOSE" in verdict.codes()


def test_cutting_the_second_seal_off_leaves_a_license_that_is_not_complete() -> None:
    pdf = complete()
    ends = [int(m[1]) + int(m[2]) for m in re.finditer(rb"/ByteRange \[0 \d+ (\d+) (\d+)\]", pdf)]
    verdict = judge(pdf[: min(ends)])
    assert verdict.conclusion is not Conclusion.VALID
    assert "SEAL_PENDING" in verdict.codes()
