"""Orders without a key: for rehearsals, which do everything of an act of sealing but use one.

They hold data only, so that another process, which has no key, can rehearse them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NoReturn

from signing.errors import SigningError
from signing.formats.pdf_signature import Stamp, Value, room_of
from signing.keys import KeyHandle
from signing.signer import Signer
from signing.tbs import ToBeSigned


@dataclass(frozen=True, slots=True)
class Keyless:
    """Stands for the door to a key where nothing is signed."""

    handle: KeyHandle

    def sign(self, tbs: ToBeSigned) -> NoReturn:
        """Never signs: SigningError."""
        raise SigningError(f"a rehearsal signs no {tbs.purpose.value}", uri=self.handle.uri)


@dataclass(frozen=True, slots=True)
class KeylessStamp:
    """Stands for a timestamp authority: as many bytes as its tokens take, which say nothing."""

    token_size: int
    hash_name: str

    @classmethod
    def of(cls, stamp: Stamp) -> KeylessStamp:
        """With the room and the hash of a real one."""
        return cls(room_of(stamp), str(getattr(stamp, "hash_name", "sha256")))

    def __call__(self, digest: bytes, hash_name: str) -> bytes:
        del digest, hash_name
        return bytes(self.token_size)


def rehearsed(value: Value, signer: Signer) -> Value:
    """The value as it is; of one without a key, its room and no signature."""
    return replace(value, make=lambda _digest: bytes(value.room)) if isinstance(signer, Keyless) else value
