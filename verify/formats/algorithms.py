"""The closed set of signature algorithms that certvault writes.

An algorithm without a member here cannot be asked for: MD5, SHA-1 and RSA below 2048 bits have none. What others
signed with weaker ones is judged in :mod:`verify.checks`, not listed here.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class _Facts:
    hash: str  # name as in hashlib
    jose: str  # RFC 7518; for SM2 a documented private name
    cose: int  # RFC 9053; for SM2 a documented private number
    x509: str  # asn1crypto's name of the signature algorithm
    key: str  # "ec-p256", "ec-p384", "rsa-3072", "sm2"


class Algorithm(enum.Enum):
    """A signature algorithm together with its hash."""

    ECDSA_P256_SHA256 = _Facts("sha256", "ES256", -7, "sha256_ecdsa", "ec-p256")
    ECDSA_P384_SHA384 = _Facts("sha384", "ES384", -35, "sha384_ecdsa", "ec-p384")
    RSA_PSS_SHA256 = _Facts("sha256", "PS256", -37, "rsassa_pss", "rsa-3072")
    RSA_PKCS1_SHA256 = _Facts("sha256", "RS256", -257, "sha256_rsa", "rsa-3072")
    # Not registered with IANA; our verifier alone reads these two values.
    SM2_SM3 = _Facts("sm3", "x-certvault-SM2SM3", -70301, "sm2_sm3", "sm2")

    @property
    def hash(self) -> str:
        """Hash name as :mod:`hashlib` knows it."""
        return self.value.hash

    @property
    def jose(self) -> str:
        """``alg`` in a JOSE header."""
        return self.value.jose

    @property
    def cose(self) -> int:
        """``alg`` in a COSE header."""
        return self.value.cose

    @property
    def x509(self) -> str:
        """asn1crypto's name of the X.509 signature algorithm."""
        return self.value.x509

    @property
    def key(self) -> str:
        """Which kind of key it needs."""
        return self.value.key

    @property
    def is_ecdsa(self) -> bool:
        """Whether signature values are a pair (r, s)."""
        return self.key.startswith("ec-")


def by_jose(name: str) -> Algorithm | None:
    """The algorithm of a JOSE ``alg``, or None for one we do not know."""
    return next((a for a in Algorithm if a.jose == name), None)


def by_cose(number: int) -> Algorithm | None:
    """The algorithm of a COSE ``alg``, or None for one we do not know."""
    return next((a for a in Algorithm if a.cose == number), None)
