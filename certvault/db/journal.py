"""Writers of the audit chains, and the lines of the transaction at hand."""

from __future__ import annotations

import datetime
import threading
from collections.abc import Callable, Iterable

from sqlalchemy import Connection, insert

from certvault.db.tables import audit
from certvault.model.chain import Head, chained, details_text, genesis
from certvault.model.keys import Event


class Writers:
    """The chains of this process. A transaction leases one; two transactions at once never share a chain."""

    def __init__(self, vault_id: str, session: str) -> None:
        self._vault_id = vault_id
        self._session = session
        self._free: list[Head] = []
        self._made = 0
        self._lock = threading.Lock()

    def lease(self) -> Head:
        """A head that nobody else appends to until it is given back."""
        with self._lock:
            if self._free:
                return self._free.pop()
            self._made += 1
            return genesis(self._vault_id, f"{self._session}.{self._made}")

    def give_back(self, head: Head) -> None:
        """Return the head as it is after the transaction: the new one after a commit, the old one after none."""
        with self._lock:
            self._free.append(head)


class TransactionJournal:
    """Chains the events of one transaction behind one leased head."""

    def __init__(self, connection: Connection, head: Head, now: Callable[[], datetime.datetime]) -> None:
        self._connection = connection
        self._now = now
        self.head = head

    def append(self, events: Iterable[Event]) -> None:
        at = self._now()
        rows = []
        for event in events:
            line = chained(self.head, at, event.kind, event.object, event.actor, details_text(event.details))
            self.head = Head(line.writer, line.seq, line.hash)
            rows.append(
                {
                    "writer": line.writer,
                    "seq": line.seq,
                    "at": line.at,
                    "kind": line.kind,
                    "object": line.object,
                    "actor": line.actor,
                    "details": line.details,
                    "previous": line.previous,
                    "hash": line.hash,
                }
            )
        if rows:
            self._connection.execute(insert(audit), rows)
