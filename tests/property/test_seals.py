"""Whatever ``signing`` writes of a seal ``verify`` reads the same; and any bytes give an answer, a true one."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from signing.errors import SigningError
from signing.formats.eseal import SealData, SealPicture, make_seal, make_seal_signature
from tests.support.sealhands import AT, Hands, make_hands
from verify import TrustStore, verify_any, verify_seal
from verify.checks.sealsteps import digest_named
from verify.formats.algorithms import Algorithm
from verify.formats.der import require_der
from verify.formats.seal import begins_as_seal, unverified_seal, unverified_seal_signature
from verify.seal import inspect_seal

ASCII = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=40)
MOMENTS = st.datetimes(datetime(1950, 1, 1), datetime(2500, 1, 1)).map(lambda t: t.replace(microsecond=0, tzinfo=UTC))
SIZES = st.integers(1, 2**31 - 1)
LIMITS = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@pytest.fixture(scope="module", params=[Algorithm.SM2_SM3, Algorithm.ECDSA_P256_SHA256], ids=lambda a: a.name)
def hands(request: pytest.FixtureRequest) -> Hands:
    return make_hands(request.param)


@st.composite
def seal_data(draw: st.DrawFn, signers: tuple[bytes, ...]) -> SealData:
    """Data of any seal: only the times are in order, which a seal needs."""
    created, start, end = draw(MOMENTS), draw(MOMENTS), draw(MOMENTS)
    assume(created <= end and start < end)
    picture = SealPicture(draw(ASCII), draw(st.binary(max_size=300)), draw(SIZES), draw(SIZES))
    name = draw(st.text(max_size=60))
    listed = draw(st.permutations(signers)).copy()[: draw(st.integers(1, len(signers)))]
    kind = draw(st.integers(0, 2**31 - 1))
    return SealData(
        draw(ASCII), name, kind, draw(ASCII), tuple(listed), created, start, end, picture, by_digest=draw(st.booleans())
    )


@LIMITS
@given(data=st.data())
def test_a_seal_is_read_as_it_was_written(hands: Hands, data: st.DataObject) -> None:
    said = data.draw(seal_data((hands.signer_certificate, hands.maker_certificate, hands.root)))
    written = make_seal(said, hands.maker, hands.maker_certificate)
    require_der(written)
    assert begins_as_seal(written)
    read = unverified_seal(written)
    assert (read.version, read.stated_version, read.encoded, read.maker) == (4, 4, written, hands.maker_certificate)
    assert (read.seal_id, read.name, read.kind, read.vendor) == (said.seal_id, said.name, said.kind, said.vendor)
    assert (read.created, read.valid_from, read.valid_to) == (said.created, said.valid_from, said.valid_to)
    picture = SealPicture(read.picture.kind, read.picture.data, read.picture.width_mm, read.picture.height_mm)
    assert picture == said.picture
    assert read.certificates == (() if said.by_digest else said.signers)
    for certificate in (hands.signer_certificate, hands.maker_certificate, hands.root):
        assert read.lists(certificate, digest_named) is (certificate in said.signers)
    assert (read.extensions, read.timestamp, read.remarks) == ((), None, ())
    outcomes = {s.code: s.outcome.value for s in inspect_seal(written, trust=hands.trust, at=AT).steps}
    assert (outcomes["SEAL_FORMAT"], outcomes["SEAL_SIG"], outcomes["SEAL_MAKER_CERT"]) == ("PASSED",) * 3


@LIMITS
@given(at=MOMENTS, info=ASCII, digest=st.binary(max_size=64), stamp=st.none() | st.binary(max_size=200))
def test_a_signature_is_read_as_it_was_written(
    hands: Hands, at: datetime, info: str, digest: bytes, stamp: bytes | None
) -> None:
    seal = hands.seal()
    written = make_seal_signature(
        seal,
        data_hash=digest,
        at=at,
        property_info=info,
        signer=hands.signer,
        certificate=hands.signer_certificate,
        stamp=None if stamp is None else lambda value: stamp,
    )
    require_der(written)
    read = unverified_seal_signature(written)
    assert (read.version, read.stated_version, read.seal, read.signer) == (
        4, 4, unverified_seal(seal), hands.signer_certificate,
    )  # fmt: skip
    assert (read.time, read.property_info, read.data_hash, read.timestamp) == (at, info, digest, stamp)
    found = inspect_seal(written, trust=hands.trust, at=AT)
    assert [s.outcome.value for s in found.steps[:3]] == ["PASSED"] * 3


@pytest.mark.parametrize(
    "wrong",
    [{"kind": -1}, {"kind": 2**31}, {"kind": 2**70}, {"picture": SealPicture("PNG", b"", 0, 4)}]
    + [{"picture": SealPicture("PNG", b"", 4, 2**31)}, {"vendor": "公司"}, {"seal_id": "1\n"}],
)
def test_what_would_not_be_read_back_is_not_written(hands: Hands, wrong: dict[str, object]) -> None:
    with pytest.raises(SigningError):
        make_seal(replace(hands.data(), **wrong), hands.maker, hands.maker_certificate)  # type: ignore[arg-type]


@st.composite
def damaged(draw: st.DrawFn, data: bytes) -> bytes:
    """Some bytes cut out, doubled, moved, set or put in, up to six times."""
    changed = bytearray(data)
    for _ in range(draw(st.integers(1, 6))):
        start = draw(st.integers(0, len(changed)))
        end = min(len(changed), start + draw(st.integers(0, 60)))
        piece = bytes(changed[start:end])
        other = draw(st.integers(0, len(changed)))
        match draw(st.integers(0, 4)):
            case 0:
                del changed[start:end]
            case 1:
                changed[other:other] = piece
            case 2:
                changed[other : other + len(piece)] = piece
            case 3:
                changed[start : start + 1] = draw(st.binary(min_size=1, max_size=2))
            case _:
                changed[other:other] = draw(st.binary(max_size=12))
    return bytes(changed)


@pytest.fixture(scope="module")
def originals(hands: Hands) -> tuple[bytes, bytes]:
    """A bare seal and a signature, the same for all examples."""
    return hands.seal(), hands.sealed(b"document")


@settings(max_examples=200, deadline=None)
@given(data=st.data())
@pytest.mark.parametrize("bare", [True, False])
def test_damage_gives_an_answer_and_the_values_fit_what_was_signed_alone(
    originals: tuple[bytes, bytes], bare: bool, data: st.DataObject
) -> None:
    """A value that still fits is over the very bytes that were signed, wherever else the damage lies."""
    original = originals[0] if bare else originals[1]
    changed = data.draw(damaged(original))
    found = inspect_seal(changed, trust=TrustStore(), at=AT, document=b"document")
    steps = {s.code: s.outcome.value for s in found.steps}
    if bare and found.seal is not None and steps["SEAL_SIG"] == "PASSED":
        assert found.seal.covered == unverified_seal(original).covered
    if found.signature is not None and steps["SIG_VALUE"] == "PASSED":
        before = unverified_seal_signature(original)
        assert found.signature.covered == before.covered
        assert steps["SIGNER_NOT_IN_SEAL"] == ("PASSED" if found.signature.signer == before.signer else "FAILED")
    for lang in ("zh", "en"):
        assert all(step["reason"] for step in found.to_json(lang)["steps"])
    verdict = verify_seal(changed, trust=TrustStore(), at=AT, document=b"document")
    assert (verdict.kind, verdict.conclusion.value != "VALID", "INTERNAL" in verdict.codes()) == ("seal", True, False)


@settings(max_examples=100, deadline=None)
@given(head=st.binary(max_size=20), tail=st.binary(max_size=200), at=st.datetimes() | MOMENTS)
def test_any_bytes_with_a_seals_first_value_give_an_answer(head: bytes, tail: bytes, at: datetime) -> None:
    data = b"\x30" + head + b"\x16\x02ES" + tail
    assert verify_any(data, trust=TrustStore(), at=at.replace(tzinfo=UTC)).conclusion.value == "INVALID"
    inspect_seal(data, trust=TrustStore(), at=at.replace(tzinfo=UTC) if at.tzinfo is None else at)


def test_moments_at_the_ends_of_the_calendar_give_an_answer(hands: Hands) -> None:
    for at in (datetime.min, datetime.max, datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)):
        for data in (hands.seal(), hands.sealed(b"document")):
            assert inspect_seal(data, trust=hands.trust, at=at, document=b"document").steps
            verify_seal(data, trust=hands.trust, at=at, document=b"document")
    soon = AT + timedelta(days=1)
    assert inspect_seal(hands.seal(), trust=hands.trust, at=soon).steps[-1].outcome.value == "PASSED"
