"""Pages for people: what this is, verify, issue, wallet, seals, audit, sign in. Chinese first, English by choice."""

from __future__ import annotations

from fastapi import FastAPI

from api.pages import audit, home, issue, seals, sign_in, verify, wallet
from api.pages.view import problem_page, wants_page

__all__ = ["problem_page", "register", "wants_page"]


def register(app: FastAPI) -> None:
    """Hang the pages on ``app``."""
    for module in (home, verify, sign_in, issue, wallet, seals, audit):
        app.include_router(module.router)
