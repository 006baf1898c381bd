"""OpenSSL over the very bytes of seals and seal signatures: each value, of each algorithm, is its signer's."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from asn1crypto import pem, x509

from tests.support.sealhands import make_hands
from tests.support.seals import IDENTITY
from verify.formats.algorithms import Algorithm
from verify.formats.seal import unverified_seal_signature

HASHES = {
    Algorithm.SM2_SM3: ("-sm3", "-sigopt", IDENTITY),
    Algorithm.ECDSA_P256_SHA256: ("-sha256",),
    Algorithm.RSA_PKCS1_SHA256: ("-sha256",),
}


@pytest.mark.parametrize("algorithm", HASHES, ids=lambda a: a.name)
def test_both_values_of_a_seal_signature(algorithm: Algorithm, tmp_path: Path) -> None:
    if shutil.which("openssl") is None:
        pytest.skip("no openssl on this machine")
    value = unverified_seal_signature(make_hands(algorithm).sealed(b"document"))
    for certificate, covered, signature in (
        (value.signer, value.covered, value.signature),
        (value.seal.maker, value.seal.covered, value.seal.signature),
    ):
        key = x509.Certificate.load(certificate).public_key.dump()
        (tmp_path / "key.pem").write_bytes(pem.armor("PUBLIC KEY", key))
        (tmp_path / "value").write_bytes(signature)
        for name, data, good in (("covered", covered, True), ("changed", covered[:-1] + b"\xff", False)):
            (tmp_path / name).write_bytes(data)
            command = ["openssl", "dgst", *HASHES[algorithm], "-verify", "key.pem", "-signature", "value", name]
            done = subprocess.run(command, cwd=tmp_path, capture_output=True, check=False)
            assert (done.returncode == 0) is good, (name, done.stdout, done.stderr)


def test_a_value_of_sm2_is_not_good_without_the_identity(tmp_path: Path) -> None:
    """The default identity is part of what is signed; OpenSSL's own default is empty."""
    if shutil.which("openssl") is None:
        pytest.skip("no openssl on this machine")
    value = unverified_seal_signature(make_hands(Algorithm.SM2_SM3).sealed(b"document"))
    key = x509.Certificate.load(value.signer).public_key.dump()
    (tmp_path / "key.pem").write_bytes(pem.armor("PUBLIC KEY", key))
    (tmp_path / "value").write_bytes(value.signature)
    (tmp_path / "covered").write_bytes(value.covered)
    command = ["openssl", "dgst", "-sm3", "-verify", "key.pem", "-signature", "value", "covered"]
    assert subprocess.run(command, cwd=tmp_path, capture_output=True, check=False).returncode != 0
