"""Any bytes give a verdict; no changed bit of a sealed file leaves it intact."""

from __future__ import annotations

import random
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from signing.formats.pades import Baseline
from tests.support.forging import seal_range
from tests.support.sealed import NOW, Sealed, genuine
from verify import (
    Conclusion,
    Integrity,
    TrustStore,
    verify_any,
    verify_code,
    verify_document,
    verify_picture,
    verify_record,
)
from verify.checks.sealed import check_revisions, check_signatures, open_document
from verify.evidence import NO_EVIDENCE
from verify.inquiry import Inquiry
from verify.policy import DEFAULT_POLICY

AT = datetime(2026, 1, 1, tzinfo=UTC)
QUIET = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
HEADS = st.sampled_from(
    [b"", b"%PDF-1.7\n", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"eyJhbGciOiJFUzI1NiJ9.", b"0\x82", b"\xd2\x84"]
)


@QUIET
@given(head=HEADS, data=st.binary(max_size=400))
def test_any_bytes_give_a_verdict_that_is_not_valid(head: bytes, data: bytes) -> None:
    for verdict in (
        verify_any(head + data, trust=TrustStore(), at=AT),
        verify_document(head + data, trust=TrustStore(), at=AT),
        verify_record(head + data, trust=TrustStore(), at=AT),
        verify_picture(head + data, trust=TrustStore(), at=AT),
    ):
        assert verdict.conclusion is not Conclusion.VALID
        assert verdict.integrity is not Integrity.INTACT
        assert verdict.findings
        verdict.to_json("zh")


@QUIET
@given(text=st.text(max_size=300))
def test_any_text_gives_a_verdict(text: str) -> None:
    for verdict in (
        verify_code(text, trust=TrustStore(), at=AT),
        verify_code(f"https://x/verify#c={text}", trust=TrustStore(), at=AT),
        verify_record(text, trust=TrustStore(), at=AT),
    ):
        assert verdict.conclusion is not Conclusion.VALID


def _integrity(data: bytes, trust: TrustStore) -> Integrity:
    """The steps that decide integrity, without those that only read what was found intact."""
    inquiry = Inquiry("pdf", trust=trust, at=NOW, policy=DEFAULT_POLICY, evidence=NO_EVIDENCE)
    document = None
    with inquiry.check("structure"):
        document = open_document(inquiry, data, None)
        if not document.signatures:
            inquiry.report("UNSIGNED")
    if document is None:
        return inquiry.integrity
    with inquiry.check("signatures"):
        check_signatures(inquiry, document)
    with inquiry.check("revisions"):
        check_revisions(inquiry, document)
    ran = {"signatures", "revisions"} <= set(inquiry.ran)
    return inquiry.integrity if ran else Integrity.UNREADABLE


def _places(sealed: Sealed) -> list[int]:
    """Every byte that the seal's digest does not cover: the value in the gap, and the updates behind."""
    start, second, end = seal_range(sealed.pdf)
    return [*range(start, second), *range(end, len(sealed.pdf))]


@pytest.mark.parametrize("trusted", [True, False], ids=["trusted", "no-anchor"])
@pytest.mark.parametrize("suite", ["p256", "rsa3072"])
@pytest.mark.parametrize("baseline", [Baseline.B_LT, Baseline.B_LTA])
def test_a_flipped_bit_outside_the_digest_never_leaves_intact(
    baseline: Baseline, suite: str, trusted: bool, pytestconfig: pytest.Config
) -> None:
    sealed = genuine(baseline, "driving-license", suite)
    trust = sealed.trust() if trusted else TrustStore()
    assert _integrity(sealed.pdf, trust) is Integrity.INTACT
    chosen = random.Random(20261123)
    places = _places(sealed)
    flips = [(p, b) for p in places for b in range(8)] if pytestconfig.getoption("--acceptance") else []
    flips = flips or [(p, chosen.randrange(8)) for p in chosen.sample(places, 80)]
    data = bytearray(sealed.pdf)
    for place, bit in flips:
        data[place] ^= 1 << bit
        assert _integrity(bytes(data), trust) is not Integrity.INTACT, f"bit {bit} of byte {place}"
        data[place] ^= 1 << bit


def test_a_flipped_bit_inside_the_digest_never_leaves_intact() -> None:
    sealed = genuine(Baseline.B_LT, "driving-license")
    start, _, end = seal_range(sealed.pdf)
    chosen = random.Random(7)
    data = bytearray(sealed.pdf)
    for place in chosen.sample([*range(start), *range(end - 400, end)], 120):
        bit = 1 << chosen.randrange(8)
        data[place] ^= bit
        assert _integrity(bytes(data), sealed.trust()) is not Integrity.INTACT, place
        data[place] ^= bit


@pytest.mark.parametrize("size", [1, 2, 7, 64])
def test_bytes_taken_out_or_put_in_never_leave_intact(size: int) -> None:
    sealed = genuine(Baseline.B_LTA, "driving-license")
    chosen = random.Random(size)
    places = _places(sealed)
    for place in [*chosen.sample(places, 20), *places[-200::13]]:
        shorter = sealed.pdf[:place] + sealed.pdf[place + size :]
        more = b" " * size if place % 2 else chosen.randbytes(size)
        longer = sealed.pdf[:place] + more + sealed.pdf[place:]
        assert _integrity(shorter, sealed.trust()) is not Integrity.INTACT, place
        assert _integrity(longer, sealed.trust()) is not Integrity.INTACT, place
