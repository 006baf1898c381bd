"""``/v1/mintings``: bulk jobs."""

from __future__ import annotations

import hashlib
from typing import Annotated, Any

from fastapi import APIRouter, File, Form, Query, UploadFile
from fastapi.responses import Response

from api.deps import Given, IssuerActor
from api.idempotency import answer_once
from api.routes.licenses import Key
from api.schemas import MintingOut, minting_json

router = APIRouter(prefix="/v1/mintings", tags=["mintings"])


@router.post("", status_code=202, response_model=MintingOut, summary="Start a bulk job")
def start(
    services: Given,
    actor: IssuerActor,
    type: Annotated[str, Form(max_length=100)],
    file: Annotated[UploadFile, File(description="Rows: CSV (UTF-8 or GB 18030), XLSX or JSON lines")],
    key: Key = None,
) -> Response:
    """Stage the rows of a table and issue a license for each, in the background."""
    content = file.file.read()
    name = (file.filename or "rows.csv").replace("\\", "/").rpartition("/")[2][:200]
    fingerprint = b"\n".join((b"POST /v1/mintings", type.encode(), name.encode(), hashlib.sha256(content).digest()))

    def work() -> tuple[int, dict[str, Any], dict[str, str]]:
        progress = services.vault.minting.start_upload(type, name, content, actor=actor)
        services.metrics.count("mintings_started", type=progress.type)
        body = minting_json(progress, services.base_url)
        return 202, body, {"Location": body["links"]["self"]}

    return answer_once(services.vault.idempotency, actor.subject, key, fingerprint, work)


@router.get("/{job}", response_model=MintingOut, summary="A bulk job's progress and report")
def progress(
    job: str,
    services: Given,
    actor: IssuerActor,
    cursor: Annotated[int, Query(ge=0, description="Row after which the report goes on")] = 0,
    limit: Annotated[int, Query(ge=1, le=1000)] = 200,
) -> dict[str, Any]:
    """How far the job is, and its report row by row."""
    found = services.vault.minting.progress(job, actor)
    rows = services.vault.minting.report(job, actor, after=cursor, limit=limit)
    following = str(rows[-1].row) if len(rows) == limit else None
    return minting_json(found, services.base_url, rows, following)
