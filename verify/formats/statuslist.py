"""Reading a Token Status List (draft-ietf-oauth-status-list): a signed token with one 2-bit value per license."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

VALID = 0
INVALID = 1  # revoked
SUSPENDED = 2
SUPERSEDED = 3  # application specific, 7.1: replaced by a newer version
BITS = 2
MEDIA_TYPE = "statuslist+jwt"


@dataclass(frozen=True, slots=True)
class UnverifiedStatusList:
    """The claims of a list, before its signature was checked. ``values`` are packed, lowest bits first."""

    uri: str
    issued: datetime
    expires: datetime | None
    ttl: int | None
    bits: int
    values: bytes

    def __getitem__(self, index: int) -> int:
        """The value at ``index``; IndexError outside the list."""
        per_byte = 8 // self.bits
        if index < 0 or index >= len(self.values) * per_byte:
            raise IndexError(index)
        return self.values[index // per_byte] >> (index % per_byte) * self.bits & (1 << self.bits) - 1
