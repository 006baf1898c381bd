"""Bulk issuing: a file of rows becomes licenses, each row with its line in the report.

    start → rows staged (checked, compared, encrypted) → run → batches through the stages → report

A number stays with its row: a job that was killed and is started again goes on where it stood, under the same
numbers. Numbers of types that count are given in the order of the rows, whatever the number of workers.
"""

from __future__ import annotations

import builtins
import hashlib
import multiprocessing
import secrets
import tempfile
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from certvault.batches import Batches, Tally
from certvault.catalog import Catalog
from certvault.cipher import Cipher
from certvault.clock import Clock
from certvault.db.unit_of_work import Database
from certvault.errors import VaultError, conflict, forbidden, not_found
from certvault.jobfolder import JobFolder
from certvault.licenses import Licenses
from certvault.model.actor import Actor, Role
from certvault.model.keys import Issuer, event
from certvault.model.license import LicenseState
from certvault.model.views import MintProgress, RowReport
from certvault.model.work import Job, JobRow, JobState, RowState
from certvault.pipeline import Pipeline
from certvault.recovery import Recovery
from certvault.remits import issuer_for
from certvault.rowfiles import Limits, bytes_as_file
from certvault.sealing import Sealing, baseline_named
from certvault.sessions import Session
from certvault.settings import Settings
from certvault.staging import Answer, Staging
from signing.errors import SigningError
from signing.formats.pades import Baseline
from verify.formats.refusal import RefusedError

BATCH = 40
ABANDONED = "JOB_ABANDONED"
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


class Minting:
    """Starts, runs, reports and abandons bulk jobs."""

    def __init__(
        self,
        database: Database,
        cipher: Cipher,
        catalog: Catalog,
        pipeline: Pipeline,
        sealing: Sealing,
        recovery: Recovery,
        licenses: Licenses,
        settings: Settings,
        session: Session,
        clock: Clock,
        seed: Callable[[], WorkerSeed],
    ) -> None:
        limits = Limits(settings.mint_rows, settings.mint_columns, settings.mint_cell_chars)
        self._database = database
        self._cipher = cipher
        self._catalog = catalog
        self._recovery = recovery
        self._settings = settings
        self._session = session
        self._clock = clock
        self._seed = seed
        self._staging = Staging(database, cipher, pipeline, limits)
        self.batches = Batches(database, cipher, catalog, pipeline, sealing, licenses)
        self._threads: list[threading.Thread] = []
        self._running: set[str] = set()
        self._lock = threading.Lock()

    def mint(
        self,
        type_name: str,
        rows: Path,
        out: Path,
        *,
        actor: Actor,
        workers: int = 1,
        resume: str | None = None,
        baseline: Baseline | str = Baseline.B_LT,
        progress: Progress | None = None,
    ) -> MintProgress:
        """Start or resume, run, report: what the command line does."""
        started = self.start(type_name, rows, out, actor=actor, baseline=baseline, resume=resume)
        done = self.run(started.job, out=out, actor=actor, workers=workers, progress=progress)
        return replace(done, ignored=started.ignored)

    def start(
        self,
        type_name: str,
        rows: Path,
        out: Path | None,
        *,
        actor: Actor,
        baseline: Baseline | str = Baseline.B_LT,
        resume: str | None = None,
        name: str | None = None,
    ) -> MintProgress:
        """Stage the rows of a file, or find the job again: same type, input and ``out``, or ``resume`` names it.

        Raises RefusedError for a file that cannot be read, ConflictError (OUT_IN_USE) when ``out`` belongs to a job
        of another input.
        """
        issuer = issuer_for(self._database, actor)
        license_type = self._catalog.get(type_name)
        digest = _sha256(rows)
        job_id = resume or secrets.token_hex(8)
        if out is not None:
            facts = {"job": job_id, "type": type_name, "input": rows.name, "input_sha256": digest}
            told = JobFolder(out).claim(facts)
            if told["type"] != type_name or told["input_sha256"] != digest or resume not in (None, told["job"]):
                raise _out_in_use(out, told["job"])
            job_id = told["job"]
        job = self._known(job_id)
        if job is None:
            if resume is not None:
                raise not_found("批量任务", "job", resume[:40])
            job = self._new_job(job_id, license_type.name, license_type.version, digest, actor, issuer.code, baseline)
        elif job.type != type_name or job.input_sha256 != digest:
            raise _out_in_use(out or Path(), job.id)
        ignored: tuple[str, ...] = ()
        if job.state is JobState.STAGING:
            job, ignored = self._stage(job, rows, name or rows.name, issuer, actor, out)
        return replace(self._progress(job), ignored=ignored)

    def run(
        self,
        job_id: str,
        *,
        out: Path | None,
        actor: Actor,
        workers: int = 1,
        progress: Progress | None = None,
    ) -> MintProgress:
        """Work on a job until every row has its line, then write the report.

        Raises ConflictError (JOB_BUSY) while another process is at it. When the keys, the database or the disk fail,
        the job stays PAUSED with all numbers kept, the report has what is done, and the failure is raised.
        """
        job = self._job(job_id, actor)
        folder = None if out is None else JobFolder(out)
        with self._working_on(job):
            if job.state in (JobState.DONE, JobState.ABANDONED):
                return self._finish(job, folder, actor, None)
            job = self._set_state(job, JobState.RUNNING, actor)
            failure: Exception | None = None
            try:
                self._run_batches(job, out, actor, workers, progress)
            except (VaultError, SigningError, OSError) as error:
                failure = error
            except BaseException:
                self._set_state(self._reread(job), JobState.PAUSED, actor)
                raise
            done = self._finish(self._reread(job), folder, actor, failure)
        if failure is not None:
            raise failure
        if progress is not None:
            progress(done)
        return done

    def start_upload(
        self, type_name: str, file_name: str, content: bytes, *, actor: Actor, baseline: Baseline | str = Baseline.B_LT
    ) -> MintProgress:
        """Stage an uploaded file, then run it in the background. Its licenses are read as any others."""
        with tempfile.TemporaryDirectory(dir=self._settings.folder, prefix=".upload-") as folder:
            path = bytes_as_file(content, Path(folder), "rows")
            started = self.start(type_name, path, None, actor=actor, baseline=baseline, name=file_name)
        self.resume(started.job, actor)
        return started

    def resume(self, job_id: str, actor: Actor) -> None:
        """Run a job in the background, without output folder."""
        self._job(job_id, actor)
        thread = threading.Thread(target=self._run_quietly, args=(job_id, actor), name=f"mint-{job_id}", daemon=True)
        self._threads.append(thread)
        thread.start()

    def wait(self, seconds: float = 60.0) -> None:
        """Wait for jobs in the background; those that take longer stay resumable."""
        for thread in self._threads:
            thread.join(seconds)

    def progress(self, job_id: str, actor: Actor) -> MintProgress:
        """How far a job is. NotFoundError."""
        return self._progress(self._job(job_id, actor))

    def list(self, actor: Actor) -> builtins.list[MintProgress]:
        """All jobs the actor may see, newest first."""
        self._require(actor)
        with self._database.reading() as view:
            jobs = [j for j in view.jobs.all() if actor.issuer_code in (None, j.issuer_code)]
        return [self._progress(j) for j in sorted(jobs, key=lambda j: j.created_at, reverse=True)]

    def report(self, job_id: str, actor: Actor, *, after: int = 0, limit: int = 1000) -> builtins.list[RowReport]:
        """Lines of rows behind ``after``, in order; rows that wait have none yet."""
        job = self._job(job_id, actor)
        with self._database.reading() as view:
            rows = view.job_rows.after(job.id, after, min(limit, 5000))
        return [self._line(r, None) for r in rows if _has_line(r)]

    def abandon(self, job_id: str, actor: Actor) -> MintProgress:
        """Give a job up: numbers that led to no license become void, with the reason."""
        job = self._job(job_id, actor)
        with self._working_on(job):
            with self._database.reading() as view:
                waiting = [w for w in view.licenses.in_state(LicenseState.ALLOTTED) if w.job == job.id]
            self._recovery.void(waiting, ABANDONED, actor.subject)
            job = self._set_state(job, JobState.ABANDONED, actor)
        return self._progress(job)

    def _stage(
        self, job: Job, rows: Path, name: str, issuer: Issuer, actor: Actor, out: Path | None
    ) -> tuple[Job, tuple[str, ...]]:
        """Stage the file; one that is refused as a whole leaves the folder free for a better one."""
        license_type = self._catalog.get(job.type, job.type_version)
        with self._working_on(job):
            try:
                return self._staging.stage(job, rows, name, license_type, issuer)
            except RefusedError:
                self._set_state(self._reread(job), JobState.ABANDONED, actor)
                if out is not None:
                    JobFolder(out).release()
                raise

    def _run_quietly(self, job_id: str, actor: Actor) -> None:
        try:
            self.run(job_id, out=None, actor=actor)
        except (VaultError, SigningError, RefusedError, OSError):
            return  # the job says PAUSED, and resuming it tells the failure

    def _run_batches(self, job: Job, out: Path | None, actor: Actor, workers: int, progress: Progress | None) -> None:
        folder = None if out is None else JobFolder(out)
        license_type = self._catalog.get(job.type, job.type_version)
        with self._database.reading() as view:
            waiting = view.job_rows.open_rows(job.id)
        batches = [waiting[i : i + BATCH] for i in range(0, len(waiting), BATCH)]
        told = self._progress(job)
        told = replace(told, failed=0, state=JobState.RUNNING.value)
        if folder is not None:
            folder.write_report(self._lines(job, folder, skip_failed=True))
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

    def _finish(self, job: Job, folder: JobFolder | None, actor: Actor, failure: Exception | None) -> MintProgress:
        told = self._progress(job)
        if job.state is JobState.RUNNING:
            whole = failure is None and told.failed == 0 and told.done == told.total
            job = self._set_state(job, JobState.DONE if whole else JobState.PAUSED, actor)
            told = replace(told, state=job.state.value)
        if folder is not None:
            self._export_missing(job, folder)
            folder.write_report(self._lines(job, folder))
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
        return told

    def _export_missing(self, job: Job, folder: JobFolder) -> None:
        """Documents that were issued but not written out before the process ended."""
        with self._database.reading() as view:
            rows = [r for r in view.job_rows.every(job.id) if r.state is RowState.ISSUED and r.identifier is not None]
        for row in rows:
            if row.identifier is not None and not folder.has_pdf(row.identifier):
                self.batches.export(row.identifier, folder)

    def _lines(self, job: Job, folder: JobFolder, *, skip_failed: bool = False) -> Iterator[RowReport]:
        with self._database.reading() as view:
            for row in view.job_rows.every(job.id):
                if _has_line(row) and not (skip_failed and row.state is RowState.FAILED):
                    yield self._line(row, folder)

    def _some_lines(self, job: Job, rows: tuple[int, ...], folder: JobFolder) -> builtins.list[RowReport]:
        with self._database.reading() as view:
            return [self._line(r, folder) for r in view.job_rows.chosen(job.id, builtins.list(rows)) if _has_line(r)]

    def _line(self, row: JobRow, folder: JobFolder | None) -> RowReport:
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

    def _progress(self, job: Job) -> MintProgress:
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

    def _new_job(
        self,
        job_id: str,
        type_name: str,
        version: int,
        digest: str,
        actor: Actor,
        issuer: str,
        baseline: Baseline | str,
    ) -> Job:
        job = Job(
            id=job_id,
            type=type_name,
            type_version=version,
            input_sha256=digest,
            actor=actor.subject,
            issuer_code=issuer,
            session=self._session.id,
            created_at=self._clock.now(),
            baseline=baseline_named(baseline).value,
        )
        with self._database.writing() as uow:
            return uow.jobs.save(job, event("JOB_CREATED", f"job:{job_id}", actor.subject, type=type_name))

    def _known(self, job_id: str) -> Job | None:
        with self._database.reading() as view:
            return view.jobs.get(job_id)

    def _reread(self, job: Job) -> Job:
        return self._known(job.id) or job

    def _job(self, job_id: str, actor: Actor) -> Job:
        self._require(actor)
        job = self._known(job_id)
        if job is None or actor.issuer_code not in (None, job.issuer_code):
            raise not_found("批量任务", "job", job_id[:40])
        return job

    @staticmethod
    def _require(actor: Actor) -> None:
        if not actor.has(Role.ISSUER):
            raise forbidden(Role.ISSUER)

    def _set_state(self, job: Job, state: JobState, actor: Actor) -> Job:
        with self._database.writing() as uow:
            changed = job.in_state(state, session=self._session.id)
            return uow.jobs.save(changed, event(f"JOB_{state.value}", f"job:{job.id}", actor.subject))

    def _working_on(self, job: Job) -> _Claim:
        busy = (
            job.session != self._session.id
            and self._session.is_alive(job.session)
            and job.state
            in (
                JobState.RUNNING,
                JobState.STAGING,
            )
        )
        return _Claim(self._running, self._lock, job.id, busy=busy)


class _Claim:
    """One thread of one process works on a job at a time."""

    def __init__(self, running: set[str], lock: threading.Lock, job_id: str, *, busy: bool) -> None:
        self._running = running
        self._lock = lock
        self._job_id = job_id
        self._busy = busy

    def __enter__(self) -> None:
        with self._lock:
            if self._busy or self._job_id in self._running:
                raise conflict(
                    "JOB_BUSY",
                    "job",
                    f"任务 {self._job_id} 正在另一进程中运行",
                    f"job {self._job_id} runs in another process",
                    remedy_zh="请等待其完成。",
                    remedy_en="Wait until it is done.",
                )
            self._running.add(self._job_id)

    def __exit__(self, *exc: object) -> None:
        with self._lock:
            self._running.discard(self._job_id)


def _has_line(row: JobRow) -> bool:
    return row.state in (RowState.ISSUED, RowState.REFUSED, RowState.FAILED)


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()


def _out_in_use(out: Path, job: str) -> Exception:
    return conflict(
        "OUT_IN_USE",
        "out",
        f"{out} 属于另一任务 {job}(类型或输入不同)",
        f"{out} belongs to job {job}, of another type or input",
        remedy_zh="请选择其他文件夹,或使用原来的输入。",
        remedy_en="Choose another folder, or give the same input.",
    )
