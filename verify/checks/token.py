"""A signed token (JWS with its chain in ``x5c``): does the signature match, and may that key sign this?"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from verify.checks.chain import Chains, Path, Revocation, display_name, has_usage, is_example
from verify.formats.jose import UnverifiedJws
from verify.formats.publickeys import BadSignatureError, UnsupportedKeyError, verify_named
from verify.inquiry import Inquiry


class TokenError(Exception):
    """Why a token does not count. ``code`` is a finding, ``params`` fill its message."""

    def __init__(self, code: str, **params: Any) -> None:
        super().__init__(code, params)
        self.code = code
        self.params = params


def check_token(inquiry: Inquiry, chains: Chains, jws: UnverifiedJws, *, usage: str, made: datetime, code: str) -> Path:
    """Check a token of the vault under the caller's anchors; ``code`` is the finding for any failure.

    The certificate is judged at ``made``; revocation data are used where they are at hand. Raises TokenError.
    """
    leaf = jws.certificates()[0] if jws.certificates() else None
    if leaf is None:
        raise TokenError(code, reason="it names no certificate")
    try:
        verify_named(jws.signature, jws.signed, leaf.public_key.dump(), jws.algorithm)
    except (BadSignatureError, UnsupportedKeyError) as error:
        raise TokenError(code, reason="its signature does not match") from error
    if not has_usage(leaf, usage):
        raise TokenError(code, reason=f"{display_name(leaf)} may not sign it")
    path = chains.validate(leaf, made, Revocation.KNOWN)
    if path.problem is not None:
        raise TokenError(code, reason=path.problem.code)
    if is_example(path.certificates[0]) and not inquiry.trust.allow_example:
        raise TokenError(code, reason="EXAMPLE_KEYS")
    return path
