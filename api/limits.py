"""How much a caller may ask for: request rates and body sizes.

Rates are token buckets held in this process, one per client and kind of request, so that nobody drains the keys or
the processors. A client is an address (IPv6: its /64) or, when it signed in, its subject.
"""

from __future__ import annotations

import ipaddress
import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

MEBIBYTE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Rate:
    """``burst`` requests at once, then ``per_minute`` more each minute."""

    burst: int
    per_minute: float


@dataclass(frozen=True, slots=True)
class Limits:
    """Ceilings as data: ``rates`` by kind of request for one client, ``everyone`` for all of them together."""

    rates: Mapping[str, Rate] = field(
        default_factory=lambda: {
            "verification": Rate(30, 60),
            "key": Rate(60, 240),  # OCSP and timestamps: each answer costs a signature
            "reading": Rate(200, 1200),
            "sign-in": Rate(10, 10),
            "member": Rate(400, 2400),
        }
    )
    everyone: Mapping[str, Rate] = field(
        default_factory=lambda: {"verification": Rate(200, 1200), "key": Rate(600, 6000)}
    )
    body: int = 2 * MEBIBYTE
    uploads: Mapping[str, int] = field(
        default_factory=lambda: {
            "/v1/verifications": 64 * MEBIBYTE,
            "/v1/mintings": 256 * MEBIBYTE,
            "/ocsp": 64 * 1024,
            "/tsa": 64 * 1024,
        }
    )
    files: int = 50
    """Most files in one verification."""
    judges: int = 2
    """Processes that read strangers' files."""
    judge_seconds: float = 20.0
    judge_memory: int = 2048 * MEBIBYTE

    def body_limit(self, path: str) -> int:
        """The largest body, in bytes, that ``path`` takes."""
        return self.uploads.get(path, self.body)


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

    def take(self, kind: str, client: str) -> float:
        """Take one token. Returns 0.0 when it was there, else the seconds until there is one."""
        with self._lock:
            wait = self._take((kind, client), self._limits.rates.get(kind))
            return wait or self._take((kind, "*"), self._limits.everyone.get(kind))

    def _take(self, key: tuple[str, str], rate: Rate | None) -> float:
        if rate is None:
            return 0.0
        now = self._monotonic()
        tokens, since = self._buckets.pop(key, (float(rate.burst), now))
        tokens = min(float(rate.burst), tokens + (now - since) * rate.per_minute / 60)
        allowed = tokens >= 1
        self._buckets[key] = (tokens - 1 if allowed else tokens, now)
        if len(self._buckets) > self._capacity:
            self._buckets.popitem(last=False)
        return 0.0 if allowed else (1 - tokens) * 60 / rate.per_minute


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
