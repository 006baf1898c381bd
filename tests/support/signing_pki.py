"""A small region PKI, made once a process, for tests of what is signed."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from signing.backends import Backend, open_backend
from signing.formats.crl import make_crl
from signing.formats.ocsp import GOOD, UNKNOWN, CertificateStatus, Responder, ocsp_for
from signing.formats.x509 import (
    Ca,
    CertificateRequestData,
    Subject,
    issue_certificate,
    random_serial,
    self_signed_root,
)
from signing.keys import KeyHandle, KeyPurpose
from signing.signer import BackendSigner
from signing.timestamp import TimestampAuthority
from verify.formats.algorithms import Algorithm

AT = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
BASE_URL = "http://127.0.0.1:8000"
POLICY = "2.25.206853310937546410384529471116239071104.100"


@dataclass
class Pki:
    """Root, issuing CA and one leaf for each purpose, over one backend."""

    backend: Backend
    root: Ca
    issuing: Ca
    leafs: dict[KeyPurpose, tuple[bytes, BackendSigner]]
    statuses: dict[int, CertificateStatus] = field(default_factory=dict)

    def signer(self, purpose: KeyPurpose) -> BackendSigner:
        return self.leafs[purpose][1]

    def certificate(self, purpose: KeyPurpose) -> bytes:
        return self.leafs[purpose][0]

    @property
    def responder(self) -> Responder:
        certificate, signer = self.leafs[KeyPurpose.OCSP]
        return Responder(self.issuing.certificate, signer, certificate, lambda n: self.statuses.get(n, UNKNOWN))

    def tsa(self) -> TimestampAuthority:
        serials = itertools.count(1)
        certificate, signer = self.leafs[KeyPurpose.TSA]
        return TimestampAuthority(signer, certificate, (self.issuing.certificate,), POLICY, lambda: next(serials))

    def root_crl(self, at: datetime = AT) -> bytes:
        return make_crl(self.root, number=1, this_update=at, next_update=at + timedelta(days=180))

    def ocsp(self, *purposes: KeyPurpose, at: datetime = AT) -> bytes:
        return ocsp_for([serial_of(self.certificate(p)) for p in purposes], responder=self.responder, at=at)


def serial_of(certificate: bytes) -> int:
    from asn1crypto import x509

    return int(x509.Certificate.load(certificate).serial_number)


_SUITES = {
    "p256": (Algorithm.ECDSA_P384_SHA384, Algorithm.ECDSA_P256_SHA256),
    "rsa3072": (Algorithm.RSA_PKCS1_SHA256, Algorithm.RSA_PKCS1_SHA256),
    "sm2": (Algorithm.SM2_SM3, Algorithm.SM2_SM3),
}


def build_pki(backend: Backend, suite: str = "p256", prefix: str = "EXAMPLE", region: str = "Example Region") -> Pki:
    top, leaf = _SUITES[suite]
    since = AT - timedelta(days=1)

    def key(label: str, algorithm: Algorithm, purpose: KeyPurpose) -> KeyHandle:
        return backend.generate(label, algorithm, purpose)

    root_signer = BackendSigner(backend, key("root", top, KeyPurpose.CA))
    root_certificate = self_signed_root(
        root_signer,
        Subject(f"{prefix} Root", region),
        serial=random_serial(),
        not_before=since,
        not_after=since + timedelta(days=7300),
    )
    root = Ca(root_certificate, root_signer)
    issuing_key = key("issuing", leaf, KeyPurpose.CA)
    issuing_certificate = issue_certificate(
        root,
        CertificateRequestData(
            Subject(f"{prefix} Issuing CA", region),
            issuing_key,
            random_serial(),
            since,
            since + timedelta(days=3650),
            ca_name="root-1",
            base_url=BASE_URL,
        ),
    )
    issuing = Ca(issuing_certificate, BackendSigner(backend, issuing_key))
    pki = Pki(backend, root, issuing, {})
    for purpose in KeyPurpose:
        if purpose is KeyPurpose.CA:
            continue
        algorithm = Algorithm.ECDSA_P256_SHA256 if purpose is KeyPurpose.CODE else leaf
        handle = key(purpose.value, algorithm, purpose)
        certificate = issue_certificate(
            issuing,
            CertificateRequestData(
                Subject(f"开封市示例局 {purpose.value}", "开封市示例局", "91110000600037341L"),
                handle,
                random_serial(),
                since,
                since + timedelta(days=1095),
                ca_name="issuing-1",
                base_url=BASE_URL,
                signing_until=since + timedelta(days=365) if purpose is KeyPurpose.TSA else None,
            ),
        )
        pki.leafs[purpose] = (certificate, BackendSigner(backend, handle))
        pki.statuses[serial_of(certificate)] = GOOD
    return pki


@lru_cache(maxsize=4)
def shared_pki(suite: str = "p256") -> Pki:
    """One PKI for all tests that change nothing in it."""
    return build_pki(open_backend("memory:"), suite)
