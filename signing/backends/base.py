"""What every place that keeps keys must offer. The interface knows no backend.

There is no export of plaintext private keys here, and there never will be one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from signing.keys import KeyHandle, KeyPurpose
from verify.formats.algorithms import Algorithm

PinSource = Callable[[], str]
"""Gives the PIN or passphrase when it is needed; raises ``signing.errors.PinError`` when there is none."""


class Backend(Protocol):
    """A home of keys."""

    @property
    def uri(self) -> str:
        """The backend's own name without secrets, for errors and ``doctor``."""

    def generate(self, label: str, algorithm: Algorithm, purpose: KeyPurpose, *, exportable: bool = False) -> KeyHandle:
        """Make a key pair. ``label`` is unique in the backend; an existing one raises SigningError."""

    def sign(self, handle: KeyHandle, data: bytes) -> bytes:
        """Sign ``data`` (hashed here, per ``handle.algorithm``).

        ECDSA values are DER ``SEQUENCE{r, s}``; RSA values are the raw block. Thread-safe.
        Use a :class:`signing.signer.Signer`, which checks the purpose, instead of calling this.
        """

    def destroy(self, handle: KeyHandle) -> None:
        """Destroy the private key. Idempotent."""

    def generate_wrapping_key(self, label: str) -> str:
        """Make an AES-256 key that never leaves the backend and return its URI."""

    def wrap(self, uri: str, secret: bytes) -> bytes:
        """Encrypt up to 64 bytes under the wrapping key, authenticated."""

    def unwrap(self, uri: str, wrapped: bytes) -> bytes:
        """The inverse of :meth:`wrap`; raises SigningError when ``wrapped`` was changed or is of another key."""

    def close(self) -> None:
        """Give sessions back. The backend may be used again afterwards."""
