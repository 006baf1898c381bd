"""Records around acts on licenses: requests that wait for a second person, entries of status lists."""

from __future__ import annotations

import datetime
import enum
from dataclasses import dataclass, replace

from certvault.model.standing import Act


class RequestState(enum.StrEnum):
    """WAITING → DONE. One that nobody approved in time simply ends."""

    WAITING = "WAITING"
    DONE = "DONE"


@dataclass(frozen=True, slots=True)
class StatusRequest:
    """An act that one person asked for and another has to approve. ``sealed`` is what was asked, encrypted."""

    id: str
    identifier: str
    act: Act
    sealed: bytes
    digest: str
    requested_by: str
    requested_at: datetime.datetime
    expires_at: datetime.datetime
    state: RequestState = RequestState.WAITING
    decided_by: str | None = None
    decided_at: datetime.datetime | None = None
    revision: int = 0

    def done(self, by: str, at: datetime.datetime) -> StatusRequest:
        """WAITING → DONE."""
        return replace(self, state=RequestState.DONE, decided_by=by, decided_at=at)


@dataclass(frozen=True, slots=True)
class StatusEntry:
    """One place of a status list whose value was ever another than 0. ``change`` counts as acts do."""

    list: int
    place: int
    value: int
    change: int


@dataclass(frozen=True, slots=True)
class Effect:
    """The moment of the act ``change`` had come. ``number`` counts as acts do."""

    number: int
    change: int
    recorded_at: datetime.datetime


@dataclass(frozen=True, slots=True)
class Due:
    """An act will count from a moment that had not come when it was recorded."""

    effective_at: datetime.datetime
    identifier: str
    list: int
