"""Following hubs: a member takes from a hub whom it admits, and through it the lists that the regions signed.

What counts decides :mod:`verify.trust.hubs` for the hub and :mod:`verify.trust.lists` for each region; here is the
traffic and what is kept. A hub is not believed about lists: each is checked against the anchor in the entry, which was
signed offline, and its number against what is held. So a hub that puts former lists back, or two of one number, is
found out; one that withholds is, when its list of lists runs out (HUB_STALE).

A region that a person adopted directly is not taken from a hub; its lists are compared with what the hub names.
"""

from __future__ import annotations

import datetime
import json
import logging
import zlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from certvault.clock import Clock
from certvault.db.unit_of_work import Database, UnitOfWork
from certvault.errors import ConcurrentChangeError, NotFoundError, forbidden, not_found
from certvault.hubrefusals import refused
from certvault.model.actor import Actor, Role
from certvault.model.hub import EntryRecord, HubRecord, SeenList
from certvault.model.keys import VAULT_OWNER, event
from certvault.regionlists import RegionLists
from certvault.regions import THROUGH_HUB, Regions, refusal_of
from certvault.regionsync import wait_after
from certvault.settings import Settings
from certvault.web import Fetched, Web, WebError
from verify.formats.anchor import MAX_BYTES as MAX_ANCHOR
from verify.formats.anchor import Anchor, anchor_from_json
from verify.formats.hubentry import HubEntry
from verify.formats.hublist import (
    MAX_BYTES,
    MAX_DEPTH,
    MAX_REGIONS,
    Admitted,
    HeldList,
    HubListError,
    unverified_hub_list,
)
from verify.formats.jose import unverified_jws
from verify.formats.trustdelta import DeltaError, apply_difference, begins_as_delta
from verify.formats.trustlist import MAX_BYTES as MAX_LIST
from verify.trust.hubs import (
    CheckedHubList,
    HeldEntry,
    HeldHubList,
    HubError,
    check_hub_list,
    is_inside,
    payload_digest,
)
from verify.trust.lists import Adopted, AdoptionError, anchors_served, confirmed, offer_anchors, offer_list

log = logging.getLogger("certvault.hubs")

LISTS, ANCHORS = "/v1/hub/lists", "/v1/hub/anchors"
KEPT = 8
"""So many of the newest lists of a region are kept by a hub, to make differences from."""
_AT_ONCE = 4
_SECONDS = 20.0
_FIRST_WAIT = datetime.timedelta(seconds=30)
_ACTOR = Actor(VAULT_OWNER, frozenset({Role.OPERATOR}))


@dataclass(frozen=True, slots=True)
class HubInfo:
    """A hub that is followed, for a person."""

    hub: str
    name: str
    address: str
    above: str
    depth: int
    sequence: int
    next_update: datetime.datetime | None
    confirmed: datetime.datetime | None
    stale: bool
    faults: tuple[str, ...]
    outcome: str
    failures: int
    retry_at: datetime.datetime | None
    regions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Followed:
    """What one run did: per hub and region the code of what was wrong, empty where all went well."""

    hubs: tuple[tuple[str, str], ...]
    regions: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class SeenInfo:
    """Evidence for a person: two lists of one region under one number."""

    region: str
    sequence: int
    contents: tuple[tuple[str, str, datetime.datetime], ...]
    """Of each: SHA-256 (hex) of its payload, where it was seen, when."""


class Hubs:
    """Follows hubs. Thread-safe."""

    def __init__(
        self, database: Database, regions: Regions, lists: RegionLists, web: Web, settings: Settings, clock: Clock
    ) -> None:
        self._database = database
        self._regions = regions
        self._lists = lists
        self._web = web
        self._settings = settings
        self._clock = clock

    def adopt(self, token: bytes, anchor: Anchor, actor: Actor, *, address: str) -> HubInfo:
        """Follow a hub by an anchor that a person trusts and its list of lists, which is fetched below ``address``.

        ConflictError with the codes of :mod:`verify.trust.hubs`.
        """
        if not actor.has(Role.OPERATOR):
            raise forbidden(Role.OPERATOR)
        at = self._clock.now()
        with self._database.reading() as view:
            known = view.hubs.get(anchor.region)
        record = known or HubRecord(anchor.region, anchor_text(anchor), address.rstrip("/"), at)
        try:
            checked = self._checked(replace(record, anchor=anchor_text(anchor)), token)
        except HubError as error:
            self._note(record, error.code, actor.subject, fault=False)
            raise refused(error) from error
        address = address.rstrip("/") or checked.list.base
        self._accept(
            replace(record, address=address, above="", depth=1, anchor=anchor_text(anchor)), token, checked, ""
        )
        self._entries(self._record(anchor.region), checked)
        return self.get(anchor.region)

    def adopt_at(self, url: str, anchor: Anchor, actor: Actor) -> HubInfo | None:
        """Follow the hub that serves at ``url``, its base or its list of lists; None where no hub is.

        RefusedError as :meth:`adopt`, TRUST_LIST_UNREACHABLE when the list of lists itself cannot be had.
        """
        base = url.rstrip("/").removesuffix(LISTS)
        if base.endswith("/v1/trust-list"):
            return None
        try:
            token = self._web.get(base + LISTS, limit=MAX_BYTES, seconds=_SECONDS).body
        except WebError as error:
            if base == url.rstrip("/"):
                return None
            raise refusal_of(AdoptionError("TRUST_LIST_UNREACHABLE", reason=error.code)) from error
        return self.adopt(token, anchor, actor, address=base)

    def forget(self, hub: str, actor: Actor) -> None:
        """Follow a hub no longer. The regions that came through it stay, and grow old. NotFoundError."""
        if not actor.has(Role.OPERATOR):
            raise forbidden(Role.OPERATOR)
        with self._database.writing() as uow:
            found = uow.hubs.get(hub, lock=True)
            if found is None:
                raise not_found("枢纽", "hub", hub[:20])
            for entry in uow.hub_entries.where(hub=hub):
                uow.hub_entries.remove(entry, event("HUB_ENTRY_FORGOTTEN", f"region:{entry.region}", actor.subject))
            uow.hubs.remove(found, event("HUB_FORGOTTEN", f"hub:{hub}", actor.subject))

    def get(self, hub: str) -> HubInfo:
        """One hub. NotFoundError."""
        found = next((h for h in self.list() if h.hub == hub), None)
        if found is None:
            raise not_found("枢纽", "hub", hub[:20])
        return found

    def list(self) -> tuple[HubInfo, ...]:
        """The hubs that are followed, those nearest first."""
        at = self._clock.now()
        with self._database.reading() as view:
            records = view.hubs.all()
            entries = view.hub_entries.all()
        return tuple(
            _info(r, tuple(sorted(e.region for e in entries if e.hub == r.hub)), at)
            for r in sorted(records, key=lambda r: (r.depth, r.hub))
        )

    def evidence(self) -> tuple[SeenInfo, ...]:
        """Numbers under which two lists were seen."""
        with self._database.reading() as view:
            seen = view.seen_lists.all()
        return seen_twice(seen)

    # --- traffic

    def sync(self, *, due_only: bool = False) -> Followed:
        """Pull from every hub, from the top downwards. Nothing that one of them does keeps the others from it."""
        done: dict[str, str] = {}
        regions: dict[str, str] = {}
        for _ in range(MAX_DEPTH):
            with self._database.reading() as view:
                waiting = [h for h in view.hubs.all() if h.hub not in done and h.depth <= MAX_DEPTH]
            if not waiting:
                break
            for hub in sorted(waiting, key=lambda h: (h.depth, h.hub)):
                done[hub.hub] = ""
                if due_only and hub.retry_at is not None and hub.retry_at > self._clock.now():
                    continue
                done[hub.hub] = self._pull(hub, regions)
        return Followed(tuple(sorted(done.items())), tuple(sorted(regions.items())))

    def _pull(self, hub: HubRecord, outcomes: dict[str, str]) -> str:
        """One hub: its anchors, its list of lists, then the regions it names. The code of what was wrong."""
        try:
            found = self._fetch(hub, LISTS, MAX_BYTES, etag=hub.etag)
            token = hub.token if found.status == 304 else found.body
            hub = self._anchored(hub, token)
            checked = self._checked(hub, token)
            self._accept(hub, token, checked, found.etag or "")
        except (HubError, AdoptionError, WebError) as error:
            fault = error.code in ("HUB_LIST_ROLLBACK", "HUB_LIST_EQUIVOCATED")
            self._note(hub, error.code, VAULT_OWNER, fault=fault)
            return error.code
        if not self._settings.is_hub:  # members descend themselves; a hub hands on what the hub below it signed
            outcomes.update(self._entries(self._record(hub.hub), checked))
        return ""

    def _anchored(self, hub: HubRecord, token: bytes) -> HubRecord:
        """The hub under its newest anchor: asked for when its list names a later one than the one that is held."""
        anchor = anchor_of(hub)
        try:
            named = unverified_hub_list(token)[0].anchor_sequence
        except HubListError as error:
            raise HubError("HUB_LIST_BROKEN", reason=str(error)) from error
        if named <= anchor.sequence:
            return hub
        found = self._fetch(hub, "/v1/trust-list/anchors", MAX_ANCHOR * 16)
        moved = offer_anchors(Adopted(anchor), anchors_served(found.body), self._regions.rules(anchor)).anchor
        if moved.sequence == anchor.sequence:
            return hub
        told = event("ANCHOR_ADOPTED", f"hub:{hub.hub}", VAULT_OWNER, sequence=moved.sequence)
        with self._database.writing() as uow:
            current = uow.hubs.get(hub.hub, lock=True) or hub
            return uow.hubs.save(replace(current, anchor=anchor_text(moved), etag=""), told)

    def _checked(self, hub: HubRecord, token: bytes) -> CheckedHubList:
        with self._database.reading() as view:
            entries = view.hub_entries.where(hub=hub.hub)
        return check_hub_list(
            anchor_of(hub),
            token.decode("ascii", "replace"),
            self._clock.now(),
            held=HeldHubList(hub.sequence, hub.digest) if hub.digest else None,
            entries={e.region: HeldEntry(e.sequence, e.digest) for e in entries},
            allow_example=self._settings.allow_example,
        )

    def _accept(self, hub: HubRecord, token: bytes, checked: CheckedHubList, etag: str) -> None:
        at = self._clock.now()
        kind = "HUB_LIST_CONFIRMED" if checked.confirmed else "HUB_LIST_ADOPTED"
        told = event(kind, f"hub:{hub.hub}", VAULT_OWNER, sequence=checked.list.sequence, refused=len(checked.refused))
        with self._database.writing() as uow:
            current = uow.hubs.get(hub.hub, lock=True)
            uow.hubs.save(
                replace(
                    hub,
                    revision=0 if current is None else current.revision,
                    token=token,
                    sequence=checked.held.sequence,
                    digest=checked.held.digest,
                    next_update=checked.list.next_update,
                    confirmed_at=at,
                    etag=etag or hub.etag,
                    faults=" ".join(f for f in hub.faults.split() if f != "HUB_LIST_ROLLBACK"),
                    outcome="",
                    failures=0,
                    retry_at=at + datetime.timedelta(minutes=self._settings.sync_minutes),
                ),
                told,
            )
            if not checked.confirmed:
                for refusal in checked.refused:
                    about = f"region:{refusal.region}" if refusal.region else f"hub:{hub.hub}"
                    uow.record([event("HUB_ENTRY_REFUSED", about, VAULT_OWNER, code=refusal.code)])

    def _note(self, hub: HubRecord, code: str, actor: str, *, fault: bool) -> None:
        """Keep what was wrong with a hub, and when to try again: later each time."""
        told = event("HUB_REFUSED", f"hub:{hub.hub}", actor, code=code)
        with self._database.writing() as uow:
            current = uow.hubs.get(hub.hub, lock=True)
            if current is None:
                uow.record([told])
                return
            faults = current.faults.split()
            if fault and code not in faults:
                faults.append(code)
            wait = wait_after(current.failures, _FIRST_WAIT)
            uow.hubs.save(
                replace(
                    current,
                    faults=" ".join(faults),
                    outcome=code,
                    failures=current.failures + 1,
                    retry_at=self._clock.now() + wait,
                ),
                told,
            )

    # --- the regions of a hub

    def _entries(self, hub: HubRecord, checked: CheckedHubList) -> dict[str, str]:
        """Follow each entry; the code of what was wrong by region."""
        work = [(e, a) for e, a in checked.entries if e.region != self._settings.region]
        self._bounded(hub, len(work))
        if len(work) < 2:
            return dict(self._one(hub, e, a) for e, a in work)
        with ThreadPoolExecutor(_AT_ONCE) as threads:
            return dict(threads.map(lambda w: self._one(hub, *w), work))

    def _bounded(self, hub: HubRecord, more: int) -> None:
        with self._database.reading() as view:
            others = [e for e in view.hub_entries.all() if e.hub != hub.hub]
        if len(others) + more > MAX_REGIONS:
            raise HubError("HUB_LIST_BROKEN", reason="too many regions")

    def _one(self, hub: HubRecord, entry: HubEntry, item: Admitted) -> tuple[str, str]:
        try:
            return entry.region, self._followed(hub, entry, item)
        except (HubError, AdoptionError, WebError) as error:
            return entry.region, error.code
        except ConcurrentChangeError as error:
            return entry.region, error.code
        except NotFoundError as error:  # let go by somebody at this moment
            return entry.region, error.first.code
        except Exception:
            log.exception("following region %s through hub %s failed in an unforeseen way", entry.region, hub.hub)
            return entry.region, "INTERNAL"

    def _followed(self, hub: HubRecord, entry: HubEntry, item: Admitted) -> str:
        at = self._clock.now()
        listed, before = item.held, self._take_entry(entry, item.entry)
        if entry.kind == "hub":
            self._below(hub, entry, holds=entry.holds(at))
            return ""
        known = next((h for h in self._regions.held() if h.state.region == entry.region), None)
        through = THROUGH_HUB + hub.hub
        direct = known is not None and not known.address.startswith(THROUGH_HUB)
        if not entry.holds(at):
            if known is not None and known.address == through:
                self._regions.forget(entry.region, _ACTOR)
            return ""
        if known is None:
            self._regions.begin(entry.anchor, _ACTOR, address=through)
        elif not direct and known.address != through:
            return ""  # another hub had it first
        if listed is None:
            return ""
        code = self._compared(hub, entry.region, listed, before, direct=direct)
        state = self._regions.one(entry.region).state.known()
        if state is not None and not direct:  # status lists come from the region's own address
            self._lists.refresh(state, self._web, at, seconds=_SECONDS)
        return code

    def _compared(self, hub: HubRecord, region: str, listed: HeldList, before: int, *, direct: bool) -> str:
        """Compare what the hub names with what is held; fetch what is newer, unless it comes directly."""
        held = self._regions.one(region).state
        if listed.sequence < before:  # the hub itself named a later one
            self._fault(region, "TRUST_LIST_ROLLBACK", offered=listed.sequence, held=before, on_region=not direct)
            self._note(hub, "TRUST_LIST_ROLLBACK", VAULT_OWNER, fault=True)
            return "TRUST_LIST_ROLLBACK"
        self._listed(hub.hub, region, listed.sequence)
        if listed.sequence < held.sequence:
            return "" if direct else "HUB_BEHIND"
        if listed.sequence == held.sequence:
            if listed.sha256 == held.content:
                self._confirm(region, listed.confirmed)
                return ""
            self._keep_both(hub, region, held)
            self._fault(region, "TRUST_LIST_EQUIVOCATED", sequence=listed.sequence, on_region=True)
            return "TRUST_LIST_EQUIVOCATED"
        if direct:
            return ""
        return self._newer(hub, region, listed, held)

    def _newer(self, hub: HubRecord, region: str, listed: HeldList, held: Adopted) -> str:
        if listed.anchor_sequence > held.anchor.sequence:
            anchors = anchors_served(self._fetch(hub, f"{ANCHORS}/{region}", MAX_ANCHOR * 16).body)
            _, held = self._regions.advance(
                region, lambda s: offer_anchors(s, anchors, self._regions.rules(s.anchor)), VAULT_OWNER
            )
        token = self._list(hub, region, held)
        try:
            _, done = self._regions.advance(
                region, lambda s: offer_list(s, token, self._regions.rules(s.anchor)), VAULT_OWNER, outcome=""
            )
        except AdoptionError as error:
            self._fault(region, error.code, on_region=True, **error.params)
            raise
        if done.confirmed is not None and listed.sequence == done.sequence:
            self._confirm(region, listed.confirmed)
        return ""

    def _list(self, hub: HubRecord, region: str, held: Adopted) -> bytes:
        """The region's list as it was signed, by the difference from the one held where the hub has that."""
        if held.list is None:
            return self._fetch(hub, f"{LISTS}/{region}", MAX_LIST).body
        body = self._fetch(hub, f"{LISTS}/{region}?from={held.sequence}", MAX_LIST).body
        if not begins_as_delta(body):
            return body
        try:
            return apply_difference(held.list.to_json(), body)
        except DeltaError:
            return self._fetch(hub, f"{LISTS}/{region}", MAX_LIST).body

    def _keep_both(self, hub: HubRecord, region: str, held: Adopted) -> None:
        """Evidence of two lists with one number: both, as the region signed them."""
        token = self._fetch(hub, f"{LISTS}/{region}", MAX_LIST).body
        at = self._clock.now()
        try:
            offer_list(held, token, self._regions.rules(held.anchor))
        except AdoptionError as error:
            if error.code != "TRUST_LIST_EQUIVOCATED":
                raise  # the region did not sign it
        else:
            raise HubError("HUB_LIST_BROKEN", reason="it names a list that the hub does not have")
        keep_seen(self._database, region, held.sequence, held.content, held.token, "direct", at)
        other = payload_digest(unverified_jws(token, MAX_LIST).payload)
        keep_seen(self._database, region, held.sequence, other, token, f"hub:{hub.hub}", at)

    def _fault(self, region: str, code: str, *, on_region: bool, **params: object) -> None:
        self._regions.note_refusal(region, AdoptionError(code, **params), VAULT_OWNER, fault=on_region)

    def _confirm(self, region: str, seen: datetime.datetime) -> None:
        """The hub saw then that the list held is the newest."""
        at = min(seen, self._clock.now())
        held = self._regions.one(region).state
        if held.confirmed is None or at > held.confirmed:
            self._regions.advance(region, lambda s: confirmed(s, at), VAULT_OWNER, outcome="")

    def _take_entry(self, entry: HubEntry, token: str) -> int:
        """Keep the entry; the highest number of the region's list that the hub named before."""
        digest = payload_digest(entry.payload())
        with self._database.writing() as uow:
            return keep_entry(uow, entry, token, digest, self._clock.now(), VAULT_OWNER)

    def _listed(self, hub: str, region: str, sequence: int) -> None:
        with self._database.writing() as uow:
            found = uow.hub_entries.get(hub, region, lock=True)
            if found is not None and found.listed < sequence:
                told = event("HUB_LIST_NAMED", f"region:{region}", VAULT_OWNER, hub=hub, sequence=sequence)
                uow.hub_entries.save(replace(found, listed=sequence), told)

    def _below(self, hub: HubRecord, entry: HubEntry, *, holds: bool) -> None:
        """A hub that the hub admits is followed as well, at most so deep, and no hub twice."""
        with self._database.writing() as uow:
            known = uow.hubs.get(entry.region, lock=True)
            if known is not None and known.above != hub.hub:
                return  # a person adopted it, or another hub has it
            told = event("HUB_FOLLOWED", f"hub:{entry.region}", VAULT_OWNER, above=hub.hub)
            if not holds:
                if known is not None:
                    uow.hubs.remove(known, event("HUB_FORGOTTEN", f"hub:{entry.region}", VAULT_OWNER))
                return
            if hub.depth >= MAX_DEPTH or not is_inside(entry.region, hub.hub):
                return
            at = self._clock.now()
            fresh = HubRecord(entry.region, anchor_text(entry.anchor), "", at, above=hub.hub, depth=hub.depth + 1)
            wanted = replace(known or fresh, address=entry.address)
            if wanted != known:
                uow.hubs.save(wanted, told)

    def _record(self, hub: str) -> HubRecord:
        with self._database.reading() as view:
            found = view.hubs.get(hub)
        if found is None:
            raise not_found("枢纽", "hub", hub[:20])
        return found

    def _fetch(self, hub: HubRecord, path: str, limit: int, etag: str = "") -> Fetched:
        return self._web.get(hub.address + path, limit=limit, etag=etag or None, seconds=_SECONDS)


def keep_entry(uow: UnitOfWork, entry: HubEntry, token: str, digest: str, at: datetime.datetime, actor: str) -> int:
    """Keep the newest entry of a region; the highest number of its list that was named since."""
    found = uow.hub_entries.get(entry.hub, entry.region, lock=True)
    if found is not None and found.digest == digest:
        return found.listed
    record = found or EntryRecord(entry.hub, entry.region, entry.kind, "", 0, "", at)
    told = event("HUB_ENTRY_TAKEN", f"region:{entry.region}", actor, hub=entry.hub, sequence=entry.sequence)
    changed = replace(record, kind=entry.kind, token=token, sequence=entry.sequence, digest=digest, taken_at=at)
    uow.hub_entries.save(changed, told)
    return record.listed


def keep_seen(
    database: Database,
    region: str,
    sequence: int,
    content: str,
    token: bytes,
    source: str,
    at: datetime.datetime,
) -> None:
    """Keep a list as the region signed it; of those that have no double the newest few."""
    told = event("TRUST_LIST_KEPT", f"region:{region}", VAULT_OWNER, sequence=sequence, content=content, source=source)
    with database.writing() as uow:
        if uow.seen_lists.get(region, sequence, content) is not None:
            return
        uow.seen_lists.save(SeenList(region, sequence, content, zlib.compress(token, 6), source, at), told)
        kept = uow.seen_lists.where(region=region)
        numbers = sorted({s.sequence for s in kept}, reverse=True)[KEPT:]
        for old in kept:
            if old.sequence in numbers and sum(s.sequence == old.sequence for s in kept) == 1:
                uow.seen_lists.remove(old, event("TRUST_LIST_FORGOTTEN", f"region:{region}", VAULT_OWNER))


def seen_twice(seen: Sequence[SeenList]) -> tuple[SeenInfo, ...]:
    """Of the lists that were kept, the numbers that have two contents."""
    by_number: dict[tuple[str, int], list[SeenList]] = {}
    for one in seen:
        by_number.setdefault((one.region, one.sequence), []).append(one)
    return tuple(
        SeenInfo(
            region, sequence, tuple((s.content, s.source, s.seen_at) for s in sorted(both, key=lambda s: s.seen_at))
        )
        for (region, sequence), both in sorted(by_number.items())
        if len(both) > 1
    )


def anchor_text(anchor: Anchor) -> str:
    """An anchor as it is kept."""
    return json.dumps(anchor.to_json(), ensure_ascii=False)


def anchor_of(hub: HubRecord) -> Anchor:
    """The anchor of a hub that is kept."""
    return anchor_from_json(json.loads(hub.anchor))


def _info(record: HubRecord, regions: tuple[str, ...], at: datetime.datetime) -> HubInfo:
    stale = record.next_update is None or at >= record.next_update
    faults = record.faults.split()
    if stale and record.next_update is not None:
        faults.append("HUB_STALE")
    return HubInfo(
        hub=record.hub,
        name=anchor_of(record).name,
        address=record.address,
        above=record.above,
        depth=record.depth,
        sequence=record.sequence,
        next_update=record.next_update,
        confirmed=record.confirmed_at,
        stale=stale,
        faults=tuple(faults),
        outcome=record.outcome,
        failures=record.failures,
        retry_at=record.retry_at,
        regions=regions,
    )
