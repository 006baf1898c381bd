"""The feed and webhooks by HTTP and on the command line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from api.cli import run
from certvault.model.actor import LOCAL_OPERATOR
from tests.api.conftest import Door

if TYPE_CHECKING:
    from certvault.bootstrap import Vault
    from certvault.model.views import IssuedLicense


def read(door: Door, query: str = "", accept: str = "application/json") -> Any:
    return door.client.get(f"/v1/feed{query}", headers=door.as_("verifier") | {"Accept": accept})


def test_the_feed_is_read_page_by_page(door: Door, issued: IssuedLicense) -> None:
    first = read(door, "?limit=1").json()
    assert set(first) == {"changes", "cursor", "more"}
    assert first["cursor"] == str(first["changes"][0]["number"])
    whole = read(door, "?limit=1000").json()
    rest = read(door, f"?after={first['cursor']}&limit=1000").json()
    assert first["changes"] + rest["changes"] == whole["changes"]
    assert issued.identifier in {c["identifier"] for c in whole["changes"]}
    assert read(door, f"?after={whole['cursor']}").json() == {"changes": [], "cursor": whole["cursor"], "more": False}


@pytest.mark.parametrize("kind", ["application/jsonl", "application/x-ndjson"])
def test_the_feed_comes_as_lines_for_those_who_ask(door: Door, issued: IssuedLicense, kind: str) -> None:
    plain = read(door, "?limit=2").json()
    answer = read(door, "?limit=2", f"text/plain;q=0.1, {kind}")
    assert answer.headers["content-type"].startswith(kind)
    lines = [json.loads(line) for line in answer.text.splitlines()]
    assert lines == [*plain["changes"], {"cursor": plain["cursor"], "more": plain["more"]}]


@pytest.mark.parametrize(("query", "status"), [("?after=x", 422), ("?after=99999999", 422), ("?limit=0", 422)])
def test_what_is_no_page_is_refused(door: Door, query: str, status: int) -> None:
    answer = read(door, query)
    assert answer.status_code == status
    assert answer.json()["code"]


def test_a_webhook_lives_over_http(door: Door, embedded_vault: Vault) -> None:
    headers = door.as_("operator") | {"Idempotency-Key": "webhook-1"}
    body = {"url": "https://example.org/changes", "events": ["revoke"], "name": "portal"}
    made = door.client.post("/v1/webhooks", json=body, headers=headers)
    assert made.status_code == 201, made.text
    value = made.json()
    assert value["secret"].startswith("whsec_")
    own = f"/v1/webhooks/{value['id']}"
    assert made.headers["location"].endswith(own)
    assert door.client.post("/v1/webhooks", json=body, headers=headers).json() == value, "once, however often sent"
    listed = door.client.get("/v1/webhooks", headers=door.as_("operator"))
    assert [w["id"] for w in listed.json()["items"]] == [value["id"]]
    assert "secret" not in listed.json()["items"][0]
    assert value["secret"] not in listed.text
    assert door.client.post(f"{own}/pause", headers=headers).json()["state"] == "PAUSED"
    assert door.client.post(f"{own}/resume", headers=headers).json()["state"] == "ACTIVE"
    replayed = door.client.post(f"{own}/replay", json={"after": ""}, headers=headers)
    assert replayed.status_code == 200, replayed.text
    rotated = door.client.post(f"{own}/rotate", json={}, headers=headers).json()
    assert rotated["secret"] != value["secret"]
    assert door.client.get(f"{own}/attempts", headers=headers).json() == {"items": []}
    refused = door.client.post("/v1/webhooks", json={"url": "http://example.org/"}, headers=door.as_("operator"))
    assert (refused.status_code, refused.json()["code"]) == (422, "WEB_PLAIN_HTTP")
    assert door.client.delete(own, headers=door.as_("operator")).status_code == 204
    assert door.client.get(own, headers=door.as_("operator")).status_code == 404


@pytest.fixture
def here(embedded_vault: Vault, monkeypatch: pytest.MonkeyPatch) -> Iterator[Vault]:
    monkeypatch.setenv("CERTVAULT_VAULT", str(embedded_vault.settings.folder))
    yield embedded_vault
    for found in embedded_vault.webhooks.list(LOCAL_OPERATOR):
        embedded_vault.webhooks.remove(found.id, LOCAL_OPERATOR)


def told(capsys: pytest.CaptureFixture[str], *arguments: str, status: int = 0) -> Any:
    capsys.readouterr()
    assert run([*arguments, "--json"]) == status
    return json.loads(capsys.readouterr().out)


def test_feed_and_webhooks_on_the_command_line(
    here: Vault, issued: IssuedLicense, capsys: pytest.CaptureFixture[str]
) -> None:
    page = told(capsys, "feed", "--limit", "1")
    assert len(page["changes"]) == 1
    assert told(capsys, "feed", "--after", "latest")["changes"] == []
    made = told(capsys, "webhook", "add", "https://127.0.0.1:9/x", "--events", "revoke,suspend", "--events", "issue")
    assert made["events"] == ["issue", "revoke", "suspend"]
    assert made["secret"].startswith("whsec_")
    assert "secret" not in told(capsys, "webhook", "list")["webhooks"][0]
    assert told(capsys, "webhook", "pause", made["id"])["state"] == "PAUSED"
    assert told(capsys, "webhook", "deliver") == {"delivered": 0, "failed": 0}
    tested = told(capsys, "webhook", "test", made["id"], status=1)
    assert (tested["delivered"], tested["code"]) == (False, "WEB_UNREACHABLE")
    assert told(capsys, "webhook", "log", made["id"])["attempts"] == [tested]
    assert told(capsys, "webhook", "resume", made["id"])["state"] == "ACTIVE"
    assert told(capsys, "webhook", "replay", made["id"], "--from", page["cursor"])["cursor"] == page["cursor"]
    assert told(capsys, "webhook", "rotate", made["id"])["secret"] != made["secret"]
    assert told(capsys, "webhook", "remove", made["id"]) == {"removed": made["id"]}
    assert told(capsys, "webhook", "pause", made["id"], status=3)["code"] == "NOT_FOUND"
    assert told(capsys, "webhook", "add", "https://example.org/", "--events", "x", status=3)["code"] == "KIND_UNKNOWN"
