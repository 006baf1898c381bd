"""``/v1/verifications/report``: a signed report on one file, record or code, as PDF or HTML."""

from __future__ import annotations

import re
import time
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response

from api import problems
from api.deps import Given, client_name, limited
from api.judging.answers import MATERIAL
from api.moments import moment
from api.routes.verifications import DESCRIPTION, Submission, ask, submission

router = APIRouter(tags=["verifications"])

PDF, HTML = "application/pdf", "text/html; charset=utf-8"
_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; sandbox"
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")


@router.post(
    "/v1/verifications/report",
    dependencies=[
        Depends(limited("verification")),
        Depends(limited("key")),  # each report costs two signatures
        Depends(limited("judging", 0)),
        Depends(limited("verification-mib", 0)),
    ],
    openapi_extra=DESCRIPTION,
    summary="A signed report on one file, record or code",
    response_class=Response,
    responses={200: {"content": {PDF: {}, "text/html": {}}, "description": "The report"}},
)
def report(
    given: Annotated[Submission, Depends(submission)],
    request: Request,
    services: Given,
    wanted: Annotated[Literal["pdf", "html"] | None, Query(alias="format")] = None,
) -> Response:
    """The report, signed with the vault's key for answers: ``format`` is ``pdf`` or ``html``, else Accept decides."""
    if len(given.items) != 1:
        raise problems.malformed("file", "每份报告只说明一个文件。", "A report tells of one file.")
    item = given.items[0]
    at = moment(given.at) if given.at else services.vault.clock.now()
    client, began = client_name(request), time.monotonic()
    with services.waiting.place(client):
        material = ask(services, given, item, at, client, began, MATERIAL)
    kind = _format(request, wanted)
    services.metrics.count("reports", format=kind)
    if kind == "html":
        body = services.vault.reports.html(material, name=item.name, lang=given.lang)
        return Response(body, media_type=HTML, headers=_headers(item.name, "html"))
    body = services.vault.reports.pdf(material, name=item.name, lang=given.lang)
    return Response(body, media_type=PDF, headers=_headers(item.name, "pdf"))


def _format(request: Request, chosen: str | None) -> str:
    if chosen:
        return chosen
    accepted = request.headers.get("accept", "")
    return "html" if "text/html" in accepted and PDF not in accepted else "pdf"


def _headers(name: str, suffix: str) -> dict[str, str]:
    stem = _UNSAFE.sub("-", name.rpartition(".")[0] or name).strip("-.")[:80] or "file"
    return {
        "Content-Disposition": f'attachment; filename="report-{stem}.{suffix}"',
        "Content-Security-Policy": _POLICY,
        "Cache-Control": "no-store",
    }
