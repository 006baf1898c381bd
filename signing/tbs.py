"""Bytes that wait for a signature, tied to the one purpose they are for."""

from __future__ import annotations

from dataclasses import dataclass

from signing.keys import KeyPurpose


@dataclass(frozen=True, slots=True)
class ToBeSigned:
    """Made by the format writers of ``signing.formats``; a Signer of another purpose refuses it."""

    data: bytes
    purpose: KeyPurpose


PREHASHED_PURPOSES = frozenset({KeyPurpose.SEAL})
"""The purposes whose keys sign a digest that somebody else made. Whoever gives a digest hides what it stands for, so
that keys of authority (certificates, revocation lists, timestamps, answers) never sign one."""


@dataclass(frozen=True, slots=True)
class DigestToBeSigned:
    """The digest of bytes that were hashed elsewhere, such as by a caller of the remote signing service.

    ``digest`` is of the hash that the key's algorithm has; for SM2 it is ``e`` of GB/T 32918.2, identity included.
    """

    digest: bytes
    purpose: KeyPurpose
