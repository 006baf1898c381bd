"""A hub: it admits regions by entries, hands their lists on as they were signed, and publishes a list of lists.

An entry counts by its own signature under a root that the hub's anchor names in ``admits``; where those are roots of a
vault that is kept offline, this vault's own keys admit nobody, whoever holds them. The lists of admitted regions are
adopted like any other region's (:mod:`certvault.regions`), so that a hub refuses what a member would refuse. Number
and payload of a list of lists are stored before it is signed.
"""

from __future__ import annotations

import datetime
import hashlib
import json
import threading
import zlib
from dataclasses import dataclass, replace
from functools import lru_cache

from certvault.anchors import Anchors
from certvault.clock import Clock
from certvault.db.unit_of_work import Database, View
from certvault.errors import ConcurrentChangeError, DuplicateRowError, forbidden, not_found
from certvault.hubrefusals import refused, require_hub
from certvault.hubs import anchor_of, anchor_text, keep_entry, keep_seen, seen_twice
from certvault.keyring import Keyring
from certvault.model.actor import Actor, Role
from certvault.model.hub import HubRecord, PublishedHubList
from certvault.model.keys import VAULT_OWNER, event
from certvault.model.region import RegionHead, RegionRecord
from certvault.regions import Regions
from certvault.settings import Settings
from signing.formats.hub import make_entry, sign_hub_list
from verify.formats.anchor import Anchor, anchor_from_json
from verify.formats.hubentry import HubEntry, level_of, unverified_entry
from verify.formats.hublist import (
    MAX_REGIONS,
    Admitted,
    Equivocation,
    HeldList,
    HubList,
    hub_list_from_json,
    unverified_hub_list,
)
from verify.formats.jose import strict_object, unverified_jws
from verify.formats.members import Members
from verify.formats.trustdelta import difference
from verify.formats.trustlist import MAX_BYTES
from verify.trust.hubs import HeldEntry, HubError, check_entry, payload_digest

_EPOCH = datetime.datetime(2000, 1, 1, tzinfo=datetime.UTC)
ADMITTED_FOR = datetime.timedelta(days=3 * 365)
_RENEWAL = datetime.timedelta(days=1)
_TRIES = 5
_DELTAS = 256
"""Differences that are kept at hand."""
_DELTAS_BYTES = 64_000_000


@dataclass(frozen=True, slots=True)
class GivenOut:
    """A list of lists as it is given out."""

    sequence: int
    token: str
    etag: str
    next_update: datetime.datetime
    renewed: datetime.datetime


@dataclass(frozen=True, slots=True)
class EntryInfo:
    """An entry with what the hub holds of the region."""

    entry: HubEntry
    token: str
    holds: bool
    held: HeldList | None


class Hub:
    """The hub's side. Thread-safe."""

    def __init__(
        self,
        database: Database,
        keyring: Keyring,
        anchors: Anchors,
        regions: Regions,
        settings: Settings,
        clock: Clock,
    ) -> None:
        self._database = database
        self._keyring = keyring
        self._anchors = anchors
        self._regions = regions
        self._settings = settings
        self._clock = clock
        self._lock = threading.RLock()
        self._heads: dict[str, tuple[RegionHead, HeldList | None]] = {}
        self._deltas: dict[tuple[str, int, str], bytes | None] = {}
        self._kept: tuple[tuple[int, ...], GivenOut] | None = None

    # --- entries

    def admit(
        self,
        anchor: Anchor,
        actor: Actor,
        *,
        address: str,
        kind: str = "region",
        parent: str = "",
        level: int = 0,
        until: datetime.datetime | None = None,
    ) -> str:
        """Sign an entry and take it in. Where another vault's root admits, that refuses it (HUB_ENTRY_UNTRUSTED)."""
        self._require(actor)
        at = self._clock.now().replace(microsecond=0)
        entry = HubEntry(
            hub=self._settings.region,
            region=anchor.region,
            kind=kind,
            name=anchor.name or anchor.region,
            anchor=anchor,
            address=address.rstrip("/"),
            level=level or level_of(anchor.region),
            parent=parent or self._settings.region,
            admitted=at,
            until=until or at + ADMITTED_FOR,
            sequence=self._next(anchor.region),
        )
        return self._signed(entry, actor)

    def withdraw(self, region: str, actor: Actor) -> str:
        """Sign and take in the entry that ends a region's admission. NotFoundError for one that has none."""
        self._require(actor)
        with self._database.reading() as view:
            found = view.hub_entries.get(self._settings.region, region)
        if found is None:
            raise not_found("登记项", "entry", region[:20])
        entry, _ = unverified_entry(found.token)
        at = self._clock.now().replace(microsecond=0)
        ended = replace(entry, admitted=at, until=max(entry.until, at + _RENEWAL), sequence=entry.sequence + 1)
        return self._signed(replace(ended, withdrawn=True), actor)

    def add(self, token: str, actor: Actor) -> HubEntry:
        """Take in an entry that was signed elsewhere. ConflictError with the codes of :mod:`verify.trust.hubs`."""
        self._require(actor)
        token = token.strip()
        try:
            entry = self._checked(token)
        except HubError as error:
            with self._database.writing() as uow:
                uow.record([event("HUB_ENTRY_REFUSED", "hub", actor.subject, code=error.code)])
            raise refused(error, "entry") from error
        self._keep(entry, token, actor)
        if entry.withdrawn:
            self._let_go(entry, actor)
        elif entry.kind == "region":
            self._regions.begin(entry.anchor, actor, address=entry.address + "/v1/trust-list")
        return entry

    def admit_by(self, offline: Anchor, actor: Actor) -> Anchor:
        """Begin the next anchor of the hub, by which the roots of ``offline`` alone admit regions. It counts once they
        have vouched for it."""
        self._require(actor)
        return self._anchors.change(actor, add=offline.certificates, admits=tuple(sorted(offline.digests())))

    def entries(self) -> list[EntryInfo]:
        """All entries, by region."""
        require_hub(self._settings)
        at = self._clock.now()
        with self._database.reading() as view:
            records = view.hub_entries.where(hub=self._settings.region)
            held = self._held(view)
        found = []
        for record in sorted(records, key=lambda r: r.region):
            entry = _entry(record.token)
            holds = entry.holds(at)
            found.append(EntryInfo(entry, record.token, holds, held.get(entry.region) if holds else None))
        return found

    # --- what is handed on

    def newest(self) -> GivenOut:
        """The newest list of lists, made and signed when what it would say has changed or the former one is old."""
        require_hub(self._settings)
        with self._lock:
            at = self._clock.now()
            with self._database.reading() as view:
                mark = view.hub_mark()
            if self._kept is not None and self._kept[0] == mark and at < self._kept[1].renewed:
                return self._kept[1]
            given = self._published()
            self._kept = mark, given  # what changed while it was made is seen at the next call
            return given

    def region_list(self, region: str) -> bytes:
        """The region's own list, or a hub's list of lists, as it was signed. NotFoundError."""
        self._entry_of(region)
        with self._database.reading() as view:
            hub, record = view.hubs.get(region), view.regions.get(region)
        found = hub.token if hub is not None else b"" if record is None else record.token
        if not found:
            raise not_found("信任列表", "trust list of region", region[:20])
        return found

    def delta(self, region: str, since: int) -> bytes | None:
        """What leads from the region's list ``since`` to the one held; None when that is not kept. Made once."""
        self._entry_of(region)
        with self._database.reading() as view:
            held = self._held(view).get(region)
            if held is None or since >= held.sequence:
                return None
            key = region, since, held.sha256
            with self._lock:
                if key in self._deltas:
                    return self._deltas[key]
            kept, record = view.seen_lists.where(region=region, sequence=since), view.regions.get(region)
        if len(kept) != 1 or record is None:
            return None  # numbers that nobody has put nothing out of what is kept
        former = strict_object(unverified_jws(zlib.decompress(kept[0].token), MAX_BYTES).payload, "payload")
        latest = strict_object(unverified_jws(record.token, MAX_BYTES).payload, "payload")
        made = difference(former, latest, record.token.decode("ascii"))
        with self._lock:
            room = _DELTAS_BYTES - len(made or b"")
            while self._deltas and (
                len(self._deltas) >= _DELTAS or sum(len(d or b"") for d in self._deltas.values()) > room
            ):
                del self._deltas[next(iter(self._deltas))]
            self._deltas[key] = made
        return made

    def region_anchors(self, region: str) -> list[Anchor]:
        """The anchors that lead from the one in the entry to the newest that is known."""
        entry = self._entry_of(region)
        with self._database.reading() as view:
            hub, record = view.hubs.get(region), view.regions.get(region)
            kept = view.hub_entries.get(self._settings.region, region)
        held = hub.anchor if hub is not None else None if record is None else record.anchor
        newest = entry.anchor if held is None else anchor_from_json(json.loads(held))
        walked = [] if kept is None else [anchor_from_json(a) for a in json.loads(kept.anchors)]
        by_number = {a.sequence: a for a in (entry.anchor, *walked, newest) if a.sequence <= newest.sequence}
        return [by_number[n] for n in sorted(by_number) if n >= entry.anchor.sequence]

    def seen(self, region: str, sequence: int) -> list[str]:
        """SHA-256 (hex) of the payload of each list of that number that was seen."""
        entry = self._entry_of(region)
        with self._database.reading() as view:
            found = {s.content for s in view.seen_lists.where(region=entry.region, sequence=sequence)}
            held = self._held(view).get(entry.region)
        return sorted(found | ({held.sha256} if held is not None and held.sequence == sequence else set()))

    def equivocations(self) -> list[Equivocation]:
        """Numbers under which two lists of one region were seen, the latest of each region."""
        with self._database.reading() as view:
            both = seen_twice(view.seen_lists.all())
        latest = {s.region: s for s in both}
        return [
            Equivocation(s.region, s.sequence, s.contents[0][0], s.contents[1][0], _second(s.contents[1][2]))
            for s in latest.values()
        ]

    def keep(self) -> None:
        """Keep the lists that were gathered, to make differences from; and forget the old ones."""
        require_hub(self._settings)
        at = self._clock.now()
        for state in (h.state for h in self._regions.held()):
            if state.list is not None:
                keep_seen(self._database, state.region, state.sequence, state.content, state.token, "direct", at)

    # --- inside

    def _published(self) -> GivenOut:
        self._keyring.refresh()
        for _ in range(_TRIES - 1):
            try:
                return _given_out(self._signed_row(self._current()))
            except (DuplicateRowError, ConcurrentChangeError):
                continue  # another process published: see what it says
        return _given_out(self._signed_row(self._current()))

    def _signed(self, entry: HubEntry, actor: Actor) -> str:
        key = self._anchors.list_key()
        token = make_entry(entry, signer=self._keyring.signer(key.key), chain=key.chain)
        self.add(token, actor)
        return token

    def _next(self, region: str) -> int:
        with self._database.reading() as view:
            found = view.hub_entries.get(self._settings.region, region)
        return 1 if found is None else found.sequence + 1

    def _checked(self, token: str) -> HubEntry:
        anchor = self._anchors.current()
        entry = check_entry(anchor, token, self._clock.now(), allow_example=self._settings.allow_example)
        with self._database.reading() as view:
            found = view.hub_entries.get(entry.hub, entry.region)
        held = None if found is None else HeldEntry(found.sequence, found.digest)
        return check_entry(anchor, token, self._clock.now(), held=held, allow_example=self._settings.allow_example)

    def _keep(self, entry: HubEntry, token: str, actor: Actor) -> None:
        at = self._clock.now()
        with self._database.writing() as uow:
            keep_entry(uow, entry, token, payload_digest(entry.payload()), at, actor.subject)
            hub = uow.hubs.get(entry.region, lock=True)
            told = event("HUB_ADMITTED", f"region:{entry.region}", actor.subject, sequence=entry.sequence)
            if entry.kind == "hub" and not entry.withdrawn:
                fresh = hub or HubRecord(entry.region, anchor_text(entry.anchor), "", at, above=entry.hub)
                uow.hubs.save(replace(fresh, address=entry.address), told)

    def _let_go(self, entry: HubEntry, actor: Actor) -> None:
        if entry.region in {h.state.region for h in self._regions.held()}:
            self._regions.forget(entry.region, actor)
        with self._database.writing() as uow:
            hub = uow.hubs.get(entry.region, lock=True)
            if hub is not None:
                uow.hubs.remove(hub, event("HUB_FORGOTTEN", f"hub:{hub.hub}", actor.subject))

    def _entry_of(self, region: str) -> HubEntry:
        require_hub(self._settings)
        with self._database.reading() as view:
            found = view.hub_entries.get(self._settings.region, region)
        entry = None if found is None else _entry(found.token)
        if entry is None or not entry.holds(self._clock.now()):
            raise not_found("区域", "region", region[:20])
        return entry

    def _held(self, view: View) -> dict[str, HeldList]:
        """What is held of each region. The lists were judged when they were taken in; of each its head is read once."""
        contacts = {c.region: c.confirmed_at for c in view.region_contacts.all()}
        found = {h.hub: held for h in view.hubs.all() if (held := _held_of_hub(h)) is not None}
        for head in view.regions.heads():
            with self._lock:
                known = self._heads.get(head.region)
            if known is None or known[0] != head:
                record = view.regions.get(head.region)
                known = head, None if record is None or not record.token else _head_of(record)
                with self._lock:
                    self._heads[head.region] = known
            confirmed = contacts.get(head.region)
            if known[1] is not None and confirmed is not None:
                found[head.region] = replace(known[1], confirmed=_hour(confirmed))
        return found

    def _current(self) -> PublishedHubList:
        at = self._clock.now()
        anchor = self._anchors.current()
        infos = self.entries()
        with self._database.reading() as view:
            newest = _newest(view)
        made = HubList(
            hub=self._settings.region,
            name=self._settings.name,
            sequence=1,
            issued=_EPOCH,
            next_update=_EPOCH + _RENEWAL,
            anchor_sequence=anchor.sequence,
            base=self._settings.base_url,
            admitted=tuple(Admitted(i.token, i.held) for i in infos if i.entry.until > at),
            equivocations=tuple(self.equivocations()),
        )
        content = hashlib.sha256(made.payload()).hexdigest()
        if newest is not None and newest.token is None:  # its number is taken: it is signed whatever has changed
            newest = self._signed_row(newest)
        if newest is not None and newest.content == content and at < _renewed(newest):
            return newest
        issued = at.replace(microsecond=0) if newest is None else max(at.replace(microsecond=0), newest.issued_at)
        listed = replace(
            made,
            sequence=1 if newest is None else newest.sequence + 1,
            issued=issued,
            next_update=issued + datetime.timedelta(hours=self._settings.list_hours),
        )
        hub_list_from_json(listed.to_json())  # what no follower would read is not published
        row = PublishedHubList(listed.sequence, content, listed.payload(), listed.issued, listed.next_update)
        told = event("HUB_LIST_MADE", f"hub-list:{row.sequence}", VAULT_OWNER, regions=len(listed.admitted))
        with self._database.writing() as uow:
            return uow.hub_lists.save(row, told)

    def _signed_row(self, row: PublishedHubList) -> PublishedHubList:
        if row.token is not None:
            return row
        key = self._anchors.list_key()
        token = sign_hub_list(row.payload, signer=self._keyring.signer(key.key), chain=key.chain)
        told = event("HUB_LIST_SIGNED", f"hub-list:{row.sequence}", VAULT_OWNER, key=key.key.id)
        with self._database.writing() as uow:
            return uow.hub_lists.save(replace(row, token=token), told)

    def _require(self, actor: Actor) -> None:
        require_hub(self._settings)
        if not actor.has(Role.OPERATOR):
            raise forbidden(Role.OPERATOR)


def _given_out(row: PublishedHubList) -> GivenOut:
    token = row.token or ""
    etag = '"' + hashlib.sha256(token.encode()).hexdigest()[:32] + '"'
    return GivenOut(row.sequence, token, etag, row.next_update, _renewed(row))


def _renewed(row: PublishedHubList) -> datetime.datetime:
    return row.issued_at + min(_RENEWAL, (row.next_update - row.issued_at) / 2)


def _newest(view: View) -> PublishedHubList | None:
    table = view.hub_lists.table.c
    found = view.hub_lists.all(view.hub_lists.query().order_by(table.sequence.desc()).limit(1))
    return found[0] if found else None


def _head_of(record: RegionRecord) -> HeldList:
    """What a list says of itself, without reading its certificates."""
    payload = unverified_jws(record.token, MAX_BYTES).payload
    scheme = strict_object(payload, "payload")["LoTE"]["ListAndSchemeInformation"]
    told = Members(scheme)
    return HeldList(
        sequence=told.integer("LoTESequenceNumber"),
        sha256=payload_digest(payload),
        size=len(record.token),
        issued=told.moment("ListIssueDateTime"),
        next_update=told.moment("NextUpdate"),
        confirmed=_EPOCH,
        anchor_sequence=int(json.loads(record.anchor)["sequence"]),
    )


@lru_cache(maxsize=MAX_REGIONS)
def _entry(token: str) -> HubEntry:
    """An entry that this hub took in: there may be thousands, and anybody may ask for them."""
    return unverified_entry(token)[0]


def _held_of_hub(hub: HubRecord) -> HeldList | None:
    """What is held of a hub below: its list of lists."""
    if not hub.token or hub.confirmed_at is None:
        return None
    found, _ = unverified_hub_list(hub.token)
    confirmed = _hour(hub.confirmed_at)
    return HeldList(
        found.sequence, hub.digest, len(hub.token), found.issued, found.next_update, confirmed, anchor_of(hub).sequence
    )


def _hour(at: datetime.datetime) -> datetime.datetime:
    """To the hour: a list of lists is not made anew because each of its lists was seen again."""
    return at.astimezone(datetime.UTC).replace(minute=0, second=0, microsecond=0)


def _second(at: datetime.datetime) -> datetime.datetime:
    return at.replace(microsecond=0)
