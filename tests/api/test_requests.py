"""Requests that are wrong in themselves: each is told what is wrong, in the caller's language."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.api.conftest import Door, example

FOOD: dict[str, Any] = {"type": "food-business-license", "data": example("food-business-license")}


def post(door: Door, body: object, **headers: str) -> dict[str, Any]:
    answer = door.client.post("/v1/licenses", json=body, headers={**door.as_("issuer"), **headers})
    value: dict[str, Any] = answer.json()
    assert value["status"] == answer.status_code
    return value


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"data": {}}, "type"),
        ({**FOOD, "type": 7}, "type"),
        ({**FOOD, "type": "x" * 101}, "type"),
        ({**FOOD, "data": []}, "data"),
        ({**FOOD, "baseline": "B-X"}, "baseline"),
        ({**FOOD, "holder_key": "x"}, "holder_key"),
        ({**FOOD, "holder_key": {"kty": 1}}, "holder_key.kty"),
        ({**FOOD, "extra": 1}, "extra"),
    ],
)
def test_a_wrong_member_is_named_in_the_callers_own_words(door: Door, body: object, field: str) -> None:
    zh, en = post(door, body), post(door, body, **{"Accept-Language": "en"})
    assert (zh["status"], zh["code"], zh["field"]) == (422, "FIELD_WRONG", field)
    assert not re.search(r"[A-Za-z]{3,}", zh["reason"].replace("B-LTA", "").replace("B-LT", "")), zh["reason"]
    assert en["reason"].isascii()
    assert "valid" not in en["reason"]


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/v1/licenses"), ("GET", "/v1/mintings/none"), ("GET", "/v1/types")]
)
def test_a_language_that_is_not_spoken_is_refused(door: Door, method: str, path: str) -> None:
    answer = door.client.request(method, path, params={"lang": "fr"}, headers=door.as_("operator"))
    assert (answer.status_code, answer.json()["code"], answer.json()["field"]) == (422, "LANG_UNKNOWN", "lang")


def test_a_form_in_a_language_that_is_not_spoken_is_refused_and_a_page_is_chinese(door: Door) -> None:
    answer = door.client.post("/v1/verifications", files={"file": ("a", b"x")}, data={"lang": "fr"})
    assert (answer.status_code, answer.json()["code"]) == (422, "LANG_UNKNOWN")
    assert 'lang="zh' in door.client.get("/", params={"lang": "fr"}).text


def test_a_body_that_does_not_say_it_is_json_is_refused(door: Door) -> None:
    for kind in ("text/plain", "application/x-www-form-urlencoded", ""):
        answer = door.client.post(
            "/v1/licenses", content=b'{"type": "x", "data": {}}', headers={**door.as_("issuer"), "Content-Type": kind}
        )
        assert (answer.status_code, answer.json()["code"]) == (415, "MEDIA_TYPE"), kind


@pytest.mark.parametrize("path", ["/v1/licenses", "/v1/mintings/{job}"])
@pytest.mark.parametrize("cursor", ["nonsense", "-1", "WyJ4Il0", "1e3"])
def test_a_cursor_that_no_page_gave_is_refused(door: Door, path: str, cursor: str) -> None:
    if "{job}" in path:
        lines = {"files": {"file": ("rows.csv", "许可证编号,主体业态\nx,y\n".encode())}}
        job = door.client.post(
            "/v1/mintings", headers=door.as_("issuer"), data={"type": "food-business-license"}, **lines
        )
        path = path.format(job=job.json().get("job"))
    answer = door.client.get(path, params={"cursor": cursor}, headers=door.as_("operator"))
    assert (answer.status_code, answer.json()["code"], answer.json()["field"]) == (422, "CURSOR_UNKNOWN", "cursor")


def test_a_conflict_is_titled_as_what_it_is(door: Door) -> None:
    body = {"type": "business-license", "data": example("business-license")}
    door.client.post("/v1/licenses", json=body, headers=door.as_("issuer"))
    twice = post(door, body, **{"Accept-Language": "en"})
    assert (twice["status"], twice["code"]) == (409, "DUPLICATE_LICENSE")
    assert "what is there" in twice["title"]
