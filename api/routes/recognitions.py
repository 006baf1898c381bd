"""``/v1/recognitions``: does a presented license of another region count here, for registered systems."""

from __future__ import annotations

import time
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, Field

from api import problems
from api.deps import Given, Services, VerifierActor, client_name, limited
from api.limits import retry_after
from api.moments import moment
from api.routes.verifications import DESCRIPTION, Submission, ask, submission
from api.wording import with_summary

router = APIRouter(tags=["recognitions"])

RECEIPT_SIGNATURES = 3
"""What a receipt costs the keys: as much as that many timestamps."""


class RecognitionOut(BaseModel):
    """The answer, the whole verdict it is a part of, and both signed with what they rest on."""

    recognition: dict[str, Any] | None = Field(description="null for a license of this region, or no license at all")
    verdict: dict[str, Any]
    receipt: dict[str, Any] = Field(description="a flattened JWS; see docs/status.md")


@router.post(
    "/v1/recognitions",
    response_model=RecognitionOut,
    dependencies=[
        Depends(limited("verification")),
        Depends(limited("judging", 0)),
        Depends(limited("verification-mib", 0)),
    ],
    openapi_extra=DESCRIPTION,
    summary="Does a license of another region count here? 跨区域互认",
)
def recognize(
    actor: VerifierActor, given: Annotated[Submission, Depends(submission)], request: Request, services: Given
) -> dict[str, Any]:
    """One document, record or code. The receipt names trust list, agreement and status list by number and digest."""
    if len(given.items) != 1:
        raise problems.malformed("file", "一次只能提交一份文件。", "Send one document at a time.")
    at = moment(given.at) if given.at else services.vault.clock.now()
    client, began = client_name(request), time.monotonic()
    _pay(services, actor.subject)
    item = given.items[0]
    with services.waiting.place(client):
        found = ask(services, given, item, at, client, began, None)[given.lang]
    shown = {"file": item.name, **found}
    recognition = found.get("recognition")
    outcome = str(recognition["outcome"]) if isinstance(recognition, dict) else "none"
    services.metrics.count("recognitions", outcome=outcome)
    receipt = services.vault.receipts.make(item.data, shown, at)
    return {"recognition": recognition, "verdict": with_summary(shown, given.lang), "receipt": receipt}


def _pay(services: Services, subject: str) -> None:
    seconds = services.limiter.take("key", subject, RECEIPT_SIGNATURES)
    if seconds:
        raise problems.LimitedError(retry_after(seconds))
