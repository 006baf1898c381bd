"""The life of a license over HTTP and by command, as the interface says."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from certvault.model.actor import LOCAL_OPERATOR
from certvault.model.standing import Act
from tests.api.conftest import Door, example
from tests.api.test_cli import Ran, home  # noqa: F401 - a fixture

if TYPE_CHECKING:
    from certvault.bootstrap import Vault

ROAD = {"type": "road-transport-license", "data": example("road-transport-license")}


@pytest.fixture
def identifier(door: Door) -> str:
    answer = door.client.post("/v1/licenses", json=ROAD, headers=door.as_("issuer"))
    made: str = answer.json()["identifier"]
    return made


def acted(door: Door, identifier: str, act: str, body: dict[str, Any] | None = None, **headers: str) -> Any:
    return door.client.post(f"/v1/licenses/{identifier}/{act}", json=body, headers={**door.as_("issuer"), **headers})


def test_suspend_reinstate_revoke(door: Door, identifier: str) -> None:
    record = door.client.get(f"/v1/licenses/{identifier}/record", headers=door.as_("issuer")).text
    for act, body, standing in (
        ("suspend", {"reason": "investigation", "basis": "道路运输条例"}, "SUSPENDED"),
        ("reinstate", None, "IN_FORCE"),
        ("revoke", {"reason": "cancelled"}, "REVOKED"),
    ):
        answer = acted(door, identifier, act, body)
        assert answer.status_code == 200, answer.text
        done = answer.json()
        assert (done["identifier"], done["act"], done["standing"], done["changed"]) == (identifier, act, standing, True)
        assert done["effective_at"].endswith("Z")
        assert door.client.get(f"/v1/licenses/{identifier}", headers=door.as_("issuer")).json()["standing"] == standing
        (verdict,) = door.client.post("/v1/verifications", json={"record": record}).json()["files"]
        assert (verdict["conclusion"], verdict["standing"]) == ("VALID", standing)
    answer = acted(door, identifier, "suspend")
    assert (answer.status_code, answer.json()["code"]) == (409, "LICENSE_REVOKED")


def test_the_list_has_a_new_entity_tag_after_a_change(door: Door, identifier: str) -> None:
    record = door.client.get(f"/v1/licenses/{identifier}/record", headers=door.as_("issuer")).text
    import base64

    claims = json.loads(base64.urlsafe_b64decode(record.split(".")[1] + "=="))
    path = "/status-lists/" + claims["status"]["status_list"]["uri"].rpartition("/")[2]
    before = door.client.get(path).headers["etag"]
    assert door.client.get(path, headers={"If-None-Match": before}).status_code == 304
    acted(door, identifier, "suspend")
    after = door.client.get(path, headers={"If-None-Match": before})
    assert after.status_code == 200
    assert 0 < int(after.headers["cache-control"].rpartition("=")[2]) <= 300


def test_renew_and_amend_answer_with_the_new_version(door: Door, identifier: str) -> None:
    answer = acted(door, identifier, "renew", {"valid_to": "2030-06-30"}, **{"Idempotency-Key": identifier[-20:]})
    assert answer.status_code == 201, answer.text
    new = answer.json()
    assert (new["version"], new["supersedes"], new["standing"]) == (2, identifier, "IN_FORCE")
    assert answer.headers["location"] == new["links"]["self"]
    again = acted(door, identifier, "renew", {"valid_to": "2030-06-30"}, **{"Idempotency-Key": identifier[-20:]})
    assert (again.status_code, again.json()) == (201, new)
    known = acted(door, identifier, "renew", {"valid_to": "2030-06-30"})
    assert (known.status_code, known.json()["identifier"], known.json()["changed"]) == (200, new["identifier"], False)
    amended = acted(door, new["identifier"], "amend", {"data": {"operator_name": "开封新运输有限公司"}})
    assert amended.status_code == 201, amended.text
    assert amended.json()["version"] == 3
    read = door.client.get(f"/v1/licenses/{amended.json()['identifier']}", headers=door.as_("issuer")).json()
    assert (read["fields"]["operator_name"], read["valid_to"]) == ("开封新运输有限公司", "2030-06-30")


@pytest.mark.parametrize(
    ("act", "body", "status", "code", "field"),
    [
        ("revoke", {"reason": "x"}, 422, "REASON_UNKNOWN", "reason"),
        ("suspend", {"effective": "1.1.2026"}, 422, "TIME_MALFORMED", "effective"),
        ("suspend", {"why": "x"}, 422, None, "why"),
        ("suspend", {"approve": "f" * 32}, 404, "NOT_FOUND", ""),
        ("amend", {}, 400, "BODY_MALFORMED", "data"),
        ("amend", {"data": {"operator_name": ""}}, 422, None, "operator_name"),
        ("renew", {"valid_to": "2001-01-01"}, 422, None, None),
    ],
)
def test_what_is_refused_names_field_and_remedy(
    door: Door, identifier: str, act: str, body: dict[str, Any], status: int, code: str | None, field: str | None
) -> None:
    answer = acted(door, identifier, act, body)
    assert answer.status_code == status, answer.text
    problem = answer.json()
    assert problem["remedy"]
    assert code in (None, problem["code"])
    assert field in (None, problem["field"])
    assert door.client.get(f"/v1/licenses/{identifier}", headers=door.as_("issuer")).json()["standing"] == "IN_FORCE"


def test_where_it_stood_is_answered_signed(door: Door, identifier: str) -> None:
    import base64
    import datetime

    acted(door, identifier, "suspend")
    time.sleep(0.01)
    before = datetime.datetime.now(datetime.UTC).isoformat()
    time.sleep(0.01)
    acted(door, identifier, "revoke")
    path, headers = f"/v1/licenses/{identifier}/status", door.as_("auditor")
    then = door.client.get(path, params={"at": before}, headers=headers).json()
    now = door.client.get(path, headers=headers).json()
    assert (then["standing"], now["standing"]) == ("SUSPENDED", "REVOKED")
    claims = json.loads(base64.urlsafe_b64decode(then["answer"].split(".")[1] + "=="))
    assert (claims["identifier"], claims["standing"], claims["status"]) == (identifier, "SUSPENDED", 2)
    assert door.client.get(path, params={"at": "2090-01-01T00:00:00Z"}, headers=headers).json()["code"] == "TIME_AHEAD"
    assert door.client.get(path, params={"at": "then"}, headers=headers).status_code == 422


def test_a_past_moment_over_http_goes_through_a_process_of_its_own(door: Door, embedded_vault: Vault) -> None:
    """An issued license, suspended six minutes after the moment that is asked about."""
    import datetime

    made = embedded_vault.issuing.issue(ROAD["type"], ROAD["data"], actor=LOCAL_OPERATOR)
    embedded_vault.life.act(made.identifier, Act.SUSPEND, actor=LOCAL_OPERATOR)
    early = datetime.datetime.now(datetime.UTC) - datetime.timedelta(minutes=6)
    body = {"record": made.record, "at": early.isoformat()}
    (verdict,) = door.client.post("/v1/verifications", json=body).json()["files"]
    assert {"STANDING_FROM_HISTORY"} <= {f["code"] for f in verdict["findings"]}
    (now,) = door.client.post("/v1/verifications", json={"record": made.record}).json()["files"]
    assert now["standing"] == "SUSPENDED"


def test_a_verdict_with_a_receipt_is_verified_itself(door: Door, identifier: str) -> None:
    record = door.client.get(f"/v1/licenses/{identifier}/record", headers=door.as_("issuer")).text
    for answer in (
        door.client.post("/v1/verifications", json={"record": record, "receipt": True}),
        door.client.post("/v1/verifications", files={"file": ("r.sdjwt", record)}, data={"receipt": "true"}),
    ):
        (verdict,) = answer.json()["files"]
        receipt = json.dumps(verdict["receipt_jws"]).encode()
        (own,) = door.client.post("/v1/verifications", files={"file": ("receipt.json", receipt)}).json()["files"]
        assert (own["kind"], own["conclusion"], own["standing"]) == ("receipt", "VALID", None)
        assert own["receipt"]["verdict"]["license"]["identifier"] == identifier
    (plain,) = door.client.post("/v1/verifications", json={"record": record}).json()["files"]
    assert "receipt_jws" not in plain


def test_a_body_that_is_no_json_is_refused(door: Door, identifier: str) -> None:
    path, headers = f"/v1/licenses/{identifier}/suspend", door.as_("issuer")
    assert door.client.post(path, content=b"reason=other", headers=headers).status_code == 415
    json_type = {**headers, "Content-Type": "application/json"}
    assert door.client.post(path, content=b"{", headers=json_type).status_code == 400
    assert door.client.post(path, content=b"[]", headers=json_type).status_code == 422


def test_a_type_tells_what_the_values_of_the_lists_mean(door: Door) -> None:
    values = door.client.get("/v1/types/business-license").json()["status_values"]
    assert {k: v["name"] for k, v in values.items()} == {
        "0": "VALID", "1": "INVALID", "2": "SUSPENDED", "3": "SUPERSEDED",
    }  # fmt: skip
    assert "新版本" in values["3"]["zh"]


def test_commands_and_the_exit_status_of_verify(home: Path, tmp_path: Path) -> None:  # noqa: F811
    def run(*arguments: object) -> Ran:
        return Ran([*arguments, "--json", "--vault", home / "var"], tmp_path)

    (tmp_path / "d.json").write_text(json.dumps(ROAD["data"], ensure_ascii=False))
    license_id = run("issue", "road-transport-license", "d.json", "-o", "a.pdf").json["identifier"]
    assert run("verify", "a.pdf").status == 0
    for act, standing, status in (
        ("suspend", "SUSPENDED", 12), ("reinstate", "IN_FORCE", 0), ("suspend", "SUSPENDED", 12),
    ):  # fmt: skip
        assert run(act, license_id).json["standing"] == standing
        verdict = run("verify", "a.pdf")
        assert verdict.status == status
        assert (verdict.json["files"][0]["conclusion"], verdict.json["files"][0]["standing"]) == ("VALID", standing)
    refused = run("renew", license_id, "--until", "2030-06-30")
    assert (refused.status, refused.json["refusals"][0]["code"]) == (3, "LICENSE_SUSPENDED")
    assert run("suspend", license_id).json["changed"] is False
    run("reinstate", license_id, "--reason", "lifted", "--basis", "复查合格")
    new = run("renew", license_id, "--until", "2030-06-30", "-o", "b.pdf")
    assert new.status == 0, new.err
    assert run("verify", "b.pdf").status == 0
    assert run("verify", "a.pdf").status == 12
    third = run("amend", new.json["identifier"], "--set", "operator_name=开封新运输有限公司", "-o", "c.pdf").json
    shown = run("status", new.json["identifier"]).json
    assert shown["standing"] == "SUPERSEDED"
    assert [h["act"] for h in shown["history"]] == ["amend"]
    assert shown["history"][0]["successor"] == third["identifier"]
    assert run("revoke", license_id, "--reason", "cancelled").json["identifier"] == third["identifier"]
    for name in ("a.pdf", "b.pdf", "c.pdf"):
        verdict = run("verify", name)
        assert (verdict.status, verdict.json["files"][0]["standing"]) == (12, "REVOKED")
    assert run("verify", "c.pdf", "--receipt", "receipt.json").status == 12
    own = run("verify", "receipt.json")
    assert (own.status, own.json["files"][0]["receipt"]["verdict"]["standing"]) == (0, "REVOKED")
    assert run("verify", "a.pdf", "b.pdf", "--receipt", "r.json").status == 2
    answered = run("status", license_id, "-o", "answer.jws")
    assert (tmp_path / "answer.jws").read_text() == answered.json["answer"]
    words = Ran(["status", license_id, "--vault", home / "var"], tmp_path).out
    assert "复查合格" in words
    assert run("amend", third["identifier"]).status == 2
    assert run("suspend", third["identifier"], "--effective", "soon").status == 2
    assert run("suspend", third["identifier"], "--token", "cv_x_y").json["refusals"][0]["code"] == "TOKEN_UNKNOWN"
