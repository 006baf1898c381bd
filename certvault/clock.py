"""The one place that knows what time it is. Everybody else is handed an aware UTC ``datetime``."""

from __future__ import annotations

import datetime
import time
from dataclasses import dataclass
from typing import Protocol

LEGAL_ZONE = datetime.timezone(datetime.timedelta(hours=8), "Asia/Shanghai")
"""Dates on licenses are dates of this zone; it has had no summer time since 1991."""


class Clock(Protocol):
    """Tells the time, in UTC, and waits."""

    def now(self) -> datetime.datetime:
        """This moment, aware, UTC."""

    def sleep(self, seconds: float) -> None:
        """Wait."""


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime.datetime:
        return datetime.datetime.now(datetime.UTC)

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


@dataclass
class FixedClock:
    """A clock that stands until it is moved; for drills and tests."""

    at: datetime.datetime

    def now(self) -> datetime.datetime:
        return self.at

    def sleep(self, seconds: float) -> None:
        self.at += datetime.timedelta(seconds=seconds)


def legal_date(at: datetime.datetime) -> datetime.date:
    """The date in the legal zone at the instant ``at``."""
    return at.astimezone(LEGAL_ZONE).date()
