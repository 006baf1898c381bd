"""Keys that live as long as the process: for tests and trials."""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence

from signing.backends import software
from signing.backends.base import SharedKey, checked_label
from signing.backends.shares import Share
from signing.errors import KeyNotFoundError, NotExportableError, SigningError
from signing.keys import KeyHandle, KeyPurpose
from verify.formats.algorithms import Algorithm


class MemoryBackend:
    """A home of keys that nothing outlives. Thread-safe; a forked child has its own copy."""

    def __init__(self) -> None:
        self._keys: dict[str, software.PrivateKey] = {}
        self._secrets: dict[str, bytes] = {}
        self._lock = threading.Lock()

    @property
    def uri(self) -> str:
        return "memory:"

    def generate(self, label: str, algorithm: Algorithm, purpose: KeyPurpose, *, exportable: bool = False) -> KeyHandle:
        """Make a key pair. ``exportable`` changes nothing: nothing leaves this backend."""
        uri = f"memory:{checked_label(label, self.uri)}"
        key = software.new_private_key(algorithm, uri)
        with self._lock:
            self._refuse_taken(uri)
            self._keys[uri] = key
        return KeyHandle(uri, software.spki_of(key), algorithm, purpose)

    def handle_for(self, uri_or_label: str, algorithm: Algorithm, purpose: KeyPurpose) -> KeyHandle:
        uri = uri_or_label if uri_or_label.startswith("memory:") else f"memory:{uri_or_label}"
        spki = software.spki_of(self._key(uri))
        software.check_kind(spki, algorithm, uri)
        return KeyHandle(uri, spki, algorithm, purpose)

    def keys(self) -> list[str]:
        return sorted(self._keys)

    def sign(self, handle: KeyHandle, data: bytes) -> bytes:
        return software.sign(self._key(handle.uri), handle.algorithm, data, handle.uri)

    def sign_digest(self, handle: KeyHandle, digest: bytes) -> bytes:
        return software.sign_digest(self._key(handle.uri), handle.algorithm, digest, handle.uri)

    def destroy(self, handle: KeyHandle) -> None:
        with self._lock:
            self._keys.pop(handle.uri, None)

    def generate_wrapping_key(self, label: str) -> str:
        uri = f"memory:{checked_label(label, self.uri)}"
        with self._lock:
            self._refuse_taken(uri)
            self._secrets[uri] = os.urandom(32)
        return uri

    def generate_backup_key(self, label: str) -> str:
        return self.generate_wrapping_key(label)

    def back_up(self, handle: KeyHandle, under: str) -> bytes:
        """Refused: nothing leaves this backend."""
        raise NotExportableError("keys in memory are not backed up", uri=handle.uri)

    def put_back(self, handle: KeyHandle, under: str, wrapped: bytes) -> KeyHandle:
        """Refused, as :meth:`back_up` is."""
        raise NotExportableError("keys in memory are not backed up", uri=handle.uri)

    def generate_shared_backup_key(self, label: str, threshold: int, count: int, purpose: str) -> SharedKey:
        """Refused, as :meth:`back_up` is."""
        raise NotExportableError("keys in memory are not backed up", uri=self.uri)

    def restore_backup_key(self, label: str, shares: Sequence[Share]) -> str:
        """Refused, as :meth:`back_up` is."""
        raise NotExportableError("keys in memory are not backed up", uri=self.uri)

    def back_up_wrapped(self, uri: str, wrapped: bytes, under: str) -> bytes:
        """Refused, as :meth:`back_up` is."""
        raise NotExportableError("secrets in memory are not backed up", uri=uri)

    def put_back_wrapped(self, uri: str, wrapped: bytes, under: str) -> bytes:
        """Refused, as :meth:`back_up` is."""
        raise NotExportableError("secrets in memory are not backed up", uri=uri)

    def wrap(self, uri: str, secret: bytes) -> bytes:
        return software.wrap(self._secret(uri), secret, uri)

    def unwrap(self, uri: str, wrapped: bytes) -> bytes:
        return software.unwrap(self._secret(uri), wrapped, uri)

    def close(self) -> None:
        """Nothing to give back."""

    def _refuse_taken(self, uri: str) -> None:
        if uri in self._keys or uri in self._secrets:
            raise SigningError("a key of this label exists", uri=uri)

    def _key(self, uri: str) -> software.PrivateKey:
        try:
            return self._keys[uri]
        except KeyError:
            raise KeyNotFoundError("no such key", uri=uri) from None

    def _secret(self, uri: str) -> bytes:
        try:
            return self._secrets[uri]
        except KeyError:
            raise KeyNotFoundError("no such wrapping key", uri=uri) from None
