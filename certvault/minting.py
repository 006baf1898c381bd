"""Bulk issuing: a file of rows becomes licenses, each row with its line in the report.

    start → rows staged (checked, compared, encrypted) → run → batches through the stages → report

A number stays with its row: a job that was killed and is started again goes on where it stood, under the same
numbers. Numbers of types that count are given in the order of the rows, whatever the number of workers.
"""

from __future__ import annotations

import builtins
import contextlib
import hashlib
import secrets
import tempfile
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from certvault.batches import Batches
from certvault.batchpermits import BatchPermits
from certvault.catalog import Catalog
from certvault.cipher import Cipher
from certvault.clock import Clock
from certvault.db.unit_of_work import Database
from certvault.errors import ConcurrentChangeError, DuplicateRowError, VaultError, conflict, forbidden, not_found
from certvault.hubrefusals import require_licenses
from certvault.jobfolder import JobFolder
from certvault.jobrunner import JobRunner, Progress, WorkerSeed, has_line
from certvault.licenses import Licenses
from certvault.model.actor import BY_TOKEN, Actor, Role
from certvault.model.keys import Issuer, event
from certvault.model.license import LicenseState
from certvault.model.views import MintProgress, RowReport
from certvault.model.work import Job, JobState
from certvault.pipeline import Pipeline
from certvault.recovery import Recovery
from certvault.remits import issuer_for
from certvault.rowfiles import Limits, bytes_as_file
from certvault.sealing import Sealing, baseline_named
from certvault.sealuses import SealUses
from certvault.sessions import Session
from certvault.settings import Settings
from certvault.staging import Staging
from certvault.successions import JOB_PREFIX, Successions
from signing.errors import SigningError
from signing.formats.pades import Baseline
from verify.formats.refusal import RefusedError

ABANDONED = "JOB_ABANDONED"


class Minting:
    """Starts, runs, reports and abandons bulk jobs."""

    def __init__(
        self,
        database: Database,
        cipher: Cipher,
        catalog: Catalog,
        pipeline: Pipeline,
        sealing: Sealing,
        uses: SealUses,
        recovery: Recovery,
        licenses: Licenses,
        settings: Settings,
        session: Session,
        clock: Clock,
        seed: Callable[[], WorkerSeed],
        successions: Successions,
    ) -> None:
        limits = Limits(settings.mint_rows, settings.mint_columns, settings.mint_cell_chars)
        self._database = database
        self._catalog = catalog
        self._recovery = recovery
        self._settings = settings
        self._session = session
        self._clock = clock
        self._staging = Staging(database, cipher, pipeline, limits)
        permits = BatchPermits(database, cipher, uses, clock)
        self.batches = Batches(database, cipher, catalog, pipeline, sealing, licenses, permits, successions)
        self._runner = JobRunner(database, cipher, catalog, self.batches, seed)
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
        require_licenses(self._settings)
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
        name = name or rows.name
        if job.state is JobState.STAGING:
            job, ignored = self._stage(job, rows, name, issuer, actor, out)
        else:
            ignored = self._staging.ignored(rows, name, self._catalog.get(job.type, job.type_version))
        return replace(self._runner.progress(job), ignored=ignored)

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
            if job.state is not JobState.RUNNING or job.session != self._session.id:
                job = self._taken(job, JobState.RUNNING, actor)
            failure: Exception | None = None
            try:
                self.batches.give_permits(job, actor)
                self._runner.run(job, out, actor, workers, progress)
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
        return replace(self.resume(started.job, actor), ignored=started.ignored)

    def resume(self, job_id: str, actor: Actor) -> MintProgress:
        """Run a job in the background, without output folder; it is RUNNING from now on.

        Raises ConflictError (JOB_BUSY) while somebody is at it.
        """
        job = self._job(job_id, actor)
        with self._working_on(job):
            if job.state not in (JobState.DONE, JobState.ABANDONED):
                job = self._taken(job, JobState.RUNNING, actor)
        thread = threading.Thread(target=self._run_quietly, args=(job_id, actor), name=f"mint-{job_id}", daemon=True)
        self._threads.append(thread)
        thread.start()
        return self._runner.progress(job)

    def resume_uploads(self) -> int:
        """Go on with jobs whose rows came over HTTP and whose process is gone; returns how many.

        Jobs with an output folder, and those of a drill, wait for their command to be repeated. A job goes on in the
        name and under the issuer of whoever sent it: what was taken is done, even when the token has ended since.
        """
        with self._database.reading() as view:
            found = [j for j in view.jobs.all() if j.state in (JobState.STAGED, JobState.PAUSED)]
        found = [j for j in found if not j.id.startswith(JOB_PREFIX)]
        mine = [j for j in found if j.actor.startswith(BY_TOKEN) and not self._session.is_alive(j.session)]
        for job in sorted(mine, key=lambda j: j.created_at):
            with contextlib.suppress(RefusedError):  # another process was quicker
                self.resume(job.id, Actor(job.actor, frozenset({Role.ISSUER.value}), issuer_code=job.issuer_code))
        return len(mine)

    def wait(self, seconds: float = 60.0) -> None:
        """Wait for jobs in the background; those that take longer stay resumable."""
        for thread in self._threads:
            thread.join(seconds)

    def progress(self, job_id: str, actor: Actor) -> MintProgress:
        """How far a job is. NotFoundError."""
        return self._runner.progress(self._job(job_id, actor))

    def list(self, actor: Actor) -> builtins.list[MintProgress]:
        """All jobs the actor may see, newest first."""
        self._require(actor)
        with self._database.reading() as view:
            jobs = [j for j in view.jobs.all() if actor.issuer_code in (None, j.issuer_code)]
        return [self._runner.progress(j) for j in sorted(jobs, key=lambda j: j.created_at, reverse=True)]

    def report(self, job_id: str, actor: Actor, *, after: int = 0, limit: int = 1000) -> builtins.list[RowReport]:
        """Lines of rows behind ``after``, in order; rows that wait have none yet."""
        job = self._job(job_id, actor)
        with self._database.reading() as view:
            rows = view.job_rows.after(job.id, after, min(limit, 5000))
        return [self._runner.line(r, None) for r in rows if has_line(r)]

    def abandon(self, job_id: str, actor: Actor) -> MintProgress:
        """Give a job up: numbers that led to no license become void, with the reason."""
        job = self._job(job_id, actor)
        with self._working_on(job):
            with self._database.reading() as view:
                waiting = [w for w in view.licenses.in_state(LicenseState.ALLOTTED) if w.job == job.id]
            self._recovery.void(waiting, ABANDONED, actor.subject)
            job = self._set_state(job, JobState.ABANDONED, actor)
        return self._runner.progress(job)

    def _stage(
        self, job: Job, rows: Path, name: str, issuer: Issuer, actor: Actor, out: Path | None
    ) -> tuple[Job, tuple[str, ...]]:
        """Stage the file; one that is refused as a whole leaves the folder free for a better one."""
        license_type = self._catalog.get(job.type, job.type_version)
        with self._working_on(job):
            if job.session != self._session.id:
                job = self._taken(job, JobState.STAGING, actor)
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

    def _finish(self, job: Job, folder: JobFolder | None, actor: Actor, failure: Exception | None) -> MintProgress:
        told = self._runner.progress(job)
        if job.state is JobState.RUNNING:
            whole = failure is None and told.failed == 0 and told.done == told.total
            job = self._set_state(job, JobState.DONE if whole else JobState.PAUSED, actor)
            told = replace(told, state=job.state.value)
        if folder is not None:
            try:
                self._runner.write_out(job, folder, told)
            except VaultError as second:
                if failure is None:
                    raise
                failure.add_note(f"the report is not complete either: {second}")
        return told

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
        try:
            with self._database.writing() as uow:
                return uow.jobs.save(job, event("JOB_CREATED", f"job:{job_id}", actor.subject, type=type_name))
        except DuplicateRowError:  # another process took the same folder at the same moment
            return self._reread(job)

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

    def _taken(self, job: Job, state: JobState, actor: Actor) -> Job:
        """The job in this process's hands; of several processes that try at one moment one gets it."""
        try:
            return self._set_state(job, state, actor)
        except ConcurrentChangeError as error:
            raise _busy(job.id) from error

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
                raise _busy(self._job_id)
            self._running.add(self._job_id)

    def __exit__(self, *exc: object) -> None:
        with self._lock:
            self._running.discard(self._job_id)


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()


def _busy(job_id: str) -> Exception:
    return conflict(
        "JOB_BUSY",
        "job",
        f"任务 {job_id} 正在另一进程中运行",
        f"job {job_id} runs in another process",
        remedy_zh="请等待其完成。",
        remedy_en="Wait until it is done.",
    )


def _out_in_use(out: Path, job: str) -> Exception:
    return conflict(
        "OUT_IN_USE",
        "out",
        f"{out} 属于另一任务 {job}（类型或输入不同）",
        f"{out} belongs to job {job}, of another type or input",
        remedy_zh="请选择其他文件夹，或使用原来的输入。",
        remedy_en="Choose another folder, or give the same input.",
    )
