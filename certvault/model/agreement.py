"""What the vault keeps of agreements on recognition: steps that are only ever added."""

from __future__ import annotations

import datetime
import enum
from collections.abc import Iterable
from dataclasses import dataclass, replace


class AgreementStep(enum.StrEnum):
    """What was done with one version of an agreement."""

    MADE = "MADE"
    APPROVED = "APPROVED"
    COUNTERSIGNED = "COUNTERSIGNED"


@dataclass(frozen=True, slots=True)
class AgreementEvent:
    """One step. ``accepting``: whether we are the region that decides; ``region`` is the other one. ``signed`` is the
    agreement as it was signed up to here; unsigned JSON in a step that waits for a second person."""

    number: int
    agreement: str
    version: int
    step: AgreementStep
    region: str
    accepting: bool
    theirs: str
    ours: str
    at: datetime.datetime
    actor: str
    signed: bytes
    revision: int = 0


@dataclass(frozen=True, slots=True)
class AgreementVersion:
    """One version as its steps leave it. ``waits``: for the approval of a second person."""

    id: str
    version: int
    region: str
    accepting: bool
    theirs: str
    ours: str
    made_at: datetime.datetime
    made_by: str
    signed: bytes
    waits: bool
    approved_by: str | None = None
    countersigned_at: datetime.datetime | None = None


def versions_of(events: Iterable[AgreementEvent]) -> list[AgreementVersion]:
    """The versions that these steps, in their order, make; in the order in which they were made."""
    found: dict[tuple[str, int], AgreementVersion] = {}
    for e in events:
        key = (e.agreement, e.version)
        if e.step is AgreementStep.MADE:
            waits = e.signed.startswith(UNSIGNED)
            found[key] = AgreementVersion(
                *(e.agreement, e.version, e.region, e.accepting, e.theirs, e.ours, e.at, e.actor, e.signed, waits)
            )
        elif key in found:
            found[key] = _stepped(found[key], e)
    return list(found.values())


UNSIGNED = b'{"accepting"'
"""How the JSON of an agreement begins before it is signed (RFC 8785 order)."""


def _stepped(version: AgreementVersion, e: AgreementEvent) -> AgreementVersion:
    if e.step is AgreementStep.APPROVED:
        return replace(version, signed=e.signed, waits=False, approved_by=e.actor)
    return replace(version, signed=e.signed, countersigned_at=e.at)
