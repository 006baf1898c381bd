"""Forgeries of seal signatures in PDFs. Each test is one forgery, and its name says what it proves."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from signing.formats import der
from signing.formats.eseal import make_seal_signature
from signing.formats.pades import Baseline
from signing.formats.pdf_signature import pades_value
from signing.formats.placement import AcrossEdges, AtPosition, Placement
from signing.formats.seal_document import Instrument, Profile
from signing.keys import KeyPurpose
from tests.support.contracts import contract, png
from tests.support.forger.writer import changed, stream, update
from tests.support.sealing import (
    DAY,
    NO_TEXT,
    Faithless,
    assert_good,
    digest,
    instrument,
    judged,
    make,
    sealed,
    stranger,
    with_value,
)
from tests.support.signing_pki import AT, build_pki, shared_pki
from verify import Verdict
from verify.formats.seal import unverified_seal_signature
from verify.verdict import Conclusion, Integrity


def ses(pdf: bytes | None = None, *placements: Placement, **changes: Any) -> bytes:
    """A contract of four pages, or ``pdf``, with a genuine seal signature."""
    changes = {"instrument": instrument(make()), "picture": None, **changes}
    return sealed(contract(4) if pdf is None else pdf, *(placements or (NO_TEXT,)), profile=Profile.SES, **changes)


def signature_over(
    data_hash: bytes,
    seal: bytes,
    by: Instrument | None = None,
    *,
    at: datetime = AT,
    stamp: Callable[[bytes], bytes] | None = None,
) -> bytes:
    """A seal signature that its signer really made, whatever it says."""
    by = by or instrument()
    return make_seal_signature(
        seal,
        data_hash=data_hash,
        at=at,
        property_info="/ByteRange",
        signer=by.signer,
        certificate=by.certificate,
        stamp=stamp,
    )


def value_of(pdf: bytes, index: int = -1) -> tuple[int, int, bytes]:
    """Where the hexadecimal digits of a signature's value stand, and the value without its zeros."""
    found = re.findall(rb"/ByteRange \[0 (\d+) (\d+) (\d+)\]", pdf)[index]
    start, end = int(found[0]) + 1, int(found[1]) - 1
    padded = bytes.fromhex(pdf[start:end].decode())
    size = 4 + int.from_bytes(padded[2:4], "big")
    assert padded[:2] == b"\x30\x82"
    return start, end, padded[:size]


def put(pdf: bytes, value: bytes, index: int = -1) -> bytes:
    """The file with another value in the same room."""
    start, end, _ = value_of(pdf, index)
    digits = value.hex().encode()
    assert len(digits) <= end - start
    return pdf[:start] + digits.ljust(end - start, b"0") + pdf[end:]


def assert_invalid(verdict: Verdict, *codes: str, integrity: Integrity = Integrity.INTACT) -> Verdict:
    assert verdict.conclusion is Conclusion.INVALID, verdict.findings
    assert verdict.integrity is integrity, verdict.findings
    assert set(codes) <= verdict.codes(), verdict.codes()
    assert any(s.indication != "TOTAL_PASSED" for s in verdict.signatures)
    return verdict


# --- the genuine ones -----------------------------------------------------------------------------------------------


def test_the_genuine_one_is_valid_with_every_step_in_order() -> None:
    (report,) = assert_good(ses(), 1).signatures
    assert report.format == "ses-v4"
    codes = ["FORMAT", "SIG_VALUE", "SIGNER_NOT_IN_SEAL", "SEAL_SIG", "SIGNER_CERT_CHAIN", "SIGN_TIME_OUTSIDE_CERT"]
    assert [s.code for s in report.steps] == [*codes, "DATA_HASH", "TIMESTAMP"]
    assert {s.outcome.value for s in report.steps[:-1]} == {"PASSED"}
    shown = report.to_json("en")
    assert shown["seal"]["id"] == "41020000000001"
    assert shown["steps"][3]["steps"][4]["code"] == "SEAL_VALIDITY"


def test_a_timestamp_proves_the_time_of_a_seal_signature() -> None:
    made = ses(baseline=Baseline.B_T, stamp=shared_pki("p256").tsa().at(AT))
    (report,) = assert_good(made, 1).signatures
    assert report.time_source == "timestamp"
    assert report.steps[-1].outcome.value == "PASSED"


def test_one_document_carries_both_kinds() -> None:
    made = sealed(contract(2), NO_TEXT, picture=None, instrument=instrument(make()), profile=Profile.BOTH)
    verdict = assert_good(made, 2)
    assert [s.format for s in verdict.signatures] == ["ses-v4", "PAdES-B-B"]


def test_many_seal_signatures_follow_each_other() -> None:
    made = contract(4)
    for page in (1, 2, 3, 4):
        made = ses(made, AtPosition(page, 15, 80))
    assert [s.format for s in assert_good(made, 4).signatures] == ["ses-v4"] * 4


def test_what_the_dictionary_calls_itself_does_not_matter() -> None:
    for name in (b"ETSI.CAdES.detached", b"adbe.pkcs7.detached", b"Something.Else"):
        head = b"/Type /Sig /Filter /Other /SubFilter /" + name
        seal = make()
        made = with_value(contract(), lambda d, s=seal: signature_over(d, s), head=head)  # type: ignore[misc]
        assert [s.format for s in assert_good(made, 1).signatures] == ["ses-v4"]


def test_cms_under_the_national_name_is_judged_as_cms() -> None:
    own = instrument()
    value = pades_value(own.signer, own.certificate, own.chain, stamp=None)
    assert_good(with_value(contract(), value.make, room=value.room), 1)


# --- the value ------------------------------------------------------------------------------------------------------


def test_a_swapped_seal_breaks_the_signature() -> None:
    """The seal inside is replaced by another genuine one of the same length; nobody signed that."""
    pdf = ses()
    _, _, value = value_of(pdf)
    old = unverified_seal_signature(value).seal.encoded
    others = (make(name="示例税务监督管理局") for _ in range(50))  # ECDSA values vary in length
    other = next(seal for seal in others if len(seal) == len(old))
    verdict = judged(put(pdf, value.replace(old, other)))
    assert_invalid(verdict, "SIGNATURE_WRONG", integrity=Integrity.ALTERED)
    assert verdict.signatures[0].sub_indication == "SIG_CRYPTO_FAILURE"


def test_the_seal_of_another_is_refused() -> None:
    """A genuine seal, used by somebody with a good certificate whom it does not list."""
    seal = make()
    made = with_value(contract(), lambda d: signature_over(d, seal, stranger()))
    assert_invalid(judged(made), "SIGNER_NOT_IN_SEAL")


def test_the_seal_of_another_is_refused_where_digests_are_listed() -> None:
    seal = make(by_digest=True)
    assert_good(with_value(contract(), lambda d: signature_over(d, seal)), 1)
    made = with_value(contract(), lambda d: signature_over(d, seal, stranger()))
    assert_invalid(judged(made), "SIGNER_NOT_IN_SEAL")


def test_the_certificate_beside_the_signature_cannot_be_exchanged() -> None:
    """It is not signed itself: another certificate of the same key is none that the seal lists."""
    own, seal = instrument().certificate, make()
    pdf = with_value(contract(), lambda d: signature_over(d, seal))
    _, _, value = value_of(pdf)
    place = value.rindex(own) + len(own) - 1
    other = value[:place] + bytes((value[place] ^ 1,)) + value[place + 1 :]
    assert_invalid(judged(put(pdf, other)), "SIGNER_NOT_IN_SEAL")


def test_a_picture_put_into_a_genuine_seal_is_refused() -> None:
    seal = make()
    forged = seal.replace(png(), png()[:-20] + bytes(20))
    assert forged != seal
    made = with_value(contract(), lambda d: signature_over(d, forged))
    assert_invalid(judged(made), "SEAL_SIG", integrity=Integrity.ALTERED)


def test_a_name_put_into_a_genuine_seal_is_refused() -> None:
    forged = make().replace("示例市".encode(), "北京市".encode())
    made = with_value(contract(), lambda d: signature_over(d, forged))
    assert_invalid(judged(made), "SEAL_SIG", integrity=Integrity.ALTERED)


def test_a_seal_made_by_who_only_uses_seals_is_refused() -> None:
    """Its chain is good, and its certificate is for using a seal, not for making one."""
    seal = make(
        maker=replace(stranger(), signer=Faithless(stranger().signer)),
        signers=(stranger().certificate,),
        name="国家示例总局",
    )
    made = with_value(contract(), lambda d: signature_over(d, seal, stranger()))
    assert_invalid(judged(made), "SEAL_MAKER_CERT")


def test_a_seal_by_a_maker_whom_nobody_chose_is_doubtful() -> None:
    from signing.backends import open_backend

    other = build_pki(open_backend("memory:"), prefix="OTHER")
    rogue = Instrument(other.signer(KeyPurpose.SEAL_MAKER), other.certificate(KeyPurpose.SEAL_MAKER))
    seal = make(maker=rogue)
    verdict = judged(with_value(contract(), lambda d: signature_over(d, seal)))
    assert verdict.conclusion is Conclusion.INDETERMINATE, verdict.findings
    assert "NO_TRUSTED_PATH" in verdict.codes()
    assert verdict.signatures[0].indication == "INDETERMINATE"


def test_the_digest_of_another_range_is_refused() -> None:
    """The signer hashed only what stands before the signature's dictionary."""
    pdf, seal = contract(), make()
    made = with_value(pdf, lambda _: signature_over(digest(pdf), seal))
    verdict = assert_invalid(judged(made), "DIGEST_MISMATCH", integrity=Integrity.ALTERED)
    assert next(s for s in verdict.signatures[0].steps if s.code == "DATA_HASH").outcome.value == "FAILED"


def test_a_signature_taken_from_another_document_is_refused() -> None:
    seal = make()
    taken: list[bytes] = []

    def first(of: bytes) -> bytes:
        taken.append(signature_over(of, seal))
        return taken[-1]

    assert_good(with_value(contract(), first), 1)
    made = with_value(contract(page=b"/Other true"), lambda _: taken[0])
    assert_invalid(judged(made), "DIGEST_MISMATCH", integrity=Integrity.ALTERED)


def test_a_seal_that_has_expired_when_it_was_used_is_refused() -> None:
    seal = make(valid_to=AT - timedelta(seconds=1), valid_from=AT - 20 * DAY, created=AT - 20 * DAY)
    made = with_value(contract(), lambda d: signature_over(d, seal))
    assert_invalid(judged(made), "SEAL_VALIDITY")


def test_a_seal_that_was_not_valid_yet_is_refused() -> None:
    seal = make(valid_from=AT + DAY)
    made = with_value(contract(), lambda d: signature_over(d, seal))
    assert_invalid(judged(made), "SEAL_VALIDITY")


def test_a_backdated_use_of_an_expired_seal_is_doubtful_or_refused_by_its_timestamp() -> None:
    """The signer says he sealed before the seal's end. Without a timestamp nobody knows; a later one denies it."""
    seal = make(valid_from=AT - 20 * DAY, valid_to=AT - 1 * DAY / 2, created=AT - 20 * DAY)
    early = AT - DAY + timedelta(hours=1)
    verdict = judged(with_value(contract(), lambda d: signature_over(d, seal, at=early)))
    assert verdict.conclusion is Conclusion.INDETERMINATE
    assert "SEAL_VALIDITY_NO_POE" in verdict.codes()
    made = with_value(contract(), lambda d: signature_over(d, seal, at=early, stamp=stamped))
    assert_invalid(judged(made), "SEAL_VALIDITY")


def test_a_time_outside_the_certificate_is_refused() -> None:
    seal = make(valid_from=AT - 900 * DAY, created=AT - 900 * DAY)
    made = with_value(contract(), lambda d: signature_over(d, seal, at=AT - 400 * DAY))
    assert_invalid(judged(made), "SIGN_TIME_OUTSIDE_CERT")


def stamped(value: bytes) -> bytes:
    return shared_pki("p256").tsa().stamp(digest(value), "sha256", AT)


def test_a_timestamp_over_something_else_proves_nothing() -> None:
    seal = make()
    made = with_value(contract(), lambda d: signature_over(d, seal, stamp=lambda _: stamped(b"other")))
    verdict = judged(made)
    assert verdict.conclusion is not Conclusion.VALID
    assert verdict.codes() >= {"TIMESTAMP_WRONG", "SEAL_TIMESTAMP"}


@pytest.mark.parametrize(
    "name",
    ["empty", "cut", "nested", "long", "many", "numbers", "no seal", "no certificate", "version", "bare seal", "twice"],
)
def test_hostile_values_are_no_seals_and_no_trouble(name: str) -> None:
    seal = make()
    good = signature_over(bytes(32), seal)
    start = der.sequence(der.integer(4), der.sequence())
    deep = b"\x30\x80" * 3000
    for _ in range(60):
        deep = der.sequence(deep)[:200_000]
    own, nothing = instrument().certificate, der.octets(b"")
    header = der.tagged(0x16, b"ES") + der.integer(4)
    value = {
        "empty": b"\x30\x00",
        "cut": good[: len(good) // 2].ljust(len(good), b"\x00"),
        "nested": der.sequence(der.sequence(der.integer(4), deep)),
        "long": b"\x30\x84\xff\xff\xff\xff" + start,
        "many": der.sequence(der.sequence(der.integer(4), *[der.integer(1)] * 5000)),
        "numbers": der.sequence(der.sequence(*[der.integer(2**4000)] * 4), nothing, nothing, nothing),
        "no seal": der.sequence(start, der.octets(own), der.oid("1.2.840.10045.4.3.2"), der.tagged(3, b"\0x")),
        "no certificate": good.replace(own, own[::-1]),
        "version": good.replace(header, der.tagged(0x16, b"ES") + der.integer(9)),
        "bare seal": seal,
        "twice": der.sequence(good, good),
    }[name]
    made = with_value(contract(), lambda _: value, room=max(8000, len(value)))
    verdict = judged(made)
    assert verdict.conclusion is Conclusion.INVALID, verdict.findings
    assert verdict.integrity is not Integrity.INTACT
    assert "INTERNAL" not in verdict.codes()


def test_no_byte_of_the_value_can_be_changed() -> None:
    """Every eleventh byte of the structure: each change is refused, whatever it hits."""
    pdf = ses(pdf=contract())
    _, _, value = value_of(pdf)
    picture = value.index(png())
    places = [i for i in range(0, len(value), 11) if not picture + 60 < i < picture + len(png()) - 20]
    for place in places:
        broken = bytearray(value)
        broken[place] ^= 1 << place % 8
        verdict = judged(put(pdf, bytes(broken)))
        assert verdict.conclusion is Conclusion.INVALID, (place, verdict.findings)


def test_bytes_behind_the_value_are_seen() -> None:
    pdf = ses(pdf=contract())
    _, _, value = value_of(pdf)
    verdict = judged(put(pdf, value + b"\0\0hidden"))
    assert_invalid(verdict, "CONTENTS_NOT_CANONICAL", integrity=Integrity.ALTERED)


# --- the document after sealing -------------------------------------------------------------------------------------


def _object(pdf: bytes, pattern: bytes) -> tuple[int, bytes]:
    """The last object whose body matches."""
    found = [m for m in re.finditer(rb"(\d+) 0 obj\n(.*?)\nendobj", pdf, re.S) if re.search(pattern, m[2], re.S)]
    return int(found[-1][1]), found[-1][2]


def test_a_changed_page_breaks_a_seal_signature() -> None:
    pdf = ses()
    number, body = _object(pdf, rb"/Type\s/Page\b")
    assert_invalid(
        judged(update(pdf, {number: changed(body, Rotate=b"180")})), "CHANGE_NOT_PERMITTED", integrity=Integrity.ALTERED
    )


def test_the_widget_of_a_seal_cannot_be_moved_or_given_another_picture() -> None:
    pdf = ses()
    number, body = _object(pdf, rb"/Subtype\s/Widget")
    moved = update(pdf, {number: changed(body, Rect=b"[300 300 420 420]")})
    assert_invalid(judged(moved), "CHANGE_NOT_PERMITTED", integrity=Integrity.ALTERED)
    look, _ = _object(pdf, rb"/Seal Do")
    drawn = b"/Type /XObject /Subtype /Form /BBox [0 0 119 119]"
    redrawn = update(pdf, {look: stream(b"1 0 0 rg 0 0 9 9 re f", drawn)})
    assert_invalid(judged(redrawn), integrity=Integrity.ALTERED)


def test_a_slice_across_the_edges_cannot_be_moved_taken_off_or_redrawn() -> None:
    """Slices of a first seal are content of their pages; those of a second one are widgets of its field."""
    one = ses(None, AcrossEdges())
    page, body = _object(one, rb"/CvSeal1")
    bare = body.replace(b"/CvSeal1", b"/CvSealX")
    assert_invalid(judged(update(one, {page: bare})), "CHANGE_NOT_PERMITTED", integrity=Integrity.ALTERED)
    two = ses(one, AcrossEdges(offset_mm=20))
    assert_good(two, 2)
    slice_, widget = _object(two, rb"/Parent (?!2 0 R)")
    other, _ = _object(two, rb"/Seal Do")
    changes: tuple[dict[str, bytes], ...] = (
        {"Rect": b"[10 10 30 120]"},
        {"F": b"2"},
        {"AP": b"<< /N %d 0 R >>" % (other - 1)},
    )
    for change in changes:
        broken = changed(widget, **change)
        verdict = judged(update(two, {slice_: broken}))
        assert_invalid(verdict, integrity=Integrity.ALTERED)


def test_a_slice_that_leaves_its_page_is_missed() -> None:
    two = ses(ses(None, AcrossEdges()), AcrossEdges(offset_mm=20))
    number, page = _object(two, rb"(?=.*/Type\s/Page\b)(?=.*/Annots)")
    verdict = judged(update(two, {number: changed(page, Annots=b"[]")}))
    assert_invalid(verdict, integrity=Integrity.ALTERED)


def test_a_slice_of_one_seal_cannot_be_put_on_another_page() -> None:
    two = ses(ses(None, AcrossEdges(1, 2)), AcrossEdges(1, 2, offset_mm=20))
    slice_, _ = _object(two, rb"/Parent (?!2 0 R)")
    page, body = _object(contract(4), rb"/Type /Page .*?/Contents 27 0 R")
    verdict = judged(update(two, {page: changed(body, Annots=b"[%d 0 R]" % slice_)}))
    assert_invalid(verdict, integrity=Integrity.ALTERED)


def test_a_signature_after_a_lock_breaks_it() -> None:
    locked = ses(lock=True)
    seal = make()
    verdict = judged(with_value(locked, lambda d: signature_over(d, seal)))
    assert_invalid(verdict, "CHANGE_NOT_PERMITTED", integrity=Integrity.ALTERED)
    assert verdict.signatures[1].integrity is Integrity.INTACT


def test_the_sealer_itself_refuses_a_seal_that_it_may_not_use() -> None:
    from verify.formats.refusal import RefusedError

    for seal, code in (
        (make(signers=(stranger().certificate,)), "SIGNER_NOT_IN_SEAL"),
        (make(valid_from=AT + DAY), "SEAL_VALIDITY"),
        (b"\x30\x03\x02\x01\x04", "SEAL_FORMAT"),
    ):
        with pytest.raises(RefusedError, match=code):
            sealed(contract(), NO_TEXT, picture=None, instrument=instrument(seal), profile=Profile.SES)
