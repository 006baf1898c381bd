"""``/v1/verifications``: the verdict on files, records and codes, for anyone."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from pydantic import ValidationError

from api import fields, language, problems
from api.deps import Given, Services, client_name, lang_of, limited, services_of, take
from api.judging.pool import NoJudgeError, NoTurnError, Question
from api.limits import MEBIBYTE, retry_after
from api.moments import moment
from api.schemas import CodeIn, RecordIn
from api.uploads import MEDIA_TYPE, media_type, read_form
from api.wording import with_summary
from verify.report import DEPTHS

router = APIRouter(tags=["verifications"])


@dataclass(frozen=True, slots=True)
class Item:
    """One thing to judge. ``kind`` is ``any``, ``code`` or ``record``."""

    name: str
    data: bytes
    kind: str = "any"


@dataclass(frozen=True, slots=True)
class Submission:
    """A request: what to judge, and how."""

    items: tuple[Item, ...]
    at: str | None
    lang: str
    password: str | None = None
    depth: str | None = None
    receipt: bool = False


async def submission(request: Request) -> Submission:
    """Read the request in either of its forms. RefusedError when it is in neither."""
    kind = media_type(request)
    if kind == MEDIA_TYPE:
        return await _from_form(request)
    if kind in ("application/json", ""):
        return _from_json(request, await request.body())
    raise problems.wrong_media_type(f"{MEDIA_TYPE}, application/json")


DESCRIPTION = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {
                        "file": {"type": "array", "items": {"type": "string", "format": "binary"}},
                        "at": {"type": "string", "format": "date-time"},
                        "lang": {"enum": ["zh", "en"]},
                        "password": {"type": "string"},
                        "depth": {"enum": list(DEPTHS)},
                        "receipt": {"type": "boolean"},
                    },
                }
            },
            "application/json": {"schema": {"oneOf": [CodeIn.model_json_schema(), RecordIn.model_json_schema()]}},
        },
    }
}


@router.post(
    "/v1/verifications",
    dependencies=[
        Depends(limited("verification")),
        Depends(limited("judging", 0)),
        Depends(limited("verification-mib", 0)),
    ],
    openapi_extra=DESCRIPTION,
    summary="Verify files, a record or a code",
)
def verify(given: Annotated[Submission, Depends(submission)], request: Request, services: Given) -> dict[str, Any]:
    """The verdict on each. A negative verdict is an answer, not an error.

    All files together have one time; who sends files that take long comes later the next time.
    """
    at = moment(given.at) if given.at else services.vault.clock.now()
    client, began = client_name(request), time.monotonic()
    with services.waiting.place(client):
        return {"files": [_judged(services, given, item, at, client, began) for item in given.items]}


def _judged(
    services: Services, given: Submission, item: Item, at: datetime, client: str, began: float
) -> dict[str, Any]:
    chosen = ask(services, given, item, at, client, began, given.depth)[given.lang]
    services.metrics.count("verifications", kind=str(chosen["kind"]), conclusion=str(chosen["conclusion"]))
    shown = {"file": item.name, **chosen}
    answer = shown if given.depth else with_summary(shown, given.lang)
    if given.receipt:
        _pay(services, client)
        answer = {**answer, "receipt_jws": services.vault.receipts.make(item.data, shown, at)}
    return answer


def _pay(services: Services, client: str) -> None:
    """A receipt costs the keys three signatures, as much as that many timestamps."""
    seconds = services.limiter.take("key", client, 3)
    if seconds:
        raise problems.LimitedError(retry_after(seconds))


def ask(
    services: Services, given: Submission, item: Item, at: datetime, client: str, began: float, depth: str | None
) -> dict[str, Any]:
    """The answer to one question, by language; BusyError when no judge is free in time."""
    own, limits = services.vault.verification, services.limits
    left = limits.request_seconds - (time.monotonic() - began)
    if left <= 0:
        raise problems.takes_too_long(limits.request_seconds)
    question = Question(item.data, own.trust(), own.evidence(), at, given.password, item.kind, depth)
    try:
        verdict, seconds = services.judges.ask_timed(question, client=client, wait=left)
    except (NoTurnError, NoJudgeError) as error:
        raise problems.BusyError("5") from error
    services.limiter.charge("judging", client, seconds)
    return verdict


async def _from_form(request: Request) -> Submission:
    form = await read_form(request, max_files=services_of(request).limits.files)
    if not form.files:
        raise problems.malformed("file", "没有文件。", "There is no file.")
    take(request, "verification", len(form.files) - 1)  # one was taken before anything was read
    take(request, "verification-mib", sum(len(f.data) for f in form.files) / MEBIBYTE)
    fields = form.fields
    return Submission(
        tuple(Item(f.name, f.data) for f in form.files),
        _option(request, fields.get("at"), "at"),
        _lang(request, fields.get("lang")),
        fields.get("password") or None,
        _depth(request, fields.get("depth")),
        _wants_receipt(request, fields.get("receipt")),
    )


def _from_json(request: Request, raw: bytes) -> Submission:
    try:
        value = json.loads(raw)
        if not isinstance(value, dict):
            raise TypeError("no object")
    except (ValueError, TypeError, RecursionError) as error:
        raise problems.malformed("", "不是 JSON 对象。", "This is no JSON object.") from error
    model: type[CodeIn | RecordIn] = RecordIn if "record" in value else CodeIn
    given = _validated(model, value)
    kind = "record" if isinstance(given, RecordIn) else "code"
    text = given.record if isinstance(given, RecordIn) else given.code
    item = Item(kind, text.strip().encode("utf-8", "surrogatepass"), kind)
    at, lang = _option(request, given.at, "at"), _lang(request, given.lang)
    receipt = given.receipt or _wants_receipt(request, None)
    return Submission((item,), at, lang, depth=_depth(request, given.depth), receipt=receipt)


def _validated(model: type[CodeIn | RecordIn], value: dict[str, Any]) -> CodeIn | RecordIn:
    try:
        return model.model_validate(value)
    except ValidationError as error:
        raise fields.refused(error.errors()) from error


def _option(request: Request, value: str | None, name: str) -> str | None:
    return value or request.query_params.get(name)


def _wants_receipt(request: Request, value: str | None) -> bool:
    return (_option(request, value, "receipt") or "").lower() in ("1", "true", "yes")


def _depth(request: Request, value: str | None) -> str | None:
    depth = _option(request, value, "depth")
    if depth and depth not in DEPTHS:
        known = ", ".join(DEPTHS)
        raise problems.malformed("depth", f"报告深度应为以下之一：{known}。", f"Say one of: {known}.")
    return depth or None


def _lang(request: Request, value: str | None) -> str:
    if value and language.from_text(value) is None:
        raise problems.unknown_language()
    return language.from_text(value) or lang_of(request)
