"""Keys in a folder, encrypted under one passphrase.

``NAME.key`` is PEM: the encrypted private key, then the public key, so that the public half can be read without the
passphrase. ``NAME.wrap`` is a wrapping key. Files are 0600, the folder 0700; a file appears whole or not at all.
"""

from __future__ import annotations

import os
import secrets
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from asn1crypto import pem

from signing.backends import pkcs8, shares, software
from signing.backends.base import PinSource, SharedKey, checked_label, label_of
from signing.backends.pins import PinDoor
from signing.errors import BackendUnavailableError, KeyNotFoundError, NotExportableError, PinError, SigningError
from signing.keys import KeyHandle, KeyPurpose
from verify.formats.algorithms import Algorithm

T = TypeVar("T")
_EXPORTABLE = b"Exportable: yes\n"
"""Stands before the PEM blocks of a key that was made to be backed up."""


class FilesBackend:
    """A folder of encrypted keys. Thread-safe; several processes may share the folder.

    Opened keys stay in memory until :meth:`close`. A passphrase that was refused is not tried again; another one is, as
    soon as its source gives it.
    """

    def __init__(self, folder: Path, pin: PinSource | None) -> None:
        self._folder = folder
        self._door = PinDoor(
            pin, missing="no passphrase was given for this key folder", empty="the passphrase is empty"
        )
        self._keys: dict[str, software.PrivateKey] = {}
        self._secrets: dict[str, bytes] = {}
        self._lock = threading.RLock()

    @property
    def uri(self) -> str:
        return f"file:{self._folder}"

    def generate(self, label: str, algorithm: Algorithm, purpose: KeyPurpose, *, exportable: bool = False) -> KeyHandle:
        """Make a key pair. ``exportable`` is kept as the first line of its file."""
        uri = f"file:{checked_label(label, self.uri)}"
        key = software.new_private_key(algorithm, uri)
        spki = software.spki_of(key)
        with self._lock:
            self._prove()
            self._keep(uri, key, exportable=exportable)
        return KeyHandle(uri, spki, algorithm, purpose)

    def _keep(self, uri: str, key: software.PrivateKey, *, exportable: bool) -> None:
        text = _EXPORTABLE if exportable else b""
        text += pkcs8.seal_private_key(key, self._passphrase(uri)) + pkcs8.pem("PUBLIC KEY", software.spki_of(key))
        self._create(self._path(uri, ".key"), text, uri)
        self._keys[uri] = key

    def handle_for(self, uri_or_label: str, algorithm: Algorithm, purpose: KeyPurpose) -> KeyHandle:
        if uri_or_label.startswith(("pkcs11:", "memory:")):
            raise KeyNotFoundError(f"the key is of another place than {self.uri}", uri=uri_or_label)
        uri = uri_or_label if uri_or_label.startswith("file:") else f"file:{uri_or_label}"
        text = self._read(self._path(uri, ".key"), uri)
        start = text.find(b"-----BEGIN PUBLIC KEY-----")
        if start < 0:
            raise SigningError("the key file has no public half", uri=uri)
        _, _, spki = pem.unarmor(text[start:])
        software.check_kind(spki, algorithm, uri)
        return KeyHandle(uri, spki, algorithm, purpose)

    def keys(self) -> list[str]:
        return sorted(f"file:{p.stem}" for p in self._folder.glob("*.key"))

    def sign(self, handle: KeyHandle, data: bytes) -> bytes:
        return software.sign(self._private_key(handle.uri), handle.algorithm, data, handle.uri)

    def sign_digest(self, handle: KeyHandle, digest: bytes) -> bytes:
        return software.sign_digest(self._private_key(handle.uri), handle.algorithm, digest, handle.uri)

    def destroy(self, handle: KeyHandle) -> None:
        """Overwrite and remove the key file. Copies that a file system or a backup keeps are out of reach."""
        path = self._path(handle.uri, ".key")
        with self._lock:
            self._keys.pop(handle.uri, None)
            try:
                with path.open("r+b") as file:
                    file.write(secrets.token_bytes(path.stat().st_size))
                    os.fsync(file.fileno())
                path.unlink()
            except FileNotFoundError:
                return

    def generate_wrapping_key(self, label: str) -> str:
        return self._keep_secret(f"file:{checked_label(label, self.uri)}", secrets.token_bytes(32))

    def _keep_secret(self, uri: str, secret: bytes) -> str:
        with self._lock:
            self._prove()
            self._create(self._path(uri, ".wrap"), pkcs8.seal_secret(secret, self._passphrase(uri)), uri)
            self._secrets[uri] = secret
        return uri

    def generate_backup_key(self, label: str) -> str:
        return self.generate_wrapping_key(label)

    def back_up(self, handle: KeyHandle, under: str) -> bytes:
        if not self._read(self._path(handle.uri, ".key"), handle.uri).startswith(_EXPORTABLE):
            raise NotExportableError("the key was not made to be backed up", uri=handle.uri)
        return software.wrap_key(self._secret(under), pkcs8.plain_pkcs8(self._private_key(handle.uri)))

    def put_back(self, handle: KeyHandle, under: str, wrapped: bytes) -> KeyHandle:
        uri = f"file:{label_of(handle.uri)}"
        key = pkcs8.read_pkcs8(pkcs8.unpadded(software.unwrap_key(self._secret(under), wrapped, uri)), uri)
        if software.spki_of(key) != handle.spki:
            raise SigningError("the wrapped key is another one", uri=uri)
        with self._lock:
            self._prove()
            self._keep(uri, key, exportable=True)
        return KeyHandle(uri, handle.spki, handle.algorithm, handle.purpose)

    def generate_shared_backup_key(self, label: str, threshold: int, count: int, purpose: str) -> SharedKey:
        secret = shares.new_secret()
        parts = shares.split(secret, threshold, count, purpose)
        uri = f"file:{checked_label(f'{label}-{parts[0].key_id}', self.uri)}"
        return SharedKey(self._keep_secret(uri, secret), parts[0].key_id, parts)

    def restore_backup_key(self, label: str, given: Sequence[shares.Share]) -> str:
        secret = shares.combine(given)
        uri = f"file:{checked_label(f'{label}-{shares.key_id_of(secret)}', self.uri)}"
        return uri if self._path(uri, ".wrap").exists() else self._keep_secret(uri, secret)

    def back_up_wrapped(self, uri: str, wrapped: bytes, under: str) -> bytes:
        return software.wrap_key(self._secret(under), self.unwrap(uri, wrapped))

    def put_back_wrapped(self, uri: str, wrapped: bytes, under: str) -> bytes:
        return self.wrap(uri, software.unwrap_key(self._secret(under), wrapped, uri))

    def wrap(self, uri: str, secret: bytes) -> bytes:
        return software.wrap(self._secret(uri), secret, uri)

    def unwrap(self, uri: str, wrapped: bytes) -> bytes:
        return software.unwrap(self._secret(uri), wrapped, uri)

    def close(self) -> None:
        with self._lock:
            self._keys.clear()
            self._secrets.clear()
            self._door.forget()

    def _path(self, uri: str, suffix: str) -> Path:
        return self._folder / (checked_label(uri.removeprefix("file:"), uri) + suffix)

    def _private_key(self, uri: str) -> software.PrivateKey:
        key = self._keys.get(uri)
        if key is None:
            with self._lock:
                data = self._read(self._path(uri, ".key"), uri)
                key = self._keys[uri] = self._open(lambda pin: pkcs8.open_private_key(data, pin, uri), uri)
        return key

    def _secret(self, uri: str) -> bytes:
        secret = self._secrets.get(uri)
        if secret is None:
            with self._lock:
                data = self._read(self._path(uri, ".wrap"), uri)
                secret = self._secrets[uri] = self._open(lambda pin: pkcs8.open_secret(data, pin, uri), uri)
        return secret

    def _open(self, opener: Callable[[str], T], uri: str) -> T:
        try:
            return opener(self._passphrase(uri))
        except PinError:
            self._door.refuse()
            raise

    def _prove(self) -> None:
        """Open some key first, so that a mistyped passphrase never locks up a new one."""
        if not self._keys and not self._secrets and (there := self.keys()):
            self._private_key(there[0])

    def _passphrase(self, uri: str) -> str:
        return self._door.pin(uri)

    def _read(self, path: Path, uri: str) -> bytes:
        try:
            return path.read_bytes()
        except FileNotFoundError:
            if not self._folder.is_dir():
                raise BackendUnavailableError("the key folder is not there", uri=self.uri) from None
            raise KeyNotFoundError("no such key file", uri=uri) from None
        except OSError as error:
            raise BackendUnavailableError(f"the key file cannot be read: {error.strerror}", uri=uri) from error

    def _create(self, path: Path, data: bytes, uri: str) -> None:
        """Write a new file whole: a link fails when the name is taken, so no key is ever overwritten."""
        draft = path.with_name(f".{path.name}.{secrets.token_hex(6)}")
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            os.link(draft, path)
        except FileExistsError:
            raise SigningError("a key of this label exists", uri=uri) from None
        except OSError as error:
            raise BackendUnavailableError(f"the key file cannot be written: {error.strerror}", uri=uri) from error
        finally:
            draft.unlink(missing_ok=True)
