"""Writing Token Status Lists (draft-ietf-oauth-status-list-17) as JWTs."""

from __future__ import annotations

import zlib
from datetime import datetime, timedelta

from signing.errors import PurposeError, SigningError
from signing.formats.jose import base64url, signed_token
from signing.keys import KeyPurpose
from signing.signer import Signer


def make_status_list(
    uri: str,
    values: bytes,
    *,
    signer: Signer,
    chain: tuple[bytes, ...],
    at: datetime,
    ttl: timedelta | int,
    expires: datetime,
) -> str:
    """A status list token (``typ`` statuslist+jwt) at ``uri``.

    ``values`` holds two bits a license, the first in the lowest bits of each byte (draft 4.1); ``ttl`` is how long a
    reader may keep it, in seconds or as a timedelta; ``chain`` begins with the certificate of the STATUS key. Raises
    PurposeError for another key.
    """
    if signer.handle.purpose is not KeyPurpose.STATUS:
        raise PurposeError(f"a {signer.handle.purpose.value} key signs no status lists", uri=signer.handle.uri)
    if expires <= at:
        raise SigningError("a status list ends after it begins", uri=signer.handle.uri)
    seconds = int(ttl.total_seconds()) if isinstance(ttl, timedelta) else ttl
    payload = {
        "sub": uri,
        "iat": int(at.timestamp()),
        "exp": int(expires.timestamp()),
        "ttl": seconds,
        "status_list": {"bits": 2, "lst": base64url(zlib.compress(values, 9))},
    }
    return signed_token({"typ": "statuslist+jwt"}, payload, signer=signer, chain=chain)
