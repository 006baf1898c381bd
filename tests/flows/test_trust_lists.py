"""This region's trust list: numbered, never two contents under one number, followed across rollovers of the root."""

from __future__ import annotations

import datetime
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from certvault.bootstrap import InitOptions, Vault, create_vault, open_vault
from certvault.clock import FixedClock
from certvault.errors import ConflictError
from certvault.model.actor import LOCAL_OPERATOR, Actor
from certvault.trustlists import KEPT, Published, level_of
from tests.conftest import NOW
from tests.flows.test_crash import run_children
from verify.formats.refusal import RefusedError
from verify.formats.trustdelta import apply_difference
from verify.formats.trustlist import TrustList, unverified_trust_list
from verify.trust.lists import Adopted, AdoptionError, Rules, offer_anchors, offer_list

DAY = datetime.timedelta(days=1)
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("publisher") / "vault"
    create_vault(InitOptions(folder=made, region="410200", keys="file"), clock=FixedClock(NOW)).close()
    return made


@pytest.fixture
def vault(folder: Path) -> Iterator[Vault]:
    """The one vault of these tests, whose clock goes on from test to test."""
    opened = open_vault(folder, clock=FixedClock(NOW))
    with opened._database.reading() as view:
        latest = max((r.issued_at for r in view.own_lists.all()), default=NOW)
    clock(opened).at = max(NOW, latest)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def living(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Vault]:
    """A vault by the clock of the machine, for several processes and vaults at once."""
    made = create_vault(InitOptions(folder=tmp_path_factory.mktemp("living") / "vault", region="410300", keys="file"))
    yield made
    made.close()


def clock(vault: Vault) -> FixedClock:
    assert isinstance(vault.clock, FixedClock)
    return vault.clock


def read(published: Published) -> TrustList:
    return unverified_trust_list(published.token)[0]


def follow(vault: Vault, held: Adopted | None = None) -> Adopted:
    """What a follower has that began with the first anchor, or with ``held``."""
    rules = Rules(vault.clock.now(), samples=True)
    anchors = vault.anchors.all()
    state = offer_anchors(held or Adopted(anchors[0]), anchors, rules)
    return offer_list(state, vault.trust_lists.newest().token.encode(), rules)


def test_it_says_what_the_vault_holds(vault: Vault) -> None:
    found = read(vault.trust_lists.newest())
    (issuer,) = found.issuers
    (seal,) = issuer.seals
    assert (found.region, found.name, found.example) == ("410200", vault.settings.name, True)
    assert (issuer.types, issuer.places, issuer.level) == (None, None, 3)
    assert seal.granted
    assert len(seal.certificates) == len(issuer.records) == len(issuer.codes) == len(found.timestamps) == 1
    assert {t.name for t in found.types} == {t.name for t in vault.catalog.list()}
    assert found.type_named("business-license").schema["type"] == "object"  # type: ignore[union-attr]
    assert found.roots == tuple(vault.pki.roots())
    assert found.next_update - found.issued == datetime.timedelta(hours=vault.settings.list_hours)
    assert found.endpoints.base == vault.settings.base_url


def test_an_unchanged_region_does_not_count_up(vault: Vault) -> None:
    first = vault.trust_lists.newest()
    clock(vault).at += DAY / 2
    assert vault.pki.crl("issuing")  # renewed meanwhile
    assert vault.trust_lists.newest() == first
    with open_vault(vault.settings.folder, clock=FixedClock(clock(vault).at)) as another:
        assert another.trust_lists.newest() == first


def test_it_is_made_anew_when_it_is_a_day_old(vault: Vault) -> None:
    first = vault.trust_lists.newest()
    clock(vault).at = first.issued + DAY
    second = vault.trust_lists.newest()
    assert (second.sequence, second.issued) == (first.sequence + 1, clock(vault).at)


def test_a_change_counts_up_at_once(vault: Vault) -> None:
    first = vault.trust_lists.newest()
    seal = read(first).issuers[0].seals[0].id
    vault.seals.suspend(seal, LOCAL_OPERATOR, reason="x")
    second = vault.trust_lists.newest()
    assert second.sequence == first.sequence + 1
    assert not read(second).issuers[0].seals[0].granted
    vault.seals.resume(seal, LOCAL_OPERATOR, reason="x")
    assert vault.trust_lists.newest().sequence == first.sequence + 2


def test_a_revoked_key_counts_up_and_its_revocation_list_comes_along(vault: Vault) -> None:
    first = vault.trust_lists.newest()
    key = next(k for k in vault.pki.keys(LOCAL_OPERATOR) if k.purpose == "code" and k.state == "ACTIVE")
    vault.pki.rollover("code", LOCAL_OPERATOR)
    vault.pki.revoke(key.id, "key_compromise", LOCAL_OPERATOR)
    second = vault.trust_lists.newest()
    assert second.sequence == first.sequence + 1
    assert vault.pki.crl("issuing-1") in read(second).crls


def test_a_clock_set_back_makes_no_list_older_than_the_one_before(vault: Vault) -> None:
    first = vault.trust_lists.newest()
    clock(vault).at = first.issued - DAY
    vault.pki.rollover("record", LOCAL_OPERATOR)
    second = vault.trust_lists.newest()
    assert (second.sequence, second.issued) == (first.sequence + 1, first.issued)
    assert vault.trust_lists.newest() == second


def test_followers_rebuild_a_list_from_the_differences(vault: Vault) -> None:
    first = vault.trust_lists.newest()
    vault.pki.rollover("code", LOCAL_OPERATOR)
    second = vault.trust_lists.newest()
    delta = vault.trust_lists.delta(first.sequence)
    assert delta is not None
    assert apply_difference(read(first).to_json(), delta) == second.token.encode()
    assert len(delta) < len(second.token) / 2
    assert vault.trust_lists.delta(second.sequence) is None
    assert vault.trust_lists.delta(10_000) is None


def test_old_lists_are_forgotten_but_for_number_and_digest(vault: Vault) -> None:
    first = vault.trust_lists.newest()
    for _ in range(KEPT + 1):
        clock(vault).at += DAY
        last = vault.trust_lists.newest()
    assert vault.trust_lists.delta(first.sequence) is None
    assert vault.trust_lists.delta(last.sequence - KEPT + 1) is not None
    with vault._database.reading() as view:
        row = view.own_lists.get(first.sequence)
    assert row is not None
    assert (row.packed, row.token, len(row.content)) == (b"", None, 64)


def test_a_follower_that_missed_two_anchors_comes_after(vault: Vault) -> None:
    held = follow(vault)
    for _ in range(2):
        vault.pki.rollover("root", LOCAL_OPERATOR)
        vault.trust_lists.newest()
    after = follow(vault, held)
    assert after.anchor.sequence == held.anchor.sequence + 2
    assert after.sequence == vault.trust_lists.newest().sequence
    assert vault.anchors.current().certificates == (vault.pki.ca_certificate("root"),)
    with pytest.raises(AdoptionError) as caught:
        offer_anchors(held, vault.anchors.all()[-1:], Rules(vault.clock.now()))
    assert caught.value.code == "ANCHOR_SKIPPED"


def test_whatever_is_killed_no_number_has_two_contents(living: Vault) -> None:
    """A process is killed at each step between the decision to publish and the last write."""
    contents: dict[int, str] = {}
    held = follow(living)
    killed = run_children(living.settings.folder, (2, 4), "publish", "code")
    killed += run_children(living.settings.folder, (3, 9), "publish", "root")
    assert [s for s, _ in killed] == [9] * 4
    for _ in range(2):
        state = follow(living, held)
        with living._database.reading() as view:
            rows = sorted(view.own_lists.all(), key=lambda r: r.sequence)
        assert [r.sequence for r in rows] == list(range(1, len(rows) + 1))
        assert all(contents.setdefault(r.sequence, r.content) == r.content for r in rows)
        assert all(r.token for r in rows[-3:])
        held = state
    assert living.audit.verify_chain() == []


PUBLISHING = """
import json, sys, time
from pathlib import Path
from certvault.bootstrap import open_vault
from certvault.model.actor import LOCAL_OPERATOR
with open_vault(Path(sys.argv[1])) as vault:
    time.sleep(max(0, float(sys.argv[2]) - time.time()))
    found = []
    for _ in range(2):
        vault.pki.rollover(sys.argv[3], LOCAL_OPERATOR)
        published = vault.trust_lists.newest()
        found.append([published.sequence, published.token])
print(json.dumps(found))
"""


def test_processes_that_publish_at_once_give_each_number_one_content(living: Vault) -> None:
    start = str(time.time() + 2)
    arguments = [sys.executable, "-c", PUBLISHING, str(living.settings.folder), start]
    running = [
        subprocess.Popen([*arguments, purpose], stdout=subprocess.PIPE, cwd=ROOT) for purpose in ("code", "record")
    ]
    seen: dict[int, str] = {}
    for process in running:
        out, _ = process.communicate(timeout=120)
        assert process.returncode == 0
        for sequence, token in json.loads(out):
            assert seen.setdefault(sequence, token) == token
    assert len(seen) >= 2


# --- thresholds --------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def witness(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Vault]:
    made = create_vault(InitOptions(folder=tmp_path_factory.mktemp("witness") / "vault", region="420000", keys="file"))
    yield made
    made.close()


def test_a_rollover_waits_until_another_vault_vouches(living: Vault, witness: Vault) -> None:
    living.pki.rollover("trust-list", LOCAL_OPERATOR)
    held = follow(living)
    first = living.anchors.current().sequence
    wanted = living.anchors.change(LOCAL_OPERATOR, threshold=2, add=[witness.pki.ca_certificate("root")])
    assert (wanted.sequence, wanted.threshold, len(wanted.certificates)) == (first + 1, 2, 2)
    assert living.anchors.current().sequence == first  # the added root has not vouched yet
    taken = living.anchors.take(witness.anchors.vouch(wanted, LOCAL_OPERATOR), LOCAL_OPERATOR)
    assert living.anchors.current() == taken
    held = follow(living, held)
    assert held.anchor.threshold == 2

    living.pki.rollover("root", LOCAL_OPERATOR)
    waiting = living.anchors.waiting()
    assert waiting is not None
    assert living.anchors.current().sequence == first + 1
    living.pki.rollover("code", LOCAL_OPERATOR)
    held = follow(living, held)  # lists go on under the anchor that counts
    assert held.anchor.sequence == first + 1
    with pytest.raises(AdoptionError) as caught:
        offer_anchors(held, [waiting], Rules(living.clock.now()))
    assert caught.value.code == "ANCHOR_NOT_VOUCHED"
    living.anchors.take(witness.anchors.vouch(waiting, LOCAL_OPERATOR), LOCAL_OPERATOR)
    assert follow(living, held).anchor.sequence == first + 2
    assert living.anchors.waiting() is None


def test_a_witness_vouches_for_one_anchor_of_a_number(living: Vault, witness: Vault) -> None:
    current = living.anchors.current()
    offered = replace(current, sequence=90, signatures=())
    witness.anchors.vouch(offered, LOCAL_OPERATOR)
    witness.anchors.vouch(offered, LOCAL_OPERATOR)
    with pytest.raises(ConflictError) as caught:
        witness.anchors.vouch(replace(offered, threshold=1), LOCAL_OPERATOR)
    assert caught.value.first.code == "ANCHOR_EQUIVOCATED"


def test_anchors_that_cannot_be_are_refused(living: Vault, witness: Vault) -> None:
    for work in (
        lambda: living.anchors.change(LOCAL_OPERATOR, threshold=9),
        lambda: living.anchors.vouch(living.anchors.current(), LOCAL_OPERATOR),
        lambda: witness.anchors.vouch(
            replace(living.anchors.current(), certificates=(living.pki.ca_certificate("root"),), threshold=1),
            LOCAL_OPERATOR,
        ),
    ):
        with pytest.raises(RefusedError) as caught:
            work()
        assert caught.value.first.code == "ANCHOR_WRONG"
    with pytest.raises(ConflictError) as conflict:
        living.anchors.take(living.anchors.current(), LOCAL_OPERATOR)
    assert conflict.value.first.code == "ANCHOR_OTHER"


def test_only_an_operator_adopts_or_vouches(living: Vault) -> None:
    nobody = Actor("token:1", frozenset({"issuer", "custodian", "auditor"}))
    anchor: Any = living.anchors.current()
    for work in (
        lambda: living.anchors.change(nobody, threshold=1),
        lambda: living.anchors.vouch(anchor, nobody),
        lambda: living.anchors.take(anchor, nobody),
        lambda: living.regions.adopt(b"", anchor, nobody),
        lambda: living.regions.forget("110000", nobody),
        lambda: living.region_sync.sync(nobody),
        lambda: living.region_sync.adopt("http://127.0.0.1:1/v1/trust-list", anchor, nobody),
    ):
        with pytest.raises(RefusedError) as caught:
            work()
        assert caught.value.first.code == "FORBIDDEN"


@pytest.mark.parametrize(
    ("region", "places", "level"),
    [
        ("100000", None, 1), ("410000", None, 2), ("410200", None, 3), ("410202", None, 4),
        ("410000", ("4102",), 3), ("410000", ("4102", "41"), 2), ("410200", ("41",), 3), ("410000", ("410202",), 4),
    ],
)  # fmt: skip
def test_the_level_of_an_issuer_is_that_of_its_widest_place(
    region: str, places: tuple[str, ...] | None, level: int
) -> None:
    assert level_of(region, places) == level
