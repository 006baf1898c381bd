"""``/v1/licenses``: issue, read, download."""

from __future__ import annotations

import re
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Query
from fastapi.responses import Response

from api.deps import Body, Given, IssuerActor, ReaderActor, json_only
from api.idempotency import answer_once
from api.schemas import Issued, LicenseList, LicenseOut, NewLicense, issued_json, license_json

router = APIRouter(prefix="/v1/licenses", tags=["licenses"])

RECORD_TYPE = "application/dc+sd-jwt"
Key = Annotated[str | None, Header(alias="Idempotency-Key", max_length=255)]


@router.post("", status_code=201, response_model=Issued, summary="Issue a license")
def issue(
    new: NewLicense,
    raw: Body,
    services: Given,
    actor: IssuerActor,
    is_json: Annotated[None, Depends(json_only)],  # after the caller: a stranger learns nothing but that they are one
    key: Key = None,
) -> Response:
    """Issue one license. Every fault in the data is named at once; nothing is numbered before all is in order."""
    del is_json

    def work() -> tuple[int, dict[str, Any], dict[str, str]]:
        made = services.vault.issuing.issue(
            new.type,
            new.data,
            actor=actor,
            holder_key=new.holder_key,
            baseline=new.baseline,
            request_key=f"{actor.subject}|{key}" if key else None,
        )
        services.metrics.count("licenses_issued", type=made.type)
        body = issued_json(made, services.base_url)
        return 201, body, {"Location": body["links"]["self"]}

    return answer_once(services.vault.idempotency, actor.subject, key, b"POST /v1/licenses\n" + raw, work)


@router.get("", response_model=LicenseList, summary="List licenses")
def listed(
    services: Given,
    actor: ReaderActor,
    cursor: Annotated[str | None, Query(max_length=500)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> dict[str, Any]:
    """The licenses that the caller may read, newest first."""
    page = services.vault.licenses.list(actor, cursor=cursor, limit=limit)
    return {
        "items": [license_json(view, services.base_url) for view in page.items],
        "next_cursor": page.next_cursor,
    }


@router.get("/{identifier}", response_model=LicenseOut, summary="Read a license")
def read(identifier: str, services: Given, actor: ReaderActor) -> dict[str, Any]:
    """One license."""
    return license_json(services.vault.licenses.get(identifier, actor), services.base_url)


@router.get("/{identifier}/pdf", response_class=Response, summary="Download the PDF")
def pdf(identifier: str, services: Given, actor: ReaderActor) -> Response:
    """The sealed PDF."""
    data = services.vault.licenses.pdf(identifier, actor)
    return Response(data, media_type="application/pdf", headers=attachment(f"{identifier}.pdf"))


@router.get("/{identifier}/record", response_class=Response, summary="Download the structured record")
def record(identifier: str, services: Given, actor: ReaderActor) -> Response:
    """The structured record, an SD-JWT VC with all its disclosures."""
    text = services.vault.licenses.record(identifier, actor)
    return Response(text.encode(), media_type=RECORD_TYPE, headers=attachment(f"{identifier}.sdjwt"))


def attachment(name: str) -> dict[str, str]:
    """A Content-Disposition that no name can break out of."""
    safe = re.sub(r"[^0-9A-Za-z._-]", "_", name)[-150:]
    return {"Content-Disposition": f'attachment; filename="{safe}"'}
