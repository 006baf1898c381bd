"""``/``: what this is, where to go. Also the choice of language."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import Response

from api.deps import Given
from api.pages.view import render

router = APIRouter(include_in_schema=False)


@router.get("/")
def home(request: Request, services: Given) -> Response:
    """The front page."""
    newest = {t.name: t for t in sorted(services.vault.catalog.list(), key=lambda t: t.version)}
    return render(request, "home.html", types=list(newest.values()))
