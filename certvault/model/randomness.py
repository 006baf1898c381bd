"""Random choices. From the operating system's generator: places and serials must not be guessable."""

from __future__ import annotations

import secrets

_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
SERIAL_CHARS = 16


def distinct_below(bound: int, count: int) -> list[int]:
    """``count`` different numbers in ``range(bound)``, in random order."""
    chosen: dict[int, None] = {}
    while len(chosen) < min(count, bound):
        chosen[secrets.randbelow(bound)] = None
    return list(chosen)


def identifier_serial() -> str:
    """The serial inside an identifier: 16 random characters of ``0-9A-Z`` (82 bits), the vault's own.

    Never the number on the face, which may be personal data.
    """
    return "".join(secrets.choice(_ALPHABET) for _ in range(SERIAL_CHARS))
