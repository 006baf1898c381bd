"""Running a bulk job: batches in this process or over worker processes, progress, report and output folder."""

from __future__ import annotations

import builtins
import multiprocessing
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from certvault.batches import Batches, Tally
from certvault.catalog import Catalog
from certvault.cipher import Cipher
from certvault.db.unit_of_work import Database
from certvault.errors import VaultError
from certvault.jobfolder import JobFolder
from certvault.model.actor import Actor
from certvault.model.views import MintProgress, RowReport
from certvault.model.work import Job, JobRow, JobState, RowState
from certvault.staging import Answer

BATCH = 40
Progress = Callable[[MintProgress], None]


class WorkersDiedError(VaultError):
    """A worker process ended before its work; the job can be resumed."""

    code = "WORKER_DIED"
    retry = True


@dataclass(frozen=True, slots=True)
class WorkerSeed:
    """How worker processes begin (``start`` with ``arguments``) and what they are handed (``work``)."""

    start: Callable[..., None]
    work: Callable[..., Tally]
    arguments: tuple[Any, ...]


class JobRunner:
    """Works on the rows of one job at a time; whose turn it is, :class:`certvault.minting.Minting` sees to."""

    def __init__(
        self,
        database: Database,
        cipher: Cipher,
        catalog: Catalog,
        batches: Batches,
        seed: Callable[[], WorkerSeed],
    ) -> None:
        self._database = database
        self._cipher = cipher
        self._catalog = catalog
        self.batches = batches
        self._seed = seed

    def run(self, job: Job, out: Path | None, actor: Actor, workers: int, progress: Progress | None) -> None:
        folder = None if out is None else JobFolder(out)
        license_type = self._catalog.get(job.type, job.type_version)
        with self._database.reading() as view:
            waiting = view.job_rows.open_rows(job.id)
        batches = [waiting[i : i + BATCH] for i in range(0, len(waiting), BATCH)]
        told = self.progress(job)
        told = replace(told, failed=0, state=JobState.RUNNING.value)
        if folder is not None:
            folder.write_report(self.lines(job, folder, skip_failed=True))
        in_order = workers > 1 and license_type.number.rule == "sequence"
        for tally in self._tallies(job, batches, out, actor, workers, in_order=in_order):
            told = tally.added_to(told)
            if folder is not None:
                folder.append_report(self._some_lines(job, tally.rows, folder))
            if progress is not None:
                progress(told)

    def _tallies(
        self,
        job: Job,
        batches: builtins.list[builtins.list[int]],
        out: Path | None,
        actor: Actor,
        workers: int,
        *,
        in_order: bool,
    ) -> Iterator[Tally]:
        if workers <= 1 or len(batches) <= 1:
            for rows in batches:
                yield self.batches.work(job.id, rows, out, actor)
            return
        seed = self._seed()
        pool = ProcessPoolExecutor(
            min(workers, len(batches)),
            mp_context=multiprocessing.get_context("spawn"),
            initializer=seed.start,
            initargs=seed.arguments,
        )
        try:
            yield from self._from_pool(pool, seed, job, batches, out, actor, in_order=in_order)
        except BrokenProcessPool as error:
            raise WorkersDiedError("a worker process ended; run the same command again to go on") from error
        finally:
            pool.shutdown(cancel_futures=True)

    def _from_pool(
        self,
        pool: ProcessPoolExecutor,
        seed: WorkerSeed,
        job: Job,
        batches: builtins.list[builtins.list[int]],
        out: Path | None,
        actor: Actor,
        *,
        in_order: bool,
    ) -> Iterator[Tally]:
        """Batches through the pool, a few ahead of the workers; numbers that count are allotted here, in order."""
        ahead: set[Future[Tally]] = set()
        for rows in batches:
            if in_order:
                yield self.batches.allot(job.id, rows, actor)
            ahead.add(pool.submit(seed.work, job.id, rows, out, actor))
            while len(ahead) >= 4 * pool._max_workers:  # type: ignore[attr-defined]
                done, ahead = wait(ahead, return_when=FIRST_COMPLETED)
                yield from (f.result() for f in done)
        while ahead:
            done, ahead = wait(ahead, return_when=FIRST_COMPLETED)
            yield from (f.result() for f in done)

    def write_out(self, job: Job, folder: JobFolder, told: MintProgress) -> None:
        """Everything the output folder is to hold now: missing documents, the report in order, the job's facts."""
        self._export_missing(job, folder)
        folder.write_report(self.lines(job, folder))
        folder.note(
            {
                "job": job.id,
                "type": job.type,
                "type_version": job.type_version,
                "input_sha256": job.input_sha256,
                "state": told.state,
                "rows": told.total,
                "issued": told.issued,
                "refused": told.refused,
                "failed": told.failed,
            }
        )

    def _export_missing(self, job: Job, folder: JobFolder) -> None:
        """Documents that were issued but not written out before the process ended."""
        with self._database.reading() as view:
            rows = [r for r in view.job_rows.every(job.id) if r.state is RowState.ISSUED and r.identifier is not None]
        for row in rows:
            if row.identifier is not None and not folder.has_pdf(row.identifier):
                self.batches.export(row.identifier, folder)

    def lines(self, job: Job, folder: JobFolder, *, skip_failed: bool = False) -> Iterator[RowReport]:
        """The lines of all rows that have one, in order."""
        with self._database.reading() as view:
            for row in view.job_rows.every(job.id):
                if has_line(row) and not (skip_failed and row.state is RowState.FAILED):
                    yield self.line(row, folder)

    def _some_lines(self, job: Job, rows: tuple[int, ...], folder: JobFolder) -> builtins.list[RowReport]:
        with self._database.reading() as view:
            return [self.line(r, folder) for r in view.job_rows.chosen(job.id, builtins.list(rows)) if has_line(r)]

    def line(self, row: JobRow, folder: JobFolder | None) -> RowReport:
        """The line of one row."""
        if row.state is RowState.ISSUED:
            pdf = None if folder is None or row.identifier is None else folder.pdf_path(row.identifier)
            return RowReport(row.row, "issued", identifier=row.identifier, pdf=pdf, sha256=row.sha256)
        answer = Answer.opened(self._cipher, row)
        outcome = "refused" if row.state is RowState.REFUSED else "failed"
        return RowReport(
            row.row,
            outcome,
            identifier=row.identifier,
            code=answer.code,
            reason=answer.reason,
            field=answer.field or None,
        )

    def progress(self, job: Job) -> MintProgress:
        """How far the job is, counted in the database."""
        with self._database.reading() as view:
            counts = view.job_rows.counts(job.id)
        return MintProgress(
            job=job.id,
            type=job.type,
            state=job.state.value,
            total=job.total,
            issued=counts.get(RowState.ISSUED, 0),
            refused=counts.get(RowState.REFUSED, 0),
            failed=counts.get(RowState.FAILED, 0),
        )


def has_line(row: JobRow) -> bool:
    """Whether the row has come to its end, for now."""
    return row.state in (RowState.ISSUED, RowState.REFUSED, RowState.FAILED)
