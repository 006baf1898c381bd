"""The life of an issued license as a history of acts, and where it stands at any moment. Pure.

                 suspend              reinstate
    IN_FORCE ──────────────▶ SUSPENDED ─────────▶ IN_FORCE
        │                        │
        ├──────── supersede ─────┴──▶ SUPERSEDED   (a newer version takes its place)
        └──────── revoke: from each of the three ──▶ REVOKED   (for good)

Every act has a moment from which it counts (which may lie before or after the moment at which it was recorded). Where a
license stands at a moment follows from the acts that count by then, in the order of their moments, and of their
recording where moments are equal. Nothing is ever taken out of a history: a later act may end what an earlier began.
"""

from __future__ import annotations

import datetime
import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from certvault.model.license import License, LicenseState, Standing


class Status(enum.IntEnum):
    """The values of the status list, two bits each (Token Status List, section 7.1; 3 is the application's own)."""

    IN_FORCE = 0
    REVOKED = 1
    SUSPENDED = 2
    SUPERSEDED = 3


class Act(enum.StrEnum):
    """What changes the status of a license. Renewing and amending supersede the version before."""

    SUSPEND = "suspend"
    REINSTATE = "reinstate"
    REVOKE = "revoke"
    RENEW = "renew"
    AMEND = "amend"

    @property
    def supersedes(self) -> bool:
        """Whether a new version takes the license's place."""
        return self in (Act.RENEW, Act.AMEND)


_STEPS: Mapping[tuple[Status, Act], Status] = {
    (Status.IN_FORCE, Act.SUSPEND): Status.SUSPENDED,
    (Status.SUSPENDED, Act.REINSTATE): Status.IN_FORCE,
    (Status.IN_FORCE, Act.RENEW): Status.SUPERSEDED,
    (Status.IN_FORCE, Act.AMEND): Status.SUPERSEDED,
    (Status.SUSPENDED, Act.RENEW): Status.SUPERSEDED,
    (Status.SUSPENDED, Act.AMEND): Status.SUPERSEDED,
    (Status.IN_FORCE, Act.REVOKE): Status.REVOKED,
    (Status.SUSPENDED, Act.REVOKE): Status.REVOKED,
    (Status.SUPERSEDED, Act.REVOKE): Status.REVOKED,
}
_FINAL = (Status.REVOKED, Status.SUPERSEDED)

REASONS: Mapping[Act, Mapping[str, tuple[str, str]]] = {
    Act.SUSPEND: {
        "withheld": ("暂扣", "withheld as a penalty"),
        "investigation": ("调查期间暂停", "suspended during an investigation"),
        "court-order": ("司法或行政机关要求", "ordered by a court or authority"),
        "holder-request": ("持证主体申请停业", "asked for by the holder"),
        "key-compromise": ("签章密钥失密", "the sealing key was compromised"),
        "other": ("其他", "other"),
    },
    Act.REINSTATE: {
        "term-served": ("暂停期满", "the term is over"),
        "lifted": ("暂停解除", "the measure was lifted"),
        "holder-request": ("持证主体申请恢复", "asked for by the holder"),
        "error": ("更正错误的暂停", "the suspension was an error"),
        "other": ("其他", "other"),
    },
    Act.REVOKE: {
        "punished": ("吊销", "revoked as a penalty"),
        "rescinded": ("撤销", "rescinded: it should not have been granted"),
        "withdrawn": ("撤回", "withdrawn in the public interest"),
        "cancelled": ("注销", "cancelled: the holder gave it up or is no more"),
        "key-compromise": ("签章密钥失密", "the sealing key was compromised"),
        "error": ("误发", "issued in error"),
        "other": ("其他", "other"),
    },
    Act.RENEW: {
        "renewal": ("延续", "renewed"),
        "replacement": ("换发", "replaced"),
        "other": ("其他", "other"),
    },
    Act.AMEND: {
        "change": ("变更", "the facts changed"),
        "correction": ("更正", "an error was corrected"),
        "other": ("其他", "other"),
    },
}
"""Reason codes by act, with their words in Chinese and English."""

USUAL: Mapping[Act, str] = {
    Act.SUSPEND: "other",
    Act.REINSTATE: "lifted",
    Act.REVOKE: "other",
    Act.RENEW: "renewal",
    Act.AMEND: "change",
}
"""The reason where none is given and none is demanded."""


@dataclass(frozen=True, slots=True)
class StatusChange:
    """One act on one version of a license, never changed afterwards.

    ``number`` counts all acts of the vault in the order of their commits. ``sealed`` holds legal basis and remark,
    encrypted; ``digest`` is the blind index of what was asked, by which a repeated request is known. ``successor`` is
    the version that takes the place, ``approver`` who approved what ``actor`` asked for.
    """

    number: int
    identifier: str
    act: Act
    reason: str
    effective_at: datetime.datetime
    recorded_at: datetime.datetime
    actor: str
    digest: str
    sealed: bytes
    approver: str | None = None
    successor: str | None = None
    revision: int = 0


class StepError(Exception):
    """The act is not possible: ``status`` is where the license stands at its moment, ``later`` the act that it would
    make impossible, if it is that."""

    def __init__(self, status: Status, act: Act, later: Act | None = None) -> None:
        super().__init__(f"{act} is not possible: the license is {status.name}")
        self.status = status
        self.act = act
        self.later = later


def step(status: Status, act: Act) -> Status | None:
    """Where ``act`` leads from ``status``; None where it leads nowhere."""
    return _STEPS.get((status, act))


def _after(status: Status, act: Act) -> Status:
    """Where ``act`` leads, or ``status`` itself where it leads nowhere: what came too late has no effect."""
    reached = step(status, act)
    return status if reached is None else reached


def status_at(
    changes: Sequence[StatusChange], at: datetime.datetime, *, known: datetime.datetime | None = None
) -> Status:
    """The status at ``at``; with ``known``, as it was told at that moment, from what had been recorded by then."""
    status = Status.IN_FORCE
    for change in in_order(changes):
        if change.effective_at <= at and (known is None or change.recorded_at <= known):
            status = _after(status, change.act)
    return status


def in_order(changes: Sequence[StatusChange]) -> list[StatusChange]:
    """A history in the order in which its acts count."""
    return sorted(changes, key=lambda c: (c.effective_at, c.number))


def check_step(changes: Sequence[StatusChange], act: Act, at: datetime.datetime) -> Status:
    """The status to which ``act`` leads at ``at``. Raises StepError when it is not possible there.

    An act may be put before others only where those still lead somewhere afterwards; what ends the license for good
    may always be put before, since what was done to it later counts no more.
    """
    ordered = in_order(changes)
    before = [c for c in ordered if c.effective_at <= at]
    status = Status.IN_FORCE
    for change in before:
        status = _after(status, change.act)
    after = step(status, act)
    if after is None:
        raise StepError(status, act)
    here, there = status, after
    for change in ordered[len(before) :]:
        counted, counts = step(here, change.act), step(there, change.act)
        if counted is not None and counts is None and there not in _FINAL:
            raise StepError(status, act, change.act)
        here, there = _after(here, change.act), _after(there, change.act)
    return after


def standing_at(
    found: License,
    changes: Sequence[StatusChange],
    at: datetime.datetime,
    today: datetime.date,
    *,
    known: datetime.datetime | None = None,
) -> Standing:
    """Where a license stands at ``at``, which is the day ``today`` of the legal zone: the weightiest fact."""
    by_days = found.standing(today)
    if by_days is Standing.UNKNOWN:
        return by_days
    return weightiest(by_days, status_at(changes, at, known=known))


def weightiest(by_days: Standing, status: Status) -> Standing:
    """Of what the dates say and what the acts say."""
    if status is Status.REVOKED:
        return Standing.REVOKED
    if status is Status.SUPERSEDED:
        return Standing.SUPERSEDED
    if status is Status.SUSPENDED and by_days is not Standing.EXPIRED:
        return Standing.SUSPENDED
    return by_days


def list_value(found: License, changes: Sequence[StatusChange], at: datetime.datetime) -> int:
    """The value in the status list at ``at``; a number that never became a license counts as revoked."""
    return found.status if found.state is LicenseState.VOID else int(status_at(changes, at))
