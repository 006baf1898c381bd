"""``/audit``: who did what and when, the check of the chains, and the signatures that anchor them. For auditors."""

from __future__ import annotations

import datetime
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import RedirectResponse, Response

from api import problems
from api.auth import Caller, check_csrf
from api.deps import Given, Services, lang_of
from api.limits import WAIT_SECONDS
from api.pages.auditwords import GROUPS, kind_text
from api.pages.view import render
from certvault.audit import sees_all
from certvault.model.actor import Role
from certvault.model.views import AuditFilter

router = APIRouter(include_in_schema=False)

PER_PAGE = 50
ANCHORS = 10
LONGEST = 140
_YEARS = range(2000, 2200)
_checking = threading.Lock()

_Typed = Annotated[str, Query(max_length=1000)]


@dataclass(frozen=True, slots=True)
class _Asked:
    """The filter as it was typed, for the form and for links."""

    object: str = ""
    kind: str = ""
    actor: str = ""
    first: str = ""
    last: str = ""

    def link(self, **changes: str) -> str:
        """The address of the page with another filter."""
        members = {name: getattr(self, name) for name in self.__slots__} | changes
        query = urlencode({k: v for k, v in members.items() if v})
        return f"/audit?{query}" if query else "/audit"

    def wanted(self) -> AuditFilter | None:
        """As the vault understands it; None when a day is none."""
        try:
            return AuditFilter(self.object, self.kind, self.actor, _day(self.first), _day(self.last))
        except ValueError:
            return None


@router.get("/audit")
def lines(
    request: Request,
    services: Given,
    object: _Typed = "",  # noqa: A002 - the name in the address
    kind: _Typed = "",
    actor: _Typed = "",
    first: _Typed = "",
    last: _Typed = "",
    cursor: _Typed = "",
) -> Response:
    """Lines, newest first, by object, kind, actor and day."""
    caller = _auditor(request, services)
    if caller is None:
        return RedirectResponse("/sign-in", 303)
    asked = _Asked(_clean(object), _clean(kind), _clean(actor), _clean(first), _clean(last))
    return _page(request, services, caller, asked, cursor or None)


@router.post("/audit/check")
def check(request: Request, services: Given, csrf: Annotated[str, Form(max_length=200)] = "") -> Response:
    """Walk all chains and anchors and say what is wrong with them; one walk at a time."""
    caller = _auditor(request, services)
    if caller is None:
        return RedirectResponse("/sign-in", 303)
    check_csrf(caller.csrf, csrf)
    with _alone():
        found = services.vault.audit.verify_chain()
    return _page(request, services, caller, _Asked(), None, faults=found)


@contextmanager
def _alone() -> Iterator[None]:
    if not _checking.acquire(blocking=False):
        raise problems.BusyError(WAIT_SECONDS, "另一次核验正在进行。", "Another check is under way.")
    try:
        yield
    finally:
        _checking.release()


def _auditor(request: Request, services: Services) -> Caller | None:
    caller = services.authenticator.visitor(request, check=False)
    if caller is not None and not sees_all(caller.actor):
        raise problems.not_permitted(f"{Role.AUDITOR.value}, {Role.OPERATOR.value}")
    return caller


def _page(
    request: Request,
    services: Services,
    caller: Caller,
    asked: _Asked,
    cursor: str | None,
    *,
    faults: list[str] | None = None,
) -> Response:
    audit = services.vault.audit
    wanted = asked.wanted()
    found = None if wanted is None else audit.find(caller.actor, wanted, cursor=cursor, limit=PER_PAGE)
    lang = lang_of(request)
    return render(
        request,
        "audit.html",
        caller=caller,
        status=422 if wanted is None else 200,
        asked=asked,
        found=found,
        anchors=audit.anchors(caller.actor, ANCHORS),
        groups=GROUPS,
        kind_text=lambda kind: kind_text(kind, lang),
        more=None if found is None or found.next_cursor is None else asked.link(cursor=found.next_cursor),
        later=cursor is not None,
        faults=faults,
        checked=None if faults is None else services.vault.clock.now(),
    )


def _clean(text: str) -> str:
    return "".join(c for c in text.strip() if c.isprintable())[:LONGEST]


def _day(text: str) -> datetime.date | None:
    if not text:
        return None
    day = datetime.date.fromisoformat(text)
    if day.year not in _YEARS:
        raise ValueError(text)
    return day
