"""Offline kits as trust: what a region knew when it made one, once its own signature and those of others were checked.

The kit comes from hand to hand, as a root does: its region's anchor in it counts, unless the caller hands in an anchor
of that region beside it; then only that one or a follower that it vouches for does. In order:

1. The anchors of each region: a later one counts by the rules of :mod:`verify.trust.lists`.
2. The manifest: a key for trust lists under the anchor of the kit's region signed it, and it is not from the future.
3. The trust lists: each under its own region's anchor, judged at the moment at which the kit's region last saw it to
   be the newest. One that has run out since is still known, and verdicts say that it is stale.
4. The agreements: the kit's region signed each.

Status lists are not looked at here: each is judged when a license asks for it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from verify.checks.chain import Chains
from verify.checks.token import TokenError, check_token
from verify.evidence import Evidence
from verify.formats import purposes
from verify.formats.agreement import (
    AgreementError,
    UnverifiedAgreement,
    agreement_from_json,
    begins_as_agreement,
    unverified_agreement,
)
from verify.formats.anchor import Anchor, AnchorError, read_anchor
from verify.formats.jose import JoseError, UnverifiedJws, strict_object
from verify.formats.kit import KitError, KitManifest, KitMember, KitRegion, UnverifiedKit, unverified_kit
from verify.formats.trustlist import TrustList
from verify.inquiry import Inquiry
from verify.policy import DEFAULT_POLICY
from verify.trust.agreements import is_signed_by
from verify.trust.anchors import KitKnowledge, Remit, TrustStore
from verify.trust.lists import Adopted, AdoptionError, Rules, offer_anchors, offer_list
from verify.trust.regions import KnownAgreement, Regions, with_regions


@dataclass(frozen=True, slots=True)
class KitTrust:
    """What a kit gives: trust, and evidence to go with it."""

    trust: TrustStore
    evidence: Evidence


def trust_of_kit(
    data: bytes, rules: Rules, held: Mapping[str, Adopted], lists: Mapping[str, Sequence[bytes]]
) -> KitTrust:
    """Check a kit at ``rules.at``. Example roots count if ``rules`` say so; the trust that comes out lets none count.

    ``held`` is what the caller handed in beside it, by region: anchors, with or without a list. ``lists`` are further
    lists, of regions whose anchors are the kit's. None in the kit may be older. Raises KitError and AdoptionError.
    """
    kit = unverified_kit(data)
    home = kit.manifest.region
    if held and home not in held:
        raise KitError("KIT_REGION_DIFFERS", actual=home, expected=", ".join(held))
    # 1
    states = {r: _anchored(kit, r, rules, held.get(r)) for r in _regions_in(kit.manifest)}
    if home not in states:
        raise KitError("KIT_BROKEN", reason="it holds no trust list of its own region")
    unknown = [r for r in (*lists, *held) if r not in states and (r in lists or held[r].list is None)]
    if unknown:
        raise KitError("KIT_REGION_UNKNOWN", region=unknown[0])
    # 2
    crls = tuple(kit.data[m.name] for m in kit.manifest.of_kind("crl"))
    _check_manifest(kit, states[home], rules, crls)
    # 3
    known = {r.region: r for r in kit.manifest.regions}
    seen = {**known, home: KitRegion(home, kit.manifest.made, kit.manifest.made)}
    for region, tokens in lists.items():
        for token in tokens:
            states[region] = offer_list(states[region], token, rules)
    states = {region: _listed(kit, state, seen, rules) for region, state in states.items()}
    states = {**{r: s for r, s in held.items() if r not in states}, **states}
    # 4
    agreements = tuple(_agreement(kit, m, states, rules) for m in kit.manifest.of_kind("agreement"))
    return KitTrust(_trust(kit.manifest, states, agreements), _evidence(kit, states[home], crls))


def _regions_in(manifest: KitManifest) -> list[str]:
    """Those of which it holds a list."""
    return list(dict.fromkeys(m.region for m in manifest.of_kind("list")))


def _anchored(kit: UnverifiedKit, region: str, rules: Rules, held: Adopted | None) -> Adopted:
    """The region's state under the newest anchor that the kit holds, with what the caller holds as the start."""
    anchors = sorted(
        (_anchor(kit, m) for m in kit.manifest.of_kind("anchor") if m.region == region), key=lambda a: a.sequence
    )
    if not anchors:
        raise KitError("KIT_BROKEN", reason=f"it holds no anchor of region {region}")
    start, rest = (held, anchors) if held is not None else (Adopted(anchors[0]), anchors[1:])
    return offer_anchors(start, rest, replace(rules, at=kit.manifest.made))


def _anchor(kit: UnverifiedKit, member: KitMember) -> Anchor:
    try:
        return read_anchor(kit.data[member.name])
    except AnchorError as error:
        raise AdoptionError("ANCHOR_BROKEN", reason=str(error)) from error


def _check_manifest(kit: UnverifiedKit, home: Adopted, rules: Rules, crls: Iterable[bytes]) -> None:
    made = kit.manifest.made
    if made > rules.at + rules.policy.clock_skew:
        raise KitError("KIT_FUTURE", made=f"{made:%Y-%m-%d %H:%M:%SZ}")
    try:
        _check_token(kit.jws, home.anchor, made, (*crls, *rules.crls))
    except TokenError as error:
        raise KitError("KIT_UNTRUSTED", reason=str(error.params.get("reason", ""))) from error


def _listed(kit: UnverifiedKit, state: Adopted, seen: Mapping[str, KitRegion], rules: Rules) -> Adopted:
    """The state with the list in the kit, as the kit's region holds it."""
    region = state.region
    members = [m for m in kit.manifest.of_kind("list") if m.region == region]
    how = seen.get(region)
    if len(members) != 1 or how is None:
        raise KitError("KIT_BROKEN", reason=f"it does not say of region {region} which list counts, and since when")
    if not how.adopted <= how.confirmed <= kit.manifest.made:
        raise KitError("KIT_BROKEN", reason=f"its times for region {region} are not in order")
    found = offer_list(state, kit.data[members[0].name], replace(rules, at=how.confirmed))
    return replace(found, adopted=how.adopted, confirmed=how.confirmed, faults=how.faults)


def _agreement(kit: UnverifiedKit, member: KitMember, states: Mapping[str, Adopted], rules: Rules) -> KnownAgreement:
    """An agreement with what its signatures say. One that waits for approval has none yet, and counts for nothing."""
    data, home = kit.data[member.name], kit.manifest.region
    try:
        read = unverified_agreement(data) if begins_as_agreement(data) else None
        agreement = read.agreement if read is not None else agreement_from_json(strict_object(data, "agreement"))
    except (AgreementError, JoseError) as error:
        raise KitError("KIT_BROKEN", reason=str(error)) from error
    if agreement.accepting != home or agreement.issuing != member.region:
        raise KitError("KIT_BROKEN", reason="it holds an agreement of other regions")
    if read is None and not member.approved:
        return KnownAgreement(agreement, approved=False, countersigned=False)
    moments = (agreement.made, kit.manifest.made)
    if read is None or not _signed_by(read, states[home], moments, rules):
        raise KitError("KIT_AGREEMENT_UNTRUSTED", member=member.name, region=home)
    other = states.get(agreement.issuing)
    countersigned = other is not None and _signed_by(read, other, moments, rules)
    return KnownAgreement(agreement, member.approved, countersigned)


def _signed_by(read: UnverifiedAgreement, state: Adopted, moments: Iterable[datetime], rules: Rules) -> bool:
    """Whether a region signed it. Its key is judged at either end: it may have ended since, or come after the text."""
    if state.list is None:
        return False
    roots, crls = state.list.roots, (*state.list.crls, *rules.crls)
    return any(is_signed_by(read, roots, at=at, crls=crls) for at in moments)


def _check_token(jws: UnverifiedJws, anchor: Anchor, made: datetime, crls: Iterable[bytes]) -> None:
    """Whether a key for trust lists under the anchor alone signed it. Raises TokenError.

    Example roots count here: the verdict says what rests on them.
    """
    trust = TrustStore(anchors=anchor.certificates, allow_example=True)
    inquiry = Inquiry("kit", trust=trust, at=made, policy=DEFAULT_POLICY, evidence=Evidence())
    chains = Chains(inquiry, jws.certificates(), crls)
    check_token(inquiry, chains, jws, usage=purposes.TRUST_LIST, made=made, code="KIT_UNTRUSTED")


def _schemas(listed: TrustList) -> Iterator[tuple[str, str]]:
    """The schemas of the home region's types, as its own list has them."""
    for name in sorted({t.name for t in listed.types}):
        newest = listed.type_named(name)
        properties = None if newest is None else newest.schema.get("properties")
        if isinstance(properties, dict):
            yield name, json.dumps(properties, ensure_ascii=False)


def _trust(manifest: KitManifest, states: Mapping[str, Adopted], agreements: tuple[KnownAgreement, ...]) -> TrustStore:
    home = states[manifest.region].known()
    assert home is not None  # noqa: S101 - a list was offered to each state
    others = [k for r, s in states.items() if r != manifest.region and (k := s.known()) is not None]
    regions = Regions(
        home=manifest.region,
        known=tuple(others),
        agreements=agreements,
        countersigned=manifest.countersigned,
        types=tuple((t.name, t.required) for t in manifest.types),
        fields=tuple((t.name, t.fields) for t in manifest.types),
        schemas=tuple(_schemas(home.list)),
        example=manifest.example,
    )
    store = _home_trust(home.list)
    return replace(with_regions(store, regions), kit=KitKnowledge(manifest.region, manifest.made, manifest.until))


def _home_trust(listed: TrustList) -> TrustStore:
    """The kit's region as its own vault sees it: what its issuers may do is not held to a territory."""
    remits = (
        Remit(
            i.code,
            None if i.types is None else frozenset(i.types),
            i.places,
            i.since,
            i.until if i.granted or i.until is not None else i.since,
        )
        for i in listed.issuers
    )
    keys = (c for i in listed.issuers for c in (*i.codes, *i.records))
    return TrustStore(
        anchors=listed.roots,
        certificates=tuple(dict.fromkeys((*listed.authorities, *listed.timestamps, *keys))),
        remits=tuple(remits),
    )


def _evidence(kit: UnverifiedKit, home: Adopted, crls: tuple[bytes, ...]) -> Evidence:
    listed: dict[str, bytes] = {}
    others: dict[tuple[str, str], bytes] = {}
    for member in kit.manifest.of_kind("status"):
        data = kit.data[member.name]
        if member.region == kit.manifest.region:
            listed[member.uri] = data
        else:
            others[member.region, member.uri] = data
    former = () if home.list is None else home.list.crls
    return Evidence(status_lists=listed, crls=(*crls, *former), region_lists=others)
