"""Reading drills' licenses and notices."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, func, select

from certvault.db.repository import Reader
from certvault.db.tables import drill_items, notices
from certvault.model.drill import DrillItem, ItemState, Notice


class DrillItemReader(Reader[DrillItem]):
    """The licenses of drills, in portions: there may be very many."""

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection, drill_items, DrillItem)

    def tally(self, drill: str) -> dict[tuple[ItemState, str], int]:
        """How many of each state and reason."""
        query = (
            select(drill_items.c.state, drill_items.c.reason, func.count())
            .where(drill_items.c.drill == drill)
            .group_by(drill_items.c.state, drill_items.c.reason)
        )
        return {(row[0], row[1]): int(row[2]) for row in self.connection.execute(query)}

    def identifiers(self, drill: str) -> list[str]:
        """Every license of the drill, sorted by the code points of its identifier."""
        query = select(drill_items.c.identifier).where(drill_items.c.drill == drill)
        return sorted(row[0] for row in self.connection.execute(query))

    def chosen(self, drill: str, identifiers: Sequence[str]) -> list[DrillItem]:
        """The named licenses of one drill."""
        return [i for i in self.among("identifier", identifiers) if i.drill == drill]

    def portion(
        self,
        drill: str,
        after: str,
        limit: int,
        states: Sequence[ItemState] = (),
        *,
        job: str | None = None,
        unassigned: bool = False,
    ) -> list[DrillItem]:
        """Those behind ``after`` in the database's order; of ``states``, of one ``job``, or of none yet."""
        table = drill_items.c
        query = self.query().where(table.drill == drill, table.identifier > after)
        if states:
            query = query.where(table.state.in_(states))
        if job is not None:
            query = query.where(table.job == job)
        if unassigned:
            query = query.where(table.job.is_(None), table.reason == "")
        return self.all(query.order_by(table.identifier).limit(limit))

    def jobs(self, drill: str) -> list[str]:
        """The bulk jobs of a drill."""
        query = select(drill_items.c.job).where(drill_items.c.drill == drill, drill_items.c.job.is_not(None))
        return sorted(row[0] for row in self.connection.execute(query.distinct()))


class NoticeReader(Reader[Notice]):
    """Notices by number."""

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection, notices, Notice)

    def after(self, number: int, limit: int) -> list[Notice]:
        """Those behind ``number``, in order."""
        return self.all(self.query().where(notices.c.number > number).order_by(notices.c.number).limit(limit))
