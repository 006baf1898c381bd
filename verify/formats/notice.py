"""Reading a vault's signed notice to whoever relies on it (a JWS, see docs/status.md)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from verify.formats.jose import JoseError, UnverifiedJws, unverified_jws
from verify.formats.statuslist import numeric_date

JWS_TYPE = "certvault-notice+jwt"
MAX_BYTES = 65_536
MAX_NUMBER = 2**53 - 1
KEY_COMPROMISED = "KEY_COMPROMISED"


class NoticeError(ValueError):
    """The token is no notice. The message says why."""


@dataclass(frozen=True, slots=True)
class UnverifiedNotice:
    """A notice before its signature was checked. ``number`` counts the notices of ``issuer``, from 1 on."""

    jws: UnverifiedJws
    issuer: str
    number: int
    kind: str
    made: datetime
    claims: dict[str, Any]


def unverified_notice(token: bytes | str) -> UnverifiedNotice:
    """Read a notice of at most :data:`MAX_BYTES`. Raises NoticeError."""
    try:
        jws = unverified_jws(token, MAX_BYTES)
        if jws.header.get("typ") != JWS_TYPE:
            raise NoticeError("its type is another")
        claims = jws.claims()
    except JoseError as error:
        raise NoticeError(str(error)) from error
    issuer, number, kind, made = claims.get("iss"), claims.get("number"), claims.get("kind"), claims.get("iat")
    moment = numeric_date(made)
    if not isinstance(issuer, str) or not isinstance(kind, str) or not 0 < len(kind) <= 40 or moment is None:
        raise NoticeError("it names no issuer, no kind or no time")
    if type(number) is not int or not 0 < number <= MAX_NUMBER:
        raise NoticeError("it has no number")
    return UnverifiedNotice(jws, issuer, number, kind, moment, claims)
