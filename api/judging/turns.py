"""Whose turn it is at the judges: clients take turns, however many files one of them sends."""

from __future__ import annotations

import threading
from collections import Counter, OrderedDict

REMEMBERED = 1000


class NoTurnError(Exception):
    """The time to wait was over before the turn came."""


class _Ticket:
    """One file that waits."""

    def __init__(self, client: str) -> None:
        self.client = client
        self.called = threading.Event()


class Turns:
    """``places`` turns at one time. Of more than one place, the last is never given to a client that has all others,
    unless the places are not ``shared``: then nobody else could come for it.

    The next is for the client with the fewest turns under way; of equals for the one served longest ago.
    """

    def __init__(self, places: int, *, shared: bool = True) -> None:
        self._free = places
        self._each = max(1, places - 1) if shared else places
        self._running: Counter[str] = Counter()
        self._served: OrderedDict[str, int] = OrderedDict()
        self._count = 0
        self._waiting: list[_Ticket] = []
        self._lock = threading.Lock()

    def take(self, client: str, seconds: float | None = None) -> None:
        """Wait for a turn, at most ``seconds``; NoTurnError. Each turn is given back by :meth:`give`."""
        ticket = _Ticket(client)
        with self._lock:
            self._waiting.append(ticket)
            self._call()
        if ticket.called.wait(seconds):
            return
        with self._lock:
            if ticket.called.is_set():  # it came just now
                return
            self._waiting.remove(ticket)
        raise NoTurnError

    def give(self, client: str) -> None:
        """The turn of ``client`` is over."""
        with self._lock:
            self._free += 1
            self._running[client] -= 1
            if self._running[client] <= 0:
                del self._running[client]
            self._call()

    def _call(self) -> None:
        while self._free:
            ready = [t for t in self._waiting if self._running[t.client] < self._each]
            if not ready:
                return
            ticket = min(ready, key=lambda t: (self._running[t.client], self._served.get(t.client, 0)))
            self._waiting.remove(ticket)
            self._free -= 1
            self._running[ticket.client] += 1
            self._remember(ticket.client)
            ticket.called.set()

    def _remember(self, client: str) -> None:
        self._count += 1
        self._served[client] = self._count
        self._served.move_to_end(client)
        if len(self._served) > REMEMBERED:
            self._served.popitem(last=False)
