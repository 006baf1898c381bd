"""Repositories: the only way to change a record is ``save(record, event)``, so no change is without its audit line."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Iterable, Sequence
from typing import Any, ClassVar, Generic, Protocol, TypeVar

from sqlalchemy import Connection, Select, Table, and_, bindparam, delete, insert, select, update

from certvault.errors import ConcurrentChangeError
from certvault.model.keys import Event

_IN_LIMIT = 500


class Stored(Protocol):
    """A frozen record whose fields are the columns of one table; ``revision`` 0 means not stored yet."""

    __dataclass_fields__: ClassVar[dict[str, dataclasses.Field[Any]]]

    @property
    def revision(self) -> int:
        """How often it was saved."""


class Journal(Protocol):
    """Takes audit lines for the transaction at hand."""

    def append(self, events: Iterable[Event]) -> None:
        """Chain ``events`` and write them with the transaction."""


R = TypeVar("R", bound=Stored)


@functools.cache
def _shape(table: Table, kind: type[Any]) -> tuple[tuple[str, ...], Select[Any]]:
    """Field names of ``kind`` and a select of them, in that order."""
    names = tuple(f.name for f in dataclasses.fields(kind))
    return names, select(*(table.c[n] for n in names))


class Reader(Generic[R]):
    """Reads records of one kind inside one transaction."""

    def __init__(self, connection: Connection, table: Table, kind: type[R]) -> None:
        self.connection = connection
        self.table = table
        self.kind = kind
        self._names, self._query = _shape(table, kind)

    def get(self, *key: Any, lock: bool = False, hold: bool = False) -> R | None:
        """The record of that primary key. ``lock`` keeps other writers from it until the transaction ends; ``hold``
        keeps it from being changed, while others may hold it as well."""
        query = self.query().where(and_(*(c == k for c, k in zip(self.table.primary_key, key, strict=True))))
        if lock or hold:
            query = query.with_for_update(read=not lock)
        found = self.all(query)
        return found[0] if found else None

    def query(self) -> Select[Any]:
        """A select of whole records, to be narrowed by the caller."""
        return self._query

    def all(self, query: Select[Any] | None = None) -> list[R]:
        """The records of ``query``; every record when it is None."""
        rows = self.connection.execute(self.query() if query is None else query)
        return [self.kind(*row) for row in rows]

    def where(self, **equal: Any) -> list[R]:
        """The records whose columns equal the given values."""
        return self.all(self.query().where(and_(*(self.table.c[k] == v for k, v in equal.items()))))

    def among(self, column: str, values: Sequence[Any]) -> list[R]:
        """The records whose ``column`` is one of ``values``, asked in portions."""
        found: list[R] = []
        for i in range(0, len(values), _IN_LIMIT):
            found += self.all(self.query().where(self.table.c[column].in_(values[i : i + _IN_LIMIT])))
        return found

    def keys(self, column: str, values: Sequence[Any]) -> set[tuple[Any, ...]]:
        """The primary keys of the records whose ``column`` is one of a few ``values``."""
        query = select(*self.table.primary_key).where(self.table.c[column].in_(values))
        return {tuple(row) for row in self.connection.execute(query)}


class Repository(Reader[R]):
    """Reads and saves records of one kind inside one writing transaction."""

    def __init__(self, connection: Connection, table: Table, kind: type[R], journal: Journal) -> None:
        super().__init__(connection, table, kind)
        self._journal = journal

    def save(self, record: R, event: Event) -> R:
        """Store ``record`` together with its audit line and return it with its new revision.

        Raises DuplicateRowError for a second row where only one may be, ConcurrentChangeError when somebody else
        saved the record since it was read.
        """
        return self.save_all([record], [event])[0]

    def save_all(self, records: Sequence[R], events: Iterable[Event]) -> list[R]:
        """Many at once, in one statement each for new and changed ones. ``events`` may sum several records up."""
        saved = [dataclasses.replace(r, revision=r.revision + 1) for r in records]
        fresh = [self._row(r) for r in saved if r.revision == 1]
        changed = [self._row(r) for r in saved if r.revision > 1]
        if fresh:
            self.connection.execute(insert(self.table), fresh)
        if changed:
            self._update(changed)
        self._journal.append(events)
        return saved

    def remove(self, record: R, event: Event) -> None:
        """Delete ``record``, with its audit line. The database refuses it for append-only tables."""
        keys = [c == getattr(record, c.name) for c in self.table.primary_key]
        self.connection.execute(delete(self.table).where(and_(*keys, self.table.c.revision == record.revision)))
        self._journal.append([event])

    def _row(self, record: R) -> dict[str, Any]:
        return {n: getattr(record, n) for n in self._names}

    def _update(self, rows: list[dict[str, Any]]) -> None:
        keys = [c.name for c in self.table.primary_key]
        values: dict[str, Any] = {n: bindparam(f"v_{n}") for n in self._names if n not in keys}
        statement = (
            update(self.table)
            .where(and_(*(self.table.c[k] == bindparam(f"k_{k}") for k in keys)))
            .where(self.table.c.revision == bindparam("before"))
            .values(values)
        )
        parameters = [
            {f"v_{n}": row[n] for n in values} | {f"k_{k}": row[k] for k in keys} | {"before": row["revision"] - 1}
            for row in rows
        ]
        result = self.connection.execute(statement, parameters)
        if result.rowcount != len(rows):
            raise ConcurrentChangeError(f"{self.table.name}: changed by another writer in the meantime")
