"""What anyone may ask of the vault's PKI: status lists, revocation lists, certificates, OCSP, timestamps."""

from __future__ import annotations

import base64
import binascii
import json
from datetime import datetime
from typing import Annotated
from urllib.parse import unquote

from fastapi import APIRouter, Depends, Path, Request
from fastapi.responses import Response

from api import problems
from api.deps import Body, Given, limited
from api.routes.licenses import attachment

router = APIRouter(tags=["pki"])

READING = [Depends(limited("reading"))]
KEY = [Depends(limited("key"))]
OPEN_TO_ALL = {"Access-Control-Allow-Origin": "*", "Cross-Origin-Resource-Policy": "cross-origin"}
MAX_OCSP = 65_536


@router.get("/status-lists/{n}", response_class=Response, dependencies=READING, summary="Token Status List")
def status_list(n: Annotated[int, Path(ge=0, le=2**31 - 1)], request: Request, services: Given) -> Response:
    """The signed status list, to be kept for as long as its ``ttl`` says."""
    token, etag = services.vault.status_lists.token(n)
    tag = etag if etag.startswith('"') else f'"{etag}"'
    left = time_to_live(token, services.vault.clock.now())
    headers = {"ETag": tag, "Cache-Control": f"public, max-age={left}", **OPEN_TO_ALL}
    if matches(request.headers.get("if-none-match"), tag):
        return Response(status_code=304, headers=headers)
    return Response(token.encode(), media_type="application/statuslist+jwt", headers=headers)


@router.get("/crl/{ca}", response_class=Response, dependencies=READING, summary="Certificate revocation list")
def crl(ca: str, services: Given) -> Response:
    """The CRL of ``root`` or ``issuing``, or of one generation such as ``issuing-1``. DER."""
    data = services.vault.pki.crl(ca)
    headers = {"Cache-Control": "public, max-age=300", **OPEN_TO_ALL, **attachment(f"{ca}.crl")}
    return Response(data, media_type="application/pkix-crl", headers=headers)


@router.get("/ca/{ca}", response_class=Response, dependencies=READING, summary="Certificate of a CA")
def ca_certificate(ca: str, services: Given) -> Response:
    """The certificate of ``root`` or ``issuing``, or of one generation. DER."""
    data = services.vault.pki.ca_certificate(ca)
    headers = {"Cache-Control": "public, max-age=3600", **OPEN_TO_ALL, **attachment(f"{ca}.cer")}
    return Response(data, media_type="application/pkix-cert", headers=headers)


@router.post("/ocsp", response_class=Response, dependencies=KEY, summary="OCSP (RFC 6960)")
def ocsp(raw: Body, services: Given) -> Response:
    """A DER OCSPRequest in, a DER OCSPResponse out; one that cannot be read is answered as RFC 6960 has it."""
    services.metrics.count("ocsp")
    return Response(services.vault.pki.ocsp(raw), media_type="application/ocsp-response")


@router.get("/ocsp/{request64:path}", response_class=Response, dependencies=KEY, summary="OCSP by GET")
def ocsp_get(request64: str, services: Given) -> Response:
    """The request in base64 in the path, RFC 6960 appendix A.1."""
    try:
        raw = base64.b64decode(unquote(request64), validate=True)
    except (binascii.Error, ValueError):
        raw = b""  # answered as malformedRequest
    services.metrics.count("ocsp")
    answer = services.vault.pki.ocsp(raw[:MAX_OCSP])
    return Response(answer, media_type="application/ocsp-response", headers={"Cache-Control": "no-cache"})


@router.post("/tsa", response_class=Response, dependencies=KEY, summary="Timestamps (RFC 3161)")
def tsa(raw: Body, request: Request, services: Given) -> Response:
    """A DER TimeStampReq in, a DER TimeStampResp out."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/timestamp-query":
        raise problems.wrong_media_type("application/timestamp-query")
    services.metrics.count("timestamps")
    return Response(services.vault.pki.tsa(raw), media_type="application/timestamp-reply")


def time_to_live(token: str, now: datetime) -> int:
    """How many seconds of its ``ttl`` a status list of this vault's own has left."""
    payload = token.split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return max(0, int(claims["iat"] + claims["ttl"] - now.timestamp()))


def matches(header: str | None, tag: str) -> bool:
    """If-None-Match, RFC 9110 13.1.2: weak comparison."""
    tags = [t.strip().removeprefix("W/") for t in (header or "").split(",")]
    return "*" in tags or tag in tags
