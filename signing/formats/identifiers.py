"""AlgorithmIdentifiers, DER, of the algorithms that are written."""

from __future__ import annotations

from signing.errors import MechanismError
from signing.formats import der
from verify.formats.algorithms import Algorithm

_DIGESTS = {
    "sha256": "2.16.840.1.101.3.4.2.1",
    "sha384": "2.16.840.1.101.3.4.2.2",
    "sha512": "2.16.840.1.101.3.4.2.3",
    "sm3": "1.2.156.10197.1.401",
}
DIGEST_SIZES = {"sha256": 32, "sha384": 48, "sha512": 64, "sm3": 32}
_MGF1 = "1.2.840.113549.1.1.8"
_SIGNATURES = {
    Algorithm.ECDSA_P256_SHA256: der.sequence(der.oid("1.2.840.10045.4.3.2")),
    Algorithm.ECDSA_P384_SHA384: der.sequence(der.oid("1.2.840.10045.4.3.3")),
    Algorithm.RSA_PKCS1_SHA256: der.sequence(der.oid("1.2.840.113549.1.1.11"), der.NULL),
    Algorithm.SM2_SM3: der.sequence(der.oid("1.2.156.10197.1.501")),
}
_LONGEST = {
    Algorithm.ECDSA_P256_SHA256: 72,
    Algorithm.ECDSA_P384_SHA384: 104,
    Algorithm.RSA_PKCS1_SHA256: 384,
    Algorithm.RSA_PSS_SHA256: 384,
    Algorithm.SM2_SM3: 72,
}


def digest_identifier(hash_name: str) -> bytes:
    """A hash; parameters absent (RFC 5754 2)."""
    return der.sequence(der.oid(_DIGESTS[hash_name]))


def digest_name(dotted: str) -> str | None:
    """The hash with this OID, or None for one that is not used (SHA-1 and MD5 among them)."""
    return next((name for name, known in _DIGESTS.items() if known == dotted), None)


def signature_identifier(algorithm: Algorithm) -> bytes:
    """A signature algorithm. PSS: SHA-256 for both hashes and a salt of 32 bytes (RFC 4055 3.1)."""
    if algorithm is Algorithm.RSA_PSS_SHA256:
        sha256 = der.sequence(der.oid(_DIGESTS["sha256"]), der.NULL)
        parameters = der.sequence(
            der.tagged(0xA0, sha256),
            der.tagged(0xA1, der.sequence(der.oid(_MGF1), sha256)),
            der.tagged(0xA2, der.integer(32)),
        )
        return der.sequence(der.oid("1.2.840.113549.1.1.10"), parameters)
    if algorithm not in _SIGNATURES:
        raise MechanismError(f"{algorithm.name} is not written into certificates yet")
    return _SIGNATURES[algorithm]


def longest_signature(algorithm: Algorithm) -> int:
    """The most bytes a signature value can have."""
    return _LONGEST[algorithm]
