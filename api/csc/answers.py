"""The shapes of answers in both versions."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

from api.csc.parameters import KINDS, MOST_HASHES, V1, Names, Parameters

if TYPE_CHECKING:
    from certvault.remote import Authorized, Credential
    from certvault.settings import Settings

METHODS = ("credentials/list", "credentials/info", "credentials/authorize", "credentials/extendTransaction")
ZH, EN = "zh-CN", "en-US"


def info(settings: Settings, names: Names, lang: str) -> dict[str, Any]:
    """What the service is and offers (11.1)."""
    common: dict[str, Any] = {
        "specs": "1.0.4.0" if names is V1 else "2.0.0.0",
        "name": settings.name,
        "logo": f"{settings.base_url}/static/mark.png",
        "region": "CN",
        "lang": ZH if lang == "zh" else EN,
        "description": "电子印章远程签名服务" if lang == "zh" else "Remote signing with electronic seals",
        "authType": ["external", *(["TLS"] if settings.remote_clients else [])],
        "methods": ["info", *METHODS, *(() if names is V1 else ("credentials/authorizeCheck",)), "signatures/signHash"],
    }
    if names is V1:
        return common
    algos = [oid for kind in KINDS.values() for oid in kind.algos]
    return common | {
        "asynchronousOperationMode": False,
        "validationInfo": False,
        "signAlgorithms": {"algos": algos},
        "signature_formats": {"formats": [], "envelope_properties": []},
        "conformance_levels": [],
    }


def listed(found: list[Credential], given: Parameters, lang: str) -> dict[str, Any]:
    """``credentials/list`` (11.4)."""
    value: dict[str, Any] = {"credentialIDs": [c.id for c in found]}
    if given.names is not V1 and given.flag("onlyValid"):
        value["onlyValid"] = True
    if given.names is not V1 and given.flag("credentialInfo"):
        value["credentialInfos"] = [{"credentialID": c.id, **credential(c, given, lang)} for c in found]
    return value


def credential(one: Credential, given: Parameters, lang: str) -> dict[str, Any]:
    """``credentials/info`` (11.5); version 1 has the authorization's members at the top."""
    kind = KINDS[one.key.algorithm]
    key: dict[str, Any] = {
        "status": "enabled" if one.enabled else "disabled",
        "algo": list(kind.algos),
        "len": kind.length,
    }
    if kind.curve is not None:
        key["curve"] = kind.curve
    value: dict[str, Any] = {"description": one.name[:255], "key": key, "cert": _certificate(one, given)}
    if given.names is V1:
        value["authMode"] = "implicit"
    else:
        value["auth"] = {"mode": "explicit", "objects": []}
    return value | {"SCAL": "2", "multisign": MOST_HASHES, "lang": ZH if lang == "zh" else EN}


def _certificate(one: Credential, given: Parameters) -> dict[str, Any]:
    wanted = given.choice("certificates", ("none", "single", "chain"), "single")
    value: dict[str, Any] = {"status": one.status}
    if wanted != "none":
        shown = one.certificates if wanted == "chain" else one.certificates[:1]
        value["certificates"] = [base64.b64encode(der).decode() for der in shown]
    if given.flag("certInfo"):
        value |= {
            "issuerDN": one.issuer,
            "serialNumber": f"{one.serial:X}",
            "subjectDN": one.subject,
            "validFrom": f"{one.not_before:%Y%m%d%H%M%S}Z",
            "validTo": f"{one.not_after:%Y%m%d%H%M%S}Z",
        }
    return value


def authorized(given: Authorized) -> tuple[int, dict[str, Any]]:
    """200 with activation data, or 202 with a handle while the second approver has not decided (11.6)."""
    if given.sad is None:
        return 202, {"handle": given.handle}
    return 200, {"SAD": given.sad, "expiresIn": given.seconds}
