"""``/csc/v1`` and ``/csc/v2``: remote signing, see :mod:`api.csc`."""

from __future__ import annotations

import base64
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Request
from fastapi.responses import JSONResponse

from api.csc import answers
from api.csc.clients import signing_caller
from api.csc.errors import CscError
from api.csc.parameters import KINDS, V1, V2, Names, Parameters, read
from api.deps import Body, Given, Lang, limited, take
from certvault.model.actor import Actor

VERSION = "/{version}"
router = APIRouter(prefix="/csc", tags=["remote signing"])
Version = Annotated[str, Path(pattern="^v[12]$", description="v2, or v1 with its names `hash` and `hashAlgo`")]
Caller = Annotated[Actor, Depends(signing_caller)]
_TEXT, _TEXTS = {"type": "string"}, {"type": "array", "items": {"type": "string"}}
_CREDENTIAL = {"credentialID": _TEXT}
_SHOW: dict[str, Any] = {"certificates": {"enum": ["none", "single", "chain"]}, "certInfo": {"type": "boolean"}}
_HASHES = {"hashes": _TEXTS, "hashAlgorithmOID": _TEXT}
_SAD = {"SAD": _TEXT}


def _documented(required: tuple[str, ...] = (), **properties: Any) -> dict[str, Any]:
    """The request body in OpenAPI, in the names of version 2."""
    schema = {"type": "object", "properties": properties | {"clientData": _TEXT}, "required": list(required)}
    return {"requestBody": {"required": bool(required), "content": {"application/json": {"schema": schema}}}}


@router.post(
    f"{VERSION}/info",
    summary="What the service offers",
    dependencies=[Depends(limited("reading"))],
    openapi_extra=_documented(lang=_TEXT),
)
def info(version: Version, raw: Body, services: Given, lang: Lang) -> dict[str, Any]:
    """Open to anyone."""
    given = _read(version, raw)
    return answers.info(services.vault.settings, given.names, _lang(given, lang))


@router.post(
    f"{VERSION}/credentials/list",
    summary="The caller's credentials",
    openapi_extra=_documented((), credentialInfo={"type": "boolean"}, onlyValid={"type": "boolean"}, **_SHOW),
)
def credentials_list(version: Version, raw: Body, services: Given, actor: Caller, lang: Lang) -> dict[str, Any]:
    """Each credential is the edition at work of a seal."""
    given = _read(version, raw)
    if given.members.get("userID") is not None:
        raise CscError("userID parameter MUST be null")
    only = given.names is not V1 and given.flag("onlyValid")
    found = [c for c in services.vault.remote.credentials(actor, only_valid=only) if c.key.algorithm in KINDS]
    return answers.listed(found, given, _lang(given, lang))


@router.post(
    f"{VERSION}/credentials/info",
    summary="One credential, with its certificates",
    openapi_extra=_documented(("credentialID",), **_CREDENTIAL, **_SHOW),
)
def credentials_info(version: Version, raw: Body, services: Given, actor: Caller, lang: Lang) -> dict[str, Any]:
    """``SCAL`` is 2: what is authorized is bound to the hashes."""
    given = _read(version, raw)
    found = services.vault.remote.credential(given.text("credentialID"), actor)
    if found.key.algorithm not in KINDS:
        raise CscError("Invalid parameter credentialID")
    return answers.credential(found, given, _lang(given, lang))


@router.post(
    f"{VERSION}/credentials/authorize",
    summary="Leave to sign hashes",
    openapi_extra=_documented(
        ("credentialID", "numSignatures", "hashes"), **_CREDENTIAL, numSignatures={"type": "integer"}, **_HASHES
    ),
)
def credentials_authorize(version: Version, raw: Body, services: Given, actor: Caller) -> JSONResponse:
    """200 with the SAD; 202 with a handle where a second approver has to give leave."""
    given = _read(version, raw)
    credential_id, count, hashes = given.text("credentialID"), given.count(), given.hashes()
    _check(services, given, credential_id, hashes, actor, signing=False)
    if len(hashes) > count:
        raise CscError("Invalid value for parameter numSignatures")
    status, value = answers.authorized(services.vault.remote.authorize(credential_id, hashes, count, actor))
    if status == 202 and given.names is V1:
        raise CscError("The seal needs a second approver, which version 1 cannot wait for", "access_denied", 403)
    return JSONResponse(value, status)


@router.post(
    f"{VERSION}/credentials/authorizeCheck",
    summary="Whether leave was given by now",
    openapi_extra=_documented(("handle",), handle=_TEXT),
)
def credentials_authorize_check(version: Version, raw: Body, services: Given, actor: Caller) -> JSONResponse:
    """Asked with the handle of ``credentials/authorize``."""
    given = _read(version, raw)
    status, value = answers.authorized(services.vault.remote.check(given.text("handle"), actor))
    return JSONResponse(value, status)


@router.post(
    f"{VERSION}/credentials/extendTransaction",
    summary="Leave to sign the next hashes of a transaction",
    openapi_extra=_documented(("credentialID", "hashes", "SAD"), **_CREDENTIAL, **_HASHES, **_SAD),
)
def credentials_extend(version: Version, raw: Body, services: Given, actor: Caller) -> JSONResponse:
    """Within the number of signatures that was authorized."""
    given = _read(version, raw)
    credential_id, sad, hashes = given.text("credentialID"), given.text("SAD"), given.hashes()
    _check(services, given, credential_id, hashes, actor, signing=False)
    status, value = answers.authorized(services.vault.remote.extend(credential_id, sad, hashes, actor))
    return JSONResponse(value, status)


@router.post(
    f"{VERSION}/signatures/signHash",
    summary="Sign hashes",
    openapi_extra=_documented(
        ("credentialID", "SAD", "hashes", "signAlgo"), **_CREDENTIAL, **_SAD, **_HASHES, signAlgo=_TEXT
    ),
)
def sign_hash(version: Version, request: Request, raw: Body, services: Given, actor: Caller) -> dict[str, Any]:
    """Signature values in the order of the hashes: DER for ECDSA and SM2, the block for RSA. Each hash once."""
    given = _read(version, raw)
    credential_id, sad, hashes = given.text("credentialID"), given.text("SAD"), given.hashes()
    given.choice("operationMode", ("S",), "S")
    _check(services, given, credential_id, hashes, actor, signing=True)
    take(request, "remote-signature", len(hashes))
    values = services.vault.remote.sign(credential_id, sad, hashes, actor)
    for _ in values:
        services.metrics.count("remote_signatures")
    return {"signatures": [base64.b64encode(value).decode() for value in values]}


def _check(
    services: Given, given: Parameters, credential_id: str, hashes: list[bytes], actor: Actor, *, signing: bool
) -> None:
    kind = KINDS.get(services.vault.remote.credential(credential_id, actor).key.algorithm)
    if kind is None:
        raise CscError("Invalid parameter credentialID")
    given.check_algorithms(kind, hashes, signing=signing)


def _read(version: str, raw: bytes) -> Parameters:
    names: Names = V1 if version == "v1" else V2
    return read(raw, names)


def _lang(given: Parameters, otherwise: str) -> str:
    """The language of ``lang`` (RFC 5646), else the request's own."""
    wanted = given.members.get("lang")
    if not isinstance(wanted, str) or not wanted:
        return otherwise
    return "zh" if wanted.lower().startswith("zh") else "en"
