"""What other regions ask: the trust list and its differences, the anchors, and which regions are adopted here."""

from __future__ import annotations

import hashlib
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import JSONResponse, Response

from api.deps import Given, limited
from api.regionjson import region_json
from api.routes.pki import OPEN_TO_ALL, matches
from signing.formats.jose import compact_json
from verify.formats.trustdelta import MEDIA_TYPE as DELTA

router = APIRouter(tags=["regions"], dependencies=[Depends(limited("reading"))])

LIST = "application/jose"
MAX_AGE = 60
"""Seconds that a list may be kept: a change is seen within a minute, whoever stands between."""


@router.get("/v1/trust-list", response_class=Response, summary="This region's trust list")
def trust_list(
    request: Request,
    services: Given,
    since: Annotated[int | None, Query(alias="from", ge=1, le=2**53, description="The list that is held")] = None,
) -> Response:
    """The list as a signed token (``application/jose``), or with ``from`` what leads to it from that list
    (``application/vnd.certvault.trust-list-delta+json``), where that is known. 304 for the entity tag of the newest."""
    published = services.vault.trust_lists.newest()
    headers = {"ETag": published.etag, "Cache-Control": f"public, max-age={MAX_AGE}", **OPEN_TO_ALL}
    if matches(request.headers.get("if-none-match"), published.etag):
        return Response(status_code=304, headers=headers)
    delta = None if since is None else services.vault.trust_lists.delta(since)
    if delta is not None:
        return Response(delta, media_type=DELTA, headers=headers)
    return Response(published.token.encode(), media_type=LIST, headers=headers)


@router.get("/v1/trust-list/anchors", response_class=JSONResponse, summary="This region's anchors")
def anchors(request: Request, services: Given) -> Response:
    """Every anchor that counts or counted, oldest first, each vouched for by the one before: a follower walks them.

    The first one is taken from hand to hand; from here it proves nothing.
    """
    body = compact_json({"anchors": [a.to_json() for a in services.vault.anchors.all()]})
    tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    headers = {"ETag": tag, "Cache-Control": f"public, max-age={MAX_AGE}", **OPEN_TO_ALL}
    if matches(request.headers.get("if-none-match"), tag):
        return Response(status_code=304, headers=headers)
    return Response(body, media_type="application/json", headers=headers)


@router.get("/v1/regions", response_class=JSONResponse, summary="Regions adopted here")
def regions(services: Given) -> JSONResponse:
    """The regions whose trust lists are adopted, with the age of what is known and what stands against them."""
    found: list[dict[str, Any]] = [region_json(r) for r in services.vault.regions.list()]
    return JSONResponse({"items": found, "next_cursor": None}, headers={"Cache-Control": "no-cache"})
