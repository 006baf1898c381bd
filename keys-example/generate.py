"""Make the example keys of this folder anew: ``python keys-example/generate.py [FOLDER]``.

The shape is always the same, the keys are fresh: a root, a seal CA under it, a seal certificate under that, and the
three private keys as encrypted PKCS#8. Every subject begins with EXAMPLE, and nothing trusts them unless a setting
allows example keys. Private keys are made and kept by ``signing.backends``; this script never holds one.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from signing.backends import open_backend
from signing.formats.x509 import (
    Ca,
    CertificateRequestData,
    Subject,
    issue_certificate,
    random_serial,
    self_signed_root,
)
from signing.keys import KeyPurpose
from signing.signer import BackendSigner
from verify.formats.algorithms import Algorithm
from verify.formats.purposes import EXAMPLE_PREFIX

PASSPHRASE = "example"
SINCE = datetime(2026, 1, 1, tzinfo=UTC)
ORGANIZATION = "EXAMPLE Authority 示例机关"
CODE = "91110000600037341L"


def generate(folder: Path) -> None:
    """Write keys and certificates into ``folder``; what of them is there already is replaced."""
    for old in (*folder.glob("*.key"), *folder.glob("*.pem")):
        old.unlink()
    backend = open_backend(f"file:{folder}", pin=lambda: PASSPHRASE)

    def subject(name: str) -> Subject:
        return Subject(f"{EXAMPLE_PREFIX} {name}", ORGANIZATION, CODE)

    root_key = backend.generate("example-root", Algorithm.ECDSA_P384_SHA384, KeyPurpose.CA)
    ca_key = backend.generate("example-seal-ca", Algorithm.ECDSA_P256_SHA256, KeyPurpose.CA)
    seal_key = backend.generate("example-seal", Algorithm.ECDSA_P256_SHA256, KeyPurpose.SEAL)
    root_signer = BackendSigner(backend, root_key)
    root = Ca(
        self_signed_root(
            root_signer,
            subject("Root"),
            serial=random_serial(),
            not_before=SINCE,
            not_after=SINCE + timedelta(days=7305),
        ),
        root_signer,
    )
    ca_until, seal_until = SINCE + timedelta(days=3652), SINCE + timedelta(days=1096)
    ca_certificate = issue_certificate(
        root, CertificateRequestData(subject("Seal CA"), ca_key, random_serial(), SINCE, ca_until)
    )
    seal_certificate = issue_certificate(
        Ca(ca_certificate, BackendSigner(backend, ca_key)),
        CertificateRequestData(subject("Seal"), seal_key, random_serial(), SINCE, seal_until),
    )
    made = {"example-root": root.certificate, "example-seal-ca": ca_certificate, "example-seal": seal_certificate}
    for name, der in made.items():
        (folder / f"{name}.pem").write_bytes(x509.load_der_x509_certificate(der).public_bytes(Encoding.PEM))


if __name__ == "__main__":
    generate(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parent)
