"""Trust lists and regions over HTTP and on the command line, between two vaults."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from api.cli import run as run_cli
from certvault.bootstrap import InitOptions, create_vault
from certvault.model.actor import LOCAL_OPERATOR
from tests.api.conftest import Door
from tests.support.regionserver import RegionServer, serving
from verify.formats.anchor import anchor_from_json
from verify.formats.trustdelta import apply_difference
from verify.formats.trustlist import unverified_trust_list
from verify.trust.lists import Adopted, Rules, offer_list

if TYPE_CHECKING:
    from certvault.bootstrap import Vault


def test_the_list_is_served_as_a_signed_token(door: Door, embedded_vault: Vault) -> None:
    answer = door.client.get("/v1/trust-list")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/jose"
    assert answer.headers["cache-control"] == "public, max-age=60"
    anchors = door.client.get("/v1/trust-list/anchors").json()["anchors"]
    held = Adopted(anchor_from_json(anchors[0]))
    taken = offer_list(held, answer.content, Rules(embedded_vault.clock.now(), samples=True))
    assert taken.list is not None
    assert taken.list.region == embedded_vault.settings.region


@pytest.mark.parametrize("path", ["/v1/trust-list", "/v1/trust-list/anchors"])
def test_who_has_the_newest_is_told_so(door: Door, path: str) -> None:
    tag = door.client.get(path).headers["etag"]
    again = door.client.get(path, headers={"If-None-Match": tag})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    assert door.client.get(path, headers={"If-None-Match": '"other"'}).status_code == 200


def test_who_has_a_former_list_is_served_the_difference(door: Door, embedded_vault: Vault) -> None:
    first = door.client.get("/v1/trust-list").content
    former = unverified_trust_list(first)[0]
    embedded_vault.pki.rollover("code", LOCAL_OPERATOR)
    whole = door.client.get("/v1/trust-list")
    answer = door.client.get("/v1/trust-list", params={"from": former.sequence})
    assert answer.headers["content-type"] == "application/vnd.certvault.trust-list-delta+json"
    assert answer.headers["etag"] == whole.headers["etag"]
    assert apply_difference(former.to_json(), answer.content) == whole.content
    unknown = door.client.get("/v1/trust-list", params={"from": 9_999})
    assert (unknown.headers["content-type"], unknown.content) == ("application/jose", whole.content)


@pytest.mark.parametrize("wrong", ["0", "-1", "x", "1e3", str(2**60)])
def test_a_number_that_no_list_has_is_a_problem(door: Door, wrong: str) -> None:
    assert door.client.get("/v1/trust-list", params={"from": wrong}).status_code == 422


# --- the command line --------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("regions") / "vault"
    create_vault(InitOptions(folder=made, region="120000", keys="file")).close()
    return made


@pytest.fixture
def cli(folder: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, Any, str]]:
    """``cli(words…)``: exit status, JSON (or text with ``text=True``) of stdout, stderr."""

    def call(*words: object, text: bool = False) -> tuple[int, Any, str]:
        capsys.readouterr()
        extra = ["--lang", "en"] if text else ["--json"]
        status = run_cli(["--vault", str(folder), *map(str, words), *extra])
        shown = capsys.readouterr()
        return status, shown.out if text else json.loads(shown.out), shown.err

    return call


@pytest.fixture
def server() -> Iterator[RegionServer]:
    import datetime

    with serving("130000") as (made,):
        made.tags = True
        now = datetime.datetime.now(datetime.UTC).replace(microsecond=0)
        made.token = made.region.token(issued=now)
        yield made


def test_two_vaults_adopt_each_other_by_files(
    cli: Callable[..., tuple[int, Any, str]], embedded_vault: Vault, tmp_path: Path
) -> None:
    status, told, _ = cli("region", "export", "-o", tmp_path / "list.jws")
    assert (status, told["region"]) == (0, "120000")
    status, anchor, _ = cli("region", "anchor", "-o", tmp_path / "anchor.json")
    assert (status, anchor["counts"], anchor["threshold"]) == (0, True, 1)
    trusted = anchor_from_json(json.loads((tmp_path / "anchor.json").read_text("utf-8")))
    info = embedded_vault.regions.adopt((tmp_path / "list.jws").read_bytes(), trusted, LOCAL_OPERATOR)
    assert (info.region, info.sequence, info.faults) == ("120000", told["sequence"], ())

    (tmp_path / "theirs.jws").write_text(embedded_vault.trust_lists.newest().token)
    theirs = embedded_vault.anchors.current().to_json()
    (tmp_path / "theirs.json").write_text(json.dumps(theirs))
    status, taken, _ = cli("region", "adopt", tmp_path / "theirs.jws", "--anchor", tmp_path / "theirs.json")
    assert (status, taken["region"], taken["stale"]) == (0, embedded_vault.settings.region, False)
    status, listed, _ = cli("region", "list")
    assert [r["region"] for r in listed["regions"]] == [embedded_vault.settings.region]
    status, text, _ = cli("region", "list", text=True)
    assert "next update" in text
    assert "issuers" in text
    assert cli("region", "forget", embedded_vault.settings.region)[0] == 0
    embedded_vault.regions.forget("120000", LOCAL_OPERATOR)


def test_a_region_is_adopted_by_its_address_and_synchronized(
    cli: Callable[..., tuple[int, Any, str]], server: RegionServer, tmp_path: Path
) -> None:
    anchor = tmp_path / "anchor.json"
    anchor.write_text(json.dumps(server.region.anchor.to_json()))
    status, taken, _ = cli("region", "adopt", server.url, "--anchor", anchor)
    assert (status, taken["sequence"], taken["address"]) == (0, 1, server.url)
    status, synced, _ = cli("region", "sync")
    assert (status, synced["regions"][0]["how"], synced["regions"][0]["code"]) == (0, "unchanged", "")
    server.token = b"rubbish"
    status, synced, _ = cli("region", "sync", "130000")
    assert (status, synced["regions"][0]["code"]) == (3, "TRUST_LIST_BROKEN")
    status, text, _ = cli("region", "list", text=True)
    assert "! TRUST_LIST_BROKEN" in text
    assert cli("region", "forget", "130000")[0] == 0
    assert cli("region", "sync", "130000")[0] == 3


def test_what_is_no_anchor_is_refused(cli: Callable[..., tuple[int, Any, str]], tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text("{}")
    status, told, err = cli("region", "adopt", tmp_path / "x.json", "--anchor", tmp_path / "x.json")
    assert (status, told["code"]) == (3, "ANCHOR_BROKEN")
    assert "→" in err


def test_the_service_asks_regions_in_the_background(
    embedded_vault: Vault, server: RegionServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    from api.cli import service

    monkeypatch.setattr(service, "SYNC_SECONDS", 0.01)
    embedded_vault.region_sync.adopt(server.url, server.region.anchor, LOCAL_OPERATOR)
    asked, ended = len(server.asked), threading.Event()
    thread = threading.Thread(target=service._sync, args=(embedded_vault, ended))
    thread.start()
    while len(server.asked) < asked + 2:  # its anchors, its list
        thread.join(0.01)
    ended.set()
    thread.join()
    assert embedded_vault.regions.one("130000").contact.synced_at is not None
    embedded_vault.regions.forget("130000", LOCAL_OPERATOR)


def test_adopted_regions_are_told_to_anyone(door: Door, embedded_vault: Vault, server: RegionServer) -> None:
    embedded_vault.region_sync.adopt(server.url, server.region.anchor, LOCAL_OPERATOR)
    answer = door.client.get("/v1/regions").json()
    assert [(i["region"], i["sequence"], i["stale"]) for i in answer["items"]] == [("130000", 1, False)]
    assert answer["next_cursor"] is None
    embedded_vault.regions.forget("130000", LOCAL_OPERATOR)
    assert door.client.get("/v1/regions").json()["items"] == []
