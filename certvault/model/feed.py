"""What the feed of changes tells: licenses and what became of them, without a word about whose they are."""

from __future__ import annotations

import datetime
import enum
from collections.abc import Sequence
from dataclasses import dataclass

from certvault.model.license import Standing, standing_by_days
from certvault.model.standing import Act, Status, StatusChange, status_at, weightiest

ISSUE = "issue"
KINDS = (ISSUE, *(a.value for a in Act))
"""What an entry may be about: the issue of a license, or an act on one."""


class Stage(enum.StrEnum):
    """An act that was recorded for a later moment has a second entry when that moment has come."""

    RECORDED = "recorded"
    TOOK_EFFECT = "took-effect"


@dataclass(frozen=True, slots=True)
class Subject:
    """The license an entry is about, as much as registered systems are told of it."""

    identifier: str
    type: str
    version: int
    issuer_code: str
    status_list: int
    status_index: int
    valid_from: datetime.date
    valid_to: datetime.date | None


@dataclass(frozen=True, slots=True)
class Told:
    """One row of the feed as it is stored. ``of`` is the number of the act that took effect, ``act`` ISSUE or an act;
    ``effective_at`` is None for an issue, which counts from the first day of validity."""

    number: int
    act: str
    stage: Stage
    of: int | None
    recorded_at: datetime.datetime
    effective_at: datetime.datetime | None
    successor: str | None
    subject: Subject


@dataclass(frozen=True, slots=True)
class Change:
    """One entry: never changed afterwards, so that reading it again tells the same. ``standing`` is that after it."""

    told: Told
    effective_at: datetime.datetime
    standing: Standing


def standing_after(told: Told, history: Sequence[StatusChange], today: datetime.date) -> Standing:
    """Where the license stood at the moment of recording, from what had been recorded up to this entry. ``today`` is
    the day of that moment in the legal zone."""
    subject = told.subject
    by_days = standing_by_days(subject.valid_from, subject.valid_to, today)
    known = [c for c in history if c.number <= told.number]
    return weightiest(by_days, status_at(known, told.recorded_at) if known else Status.IN_FORCE)
