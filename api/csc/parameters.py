"""Reading a request's parameters, with the error descriptions that the specification gives."""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass
from typing import Any

from api.csc.errors import CscError
from verify.formats.algorithms import Algorithm

MOST_HASHES = 100
MAX_TEXT = 8192
SHA256, SM3 = "2.16.840.1.101.3.4.2.1", "1.2.156.10197.1.401"
RSA = "1.2.840.113549.1.1.1"


@dataclass(frozen=True, slots=True)
class Names:
    """What the two versions call things."""

    hashes: str
    hash_algorithm: str


V1, V2 = Names("hash", "hashAlgo"), Names("hashes", "hashAlgorithmOID")


@dataclass(frozen=True, slots=True)
class Kind:
    """An algorithm by its identifiers: ``algos`` that ``signAlgo`` may name, the hash, curve and length of the key."""

    algos: tuple[str, ...]
    hash: str
    curve: str | None
    length: int


KINDS: dict[Algorithm, Kind] = {
    Algorithm.ECDSA_P256_SHA256: Kind(("1.2.840.10045.4.3.2",), SHA256, "1.2.840.10045.3.1.7", 256),
    Algorithm.RSA_PKCS1_SHA256: Kind(("1.2.840.113549.1.1.11", RSA), SHA256, None, 3072),
    Algorithm.SM2_SM3: Kind(("1.2.156.10197.1.501",), SM3, "1.2.156.10197.1.301", 256),
}
"""What a seal's key may be. For SM2 the hash is ``e`` of GB/T 32918.2, made with the default identity."""


@dataclass(frozen=True, slots=True)
class Parameters:
    """The members of a request's JSON object."""

    members: dict[str, Any]
    names: Names

    def text(self, name: str) -> str:
        """A parameter that has to be there."""
        value = self.members.get(name)
        if not isinstance(value, str) or not value:
            raise CscError(f"Missing (or invalid type) string parameter {name}")
        if len(value) > MAX_TEXT:
            raise CscError(f"Invalid parameter {name}")
        return value

    def choice(self, name: str, allowed: tuple[str, ...], otherwise: str) -> str:
        """One of a few words."""
        value = self.members.get(name, otherwise)
        if value not in allowed:
            raise CscError(f"Invalid parameter {name}")
        return str(value)

    def flag(self, name: str) -> bool:
        """A boolean, false by default."""
        value = self.members.get(name, False)
        if not isinstance(value, bool):
            raise CscError(f"Invalid parameter {name}")
        return value

    def count(self) -> int:
        """``numSignatures``."""
        value = self.members.get("numSignatures")
        if not isinstance(value, int) or isinstance(value, bool):
            raise CscError("Missing (or invalid type) integer parameter numSignatures")
        if value < 1:
            raise CscError("Invalid value for parameter numSignatures")
        if value > MOST_HASHES:
            raise CscError("Numbers of signatures is too high")
        return value

    def hashes(self) -> list[bytes]:
        """The digests, decoded."""
        value = self.members.get(self.names.hashes)
        if not isinstance(value, list):
            raise CscError(f"Missing (or invalid type) array parameter {self.names.hashes}")
        if not value:
            raise CscError("Empty hash array")
        if len(value) > MOST_HASHES:
            raise CscError("Numbers of signatures is too high")
        return [_decoded(item) for item in value]

    def check_algorithms(self, kind: Kind, hashes: list[bytes], *, signing: bool) -> None:
        """Whether ``signAlgo`` and the hash are the credential's. A hash that ``signAlgo`` implies may be left out."""
        chosen = self.text("signAlgo") if signing else kind.algos[0]
        if chosen not in kind.algos:
            raise CscError("Invalid parameter signAlgo")
        if self.members.get("signAlgoParams") is not None:
            self.text("signAlgoParams")
        if signing and chosen == RSA:
            self.text(self.names.hash_algorithm)
        if self.members.get(self.names.hash_algorithm) not in (None, kind.hash):
            raise CscError(f"Invalid parameter {self.names.hash_algorithm}")
        if any(len(digest) != 32 for digest in hashes):
            raise CscError("Invalid digest value length")


def read(raw: bytes, names: Names) -> Parameters:
    """The parameters of a request's body. An empty body has none."""
    try:
        value = json.loads(raw or b"{}", object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        raise CscError("The body is not a JSON object") from error
    if not isinstance(value, dict):
        raise CscError("The body is not a JSON object")
    return Parameters(value, names)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a parameter stands twice")
    return found


def _decoded(value: Any) -> bytes:
    if not isinstance(value, str) or len(value) > 128:
        raise CscError("Invalid Base64 hash string parameter")
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError) as error:
        raise CscError("Invalid Base64 hash string parameter") from error
