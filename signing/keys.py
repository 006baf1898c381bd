"""Key purposes and handles: all that anyone outside a backend ever holds of a key."""

from __future__ import annotations

import enum
import hashlib
from dataclasses import dataclass

from verify.formats.algorithms import Algorithm


class KeyPurpose(enum.Enum):
    """What a key may sign. SEAL, RECORD and CODE belong to an issuer, the rest to the vault."""

    CA = "ca"
    SEAL = "seal"
    RECORD = "record"
    CODE = "code"
    STATUS = "status"
    ANSWER = "answer"
    OCSP = "ocsp"
    TSA = "tsa"
    TRUST_LIST = "trust-list"
    SEAL_MAKER = "seal-maker"
    LOG = "log"


@dataclass(frozen=True, slots=True)
class KeyHandle:
    """A key by name: where it lives, its public half, and the one thing it may do.

    ``uri`` is ``memory:ID``, ``file:NAME`` (relative to the backend's folder) or an RFC 7512 ``pkcs11:`` URI, never
    with a PIN. ``spki`` is the DER SubjectPublicKeyInfo.
    """

    uri: str
    spki: bytes
    algorithm: Algorithm
    purpose: KeyPurpose

    @property
    def id(self) -> str:
        """A short stable name: the first 16 hex digits of the SHA-256 of the public half."""
        return hashlib.sha256(self.spki).hexdigest()[:16]
