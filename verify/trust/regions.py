"""Regions whose trust lists were adopted, as the caller's trust: anchors, remits, addresses, agreements.

A region's roots count for its own licenses alone: each remit is bound to them, so a license of one region under the
roots of another, or with the name of another's issuer, is found out (``ISSUER_OTHER_REGION``).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from verify.formats.agreement import Agreement
from verify.formats.trustlist import ListedIssuer, TrustList
from verify.trust.anchors import Remit

if TYPE_CHECKING:
    from verify.trust.anchors import TrustStore


@dataclass(frozen=True, slots=True)
class KnownRegion:
    """A region with the list that was adopted of it. ``confirmed``: when it was last seen to be the newest one.

    ``faults`` are finding codes that stand against the list itself: it was seen with two contents under one number
    (``TRUST_LIST_EQUIVOCATED``) or a former one was offered since (``TRUST_LIST_ROLLBACK``). ``anchor`` are the roots
    of its anchor (SHA-256, hex), which belong to it before anybody who only lists them.
    """

    region: str
    list: TrustList
    adopted: datetime
    confirmed: datetime
    faults: tuple[str, ...] = ()
    anchor: frozenset[str] = frozenset()

    def digests(self) -> frozenset[str]:
        """SHA-256 in hex of its roots."""
        return frozenset(hashlib.sha256(r).hexdigest() for r in self.list.roots)

    def is_stale(self, at: datetime) -> bool:
        """Whether the list's time is over at ``at``."""
        return at >= self.list.next_update


@dataclass(frozen=True, slots=True)
class KnownAgreement:
    """An agreement whose signatures were checked when it was taken in. ``approved``: by as many people of the
    accepting region as it demands; ``countersigned``: by the issuing region."""

    agreement: Agreement
    approved: bool
    countersigned: bool


@dataclass(frozen=True, slots=True)
class Regions:
    """What the caller knows of regions. ``home`` is its own code; ``countersigned``: whether an agreement needs the
    other region's signature to count. ``own`` are its own roots (SHA-256, hex), which no other region has."""

    home: str
    known: tuple[KnownRegion, ...] = ()
    agreements: tuple[KnownAgreement, ...] = ()
    countersigned: bool = False
    types: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """The required fields of our own types, by name of the type."""
    own: frozenset[str] = frozenset()

    def of_anchor(self, sha256: str) -> KnownRegion | None:
        """The region whose root has that digest."""
        return None if sha256 in self.own else self.named(_owners(self.known).get(sha256, ""))

    def named(self, region: str) -> KnownRegion | None:
        """The region of that code."""
        return next((k for k in self.known if k.region == region), None)


def with_regions(trust: TrustStore, regions: Regions) -> TrustStore:
    """``trust`` of the home region together with the regions that were adopted.

    Its own remits are bound to its own anchors, so that no other region can speak in the name of its issuers. A root
    that two regions list counts for the one whose anchor it is in, else for the one that had it first; one of ours is
    nobody else's.
    """
    own = frozenset(hashlib.sha256(a).hexdigest() for a in trust.anchors)
    remits = [replace(r, anchors=r.anchors if r.anchors is not None else own) for r in trust.remits or ()]
    anchors, others = list(trust.anchors), list(trust.certificates)
    owners = _owners(regions.known)
    for known in regions.known:
        digests = frozenset(d for d in known.digests() - own if owners[d] == known.region)
        anchors += [r for r in known.list.roots if hashlib.sha256(r).hexdigest() in digests]
        others += known.list.authorities
        others += [c for i in known.list.issuers for c in (*i.codes, *i.records)]
        remits += _remits(known.list.issuers, known.region, digests, example=known.list.example)
    return replace(
        trust,
        anchors=tuple(dict.fromkeys(anchors)),
        certificates=tuple(dict.fromkeys(others)),
        remits=tuple(remits),
        regions=replace(regions, own=own),
    )


def _owners(known: Sequence[KnownRegion]) -> dict[str, str]:
    """Whose each listed root is."""
    found: dict[str, str] = {}
    for one in known:
        for digest in sorted(one.digests() & one.anchor):
            found.setdefault(digest, one.region)
    for one in known:
        for digest in sorted(one.digests()):
            found.setdefault(digest, one.region)
    return found


def _remits(issuers: Iterable[ListedIssuer], region: str, digests: frozenset[str], *, example: bool) -> list[Remit]:
    """The listed remits, held to the region's own territory: no region entitles anybody outside it.

    In an example region the places are data, as the printed authority is.
    """
    territory = "" if example else territory_of(region)
    found = []
    for issuer in issuers:
        wanted = issuer.places if issuer.places is not None else ("",)
        places = tuple(p for w in wanted if (p := _narrower(territory, w)) is not None)
        types = None if issuer.types is None else frozenset(issuer.types)
        until = issuer.until if issuer.granted or issuer.until is not None else issuer.since
        found.append(Remit(issuer.code, types, places, issuer.since, until, digests))
    return found


def territory_of(region: str) -> str:
    """The beginning that all places of a region share: 410000 → 41, 410200 → 4102, 410202 → 410202, 100000 → all."""
    if region == NATION:
        return ""
    return region[:2] if region.endswith("0000") else region[:4] if region.endswith("00") else region


NATION = "100000"


def _narrower(territory: str, place: str) -> str | None:
    """The narrower of two beginnings; None when they are apart."""
    if place.startswith(territory):
        return place
    return territory if territory.startswith(place) else None
