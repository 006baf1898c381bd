"""What every request passes: ceilings of its body, secure headers, one log line and counters, the last catch of errors.

Plain ASGI, so that streams stay streams.
"""

from __future__ import annotations

import functools
import logging
import time
from collections.abc import Callable

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api import problems
from api.bodies import Bodies, Body
from api.limits import Limits, client_of
from api.metrics import Metrics

log = logging.getLogger("certvault.access")

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data: blob:",
        "media-src 'self' blob:",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)

HEADERS: tuple[tuple[bytes, bytes], ...] = (
    (b"content-security-policy", CONTENT_SECURITY_POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(self), microphone=(), geolocation=()"),
)
_KEPT = b"public, max-age=31536000, immutable"  # the pages name static files with their digest
_NOT_KEPT = b"no-store"
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
STRICT_TRANSPORT = (b"strict-transport-security", b"max-age=31536000")


class Guard:
    """The outermost layer. ``secure`` tells whether the public address is https; ``explain`` answers an error."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        limits: Limits,
        metrics: Metrics,
        secure: bool,
        explain: Callable[[Request, Exception], Response],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.app = app
        self._bodies = Bodies(limits)
        self._metrics = metrics
        self._explain = explain
        self._headers = (*HEADERS, STRICT_TRANSPORT) if secure else HEADERS
        self._monotonic = monotonic

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; an error that nobody caught becomes a problem document with a reference number."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = self._monotonic()
        answer = _Answer(send, self._headers, kept=scope["path"].startswith("/static/"))
        body: Body | None = None
        try:
            body = self._bodies.admit(client_of((scope.get("client") or (None,))[0]), scope["path"], _announced(scope))
            await self.app(scope, functools.partial(body.receive, receive), answer.send)
        except Exception as error:  # noqa: BLE001 - the one handler of the unforeseen
            if not answer.started:  # else the connection is cut, which the client sees as an error
                response = await self._response(Request(scope), error)
                await response(scope, receive, answer.send)
        finally:
            if body is not None:
                body.release()
            self._report(scope, answer.status, self._monotonic() - started)

    async def _response(self, request: Request, error: Exception) -> Response:
        try:
            return await run_in_threadpool(self._explain, request, error)
        except Exception as second:  # noqa: BLE001 - a page that cannot be drawn either
            problem = problems.problem_of(second)
            return JSONResponse(problem.to_json("zh"), problem.status, media_type=problems.MEDIA_TYPE)

    def _report(self, scope: Scope, status: int, seconds: float) -> None:
        """One line and one count. The route's pattern stands for the path: no identifier, query or token is logged."""
        route = scope.get("route")
        pattern = getattr(route, "path", None) or "(none)"
        method = scope["method"] if scope["method"] in METHODS else "OTHER"  # any word may stand there, without end
        self._metrics.request(method, pattern, status, seconds)
        log.info("%s %s %d %.1fms", method, pattern, status, seconds * 1000)


class _Answer:
    """Adds the headers that a response does not set itself, and remembers how far it got."""

    def __init__(self, send: Send, headers: tuple[tuple[bytes, bytes], ...], *, kept: bool) -> None:
        self._send = send
        self._headers = headers
        self._kept = kept
        self.status = 500
        self.started = False

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.started = True
            self.status = message["status"]
            own = list(message.get("headers", []))
            names = {name.lower() for name, _ in own}
            cache = _KEPT if self._kept and self.status in (200, 304) else _NOT_KEPT
            own += [(name, value) for name, value in (*self._headers, (b"cache-control", cache)) if name not in names]
            message = {**message, "headers": own}
        await self._send(message)


def _announced(scope: Scope) -> int | None:
    """The body's Content-Length; None when it has none, such as one that comes in chunks."""
    for name, value in scope["headers"]:
        if name == b"content-length" and value.isdigit():
            return int(value[:20])
    return None
