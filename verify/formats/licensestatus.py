"""Reading a vault's signed answer about where one of its licenses stood at a moment (a JWS, see docs/status.md)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from verify.formats.jose import JoseError, UnverifiedJws
from verify.formats.statuslist import INVALID, SUPERSEDED, SUSPENDED, VALID, numeric_date

JWS_TYPE = "certvault-license-status+jwt"
MAX_BYTES = 1_000_000


class LicenseStatusError(ValueError):
    """The token is no such answer. The message says why."""


@dataclass(frozen=True, slots=True)
class UnverifiedLicenseStatus:
    """The claims of an answer before its signature was checked. ``status`` is a value of status lists."""

    identifier: str
    at: datetime
    made: datetime
    status: int
    standing: str


def unverified_license_status(jws: UnverifiedJws) -> UnverifiedLicenseStatus:
    """Read the claims. Raises LicenseStatusError."""
    if jws.header.get("typ") != JWS_TYPE:
        raise LicenseStatusError("its type is another")
    try:
        claims = jws.claims()
    except JoseError as error:
        raise LicenseStatusError(str(error)) from error
    made, at = numeric_date(claims.get("iat")), _moment(claims.get("at"))
    identifier, status, standing = claims.get("identifier"), claims.get("status"), claims.get("standing")
    if made is None or at is None or not isinstance(identifier, str) or not isinstance(standing, str):
        raise LicenseStatusError("it names no license or no moment")
    if type(status) is not int or status not in (VALID, INVALID, SUSPENDED, SUPERSEDED):
        raise LicenseStatusError("its status has no meaning")
    return UnverifiedLicenseStatus(identifier, at, made, status, standing)


def _moment(value: object) -> datetime | None:
    try:
        found = datetime.fromisoformat(value) if isinstance(value, str) and len(value) <= 40 else None
        return None if found is None or found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
