"""Reading bulk jobs and their rows."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Connection, func, select

from certvault.db.repository import Reader
from certvault.db.tables import job_rows
from certvault.model.work import JobRow, RowState

_OPEN = (RowState.STAGED, RowState.ALLOTTED, RowState.FAILED)


class JobRowReader(Reader[JobRow]):
    """Rows of jobs, in portions: a job may have a million."""

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection, job_rows, JobRow)

    def counts(self, job: str) -> dict[RowState, int]:
        """How many rows of each state."""
        query = select(job_rows.c.state, func.count()).where(job_rows.c.job == job).group_by(job_rows.c.state)
        return {row[0]: int(row[1]) for row in self.connection.execute(query)}

    def open_rows(self, job: str) -> list[int]:
        """Numbers of the rows that still need work, in order."""
        query = (
            select(job_rows.c.row).where(job_rows.c.job == job, job_rows.c.state.in_(_OPEN)).order_by(job_rows.c.row)
        )
        return [row[0] for row in self.connection.execute(query)]

    def leaves(self, job: str) -> list[tuple[int, str | None]]:
        """Number and leaf of the rows that were accepted when the file was read, in order."""
        query = (
            select(job_rows.c.row, job_rows.c.leaf)
            .where(job_rows.c.job == job, job_rows.c.row_index != "")
            .order_by(job_rows.c.row)
        )
        return [(row[0], row[1]) for row in self.connection.execute(query)]

    def chosen(self, job: str, rows: list[int]) -> list[JobRow]:
        """The named rows, in order."""
        query = self.query().where(job_rows.c.job == job, job_rows.c.row.in_(rows)).order_by(job_rows.c.row)
        return self.all(query)

    def after(self, job: str, row: int, limit: int) -> list[JobRow]:
        """The rows behind ``row``, in order."""
        query = self.query().where(job_rows.c.job == job, job_rows.c.row > row).order_by(job_rows.c.row).limit(limit)
        return self.all(query)

    def every(self, job: str, portion: int = 500) -> Iterator[JobRow]:
        """All rows in order, without holding them all."""
        last = 0
        while rows := self.after(job, last, portion):
            yield from rows
            last = rows[-1].row

    def last_row(self, job: str) -> int:
        """The number of the last staged row; 0 when there is none."""
        query = select(func.max(job_rows.c.row)).where(job_rows.c.job == job)
        return int(self.connection.execute(query).scalar_one() or 0)
