"""Key arithmetic in this process, for the backends that keep keys outside a token."""

from __future__ import annotations

import os
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, encode_dss_signature
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.keywrap import (
    InvalidUnwrap,
    aes_key_unwrap_with_padding,
    aes_key_wrap_with_padding,
)

from signing.backends.base import checked_secret
from signing.backends.sm2 import Sm2PrivateKey
from signing.errors import MechanismError, SigningError
from verify.formats.algorithms import Algorithm
from verify.formats.publickeys import UnsupportedKeyError
from verify.formats.sm2 import point_of_spki

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | Sm2PrivateKey

WRAP_VERSION = b"\x01"
WRAP_AAD = b"certvault wrapped secret 1"
"""First byte of a wrapped secret, and what its authentication also covers. All backends use the same form."""

_HASHES: dict[str, hashes.HashAlgorithm] = {"sha256": hashes.SHA256(), "sha384": hashes.SHA384()}
DIGEST_SIZES = {"sha256": 32, "sha384": 48, "sm3": 32}
"""Bytes of a digest, by the hash of an algorithm."""


def new_private_key(algorithm: Algorithm, uri: str) -> PrivateKey:
    """A fresh key for ``algorithm``; raises MechanismError for a kind this backend does not make."""
    if algorithm.key == "ec-p256":
        return ec.generate_private_key(ec.SECP256R1())
    if algorithm.key == "ec-p384":
        return ec.generate_private_key(ec.SECP384R1())
    if algorithm.key == "rsa-3072":
        return rsa.generate_private_key(public_exponent=65537, key_size=3072)
    if algorithm.key == "sm2":
        return Sm2PrivateKey.generate(uri)
    raise MechanismError(f"no {algorithm.key} keys here", uri=uri)


def spki_of(key: PrivateKey) -> bytes:
    """DER SubjectPublicKeyInfo of the public half."""
    if isinstance(key, Sm2PrivateKey):
        return key.spki
    return key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def rsa_spki(pkcs1: bytes) -> bytes:
    """DER SubjectPublicKeyInfo of a PKCS#1 RSAPublicKey."""
    public = serialization.load_der_public_key(pkcs1)
    return public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def ecdsa_der(raw: bytes) -> bytes:
    """``r || s`` of equal length, as tokens give it, as DER."""
    half = len(raw) // 2
    return encode_dss_signature(int.from_bytes(raw[:half], "big"), int.from_bytes(raw[half:], "big"))


def sign(key: PrivateKey, algorithm: Algorithm, data: bytes, uri: str) -> bytes:
    """Hash and sign; ECDSA and SM2 values come out as DER, RSA values raw. PSS has a salt as long as the hash."""
    if isinstance(key, Sm2PrivateKey) and algorithm is Algorithm.SM2_SM3:
        return key.sign(data, uri)
    if isinstance(key, ec.EllipticCurvePrivateKey) and algorithm.is_ecdsa:
        return key.sign(data, ec.ECDSA(_HASHES[algorithm.hash]))
    if isinstance(key, rsa.RSAPrivateKey):
        chosen = _HASHES[algorithm.hash]
        if algorithm is Algorithm.RSA_PKCS1_SHA256:
            return key.sign(data, padding.PKCS1v15(), chosen)
        if algorithm is Algorithm.RSA_PSS_SHA256:
            return key.sign(data, padding.PSS(padding.MGF1(chosen), padding.PSS.DIGEST_LENGTH), chosen)
    raise MechanismError(f"this key does not sign with {algorithm.name}", uri=uri)


def sign_digest(key: PrivateKey, algorithm: Algorithm, digest: bytes, uri: str) -> bytes:
    """Sign a digest made elsewhere; values as from :func:`sign`."""
    checked_digest(digest, algorithm, uri)
    if isinstance(key, Sm2PrivateKey) and algorithm is Algorithm.SM2_SM3:
        return key.sign_digest(digest, uri)
    if isinstance(key, ec.EllipticCurvePrivateKey) and algorithm.is_ecdsa:
        return key.sign(digest, ec.ECDSA(Prehashed(_HASHES[algorithm.hash])))
    if isinstance(key, rsa.RSAPrivateKey):
        chosen = _HASHES[algorithm.hash]
        if algorithm is Algorithm.RSA_PKCS1_SHA256:
            return key.sign(digest, padding.PKCS1v15(), Prehashed(chosen))
        if algorithm is Algorithm.RSA_PSS_SHA256:
            return key.sign(digest, padding.PSS(padding.MGF1(chosen), padding.PSS.DIGEST_LENGTH), Prehashed(chosen))
    raise MechanismError(f"this key does not sign with {algorithm.name}", uri=uri)


def checked_digest(digest: bytes, algorithm: Algorithm, uri: str) -> bytes:
    """``digest`` itself; SigningError when it is not as long as the algorithm's hash."""
    size = DIGEST_SIZES[algorithm.hash]
    if len(digest) != size:
        raise SigningError(f"{algorithm.name} signs a digest of {size} bytes, not of {len(digest)}", uri=uri)
    return digest


def wrap(key: bytes, secret: bytes, uri: str) -> bytes:
    """AES-256-GCM: version byte, 12 bytes of nonce, ciphertext with tag."""
    nonce = os.urandom(12)
    return WRAP_VERSION + nonce + AESGCM(key).encrypt(nonce, checked_secret(secret, uri), WRAP_AAD)


def unwrap(key: bytes, wrapped: bytes, uri: str) -> bytes:
    """The inverse of :func:`wrap`; SigningError for anything this key did not make."""
    nonce, body = split_wrapped(wrapped, uri)
    try:
        return AESGCM(key).decrypt(nonce, body, WRAP_AAD)
    except InvalidTag as error:
        raise SigningError("the wrapped secret was changed or is of another key", uri=uri) from error


def wrap_key(kek: bytes, pkcs8: bytes) -> bytes:
    """A private key under a backup key: AES key wrap with padding, RFC 5649."""
    return aes_key_wrap_with_padding(kek, pkcs8)


def unwrap_key(kek: bytes, wrapped: bytes, uri: str) -> bytes:
    """The inverse of :func:`wrap_key`; SigningError for anything this key did not make."""
    try:
        return aes_key_unwrap_with_padding(kek, wrapped)
    except (InvalidUnwrap, ValueError) as error:
        raise SigningError("the wrapped key was changed or is of another backup key", uri=uri) from error


def split_wrapped(wrapped: bytes, uri: str) -> tuple[bytes, bytes]:
    """Nonce and ciphertext of a wrapped secret."""
    if len(wrapped) < 1 + 12 + 16 + 1 or wrapped[:1] != WRAP_VERSION:
        raise SigningError("not a wrapped secret", uri=uri)
    return wrapped[1:13], wrapped[13:]


def check_kind(spki: bytes, algorithm: Algorithm, uri: str) -> None:
    """Raise MechanismError when the public key is not of the kind that ``algorithm`` needs."""
    if _kind_of(spki) != algorithm.key:
        raise MechanismError(f"the key is no {algorithm.key} key, so it cannot sign with {algorithm.name}", uri=uri)


@lru_cache(maxsize=1024)
def _kind_of(spki: bytes) -> str:
    try:
        point_of_spki(spki)
    except UnsupportedKeyError:
        public = serialization.load_der_public_key(spki)
    else:
        return "sm2"
    if isinstance(public, ec.EllipticCurvePublicKey):
        return {"secp256r1": "ec-p256", "secp384r1": "ec-p384"}.get(public.curve.name, "other")
    return "rsa-3072" if isinstance(public, rsa.RSAPublicKey) and public.key_size >= 3072 else "other"
