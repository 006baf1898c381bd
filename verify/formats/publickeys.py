"""Checking raw signature values with public keys: the one place where arithmetic is asked for.

``verify_x509`` takes algorithms as X.509 and CMS name them, ``verify_named`` as JOSE and COSE do (ECDSA as raw r, s).
Keys are read by :mod:`verify.formats.keyinfo`.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from verify.formats.algorithms import Algorithm
from verify.formats.curves import CurveKey
from verify.formats.der import wrap
from verify.formats.keyinfo import UnsupportedKeyError, load_key
from verify.formats.schemes import HASHES, Scheme, UnknownHashError, digest_of, pss_parameters, scheme_of

__all__ = [
    "BadSignatureError",
    "UnsupportedKeyError",
    "curve_order",
    "is_other_form",
    "spki_of_jwk",
    "verify_named",
    "verify_x509",
]

_WHOLE = {
    "ed25519": "Ed25519PublicKey",
    "ed448": "Ed448PublicKey",
    "mldsa44": "MLDSA44PublicKey",
    "mldsa65": "MLDSA65PublicKey",
    "mldsa87": "MLDSA87PublicKey",
}
"""Schemes that take the data themselves, and the class of their keys."""

_SM2_CURVE = bytes.fromhex("06082a811ccf5501822d")


class BadSignatureError(Exception):
    """The value does not match key and data."""


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

    ``digest_name`` is the hash from context, for algorithms that name none. Raises BadSignatureError or
    UnsupportedKeyError. Schemes without a separate hash (EdDSA, ML-DSA, SM2) cannot take a digest: UnsupportedKeyError.
    """
    name = str(algorithm["algorithm"].native)
    scheme = scheme_of(algorithm)
    if scheme is None:
        raise UnsupportedKeyError(name)
    spki = bytes(key.dump())
    if scheme == Scheme("ecdsa") and is_sm2_key(spki):
        scheme = Scheme("sm2", "sm3")
    try:
        if scheme.kind in _WHOLE or scheme.kind == "sm2":
            if prehashed:
                raise UnsupportedKeyError(f"{name} over a digest")
            _verify_whole(scheme, signature, data, spki)
        elif scheme.kind == "pss":
            _verify_pss(signature, data, key, algorithm, prehashed)
        else:
            hashed = scheme.hash or digest_name or ""
            digest = data if prehashed else digest_of(hashed, data)
            _VERIFIERS[scheme.kind](signature, digest, hashed, spki)
    except (BadSignatureError, UnsupportedKeyError):
        raise
    except UnknownHashError as error:
        raise UnsupportedKeyError(f"{name}, {error}") from error
    except (RecursionError, MemoryError):
        raise
    except Exception as error:  # broken keys make the libraries throw many types
        raise BadSignatureError(f"{name}: {type(error).__name__}") from error


def is_sm2_key(spki: bytes) -> bool:
    """Whether a SubjectPublicKeyInfo names the curve sm2p256v1."""
    return _SM2_CURVE in spki[:40]


def _verify_whole(scheme: Scheme, signature: bytes, data: bytes, spki: bytes) -> None:
    from cryptography.exceptions import InvalidSignature

    if scheme.kind == "sm2":
        from verify.formats.sm2 import verify_sm2

        verify_sm2(signature, data, spki)
        return
    key = load_key(spki)
    if type(key).__name__ != _WHOLE[scheme.kind]:
        raise BadSignatureError("the key is of another kind")
    try:
        key.verify(signature, data)
    except InvalidSignature as error:
        raise BadSignatureError(scheme.kind) from error


def _verify_pss(signature: bytes, data: bytes, key: Any, algorithm: Any, prehashed: bool) -> None:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric import padding, rsa, utils

    try:
        hashed, mask, salt = pss_parameters(algorithm)
    except (ValueError, TypeError, KeyError) as error:
        raise UnsupportedKeyError(f"RSASSA-PSS: {error}") from error
    public = load_key(bytes(key.dump()))
    if not isinstance(public, rsa.RSAPublicKey):
        raise BadSignatureError("the key is of another kind")
    _check_restriction(key, hashed, salt)
    digest = data if prehashed else digest_of(hashed, data)
    try:
        public.verify(signature, digest, padding.PSS(padding.MGF1(_hash(mask)), salt), utils.Prehashed(_hash(hashed)))
    except InvalidSignature as error:
        raise BadSignatureError("RSASSA-PSS") from error


def _check_restriction(key: Any, hashed: str, salt: int) -> None:
    """A key may be bound to parameters (RFC 4055 1.2): other hashes and shorter salts are then refused."""
    algorithm = key["algorithm"]
    if algorithm["algorithm"].dotted == "1.2.840.113549.1.1.10" and algorithm["parameters"].native is not None:
        own, _, shortest = pss_parameters(algorithm)
        if own != hashed or salt < shortest:
            raise BadSignatureError("the key is bound to other parameters")


def _hash(name: str) -> Any:
    from cryptography.hazmat.primitives import hashes

    found = getattr(hashes, name.upper(), None)
    if found is None or name.startswith("shake"):
        raise UnsupportedKeyError(name)
    return found()


def _verify_rsa(signature: bytes, digest: bytes, hashed: str, spki: bytes) -> None:
    """RSASSA-PKCS1-v1_5 (RFC 8017 8.2.2), the digest's parameters NULL or, as old signers wrote them, absent."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric import padding, rsa

    key = load_key(spki)
    if not isinstance(key, rsa.RSAPublicKey):
        raise BadSignatureError("the key is of another kind")
    size = (key.key_size + 7) // 8
    if len(signature) > size:  # a number written with leading zeros is the same number
        signature = signature.lstrip(b"\0")
    try:
        found = key.recover_data_from_signature(signature.rjust(size, b"\0"), padding.PKCS1v15(), None)
    except InvalidSignature as error:
        raise BadSignatureError("RSA") from error
    oid = next((o for o, n in HASHES.items() if n == hashed), None)
    if oid is None:
        raise UnsupportedKeyError(hashed or "RSA without a hash")
    if found not in (_digest_info(oid, digest, b"\x05\x00"), _digest_info(oid, digest, b"")):
        raise BadSignatureError("RSA")


def _digest_info(oid: str, digest: bytes, parameters: bytes) -> bytes:
    return wrap(0x30, wrap(0x30, _oid(oid), parameters), wrap(0x04, digest))


@lru_cache(maxsize=64)
def _oid(dotted: str) -> bytes:
    from asn1crypto import core

    return bytes(core.ObjectIdentifier(dotted).dump())


def _verify_dsa(signature: bytes, digest: bytes, hashed: str, spki: bytes) -> None:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric import dsa, utils

    key = load_key(spki)
    if not isinstance(key, dsa.DSAPublicKey):
        raise BadSignatureError("the key is of another kind")
    try:
        key.verify(signature, digest, utils.Prehashed(_sized(digest)))
    except InvalidSignature as error:
        raise BadSignatureError("DSA") from error


def _verify_ecdsa(signature: bytes, digest: bytes, hashed: str, spki: bytes) -> None:
    """ECDSA in DER; some devices write r and s side by side under the same name, which is the same statement."""
    try:
        _check_pair(*_pair(signature), digest, spki)
    except ValueError:
        _verify_plain(signature, digest, hashed, spki)


def _verify_plain(signature: bytes, digest: bytes, hashed: str, spki: bytes) -> None:
    """Plain ECDSA (BSI TR-03111 5.2.1): r and s of equal length side by side."""
    half = len(signature) // 2
    if not half or len(signature) % 2:
        raise BadSignatureError("ECDSA")
    _check_pair(int.from_bytes(signature[:half], "big"), int.from_bytes(signature[half:], "big"), digest, spki)


def _pair(signature: bytes) -> tuple[int, int]:
    """r and s of a DER value. Raises ValueError."""
    from cryptography.hazmat.primitives.asymmetric import utils

    return utils.decode_dss_signature(signature)


def _check_pair(r: int, s: int, digest: bytes, spki: bytes) -> None:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric import ec, utils

    key = load_key(spki)
    if isinstance(key, CurveKey):
        if not key.accepts(r, s, digest):
            raise BadSignatureError("ECDSA")
        return
    if not isinstance(key, ec.EllipticCurvePublicKey) or min(r, s) < 0:
        raise BadSignatureError("the key is of another kind")
    try:
        key.verify(utils.encode_dss_signature(r, s), digest, ec.ECDSA(utils.Prehashed(_sized(digest))))
    except InvalidSignature as error:
        raise BadSignatureError("ECDSA") from error


def _sized(digest: bytes) -> Any:
    """Some hash of the digest's length: the libraries ask for its size and nothing else."""
    name = {16: "MD5", 20: "SHA1", 28: "SHA224", 32: "SHA256", 48: "SHA384", 64: "SHA512"}.get(len(digest))
    if name is None:
        raise UnsupportedKeyError(f"a digest of {len(digest)} bytes")
    return _hash(name)


_Verifier = Callable[[bytes, bytes, str, bytes], None]
_VERIFIERS: dict[str, _Verifier] = {
    "rsa": _verify_rsa,
    "dsa": _verify_dsa,
    "ecdsa": _verify_ecdsa,
    "plain": _verify_plain,
}


def verify_named(signature: bytes, data: bytes, spki: bytes, algorithm: Algorithm) -> None:
    """Check a JOSE or COSE signature. Raises BadSignatureError or UnsupportedKeyError."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils

    if algorithm is Algorithm.SM2_SM3:
        from verify.formats.sm2 import der_of_raw, verify_sm2

        verify_sm2(der_of_raw(signature), data, spki)
        return
    key = load_key(spki)
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


_ORDERS = {
    "ec-p256": 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551,
    "ec-p384": 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFC7634D81F4372DDF581A0DB248B0A77AECEC196ACCC52973,
}


def curve_order(algorithm: Algorithm) -> int:
    """The order of an ECDSA algorithm's curve. KeyError for algorithms of another kind."""
    return _ORDERS[algorithm.key]


def is_other_form(signature: bytes, algorithm: Algorithm) -> bool:
    """Whether an ECDSA value has the higher ``s``. Anybody can turn one form into the other; we write the lower."""
    order = _ORDERS.get(algorithm.key)
    return order is not None and 2 * int.from_bytes(signature[len(signature) // 2 :], "big") > order


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
