"""Everything that was read of a file, as JSON: signatures, certificates, revocation data, revisions, the policy."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
from collections.abc import Mapping
from datetime import datetime, timedelta
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

from verify.facts import Facts, RevisionFacts, SignatureFacts, TimestampFacts

if TYPE_CHECKING:
    from verify.policy import Policy
    from verify.verdict import Verdict

MAX_LISTED = 200
"""So many certificates, lists and answers are told one by one."""
_MAX_TEXT = 400
_SHORT = {
    "common_name": "CN",
    "organization_name": "O",
    "organizational_unit_name": "OU",
    "country_name": "C",
    "state_or_province_name": "ST",
    "locality_name": "L",
    "serial_number": "serialNumber",
    "organization_identifier": "organizationIdentifier",
    "email_address": "email",
    "domain_component": "DC",
}


def facts_json(verdict: Verdict) -> dict[str, Any]:
    """``{file, signatures, revisions, certificates, revocation, pages, spent, judged_by, software}``."""
    facts = verdict.facts or Facts()
    return {
        "file": {"sha256": facts.sha256, "bytes": facts.size, "kind": verdict.kind},
        "signatures": [_signature(s) for s in facts.signatures],
        "revisions": [_revision(r) for r in facts.revisions],
        "pages": [{"page": p.page, "boxes": [list(b) for b in p.boxes]} for p in facts.pages],
        "certificates": _certificates(facts),
        "revocation": {
            "lists": [_crl(der) for der in facts.crls[:MAX_LISTED]],
            "answers": [_ocsp(der) for der in facts.ocsps[:MAX_LISTED]],
        },
        "spent": {"milliseconds": round(verdict.elapsed_ms, 1), **facts.spent},
        "judged_by": {
            "at": _utc(verdict.at),
            "anchors": [certificate_json(der) for der in (verdict.trust.anchors if verdict.trust else ())[:MAX_LISTED]],
            "further_certificates": len(verdict.trust.certificates) if verdict.trust else 0,
            "example_keys_count": bool(verdict.trust and verdict.trust.allow_example),
            "policy": policy_json(verdict.policy) if verdict.policy else None,
            "checks_demanded": list(verdict.demanded),
            "checks_run": list(verdict.checks),
        },
        "software": {"name": "certvault", "version": software_version()},
    }


@functools.cache
def software_version() -> str:
    """The installed version; ``unknown`` when this folder is used without being installed."""
    try:
        return version("certvault")
    except PackageNotFoundError:
        return "unknown"


def policy_json(policy: Policy) -> dict[str, Any]:
    """Every knob of a policy: sets sorted, durations in seconds."""
    return {f.name: _plain(getattr(policy, f.name)) for f in dataclasses.fields(policy)}


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: _plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, datetime):
        return _utc(value)
    if isinstance(value, (set, frozenset)):
        return sorted(str(v) for v in value)
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items()}
    return value if value is None or isinstance(value, (str, int, float, bool)) else str(value)


def _signature(found: SignatureFacts) -> dict[str, Any]:
    return {
        "field": found.field,
        "subfilter": found.subfilter,
        "byte_range": list(found.byte_range),
        "revision_end": found.end or None,
        "permission": found.permission,
        "digest_algorithm": found.digest or None,
        "message_digest": found.message_digest.hex() or None,
        "signature_algorithm": found.algorithm or None,
        "signature_bytes": found.value_bytes or None,
        "claimed_time": _utc(found.claimed_time),
        "signer": certificate_json(found.signer) if found.signer else None,
        "certificates": [_sha256(der) for der in found.certificates],
        "path": [_sha256(der) for der in found.path],
        "timestamps": [_timestamp(t) for t in found.timestamps],
    }


def _timestamp(found: TimestampFacts) -> dict[str, Any]:
    return {
        "time": _utc(found.time),
        "authority": certificate_json(found.authority),
        "hash": found.hash,
        "serial": found.serial,
    }


def _revision(found: RevisionFacts) -> dict[str, Any]:
    return {
        "number": found.number,
        "start": found.start,
        "end": found.end,
        "signed_by": list(found.signed_by),
        "changed_after": list(found.changed_after),
        "objects": found.objects,
    }


def _certificates(facts: Facts) -> list[dict[str, Any]]:
    """Each certificate once, wherever it stood."""
    found: dict[bytes, None] = {}
    for signature in facts.signatures:
        found |= dict.fromkeys((signature.signer, *signature.certificates, *signature.path))
        found |= dict.fromkeys(t.authority for t in signature.timestamps)
    found |= dict.fromkeys(facts.certificates)
    found.pop(b"", None)
    return [certificate_json(der) for der in list(found)[:MAX_LISTED]]


def certificate_json(der: bytes) -> dict[str, Any]:
    """A certificate: names, serial, validity, key, fingerprints. Parts that cannot be read are null."""
    return {**_certificate(der)}


@functools.lru_cache(maxsize=512)
def _certificate(der: bytes) -> dict[str, Any]:
    from asn1crypto import x509

    known: dict[str, Any] = {"sha256": _sha256(der), "sha1": hashlib.sha1(der, usedforsecurity=False).hexdigest()}
    try:
        certificate = x509.Certificate.load(der)
    except (ValueError, TypeError):
        return known
    key = _try(lambda: certificate.public_key)
    return {
        **known,
        "subject": _try(lambda: _name(certificate.subject)),
        "issuer": _try(lambda: _name(certificate.issuer)),
        "serial": _try(lambda: f"{certificate.serial_number:x}"),
        "not_before": _try(lambda: _utc(certificate.not_valid_before)),
        "not_after": _try(lambda: _utc(certificate.not_valid_after)),
        "key": _try(lambda: str(key.algorithm)),
        "key_bits": _try(lambda: int(key.bit_size)),
        "signature_algorithm": _try(lambda: str(certificate["signature_algorithm"]["algorithm"].native)),
        "usages": _try(lambda: _usages(certificate)),
        "authority": _try(lambda: bool(certificate.ca)),
    }


def _usages(certificate: Any) -> list[str]:
    key, extended = certificate.key_usage_value, certificate.extended_key_usage_value
    named = sorted(key.native) if key is not None else []
    return [*named, *(str(u.dotted) for u in extended or ())][:50]


def _crl(der: bytes) -> dict[str, Any]:
    from asn1crypto import crl

    known: dict[str, Any] = {"sha256": _sha256(der), "bytes": len(der)}
    try:
        body = crl.CertificateList.load(der)["tbs_cert_list"]
    except (ValueError, TypeError):
        return known
    return {
        **known,
        "issuer": _try(lambda: _name(body["issuer"])),
        "this_update": _try(lambda: _utc(body["this_update"].native)),
        "next_update": _try(lambda: _utc(body["next_update"].native)),
        "entries": _try(lambda: len(body["revoked_certificates"])),
    }


def _ocsp(der: bytes) -> dict[str, Any]:
    from asn1crypto import ocsp

    known: dict[str, Any] = {"sha256": _sha256(der), "bytes": len(der)}
    try:
        data = ocsp.OCSPResponse.load(der).response_data
        answers = list(data["responses"])[:MAX_LISTED]
    except (ValueError, TypeError, KeyError, AttributeError):
        return known
    return {
        **known,
        "produced_at": _try(lambda: _utc(data["produced_at"].native)),
        "answers": _try(lambda: [_answer(a) for a in answers]),
    }


def _answer(answer: Any) -> dict[str, Any]:
    return {
        "serial": f"{answer['cert_id']['serial_number'].native:x}",
        "status": str(answer["cert_status"].name),
        "this_update": _utc(answer["this_update"].native),
        "next_update": _utc(answer["next_update"].native),
    }


def _name(name: Any) -> str:
    """A distinguished name in one line as RFC 4514 has it, but in the order of the certificate; nothing unprintable."""
    parts = [
        f"{_SHORT.get(attribute['type'].native, attribute['type'].native)}={attribute['value'].native}"
        for relative in name.chosen
        for attribute in relative
    ]
    text = ", ".join(parts)
    return "".join(c if c.isprintable() else "\ufffd" for c in text)[:_MAX_TEXT]


def _sha256(der: bytes) -> str:
    return hashlib.sha256(der).hexdigest()


def _utc(moment: datetime | None) -> str | None:
    from verify.verdict import utc_text

    return utc_text(moment) if moment is not None else None


def _try(read: Any) -> Any:
    """What ``read`` gives; None for a broken part of a foreign value, whose parser raises a dozen types."""
    try:
        return read()
    except Exception:  # noqa: BLE001
        return None
