"""Status lists of other regions, as they are kept for when those cannot be asked."""

from __future__ import annotations

import datetime
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class KeptStatusList:
    """The newest status list of a region at one address. ``issued_at`` is what it says itself, ``fetched_at`` when it
    was last seen to be the newest."""

    region: str
    uri: str
    token: bytes
    etag: str
    issued_at: datetime.datetime
    fetched_at: datetime.datetime


@dataclass(frozen=True, slots=True)
class KeptHead:
    """The same without the list."""

    uri: str
    etag: str
    issued_at: datetime.datetime
    fetched_at: datetime.datetime
    size: int
