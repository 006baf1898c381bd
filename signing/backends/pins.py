"""PINs that were refused are remembered, so that none is tried a second time: a token locks after a few.

What is kept is a keyed digest under a key of this process, never the PIN.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Callable

from signing.errors import PinError


class PinMarks:
    """Tells PINs apart without keeping them. One for each process or backend."""

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)

    def of(self, pin: str) -> bytes:
        """The mark of ``pin``; compare marks with ``hmac.compare_digest``."""
        return hmac.new(self._key, pin.encode(), hashlib.sha256).digest()


class PinDoor:
    """One PIN source. A PIN that was refused is given out again only when the source has changed to another one."""

    def __init__(self, source: Callable[[], str] | None, *, missing: str, empty: str) -> None:
        self._source = source
        self._missing = missing
        self._empty = empty
        self._marks = PinMarks()
        self._pin: str | None = None
        self._refused: bytes | None = None

    def pin(self, uri: str) -> str:
        """The PIN. PinError when there is none, or when the source still gives the one that was refused."""
        if self._pin is not None:
            return self._pin
        if self._source is None:
            raise PinError(self._missing, uri=uri)
        pin = self._source()
        if not pin:
            raise PinError(self._empty, uri=uri)
        if self._refused is not None and hmac.compare_digest(self._marks.of(pin), self._refused):
            raise PinError("this PIN was refused before and is not tried again: give another one", uri=uri)
        self._pin = pin
        return pin

    def refuse(self) -> None:
        """The PIN given last was wrong."""
        if self._pin is not None:
            self._refused, self._pin = self._marks.of(self._pin), None

    def spare(self) -> None:
        """The PIN given last was not tried; ask for it anew next time."""
        self._pin = None

    def forget(self) -> None:
        """Keep neither a PIN nor what is known of a refused one."""
        self._pin, self._refused = None, None
