"""Backups: one encrypted file that holds everything a vault needs, and how it is put back.

Inside: ``vault.toml``, a consistent copy of the database (SQLite's backup interface; a PostgreSQL database is copied
into an SQLite file in one snapshot), every document of an issued license, and the keys when they live in the vault's
folder (encrypted key files, or the embedded SoftHSM token). Keys on another token stay there: only that token opens the
backup.

The file: a line of JSON (the head), then frames of 1 MiB, each AES-256-GCM under a fresh key with the frame's number
as nonce and a mark on the last, so that frames cannot be changed, dropped, moved or cut off. The fresh key is wrapped
under the PIN (scrypt) when the keys are inside, else under the token's wrapping key. The PIN itself is in no backup.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import io
import json
import os
import secrets
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from certvault.db.unit_of_work import Database, copy_database, documents_in
from certvault.errors import ConflictError, CorruptDataError, conflict
from certvault.model.keys import event
from certvault.recovery import Recovery
from certvault.settings import FILE_NAME, Settings, read_settings, write_pin
from certvault.store import FolderStore, Store
from signing.backends.base import Backend
from signing.errors import PinError
from verify.formats.refusal import refuse

FORMAT = "certvault-backup/1"
FRAME = 1 << 20
_TAG = 16
_SCRYPT = {"n": 1 << 15, "r": 8, "p": 1}
_MAX_HEAD = 16_384
_HEADS = {"pin": ("key", "salt"), "token": ("key", "keys_uri", "wrapping_uri")}
"""What stands in the head, by what opens the backup."""
DATABASE_FILE = "vault.db"
STORE_FOLDER = "store"


class Backup:
    """Writes backups of one vault."""

    def __init__(
        self,
        database: Database,
        store: Store,
        backend: Backend,
        recovery: Recovery,
        settings: Settings,
        pin: Callable[[], str],
    ) -> None:
        self._database = database
        self._store = store
        self._backend = backend
        self._recovery = recovery
        self._settings = settings
        self._pin = pin

    def write(self, path: Path, actor: str) -> None:
        """Write a backup to ``path``, whole or not at all. Issuing goes on meanwhile.

        Raises ConflictError (REWRITING) while maintenance rewrites documents.
        """
        with self._database.writing() as uow:
            uow.record([event("BACKUP_TAKEN", "vault", actor)])
        temporary = path.with_name(f".{path.name}.tmp")
        key = secrets.token_bytes(32)
        with (
            self._recovery.rewriting() as free,
            tempfile.TemporaryDirectory(dir=self._settings.folder, prefix=".backup-") as work,
        ):
            if not free:
                raise _rewriting()
            copy = Path(work) / DATABASE_FILE
            self._database.copy_to(copy)
            with _created(temporary) as file:
                file.write(json.dumps(self._head(key)).encode() + b"\n")
                with _Frames(file, key) as frames, tarfile.open(fileobj=frames, mode="w|") as archive:
                    self._fill(archive, copy)
        os.replace(temporary, path)

    def _fill(self, archive: tarfile.TarFile, copy: Path) -> None:
        folder = self._settings.folder
        archive.add(folder / FILE_NAME, FILE_NAME)
        archive.add(copy, DATABASE_FILE)
        for name in documents_in(copy):
            _add_bytes(archive, f"{STORE_FOLDER}/{name[:2]}/{name}", self._store.get(name))
        for home in _key_homes(self._settings):
            archive.add(folder / home, home)

    def _head(self, key: bytes) -> dict[str, Any]:
        if _key_homes(self._settings):
            salt = secrets.token_bytes(16)
            kek = AESGCM(_stretched(self._pin(), salt))
            wrapped = kek.encrypt(bytes(12), key, FORMAT.encode())
            return {"format": FORMAT, "opens_with": "pin", "salt": _text(salt), "key": _text(wrapped)}
        with self._database.reading() as view:
            uri = view.data_keys.all()[0].wrapping_uri
        return {
            "format": FORMAT,
            "opens_with": "token",
            "keys_uri": self._settings.keys_uri,
            "softhsm_conf": self._settings.softhsm_conf,
            "wrapping_uri": uri,
            "key": _text(self._backend.wrap(uri, key)),
        }


def restore(
    path: Path,
    folder: Path,
    pin: str,
    open_token: Callable[[str, str | None, str], Backend],
    *,
    database_url: str | None = None,
) -> Settings:
    """Put a backup into the empty ``folder`` and give the settings of the vault there.

    Documents go into a folder store. The database is SQLite, or, with ``database_url``, the empty database there.
    Raises RefusedError (NOT_A_BACKUP) for another kind of file, CorruptDataError for a backup that is not whole,
    PinError for a wrong PIN.
    """
    with path.open("rb") as file:
        head = _read_head(file)
        key = _opened_key(head, pin, open_token)
        with tarfile.open(fileobj=_FrameReader(file, key), mode="r|") as archive:
            archive.extractall(folder, filter="data")
    settings = read_settings(folder)
    if database_url is not None:
        copy_database(f"sqlite:///{folder / DATABASE_FILE}", database_url)
        (folder / DATABASE_FILE).unlink()
    settings = replace(
        settings,
        database_url=database_url or f"sqlite:///{DATABASE_FILE}",
        store_url=f"folder:{STORE_FOLDER}",
    )
    settings.write()
    if settings.pin_source == "file":
        write_pin(folder, pin)
    FolderStore(folder / STORE_FOLDER).check()
    return settings


def _key_homes(settings: Settings) -> list[str]:
    """The folders inside the vault that hold keys."""
    if settings.keys_uri.startswith("file:") and not settings.keys_uri.startswith("file:/"):
        return [settings.keys_uri.removeprefix("file:")]
    if settings.softhsm_conf is not None and not Path(settings.softhsm_conf).is_absolute():
        return [str(Path(settings.softhsm_conf).parent)]
    return []


def _opened_key(head: dict[str, Any], pin: str, open_token: Callable[[str, str | None, str], Backend]) -> bytes:
    if not pin:
        raise PinError("a backup opens with the PIN of its vault: none was given")
    if head["opens_with"] == "token":
        backend = open_token(head["keys_uri"], head.get("softhsm_conf"), pin)
        try:
            return backend.unwrap(head["wrapping_uri"], _bytes(head["key"]))
        finally:
            backend.close()
    salt, wrapped = _bytes(head["salt"]), _bytes(head["key"])
    try:
        return AESGCM(_stretched(pin, salt)).decrypt(bytes(12), wrapped, FORMAT.encode())
    except InvalidTag as error:
        raise PinError("the PIN does not open this backup") from error


def _read_head(file: BinaryIO) -> dict[str, Any]:
    try:
        head = json.loads(file.readline(_MAX_HEAD))
    except (ValueError, RecursionError):
        head = None
    known = isinstance(head, dict) and head.get("format") == FORMAT and head.get("opens_with") in _HEADS
    if not known or not all(isinstance(head.get(member), str) for member in _HEADS[head["opens_with"]]):
        raise refuse(
            "NOT_A_BACKUP",
            "file",
            "该文件不是保管库备份，或其版本无法识别",
            "the file is no backup of a vault, or of a version that this one does not know",
            remedy_zh="请指明由 certvault backup 写出的文件。",
            remedy_en="Name a file that certvault backup wrote.",
        )
    return dict(head)


class _Frames(io.RawIOBase):
    """Cuts what is written into sealed frames."""

    def __init__(self, file: BinaryIO, key: bytes) -> None:
        super().__init__()
        self._file = file
        self._cipher = AESGCM(key)
        self._rest = bytearray()
        self._number = 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._rest += data
        while len(self._rest) > FRAME:
            self._put(bytes(self._rest[:FRAME]), last=False)
            del self._rest[:FRAME]
        return len(data)

    def close(self) -> None:
        if not self.closed:
            self._put(bytes(self._rest), last=True)
        super().close()

    def _put(self, content: bytes, *, last: bool) -> None:
        sealed = self._cipher.encrypt(_nonce(self._number), content, _mark(last=last))
        self._file.write(len(sealed).to_bytes(4, "big") + sealed)
        self._number += 1


class _FrameReader(io.RawIOBase):
    """Opens frames one after the other; a change, a gap or a missing end raises CorruptDataError."""

    def __init__(self, file: BinaryIO, key: bytes) -> None:
        super().__init__()
        self._file = file
        self._cipher = AESGCM(key)
        self._rest = b""
        self._number = 0
        self._ended = False

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        while not self._ended and (size < 0 or len(self._rest) < size):
            self._rest += self._next()
        taken, self._rest = (self._rest, b"") if size < 0 else (self._rest[:size], self._rest[size:])
        return taken

    def _next(self) -> bytes:
        length = int.from_bytes(self._file.read(4), "big")
        if not _TAG <= length <= FRAME + _TAG:
            raise CorruptDataError("the backup is cut off")
        sealed = self._file.read(length)
        for last in (False, True):
            with contextlib.suppress(InvalidTag):
                content = self._cipher.decrypt(_nonce(self._number), sealed, _mark(last=last))
                self._number += 1
                self._ended = last
                return content
        raise CorruptDataError("the backup was changed")


@contextlib.contextmanager
def _created(path: Path) -> Iterator[BinaryIO]:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def _add_bytes(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    info = tarfile.TarInfo(name)
    info.size = len(content)
    info.mode = 0o600
    archive.addfile(info, io.BytesIO(content))


def _stretched(pin: str, salt: bytes) -> bytes:
    return hashlib.scrypt(pin.encode(), salt=salt, dklen=32, maxmem=1 << 26, **_SCRYPT)


def _nonce(number: int) -> bytes:
    return number.to_bytes(12, "big")


def _mark(*, last: bool) -> bytes:
    return b"last" if last else b"more"


def _text(value: bytes) -> str:
    return base64.b64encode(value).decode()


def _bytes(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError as error:
        raise CorruptDataError("the backup's head was changed") from error


def _rewriting() -> ConflictError:
    return conflict(
        "REWRITING",
        "",
        "维护正在重写文件",
        "maintenance is rewriting documents",
        remedy_zh="请稍后重试。",
        remedy_en="Try again a little later.",
    )
