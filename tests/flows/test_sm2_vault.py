"""A region that works with SM2 alone: every type, records, wallet, reports, rollover, backup."""

from __future__ import annotations

import base64
import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from asn1crypto import cms, x509
from pyhanko.pdf_utils.reader import PdfFileReader

from certvault.bootstrap import LOCAL_OPERATOR, Vault, open_vault, restore_backup
from certvault.errors import NotFoundError
from certvault.model.views import IssuedLicense
from certvault.sealfiles import Way
from signing.keys import KeyPurpose
from tests.flows.conftest import EXAMPLES
from tests.support.rows import business
from verify.formats.algorithms import Algorithm
from verify.formats.jose import unverified_jws
from verify.formats.sm2 import der_of, sm3
from verify.report.material import material_json

TYPES = sorted(p.stem for p in EXAMPLES.glob("*.json"))
SM2_WITH_SM3, SM3 = "1.2.156.10197.1.501", "1.2.156.10197.1.401"
CURVE = bytes.fromhex("06082a811ccf5501822d")


@pytest.fixture(scope="module")
def licenses(sm2_vault: Vault) -> dict[str, IssuedLicense]:
    """One license of every shipped type; the first with an archive timestamp."""
    made = {}
    for name in TYPES:
        data = json.loads((EXAMPLES / f"{name}.json").read_text("utf-8"))
        baseline = "B-LTA" if name == TYPES[0] else "B-LT"
        made[name] = sm2_vault.issuing.issue(name, data, actor=LOCAL_OPERATOR, baseline=baseline)
    return made


def test_every_type_is_issued_valid_and_in_force(sm2_vault: Vault, licenses: dict[str, IssuedLicense]) -> None:
    for name, issued in licenses.items():
        for content in (issued.pdf, issued.record):
            verdict = sm2_vault.verification.verify(content)
            found = (verdict.integrity.value, verdict.conclusion.value, verdict.standing.value)
            assert found == ("INTACT", "VALID", "IN_FORCE"), (name, [f.code for f in verdict.findings])
    assert sm2_vault.doctor().problems == ()


def test_its_trust_list_is_not_published_as_xml_and_says_why(sm2_vault: Vault) -> None:
    with pytest.raises(NotFoundError) as refused:
        sm2_vault.trust_list_xml.newest()
    assert refused.value.first.code == "TRUST_LIST_NOT_IN_XML"
    assert "JSON" in refused.value.first.remedy.en


def test_all_keys_but_those_of_codes_are_sm2(sm2_vault: Vault) -> None:
    for key in sm2_vault._keyring.all():
        expected = Algorithm.ECDSA_P256_SHA256 if key.purpose is KeyPurpose.CODE else Algorithm.SM2_SM3
        assert key.algorithm is expected, key.name
        certificate = x509.Certificate.load(sm2_vault._keyring.certificate_der(key))
        assert certificate["signature_algorithm"]["algorithm"].dotted == SM2_WITH_SM3
        assert certificate["signature_algorithm"].dump() == certificate["tbs_certificate"]["signature"].dump()
        assert (CURVE in certificate.public_key.dump()) is (key.purpose is not KeyPurpose.CODE)


def test_signature_and_timestamps_in_the_file_are_sm2_over_sm3(licenses: dict[str, IssuedLicense]) -> None:
    contents = [s.pkcs7_content for s in PdfFileReader(io.BytesIO(licenses[TYPES[0]].pdf)).embedded_signatures]
    assert len(contents) == 2
    for content in contents:
        info = cms.ContentInfo.load(content)
        assert info["content_type"].dotted == "1.2.840.113549.1.7.2"
        (signer,) = info["content"]["signer_infos"]
        _is_sm2(signer)
        for attribute in signer["unsigned_attrs"] or ():
            (token,) = attribute["values"]
            _is_sm2(token["content"]["signer_infos"][0])
            imprint = token["content"]["encap_content_info"]["content"].parsed["message_imprint"]
            assert imprint["hash_algorithm"]["algorithm"].dotted == SM3
            assert imprint["hashed_message"].native == sm3(signer["signature"].native)


def _is_sm2(signer: Any) -> None:
    assert signer["digest_algorithm"]["algorithm"].dotted == SM3
    assert signer["signature_algorithm"]["algorithm"].dotted == SM2_WITH_SM3
    assert signer["signature"].native[0] == 0x30


@pytest.mark.parametrize("part", ["head", "middle", "tail"])
def test_an_altered_file_is_not_intact(sm2_vault: Vault, licenses: dict[str, IssuedLicense], part: str) -> None:
    pdf = bytearray(licenses["business-license"].pdf)
    signature, *_ = PdfFileReader(io.BytesIO(bytes(pdf))).embedded_signatures
    _, start, end, _ = signature.byte_range
    pdf[{"head": 2000, "middle": start - 100, "tail": end + 40}[part]] ^= 1
    assert sm2_vault.verification.verify(bytes(pdf)).integrity.value != "INTACT"


def test_a_record_names_the_private_algorithm_and_has_one_form(
    sm2_vault: Vault, licenses: dict[str, IssuedLicense]
) -> None:
    record = licenses["driving-license"].record
    token, _, rest = record.partition("~")
    jws = unverified_jws(token, 100_000)
    assert jws.header["alg"] == "x-certvault-SM2SM3"
    assert len(jws.signature) == 64
    assert sm2_vault.verification.verify(record).conclusion.value == "VALID"
    other = base64.urlsafe_b64encode(der_of(jws.signature)).rstrip(b"=").decode()
    changed = f"{token.rpartition('.')[0]}.{other}~{rest}"
    assert sm2_vault.verification.verify(changed).conclusion.value != "VALID"


def test_a_wallet_holds_what_was_issued(sm2_vault: Vault, licenses: dict[str, IssuedLicense]) -> None:
    issued = licenses["marriage-certificate"]
    for holder in sm2_vault.licenses.get(issued.identifier, LOCAL_OPERATOR).holders:
        archive = zipfile.ZipFile(io.BytesIO(sm2_vault.wallet.archive(holder.code, LOCAL_OPERATOR)))
        (entry,) = (
            e for e in json.loads(archive.read("index.json"))["licenses"] if e["identifier"] == issued.identifier
        )
        assert archive.read(entry["pdf"]) == issued.pdf
        assert sm2_vault.verification.verify(archive.read(entry["record"])).conclusion.value == "VALID"


def test_any_file_is_sealed_beside_it_under_the_national_names(sm2_vault: Vault) -> None:
    seal = sm2_vault.seals.list(LOCAL_OPERATOR)[0].seal.id
    table = b"permit,holder\n" * 50
    value, _ = sm2_vault.seal_files.seal_bytes(seal, table, Way(detached=True), actor=LOCAL_OPERATOR)
    info = cms.ContentInfo.load(value)
    assert info["content_type"].dotted == "1.2.156.10197.6.1.4.2.2"
    verdict = sm2_vault.verification.verify(value, document=table)
    assert (verdict.integrity.value, verdict.conclusion.value) == ("INTACT", "VALID"), verdict.findings
    (report,) = verdict.signatures
    assert (report.format, report.time_source) == ("gbt-35275", "timestamp")
    assert sm2_vault.verification.verify(value, document=table[1:]).conclusion.value == "INVALID"
    assert sm2_vault.verification.verify(value).conclusion.value == "INDETERMINATE"


def test_a_report_is_sealed_and_judged(sm2_vault: Vault, licenses: dict[str, IssuedLicense]) -> None:
    pdf = licenses["business-license"].pdf
    material = material_json(sm2_vault.verification.verify(pdf), pdf)
    report = sm2_vault.reports.pdf(material, name="a.pdf", lang="zh")
    verdict = sm2_vault.verification.verify(report)
    assert (verdict.integrity.value, verdict.conclusion.value) == ("INTACT", "VALID")
    assert sm2_vault.reports.html(material, name="a.pdf", lang="en").startswith(b"<!DOCTYPE html>")


def test_keys_roll_over_and_a_backup_opens_again(
    make_vault: Callable[..., Vault], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CERTVAULT_PIN", raising=False)
    vault = make_vault(suite="sm2")
    old = vault.issuing.issue("business-license", business(1), actor=LOCAL_OPERATOR)
    key = vault.pki.rollover("seal", LOCAL_OPERATOR, exportable=True)
    kept = vault.keycare.back_up(key.id, LOCAL_OPERATOR)
    for purpose in ("tsa", "root"):
        assert vault.pki.rollover(purpose, LOCAL_OPERATOR).algorithm == "SM2_SM3"
    vault.pki.rollover("seal", LOCAL_OPERATOR)
    vault.keycare.destroy(key.id, LOCAL_OPERATOR)
    assert vault.keycare.restore(kept, LOCAL_OPERATOR).state.value == "RETIRED"
    pin = (vault.settings.folder / "pin").read_text()
    vault.backup(tmp_path / "b")
    restore_backup(tmp_path / "b", tmp_path / "again", pin=pin)
    with open_vault(tmp_path / "again") as restored:
        assert restored.settings.suite == "sm2"
        new = restored.issuing.issue("business-license", business(2), actor=LOCAL_OPERATOR)
        for content in (old.pdf, old.record, new.pdf, new.record):
            assert restored.verification.verify(content).conclusion.value == "VALID"
        assert restored.doctor().problems == ()
