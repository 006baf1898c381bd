"""Rendering: one template environment, the words of the reader's language, who is signed in."""

from __future__ import annotations

import functools
import hashlib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse, Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from api import language
from api.auth import Caller, set_cookie
from api.deps import LANGUAGE_COOKIE, lang_of, services_of
from api.pages.words import SCRIPT_WORDS, WORDS
from api.problems import Problem

FOLDER = Path(__file__).parent
LANGUAGE_KEPT = timedelta(days=365)


def render(
    request: Request, template: str, *, caller: Caller | None = None, status: int = 200, **values: Any
) -> Response:
    """A page in the reader's language. ``values`` are the template's own."""
    services = services_of(request)
    lang = lang_of(request)
    if caller is None:
        caller = services.authenticator.visitor(request, check=False)
    html = (
        _environment()
        .get_template(template)
        .render(
            lang=lang,
            other="en" if lang == "zh" else "zh",
            t=_words(lang),
            script_words={key: WORDS[key].in_language(lang) for key in SCRIPT_WORDS},
            path="/" + request.url.path.lstrip("/\\"),  # two slashes would lead to another host
            caller=caller,
            roles=sorted(caller.actor.roles) if caller else [],
            vault_name=services.vault.settings.name,
            sample=services.vault.settings.sample,
            asset=_asset,
            **values,
        )
    )
    response = HTMLResponse(
        html, status, headers={"Content-Language": "zh-CN" if lang == "zh" else "en", "Vary": "Cookie"}
    )
    chosen = language.from_text(request.query_params.get("lang"))
    if chosen:
        set_cookie(response, LANGUAGE_COOKIE, chosen, secure=services.secure, lifetime=LANGUAGE_KEPT)
    return response


def wants_page(request: Request) -> bool:
    """Whether an error should be told as a page: a browser, outside the programs' interface."""
    path = request.url.path
    if path.startswith(("/v1/", "/status-lists/", "/crl/", "/ca/", "/ocsp", "/tsa", "/metrics", "/openapi.json")):
        # a download link that fails is followed by a person
        return path.startswith("/v1/") and request.method == "GET" and _accepts_html(request)
    return _accepts_html(request)


def problem_page(request: Request, problem: Problem, lang: str) -> Response:
    """An error as a page."""
    response = render(request, "problem.html", status=problem.status, problem=problem.to_json(lang))
    response.headers.update({k: v for k, v in problem.headers.items() if k == "Retry-After"})
    return response


def _accepts_html(request: Request) -> bool:
    return "text/html" in request.headers.get("accept", "")


def _words(lang: str) -> dict[str, str]:
    return {key: text.in_language(lang) for key, text in WORDS.items()}


@functools.cache
def _environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(FOLDER / "html"),
        autoescape=select_autoescape(default=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["instant"] = _instant
    return made


def _instant(at: datetime) -> str:
    """An instant in UTC, to the second."""
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%SZ")


@functools.cache
def _asset(name: str) -> str:
    """The address of a static file with its digest, so that a new version is fetched and an old one kept."""
    digest = hashlib.sha256((FOLDER / "static" / name).read_bytes()).hexdigest()[:12]
    return f"/static/{name}?v={digest}"
