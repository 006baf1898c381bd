"""``/v1/trust-list.xml``: the region's trust list for readers of ETSI TS 119 612."""

from __future__ import annotations

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from api.deps import Given, limited
from api.routes.pki import OPEN_TO_ALL, matches

router = APIRouter(prefix="/v1", tags=["regions"], dependencies=[Depends(limited("reading"))])
MEDIA_TYPE = "application/vnd.etsi.tsl+xml"
MAX_AGE = 300
"""Seconds; the standard allows four hours (6.1)."""


@router.get("/trust-list.xml", response_class=Response, summary="Trust list as XML (ETSI TS 119 612)")
def trust_list_xml(request: Request, services: Given) -> Response:
    """The certification authorities and timestamps of the region, with the JSON list's number, signed with XAdES."""
    published = services.vault.trust_list_xml.newest()
    headers = {"ETag": published.etag, "Cache-Control": f"public, max-age={MAX_AGE}", **OPEN_TO_ALL}
    if matches(request.headers.get("if-none-match"), published.etag):
        return Response(status_code=304, headers=headers)
    return Response(published.data, media_type=MEDIA_TYPE, headers=headers)


@router.get("/trust-list.sha2", response_class=Response, summary="SHA-256 of the XML trust list")
def trust_list_digest(services: Given) -> Response:
    """By which readers see whether the XML list changed; it proves nothing."""
    published = services.vault.trust_list_xml.newest()
    headers = {"Cache-Control": f"public, max-age={MAX_AGE}", **OPEN_TO_ALL}
    return Response(published.digest, media_type="text/plain", headers=headers)
