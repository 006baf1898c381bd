"""Issuing and reading over HTTP."""

from __future__ import annotations

import concurrent.futures
import secrets
from typing import TYPE_CHECKING

from tests.api.conftest import Door, example

if TYPE_CHECKING:
    from certvault.model.views import IssuedLicense

BODY = {"type": "road-transport-license", "data": example("road-transport-license")}


def test_issue_answers_as_the_interface_says(door: Door) -> None:
    answer = door.client.post("/v1/licenses", json=BODY, headers=door.as_("issuer"))
    assert answer.status_code == 201, answer.text
    made = answer.json()
    assert {"identifier", "type", "number", "version", "standing", "issued_at", "sha256", "links"} <= set(made)
    assert made["standing"] == "IN_FORCE"
    assert set(made["links"]) == {"self", "pdf", "record"}
    assert answer.headers["location"] == made["links"]["self"]
    assert made["issued_at"].endswith("Z")
    path = made["links"]["pdf"].removeprefix("http://127.0.0.1:8000")
    pdf = door.client.get(path, headers=door.as_("issuer"))
    assert pdf.content.startswith(b"%PDF")
    assert pdf.headers["content-type"] == "application/pdf"
    assert pdf.headers["content-disposition"] == f'attachment; filename="{made["identifier"]}.pdf"'


def test_every_fault_of_the_data_is_named_at_once(door: Door) -> None:
    data = {**BODY["data"]}
    required = door.client.get("/v1/types/road-transport-license").json()["schema"]["required"]
    for name in required[:2]:
        data.pop(name, None)
    answer = door.client.post(
        "/v1/licenses", json={**BODY, "data": {}}, headers={**door.as_("issuer"), "Accept-Language": "en"}
    )
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert {r["field"] for r in problem["refusals"]} >= set(required)
    assert all(r["code"] and r["reason"] and r["remedy"] for r in problem["refusals"])
    assert problem["code"] == problem["refusals"][0]["code"]
    assert problem["status"] == 422


def test_refusals_speak_the_callers_language(door: Door) -> None:
    headers = door.as_("issuer")
    said = {
        lang: door.client.post(f"/v1/licenses?lang={lang}", json={**BODY, "data": {}}, headers=headers).json()["reason"]
        for lang in ("zh", "en")
    }
    assert not said["zh"].isascii()
    assert said["en"] != said["zh"]


def test_unknown_members_of_the_body_are_refused(door: Door) -> None:
    answer = door.client.post("/v1/licenses", json={**BODY, "datum": 1}, headers=door.as_("issuer"))
    assert answer.status_code == 422
    assert answer.json()["field"] == "datum"


def test_a_body_that_is_no_json(door: Door) -> None:
    answer = door.client.post(
        "/v1/licenses", content=b"{", headers={**door.as_("issuer"), "Content-Type": "application/json"}
    )
    assert answer.status_code == 400
    assert answer.json()["code"] == "BODY_MALFORMED"


def test_an_unknown_type_is_refused(door: Door) -> None:
    answer = door.client.post("/v1/licenses", json={"type": "no-such", "data": {}}, headers=door.as_("issuer"))
    assert answer.status_code in (404, 422)
    assert "no-such" in answer.text


def test_reading(door: Door, issued: IssuedLicense) -> None:
    answer = door.client.get(f"/v1/licenses/{issued.identifier}", headers=door.as_("issuer"))
    assert answer.status_code == 200, answer.text
    assert answer.json()["number"] == issued.number
    record = door.client.get(f"/v1/licenses/{issued.identifier}/record", headers=door.as_("holder"))
    assert record.text.count("~") > 3
    assert record.headers["content-type"].startswith("application/dc+sd-jwt")


def test_an_unknown_license_is_404(door: Door) -> None:
    answer = door.client.get("/v1/licenses/1.2.3", headers=door.as_("issuer"))
    assert answer.status_code == 404
    assert answer.json()["code"] == "NOT_FOUND"


def test_listing_goes_on_by_cursor(door: Door, issued: IssuedLicense) -> None:
    for _ in range(2):
        door.client.post("/v1/licenses", json=BODY, headers=door.as_("issuer"))
    seen: list[str] = []
    cursor: str | None = None
    for _ in range(200):
        params = {"limit": 2} | ({"cursor": cursor} if cursor else {})
        page = door.client.get("/v1/licenses", params=params, headers=door.as_("operator")).json()
        seen += [item["identifier"] for item in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert issued.identifier in seen
    assert len(seen) == len(set(seen))


def test_the_same_key_answers_the_same(door: Door) -> None:
    headers = {**door.as_("issuer"), "Idempotency-Key": secrets.token_hex(8)}
    first = door.client.post("/v1/licenses", json=BODY, headers=headers)
    again = door.client.post("/v1/licenses", json=BODY, headers=headers)
    assert first.status_code == again.status_code == 201
    assert first.json() == again.json()
    assert again.headers["idempotency-replayed"] == "true"
    assert again.headers["location"] == first.headers["location"]


def test_the_same_key_with_another_body_is_422(door: Door) -> None:
    headers = {**door.as_("issuer"), "Idempotency-Key": secrets.token_hex(8)}
    door.client.post("/v1/licenses", json=BODY, headers=headers)
    other = door.client.post("/v1/licenses", json={**BODY, "baseline": "B-T"}, headers=headers)
    assert other.status_code == 422
    assert other.json()["code"] == "IDEMPOTENCY_MISMATCH"


def test_a_refused_request_lets_its_key_go(door: Door) -> None:
    headers = {**door.as_("issuer"), "Idempotency-Key": secrets.token_hex(8)}
    assert door.client.post("/v1/licenses", json={**BODY, "data": {}}, headers=headers).status_code == 422
    assert door.client.post("/v1/licenses", json=BODY, headers=headers).status_code == 201


def test_the_same_key_at_the_same_time_issues_once(door: Door) -> None:
    headers = {**door.as_("issuer"), "Idempotency-Key": secrets.token_hex(8)}

    def post(_: int) -> tuple[int, str]:
        answer = door.client.post("/v1/licenses", json=BODY, headers=headers)
        return answer.status_code, answer.json().get("identifier", "")

    with concurrent.futures.ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(post, range(6)))
    made = {identifier for status, identifier in answers if status == 201}
    assert len(made) == 1
    assert {status for status, _ in answers} <= {201, 409}


def test_a_key_is_one_callers_own(door: Door) -> None:
    key = {"Idempotency-Key": secrets.token_hex(8)}
    made = {
        door.client.post("/v1/licenses", json=BODY, headers={**door.as_(role), **key}).json()["identifier"]
        for role in ("issuer", "operator")
    }
    assert len(made) == 2
