"""Backing keys up, putting them back, destroying them.

Only a key that was made for it (``key rollover … --exportable``) is backed up: as PKCS#8 wrapped inside the backend
under a key that wraps keys and does nothing else (RFC 5649). The file is JSON and useless without that backup key. It
stays where it was made, unless it was made in shares: then enough of its keepers bring it to another device, and the
key after it. Nothing here ever holds a private key in the clear.
"""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from certvault.datakeys import note_data_keys, require_same_data_keys
from certvault.db.unit_of_work import Database
from certvault.errors import forbidden, not_found
from certvault.keyrefusals import active, bad_shares, needed, no_backup, not_exportable, not_opened, present
from certvault.keyring import Keyring
from certvault.keytests import probe_text
from certvault.model.actor import Actor, Role
from certvault.model.keys import KeyRecord, KeyState, event
from signing.backends.base import label_of
from signing.backends.shares import read_share
from signing.errors import KeyNotFoundError, NotExportableError, ShareError, SigningError
from signing.keys import KeyHandle, KeyPurpose
from signing.tbs import ToBeSigned

FORMAT = "certvault-key/1"
MAX_FILE = 65_536
_MEMBERS = ("format", "vault", "key", "under", "wrapped")
_BACKUP_KEY = "key-backup"
DATA = "data"
"""What stands for the data keys, where a key's id stands for the others."""


class KeyCare:
    """What custodians and operators do with single keys."""

    def __init__(self, database: Database, keyring: Keyring, vault_id: str) -> None:
        self._database = database
        self._keyring = keyring
        self._vault_id = vault_id

    def new_backup_key(
        self, threshold: int, count: int, actor: Actor, keep: Callable[[Sequence[tuple[int, str]]], None]
    ) -> str:
        """A new backup key in shares, any ``threshold`` of ``count`` of which give it back; returns its identifier.

        From now on backups are made under it. ``keep`` is handed the shares' numbers and texts, once; when it raises,
        the new key is not used. RefusedError (KEY_SHARES) for impossible numbers.
        """
        if not actor.has(Role.CUSTODIAN):
            raise forbidden(Role.CUSTODIAN)
        purpose = f"key backup 密钥备份 {self._vault_id}"
        try:
            made = self._keyring.backend.generate_shared_backup_key(self._backup_label, threshold, count, purpose)
        except ShareError as error:
            raise bad_shares(error) from error
        keep([(share.number, share.to_text()) for share in made.shares])
        with self._database.writing() as uow:
            told = event(
                "BACKUP_KEY_CREATED", "key-backup", actor.subject, key=made.key_id, shares=count, any=threshold
            )
            uow.set_fact(_BACKUP_KEY, made.uri, told)
        return made.key_id

    def back_up(self, key_id: str, actor: Actor) -> bytes:
        """The backup of a key, as a file. ConflictError (KEY_NOT_EXPORTABLE) for a key that was not made for it.

        ``data`` names the data keys, without which a vault that came to another device reads nothing.
        """
        if key_id == DATA:
            return self._back_up_data(actor)
        key = self._key(key_id, actor)
        under = self._backup_key(actor)
        try:
            wrapped = self._keyring.backend.back_up(key.handle, under)
        except NotExportableError as error:
            raise not_exportable(key) from error
        with self._database.writing() as uow:
            uow.record([event("KEY_BACKED_UP", f"key:{key.id}", actor.subject, purpose=key.purpose.value)])
        value = {
            "format": FORMAT,
            "vault": self._vault_id,
            "key": key.id,
            "name": key.name,
            "owner": key.owner,
            "under": under,
            "wrapped": base64.b64encode(wrapped).decode(),
        }
        return json.dumps(value, indent=2).encode() + b"\n"

    def restore(self, file: bytes, actor: Actor, shares: Sequence[str] = ()) -> KeyRecord | None:
        """Put a key back that the backend has lost or destroyed, or never had: one that comes from another device.

        ``shares`` are the texts of enough shares of the backup key; without them it has to be there. None for the data
        keys. RefusedError (NOT_A_KEY_BACKUP) for another kind of file or one that was changed, (KEY_SHARES) for shares
        that do not give the key, ConflictError (KEY_PRESENT) while the key is there.
        """
        value = _read(file)
        if value["vault"] != self._vault_id:
            raise no_backup("该备份属于另一保管库", "the backup is of another vault")
        if value["key"] == DATA:
            self._restore_data(value, actor, shares)
            return None
        key = self._key(value["key"], actor)
        if self._is_there(key):
            raise present(key)
        under = self._under(value, shares)
        key = key.moved(self._put_back(key, under, value["wrapped"]).uri)
        text = probe_text(self._vault_id, key.id)
        signature = self._keyring.signer(key).sign(ToBeSigned(text, key.purpose))
        if not self._keyring.verifies(key.id, text, signature):
            self._keyring.backend.destroy(key.handle)
            raise no_backup("备份中的密钥与登记的公钥不符", "the key in the backup is not the one that is registered")
        self._keep_using(under, shares, actor)
        return self._saved(key.put_back(), "KEY_RESTORED", actor)

    def destroy(self, key_id: str, actor: Actor) -> KeyRecord:
        """Destroy a key that signs no more. What it signed stays good, and its certificates stay known.

        ConflictError: KEY_ACTIVE, or KEY_NEEDED for a CA's key, which signs revocation lists as long as anything it
        certified lives. Repeated after a crash it goes on where it stood.
        """
        key = self._key(key_id, actor)
        if key.state is KeyState.ACTIVE:
            raise active(key)
        if key.purpose is KeyPurpose.CA:
            raise needed(key)
        if key.state is not KeyState.DESTROYED:  # the intent is recorded before the deed
            key = self._saved(key.destroyed(), "KEY_DESTROYED", actor)
        self._keyring.backend.destroy(key.handle)
        return key

    def _key(self, key_id: str, actor: Actor) -> KeyRecord:
        if not actor.has(Role.CUSTODIAN):
            raise forbidden(Role.CUSTODIAN)
        self._keyring.refresh()
        key = self._keyring.by_id(key_id)
        if key is None:
            raise not_found("密钥", "key", key_id[:40])
        return key

    def _backup_key(self, actor: Actor) -> str:
        """The vault's backup key; made when the first key is backed up."""
        with self._database.reading() as view:
            known = view.fact(_BACKUP_KEY)
        if known is not None:
            return known
        label = f"{self._backup_label}-{len(self._keyring.all())}"
        uri = self._keyring.backend.generate_backup_key(label)
        with self._database.writing() as uow:
            uow.set_fact(_BACKUP_KEY, uri, event("BACKUP_KEY_CREATED", "key-backup", actor.subject))
        return uri

    def _is_there(self, key: KeyRecord) -> bool:
        try:
            self._keyring.backend.handle_for(key.uri, key.algorithm, key.purpose)
        except KeyNotFoundError:
            return False
        return True

    @property
    def _backup_label(self) -> str:
        return f"{self._vault_id[:8]}-backup"

    def _under(self, value: Mapping[str, str], texts: Sequence[str]) -> str:
        """The URI here of the backup key that made this backup; brought here from its shares when they are given."""
        if not texts:
            with self._database.reading() as view:
                here = view.fact(_BACKUP_KEY)
            return here if here is not None and label_of(here) == label_of(value["under"]) else value["under"]
        try:
            uri = self._keyring.backend.restore_backup_key(self._backup_label, [read_share(text) for text in texts])
        except ShareError as error:
            raise bad_shares(error) from error
        return uri

    def _keep_using(self, uri: str, texts: Sequence[str], actor: Actor) -> None:
        """Later backups are made under the backup key that came from shares, once it opened a backup of this vault:
        anybody can write shares that give *a* key."""
        with self._database.reading() as view:
            known = view.fact(_BACKUP_KEY)
        if texts and known != uri:
            with self._database.writing() as uow:
                told = event("BACKUP_KEY_RESTORED", "key-backup", actor.subject, shares=len(texts))
                uow.set_fact(_BACKUP_KEY, uri, told)

    def _back_up_data(self, actor: Actor) -> bytes:
        if not actor.has(Role.CUSTODIAN):
            raise forbidden(Role.CUSTODIAN)
        under = self._backup_key(actor)
        with self._database.reading() as view:
            keys = view.data_keys.all()
        backend = self._keyring.backend
        wrapped = [
            f"{k.use}:{k.generation}:"
            f"{base64.b64encode(backend.back_up_wrapped(k.wrapping_uri, k.wrapped, under)).decode()}"
            for k in keys
        ]
        with self._database.writing() as uow:
            note_data_keys(uow, backend, keys, actor.subject)
            uow.record([event("KEY_BACKED_UP", "data-keys", actor.subject, keys=len(keys))])
        value = {
            "format": FORMAT,
            "vault": self._vault_id,
            "key": DATA,
            "under": under,
            "wrapped": " ".join(wrapped),
        }
        return json.dumps(value, indent=2).encode() + b"\n"

    def _restore_data(self, value: Mapping[str, str], actor: Actor, shares: Sequence[str]) -> None:
        """Wrap the data keys anew, under a wrapping key of this backend."""
        if not actor.has(Role.CUSTODIAN):
            raise forbidden(Role.CUSTODIAN)
        under, backend = self._under(value, shares), self._keyring.backend
        wrapping = backend.generate_wrapping_key(f"{self._vault_id[:8]}-wrapping-{secrets.token_hex(4)}")
        given: dict[tuple[str, int], bytes] = {}
        try:
            for part in value["wrapped"].split():
                use, generation, wrapped = part.split(":")
                given[use, int(generation)] = backend.put_back_wrapped(
                    wrapping, base64.b64decode(wrapped, validate=True), under
                )
        except (SigningError, ValueError) as error:
            raise not_opened(error) from error
        with self._database.writing() as uow:
            known = uow.data_keys.all()
            if {(k.use, k.generation) for k in known} != set(given):
                raise no_backup("备份中的数据密钥不全", "the backup does not hold all the data keys of this vault")
            brought = [key.rewrapped(wrapping, given[key.use, key.generation]) for key in known]
            require_same_data_keys(uow.view, backend, brought)
            for key in brought:
                told = event("DATA_KEY_RESTORED", f"data-key:{key.use}-{key.generation}", actor.subject)
                uow.data_keys.save(key, told)
        self._keep_using(under, shares, actor)

    def _put_back(self, key: KeyRecord, under: str, wrapped: str) -> KeyHandle:
        try:
            return self._keyring.backend.put_back(key.handle, under, base64.b64decode(wrapped, validate=True))
        except (SigningError, ValueError) as error:
            raise not_opened(error) from error

    def _saved(self, key: KeyRecord, kind: str, actor: Actor) -> KeyRecord:
        with self._database.writing() as uow:
            saved = uow.keys.save(key, event(kind, f"key:{key.id}", actor.subject, name=key.name))
        self._keyring.refresh()
        return saved


def _read(file: bytes) -> Mapping[str, str]:
    try:
        value: Any = json.loads(file) if len(file) <= MAX_FILE else None
    except (ValueError, RecursionError):
        value = None
    if (
        not isinstance(value, dict)
        or any(not isinstance(value.get(member), str) for member in _MEMBERS)
        or value["format"] != FORMAT
    ):
        raise no_backup("该文件不是密钥备份", "the file is no backup of a key")
    return value
