"""Sealing contracts with the tests' keys, and values that no honest sealer would write."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from signing.formats.eseal import SealData, SealPicture, make_seal
from signing.formats.ocsp import GOOD
from signing.formats.pdf_body import MemoryBody
from signing.formats.pdf_form import Form
from signing.formats.pdf_signature import Value, sign_update, told
from signing.formats.pdf_update import Name, PdfUpdater, dictionary, string
from signing.formats.placement import AtPosition, Placement
from signing.formats.seal_document import Instrument, SealOrder, seal_document
from signing.formats.seal_look import Picture, VectorPicture
from signing.formats.ses_value import FILTER
from signing.formats.x509 import CertificateRequestData, Subject, issue_certificate, random_serial
from signing.keys import KeyPurpose
from signing.signer import BackendSigner, Signer
from signing.tbs import ToBeSigned
from tests.support.contracts import DISC, deflated, png
from tests.support.forger.bases import trust
from tests.support.signing_pki import AT, BASE_URL, serial_of, shared_pki
from verify import Evidence, Verdict, verify_document
from verify.findings import Severity
from verify.formats.algorithms import Algorithm
from verify.verdict import Integrity

SEAL = VectorPicture(deflated(DISC), 42, 42)
NO_TEXT = AtPosition(1, 15, 80)
"""A place where the contract prints nothing."""
NAME = "示例市场监督管理局"
DAY = timedelta(days=1)


def instrument(seal: bytes | None = None, suite: str = "p256") -> Instrument:
    pki = shared_pki(suite)
    return Instrument(pki.signer(KeyPurpose.SEAL), pki.certificate(KeyPurpose.SEAL), (pki.issuing.certificate,), seal)


@lru_cache(maxsize=4)
def stranger(purpose: KeyPurpose = KeyPurpose.SEAL) -> Instrument:
    """Somebody else under the same authority: another key, another certificate."""
    pki = shared_pki("p256")
    handle = pki.backend.generate(f"stranger-{purpose.value}", Algorithm.ECDSA_P256_SHA256, purpose)
    certificate = issue_certificate(
        pki.issuing,
        CertificateRequestData(
            Subject("路人公司", "路人公司", "91110000600037341L"),
            handle,
            random_serial(),
            AT - DAY,
            AT + 1000 * DAY,
            ca_name="issuing-1",
            base_url=BASE_URL,
        ),
    )
    pki.statuses[serial_of(certificate)] = GOOD
    return Instrument(BackendSigner(pki.backend, handle), certificate, (pki.issuing.certificate,))


class Faithless:
    """A door to a key that lets it sign what it is not for."""

    def __init__(self, signer: Signer) -> None:
        self._signer = signer
        self.handle = signer.handle

    def sign(self, tbs: ToBeSigned) -> bytes:
        return self._signer.sign(ToBeSigned(tbs.data, self.handle.purpose))


def seal_data(**changes: Any) -> SealData:
    own = instrument().certificate
    picture = SealPicture("PNG", png(), 42, 42)
    data = SealData("41020000000001", NAME, 1, "certvault", (own,), AT - DAY, AT - DAY, AT + 300 * DAY, picture)
    return replace(data, **changes)


def make(maker: Instrument | None = None, suite: str = "p256", **changes: Any) -> bytes:
    """A seal (SES_Seal, DER), made by the vault's maker unless another one is given."""
    pki = shared_pki(suite)
    changes = {"signers": (instrument(suite=suite).certificate,), **changes}
    if maker is None:
        maker = Instrument(pki.signer(KeyPurpose.SEAL_MAKER), pki.certificate(KeyPurpose.SEAL_MAKER))
    return make_seal(seal_data(**changes), maker.signer, maker.certificate)


def order(*placements: Placement, picture: Picture | None = SEAL, **changes: Any) -> SealOrder:
    return replace(SealOrder(instrument(), AT, placements, picture), **changes)


def sealed(pdf: bytes, *placements: Placement, **changes: Any) -> bytes:
    return seal_document(pdf, order(*placements, **changes))


def judged(pdf: bytes, at: datetime = AT + timedelta(minutes=1), suite: str = "p256") -> Verdict:
    """The verdict under the tests' root, with revocation data at hand."""
    pki = shared_pki(suite)
    chosen = replace(trust(), anchors=(pki.root.certificate,), certificates=(pki.issuing.certificate,))
    purposes = (KeyPurpose.SEAL, KeyPurpose.TSA, KeyPurpose.SEAL_MAKER)
    evidence = Evidence(crls=(pki.root_crl(),), ocsps=(pki.ocsp(*purposes),))
    return verify_document(pdf, trust=chosen, at=at, evidence=evidence)


def assert_good(pdf: bytes, count: int, but: Collection[str] = ()) -> Verdict:
    """Our judge finds nothing wrong, and nothing to doubt; ``but`` for the clock of the tests' other signer."""
    verdict = judged(pdf)
    assert len(verdict.signatures) == count
    assert verdict.integrity is Integrity.INTACT, verdict.findings
    doubts = {f.code for f in verdict.findings if f.severity is not Severity.NOTE}
    assert doubts <= set(but), verdict.findings
    assert all(s.integrity is Integrity.INTACT for s in verdict.signatures)
    assert verdict.signatures[-1].covers_whole_file
    return verdict


def with_value(
    pdf: bytes,
    make_value: Callable[[bytes], bytes],
    *,
    head: bytes = FILTER,
    hash_name: str = "sha256",
    room: int = 8000,
) -> bytes:
    """``pdf`` with an invisible field that holds whatever ``make_value`` makes of the digest of its byte range."""
    updater = PdfUpdater(MemoryBody(pdf))
    form, place, signature = Form(updater), updater.new_reference(), updater.new_reference()
    objects = form.add(place)
    name = form.free_name("Seal")
    objects[place] = dictionary({"/FT": Name("/Sig"), "/T": string(name), "/V": signature})
    sign_update(updater, objects, signature, Value(head, hash_name, make_value, room), told(AT))
    return updater.result()


def digest(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()
