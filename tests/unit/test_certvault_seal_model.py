"""The life of a seal is a pure machine: every step in every state, each alone or not; rules; rows under one root."""

from __future__ import annotations

import datetime
import itertools
from collections.abc import Callable
from dataclasses import replace

import pytest

from certvault.errors import ConflictError
from certvault.model import seal as life
from certvault.model.merkle import MerkleTree, leaf_hash, proves
from certvault.model.seal import Doer, Face, Life, SealState, Step, VersionState
from certvault.model.sealrules import Asked, SealRules

AT = datetime.datetime(2026, 11, 23, 2, 0, tzinfo=datetime.UTC)
FACE = Face("示例市行政审批局", 40, SealRules())
ONE, OTHER = Doer("one", alone=False), Doer("other", alone=False)

STEPS: dict[Step, Callable[[Life], Life]] = {
    Step.APPROVE: lambda known: life.approve(known, OTHER, AT, ""),
    Step.REJECT: lambda known: life.reject(known, OTHER, AT, "no"),
    Step.MAKE: lambda known: life.make(known, OTHER, AT, "", key_id="k"),
    Step.ACTIVATE: lambda known: life.activate(known, OTHER, AT, ""),
    Step.SUSPEND: lambda known: life.suspend(known, OTHER, AT, "lost"),
    Step.RESUME: lambda known: life.resume(known, OTHER, AT, ""),
    Step.CHANGE: lambda known: life.change(known, FACE, ONE, AT, ""),
    Step.RENEW: lambda known: life.renew(known, OTHER, AT, "", key_id="n"),
    Step.RETIRE: lambda known: life.retire(known, OTHER, AT, "old"),
    Step.DESTROY: lambda known: life.destroy(known, OTHER, AT, ""),
}
S, V = SealState, VersionState
ON_ITS_WAY: dict[tuple[Step, VersionState], VersionState] = {
    (Step.APPROVE, V.APPLIED): V.APPROVED,
    (Step.REJECT, V.APPLIED): V.REJECTED,
    (Step.REJECT, V.APPROVED): V.REJECTED,
    (Step.MAKE, V.APPROVED): V.MADE,
    (Step.ACTIVATE, V.MADE): V.ACTIVE,
}


def allowed() -> dict[tuple[Step, SealState, VersionState | None], tuple[SealState, VersionState | None]]:
    """What each step leads to, by the seal's state and that of the edition on its way. Anything else is refused."""
    found: dict[tuple[Step, SealState, VersionState | None], tuple[SealState, VersionState | None]] = {}
    for (step, before), after in ON_ITS_WAY.items():
        found[step, S(before.value), before] = (S(after.value), after)  # the first edition takes the seal with it
        for state in (S.ACTIVE, S.SUSPENDED):
            found[step, state, before] = (state, after)
    for state in (S.ACTIVE, S.SUSPENDED):
        found[Step.REJECT, state, V.MADE] = (state, V.REJECTED)
        found[Step.CHANGE, state, None] = (state, V.APPLIED)
        for waiting in (None, V.APPLIED, V.APPROVED, V.MADE):
            found[Step.RENEW, state, waiting] = (state, waiting)
            found[Step.RETIRE, state, waiting] = (S.RETIRED, None if waiting is None else V.WITHDRAWN)
    found[Step.RETIRE, S.MADE, V.MADE] = (S.RETIRED, V.WITHDRAWN)
    for waiting in (None, V.APPLIED, V.APPROVED, V.MADE):
        found[Step.SUSPEND, S.ACTIVE, waiting] = (S.SUSPENDED, waiting)
        found[Step.RESUME, S.SUSPENDED, waiting] = (S.ACTIVE, waiting)
    found[Step.DESTROY, S.RETIRED, None] = (S.DESTROYED, None)
    return found


def in_state(state: SealState, waiting: VersionState | None) -> Life:
    """A seal in ``state`` with an edition on its way in ``waiting``."""
    known = life.apply("41020000000001", "x", "official", "seal", FACE, ONE, AT, "")
    first = known.versions[0]
    if state in (S.ACTIVE, S.SUSPENDED, S.RETIRED, S.DESTROYED):
        working = replace(first, state=V.ACTIVE, key_id="k")
        versions = (working,) if waiting is None else (working, replace(first, version=2, state=waiting))
        seal = replace(known.seal, state=state, version=1)
    else:
        versions = (first if waiting is None else replace(first, state=waiting),)
        seal = replace(known.seal, state=state)
    if state is S.REJECTED:
        versions = (replace(first, state=V.REJECTED),)
    return Life(seal, versions, known.steps)


def possible() -> list[tuple[SealState, VersionState | None]]:
    """Every state a seal can be in."""
    alive = [(s, w) for s in (S.ACTIVE, S.SUSPENDED) for w in (None, V.APPLIED, V.APPROVED, V.MADE)]
    first = [(S.APPLIED, V.APPLIED), (S.APPROVED, V.APPROVED), (S.MADE, V.MADE)]
    return [*alive, *first, (S.REJECTED, None), (S.RETIRED, None), (S.DESTROYED, None)]


@pytest.mark.parametrize("step", list(STEPS))
def test_every_step_in_every_state(step: Step) -> None:
    table = allowed()
    for state, waiting in possible():
        known = in_state(state, waiting)
        if (step, state, waiting) not in table:
            with pytest.raises(ConflictError, match="SEAL_STATE"):
                STEPS[step](known)
            continue
        expected, edition = table[step, state, waiting]
        done = STEPS[step](known)
        assert done.seal.state is expected, (step, state, waiting)
        assert done.last is not None
        assert (done.last.step, done.last.state, done.last.seq) == (step, expected, known.steps + 1)
        concerned = next((v for v in done.versions if v.version == done.last.edition), None)
        if step in (Step.APPROVE, Step.REJECT, Step.MAKE, Step.ACTIVATE, Step.CHANGE):
            assert concerned is not None
            assert concerned.state is edition
        else:
            assert (None if done.waiting is None else done.waiting.state) == (
                None if edition is V.WITHDRAWN else edition
            )
        assert sum(v.state is V.ACTIVE for v in done.versions) <= 1
        assert known == in_state(state, waiting)  # nothing was changed in place


def test_the_table_reaches_every_state_and_no_other() -> None:
    """From the application on, whatever is done: the states met are exactly those the test above goes through."""
    begun = life.apply("41020000000001", "x", "official", "seal", FACE, ONE, AT, "")
    seen: set[tuple[SealState, VersionState | None]] = set()
    waiting = [begun]
    while waiting:
        known = waiting.pop()
        key = (known.seal.state, None if known.waiting is None else known.waiting.state)
        if key in seen:
            continue
        seen.add(key)
        for step in STEPS.values():
            try:
                waiting.append(step(known))
            except ConflictError:
                continue
    assert seen == set(possible())


def test_activation_supersedes_and_the_old_edition_works_until_then() -> None:
    known = in_state(S.ACTIVE, V.MADE)
    assert known.at_work is not None
    assert known.at_work.version == 1
    done = life.activate(known, OTHER, AT, "")
    assert [(v.version, v.state) for v in done.versions] == [(1, V.SUPERSEDED), (2, V.ACTIVE)]
    assert done.seal.version == 2
    assert set(done.changed) == {1, 2}


def test_a_renewal_while_a_change_is_on_its_way_keeps_both_apart() -> None:
    done = life.renew(in_state(S.ACTIVE, V.APPROVED), OTHER, AT, "", key_id="n")
    assert [(v.version, v.state) for v in done.versions] == [(1, V.SUPERSEDED), (2, V.APPROVED), (3, V.ACTIVE)]
    made = life.make(done, OTHER, AT, "", key_id="m")
    active = life.activate(made, OTHER, AT, "")
    assert active.seal.version == 2
    assert [v.version for v in active.versions if v.state is V.ACTIVE] == [2]


@pytest.mark.parametrize("step", [Step.APPROVE, Step.REJECT, Step.ACTIVATE])
def test_who_applied_neither_approves_nor_activates(step: Step) -> None:
    state = V.MADE if step is Step.ACTIVATE else V.APPLIED
    known = in_state(S(state.value), state)
    mine = {
        Step.APPROVE: lambda doer: life.approve(known, doer, AT, ""),
        Step.REJECT: lambda doer: life.reject(known, doer, AT, ""),
        Step.ACTIVATE: lambda doer: life.activate(known, doer, AT, ""),
    }[step]
    with pytest.raises(ConflictError, match="SEAL_FOUR_EYES"):
        mine(ONE)
    assert mine(OTHER).last is not None
    assert mine(Doer("one", alone=True)).last is not None


def test_the_state_at_a_moment_is_that_of_the_last_step_before() -> None:
    hour = datetime.timedelta(hours=1)
    known = life.suspend(in_state(S.ACTIVE, None), OTHER, AT + hour, "lost")
    assert known.last is not None
    begun = replace(known.last, seq=1, at=AT, state=S.ACTIVE)
    events = [known.last, begun]
    assert life.state_at(events, AT - hour) is None
    assert life.state_at(events, AT) == begun
    assert life.state_at(events, AT + hour) == known.last
    assert life.state_at(events, AT + 2 * hour) == known.last


ASKED = Asked("token:a", frozenset({"issuer"}), "窗口", "license", AT, "business-license", "410203")


@pytest.mark.parametrize(
    ("rules", "fields"),
    [
        (SealRules(), []),
        (SealRules(actors=("token:a",)), []),
        (SealRules(actors=("role:issuer", "token:b")), []),
        (SealRules(actors=("label:窗口",)), []),
        (SealRules(actors=("token:b", "role:custodian", "label:x")), ["actor"]),
        (SealRules(actors=()), ["actor"]),
        (SealRules(types=("business-license",)), []),
        (SealRules(types=("food-business-license",)), ["type"]),
        (SealRules(regions=("4102",)), []),
        (SealRules(regions=("4103", "51")), ["region"]),
        (SealRules(purposes=("license", "letter")), []),
        (SealRules(purposes=("letter",)), ["purpose"]),
        (SealRules(until=AT), ["until"]),
        (SealRules(until=AT + datetime.timedelta(seconds=1)), []),
        (SealRules(actors=(), types=(), purposes=(), until=AT), ["actor", "purpose", "type", "until"]),
    ],
)
def test_rules_name_everything_a_use_would_break(rules: SealRules, fields: list[str]) -> None:
    assert [f.field for f in rules.faults(ASKED)] == fields
    assert SealRules.from_text(rules.to_text()) == rules


def test_an_unlabelled_token_is_no_label_and_documents_have_no_type() -> None:
    plain = replace(ASKED, label="", license_type=None, region=None, purpose="letter")
    assert [f.field for f in SealRules(actors=("label:",)).faults(plain)] == ["actor"]
    assert SealRules(types=("x",), regions=("51",)).faults(plain) == []


def test_uses_are_counted_to_the_last() -> None:
    assert SealRules(max_uses=2).over(2) is None
    assert SealRules(max_uses=2).over(3) is not None
    assert SealRules().over(10**9) is None


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 7, 8, 9, 33])
def test_each_row_is_proved_in_its_place_and_nothing_else_is(count: int) -> None:
    leaves = [leaf_hash(i, bytes([i]) * 32) for i in range(count)]
    tree = MerkleTree(leaves)
    assert tree.count == count
    for i, j in itertools.product(range(count), repeat=2):
        assert proves(tree.root, count, i, leaves[j], tree.proof(i)) == (i == j)
    other = leaf_hash(0, b"x" * 32)
    assert not proves(tree.root, count, 0, other, tree.proof(0))
    assert not proves(tree.root, count, count, leaves[0], tree.proof(0))
    assert not proves(tree.root, count, -1, leaves[0], tree.proof(0))
    assert not proves(tree.root, count, 0, leaves[0], [*tree.proof(0), b"\0" * 32])
    if count > 1:
        assert not proves(tree.root, count, 0, leaves[0], tree.proof(0)[:-1])


def test_a_row_binds_its_number() -> None:
    assert leaf_hash(1, b"a" * 32) != leaf_hash(2, b"a" * 32)
    with pytest.raises(ValueError, match="leaf"):
        MerkleTree([])
