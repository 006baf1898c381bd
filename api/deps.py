"""What a route asks for: the services, the caller and their role, the language, the rate, the body."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from fastapi import Depends, Request

from api import language, problems
from api.auth import Authenticator, Caller, cookie
from api.judging.pool import Pool
from api.judging.turns import Turns
from api.limits import Limits, RateLimiter, WaitingRoom, client_of, retry_after
from api.metrics import Metrics
from certvault.model.actor import Actor, Role
from verify.formats.refusal import RefusedError

if TYPE_CHECKING:
    from certvault.bootstrap import Vault

LANGUAGE_COOKIE = "certvault_lang"


@dataclass(frozen=True, slots=True)
class Services:
    """Everything that one application works with."""

    vault: Vault
    limits: Limits
    limiter: RateLimiter
    metrics: Metrics
    authenticator: Authenticator
    judges: Pool
    waiting: WaitingRoom
    staging: WaitingRoom
    seal_room: WaitingRoom
    seal_turns: Turns

    @property
    def base_url(self) -> str:
        """The public address."""
        return self.vault.settings.base_url

    @property
    def secure(self) -> bool:
        """Whether the public address is https."""
        return self.base_url.startswith("https:")


def services_of(request: Request) -> Services:
    """The services of the application that got ``request``."""
    services = request.app.state.services
    assert isinstance(services, Services)  # noqa: S101 - for the type checker
    return services


def lang_of(request: Request) -> str:
    """``?lang``, else the language cookie, else Chinese; programs may also choose by Accept-Language.

    Pages do not follow a browser's default: they are Chinese until somebody chooses English.
    """
    chosen = language.from_text(request.query_params.get("lang")) or language.from_text(
        cookie(request, LANGUAGE_COOKIE, secure=services_of(request).secure)
    )
    if chosen is None and request.url.path.startswith("/v1/"):
        chosen = language.from_accept(request.headers.get("accept-language"))
    return chosen or "zh"


def known_language(request: Request) -> None:
    """Refuse a program's ``?lang`` in a language that nothing here is written in; a page is then Chinese."""
    wanted = request.query_params.get("lang")
    if wanted and request.url.path.startswith("/v1/") and language.from_text(wanted) is None:
        raise problems.unknown_language()


def json_only(request: Request) -> None:
    """Refuse a body that is not said to be JSON."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json" and not kind.endswith("+json"):
        raise problems.wrong_media_type("application/json")


def caller_of(request: Request) -> Caller | None:
    """The caller, or None for one who did not say."""
    services = services_of(request)
    try:
        caller = services.authenticator.caller(request)
    except RefusedError:
        _take(services, "reading", client_name(request))  # whoever guesses tokens pays for it
        raise
    if caller is not None:
        _take(services, "member", caller.actor.subject)
    return caller


def limited(kind: str, amount: float = 1) -> Callable[[Request], None]:
    """A dependency that takes ``amount`` of ``kind`` from the caller's allowance, signed in or not.

    0 takes nothing and refuses who is in debt.
    """

    def taken(request: Request) -> None:
        take(request, kind, amount)

    return taken


def take(request: Request, kind: str, amount: float) -> None:
    """Take ``amount`` of ``kind`` from the caller's allowance; LimitedError."""
    _take(services_of(request), kind, client_name(request), amount)


def client_name(request: Request) -> str:
    """The name under which the caller's address is counted."""
    return client_of(request.client.host if request.client else None)


def requires(*roles: Role) -> Callable[[Request], Actor]:
    """A dependency that lets in callers with one of ``roles``; an operator always."""

    def allowed(request: Request) -> Actor:
        caller = caller_of(request)
        if caller is None:
            _take(services_of(request), "reading", client_name(request))
            raise problems.not_signed_in()
        if not caller.actor.has(*roles):
            raise problems.not_permitted(", ".join(sorted({Role.OPERATOR.value, *(r.value for r in roles)})))
        return caller.actor

    return allowed


def _take(services: Services, kind: str, client: str, amount: float = 1) -> None:
    seconds = services.limiter.take(kind, client, amount)
    if seconds:
        raise problems.LimitedError(retry_after(seconds))


async def raw_body(request: Request) -> bytes:
    """The body as it came. Its size is limited while it streams."""
    return await request.body()


Given = Annotated[Services, Depends(services_of)]
Lang = Annotated[str, Depends(lang_of)]
Body = Annotated[bytes, Depends(raw_body)]
IssuerActor = Annotated[Actor, Depends(requires(Role.ISSUER))]
ReaderActor = Annotated[Actor, Depends(requires(Role.ISSUER, Role.HOLDER, Role.AUDITOR))]
HolderActor = Annotated[Actor, Depends(requires(Role.HOLDER))]
VerifierActor = Annotated[Actor, Depends(requires(Role.VERIFIER))]
OperatorActor = Annotated[Actor, Depends(requires())]
