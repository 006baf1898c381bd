"""The memory that request bodies take, and the time they may take to come.

A body is charged as it arrives, so that one which was only announced holds nothing. What does not fit is refused, not
kept waiting: somebody who waits with half a body in memory is what this is against. All of it runs on the event loop.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable

from starlette.types import Message, Receive

from api import problems
from api.limits import WAIT_SECONDS, Limits


class Bodies:
    """What all bodies in memory take together, and those of each client."""

    def __init__(self, limits: Limits, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._limits = limits
        self.monotonic = monotonic
        self._held: Counter[str] = Counter()

    @property
    def held(self) -> int:
        """Bytes of all bodies in memory."""
        return self._held.total()

    def admit(self, client: str, path: str, announced: int | None) -> Body:
        """A body about to come. ``announced`` is its Content-Length.

        RefusedError: BODY_TOO_LARGE (413) for the path, BODIES_EACH (429) or SERVICE_BUSY (503) when there is no room.
        """
        limit = self._limits.body_limit(path)
        if announced is not None and announced > limit:
            raise problems.too_large(limit)
        self.check_room(client, announced or 0)
        return Body(self, client, limit, self._limits)

    def check_room(self, client: str, more: int) -> None:
        """Refuse ``more`` bytes of ``client`` when they do not fit."""
        if more and self._held[client] + more > self._limits.bodies_each:
            raise problems.LimitedError(WAIT_SECONDS)
        if more and self.held + more > self._limits.bodies:
            raise problems.BusyError(WAIT_SECONDS)

    def hold(self, client: str, more: int) -> None:
        """Charge ``more`` bytes; a negative number gives them back."""
        self._held[client] += more
        if self._held[client] <= 0:
            del self._held[client]


class Body:
    """One body: counts what comes, and refuses it when it is too large, too slow, or does not fit any more."""

    def __init__(self, bodies: Bodies, client: str, limit: int, limits: Limits) -> None:
        self._bodies = bodies
        self._client = client
        self._limit = limit
        self._limits = limits
        self._seen = 0
        self._whole = False
        self._began = bodies.monotonic()

    async def receive(self, source: Receive) -> Message:
        """The next message of ``source``. RefusedError; after the body's end messages pass as they are."""
        if self._whole:
            return await source()
        try:
            message = await asyncio.wait_for(source(), self._seconds_left())
        except TimeoutError:
            self._whole = True  # nobody waits for the rest
            raise problems.body_too_slow() from None
        self._count(len(message.get("body", b"")))
        self._whole = not message.get("more_body", False)
        return message

    def release(self) -> None:
        """The request is over; its memory is free."""
        self._bodies.hold(self._client, -self._seen)
        self._seen = 0

    def _seconds_left(self) -> float:
        limits = self._limits
        allowed = min(limits.body_seconds, limits.body_patience + self._seen / limits.body_rate)
        return max(0.001, allowed - (self._bodies.monotonic() - self._began))

    def _count(self, more: int) -> None:
        if self._seen + more > self._limit:
            raise problems.too_large(self._limit)
        self._bodies.check_room(self._client, more)
        self._bodies.hold(self._client, more)
        self._seen += more
