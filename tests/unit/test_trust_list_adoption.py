"""The state machine of anchors and trust lists: what is taken over, and that every refusal leaves all as it was."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from signing.errors import PurposeError
from signing.formats.trustlist import make_trust_list, vouch_for
from signing.keys import KeyPurpose
from tests.support.regions import (
    DAY,
    NOW,
    FakeRegion,
    chain_of,
    fake_region,
    region_pki,
    signed_list,
    vouched,
)
from tests.support.signing_pki import AT, Pki
from verify.findings import CATALOG
from verify.formats.anchor import Anchor
from verify.formats.trustlist import Endpoints
from verify.messages import en
from verify.trust.anchors import TrustStore
from verify.trust.lists import (
    FAULTS,
    Adopted,
    AdoptionError,
    Rules,
    adopted_from,
    confirmed,
    offer_anchor,
    offer_anchors,
    offer_list,
    roots_taken,
    vouchers,
    with_fault,
)
from verify.trust.regions import KnownRegion, Regions, with_regions

RULES = Rules(NOW)
OLD, NEW, THIRD = region_pki("Old"), region_pki("New"), region_pki("Third")


def begun(*, sequence: int = 5) -> tuple[FakeRegion, Adopted]:
    region = FakeRegion("410000", [OLD])
    return region, offer_list(Adopted(region.anchor), region.token(sequence), RULES)


def refused(work: Callable[[], object]) -> str:
    with pytest.raises(AdoptionError) as caught:
        work()
    error = caught.value
    assert set(re.findall(r"\{(\w+)\}", en.TEXTS[error.code])) == set(error.params)
    return error.code


# --- lists -------------------------------------------------------------------------------------------------------


def test_a_list_under_the_anchor_is_adopted() -> None:
    region, held = begun()
    assert (held.sequence, held.adopted, held.confirmed, held.faults) == (5, NOW, NOW, ())
    known = held.known()
    assert known is not None
    assert (known.region, known.list) == ("410000", region.listed(5))
    assert known.anchor == region.anchor.digests()


def test_without_a_list_nothing_is_known() -> None:
    assert Adopted(fake_region().anchor).known() is None


def test_a_newer_list_takes_the_place_of_the_older() -> None:
    region, held = begun()
    later = offer_list(held, region.token(9, issued=NOW + DAY), replace(RULES, at=NOW + DAY))
    assert (later.sequence, later.adopted) == (9, NOW + DAY)


def test_the_same_list_again_confirms_it() -> None:
    region, held = begun()
    again = offer_list(held, region.token(5), replace(RULES, at=NOW + DAY))  # another signature over the same
    assert (again.adopted, again.confirmed) == (NOW, NOW + DAY)
    assert again.token == held.token


def test_an_older_list_is_refused() -> None:
    region, held = begun()
    assert refused(lambda: offer_list(held, region.token(4), RULES)) == "TRUST_LIST_ROLLBACK"


def test_another_list_with_the_same_number_is_refused() -> None:
    region, held = begun()
    other = region.token(5, name="另一份")
    assert refused(lambda: offer_list(held, other, RULES)) == "TRUST_LIST_EQUIVOCATED"


def test_an_expired_list_put_back_is_refused() -> None:
    region, held = begun()
    late = replace(RULES, at=NOW + 7 * DAY)
    assert refused(lambda: offer_list(held, held.token, late)) == "TRUST_LIST_EXPIRED"
    assert refused(lambda: offer_list(held, region.token(6), late)) == "TRUST_LIST_EXPIRED"


def test_an_expired_list_is_no_first_list_either() -> None:
    region = fake_region()
    late = replace(RULES, at=NOW + 8 * DAY)
    assert refused(lambda: offer_list(Adopted(region.anchor), region.token(), late)) == "TRUST_LIST_EXPIRED"


def test_a_list_from_the_future_is_refused() -> None:
    region, held = begun()
    early = region.token(6, issued=NOW + timedelta(minutes=6))
    assert refused(lambda: offer_list(held, early, RULES)) == "TRUST_LIST_FUTURE"
    assert offer_list(held, region.token(6, issued=NOW + timedelta(minutes=4)), RULES).sequence == 6


def test_a_list_that_holds_for_years_is_refused() -> None:
    region, held = begun()
    assert refused(lambda: offer_list(held, region.token(6, next_update=NOW + 400 * DAY), RULES)) == "TRUST_LIST_BROKEN"


def test_a_newer_number_with_an_older_date_is_refused() -> None:
    region, held = begun()
    back = region.token(6, issued=NOW - timedelta(minutes=30))
    assert refused(lambda: offer_list(held, back, RULES)) == "TRUST_LIST_BROKEN"


def test_a_list_of_another_region_under_this_anchor_is_refused() -> None:
    region, held = begun()
    other = signed_list(replace(region.listed(6), region="420000"), OLD)
    assert refused(lambda: offer_list(held, other, RULES)) == "TRUST_LIST_REGION_DIFFERS"


def test_a_list_under_another_root_is_refused() -> None:
    region, held = begun()
    assert refused(lambda: offer_list(held, region.token(6, by=NEW), RULES)) == "TRUST_LIST_UNTRUSTED"


def test_a_list_whose_content_was_changed_is_refused() -> None:
    region, held = begun()
    head, _, value = region.token(6).split(b".")
    body = region.token(7).split(b".")[1]
    assert refused(lambda: offer_list(held, b".".join((head, body, value)), RULES)) == "TRUST_LIST_UNTRUSTED"


def test_a_list_that_is_too_large_is_refused_unread() -> None:
    region, held = begun()
    small = replace(RULES, limit=100)
    assert refused(lambda: offer_list(held, region.token(6), small)) == "TRUST_LIST_TOO_LARGE"


@pytest.mark.parametrize("token", [b"", b"a.b.c", b"\xff" * 10, b"{}"])
def test_what_is_no_list_is_refused(token: bytes) -> None:
    _, held = begun()
    assert refused(lambda: offer_list(held, token, RULES)) == "TRUST_LIST_BROKEN"


def test_a_list_with_an_address_outside_its_base_is_refused() -> None:
    region, held = begun()
    points = Endpoints(region.base, "https://elsewhere.example/v1/trust-list")
    assert refused(lambda: offer_list(held, region.token(6, endpoints=points), RULES)) == "TRUST_LIST_BROKEN"


def test_a_list_made_under_another_anchor_is_refused() -> None:
    region, held = begun()
    assert refused(lambda: offer_list(held, region.token(6, anchor_sequence=2), RULES)) == "TRUST_LIST_ANCHOR_OLD"


def test_a_list_takes_no_root_of_another_region() -> None:
    region, held = begun()
    other = fake_region("420000", "Other")
    rules = replace(RULES, taken=roots_taken(region.anchor, [known(other)]))
    greedy = region.token(6, roots=(OLD.root.certificate, other.pkis[0].root.certificate))
    assert refused(lambda: offer_list(held, greedy, rules)) == "TRUST_LIST_ROOT_TAKEN"
    assert offer_list(held, greedy, RULES).sequence == 6


def test_a_list_takes_no_root_of_ours() -> None:
    region, held = begun()
    rules = replace(RULES, taken=roots_taken(region.anchor, [], [NEW.root.certificate]))
    greedy = region.token(6, roots=(OLD.root.certificate, NEW.root.certificate))
    assert refused(lambda: offer_list(held, greedy, rules)) == "TRUST_LIST_ROOT_TAKEN"


def test_a_region_keeps_its_anchor_when_another_only_listed_it_before() -> None:
    region, held = begun()
    thief = fake_region("420000", "Other")
    greedy = known(thief, list=thief.listed(roots=(thief.pkis[0].root.certificate, OLD.root.certificate)))
    rules = replace(RULES, taken=roots_taken(region.anchor, [greedy, known(region)]))
    assert offer_list(held, region.token(6), rules).sequence == 6


def test_who_helps_vouch_for_another_region_does_not_lend_it_the_root() -> None:
    """A root that stands in two anchors is that of the region that lists it."""
    helper = fake_region("420000", "Other")
    root = helper.pkis[0].root.certificate
    region = FakeRegion("410000", [OLD], [Anchor("410000", (OLD.root.certificate, root), 2)])
    rules = replace(RULES, taken=roots_taken(region.anchor, [known(helper)]))
    greedy = region.token(roots=(OLD.root.certificate, root))
    assert refused(lambda: offer_list(Adopted(region.anchor), greedy, rules)) == "TRUST_LIST_ROOT_TAKEN"


def test_lists_of_example_vaults_count_only_where_the_caller_says_so() -> None:
    region, held = begun()
    sample = region.token(6, example=True)
    assert refused(lambda: offer_list(held, sample, RULES)) == "TRUST_LIST_SAMPLE"
    assert offer_list(held, sample, replace(RULES, samples=True)).sequence == 6


def test_example_roots_count_only_where_they_are_allowed() -> None:
    example = FakeRegion("410000", [region_pki("EXAMPLE")])
    start = Adopted(example.anchor)
    assert refused(lambda: offer_list(start, example.token(), RULES)) == "TRUST_LIST_UNTRUSTED"
    assert offer_list(start, example.token(), replace(RULES, allow_example=True)).sequence == 1


# --- faults ------------------------------------------------------------------------------------------------------


def test_an_older_list_seen_is_a_fault_until_the_newest_is_seen_again() -> None:
    region, held = begun()
    marked = with_fault(held, "TRUST_LIST_ROLLBACK")
    assert marked.faults == ("TRUST_LIST_ROLLBACK",)
    assert offer_list(marked, region.token(5), RULES).faults == ()
    assert offer_list(marked, region.token(6), RULES).faults == ()
    assert confirmed(marked, NOW + DAY).faults == ()


def test_two_lists_with_one_number_are_a_fault_until_a_person_adopts_anew() -> None:
    region, held = begun()
    marked = with_fault(held, "TRUST_LIST_EQUIVOCATED")
    later = offer_list(confirmed(marked, NOW), region.token(6), RULES)
    assert later.faults == ("TRUST_LIST_EQUIVOCATED",)
    assert offer_list(later, region.token(6), RULES, by_hand=True).faults == ()


def test_no_other_refusal_is_a_fault_of_the_region() -> None:
    _, held = begun()
    assert all(with_fault(held, code) is held for code in CATALOG if code not in FAULTS)
    assert with_fault(with_fault(held, FAULTS[0]), FAULTS[0]).faults == FAULTS[:1]


def test_being_told_that_nothing_changed_confirms_a_list_within_its_time_only() -> None:
    _, held = begun()
    assert confirmed(held, NOW + DAY).confirmed == NOW + DAY
    assert confirmed(held, NOW + 7 * DAY) is held


# --- anchors -----------------------------------------------------------------------------------------------------


def test_the_next_anchor_counts_when_old_and_new_vouch() -> None:
    region, held = begun()
    rolled = offer_anchor(held, region.next_anchor(NEW, by=(OLD, NEW)), RULES)
    assert rolled.anchor.sequence == 2
    assert rolled.list == held.list


def test_after_a_rollover_lists_are_signed_under_the_new_root_alone() -> None:
    region, held = begun()
    held = offer_anchor(held, region.roll(NEW), RULES)
    assert offer_list(held, region.token(6), RULES).sequence == 6
    assert refused(lambda: offer_list(held, region.token(6, by=OLD), RULES)) == "TRUST_LIST_UNTRUSTED"


def test_who_missed_two_anchors_walks_them() -> None:
    region, held = begun()
    region.roll(NEW)
    region.roll(THIRD)
    assert offer_anchors(held, region.anchors, RULES).anchor == region.anchor
    assert refused(lambda: offer_anchors(held, region.anchors[2:], RULES)) == "ANCHOR_SKIPPED"


def test_the_anchor_held_changes_nothing_when_offered_again() -> None:
    region, held = begun()
    assert offer_anchors(held, [region.anchor], RULES) is held
    assert offer_anchors(held, [], RULES) is held


def test_older_anchors_alone_are_a_rollback() -> None:
    region, held = begun()
    first = region.anchor
    held = offer_anchor(held, region.roll(NEW), RULES)
    assert refused(lambda: offer_anchor(held, first, RULES)) == "ANCHOR_ROLLBACK"
    assert refused(lambda: offer_anchors(held, [first], RULES)) == "ANCHOR_ROLLBACK"
    assert offer_anchors(held, region.anchors, RULES) is held


def test_another_anchor_with_the_same_number_is_refused() -> None:
    region, held = begun()
    assert refused(lambda: offer_anchor(held, replace(region.anchor, name="另一"), RULES)) == "ANCHOR_EQUIVOCATED"


def test_an_anchor_of_another_region_is_refused() -> None:
    region, held = begun()
    other = replace(region.next_anchor(NEW, by=()), region="420000")
    assert refused(lambda: offer_anchor(held, other, RULES)) == "ANCHOR_REGION_DIFFERS"
    assert refused(lambda: offer_anchors(held, [other], RULES)) == "ANCHOR_REGION_DIFFERS"


def test_an_anchor_that_skips_a_number_is_refused() -> None:
    region, held = begun()
    skipping = vouched(replace(region.next_anchor(NEW, by=()), sequence=3), OLD, NEW)
    assert refused(lambda: offer_anchor(held, skipping, RULES)) == "ANCHOR_SKIPPED"


@pytest.mark.parametrize(
    ("by", "code"),
    [((), "ANCHOR_NOT_VOUCHED"), ((NEW,), "ANCHOR_NOT_VOUCHED"), ((OLD,), "ANCHOR_THRESHOLD")],
    ids=["nobody", "the new root alone", "the old root alone"],
)
def test_an_anchor_that_too_few_vouch_for_is_refused(by: tuple[Pki, ...], code: str) -> None:
    region, held = begun()
    assert refused(lambda: offer_anchor(held, region.next_anchor(NEW, by=by), RULES)) == code


def test_the_keys_of_one_old_root_do_not_reach_a_threshold_of_two() -> None:
    region = FakeRegion("410000", [OLD, NEW], [Anchor("410000", (OLD.root.certificate, NEW.root.certificate), 2)])
    held = Adopted(region.anchor)
    alone = region.next_anchor(THIRD, by=(OLD, OLD, THIRD))  # one root that signs twice is one root
    assert refused(lambda: offer_anchor(held, alone, RULES)) == "ANCHOR_NOT_VOUCHED"
    assert offer_anchor(held, region.next_anchor(THIRD, by=(OLD, NEW, THIRD)), RULES).anchor.sequence == 2


def test_nobody_s_root_is_put_into_an_anchor_without_its_leave() -> None:
    region, held = begun()
    greedy = region.next_anchor(OLD, NEW, by=(OLD,))
    assert refused(lambda: offer_anchor(held, greedy, RULES)) == "ANCHOR_ROOT_SILENT"
    assert offer_anchor(held, vouched(greedy, NEW), RULES).anchor.sequence == 2


def test_a_signature_over_another_anchor_vouches_for_nothing() -> None:
    region, held = begun()
    taken = region.next_anchor(NEW, by=(OLD, NEW)).signatures
    other = replace(region.next_anchor(NEW, by=()), name="另一", signatures=taken)
    assert vouchers(other, (OLD.root.certificate, NEW.root.certificate), RULES) == ()


def test_a_trust_list_is_no_voucher_and_broken_signatures_are_passed_over() -> None:
    region, held = begun()
    made = region.next_anchor(NEW, by=())
    head, _, value = region.token().decode().split(".")
    broken = replace(made, signatures=("", "a.b", "..", "a..b", f"{head}..{value}"))
    assert vouchers(broken, (OLD.root.certificate,), RULES) == ()
    assert offer_anchor(held, vouched(broken, OLD, NEW), RULES).anchor.sequence == 2


def test_a_voucher_whose_certificate_has_ended_since_still_counts() -> None:
    region, held = begun()
    late = replace(RULES, at=AT + 1500 * DAY)
    assert offer_anchor(held, region.next_anchor(NEW, by=(OLD, NEW)), late).anchor.sequence == 2


# --- around it ---------------------------------------------------------------------------------------------------


def test_the_state_is_read_back_as_it_was_kept() -> None:
    _, held = begun()
    assert adopted_from(held.anchor, held.token, held.adopted, held.confirmed, held.faults) == held
    assert adopted_from(held.anchor, b"", None, None) == Adopted(held.anchor)


@pytest.mark.parametrize("purpose", [p for p in KeyPurpose if p not in (KeyPurpose.TRUST_LIST, KeyPurpose.CA)])
def test_no_other_key_signs_lists_or_vouches(purpose: KeyPurpose) -> None:
    region = fake_region()
    signer, chain = OLD.signer(purpose), chain_of(OLD, purpose)
    with pytest.raises(PurposeError):
        make_trust_list(region.listed(), signer=signer, chain=chain)
    with pytest.raises(PurposeError):
        vouch_for(region.anchor, signer=signer, chain=chain)


def known(region: FakeRegion, **changes: object) -> KnownRegion:
    made = KnownRegion(region.code, region.listed(), NOW, NOW, anchor=region.anchor.digests())
    return replace(made, **changes)  # type: ignore[arg-type]


def test_a_root_belongs_to_the_region_whose_anchor_has_it() -> None:
    victim = fake_region("420000", "Other")
    thief = fake_region("410000", "Old")
    root = victim.pkis[0].root.certificate
    greedy = known(thief, list=thief.listed(roots=(OLD.root.certificate, root)))
    trust = with_regions(TrustStore(), Regions("110000", (greedy, known(victim))))
    (digest,) = victim.anchor.digests()
    assert trust.regions is not None
    owner = trust.regions.of_anchor(digest)
    assert owner is not None
    assert owner.region == "420000"
    issuer = "11420000MB1234567C"
    listed = replace(victim.listed().issuers[0], code=issuer)
    both = [known(r, list=r.listed(roots=greedy.list.roots, issuers=(listed,))) for r in (thief, victim)]
    trust = with_regions(TrustStore(), Regions("110000", tuple(both)))
    assert [r.anchors for r in trust.remits_of(issuer) or ()] == [victim.anchor.digests()], "given in 42"


def test_a_root_of_ours_is_nobody_else_s() -> None:
    thief = fake_region("410000", "Old")
    trust = with_regions(TrustStore(anchors=(OLD.root.certificate,)), Regions("110000", (known(thief),)))
    assert [r.anchors for r in trust.remits_of("11410200MB1234567C") or ()] == [frozenset()]
    assert trust.regions is not None
    assert [trust.regions.of_anchor(d) for d in thief.anchor.digests()] == [None]
