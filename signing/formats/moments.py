"""Dates of licenses as instants: a date begins at 00:00 in China (UTC+8, without summer time)."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta, timezone

CHINA = timezone(timedelta(hours=8))


def day_start(day: date) -> int:
    """Unix seconds of the first moment of a date."""
    return int(datetime.combine(day, time(), CHINA).timestamp())


def day_end(day: date) -> int:
    """Unix seconds of the first moment after a date: an ``exp`` (RFC 7519 4.1.4) that lets the whole day count."""
    return day_start(day + timedelta(days=1))
