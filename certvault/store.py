"""Where documents lie: a small interface, a folder behind it, or an S3 bucket (:mod:`certvault.store_s3`).

What is stored is ciphertext under random names; neither names nor contents say what a document is.
"""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from certvault.errors import StorageFullError, StorageUnavailableError

LEAST_FREE = 1 << 20
"""Bytes without which a store is not ready: a document has some hundred thousand."""


class Store(Protocol):
    """Keeps blobs by name."""

    def put(self, name: str, content: bytes) -> None:
        """Keep ``content``; when this returns, it is on stable storage, and never half of it."""

    def get(self, name: str) -> bytes:
        """The content; StorageUnavailableError when it is not there."""

    def delete(self, name: str) -> None:
        """Forget the content. Idempotent."""

    def names(self) -> Iterator[str]:
        """Every name, in no order."""

    def check(self) -> None:
        """Raise when the store cannot be used now."""


def new_name() -> str:
    """A random name of 32 hex digits."""
    return secrets.token_hex(16)


class FolderStore:
    """Blobs as files ``ab/abcdef…`` below one folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, name: str, content: bytes) -> None:
        path = self._path(name)
        temporary = path.with_suffix(".tmp")
        with _translated(name):
            self._make(path.parent)
            try:
                descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
                with os.fdopen(descriptor, "wb") as file:
                    file.write(content)
                    file.flush()
                    os.fsync(file.fileno())
                os.replace(temporary, path)
            except OSError:
                with contextlib.suppress(OSError):
                    temporary.unlink()
                raise
            _sync_folder(path.parent)

    def get(self, name: str) -> bytes:
        with _translated(name):
            return self._path(name).read_bytes()

    def delete(self, name: str) -> None:
        with _translated(name):
            self._path(name).unlink(missing_ok=True)

    def names(self) -> Iterator[str]:
        if not self._folder.is_dir():
            return
        for shelf in sorted(p for p in self._folder.iterdir() if p.is_dir()):
            for path in shelf.iterdir():
                yield path.name

    def check(self) -> None:
        with _translated(""):
            self._make_root()
            if not os.access(self._folder, os.W_OK):
                raise PermissionError(errno.EACCES, "not writable")
            free = os.statvfs(self._folder)
            if free.f_bavail * free.f_frsize < LEAST_FREE:
                raise OSError(errno.ENOSPC, "hardly any space left")

    def _path(self, name: str) -> Path:
        return self._folder / name[:2] / name

    def _make_root(self) -> None:
        self._folder.parent.mkdir(parents=True, exist_ok=True)
        self._folder.mkdir(exist_ok=True, mode=0o700)

    def _make(self, shelf: Path) -> None:
        if not shelf.is_dir():
            self._make_root()
            shelf.mkdir(exist_ok=True, mode=0o700)
            _sync_folder(self._folder)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def _translated(name: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise StorageFullError("no space left for documents") from error
        raise StorageUnavailableError(
            f"the document store failed for {name or 'its folder'}: {error.strerror}"
        ) from error
