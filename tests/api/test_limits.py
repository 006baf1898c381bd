"""Rates, sizes, headers, and what the unforeseen looks like."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest
from fastapi.testclient import TestClient

from api.limits import MEBIBYTE, Limits, Rate, RateLimiter, client_of
from tests.api.conftest import Door

if TYPE_CHECKING:
    from certvault.bootstrap import Vault


def test_a_bucket_empties_and_fills() -> None:
    now = 0.0
    limiter = RateLimiter(Limits(rates={"k": Rate(2, 60)}, everyone={}), monotonic=lambda: now)
    assert [limiter.take("k", "a") for _ in range(2)] == [0, 0]
    assert limiter.take("k", "a") == pytest.approx(1)
    assert limiter.take("k", "b") == 0
    now = 1.0
    assert limiter.take("k", "a") == 0
    assert limiter.take("k", "a") > 0


def test_all_clients_together_have_a_limit_too() -> None:
    limiter = RateLimiter(Limits(rates={"k": Rate(9, 1)}, everyone={"k": Rate(3, 1)}), monotonic=lambda: 0)
    assert [bool(limiter.take("k", str(n))) for n in range(4)] == [False, False, False, True]


def test_buckets_do_not_grow_without_end() -> None:
    limiter = RateLimiter(Limits(rates={"k": Rate(1, 1)}, everyone={}), capacity=10, monotonic=lambda: 0)
    for n in range(100):
        limiter.take("k", str(n))
    assert len(limiter._buckets) == 10


@pytest.mark.parametrize(
    ("address", "client"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8::1", "2001:db8::/64"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("testclient", "testclient"),
        (None, "unknown"),
    ],
)
def test_whom_an_address_counts_for(address: str | None, client: str) -> None:
    assert client_of(address) == client


@pytest.mark.parametrize(
    ("kind", "method", "path"),
    [
        ("verification", "POST", "/v1/verifications"),
        ("key", "POST", "/ocsp"),
        ("key", "POST", "/tsa"),
        ("reading", "GET", "/v1/types"),
        ("reading", "GET", "/v1/wallet"),
    ],
)
def test_too_many_requests(new_client: Callable[..., TestClient], kind: str, method: str, path: str) -> None:
    client = new_client(rates={kind: Rate(2, 1)})
    statuses = [client.request(method, path).status_code for _ in range(4)]
    assert 429 not in statuses[:2]
    assert statuses[2:] == [429, 429]
    answer = client.request(method, path)
    assert int(answer.headers["retry-after"]) >= 1
    assert answer.json()["code"] == "TOO_MANY_REQUESTS"


def test_a_body_that_is_announced_too_large(new_client: Callable[..., TestClient]) -> None:
    client = new_client(uploads={"/v1/verifications": 1000})
    answer = client.post("/v1/verifications", files={"file": ("a", b"x" * 2000)})
    assert answer.status_code == 413
    assert answer.json()["code"] == "BODY_TOO_LARGE"


@pytest.mark.parametrize("path", ["/v1/verifications", "/ocsp", "/v1/licenses", "/issue/business-license"])
def test_a_body_that_streams_too_long(new_client: Callable[..., TestClient], door: Door, path: str) -> None:
    client = new_client(body=1000, uploads={"/ocsp": 1000})
    sent = 0

    def endless() -> Iterator[bytes]:
        nonlocal sent
        for _ in range(100):
            sent += 500
            yield b"x" * 500

    kind = "application/x-www-form-urlencoded" if path.startswith("/issue") else "application/json"
    headers = {**door.as_("issuer"), "Content-Type": kind}
    answer = client.post(path, content=endless(), headers=headers)
    assert answer.status_code == 413, answer.text


def test_secure_headers_on_every_answer(door: Door) -> None:
    for path in ("/", "/v1/types", "/nothing", "/static/site.css", "/verify"):
        headers = door.client.get(path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert "script-src 'self'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert headers["referrer-policy"] == "no-referrer"


def test_an_unforeseen_error_has_a_number_and_no_detail(
    door: Door, embedded_vault: Vault, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("the secret detail")

    monkeypatch.setattr(type(embedded_vault.catalog), "list", broken)
    with caplog.at_level(logging.ERROR):
        answer = door.client.get("/v1/types")
    assert answer.status_code == 500
    problem = answer.json()
    assert problem["code"] == "INTERNAL"
    assert problem["reference"] in caplog.text
    assert "secret detail" not in answer.text
    assert "secret detail" in caplog.text


def test_a_key_device_that_went_away_is_503(door: Door, embedded_vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    from signing.errors import BackendUnavailableError

    def gone(*_: object) -> None:
        raise BackendUnavailableError("no token", uri="pkcs11:token=private-name")

    monkeypatch.setattr(type(embedded_vault.pki), "ocsp", gone)
    answer = door.client.post("/ocsp", content=b"x")
    assert answer.status_code == 503
    assert answer.headers["retry-after"]
    assert answer.json()["code"] == "BACKEND_UNAVAILABLE"
    assert "private-name" not in answer.text


def test_the_log_holds_no_token_query_or_identifier(door: Door, caplog: pytest.LogCaptureFixture) -> None:
    mark = secrets.token_hex(8)
    with caplog.at_level(logging.DEBUG, logger="certvault"):
        door.client.get(f"/v1/licenses/{mark}?q={mark}", headers={"Authorization": f"Bearer {mark}"})
        door.client.post("/sign-in", data={"token": mark, "csrf": mark})
        door.client.post("/v1/verifications", json={"code": mark})
    ours = "\n".join(r.getMessage() for r in caplog.records if r.name.startswith("certvault"))
    assert "/v1/licenses/{identifier}" in ours
    assert mark not in ours


@pytest.mark.parametrize(
    ("path", "takes"),
    [
        ("/v1/seals/41020026350812/uses", 64),
        ("/v1/seals/41020026350812/change", 6),
        ("/v1/seals", 6),
        ("/v1/seals/41020026350812/permits", 2),
        ("/v1/seals/41020026350812/uses/more", 2),
        ("/v1/licenses", 2),
    ],
)
def test_what_is_to_be_sealed_may_be_as_large_as_what_is_to_be_verified(path: str, takes: int) -> None:
    assert Limits().body_limit(path) == takes * MEBIBYTE
