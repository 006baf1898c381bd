"""``/v1/webhooks``: which systems are told of changes, and how that goes."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Query
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

from api.deps import Body, Given, OperatorActor, json_only
from api.idempotency import answer_once
from api.webhookjson import attempt_json, made_json, webhook_json
from certvault.webhooks import LOG_MOST, LONGEST_OVERLAP, OVERLAP

router = APIRouter(prefix="/v1/webhooks", tags=["webhooks"])
Key = Annotated[str | None, Header(alias="Idempotency-Key", max_length=255)]
Names = list[Annotated[str, Field(max_length=64)]]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class WebhookIn(_Strict):
    """Where to, and of what; without ``events`` or ``types`` of all of them. ``after``: a cursor of the feed."""

    url: str = Field(max_length=500)
    events: Names | None = Field(None, max_length=20)
    types: Names | None = Field(None, max_length=200)
    name: str = Field("", max_length=80)
    after: str | None = Field(None, max_length=40)


class ReplayIn(_Strict):
    """Behind which cursor of the feed everything is sent once more."""

    after: str = Field(max_length=40)


class RotateIn(_Strict):
    """For how many hours the secret before signs as well."""

    hours: int = Field(OVERLAP, ge=0, le=LONGEST_OVERLAP)


class WebhookOut(BaseModel):
    """One subscription and where it stands in the feed."""

    id: str
    name: str
    url: str
    events: list[str] | None
    types: list[str] | None
    state: str
    paused: str | None
    cursor: str
    failures: int
    failing_since: str | None
    next_at: str
    former_secret_until: str | None
    created_at: str


class WebhookMade(WebhookOut):
    """With its secret, which is shown this once."""

    secret: str


class WebhookList(BaseModel):
    """All subscriptions."""

    items: list[WebhookOut]


class AttemptOut(BaseModel):
    """One attempt to deliver one message. ``code`` says what went wrong where there was no status."""

    number: int
    at: str
    message: str
    changes: int
    delivered: bool
    status: int | None
    code: str | None
    milliseconds: int


class AttemptList(BaseModel):
    """Attempts, newest first."""

    items: list[AttemptOut]


@router.post("", status_code=201, response_model=WebhookMade, summary="Subscribe a system to changes")
def add(
    given: WebhookIn,
    raw: Body,
    services: Given,
    actor: OperatorActor,
    is_json: Annotated[None, Depends(json_only)],
    key: Key = None,
) -> Response:
    """The secret in the answer signs every message; it is shown this once."""
    del is_json

    def work() -> tuple[int, dict[str, Any], dict[str, str]]:
        made = services.vault.webhooks.add(
            given.url, actor=actor, kinds=given.events, types=given.types, name=given.name, after=given.after
        )
        return 201, made_json(made), {"Location": f"{services.base_url}/v1/webhooks/{made.webhook.id}"}

    return answer_once(services.vault.idempotency, actor.subject, key, b"POST /v1/webhooks\n" + raw, work)


@router.get("", response_model=WebhookList, summary="All subscriptions")
def listed(services: Given, actor: OperatorActor) -> dict[str, Any]:
    """Oldest first, without secrets."""
    return {"items": [webhook_json(found) for found in services.vault.webhooks.list(actor)]}


@router.get("/{webhook}", response_model=WebhookOut, summary="One subscription")
def one(webhook: str, services: Given, actor: OperatorActor) -> dict[str, Any]:
    """Where it stands, without its secret."""
    return webhook_json(services.vault.webhooks.get(webhook, actor))


@router.delete("/{webhook}", status_code=204, response_class=Response, summary="Remove a subscription")
def remove(webhook: str, services: Given, actor: OperatorActor) -> Response:
    """It is told nothing any more; its log goes with it."""
    services.vault.webhooks.remove(webhook, actor)
    return Response(status_code=204)


@router.get("/{webhook}/attempts", response_model=AttemptList, summary="What became of its messages")
def attempts(
    webhook: str, services: Given, actor: OperatorActor, limit: Annotated[int, Query(ge=1, le=LOG_MOST)] = 100
) -> dict[str, Any]:
    """The newest attempts first."""
    return {"items": [attempt_json(found) for found in services.vault.webhooks.log(webhook, actor, limit)]}


@router.post("/{webhook}/pause", response_model=WebhookOut, summary="Deliver nothing for now")
def pause(webhook: str, services: Given, actor: OperatorActor) -> dict[str, Any]:
    """It keeps its place."""
    return webhook_json(services.vault.webhooks.pause(webhook, actor))


@router.post("/{webhook}/resume", response_model=WebhookOut, summary="Go on delivering")
def resume(webhook: str, services: Given, actor: OperatorActor) -> dict[str, Any]:
    """From where it stopped."""
    return webhook_json(services.vault.webhooks.resume(webhook, actor))


@router.post("/{webhook}/replay", response_model=WebhookOut, summary="Send changes once more")
def replay(
    webhook: str,
    given: ReplayIn,
    services: Given,
    actor: OperatorActor,
    is_json: Annotated[None, Depends(json_only)],
) -> dict[str, Any]:
    """Everything behind the cursor, in order, as new messages."""
    del is_json
    return webhook_json(services.vault.webhooks.replay(webhook, given.after, actor))


@router.post("/{webhook}/rotate", response_model=WebhookMade, summary="Change the secret")
def rotate(
    webhook: str,
    given: RotateIn,
    services: Given,
    actor: OperatorActor,
    is_json: Annotated[None, Depends(json_only)],
) -> dict[str, Any]:
    """The new secret is shown this once; for a while both sign."""
    del is_json
    return made_json(services.vault.webhooks.rotate(webhook, actor, given.hours))


@router.post("/{webhook}/test", response_model=AttemptOut, summary="Send a test message now")
def test(webhook: str, services: Given, actor: OperatorActor) -> dict[str, Any]:
    """What became of it; a receiver that refuses it is no error here."""
    return attempt_json(services.vault.deliveries.test(webhook, actor))
