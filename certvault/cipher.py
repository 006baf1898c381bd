"""Encryption at rest and blind indexes, under keys that the backend wraps.

A sealed value is ``0x01 | generation (2 bytes) | salt (16) | AES-256-GCM ciphertext and tag``. Key and nonce of each
value are derived from the master key, the use and the random salt (HMAC-SHA-512), so no key meets two values and no
number of messages is too many. The context (what the value is, and of which record) is authenticated: a value moved to
another row does not open.

A blind index is HMAC-SHA-256, hex, over the kind and the normalised code, keyed per vault: equal codes of one vault
meet, and nobody without the key can try codes.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import threading
import unicodedata
from collections.abc import Callable, Sequence
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from certvault.errors import CorruptDataError
from certvault.model.keys import DataKey

_FORMAT = 1
_SALT = 16
_HEAD = 3


class Unwrapper(Protocol):
    """The half of a backend that opens data keys."""

    def unwrap(self, uri: str, wrapped: bytes) -> bytes:
        """The secret."""


class Cipher:
    """Seals and opens values. Data keys are unwrapped when the first value needs them, once per process."""

    def __init__(self, backend: Unwrapper, load: Callable[[], Sequence[DataKey]]) -> None:
        self._backend = backend
        self._load = load
        self._lock = threading.Lock()
        self._masters: dict[int, bytes] = {}
        self._index_key = b""

    def seal(self, context: str, plaintext: bytes) -> bytes:
        """Encrypt under the newest data key. ``context`` is e.g. ``license:IDENTIFIER``."""
        masters = self._keys()
        generation = max(masters)
        salt = os.urandom(_SALT)
        key, nonce = _derive(masters[generation], context, salt)
        head = bytes([_FORMAT]) + generation.to_bytes(2, "big")
        return head + salt + AESGCM(key).encrypt(nonce, plaintext, head + context.encode())

    def open(self, context: str, sealed: bytes) -> bytes:
        """The inverse of :meth:`seal`; CorruptDataError when the value was changed or is another context's."""
        master = self._keys().get(int.from_bytes(sealed[1:_HEAD], "big")) if sealed[:1] == bytes([_FORMAT]) else None
        if master is None:
            raise CorruptDataError(f"the value of {_kind(context)} is not sealed under a key of this vault")
        salt, body = sealed[_HEAD : _HEAD + _SALT], sealed[_HEAD + _SALT :]
        key, nonce = _derive(master, context, salt)
        try:
            return AESGCM(key).decrypt(nonce, body, sealed[:_HEAD] + context.encode())
        except InvalidTag as error:
            raise CorruptDataError(f"the value of {_kind(context)} does not open") from error

    def index(self, kind: str, code: str) -> str:
        """The blind index of ``code`` among codes of one ``kind``."""
        self._keys()
        return hmac.new(self._index_key, f"{kind}|{normalised(code)}".encode(), hashlib.sha256).hexdigest()

    def commitment(self, kind: str, data: bytes) -> bytes:
        """A keyed digest (32 bytes) of ``data`` as they are: it binds to them and tells nobody what they are."""
        self._keys()
        return hmac.new(self._index_key, b"commitment|" + kind.encode() + b"|" + data, hashlib.sha256).digest()

    def _keys(self) -> dict[int, bytes]:
        if self._masters:
            return self._masters
        with self._lock:
            if not self._masters:
                masters: dict[int, bytes] = {}
                for key in self._load():
                    secret = self._backend.unwrap(key.wrapping_uri, key.wrapped)
                    if key.use == "index":
                        self._index_key = secret
                    else:
                        masters[key.generation] = secret
                if not masters or not self._index_key:
                    raise CorruptDataError("the database holds no data keys")
                self._masters = masters
        return self._masters


def normalised(code: str) -> str:
    """A code as it is indexed: NFKC (full-width forms become plain), upper case, without white space."""
    return "".join(unicodedata.normalize("NFKC", code).upper().split())


def _derive(master: bytes, context: str, salt: bytes) -> tuple[bytes, bytes]:
    block = hmac.new(master, b"certvault-seal/1|" + _kind(context).encode() + b"|" + salt, hashlib.sha512).digest()
    return block[:32], block[32:44]


def _kind(context: str) -> str:
    return context.partition(":")[0]
