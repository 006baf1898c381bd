"""Token Status Lists of the vault's licenses: two bits each, signed by the STATUS key, cached for a while.

Value 0: in force as far as the vault knows. 1: revoked, or void: a number that never became a license. 2: suspended.
3, the application's own: superseded by a newer version. Indexes of licenses are random, so a list tells nothing about
how many there are or in what order they came.

A list is kept as its entries, one row for each place whose value was ever another than 0. A change writes one row and
takes the next number of one counter; whoever serves lists looks at that counter each time, reads the entries behind
the number it has seen, changes those places of the list in its memory and signs anew. No change and no look reads more
than what changed, however many licenses there are, and every process on the database sees it at the next request.

What counts only from a later moment waits as a row of its own. The first who asks for a list after that moment puts it
into effect, and no list made before says that it may be kept beyond.
"""

from __future__ import annotations

import datetime
import hashlib
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from certvault.clock import Clock
from certvault.db.unit_of_work import Database, UnitOfWork
from certvault.errors import not_found
from certvault.keyring import Keyring
from certvault.model.keys import VAULT_OWNER, event
from certvault.model.license import License
from certvault.model.randomness import distinct_below
from certvault.model.standing import StatusChange, list_value
from certvault.model.statuswork import Due, Effect, StatusEntry
from certvault.model.work import StatusListRecord
from certvault.pki import Pki
from certvault.settings import Settings
from signing.formats.statuslist import make_status_list
from signing.keys import KeyPurpose

LIST_SIZE = 1 << 17
FULL_AT = LIST_SIZE // 2  # so that a random place is free at every second try
TTL = datetime.timedelta(minutes=5)
"""How long a reader may keep a list; a list is signed anew when half of it is over."""
LIFETIME = datetime.timedelta(days=1)
BITS = 2
_PORTION = 500


def list_uri(base_url: str, n: int) -> str:
    """The address of status list ``n``."""
    return f"{base_url}/status-lists/{n}"


def take_indexes(uow: UnitOfWork, count: int, at: datetime.datetime) -> tuple[int, list[int]]:
    """``count`` free places of one status list, chosen at random; a new list is opened when the last is half full."""
    table = uow.status_lists.table
    newest = uow.status_lists.all(uow.status_lists.query().order_by(table.c.n.desc()).limit(1).with_for_update())
    if newest and newest[0].used + count <= FULL_AT:
        record = newest[0]
    else:
        record = StatusListRecord(newest[0].n + 1 if newest else 1, LIST_SIZE, 0, at)
    chosen: list[int] = []
    while len(chosen) < count:
        fresh = [i for i in distinct_below(record.size, 2 * (count - len(chosen)) + 4) if i not in chosen]
        taken = uow.view.licenses.taken_indexes(record.n, fresh)
        chosen += [i for i in fresh if i not in taken][: count - len(chosen)]
    changed = StatusListRecord(record.n, record.size, record.used + count, record.opened_at, record.revision)
    uow.status_lists.save(changed, event("STATUS_PLACES_TAKEN", f"status-list:{record.n}", VAULT_OWNER, count=count))
    return record.n, chosen


def entry_of(found: License, changes: Sequence[StatusChange], at: datetime.datetime, number: int) -> StatusEntry:
    """What the list says of a license at ``at``; ``number`` is that of the change."""
    return StatusEntry(found.status_list, found.status_index, list_value(found, changes, at), number)


def record_void(uow: UnitOfWork, found: License) -> None:
    """The place of a number that was given up; its audit line is that of the number."""
    entry = StatusEntry(found.status_list, found.status_index, found.status, uow.statuses.take())
    uow.statuses.record([], [entry], [], [])


@dataclass(slots=True)
class _Kept:
    """One list in memory: its values, the mark up to which they are known, and what was signed last."""

    values: bytearray
    mark: int
    due: datetime.datetime | None
    token: str = ""
    etag: str = ""
    at: datetime.datetime | None = None

    def put(self, entries: Sequence[StatusEntry]) -> None:
        """Change places; two bits each, the lowest place in the lowest bits (Token Status List, section 4.1)."""
        for entry in entries:
            place, shift = entry.place // 4, entry.place % 4 * BITS
            self.values[place] = self.values[place] & ~(3 << shift) | entry.value << shift

    def good(self, now: datetime.datetime) -> bool:
        """Whether what was signed may still be given out."""
        return self.at is not None and self.at <= now < self.at + TTL / 2

    def ttl(self, now: datetime.datetime) -> datetime.timedelta:
        """How long a list made now may be kept: not beyond the moment of the next change that is known."""
        if self.due is None:
            return TTL
        return max(datetime.timedelta(seconds=1), min(TTL, self.due - now))


class StatusLists:
    """Keeps the lists in memory, up to date, and signs them. Thread-safe."""

    def __init__(self, database: Database, keyring: Keyring, pki: Pki, settings: Settings, clock: Clock) -> None:
        self._database = database
        self._keyring = keyring
        self._pki = pki
        self._settings = settings
        self._clock = clock
        self._kept: dict[int, _Kept] = {}
        self._lock = threading.Lock()

    def token(self, n: int) -> tuple[str, str]:
        """The signed list (a JWT) and its entity tag, as the database is now. NotFoundError."""
        with self._lock:
            now = self._clock.now()
            kept = self._current(n, now)
            if not kept.good(now):
                self._sign(n, kept, now)
            return kept.token, kept.etag

    def token_until(self, n: int, until: datetime.datetime) -> str:
        """The list as it is now, signed to be kept until then, or until the next change that is known. NotFoundError.

        It is for kits: who has a network asks for :meth:`token`.
        """
        with self._lock:
            now = self._clock.now()
            kept = self._current(n, now)
            ends = until if kept.due is None else max(min(until, kept.due), now + datetime.timedelta(seconds=1))
            return self._made(n, kept, now, ends - now, ends)

    def numbers(self) -> list[int]:
        """Which lists there are."""
        with self._database.reading() as view:
            return sorted(r.n for r in view.status_lists.all())

    def forget(self) -> None:
        """Sign anew when asked for next: the key has changed."""
        with self._lock:
            self._kept.clear()

    def take_effect(self, at: datetime.datetime) -> int:
        """Put into the lists what counts from ``at`` or before; returns how many acts that were waiting."""
        count = 0
        while True:
            with self._database.writing() as uow:
                due = uow.statuses.due(at, _PORTION)
                if due:
                    names = list(dict.fromkeys(d.identifier for d in due))
                    licenses = uow.licenses.among("identifier", names)
                    histories = uow.statuses.histories(names)
                    come = _come(due, histories)
                    number = uow.statuses.take(len(come) + 1)
                    uow.statuses.settle(
                        due,
                        [entry_of(found, histories[found.identifier], at, number) for found in licenses],
                        [Effect(number + 1 + i, change, at) for i, change in enumerate(come)],
                        [event("STATUS_TOOK_EFFECT", f.identifier, VAULT_OWNER, list=f.status_list) for f in licenses],
                    )
            count += len(due)
            if len(due) < _PORTION:
                return count

    def _current(self, n: int, now: datetime.datetime) -> _Kept:
        """The list with every change that is committed; what is due by ``now`` takes effect first."""
        with self._database.reading() as view:
            due = view.statuses.first_due()
        if due is not None and due <= now:
            self.take_effect(now)
        with self._database.reading() as view:
            mark = view.statuses.mark()  # before the entries: what comes in between is read again next time
            kept = self._kept.get(n)
            if kept is not None and kept.mark == mark:
                return kept
            if kept is None:
                record = view.status_lists.get(n)
                if record is None:
                    raise not_found("状态列表", "status list", str(n))
                kept = _Kept(bytearray(record.size * BITS // 8), -1, None)
            entries = view.statuses.entries(n, kept.mark)
            due = view.statuses.first_due(n)
        if entries or due != kept.due:
            kept.at = None
        kept.put(entries)
        kept.mark, kept.due = mark, due
        self._kept[n] = kept
        return kept

    def _sign(self, n: int, kept: _Kept, at: datetime.datetime) -> None:
        kept.token = self._made(n, kept, at, kept.ttl(at), at + LIFETIME)
        kept.etag = '"' + hashlib.sha256(kept.token.encode()).hexdigest()[:32] + '"'
        kept.at = at

    def _made(
        self, n: int, kept: _Kept, at: datetime.datetime, ttl: datetime.timedelta, expires: datetime.datetime
    ) -> str:
        key = self._keyring.active(KeyPurpose.STATUS)
        return make_status_list(
            list_uri(self._settings.base_url, n),
            bytes(kept.values),
            signer=self._keyring.signer(key),
            chain=(self._keyring.certificate_der(key), *self._pki.above(key, with_root=False)),
            at=at,
            ttl=ttl,
            expires=expires,
        )


def _come(due: Sequence[Due], histories: Mapping[str, Sequence[StatusChange]]) -> list[int]:
    """The numbers of the acts that waited for those moments, in the order in which they count."""
    found = [
        (change.effective_at, change.number)
        for one in due
        for change in histories[one.identifier]
        if change.effective_at == one.effective_at and change.effective_at > change.recorded_at
    ]
    return [number for _, number in sorted(found)]


MEANINGS: Mapping[int, tuple[str, str, str]] = {
    0: ("VALID", "有效（日期另计）", "in force, as far as its dates go"),
    1: ("INVALID", "已吊销、撤销或注销，或作废编号", "revoked for good, or a number that never became a license"),
    2: ("SUSPENDED", "已暂停", "suspended"),
    3: ("SUPERSEDED", "已由新版本取代", "superseded by a newer version"),
}
"""The values of the lists for the metadata of types; 3 is an application-specific status type (section 7.1)."""
