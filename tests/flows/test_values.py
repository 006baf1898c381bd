"""What no database keeps, sent to everything that asks one: refused, and never taken for trouble of the database."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import openpyxl
import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from certvault.model.actor import LOCAL_OPERATOR
from verify.formats.refusal import RefusedError

if TYPE_CHECKING:
    from certvault.bootstrap import Vault

PATHS = (
    "/v1/licenses/%00", "/v1/licenses/a%00b/pdf", "/v1/licenses/%F0%9F%98%80", "/v1/mintings/%00", "/v1/types/%00",
    "/crl/%00", "/ca/%00", "/v1/licenses?cursor=%00", "/status-lists/2147483647", "/v1/licenses/" + "a" * 5000,
)  # fmt: skip
MOMENT = "2026-01-01T00:00:00+00:00"
CURSORS: tuple[Any, ...] = (
    [MOMENT, "\x00"], [MOMENT, "\ud800"], ["2026-01-01", "x"], ["0001-01-01T00:00:00+14:00", "x"], [None, None],
    {"a": 1}, [MOMENT], 5,
)  # fmt: skip


def test_values_that_no_database_keeps(
    make_vault: Callable[..., Vault], database_url: str, example: Callable[[str], dict[str, Any]]
) -> None:
    vault = make_vault(keys="file", database_url=database_url)
    food = example("food-business-license")
    headers = {"Authorization": f"Bearer {vault.tokens.create('operator', actor=LOCAL_OPERATOR)}"}
    with TestClient(create_app(vault), raise_server_exceptions=False) as client:
        for path in PATHS:
            assert client.get(path, headers=headers).status_code in (404, 422), path
        for cursor in CURSORS:
            text = base64.urlsafe_b64encode(json.dumps(cursor).encode()).decode().rstrip("=")
            answer = client.get("/v1/licenses", params={"cursor": text}, headers=headers)
            assert answer.status_code in (200, 422), cursor
        for body in (
            {"type": "a\x00", "data": food},
            {"type": "food-business-license", "data": food | {"operator_name": "a\x00"}},
            {"type": "food-business-license", "data": food | {"\x00": "x", "credit_code": "x"}},
        ):
            assert client.post("/v1/licenses", json=body, headers=headers).status_code in (404, 422), body
        kept = json.dumps({"type": "food-business-license", "data": food})[:-2] + ', "\\ud800\\u202e": "x"}}'
        made = client.post("/v1/licenses", content=kept, headers={**headers, "Content-Type": "application/json"})
        assert made.status_code == 201, made.text
        assert made.json()["ignored"] == ["\ufffd\ufffd"]
        lines = (
            '{"operator_name": "a\\u0000"}\n{"operator_name": "\\ud800"}\n'
            '{"x\\ud800": "\\u0000", "operator_name": "b"}\n'
        )
        form = {"type": "food-business-license"}
        started = client.post("/v1/mintings", files={"file": ("\x00.jsonl", lines)}, data=form, headers=headers)
        assert started.status_code == 202, started.text
        vault.minting.wait()
        told = client.get(f"/v1/mintings/{started.json()['job']}", headers=headers).json()
        assert (told["state"], told["refused"]) == ("DONE", 3)
        wrong = client.post("/v1/mintings", files={"file": ("a", lines)}, data={"type": "x\x00"}, headers=headers)
        assert wrong.status_code in (404, 422)
    for identifier in ("\x00", "\ud800", "a" * 100_000):
        with pytest.raises(RefusedError):
            vault.licenses.get(identifier, LOCAL_OPERATOR)
    assert vault.doctor().problems == ()


def test_a_workbook_comes_by_http_too(
    make_vault: Callable[..., Vault], example: Callable[[str], dict[str, Any]]
) -> None:
    vault = make_vault(keys="file")
    food = example("food-business-license")
    book, content = openpyxl.Workbook(), io.BytesIO()
    book.worksheets[0].append(list(food))
    book.worksheets[0].append(list(food.values()))
    book.save(content)
    headers = {"Authorization": f"Bearer {vault.tokens.create('issuer', actor=LOCAL_OPERATOR)}"}
    with TestClient(create_app(vault), raise_server_exceptions=False) as client:
        files = {"file": ("表格", content.getvalue())}
        started = client.post("/v1/mintings", files=files, data={"type": "food-business-license"}, headers=headers)
        assert started.status_code == 202, started.text
        vault.minting.wait()
        told = client.get(f"/v1/mintings/{started.json()['job']}", headers=headers).json()
        assert (told["state"], told["issued"]) == ("DONE", 1)
