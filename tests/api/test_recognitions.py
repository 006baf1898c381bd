"""``POST /v1/recognitions``: a license of another vault, presented to this one, through the confined judges."""

from __future__ import annotations

import base64
import dataclasses
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from certvault.agreementrules import read_rules
from certvault.bootstrap import InitOptions, create_vault, open_vault
from certvault.model.actor import LOCAL_OPERATOR
from certvault.settings import read_settings
from tests.api.conftest import GENEROUS, example
from verify import verify_any

if TYPE_CHECKING:
    from certvault.bootstrap import Vault

HERE, THERE = "110000", "410200"
TYPE = "road-transport-license"
PATH = "/v1/recognitions"


@dataclass
class World:
    here: Vault
    there: Vault
    client: TestClient
    token: str
    pdf: bytes
    record: str

    def ask(self, *, json_body: dict[str, Any] | None = None, file: bytes | None = None, **more: Any) -> Any:
        headers = {"Authorization": f"Bearer {self.token}"}
        files = {"file": ("a.pdf", file)} if file is not None else None
        return self.client.post(PATH, headers=headers, json=json_body, files=files, **more)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("recognitions")
    here, there = (
        create_vault(InitOptions(folder / r, region=r, keys="file", base_url=f"http://{r}.example"))
        for r in (HERE, THERE)
    )
    here.regions.adopt(there.trust_lists.newest().token.encode(), there.anchors.current(), LOCAL_OPERATOR)
    rules = read_rules(json.dumps({"conditions": {"standings": ["IN_FORCE", "UNKNOWN"]}}).encode())
    here.agreements.make(THERE, TYPE, TYPE, LOCAL_OPERATOR, rules=rules)
    issued = there.issuing.issue(TYPE, example(TYPE), actor=LOCAL_OPERATOR)
    pdf = there.licenses.pdf(issued.identifier, LOCAL_OPERATOR)
    record = there.licenses.record(issued.identifier, LOCAL_OPERATOR)
    token = here.tokens.create("verifier", actor=LOCAL_OPERATOR)
    with TestClient(create_app(here, limits=GENEROUS), raise_server_exceptions=False) as client:
        yield World(here, there, client, token, pdf, record)
    here.close()
    there.close()


def payload(receipt: dict[str, str]) -> dict[str, Any]:
    text = receipt["payload"]
    value: dict[str, Any] = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    return value


@pytest.mark.parametrize("kind", ["pdf", "record"])
def test_a_license_of_another_region_counts_and_the_receipt_says_by_what(world: World, kind: str) -> None:
    answer = world.ask(file=world.pdf) if kind == "pdf" else world.ask(json_body={"record": world.record})
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert body["recognition"]["outcome"] == "RECOGNIZED", body["verdict"]["findings"]
    assert (body["recognition"]["region"], body["recognition"]["as_type"]) == (THERE, TYPE)
    assert body["recognition"]["license"]["operator_name"] == "开封市通达物流有限公司"
    assert body["verdict"]["conclusion"] == "VALID"
    told = payload(body["receipt"])
    assert told["verdict"]["recognition"] == body["recognition"]
    basis = told["verdict"]["recognition"]["basis"]
    assert basis["list"]["sequence"] == 1
    assert basis["agreement"]["version"] == 1


def test_the_receipt_is_checked_by_whoever_trusts_this_region(world: World) -> None:
    receipt = world.ask(json_body={"record": world.record}).json()["receipt"]
    verdict = verify_any(json.dumps(receipt).encode(), trust=world.here.verification.trust(), at=world.here.clock.now())
    assert verdict.conclusion.value == "VALID", verdict.findings
    assert verdict.receipt is not None
    assert verdict.receipt["verdict"]["recognition"]["outcome"] == "RECOGNIZED"


def test_a_license_of_our_own_has_no_recognition(world: World) -> None:
    issued = world.here.issuing.issue(TYPE, example(TYPE), actor=LOCAL_OPERATOR)
    record = world.here.licenses.record(issued.identifier, LOCAL_OPERATOR)
    body = world.ask(json_body={"record": record}).json()
    assert body["recognition"] is None
    assert body["verdict"]["standing"] == "IN_FORCE"


def test_one_document_at_a_time(world: World) -> None:
    headers = {"Authorization": f"Bearer {world.token}"}
    files = [("file", ("a.pdf", world.pdf)), ("file", ("b.pdf", world.pdf))]
    answer = world.client.post(PATH, headers=headers, files=files)
    assert answer.status_code == 400
    assert answer.json()["code"] == "BODY_MALFORMED"


def test_metrics_count_outcomes(world: World) -> None:
    world.ask(json_body={"record": world.record})
    operator = world.here.tokens.create("operator", actor=LOCAL_OPERATOR)
    text = world.client.get("/metrics", headers={"Authorization": f"Bearer {operator}"}).text
    assert 'certvault_recognitions_total{outcome="RECOGNIZED"}' in text


def test_the_description_of_the_interface_names_it(world: World) -> None:
    described = world.client.get("/openapi.json").json()["paths"][PATH]["post"]
    assert "multipart/form-data" in described["requestBody"]["content"]


def test_a_seal_of_the_old_structure_is_noted_and_recognized(world: World, tmp_path: Path) -> None:
    """GM/T 0031-2014: no longer made elsewhere, and no forgery for that."""
    folder, code = tmp_path / "old", "410300"
    create_vault(InitOptions(folder=folder, region=code, keys="file", base_url="http://old.example")).close()
    dataclasses.replace(read_settings(folder), seal_structure="ses-1").write()
    with open_vault(folder) as old:
        world.here.regions.adopt(old.trust_lists.newest().token.encode(), old.anchors.current(), LOCAL_OPERATOR)
        rules = read_rules(json.dumps({"conditions": {"standings": ["IN_FORCE", "UNKNOWN"]}}).encode())
        world.here.agreements.make(code, TYPE, TYPE, LOCAL_OPERATOR, rules=rules)
        issued = old.issuing.issue(TYPE, example(TYPE), actor=LOCAL_OPERATOR)
    verdict = world.here.verification.verify(issued.pdf)
    assert verdict.conclusion.value == "VALID", verdict.findings
    assert verdict.recognition is not None
    assert (verdict.recognition.outcome.value, verdict.recognition.region) == ("RECOGNIZED", code)
    noted = [f for f in verdict.findings if f.code == "SEAL_STRUCTURE_OLD"]
    assert [(f.severity.value, f.params["version"]) for f in noted] == [("NOTE", 1)]
