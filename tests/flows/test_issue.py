"""One license, the whole way, on both databases."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from certvault.bootstrap import LOCAL_OPERATOR, Actor, Vault
from certvault.errors import ConflictError, ForbiddenError, NotFoundError
from certvault.model.actor import Role
from certvault.model.license import LicenseState
from tests.flows.conftest import EXAMPLES
from verify.formats.codes import parse_identifier
from verify.formats.refusal import RefusedError

Example = Callable[[str], dict[str, Any]]
TYPES = sorted(p.stem for p in EXAMPLES.glob("*.json"))


@pytest.fixture
def vault(make_vault: Callable[..., Vault], database_url: str) -> Vault:
    return make_vault(database_url=database_url)


def test_every_type_is_issued_read_and_verified(vault: Vault, example: Example) -> None:
    for name in TYPES:
        issued = vault.issuing.issue(name, example(name), actor=LOCAL_OPERATOR)
        identifier, check = parse_identifier(issued.identifier)
        assert check == "standard"
        assert identifier.issuer_code == "11410200MB0A00018X"
        assert issued.number not in issued.identifier
        assert hashlib.sha256(issued.pdf).hexdigest() == issued.sha256
        view = vault.licenses.get(issued.identifier, LOCAL_OPERATOR)
        assert (view.number, view.type, view.standing) == (issued.number, name, issued.standing)
        assert vault.licenses.pdf(issued.identifier, LOCAL_OPERATOR) == issued.pdf
        for content in (issued.pdf, issued.record):
            verdict = vault.verification.verify(content)
            assert verdict.conclusion.value == "VALID", [f.code for f in verdict.findings]
            assert verdict.license is not None
            assert verdict.license.identifier == issued.identifier
    assert vault.doctor().problems == ()


@pytest.mark.parametrize("serial", ["I1LJ" * 4, "IIIIIIIIIIIIIIII"])
def test_thin_letters_in_an_identifier_are_seen(
    make_vault: Callable[..., Vault], example: Example, monkeypatch: pytest.MonkeyPatch, serial: str
) -> None:
    monkeypatch.setattr("certvault.pipeline.identifier_serial", lambda: serial)
    vault = make_vault()
    for kind in ("food-business-license", "driving-license", "road-transport-license", "marriage-certificate"):
        issued = vault.issuing.issue(kind, example(kind), actor=LOCAL_OPERATOR)
        verdict = vault.verification.verify(issued.pdf)
        assert verdict.conclusion.value == "VALID", [(f.code, f.where) for f in verdict.findings]


def test_an_altered_file_is_not_intact(vault: Vault, example: Example) -> None:
    pdf = bytearray(vault.issuing.issue("business-license", example("business-license"), actor=LOCAL_OPERATOR).pdf)
    pdf[len(pdf) // 3] ^= 1
    assert vault.verification.verify(bytes(pdf)).integrity.value != "INTACT"


def test_a_second_license_of_one_number_is_refused_and_names_the_first(vault: Vault, example: Example) -> None:
    first = vault.issuing.issue("business-license", example("business-license"), actor=LOCAL_OPERATOR)
    with pytest.raises(ConflictError) as refused:
        vault.issuing.issue("business-license", example("business-license"), actor=LOCAL_OPERATOR)
    assert refused.value.first.code == "DUPLICATE_LICENSE"
    assert first.identifier in refused.value.first.reason.en


def test_copies_share_a_number_under_their_own_copy_numbers(vault: Vault, example: Example) -> None:
    data = example("business-license-duplicate")
    first = vault.issuing.issue("business-license-duplicate", data, actor=LOCAL_OPERATOR)
    data["copy_number"] = str(int(data["copy_number"]) + 1)
    second = vault.issuing.issue("business-license-duplicate", data, actor=LOCAL_OPERATOR)
    assert first.number == second.number
    assert first.identifier != second.identifier
    with pytest.raises(ConflictError):
        vault.issuing.issue("business-license-duplicate", data, actor=LOCAL_OPERATOR)


def test_numbers_in_sequence_follow_each_other(vault: Vault, example: Example) -> None:
    numbers = [
        vault.issuing.issue("road-transport-license", example("road-transport-license"), actor=LOCAL_OPERATOR).number
        for _ in range(3)
    ]
    assert len(set(numbers)) == 3
    assert numbers == sorted(numbers)


def test_bad_data_takes_no_number(vault: Vault, example: Example) -> None:
    data = example("business-license")
    data["unified_social_credit_code"] = data["unified_social_credit_code"][:-1] + "?"
    data["name"] = ""
    with pytest.raises(RefusedError) as refused:
        vault.issuing.issue("business-license", data, actor=LOCAL_OPERATOR)
    assert {r.field for r in refused.value.refusals} >= {"unified_social_credit_code", "name"}
    data = example("business-license")
    data["name"] = "示例\U0001fa7a有限公司"
    with pytest.raises(RefusedError) as refused:
        vault.issuing.issue("business-license", data, actor=LOCAL_OPERATOR)
    assert "1FA7A" in str(refused.value)
    with vault._database.reading() as view:
        assert view.licenses.counts() == {}


def test_an_unknown_type_baseline_or_holder_key_is_refused(vault: Vault, example: Example) -> None:
    data = example("business-license")
    with pytest.raises(NotFoundError):
        vault.issuing.issue("no-such-type", data, actor=LOCAL_OPERATOR)
    with pytest.raises(RefusedError, match="BASELINE_UNKNOWN"):
        vault.issuing.issue("business-license", data, actor=LOCAL_OPERATOR, baseline="B-XX")
    with pytest.raises(RefusedError, match="HOLDER_KEY"):
        vault.issuing.issue("business-license", data, actor=LOCAL_OPERATOR, holder_key={"kty": "EC", "d": "x"})


@pytest.mark.parametrize("baseline", ["B-B", "B-T", "B-LTA"])
def test_other_baselines_by_choice(make_vault: Callable[..., Vault], example: Example, baseline: str) -> None:
    vault = make_vault()
    issued = vault.issuing.issue(
        "business-license", example("business-license"), actor=LOCAL_OPERATOR, baseline=baseline
    )
    verdict = vault.verification.verify(issued.pdf)
    assert verdict.signatures[0].format == f"PAdES-{baseline}"
    assert verdict.integrity.value == "INTACT"


def test_rsa_suite(make_vault: Callable[..., Vault], example: Example) -> None:
    vault = make_vault(suite="rsa3072")
    issued = vault.issuing.issue("business-license", example("business-license"), actor=LOCAL_OPERATOR)
    for content in (issued.pdf, issued.record):
        verdict = vault.verification.verify(content)
        assert verdict.conclusion.value == "VALID", [f.code for f in verdict.findings]


def test_a_production_vault_prints_its_own_authority_only(make_vault: Callable[..., Vault], example: Example) -> None:
    data = example("business-license")
    vault = make_vault(production=True, issuer_name="示例市市场监督管理局")
    with pytest.raises(RefusedError, match="AUTHORITY_MISMATCH"):
        vault.issuing.issue("business-license", data, actor=LOCAL_OPERATOR)
    data["registration_authority"] = "示例市市场监督管理局"
    issued = vault.issuing.issue("business-license", data, actor=LOCAL_OPERATOR)
    verdict = vault.verification.verify(issued.pdf)
    assert verdict.conclusion.value == "VALID"
    assert "SAMPLE" not in {f.code for f in verdict.findings}


def test_holders_see_their_own_and_nothing_else(vault: Vault, example: Example) -> None:
    business = vault.issuing.issue("business-license", example("business-license"), actor=LOCAL_OPERATOR)
    driving = vault.issuing.issue("driving-license", example("driving-license"), actor=LOCAL_OPERATOR)
    code = vault.licenses.get(driving.identifier, LOCAL_OPERATOR).holders[0].code
    token = vault.tokens.create("holder", holder_code=code, actor=LOCAL_OPERATOR)
    holder = vault.tokens.authenticate(token)
    assert holder is not None
    assert [v.identifier for v in vault.licenses.list(holder).items] == [driving.identifier]
    assert vault.licenses.pdf(driving.identifier, holder) == driving.pdf
    with pytest.raises(NotFoundError):
        vault.licenses.get(business.identifier, holder)
    with pytest.raises(ForbiddenError):
        vault.issuing.issue("business-license", example("business-license"), actor=holder)
    with pytest.raises(ForbiddenError):
        vault.wallet.archive(example("business-license")["unified_social_credit_code"], holder)
    with pytest.raises(ForbiddenError):
        vault.licenses.list(Actor("somebody", frozenset({Role.VERIFIER.value})))


def test_wallet_of_two_people(vault: Vault, example: Example) -> None:
    issued = vault.issuing.issue("marriage-certificate", example("marriage-certificate"), actor=LOCAL_OPERATOR)
    holders = vault.licenses.get(issued.identifier, LOCAL_OPERATOR).holders
    assert len(holders) == 2
    for holder in holders:
        archive = zipfile.ZipFile(io.BytesIO(vault.wallet.archive(holder.code, LOCAL_OPERATOR)))
        index = json.loads(archive.read("index.json"))
        entry = index["licenses"][0]
        assert archive.read(entry["pdf"]) == issued.pdf
        assert archive.read(entry["record"]).decode() == issued.record
        page = archive.read("index.html").decode()
        assert entry["pdf"] in page
        assert "http-equiv" not in page
        assert not any(holder.code in name for name in archive.namelist())


def test_nothing_at_rest_reveals_a_citizen_number_or_name(make_vault: Callable[..., Vault], example: Example) -> None:
    vault = make_vault(keys="file")
    data = example("driving-license")
    issued = vault.issuing.issue("driving-license", data, actor=LOCAL_OPERATOR, request_key="alice|key-1")
    person = vault.licenses.get(issued.identifier, LOCAL_OPERATOR).holders[0]
    vault.wallet.archive(person.code, LOCAL_OPERATOR)
    with pytest.raises(ConflictError):
        vault.issuing.issue("driving-license", data, actor=LOCAL_OPERATOR)
    rows = vault.settings.folder.parent / "rows.jsonl"
    rows.write_text(json.dumps(data, ensure_ascii=False) + "\n" + json.dumps(data | {"name": ""}, ensure_ascii=False))
    started = vault.minting.start("driving-license", rows, None, actor=LOCAL_OPERATOR)
    vault.minting.run(started.job, out=None, actor=LOCAL_OPERATOR)
    files = [p for p in vault.settings.folder.rglob("*") if p.is_file()]
    assert any(p.name.endswith("-wal") for p in files)
    for path in files:
        content = path.read_bytes()
        for secret in (person.code, person.name, person.code.lower()):
            assert secret.encode() not in content, f"{path.name} reveals {secret}"
            assert secret.encode("utf-16-le") not in content
    assert sum(1 for p in files if "store" in p.parts) == 1


def test_one_request_key_gives_one_license(vault: Vault, example: Example) -> None:
    data = example("road-transport-license")
    first = vault.issuing.issue("road-transport-license", data, actor=LOCAL_OPERATOR, request_key="a|1")
    again = vault.issuing.issue("road-transport-license", data, actor=LOCAL_OPERATOR, request_key="a|1")
    other = vault.issuing.issue("road-transport-license", data, actor=LOCAL_OPERATOR, request_key="a|2")
    assert first.identifier == again.identifier != other.identifier
    assert (first.pdf, first.record, first.number) == (again.pdf, again.record, again.number)


def test_pages_of_licenses(vault: Vault, example: Example) -> None:
    made = [
        vault.issuing.issue("road-transport-license", example("road-transport-license"), actor=LOCAL_OPERATOR)
        for _ in range(5)
    ]
    seen: list[str] = []
    cursor = None
    while True:
        page = vault.licenses.list(LOCAL_OPERATOR, cursor=cursor, limit=2)
        seen += [i.identifier for i in page.items]
        cursor = page.next_cursor
        if cursor is None:
            break
    assert seen == [m.identifier for m in reversed(made)]


def test_permit_and_use_are_recorded_before_the_document(vault: Vault, example: Example) -> None:
    issued = vault.issuing.issue("business-license", example("business-license"), actor=LOCAL_OPERATOR)
    with vault._database.reading() as view:
        uses = view.seal_uses.where(identifier=issued.identifier)
        permits = view.permits.where(identifier=issued.identifier)
        found = view.licenses.get(issued.identifier)
    assert len(uses) == len(permits) == 1
    assert uses[0].permit_id == permits[0].id
    assert uses[0].digest == permits[0].digest
    assert found is not None
    assert found.state is LicenseState.ISSUED
    kinds = [e.kind for e in vault.audit.entries(LOCAL_OPERATOR, about=issued.identifier).items]
    assert kinds == ["NUMBER_ALLOTTED", "SEAL_PERMITTED", "SEAL_USED", "LICENSE_ISSUED"]


def test_an_unprintable_folder_is_no_vault(tmp_path: Path) -> None:
    from certvault.bootstrap import open_vault
    from certvault.errors import SettingsError

    with pytest.raises(SettingsError):
        open_vault(tmp_path)
