"""What the vault's services hand out."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass

from verify.formats.license import Holder
from verify.formats.refusal import Text


@dataclass(frozen=True, slots=True)
class IssuedLicense:
    """The result of issuing: what the caller gets back, with the sealed PDF and the structured record."""

    identifier: str
    type: str
    number: str
    version: int
    standing: str
    issued_at: datetime.datetime
    sha256: str
    pdf: bytes
    record: str
    ignored: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LicenseView:
    """One license for somebody who may read it. ``state`` is ISSUED or VOID (then ``reason`` says why)."""

    identifier: str
    type: str
    type_version: int
    title: Text
    number: str
    version: int
    copy_number: int | None
    state: str
    reason: str
    standing: str
    issuer_code: str
    issuer_name: str
    region: str
    holders: tuple[Holder, ...]
    fields: Mapping[str, str]
    issued_at: datetime.datetime | None
    valid_from: datetime.date
    valid_to: datetime.date | None
    sha256: str | None


@dataclass(frozen=True, slots=True)
class LicensePage:
    """A page of licenses; ``next_cursor`` is None on the last one."""

    items: tuple[LicenseView, ...]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class TypeInfo:
    """One published version of a license type."""

    name: str
    version: int
    type_code: str
    type_code_is_example: bool
    title: Text
    digest: str
    published_at: datetime.datetime


@dataclass(frozen=True, slots=True)
class TokenInfo:
    """A token without its secret."""

    id: str
    role: str
    label: str
    holder_bound: bool
    created_at: datetime.datetime
    expires_at: datetime.datetime
    revoked_at: datetime.datetime | None


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One line of one writer's chain."""

    writer: str
    seq: int
    at: datetime.datetime
    kind: str
    actor: str
    object: str
    details: Mapping[str, str | int]
    hash: str


@dataclass(frozen=True, slots=True)
class AuditPage:
    """A page of audit lines, newest first."""

    items: tuple[AuditEntry, ...]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """Which audit lines are wanted: beginnings of object, kind and actor, and the days (Asia/Shanghai) they are of."""

    about: str = ""
    kind: str = ""
    by: str = ""
    first: datetime.date | None = None
    last: datetime.date | None = None


@dataclass(frozen=True, slots=True)
class AuditAnchor:
    """One signature over the heads of all chains; ``good`` tells whether the LOG key made it."""

    n: int
    at: datetime.datetime
    chains: int
    lines: int
    key_id: str
    good: bool


@dataclass(frozen=True, slots=True)
class MintProgress:
    """How far a bulk job is. ``state`` is STAGING, STAGED, RUNNING, PAUSED (both resumable), DONE or ABANDONED.

    ``ignored`` names the columns that matched nothing; it is known while the file is read.
    """

    job: str
    type: str
    state: str
    total: int
    issued: int
    refused: int
    failed: int
    ignored: tuple[str, ...] = ()

    @property
    def done(self) -> int:
        """Rows that have their line."""
        return self.issued + self.refused + self.failed


@dataclass(frozen=True, slots=True)
class RowReport:
    """One line of ``report.jsonl``; ``row`` counts data rows from 1."""

    row: int
    outcome: str
    identifier: str | None = None
    pdf: str | None = None
    sha256: str | None = None
    code: str | None = None
    reason: str | None = None
    field: str | None = None

    def to_json(self) -> dict[str, str | int]:
        """The members that have a value, in the order of the interface."""
        values: dict[str, str | int | None] = {
            "row": self.row,
            "outcome": self.outcome,
            "identifier": self.identifier,
            "pdf": self.pdf,
            "sha256": self.sha256,
            "code": self.code,
            "reason": self.reason,
            "field": self.field,
        }
        return {k: v for k, v in values.items() if v is not None}


@dataclass(frozen=True, slots=True)
class DoctorReport:
    """What ``doctor`` found. Clean when ``problems`` is empty; ``checks`` names each check and its outcome."""

    problems: tuple[str, ...]
    checks: tuple[tuple[str, str], ...]

    @property
    def clean(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems


@dataclass(frozen=True, slots=True)
class MaintenanceReport:
    """What one maintenance run did, by kind of step."""

    done: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class KeyInfo:
    """A key by handle and the certificate it has now."""

    id: str
    uri: str
    purpose: str
    algorithm: str
    owner: str
    generation: int
    state: str
    certificate_serial: str | None
    not_after: datetime.datetime | None
