"""``/v1/mintings``: bulk jobs."""

from __future__ import annotations

import hashlib
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response

from api import problems
from api.deps import Given, IssuerActor
from api.idempotency import answer_once
from api.routes.licenses import Key
from api.schemas import MintingOut, minting_json
from api.uploads import MEDIA_TYPE, Form, read_form
from certvault.errors import cursor_unknown

router = APIRouter(prefix="/v1/mintings", tags=["mintings"])


DESCRIPTION = {
    "requestBody": {
        "required": True,
        "content": {
            MEDIA_TYPE: {
                "schema": {
                    "type": "object",
                    "required": ["type", "file"],
                    "properties": {
                        "type": {"type": "string", "examples": ["business-license"]},
                        "file": {
                            "type": "string",
                            "format": "binary",
                            "description": "Rows: CSV (UTF-8 or GB 18030), XLSX or JSON lines",
                        },
                    },
                }
            }
        },
    }
}


async def table(request: Request) -> Form:
    """The body: one file of rows and the name of a type."""
    form = await read_form(request, max_files=1)
    if not form.files:
        raise problems.malformed("file", "没有文件。", "There is no file.")
    if not form.fields.get("type"):
        raise problems.malformed("type", "未指明证照类型。", "No license type is named.")
    return form


@router.post("", status_code=202, response_model=MintingOut, openapi_extra=DESCRIPTION, summary="Start a bulk job")
def start(services: Given, actor: IssuerActor, form: Annotated[Form, Depends(table)], key: Key = None) -> Response:
    """Stage the rows of a table and issue a license for each, in the background."""
    type_name, (file,) = form.fields["type"], form.files
    fingerprint = b"\n".join(
        (b"POST /v1/mintings", type_name.encode(), file.name.encode(), hashlib.sha256(file.data).digest())
    )

    def work() -> tuple[int, dict[str, Any], dict[str, str]]:
        with services.staging.place(actor.subject):
            progress = services.vault.minting.start_upload(type_name, file.name, file.data, actor=actor)
        services.metrics.count("mintings_started", type=progress.type)
        body = minting_json(progress, services.base_url)
        return 202, body, {"Location": body["links"]["self"]}

    return answer_once(services.vault.idempotency, actor.subject, key, fingerprint, work)


@router.get("/{job}", response_model=MintingOut, summary="A bulk job's progress and report")
def progress(
    job: str,
    services: Given,
    actor: IssuerActor,
    cursor: Annotated[str | None, Query(max_length=500, description="As the page before gave it")] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 200,
) -> dict[str, Any]:
    """How far the job is, and its report row by row."""
    found = services.vault.minting.progress(job, actor)
    rows = services.vault.minting.report(job, actor, after=_row_of(cursor), limit=limit)
    following = str(rows[-1].row) if len(rows) == limit else None
    return minting_json(found, services.base_url, rows, following)


def _row_of(cursor: str | None) -> int:
    """The row after which the report goes on."""
    if not cursor:
        return 0
    if not (cursor.isascii() and cursor.isdecimal() and len(cursor) < 10):
        raise cursor_unknown()
    return int(cursor)
