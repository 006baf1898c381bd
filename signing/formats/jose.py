"""Compact JWS (RFC 7515) through a Signer, and the raw signature values that JOSE and COSE use."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any

from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from signing.errors import SigningError
from signing.formats.cms import SignerIdentity, require_own_certificate
from signing.keys import KeyPurpose
from signing.signer import Signer
from signing.tbs import ToBeSigned
from verify.formats.algorithms import Algorithm
from verify.formats.publickeys import curve_order
from verify.formats.sm2 import raw_of

_HALF = {"ec-p256": 32, "ec-p384": 48}


def base64url(data: bytes) -> str:
    """Base64url without padding (RFC 7515 2)."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def raw_signature(signer: Signer, data: bytes, purpose: KeyPurpose) -> bytes:
    """A signature value as JOSE and COSE write it: ``r || s`` of fixed length for ECDSA and SM2, the block for RSA.

    Of the two values of ``s`` that verify ECDSA the lower one is written, so that our tokens have one form only; SM2
    has one.
    """
    value = signer.sign(ToBeSigned(data, purpose))
    if signer.handle.algorithm is Algorithm.SM2_SM3:
        return raw_of(value)
    half = _HALF.get(signer.handle.algorithm.key)
    if half is None:
        return value
    r, s = decode_dss_signature(value)
    order = curve_order(signer.handle.algorithm)
    return b"".join(part.to_bytes(half, "big") for part in (r, min(s, order - s)))


def signed_token(
    header: Mapping[str, Any], payload: Mapping[str, Any], *, signer: Signer, chain: tuple[bytes, ...]
) -> str:
    """A compact JWS; ``alg`` and ``x5c`` (RFC 7515 4.1.6, the signer's certificate first) are set here.

    Raises SigningError when the first of ``chain`` is not the certificate of the signer's key.
    """
    return signed_payload(header, compact_json(payload), signer=signer, chain=chain)


def signed_detached(header: Mapping[str, Any], payload: bytes, *, signer: Signer, chain: tuple[bytes, ...]) -> str:
    """A compact JWS whose payload stands elsewhere (RFC 7515 appendix F): its middle part is left out."""
    head, _, value = signed_payload(header, payload, signer=signer, chain=chain).split(".")
    return f"{head}..{value}"


def signed_payload(header: Mapping[str, Any], payload: bytes, *, signer: Signer, chain: tuple[bytes, ...]) -> str:
    """A compact JWS over ``payload`` as it is, such as one in RFC 8785 form; else like :func:`signed_token`."""
    if not chain:
        raise SigningError("a token carries the certificate of its signer", uri=signer.handle.uri)
    require_own_certificate(SignerIdentity.of(chain[0]), signer)
    full = {"alg": signer.handle.algorithm.jose, **header, "x5c": [base64.b64encode(c).decode() for c in chain]}
    signed = f"{base64url(compact_json(full))}.{base64url(payload)}"
    return f"{signed}.{base64url(raw_signature(signer, signed.encode(), signer.handle.purpose))}"


def compact_json(value: Any) -> bytes:
    """JSON as UTF-8 without spaces, members in the order given."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()
