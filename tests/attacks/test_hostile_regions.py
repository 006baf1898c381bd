"""A region that was admitted, with keys of its own, against the vaults that follow it: what it lists, signs and offers
leads nobody to addresses inside, steers no terminal, takes no number of another's, and ends no program."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest

import certvault.hub
from certvault.agreements import Agreements, content_of
from certvault.bootstrap import InitOptions, Vault, create_vault
from certvault.clock import FixedClock
from certvault.model.actor import LOCAL_OPERATOR
from certvault.web import Web, WebError, web_of
from signing.formats.agreement import sign_agreement
from signing.formats.hub import make_entry
from signing.keys import KeyPurpose
from tests.api.conftest import example
from tests.support.recognition import agreement
from tests.support.regions import NOW, FakeRegion, chain_of, fake_region, region_pki
from tests.support.regionserver import RegionServer, serving
from verify.formats.anchor import AnchorError, anchor_from_json
from verify.formats.hubentry import HubEntry, HubEntryError, unverified_entry
from verify.formats.jose import decode_base64url, encode_base64url
from verify.formats.refusal import RefusedError
from verify.formats.trustdelta import difference
from verify.formats.trustlist import Endpoints, ListedType, TrustListError, unverified_trust_list

DRIVING = "driving-license"
STEERING = ["\x1b]0;x\x07", "\x9b2J", "a\nb", "\u202egnp", "\x7f"]


@pytest.fixture(scope="module")
def public(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Vault]:
    """A vault that others reach, with an address of its own."""
    folder = tmp_path_factory.mktemp("public") / "vault"
    options = InitOptions(folder=folder, region="110000", keys="file", base_url="https://beijing.example")
    made = create_vault(options, clock=FixedClock(NOW))
    yield made
    made.close()


@pytest.fixture
def inside() -> Iterator[RegionServer]:
    """What listens on the vault's own machine."""
    with serving("410000") as (server,):
        yield server


# --- addresses ----------------------------------------------------------------------------------------------------


def test_a_list_points_the_follower_at_its_own_machine(public: Vault, inside: RegionServer) -> None:
    region = inside.region
    public.regions.adopt(region.token(5), region.anchor, LOCAL_OPERATOR)
    try:
        (synced,) = public.region_sync.sync(LOCAL_OPERATOR)
        assert synced.code == "TRUST_LIST_UNREACHABLE"
        assert "127.0.0.1" in synced.reason.en
        assert public.region_lists.fetch(region.code, f"{region.base}/status-lists/1") is None
        assert inside.asked == []
    finally:
        public.regions.forget(region.code, LOCAL_OPERATOR)


def test_a_later_list_moves_its_base_to_the_follower_s_machine(public: Vault, inside: RegionServer) -> None:
    region = fake_region("420000")
    public.regions.adopt(region.token(5), region.anchor, LOCAL_OPERATOR)
    try:
        points = Endpoints(inside.region.base, f"{inside.region.base}/v1/trust-list")
        public.regions.adopt(region.token(6, endpoints=points), region.anchor, LOCAL_OPERATOR)
        (synced,) = public.region_sync.sync(LOCAL_OPERATOR)
        assert synced.code == "TRUST_LIST_UNREACHABLE"
        assert inside.asked == []
    finally:
        public.regions.forget(region.code, LOCAL_OPERATOR)


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:8000/x",
        "http://127.9.9.9/x",
        "http://[::1]:8000/x",
        "https://[::ffff:127.0.0.1]/x",
        "https://169.254.169.254/latest/meta-data",
        "https://[fe80::1]/x",
        "https://0.0.0.0/x",
        "https://[::]/x",
        "https://2130706433/x",
        "https://0x7f.1/x",
        "https://127.1/x",
        "https://localhost/x",
        "https://LOCALHOST./x",
        "https://any.localhost/x",
    ],
)
def test_an_address_of_this_machine_is_written_in_another_way(public: Vault, url: str) -> None:
    with pytest.raises(WebError) as raised:
        web_of(public.settings).get(url, limit=10, seconds=0.5)
    assert raised.value.code == "WEB_INWARD"


def test_what_the_operator_names_is_fetched_from_this_machine_all_the_same(inside: RegionServer) -> None:
    host = inside.region.base.removeprefix("http://")
    assert Web(plain_http=(host,), inward=False).get(inside.url, limit=100_000).body == inside.token
    assert Web().get(inside.url, limit=100_000).body == inside.token, "vaults that are tried out on one machine"


# --- lists that end programs, names that steer terminals ----------------------------------------------------------


@pytest.mark.parametrize(
    "extra",
    ['{"a":0.12345}', '{"a":1e400}', '{"a":' + "9" * 400 + "}", '{"a":' + "[" * 600 + "]" * 600 + "}"],
    ids=["float", "infinity", "large number", "depth"],
)
def test_a_list_holds_what_has_no_canonical_form(extra: str) -> None:
    region = fake_region()
    head, _, rest = region.token().decode().split(".")
    text = json.dumps(region.listed().to_json(), ensure_ascii=False, separators=(",", ":"))
    payload = text.replace('"extra":{}', f'"extra":{extra}')
    assert payload != text
    with pytest.raises(TrustListError):
        unverified_trust_list(f"{head}.{encode_base64url(payload.encode())}.{rest}")


def _named_in_list(region: FakeRegion, name: str) -> None:
    unverified_trust_list(region.token(name=name))


def _named_issuer(region: FakeRegion, name: str) -> None:
    issuers = tuple(replace(i, name=name) for i in region.listed().issuers)
    unverified_trust_list(region.token(issuers=issuers))


def _coded_issuer(region: FakeRegion, name: str) -> None:
    issuers = tuple(replace(i, code=name) for i in region.listed().issuers)
    unverified_trust_list(region.token(issuers=issuers))


def _at_address(region: FakeRegion, name: str) -> None:
    base = f"https://x.example/{name}"
    unverified_trust_list(region.token(endpoints=Endpoints(base, f"{base}/v1/trust-list")))


def _named_in_anchor(region: FakeRegion, name: str) -> None:
    anchor_from_json(replace(region.anchor, name=name).to_json())


def _named_in_entry(region: FakeRegion, name: str) -> None:
    hub = region_pki("Hub")
    entry = HubEntry(
        "100000", region.code, "region", name, region.anchor, "https://x.example", 2, "100000",
        NOW.replace(microsecond=0), NOW.replace(year=2099, microsecond=0), 1,
    )  # fmt: skip
    unverified_entry(make_entry(entry, signer=hub.signer(KeyPurpose.TRUST_LIST), chain=chain_of(hub)))


@pytest.mark.parametrize("name", STEERING)
@pytest.mark.parametrize(
    "door", [_named_in_list, _named_issuer, _coded_issuer, _at_address, _named_in_anchor, _named_in_entry]
)
def test_a_name_steers_the_terminal_of_who_reads_it(door: Callable[[FakeRegion, str], None], name: str) -> None:
    with pytest.raises((TrustListError, AnchorError, HubEntryError)):
        door(fake_region(), name)


# --- numbers of agreements ----------------------------------------------------------------------------------------


def offered(region: FakeRegion, **changes: object) -> bytes:
    """An agreement of a region that accepts a type of ours."""
    moment = NOW.replace(microsecond=0)
    made = agreement(
        accepting=region.code,
        issuing="110000",
        theirs=DRIVING,
        ours="x",
        made=moment,
        starts=moment,
        ends=None,
    )
    pki = region.pkis[0]
    signed = replace(made, **changes)  # type: ignore[arg-type]
    return sign_agreement(signed, signer=pki.signer(KeyPurpose.TRUST_LIST), chain=chain_of(pki))


@pytest.fixture
def agreeing(public: Vault) -> Iterator[tuple[Agreements, FakeRegion, FakeRegion]]:
    one, other = fake_region("430000"), fake_region("440000")
    for region in (one, other):
        schema = {"properties": {n: {} for n in public.catalog.get(DRIVING).fields}}
        types = (ListedType(DRIVING, 1, "1", "证", "license", schema),)
        public.regions.adopt(region.token(5, types=types), region.anchor, LOCAL_OPERATOR)
    yield public.agreements, one, other
    for region in (one, other):
        public.regions.forget(region.code, LOCAL_OPERATOR)


def test_a_region_takes_the_number_of_our_agreement_so_that_it_cannot_be_revoked(
    agreeing: tuple[Agreements, FakeRegion, FakeRegion],
) -> None:
    agreements, one, _ = agreeing
    ours = agreements.make(one.code, DRIVING, DRIVING, LOCAL_OPERATOR)
    squat = offered(one, id=ours.id, version=ours.version + 1)
    with pytest.raises(RefusedError) as raised:
        agreements.countersign(squat, LOCAL_OPERATOR)
    assert raised.value.first.code == "AGREEMENT_DIFFERS"
    ended = agreements.revoke(one.code, DRIVING, DRIVING, LOCAL_OPERATOR)
    assert content_of(ended).revoked


def test_a_region_takes_the_number_of_another_region_s_agreement(
    agreeing: tuple[Agreements, FakeRegion, FakeRegion],
) -> None:
    agreements, one, other = agreeing
    number = "b00000000000cafe"
    agreements.countersign(offered(one, id=number), LOCAL_OPERATOR)
    with pytest.raises(RefusedError) as raised:
        agreements.countersign(offered(other, id=number, version=9), LOCAL_OPERATOR)
    assert raised.value.first.code == "AGREEMENT_DIFFERS"
    assert agreements.countersign(offered(one, id=number, version=2), LOCAL_OPERATOR).version == 2


# --- what we sign and what we compute -----------------------------------------------------------------------------


def test_a_license_with_a_number_of_ours_gets_no_word_on_ours_into_its_receipt(public: Vault) -> None:
    """Another region's license may bear our number; our standing of ours is no evidence of its."""
    number = public.issuing.issue(DRIVING, example(DRIVING), actor=LOCAL_OPERATOR).identifier
    at = public.clock.now()

    def standing(recognition: dict[str, object] | None) -> object:
        verdict = {"license": {"identifier": number}, "recognition": recognition}
        payload = str(public.receipts.make(b"x", verdict, at)["payload"])
        return json.loads(decode_base64url(payload))["evidence"]["standing"]

    assert standing({"outcome": "RECOGNIZED", "region": "420000"}) is None
    assert standing(None) is not None


def test_a_difference_is_asked_for_again_and_again(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of large lists each costs seconds; the hub makes it once, whoever asks."""
    folder = tmp_path_factory.mktemp("hub") / "vault"
    hub = create_vault(InitOptions(folder=folder, region="100000", keys="file", hub=True), clock=FixedClock(NOW))
    made: list[int] = []

    def counted(former: Mapping[str, Any], latest: Mapping[str, Any], token: str) -> bytes | None:
        made.append(1)
        return difference(former, latest, token)

    monkeypatch.setattr(certvault.hub, "difference", counted)
    region = fake_region("450000")
    hub.hub.admit(region.anchor, LOCAL_OPERATOR, address=region.base)
    for number in (5, 6):
        hub.regions.adopt(region.token(number), region.anchor, LOCAL_OPERATOR)
        hub.hub.keep()
    found = {hub.hub.delta(region.code, 5) for _ in range(5)}
    assert len(found) == len(made) == 1
    assert {hub.hub.delta(region.code, n) for n in range(1, 5)} == {None}
    assert hub.hub._deltas.keys() == {(region.code, 5, hub.regions.one(region.code).state.content)}
    hub.close()
