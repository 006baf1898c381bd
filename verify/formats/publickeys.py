"""Checking raw signature values with public keys: the one place where arithmetic is asked for.

``verify_x509`` takes algorithms as X.509 and CMS name them, ``verify_named`` as JOSE and COSE do (ECDSA as raw r, s).
"""

from __future__ import annotations

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
    from pyhanko_certvalidator.sig_validate import DefaultSignatureValidator, SignatureValidationContext

    name = str(algorithm["algorithm"].native)
    try:
        DefaultSignatureValidator().validate_signature(
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
