"""Staging a bulk job: rows are read, checked, compared with each other and kept encrypted, before anything is numbered.

A faulty row is refused here, with every reason; so is one that repeats an earlier row of the file. What the checks need
of a page (a character no face has, a text that does not fit) is found when the row's page is set.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from certvault.cipher import Cipher
from certvault.db.unit_of_work import Database
from certvault.model.keys import Issuer, event
from certvault.model.merkle import leaf_hash
from certvault.model.work import Job, JobRow, JobState, RowState
from certvault.numbering import number_index
from certvault.pipeline import Pipeline
from certvault.rowfiles import InputRow, Limits, read_rows
from templates.registry import LicenseType
from templates.schema import CheckedData, field_named
from verify.formats.refusal import Refusal, RefusedError, Text, printable, refuse

_PORTION = 500


@dataclass(frozen=True, slots=True)
class Answer:
    """Why a row was refused or failed, as it is reported: kept encrypted, since reasons may quote the data."""

    code: str
    field: str
    reason: str

    def sealed(self, cipher: Cipher, job: str, row: int) -> bytes:
        """Encrypted for its row."""
        return cipher.seal(f"answer:{job}:{row}", json.dumps([self.code, self.field, self.reason]).encode())

    @classmethod
    def opened(cls, cipher: Cipher, row: JobRow) -> Answer:
        """The answer of a row that has one."""
        if row.answer is None:
            return cls(row.code, "", row.code)
        return cls(*json.loads(cipher.open(f"answer:{row.job}:{row.row}", row.answer)))


def answer_of(refusals: Iterable[Refusal]) -> Answer:
    """All reasons in one answer, Chinese first; code and field are those of the first."""
    found = list(refusals)
    zh = "；".join(r.reason.zh for r in found)
    en = "; ".join(r.reason.en for r in found)
    return Answer(found[0].code, found[0].field, f"{zh} / {en}")


def row_data(cipher: Cipher, row: JobRow) -> Mapping[str, object]:
    """The data of a staged row."""
    value: Mapping[str, object] = json.loads(cipher.open(f"row:{row.job}:{row.row}", row.sealed))
    return value


def row_leaf(cipher: Cipher, row: int, data: Mapping[str, object]) -> bytes:
    """The leaf of a row in its batch's tree: over its data in canonical form, keyed, so that it tells nobody them."""
    content = json.dumps(data, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return leaf_hash(row, cipher.commitment("row", content.encode("utf-8", "surrogatepass")))


class Staging:
    """Reads a file into the rows of a job."""

    def __init__(self, database: Database, cipher: Cipher, pipeline: Pipeline, limits: Limits) -> None:
        self._database = database
        self._cipher = cipher
        self._pipeline = pipeline
        self._limits = limits

    def stage(
        self, job: Job, path: Path, name: str, license_type: LicenseType, issuer: Issuer
    ) -> tuple[Job, tuple[str, ...]]:
        """Stage all rows of the file; gives the job, ready to run, and the columns that matched nothing.

        A job whose staging was interrupted goes on behind its last row. Raises RefusedError for a file that cannot be
        read or has no column of the type.
        """
        ignored: dict[str, None] = {}
        with self._database.reading() as view:
            last = view.job_rows.last_row(job.id)
            seen = {r.row_index: r.row for r in view.job_rows.every(job.id) if r.state is not RowState.REFUSED}
        waiting: list[JobRow] = []
        total = 0
        for item in read_rows(path, name, self._limits):
            if total == 0:
                ignored = dict.fromkeys(_unmatched(license_type, item))
            total = item.row
            if item.row > last:
                waiting.append(self._staged(job, item, license_type, issuer, seen))
            if len(waiting) >= _PORTION:
                self._save(job, waiting)
                waiting = []
        self._save(job, waiting)
        if total == 0:
            raise refuse(
                "NO_ROWS",
                "file",
                "文件没有数据行",
                "the file has no data rows",
                remedy_zh="请提交至少一行数据。",
                remedy_en="Send at least one row.",
            )
        with self._database.writing() as uow:
            ready = uow.jobs.save(
                job.in_state(JobState.STAGED, total=total), event("JOB_STAGED", f"job:{job.id}", job.actor, rows=total)
            )
        return ready, tuple(ignored)

    def ignored(self, path: Path, name: str, license_type: LicenseType) -> tuple[str, ...]:
        """The columns of the file that match nothing, told again when a job is resumed."""
        first = next(read_rows(path, name, self._limits), None)
        return () if first is None else tuple(dict.fromkeys(_unmatched(license_type, first)))

    def _save(self, job: Job, rows: list[JobRow]) -> None:
        if not rows:
            return
        with self._database.writing() as uow:
            uow.job_rows.save_all(
                rows,
                [event("ROWS_STAGED", f"job:{job.id}", job.actor, first=rows[0].row, last=rows[-1].row)],
            )

    def _staged(
        self, job: Job, item: InputRow, license_type: LicenseType, issuer: Issuer, seen: dict[str, int]
    ) -> JobRow:
        content = json.dumps(item.data, default=str).encode()
        sealed = self._cipher.seal(f"row:{job.id}:{item.row}", content)
        try:
            if item.refusals:
                raise RefusedError(_with_field(license_type, r) for r in item.refusals)
            checked = self._pipeline.check(license_type, item.data, issuer)
            index = self._index(license_type, checked)
            if index in seen:
                raise RefusedError(_repeated(license_type, seen[index]))
        except RefusedError as error:
            answer = answer_of(error.refusals)
            return JobRow(
                job.id,
                item.row,
                sealed,
                "",
                RowState.REFUSED,
                code=answer.code,
                answer=answer.sealed(self._cipher, job.id, item.row),
            )
        seen[index] = item.row
        leaf = row_leaf(self._cipher, item.row, json.loads(content)).hex()
        return JobRow(job.id, item.row, sealed, index, leaf=leaf)

    def _index(self, license_type: LicenseType, checked: CheckedData) -> str:
        """By number where the data bring one, else by all the data."""
        if checked.number is not None:
            return f"{number_index(self._cipher, license_type.name, checked.number)[:56]}:{checked.copy_number or 0}"[
                :64
            ]
        content = json.dumps(dict(checked.fields), ensure_ascii=False, sort_keys=True)
        return self._cipher.index(f"row:{license_type.name}", content)


def _with_field(license_type: LicenseType, refusal: Refusal) -> Refusal:
    """The refusal of a cell under the field's English name instead of the column's heading."""
    name = field_named(license_type, refusal.field)
    return refusal if name is None else replace(refusal, field=name)


def _unmatched(license_type: LicenseType, item: InputRow) -> list[str]:
    unmatched = [printable(k[:200]) for k in item.data if field_named(license_type, k) is None]
    if item.data and len(unmatched) == len(item.data):
        raise refuse(
            "NO_COLUMN_MATCHES",
            "file",
            "没有一列与该类型的字段相符",
            "no column matches a field of the type",
            remedy_zh="请使用类型数据结构中的字段名或中文名作为列标题。",
            remedy_en="Use the schema's names or Chinese titles as headings.",
        )
    return unmatched


def _repeated(license_type: LicenseType, earlier: int) -> Refusal:
    return Refusal(
        "DUPLICATE_ROW",
        license_type.number.field,
        Text(f"与第 {earlier} 行重复", f"repeats row {earlier}"),
        Text("请删除重复的行。", "Remove one of them."),
    )
