"""BouncyCastle: it judges our SM2 certificates, lists, answers, timestamps and CMS values, and we judge its."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from signing.formats import cms
from signing.keys import KeyPurpose
from tests.support import judges
from tests.support.signing_pki import AT, Pki, shared_pki
from verify import DEFAULT_POLICY, TrustStore, Verdict, verify_document
from verify.checks.chain import Chains
from verify.checks.sealtime import check_token
from verify.evidence import Evidence
from verify.formats.cms import CmsDigestError, check_signature, unverified_cms
from verify.formats.sm2 import sm3
from verify.inquiry import Inquiry

DOCUMENT = b"what is signed"
SM2_WITH_SM3, SM3 = "1.2.156.10197.1.501", "1.2.156.10197.1.401"
LEAFS = [p for p in KeyPurpose if p not in (KeyPurpose.CA, KeyPurpose.CODE)]
NATIONAL_DATA, NATIONAL_SIGNED_DATA = "1.2.156.10197.6.1.4.2.1", "1.2.156.10197.6.1.4.2.2"
SM2_SIGNATURE = "1.2.156.10197.1.301.1"


@pytest.fixture(scope="module")
def pki() -> Pki:
    return shared_pki("sm2")


@pytest.fixture(scope="module")
def judged(java_judges: None, pki: Pki, tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """Everything that we sign with SM2, and what is not right, in one start of the JVM."""
    folder = tmp_path_factory.mktemp("bouncycastle")

    def put(name: str, data: bytes) -> Path:
        (folder / name).write_bytes(data)
        return folder / name

    root, issuing = put("root", pki.root.certificate), put("issuing", pki.issuing.certificate)
    document, other = put("document", DOCUMENT), put("other", DOCUMENT + b".")
    asked: dict[str, judges.Asked] = {
        "root": ("certificate", root, root),
        "issuing": ("certificate", issuing, root),
        "crl": ("crl", put("crl.der", pki.root_crl()), root),
        "ocsp": ("ocsp", put("ocsp.der", pki.ocsp(KeyPurpose.SEAL)), issuing),
        "cms": ("cms", put("cms.der", _detached(pki)), document),
        "national cms": ("cms", put("national.der", _national(pki)), document),
        "token": ("token", put("token.der", pki.tsa().stamp(sm3(DOCUMENT), "sm3", AT)), document),
        "stranger": ("certificate", put("seal", pki.certificate(KeyPurpose.SEAL)), root),
        "crl of another": ("crl", folder / "crl.der", issuing),
        "cms over another": ("cms", folder / "cms.der", other),
        "national cms over another": ("cms", folder / "national.der", other),
        "token over another": ("token", folder / "token.der", other),
    }
    for purpose in LEAFS:
        asked[f"for {purpose.value}"] = ("certificate", put(f"for {purpose.value}", pki.certificate(purpose)), issuing)
    return dict(zip(asked, judges.bouncycastle(asked.values()), strict=True))


def _national(pki: Pki) -> bytes:
    seal = KeyPurpose.SEAL
    return cms.sign_national(sm3(DOCUMENT), signer=pki.signer(seal), certificate=pki.certificate(seal))


def _detached(pki: Pki) -> bytes:
    return cms.sign_detached(
        sm3(DOCUMENT), signer=pki.signer(KeyPurpose.SEAL), certificate=pki.certificate(KeyPurpose.SEAL)
    )


def test_our_certificates_are_good_and_canonical(judged: dict[str, dict[str, Any]]) -> None:
    assert len(LEAFS) == 9
    for name in ("root", "issuing", *(f"for {p.value}" for p in LEAFS)):
        answer = judged[name]
        assert answer["good"] is answer["path"] is answer["same_bytes"] is True, (name, answer)
        assert answer["algorithm"] == SM2_WITH_SM3


def test_our_list_answer_and_values_are_good(judged: dict[str, dict[str, Any]]) -> None:
    for name in ("crl", "ocsp", "cms", "national cms", "token"):
        assert judged[name]["good"] is True, (name, judged[name])
    assert judged["ocsp"]["status"] == "good"
    assert (judged["cms"]["algorithm"], judged["cms"]["digest"]) == (SM2_WITH_SM3, SM3)
    assert judged["national cms"]["type"] == NATIONAL_SIGNED_DATA
    assert (judged["national cms"]["algorithm"], judged["national cms"]["digest"]) == (SM2_SIGNATURE, SM3)
    assert (judged["token"]["digest"], judged["token"]["time"]) == (SM3, f"{AT:%Y-%m-%dT%H:%M:%SZ}")


def test_the_judge_is_awake(judged: dict[str, dict[str, Any]]) -> None:
    for name in ("stranger", "crl of another", "cms over another", "national cms over another", "token over another"):
        assert judged[name]["good"] is False, name


@pytest.fixture(scope="module")
def made(java_judges: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of what BouncyCastle and PDFBox make."""
    folder = tmp_path_factory.mktemp("made")
    (folder / "document").write_bytes(DOCUMENT)
    judges.bouncycastle_structures(folder, folder / "document")
    return folder


def _trust(made: Path) -> TrustStore:
    return TrustStore(((made / "root.der").read_bytes(),))


def _document(made: Path, name: str, **evidence: tuple[bytes, ...]) -> Verdict:
    return verify_document(
        (made / name).read_bytes(), trust=_trust(made), at=datetime.now(UTC), evidence=Evidence(**evidence)
    )


def test_a_pdf_that_pdfbox_signs_with_sm2_is_valid_by_its_list_or_answer(made: Path) -> None:
    crl, ocsp = (made / "crl.der").read_bytes(), (made / "signer.ocsp").read_bytes()
    for evidence in ({"crls": (crl,)}, {"ocsps": (ocsp,)}):
        verdict = _document(made, "signer.pdf", **evidence)
        assert (verdict.integrity.value, verdict.conclusion.value) == ("INTACT", "VALID"), verdict.findings
    assert _document(made, "signer.pdf").codes() >= {"REVOCATION_UNKNOWN"}


def test_a_signer_that_the_list_revokes_is_not_valid(made: Path) -> None:
    verdict = _document(made, "revoked.pdf", crls=((made / "crl.der").read_bytes(),))
    assert (verdict.conclusion.value, "CERTIFICATE_REVOKED" in verdict.codes()) == ("INVALID", True)


def test_a_list_or_answer_with_a_changed_bit_says_nothing(made: Path) -> None:
    for name, kind in (("crl.der", "crls"), ("signer.ocsp", "ocsps")):
        data = bytearray((made / name).read_bytes())
        data[len(data) // 2 if kind == "crls" else 200] ^= 1
        assert "REVOCATION_UNKNOWN" in _document(made, "signer.pdf", **{kind: (bytes(data),)}).codes(), name


def test_a_timestamp_is_good_over_its_data_alone(made: Path) -> None:
    inquiry = Inquiry("seal", trust=_trust(made), at=datetime.now(UTC), policy=DEFAULT_POLICY, evidence=Evidence())
    token = (made / "token.der").read_bytes()
    assert check_token(Chains(inquiry, ()), "TIMESTAMP", token, DOCUMENT, None).outcome.value == "PASSED"
    assert check_token(Chains(inquiry, ()), "TIMESTAMP", token, b"other", None).outcome.value == "FAILED"


@pytest.mark.parametrize(("name", "content"), [("rfc5652", cms.ID_DATA), ("gbt35275", NATIONAL_DATA)])
def test_a_value_in_either_set_of_names_is_good(made: Path, name: str, content: str) -> None:
    value = unverified_cms((made / f"{name}.p7s").read_bytes())
    assert value.signed_data["encap_content_info"]["content_type"].dotted == content
    assert check_signature(value, DOCUMENT, value.content_type).signer.serial_number == 2
    with pytest.raises(CmsDigestError):
        check_signature(value, b"other", value.content_type)
