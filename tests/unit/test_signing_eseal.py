"""Seals that we write are strict DER, and our reader and step-by-step inspection find them good."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from signing.backends import open_backend
from signing.errors import PurposeError, SigningError
from signing.formats.eseal import SealData, SealPicture, make_seal, make_seal_signature
from signing.formats.x509 import Ca, CertificateRequestData, Subject, issue_certificate, random_serial, self_signed_root
from signing.keys import KeyPurpose
from signing.signer import BackendSigner
from verify.checks.sealsteps import document_digest
from verify.formats.algorithms import Algorithm
from verify.formats.der import require_der
from verify.formats.seal import unverified_seal, unverified_seal_signature
from verify.seal import Inspection, inspect_seal
from verify.trust.anchors import TrustStore

AT = datetime(2026, 11, 1, 12, tzinfo=UTC)
YEAR = timedelta(days=365)
OIDS = {
    Algorithm.SM2_SM3: "1.2.156.10197.1.501",
    Algorithm.ECDSA_P256_SHA256: "1.2.840.10045.4.3.2",
    Algorithm.RSA_PKCS1_SHA256: "1.2.840.113549.1.1.11",
}


@dataclass(frozen=True)
class Hands:
    """A seal maker and a signer under one root."""

    root: bytes
    maker: BackendSigner
    maker_certificate: bytes
    signer: BackendSigner
    signer_certificate: bytes

    def data(self, name: str = "测试市市场监督管理局电子印章") -> SealData:
        picture = SealPicture("PNG", b"\x89PNG\r\n\x1a\n", 42, 42)
        times = (AT - YEAR / 2, AT - YEAR / 2, AT + YEAR)
        return SealData("37030000001721", name, 1, "certvault", (self.signer_certificate,), *times, picture)


@pytest.fixture(scope="module", params=list(OIDS), ids=lambda a: a.name)
def hands(request: pytest.FixtureRequest) -> Hands:
    backend, algorithm = open_backend("memory:"), request.param
    ca = BackendSigner(backend, backend.generate("root", algorithm, KeyPurpose.CA))
    start, end = AT - YEAR, AT + 3 * YEAR
    root = self_signed_root(ca, Subject("EXAMPLE root"), serial=random_serial(), not_before=start, not_after=end)
    made = []
    for label, purpose in (("maker", KeyPurpose.SEAL_MAKER), ("signer", KeyPurpose.SEAL)):
        handle = backend.generate(label, algorithm, purpose)
        request_data = CertificateRequestData(Subject(label), handle, random_serial(), start, end)
        made += [BackendSigner(backend, handle), issue_certificate(Ca(root, ca), request_data)]
    return Hands(root, *made)


def sealed(hands: Hands, document: bytes, data: SealData | None = None) -> bytes:
    seal = make_seal(data or hands.data(), hands.maker, hands.maker_certificate)
    digest = document_digest(OIDS[hands.signer.handle.algorithm], document)
    assert digest is not None
    return make_seal_signature(
        seal, data_hash=digest, at=AT, property_info="/whole", signer=hands.signer, certificate=hands.signer_certificate
    )


def inspect(hands: Hands, data: bytes, document: bytes | None = None) -> Inspection:
    return inspect_seal(data, trust=TrustStore((hands.root,), allow_example=True), at=AT, document=document)


def test_a_seal_is_strict_der_and_says_what_it_was_told(hands: Hands) -> None:
    value = make_seal(hands.data(), hands.maker, hands.maker_certificate)
    require_der(value)
    seal = unverified_seal(value)
    assert (seal.version, seal.name, seal.seal_id) == (4, "测试市市场监督管理局电子印章", "37030000001721")
    assert (seal.picture.width_mm, seal.picture.kind, seal.vendor) == (42, "PNG", "certvault")
    assert {s.code: s.outcome.value for s in inspect(hands, value).steps}[None] == "PASSED"


@pytest.mark.parametrize("by_digest", [False, True])
def test_a_seal_signature_passes_every_step(hands: Hands, by_digest: bool) -> None:
    value = sealed(hands, b"document", replace(hands.data(), by_digest=by_digest))
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
    value = sealed(hands, b"document", data)
    read = unverified_seal_signature(value)
    assert (read.seal.name, read.seal.picture.width_mm, read.time) == (name, width, AT)
    assert read.seal.valid_to == data.valid_to
