"""``/sign-in``: paste a token, or follow a link whose fragment holds one."""

from __future__ import annotations

import secrets
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import RedirectResponse, Response

from api.auth import FORM_COOKIE, LONGEST, SESSION_COOKIE, check_csrf, cookie, drop_cookie, set_cookie
from api.deps import Given, limited
from api.pages.view import render
from certvault.audit import sees_all
from certvault.model.actor import Actor, Role

router = APIRouter(include_in_schema=False)

TOKEN_LENGTH = 200
SEE_OTHER = 303


@router.get("/sign-in")
def page(request: Request, services: Given) -> Response:
    """The form. Its hidden value must come back together with a cookie, which another site cannot arrange."""
    return _form(request, secure=services.secure)


@router.post("/sign-in", dependencies=[Depends(limited("sign-in"))])
def sign_in(
    request: Request,
    services: Given,
    token: Annotated[str, Form(max_length=TOKEN_LENGTH)] = "",
    csrf: Annotated[str, Form(max_length=TOKEN_LENGTH)] = "",
) -> Response:
    """Open a session for a good token."""
    check_csrf(cookie(request, FORM_COOKIE, secure=services.secure), csrf)
    actor = services.vault.tokens.authenticate(token.strip())
    if actor is None:
        return _form(request, secure=services.secure, failed=True)
    services.authenticator.sessions.close(cookie(request, SESSION_COOKIE, secure=services.secure) or "")
    name = services.authenticator.sessions.open(token.strip(), services.vault.clock.now())
    response = RedirectResponse(_landing(actor), SEE_OTHER)
    set_cookie(response, SESSION_COOKIE, name, secure=services.secure, lifetime=LONGEST)
    drop_cookie(response, FORM_COOKIE, secure=services.secure)
    return response


@router.post("/sign-out")
def sign_out(request: Request, services: Given, csrf: Annotated[str, Form(max_length=TOKEN_LENGTH)] = "") -> Response:
    """End the session."""
    caller = services.authenticator.visitor(request, check=False)
    if caller:
        check_csrf(caller.csrf, csrf)
        services.authenticator.sessions.close(cookie(request, SESSION_COOKIE, secure=services.secure) or "")
    response = RedirectResponse("/", SEE_OTHER)
    drop_cookie(response, SESSION_COOKIE, secure=services.secure)
    return response


def _form(request: Request, *, secure: bool, failed: bool = False) -> Response:
    value = cookie(request, FORM_COOKIE, secure=secure) or secrets.token_urlsafe(24)
    response = render(request, "sign_in.html", csrf=value, failed=failed, status=401 if failed else 200)
    set_cookie(response, FORM_COOKIE, value, secure=secure)
    return response


def _landing(actor: Actor) -> str:
    roles = actor.roles
    if Role.HOLDER.value in roles:
        return "/wallet"
    if Role.AUDITOR.value in roles:
        return "/audit" if sees_all(actor) else "/seals"
    if Role.CUSTODIAN.value in roles:
        return "/seals"
    return "/issue" if roles & {Role.OPERATOR.value, Role.ISSUER.value} else "/"
