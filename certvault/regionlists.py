"""Status lists of other regions: kept, so that their licenses can be judged while those regions cannot be asked.

They come in two ways. Syncing pulls all that a region's trust list names (:meth:`RegionLists.refresh`). And where a
license of an adopted region is to be judged whose list is not at hand or out of its time, that one list is fetched
(:meth:`RegionLists.fetch`), from an address below those of the region's adopted trust list and from no other. Nothing
is kept that the region's own key for status lists did not sign, and nothing older than what is there; how old a list
is and what follows from that is judged when it is used.

What one region may cost is bounded: bytes and lists kept, bytes and time of each request, requests at a time, and
after a failure it is left alone for a while. Others notice nothing of it.
"""

from __future__ import annotations

import datetime
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from certvault.clock import Clock
from certvault.db.unit_of_work import Database
from certvault.errors import DuplicateRowError
from certvault.model.regionlist import KeptHead, KeptStatusList
from certvault.settings import Settings
from certvault.web import Web, WebError
from verify.checks.keptlists import list_made
from verify.checks.token import TokenError
from verify.trust.regions import KnownRegion, Regions

MOST_LISTS = 1_000
MOST_BYTES = 64_000_000
"""Kept of one region: lists of some hundred million licenses."""
MOST_BYTES_EACH = 8_000_000
ACCEPT = "application/statuslist+jwt"
SECONDS_EACH = 5.0
SECONDS_ON_DEMAND = 2.0
PATIENCE = 30.0
"""Seconds for which a region that did not answer is not asked on demand."""
AT_A_TIME = 3
"""Requests on demand to one region."""
_FAILURES = 3
"""After so many in a row a refresh ends: the region is down."""
_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)


@dataclass(frozen=True, slots=True)
class Refreshed:
    """What a refresh of one region came to: lists that are new, those that were still the newest, those not had."""

    new: int = 0
    same: int = 0
    failed: int = 0
    size: int = 0


@dataclass(slots=True)
class _Door:
    """Requests on demand to one region."""

    places: threading.BoundedSemaphore = field(default_factory=lambda: threading.BoundedSemaphore(AT_A_TIME))
    closed_until: float = 0.0


class RegionLists:
    """Keeps and fetches status lists of adopted regions. Thread-safe. ``known`` tells which those are."""

    def __init__(
        self, database: Database, web: Web, known: Callable[[], Regions | None], settings: Settings, clock: Clock
    ) -> None:
        self._database = database
        self._web = web
        self._known = known
        self._settings = settings
        self._clock = clock
        self._doors: dict[str, _Door] = {}
        self._lock = threading.Lock()

    def kept(self) -> Mapping[tuple[str, str], bytes]:
        """What is kept, by region and address, read when one is asked for."""
        return KeptLists(self._database)

    def source(self) -> Callable[[str, str], bytes | None] | None:
        """Fetches one list of a region; None where the settings say that nothing is fetched on demand."""
        return self.fetch if self._settings.recognition_fetch else None

    def all_of(self, region: str) -> list[KeptStatusList]:
        """Every list kept of a region, by address."""
        with self._database.reading() as view:
            uris = sorted(h.uri for h in view.region_lists.heads(region))
            found = [view.region_lists.get(region, uri) for uri in uris]
        return [k for k in found if k is not None]

    def refresh(
        self,
        region: KnownRegion,
        web: Web,
        at: datetime.datetime,
        *,
        budget: int = MOST_BYTES,
        seconds: float = 60.0,
    ) -> Refreshed:
        """Pull the lists that the region's trust list names, those first that were not seen for longest.

        ``budget`` is in bytes. Nothing raises; what could not be had is counted.
        """
        with self._database.reading() as view:
            heads = {h.uri: h for h in view.region_lists.heads(region.region)}
        named = region.list.endpoints.status_lists[:MOST_LISTS]
        ends, done, failures = time.monotonic() + seconds, Refreshed(), 0
        for uri in sorted(named, key=lambda u: heads[u].fetched_at if u in heads else _EPOCH):
            left = min(SECONDS_EACH, ends - time.monotonic())
            if left <= 0 or done.size >= budget or failures >= _FAILURES:
                break
            limit = min(MOST_BYTES_EACH, budget - done.size)
            try:
                size = self._pull(region, web, uri, heads.get(uri), at, limit, left)
            except (WebError, TokenError):
                failures += 1
                done = Refreshed(done.new, done.same, done.failed + 1, done.size)
                continue
            failures = 0
            done = Refreshed(done.new + bool(size), done.same + (not size), done.failed, done.size + size)
        return done

    def fetch(self, region: str, uri: str) -> bytes | None:
        """The list at ``uri`` from the region itself, kept as well; None when it cannot be had quickly.

        The caller has seen that ``uri`` is below the region's addresses; here that is seen once more.
        """
        known = self._known()
        found = None if known is None else known.named(region)
        if found is None or not uri.startswith(found.list.endpoints.base + "/"):
            return None
        door = self._door(region)
        if time.monotonic() < door.closed_until or not door.places.acquire(timeout=SECONDS_ON_DEMAND):
            return None
        try:
            with self._database.reading() as view:
                kept = view.region_lists.get(region, uri)
            head = None if kept is None else KeptHead(uri, kept.etag, kept.issued_at, kept.fetched_at, len(kept.token))
            at = self._clock.now()
            self._pull(found, self._web, uri, head, at, MOST_BYTES_EACH, SECONDS_ON_DEMAND)
        except WebError:
            door.closed_until = time.monotonic() + PATIENCE
            return None
        except TokenError:
            return None
        finally:
            door.places.release()
        return self.kept().get((region, uri))

    def _pull(
        self,
        region: KnownRegion,
        web: Web,
        uri: str,
        head: KeptHead | None,
        at: datetime.datetime,
        limit: int,
        seconds: float,
    ) -> int:
        """Fetch one list and keep it when it counts and is newer; its bytes, 0 for none that is new."""
        etag = head.etag if head is not None and head.etag else None
        answer = web.get(uri, limit=limit, etag=etag, seconds=seconds, accept=ACCEPT)
        if answer.status == 304:
            with self._database.writing() as uow:
                uow.region_lists.seen(region.region, uri, at)
            return 0
        made = list_made(answer.body, uri, region, at)
        if head is not None and made < head.issued_at:
            raise TokenError("STATUS_STALE", made=made, age="")
        kept = KeptStatusList(region.region, uri, answer.body, answer.etag or "", made, at)
        try:
            with self._database.writing() as uow:
                uow.region_lists.put(kept, most=MOST_LISTS, most_bytes=MOST_BYTES)
        except DuplicateRowError:  # another process fetched it at this moment
            return 0
        return len(answer.body)

    def _door(self, region: str) -> _Door:
        with self._lock:
            return self._doors.setdefault(region, _Door())


class KeptLists(Mapping[tuple[str, str], bytes]):
    """What is kept, found by region and address only."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def __getitem__(self, key: tuple[str, str]) -> bytes:
        with self._database.reading() as view:
            found = view.region_lists.get(*key)
        if found is None:
            raise KeyError(key)
        return found.token

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(())

    def __len__(self) -> int:
        return 0
