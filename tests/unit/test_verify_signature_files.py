"""Signatures in files of their own: SM2 under national names, and any CMS, beside their data or around them."""

from __future__ import annotations

import hashlib
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
from asn1crypto import pem

from signing.formats import cms
from signing.keys import KeyPurpose
from tests.api.test_cli import Ran
from tests.support.signing_pki import AT, Pki, shared_pki
from tests.unit.test_signing_national_cms import _second_variant
from verify import Evidence, TrustStore, Verdict, verify_any, verify_signature
from verify.formats.cms import unverified_cms
from verify.formats.sm2 import raw_of, sm3
from verify.report.summary import summary

DATA = b"a table of permits, 2026\n" * 40


@pytest.fixture(scope="module")
def pki() -> Pki:
    return shared_pki("sm2")


def _national(pki: Pki, **options: object) -> bytes:
    def stamp(value: bytes) -> bytes:
        return pki.tsa().stamp(sm3(value), "sm3", AT)

    return cms.sign_national(
        sm3(DATA),
        signer=pki.signer(KeyPurpose.SEAL),
        certificate=pki.certificate(KeyPurpose.SEAL),
        chain=(pki.issuing.certificate,),
        stamp=stamp,
        **options,  # type: ignore[arg-type]
    )


def _judge(pki: Pki, data: bytes, document: bytes | None = DATA) -> Verdict:
    trust = TrustStore((pki.root.certificate,), allow_example=True)
    evidence = Evidence(crls=(pki.root_crl(),), ocsps=(pki.ocsp(KeyPurpose.SEAL, KeyPurpose.TSA),))
    return verify_any(data, trust=trust, at=AT, evidence=evidence, document=document)


def _answers(verdict: Verdict) -> tuple[str, str]:
    return verdict.integrity.value, verdict.conclusion.value


def test_a_national_signature_beside_its_data_is_valid(pki: Pki) -> None:
    made = _national(pki)
    for data in (made, pem.armor("PKCS7", made), pem.armor("CMS", made)):
        verdict = _judge(pki, data)
        assert _answers(verdict) == ("INTACT", "VALID"), verdict.findings
        (report,) = verdict.signatures
        assert (report.format, report.time_source, report.signed_at) == ("gbt-35275", "timestamp", AT)
        assert report.indication == "TOTAL_PASSED"
        assert summary(verdict.to_json()).tone == "good"
        assert verdict.to_json("en", depth="facts")["facts"]["signatures"][0]["digest_algorithm"] == "sm3"


def test_a_signature_around_its_data_needs_no_others(pki: Pki) -> None:
    made = _national(pki, content=DATA)
    for document in (None, DATA):
        assert _answers(_judge(pki, made, document)) == ("INTACT", "VALID")
    assert "DIGEST_MISMATCH" in _judge(pki, made, DATA + b".").codes()


def test_the_digest_as_content_is_a_signature_over_the_data_handed_in(pki: Pki) -> None:
    for form in (bytes, raw_of):
        made = _second_variant(pki, DATA, form)
        trust = TrustStore((pki.root.certificate,), (pki.issuing.certificate,), allow_example=True)
        evidence = Evidence(crls=(pki.root_crl(),), ocsps=(pki.ocsp(KeyPurpose.SEAL),))
        for document, wanted in ((DATA, ("INTACT", "VALID")), (DATA[1:], ("ALTERED", "INVALID"))):
            verdict = verify_signature(made, trust=trust, at=AT, evidence=evidence, document=document)
            assert _answers(verdict) == wanted, verdict.findings
        verdict = verify_signature(made, trust=trust, at=AT, evidence=evidence)
        assert (_answers(verdict), "SEAL_DATA_ABSENT" in verdict.codes()) == (("INTACT", "INDETERMINATE"), True)


def test_without_the_data_nobody_says_valid(pki: Pki) -> None:
    verdict = _judge(pki, _national(pki), None)
    assert _answers(verdict) == ("INTACT", "INDETERMINATE")
    assert "SEAL_DATA_ABSENT" in verdict.codes()


def test_other_data_are_not_what_was_signed(pki: Pki) -> None:
    for document in (b"", DATA[:-1], DATA + b"\n"):
        verdict = _judge(pki, _national(pki), document)
        assert _answers(verdict) == ("ALTERED", "INVALID")
        assert verdict.signatures[0].sub_indication == "HASH_FAILURE"


def test_the_usual_names_and_curves_are_judged_alike() -> None:
    pki = shared_pki()
    made = cms.sign_detached(
        hashlib.sha256(DATA).digest(),
        signer=pki.signer(KeyPurpose.SEAL),
        certificate=pki.certificate(KeyPurpose.SEAL),
        chain=(pki.issuing.certificate,),
    )
    verdict = _judge(pki, made)
    assert (_answers(verdict), verdict.signatures[0].format) == (("INTACT", "VALID"), "cms")
    assert _answers(_judge(pki, made, DATA[1:])) == ("ALTERED", "INVALID")


def test_a_signer_that_is_not_for_documents_is_refused(pki: Pki) -> None:
    made = cms.sign_national(
        sm3(DATA),
        signer=pki.signer(KeyPurpose.TSA),
        certificate=pki.certificate(KeyPurpose.TSA),
        chain=(pki.issuing.certificate,),
        purpose=KeyPurpose.TSA,
    )
    assert "CERTIFICATE_PURPOSE" in _judge(pki, made).codes()


def test_a_signature_of_another_region_is_not_trusted(pki: Pki) -> None:
    verdict = verify_any(_national(pki), trust=TrustStore(), at=AT, document=DATA)
    assert (_answers(verdict), "NO_TRUSTED_PATH" in verdict.codes()) == (("INTACT", "INDETERMINATE"), True)


def test_no_changed_byte_of_what_is_signed_passes(pki: Pki) -> None:
    """Attributes and value; the rest of a CMS value nobody signs, and it is believed for nothing."""
    made = _national(pki)
    read = unverified_cms(made)
    for part in (read.attributes_der[2:], read.signature):
        start = made.index(part)
        for place in range(start, start + len(part), 3):
            changed = bytearray(made)
            changed[place] ^= 0x10
            assert _judge(pki, bytes(changed)).conclusion.value == "INVALID", place


def test_pieces_of_a_signature_give_a_verdict(pki: Pki) -> None:
    made = _national(pki)
    for size in range(20, len(made), 97):
        assert _answers(_judge(pki, made[:size])) == ("UNREADABLE", "INVALID")
    assert "CMS_BROKEN" in _judge(pki, b"-----BEGIN PKCS7-----\nAAAA").codes()


def test_what_a_viewer_may_open_as_a_pdf_is_judged_as_one(pki: Pki) -> None:
    """Around a signed PDF there is room for bytes that nobody signed."""
    signer, certificate = pki.signer(KeyPurpose.SEAL), pki.certificate(KeyPurpose.SEAL)
    content = b"%PDF-1.7\n" + bytes(2000)
    made = cms.sign_national(sm3(content), signer=signer, certificate=certificate, content=content)
    assert verify_any(made, trust=TrustStore(), at=AT).kind == "pdf"
    assert _judge(pki, made, content).kind == "seal"


def test_what_openssl_signs_is_judged(tmp_path: Path) -> None:
    (tmp_path / "data").write_bytes(DATA)

    def openssl(*arguments: str) -> None:
        subprocess.run(["openssl", *arguments], cwd=tmp_path, check=True, capture_output=True, timeout=30)

    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "key")
    openssl("req", "-x509", *key, "-subj", "/CN=OpenSSL", "-addext", "keyUsage=critical,digitalSignature", "-out", "c")
    anchor = pem.unarmor((tmp_path / "c").read_bytes())[2]
    for form in ("DER", "PEM"):
        openssl(
            "cms", "-sign", "-binary", "-in", "data", "-signer", "c", "-inkey", "key", "-outform", form, "-out", "s"
        )
        value = (tmp_path / "s").read_bytes()
        for document, wanted in ((DATA, "INTACT"), (DATA[1:], "ALTERED")):
            verdict = verify_any(value, trust=TrustStore((anchor,)), at=datetime.now(UTC), document=document)
            assert verdict.integrity.value == wanted


def test_the_command_takes_the_data_beside_a_signature(pki: Pki, tmp_path: Path) -> None:
    files = {
        "permits.p7s": _national(pki),
        "permits.csv": DATA,
        "other.csv": DATA[1:],
        "root.crl": pki.root_crl(),
        "ocsp": pki.ocsp(KeyPurpose.SEAL, KeyPurpose.TSA),
        "root.pem": pem.armor("CERTIFICATE", pki.root.certificate),
    }
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    command = ["verify", "permits.p7s", "--trust", "root.pem", "--crl", "root.crl", "--ocsp", "ocsp", "--offline"]
    command += ["--allow-example", "--at", f"{AT.isoformat()}", "--json", "--lang", "en"]
    ran = Ran([*command, "--data", "permits.csv"], tmp_path)
    assert (ran.status, ran.json["files"][0]["conclusion"]) == (0, "VALID"), ran.out
    ran = Ran([*command, "--data", "other.csv"], tmp_path)
    assert (ran.status, ran.json["files"][0]["conclusion"]) == (10, "INVALID")
    assert Ran(command, tmp_path).status == 11
    assert Ran([*command, "--data", "absent"], tmp_path).status == 2
    assert Ran([*command, "permits.csv", "--data", "permits.csv"], tmp_path).status == 2
