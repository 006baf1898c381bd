"""Status lists of other regions: fetched from their own addresses alone, kept within bounds, never put back."""

from __future__ import annotations

import datetime
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from unittest import mock

import pytest

from certvault import regionlists
from certvault.clock import FixedClock
from certvault.db.unit_of_work import Database
from certvault.model.actor import LOCAL_OPERATOR
from certvault.pki import Pki
from certvault.regionlists import RegionLists
from certvault.regions import Regions as AdoptedRegions
from certvault.web import Web
from signing.formats.statuslist import make_status_list
from signing.keys import KeyPurpose
from tests.support.kits import HOME, HOUR, OTHER, list_of, pki_of
from tests.support.signing_pki import AT
from tests.unit.test_certvault_storage import SETTINGS
from verify.formats.anchor import Anchor
from verify.formats.trustlist import Endpoints
from verify.trust.regions import KnownRegion, Regions

NOW = AT + HOUR


class Region:
    """A region's server: ``lists`` are answered by path, with entity tags; it may be slow, or down."""

    def __init__(self) -> None:
        self.lists: dict[str, bytes] = {}
        self.asked: list[tuple[str, int]] = []
        self.seconds = 0.0
        region = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                time.sleep(region.seconds)
                body = region.lists.get(self.path)
                etag = f'"{hash(body) & 0xFFFFFFFF}"'
                status = 404 if body is None else 304 if self.headers.get("If-None-Match") == etag else 200
                region.asked.append((self.path, status))
                self.send_response(status)
                self.send_header("ETag", etag)
                self.end_headers()
                if status == 200 and body is not None:
                    self.wfile.write(body)

            def log_message(self, *arguments: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}/r"

    def uri(self, n: int) -> str:
        return f"{self.base}/status-lists/{n}"

    def serve(self, n: int, at: datetime.datetime = NOW, by: str = OTHER, size: int = 64) -> bytes:
        pki = pki_of(by)
        chain = (pki.certificate(KeyPurpose.STATUS), pki.issuing.certificate)
        token = make_status_list(
            self.uri(n), bytes(size), signer=pki.signer(KeyPurpose.STATUS), chain=chain, at=at, ttl=300,
            expires=at + HOUR,
        ).encode()  # fmt: skip
        self.lists[f"/r/status-lists/{n}"] = token
        return token

    def known(self, lists: int = 3) -> KnownRegion:
        points = Endpoints(self.base, f"{self.base}/v1/trust-list", tuple(self.uri(n + 1) for n in range(lists)))
        return KnownRegion(OTHER, replace(list_of(OTHER), endpoints=points), AT, AT)


@pytest.fixture
def region() -> Iterator[Region]:
    found = Region()
    yield found
    found.server.shutdown()
    found.server.server_close()


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = Database(f"sqlite:///{tmp_path / 'v.db'}", vault_id="0" * 16, session="s" * 16, now=lambda: NOW)
    opened.migrate()
    yield opened
    opened.close()


@pytest.fixture
def lists(database: Database, region: Region) -> RegionLists:
    return RegionLists(database, Web(), lambda: Regions(HOME, (region.known(),)), SETTINGS, FixedClock(NOW))


def test_a_refresh_keeps_every_list_and_asks_by_entity_tag_after_that(lists: RegionLists, region: Region) -> None:
    tokens = [region.serve(n) for n in (1, 2, 3)]
    done = lists.refresh(region.known(), Web(), NOW)
    assert (done.new, done.same, done.failed) == (3, 0, 0)
    assert [k.token for k in lists.all_of(OTHER)] == tokens
    assert lists.kept()[OTHER, region.uri(2)] == tokens[1]
    newer = region.serve(2, NOW + HOUR)
    done = lists.refresh(region.known(), Web(), NOW + HOUR)
    assert (done.new, done.same) == (1, 2)
    assert sorted(status for _, status in region.asked[3:]) == [200, 304, 304]
    assert lists.kept()[OTHER, region.uri(2)] == newer


def test_of_a_region_that_is_let_go_no_list_stays(database: Database, lists: RegionLists, region: Region) -> None:
    adopted = AdoptedRegions(database, mock.Mock(spec=Pki), SETTINGS, FixedClock(NOW))
    for code in (OTHER, HOME):
        adopted.begin(Anchor(code, (pki_of(code).root.certificate,)), LOCAL_OPERATOR, address="")
    region.serve(1)
    lists.refresh(region.known(1), Web(), NOW)
    adopted.forget(HOME, LOCAL_OPERATOR)
    assert len(lists.all_of(OTHER)) == 1
    adopted.forget(OTHER, LOCAL_OPERATOR)
    assert not lists.all_of(OTHER)


def test_what_the_regions_own_key_did_not_sign_is_not_kept(lists: RegionLists, region: Region) -> None:
    region.serve(1, by=HOME)
    region.serve(2)
    region.lists["/r/status-lists/3"] = region.lists["/r/status-lists/2"]  # signed, but another list
    done = lists.refresh(region.known(), Web(), NOW)
    assert (done.new, done.failed) == (1, 2)
    assert [k.uri for k in lists.all_of(OTHER)] == [region.uri(2)]


def test_an_older_list_is_not_put_back(lists: RegionLists, region: Region) -> None:
    newer = region.serve(1, NOW)
    lists.refresh(region.known(1), Web(), NOW)
    region.serve(1, NOW - HOUR)
    assert lists.refresh(region.known(1), Web(), NOW).failed == 1
    assert lists.kept()[OTHER, region.uri(1)] == newer


def test_a_list_from_the_future_does_not_keep_later_ones_out(lists: RegionLists, region: Region) -> None:
    region.serve(1, NOW + 2 * HOUR)
    assert lists.refresh(region.known(1), Web(), NOW).failed == 1
    assert not lists.all_of(OTHER)


def test_what_is_kept_of_one_region_is_bounded(
    lists: RegionLists, region: Region, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(regionlists, "MOST_LISTS", 2)
    for n in (1, 2, 3):
        region.serve(n)
        assert lists.fetch(OTHER, region.uri(n))
    assert len(lists.all_of(OTHER)) == 2


def test_a_refresh_ends_with_its_budget_and_goes_on_with_the_rest(lists: RegionLists, region: Region) -> None:
    size = max(len(region.serve(n)) for n in (1, 2, 3))
    first = lists.refresh(region.known(), Web(), NOW, budget=size + 1)
    assert first.new == 1
    assert first.size <= size + 1
    for _ in range(2):
        lists.refresh(region.known(), Web(), NOW, budget=size + 1)
    assert len(lists.all_of(OTHER)) == 3


def test_a_region_that_is_down_is_left_after_a_few_tries(lists: RegionLists, region: Region) -> None:
    assert lists.refresh(region.known(40), Web(), NOW).failed == 3


def test_on_demand_only_addresses_below_the_adopted_ones_are_asked(lists: RegionLists, region: Region) -> None:
    region.serve(1)
    outside = region.base.removesuffix("/r")
    for uri in (f"{outside}/status-lists/1", f"{region.base}.evil/status-lists/1", f"{outside}/rx/status-lists/1"):
        assert lists.fetch(OTHER, uri) is None
    assert lists.fetch(HOME, region.uri(1)) is None  # whose list was not adopted
    assert region.asked == []
    assert lists.fetch(OTHER, region.uri(1)) == region.lists["/r/status-lists/1"]


def test_a_region_that_does_not_answer_is_not_asked_again_at_once(
    lists: RegionLists, region: Region, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(regionlists, "SECONDS_ON_DEMAND", 0.1)
    region.serve(1)
    region.seconds = 0.5
    began = time.monotonic()
    assert lists.fetch(OTHER, region.uri(1)) is None
    assert lists.fetch(OTHER, region.uri(2)) is None
    assert time.monotonic() - began < 0.5
    region.server.shutdown()


def test_the_setting_turns_fetching_on_demand_off(database: Database, region: Region) -> None:
    off = replace(SETTINGS, recognition_fetch=False)
    assert RegionLists(database, Web(), lambda: None, off, FixedClock(NOW)).source() is None
