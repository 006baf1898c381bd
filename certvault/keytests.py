"""Testing keys: each signs a text that says what it is, and its own public half verifies the value.

The text is of no use to anyone who gets hold of the value. It begins with a word, so that it is no DER, JOSE, COSE or
signed attributes; it says in both languages that it was signed as a test and means nothing; it names vault and key and
carries a nonce. The signature is asked for through the key's own door and purpose and is thrown away.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from certvault.keyring import Keyring
from certvault.model.keys import KeyRecord, KeyState
from signing.errors import (
    BackendUnavailableError,
    KeyNotFoundError,
    MechanismError,
    PinError,
    SigningError,
)
from signing.tbs import ToBeSigned

_DOMAIN = (
    "certvault key test 1\n"
    "本文仅为密钥检测而签名，不具任何含义。This text was signed to test a key and means nothing.\n"
    "vault: {vault}\nkey: {key}\nnonce: {nonce}\n"
)


@dataclass(frozen=True, slots=True)
class KeyTests:
    """Tests the keys that a vault still has."""

    keyring: Keyring
    vault_id: str

    def run(self) -> tuple[list[str], int]:
        """A problem for each key that fails, with its remedy, and how many were tested.

        A device that is away or refuses the PIN is told once, not for each of its keys.
        """
        self.keyring.refresh()
        keys = [k for k in self.keyring.all() if k.state is not KeyState.DESTROYED]
        problems: list[str] = []
        for number, key in enumerate(keys):
            try:
                good = self.works(key)
            except (BackendUnavailableError, PinError) as error:
                left = len(keys) - number
                return [*problems, f"{_told(key, error)} ({left} keys not tested)"], number
            except SigningError as error:
                problems.append(_told(key, error))
                continue
            if not good:
                problems.append(
                    f"{key.owner}/{key.name}: the signature does not verify: the device holds another key under its "
                    f"name [{key.uri}]; put the right one back with key restore, or replace it with key rollover"
                )
        return problems, len(keys)

    def works(self, key: KeyRecord) -> bool:
        """Whether ``key`` signs what its public half verifies. Raises the errors of :mod:`signing.errors`."""
        text = probe_text(self.vault_id, key.id)
        signature = self.keyring.signer(key).sign(ToBeSigned(text, key.purpose))
        return self.keyring.verifies(key.id, text, signature)


def probe_text(vault_id: str, key_id: str) -> bytes:
    """What a key signs to be tested; another one each time."""
    return _DOMAIN.format(vault=vault_id, key=key_id, nonce=secrets.token_hex(16)).encode()


def _told(key: KeyRecord, error: SigningError) -> str:
    return f"{key.owner}/{key.name}: {error}; {_remedy(key, error)}"


def _remedy(key: KeyRecord, error: SigningError) -> str:
    match error:
        case BackendUnavailableError():
            return "bring the device back; no restart is needed"
        case PinError():
            return "correct the PIN file or the environment"
        case KeyNotFoundError() if key.state is KeyState.ACTIVE:
            return "put it back with key restore, or replace it with key rollover"
        case KeyNotFoundError():
            return "put it back with key restore, or record its end with key destroy"
        case MechanismError():
            return "check the token's mechanisms and the suite, then replace the key with key rollover"
        case _:
            return "look at the device's own log, then put the key back or replace it with key rollover"
