"""Certificates and revocation lists that OpenSSL signs with SM2, judged through certvalidator."""

from __future__ import annotations

import asyncio
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from asn1crypto import crl, pem, x509
from pyhanko_certvalidator import CertificateValidator, ValidationContext
from pyhanko_certvalidator.errors import PathBuildingError, RevokedError

from verify.formats.gm import SignatureValidator
from verify.formats.publickeys import BadSignatureError, verify_x509

IDENTITY = "distid:1234567812345678"
CONFIG = """
[req]
distinguished_name = dn
prompt = no
[dn]
CN = SM2 Root
[ca]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
[leaf]
basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature,nonRepudiation
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
[default_ca_section]
"""


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A root and a leaf, both SM2, and a second root of the same name with another key."""
    folder = tmp_path_factory.mktemp("sm2")
    (folder / "c.cnf").write_text(CONFIG)
    for name in ("root", "other", "leaf"):
        _openssl(folder, "genpkey", "-algorithm", "SM2", "-out", f"{name}.key")
    signing = ("-config", "c.cnf", "-sm3", "-sigopt", IDENTITY)
    for name in ("root", "other"):
        _openssl(folder, "req", "-x509", "-new", "-key", f"{name}.key", *signing, "-extensions", "ca", "-out", name)
    _openssl(folder, "req", "-new", "-key", "leaf.key", *signing, "-subj", "/CN=leaf", "-out", "leaf.csr")
    made = ("-CA", "root", "-CAkey", "root.key", "-extfile", "c.cnf", "-extensions", "leaf", "-set_serial", "7")
    _openssl(
        folder,
        "x509",
        "-req",
        "-in",
        "leaf.csr",
        "-vfyopt",
        IDENTITY,
        *made,
        "-sm3",
        "-sigopt",
        IDENTITY,
        "-out",
        "leaf",
    )
    return folder


def _openssl(folder: Path, *arguments: str) -> None:
    subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)


def _load(path: Path) -> Any:
    return x509.Certificate.load(pem.unarmor(path.read_bytes())[2])


def _validate(leaf: Any, root: Any, **more: Any) -> Any:
    context = ValidationContext(
        trust_roots=[root], moment=datetime.now(UTC), signature_validator=SignatureValidator(), **more
    )
    return asyncio.run(CertificateValidator(leaf, validation_context=context).async_validate_path())


def test_a_chain_signed_with_sm2_is_good(pki: Path) -> None:
    path = _validate(_load(pki / "leaf"), _load(pki / "root"))
    assert [c.subject.native["common_name"] for c in path.iter_certs(include_root=True)] == ["SM2 Root", "leaf"]


def test_a_root_of_the_same_name_with_another_key_is_not_enough(pki: Path) -> None:
    with pytest.raises(PathBuildingError):
        _validate(_load(pki / "leaf"), _load(pki / "other"))


def test_a_changed_certificate_is_not_good(pki: Path) -> None:
    leaf, root = _load(pki / "leaf"), _load(pki / "root")
    changed = x509.Certificate.load(leaf.dump().replace(b"leaf", b"lEaf"))
    with pytest.raises(BadSignatureError):
        verify_x509(
            changed["signature_value"].native,
            changed["tbs_certificate"].dump(),
            root.public_key,
            changed["signature_algorithm"],
        )


def test_a_revocation_list_signed_with_sm2_counts(pki: Path) -> None:
    (pki / "index").write_text(f"R\t401231000000Z\t{datetime.now(UTC):%y%m%d%H%M%S}Z\t07\tunknown\t/CN=leaf\n")
    (pki / "ca.cnf").write_text("[ca]\ndefault_ca = d\n[d]\ndatabase = index\ndefault_crl_days = 10\n")
    _openssl(
        pki, "ca", "-config", "ca.cnf", "-gencrl", "-md", "sm3", "-sigopt", IDENTITY,
        "-cert", "root", "-keyfile", "root.key", "-out", "crl",
    )  # fmt: skip
    revoked = crl.CertificateList.load(pem.unarmor((pki / "crl").read_bytes())[2])
    with pytest.raises(RevokedError):
        _validate(_load(pki / "leaf"), _load(pki / "root"), crls=[revoked], revocation_mode="require")
