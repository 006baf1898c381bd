"""Reading a Token Status List (draft-ietf-oauth-status-list): a signed token with one 2-bit value per license."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from verify.formats.jose import JoseError, UnverifiedJws, decode_base64url

VALID = 0
INVALID = 1  # revoked
SUSPENDED = 2
SUPERSEDED = 3  # application specific, 7.1: replaced by a newer version
BITS = 2
MEDIA_TYPE = "statuslist+jwt"
MAX_TTL = 10 * 366 * 86_400
"""Seconds: what claims to hold for more than ten years was not made by anybody who keeps a list."""


class StatusListError(ValueError):
    """The token is no status list. The message says why."""


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


def unverified_status_list(jws: UnverifiedJws, limit: int) -> UnverifiedStatusList:
    """Read the claims of a status list; at most ``limit`` bytes unpacked. Raises StatusListError."""
    if jws.header.get("typ") != MEDIA_TYPE:
        raise StatusListError("its type is another")
    try:
        claims = jws.claims()
    except JoseError as error:
        raise StatusListError(str(error)) from error
    listed = claims.get("status_list")
    if not isinstance(listed, dict) or not isinstance(listed.get("lst"), str):
        raise StatusListError("it holds no list")
    bits = listed.get("bits")
    if type(bits) is not int or bits not in (1, 2, 4, 8):
        raise StatusListError("its number of bits is none of 1, 2, 4 and 8")
    issued = numeric_date(claims.get("iat"))
    ttl = claims.get("ttl")
    if not isinstance(claims.get("sub"), str) or issued is None:
        raise StatusListError("it names no address or no time")
    if ttl is not None and (type(ttl) is not int or not 0 < ttl <= MAX_TTL):
        raise StatusListError("its time to live is no positive number, or too large")
    if "exp" in claims and numeric_date(claims["exp"]) is None:
        raise StatusListError("its end is no time")
    return UnverifiedStatusList(
        uri=claims["sub"],
        issued=issued,
        expires=numeric_date(claims.get("exp")),
        ttl=ttl,
        bits=bits,
        values=_unpacked(listed["lst"], limit),
    )


def numeric_date(value: Any) -> datetime | None:
    """A NumericDate (RFC 7519 2) as an instant; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**35:
        return None
    return datetime.fromtimestamp(value, UTC)


def _unpacked(text: str, limit: int) -> bytes:
    try:
        packed = decode_base64url(text)
        inflater = zlib.decompressobj()
        values = inflater.decompress(packed, limit)
    except (JoseError, zlib.error) as error:
        raise StatusListError("its list is not packed properly") from error
    if not inflater.eof or inflater.unused_data or inflater.unconsumed_tail:
        raise StatusListError("its list is too large or cut short")
    return values
