"""What the command line fetches when something is missing, from whom, and what it does not."""

from __future__ import annotations

import base64
import dataclasses
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest import mock

import httpx
import pytest

from api import fetching
from api.fetching import Fetcher
from api.judging.pool import Pool, Question
from tests.api.conftest import Door
from tests.api.test_cli import Ran
from verify import Conclusion, Evidence, Standing, TrustStore, Verdict, verify_any

if TYPE_CHECKING:
    from certvault.bootstrap import Vault
    from certvault.model.views import IssuedLicense

Handler = Callable[[httpx.Request], httpx.Response]


class Service:
    """The vault's own service behind any address; remembers what it was asked."""

    def __init__(self, door: Door) -> None:
        self._door = door
        self.asked: list[str] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(f"{request.method} {request.url.path}")
        headers = {k: v for k, v in request.headers.items() if k.startswith(("content-type", "accept"))}
        given = self._door.client.request(request.method, request.url.path, content=request.content, headers=headers)
        return httpx.Response(given.status_code, content=given.content)

    def lists(self) -> list[str]:
        """Addresses of status lists that it was asked for."""
        return [f"http://127.0.0.1:8000{a.partition(' ')[2]}" for a in self.asked if "/status-lists/" in a]

    @property
    def source(self) -> Fetcher:
        return Fetcher(httpx.MockTransport(self))


@pytest.fixture
def service(door: Door) -> Service:
    return Service(door)


@pytest.fixture
def root(embedded_vault: Vault) -> TrustStore:
    """The vault's root alone, as somebody elsewhere has it."""
    return TrustStore(anchors=embedded_vault.verification.trust().anchors, allow_example=True)


def judge(vault: Vault, data: bytes, trust: TrustStore, source: Fetcher | None) -> Verdict:
    return verify_any(data, trust=trust, at=vault.clock.now(), evidence=Evidence(source=source))


def test_with_the_root_alone_the_service_tells_the_rest(
    embedded_vault: Vault, issued: IssuedLicense, root: TrustStore, service: Service
) -> None:
    for data in (issued.pdf, issued.record.encode()):
        alone, asked = (judge(embedded_vault, data, root, s) for s in (None, service.source))
        assert alone.standing is Standing.UNKNOWN
        assert asked.conclusion is Conclusion.VALID, asked.findings
        assert asked.standing is Standing.IN_FORCE
    assert "GET /status-lists/1" in service.asked
    assert "POST /ocsp" in service.asked


def test_a_vault_that_does_not_know_the_license_lets_its_own_service_tell(
    embedded_vault: Vault, issued: IssuedLicense, root: TrustStore, service: Service
) -> None:
    now, record = embedded_vault.clock.now(), issued.record.encode()
    elsewhere = Evidence(source=service.source, lookup=lambda _: None)
    assert verify_any(record, trust=root, at=now, evidence=elsewhere).standing is Standing.IN_FORCE
    by_chance = dataclasses.replace(elsewhere, status_lists=dict.fromkeys(service.lists(), b"ours"))
    assert verify_any(record, trust=root, at=now, evidence=by_chance).standing is Standing.UNKNOWN


def test_a_judge_in_a_process_of_its_own_asks_through_this_one(
    embedded_vault: Vault, issued: IssuedLicense, root: TrustStore, service: Service
) -> None:
    evidence, now = Evidence(source=service.source), embedded_vault.clock.now()
    with Pool(1, seconds=30, memory=2**31) as pool:
        found = pool.ask(Question(issued.record.encode(), root, evidence, now))["en"]
        bare = pool.ask(Question(issued.record.encode(), root, Evidence(), now))["en"]
    assert (found["conclusion"], found["standing"]) == ("VALID", "IN_FORCE")
    assert (bare["conclusion"], bare["standing"]) == ("INDETERMINATE", "UNKNOWN")


def test_a_judge_in_its_own_process_asks_for_authorities_through_its_parent(
    embedded_vault: Vault, issued: IssuedLicense, root: TrustStore, service: Service
) -> None:
    """The record's chain without its issuing authority, as producers leave it out."""
    header, rest = issued.record.split(".", 1)
    shortened = json.loads(base64.urlsafe_b64decode(header + "=" * (-len(header) % 4)))
    shortened["x5c"] = shortened["x5c"][:1]
    head = base64.urlsafe_b64encode(json.dumps(shortened).encode()).rstrip(b"=").decode()
    with Pool(1, seconds=30, memory=2**31) as pool:
        evidence = Evidence(issuers=service.source)
        pool.ask(Question(f"{head}.{rest}".encode(), root, evidence, embedded_vault.clock.now()))
    assert any(asked.startswith("GET /ca/") or "/ca" in asked for asked in service.asked), service.asked


def test_a_strangers_file_makes_nobody_ask_anything(
    embedded_vault: Vault, issued: IssuedLicense, service: Service
) -> None:
    edited = bytearray(issued.pdf)
    edited[len(edited) // 2] ^= 1
    stranger = TrustStore(allow_example=True)
    judge(embedded_vault, issued.pdf, stranger, service.source)
    judge(embedded_vault, issued.record.encode(), stranger, service.source)
    assert service.asked == []
    trusted = TrustStore(anchors=embedded_vault.verification.trust().anchors, allow_example=True)
    assert judge(embedded_vault, bytes(edited), trusted, service.source).conclusion is Conclusion.INVALID
    assert "GET /status-lists/1" not in service.asked


def test_the_command_line_asks_unless_offline(
    embedded_vault: Vault, issued: IssuedLicense, service: Service, tmp_path: Path
) -> None:
    (tmp_path / "a.pdf").write_bytes(issued.pdf)
    (tmp_path / "root.der").write_bytes(embedded_vault.verification.trust().anchors[0])
    arguments = ["verify", "a.pdf", "--trust", "root.der", "--allow-example", "--json"]
    with mock.patch.object(fetching, "Fetcher", return_value=service.source):
        offline = Ran([*arguments, "--offline"], tmp_path)
        assert service.asked == []
        online = Ran(arguments, tmp_path)
    assert (offline.status, offline.json["files"][0]["standing"]) == (12, "UNKNOWN")
    assert (online.status, online.json["files"][0]["standing"]) == (0, "IN_FORCE")


def test_the_command_line_takes_what_one_has_at_hand(
    embedded_vault: Vault, issued: IssuedLicense, door: Door, tmp_path: Path
) -> None:
    uri = next(iter(embedded_vault.verification.evidence().status_lists))
    (tmp_path / "a.sdjwt").write_text(issued.record)
    (tmp_path / "root.der").write_bytes(embedded_vault.verification.trust().anchors[0])
    (tmp_path / "list").write_bytes(embedded_vault.verification.evidence().status_lists[uri])
    crls = []
    for number, crl in enumerate(embedded_vault.verification.evidence().crls):
        (tmp_path / f"{number}.crl").write_bytes(crl)
        crls += ["--crl", f"{number}.crl"]
    arguments = ["verify", "a.sdjwt", "--trust", "root.der", "--allow-example", "--offline"]
    assert Ran(arguments, tmp_path).status == 11
    assert Ran([*arguments, *crls, "--status-list", f"{uri}=list"], tmp_path).status == 0
    assert Ran([*arguments, "--crl", "missing.crl"], tmp_path).status == 3
    assert Ran([*arguments, "--status-list", "list"], tmp_path).status == 2


# ---- the fetcher alone


def fetcher(handler: Handler) -> Fetcher:
    return Fetcher(httpx.MockTransport(handler))


def test_each_thing_is_fetched_once_and_found_missing_once() -> None:
    asked: list[Any] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append((request.method, str(request.url), request.content))
        return httpx.Response(200 if "good" in str(request.url) else 404, content=b"list")

    source = fetcher(answer)
    assert [source.crl("http://ca.example/good") for _ in range(3)] == [b"list"] * 3
    assert [source.status_list("http://ca.example/bad") for _ in range(3)] == [None] * 3
    assert source.ocsp("http://ca.example/good", b"0") == source.ocsp("http://ca.example/good", b"0") == b"list"
    assert [method for method, _, _ in asked] == ["GET", "GET", "POST"]


def test_answers_without_end_and_circles_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "MOST_BYTES", 1_000)
    large = fetcher(lambda _: httpx.Response(200, content=b"x" * 1_001))
    assert large.crl("http://ca.example/") is None
    circle = fetcher(lambda r: httpx.Response(302, headers={"Location": f"{r.url}x"}))
    assert circle.crl("http://ca.example/") is None
    away = fetcher(lambda _: httpx.Response(302, headers={"Location": "file:///etc/passwd"}))
    assert away.crl("http://ca.example/") is None
    assert fetcher(lambda _: httpx.Response(200)).crl("file:///etc/passwd") is None


def test_a_host_that_does_not_answer_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "SECONDS_TOGETHER", 0.02)
    asked: list[str] = []

    def silent(request: httpx.Request) -> httpx.Response:
        asked.append(str(request.url))
        time.sleep(0.03)
        raise httpx.ReadTimeout("silence", request=request)

    source = fetcher(silent)
    for number in range(5):
        assert source.crl(f"http://slow.example/{number}") is None
    assert asked == ["http://slow.example/0"]
