"""``/wallet``: a holder's licenses."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from api import problems
from api.deps import Given
from api.pages.view import render
from api.routes.wallet import SELF
from certvault.model.actor import Role

router = APIRouter(include_in_schema=False)


@router.get("/wallet")
def wallet(request: Request, services: Given) -> Response:
    """The licenses of the holder who is signed in; others are sent to sign in, or told that this is a holder's page."""
    caller = services.authenticator.visitor(request, check=False)
    if caller is None:
        return RedirectResponse("/sign-in", 303)
    if Role.HOLDER.value not in caller.actor.roles:
        raise problems.not_permitted(Role.HOLDER.value)
    entries = services.vault.wallet.entries(SELF, caller.actor)
    return render(request, "wallet.html", caller=caller, entries=entries)
