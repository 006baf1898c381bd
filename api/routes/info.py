"""``/v1/verifications/info``: claimed facts against the vault, for registered systems."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field

from api import problems
from api.deps import Given, Lang, VerifierActor, json_only
from api.limits import retry_after
from certvault.infochecks import MAX_FIELDS, MAX_VALUE, MEANINGS, Claim, InfoResult

router = APIRouter(tags=["verifications"])

WRONG = 4
"""What a claim that does not fit costs beside its own: guessing is slow."""
Value = Annotated[str, Field(max_length=MAX_VALUE)]


class InfoIn(BaseModel):
    """What a system was told of a license: its type, its number or a holder's code, members of its data."""

    model_config = ConfigDict(extra="forbid")

    type: str | None = Field(None, max_length=100)
    number: str | None = Field(None, max_length=200)
    holder_code: str | None = Field(None, max_length=100)
    fields: dict[Annotated[str, Field(max_length=100)], Value] = Field(default_factory=dict, max_length=MAX_FIELDS)


class InfoAbout(BaseModel):
    """The code in words, and of what was asked what fits: match, differs, unknown."""

    meaning: str
    fields: dict[str, str]


class InfoOut(BaseModel):
    """The national result code, 0 to 7."""

    result: int
    about: InfoAbout


@router.post("/v1/verifications/info", response_model=InfoOut, summary="Check claimed facts, 信息验证")
def info(
    claim: InfoIn,
    services: Given,
    actor: VerifierActor,
    lang: Lang,
    is_json: Annotated[None, Depends(json_only)],
) -> dict[str, Any]:
    """One code, and which of the members asked about differ. No value is ever told; every check is logged."""
    del is_json
    seconds = services.limiter.take("info", actor.subject)
    if seconds:
        raise problems.LimitedError(retry_after(seconds))
    given = Claim(claim.type, claim.number, claim.holder_code, claim.fields)
    answer = services.vault.info_checks.check(given, actor)
    if answer.result >= InfoResult.NOT_FOUND:
        services.limiter.charge("info", actor.subject, WRONG)
    services.metrics.count("info_checks", result=str(int(answer.result)))
    meaning = MEANINGS[answer.result].in_language(lang)
    return {"result": int(answer.result), "about": {"meaning": meaning, "fields": dict(answer.fields)}}
