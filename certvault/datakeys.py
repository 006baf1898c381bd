"""What data keys are known by, so that no others are put in their place.

Whoever makes up shares and a backup can wrap any bytes. Taken for the data keys, they would leave everything that is
stored unreadable and what comes later readable to the forger. So a keyed value of each key is kept as a fact; it tells
nothing about the key. A vault from before such values is known by its licenses.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence

from certvault.cipher import Cipher, Unwrapper
from certvault.db.unit_of_work import UnitOfWork, View
from certvault.errors import CorruptDataError
from certvault.keyrefusals import no_backup
from certvault.model.keys import DataKey, event


def note_data_keys(uow: UnitOfWork, backend: Unwrapper, keys: Sequence[DataKey], actor: str) -> None:
    """Keep the check values of keys that have none yet."""
    for key in keys:
        if uow.view.fact(_fact(key)) is None:
            about = event("DATA_KEY_NOTED", f"data-key:{key.use}-{key.generation}", actor)
            uow.set_fact(_fact(key), _value(backend, key), about)


def require_same_data_keys(view: View, backend: Unwrapper, keys: Sequence[DataKey]) -> None:
    """Refuse keys (wrapped for ``backend``) that are not this vault's; RefusedError (NOT_A_KEY_BACKUP)."""
    told = {key: view.fact(_fact(key)) for key in keys}
    if any(known is not None and not hmac.compare_digest(known, _value(backend, key)) for key, known in told.items()):
        raise _others()
    if None in told.values():
        _require_opens(view, Cipher(backend, lambda: keys))


def _require_opens(view: View, cipher: Cipher) -> None:
    for found in view.licenses.all(view.licenses.query().limit(1)):
        try:
            cipher.open(f"license:{found.identifier}", found.sealed)
        except CorruptDataError as error:
            raise _others() from error


def _value(backend: Unwrapper, key: DataKey) -> str:
    """HMAC-SHA-256 under the key, hex."""
    text = f"certvault-data-key/1|{key.use}|{key.generation}"
    return hmac.new(backend.unwrap(key.wrapping_uri, key.wrapped), text.encode(), hashlib.sha256).hexdigest()


def _fact(key: DataKey) -> str:
    return f"data-key-check:{key.use}-{key.generation}"


def _others() -> Exception:
    return no_backup("备份中的数据密钥不是本库的", "the data keys in the backup are not this vault's")
