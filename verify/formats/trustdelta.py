"""What leads from one trust list of a region to a later one, so that a follower need not fetch the whole.

JSON: ``{"from": N, "to": M, "protected": …, "signature": …, "remove": [part…], "put": {part: JSON}}``. A list's
payload is cut into parts: ``scheme`` (without types and revocation lists), ``crls``, ``platform``, ``type:NAME@V``
and ``issuer:CODE``. The follower changes the parts of the list it has, writes the payload in RFC 8785 form (types by
name and version, issuers by code) and has the token that the region signed: ``protected``, payload, ``signature``. Who
lies about a difference gives a payload that the region did not sign.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from verify.formats.jose import JoseError, encode_base64url, strict_object
from verify.formats.license import canonical_json
from verify.formats.members import MemberError, Members
from verify.formats.trustlist import EXTENSION, MAX_BYTES

MEDIA_TYPE = "application/vnd.certvault.trust-list-delta+json"
_MAX_PARTS = 25_000


class DeltaError(ValueError):
    """The difference cannot be used. The message says why."""


def difference(former: Mapping[str, Any], latest: Mapping[str, Any], token: str) -> bytes | None:
    """The difference between two payloads; ``token`` is the later list as it was signed.

    None when the later payload is not in the order that a follower would rebuild.
    """
    before, after = _parts(former), _parts(latest)
    if canonical_json(_joined(after)) != canonical_json(latest):
        return None
    protected, _, signature = token.split(".")
    value = {
        "from": _number(former),
        "to": _number(latest),
        "protected": protected,
        "signature": signature,
        "remove": sorted(set(before) - set(after)),
        "put": {name: part for name, part in after.items() if before.get(name) != part},
    }
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def begins_as_delta(data: bytes) -> bool:
    """Whether this is a JSON object, as a difference is and a token is not."""
    return data.lstrip()[:1] == b"{"


def apply_difference(former: Mapping[str, Any], data: bytes) -> bytes:
    """The token of the later list, not verified. ``former`` is the payload of the list that is held.

    Raises DeltaError when it leads from another list or is broken.
    """
    if len(data) > MAX_BYTES:
        raise DeltaError(f"larger than {MAX_BYTES} bytes")
    try:
        o = Members(strict_object(data, "document"))
        if o.integer("from") != _number(former):
            raise DeltaError("it leads from another list")
        parts = _parts(former)
        for name in o.texts("remove", limit=_MAX_PARTS):
            parts.pop(name, None)
        parts.update(o.object("put").value)
        payload = canonical_json(_joined(parts))
        protected, signature = o.text("protected", limit=MAX_BYTES), o.text("signature", limit=10_000)
    except (JoseError, MemberError) as error:
        raise DeltaError(str(error)) from error
    except (KeyError, TypeError, ValueError, IndexError, AttributeError, RecursionError) as error:
        raise DeltaError("its parts do not make a list") from error
    return f"{protected}.{encode_base64url(payload)}.{signature}".encode()


def _parts(payload: Mapping[str, Any]) -> dict[str, Any]:
    lote = payload["LoTE"]
    scheme = dict(lote["ListAndSchemeInformation"])
    ours = dict(scheme["SchemeExtensions"][0][EXTENSION])
    types, crls = ours.pop("types"), ours.pop("crls")
    scheme["SchemeExtensions"] = [{EXTENSION: ours}]
    platform, *issuers = lote["TrustedEntitiesList"]
    found: dict[str, Any] = {"scheme": scheme, "crls": crls, "platform": platform}
    found.update({f"type:{t['name']}@{t['version']}": t for t in types})
    found.update({f"issuer:{_code(i)}": i for i in issuers})
    return found


def _joined(parts: Mapping[str, Any]) -> dict[str, Any]:
    scheme = dict(parts["scheme"])
    ours = dict(scheme["SchemeExtensions"][0][EXTENSION])
    types = [p for n, p in parts.items() if n.startswith("type:")]
    issuers = [p for n, p in parts.items() if n.startswith("issuer:")]
    ours["types"] = sorted(types, key=lambda t: (t["name"], t["version"]))
    ours["crls"] = parts["crls"]
    scheme["SchemeExtensions"] = [{EXTENSION: ours}]
    entities = [parts["platform"], *sorted(issuers, key=_code)]
    return {"LoTE": {"ListAndSchemeInformation": scheme, "TrustedEntitiesList": entities}}


def _code(entity: Mapping[str, Any]) -> str:
    return str(entity["TrustedEntityInformation"]["TEInformationExtensions"][0][EXTENSION]["code"])


def _number(payload: Mapping[str, Any]) -> int:
    return int(payload["LoTE"]["ListAndSchemeInformation"]["LoTESequenceNumber"])
