"""Writing the structured record: an SD-JWT VC (RFC 9901, draft-ietf-oauth-sd-jwt-vc-16).

Always visible are what a verifier needs to find type, issuer, validity and status, and the digest of the canonical
record. The license number, each holder and each field can be shown or withheld one by one.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from signing.errors import PurposeError
from signing.formats.jose import base64url, compact_json, signed_token
from signing.formats.moments import day_end, day_start
from signing.keys import KeyPurpose
from signing.signer import Signer
from verify.formats.license import LicenseRecord

MEDIA_TYPE = "dc+sd-jwt"
_PUBLIC_JWK = {"kty", "crv", "x", "y", "n", "e", "kid", "alg", "use"}


def new_salt() -> str:
    """128 random bits (RFC 9901 9.3)."""
    return base64url(secrets.token_bytes(16))


class _Disclosures:
    """Collects disclosures while the payload is built."""

    def __init__(self, salt: Callable[[], str]) -> None:
        self._salt = salt
        self.encoded: list[str] = []

    def member(self, name: str, value: Any) -> str:
        """Withhold an object's member; gives its digest (RFC 9901 4.2.1)."""
        return self._add([self._salt(), name, value])

    def element(self, value: Any) -> str:
        """Withhold an array's element (RFC 9901 4.2.2)."""
        return self._add([self._salt(), value])

    def _add(self, content: list[Any]) -> str:
        text = base64url(compact_json(content))
        self.encoded.append(text)
        return base64url(hashlib.sha256(text.encode()).digest())


def make_record(
    record: LicenseRecord,
    *,
    signer: Signer,
    chain: tuple[bytes, ...],
    base_url: str,
    holder_jwk: Mapping[str, Any] | None = None,
    at: datetime,
    salt: Callable[[], str] = new_salt,
) -> str:
    """The record as an SD-JWT with all disclosures: ``JWT~disclosure~…~``.

    ``chain`` begins with the certificate of the RECORD key and leaves the root out. ``holder_jwk`` (public members
    only are taken) binds it to a holder's key. Raises PurposeError for a key of another use.
    """
    if signer.handle.purpose is not KeyPurpose.RECORD:
        raise PurposeError(f"a {signer.handle.purpose.value} key signs no records", uri=signer.handle.uri)
    disclosures = _Disclosures(salt)
    facts = record.to_json()
    payload: dict[str, Any] = {
        "iss": base_url,
        "vct": f"{base_url}/v1/types/{record.type}",
        "iat": int(at.timestamp()),
        "nbf": day_start(record.valid_from),
    }
    if record.valid_to is not None:
        payload["exp"] = day_end(record.valid_to)
    if holder_jwk is not None:
        payload["cnf"] = {"jwk": {k: v for k, v in holder_jwk.items() if k in _PUBLIC_JWK}}
    payload["status"] = {"status_list": {"idx": record.status_index, "uri": record.status_uri}}
    payload |= {name: facts[name] for name in VISIBLE}
    payload["recordDigest"] = base64url(record.sha256())
    payload["holders"] = [{"...": disclosures.element(holder)} for holder in facts["holders"]]
    payload["fields"] = {"_sd": sorted(disclosures.member(k, v) for k, v in facts["fields"].items())}
    payload["_sd"] = [disclosures.member("certificateNumber", facts["certificateNumber"])]
    payload["_sd_alg"] = "sha-256"
    token = signed_token({"typ": MEDIA_TYPE}, payload, signer=signer, chain=chain)
    return "~".join([token, *disclosures.encoded, ""])


VISIBLE = (
    "certificateIdentifier",
    "certificateName",
    "certificateTypeCode",
    "licenseType",
    "licenseTypeVersion",
    "certificateVersion",
    "copyNumber",
    "certificateIssuingAuthorityName",
    "certificateIssuingAuthorityCode",
    "certificateIssuedDate",
    "certificateEffectiveDate",
    "certificateExpiringDate",
    "certificateAreaCode",
    "sample",
)
"""Members of the canonical record that are always visible, under the same names and with the same values."""
