"""Fetching what a judge misses: revocation lists, OCSP answers, status lists. The command line does, the service not.

Addresses are those of certificates and licenses under the anchors that the caller chose, but those of missing
authorities (``--fetch-issuers``), which nobody vouches for. Even so what answers may be
anybody: bytes, time and redirections have limits, and what comes counts only once its signature was checked.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    import httpx

MOST_BYTES = 20_000_000
SECONDS_EACH = 4.0
SECONDS_TOGETHER = 8.0
"""Of one run on one host that does not answer in time: it is not asked again."""
MOST_REDIRECTIONS = 3
MOST_ADDRESSES = 1_000
_OCSP = {"Content-Type": "application/ocsp-request", "Accept": "application/ocsp-response"}


class Fetcher:
    """A :class:`verify.evidence.Source` over HTTP. Each thing is fetched once; None for what cannot be had."""

    def __init__(self, transport: httpx.BaseTransport | None = None) -> None:
        self._transport = transport
        self._client: httpx.Client | None = None
        self._lock = threading.Lock()
        self._kept: dict[tuple[str, bytes], bytes | None] = {}
        self._spent: dict[str, float] = {}

    def crl(self, url: str) -> bytes | None:
        """A revocation list."""
        return self._once(url, b"")

    def status_list(self, url: str) -> bytes | None:
        """A status list token (draft-ietf-oauth-status-list 8.1)."""
        return self._once(url, b"")

    def issuer(self, url: str) -> bytes | None:
        """The certificate of an authority. The address is a stranger's word: ask only where a person allowed it."""
        return self._once(url, b"")

    def ocsp(self, url: str, request: bytes) -> bytes | None:
        """The answer to an OCSP request."""
        return self._once(url, request)

    def close(self) -> None:
        """Let go of connections."""
        if self._client is not None:
            self._client.close()

    def _once(self, url: str, body: bytes) -> bytes | None:
        key = (url, body)
        with self._lock:
            if key in self._kept:
                return self._kept[key]
            host = urlsplit(url).netloc
            if self._spent.get(host, 0.0) >= SECONDS_TOGETHER or len(self._kept) >= MOST_ADDRESSES:
                return None
            began = time.monotonic()
            found = _quietly(lambda: self._ask(url, body))
            if found is None:
                self._spent[host] = self._spent.get(host, 0.0) + time.monotonic() - began
            self._kept[key] = found
            return found

    def _ask(self, url: str, body: bytes) -> bytes | None:
        import httpx

        if self._client is None:
            self._client = httpx.Client(
                transport=self._transport,
                timeout=SECONDS_EACH,
                follow_redirects=True,
                max_redirects=MOST_REDIRECTIONS,
                headers={"User-Agent": "certvault"},
            )
        until = time.monotonic() + SECONDS_EACH
        method, headers = ("POST", _OCSP) if body else ("GET", {})
        with self._client.stream(method, url, content=body or None, headers=headers) as response:
            return _body(response, until) if response.status_code == httpx.codes.OK else None


def _body(response: httpx.Response, until: float) -> bytes | None:
    found = bytearray()
    for part in response.iter_bytes():
        found += part
        if len(found) > MOST_BYTES or time.monotonic() > until:
            return None
    return bytes(found)


def _quietly(ask: Callable[[], bytes | None]) -> bytes | None:
    """What cannot be fetched is missing, and the verdict says so; there is nobody else to tell."""
    try:
        return ask()
    except Exception:  # noqa: BLE001 - addresses, names, TLS and proxies fail in many ways
        return None
