"""The licenses of a drill as bulk jobs: one for each issuer, type and version of the type, a row for each license."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

from certvault.cipher import Cipher
from certvault.clock import Clock
from certvault.db.unit_of_work import Database, UnitOfWork, View
from certvault.licenses import Licenses
from certvault.minting import Minting
from certvault.model.actor import Actor
from certvault.model.drill import Drill, DrillItem, ItemState
from certvault.model.keys import event
from certvault.model.license import License
from certvault.model.views import MintProgress
from certvault.model.work import Job, JobRow, JobState, RowState
from certvault.sessions import Session
from certvault.staging import row_leaf
from certvault.successions import JOB_PREFIX
from signing.formats.pades import Baseline

PORTION = 500
Write = Callable[[Callable[[UnitOfWork], int]], None]
"""Runs work in a transaction, again on a collision, and saves in it how many licenses the work says were done."""


@dataclass(frozen=True, slots=True)
class _Group:
    issuer: str
    type: str
    version: int


class Reissuing:
    """Stages, runs and reads the jobs of a drill."""

    def __init__(
        self,
        database: Database,
        cipher: Cipher,
        licenses: Licenses,
        minting: Minting,
        session: Session,
        clock: Clock,
    ) -> None:
        self._database = database
        self._cipher = cipher
        self._licenses = licenses
        self._minting = minting
        self._session = session
        self._clock = clock

    def stage(self, drill: Drill, write: Write) -> None:
        """Give each license that waits a row of a job, in portions; then the jobs are ready to run."""
        ready = (ItemState.SUSPENDED,) if drill.suspends else (ItemState.SUSPENDED, ItemState.PLANNED)
        while True:
            with self._database.reading() as view:
                items = view.drill_items.portion(drill.id, "", PORTION, ready, unassigned=True)
                licenses = view.licenses.among("identifier", [i.identifier for i in items])
            if not items:
                break
            write(partial(self._stage, drill=drill, items=items, licenses=licenses))
        with self._database.writing() as uow:
            for job in _jobs(uow.view, drill):
                if job.state is JobState.STAGING:
                    total = uow.view.job_rows.last_row(job.id)
                    told = event("JOB_STAGED", f"job:{job.id}", drill.requested_by, rows=total)
                    uow.jobs.save(job.in_state(JobState.STAGED, total=total), told)

    def run(self, drill: Drill, actor: Actor, workers: int, progress: Callable[[int, int], None]) -> None:
        """Run the jobs that are not done. What fails for a row's own reason stays with the row; raises as minting."""
        with self._database.reading() as view:
            jobs = _jobs(view, drill)
        total, before = sum(j.total for j in jobs), 0

        for job in jobs:
            if job.state not in (JobState.DONE, JobState.ABANDONED):
                done = before

                def told(made: MintProgress, behind: int = done) -> None:
                    progress(behind + made.done, total)

                self._minting.run(job.id, out=None, actor=actor, workers=workers, progress=told)
            before += job.total

    def settle(self, drill: Drill, actor: Actor, write: Write) -> None:
        """Take over what became of the rows. Numbers of rows that led to no license are void then."""
        with self._database.reading() as view:
            jobs = _jobs(view, drill)
        for job in jobs:
            if job.state not in (JobState.DONE, JobState.ABANDONED):
                self._minting.abandon(job.id, actor)
            last = 0
            while True:
                with self._database.reading() as view:
                    rows = view.job_rows.after(job.id, last, PORTION)
                if not rows:
                    break
                write(partial(self._settle, drill=drill, rows=rows))
                last = rows[-1].row

    def _stage(self, uow: UnitOfWork, *, drill: Drill, items: Sequence[DrillItem], licenses: Sequence[License]) -> int:
        found = {f.identifier: f for f in licenses}
        groups: dict[_Group, list[DrillItem]] = {}
        for item in items:
            one = found[item.identifier]
            groups.setdefault(_Group(one.issuer_code, one.type, one.type_version), []).append(item)
        for group, members in groups.items():
            job = self._job(uow, drill, group)
            first = uow.view.job_rows.last_row(job.id) + 1
            rows = [self._row(job, first + n, found[m.identifier]) for n, m in enumerate(members)]
            told = event("ROWS_STAGED", f"job:{job.id}", drill.requested_by, first=first, last=rows[-1].row)
            uow.job_rows.save_all(rows, [told])
            uow.drill_items.save_all([replace(m, job=job.id) for m in members], ())
        return 0

    def _job(self, uow: UnitOfWork, drill: Drill, group: _Group) -> Job:
        """The job of a group that is being staged; a new one when there is none."""
        known = _jobs(uow.view, drill)
        for job in known:
            if job.state is JobState.STAGING and _Group(job.issuer_code, job.type, job.type_version) == group:
                return job
        job = Job(
            id=f"{_prefix(drill)}{len(known) + 1}",
            type=group.type,
            type_version=group.version,
            input_sha256=hashlib.sha256(drill.id.encode()).hexdigest(),
            actor=drill.requested_by,
            issuer_code=group.issuer,
            session=self._session.id,
            created_at=self._clock.now(),
            baseline=Baseline.B_LT.value,
        )
        return uow.jobs.save(job, event("JOB_CREATED", f"job:{job.id}", drill.requested_by, type=group.type))

    def _row(self, job: Job, number: int, old: License) -> JobRow:
        data = dict(self._licenses.face(old).fields)
        return JobRow(
            job=job.id,
            row=number,
            sealed=self._cipher.seal(f"row:{job.id}:{number}", json.dumps(data).encode()),
            row_index=hashlib.sha256(old.identifier.encode()).hexdigest(),
            leaf=row_leaf(self._cipher, number, data).hex(),
            supersedes=old.identifier,
        )

    def _settle(self, uow: UnitOfWork, *, drill: Drill, rows: Sequence[JobRow]) -> int:
        by_old = {r.supersedes: r for r in rows if r.supersedes is not None}
        changed = []
        for item in uow.view.drill_items.chosen(drill.id, list(by_old)):
            row = by_old[item.identifier]
            if row.state is RowState.ISSUED:
                after = replace(item, state=ItemState.REISSUED, reason="", successor=row.identifier)
            else:
                after = replace(item, reason=(row.code or "NOT_REISSUED")[:64])
            if after != item:
                changed.append(after)
        uow.drill_items.save_all(changed, ())
        return sum(1 for c in changed if c.state is ItemState.REISSUED)


def _prefix(drill: Drill) -> str:
    return f"{JOB_PREFIX}{drill.id[:16]}-"


def _jobs(view: View, drill: Drill) -> list[Job]:
    """The jobs of a drill, in the order in which they were made."""
    prefix = _prefix(drill)
    table = view.jobs.table.c
    found = view.jobs.all(view.jobs.query().where(table.id.startswith(prefix, autoescape=True)))
    return sorted(found, key=lambda j: int(j.id.removeprefix(prefix)))
