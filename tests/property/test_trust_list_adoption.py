"""Whatever is offered in whatever order: adoption never goes back, never takes two lists for one number, never an
expired one, and what is refused leaves all as it was."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from functools import cache

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from tests.support.regions import DAY, NOW, FakeRegion, region_pki, signed_list, vouched
from verify.formats.anchor import Anchor
from verify.trust.lists import Adopted, AdoptionError, Rules, confirmed, offer_anchor, offer_list, with_fault

ROOTS = ("Old", "New", "Third")
CODE = "410000"


@cache
def anchor(number: int, variant: int) -> Anchor:
    """Anchor ``number`` with one root; by variant both vouch, the new alone, the old alone."""
    root = region_pki(ROOTS[number - 1])
    made = Anchor(CODE, (root.root.certificate,), 1, number)
    if number == 1:
        return made
    former = region_pki(ROOTS[number - 2])
    return vouched(made, *((former, root), (root,), (former,))[variant])


@cache
def token(number: int, variant: int, day: int, days: int, root: int) -> bytes:
    """A list issued on ``day`` that holds for ``days``, under one of the roots."""
    pki = region_pki(ROOTS[root - 1])
    region = FakeRegion(CODE, [pki], [anchor(root, 0)])
    issued = (NOW + day * DAY).replace(microsecond=0)
    made = region.listed(number, issued=issued, name=f"区域 {variant}", next_update=issued + days * DAY)
    return signed_list(made, pki)


class Adoption(RuleBasedStateMachine):
    """One region as a follower sees it."""

    def __init__(self) -> None:
        super().__init__()
        self.held = Adopted(anchor(1, 0))
        self.now = NOW
        self.contents: dict[int, str] = {}
        self.highest = 0
        self.anchors = 1

    @rule(
        number=st.integers(1, 5),
        variant=st.integers(0, 1),
        day=st.integers(0, 4),
        days=st.integers(1, 3),
        root=st.integers(1, 3),
    )
    def list_is_offered(self, number: int, variant: int, day: int, days: int, root: int) -> None:
        before = self.held
        try:
            self.held = offer_list(before, token(number, variant, day, days, root), Rules(self.now))
        except AdoptionError as error:
            assert self.held is before
            self.held = with_fault(self.held, error.code)
            assert replace(self.held, faults=before.faults) == before
            return
        assert self.held.list is not None
        assert self.now < self.held.list.next_update
        assert self.held.list.issued <= self.now + timedelta(minutes=5)
        assert root == self.held.anchor.sequence
        assert number == self.held.sequence >= before.sequence

    @rule(number=st.integers(1, 3), variant=st.integers(0, 2))
    def anchor_is_offered(self, number: int, variant: int) -> None:
        before = self.held
        try:
            self.held = offer_anchor(before, anchor(number, variant), Rules(self.now))
        except AdoptionError:
            assert self.held is before
            return
        assert self.held.list == before.list
        if number != before.anchor.sequence:
            assert (number, variant) == (before.anchor.sequence + 1, 0)

    @rule()
    def a_day_passes(self) -> None:
        self.now += DAY

    @rule()
    def nothing_is_new(self) -> None:
        before = self.held
        self.held = confirmed(before, self.now)
        assert (self.held.list, self.held.token) == (before.list, before.token)

    @invariant()
    def it_never_goes_back(self) -> None:
        assert self.held.sequence >= self.highest
        assert self.held.anchor.sequence >= self.anchors
        self.highest, self.anchors = self.held.sequence, self.held.anchor.sequence

    @invariant()
    def one_number_has_one_content(self) -> None:
        if self.held.list is not None:
            assert self.contents.setdefault(self.held.sequence, self.held.content) == self.held.content


TestAdoption = Adoption.TestCase
TestAdoption.settings = settings(
    max_examples=25, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
)
