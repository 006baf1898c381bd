"""A hub admits regions and hands their lists on; whatever it does, a member believes the regions and not the hub."""

from __future__ import annotations

import dataclasses
import datetime
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from certvault.bootstrap import LOCAL_OPERATOR, Vault, open_vault
from certvault.clock import FixedClock
from certvault.errors import SettingsError
from certvault.model.hub import HubRecord
from certvault.relaysync import Relayed
from certvault.seals import Wanted
from certvault.settings import read_settings
from signing.formats.hub import make_entry, sign_hub_list
from signing.formats.jose import signed_token
from signing.keys import KeyPurpose
from tests.conftest import NOW
from tests.support.nodes import Node, Nodes, nodes
from verify.formats.anchor import anchor_from_json
from verify.formats.hubentry import unverified_entry
from verify.formats.hublist import HubList, unverified_hub_list
from verify.formats.jose import encode_base64url
from verify.formats.notice import JWS_TYPE, KEY_COMPROMISED
from verify.formats.refusal import RefusedError
from verify.trust.hubs import HubError, check_entry, check_hub_list
from verify.trust.lists import Adopted, AdoptionError, Rules, offer_anchors

DAY = datetime.timedelta(days=1)


@dataclasses.dataclass
class World:
    """A nation's hub that admits two regions. Tests work on copies where they change what all see."""

    nodes: Nodes
    clock: FixedClock
    hub: Node
    kaifeng: Node
    shanghai: Node
    fresh: Vault
    """The vault of Kaifeng before it knew anybody."""

    def member(self) -> Vault:
        """A copy of Kaifeng that follows the hub."""
        made = self.nodes.copy(self.fresh)
        follow(made, self.hub)
        return made


def follow(member: Vault, hub: Node) -> None:
    token = hub.vault.hub.newest().token.encode()
    member.hubs.adopt(token, hub.vault.anchors.current(), LOCAL_OPERATOR, address=hub.url)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    clock = FixedClock(NOW)
    with nodes(tmp_path_factory.mktemp("hub"), clock) as made:
        hub = made.make("hub", "100000", hub=True, name="国家枢纽")
        kaifeng = made.make("kaifeng", "410200", name="开封市证照库")
        shanghai = made.make("shanghai", "310100", name="上海市证照库", suite="p256")
        fresh = made.copy(kaifeng)
        for node in (kaifeng, shanghai):
            hub.vault.hub.admit(node.vault.anchors.current(), LOCAL_OPERATOR, address=node.url)
        assert hub.vault.gathering.gather() == [("310100", ""), ("410200", "")]
        yield World(made, clock, hub, kaifeng, shanghai, fresh)


@pytest.fixture(autouse=True)
def _as_it_was(request: pytest.FixtureRequest) -> Iterator[None]:
    yield
    if "world" in request.fixturenames:
        made: World = request.getfixturevalue("world")
        made.clock.at = NOW
        for node in (made.hub, made.kaifeng, made.shanghai):
            node.canned.clear()
            node.asked.clear()


def changed(vault: Vault) -> Vault:
    """The vault after something that its trust list tells."""
    vault.issuers.add("另一机关", "11100000000013338W", actor=LOCAL_OPERATOR)
    return vault


def hub_list(vault: Vault, **changes: Any) -> bytes:
    """A list of lists as the hub would sign it, with other content."""
    found, _ = unverified_hub_list(vault.hub.newest().token)
    return signed(vault, dataclasses.replace(found, **changes))


def signed(vault: Vault, listed: HubList) -> bytes:
    key = vault.anchors.list_key()
    signer = vault._keyring.signer(key.key)
    return sign_hub_list(listed.payload(), signer=signer, chain=key.chain).encode()


def code_of(refused: pytest.ExceptionInfo[RefusedError]) -> str:
    return refused.value.first.code


# --- the role ---------------------------------------------------------------------------------------------------


DOORS: dict[str, Callable[[Vault, Path], object]] = {
    "issue": lambda v, p: v.issuing.issue("food-business-license", {}, actor=LOCAL_OPERATOR),
    "mint": lambda v, p: v.minting.mint("food-business-license", p / "rows.csv", p / "out", actor=LOCAL_OPERATOR),
    "upload": lambda v, p: v.minting.start_upload("food-business-license", "rows.csv", b"a\n1\n", actor=LOCAL_OPERATOR),
    "issuer": lambda v, p: v.issuers.add("机关", "11100000000013338W", actor=LOCAL_OPERATOR),
    "seal": lambda v, p: v.seals.apply("official", actor=LOCAL_OPERATOR, wanted=Wanted()),
}


@pytest.mark.parametrize("door", DOORS)
def test_a_hub_keeps_no_licenses(world: World, door: str, tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("a\n1\n", "utf-8")
    with pytest.raises(RefusedError) as refused:
        DOORS[door](world.hub.vault, tmp_path)
    assert code_of(refused) == "HUB_KEEPS_NO_LICENSES"
    with world.hub.vault._database.reading() as view:
        assert not view.licenses.all()
        assert not view.issuers.all()


@pytest.mark.parametrize(("which", "role"), [("kaifeng", "hub"), ("hub", "region")])
def test_a_vault_does_not_change_its_role(world: World, which: str, role: str) -> None:
    """Not by a changed setting: the database remembers what the vault was made as."""
    vault = world.nodes.copy(getattr(world, which))
    folder = vault.settings.folder
    dataclasses.replace(read_settings(folder), role=role).write()
    with pytest.raises(SettingsError, match="stays"):
        open_vault(folder, clock=world.clock)


def test_a_vault_of_licenses_admits_nobody(world: World) -> None:
    anchor = world.shanghai.vault.anchors.current()
    with pytest.raises(RefusedError) as refused:
        world.kaifeng.vault.hub.admit(anchor, LOCAL_OPERATOR, address=world.shanghai.url)
    assert code_of(refused) == "NOT_A_HUB"


# --- following --------------------------------------------------------------------------------------------------


def test_a_member_has_each_list_as_its_region_signed_it(world: World) -> None:
    member = world.member()
    held = member.regions.one("310100").state
    assert held.token == world.shanghai.token()
    assert held.anchor.statement() == world.shanghai.vault.anchors.current().statement()
    assert [r.region for r in member.regions.list()] == ["310100"], "its own region is no other"
    assert not any(p.startswith("/v1/trust-list") for p in world.shanghai.asked), "the member asked the hub alone"
    known = member.regions.trust()
    assert known is not None
    assert known.of_anchor(next(iter(held.anchor.digests()))) is known.named("310100")


def test_nothing_new_costs_one_request(world: World) -> None:
    member = world.member()
    world.hub.asked.clear()
    assert member.hubs.sync().hubs == (("100000", ""),)
    assert world.hub.asked == ["/v1/hub/lists"]
    with member._database.reading() as view:
        kept = view.hubs.get("100000")
    assert kept is not None
    assert kept.etag == world.hub.vault.hub.newest().etag


def test_a_later_list_comes_as_a_difference(world: World) -> None:
    hub, shanghai = world.nodes.copy(world.hub), changed(world.nodes.copy(world.shanghai))
    member = world.member()
    later = shanghai.trust_lists.newest().token.encode()
    world.shanghai.canned["/v1/trust-list"] = 200, later
    hub.gathering.gather()
    delta = hub.hub.delta("310100", 1)
    assert delta is not None
    assert len(delta) < len(later) / 2
    world.hub.canned |= {
        "/v1/hub/lists": (200, hub.hub.newest().token.encode()),
        "/v1/hub/lists/310100": (200, delta),
    }
    assert member.hubs.sync().regions == (("310100", ""),)
    assert member.regions.one("310100").state.token == later
    assert "/v1/hub/lists/310100?from=1" in world.hub.asked


def test_a_withdrawn_region_is_let_go(world: World) -> None:
    hub, member = world.nodes.copy(world.hub), world.member()
    hub.hub.withdraw("310100", LOCAL_OPERATOR)
    assert [r.region for r in hub.regions.list()] == ["410200"]
    world.hub.canned["/v1/hub/lists"] = 200, hub.hub.newest().token.encode()
    assert member.hubs.sync().hubs == (("100000", ""),)
    assert member.regions.list() == []


def test_a_region_known_directly_is_not_taken_from_the_hub(world: World) -> None:
    member = world.nodes.copy(world.fresh)
    anchor = world.shanghai.vault.anchors.current()
    member.region_sync.adopt(f"{world.shanghai.url}/v1/trust-list", anchor, LOCAL_OPERATOR)
    follow(member, world.hub)
    world.hub.asked.clear()
    assert member.hubs.sync().regions == (("310100", ""),)
    assert member.region_sync.sync(LOCAL_OPERATOR)[0].code == ""
    assert not any(p.startswith("/v1/hub/lists/") for p in world.hub.asked)
    hub = world.nodes.copy(world.hub)
    hub.hub.withdraw("310100", LOCAL_OPERATOR)
    world.hub.canned["/v1/hub/lists"] = 200, hub.hub.newest().token.encode()
    member.hubs.sync()
    assert [r.region for r in member.regions.list()] == ["310100"], "what the hub says is nothing to it"


def test_a_root_rolled_over_is_followed_through_the_hub(world: World) -> None:
    member, hub, shanghai = world.member(), world.nodes.copy(world.hub), world.nodes.copy(world.shanghai)
    shanghai._maintenance.rollover("root", LOCAL_OPERATOR) if hasattr(shanghai._maintenance, "rollover") else None
    from certvault.certification import Certification

    certification = Certification(shanghai._database, shanghai._keyring, shanghai.settings)
    certification.new_root(world.clock.now(), "test")
    moved = shanghai.anchors.current()
    assert moved.sequence == 2
    world.shanghai.canned |= {
        "/v1/trust-list": (200, shanghai.trust_lists.newest().token.encode()),
        "/v1/trust-list/anchors": (
            200,
            json.dumps({"anchors": [a.to_json() for a in shanghai.anchors.all()]}).encode(),
        ),
    }
    assert dict(hub.gathering.gather())["310100"] == ""
    anchors = {"anchors": [a.to_json() for a in hub.hub.region_anchors("310100")]}
    assert [a["sequence"] for a in anchors["anchors"]] == [1, 2]
    world.hub.canned |= {
        "/v1/hub/lists": (200, hub.hub.newest().token.encode()),
        "/v1/hub/lists/310100": (200, hub.hub.region_list("310100")),
        "/v1/hub/anchors/310100": (200, json.dumps(anchors).encode()),
    }
    assert member.hubs.sync().regions == (("310100", ""),)
    assert member.regions.one("310100").state.anchor.sequence == 2


def test_three_levels_and_regions_that_do_not_know_one_another(world: World) -> None:
    """Nation, province, city: a member that follows the nation's hub finds the city, and checks each step itself."""
    province = world.nodes.make("henan", "410000", hub=True, name="河南省枢纽")
    city = world.nodes.make("luoyang", "410300", name="洛阳市证照库")
    province.vault.hub.admit(city.vault.anchors.current(), LOCAL_OPERATOR, address=city.url)
    province.vault.gathering.gather()
    nation = world.nodes.copy(world.hub)
    nation.hub.admit(province.vault.anchors.current(), LOCAL_OPERATOR, address=province.url, kind="hub")
    assert dict(nation.gathering.gather())["410000"] == ""
    world.hub.canned["/v1/hub/lists"] = 200, nation.hub.newest().token.encode()
    member = world.nodes.copy(world.fresh)
    member.hubs.adopt(
        nation.hub.newest().token.encode(), nation.anchors.current(), LOCAL_OPERATOR, address=world.hub.url
    )
    assert member.hubs.sync().hubs == (("100000", ""), ("410000", ""))
    assert {(h.hub, h.above, h.depth) for h in member.hubs.list()} == {("100000", "", 1), ("410000", "100000", 2)}
    assert member.regions.one("410300").state.token == city.token()
    held = nation.hub.region_list("410000")
    assert held == province.vault.hub.newest().token.encode(), "the nation hands on what the province signed"


def test_hubs_below_hubs_end_after_four_levels(world: World) -> None:
    member = world.member()
    anchor = json.dumps(world.shanghai.vault.anchors.current().to_json())
    with member._database.writing() as uow:
        from certvault.model.keys import event

        deep = HubRecord("990000", anchor, "http://127.0.0.1:9", world.clock.now(), above="980000", depth=5)
        uow.hubs.save(deep, event("TEST", "hub", "test"))
    assert "990000" not in dict(member.hubs.sync().hubs)


# --- who admits -------------------------------------------------------------------------------------------------


def test_a_hub_admits_regions_of_its_own_territory_only(world: World) -> None:
    vault = world.nodes.copy(world.hub)
    entry, _ = unverified_entry(
        vault.hub.admit(world.kaifeng.vault.anchors.current(), LOCAL_OPERATOR, address="http://a.cn")
    )
    anchor = dataclasses.replace(vault.anchors.current(), region="310000")
    foreign = dataclasses.replace(entry, hub="310000", parent="310000")
    key = vault.anchors.list_key()
    token = make_entry(foreign, signer=vault._keyring.signer(key.key), chain=key.chain)
    with pytest.raises(HubError) as refused:
        check_entry(anchor, token, world.clock.now())
    assert refused.value.code == "REGION_OUTSIDE_HUB"


@pytest.fixture(scope="module")
def offline(world: World) -> tuple[Vault, Vault]:
    """A copy of the hub whose regions another vault's root admits, and that vault."""
    online = world.nodes.copy(world.hub)
    vault = world.nodes.make("offline", "100000", hub=True, name="离线根").vault
    waiting = online.hub.admit_by(vault.anchors.current(), LOCAL_OPERATOR)
    assert online.anchors.current().sequence == 1, "it counts once the other root has vouched"
    taken = online.anchors.take(vault.anchors.vouch(waiting, LOCAL_OPERATOR), LOCAL_OPERATOR)
    assert online.anchors.current() == taken
    assert set(taken.admits) == vault.anchors.current().digests()
    return online, vault


def test_the_hubs_own_key_admits_nobody_where_a_root_is_kept_offline(
    world: World, offline: tuple[Vault, Vault]
) -> None:
    online, vault = offline
    anchor = world.kaifeng.vault.anchors.current()
    with pytest.raises(RefusedError) as refused:
        online.hub.admit(anchor, LOCAL_OPERATOR, address="http://elsewhere.cn")
    assert code_of(refused) == "HUB_ENTRY_UNTRUSTED"
    token = vault.hub.admit(anchor, LOCAL_OPERATOR, address=world.kaifeng.url, until=NOW + 900 * DAY)
    entry, _ = unverified_entry(token)
    later = dataclasses.replace(entry, sequence=7)
    key = vault.anchors.list_key()
    online.hub.add(make_entry(later, signer=vault._keyring.signer(key.key), chain=key.chain), LOCAL_OPERATOR)
    assert next(i for i in online.hub.entries() if i.entry.region == "410200").entry.sequence == 7


def test_members_of_such_a_hub_refuse_what_it_signs_itself(world: World, offline: tuple[Vault, Vault]) -> None:
    online, _ = offline
    found, _ = unverified_hub_list(online.hub.newest().token)
    checked = check_hub_list(online.anchors.current(), signed(online, found).decode(), world.clock.now())
    codes = {r.region: r.code for r in checked.refused}
    assert codes["310100"] == "HUB_ENTRY_UNTRUSTED", "an entry from before, by the online root"
    assert "310100" not in {e.region for e, _ in checked.entries}


def test_the_online_root_does_not_take_the_admission_over(world: World, offline: tuple[Vault, Vault]) -> None:
    """An anchor without ``admits``, vouched for by the online root alone, though one root is enough for an anchor."""
    online, _ = offline
    current = online.anchors.current()
    root = online._keyring.certificate_der(online._keyring.active_ca("root"))
    wanted = dataclasses.replace(current, sequence=current.sequence + 1, admits=(), signatures=())
    stolen = dataclasses.replace(wanted, signatures=(online.anchors._signature(wanted, root),))
    with pytest.raises(AdoptionError) as refused:
        offer_anchors(Adopted(current), [stolen], Rules(world.clock.now()))
    assert refused.value.code == "ANCHOR_NOT_VOUCHED"
    kept = dataclasses.replace(wanted, admits=current.admits, name="同一枢纽")
    fine = dataclasses.replace(kept, signatures=(online.anchors._signature(kept, root),))
    assert offer_anchors(Adopted(current), [fine], Rules(world.clock.now())).anchor == fine


@pytest.mark.parametrize("flaw", ["older", "other", "broken", "tampered", "other-hub", "future"])
def test_entries_that_do_not_count(world: World, flaw: str) -> None:
    vault = world.nodes.copy(world.hub)
    first = next(i.token for i in vault.hub.entries() if i.entry.region == "310100")
    entry, _ = unverified_entry(first)
    key = vault.anchors.list_key()

    def made(**changes: Any) -> str:
        return make_entry(dataclasses.replace(entry, **changes), signer=vault._keyring.signer(key.key), chain=key.chain)

    vault.hub.add(made(sequence=2, address="http://new.cn"), LOCAL_OPERATOR)
    head, _, value = first.split(".")
    evil = encode_base64url(dataclasses.replace(entry, sequence=9, address="http://evil.cn").payload())
    offered, expected = {
        "older": (first, "HUB_ENTRY_ROLLBACK"),
        "other": (made(sequence=2, address="http://other.cn"), "HUB_ENTRY_EQUIVOCATED"),
        "broken": ("x.y.z", "HUB_ENTRY_BROKEN"),
        "tampered": (f"{head}.{evil}.{value}", "HUB_ENTRY_UNTRUSTED"),
        "other-hub": (made(sequence=3, hub="320000", parent="320000"), "HUB_ENTRY_OTHER_HUB"),
        "future": (made(sequence=3, admitted=NOW + DAY), "HUB_ENTRY_FUTURE"),
    }[flaw]
    with pytest.raises(RefusedError) as refused:
        vault.hub.add(offered, LOCAL_OPERATOR)
    assert code_of(refused) == expected
    kept = next(i for i in vault.hub.entries() if i.entry.region == "310100").entry
    assert kept.address == "http://new.cn"


# --- a hub that lies --------------------------------------------------------------------------------------------


def test_a_former_list_of_lists_is_refused(world: World) -> None:
    member = world.nodes.copy(world.fresh)
    former = world.hub.vault.hub.newest().token.encode()
    later = hub_list(world.hub.vault, sequence=9)
    member.hubs.adopt(later, world.hub.vault.anchors.current(), LOCAL_OPERATOR, address=world.hub.url)
    world.hub.canned["/v1/hub/lists"] = 200, former
    assert member.hubs.sync().hubs == (("100000", "HUB_LIST_ROLLBACK"),)
    assert member.hubs.get("100000").faults == ("HUB_LIST_ROLLBACK",)
    assert member.hubs.get("100000").sequence == 9


def test_two_lists_of_lists_with_one_number_are_noticed(world: World) -> None:
    member = world.member()
    world.hub.canned["/v1/hub/lists"] = 200, hub_list(world.hub.vault, name="另一内容")
    assert member.hubs.sync().hubs == (("100000", "HUB_LIST_EQUIVOCATED"),)
    assert member.hubs.get("100000").faults == ("HUB_LIST_EQUIVOCATED",)


def test_a_hub_that_withholds_goes_stale(world: World) -> None:
    """Freeze: it goes on serving what was right once. The regions that are known are kept, and grow old."""
    member = world.member()
    world.hub.canned["/v1/hub/lists"] = 200, world.hub.vault.hub.newest().token.encode()
    world.clock.at = NOW + 8 * DAY
    assert member.hubs.sync().hubs == (("100000", "HUB_STALE"),)
    assert member.hubs.get("100000").stale
    assert "HUB_STALE" in member.hubs.get("100000").faults
    assert [(r.region, r.stale) for r in member.regions.list()] == [("310100", True)]


def test_a_strangers_list_of_lists_is_refused(world: World) -> None:
    other = world.nodes.copy(world.kaifeng)
    member = world.member()
    found, _ = unverified_hub_list(world.hub.vault.hub.newest().token)
    world.hub.canned["/v1/hub/lists"] = 200, signed(other, dataclasses.replace(found, sequence=50))
    assert member.hubs.sync().hubs == (("100000", "HUB_LIST_UNTRUSTED"),)
    assert member.hubs.get("100000").sequence == found.sequence
    world.hub.canned["/v1/hub/lists"] = 200, b"<html>"
    assert member.hubs.sync().hubs == (("100000", "HUB_LIST_BROKEN"),)


def served_by_hub(world: World, token: bytes, *, sequence: int | None = None) -> None:
    """Let the hub serve another list of Shanghai, and name it in its list of lists."""
    from verify.formats.trustlist import unverified_trust_list
    from verify.trust.hubs import payload_digest

    listed, jws = unverified_trust_list(token)
    found, _ = unverified_hub_list(world.hub.vault.hub.newest().token)
    items = []
    for item in found.admitted:
        held = item.held
        if held is not None and item.read()[0].region == "310100":
            held = dataclasses.replace(
                held, sequence=sequence or listed.sequence, sha256=payload_digest(jws.payload), size=len(token)
            )
        items.append(dataclasses.replace(item, held=held))
    forged = dataclasses.replace(found, sequence=found.sequence + 20, admitted=tuple(items))
    world.hub.canned |= {
        "/v1/hub/lists": (200, signed(world.hub.vault, forged)),
        "/v1/hub/lists/310100": (200, token),
    }


def test_a_former_list_of_a_region_from_the_hub_is_a_fault(world: World) -> None:
    former = world.shanghai.token()
    later = changed(world.nodes.copy(world.shanghai)).trust_lists.newest().token.encode()
    member = world.member()
    served_by_hub(world, later)
    assert member.hubs.sync().regions == (("310100", ""),)
    served_by_hub(world, former)
    world.hub.canned["/v1/hub/lists"] = 200, _later(world, world.hub.canned["/v1/hub/lists"][1])
    assert member.hubs.sync().regions == (("310100", "TRUST_LIST_ROLLBACK"),)
    assert member.regions.one("310100").state.token == later, "nothing adopted is lost"
    assert member.regions.get("310100").faults == ("TRUST_LIST_ROLLBACK",)
    assert "TRUST_LIST_ROLLBACK" in member.hubs.get("100000").faults


def _later(world: World, token: bytes) -> bytes:
    found, _ = unverified_hub_list(token)
    return signed(world.hub.vault, dataclasses.replace(found, sequence=found.sequence + 1))


def test_two_lists_with_one_number_are_detected_through_the_hub(world: World) -> None:
    """The region shows one list to the hub and another to whoever asks it directly. Both are kept as evidence."""
    one, other = changed(world.nodes.copy(world.shanghai)), world.nodes.copy(world.shanghai)
    other.issuers.add("第三机关", "12100000425006061L", actor=LOCAL_OPERATOR)
    shown, hidden = one.trust_lists.newest().token.encode(), other.trust_lists.newest().token.encode()
    member = world.nodes.copy(world.fresh)
    world.shanghai.canned["/v1/trust-list"] = 200, shown
    anchor = world.shanghai.vault.anchors.current()
    member.region_sync.adopt(f"{world.shanghai.url}/v1/trust-list", anchor, LOCAL_OPERATOR)
    served_by_hub(world, hidden)
    follow_canned(member, world)
    assert member.hubs.sync().regions == (("310100", "TRUST_LIST_EQUIVOCATED"),)
    assert member.regions.get("310100").faults == ("TRUST_LIST_EQUIVOCATED",)
    (evidence,) = member.hubs.evidence()
    assert (evidence.region, evidence.sequence) == ("310100", 2)
    assert {source for _, source, _ in evidence.contents} == {"direct", "hub:100000"}
    with member._database.reading() as view:
        import zlib

        assert {zlib.decompress(s.token) for s in view.seen_lists.all()} == {shown, hidden}


def follow_canned(member: Vault, world: World) -> None:
    token = world.hub.canned["/v1/hub/lists"][1]
    member.hubs.adopt(token, world.hub.vault.anchors.current(), LOCAL_OPERATOR, address=world.hub.url)


def test_a_hub_cannot_make_a_region_look_false(world: World) -> None:
    """It names another digest under the number that is held, but has no list that the region signed."""
    member = world.member()
    token = world.shanghai.token()
    served_by_hub(world, changed(world.nodes.copy(world.shanghai)).trust_lists.newest().token.encode(), sequence=1)
    world.hub.canned["/v1/hub/lists/310100"] = 200, token
    member.hubs.sync()
    assert member.regions.get("310100").faults == ()
    assert member.hubs.evidence() == ()


def test_a_list_that_the_region_did_not_sign_is_refused(world: World) -> None:
    member = world.member()
    later = changed(world.nodes.copy(world.shanghai)).trust_lists.newest().token.encode()
    served_by_hub(world, later)
    head, payload, value = later.split(b".")
    world.hub.canned["/v1/hub/lists/310100"] = 200, b".".join((head, payload, value[:-4] + b"AAAA"))
    assert member.hubs.sync().regions == (("310100", "TRUST_LIST_UNTRUSTED"),)
    assert member.regions.get("310100").sequence == 1


def test_one_region_that_fails_keeps_no_other_from_it(world: World) -> None:
    hub, member = world.nodes.copy(world.hub), world.nodes.copy(world.shanghai)
    world.hub.canned["/v1/hub/lists/410200"] = 200, b"\0" * 1000
    follow(member, world.hub)
    assert member.hubs.sync().regions == (("410200", "TRUST_LIST_BROKEN"),)
    world.kaifeng.canned["/v1/trust-list"] = 500, b"no"
    world.kaifeng.canned["/v1/trust-list/anchors"] = 500, b"no"
    done = dict(hub.gathering.gather())
    assert (done["410200"], done["310100"]) == ("TRUST_LIST_UNREACHABLE", "")


# --- over HTTP --------------------------------------------------------------------------------------------------


def test_what_a_hub_serves(world: World) -> None:
    import httpx

    with httpx.Client(base_url=world.hub.url, trust_env=False) as client:
        lists = client.get("/v1/hub/lists")
        assert lists.headers["content-type"] == "application/jose"
        found, _ = unverified_hub_list(lists.content)
        assert [a.read()[0].region for a in found.admitted] == ["310100", "410200"]
        again = client.get("/v1/hub/lists", headers={"If-None-Match": lists.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
        listed = client.get("/v1/hub/lists/310100")
        assert listed.content == world.shanghai.token()
        assert client.get("/v1/hub/lists/310100", headers={"If-None-Match": listed.headers["etag"]}).status_code == 304
        assert client.get("/v1/hub/lists/320500").status_code == 404
        assert client.get("/v1/hub/lists/x").status_code == 422
        (anchor,) = client.get("/v1/hub/anchors/310100").json()["anchors"]
        assert anchor_from_json(anchor) == world.shanghai.vault.anchors.current()
        items = client.get("/v1/hub/entries").json()["items"]
        assert [(i["region"], i["kind"], i["level"], i["withdrawn"]) for i in items] == [
            ("310100", "region", 3, False),
            ("410200", "region", 3, False),
        ]
        sha = next(a.held.sha256 for a in found.admitted if a.held and a.read()[0].region == "310100")
        told = client.post("/v1/hub/witness", json={"region": "310100", "sequence": 1, "sha256": sha}).json()
        assert told == {"agrees": True, "sha256": [sha]}
        other = client.post("/v1/hub/witness", json={"region": "310100", "sequence": 1, "sha256": "0" * 64}).json()
        assert other["agrees"] is False
        later = client.post("/v1/hub/witness", json={"region": "310100", "sequence": 9, "sha256": sha}).json()
        assert later["agrees"] is None
    with httpx.Client(base_url=world.kaifeng.url, trust_env=False) as client:
        assert client.get("/v1/hub/lists").json()["code"] == "NOT_A_HUB"


def test_agreements_and_notices_of_admitted_regions_are_handed_on(world: World) -> None:
    import httpx

    hub, member = world.nodes.copy(world.hub), world.member()
    made = member.agreements.make("310100", "food-business-license", "food-business-license", LOCAL_OPERATOR)
    kept = hub.relay.offer_agreement(made.signed)
    assert hub.relay.offer_agreement(made.signed) == kept, "twice is once"
    later = member.agreements.make("310100", "food-business-license", "food-business-license", LOCAL_OPERATOR)
    assert hub.relay.offer_agreement(later.signed).version == 2
    with pytest.raises(RefusedError) as refused:
        hub.relay.offer_agreement(made.signed + b" ")
    assert code_of(refused) == "HUB_DOCUMENT_OLD"
    assert [d.body for d in hub.relay.documents("agreement")] == [made.signed, later.signed]
    notice = world.nodes.copy(world.shanghai).notices.add("TEST", {"text": "示例"})
    assert hub.relay.offer_notice(notice.token).region == "310100"
    with httpx.Client(base_url=world.hub.url, trust_env=False) as client:
        answer = client.post("/v1/hub/agreements", content=made.signed, headers={"Content-Type": "application/json"})
        assert (answer.status_code, answer.json()["region"]) == (201, "410200")
        assert client.post("/v1/hub/notices", content=notice.token).status_code == 201
        assert [d["region"] for d in client.get("/v1/hub/notices").json()["items"]] == ["310100"]


@pytest.mark.parametrize("what", ["agreement", "notice"])
def test_a_hub_hands_nothing_on_that_a_stranger_signed(world: World, what: str) -> None:
    """A region that the hub does not admit any more, and a document that was changed on its way."""
    hub, member = world.nodes.copy(world.hub), world.member()
    made = member.agreements.make("310100", "food-business-license", "food-business-license", LOCAL_OPERATOR).signed
    token = member.notices.add("TEST", {"text": "示例"}).token
    offer = hub.relay.offer_agreement if what == "agreement" else hub.relay.offer_notice
    head, payload, _ = token.split(b".")
    changed_on_the_way = {
        "agreement": json.dumps(json.loads(made) | {"signatures": json.loads(made)["signatures"] * 2}).encode(),
        "notice": b".".join((head, payload, b"A" * 86)),
    }[what]
    with pytest.raises(RefusedError) as refused:
        offer(changed_on_the_way)
    assert code_of(refused) == "HUB_DOCUMENT_FOREIGN"
    hub.hub.withdraw("410200", LOCAL_OPERATOR)
    with pytest.raises(RefusedError) as refused:
        offer(made if what == "agreement" else token)
    assert code_of(refused) == "HUB_DOCUMENT_FOREIGN"
    with pytest.raises(RefusedError) as refused:
        offer(b"{}")
    assert code_of(refused) == f"{what.upper()}_BROKEN"


# --- what travels beside the lists ------------------------------------------------------------------------------

LOST = "ab" * 32
"""Digest of the certificate that a notice is about."""


def hands_out(world: World, *tokens: bytes) -> None:
    """Let the hub hand out these notices."""
    items = [{"number": n, "document": token.decode()} for n, token in enumerate(tokens, 1)]
    world.hub.canned["/v1/hub/notices"] = 200, json.dumps({"items": items, "next": None}).encode()


def test_a_notice_of_a_compromised_key_travels_from_region_to_hub_to_member(world: World) -> None:
    from api.regionjson import notice_json, said_of_notices

    hub, member = world.nodes.copy(world.hub), world.member()
    world.shanghai.vault.notices.add("TEST", {})  # a test before handed the hub another one of this number
    made = world.shanghai.vault.notices.add(KEY_COMPROMISED, {"key": {"certificate_sha256": LOST}})
    hub.gathering.gather()
    gathered = [d.body for d in hub.relay.documents("notice")]
    assert made.token in gathered
    hands_out(world, *gathered)
    assert member.relay_sync.sync().notices == len(gathered)
    notice = next(n for n in member.relay_sync.notices() if n.number == made.number)
    assert (notice.region, notice.kind, notice.key) == ("310100", KEY_COMPROMISED, LOST)
    assert notice_json(notice)["notice"] == made.token.decode()
    for lang, words in (("zh", "密钥已泄露"), ("en", "a key was compromised")):
        (line,) = said_of_notices([notice], lang)
        assert words in line
        assert LOST in line
        assert f"{NOW:%Y-%m-%d}" in line
    world.shanghai.asked.clear()
    hub.relay_sync.sync()
    assert f"/v1/notices?after={made.number}&limit=50" in world.shanghai.asked, "it is read on from there"
    hands_out(world)
    assert member.relay_sync.sync() == Relayed()


def test_a_notice_that_the_region_did_not_sign_is_not_kept(world: World) -> None:
    """The hub signs one in the region's name, changes one, and has one of a region that nobody knows."""
    member, hub = world.member(), world.hub.vault
    key = hub._keyring.active(KeyPurpose.ANSWER)
    chain = (hub._keyring.certificate_der(key), *hub.pki.above(key, with_root=False))
    claims = {"iss": world.shanghai.url, "iat": int(NOW.timestamp()), "region": "310100", "number": 7}
    forged = signed_token(
        {"typ": JWS_TYPE}, claims | {"kind": KEY_COMPROMISED}, signer=hub._keyring.signer(key), chain=chain
    ).encode()
    true = world.nodes.copy(world.shanghai).notices.add("TEST", {"text": "示例"}).token
    head, _, value = true.split(b".")
    changed_one = b".".join((head, encode_base64url(json.dumps(claims | {"kind": "TEST"}).encode()).encode(), value))
    hands_out(world, forged, changed_one, hub.notices.add("TEST", {}).token, b"{}", true)
    assert member.relay_sync.sync().notices == 1
    assert [n.token for n in member.relay_sync.notices()] == [true.decode()], "and what follows is kept all the same"


def test_a_hub_that_hands_out_nonsense_keeps_no_list_from_anybody(world: World) -> None:
    member = world.member()
    world.hub.canned["/v1/hub/notices"] = 200, b'{"items": [{"number": 0, "document": "x"}]}'
    world.hub.canned["/v1/hub/agreements"] = 500, b""
    assert set(member.relay_sync.sync().failed) == {"notices:100000:hub", "agreements:100000"}
    assert member.hubs.sync().hubs == (("100000", ""),)


def test_a_countersignature_travels_and_nobody_signs_unasked(world: World) -> None:
    accepting, issuing = world.member(), world.nodes.copy(world.shanghai)
    follow(issuing, world.hub)
    food = "food-business-license"
    made = accepting.agreements.make("310100", food, food, LOCAL_OPERATOR)
    assert accepting.relay_sync.sync().handed == 1
    assert issuing.relay_sync.sync().proposed
    assert issuing.agreements.list() == [], "it waits until a person signs it"
    proposed, kept = next(p for p in issuing.relay_sync.proposals() if p[0].id == made.id)
    assert (proposed.id, proposed.accepting, kept.body) == (made.id, "410200", made.signed)
    issuing.agreements.countersign(kept.body, LOCAL_OPERATOR)
    assert made.id not in {p.id for p, _ in issuing.relay_sync.proposals()}
    issuing.relay_sync.sync()
    assert accepting.agreements.newest("310100", food, food).countersigned_at is None
    assert accepting.relay_sync.sync().countersigned == 1
    assert accepting.agreements.newest("310100", food, food).countersigned_at is not None
