"""Reading a point in time that a caller wrote."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

from certvault.clock import LEGAL_ZONE
from verify.formats.refusal import refuse


def moment(text: str) -> datetime:
    """RFC 3339 with its offset; a bare date means the end of that day in the legal zone. RefusedError otherwise."""
    try:
        if len(text) == len("2026-01-01"):
            midnight = datetime.combine(date.fromisoformat(text), time(), LEGAL_ZONE)
            return (midnight + timedelta(days=1, seconds=-1)).astimezone(UTC)
        value = datetime.fromisoformat(text.strip())
        if value.tzinfo is None:
            raise ValueError("no offset")
        return value.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise refuse(
            "TIME_MALFORMED", "at", f"无法理解时间 {text[:40]!r}。", f"{text[:40]!r} is no point in time.",
            remedy_zh="请写成 2026-01-01T00:00:00Z。", remedy_en="Write it as 2026-01-01T00:00:00Z.",
        ) from error  # fmt: skip
