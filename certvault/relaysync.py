"""Pulling what regions and hubs hand on: notices of regions, such as that a key was compromised, and agreements.

A hub asks each region that it admits, at the address that its list names. A member asks the regions that it knows
directly, and its hubs for what those gathered. Nobody is believed who hands something on: kept is what the region
itself has signed, under the list that was adopted of it. An agreement of ours that comes back with the other region's
signature is taken in as ``region countersign`` would; one that waits for our signature is kept until a person signs.

Nothing here raises, and nothing here changes how the lists themselves are synchronized. Each source is read on from
where it was left, a few pages a round, within a time and a size; after a failure it is asked more and more seldom.
"""

from __future__ import annotations

import datetime
import hashlib
import logging
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial

from certvault.agreements import Agreements
from certvault.clock import Clock
from certvault.db.unit_of_work import Database
from certvault.errors import VaultError
from certvault.model.actor import Actor, Role
from certvault.model.agreement import AgreementEvent
from certvault.model.hub import HubRecord, RelayCursor, RelayedDocument
from certvault.model.keys import VAULT_OWNER, event
from certvault.regions import Held, Regions
from certvault.regionsync import wait_after
from certvault.relay import AGREEMENT, MAX_AGREEMENT, NOTICE, Offered, Relay
from certvault.settings import Settings
from certvault.web import Web, WebError
from verify.formats.agreement import Agreement, AgreementError, unverified_agreement
from verify.formats.jose import JoseError, strict_object
from verify.formats.members import MemberError, Members
from verify.formats.notice import MAX_BYTES as MAX_NOTICE
from verify.formats.notice import NoticeError, UnverifiedNotice, unverified_notice
from verify.formats.refusal import RefusedError
from verify.trust.agreements import is_signed_by

log = logging.getLogger("certvault.relay")

PAGE, PAGES = 50, 10
"""Documents of one answer, and answers of one source in one round."""
SECONDS = 20.0
"""For one source in one round."""
MAX_ANSWER = 4_500_000
"""Bytes of one answer: a page of the largest notices."""
HANDED = 10
"""Agreements that are handed to one hub in one round."""
AT_ONCE = 16
_ACTOR = Actor(VAULT_OWNER, frozenset({Role.OPERATOR}))
_LATER = (408, 429)


@dataclass(frozen=True, slots=True)
class Relayed:
    """What one round brought: how many notices were new, agreements countersigned by the others, agreements that wait
    for our signature, and agreements handed to hubs; and the sources that failed."""

    notices: int = 0
    countersigned: int = 0
    proposed: int = 0
    handed: int = 0
    failed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class NoticeInfo:
    """A notice of another region for a person. ``key`` is the SHA-256 (hex) of the certificate it is about, if any."""

    region: str
    number: int
    kind: str
    made: datetime.datetime
    key: str
    received: datetime.datetime
    token: str


@dataclass(frozen=True, slots=True)
class _Source:
    """Who is asked for what. ``member`` and ``document`` are where an answer has its items and what each is.

    ``work`` takes one document and says what it was good for: a member of :class:`Relayed`, or nothing.
    """

    name: str
    mark: str
    url: str
    member: str
    document: str
    work: Callable[[str], str]


class RelaySync:
    """Reads on, source by source. Thread-safe."""

    def __init__(
        self,
        database: Database,
        regions: Regions,
        relay: Relay,
        agreements: Agreements,
        web: Web,
        settings: Settings,
        clock: Clock,
    ) -> None:
        self._database = database
        self._regions = regions
        self._relay = relay
        self._agreements = agreements
        self._web = web
        self._settings = settings
        self._clock = clock
        self._lock = threading.Lock()
        self._waits: dict[str, tuple[int, datetime.datetime]] = {}

    def sync(self, names: Sequence[str] = (), *, due_only: bool = False) -> Relayed:
        """Ask the regions named, or all, and every hub. Whatever fails is told and tried again later."""
        try:
            sources, hubs = self._sources(names)
        except Exception:
            log.exception("what regions hand on was not asked for; it is tried again at the next round")
            return Relayed(failed=("",))
        work: list[tuple[str, Callable[[], list[str]]]] = [(s.name, partial(self._read, s)) for s in sources]
        if self._settings.relay and not self._settings.is_hub:
            work += [(f"handed:{h.hub}", partial(self._hand_on, h)) for h in hubs]
        at = self._clock.now()
        work = [w for w in work if not due_only or self._is_due(w[0], at)]
        if not work:
            return Relayed()
        with ThreadPoolExecutor(min(len(work), AT_ONCE), thread_name_prefix="relay-sync") as pool:
            done = list(pool.map(lambda w: self._guarded(*w), work))
        found = [kind for one in done if one is not None for kind in one]
        counts = {k: found.count(k) for k in ("notices", "countersigned", "proposed", "handed")}
        return Relayed(**counts, failed=tuple(w[0] for w, one in zip(work, done, strict=True) if one is None))

    def notices(self) -> list[NoticeInfo]:
        """The notices that are kept of regions that are known, the latest first."""
        known = {h.state.region for h in self._regions.held()}
        return [_info(d, unverified_notice(d.body)) for d in self._relay.kept(NOTICE) if d.region in known]

    def proposals(self) -> list[tuple[Agreement, RelayedDocument]]:
        """Agreements about our types that wait for our signature, the newest version of each."""
        if self._settings.is_hub:
            return []
        signed = {v.id: v.version for v in self._agreements.list() if not v.accepting}
        found: dict[tuple[str, str], RelayedDocument] = {}
        for kept in self._relay.kept(AGREEMENT):
            key = kept.region, kept.name  # nobody puts another region's out by taking its number
            newest = found[key].version if key in found else 0
            if kept.version > max(signed.get(kept.name, 0), newest):
                found[key] = kept
        return [(unverified_agreement(found[k].body).agreement, found[k]) for k in sorted(found)]

    # --- who is asked

    def _sources(self, names: Sequence[str]) -> tuple[list[_Source], list[HubRecord]]:
        held = self._regions.held()
        found = [s for h in held if not names or h.state.region in names for s in self._of_region(h)]
        if self._settings.is_hub:
            return found, []
        with self._database.reading() as view:
            hubs = [h for h in view.hubs.all() if h.address]
        known = sorted((h.state.region, h.state.anchor.sequence) for h in held)
        mark = hashlib.sha256(repr(known).encode()).hexdigest()
        for hub in hubs:
            base = f"{hub.address}/v1/hub"
            found.append(_Source(f"notices:{hub.hub}:hub", mark, f"{base}/notices", "items", "document", self._notice))
            found.append(
                _Source(f"agreements:{hub.hub}", mark, f"{base}/agreements", "items", "document", self._agreement)
            )
        return found, hubs

    def _of_region(self, held: Held) -> list[_Source]:
        listed, region = held.state.list, held.state.region
        if listed is None or not held.url or not listed.endpoints.notices:
            return []

        def work(document: str) -> str:
            return self._notice(document, region)

        mark = str(held.state.anchor.sequence)
        return [_Source(f"notices:{region}", mark, listed.endpoints.notices, "notices", "notice", work)]

    # --- traffic

    def _guarded(self, name: str, work: Callable[[], list[str]]) -> list[str] | None:
        """What a source was good for; None when it failed, which stays with it."""
        try:
            done = work()
        except (WebError, VaultError, JoseError, MemberError) as error:
            log.info("%s: %s", name, error)
        except Exception:
            log.exception("%s failed in an unforeseen way", name)
        else:
            self._wait(name, failed=False)
            return done
        self._wait(name, failed=True)
        return None

    def _read(self, source: _Source) -> list[str]:
        cursor = self._cursor(source.name, source.mark)
        position, ends, done, page = cursor.position, time.monotonic() + SECONDS, list[str](), PAGE
        try:
            for _ in range(PAGES):
                left = ends - time.monotonic()
                if left <= 0.05:
                    break
                url = f"{source.url}?after={position}&limit={page}"
                try:
                    body = self._web.get(url, limit=MAX_ANSWER, seconds=left).body
                except WebError as error:
                    if error.code != "WEB_TOO_LARGE" or page == 1:
                        raise
                    page = max(1, page // 4)
                    continue
                items = Members(strict_object(body, "answer")).objects(source.member, limit=PAGE)
                for item in items:
                    number = item.integer("number", low=position + 1)  # in order, or there is no end of it
                    found = source.work(item.text(source.document, limit=max(MAX_NOTICE, MAX_AGREEMENT)))
                    done += [found] if found else []
                    position = number
                if len(items) < page:
                    break
        finally:
            self._move(cursor, position)
        return done

    def _hand_on(self, hub: HubRecord) -> list[str]:
        """Hand what was signed here to a hub, in order. What it refuses it does not get again."""
        known = sorted(h.state.region for h in self._regions.held())
        cursor = self._cursor(f"handed:{hub.hub}", hashlib.sha256(repr(known).encode()).hexdigest())
        position, ends, done = cursor.position, time.monotonic() + SECONDS, list[str]()
        former = b""
        try:
            for step in self._signed_after(position):
                left = ends - time.monotonic()
                if left <= 0.05:
                    break
                if step.signed != former and _is_signed(step):  # what is countersigned here is two steps of one file
                    url, kind = f"{hub.address}/v1/hub/agreements", {"Content-Type": "application/json"}
                    status = self._web.post(url, step.signed, kind, seconds=left)
                    if status >= 500 or status in _LATER:
                        break
                    done += ["handed"] if status in (200, 201) else []
                position, former = step.number, step.signed
        finally:
            self._move(cursor, position)
        return done

    def _signed_after(self, number: int) -> list[AgreementEvent]:
        with self._database.reading() as view:
            table = view.agreements.table.c
            query = view.agreements.query().where(table.number > number).order_by(table.number)
            return view.agreements.all(query.limit(HANDED))

    # --- what is taken

    def _notice(self, document: str, region: str = "") -> str:
        body = document.strip().encode()
        try:
            of = unverified_notice(body).claims.get("region")
            if self._relay.has(body) or (region and of != region):
                return ""
            if self._settings.is_hub:
                self._relay.offer_notice(body, VAULT_OWNER)
                return "notices"
            known = next((k for k in self._regions.known() if k.region == of), None)
            if known is None:
                return ""
            self._relay.take_notice(body, known, VAULT_OWNER)
        except (NoticeError, RefusedError) as error:
            log.info("a notice was not kept: %s", error)
            return ""
        return "notices"

    def _agreement(self, document: str) -> str:
        body = document.encode()
        try:
            read = unverified_agreement(body)
            agreement, home = read.agreement, self._settings.region
            held = next(
                (v for v in self._agreements.list() if (v.id, v.version) == (agreement.id, agreement.version)), None
            )
            if agreement.accepting == home:
                if held is None or held.countersigned_at is not None or len(read.signatures) < 2:
                    return ""
                self._agreements.countersign(body, _ACTOR)
                return "countersigned"
            if agreement.issuing != home or held is not None or self._relay.has(body):
                return ""
            known = next((k for k in self._regions.known() if k.region == agreement.accepting), None)
            if known is None or not is_signed_by(read, known.list.roots, at=self._clock.now(), crls=known.list.crls):
                return ""
            weight = len(read.signatures)
            offered = Offered(AGREEMENT, agreement.accepting, agreement.id, agreement.version, weight)
            self._relay.keep(offered, body, VAULT_OWNER)
        except (AgreementError, RefusedError) as error:
            log.info("an agreement was not taken: %s", error)
            return ""
        return "proposed"

    # --- how far it was read, and when to ask again

    def _cursor(self, name: str, mark: str) -> RelayCursor:
        with self._database.reading() as view:
            found = view.relay_cursors.get(name) or RelayCursor(name)
        return found if found.mark == mark else replace(found, mark=mark, position=0)

    def _move(self, cursor: RelayCursor, position: int) -> None:
        """Keep how far it was read. Where another process moved it meanwhile, that stands."""
        with self._database.writing() as uow:
            kept = uow.relay_cursors.get(cursor.source, lock=True)
            moved = replace(cursor, position=position)
            if (kept.revision if kept else 0) == cursor.revision and moved != kept:
                told = event("RELAY_READ", f"source:{cursor.source}", VAULT_OWNER, position=position)
                uow.relay_cursors.save(moved, told)

    def _is_due(self, name: str, at: datetime.datetime) -> bool:
        with self._lock:
            return name not in self._waits or self._waits[name][1] <= at

    def _wait(self, name: str, *, failed: bool) -> None:
        base = datetime.timedelta(minutes=self._settings.sync_minutes)
        with self._lock:
            failures = self._waits.get(name, (0, None))[0] + 1 if failed else 0
            self._waits[name] = failures, self._clock.now() + wait_after(failures, base)


def _is_signed(step: AgreementEvent) -> bool:
    """Whether somebody signed it; a step that waits for a second person is unsigned."""
    try:
        return bool(unverified_agreement(step.signed).signatures)
    except AgreementError:
        return False


def _info(kept: RelayedDocument, notice: UnverifiedNotice) -> NoticeInfo:
    facts = notice.claims.get("key")
    digest = facts.get("certificate_sha256") if isinstance(facts, dict) else None
    key = digest if isinstance(digest, str) and len(digest) == 64 and digest.isalnum() else ""
    token = kept.body.decode("ascii", "replace")
    return NoticeInfo(kept.region, notice.number, notice.kind, notice.made, key, kept.received_at, token)
