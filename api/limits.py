"""How much a caller may ask for: rates, body sizes, time.

Rates are token buckets held in this process, one per client and kind of request, so that nobody drains the keys or
the processors. A client is an address (IPv6: its /64) or, when it signed in, its subject.
"""

from __future__ import annotations

import ipaddress
import math
import re
import threading
import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from api.problems import BusyError, LimitedError

MEBIBYTE = 1024 * 1024
WAIT_SECONDS = "5"
_SEAL = re.compile(r"/v1/seals/[0-9]{1,40}(?=/)")


@dataclass(frozen=True, slots=True)
class Rate:
    """``burst`` at once, then ``per_minute`` more each minute: requests, or what the kind counts."""

    burst: int
    per_minute: float


@dataclass(frozen=True, slots=True)
class Limits:
    """Ceilings as data: ``rates`` by kind of request for one client, ``everyone`` for all of them together."""

    rates: Mapping[str, Rate] = field(
        default_factory=lambda: {
            "verification": Rate(60, 60),  # files, records and codes, not requests
            "verification-mib": Rate(128, 128),
            "judging": Rate(60, 30),  # seconds of a judge's time, taken afterwards: debt is waited off
            "key": Rate(60, 240),  # OCSP and timestamps: each answer costs a signature
            "remote-signature": Rate(200, 1200),  # hashes, not requests
            "reading": Rate(200, 1200),
            "info": Rate(120, 120),  # claims against the vault; each that does not fit counts five times
            "sign-in": Rate(10, 10),
            "member": Rate(400, 2400),
        }
    )
    everyone: Mapping[str, Rate] = field(
        default_factory=lambda: {
            "verification": Rate(300, 1200),
            "verification-mib": Rate(1024, 4096),
            "key": Rate(600, 6000),
            "info": Rate(600, 2400),
        }
    )
    body: int = 2 * MEBIBYTE
    uploads: Mapping[str, int] = field(  # paths of one seal under ``{id}``
        default_factory=lambda: {
            "/v1/verifications": 64 * MEBIBYTE,
            "/v1/verifications/report": 64 * MEBIBYTE,
            "/v1/recognitions": 64 * MEBIBYTE,
            "/v1/mintings": 128 * MEBIBYTE,
            "/seals/use": 64 * MEBIBYTE,
            "/seals/draft": 6 * MEBIBYTE,
            "/v1/seals": 6 * MEBIBYTE,
            "/v1/seals/{id}/change": 6 * MEBIBYTE,
            "/v1/seals/{id}/uses": 64 * MEBIBYTE,
            "/ocsp": 64 * 1024,
            "/tsa": 64 * 1024,
        }
    )
    bodies: int = 384 * MEBIBYTE
    """All bodies that are in memory at one time, together."""
    bodies_each: int = 128 * MEBIBYTE
    """Of these, the bodies of one client."""
    body_patience: float = 15.0
    """Seconds that a body may take beyond what it would at ``body_rate``."""
    body_rate: int = 16 * 1024
    """Bytes a second; a body that comes slower holds memory and a connection for nothing."""
    body_seconds: float = 600.0
    files: int = 50
    """Most files in one verification."""
    judges: int = 2
    """Processes that read strangers' files."""
    judge_seconds: float = 20.0
    """For one file."""
    judge_memory: int = 768 * MEBIBYTE
    request_seconds: float = 120.0
    """For all files of one verification, waiting for a judge included."""
    waiting: int = 16
    """Verifications under way at one time; each holds a thread."""
    waiting_each: int = 8
    """Of these, the verifications of one client."""
    rehearsal_seconds: float = 60.0
    """For one upload that is to be sealed, the search for its keywords included."""
    sealings: int = 3
    """Uploaded PDFs that are rehearsed and sealed at one time: each may take the memory that a rehearsal allows."""
    seal_waiting: int = 24
    """Uploads that wait for that, or are sealed; each holds a thread."""
    seal_waiting_each: int = 12
    """Of these, the uploads of one caller."""
    staging: int = 8
    """Tables of bulk jobs read at one time; each holds a thread for as long as its rows are checked."""
    staging_each: int = 2
    """Of these, the tables of one caller."""

    def body_limit(self, path: str) -> int:
        """The largest body, in bytes, that ``path`` takes."""
        return self.uploads.get(_SEAL.sub("/v1/seals/{id}", path), self.body)


class RateLimiter:
    """Token buckets by (kind, client). The oldest are forgotten beyond ``capacity``, which bounds the memory."""

    def __init__(
        self, limits: Limits, *, capacity: int = 20_000, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._limits = limits
        self._capacity = capacity
        self._monotonic = monotonic
        self._buckets: OrderedDict[tuple[str, str], tuple[float, float]] = OrderedDict()
        self._lock = threading.Lock()

    def take(self, kind: str, client: str, amount: float = 1.0) -> float:
        """Take ``amount``. Returns 0.0 when it was there, else the seconds until it is.

        More than a whole bucket is given when the bucket is full; the debt is waited off. 0 only asks for debt.
        """
        with self._lock:
            wait = self._take((kind, client), self._limits.rates.get(kind), amount)
            return wait or self._take((kind, "*"), self._limits.everyone.get(kind), amount)

    def charge(self, kind: str, client: str, amount: float) -> None:
        """Take ``amount`` that was used up already, whether it was there or not."""
        with self._lock:
            for key, rate in (
                ((kind, client), self._limits.rates.get(kind)),
                ((kind, "*"), self._limits.everyone.get(kind)),
            ):
                if rate is not None:
                    self._put(key, self._tokens(key, rate) - amount)

    def _take(self, key: tuple[str, str], rate: Rate | None, amount: float) -> float:
        if rate is None:
            return 0.0
        tokens = self._tokens(key, rate)
        needed = min(amount, float(rate.burst))
        allowed = tokens >= needed
        self._put(key, tokens - amount if allowed else tokens)
        return 0.0 if allowed else (needed - tokens) * 60 / rate.per_minute

    def _tokens(self, key: tuple[str, str], rate: Rate) -> float:
        tokens, since = self._buckets.pop(key, (float(rate.burst), self._monotonic()))
        return min(float(rate.burst), tokens + (self._monotonic() - since) * rate.per_minute / 60)

    def _put(self, key: tuple[str, str], tokens: float) -> None:
        self._buckets[key] = (tokens, self._monotonic())
        if len(self._buckets) > self._capacity:
            self._buckets.popitem(last=False)


class WaitingRoom:
    """How many requests may wait for something scarce at one time, and how many of one client."""

    def __init__(self, places: int, each: int) -> None:
        self._places = places
        self._each = each
        self._inside: Counter[str] = Counter()
        self._lock = threading.Lock()

    @contextmanager
    def place(self, client: str) -> Iterator[None]:
        """A place while the block runs. LimitedError (429) when the client has its share, BusyError (503) when full."""
        with self._lock:
            if self._inside[client] >= self._each:
                raise LimitedError(WAIT_SECONDS)
            if self._inside.total() >= self._places:
                raise BusyError(WAIT_SECONDS)
            self._inside[client] += 1
        try:
            yield
        finally:
            with self._lock:
                self._inside[client] -= 1
                if not self._inside[client]:
                    del self._inside[client]


def client_of(address: str | None) -> str:
    """The name under which an address is counted: itself, or the /64 of an IPv6 address (one client owns all of it)."""
    try:
        parsed = ipaddress.ip_address(address or "")
    except ValueError:
        return address or "unknown"
    if isinstance(parsed, ipaddress.IPv6Address):
        mapped = parsed.ipv4_mapped
        return str(mapped) if mapped else str(ipaddress.ip_network((parsed, 64), strict=False))
    return str(parsed)


def retry_after(seconds: float) -> str:
    """The value of a Retry-After header: whole seconds, at least one."""
    return str(max(1, math.ceil(seconds)))
