"""Records of work: seal permits and uses, bulk jobs and their rows, tokens, cached answers, published types."""

from __future__ import annotations

import datetime
import enum
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class SealPermit:
    """Leave to use one seal until a moment: on one digest (SHA-256, hex, of the unsigned file), or on a batch.

    A batch is named by the Merkle ``root`` over its ``count`` approved rows and by its ``job``. ``user`` is who may
    redeem it. ``approvers`` people give leave: ``given_by`` and, of two, ``approved_by``.
    """

    id: str
    seal_id: str
    purpose: str
    digest: str | None
    root: str | None
    count: int
    given_by: str
    user: str
    given_at: datetime.datetime
    expires_at: datetime.datetime
    identifier: str | None = None
    job: str | None = None
    approvers: int = 1
    approved_by: str = ""
    cancelled_at: datetime.datetime | None = None
    revision: int = 0

    @property
    def approved(self) -> bool:
        """Whether everybody has given leave who has to."""
        return self.approvers < 2 or bool(self.approved_by)

    def cancelled(self, at: datetime.datetime) -> SealPermit:
        """The permit will not be redeemed."""
        return replace(self, cancelled_at=at)

    def confirmed(self, by: str) -> SealPermit:
        """The second of two has given leave."""
        return replace(self, approved_by=by)


@dataclass(frozen=True, slots=True)
class SealUse:
    """One act of sealing: the redemption of a permit, unique, recorded before the signature is made.

    ``leaf`` is empty, or names the row of a batch. ``digest`` is that of the unsigned file.
    """

    permit_id: str
    leaf: str
    seal_id: str
    seal_version: int
    key_id: str
    digest: str
    used_by: str
    used_at: datetime.datetime
    identifier: str | None = None
    revision: int = 0


class JobState(enum.StrEnum):
    """STAGING → STAGED → RUNNING ⇄ PAUSED → DONE; ABANDONED gives every open number up.

    STAGED: every row is stored and nothing is numbered yet. PAUSED: begun, and to be resumed.
    """

    STAGING = "STAGING"
    STAGED = "STAGED"
    RUNNING = "RUNNING"
    PAUSED = "PAUSED"
    DONE = "DONE"
    ABANDONED = "ABANDONED"


@dataclass(frozen=True, slots=True)
class Job:
    """A bulk job. ``input_sha256`` names the input; ``type_version`` stays fixed for the whole job."""

    id: str
    type: str
    type_version: int
    input_sha256: str
    actor: str
    issuer_code: str
    session: str
    created_at: datetime.datetime
    baseline: str
    state: JobState = JobState.STAGING
    total: int = 0
    revision: int = 0

    def in_state(self, state: JobState, **changes: int | str) -> Job:
        """The job in another state."""
        return replace(self, state=state, **changes)  # type: ignore[arg-type]


class RowState(enum.StrEnum):
    """STAGED → ALLOTTED → ISSUED, or REFUSED. FAILED rows are tried again when the job is resumed."""

    STAGED = "STAGED"
    ALLOTTED = "ALLOTTED"
    ISSUED = "ISSUED"
    REFUSED = "REFUSED"
    FAILED = "FAILED"


@dataclass(frozen=True, slots=True)
class JobRow:
    """One data row of a job. ``sealed`` is the encrypted row; ``answer`` the encrypted reason of a refusal.

    ``row_index`` is the keyed digest by which a row repeated in the file is found, ``leaf`` the keyed digest of the
    whole row, of which batch permits are made; rows that an earlier version staged have none. ``supersedes`` is the
    license whose next version the row becomes.
    """

    job: str
    row: int
    sealed: bytes
    row_index: str
    state: RowState = RowState.STAGED
    identifier: str | None = None
    code: str = ""
    answer: bytes | None = None
    sha256: str | None = None
    leaf: str | None = None
    supersedes: str | None = None
    revision: int = 0


@dataclass(frozen=True, slots=True)
class Token:
    """A bearer token, kept as the SHA-256 of its secret."""

    id: str
    secret_sha256: str
    role: str
    label: str
    holder_index: str | None
    issuer_code: str | None
    created_at: datetime.datetime
    expires_at: datetime.datetime
    revoked_at: datetime.datetime | None = None
    revision: int = 0

    def revoked(self, at: datetime.datetime) -> Token:
        """The token counts no more."""
        return replace(self, revoked_at=at)


@dataclass(frozen=True, slots=True)
class CachedAnswer:
    """The answer to one idempotent request. ``sealed`` is None while the first request is still at work."""

    subject: str
    key: str
    body_sha256: str
    session: str
    expires_at: datetime.datetime
    sealed: bytes | None = None
    revision: int = 0


@dataclass(frozen=True, slots=True)
class PublishedType:
    """One version of a license type; ``files`` is its folder as a ZIP."""

    name: str
    version: int
    digest: str
    type_code: str
    code_is_example: bool
    title_zh: str
    title_en: str
    files: bytes
    published_at: datetime.datetime
    revision: int = 0


@dataclass(frozen=True, slots=True)
class StatusListRecord:
    """One status list: how many places it has and how many are taken."""

    n: int
    size: int
    used: int
    opened_at: datetime.datetime
    revision: int = 0
