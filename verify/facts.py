"""What was read of a file, apart from any judgement: gathered while judging, turned into JSON only when asked for.

Values are kept as they stand in the file (DER for certificates, revocation lists and answers), so that gathering costs
next to nothing. :mod:`verify.report.facts` reads them for people.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from verify.place import Box


@dataclass(frozen=True, slots=True)
class TimestampFacts:
    """One timestamp token (RFC 3161): when, by whom (DER certificate), over a digest of which hash."""

    time: datetime
    authority: bytes
    hash: str
    serial: str


@dataclass(frozen=True, slots=True)
class SignatureFacts:
    """One signature. ``end`` is the byte after the revision it signs, ``path`` the chain used, anchor first."""

    field: str
    subfilter: str
    byte_range: tuple[int, ...] = ()
    end: int = 0
    permission: int | None = None
    digest: str = ""
    message_digest: bytes = b""
    algorithm: str = ""
    value_bytes: int = 0
    signer: bytes = b""
    certificates: tuple[bytes, ...] = ()
    path: tuple[bytes, ...] = ()
    timestamps: tuple[TimestampFacts, ...] = ()
    claimed_time: datetime | None = None


@dataclass(frozen=True, slots=True)
class RevisionFacts:
    """One revision of a PDF, oldest is 1: bytes ``start`` to the one before ``end``; the fields of signatures that end
    with it, what changed after it until the end of the file, and how many objects it writes."""

    number: int
    start: int
    end: int
    signed_by: tuple[str, ...] = ()
    changed_after: tuple[str, ...] = ()
    objects: int | None = None


@dataclass(frozen=True, slots=True)
class PageChange:
    """A page (from 1) that was touched after a signature, and where (points)."""

    page: int
    boxes: tuple[Box, ...] = ()


@dataclass(slots=True)
class Facts:
    """Everything read of one file. ``signed_end``: the byte after the newest signed revision."""

    sha256: str = ""
    size: int = 0
    signatures: list[SignatureFacts] = field(default_factory=list)
    revisions: list[RevisionFacts] = field(default_factory=list)
    certificates: list[bytes] = field(default_factory=list)
    crls: list[bytes] = field(default_factory=list)
    ocsps: list[bytes] = field(default_factory=list)
    pages: list[PageChange] = field(default_factory=list)
    later: dict[int, tuple[str, ...]] = field(default_factory=dict)
    """What was found changed after the revision that ends at that byte."""
    spent: dict[str, int | float] = field(default_factory=dict)
    signed_end: int = 0
