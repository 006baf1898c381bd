"""The door to one key."""

from __future__ import annotations

from typing import Protocol

from signing.backends.base import Backend
from signing.errors import PurposeError
from signing.keys import KeyHandle
from signing.tbs import PREHASHED_PURPOSES, DigestToBeSigned, ToBeSigned


class Signer(Protocol):
    """Signs what its key is for and nothing else."""

    @property
    def handle(self) -> KeyHandle:
        """The key behind this door."""

    def sign(self, tbs: ToBeSigned) -> bytes:
        """The signature value: DER ``SEQUENCE{r, s}`` for ECDSA, the raw block for RSA.

        Raises PurposeError for bytes of another purpose, else the errors of :mod:`signing.errors`.
        """


class DigestSigner(Signer, Protocol):
    """A Signer that also signs digests made elsewhere."""

    def sign_digest(self, tbs: DigestToBeSigned) -> bytes:
        """As :meth:`sign`, over a digest. PurposeError also for a purpose that signs no digests."""


class BackendSigner:
    """A Signer over a Backend."""

    def __init__(self, backend: Backend, handle: KeyHandle) -> None:
        self._backend = backend
        self._handle = handle

    @property
    def handle(self) -> KeyHandle:
        return self._handle

    def sign(self, tbs: ToBeSigned) -> bytes:
        if tbs.purpose is not self._handle.purpose:
            raise PurposeError(
                f"a {self._handle.purpose.value} key does not sign {tbs.purpose.value}", uri=self._handle.uri
            )
        return self._backend.sign(self._handle, tbs.data)

    def sign_digest(self, tbs: DigestToBeSigned) -> bytes:
        """See :class:`DigestSigner`."""
        if tbs.purpose is not self._handle.purpose:
            raise PurposeError(
                f"a {self._handle.purpose.value} key does not sign {tbs.purpose.value}", uri=self._handle.uri
            )
        if tbs.purpose not in PREHASHED_PURPOSES:
            raise PurposeError(f"a {tbs.purpose.value} key signs no digest that others made", uri=self._handle.uri)
        return self._backend.sign_digest(self._handle, tbs.digest)
