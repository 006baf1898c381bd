"""``/v1/hub``: what a hub gives to its members, and takes from them. Open to anyone, within limits: all of it is signed
by those whom it concerns."""

from __future__ import annotations

import hashlib
import re
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, Field

from api.deps import Body, Given, json_only, limited
from api.schemas import utc
from certvault.hub import EntryInfo
from certvault.relay import AGREEMENT, MAX_PAGE, NOTICE
from verify.formats.trustdelta import MEDIA_TYPE as DELTA
from verify.formats.trustdelta import begins_as_delta

router = APIRouter(prefix="/v1/hub", tags=["hub"])

READING = [Depends(limited("reading"))]
JOSE = "application/jose"
LAST = 2**53 - 1
Region = Annotated[str, Path(pattern="^[0-9]{6}$")]


class EntryOut(BaseModel):
    """A region that the hub admits: what the entry says, and the entry as it was signed (JWS)."""

    region: str
    kind: str
    name: str
    address: str
    level: int
    parent: str
    admitted: str
    until: str
    sequence: int
    withdrawn: bool
    entry: str


class EntriesOut(BaseModel):
    """All entries, by region."""

    items: list[EntryOut]


class DocumentOut(BaseModel):
    """A document that the hub hands on, as it came; ``number`` counts them."""

    number: int
    region: str
    received_at: str
    sha256: str
    document: str


class DocumentsOut(BaseModel):
    """Documents in the order in which they came; ``next`` is the number to ask behind for more."""

    items: list[DocumentOut]
    next: int | None


class Witness(BaseModel):
    """A list as a member holds it: its number, and SHA-256 (hex) of its payload."""

    region: str = Field(pattern="^[0-9]{6}$")
    sequence: int = Field(ge=1, le=LAST)
    sha256: str = Field(pattern="^[0-9a-f]{64}$")


class WitnessOut(BaseModel):
    """``agrees`` is null when the hub never saw a list of that number; ``sha256`` are those that it saw."""

    agrees: bool | None
    sha256: list[str]


@router.get("/lists", response_class=Response, dependencies=READING, summary="The list of lists")
def lists(request: Request, services: Given) -> Response:
    """The hub's list of lists (JWS)."""
    given = services.vault.hub.newest()
    return _tagged(request, given.token.encode(), given.etag, JOSE)


@router.get("/lists/{region}", response_class=Response, dependencies=READING, summary="A region's own trust list")
def region_list(
    region: Region,
    request: Request,
    services: Given,
    since: Annotated[int | None, Query(alias="from", ge=1, le=LAST)] = None,
) -> Response:
    """The list as the region signed it. ``from``: the difference from the list of that number, where the hub has it."""
    if since is not None:
        delta = services.vault.hub.delta(region, since)
        if delta is not None and begins_as_delta(delta):
            return _tagged(request, delta, _etag(delta), DELTA)
    token = services.vault.hub.region_list(region)
    return _tagged(request, token, _etag(token), JOSE)


@router.get("/anchors/{region}", dependencies=READING, summary="A region's anchors")
def anchors(region: Region, services: Given) -> dict[str, Any]:
    """The anchor in the region's entry, and those that followed it."""
    return {"anchors": [a.to_json() for a in services.vault.hub.region_anchors(region)]}


@router.get("/entries", response_model=EntriesOut, dependencies=READING, summary="The regions that the hub admits")
def entries(services: Given) -> dict[str, Any]:
    """Every entry, withdrawn ones too."""
    return {"items": [entry_json(i) for i in services.vault.hub.entries()]}


@router.get("/agreements", response_model=DocumentsOut, dependencies=READING, summary="Agreements of the regions")
def agreements(
    services: Given,
    after: Annotated[int, Query(ge=0, le=LAST)] = 0,
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = 50,
) -> dict[str, Any]:
    """Signed agreements behind number ``after``."""
    return _documents(services, AGREEMENT, after, limit)


@router.post(
    "/agreements",
    response_model=DocumentOut,
    status_code=201,
    dependencies=[Depends(json_only), Depends(limited("key", 10))],
    summary="Hand an agreement on",
)
def offer_agreement(raw: Body, services: Given) -> dict[str, Any]:
    """Keep a signed agreement for the other region. Only what admitted regions have signed is kept."""
    return _document(services.vault.relay.offer_agreement(raw))


@router.get("/notices", response_model=DocumentsOut, dependencies=READING, summary="Notices of the regions")
def notices(
    services: Given,
    after: Annotated[int, Query(ge=0, le=LAST)] = 0,
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = 50,
) -> dict[str, Any]:
    """Signed notices behind number ``after``, such as that a key was compromised."""
    return _documents(services, NOTICE, after, limit)


@router.post(
    "/notices",
    response_model=DocumentOut,
    status_code=201,
    dependencies=[Depends(limited("key", 10))],
    summary="Hand a notice on",
)
def offer_notice(raw: Body, services: Given) -> dict[str, Any]:
    """Keep a notice (JWS) that an admitted region has signed, for the others."""
    return _document(services.vault.relay.offer_notice(raw))


@router.post("/witness", response_model=WitnessOut, dependencies=READING, summary="Compare a list with the hub's")
def witness(wanted: Witness, services: Given) -> dict[str, Any]:
    """Whether the hub saw the same list under that number. Who is told no has two lists to ask the region about."""
    seen = services.vault.hub.seen(wanted.region, wanted.sequence)
    return {"agrees": wanted.sha256 in seen and len(seen) == 1 if seen else None, "sha256": seen}


def entry_json(info: EntryInfo) -> dict[str, Any]:
    """An entry as it is shown."""
    entry = info.entry
    return {
        "region": entry.region,
        "kind": entry.kind,
        "name": entry.name,
        "address": entry.address,
        "level": entry.level,
        "parent": entry.parent,
        "admitted": utc(entry.admitted),
        "until": utc(entry.until),
        "sequence": entry.sequence,
        "withdrawn": entry.withdrawn,
        "entry": info.token,
    }


def _documents(services: Given, kind: str, after: int, limit: int) -> dict[str, Any]:
    found = services.vault.relay.documents(kind, after, limit)
    items = [_document(d) for d in found]
    return {"items": items, "next": found[-1].number if len(found) == limit else None}


def _document(kept: Any) -> dict[str, Any]:
    return {
        "number": kept.number,
        "region": kept.region,
        "received_at": utc(kept.received_at),
        "sha256": kept.sha256,
        "document": kept.body.decode("utf-8"),
    }


def _etag(body: bytes) -> str:
    return '"' + hashlib.sha256(body).hexdigest()[:32] + '"'


def _tagged(request: Request, body: bytes, etag: str, kind: str) -> Response:
    headers = {"ETag": etag, "Cache-Control": "no-cache"}
    wanted = re.split(r",\s*", request.headers.get("if-none-match", ""))
    if etag in wanted or f"W/{etag}" in wanted:
        return Response(status_code=304, headers=headers)
    return Response(body, media_type=kind, headers=headers)
