"""Other regions: adopting their anchors and trust lists, and telling what is known of them.

A person adopts a region once, with an anchor that came from hand to hand; from then on its lists may be pulled
(:mod:`certvault.regionsync`) or brought as files. Which anchor or list counts decides the state machine of
:mod:`verify.trust.lists`; here its states are kept, each change with an audit line, refusals too.
"""

from __future__ import annotations

import builtins
import datetime
import json
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from certvault.clock import Clock
from certvault.db.unit_of_work import Database
from certvault.errors import ConcurrentChangeError, ConflictError, DuplicateRowError, conflict, forbidden, not_found
from certvault.model.actor import Actor, Role
from certvault.model.keys import Event, event
from certvault.model.region import RegionContact, RegionHead, RegionRecord
from certvault.pki import Pki
from certvault.settings import Settings
from verify.findings import CATALOG
from verify.formats.anchor import Anchor, anchor_from_json
from verify.formats.refusal import Refusal, RefusedError, Text, refuse
from verify.messages import sentence
from verify.messages.advice import advice_for
from verify.trust.lists import (
    Adopted,
    AdoptionError,
    Rules,
    adopted_from,
    offer_anchors,
    offer_list,
    roots_taken,
    with_fault,
)
from verify.trust.regions import KnownRegion
from verify.trust.regions import Regions as KnownRegions

THROUGH_HUB = "hub:"
"""What the address of a region begins with whose lists come through a hub; the hub's code follows."""
_TRIES = 5


@dataclass(frozen=True, slots=True)
class RegionInfo:
    """One adopted region for a person. ``age`` is how long ago its list was last seen to be the newest."""

    region: str
    name: str
    anchor: int
    sequence: int
    issued: datetime.datetime | None
    next_update: datetime.datetime | None
    confirmed: datetime.datetime | None
    age: datetime.timedelta | None
    stale: bool
    faults: tuple[str, ...]
    address: str
    outcome: str
    failures: int
    retry_at: datetime.datetime | None
    issuers: int
    types: int


@dataclass(frozen=True, slots=True)
class Held:
    """The state of one region, how asking it goes, and the address that a person gave."""

    state: Adopted
    contact: RegionContact
    address: str
    head: RegionHead

    @property
    def kept(self) -> Adopted:
        """The state as its record has it."""
        return replace(self.state, confirmed=None)

    @property
    def url(self) -> str:
        """Where its list is fetched: where a person said, as long as that is below the list's own base. Empty when it
        comes through a hub."""
        listed = self.state.list
        if self.address.startswith(THROUGH_HUB):
            return ""
        if listed is None:
            return self.address
        return self.address if self.address.startswith(listed.endpoints.base + "/") else listed.endpoints.trust_list


class Regions:
    """Adopts other regions. Thread-safe."""

    def __init__(self, database: Database, pki: Pki, settings: Settings, clock: Clock) -> None:
        self._database = database
        self._pki = pki
        self._settings = settings
        self._clock = clock
        self._lock = threading.Lock()
        self._kept: dict[str, tuple[RegionHead, Adopted, str]] = {}
        self._trust: tuple[object, KnownRegions] | None = None

    def adopt(
        self,
        token: bytes,
        anchor: Anchor,
        actor: Actor,
        *,
        address: str = "",
        anchors: Sequence[Anchor] = (),
        etag: str = "",
    ) -> RegionInfo:
        """Adopt a region by a list and an anchor that a person trusts, or take a newer list of it.

        ``anchors`` are further ones, to be walked from it. ``address`` is where the list came from, with its entity tag
        ``etag``, and where later ones are fetched: RefusedError (TRUST_LIST_ADDRESS) when that is not below the list's
        own. Whatever else is wrong is a ConflictError with the state machine's code, and changes nothing.
        """
        self._require(actor)
        if anchor.region == self._settings.region:
            raise _own_region()

        def step(held: Adopted | None) -> Adopted:
            rules = self.rules(anchor)
            held = _begun(held, anchor)
            held = offer_anchors(held, [a for a in (anchor, *anchors) if a.sequence >= held.anchor.sequence], rules)
            found = offer_list(held, token, self.rules(held.anchor), by_hand=True)
            if address and (found.list is None or not address.startswith(found.list.endpoints.base + "/")):
                raise _other_address(address)
            return found

        try:
            fresh = {"etag": etag, "outcome": "", "failures": 0, "retry_at": None}
            self._change(anchor.region, step, actor.subject, contact=fresh, address=address or None)
        except AdoptionError as error:
            self.note_refusal(anchor.region, error, actor.subject, fault=error.code == "TRUST_LIST_EQUIVOCATED")
            raise refusal_of(error) from error
        return self.get(anchor.region)

    def begin(self, anchor: Anchor, actor: Actor, *, address: str) -> None:
        """Know a region by its anchor alone, as an entry of a hub gives it: its list comes later.

        ``address`` is where that is fetched, or :data:`THROUGH_HUB` with the hub's code. One that is known keeps its
        anchor.
        """
        self._require(actor)
        self._change(anchor.region, lambda held: held or Adopted(anchor), actor.subject, contact={}, address=address)

    def forget(self, region: str, actor: Actor) -> None:
        """Let a region go: its licenses are unknown from now on. NotFoundError."""
        self._require(actor)
        with self._database.writing() as uow:
            found = uow.regions.get(region, lock=True)
            if found is None:
                raise not_found("区域", "region", region[:20])
            for contact in uow.region_contacts.where(region=region):
                uow.region_contacts.remove(contact, event("REGION_CONTACT_ENDED", f"region:{region}", actor.subject))
            uow.region_lists.forget(region)
            uow.regions.remove(found, event("REGION_FORGOTTEN", f"region:{region}", actor.subject))

    def get(self, region: str) -> RegionInfo:
        """One adopted region. NotFoundError."""
        found = next((i for i in self.list() if i.region == region), None)
        if found is None:
            raise not_found("区域", "region", region[:20])
        return found

    def list(self) -> builtins.list[RegionInfo]:
        """All adopted regions, in the order of adoption."""
        at = self._clock.now()
        return [_info(h, at) for h in self.held()]

    def known(self) -> tuple[KnownRegion, ...]:
        """What is known of the adopted regions, in the order of adoption."""
        found = (h.state.known() for h in self.held())
        return tuple(k for k in found if k is not None)

    def trust(self) -> KnownRegions | None:
        """The regions as trust for the verifier; None when none is adopted. The same object while nothing changes: it
        keeps an index."""
        held = [h for h in self.held() if h.state.list is not None]
        if not held:
            return None
        key = tuple((h.head, h.state.confirmed) for h in held)
        with self._lock:
            if self._trust is None or self._trust[0] != key:
                known = tuple(k for h in held if (k := h.state.known()) is not None)
                made = KnownRegions(self._settings.region, known, example=self._settings.sample)
                self._trust = key, made
            return self._trust[1]

    def held(self) -> builtins.list[Held]:
        """The states. Lists are large: each is read once, and again when its record has changed."""
        with self._database.reading() as view:
            heads = view.regions.heads()
            contacts = {c.region: c for c in view.region_contacts.all()}
            with self._lock:
                fresh = [h.region for h in heads if h.region not in self._kept or self._kept[h.region][0] != h]
            read = {region: view.regions.get(region) for region in fresh}
        with self._lock:
            for head in heads:
                record = read.get(head.region)
                if record is not None:
                    self._kept[head.region] = head, _state(record), record.address
            for gone in self._kept.keys() - {h.region for h in heads}:
                del self._kept[gone]
            found = [self._kept[h.region] for h in heads if h.region in self._kept]
        return [
            Held(replace(state, confirmed=contact.confirmed_at), contact, address, head)
            for head, state, address in found
            if (contact := contacts.get(head.region)) is not None
        ]

    def one(self, region: str) -> Held:
        """What is held of one region. NotFoundError."""
        found = next((h for h in self.held() if h.state.region == region), None)
        if found is None:
            raise not_found("区域", "region", region[:20])
        return found

    def rules(self, anchor: Anchor, *, limit: int | None = None) -> Rules:
        """What holds for a list under ``anchor`` now."""
        taken = roots_taken(anchor, self.known(), self._pki.roots())
        made = Rules(
            self._clock.now(),
            allow_example=self._settings.allow_example,
            samples=self._settings.sample,
            taken=taken,
        )
        return made if limit is None else replace(made, limit=limit)

    def advance(
        self, region: str, step: Callable[[Adopted], Adopted], actor: str, **contact: object
    ) -> tuple[Adopted, Adopted]:
        """Take a step of one region's state; the state before and after. ``contact``: members of its contact to keep.

        AdoptionError passes, and changes nothing.
        """

        def checked(held: Adopted | None) -> Adopted:
            return _gone(region) if held is None else step(held)

        before, after = self._change(region, checked, actor, contact=contact)
        return before or after, after

    def note(self, region: str, actor: str, **contact: object) -> None:
        """Keep how asking a region went."""
        with self._database.writing() as uow:
            found = uow.region_contacts.get(region, lock=True)
            if found is None:
                return
            changed = replace(found, **contact)  # type: ignore[arg-type]
            worse = changed.outcome and changed.outcome != found.outcome
            told = [event("REGION_SYNC_FAILED", f"region:{region}", actor, code=changed.outcome)] if worse else []
            uow.region_contacts.save_all([changed], told)

    def note_refusal(self, region: str, error: AdoptionError, actor: str, *, fault: bool) -> None:
        """An audit line about an offer that was refused; ``fault``: it is kept against the region as well."""
        told = event("TRUST_LIST_REFUSED", f"region:{region}", actor, code=error.code)
        with self._database.writing() as uow:
            uow.record([told])
        if fault and any(h.state.region == region for h in self.held()):
            self._change(
                region, lambda held: with_fault(held, error.code) if held else _gone(region), actor, contact={}
            )

    def _change(
        self,
        region: str,
        step: Callable[[Adopted | None], Adopted],
        actor: str,
        *,
        contact: Mapping[str, object],
        address: str | None = None,
    ) -> tuple[Adopted | None, Adopted]:
        """Read a state, take a step, keep the outcome; again when another process was quicker."""
        for attempt in range(_TRIES):
            held = next((h for h in self.held() if h.state.region == region), None)
            before = None if held is None else held.state
            done = step(before)
            try:
                self._save(held, done, actor, address, contact)
            except (ConcurrentChangeError, DuplicateRowError):
                if attempt == _TRIES - 1:
                    raise
                continue
            return before, done
        raise AssertionError("unreachable")

    def _save(
        self, held: Held | None, done: Adopted, actor: str, address: str | None, contact: Mapping[str, object]
    ) -> None:
        """Keep the state: its record only where that changed, since it holds the whole list."""
        told = _told(None if held is None else held.state, done, actor)
        seen = RegionContact(done.region) if held is None else held.contact
        heard = replace(seen, confirmed_at=done.confirmed, **contact)  # type: ignore[arg-type]
        wanted = address if address is not None else "" if held is None else held.address
        changed = held is None or held.address != wanted or replace(done, confirmed=None) != held.kept
        with self._database.writing() as uow:
            if changed:
                record = RegionRecord(
                    region=done.region,
                    anchor=json.dumps(done.anchor.to_json(), ensure_ascii=False),
                    token=done.token,
                    added_at=self._clock.now() if held is None else held.head.added_at,
                    adopted_at=done.adopted,
                    faults=" ".join(done.faults),
                    address=wanted,
                    revision=0 if held is None else held.head.revision,
                )
                told = told or [event("REGION_CHANGED", f"region:{done.region}", actor)]
                saved = uow.regions.save_all([record], told)[0]
            uow.region_contacts.save_all([heard], [])
        if changed:  # what was read when it was offered is not read again
            head = RegionHead(saved.region, saved.added_at, saved.revision)
            with self._lock:
                self._kept[done.region] = head, replace(done, confirmed=None), wanted

    @staticmethod
    def _require(actor: Actor) -> None:
        if not actor.has(Role.OPERATOR):
            raise forbidden(Role.OPERATOR)


def _state(record: RegionRecord) -> Adopted:
    """The state that a record holds. Nothing in it is verified again."""
    anchor = anchor_from_json(json.loads(record.anchor))
    return adopted_from(anchor, record.token, record.adopted_at, None, tuple(record.faults.split()))


def _told(held: Adopted | None, done: Adopted, actor: str) -> builtins.list[Event]:
    """The audit lines of a step."""
    about = f"region:{done.region}"
    told = []
    if held is None:
        told.append(event("REGION_ADOPTED", about, actor, anchor=done.anchor.sequence))
    elif held.anchor.sequence != done.anchor.sequence:
        told.append(event("ANCHOR_ADOPTED", about, actor, sequence=done.anchor.sequence))
    if held is None or held.content != done.content:
        told.append(event("TRUST_LIST_ADOPTED", about, actor, sequence=done.sequence, content=done.content))
    return told


def _gone(region: str) -> Adopted:
    raise not_found("区域", "region", region[:20])


def refusal_of(error: AdoptionError) -> RefusedError:
    """The refusal that tells of an offer that does not count."""
    advice = advice_for(error.code, CATALOG[error.code])
    reason = Text(*(sentence(error.code, lang, error.params).rstrip("。.") for lang in ("zh", "en")))
    field = "anchor" if error.code.startswith("ANCHOR_") else "trust_list"
    return ConflictError(Refusal(error.code, field, reason, advice.action))


def _begun(held: Adopted | None, anchor: Anchor) -> Adopted:
    """The state held, or one that begins with the anchor given by hand."""
    if held is None:
        return Adopted(anchor)
    if anchor.sequence == held.anchor.sequence and anchor.statement() != held.anchor.statement():
        raise AdoptionError("ANCHOR_EQUIVOCATED", sequence=anchor.sequence)
    return held


def _info(held: Held, at: datetime.datetime) -> RegionInfo:
    state, contact = held.state, held.contact
    listed, confirmed = state.list, state.confirmed
    return RegionInfo(
        region=state.region,
        name=state.anchor.name if listed is None else listed.name,
        anchor=state.anchor.sequence,
        sequence=state.sequence,
        issued=None if listed is None else listed.issued,
        next_update=None if listed is None else listed.next_update,
        confirmed=confirmed,
        age=None if confirmed is None else at - confirmed,
        stale=listed is None or at >= listed.next_update,
        faults=state.faults,
        address=held.url,
        outcome=contact.outcome,
        failures=contact.failures,
        retry_at=contact.retry_at,
        issuers=0 if listed is None else len(listed.issuers),
        types=0 if listed is None else len(listed.types),
    )


def _own_region() -> RefusedError:
    return conflict(
        "REGION_OWN",
        "anchor",
        "这是本库自己的区域",
        "this is the vault's own region",
        remedy_zh="只采用其他区域的信任列表。",
        remedy_en="Adopt lists of other regions only.",
    )


def _other_address(address: str) -> RefusedError:
    return refuse(
        "TRUST_LIST_ADDRESS",
        "trust_list",
        f"信任列表所称的地址与取得它的地址 {address[:200]} 不符",
        f"the list names other addresses than {address[:200]}, where it was fetched",
        remedy_zh="请使用该区域公布的地址，或先存为文件再采用。",
        remedy_en="Use the address that the region publishes, or adopt it from a file.",
    )
