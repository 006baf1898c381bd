"""A compromise drill as the vault keeps it: what has to be done for one key, how far it is, and each license of it.

PLANNING ──▶ RUNNING ──▶ DONE
    └──▶ WAITING ──┘          (where a second person has to approve the plan; nobody in time: ABANDONED)
"""

from __future__ import annotations

import datetime
import enum
from dataclasses import dataclass, replace


class DrillState(enum.StrEnum):
    """PLANNING: the licenses are being listed. WAITING: for a second person. DONE and ABANDONED ones are closed."""

    PLANNING = "PLANNING"
    WAITING = "WAITING"
    RUNNING = "RUNNING"
    DONE = "DONE"
    ABANDONED = "ABANDONED"


class DrillPhase(enum.StrEnum):
    """The phases, in order; a drill names the one that it is in."""

    REVOKE = "revoke"
    PLAN = "plan"
    SUSPEND = "suspend"
    NEW_KEY = "new_key"
    REISSUE = "reissue"
    NOTICE = "notice"
    REPORT = "report"


@dataclass(frozen=True, slots=True)
class Drill:
    """One drill. ``plan`` is the digest of what is to be done, once it is known; ``timings`` JSON: seconds by phase;
    ``report`` the signed report (JWS), ``notice`` the number of the notice to other regions."""

    id: str
    key_id: str
    since: datetime.datetime
    suspends: bool
    reissues: bool
    requested_by: str
    requested_at: datetime.datetime
    session: str
    state: DrillState = DrillState.PLANNING
    phase: DrillPhase = DrillPhase.REVOKE
    plan: str = ""
    count: int = 0
    approver: str | None = None
    new_key_id: str | None = None
    notice: int | None = None
    finished_at: datetime.datetime | None = None
    timings: str = "{}"
    report: bytes | None = None
    revision: int = 0

    @property
    def open(self) -> bool:
        """Whether there is something left to do."""
        return self.state not in (DrillState.DONE, DrillState.ABANDONED)

    def changed(self, **members: object) -> Drill:
        """The drill with other members."""
        return replace(self, **members)  # type: ignore[arg-type]


class ItemState(enum.StrEnum):
    """PLANNED → SUSPENDED → REISSUED. LEFT: nothing is done with it, for the reason beside it."""

    PLANNED = "PLANNED"
    SUSPENDED = "SUSPENDED"
    REISSUED = "REISSUED"
    LEFT = "LEFT"


@dataclass(frozen=True, slots=True)
class DrillItem:
    """One version of a license that the key made. ``reason`` says why it is LEFT, or was not re-issued; ``job`` is the
    bulk job that re-issues it, ``successor`` the version that took its place."""

    drill: str
    identifier: str
    state: ItemState
    reason: str = ""
    job: str | None = None
    successor: str | None = None
    revision: int = 0


@dataclass(frozen=True, slots=True)
class Notice:
    """A signed notice to whoever relies on this vault; ``token`` is a JWS, never changed afterwards."""

    number: int
    kind: str
    at: datetime.datetime
    token: bytes
    revision: int = 0
