"""A hub and three regions as processes of their own on loopback: one of the suite SM2, one whose licenses have a type
of its own and seals of the old structure. A license of one is presented to another, while those around are killed,
freeze, replay, go back, say two things under one number, run out of time and roll their keys over.

The tests follow one another on the same processes.
"""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
import json
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from certvault.bootstrap import LOCAL_OPERATOR, InitOptions, Vault, create_vault, open_vault
from certvault.certification import Certification
from certvault.clock import Clock, FixedClock, SystemClock
from certvault.model.actor import Role
from certvault.settings import read_settings
from templates.registry import shipped_types

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = json.loads((ROOT / "examples" / "food-business-license.json").read_text("utf-8"))
TYPE, THEIRS = "food-business-license", "catering-permit"
SHANGHAI, KAIFENG, SHENZHEN, NATION = "310100", "410200", "440300", "100000"
ISSUER = InitOptions.issuer_code
DAY = datetime.timedelta(days=1)
SERVE = "from api.cli import main; main()"


@dataclasses.dataclass
class Party:
    """A vault with the process that serves it."""

    region: str
    folder: Path
    port: int
    process: subprocess.Popen[str] | None = None
    token: str = ""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @contextlib.contextmanager
    def opened(self, clock: Clock | None = None) -> Iterator[Vault]:
        """The vault in this process, beside the one that serves."""
        with open_vault(self.folder, clock=clock) as vault:
            yield vault

    def start(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", SERVE, "--vault", str(self.folder), "serve", "--port", str(self.port), "--json"],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            cwd=ROOT,
        )

    def ready(self) -> None:
        assert self.process is not None
        assert self.process.stdout is not None
        assert json.loads(self.process.stdout.readline())["url"]

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        if self.process is not None:
            self.process.send_signal(how)
            self.process.wait(30)
            self.process = None

    def recognition(self, document: bytes, name: str = "a.pdf") -> dict[str, Any]:
        """What the serving process says of a license that is presented to it.

        A status list that was not had in time is a doubt; on a busy machine it is had a moment later.
        """
        found: dict[str, Any] = {}
        for _ in range(3):
            answer = httpx.post(
                f"{self.url}/v1/recognitions",
                files={"file": (name, document)},
                headers={"Authorization": f"Bearer {self.token}"},
                trust_env=False,
                timeout=60,
            )
            assert answer.status_code == 200, answer.text
            found = answer.json()
            if "RECOGNITION_STANDING_UNKNOWN" not in codes(found):
                break
        return found

    def issue(self, type_name: str = TYPE) -> tuple[str, bytes]:
        with self.opened() as vault:
            made = vault.issuing.issue(
                type_name, EXAMPLE, actor=dataclasses.replace(LOCAL_OPERATOR, issuer_code=ISSUER)
            )
            return made.identifier, vault.licenses.pdf(made.identifier, LOCAL_OPERATOR)


def codes(found: dict[str, Any]) -> dict[str, str]:
    return {f["code"]: f["severity"] for f in found["verdict"]["findings"] if f["about"] == "recognition"}


@dataclasses.dataclass
class Federation:
    """Everybody."""

    folder: Path
    hub: Party
    shanghai: Party
    kaifeng: Party
    shenzhen: Party

    def all(self) -> tuple[Party, ...]:
        return self.hub, self.shanghai, self.kaifeng, self.shenzhen

    def gather(self, clock: Clock | None = None) -> dict[str, str]:
        with self.hub.opened(clock) as vault:
            return dict(vault.gathering.gather())

    def twin(self, party: Party, name: str) -> Path:
        """A copy of a vault: the same keys, going its own way."""
        folder = self.folder / name
        shutil.copytree(party.folder, folder, ignore=shutil.ignore_patterns("sessions", ".session*"))
        return folder


def _port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
        return port


def _make(folder: Path, region: str, name: str, **options: Any) -> Party:
    party = Party(region, folder / region, _port())
    create_vault(
        InitOptions(folder=party.folder, region=region, name=name, base_url=party.url, keys="file", **options)
    ).close()
    return party


def _with_own_type(party: Party) -> None:
    """Licenses of a type of its own, under seals of GM/T 0031-2014."""
    dataclasses.replace(read_settings(party.folder), seal_structure="ses-1").write()
    shipped = next(t for t in shipped_types() if t.name == TYPE)
    files = dict(shipped.files)
    told = json.loads(files["type.json"])
    title = {"zh": "餐饮许可证", "en": "Catering permit"}
    told |= {"name": THEIRS, "type_code": "12100000425006061L901", "title": title}
    files["type.json"] = json.dumps(told, ensure_ascii=False).encode()
    with party.opened() as vault:
        vault.catalog.add(files, LOCAL_OPERATOR)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Federation]:
    folder = tmp_path_factory.mktemp("federation")
    wanted = [
        (NATION, "国家枢纽", {"hub": True}),
        (SHANGHAI, "上海市证照库", {}),
        (KAIFENG, "开封市证照库", {"suite": "sm2"}),
        (SHENZHEN, "深圳市证照库", {}),
    ]
    made = [_make(folder, region, name, **options) for region, name, options in wanted]
    found = Federation(folder, *made)
    _with_own_type(found.shenzhen)
    try:
        with found.hub.opened() as hub:
            for party in made[1:]:
                with party.opened() as vault:
                    hub.hub.admit(vault.anchors.current(), LOCAL_OPERATOR, address=party.url)
                    party.token = vault.tokens.create(Role.VERIFIER, actor=LOCAL_OPERATOR)
            anchor = hub.anchors.current()
        for party in made:
            party.start()
        for party in made:
            party.ready()
        assert found.gather() == {SHANGHAI: "", KAIFENG: "", SHENZHEN: ""}
        for party in (found.shanghai, found.kaifeng):
            with party.opened() as vault:
                assert vault.hubs.adopt_at(found.hub.url, anchor, LOCAL_OPERATOR) is not None
                for region, theirs in ((SHANGHAI, TYPE), (KAIFENG, TYPE), (SHENZHEN, THEIRS)):
                    if region != party.region:
                        vault.agreements.make(region, theirs, TYPE, LOCAL_OPERATOR)
        yield found
    finally:
        for party in made:
            with contextlib.suppress(Exception):
                party.stop(signal.SIGKILL)


@contextlib.contextmanager
def instead_of(party: Party, answers: dict[str, bytes]) -> Iterator[None]:
    """Somebody who took the place of a process that was killed, and answers what he recorded or made."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = answers.get(self.path.partition("?")[0])
            self.send_response(404 if body is None else 200)
            self.send_header("Content-Length", str(len(body or b"")))
            self.end_headers()
            self.wfile.write(body or b"")

        def log_message(self, *args: object) -> None:
            """Say nothing."""

    ThreadingHTTPServer.allow_reuse_address = True
    server = ThreadingHTTPServer(("127.0.0.1", party.port), Handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()


def recorded(party: Party, *paths: str) -> dict[str, bytes]:
    """What a process answers now, to be answered later by somebody else."""
    found = {}
    for path in paths:
        answer = httpx.get(party.url + path, trust_env=False, timeout=30)
        assert answer.status_code == 200, path
        found[path] = answer.content
    return found


HUB_PATHS = ("/v1/hub/lists", f"/v1/hub/lists/{SHANGHAI}", f"/v1/hub/lists/{SHENZHEN}", f"/v1/hub/anchors/{SHANGHAI}")


def test_a_license_of_one_region_counts_in_another(world: Federation) -> None:
    """Issued in Shanghai, presented in Kaifeng, whose own suite is SM2."""
    identifier, pdf = world.shanghai.issue()
    found = world.kaifeng.recognition(pdf)
    assert found["recognition"]["outcome"] == "RECOGNIZED", codes(found)
    assert (found["recognition"]["region"], found["recognition"]["as_type"]) == (SHANGHAI, TYPE)
    assert found["verdict"]["license"]["identifier"] == identifier
    assert codes(found)["RECOGNITION_KNOWLEDGE"] == "NOTE"


def test_an_sm2_license_counts_elsewhere(world: Federation) -> None:
    _, pdf = world.kaifeng.issue()
    found = world.shanghai.recognition(pdf)
    assert found["recognition"]["outcome"] == "RECOGNIZED", found["verdict"]["findings"]
    assert found["recognition"]["region"] == KAIFENG


def test_another_type_under_an_old_seal_counts_with_a_note(world: Federation) -> None:
    """Not called forged: a type with its own code, a seal of GM/T 0031-2014."""
    _, pdf = world.shenzhen.issue(THEIRS)
    found = world.shanghai.recognition(pdf)
    assert [s["format"] for s in found["verdict"]["signatures"]] == ["ses-v1"]
    assert found["recognition"]["outcome"] == "RECOGNIZED", codes(found)
    assert (found["recognition"]["region"], found["recognition"]["as_type"]) == (SHENZHEN, TYPE)
    assert codes(found)["SEAL_STRUCTURE_OLD"] == "NOTE"


def test_a_region_that_was_killed_is_still_known(world: Federation) -> None:
    _, pdf = world.shanghai.issue()
    world.shanghai.stop(signal.SIGKILL)
    try:
        found = world.kaifeng.recognition(pdf)
        assert found["recognition"]["outcome"] in ("RECOGNIZED", "UNKNOWN")
        assert "RECOGNITION_KNOWLEDGE" in codes(found), "it says how old what it knows is"
        assert world.gather()[SHANGHAI] == "TRUST_LIST_UNREACHABLE"
        with world.kaifeng.opened() as vault:
            assert dict(vault.hubs.sync().regions)[SHANGHAI] == "", "the hub has its list"
    finally:
        world.shanghai.start()
        world.shanghai.ready()


def test_a_hub_that_freezes_is_noticed(world: Federation) -> None:
    """Somebody answers for it what was right once. A week later that is no longer taken."""
    answers = recorded(world.hub, *HUB_PATHS)
    world.hub.stop(signal.SIGKILL)
    with instead_of(world.hub, answers):
        with world.kaifeng.opened() as vault:
            assert vault.hubs.sync().hubs == ((NATION, ""),)
        later = FixedClock(SystemClock().now() + 8 * DAY)
        twin = world.twin(world.kaifeng, "late")
        with open_vault(twin, clock=later) as vault:
            assert vault.hubs.sync().hubs == ((NATION, "HUB_STALE"),)
            assert "HUB_STALE" in vault.hubs.get(NATION).faults
            assert all(r.stale for r in vault.regions.list())
    world.hub.start()
    world.hub.ready()


def test_a_list_that_ran_out_leaves_recognition_open(world: Federation) -> None:
    """Nobody can be reached for a week: what is known has run out, and the answer is open, never yes or no."""
    _, pdf = world.shenzhen.issue(THEIRS)
    later = FixedClock(SystemClock().now() + 8 * DAY)
    with open_vault(world.twin(world.shanghai, "expired"), clock=later) as vault:
        verdict = vault.verification.verify(pdf)
    assert "TRUST_LIST_STALE" in {f.code for f in verdict.findings}
    shown = verdict.to_json("en")["recognition"]
    assert shown is not None
    assert shown["outcome"] == "UNKNOWN"


def test_what_was_recorded_is_not_taken_again(world: Federation) -> None:
    """Replay: the answers of a hub from before its regions changed."""
    former = recorded(world.hub, *HUB_PATHS)
    with world.shanghai.opened() as vault:
        vault.issuers.add("另一机关", "11100000000013338W", actor=LOCAL_OPERATOR)
    assert world.gather()[SHANGHAI] == ""
    with world.kaifeng.opened() as vault:
        assert vault.hubs.sync().hubs == ((NATION, ""),)
        held = vault.regions.get(SHANGHAI).sequence
        assert held > 1
    world.hub.stop(signal.SIGKILL)
    with instead_of(world.hub, former), world.kaifeng.opened() as vault:
        assert vault.hubs.sync().hubs == ((NATION, "HUB_LIST_ROLLBACK"),)
        assert vault.regions.get(SHANGHAI).sequence == held
        assert vault.hubs.get(NATION).faults == ("HUB_LIST_ROLLBACK",)
    world.hub.start()
    world.hub.ready()


def test_a_region_that_goes_back_is_a_fault_until_it_comes_forward(world: Federation) -> None:
    """Rollback: Shanghai's former list, offered to the hub as its newest."""
    with world.hub.opened() as hub:
        with hub._database.reading() as view:
            kept = sorted(view.seen_lists.where(region=SHANGHAI), key=lambda s: s.sequence)
        import zlib

        former = zlib.decompress(kept[0].token)
    answers = recorded(world.shanghai, "/v1/trust-list/anchors") | {"/v1/trust-list": former}
    world.shanghai.stop(signal.SIGKILL)
    with instead_of(world.shanghai, answers):
        assert world.gather()[SHANGHAI] == "TRUST_LIST_ROLLBACK"
        with world.hub.opened() as hub:
            assert hub.regions.get(SHANGHAI).faults == ("TRUST_LIST_ROLLBACK",)
    world.shanghai.start()
    world.shanghai.ready()
    assert world.gather()[SHANGHAI] == ""
    with world.hub.opened() as hub:
        assert hub.regions.get(SHANGHAI).faults == ()


def test_keys_roll_over_and_members_follow(world: Federation) -> None:
    with world.shanghai.opened() as vault:
        Certification(vault._database, vault._keyring, vault.settings).new_root(vault.clock.now(), "test")
        for issuer in vault.issuers.list(LOCAL_OPERATOR):
            Certification(vault._database, vault._keyring, vault.settings).equip(issuer, vault.clock.now(), "test")
        assert vault.anchors.current().sequence == 2
        vault.trust_lists.newest()
    assert world.gather()[SHANGHAI] == ""
    with world.kaifeng.opened() as vault:
        assert dict(vault.hubs.sync().regions)[SHANGHAI] == ""
        assert vault.regions.get(SHANGHAI).anchor == 2
    _, pdf = world.shanghai.issue()
    found = world.kaifeng.recognition(pdf)
    assert found["recognition"]["outcome"] == "RECOGNIZED", codes(found)


def test_two_lists_with_one_number_are_found_through_the_hub(world: Federation) -> None:
    """Equivocation: Shenzhen tells the hub one thing and Shanghai, who asks it directly, another."""
    twin = world.twin(world.shenzhen, "twin")
    with open_vault(twin) as vault:
        vault.issuers.add("双面机关", "12100000425006061L", actor=LOCAL_OPERATOR)
        other = vault.trust_lists.newest().token.encode()
    with world.shenzhen.opened() as vault:
        vault.issuers.add("另一机关", "11100000000013338W", actor=LOCAL_OPERATOR)
        vault.trust_lists.newest()
        anchor = vault.anchors.current()
    assert world.gather()[SHENZHEN] == ""
    answers = recorded(world.shenzhen, "/v1/trust-list/anchors") | {"/v1/trust-list": other}
    world.shenzhen.stop(signal.SIGKILL)
    with instead_of(world.shenzhen, answers), world.shanghai.opened() as vault:
        vault.region_sync.adopt(f"{world.shenzhen.url}/v1/trust-list", anchor, LOCAL_OPERATOR)
        assert dict(vault.hubs.sync().regions)[SHENZHEN] == "TRUST_LIST_EQUIVOCATED"
        assert "TRUST_LIST_EQUIVOCATED" in vault.regions.get(SHENZHEN).faults
        (evidence,) = vault.hubs.evidence()
        assert {source for _, source, _ in evidence.contents} == {"direct", f"hub:{NATION}"}
    _, pdf = world.shenzhen.issue(THEIRS)
    found = world.shanghai.recognition(pdf)
    assert found["recognition"]["outcome"] == "UNKNOWN"
    assert codes(found)["TRUST_LIST_EQUIVOCATED"] == "DOUBT"
