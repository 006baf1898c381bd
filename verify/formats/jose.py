"""Reading compact JWS (RFC 7515) strictly.

base64url without padding or spare bits, no key twice in JSON, a closed set of algorithms.
"""

from __future__ import annotations

import base64
import json
import re
from dataclasses import dataclass
from typing import Any

from verify.formats.algorithms import Algorithm, by_jose

_BASE64URL = re.compile(r"[A-Za-z0-9_-]*")
_MAX_CHAIN = 8
_MAX_CERTIFICATE = 64_000
MAX_HEADER = 64_000


class JoseError(ValueError):
    """The text is no JWS that is read here. The message says why."""


@dataclass(frozen=True, slots=True)
class UnverifiedJws:
    """A JWS before its signature was checked. ``signed`` are the bytes that the signature covers."""

    header: dict[str, Any]
    payload: bytes
    signed: bytes
    signature: bytes
    algorithm: Algorithm
    chain: tuple[bytes, ...]

    def certificates(self) -> list[Any]:
        """The chain of ``x5c``, leaf first, as asn1crypto values."""
        from asn1crypto import x509

        return [x509.Certificate.load(der) for der in self.chain]

    def claims(self) -> dict[str, Any]:
        """The payload as a JSON object. Raises JoseError."""
        return strict_object(self.payload, "payload")


def decode_base64url(text: str) -> bytes:
    """Strict base64url: no padding, no other alphabet, no spare bits. Raises JoseError."""
    if not _BASE64URL.fullmatch(text) or len(text) % 4 == 1:
        raise JoseError("not base64url")
    data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if encode_base64url(data) != text:
        raise JoseError("base64url with spare bits")
    return data


def encode_base64url(data: bytes) -> str:
    """base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def strict_object(data: bytes, what: str) -> dict[str, Any]:
    """A JSON object in UTF-8 with no key twice and no NaN. Raises JoseError."""
    value = strict_json(data, what)
    if not isinstance(value, dict):
        raise JoseError(f"the {what} is no object")
    return value


def strict_json(data: bytes, what: str) -> Any:
    """JSON in UTF-8 with no key twice and no NaN. Raises JoseError."""
    try:
        value = json.loads(data.decode("utf-8"), object_pairs_hook=_unique, parse_constant=_no_constant)
        if b"\\u" in data:  # half a surrogate pair is no character, and could be written nowhere
            json.dumps(value, ensure_ascii=False).encode("utf-8")
        return value
    except (ValueError, RecursionError) as error:
        raise JoseError(f"the {what} is no proper JSON") from error


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice")
    return found


def _no_constant(name: str) -> Any:
    raise ValueError(name)


def unverified_jws(token: bytes | str, limit: int) -> UnverifiedJws:
    """Read a compact JWS. Raises JoseError."""
    text = _text(token, limit)
    parts = text.split(".")
    if len(parts) != 3:
        raise JoseError("not three parts")
    raw_header = decode_base64url(parts[0])
    if len(raw_header) > MAX_HEADER:
        raise JoseError("the header is too large")
    header = strict_object(raw_header, "header")
    algorithm = by_jose(str(header.get("alg")))
    if algorithm is None:
        raise JoseError("its algorithm is not accepted")
    if "crit" in header or "b64" in header:
        raise JoseError("it demands extensions that are not known")
    return UnverifiedJws(
        header=header,
        payload=decode_base64url(parts[1]),
        signed=f"{parts[0]}.{parts[1]}".encode("ascii"),
        signature=decode_base64url(parts[2]),
        algorithm=algorithm,
        chain=_chain(header.get("x5c")),
    )


def _text(token: bytes | str, limit: int) -> str:
    if len(token) > limit:
        raise JoseError(f"larger than {limit} bytes")
    try:
        return (token.decode("ascii") if isinstance(token, bytes) else token).strip()
    except UnicodeDecodeError as error:
        raise JoseError("not ASCII") from error


def _chain(value: Any) -> tuple[bytes, ...]:
    if value is None:
        return ()
    if not isinstance(value, list) or not 0 < len(value) <= _MAX_CHAIN:
        raise JoseError("x5c is no chain")
    return tuple(_certificate(v) for v in value)


def _certificate(value: Any) -> bytes:
    from asn1crypto import x509

    if not isinstance(value, str) or len(value) > _MAX_CERTIFICATE:
        raise JoseError("x5c holds no certificate")
    try:
        der = base64.b64decode(value, validate=True)
        certificate = x509.Certificate.load(der, strict=True)
        _ = certificate.subject.hashable, certificate.public_key.algorithm
    except Exception as error:  # asn1crypto's lazy parsing raises a dozen types
        raise JoseError("x5c holds no certificate") from error
    return der
