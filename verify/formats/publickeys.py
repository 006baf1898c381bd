"""Checking raw signature values with public keys: the one place where arithmetic is asked for.

``verify_x509`` takes algorithms as X.509 and CMS name them, ``verify_named`` as JOSE and COSE do (ECDSA as raw r, s).
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

from verify.formats.algorithms import Algorithm


class BadSignatureError(Exception):
    """The value does not match key and data."""


class UnsupportedKeyError(Exception):
    """A key or algorithm that cannot be checked here. The message names it."""


def verify_x509(
    signature: bytes,
    data: bytes,
    key: Any,
    algorithm: Any,
    digest_name: str | None = None,
    *,
    prehashed: bool = False,
) -> None:
    """Check a signature over ``data`` (over its digest, when ``prehashed``); ``key``, ``algorithm`` of asn1crypto.

    ``digest_name`` is the hash from context, for plain ``rsaEncryption``. Raises BadSignatureError or
    UnsupportedKeyError.
    """
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
    from pyhanko_certvalidator.errors import AlgorithmNotSupported
    from pyhanko_certvalidator.sig_validate import SignatureValidationContext

    from verify.formats.gm import SignatureValidator

    name = str(algorithm["algorithm"].native)
    try:
        SignatureValidator().validate_signature(
            signature, data, key, algorithm, context=SignatureValidationContext(digest_name, prehashed)
        )
    except AlgorithmNotSupported as error:
        raise UnsupportedKeyError(name) from error
    except InvalidSignature as error:
        raise BadSignatureError(name) from error
    except (UnsupportedAlgorithm, NotImplementedError) as error:
        raise UnsupportedKeyError(name) from error
    except Exception as error:  # the library asserts types and lets parser errors through
        raise BadSignatureError(f"{name}: {type(error).__name__}") from error


def verify_named(signature: bytes, data: bytes, spki: bytes, algorithm: Algorithm) -> None:
    """Check a JOSE or COSE signature. Raises BadSignatureError or UnsupportedKeyError."""
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils

    try:
        key = serialization.load_der_public_key(spki)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise UnsupportedKeyError(algorithm.jose) from error
    digest: hashes.HashAlgorithm = hashes.SHA384() if algorithm.hash == "sha384" else hashes.SHA256()
    try:
        if isinstance(key, ec.EllipticCurvePublicKey) and algorithm.is_ecdsa:
            size = (key.curve.key_size + 7) // 8
            if f"ec-p{key.curve.key_size}" != algorithm.key or len(signature) != 2 * size:
                raise BadSignatureError("the key is of another curve")
            r, s = (int.from_bytes(part, "big") for part in (signature[:size], signature[size:]))
            key.verify(utils.encode_dss_signature(r, s), data, ec.ECDSA(digest))
        elif isinstance(key, rsa.RSAPublicKey) and algorithm is Algorithm.RSA_PSS_SHA256:
            key.verify(signature, data, padding.PSS(padding.MGF1(digest), digest.digest_size), digest)
        elif isinstance(key, rsa.RSAPublicKey) and algorithm is Algorithm.RSA_PKCS1_SHA256:
            key.verify(signature, data, padding.PKCS1v15(), digest)
        else:
            raise UnsupportedKeyError(algorithm.jose)
    except InvalidSignature as error:
        raise BadSignatureError(algorithm.jose) from error


def spki_of_jwk(jwk: Mapping[str, Any]) -> bytes:
    """The public key of a JWK (RFC 7517; EC P-256 and P-384, RSA) as DER. Raises UnsupportedKeyError."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec, rsa

    curves = {"P-256": ec.SECP256R1, "P-384": ec.SECP384R1}
    key: ec.EllipticCurvePublicKey | rsa.RSAPublicKey
    try:
        if jwk.get("kty") == "EC":
            numbers = ec.EllipticCurvePublicNumbers(_big(jwk["x"]), _big(jwk["y"]), curves[jwk["crv"]]())
            key = numbers.public_key()
        elif jwk.get("kty") == "RSA":
            key = rsa.RSAPublicNumbers(_big(jwk["e"]), _big(jwk["n"])).public_key()
        else:
            raise UnsupportedKeyError(str(jwk.get("kty")))
    except (KeyError, ValueError, TypeError) as error:
        raise UnsupportedKeyError("JWK") from error
    return key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def _big(text: str) -> int:
    return int.from_bytes(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)), "big")
