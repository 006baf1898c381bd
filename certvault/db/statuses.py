"""Acts on licenses, entries of status lists, and what is due. Every look is by an index: none reads a whole list."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import asdict

from sqlalchemy import Connection, delete, func, insert, select, text

from certvault.db.repository import Journal, Reader
from certvault.db.tables import counters, status_changes, status_due, status_effects, status_entries
from certvault.model.keys import Event
from certvault.model.standing import StatusChange
from certvault.model.statuswork import Due, Effect, StatusEntry

COUNTER = "status-change"
"""Numbers acts, issues, effects and entries. Its row is locked until the transaction ends, so numbers are seen in their
order."""

_TAKE = text(
    "INSERT INTO counters (name, value) VALUES (:name, :count) "
    "ON CONFLICT (name) DO UPDATE SET value = counters.value + excluded.value RETURNING value"
)
_PUT = text(
    "INSERT INTO status_entries (list, place, value, change) VALUES (:list, :place, :value, :change) "
    "ON CONFLICT (list, place) DO UPDATE SET value = excluded.value, change = excluded.change"
)


class StatusReader(Reader[StatusChange]):
    """Histories, entries, what is due."""

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection, status_changes, StatusChange)

    def of(self, identifier: str) -> list[StatusChange]:
        """The history of one license, in the order of recording."""
        return self.histories([identifier])[identifier]

    def histories(self, identifiers: Sequence[str]) -> dict[str, list[StatusChange]]:
        """The histories of several; most are empty."""
        found: dict[str, list[StatusChange]] = {i: [] for i in identifiers}
        for change in sorted(self.among("identifier", list(identifiers)), key=lambda c: c.number):
            found[change.identifier].append(change)
        return found

    def mark(self) -> int:
        """The number of the newest act, issue or entry; while it stays, no list has changed. Whoever reads afterwards
        sees everything up to it: numbers are committed in their order."""
        query = select(counters.c.value).where(counters.c.name == COUNTER)
        return int(self.connection.execute(query).scalar_one_or_none() or 0)

    def entries(self, n: int, after: int = -1) -> list[StatusEntry]:
        """The entries of list ``n`` that changed behind the mark ``after``."""
        table = status_entries
        query = select(table.c.list, table.c.place, table.c.value, table.c.change).where(
            table.c.list == n, table.c.change > after
        )
        return [StatusEntry(*row) for row in self.connection.execute(query)]

    def first_due(self, n: int | None = None) -> datetime.datetime | None:
        """The next moment from which some act will count; of list ``n`` or of any."""
        query = select(func.min(status_due.c.effective_at))
        if n is not None:
            query = query.where(status_due.c.list == n)
        found: datetime.datetime | None = self.connection.execute(query).scalar_one_or_none()
        return found


class StatusWriter(StatusReader):
    """Records acts. They are never changed, entries always replaced."""

    def __init__(self, connection: Connection, journal: Journal) -> None:
        super().__init__(connection)
        self._journal = journal

    def take(self, count: int = 1) -> int:
        """The first of ``count`` consecutive numbers. Taken last in a transaction: others wait for it."""
        taken = self.connection.execute(_TAKE, {"name": COUNTER, "count": count}).scalar_one()
        return int(taken) - count + 1

    def due(self, at: datetime.datetime, limit: int) -> list[Due]:
        """What counts from ``at`` or before and is not in the lists yet; nobody else settles it meanwhile."""
        table = status_due
        query = (
            select(table.c.effective_at, table.c.identifier, table.c.list)
            .where(table.c.effective_at <= at)
            .order_by(table.c.effective_at, table.c.identifier)
            .limit(limit)
            .with_for_update()
        )
        return [Due(*row) for row in self.connection.execute(query)]

    def record(
        self,
        changes: Sequence[StatusChange],
        entries: Sequence[StatusEntry],
        due: Sequence[Due],
        events: Sequence[Event],
    ) -> None:
        """Store acts with their audit lines, what they make of the lists now, and what will be due."""
        if changes:
            self.connection.execute(insert(status_changes), [self._stored(c) for c in changes])
        if entries:
            self.connection.execute(_PUT, [asdict(e) for e in entries])
        for one in due:
            if not self._is_due(one):
                self.connection.execute(insert(status_due), [asdict(one)])
        self._journal.append(events)

    def settle(
        self,
        due: Sequence[Due],
        entries: Sequence[StatusEntry],
        effects: Sequence[Effect],
        events: Sequence[Event],
    ) -> None:
        """What was due stands in the lists now, and in the feed."""
        for one in due:
            self.connection.execute(
                delete(status_due).where(
                    status_due.c.effective_at == one.effective_at, status_due.c.identifier == one.identifier
                )
            )
        if entries:
            self.connection.execute(_PUT, [asdict(e) for e in entries])
        if effects:
            self.connection.execute(insert(status_effects), [asdict(e) for e in effects])
        self._journal.append(events)

    def _is_due(self, one: Due) -> bool:
        table = status_due
        query = select(table.c.list).where(
            table.c.effective_at == one.effective_at, table.c.identifier == one.identifier
        )
        return self.connection.execute(query).first() is not None

    @staticmethod
    def _stored(change: StatusChange) -> dict[str, object]:
        return {**{n: getattr(change, n) for n in _NAMES}, "revision": 1}


_NAMES = tuple(c.name for c in status_changes.c)
