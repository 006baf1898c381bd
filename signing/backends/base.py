"""What every place that keeps keys must offer. The interface knows no backend.

There is no export of plaintext private keys here, and there never will be one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import unquote

from signing.backends.shares import Share
from signing.errors import SigningError
from signing.keys import KeyHandle, KeyPurpose
from verify.formats.algorithms import Algorithm

PinSource = Callable[[], str]
"""Gives the PIN or passphrase when it is needed; raises ``signing.errors.PinError`` when there is none."""


@dataclass(frozen=True, slots=True)
class SharedKey:
    """A backup key that was split: its URI, its identifier, and its shares, one for each keeper."""

    uri: str
    key_id: str
    shares: tuple[Share, ...]


class Backend(Protocol):
    """A home of keys."""

    @property
    def uri(self) -> str:
        """The backend's own name without secrets, for errors and ``doctor``."""

    def generate(self, label: str, algorithm: Algorithm, purpose: KeyPurpose, *, exportable: bool = False) -> KeyHandle:
        """Make a key pair. ``label`` is unique in the backend; an existing one raises SigningError."""

    def handle_for(self, uri_or_label: str, algorithm: Algorithm, purpose: KeyPurpose) -> KeyHandle:
        """The handle of a key that is there already.

        Raises KeyNotFoundError when there is none, MechanismError when the key is not of the kind ``algorithm`` needs.
        """

    def keys(self) -> list[str]:
        """URIs of the key pairs that are there, sorted."""

    def sign(self, handle: KeyHandle, data: bytes) -> bytes:
        """Sign ``data`` (hashed here, per ``handle.algorithm``).

        ECDSA values are DER ``SEQUENCE{r, s}``; RSA values are the raw block. Thread-safe.
        Use a :class:`signing.signer.Signer`, which checks the purpose, instead of calling this.
        """

    def sign_digest(self, handle: KeyHandle, digest: bytes) -> bytes:
        """Sign a digest that was made elsewhere; values as from :meth:`sign`, and as it only through a Signer.

        ``digest`` is of the hash that ``handle.algorithm`` names; for SM2 it is ``e = SM3(ZA || M)`` of GB/T 32918.2,
        5.5 and 6.1. SigningError for a digest of another length.
        """

    def destroy(self, handle: KeyHandle) -> None:
        """Destroy the private key. Idempotent."""

    def generate_wrapping_key(self, label: str) -> str:
        """Make an AES-256 key that never leaves the backend and return its URI."""

    def wrap(self, uri: str, secret: bytes) -> bytes:
        """Encrypt up to 64 bytes under the wrapping key, authenticated."""

    def unwrap(self, uri: str, wrapped: bytes) -> bytes:
        """The inverse of :meth:`wrap`; raises SigningError when ``wrapped`` was changed or is of another key."""

    def generate_backup_key(self, label: str) -> str:
        """Make an AES-256 key that wraps private keys and does nothing else, and return its URI."""

    def back_up(self, handle: KeyHandle, under: str) -> bytes:
        """The private key as PKCS#8, wrapped under a backup key: AES key wrap with padding, RFC 5649.

        Raises NotExportableError unless the key was made with ``exportable``.
        """

    def put_back(self, handle: KeyHandle, under: str, wrapped: bytes) -> KeyHandle:
        """The inverse of :meth:`back_up`, under the label it had; it stays exportable. Returns its handle here.

        ``handle`` may be another backend's: the key then comes to this one. Raises SigningError for a name that is
        taken, or when ``wrapped`` was changed or is of another backup key.
        """

    def generate_shared_backup_key(self, label: str, threshold: int, count: int, purpose: str) -> SharedKey:
        """Make a backup key and its shares, any ``threshold`` of ``count`` of which give it back.

        It is called ``label``, a hyphen and its identifier. The shares leave the backend here and never again.
        ShareError for impossible numbers, NotExportableError where nothing is backed up.
        """

    def restore_backup_key(self, label: str, shares: Sequence[Share]) -> str:
        """The backup key that ``shares`` give, kept here, called as in :meth:`generate_shared_backup_key`; its URI.

        When it is there already, that one is used. Raises ShareError.
        """

    def back_up_wrapped(self, uri: str, wrapped: bytes, under: str) -> bytes:
        """A secret that :meth:`wrap` wrapped under ``uri``, wrapped under a backup key instead (RFC 5649)."""

    def put_back_wrapped(self, uri: str, wrapped: bytes, under: str) -> bytes:
        """The inverse of :meth:`back_up_wrapped`: the secret wrapped under the wrapping key ``uri``."""

    def close(self) -> None:
        """Give sessions back and forget PINs. The backend may be used again afterwards."""


LABEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
"""What a key may be called: safe as a file name, in a URI and on any token."""

MAX_SECRET = 64
"""Longest secret, in bytes, that a wrapping key takes."""


def checked_label(label: str, uri: str) -> str:
    """``label`` itself; raises SigningError when it is not a name that every backend can keep."""
    if LABEL.fullmatch(label) is None:
        raise SigningError(f"{label!r} is no key label: 1 to 64 of A-Z a-z 0-9 . _ - are", uri=uri)
    return label


def label_of(uri: str) -> str:
    """The label in a key's URI of any backend; SigningError when it has none."""
    scheme, _, rest = uri.partition(":")
    if scheme == "pkcs11":
        attributes = dict(part.partition("=")[::2] for part in rest.partition("?")[0].split(";"))
        rest = unquote(attributes.get("object", ""))
    return checked_label(rest, uri)


def checked_secret(secret: bytes, uri: str) -> bytes:
    """``secret`` itself; raises SigningError when it is empty or longer than a wrapping key takes."""
    if not 0 < len(secret) <= MAX_SECRET:
        raise SigningError(f"a wrapped secret has 1 to {MAX_SECRET} bytes, not {len(secret)}", uri=uri)
    return secret
