"""The door to one key."""

from __future__ import annotations

from typing import Protocol

from signing.backends.base import Backend
from signing.errors import PurposeError
from signing.keys import KeyHandle
from signing.tbs import ToBeSigned


class Signer(Protocol):
    """Signs what its key is for and nothing else."""

    @property
    def handle(self) -> KeyHandle:
        """The key behind this door."""

    def sign(self, tbs: ToBeSigned) -> bytes:
        """The signature value: DER ``SEQUENCE{r, s}`` for ECDSA, the raw block for RSA.

        Raises PurposeError for bytes of another purpose, else the errors of :mod:`signing.errors`.
        """


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
