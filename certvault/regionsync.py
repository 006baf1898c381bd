"""Pulling the trust lists of adopted regions: anchors first, then the list, as a difference where that is served, and
the status lists that it names (:mod:`certvault.regionlists`).

Asked is only what an adopted list names (:class:`verify.formats.trustlist.Endpoints`), or the address that a person
gave when adopting, which lies below it. Each region is on its own: a thread, a time and a size for each, so that one
that is slow, large, broken or hostile changes nothing for the others. After a failure it is asked more and more seldom.
"""

from __future__ import annotations

import datetime
import logging
import random
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from certvault.clock import Clock
from certvault.errors import VaultError, forbidden
from certvault.model.actor import Actor, Role
from certvault.model.keys import VAULT_OWNER
from certvault.regionlists import RegionLists
from certvault.regions import Held, RegionInfo, Regions, refusal_of
from certvault.settings import Settings
from certvault.web import Fetched, Web, WebError
from verify.formats.anchor import MAX_BYTES as MAX_ANCHOR
from verify.formats.anchor import Anchor
from verify.formats.refusal import Refusal, RefusedError, Text
from verify.formats.trustdelta import MEDIA_TYPE as DELTA
from verify.formats.trustdelta import DeltaError, apply_difference, begins_as_delta
from verify.formats.trustlist import MAX_BYTES
from verify.messages import sentence
from verify.trust.lists import FAULTS, Adopted, AdoptionError, anchors_served, confirmed, offer_anchors, offer_list

log = logging.getLogger("certvault.regions")

SECONDS = 30.0
"""For all that is asked of one region in one round."""
AT_ONCE = 16
ROOM = 8_000_000
"""Bytes that a list may have beyond four times the one that is held."""
MAX_ANCHORS_BYTES = 4 * MAX_ANCHOR
LONGEST_WAIT = datetime.timedelta(hours=6)
_LIST = "application/jose"
UNREACHABLE = "TRUST_LIST_UNREACHABLE"


@dataclass(frozen=True, slots=True)
class Synced:
    """How asking one region went. ``code`` is a finding's, empty when it went well, ``reason`` its sentence.

    ``how``: ``unchanged``, ``difference``, ``list``, or nothing when it failed. ``received`` counts bytes of bodies.
    """

    region: str
    code: str
    reason: Text
    how: str
    sequence: int
    received: int
    seconds: float


@dataclass(slots=True)
class _Round:
    """What is left of the time for one region, and what it sent."""

    web: Web
    until: float
    received: int = 0
    notes: list[str] = field(default_factory=list)

    def get(self, url: str, limit: int, *, etag: str = "", accept: str = "*/*") -> Fetched:
        left = self.until - time.monotonic()
        if left <= 0.05:
            raise WebError("WEB_TIMEOUT", Text("对方未在时限内答完", "the other side did not finish in time"))
        found = self.web.get(url, limit=limit, etag=etag or None, seconds=left, accept=accept)
        self.received += len(found.body)
        return found


class RegionSync:
    """Asks adopted regions for what is new."""

    def __init__(self, regions: Regions, lists: RegionLists, web: Web, settings: Settings, clock: Clock) -> None:
        self._regions = regions
        self._lists = lists
        self._web = web
        self._settings = settings
        self._clock = clock

    def adopt(self, url: str, anchor: Anchor, actor: Actor) -> RegionInfo:
        """Adopt a region by the address of its list. RefusedError (TRUST_LIST_UNREACHABLE), else as Regions.adopt."""
        if not actor.has(Role.OPERATOR):
            raise forbidden(Role.OPERATOR)
        ask = _Round(self._web, time.monotonic() + SECONDS)
        try:
            fetched = ask.get(url, MAX_BYTES, accept=_LIST)
            try:
                anchors = anchors_served(ask.get(f"{url}/anchors", MAX_ANCHORS_BYTES).body)
            except (WebError, AdoptionError):
                anchors = []  # a list under the anchor given needs no others
        except WebError as error:
            raise _unreachable(error) from error
        newer = [a for a in anchors if a.sequence > anchor.sequence]
        etag = fetched.etag or ""
        return self._regions.adopt(fetched.body, anchor, actor, address=url, anchors=newer, etag=etag)

    def sync(self, actor: Actor, names: Sequence[str] = ()) -> list[Synced]:
        """Ask the regions named, or all, whatever the time; how it went with each. NotFoundError for an unknown one."""
        if not actor.has(Role.OPERATOR):
            raise forbidden(Role.OPERATOR)
        held = [self._regions.one(n) for n in names] or self._regions.held()
        return self._ask_all(held, actor.subject)

    def sync_due(self) -> list[Synced]:
        """Ask those whose time has come: what the service does in the background."""
        at = self._clock.now()
        return self._ask_all([h for h in self._regions.held() if _is_due(h, at)], VAULT_OWNER)

    def _ask_all(self, held: Sequence[Held], actor: str) -> list[Synced]:
        held = [h for h in held if h.url]
        if not held:
            return []
        with ThreadPoolExecutor(min(len(held), AT_ONCE), thread_name_prefix="region-sync") as pool:
            return list(pool.map(lambda h: self._ask(h, actor), held))

    def _ask(self, held: Held, actor: str) -> Synced:
        """One region. Whatever happens stays with it."""
        region, started = held.state.region, time.monotonic()
        ask = _Round(self._web, started + SECONDS)
        try:
            after = self._pull(held, ask, actor)
            self._pull_statuses(after, ask)
        except AdoptionError as error:
            self._regions.note_refusal(region, error, actor, fault=error.code in FAULTS)
            return self._failed(held, error, ask, started, actor)
        except WebError as error:
            told = AdoptionError(UNREACHABLE, reason=error.code)
            return self._failed(held, told, ask, started, actor, reason=error.reason)
        except VaultError as error:
            return self._failed(held, AdoptionError(UNREACHABLE, reason=error.code), ask, started, actor)
        except Exception as error:
            log.exception("asking region %s failed in an unforeseen way", region)
            return self._failed(held, AdoptionError(UNREACHABLE, reason=type(error).__name__), ask, started, actor)
        return Synced(region, "", Text("", ""), ask.notes[-1], after.sequence, ask.received, time.monotonic() - started)

    def _pull_statuses(self, state: Adopted, ask: _Round) -> None:
        """The region's status lists, in what is left of its time; what cannot be had is fetched when it is needed."""
        known = state.known()
        if known is not None:
            left = max(0.0, ask.until - time.monotonic())
            ask.received += self._lists.refresh(known, self._web, self._clock.now(), seconds=left).size

    def _failed(
        self, held: Held, error: AdoptionError, ask: _Round, started: float, actor: str, reason: Text | None = None
    ) -> Synced:
        region, failures = held.state.region, held.contact.failures + 1
        at = self._clock.now()
        self._regions.note(
            region,
            actor,
            outcome=error.code,
            failures=failures,
            synced_at=at,
            retry_at=at + self._wait(failures),
        )
        zh, en = (sentence(error.code, lang, error.params) for lang in ("zh", "en"))
        if reason is not None:
            zh, en = (sentence(error.code, lang, {"reason": reason.in_language(lang)}) for lang in ("zh", "en"))
        seconds = time.monotonic() - started
        return Synced(region, error.code, Text(zh, en), "", held.state.sequence, ask.received, seconds)

    def _pull(self, held: Held, ask: _Round, actor: str) -> Adopted:
        """Anchors, then the list; the state after both."""
        region, url = held.state.region, held.url
        state = held.state
        try:
            fetched = ask.get(f"{url}/anchors", MAX_ANCHORS_BYTES, etag=held.contact.anchor_etag)
        except WebError as error:
            if error.status != 404:  # a region that serves none keeps the one that was handed over
                raise
        else:
            if fetched.status != 304:
                anchors, rules = anchors_served(fetched.body), self._regions.rules(state.anchor)
                _, state = self._regions.advance(
                    region, lambda s: offer_anchors(s, anchors, rules), actor, anchor_etag=fetched.etag or ""
                )
        same = state.anchor.sequence == held.state.anchor.sequence
        return self._pull_list(held, state, ask, actor, etag=held.contact.etag if same else "")

    def _pull_list(self, held: Held, state: Adopted, ask: _Round, actor: str, *, etag: str) -> Adopted:
        limit = min(MAX_BYTES, 4 * len(state.token) + ROOM)
        url = held.url
        wanted = f"{url}?from={state.sequence}" if state.sequence else url
        fetched = ask.get(wanted, limit, etag=etag, accept=f"{DELTA}, {_LIST}")
        at = self._clock.now()
        fine = {"outcome": "", "failures": 0, "synced_at": at, "retry_at": at + self._wait(0)}
        if fetched.status == 304:
            if state.list is not None and at >= state.list.next_update:
                raise AdoptionError("TRUST_LIST_EXPIRED", next_update=state.list.next_update.isoformat())
            ask.notes.append("unchanged")
            return self._regions.advance(state.region, lambda s: confirmed(s, at), actor, **fine)[1]
        fine["etag"] = fetched.etag or ""
        rules = self._regions.rules(state.anchor, limit=limit)
        if state.list is not None and begins_as_delta(fetched.body):
            try:
                token = apply_difference(state.list.to_json(), fetched.body)
                after = self._regions.advance(state.region, lambda s: offer_list(s, token, rules), actor, **fine)[1]
            except (DeltaError, AdoptionError):
                fetched = ask.get(url, limit, accept=_LIST)  # whatever was wrong with it: the whole list decides
                fine["etag"] = fetched.etag or ""
            else:
                ask.notes.append("difference")
                return after
        body = fetched.body
        after = self._regions.advance(state.region, lambda s: offer_list(s, body, rules), actor, **fine)[1]
        ask.notes.append("list")
        return after

    def _wait(self, failures: int) -> datetime.timedelta:
        """Until a region is asked again: twice as long after each failure, and never all at one moment."""
        base = datetime.timedelta(minutes=self._settings.sync_minutes)
        jitter = 0.75 + random.random() / 2  # noqa: S311 - spreads load, guards nothing
        return wait_after(failures, base) * jitter


def wait_after(failures: int, base: datetime.timedelta) -> datetime.timedelta:
    """Until somebody who failed so often is asked again: twice as long each time, a quarter of a day at most."""
    return min(base * (1 << min(failures, 10)), max(base, LONGEST_WAIT))


def _is_due(held: Held, at: datetime.datetime) -> bool:
    return held.contact.retry_at is None or held.contact.retry_at <= at


def _unreachable(error: WebError) -> RefusedError:
    refused = refusal_of(AdoptionError(UNREACHABLE, reason=error.code)).first
    reason = Text(*(sentence(UNREACHABLE, lang, {"reason": error.reason.in_language(lang)}) for lang in ("zh", "en")))
    return RefusedError(Refusal(UNREACHABLE, "trust_list", Text(*_bare(reason)), refused.remedy))


def _bare(text: Text) -> tuple[str, str]:
    return text.zh.rstrip("。"), text.en.rstrip(".")
