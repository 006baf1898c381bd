"""Which arithmetic and which hash an algorithm identifier means: the table of signature schemes that can be checked.

Named by object identifier, since readers know different names: RFC 8017, 4055, 5758, 8410, 8692, NIST's register
(2.16.840.1.101.3.4.3), BSI TR-03111 for plain ECDSA, and GM/T 0006.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

HASHES: dict[str, str] = {
    "1.2.840.113549.2.2": "md2",
    "1.2.840.113549.2.4": "md4",
    "1.2.840.113549.2.5": "md5",
    "1.3.14.3.2.26": "sha1",
    "1.3.36.3.2.1": "ripemd160",
    "1.2.156.10197.1.401": "sm3",
    "1.2.156.10197.1.401.1": "sm3",  # named as the hash without a key
    **{
        f"2.16.840.1.101.3.4.2.{number}": name
        for number, name in (
            (4, "sha224"), (1, "sha256"), (2, "sha384"), (3, "sha512"), (5, "sha512_224"), (6, "sha512_256"),
            (7, "sha3_224"), (8, "sha3_256"), (9, "sha3_384"), (10, "sha3_512"), (11, "shake128"), (12, "shake256"),
            (17, "shake128_len"), (18, "shake256_len"),
        )
    },
}  # fmt: skip
"""Name of each hash, as :func:`digest_of` takes it, by object identifier."""

_SHAKE_BYTES = {"shake128": 32, "shake256": 64, "shake128_len": 32, "shake256_len": 64}
_SHA3 = ("sha3_224", "sha3_256", "sha3_384", "sha3_512")
_SHA2 = ("sha224", "sha256", "sha384", "sha512")


@dataclass(frozen=True, slots=True)
class Scheme:
    """``kind``: rsa, pss, dsa, ecdsa, plain (r and s side by side), ed25519, ed448, mldsa44, 65, 87, or sm2.

    ``hash`` is empty where context or parameters say it, or where the scheme has its own.
    """

    kind: str
    hash: str = ""


def _numbered(prefix: str, first: int, kind: str, names: tuple[str, ...]) -> dict[str, Scheme]:
    return {f"{prefix}.{first + n}": Scheme(kind, name) for n, name in enumerate(names)}


_NIST, _PLAIN, _TELETRUST = "2.16.840.1.101.3.4.3", "0.4.0.127.0.7.1.1.4.1", "1.3.36.3.3.1"
SCHEMES: dict[str, Scheme] = {
    "1.2.840.113549.1.1.1": Scheme("rsa"),
    "2.5.8.1.1": Scheme("rsa"),
    "1.2.840.113549.1.1.2": Scheme("rsa", "md2"),
    "1.2.840.113549.1.1.3": Scheme("rsa", "md4"),
    "1.2.840.113549.1.1.4": Scheme("rsa", "md5"),
    "1.2.840.113549.1.1.5": Scheme("rsa", "sha1"),
    "1.3.14.3.2.3": Scheme("rsa", "md5"),
    "1.3.14.3.2.15": Scheme("rsa", "sha1"),
    "1.3.14.3.2.29": Scheme("rsa", "sha1"),
    **_numbered("1.2.840.113549.1.1", 11, "rsa", ("sha256", "sha384", "sha512", "sha224", "sha512_224", "sha512_256")),
    f"{_TELETRUST}.2": Scheme("rsa", "ripemd160"),
    **_numbered(_NIST, 13, "rsa", _SHA3),
    "1.2.840.113549.1.1.10": Scheme("pss"),
    "1.2.840.10040.4.1": Scheme("dsa"),
    "1.2.840.10040.4.3": Scheme("dsa", "sha1"),
    "1.3.14.3.2.13": Scheme("dsa", "sha1"),
    "1.3.14.3.2.27": Scheme("dsa", "sha1"),
    **_numbered(_NIST, 1, "dsa", _SHA2),
    **_numbered(_NIST, 5, "dsa", _SHA3),
    "1.2.840.10045.2.1": Scheme("ecdsa"),
    "1.2.840.10045.4": Scheme("ecdsa"),
    "1.2.840.10045.4.3": Scheme("ecdsa"),
    "1.2.840.10045.4.1": Scheme("ecdsa", "sha1"),
    **_numbered("1.2.840.10045.4.3", 1, "ecdsa", _SHA2),
    **_numbered(_NIST, 9, "ecdsa", _SHA3),
    "1.3.6.1.5.5.7.6.32": Scheme("ecdsa", "shake128"),
    "1.3.6.1.5.5.7.6.33": Scheme("ecdsa", "shake256"),
    **_numbered(_PLAIN, 1, "plain", ("sha1", *_SHA2, "ripemd160")),
    **_numbered(_PLAIN, 8, "plain", _SHA3),
    "1.3.101.112": Scheme("ed25519"),
    "1.3.101.113": Scheme("ed448"),
    **{f"{_NIST}.{17 + n}": Scheme(f"mldsa{size}") for n, size in enumerate((44, 65, 87))},
    "1.2.156.10197.1.501": Scheme("sm2", "sm3"),
    "1.2.156.10197.1.301.1": Scheme("sm2", "sm3"),
}
"""Scheme of each signature algorithm. Key identifiers stand here too: old signers name the key, not the algorithm."""


class UnknownHashError(ValueError):
    """A hash that cannot be computed here. The message names it."""


def digest_of(name: str, data: bytes) -> bytes:
    """The digest of ``data`` under one of our names of a hash. Raises UnknownHashError."""
    if name in _SHAKE_BYTES:  # RFC 8702, RFC 8419: twice the strength
        shake = hashlib.shake_128 if name.startswith("shake128") else hashlib.shake_256
        return shake(data).digest(_SHAKE_BYTES[name])
    if name == "sm3":
        from verify.formats.sm2 import sm3

        return sm3(data)
    try:
        return hashlib.new(name, data, usedforsecurity=False).digest()
    except (ValueError, TypeError) as error:
        raise UnknownHashError(name) from error


def hash_name(algorithm: Any) -> str:
    """Our name of the hash in an AlgorithmIdentifier of asn1crypto; its object identifier when that is unknown."""
    oid = str(algorithm["algorithm"].dotted)
    return HASHES.get(oid, oid)


def scheme_of(algorithm: Any) -> Scheme | None:
    """The scheme of an AlgorithmIdentifier of asn1crypto; None for one that cannot be checked."""
    return SCHEMES.get(str(algorithm["algorithm"].dotted))


def hash_of(algorithm: Any, context: str | None = None) -> str:
    """The hash that a signature algorithm rests on, ``context`` where it leaves that open; empty when nobody says."""
    scheme = scheme_of(algorithm)
    if scheme is None:
        return context or ""
    if scheme.kind == "pss":
        return pss_parameters(algorithm)[0]
    own = {"ed25519": "sha512", "ed448": "shake256"}
    return own.get(scheme.kind) or scheme.hash or context or ""


def pss_parameters(algorithm: Any) -> tuple[str, str, int]:
    """Hash, hash of the mask and length of the salt (RFC 4055 3.1). Raises ValueError for what cannot be checked."""
    from asn1crypto import algos

    given = algorithm["parameters"]
    parameters = algos.RSASSAPSSParams() if given.native is None else given
    mask = parameters["mask_gen_algorithm"]
    if mask["algorithm"].dotted != "1.2.840.113549.1.1.8":
        raise ValueError("the mask is not MGF1")
    if parameters["trailer_field"].native not in (1, "trailer_field_bc"):
        raise ValueError("the trailer is not 1")
    salt = parameters["salt_length"].native
    if not isinstance(salt, int) or not 0 <= salt <= 4096:
        raise ValueError("the salt has no length")
    return hash_name(parameters["hash_algorithm"]), hash_name(mask["parameters"]), salt
