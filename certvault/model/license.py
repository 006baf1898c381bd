"""A license as the vault keeps it, and the transitions of its life.

    ALLOTTED ──issued──▶ ISSUED
        └─────voided──▶ VOID      (a number given up; the reason stays)

A number, an identifier and a status index exist only as an ALLOTTED row written before anything is signed. What is
personal (number, holders, fields) stands in ``sealed`` alone, encrypted.
"""

from __future__ import annotations

import datetime
import enum
from dataclasses import dataclass, replace


class LicenseState(enum.StrEnum):
    """Where a license stands in the vault's own books."""

    ALLOTTED = "ALLOTTED"
    ISSUED = "ISSUED"
    VOID = "VOID"


class Standing(enum.StrEnum):
    """Does it hold at that moment? The vault's own answer for its own licenses."""

    IN_FORCE = "IN_FORCE"
    NOT_YET = "NOT_YET"
    EXPIRED = "EXPIRED"
    SUSPENDED = "SUSPENDED"
    REVOKED = "REVOKED"
    SUPERSEDED = "SUPERSEDED"
    UNKNOWN = "UNKNOWN"


class TransitionError(Exception):
    """The license is not in the state from which this step leads on."""


STATUS_VALID = 0
STATUS_INVALID = 1


@dataclass(frozen=True, slots=True)
class License:
    """One license, or the number of one that came to nothing.

    ``copy_number`` is 0 when there is none. ``sealed`` and ``record`` are ciphertext; ``document`` names the PDF in
    the store. ``evidence_until`` is the end of the certificate behind the outermost timestamp of the PDF. ``session``
    is the process that allotted the number. ``feed_number`` is the place of the issue in the feed of changes, counted
    as acts are; what was issued before there was a feed has numbers up to 0.
    """

    identifier: str
    type: str
    type_version: int
    number_index: str
    version: int
    copy_number: int
    status_list: int
    status_index: int
    issuer_code: str
    region: str
    sealed: bytes
    session: str
    allotted_at: datetime.datetime
    valid_from: datetime.date
    valid_to: datetime.date | None
    job: str | None = None
    job_row: int | None = None
    request_index: str | None = None
    state: LicenseState = LicenseState.ALLOTTED
    reason: str = ""
    issued_at: datetime.datetime | None = None
    document: str | None = None
    document_sha256: str | None = None
    record: bytes | None = None
    record_sha256: str | None = None
    code_sha256: str | None = None
    evidence_until: datetime.datetime | None = None
    feed_number: int | None = None
    revision: int = 0

    def issued(
        self,
        *,
        at: datetime.datetime,
        document: str,
        document_sha256: str,
        record: bytes,
        record_sha256: str,
        code_sha256: str,
        evidence_until: datetime.datetime | None,
    ) -> License:
        """ALLOTTED → ISSUED, with what was made of it; its number in the feed comes with the commit."""
        self._from(LicenseState.ALLOTTED)
        return replace(
            self,
            state=LicenseState.ISSUED,
            issued_at=at,
            document=document,
            document_sha256=document_sha256,
            record=record,
            record_sha256=record_sha256,
            code_sha256=code_sha256,
            evidence_until=evidence_until,
        )

    def voided(self, reason: str) -> License:
        """ALLOTTED → VOID. ``reason`` is a stable code, optionally followed by a colon and plain words."""
        self._from(LicenseState.ALLOTTED)
        if not reason:
            raise TransitionError("a void number needs a reason")
        return replace(self, state=LicenseState.VOID, reason=reason[:200])

    def rewritten(self, *, document: str, document_sha256: str, evidence_until: datetime.datetime) -> License:
        """ISSUED → ISSUED with another file of the same license: an archive timestamp was added."""
        self._from(LicenseState.ISSUED)
        return replace(self, document=document, document_sha256=document_sha256, evidence_until=evidence_until)

    def adopted(self, session: str) -> License:
        """The same number, taken over by another process that resumes the work."""
        self._from(LicenseState.ALLOTTED)
        return replace(self, session=session)

    def standing(self, today: datetime.date) -> Standing:
        """Whether it is in force on ``today`` (a date of the legal zone), by its own dates alone. Both ends of the
        validity count in. With the acts on it: :func:`certvault.model.standing.standing_at`."""
        if self.state is not LicenseState.ISSUED:
            return Standing.UNKNOWN
        return standing_by_days(self.valid_from, self.valid_to, today)

    @property
    def stem(self) -> str:
        """What the identifiers of all versions of this license have in common: all but version and check character."""
        return self.identifier.rsplit(".", 2)[0]

    @property
    def status(self) -> int:
        """Its value in the status list, before any act on it."""
        return STATUS_INVALID if self.state is LicenseState.VOID else STATUS_VALID

    def _from(self, state: LicenseState) -> None:
        if self.state is not state:
            raise TransitionError(f"{self.identifier} is {self.state}, not {state}")


def standing_by_days(valid_from: datetime.date, valid_to: datetime.date | None, today: datetime.date) -> Standing:
    """Where a license that was issued stands by its dates alone."""
    if today < valid_from:
        return Standing.NOT_YET
    if valid_to is not None and today > valid_to:
        return Standing.EXPIRED
    return Standing.IN_FORCE


@dataclass(frozen=True, slots=True)
class HolderLink:
    """Which holder, by blind index, a license belongs to."""

    identifier: str
    holder_index: str
    position: int
    revision: int = 0
