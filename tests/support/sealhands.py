"""Seals and seal signatures as ``signing`` writes them, with keys in memory."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from signing.backends import open_backend
from signing.formats.eseal import SealData, SealPicture, make_seal, make_seal_signature
from signing.formats.x509 import Ca, CertificateRequestData, Subject, issue_certificate, random_serial, self_signed_root
from signing.keys import KeyPurpose
from signing.signer import BackendSigner
from verify.checks.sealsteps import document_digest
from verify.formats.algorithms import Algorithm
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
    ca: BackendSigner
    maker: BackendSigner
    maker_certificate: bytes
    signer: BackendSigner
    signer_certificate: bytes

    @property
    def trust(self) -> TrustStore:
        """The root alone."""
        return TrustStore((self.root,), allow_example=True)

    def data(self, name: str = "测试市市场监督管理局电子印章") -> SealData:
        """What a good seal says."""
        picture = SealPicture("PNG", b"\x89PNG\r\n\x1a\n", 42, 42)
        times = (AT - YEAR / 2, AT - YEAR / 2, AT + YEAR)
        return SealData("37030000001721", name, 1, "certvault", (self.signer_certificate,), *times, picture)

    def seal(self, data: SealData | None = None) -> bytes:
        """A bare seal."""
        return make_seal(data or self.data(), self.maker, self.maker_certificate)

    def sealed(
        self, document: bytes, data: SealData | None = None, stamp: Callable[[bytes], bytes] | None = None
    ) -> bytes:
        """A seal signature over a document."""
        digest = document_digest(OIDS[self.signer.handle.algorithm], document)
        assert digest is not None
        return make_seal_signature(
            self.seal(data),
            data_hash=digest,
            at=AT,
            property_info="/whole",
            signer=self.signer,
            certificate=self.signer_certificate,
            stamp=stamp,
        )


def make_hands(algorithm: Algorithm) -> Hands:
    """New keys and certificates of one algorithm."""
    backend = open_backend("memory:")
    ca = BackendSigner(backend, backend.generate("root", algorithm, KeyPurpose.CA))
    start, end = AT - YEAR, AT + 3 * YEAR
    root = self_signed_root(ca, Subject("EXAMPLE root"), serial=random_serial(), not_before=start, not_after=end)
    made: list[tuple[BackendSigner, bytes]] = []
    for label, purpose in (("maker", KeyPurpose.SEAL_MAKER), ("signer", KeyPurpose.SEAL)):
        handle = backend.generate(label, algorithm, purpose)
        request = CertificateRequestData(Subject(label), handle, random_serial(), start, end)
        made.append((BackendSigner(backend, handle), issue_certificate(Ca(root, ca), request)))
    return Hands(root, ca, *made[0], *made[1])
