"""Reading a structured record: an SD-JWT VC (RFC 9901; draft-ietf-oauth-sd-jwt-vc).

Every disclosure must be referenced by exactly one digest, and every digest and name may stand once; decoys (digests
without a disclosure) are allowed, unsigned data are not.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

from verify.formats.jose import (
    JoseError,
    UnverifiedJws,
    decode_base64url,
    encode_base64url,
    strict_json,
    unverified_jws,
)
from verify.formats.publickeys import BadSignatureError, UnsupportedKeyError, spki_of_jwk, verify_named
from verify.formats.statuslist import numeric_date

MEDIA_TYPES = ("dc+sd-jwt", "vc+sd-jwt")
_MAX_DEPTH = 16
_PLAIN = frozenset({"iss", "iat", "nbf", "exp", "cnf", "vct", "vct#integrity", "status", "_sd_alg"})
"""Claims that a holder must not be able to hold back (draft-ietf-oauth-sd-jwt-vc 2.2.2.2)."""


class SdJwtError(ValueError):
    """The text is no record. ``code`` is a finding; the message says why."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code


@dataclass(frozen=True, slots=True)
class UnverifiedRecordToken:
    """A record before its signature was checked: the JWS, and its claims with disclosures put in their places.

    ``withheld`` counts digests that no disclosure opens; ``key_binding`` is the holder's own JWT, when there is one.
    """

    jws: UnverifiedJws
    claims: dict[str, Any]
    withheld: int
    key_binding: str
    bound: bytes
    """What a key binding must name by its SHA-256: the text up to and with the last tilde."""


def unverified_record_token(text: str | bytes, limit: int, max_disclosures: int) -> UnverifiedRecordToken:
    """Read ``JWT~disclosure~…~[key binding]``. Raises SdJwtError."""
    broken = "RECORD_TOKEN_BROKEN"
    try:
        plain = (text.decode("ascii") if isinstance(text, bytes) else text).strip()
    except UnicodeDecodeError as error:
        raise SdJwtError(broken, "not ASCII") from error
    if len(plain) > limit:
        raise SdJwtError(broken, f"larger than {limit} bytes")
    token, *rest = plain.split("~")
    if not rest:
        raise SdJwtError(broken, "no tilde after the token")
    *disclosures, key_binding = rest
    if len(disclosures) > max_disclosures:
        raise SdJwtError(broken, f"more than {max_disclosures} disclosures")
    try:
        jws = unverified_jws(token, limit)
        claims = jws.claims()
        opener = _Opener(disclosures)
    except JoseError as error:
        raise SdJwtError(broken, str(error)) from error
    if jws.header.get("typ") not in MEDIA_TYPES:
        raise SdJwtError(broken, "its type is another")
    if claims.pop("_sd_alg", "sha-256") != "sha-256":
        raise SdJwtError(broken, "its hash is not SHA-256")
    opened = opener.open(claims, 0)
    if opener.unused:
        raise SdJwtError("RECORD_DISCLOSURE_UNREFERENCED", "a disclosure that no digest names")
    bound = plain[: len(plain) - len(key_binding)].encode("ascii")
    return UnverifiedRecordToken(jws, opened, opener.withheld, key_binding, bound)


def check_key_binding(token: UnverifiedRecordToken, limit: int) -> str | None:
    """What is wrong with the holder's own JWT (RFC 9901 4.3), or None.

    For whom and in answer to what it was made, the relying party must compare itself.
    """
    confirmation = token.claims.get("cnf")
    jwk = confirmation.get("jwk") if isinstance(confirmation, dict) else None
    if not isinstance(jwk, dict):
        return "the record names no holder's key"
    try:
        jws = unverified_jws(token.key_binding, limit)
        claims = jws.claims()
        verify_named(jws.signature, jws.signed, spki_of_jwk(jwk), jws.algorithm)
    except (JoseError, BadSignatureError, UnsupportedKeyError) as error:
        return str(error)
    if jws.header.get("typ") != "kb+jwt":
        return "its type is another"
    if not all(isinstance(claims.get(name), str) and claims[name] for name in ("aud", "nonce")):
        return "it names no one it is for"
    if numeric_date(claims.get("iat")) is None:
        return "it names no time"
    if claims.get("sd_hash") != encode_base64url(hashlib.sha256(token.bound).digest()):
        return "it was made for another record"
    return None


class _Opener:
    """Puts disclosures where their digests stand (RFC 9901 7.1)."""

    def __init__(self, disclosures: list[str]) -> None:
        self.by_digest: dict[str, list[Any]] = {}
        self.seen: set[str] = set()
        self.withheld = 0
        for text in disclosures:
            digest = encode_base64url(hashlib.sha256(text.encode("ascii")).digest())
            if digest in self.by_digest:
                raise SdJwtError("RECORD_DISCLOSURE_REPEATED", "a disclosure stands twice")
            value = strict_json(decode_base64url(text), "disclosure")
            if not isinstance(value, list) or len(value) not in (2, 3) or not isinstance(value[0], str):
                raise SdJwtError("RECORD_TOKEN_BROKEN", "a disclosure is not of the expected form")
            self.by_digest[digest] = value

    @property
    def unused(self) -> bool:
        """Whether some disclosure was never referenced."""
        return bool(set(self.by_digest) - self.seen)

    def open(self, value: Any, depth: int) -> Any:
        """The value with everything disclosed below it."""
        if depth > _MAX_DEPTH:
            raise SdJwtError("RECORD_TOKEN_BROKEN", "nested too deeply")
        if isinstance(value, dict):
            return self._object(value, depth)
        if isinstance(value, list):
            return [v for item in value for v in self._element(item, depth)]
        return value

    def _object(self, value: dict[str, Any], depth: int) -> dict[str, Any]:
        digests = value.get("_sd", [])
        if not isinstance(digests, list) or "..." in value:
            raise SdJwtError("RECORD_TOKEN_BROKEN", "a list of digests is wrong")
        opened = {k: self.open(v, depth + 1) for k, v in value.items() if k != "_sd"}
        for digest in digests:
            disclosure = self._take(digest)
            if disclosure is None:
                continue
            if len(disclosure) != 3 or not isinstance(disclosure[1], str) or disclosure[1] in ("_sd", "..."):
                raise SdJwtError("RECORD_TOKEN_BROKEN", "a disclosure is not of the expected form")
            if depth == 0 and disclosure[1] in _PLAIN:
                raise SdJwtError("RECORD_TOKEN_BROKEN", "a claim that must stand in the open is disclosed")
            if disclosure[1] in opened:
                raise SdJwtError("RECORD_DISCLOSURE_REPEATED", "a name stands twice")
            opened[disclosure[1]] = self.open(disclosure[2], depth + 1)
        return opened

    def _element(self, item: Any, depth: int) -> list[Any]:
        if not (isinstance(item, dict) and set(item) == {"..."}):
            return [self.open(item, depth + 1)]
        disclosure = self._take(item["..."])
        if disclosure is None:
            return []
        if len(disclosure) != 2:
            raise SdJwtError("RECORD_TOKEN_BROKEN", "a disclosure is not of the expected form")
        return [self.open(disclosure[1], depth + 1)]

    def _take(self, digest: Any) -> list[Any] | None:
        if not isinstance(digest, str):
            raise SdJwtError("RECORD_TOKEN_BROKEN", "a digest is no text")
        if digest in self.seen:
            raise SdJwtError("RECORD_DISCLOSURE_REPEATED", "a digest stands twice")
        self.seen.add(digest)
        found = self.by_digest.get(digest)
        self.withheld += found is None
        return found
