"""Token Status Lists of the vault's licenses: two bits each, signed by the STATUS key, cached for a while.

Value 0: in force as far as the vault knows. 1: void, a number that never became a license. Indexes of licenses are
random, so a list tells nothing about how many there are or in what order they came.
"""

from __future__ import annotations

import datetime
import hashlib
import threading
from dataclasses import dataclass

from certvault.clock import Clock
from certvault.db.unit_of_work import Database, UnitOfWork, View
from certvault.errors import not_found
from certvault.keyring import Keyring
from certvault.model.keys import VAULT_OWNER, event
from certvault.model.license import STATUS_INVALID
from certvault.model.randomness import distinct_below
from certvault.model.work import StatusListRecord
from certvault.pki import Pki
from certvault.settings import Settings
from signing.formats.statuslist import make_status_list
from signing.keys import KeyPurpose

LIST_SIZE = 1 << 17
FULL_AT = LIST_SIZE // 2  # so that a random place is free at every second try
TTL = datetime.timedelta(minutes=5)
LIFETIME = datetime.timedelta(days=1)
BITS = 2


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


@dataclass(frozen=True, slots=True)
class _Made:
    token: str
    etag: str
    at: datetime.datetime


class StatusLists:
    """Makes and caches the signed lists."""

    def __init__(self, database: Database, keyring: Keyring, pki: Pki, settings: Settings, clock: Clock) -> None:
        self._database = database
        self._keyring = keyring
        self._pki = pki
        self._settings = settings
        self._clock = clock
        self._made: dict[int, _Made] = {}
        self._lock = threading.Lock()

    def token(self, n: int) -> tuple[str, str]:
        """The signed list (a JWT) and its entity tag, at most ``TTL`` old. NotFoundError."""
        now = self._clock.now()
        with self._lock:
            made = self._made.get(n)
            if made is None or not made.at <= now < made.at + TTL:
                made = self._make(n, now)
                self._made[n] = made
        return made.token, made.etag

    def numbers(self) -> list[int]:
        """Which lists there are."""
        with self._database.reading() as view:
            return sorted(r.n for r in view.status_lists.all())

    def forget(self) -> None:
        """Make the lists anew when they are asked for next: a state has changed."""
        with self._lock:
            self._made.clear()

    def _make(self, n: int, at: datetime.datetime) -> _Made:
        with self._database.reading() as view:
            record = view.status_lists.get(n)
            if record is None:
                raise not_found("状态列表", "status list", str(n))
            values = packed(view, record)
        key = self._keyring.active(KeyPurpose.STATUS)
        token = make_status_list(
            list_uri(self._settings.base_url, n),
            values,
            signer=self._keyring.signer(key),
            chain=(self._keyring.certificate_der(key), *self._pki.above(key, with_root=False)),
            at=at,
            ttl=TTL,
            expires=at + LIFETIME,
        )
        return _Made(token, '"' + hashlib.sha256(token.encode()).hexdigest()[:32] + '"', at)


def packed(view: View, record: StatusListRecord) -> bytes:
    """The list's values, two bits each, the lowest place in the lowest bits (Token Status List, section 4.1)."""
    values = bytearray(record.size * BITS // 8)
    for index, _ in view.licenses.not_valid_indexes(record.n):
        values[index // 4] |= STATUS_INVALID << (index % 4 * BITS)
    return bytes(values)
