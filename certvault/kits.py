"""Offline kits: what this vault knows, in one signed file for who judges without a network (:mod:`verify.trust.kits`).

In it are this region's anchors, trust list, revocation lists and status lists; of each adopted region its anchor, its
list as it was signed, and the status lists that are kept of it; and the agreements by which we recognize its licenses.

Status lists of our own are signed anew for a kit, to hold for as long as the kit does, and not beyond the next change
that is known already. That is a promise to who carries the kit, and the price of standing without a network: what is
revoked meanwhile is seen with the next kit. Those of other regions hold for as long as these said themselves.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from certvault.anchors import Anchors
from certvault.clock import Clock
from certvault.db.unit_of_work import Database
from certvault.errors import forbidden
from certvault.keyring import Keyring
from certvault.model.actor import Actor, Role
from certvault.model.keys import event
from certvault.pki import Pki
from certvault.regionlists import RegionLists
from certvault.regions import Regions
from certvault.settings import Settings
from certvault.statuslists import StatusLists, list_uri
from certvault.trustlists import TrustLists
from signing.formats.kit import make_kit
from verify.formats.anchor import Anchor
from verify.formats.kit import KINDS, KitManifest, KitMember, KitRegion, KitType
from verify.formats.refusal import refuse
from verify.trust.regions import Regions as KnownRegions

HOURS, MOST_HOURS = 24, 31 * 24


@dataclass(frozen=True, slots=True)
class Kit:
    """A kit with what it says of itself."""

    data: bytes
    manifest: KitManifest


@dataclass(slots=True)
class _Contents:
    members: list[KitMember] = field(default_factory=list)
    data: dict[str, bytes] = field(default_factory=dict)

    def add(self, kind: str, region: str, stem: str, data: bytes, *, uri: str = "", approved: bool = False) -> None:
        ending = {"anchor": "json", "agreement": "json", "crl": "crl"}.get(kind, "jws")
        name = f"{KINDS[kind]}/{stem}.{ending}"
        self.members.append(KitMember.of(name, kind, region, data, uri=uri, approved=approved))
        self.data[name] = data


class AgreedVersion(Protocol):
    """One version of an agreement: ``region`` is the other one, ``accepting`` whether it is ours to decide, ``waits``
    whether it waits for approval; ``signed`` is it as it was signed up to now."""

    @property
    def region(self) -> str: ...
    @property
    def accepting(self) -> bool: ...
    @property
    def waits(self) -> bool: ...
    @property
    def signed(self) -> bytes: ...


class Agreed(Protocol):
    """Where agreements are known from."""

    def list(self) -> Sequence[AgreedVersion]:
        """All versions, in the order in which they were made."""

    def with_agreements(self, regions: KnownRegions) -> KnownRegions:
        """What is known of regions, together with the agreements and our types."""


class Kits:
    """Makes kits."""

    def __init__(
        self,
        database: Database,
        keyring: Keyring,
        pki: Pki,
        anchors: Anchors,
        trust_lists: TrustLists,
        status_lists: StatusLists,
        regions: Regions,
        region_lists: RegionLists,
        agreed: Agreed | None,
        settings: Settings,
        clock: Clock,
    ) -> None:
        self._database = database
        self._keyring = keyring
        self._pki = pki
        self._anchors = anchors
        self._trust_lists = trust_lists
        self._status_lists = status_lists
        self._regions = regions
        self._region_lists = region_lists
        self._agreed = agreed
        self._settings = settings
        self._clock = clock

    def make(self, actor: Actor, *, hours: int = HOURS) -> Kit:
        """A kit from which the standing of our licenses is known for ``hours``. Operators make kits; RefusedError for
        a number of hours that is not from 1 to 744."""
        if not actor.has(Role.OPERATOR):
            raise forbidden(Role.OPERATOR)
        if not 1 <= hours <= MOST_HOURS:
            raise _hours()
        contents = _Contents()
        listed = self._trust_lists.newest()
        made = self._clock.now().replace(microsecond=0)
        until = made + datetime.timedelta(hours=hours)
        self._add_own(contents, listed.token, until)
        seen = tuple(self._add_others(contents))
        self._add_agreements(contents, [r.region for r in seen])
        trust = self._regions.trust()
        if trust is not None and self._agreed is not None:
            trust = self._agreed.with_agreements(trust)
        required = {} if trust is None else dict(trust.types)
        manifest = KitManifest(
            self._settings.region,
            made,
            until,
            tuple(contents.members),
            seen,
            countersigned=trust is not None and trust.countersigned,
            example=self._settings.sample,
            types=() if trust is None else tuple(KitType(n, f, required.get(n, ())) for n, f in trust.fields),
        )
        key = self._anchors.list_key()
        data = make_kit(manifest, contents.data, signer=self._keyring.signer(key.key), chain=key.chain)
        told = event("KIT_MADE", "kit", actor.subject, members=len(contents.members), hours=hours)
        with self._database.writing() as uow:
            uow.record([told])
        return Kit(data, manifest)

    def _add_own(self, contents: _Contents, listed: str, until: datetime.datetime) -> None:
        region = self._settings.region
        for anchor in self._anchors.all():
            contents.add("anchor", region, f"{region}-{anchor.sequence}", _json(anchor))
        contents.add("list", region, region, listed.encode())
        for number, name in enumerate(self._pki.ca_names(), 1):
            contents.add("crl", region, f"{region}-{number}", self._pki.crl(name))
        for n in self._status_lists.numbers():
            token = self._status_lists.token_until(n, until).encode()
            contents.add("status", region, f"{region}-{n}", token, uri=list_uri(self._settings.base_url, n))

    def _add_others(self, contents: _Contents) -> Iterator[KitRegion]:
        for held in self._regions.held():
            state = held.state
            if state.list is None or state.adopted is None or state.confirmed is None:
                continue
            region = state.region
            contents.add("anchor", region, f"{region}-{state.anchor.sequence}", _json(state.anchor))
            contents.add("list", region, region, state.token)
            for n, kept in enumerate(self._region_lists.all_of(region), 1):
                contents.add("status", region, f"{region}-{n}", kept.token, uri=kept.uri)
            yield KitRegion(region, state.adopted, state.confirmed, state.faults)

    def _add_agreements(self, contents: _Contents, regions: Collection[str]) -> None:
        """Ours about regions that are in the kit; those that wait for approval are not signed yet."""
        agreed = self._agreed.list() if self._agreed is not None else ()
        ours = [v for v in agreed if v.accepting and not v.waits]
        for n, version in enumerate((v for v in ours if v.region in regions), 1):
            contents.add("agreement", version.region, f"{n}", version.signed, approved=not version.waits)


def _json(anchor: Anchor) -> bytes:
    return json.dumps(anchor.to_json(), ensure_ascii=False).encode()


def _hours() -> Exception:
    return refuse(
        "KIT_HOURS", "hours", f"离线包的时限须为 1 至 {MOST_HOURS} 小时。", f"A kit holds for 1 to {MOST_HOURS} hours.",
        remedy_zh="请给出该范围内的小时数。", remedy_en="Give a number of hours in that range.",
    )  # fmt: skip
