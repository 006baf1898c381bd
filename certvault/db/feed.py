"""The feed of changes: issues, acts and moments that came, in the order of their numbers.

Each of the three is read by an index behind a number, so a page costs what a page holds, however many licenses there
are. Nothing is read of a license but what the feed tells: no number, no holder, no document.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Column, Connection, Select, select
from sqlalchemy.sql.elements import ColumnElement

from certvault.db.tables import licenses, status_changes, status_effects
from certvault.model.feed import ISSUE, Stage, Subject, Told

_SUBJECT: tuple[Column[Any], ...] = tuple(
    licenses.c[name]
    for name in (
        "identifier",
        "type",
        "version",
        "issuer_code",
        "status_list",
        "status_index",
        "valid_from",
        "valid_to",
    )
)


class FeedReader:
    """Reads the three sources of the feed inside one transaction."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    def after(self, number: int, upto: int, limit: int) -> list[Told]:
        """The first ``limit`` entries behind ``number``, none behind ``upto``.

        ``upto`` is the mark, read before: each source is read with a look of its own, and what was committed between
        the looks has a number behind the mark.
        """
        found = [*self._issues(number, upto, limit), *self._acts(number, upto, limit)]
        found += self._effects(number, upto, limit)
        return sorted(found, key=lambda told: told.number)[:limit]

    def _issues(self, number: int, upto: int, limit: int) -> Iterator[Told]:
        table = licenses
        query: Select[Any] = select(table.c.feed_number, table.c.issued_at, *_SUBJECT)
        for row in self.connection.execute(_between(query, table.c.feed_number, number, upto, limit)):
            yield Told(row[0], ISSUE, Stage.RECORDED, None, row[1], None, None, Subject(*row[2:]))

    def _acts(self, number: int, upto: int, limit: int) -> Iterator[Told]:
        table = status_changes
        query: Select[Any] = select(
            table.c.number, table.c.act, table.c.recorded_at, table.c.effective_at, table.c.successor, *_SUBJECT
        ).join_from(table, licenses, licenses.c.identifier == table.c.identifier)
        for row in self.connection.execute(_between(query, table.c.number, number, upto, limit)):
            yield Told(row[0], row[1].value, Stage.RECORDED, None, row[2], row[3], row[4], Subject(*row[5:]))

    def _effects(self, number: int, upto: int, limit: int) -> Iterator[Told]:
        table, acts = status_effects, status_changes
        query: Select[Any] = (
            select(
                table.c.number,
                acts.c.act,
                table.c.change,
                table.c.recorded_at,
                acts.c.effective_at,
                acts.c.successor,
                *_SUBJECT,
            )
            .join_from(table, acts, acts.c.number == table.c.change)
            .join(licenses, licenses.c.identifier == acts.c.identifier)
        )
        for row in self.connection.execute(_between(query, table.c.number, number, upto, limit)):
            yield Told(row[0], row[1].value, Stage.TOOK_EFFECT, row[2], row[3], row[4], row[5], Subject(*row[6:]))


def _between(query: Select[Any], column: ColumnElement[int], number: int, upto: int, limit: int) -> Select[Any]:
    return query.where(column > number, column <= upto).order_by(column).limit(limit)
