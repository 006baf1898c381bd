"""``/v1/verifications``: the verdict on files, records and codes, for anyone."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from pydantic import ValidationError

from api import language, problems
from api.deps import Given, Services, lang_of, limited, services_of
from api.judging.pool import Question
from api.moments import moment
from api.schemas import CodeIn, RecordIn
from api.uploads import MEDIA_TYPE, media_type, read_form
from api.wording import with_summary

router = APIRouter(tags=["verifications"])

WAITING = 16
"""So many requests may wait for a judge; more are told to come again."""
_waiting = threading.BoundedSemaphore(WAITING)


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
                    },
                }
            },
            "application/json": {"schema": {"oneOf": [CodeIn.model_json_schema(), RecordIn.model_json_schema()]}},
        },
    }
}


@router.post(
    "/v1/verifications",
    dependencies=[Depends(limited("verification"))],
    openapi_extra=DESCRIPTION,
    summary="Verify files, a record or a code",
)
def verify(given: Annotated[Submission, Depends(submission)], services: Given) -> dict[str, Any]:
    """The verdict on each. A negative verdict is an answer, not an error."""
    if not _waiting.acquire(blocking=False):
        raise problems.LimitedError("5")
    try:
        return {"files": [_judged(services, given, item) for item in given.items]}
    finally:
        _waiting.release()


def _judged(services: Services, given: Submission, item: Item) -> dict[str, Any]:
    own = services.vault.verification
    at = moment(given.at) if given.at else services.vault.clock.now()
    question = Question(item.data, own.trust(), own.evidence(), at, given.password, item.kind)
    verdict = services.judges.ask(question)[given.lang]
    services.metrics.count("verifications", kind=str(verdict["kind"]), conclusion=str(verdict["conclusion"]))
    return with_summary({"file": item.name, **verdict}, given.lang)


async def _from_form(request: Request) -> Submission:
    form = await read_form(request, max_files=services_of(request).limits.files)
    if not form.files:
        raise problems.malformed("file", "没有文件。", "There is no file.")
    fields = form.fields
    return Submission(
        tuple(Item(f.name, f.data) for f in form.files),
        _option(request, fields.get("at"), "at"),
        _lang(request, fields.get("lang")),
        fields.get("password") or None,
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
    return Submission((item,), _option(request, given.at, "at"), _lang(request, given.lang))


def _validated(model: type[CodeIn | RecordIn], value: dict[str, Any]) -> CodeIn | RecordIn:
    try:
        return model.model_validate(value)
    except ValidationError as error:
        raise problems.invalid_fields(error.errors()) from error


def _option(request: Request, value: str | None, name: str) -> str | None:
    return value or request.query_params.get(name)


def _lang(request: Request, value: str | None) -> str:
    return language.from_text(value) or lang_of(request)
