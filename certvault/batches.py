"""One batch of a bulk job through the stages, in whichever process it runs."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from certvault.batchpermits import BatchPermits
from certvault.catalog import Catalog
from certvault.cipher import Cipher
from certvault.db.unit_of_work import Database, UnitOfWork
from certvault.errors import not_found
from certvault.jobfolder import JobFolder
from certvault.licenses import Licenses
from certvault.model.actor import Actor
from certvault.model.keys import Issuer, event
from certvault.model.license import License, LicenseState
from certvault.model.seal import SealVersion
from certvault.model.views import MintProgress
from certvault.model.work import Job, JobRow, RowState, SealUse
from certvault.pipeline import Allotted, Built, Draft, Pipeline, Sealed
from certvault.sealing import Sealing, Tools
from certvault.staging import Answer, answer_of, row_data
from certvault.successions import Succession, Successions
from signing.errors import BackendUnavailableError, PinError, SigningError
from signing.formats.pades import Baseline
from templates.registry import LicenseType
from verify.formats.refusal import RefusedError


@dataclass(frozen=True, slots=True)
class Tally:
    """How the rows of a batch ended. ``rows`` are those that have their line now."""

    rows: tuple[int, ...] = ()
    issued: int = 0
    refused: int = 0
    failed: int = 0

    def added_to(self, told: MintProgress) -> MintProgress:
        """The progress after this batch."""
        return replace(
            told,
            issued=told.issued + self.issued,
            refused=told.refused + self.refused,
            failed=told.failed + self.failed,
        )


@dataclass(slots=True)
class _Batch:
    """What is known of a batch while it is worked on."""

    job: Job
    type: LicenseType
    tools: Tools
    actor: Actor
    done: list[JobRow]
    successions: Mapping[int, Succession]

    @property
    def baseline(self) -> Baseline:
        return Baseline(self.job.baseline)


class Batches:
    """Works on batches. A row's own trouble ends that row; trouble of keys, database or disk ends the batch."""

    def __init__(
        self,
        database: Database,
        cipher: Cipher,
        catalog: Catalog,
        pipeline: Pipeline,
        sealing: Sealing,
        licenses: Licenses,
        permits: BatchPermits,
        successions: Successions,
    ) -> None:
        self.permits = permits
        self._successions = successions
        self._database = database
        self._cipher = cipher
        self._catalog = catalog
        self._pipeline = pipeline
        self._sealing = sealing
        self._licenses = licenses

    def work(self, job_id: str, rows: Sequence[int], out: Path | None, actor: Actor) -> Tally:
        """All stages for the rows; those that have a number keep it."""
        batch, found, issuer = self._begin(job_id, rows, actor)
        allotted = self._resumed(batch, [r for r in found if r.identifier is not None], issuer)
        allotted += self._allot(batch, [r for r in found if r.identifier is None], issuer)
        try:
            self._make(batch, allotted, out)
        except (BackendUnavailableError, PinError):
            self._sealing.forget()  # a token that comes back is opened anew
            raise
        return _tally(batch.done)

    def give_permits(self, job: Job, actor: Actor) -> None:
        """Leave to use every seal of the job's type, for this run of it."""
        batch, _, _ = self._begin(job.id, [], actor)
        self.permits.give(job, [batch.tools.seal_id, *(f.seal_id for f in batch.tools.further)], actor)

    def allot(self, job_id: str, rows: Sequence[int], actor: Actor) -> Tally:
        """Only the numbers, for rows that have none; refused rows are counted."""
        batch, found, issuer = self._begin(job_id, rows, actor)
        self._allot(batch, [r for r in found if r.identifier is None], issuer)
        return _tally(batch.done)

    def export(self, identifier: str, folder: JobFolder) -> None:
        """Write a document that was issued before into the output folder."""
        with self._database.reading() as view:
            found = view.licenses.get(identifier)
        if found is not None and found.state is LicenseState.ISSUED:
            folder.write_pdf(identifier, self._licenses.document(found))

    def _begin(self, job_id: str, rows: Sequence[int], actor: Actor) -> tuple[_Batch, list[JobRow], Issuer]:
        with self._database.reading() as view:
            job = view.jobs.get(job_id)
            found = [r for r in view.job_rows.chosen(job_id, list(rows)) if r.state in _OPEN]
            issuer = None if job is None else view.issuers.get(job.issuer_code)
        if job is None or issuer is None:
            raise not_found("批量任务", "job", job_id)
        license_type = self._catalog.get(job.type, job.type_version)
        tools = self._sealing.tools_for(issuer, license_type, actor)
        return _Batch(job, license_type, tools, actor, [], self._successions.of(found)), found, issuer

    def _resumed(self, batch: _Batch, rows: Sequence[JobRow], issuer: Issuer) -> list[tuple[Allotted, JobRow]]:
        """Rows that got their number before."""
        resumed: list[tuple[Allotted, JobRow]] = []
        with self._database.reading() as view:
            licenses = {f.identifier: f for f in view.licenses.among("identifier", [r.identifier for r in rows])}
        for row in rows:
            found = licenses[row.identifier or ""]
            try:
                checked = self._pipeline.check(batch.type, row_data(self._cipher, row), issuer)
                if row.row in batch.successions:
                    self._successions.check(batch.successions[row.row], batch.type, checked)
            except RefusedError as error:
                self._end(batch, [self._ended(row, RowState.FAILED, answer_of(error.refusals))])
                continue
            number = self._licenses.face(found).number
            resumed.append((Allotted(found, self._pipeline.redraft(batch.type, checked, found, number)), row))
        return resumed

    def _allot(self, batch: _Batch, rows: Sequence[JobRow], issuer: Issuer) -> list[tuple[Allotted, JobRow]]:
        drafts: list[Draft] = []
        refused: list[JobRow] = []
        for row in rows:
            try:
                checked = self._pipeline.check(batch.type, row_data(self._cipher, row), issuer)
                successor = None
                if row.row in batch.successions:
                    succession = batch.successions[row.row]
                    self._successions.check(succession, batch.type, checked)
                    successor = self._successions.next(succession)
                drafts.append(self._pipeline.draft(batch.type, checked, batch.tools, row=row, successor=successor))
            except RefusedError as error:
                refused.append(self._ended(row, RowState.REFUSED, answer_of(error.refusals)))
        self._end(batch, refused)
        if not drafts:
            return []
        saved: dict[int, JobRow] = {}

        def with_rows(uow: UnitOfWork, allotted: Sequence[Allotted]) -> None:
            changed = [
                replace(a.draft.row, state=RowState.ALLOTTED, identifier=a.license.identifier, code="", answer=None)
                for a in allotted
                if a.draft.row is not None
            ]
            saved.clear()
            saved.update({r.row: r for r in uow.job_rows.save_all(changed, ())})

        allotted, taken = self._pipeline.allot(drafts, batch.tools, batch.actor.subject, also=with_rows)
        self._end(
            batch,
            [
                self._ended(d.row, RowState.REFUSED, answer_of(error.refusals))
                for d, error in taken
                if d.row is not None
            ],
        )
        return [(a, saved[a.draft.row.row]) for a in allotted if a.draft.row is not None]

    def _make(self, batch: _Batch, allotted: Sequence[tuple[Allotted, JobRow]], out: Path | None) -> None:
        rows = {a.license.identifier: r for a, r in allotted}
        built = self._build_all(batch, allotted)
        if not built:
            return

        def redeem(
            uow: UnitOfWork, edition: SealVersion, wanted: Sequence[tuple[str, str]], at: datetime.datetime
        ) -> Sequence[SealUse]:
            return self.permits.redeem(uow, batch.job.id, rows, wanted, edition, batch.actor, at)

        permitted = self._pipeline.permit(built, batch.tools, batch.actor, redeem)
        sealed = self._seal_all(batch, permitted, rows)
        if not sealed:
            return

        def with_rows(uow: UnitOfWork, issued: Sequence[License]) -> None:
            changed = [
                replace(rows[i.identifier], state=RowState.ISSUED, sha256=i.document_sha256, code="", answer=None)
                for i in issued
            ]
            ended = {
                batch.successions[rows[i.identifier].row].old.identifier: i.identifier
                for i in issued
                if rows[i.identifier].row in batch.successions
            }
            self._successions.end(uow, ended, batch.job.id, batch.actor.subject)
            batch.done += uow.job_rows.save_all(changed, ())

        self._pipeline.keep(sealed, batch.tools, batch.actor.subject, baseline=batch.baseline, also=with_rows)
        if out is not None:
            folder = JobFolder(out)
            for one in sealed:
                folder.write_pdf(one.built.allotted.license.identifier, one.pdf)

    def _build_all(self, batch: _Batch, allotted: Sequence[tuple[Allotted, JobRow]]) -> list[Built]:
        built: list[Built] = []
        for one, row in allotted:
            try:
                built.append(self._pipeline.build(one, batch.tools))
            except (RefusedError, SigningError) as error:
                self._fail(batch, row, error)
        return built

    def _seal_all(self, batch: _Batch, built: Sequence[Built], rows: Mapping[str, JobRow]) -> list[Sealed]:
        sealed: list[Sealed] = []
        for one in built:
            try:
                succession = batch.successions.get(rows[one.allotted.license.identifier].row)
                key = None if succession is None else succession.holder_key
                sealed.append(self._pipeline.seal(one, batch.tools, baseline=batch.baseline, holder_key=key))
            except SigningError as error:
                self._fail(batch, rows[one.allotted.license.identifier], error)
        return sealed

    def _fail(self, batch: _Batch, row: JobRow, error: RefusedError | SigningError) -> None:
        """This row alone fails and keeps its number; a token that is gone fails the whole batch instead."""
        if isinstance(error, (BackendUnavailableError, PinError)):
            raise error
        answer = (
            answer_of(error.refusals)
            if isinstance(error, RefusedError)
            else Answer(error.code, "", f"密钥设备未能签名 / {error}")
        )
        self._end(batch, [self._ended(row, RowState.FAILED, answer)])

    def _ended(self, row: JobRow, state: RowState, answer: Answer) -> JobRow:
        sealed = answer.sealed(self._cipher, row.job, row.row)
        return replace(row, state=state, code=answer.code, answer=sealed)

    def _end(self, batch: _Batch, rows: Sequence[JobRow]) -> None:
        if not rows:
            return
        job = f"job:{batch.job.id}"
        with self._database.writing() as uow:
            batch.done += uow.job_rows.save_all(
                rows, [event(f"ROW_{r.state.value}", job, batch.actor.subject, row=r.row, code=r.code) for r in rows]
            )


_OPEN = (RowState.STAGED, RowState.ALLOTTED, RowState.FAILED)


def _tally(done: Sequence[JobRow]) -> Tally:
    states = [r.state for r in done]
    return Tally(
        rows=tuple(r.row for r in done),
        issued=states.count(RowState.ISSUED),
        refused=states.count(RowState.REFUSED),
        failed=states.count(RowState.FAILED),
    )
