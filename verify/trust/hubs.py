"""Following a hub: pure, without clock, database or network.

A hub is believed about one thing only, whom it admits, and that by entries which are signed offline. Which list of a
region is the newest is judged by the region's own signature and number; a hub that serves former lists, or two of one
number, is found out by comparing (:mod:`verify.trust.lists`). What the hub itself signs, the list of lists, may not go
back, may not have two contents under one number, and grows old like every list.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from verify.checks.chain import Chains
from verify.checks.token import TokenError, check_token
from verify.evidence import Evidence
from verify.formats import purposes
from verify.formats.anchor import Anchor
from verify.formats.hubentry import HubEntry, HubEntryError, unverified_entry
from verify.formats.hublist import Admitted, HubList, HubListError, unverified_hub_list
from verify.formats.jose import UnverifiedJws
from verify.formats.members import moment_text
from verify.inquiry import Inquiry
from verify.policy import Policy
from verify.trust.anchors import TrustStore
from verify.trust.regions import territory_of

SKEW = timedelta(minutes=5)
"""By how much clocks of two regions may differ."""


class HubError(Exception):
    """Why what a hub offers does not count. ``code`` is stable, ``params`` fill its message."""

    def __init__(self, code: str, **params: Any) -> None:
        super().__init__(code, params)
        self.code = code
        self.params = params


@dataclass(frozen=True, slots=True)
class HeldEntry:
    """What is known of an entry already: its number, and SHA-256 (hex) of what it states."""

    sequence: int
    digest: str


@dataclass(frozen=True, slots=True)
class HeldHubList:
    """What is known of a hub's list of lists already: its number, and SHA-256 (hex) of its payload."""

    sequence: int
    digest: str


@dataclass(frozen=True, slots=True)
class Refused:
    """An item of a list of lists that does not count; it stops no other. ``region`` is empty where none can be read."""

    region: str
    code: str
    params: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class CheckedHubList:
    """A list of lists that counts, with those of its entries that do."""

    list: HubList
    held: HeldHubList
    entries: tuple[tuple[HubEntry, Admitted], ...]
    refused: tuple[Refused, ...]
    confirmed: bool
    """Whether this is the list that was held already."""


def payload_digest(payload: bytes) -> str:
    """SHA-256 in hex."""
    return hashlib.sha256(payload).hexdigest()


def admitting(anchor: Anchor) -> Anchor:
    """The hub's anchor narrowed to the roots under which entries are signed."""
    wanted = frozenset(anchor.admits) or anchor.digests()
    roots = tuple(c for c in anchor.certificates if hashlib.sha256(c).hexdigest() in wanted)
    return replace(anchor, certificates=roots, threshold=1)


def is_inside(region: str, hub: str) -> bool:
    """Whether ``region`` lies in the territory of ``hub`` and is not that itself."""
    return region != hub and region.startswith(territory_of(hub))


def check_entry(
    anchor: Anchor, token: str, at: datetime, *, held: HeldEntry | None = None, allow_example: bool = False
) -> HubEntry:
    """An entry of the hub whose anchor this is. One that is withdrawn or over is given back as well: ask ``holds``.

    Raises HubError: HUB_ENTRY_BROKEN, HUB_ENTRY_OTHER_HUB, REGION_OUTSIDE_HUB, HUB_ENTRY_UNTRUSTED (no admitting root
    signed it), HUB_ENTRY_FUTURE, HUB_ENTRY_ROLLBACK (a former one), HUB_ENTRY_EQUIVOCATED (two of one number).
    """
    try:
        entry, jws = unverified_entry(token)
    except HubEntryError as error:
        raise HubError("HUB_ENTRY_BROKEN", reason=str(error)) from error
    if entry.hub != anchor.region:
        raise HubError("HUB_ENTRY_OTHER_HUB", hub=entry.hub)
    if not is_inside(entry.region, entry.hub):
        raise HubError("REGION_OUTSIDE_HUB", region=entry.region, hub=entry.hub)
    _signed(admitting(anchor), jws, entry.admitted, at, "HUB_ENTRY_UNTRUSTED", allow_example=allow_example)
    if entry.admitted > at + SKEW:
        raise HubError("HUB_ENTRY_FUTURE", admitted=moment_text(entry.admitted))
    if held is not None:
        if entry.sequence < held.sequence:
            raise HubError("HUB_ENTRY_ROLLBACK", offered=entry.sequence, held=held.sequence)
        if entry.sequence == held.sequence and payload_digest(entry.payload()) != held.digest:
            raise HubError("HUB_ENTRY_EQUIVOCATED", sequence=entry.sequence)
    return entry


def check_hub_list(
    anchor: Anchor,
    token: str,
    at: datetime,
    *,
    held: HeldHubList | None = None,
    entries: Mapping[str, HeldEntry] | None = None,
    allow_example: bool = False,
) -> CheckedHubList:
    """A list of lists of the hub whose anchor this is. ``entries``: those that are known, by region.

    Raises HubError for the list as a whole: HUB_LIST_BROKEN, HUB_LIST_OTHER_HUB, HUB_LIST_UNTRUSTED, HUB_LIST_FUTURE,
    HUB_LIST_ROLLBACK, HUB_LIST_EQUIVOCATED, HUB_STALE (its time is over: the hub, or who stands between, withholds).
    Entries that do not count are named beside those that do.
    """
    try:
        found, jws = unverified_hub_list(token)
    except HubListError as error:
        raise HubError("HUB_LIST_BROKEN", reason=str(error)) from error
    if found.hub != anchor.region:
        raise HubError("HUB_LIST_OTHER_HUB", hub=found.hub)
    _signed(anchor, jws, found.issued, at, "HUB_LIST_UNTRUSTED", allow_example=allow_example)
    if found.issued > at + SKEW:
        raise HubError("HUB_LIST_FUTURE", issued=moment_text(found.issued))
    digest = payload_digest(jws.payload)
    if held is not None and found.sequence < held.sequence:
        raise HubError("HUB_LIST_ROLLBACK", offered=found.sequence, held=held.sequence)
    if held is not None and found.sequence == held.sequence and digest != held.digest:
        raise HubError("HUB_LIST_EQUIVOCATED", sequence=found.sequence)
    if at >= found.next_update:
        raise HubError("HUB_STALE", hub=found.hub, next_update=moment_text(found.next_update))
    good, refused = _entries(anchor, found, at, entries or {}, allow_example=allow_example)
    now = HeldHubList(found.sequence, digest)
    return CheckedHubList(found, now, good, refused, confirmed=now == held)


def _entries(
    anchor: Anchor, found: HubList, at: datetime, held: Mapping[str, HeldEntry], *, allow_example: bool
) -> tuple[tuple[tuple[HubEntry, Admitted], ...], tuple[Refused, ...]]:
    good: dict[str, tuple[HubEntry, Admitted]] = {}
    refused: list[Refused] = []
    for item in found.admitted:
        region = ""
        try:
            region = _region_of(item)
            entry = check_entry(anchor, item.entry, at, held=held.get(region), allow_example=allow_example)
            if region in good:
                raise HubError("HUB_ENTRY_TWICE", region=region)
            good[region] = entry, item
        except HubError as error:
            refused.append(Refused(region, error.code, error.params))
    return tuple(good.values()), tuple(refused)


def _region_of(item: Admitted) -> str:
    try:
        return item.read()[0].region
    except HubEntryError as error:
        raise HubError("HUB_ENTRY_BROKEN", reason=str(error)) from error


def _signed(
    anchor: Anchor, jws: UnverifiedJws, made: datetime, at: datetime, code: str, *, allow_example: bool
) -> None:
    """A key for trust lists under one of the anchor's roots signed it; HubError ``code``."""
    reason = unsigned_reason(anchor, jws, made, at, usage=purposes.TRUST_LIST, allow_example=allow_example)
    if reason:
        raise HubError(code, reason=reason)


def unsigned_reason(
    anchor: Anchor, jws: UnverifiedJws, made: datetime, at: datetime, *, usage: str, allow_example: bool = False
) -> str:
    """Why no key of ``usage`` under one of the anchor's roots signed it; empty when one did.

    The certificate is judged at ``made``. Nothing is trusted but the anchor's roots.
    """
    return unsigned_under(anchor.certificates, jws, made, at, usage=usage, allow_example=allow_example)


def unsigned_under(
    roots: Iterable[bytes],
    jws: UnverifiedJws,
    made: datetime,
    at: datetime,
    *,
    usage: str,
    crls: Iterable[bytes] = (),
    allow_example: bool = False,
) -> str:
    """The same of roots (DER) and the revocation lists (DER) of what is below them."""
    trust = TrustStore(anchors=tuple(roots), allow_example=allow_example)
    inquiry = Inquiry("token", trust=trust, at=at, policy=Policy(), evidence=Evidence())
    try:
        check_token(inquiry, Chains(inquiry, jws.certificates(), crls), jws, usage=usage, made=made, code="UNSIGNED")
    except TokenError as error:
        return str(error.params.get("reason", error.code))
    return ""
