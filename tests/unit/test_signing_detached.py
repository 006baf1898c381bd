"""Sealing any file beside itself: with every suite, in both forms, from memory and from disk, judged by us."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from asn1crypto import pem

from signing.errors import SigningError
from signing.formats.detached import DetachedForm, seal_detached
from signing.keys import KeyPurpose
from tests.support.sealing import DAY, instrument, make
from tests.support.signing_pki import AT, shared_pki
from verify import Conclusion, Evidence, Integrity, TrustStore, Verdict
from verify.formats.refusal import RefusedError
from verify.sealfile import verify_seal
from verify.signaturefile import begins_as_signature, verify_signature

DOCUMENT = b"any file at all\n" * 5000
SUITES = ("p256", "rsa3072", "sm2")


def judged(suite: str, value: bytes, document: bytes | None = DOCUMENT) -> Verdict:
    pki = shared_pki(suite)
    trust = TrustStore((pki.root.certificate,), (pki.issuing.certificate,), allow_example=True)
    purposes = (KeyPurpose.SEAL, KeyPurpose.TSA, KeyPurpose.SEAL_MAKER)
    evidence = Evidence(crls=(pki.root_crl(),), ocsps=(pki.ocsp(*purposes),))
    judge = verify_signature if begins_as_signature(value) else verify_seal
    return judge(value, trust=trust, at=AT + timedelta(minutes=1), evidence=evidence, document=document)


@pytest.mark.parametrize("suite", SUITES)
@pytest.mark.parametrize("form", list(DetachedForm))
def test_a_file_is_sealed_beside_itself(suite: str, form: DetachedForm, tmp_path: Path) -> None:
    path = tmp_path / "document.docx"
    path.write_bytes(DOCUMENT)
    stages: list[int] = []
    stamp = shared_pki(suite).tsa().at(AT)
    value = seal_detached(
        path,
        instrument(make(suite=suite), suite),
        at=AT,
        form=form,
        stamp=stamp,
        progress=lambda _stage, done, _total: stages.append(done),
    )
    assert path.read_bytes() == DOCUMENT
    assert stages[-1] == len(DOCUMENT)
    verdict = judged(suite, value)
    assert verdict.integrity is Integrity.INTACT, verdict.findings
    assert verdict.conclusion is Conclusion.VALID, verdict.findings
    assert verdict.signatures[0].time_source == "timestamp"
    other = judged(suite, value, DOCUMENT + b".")
    assert other.integrity is Integrity.ALTERED
    assert other.conclusion is Conclusion.INVALID


def test_sm2_is_written_as_the_national_standard_says() -> None:
    value = seal_detached(DOCUMENT, instrument(suite="sm2"), at=AT)
    assert bytes.fromhex("060a2a811ccf550601040202") in value  # 1.2.156.10197.6.1.4.2.2
    assert b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02" not in value


@pytest.mark.parametrize("suite", ["p256", "rsa3072"])
def test_openssl_verifies_the_detached_cms(suite: str, tmp_path: Path) -> None:
    (tmp_path / "value").write_bytes(seal_detached(DOCUMENT, instrument(suite=suite), at=AT))
    (tmp_path / "document").write_bytes(DOCUMENT)
    (tmp_path / "root.pem").write_bytes(pem.armor("CERTIFICATE", shared_pki(suite).root.certificate))
    command = ["openssl", "cms", "-verify", "-inform", "DER", "-in", "value", "-content", "document", "-binary"]
    trust = ["-CAfile", "root.pem", "-purpose", "any", "-attime", str(int(AT.timestamp())), "-out", "out"]
    done = subprocess.run([*command, *trust], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_what_may_not_be_used_is_refused() -> None:
    own = instrument(make())
    with pytest.raises(SigningError, match="seal structure"):
        seal_detached(DOCUMENT, replace(own, seal=None), at=AT, form=DetachedForm.SES)
    with pytest.raises(RefusedError, match="SEAL_VALIDITY"):
        seal_detached(DOCUMENT, own, at=AT + 301 * DAY, form=DetachedForm.SES)
    with pytest.raises(SigningError, match="aware"):
        seal_detached(DOCUMENT, own, at=AT.replace(tzinfo=None))
    with pytest.raises(SigningError, match="another key"):
        seal_detached(DOCUMENT, replace(own, certificate=shared_pki("p256").certificate(KeyPurpose.RECORD)), at=AT)
