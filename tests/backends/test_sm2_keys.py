"""SM2 keys in memory and in encrypted files: they sign what OpenSSL verifies, and certificates that it accepts."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from asn1crypto import pem

from signing.backends import open_backend
from signing.backends.base import Backend
from signing.errors import MechanismError, PinError, SigningError
from signing.formats.x509 import Ca, CertificateRequestData, Subject, issue_certificate, random_serial, self_signed_root
from signing.keys import KeyPurpose
from signing.signer import BackendSigner
from verify.formats.algorithms import Algorithm
from verify.formats.publickeys import BadSignatureError
from verify.formats.sm2 import verify_sm2

SM2 = Algorithm.SM2_SM3
IDENTITY = "distid:1234567812345678"


@pytest.fixture(params=["memory", "file"])
def backend(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Backend]:
    uri = "memory:" if request.param == "memory" else f"file:{tmp_path / 'keys'}"
    opened = open_backend(uri, pin=lambda: "a long passphrase")
    yield opened
    opened.close()


def test_a_key_signs_under_the_default_identity(backend: Backend) -> None:
    handle = backend.generate("seal-1", SM2, KeyPurpose.SEAL)
    first, second = (backend.sign(handle, b"license") for _ in range(2))
    assert first != second  # the nonce is drawn anew
    verify_sm2(first, b"license", handle.spki)
    with pytest.raises(BadSignatureError):
        verify_sm2(first, b"licence", handle.spki)
    assert backend.handle_for("seal-1", SM2, KeyPurpose.SEAL).spki == handle.spki


def test_kinds_of_keys_are_not_mixed_up(backend: Backend) -> None:
    sm2 = backend.generate("a", SM2, KeyPurpose.SEAL)
    p256 = backend.generate("b", Algorithm.ECDSA_P256_SHA256, KeyPurpose.SEAL)
    with pytest.raises(MechanismError):
        backend.handle_for(sm2.uri, Algorithm.ECDSA_P256_SHA256, KeyPurpose.SEAL)
    with pytest.raises(MechanismError):
        backend.handle_for(p256.uri, SM2, KeyPurpose.SEAL)


def test_a_key_file_opens_again_with_its_passphrase_alone(tmp_path: Path) -> None:
    uri = f"file:{tmp_path}"
    handle = open_backend(uri, pin=lambda: "right").generate("k", SM2, KeyPurpose.CA)
    again = open_backend(uri, pin=lambda: "right")
    verify_sm2(again.sign(again.handle_for("k", SM2, KeyPurpose.CA), b"m"), b"m", handle.spki)
    with pytest.raises(PinError):
        open_backend(uri, pin=lambda: "wrong").sign(handle, b"m")
    text = (tmp_path / "k.key").read_bytes()
    assert b"BEGIN ENCRYPTED PRIVATE KEY" in text


def test_openssl_reads_the_key_file_and_signs_with_it(tmp_path: Path) -> None:
    handle = open_backend(f"file:{tmp_path}", pin=lambda: "right").generate("k", SM2, KeyPurpose.CA)
    (tmp_path / "m").write_bytes(b"message")
    arguments = ("dgst", "-sm3", "-sign", "k.key", "-passin", "pass:right", "-sigopt", IDENTITY, "m")
    value = subprocess.run(["openssl", *arguments], cwd=tmp_path, check=True, capture_output=True).stdout
    verify_sm2(value, b"message", handle.spki)


def test_a_broken_key_file_is_refused_by_name(tmp_path: Path) -> None:
    backend = open_backend(f"file:{tmp_path}", pin=lambda: "right")
    handle = backend.generate("k", SM2, KeyPurpose.CA)
    backend.close()
    file = tmp_path / "k.key"
    kind, headers, der = pem.unarmor(file.read_bytes())
    broken = pem.armor(kind, der[:-16] + bytes(16), headers)
    file.write_bytes(broken)
    with pytest.raises((PinError, SigningError)) as error:
        backend.sign(handle, b"m")
    assert "file:k" in str(error.value)


def test_openssl_accepts_certificates_that_are_signed_with_sm2(backend: Backend, tmp_path: Path) -> None:
    now = datetime.now(UTC).replace(microsecond=0)
    root_key = backend.generate("root", SM2, KeyPurpose.CA)
    signer = BackendSigner(backend, root_key)
    subject = Subject("EXAMPLE SM2 root", organization="测试")
    start, end = now - timedelta(days=1), now + timedelta(days=900)
    root = self_signed_root(signer, subject, serial=random_serial(), not_before=start, not_after=end)
    leaf_key = backend.generate("seal", SM2, KeyPurpose.SEAL)
    request = CertificateRequestData(Subject("EXAMPLE seal"), leaf_key, random_serial(), start, end)
    leaf = issue_certificate(Ca(root, signer), request)
    for name, der in (("root", root), ("leaf", leaf)):
        (tmp_path / name).write_bytes(pem.armor("CERTIFICATE", der))
    arguments = ("verify", "-vfyopt", IDENTITY, "-x509_strict", "-CAfile", "root", "leaf")
    done = subprocess.run(["openssl", *arguments], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "leaf: OK", done.stderr
