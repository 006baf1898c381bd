"""Regions whose trust lists were adopted, as the caller's trust: anchors, remits, addresses, agreements.

A region's roots count for its own licenses alone: each remit is bound to them, so a license of one region under the
roots of another, or with the name of another's issuer, is found out (``ISSUER_OTHER_REGION``).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from verify.formats.agreement import Agreement
from verify.formats.trustlist import ListedIssuer, TrustList
from verify.trust.anchors import Remit

if TYPE_CHECKING:
    from verify.trust.anchors import TrustStore


@dataclass(frozen=True, slots=True)
class KnownRegion:
    """A region with the list that was adopted of it. ``confirmed``: when it was last seen to be the newest one.

    ``faults`` are finding codes that stand against the list itself: it was seen with two contents under one number
    (``TRUST_LIST_EQUIVOCATED``) or a former one was offered since (``TRUST_LIST_ROLLBACK``). ``sha256`` (hex) is that
    of the list's payload, by which receipts name it. ``anchor`` are the roots of its anchor (SHA-256, hex), which
    belong to it before anybody who only lists them.
    """

    region: str
    list: TrustList
    adopted: datetime
    confirmed: datetime
    faults: tuple[str, ...] = ()
    anchor: frozenset[str] = frozenset()
    sha256: str = ""

    def digests(self) -> frozenset[str]:
        """SHA-256 in hex of its roots."""
        return frozenset(hashlib.sha256(r).hexdigest() for r in self.list.roots)

    def digest(self) -> str:
        """SHA-256 in hex of the list's payload."""
        return self.sha256 or hashlib.sha256(self.list.payload()).hexdigest()

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
    other region's signature to count. ``own`` are its own roots (SHA-256, hex), which no other region has.

    A run asks by anchor, issuer and number of key: the first such question makes an index, which stays with this
    object. Keep one object for as long as nothing in it changes.
    """

    home: str
    known: tuple[KnownRegion, ...] = ()
    agreements: tuple[KnownAgreement, ...] = ()
    countersigned: bool = False
    types: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """The required fields of our own types, by name of the type."""
    own: frozenset[str] = frozenset()
    fields: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """All fields of our own types, by name of the type. Of a type that is not here, any field may be taken over."""
    schemas: tuple[tuple[str, str], ...] = ()
    """The JSON Schemas of the fields of our own types (``properties``, as text), by name of the type."""
    example: bool = False
    """Whether the home region is an example itself: only then do lists of examples count, and as such. Without a home
    region (``home`` is empty) nothing is said of recognition, and whoever chose the lists may have chosen examples."""
    _index: list[_Index] = field(init=False, default_factory=list, compare=False, repr=False)

    def __reduce__(self) -> tuple[Any, ...]:
        """Another process makes an index of its own."""
        members = ("home", "known", "agreements", "countersigned", "types", "own", "fields", "schemas", "example")
        return (Regions, tuple(getattr(self, name) for name in members))

    def of_anchor(self, sha256: str) -> KnownRegion | None:
        """The region whose root has that digest."""
        return None if sha256 in self.own else self._indexed().anchors.get(sha256)

    def named(self, region: str) -> KnownRegion | None:
        """The region of that code."""
        return next((k for k in self.known if k.region == region), None)

    def remits_of(self, issuer: str) -> tuple[Remit, ...]:
        """The listed remits of an issuer, each bound to the roots of the region that lists it."""
        found = self._indexed().issuers.get(issuer, ())
        return tuple(
            _remit(k, i, self._indexed().roots[k.region] - self.own, example=self.lets_examples and k.list.example)
            for k, i in found
        )

    def lister_of(self, issuer: str) -> tuple[KnownRegion, ...]:
        """The regions that list an issuer."""
        return tuple(k for k, _ in self._indexed().issuers.get(issuer, ()))

    def code_certificates(self, kid: bytes) -> tuple[bytes, ...]:
        """Certificates for codes whose SHA-256 begins with ``kid``."""
        return tuple(self._indexed().kids.get(kid, ()))

    def lists_certificate(self, region: str, der: bytes) -> bool:
        """Whether a region lists that certificate for its records or codes, of an issuer that it still grants."""
        return (region, hashlib.sha256(der).digest()) in self._indexed().leafs

    @property
    def lets_examples(self) -> bool:
        """Whether lists of examples count as what they are. Beside others none does: it would be held to no territory
        and could name their issuers, just by calling itself an example."""
        return self.example or (not self.home and all(k.list.example for k in self.known))

    def _indexed(self) -> _Index:
        if not self._index:
            self._index.append(_index_of(self.known, examples=self.lets_examples))
        return self._index[0]


@dataclass(slots=True)
class _Index:
    """Ways into the lists."""

    anchors: dict[str, KnownRegion] = field(default_factory=dict)
    roots: dict[str, frozenset[str]] = field(default_factory=dict)
    issuers: dict[str, list[tuple[KnownRegion, ListedIssuer]]] = field(default_factory=dict)
    kids: dict[bytes, list[bytes]] = field(default_factory=dict)
    leafs: set[tuple[str, bytes]] = field(default_factory=set)


_KID = 8


def _index_of(known: Sequence[KnownRegion], *, examples: bool) -> _Index:
    found = _Index()
    owners = _owners(known)
    for region in known:
        found.roots[region.region] = frozenset(d for d in region.digests() if owners[d] == region.region)
        found.anchors.update((d, region) for d in found.roots[region.region])
        for issuer in region.list.issuers:
            found.issuers.setdefault(issuer.code, []).append((region, issuer))
            codes = {hashlib.sha256(c).digest(): c for c in issuer.codes}
            for number, der in codes.items():
                same = found.kids.setdefault(number[:_KID], [])
                if der not in same:
                    same.append(der)
            if issuer.granted:
                found.leafs.update((region.region, d) for d in codes)
                found.leafs.update((region.region, hashlib.sha256(r).digest()) for r in issuer.records)
    for code, claims in found.issuers.items():
        found.issuers[code] = _rightful(code, claims, examples=examples)
    return found


def _rightful(
    code: str, claims: list[tuple[KnownRegion, ListedIssuer]], *, examples: bool
) -> list[tuple[KnownRegion, ListedIssuer]]:
    """An issuer that several regions list is that of the region in whose territory its code (GB 32100) was given.

    Examples share the code of their first issuer."""
    if len(claims) == 1 or (examples and all(k.list.example for k, _ in claims)):
        return claims
    at_home = [c for c in claims if code[2:8].startswith(territory_of(c[0].region)) and c[0].region != NATION]
    return at_home or claims


def with_regions(trust: TrustStore, regions: Regions) -> TrustStore:
    """``trust`` of the home region together with the regions that were adopted.

    Its own remits are bound to its own anchors, so that no other region can speak in the name of its issuers; whoever
    lists one of them is not heard in that. A root that two regions list counts for the one whose anchor it is in, else
    for the one that had it first; one of ours is nobody else's, and neither is a key of ours under a certificate that
    somebody else made of it. The certificates of issuers are not among ``certificates``: they are found by number,
    since there are many of them.
    """
    own = frozenset(hashlib.sha256(a).hexdigest() for a in trust.anchors)
    remits = None
    if trust.remits is not None:
        remits = tuple(replace(r, anchors=r.anchors if r.anchors is not None else own) for r in trust.remits)
    roots, authorities = _authorities(trust, regions.known)
    known = replace(_without_ours(regions, own, {r.issuer_code for r in remits or ()}), own=own)
    return replace(
        trust,
        anchors=tuple(dict.fromkeys((*trust.anchors, *roots))),
        certificates=tuple(dict.fromkeys((*trust.certificates, *authorities))),
        remits=remits,
        regions=known,
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


def _without_ours(regions: Regions, own: frozenset[str], issuers: set[str]) -> Regions:
    """The regions without what is ours: our roots, and issuers under our codes. Examples share the code of theirs."""
    claimed = [
        k
        for k in regions.known
        if not (regions.lets_examples and k.list.example)
        and (k.digests() & own or any(i.code in issuers for i in k.list.issuers))
    ]
    if not claimed:
        return regions
    return replace(regions, known=tuple(_less(k, own, issuers) if k in claimed else k for k in regions.known))


def _less(known: KnownRegion, own: frozenset[str], issuers: set[str]) -> KnownRegion:
    listed = replace(
        known.list,
        roots=tuple(r for r in known.list.roots if hashlib.sha256(r).hexdigest() not in own),
        issuers=tuple(i for i in known.list.issuers if i.code not in issuers),
    )
    return replace(known, list=listed, sha256=known.digest())


def _authorities(trust: TrustStore, known: Iterable[KnownRegion]) -> tuple[list[bytes], list[bytes]]:
    """Roots and authorities of the regions, without certificates of keys that are somebody else's.

    Anybody can write another's key into a certificate, or certify it under a root of his own. A root has its own
    signature to show for it; of the ways through an authority that two roots certified, that counts which leads to
    the region whose list has the issuer.
    """
    own = {_key_of(c) for c in (*trust.anchors, *trust.certificates)}
    roots = [r for k in known for r in k.list.roots if r in trust.anchors or (_key_of(r) not in own and _stands(r))]
    authorities = list(dict.fromkeys(c for k in known for c in k.list.authorities))
    taken = own | {_key_of(r) for r in roots}
    return roots, [c for c in authorities if _key_of(c) not in taken]


@lru_cache(maxsize=4096)
def _key_of(der: bytes) -> bytes:
    from asn1crypto import x509

    try:
        return bytes(x509.Certificate.load(der).public_key.dump())
    except (ValueError, TypeError, KeyError):
        return der


@lru_cache(maxsize=1024)
def _stands(der: bytes) -> bool:
    """Whether a root's own key signed it, as the anchors of regions are."""
    from asn1crypto import x509

    from verify.checks.pathsearch import signed_by

    try:
        root = x509.Certificate.load(der)
        return signed_by(root, root)
    except (ValueError, TypeError, KeyError):
        return False


def _remit(known: KnownRegion, issuer: ListedIssuer, roots: frozenset[str], *, example: bool) -> Remit:
    """A listed remit, held to the region's own territory: no region entitles anybody outside it.

    Among examples the places are data, as the printed authority is.
    """
    territory = "" if example else territory_of(known.region)
    wanted = issuer.places if issuer.places is not None else ("",)
    places = tuple(p for w in wanted if (p := _narrower(territory, w)) is not None)
    types = None if issuer.types is None else frozenset(issuer.types)
    until = issuer.until if issuer.granted or issuer.until is not None else issuer.since
    return Remit(issuer.code, types, places, issuer.since, until, roots)


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
