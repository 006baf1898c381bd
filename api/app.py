"""The web application around one vault."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from fastapi import Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException

from api import fields, pages, problems
from api.auth import Authenticator, Sessions
from api.csc import errors as csc_errors
from api.deps import Services, known_language, lang_of
from api.judging.pool import Pool
from api.judging.turns import Turns
from api.limits import Limits, RateLimiter, WaitingRoom
from api.metrics import Metrics
from api.middleware import Guard
from api.routes import (
    csc,
    feed,
    health,
    hub,
    info,
    licenses,
    life,
    mintings,
    notices,
    pki,
    recognitions,
    regions,
    reports,
    seals,
    trustlistxml,
    types,
    verifications,
    wallet,
    webhooks,
)
from certvault.errors import VaultError
from signing.errors import SigningError
from verify.formats.refusal import RefusedError

if TYPE_CHECKING:
    from certvault.bootstrap import Vault

STATIC = Path(pages.__file__).parent / "static"
ROUTERS = (
    licenses,
    life,
    mintings,
    seals,
    feed,
    webhooks,
    regions,
    trustlistxml,
    hub,
    info,
    recognitions,
    verifications,
    reports,
    types,
    wallet,
    pki,
    notices,
    csc,
    health,
)
DESCRIPTION = "Electronic licenses: issue, seal, verify. Errors are RFC 9457 problem documents with a stable `code`."


def create_app(vault: Vault, *, limits: Limits | None = None) -> FastAPI:
    """The application. It does not close ``vault``; whoever opened it does."""
    chosen = limits or Limits()
    metrics = Metrics()
    services = Services(
        vault=vault,
        limits=chosen,
        limiter=RateLimiter(chosen),
        metrics=metrics,
        authenticator=Authenticator(vault, Sessions()),
        judges=Pool(chosen.judges, seconds=chosen.judge_seconds, memory=chosen.judge_memory),
        waiting=WaitingRoom(chosen.waiting, chosen.waiting_each),
        staging=WaitingRoom(chosen.staging, chosen.staging_each),
        seal_room=WaitingRoom(chosen.seal_waiting, chosen.seal_waiting_each),
        seal_turns=Turns(chosen.sealings),
    )

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        with services.judges:
            services.judges.warm()
            yield

    app = FastAPI(
        title="certvault",
        version=version("certvault"),
        description=DESCRIPTION,
        docs_url=None,  # the usual pages load scripts from elsewhere
        redoc_url=None,
        redirect_slashes=False,  # its redirects would name whatever host the request named
        lifespan=lifespan,
        dependencies=[Depends(known_language)],
        servers=[{"url": services.base_url}],
        responses={
            "default": {
                "description": "A problem, RFC 9457",
                "content": {problems.MEDIA_TYPE: {"schema": {"type": "object", "required": ["status", "code"]}}},
            }
        },
    )
    app.state.services = services
    for module in ROUTERS:
        app.include_router(module.router)
    pages.register(app)
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    for kind in (RefusedError, HTTPException, RequestValidationError, SigningError, VaultError):
        app.add_exception_handler(kind, _refused)
    app.add_middleware(Guard, limits=chosen, metrics=metrics, secure=services.secure, explain=_refused)
    return app


def _refused(request: Request, error: Exception) -> Response:
    """Every error that is an answer: a page for whoever reads pages, else a problem document."""
    problem = _problem(error)
    lang = lang_of(request)
    if request.url.path.startswith("/csc/"):
        return csc_errors.answer(problem, lang, error)
    if pages.wants_page(request):
        return pages.problem_page(request, problem, lang)
    return JSONResponse(
        problem.to_json(lang), problem.status, headers=dict(problem.headers), media_type=problems.MEDIA_TYPE
    )


def _problem(error: Exception) -> problems.Problem:
    if isinstance(error, RequestValidationError):
        if any(e["type"] == "json_invalid" for e in error.errors()):
            return problems.of_status(400)
        return problems.problem_of(fields.refused(error.errors()))
    if isinstance(error, HTTPException):
        # the framework hides what a body's stream raised (such as its ceiling) behind a 400
        if isinstance(error.__cause__, RefusedError):
            return problems.problem_of(error.__cause__)
        return problems.of_status(error.status_code)
    return problems.problem_of(error)
