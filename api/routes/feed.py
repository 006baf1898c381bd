"""``/v1/feed``: what became of licenses, for registered systems that follow many."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel

from api.deps import Given, VerifierActor
from certvault.feed import MOST, USUAL, entry_json

router = APIRouter(tags=["feed"])

LINES = ("application/jsonl", "application/x-ndjson")


class StatusPlace(BaseModel):
    """Where the license stands in a Token Status List."""

    uri: str
    idx: int


class ChangeOut(BaseModel):
    """One change. ``standing`` is that after it; ``of`` is the number of the act whose moment came."""

    number: int
    identifier: str
    type: str
    version: int
    issuer: str
    status: StatusPlace
    valid_from: str
    valid_to: str | None
    act: str
    stage: str
    of: int | None
    successor: str | None
    standing: str
    effective_at: str
    recorded_at: str


class FeedOut(BaseModel):
    """A part of the feed; go on with ``after=cursor``, at once while there is ``more``."""

    changes: list[ChangeOut]
    cursor: str
    more: bool


@router.get(
    "/v1/feed",
    response_model=None,
    responses={200: {"model": FeedOut, "content": {LINES[0]: {"schema": {"type": "string"}}}}},
    summary="Changes of licenses, in order",
)
def feed(
    request: Request,
    services: Given,
    actor: VerifierActor,
    after: Annotated[str | None, Query(max_length=40)] = None,
    limit: Annotated[int, Query(ge=1, le=MOST)] = USUAL,
) -> Response:
    """Issues, acts and moments that came, in the order of their numbers; none appears behind a cursor later on.

    With `Accept: application/jsonl` each change is a line, and the last line holds cursor and more.
    """
    page = services.vault.feed.page(after, limit, actor)
    changes = [entry_json(change, services.base_url) for change in page.changes]
    end = {"cursor": page.cursor, "more": page.more}
    kind = _lines(request.headers.get("accept", ""))
    headers = {"Cache-Control": "no-store", "Vary": "Accept"}
    if kind is None:
        return JSONResponse({"changes": changes, **end}, headers=headers)
    return Response("".join(_json_lines([*changes, end])), media_type=kind, headers=headers)


def _lines(accept: str) -> str | None:
    """The kind of JSON lines that was asked for, if it was."""
    wanted = [part.partition(";")[0].strip().lower() for part in accept.split(",")]
    return next((kind for kind in wanted if kind in LINES), None)


def _json_lines(values: list[dict[str, Any]]) -> Iterator[str]:
    for value in values:
        yield json.dumps(value, ensure_ascii=False) + "\n"
