"""Who calls: bearer tokens for programs, sessions for browsers.

A session is this process's memory of a token that was pasted or came in a link's fragment. Its cookie is HttpOnly and
SameSite=Strict and holds a random name only; the token is asked for again on each request, so that a withdrawn one
ends its sessions at once. Every change that comes by cookie carries the session's CSRF token.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import threading
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import Response

from api import problems
from certvault.model.actor import Actor

if TYPE_CHECKING:
    from certvault.bootstrap import Vault

SESSION_COOKIE = "certvault_session"
FORM_COOKIE = "certvault_form"
LONGEST = timedelta(hours=8)
IDLE = timedelta(minutes=60)
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(slots=True)
class Session:
    """One browser that signed in."""

    token: str
    csrf: str
    until: datetime
    seen: datetime


class Sessions:
    """Sessions by the digest of their name; the oldest go beyond ``capacity``."""

    def __init__(self, *, capacity: int = 10_000) -> None:
        self._sessions: OrderedDict[str, Session] = OrderedDict()
        self._capacity = capacity
        self._lock = threading.Lock()

    def open(self, token: str, now: datetime) -> str:
        """A new session for an authenticated token; returns its name, for the cookie."""
        name = secrets.token_urlsafe(32)
        with self._lock:
            self._sessions[_digest(name)] = Session(token, secrets.token_urlsafe(24), now + LONGEST, now)
            if len(self._sessions) > self._capacity:
                self._sessions.popitem(last=False)
        return name

    def find(self, name: str, now: datetime) -> Session | None:
        """The session of that name, unless it has ended."""
        with self._lock:
            session = self._sessions.get(_digest(name))
            if session is None:
                return None
            if now >= session.until or now - session.seen > IDLE:
                del self._sessions[_digest(name)]
                return None
            session.seen = now
            return session

    def close(self, name: str) -> None:
        """Forget it."""
        with self._lock:
            self._sessions.pop(_digest(name), None)


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls, and by what. ``csrf`` is set for a session."""

    actor: Actor
    csrf: str | None = None


class Authenticator:
    """Tells who a request comes from."""

    def __init__(self, vault: Vault, sessions: Sessions) -> None:
        self._vault = vault
        self.sessions = sessions
        self.secure = vault.settings.base_url.startswith("https:")

    def caller(self, request: Request) -> Caller | None:
        """The caller, or None for one who did not say. RefusedError for a token that does not count.

        A request that changes something and comes by cookie must carry the CSRF token, in the header
        ``X-CSRF-Token``; forms are checked where they are read, by :func:`check_csrf`.
        """
        header = request.headers.get("authorization")
        if header is not None:
            scheme, _, token = header.partition(" ")
            actor = self._vault.tokens.authenticate(token.strip()) if scheme.lower() == "bearer" else None
            if actor is None:
                raise problems.not_signed_in()
            return Caller(actor)
        return self.visitor(request, check=request.method not in SAFE_METHODS)

    def visitor(self, request: Request, *, check: bool) -> Caller | None:
        """The caller by session cookie; ``check`` demands the CSRF header."""
        name = cookie(request, SESSION_COOKIE, secure=self.secure)
        session = self.sessions.find(name, self._vault.clock.now()) if name else None
        if session is None:
            return None
        actor = self._vault.tokens.authenticate(session.token)
        if actor is None:
            self.sessions.close(name or "")
            return None
        if check:
            check_csrf(session.csrf, request.headers.get("x-csrf-token"))
        return Caller(actor, session.csrf)


def check_csrf(expected: str | None, given: object) -> None:
    """Refuse a form that does not carry the token its page was given."""
    if not expected or not isinstance(given, str) or not hmac.compare_digest(expected.encode(), given.encode()):
        raise problems.csrf_failed()


def cookie(request: Request, name: str, *, secure: bool) -> str | None:
    """The value of one of our cookies."""
    return request.cookies.get(_full_name(name, secure=secure))


def drop_cookie(response: Response, name: str, *, secure: bool) -> None:
    """Let the browser forget a cookie."""
    response.delete_cookie(_full_name(name, secure=secure), path="/", secure=secure, httponly=True, samesite="strict")


def _full_name(name: str, *, secure: bool) -> str:
    """Under ``__Host-`` a browser takes a cookie from this very host alone, so that no neighbour can plant one."""
    return f"__Host-{name}" if secure else name


def set_cookie(response: Response, name: str, value: str, *, secure: bool, lifetime: timedelta | None = None) -> None:
    """A cookie that scripts cannot read and other sites cannot send."""
    response.set_cookie(
        _full_name(name, secure=secure),
        value,
        max_age=int(lifetime.total_seconds()) if lifetime else None,
        httponly=True,
        samesite="strict",
        secure=secure,
        path="/",
    )


def _digest(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()
