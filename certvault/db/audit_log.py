"""Reading the audit chains."""

from __future__ import annotations

import base64
import datetime
import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select, and_, func, or_, select

from certvault.db.tables import audit, audit_anchors
from certvault.model.chain import Head, Line


@dataclass(frozen=True, slots=True)
class Anchor:
    """A signature of the LOG key over the heads of all chains."""

    n: int
    at: datetime.datetime
    heads: str
    key_id: str
    signature: bytes


_COLUMNS = [audit.c[n] for n in ("writer", "seq", "at", "kind", "object", "actor", "details", "previous", "hash")]


class AuditReader:
    """Lines, heads and anchors."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def heads(self, since: datetime.datetime | None = None) -> list[Head]:
        """The head of every chain that has a line from ``since`` on."""
        last = select(audit.c.writer, func.max(audit.c.seq).label("seq")).group_by(audit.c.writer).subquery()
        joined = select(audit.c.writer, audit.c.seq, audit.c.hash).join(
            last, and_(audit.c.writer == last.c.writer, audit.c.seq == last.c.seq)
        )
        if since is not None:
            joined = joined.where(audit.c.at >= since)
        return [Head(*row) for row in self._connection.execute(joined)]

    def chain(self, writer: str) -> Iterator[Line]:
        """All lines of one chain in order, read as they are needed."""
        query = select(*_COLUMNS).where(audit.c.writer == writer).order_by(audit.c.seq)
        for row in self._connection.execute(query).yield_per(1000):
            yield Line(*row)

    def line_hash(self, writer: str, seq: int) -> str | None:
        """The hash of one line."""
        query = select(audit.c.hash).where(audit.c.writer == writer, audit.c.seq == seq)
        return self._connection.execute(query).scalar_one_or_none()

    def newest(self, limit: int, before: tuple[datetime.datetime, str, int] | None = None) -> list[Line]:
        """Lines, newest first, older than ``before`` (instant, writer, number)."""
        return [Line(*row) for row in self._connection.execute(self._ordered(limit, before))]

    @staticmethod
    def _ordered(limit: int, before: tuple[datetime.datetime, str, int] | None) -> Select[Any]:
        query = select(*_COLUMNS).order_by(audit.c.at.desc(), audit.c.writer.desc(), audit.c.seq.desc()).limit(limit)
        if before is not None:
            at, writer, seq = before
            query = query.where(
                or_(
                    audit.c.at < at,
                    and_(audit.c.at == at, audit.c.writer < writer),
                    and_(audit.c.at == at, audit.c.writer == writer, audit.c.seq < seq),
                )
            )
        return query

    def matching(
        self,
        limit: int,
        before: tuple[datetime.datetime, str, int] | None,
        *,
        about: str = "",
        kind: str = "",
        by: str = "",
        since: datetime.datetime | None = None,
        until: datetime.datetime | None = None,
    ) -> list[Line]:
        """Lines, newest first, whose object, kind and actor begin so, from ``since`` to before ``until``."""
        query = self._ordered(limit, before)
        for column, beginning in ((audit.c.object, about), (audit.c.kind, kind), (audit.c.actor, by)):
            if beginning:
                query = query.where(column.startswith(beginning, autoescape=True))
        if since is not None:
            query = query.where(audit.c.at >= since)
        if until is not None:
            query = query.where(audit.c.at < until)
        return [Line(*row) for row in self._connection.execute(query)]

    def about(self, name: str) -> list[Line]:
        """All lines about one object, oldest first."""
        query = select(*_COLUMNS).where(audit.c.object == name).order_by(audit.c.at, audit.c.writer, audit.c.seq)
        return [Line(*row) for row in self._connection.execute(query)]

    def last_about(self, name: str, kinds: Collection[str], limit: int) -> list[Line]:
        """The newest lines of some kinds about one object, oldest first; lines of other kinds are not even read."""
        query = self._ordered(limit, None).where(audit.c.object == name, audit.c.kind.in_(sorted(kinds)))
        return [Line(*row) for row in self._connection.execute(query)][::-1]

    def anchors(self) -> list[Anchor]:
        """All anchors, oldest first."""
        table = audit_anchors
        query = select(table.c.n, table.c.at, table.c.heads, table.c.key_id, table.c.signature).order_by(table.c.n)
        return [Anchor(*row) for row in self._connection.execute(query)]

    def newest_anchors(self, limit: int) -> list[Anchor]:
        """Anchors, newest first."""
        table = audit_anchors
        query = select(table.c.n, table.c.at, table.c.heads, table.c.key_id, table.c.signature)
        return [Anchor(*row) for row in self._connection.execute(query.order_by(table.c.n.desc()).limit(limit))]

    def last_anchor(self) -> Anchor | None:
        """The newest anchor."""
        table = audit_anchors
        query = (
            select(table.c.n, table.c.at, table.c.heads, table.c.key_id, table.c.signature)
            .order_by(table.c.n.desc())
            .limit(1)
        )
        row = self._connection.execute(query).first()
        return None if row is None else Anchor(*row)


def cursor_text(parts: list[str | int]) -> str:
    """An opaque cursor."""
    return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode().rstrip("=")


def cursor_parts(text: str) -> list[str | int] | None:
    """What :func:`cursor_text` was made of; None for anything else."""
    try:
        value = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except ValueError:
        return None
    if isinstance(value, list) and all(isinstance(v, (str, int)) for v in value):
        return value
    return None


def cursor_moment(part: str | int) -> datetime.datetime:
    """The moment in a cursor; ValueError for what no cursor of ours says."""
    value = datetime.datetime.fromisoformat(str(part))
    if value.tzinfo is None:
        raise ValueError("no offset")
    try:
        return value.astimezone(datetime.UTC)
    except OverflowError as error:
        raise ValueError("no such moment") from error
