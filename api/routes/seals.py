"""``/v1/seals``: the life of seals, permits, uses, and their standing at a moment."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

from api import problems
from api.deps import Body, Given, json_only, limited, requires
from api.idempotency import answer_once
from api.moments import moment
from api.routes.licenses import Key
from api.sealing import event_json, payload_of, permit_json, rules_of, seal_json, use_json, way_of
from api.uploads import MEDIA_TYPE, Form, read_form
from api.uses import seal_upload
from certvault.model.actor import Actor, Role
from certvault.model.seal import Life
from certvault.sealart import Extras
from certvault.seals import MAX_REASON, Wanted

router = APIRouter(prefix="/v1/seals", tags=["seals"])

Custodian = Annotated[Actor, Depends(requires(Role.CUSTODIAN))]
Applicant = Annotated[Actor, Depends(requires(Role.ISSUER, Role.CUSTODIAN))]
Reader = Annotated[Actor, Depends(requires(Role.ISSUER, Role.CUSTODIAN, Role.AUDITOR))]
IsJson = Annotated[None, Depends(json_only)]
SealId = Annotated[str, Field(max_length=40)]
MAX_PICTURE = 4_000_000


class Rules(BaseModel):
    """What a seal may be used for; a member that is absent limits nothing."""

    model_config = ConfigDict(extra="forbid")

    actors: list[str] | None = Field(None, description="Subjects (`token:…`), `role:…` or `label:…` of tokens")
    types: list[str] | None = None
    regions: list[str] | None = None
    purposes: list[str] | None = None
    max_uses: int | None = Field(None, ge=1)
    until: str | None = None
    approvers: Literal[1, 2] = 1


class Edition(BaseModel):
    """What a seal is to look like and may do; absent members stay as they are, or as the kind has them."""

    model_config = ConfigDict(extra="forbid")

    name: str | None = Field(None, max_length=200)
    diameter_mm: int | None = Field(None, ge=8, le=60)
    person: str | None = Field(None, max_length=60, description="On a legal representative's seal")
    words: str | None = Field(None, max_length=60, description="A business seal's own purpose")
    shape: str | None = Field(None, max_length=20)
    serial: str | None = Field(None, max_length=40)
    picture: str | None = Field(None, max_length=MAX_PICTURE * 4 // 3 + 4, description="A PNG in Base64")
    rules: Rules | None = None
    reason: str = Field("", max_length=MAX_REASON)


class NewSeal(Edition):
    """A seal that is asked for."""

    kind: str = Field(max_length=40, examples=["finance"])
    owner: str | None = Field(None, max_length=18, description="The organization's code; by default the only one's")


class Why(BaseModel):
    """Why a step is taken."""

    model_config = ConfigDict(extra="forbid")

    reason: str = Field("", max_length=MAX_REASON)
    exportable: bool = Field(False, description="Of `make`: the key can be backed up")


class NewPermits(BaseModel):
    """Leave to use a seal once on each digest (SHA-256, hex, of the bytes before sealing)."""

    model_config = ConfigDict(extra="forbid")

    digests: list[str] = Field(min_length=1, max_length=1000)
    purpose: str = Field("document", max_length=40)
    user: str | None = Field(None, max_length=80, description="Who may redeem them, e.g. `token:…`; by default you")
    until: str | None = Field(None, max_length=40)


class SealOut(BaseModel):
    """A seal with its editions."""

    id: str
    owner: str
    kind: str
    state: str
    version: int | None
    since: str
    created_at: str
    versions: list[dict[str, Any]]
    links: dict[str, str]


class SealList(BaseModel):
    """A page of seals; ``next_cursor`` is null on the last one."""

    items: list[SealOut]
    next_cursor: str | None


class SealLog(BaseModel):
    """Every step of a seal's life, oldest first."""

    items: list[dict[str, Any]]
    next_cursor: str | None = None


class PermitList(BaseModel):
    """Permits."""

    items: list[dict[str, Any]]
    next_cursor: str | None = None


class StatusOut(BaseModel):
    """Was the seal good at that moment: the answer, and the same signed (JWS, ``certvault-seal-status+jwt``)."""

    answer: dict[str, Any]
    jws: str


class UseOut(BaseModel):
    """One use. ``document`` is the sealed file, or the detached signature, in Base64; ``sha256`` is its digest."""

    use: dict[str, Any]
    sha256: str
    document: str


@router.post("", status_code=201, response_model=SealOut, summary="Apply for a seal")
def apply(new: NewSeal, raw: Body, services: Given, actor: Applicant, is_json: IsJson, key: Key = None) -> Response:
    """Ask for a seal. Another person approves it before it is made."""
    del is_json

    def work() -> tuple[int, dict[str, Any], dict[str, str]]:
        made = services.vault.seals.apply(
            new.kind, actor=actor, owner=new.owner, wanted=wanted_of(new), reason=new.reason
        )
        body = seal_json(made, services.base_url)
        return 201, body, {"Location": body["links"]["self"]}

    return answer_once(services.vault.idempotency, actor.subject, key, b"POST /v1/seals\n" + raw, work)


@router.get("", response_model=SealList, summary="List seals")
def listed(
    services: Given,
    actor: Reader,
    cursor: Annotated[str | None, Query(max_length=20)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> dict[str, Any]:
    """The seals that the caller may see, oldest first."""
    found = services.vault.seals.list(actor)
    start = next((i + 1 for i, known in enumerate(found) if known.seal.id == cursor), 0)
    page = found[start : start + limit]
    more = start + limit < len(found)
    return {
        "items": [seal_json(known, services.base_url) for known in page],
        "next_cursor": page[-1].seal.id if more else None,
    }


@router.get("/{seal}", response_model=SealOut, summary="Read a seal")
def read(seal: str, services: Given, actor: Reader) -> dict[str, Any]:
    """One seal with its editions."""
    return seal_json(services.vault.seals.get(seal, actor), services.base_url)


@router.get("/{seal}/log", response_model=SealLog, summary="The steps of a seal's life")
def log(seal: str, services: Given, actor: Reader) -> dict[str, Any]:
    """Each step with its moment, actor and reason."""
    return {"items": [event_json(e) for e in services.vault.seals.log(seal, actor)], "next_cursor": None}


@router.get("/{seal}/status", response_model=StatusOut, summary="Was the seal good at that moment?")
def status(
    seal: str,
    services: Given,
    allowed: Annotated[None, Depends(limited("key"))],
    at: Annotated[str | None, Query(max_length=40, description="RFC 3339, or a date; now by default")] = None,
) -> dict[str, Any]:
    """Signed by the vault's key for answers, with the audit evidence. Open to anyone."""
    del allowed
    moment_at = moment(at) if at else services.vault.clock.now()
    jws = services.vault.seal_standings.answer(seal, moment_at)
    return {"answer": payload_of(jws), "jws": jws}


@router.post("/{seal}/change", status_code=201, response_model=SealOut, summary="Apply for another edition")
def change(
    seal: str, new: Edition, raw: Body, services: Given, actor: Applicant, is_json: IsJson, key: Key = None
) -> Response:
    """Ask for a new picture, name, rules or certificate. The edition at work goes on until the new one is activated."""
    del is_json

    def work() -> tuple[int, dict[str, Any], dict[str, str]]:
        known = services.vault.seals.change(seal, actor=actor, wanted=wanted_of(new), reason=new.reason)
        return 201, seal_json(known, services.base_url), {}

    fingerprint = f"POST /v1/seals/{seal}/change\n".encode() + raw
    return answer_once(services.vault.idempotency, actor.subject, key, fingerprint, work)


@router.post("/{seal}/permits", status_code=201, response_model=PermitList, summary="Give leave to use a seal")
def permit(
    seal: str, new: NewPermits, raw: Body, services: Given, actor: Custodian, is_json: IsJson, key: Key = None
) -> Response:
    """One permit for each digest."""
    del is_json

    def work() -> tuple[int, dict[str, Any], dict[str, str]]:
        made = services.vault.seal_uses.permit(
            seal,
            new.digests,
            purpose=new.purpose,
            actor=actor,
            user=new.user,
            until=moment(new.until) if new.until else None,
        )
        return 201, {"items": [permit_json(p) for p in made], "next_cursor": None}, {}

    fingerprint = f"POST /v1/seals/{seal}/permits\n".encode() + raw
    return answer_once(services.vault.idempotency, actor.subject, key, fingerprint, work)


@router.get("/{seal}/permits", response_model=PermitList, summary="The newest permits of a seal")
def permits(seal: str, services: Given, actor: Reader) -> dict[str, Any]:
    """The newest thousand."""
    found = services.vault.seal_uses.permits(seal, actor)
    return {"items": [permit_json(p) for p in found], "next_cursor": None}


@router.post("/{seal}/permits/{permit}/approve", summary="Be the second approver of a permit")
def confirm(seal: str, permit: str, services: Given, actor: Custodian) -> dict[str, Any]:
    """Another person than who gave it."""
    return permit_json(services.vault.seal_uses.confirm(permit, actor, seal_id=seal))


@router.post("/{seal}/permits/{permit}/cancel", summary="Cancel a permit")
def cancel(seal: str, permit: str, services: Given, actor: Custodian) -> dict[str, Any]:
    """It is not redeemed any more."""
    return permit_json(services.vault.seal_uses.cancel(permit, actor, seal_id=seal))


USE_DESCRIPTION = {
    "requestBody": {
        "required": True,
        "content": {
            MEDIA_TYPE: {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {
                        "file": {"type": "string", "format": "binary"},
                        "permit": {"type": "string", "description": "By default you give leave yourself"},
                        "purpose": {"type": "string"},
                        "profile": {"type": "string", "enum": ["pades", "ses", "both"]},
                        "detached": {"type": "string", "enum": ["true", "false"]},
                        "baseline": {"type": "string", "enum": ["B-B", "B-T", "B-LT", "B-LTA"]},
                        "page": {"type": "integer", "description": "-1 is the last page"},
                        "at_mm": {"type": "string", "description": "X,Y from the corner"},
                        "corner": {"type": "string"},
                        "keyword": {"type": "string"},
                        "occurrence": {"type": "integer"},
                        "across": {"type": "string", "enum": ["left", "right", "top", "bottom"]},
                        "field": {"type": "string"},
                        "reason": {"type": "string"},
                    },
                }
            }
        },
    }
}


async def sealed_form(request: Request) -> Form:
    """The body: one file and how to seal it."""
    form = await read_form(request, max_files=1)
    if not form.files:
        raise problems.malformed("file", "没有文件。", "There is no file.")
    return form


@router.post(
    "/{seal}/uses",
    status_code=201,
    response_model=UseOut,
    openapi_extra=USE_DESCRIPTION,
    summary="Use a seal on a file",
)
def use(
    seal: str, services: Given, actor: Applicant, form: Annotated[Form, Depends(sealed_form)], key: Key = None
) -> Response:
    """Redeem a permit for the file's exact bytes, then seal it: a PDF, or any file detached."""
    (file,) = form.files
    fields = dict(form.fields)
    way = way_of(fields | {"detached": fields.get("detached") == "true", "lock": fields.get("lock") == "true"})

    def work() -> tuple[int, dict[str, Any], dict[str, str]]:
        sealed, used = seal_upload(
            services,
            seal,
            file.data,
            way,
            actor=actor,
            permit=fields.get("permit"),
            purpose=fields.get("purpose") or "document",
        )
        services.metrics.count("seal_uses", profile=way.profile.value)
        digest = hashlib.sha256(sealed).hexdigest()
        return 201, {"use": use_json(used), "sha256": digest, "document": base64.b64encode(sealed).decode()}, {}

    told = json.dumps(sorted(fields.items())).encode()
    fingerprint = f"POST /v1/seals/{seal}/uses\n".encode() + told + hashlib.sha256(file.data).digest()
    return answer_once(services.vault.idempotency, actor.subject, key, fingerprint, work)


@router.get("/{seal}/uses", response_model=SealLog, summary="The newest uses of a seal")
def uses(seal: str, services: Given, actor: Reader) -> dict[str, Any]:
    """The newest thousand."""
    return {"items": [use_json(u) for u in services.vault.seal_uses.uses(seal, actor)], "next_cursor": None}


def wanted_of(new: Edition) -> Wanted:
    """What is asked for, from the body."""
    picture = None
    if new.picture is not None:
        try:
            picture = base64.b64decode(new.picture, validate=True)
        except ValueError as error:
            raise problems.malformed("picture", "图片不是 Base64。", "The picture is not Base64.") from error
    extras = Extras(new.person, new.words, new.shape, new.serial, picture)
    rules = rules_of(new.rules.model_dump()) if new.rules is not None else None
    return Wanted(new.name, new.diameter_mm, rules, extras)


STEPS = ("approve", "reject", "make", "activate", "suspend", "resume", "retire", "destroy")
"""The steps a custodian takes; each is a POST with an optional reason."""


def _step(name: str) -> Callable[..., dict[str, Any]]:
    def take(seal: str, services: Given, actor: Custodian, why: Why | None = None) -> dict[str, Any]:
        given = why or Why(reason="", exportable=False)
        step: Callable[..., Life] = getattr(services.vault.seals, name)
        more = {"exportable": given.exportable} if name == "make" else {}
        return seal_json(step(seal, actor, given.reason, **more), services.base_url)

    take.__name__ = f"{name}_seal"
    take.__doc__ = f"The step {name.upper()} of a seal's life."
    return take


for _name in STEPS:
    router.post(f"/{{seal}}/{_name}", response_model=SealOut, summary=f"{_name.capitalize()} a seal")(_step(_name))
