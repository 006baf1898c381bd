"""A region, or whoever stands before it, against those that follow it: each attack is refused by its name, what was
held stays, and the region beside it is followed as if nothing had happened."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

import certvault.regionsync
from certvault.bootstrap import InitOptions, Vault, create_vault
from certvault.clock import FixedClock
from certvault.errors import ConflictError
from certvault.model.actor import LOCAL_OPERATOR
from certvault.regionsync import Synced
from signing.keys import KeyPurpose
from tests.support.regions import (
    DAY,
    NOW,
    crl_against_trust_list_key,
    region_pki,
    signed_by_another_purpose,
    signed_list,
    vouched,
)
from tests.support.regionserver import RegionServer, serving
from verify.formats.anchor import Anchor
from verify.formats.refusal import RefusedError
from verify.formats.trustdelta import difference

CODES = (f"{n}00" for n in itertools.count(4101))


@pytest.fixture(scope="module")
def follower(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Vault]:
    folder = tmp_path_factory.mktemp("follower") / "vault"
    made = create_vault(InitOptions(folder=folder, region="110000", keys="file"), clock=FixedClock(NOW))
    yield made
    made.close()


@pytest.fixture
def served(follower: Vault) -> Iterator[tuple[RegionServer, RegionServer]]:
    """Two regions that the follower has adopted with list 5: one that will attack, one that is honest."""
    clock(follower).at = NOW
    with serving(next(CODES), next(CODES)) as (bad, good):
        for server in (bad, good):
            server.token = server.region.token(5)
            follower.region_sync.adopt(server.url, server.region.anchor, LOCAL_OPERATOR)
        yield bad, good
        for server in (bad, good):
            follower.regions.forget(server.region.code, LOCAL_OPERATOR)


def clock(vault: Vault) -> FixedClock:
    assert isinstance(vault.clock, FixedClock)
    return vault.clock


def attacked(follower: Vault, served: tuple[RegionServer, RegionServer]) -> Synced:
    """Sync while the honest region has news: that comes, and of the other nothing changes. How it went with that."""
    bad, good = served
    before = follower.regions.one(bad.region.code).state
    good.token = good.region.token(6, issued=clock(follower).at)
    found = {s.region: s for s in follower.region_sync.sync(LOCAL_OPERATOR)}
    assert found[good.region.code].code == ""
    assert follower.regions.get(good.region.code).sequence == 6
    after = follower.regions.one(bad.region.code)
    assert replace(after.state, faults=before.faults) == before
    synced = found[bad.region.code]
    assert after.contact.outcome == synced.code
    assert synced.code
    assert synced.reason.zh
    assert synced.reason.en
    return synced


def test_an_older_list_is_served_again(follower: Vault, served: tuple[RegionServer, RegionServer]) -> None:
    served[0].token = served[0].region.token(4)
    assert attacked(follower, served).code == "TRUST_LIST_ROLLBACK"
    code = served[0].region.code
    assert follower.regions.get(code).faults == ("TRUST_LIST_ROLLBACK",)
    served[0].token = served[0].region.token(5)
    follower.region_sync.sync(LOCAL_OPERATOR, [code])
    assert follower.regions.get(code).faults == ()


def test_the_list_is_frozen_past_its_time(follower: Vault, served: tuple[RegionServer, RegionServer]) -> None:
    clock(follower).at = NOW + 8 * DAY
    assert attacked(follower, served).code == "TRUST_LIST_EXPIRED"
    assert follower.regions.get(served[0].region.code).stale


def test_the_list_is_frozen_by_saying_that_nothing_changed(
    follower: Vault, served: tuple[RegionServer, RegionServer]
) -> None:
    bad, _ = served
    bad.answers["/v1/trust-list"] = lambda q: (200, {"ETag": '"5"'}, bad.token)
    follower.region_sync.sync(LOCAL_OPERATOR, [bad.region.code])
    bad.answers["/v1/trust-list"] = lambda q: (304, {}, b"")
    clock(follower).at = NOW + 8 * DAY
    assert attacked(follower, served).code == "TRUST_LIST_EXPIRED"


def test_two_lists_have_one_number(follower: Vault, served: tuple[RegionServer, RegionServer]) -> None:
    bad, _ = served
    bad.token = bad.region.token(5, name="另一份")
    assert attacked(follower, served).code == "TRUST_LIST_EQUIVOCATED"
    bad.token = bad.region.token(6)
    follower.region_sync.sync(LOCAL_OPERATOR, [bad.region.code])
    assert follower.regions.get(bad.region.code).faults == ("TRUST_LIST_EQUIVOCATED",)  # until a person adopts anew
    assert follower.regions.adopt(bad.token, bad.region.anchor, LOCAL_OPERATOR).faults == ()


def test_a_list_of_another_region_is_signed_under_this_anchor(
    follower: Vault, served: tuple[RegionServer, RegionServer]
) -> None:
    bad, good = served
    bad.token = signed_list(replace(bad.region.listed(6), region=good.region.code), bad.region.pkis[0])
    assert attacked(follower, served).code == "TRUST_LIST_REGION_DIFFERS"


def test_another_region_s_list_is_served(follower: Vault, served: tuple[RegionServer, RegionServer]) -> None:
    served[0].token = served[1].token
    assert attacked(follower, served).code == "TRUST_LIST_REGION_DIFFERS"


@pytest.mark.parametrize("purpose", [KeyPurpose.STATUS, KeyPurpose.SEAL, KeyPurpose.ANSWER])
def test_a_key_for_something_else_signs_the_list(
    follower: Vault, served: tuple[RegionServer, RegionServer], purpose: KeyPurpose
) -> None:
    bad, _ = served
    bad.token = signed_by_another_purpose(bad.region.listed(6), bad.region.pkis[0], purpose)
    assert attacked(follower, served).code == "TRUST_LIST_UNTRUSTED"


def test_a_revoked_key_signs_the_list(follower: Vault, served: tuple[RegionServer, RegionServer]) -> None:
    """The revocation list came with the list that is held; the thief leaves it out."""
    bad, _ = served
    pki = bad.region.pkis[0]
    crl = crl_against_trust_list_key(pki, NOW + DAY, at=NOW)
    bad.token = bad.region.token(6, crls=(crl,))
    follower.region_sync.sync(LOCAL_OPERATOR, [bad.region.code])
    clock(follower).at = NOW + 2 * DAY
    bad.token = bad.region.token(7, issued=NOW + DAY / 2)
    assert attacked(follower, served).code == "TRUST_LIST_UNTRUSTED"


def test_a_strange_key_signs_the_list(follower: Vault, served: tuple[RegionServer, RegionServer]) -> None:
    served[0].token = served[0].region.token(6, by=region_pki("Stranger"))
    assert attacked(follower, served).code == "TRUST_LIST_UNTRUSTED"


def test_an_anchor_is_left_out(follower: Vault, served: tuple[RegionServer, RegionServer]) -> None:
    bad, _ = served
    bad.region.roll(region_pki("Second"))
    bad.region.roll(region_pki("Third"))
    del bad.region.anchors[1]
    assert attacked(follower, served).code == "ANCHOR_SKIPPED"


def test_the_new_root_alone_vouches_for_itself(follower: Vault, served: tuple[RegionServer, RegionServer]) -> None:
    bad, _ = served
    thief = region_pki("Thief")
    bad.region.anchors.append(bad.region.next_anchor(thief, by=(thief,)))
    assert attacked(follower, served).code == "ANCHOR_NOT_VOUCHED"


def test_a_stolen_root_below_the_threshold_cannot_roll_the_anchor(follower: Vault) -> None:
    with serving(next(CODES)) as (server,):
        region, second, thief = server.region, region_pki("Second"), region_pki("Thief")
        own = region.pkis[0]
        region.anchors = [Anchor(region.code, (own.root.certificate, second.root.certificate), 2)]
        follower.region_sync.adopt(server.url, region.anchor, LOCAL_OPERATOR)
        honest = list(region.anchors)
        region.anchors.append(region.next_anchor(thief, by=(own, own, thief)))
        (synced,) = follower.region_sync.sync(LOCAL_OPERATOR, [region.code])
        assert synced.code == "ANCHOR_NOT_VOUCHED"
        region.anchors = honest
        region.anchors.append(vouched(region.next_anchor(second, by=(own,)), second))
        server.token = region.token(2, by=second)
        (synced,) = follower.region_sync.sync(LOCAL_OPERATOR, [region.code])
        assert (synced.code, synced.sequence) == ("", 2)
        follower.regions.forget(region.code, LOCAL_OPERATOR)


def test_the_list_is_from_the_future(follower: Vault, served: tuple[RegionServer, RegionServer]) -> None:
    served[0].token = served[0].region.token(6, issued=NOW + DAY)
    assert attacked(follower, served).code == "TRUST_LIST_FUTURE"


def test_the_list_is_endless(
    follower: Vault, served: tuple[RegionServer, RegionServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(certvault.regionsync, "ROOM", 100_000)
    served[0].token = b"x" * 2_000_000
    synced = attacked(follower, served)
    assert synced.code == "TRUST_LIST_UNREACHABLE"
    assert synced.received < 20_000  # the anchors
    assert "bytes" in synced.reason.en


def lying(server: RegionServer, change: Callable[[dict[str, object]], None]) -> None:
    """Serve a difference in which something is changed; the whole list stays honest."""
    region = server.region
    server.token = region.token(6, name="新名称")
    told = difference(region.listed(5).to_json(), region.listed(6, name="新名称").to_json(), server.token.decode())
    assert told is not None
    value = json.loads(told)
    change(value)
    body = json.dumps(value).encode()
    server.answers["/v1/trust-list"] = lambda q: (200, {}, body if "from=" in q else server.token)


@pytest.mark.parametrize(
    "change",
    [
        lambda v: v["put"].pop("scheme"),
        lambda v: v["put"].update({"issuer:1": {"TrustedEntityInformation": {}}}),
        lambda v: v["remove"].append("issuer:11410200MB1234567C"),
        lambda v: v.update({"from": 4}),
        lambda v: v.update(signature="AAAA"),
        lambda v: v.update(put=[]),
    ],
    ids=["left out", "put in", "removed", "from another", "signature", "no parts"],
)
def test_a_difference_lies(
    follower: Vault, served: tuple[RegionServer, RegionServer], change: Callable[[dict[str, object]], None]
) -> None:
    """It is found out by the region's own signature, and the whole list is asked for instead."""
    bad, _ = served
    lying(bad, change)
    (synced,) = follower.region_sync.sync(LOCAL_OPERATOR, [bad.region.code])
    assert (synced.code, synced.how, synced.sequence) == ("", "list", 6)


def test_an_honest_difference_is_followed(follower: Vault, served: tuple[RegionServer, RegionServer]) -> None:
    bad, _ = served
    lying(bad, lambda v: None)
    (synced,) = follower.region_sync.sync(LOCAL_OPERATOR, [bad.region.code])
    assert (synced.code, synced.how, synced.sequence) == ("", "difference", 6)


def test_the_server_points_elsewhere(follower: Vault, served: tuple[RegionServer, RegionServer]) -> None:
    bad, good = served
    bad.answers["/v1/trust-list"] = lambda q: (302, {"Location": good.url}, b"")
    asked = len(good.asked)
    assert attacked(follower, served).code == "TRUST_LIST_UNREACHABLE"
    assert len(good.asked) == asked + 3  # its own anchors, list and status list, nothing more


def test_the_list_names_addresses_elsewhere(follower: Vault, served: tuple[RegionServer, RegionServer]) -> None:
    bad, good = served
    points = replace(bad.region.listed().endpoints, trust_list=good.url)
    bad.token = bad.region.token(6, endpoints=points)
    assert attacked(follower, served).code == "TRUST_LIST_BROKEN"


def test_the_server_is_slow(
    follower: Vault, served: tuple[RegionServer, RegionServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(certvault.regionsync, "SECONDS", 1.0)
    bad, _ = served

    def slow(query: str) -> tuple[int, dict[str, str], bytes]:
        time.sleep(3)
        return 200, {}, b""

    bad.answers["/v1/trust-list"] = slow
    started = time.monotonic()
    assert attacked(follower, served).code == "TRUST_LIST_UNREACHABLE"
    assert time.monotonic() - started < 2.5


def test_the_server_is_gone(follower: Vault, served: tuple[RegionServer, RegionServer]) -> None:
    served[0].close()
    assert attacked(follower, served).code == "TRUST_LIST_UNREACHABLE"


@pytest.mark.parametrize("body", [b"", b"[]", b'{"anchors": 1}', b'{"anchors": [{}]}', b"[" * 100_000])
def test_anchors_are_rubbish(follower: Vault, served: tuple[RegionServer, RegionServer], body: bytes) -> None:
    served[0].answers["/v1/trust-list/anchors"] = lambda q: (200, {}, body)
    assert attacked(follower, served).code == "ANCHOR_BROKEN"


def test_a_list_claims_the_root_of_another_region(follower: Vault, served: tuple[RegionServer, RegionServer]) -> None:
    bad, good = served
    roots = (bad.region.pkis[0].root.certificate, good.region.pkis[0].root.certificate)
    bad.token = bad.region.token(6, roots=roots)
    assert attacked(follower, served).code == "TRUST_LIST_ROOT_TAKEN"


def test_a_list_claims_our_own_root(follower: Vault, served: tuple[RegionServer, RegionServer]) -> None:
    bad, _ = served
    bad.token = bad.region.token(6, roots=(bad.region.pkis[0].root.certificate, *follower.pki.roots()))
    assert attacked(follower, served).code == "TRUST_LIST_ROOT_TAKEN"


def test_who_fails_is_asked_more_and_more_seldom(follower: Vault, served: tuple[RegionServer, RegionServer]) -> None:
    bad, good = served
    bad.token = b"rubbish"
    waits = []
    for _ in range(4):
        follower.region_sync.sync(LOCAL_OPERATOR, [bad.region.code])
        retry = follower.regions.one(bad.region.code).contact.retry_at
        assert retry is not None
        waits.append((retry - NOW).total_seconds() / 60)
    assert all(0.75 * 15 * 2**n <= w <= 1.25 * 15 * 2**n for n, w in enumerate(waits, start=1)), waits
    assert follower.region_sync.sync_due() == [] or follower.regions.one(good.region.code).contact.retry_at
    clock(follower).at = NOW + DAY
    bad.token = bad.region.token(6)
    assert {s.region: s.code for s in follower.region_sync.sync_due()}[bad.region.code] == ""
    assert follower.regions.get(bad.region.code).failures == 0


# --- adoption by hand --------------------------------------------------------------------------------------------


def refused(work: Callable[[], object]) -> str:
    with pytest.raises(RefusedError) as caught:
        work()
    first = caught.value.first
    assert first.reason.zh
    assert first.remedy.en
    return first.code


def test_a_list_is_not_adopted_under_another_region_s_anchor(
    follower: Vault, served: tuple[RegionServer, RegionServer]
) -> None:
    bad, good = served
    token = bad.region.token(6)
    assert refused(lambda: follower.regions.adopt(token, good.region.anchor, LOCAL_OPERATOR)) == (
        "TRUST_LIST_REGION_DIFFERS"
    )
    forged = replace(bad.region.anchor, certificates=good.region.anchor.certificates)
    assert refused(lambda: follower.regions.adopt(token, forged, LOCAL_OPERATOR)) == "ANCHOR_EQUIVOCATED"


def test_an_older_list_is_not_adopted_by_hand_either(
    follower: Vault, served: tuple[RegionServer, RegionServer]
) -> None:
    bad, _ = served
    with pytest.raises(ConflictError):
        follower.regions.adopt(bad.region.token(4), bad.region.anchor, LOCAL_OPERATOR)
    assert follower.regions.get(bad.region.code).faults == ()  # the file was old, the region did nothing


def test_our_own_region_is_not_adopted(follower: Vault) -> None:
    token = follower.trust_lists.newest().token.encode()
    assert refused(lambda: follower.regions.adopt(token, follower.anchors.current(), LOCAL_OPERATOR)) == "REGION_OWN"


def test_a_list_is_not_adopted_from_an_address_that_it_does_not_name(follower: Vault) -> None:
    with serving(next(CODES)) as (server,):
        server.region.base = "https://elsewhere.example"
        server.token = server.region.token()
        url = f"http://127.0.0.1:{server._http.server_address[1]}/v1/trust-list"
        assert refused(lambda: follower.region_sync.adopt(url, server.region.anchor, LOCAL_OPERATOR)) == (
            "TRUST_LIST_ADDRESS"
        )
        assert server.region.code not in {r.region for r in follower.regions.list()}


def test_every_refusal_is_in_the_audit(follower: Vault, served: tuple[RegionServer, RegionServer]) -> None:
    served[0].token = served[0].region.token(4)
    attacked(follower, served)
    lines = follower.audit.entries(LOCAL_OPERATOR, about=f"region:{served[0].region.code}").items
    kinds = {line.kind for line in lines}
    assert kinds >= {"REGION_ADOPTED", "TRUST_LIST_ADOPTED", "TRUST_LIST_REFUSED", "REGION_SYNC_FAILED"}
    assert follower.audit.verify_chain() == []
