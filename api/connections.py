"""Connections that wait for nothing: a request's head must come within its time, and one address has so many only.

The server itself ends idle connections after an answer, but waits without end for the first byte, for the rest of a
head, and for the rest of a body that was refused.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any, ClassVar

from uvicorn.protocols.http.h11_impl import H11Protocol

HEAD_SECONDS = 15.0
EACH = 100
"""Connections of one address. A proxy's address is exempt."""


class PatientProtocol(H11Protocol):
    """HTTP/1.1 as uvicorn speaks it, with an end to waiting."""

    head_seconds = HEAD_SECONDS
    each = EACH
    exempt: str | None = None
    _open: ClassVar[Counter[str]] = Counter()
    _timer: asyncio.TimerHandle | None = None
    _counted = ""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take the connection, or drop it when its address has too many."""
        super().connection_made(transport)
        address = self.client[0] if self.client else ""
        if address and address != self.exempt:
            self._counted = address
            self._open[address] += 1
            if self._open[address] > self.each:
                transport.abort()
                return
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._stop()
        if self._counted:
            self._open[self._counted] -= 1
            if not self._open[self._counted]:
                del self._open[self._counted]
            self._counted = ""
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Pass the bytes on; the time of a head counts from its first byte and is not begun anew by more of them."""
        super().data_received(data)
        if self._at_work():
            self._stop()
        elif self._timer is None and not self.transport.is_closing():
            self._wait()

    def on_response_complete(self) -> None:
        """After an answer: the next head, or the rest of a body that nobody wants, has its time as well."""
        super().on_response_complete()
        if not self._at_work() and not self.transport.is_closing():
            self._wait()

    def _at_work(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _wait(self) -> None:
        self._stop()
        self._timer = self.loop.call_later(self.head_seconds, self._end)

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _end(self) -> None:
        self._timer = None
        if not self._at_work():
            self.transport.abort()


def protocol(proxy: str | None) -> type[asyncio.Protocol]:
    """The protocol for a server; ``proxy`` is an address that may have any number of connections."""
    members: dict[str, Any] = {"exempt": proxy, "_open": Counter()}
    return type("ServedProtocol", (PatientProtocol,), members)
