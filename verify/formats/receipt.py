"""Reading receipts: a vault's signed account of a verdict, as a flattened JWS (RFC 7515 7.2.2) with a JAdES timestamp.

The payload holds the file's digest, the verdict and the evidence by which the receipt itself is judged later; the
unprotected header ``etsiU`` holds a timestamp over the signature value (ETSI TS 119 182-1 5.3.4), which proves that the
signature was there while its certificate held.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import Any

from verify.formats.jose import JoseError, UnverifiedJws, strict_object, unverified_jws

JWS_TYPE = "certvault-receipt+json"
MAX_BYTES = 8_000_000
MAX_CRLS = 16


class ReceiptError(ValueError):
    """The file is no receipt. The message says why."""


@dataclass(frozen=True, slots=True)
class UnverifiedReceipt:
    """A receipt before anything was checked. ``stamped`` are the bytes that the timestamp is over."""

    jws: UnverifiedJws
    claims: dict[str, Any]
    crls: tuple[bytes, ...]
    timestamp: bytes | None
    stamped: bytes


def begins_as_receipt(data: bytes) -> bool:
    """Whether this is a JWS in JSON, as a receipt is."""
    return data.lstrip()[:1] == b"{" and b'"protected"' in data and b'"payload"' in data


def unverified_receipt(data: bytes) -> UnverifiedReceipt:
    """Read a receipt. Raises ReceiptError."""
    try:
        value = strict_object(data, "file")
        parts = [value.get(n) for n in ("protected", "payload", "signature")]
        if not set(value) <= {"protected", "payload", "signature", "header"} or not all(
            isinstance(p, str) and p for p in parts
        ):
            raise ReceiptError("it is no flattened JWS")
        jws = unverified_jws(".".join(str(p) for p in parts), MAX_BYTES)
        if jws.header.get("typ") != JWS_TYPE:
            raise ReceiptError("its type is another")
        claims = jws.claims()
    except JoseError as error:
        raise ReceiptError(str(error)) from error
    if not isinstance(claims.get("file"), dict) or not isinstance(claims.get("verdict"), dict):
        raise ReceiptError("it holds no verdict")
    evidence = claims.get("evidence")
    listed = evidence.get("crls") if isinstance(evidence, dict) else None
    crls = tuple(_octets(c) for c in listed[:MAX_CRLS]) if isinstance(listed, list) else ()
    return UnverifiedReceipt(
        jws, claims, crls, _timestamp(value.get("header")), str(value["signature"]).encode("ascii")
    )


def _timestamp(header: Any) -> bytes | None:
    if header is None:
        return None
    try:
        (entry,) = header["etsiU"]
        (token,) = entry["sigTst"]["tstTokens"]
        return _octets(token["val"])
    except (TypeError, KeyError, ValueError, AttributeError) as error:
        raise ReceiptError("its timestamp cannot be read") from error


def _octets(value: Any) -> bytes:
    try:
        return base64.b64decode(value, validate=True)
    except (TypeError, ValueError, binascii.Error) as error:
        raise ReceiptError("its evidence cannot be read") from error
