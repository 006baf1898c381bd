"""Seals that we write are strict DER, and our reader and step-by-step inspection find them good."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from signing.errors import PurposeError, SigningError
from signing.formats.eseal import SealPicture, make_seal, make_seal_signature
from signing.formats.eseal_1 import make_seal_1, make_seal_signature_1
from tests.support.sealhands import AT, OIDS, YEAR, Hands, make_hands
from verify.checks.sealsteps import document_digest
from verify.formats.der import require_der
from verify.formats.seal import unverified_seal, unverified_seal_signature
from verify.seal import Inspection, inspect_seal


@pytest.fixture(scope="module", params=list(OIDS), ids=lambda a: a.name)
def hands(request: pytest.FixtureRequest) -> Hands:
    return make_hands(request.param)


def inspect(hands: Hands, data: bytes, document: bytes | None = None) -> Inspection:
    return inspect_seal(data, trust=hands.trust, at=AT, document=document)


def test_a_seal_is_strict_der_and_says_what_it_was_told(hands: Hands) -> None:
    value = make_seal(hands.data(), hands.maker, hands.maker_certificate)
    require_der(value)
    seal = unverified_seal(value)
    assert (seal.version, seal.name, seal.seal_id) == (4, "测试市市场监督管理局电子印章", "37030000001721")
    assert (seal.picture.width_mm, seal.picture.kind, seal.vendor) == (42, "PNG", "certvault")
    assert {s.code: s.outcome.value for s in inspect(hands, value).steps}[None] == "PASSED"


@pytest.mark.parametrize("by_digest", [False, True])
def test_a_seal_signature_passes_every_step(hands: Hands, by_digest: bool) -> None:
    value = hands.sealed(b"document", replace(hands.data(), by_digest=by_digest))
    require_der(value)
    found = inspect(hands, value, b"document")
    outcomes = {s.code: s.outcome.value for s in found.steps}
    assert "FAILED" not in outcomes.values(), found.to_json("en")
    assert outcomes["DATA_HASH"] == outcomes["SIG_VALUE"] == outcomes["SIGNER_NOT_IN_SEAL"] == "PASSED"
    changed = inspect(hands, value, b"Document")
    assert {s.code: s.outcome.value for s in changed.steps}["DATA_HASH"] == "FAILED"


def test_keys_do_not_change_places(hands: Hands) -> None:
    """The signer's key makes no seal and the maker's key seals nothing."""
    with pytest.raises(PurposeError):
        make_seal(hands.data(), hands.signer, hands.signer_certificate)
    seal = make_seal(hands.data(), hands.maker, hands.maker_certificate)
    with pytest.raises(PurposeError):
        make_seal_signature(
            seal, data_hash=bytes(32), at=AT, property_info="/", signer=hands.maker, certificate=hands.maker_certificate
        )


@pytest.mark.parametrize("wrong", [{"signers": ()}, {"valid_to": AT - YEAR}, {"seal_id": "一二三"}, {"vendor": "a\nb"}])
def test_data_that_a_seal_cannot_hold_are_refused(hands: Hands, wrong: dict[str, object]) -> None:
    with pytest.raises(SigningError):
        make_seal(replace(hands.data(), **wrong), hands.maker, hands.maker_certificate)  # type: ignore[arg-type]


@settings(max_examples=25, deadline=None)
@given(name=st.text(min_size=1, max_size=60).filter(lambda t: t.isprintable()), width=st.integers(1, 100))
def test_what_is_written_is_read_back(hands: Hands, name: str, width: int) -> None:
    data = replace(hands.data(name), picture=SealPicture("SVG", b"<svg/>", width, 42))
    value = hands.sealed(b"document", data)
    read = unverified_seal_signature(value)
    assert (read.seal.name, read.seal.picture.width_mm, read.time) == (name, width, AT)
    assert read.seal.valid_to == data.valid_to


def test_a_seal_of_the_old_structure_passes_every_step(hands: Hands) -> None:
    """GM/T 0031-2014: the maker signs its certificate and algorithm as well, the signer too."""
    digest = document_digest(OIDS[hands.signer.handle.algorithm], b"document")
    assert digest is not None
    seal = make_seal_1(hands.data(), hands.maker, hands.maker_certificate)
    assert {s.code: s.outcome.value for s in inspect(hands, seal).steps}[None] == "PASSED"
    value = make_seal_signature_1(
        seal,
        data_hash=digest,
        at=AT,
        property_info="/whole",
        signer=hands.signer,
        certificate=hands.signer_certificate,
    )
    require_der(value)
    found = inspect(hands, value, b"document")
    assert found.version == 1
    outcomes = {s.code: s.outcome.value for s in found.steps}
    assert "FAILED" not in outcomes.values(), found.to_json("en")
    assert outcomes["DATA_HASH"] == outcomes["SIG_VALUE"] == "PASSED"
    changed = inspect(hands, value, b"Document")
    assert {s.code: s.outcome.value for s in changed.steps}["DATA_HASH"] == "FAILED"
    with pytest.raises(PurposeError):
        make_seal_1(hands.data(), hands.signer, hands.signer_certificate)
