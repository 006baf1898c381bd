"""``/v1/licenses/{id}/…``: suspend, reinstate, revoke, renew, amend."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Header, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, ValidationError

from api import fields, problems
from api.deps import Body, Given, IssuerActor, ReaderActor, Services
from api.idempotency import answer_once
from api.lifejson import AmendIn, RenewIn, StatusActIn, StatusOut, act_json
from api.moments import moment
from api.schemas import utc
from certvault.licenselife import Waiting
from certvault.model.actor import Actor
from certvault.model.standing import Act
from certvault.standing import Asked
from certvault.versions import Content, Renewed

router = APIRouter(prefix="/v1/licenses", tags=["licenses"])
Key = Annotated[str | None, Header(alias="Idempotency-Key", max_length=255)]
M = TypeVar("M", bound=BaseModel)


def _described(model: type[BaseModel]) -> dict[str, Any]:
    schema = model.model_json_schema()
    return {"requestBody": {"required": False, "content": {"application/json": {"schema": schema}}}}


@router.post("/{identifier}/suspend", openapi_extra=_described(StatusActIn), summary="Suspend a license")
def suspend(
    identifier: str, raw: Body, request: Request, services: Given, actor: IssuerActor, key: Key = None
) -> Response:
    """It does not hold until it is reinstated. 202 when a second person has to approve."""
    return _simple(Act.SUSPEND, identifier, raw, request, services, actor, key)


@router.post("/{identifier}/reinstate", openapi_extra=_described(StatusActIn), summary="Reinstate a license")
def reinstate(
    identifier: str, raw: Body, request: Request, services: Given, actor: IssuerActor, key: Key = None
) -> Response:
    """A suspended license holds again."""
    return _simple(Act.REINSTATE, identifier, raw, request, services, actor, key)


@router.post("/{identifier}/revoke", openapi_extra=_described(StatusActIn), summary="Revoke a license")
def revoke(
    identifier: str, raw: Body, request: Request, services: Given, actor: IssuerActor, key: Key = None
) -> Response:
    """It never holds again, in any of its versions."""
    return _simple(Act.REVOKE, identifier, raw, request, services, actor, key)


@router.post("/{identifier}/renew", status_code=201, openapi_extra=_described(RenewIn), summary="Renew a license")
def renew(
    identifier: str, raw: Body, request: Request, services: Given, actor: IssuerActor, key: Key = None
) -> Response:
    """A new version with a new period takes its place."""
    given = _read(RenewIn, raw, request)
    content = Content(given.data, given.valid_to, given.valid_from)
    return _acted(Act.RENEW, identifier, raw, services, actor, key, given, content)


@router.post("/{identifier}/amend", status_code=201, openapi_extra=_described(AmendIn), summary="Amend a license")
def amend(
    identifier: str, raw: Body, request: Request, services: Given, actor: IssuerActor, key: Key = None
) -> Response:
    """A new version with other data takes its place."""
    given = _read(AmendIn, raw, request)
    if not given.data and given.approve is None:
        raise problems.malformed("data", "没有要变更的数据项。", "There is nothing to change.")
    return _acted(Act.AMEND, identifier, raw, services, actor, key, given, Content(given.data))


@router.get("/{identifier}/status", response_model=StatusOut, summary="Where a license stood at a moment, signed")
def status(
    identifier: str,
    services: Given,
    actor: ReaderActor,
    at: Annotated[str | None, Query(max_length=40)] = None,
) -> dict[str, Any]:
    """The standing now or at a past moment, with the vault's signed answer (JWS)."""
    vault = services.vault
    when = moment(at) if at else vault.clock.now()
    found = vault.licenses.readable(identifier, actor)
    return {
        "identifier": identifier,
        "at": utc(when),
        "standing": vault.standings.standing(found, when).value,
        "answer": vault.standing_answers.answer(found, when),
    }


def _simple(
    act: Act, identifier: str, raw: bytes, request: Request, services: Services, actor: Actor, key: str | None
) -> Response:
    return _acted(act, identifier, raw, services, actor, key, _read(StatusActIn, raw, request), None)


def _acted(
    act: Act,
    identifier: str,
    raw: bytes,
    services: Services,
    actor: Actor,
    key: str | None,
    given: StatusActIn,
    content: Content | None,
) -> Response:
    life = services.vault.life

    def work() -> tuple[int, dict[str, Any], dict[str, str]]:
        if given.approve is not None:
            done = life.approve(identifier, act, given.approve, actor)
            return _answer(services, done)
        asked = Asked(given.reason, given.basis, given.effective)
        return _answer(services, life.act(identifier, act, actor=actor, asked=asked, content=content))

    fingerprint = f"POST /v1/licenses/{identifier}/{act}\n".encode() + raw
    return answer_once(services.vault.idempotency, actor.subject, key, fingerprint, work)


def _answer(services: Services, done: Any) -> tuple[int, dict[str, Any], dict[str, str]]:
    body = act_json(done, services.base_url)
    if isinstance(done, Waiting):
        return 202, body, {}
    services.metrics.count("license_acts", act=body["act"])
    if isinstance(done, Renewed):
        return (201 if done.changed else 200), body, {"Location": body["links"]["self"]}
    return 200, body, {}


def _read(model: type[M], raw: bytes, request: Request) -> M:
    """The body as ``model``; no body is an empty one. RefusedError."""
    if not raw.strip():
        return _validated(lambda: model.model_validate({}))
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json" and not kind.endswith("+json"):
        raise problems.wrong_media_type("application/json")
    try:
        value = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise problems.malformed("", "不是 JSON 对象。", "This is no JSON object.") from error
    return _validated(lambda: model.model_validate(value))


def _validated(make: Callable[[], M]) -> M:
    try:
        return make()
    except ValidationError as error:
        raise fields.refused(error.errors()) from error
