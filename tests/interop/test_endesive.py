"""endesive, a second writer of CMS: signing through our Signer it must say what ours says, where it is sound.

It names every signature PKCS#1 v1.5, whatever the key: sound for RSA, and for nothing else.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from asn1crypto import cms as asn1_cms
from asn1crypto import x509

from signing.formats import cms
from signing.keys import KeyPurpose
from signing.tbs import ToBeSigned
from tests.support.signing_pki import AT, Pki, shared_pki
from verify.formats.cms import CmsDigestError, check_signature, unverified_cms
from verify.formats.publickeys import BadSignatureError, UnsupportedKeyError

DOCUMENT = b"what is signed"
SEAL = KeyPurpose.SEAL


class Door:
    """What endesive asks of an HSM: a certificate, and a value over what it assembled."""

    def __init__(self, pki: Pki) -> None:
        self.pki = pki

    def certificate(self) -> tuple[int, bytes]:
        return 1, self.pki.certificate(SEAL)

    def sign(self, _keyid: object, data: bytes, mechanism: str) -> bytes:
        assert mechanism == "sha256"
        return self.pki.signer(SEAL).sign(ToBeSigned(data, SEAL))


def theirs(suite: str) -> bytes:
    signer = pytest.importorskip("endesive.signer")
    pki = shared_pki(suite)
    chain = [x509.Certificate.load(pki.issuing.certificate)]
    made: bytes = signer.sign(DOCUMENT, None, None, chain, "sha256", attrs=True, hsm=Door(pki))
    return made


def ours(suite: str) -> bytes:
    pki = shared_pki(suite)
    return cms.sign_detached(
        hashlib.sha256(DOCUMENT).digest(),
        signer=pki.signer(SEAL),
        certificate=pki.certificate(SEAL),
        chain=(pki.issuing.certificate,),
    )


def _parts(value: bytes) -> tuple[dict[str, Any], Any]:
    data = asn1_cms.ContentInfo.load(value)["content"]
    (info,) = data["signer_infos"]
    return {a["type"].native: a.dump() for a in info["signed_attrs"]}, info


def test_with_rsa_it_signs_the_same_bytes_and_gets_the_same_value() -> None:
    (our_attributes, our_info), (their_attributes, their_info) = _parts(ours("rsa3072")), _parts(theirs("rsa3072"))
    assert set(our_attributes) == {"content_type", "message_digest", "signing_certificate_v2"}
    assert their_attributes == our_attributes
    assert their_info["sid"].chosen.dump() == our_info["sid"].chosen.dump()
    assert their_info["signature"].native == our_info["signature"].native  # PKCS#1 v1.5 leaves nothing to chance


def test_with_rsa_our_verifier_finds_it_good() -> None:
    for value in (ours("rsa3072"), theirs("rsa3072")):
        read = unverified_cms(value)
        assert check_signature(read, DOCUMENT, "data").signer.dump() == shared_pki("rsa3072").certificate(SEAL)
        with pytest.raises(CmsDigestError):
            check_signature(read, DOCUMENT + b".", "data")


def test_with_rsa_openssl_finds_it_good(tmp_path: Path) -> None:
    if shutil.which("openssl") is None:
        pytest.skip("no openssl on this machine")
    from asn1crypto import pem

    root = shared_pki("rsa3072").root.certificate
    (tmp_path / "root.pem").write_bytes(pem.armor("CERTIFICATE", root))
    (tmp_path / "document").write_bytes(DOCUMENT)
    (tmp_path / "other").write_bytes(DOCUMENT + b".")
    for name, value in (("ours", ours("rsa3072")), ("theirs", theirs("rsa3072"))):
        (tmp_path / name).write_bytes(value)
        for document, good in (("document", True), ("other", False)):
            at = str(int((AT + timedelta(minutes=1)).timestamp()))
            command = ["openssl", "cms", "-verify", "-inform", "DER", "-in", name, "-binary", "-content", document]
            command += ["-CAfile", "root.pem", "-purpose", "any", "-attime", at, "-out", "/dev/null"]
            done = subprocess.run(command, cwd=tmp_path, capture_output=True, check=False)
            assert (done.returncode == 0) is good, (name, document, done.stderr)


@pytest.mark.parametrize("suite", ["p256", "sm2"])
def test_with_another_kind_of_key_its_name_of_the_algorithm_is_wrong_and_refused(suite: str) -> None:
    """The value itself is our Signer's and right; what endesive calls it is not, so nobody should accept it."""
    value = theirs(suite)
    _, info = _parts(value)
    assert info["signature_algorithm"]["algorithm"].native == "rsassa_pkcs1v15"
    with pytest.raises((BadSignatureError, UnsupportedKeyError)):
        check_signature(unverified_cms(value), DOCUMENT, "data")
