"""Bytes that wait for a signature, tied to the one purpose they are for."""

from __future__ import annotations

from dataclasses import dataclass

from signing.keys import KeyPurpose


@dataclass(frozen=True, slots=True)
class ToBeSigned:
    """Made by the format writers of ``signing.formats``; a Signer of another purpose refuses it."""

    data: bytes
    purpose: KeyPurpose
