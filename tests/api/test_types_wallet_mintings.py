"""The catalog, the wallet, bulk jobs."""

from __future__ import annotations

import datetime
import io
import json
import time
import zipfile
from typing import TYPE_CHECKING, Any

from tests.api.conftest import Door, example

if TYPE_CHECKING:
    from certvault.model.views import IssuedLicense

NAMES = {
    "business-license", "business-license-duplicate", "food-business-license", "road-transport-license",
    "driving-license", "marriage-certificate",
}  # fmt: skip


def test_catalog(door: Door) -> None:
    items = door.client.get("/v1/types").json()["items"]
    assert {item["type"] for item in items} >= NAMES
    for item in items:
        by_name = door.client.get(f"/v1/types/{item['type']}").json()
        by_code = door.client.get(f"/v1/types/{item['code']}").json()
        assert by_name == by_code
        assert by_name["schema"]["properties"]
    assert door.client.get("/v1/types/none").status_code == 404


def test_wallet(door: Door, issued: IssuedLicense) -> None:
    items = door.client.get("/v1/wallet", headers=door.as_("holder")).json()["items"]
    assert issued.identifier in {item["identifier"] for item in items}
    answer = door.client.get("/v1/wallet/archive", headers=door.as_("holder"))
    assert answer.headers["content-type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        names = archive.namelist()
    assert "index.html" in names
    assert any(name.endswith(".pdf") for name in names)


def test_a_holder_of_nothing_has_an_empty_list_and_no_archive(door: Door) -> None:
    assert door.client.get("/v1/wallet", headers=door.as_("stranger")).json()["items"] == []
    answer = door.client.get("/v1/wallet/archive", headers=door.as_("stranger"))
    assert (answer.status_code, answer.json()["code"]) == (404, "WALLET_EMPTY")


def test_who_is_no_holder_has_no_wallet(door: Door) -> None:
    for path in ("/v1/wallet", "/v1/wallet/archive"):
        answer = door.client.get(path, headers=door.as_("operator"))
        assert (answer.status_code, answer.json()["code"]) == (403, "FORBIDDEN"), path


def test_the_index_of_a_wallet_is_dated_in_utc(door: Door, issued: IssuedLicense) -> None:
    answer = door.client.get("/v1/wallet/archive", headers=door.as_("holder"))
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        made = json.loads(archive.read("index.json"))["made"]
    assert made.endswith("Z")
    assert datetime.datetime.fromisoformat(made).utcoffset() == datetime.timedelta()


def _wait(door: Door, job: str) -> dict[str, Any]:
    for _ in range(300):
        value: dict[str, Any] = door.client.get(f"/v1/mintings/{job}", headers=door.as_("issuer")).json()
        if value["state"] == "DONE":
            return value
        time.sleep(0.1)
    raise AssertionError(value)


def test_minting_reports_every_row(door: Door) -> None:
    good = example("road-transport-license")
    lines = [{**good, "备注": "x"}, {**good, next(iter(good)): "\u0007"}, good]
    rows = "\n".join(json.dumps(line, ensure_ascii=False) for line in lines).encode()
    send: dict[str, Any] = {"data": {"type": "road-transport-license"}, "files": {"file": ("rows.jsonl", rows)}}
    headers = {**door.as_("issuer"), "Idempotency-Key": "minting-1"}
    started = door.client.post("/v1/mintings", headers=headers, **send)
    assert started.status_code == 202, started.text
    assert started.json()["state"] == "RUNNING"
    assert started.json()["ignored"] == ["备注"]
    assert started.headers["location"].endswith(started.json()["job"])
    done = _wait(door, started.json()["job"])
    assert [row["row"] for row in done["rows"]] == [1, 2, 3]
    assert done["rows"][0]["outcome"] == "issued"
    assert done["rows"][1]["outcome"] == "refused"
    assert done["rows"][1]["field"]
    assert done["issued"] + done["refused"] + done["failed"] == done["total"] == 3
    page = door.client.get(
        f"/v1/mintings/{done['job']}", params={"cursor": 1, "limit": 1}, headers=door.as_("issuer")
    ).json()
    assert [row["row"] for row in page["rows"]] == [2]
    assert page["next_cursor"] == "2"
    again = door.client.post("/v1/mintings", headers=headers, **send)
    assert again.json()["job"] == done["job"]


def test_a_minting_of_an_unreadable_table_is_refused(door: Door) -> None:
    answer = door.client.post(
        "/v1/mintings",
        headers=door.as_("issuer"),
        data={"type": "road-transport-license"},
        files={"file": ("rows.pdf", b"%PDF")},
    )
    assert answer.status_code in (400, 422), answer.text
    assert answer.json()["code"]


def test_an_unknown_job_is_404(door: Door) -> None:
    assert door.client.get("/v1/mintings/none", headers=door.as_("issuer")).status_code == 404
