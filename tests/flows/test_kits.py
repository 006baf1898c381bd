"""Two regions and an offline kit: what ``verify`` says by the kit is what the vault says itself, with its age."""

from __future__ import annotations

import datetime
import json
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from api.judging.pool import Pool, Question
from bench.data import examples
from certvault.bootstrap import InitOptions, Vault, create_vault
from certvault.clock import SystemClock
from certvault.errors import ForbiddenError
from certvault.model.actor import LOCAL_OPERATOR, Actor
from certvault.model.standing import Act
from tests.support.alone import run_alone, verify_alone
from verify import Verdict, verify_any
from verify.evidence import NO_EVIDENCE
from verify.formats.refusal import RefusedError
from verify.trust.sources import Given, SourceError, read_sources

HOME, OTHER = "410000", "110000"
TYPE = "road-transport-license"
HOUR = datetime.timedelta(hours=1)


@dataclass
class Moved:
    """The machine's clock, moved."""

    by: datetime.timedelta = datetime.timedelta()

    def now(self) -> datetime.datetime:
        return SystemClock().now() + self.by

    def sleep(self, seconds: float) -> None:
        raise AssertionError("nothing waits here")


@dataclass
class World:
    """The home region and another that it has adopted, with the files of both."""

    home: Vault
    other: Vault
    clock: Moved
    folder: Path
    files: dict[str, bytes]
    up: threading.Event

    @property
    def now(self) -> datetime.datetime:
        return self.clock.now()

    def kit(self, name: str = "region.kit", hours: int = 24) -> Path:
        path = self.folder / name
        path.write_bytes(self.home.kits.make(LOCAL_OPERATOR, hours=hours).data)
        return path

    def anchor(self, vault: Vault) -> Path:
        path = self.folder / f"{vault.settings.region}.anchor.json"
        path.write_text(json.dumps(vault.anchors.current().to_json()))
        return path


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder, clock, up = tmp_path_factory.mktemp("kits"), Moved(), threading.Event()
    up.set()
    vaults: dict[str, Vault] = {}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found = re.fullmatch(r"/status-lists/(\d+)", self.path)
            if found is None or not up.is_set():
                self.send_error(404)
                return
            token, etag = vaults[OTHER].status_lists.token(int(found[1]))
            self.send_response(200)
            self.send_header("ETag", etag)
            self.end_headers()
            self.wfile.write(token.encode())

        def log_message(self, *arguments: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    bases = {HOME: "http://127.0.0.1:9", OTHER: f"http://127.0.0.1:{server.server_port}"}
    for region, base in bases.items():
        options = InitOptions(folder=folder / region, region=region, keys="file", base_url=base)
        vaults[region] = create_vault(options, clock=clock)
    home, other = vaults[HOME], vaults[OTHER]
    data = next(examples(TYPE))
    files: dict[str, bytes] = {}
    for name, vault in (("own", home), ("foreign", other)):
        issued = vault.issuing.issue(TYPE, data, actor=LOCAL_OPERATOR)
        files[f"{name}.pdf"] = issued.pdf
        files[f"{name}.sdjwt"] = issued.record.encode()
    home.regions.adopt(other.trust_lists.newest().token.encode(), other.anchors.current(), LOCAL_OPERATOR)
    yield World(home, other, clock, folder, files, up)
    server.shutdown()
    server.server_close()
    for vault in vaults.values():
        vault.close()


def by(given: Given, data: bytes, at: datetime.datetime) -> Verdict:
    return verify_any(data, trust=given.trust, at=at, evidence=given.evidence)


def codes(verdict: Verdict) -> set[tuple[str, str]]:
    """Codes with their severities, but the one that a kit alone gives."""
    return {(f.code, f.severity.value) for f in verdict.findings if f.code != "KIT_KNOWLEDGE"}


def answers(verdict: Verdict) -> tuple[Any, ...]:
    recognition = verdict.recognition
    return verdict.integrity, verdict.conclusion, verdict.standing, recognition and recognition.outcome


@pytest.mark.parametrize("name", ["own.pdf", "own.sdjwt", "foreign.pdf", "foreign.sdjwt"])
def test_a_kit_says_what_the_vault_says(world: World, name: str) -> None:
    world.home.verification.verify(world.files["foreign.pdf"])  # the other region's status list comes and is kept
    kit = read_sources([world.kit()], at=world.now)
    at = world.now
    own, alone = world.home.verification.verify(world.files[name], at=at), by(kit, world.files[name], at)
    assert answers(alone) == answers(own)
    assert codes(alone) == codes(own)
    assert alone.conclusion.value == "VALID", codes(alone)
    assert alone.standing is not None
    assert alone.standing.value == "IN_FORCE"
    assert (alone.recognition is None) == name.startswith("own")
    assert [f for f in alone.findings if f.code == "KIT_KNOWLEDGE"]


def test_verify_alone_with_a_kit_and_no_network(world: World, tmp_path: Path) -> None:
    world.home.verification.verify(world.files["foreign.pdf"])
    for name, data in world.files.items():
        (tmp_path / name).write_bytes(data)
    paths = [str(tmp_path / n) for n in world.files]
    (tmp_path / "alone").mkdir()
    alone = verify_alone(tmp_path / "alone")
    given = ("--trust", str(world.kit()), "--trust", str(world.anchor(world.home)))
    done = run_alone(alone, "-m", "verify", "--json", *paths, *given)
    found = json.loads(done.stdout)["files"]
    at = world.now
    for verdict, data in zip(found, world.files.values(), strict=True):
        own = world.home.verification.verify(data, at=at)
        told = {(f["code"], f["severity"]) for f in verdict["findings"]} - {("KIT_KNOWLEDGE", "NOTE")}
        assert told == codes(own)
        assert (verdict["conclusion"], verdict["standing"]) == ("VALID", "IN_FORCE")
    assert done.returncode == 0, done.stderr


def test_what_a_kit_knows_has_an_end(world: World) -> None:
    kit = read_sources([world.kit(hours=2)], at=world.now)
    own, foreign = world.files["own.pdf"], world.files["foreign.pdf"]
    before, after = by(kit, own, world.now + HOUR), by(kit, own, world.now + 3 * HOUR)
    assert before.standing is not None
    assert before.standing.value == "IN_FORCE"
    assert after.standing is not None
    assert after.standing.value == "UNKNOWN"
    (stale,) = [f for f in after.findings if f.code == "STATUS_STALE"]
    assert "3 h" in stale.message("en")
    later = by(kit, foreign, world.now + 3 * HOUR)
    assert ("KIT_STALE", "DOUBT") in codes(later)
    assert later.recognition is not None
    much_later = by(kit, foreign, world.now + 24 * 30 * HOUR)
    assert ("TRUST_LIST_STALE", "DOUBT") in codes(much_later)


def test_a_revoked_license_is_revoked_by_the_next_kit(world: World) -> None:
    issued = world.home.issuing.issue(TYPE, next(examples(TYPE)), actor=LOCAL_OPERATOR)
    world.home.life.act(issued.identifier, Act.REVOKE, actor=LOCAL_OPERATOR)
    kit = read_sources([world.kit("next.kit")], at=world.now)
    verdict = by(kit, issued.pdf, world.now)
    assert (verdict.conclusion.value, verdict.standing and verdict.standing.value) == ("VALID", "REVOKED")


def test_a_kit_of_another_region_is_refused_beside_our_anchor(world: World) -> None:
    theirs = world.folder / "theirs.kit"
    theirs.write_bytes(world.other.kits.make(LOCAL_OPERATOR).data)
    with pytest.raises(SourceError, match="KIT_REGION_DIFFERS"):
        read_sources([theirs, world.anchor(world.home)], at=world.now)


def test_the_anchor_with_its_list_beside_knows_remits_and_codes(world: World, tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(world.anchor(world.home).read_text())
    (tmp_path / "anything").write_text(world.home.trust_lists.newest().token)
    verdict = by(read_sources([tmp_path / "a.json"], at=world.now), world.files["own.pdf"], world.now)
    assert verdict.conclusion.value == "VALID", codes(verdict)
    assert verdict.recognition is None
    assert not {c for c, _ in codes(verdict)} & {"REMIT_UNKNOWN", "CODE_KEY_UNKNOWN"}
    alone = by(read_sources([world.anchor(world.home)], at=world.now), world.files["own.pdf"], world.now)
    assert "REMIT_UNKNOWN" in {c for c, _ in codes(alone)}


def test_while_a_region_is_down_its_licenses_are_judged_by_what_is_kept(world: World) -> None:
    data = world.files["foreign.pdf"]
    assert world.home.verification.verify(data).standing.value == "IN_FORCE"  # type: ignore[union-attr]
    world.up.clear()
    try:
        found = world.home.verification.verify(data)
        assert found.standing is not None
        assert found.standing.value == "IN_FORCE"
        later = world.home.verification.verify(data, at=world.now + HOUR)
        assert later.standing is not None
        assert later.standing.value == "UNKNOWN"
        assert "STATUS_STALE" in {c for c, _ in codes(later)}
    finally:
        world.up.set()


def test_only_operators_make_kits_and_for_a_month_at_most(world: World) -> None:
    with pytest.raises(ForbiddenError):
        world.home.kits.make(Actor("somebody", frozenset()))
    with pytest.raises(RefusedError):
        world.home.kits.make(LOCAL_OPERATOR, hours=745)


def test_a_judge_in_a_process_of_its_own_asks_for_lists_of_other_regions(world: World) -> None:
    data, kit = world.files["foreign.pdf"], read_sources([world.kit()], at=world.now)
    with Pool(1, seconds=60, memory=2**31, shared=False) as pool:
        for trust, evidence in (
            (world.home.verification.trust(), world.home.verification.evidence()),
            (kit.trust, NO_EVIDENCE.beside(kit.evidence)),
        ):
            found = pool.ask(Question(data, trust, evidence, world.now))["en"]
            assert (found["conclusion"], found["standing"]) == ("VALID", "IN_FORCE"), found["findings"]


def test_an_agreement_counts_by_the_kit_as_by_the_vault(world: World) -> None:
    """Made here, so that licenses of the other region are recognized; the kit before it knew none."""
    before = read_sources([world.kit("before.kit")], at=world.now)
    made = world.home.agreements.make(OTHER, TYPE, TYPE, LOCAL_OPERATOR)
    world.other.regions.adopt(
        world.home.trust_lists.newest().token.encode(), world.home.anchors.current(), LOCAL_OPERATOR
    )
    signed = world.other.agreements.countersign(made.signed, LOCAL_OPERATOR)
    world.home.agreements.countersign(signed.signed, LOCAL_OPERATOR)
    after = read_sources([world.kit("after.kit")], at=world.now)
    for name in ("foreign.pdf", "foreign.sdjwt"):
        data, at = world.files[name], world.now
        own, alone = world.home.verification.verify(data, at=at), by(after, data, at)
        assert answers(alone) == answers(own)
        assert codes(alone) == codes(own)
        assert alone.recognition is not None
        assert alone.recognition.outcome.value == "RECOGNIZED", codes(alone)
        assert alone.recognition.license == own.recognition.license  # type: ignore[union-attr]
        none = by(before, data, at).recognition
        assert none is not None
        assert none.outcome.value == "NOT_RECOGNIZED"
