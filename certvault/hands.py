"""A key ready to work."""

from __future__ import annotations

from dataclasses import dataclass

from certvault.model.keys import KeyRecord
from signing.signer import Signer


@dataclass(frozen=True, slots=True)
class Hand:
    """One key ready to work: its record, door, certificate and the certificates above it without the root."""

    key: KeyRecord
    signer: Signer
    certificate: bytes
    chain: tuple[bytes, ...]
