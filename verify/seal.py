"""Inspect an electronic seal or a seal signature of any maker, step by step (GM/T 0031, GB/T 38540)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from verify.checks.sealsteps import SealSteps, Step, failed, not_run
from verify.evidence import NO_EVIDENCE, Evidence
from verify.formats.seal import (
    Seal,
    SealSignature,
    has_shape_1,
    looks_like_signature,
    unverified_seal,
    unverified_seal_signature,
)
from verify.formats.sealvalues import SealFormatError
from verify.inquiry import Inquiry
from verify.policy import DEFAULT_POLICY, Policy
from verify.trust.anchors import TrustStore
from verify.verdict import utc_text

_SEAL_CODES = ("SEAL_FORMAT", "SEAL_SIG", "SEAL_CREATE_DATE", "SEAL_MAKER_CERT", "SEAL_VALIDITY", "TIMESTAMP", None)


@dataclass(frozen=True, slots=True)
class Inspection:
    """What was seen. ``version`` is 1, 4 or 5, None when the structure cannot be read."""

    kind: str  # seal, signature
    version: int | None
    steps: tuple[Step, ...]
    at: datetime
    seal: Seal | None = None
    signature: SealSignature | None = None

    def to_json(self, lang: str = "zh") -> dict[str, Any]:
        """The inspection as the command line shows it."""
        return {
            "kind": self.kind,
            "version": self.version,
            "at": utc_text(self.at),
            "steps": [s.to_json(lang) for s in self.steps],
            "seal": _facts(self.seal) if self.seal else None,
            "signature": _signature_facts(self.signature) if self.signature else None,
        }


def inspect_seal(
    data: bytes,
    *,
    trust: TrustStore,
    at: datetime,
    policy: Policy = DEFAULT_POLICY,
    evidence: Evidence = NO_EVIDENCE,
    document: bytes | None = None,
) -> Inspection:
    """Read and verify a seal, or a seal signature over ``document``. Any bytes give an answer, nothing raises.

    Without anchors in ``trust``, or without ``document``, the steps that need them are NOT_RUN.
    """
    signature = looks_like_signature(data)
    kind = "signature" if signature else "seal"
    inquiry = Inquiry("seal", trust=trust, at=at, policy=policy, evidence=evidence)
    try:
        value = unverified_seal_signature(data) if signature else unverified_seal(data)
    except (SealFormatError, RecursionError) as error:
        return Inspection(kind, None, _unreadable(error, _rest(data) if signature else None), inquiry.at)
    from verify.checks.chain import Chains

    steps = SealSteps(Chains(inquiry, ()), inquiry.at, document)
    if isinstance(value, SealSignature):
        return Inspection(kind, value.version, steps.of_signature(value), inquiry.at, value.seal, value)
    return Inspection(kind, value.version, steps.of_seal(value, inquiry.at), inquiry.at, value)


_V4_CODES = ("SIG_VALUE", "SIGNER_NOT_IN_SEAL", "SEAL_SIG", "SIGNER_CERT_CHAIN", "SIGN_TIME_OUTSIDE_CERT", "DATA_HASH")


_V1_CODES = ("SIG_VALUE", "SIGNER_CERT_CHAIN", None, "SIGN_TIME_OUTSIDE_CERT", "REVOKED_BEFORE_SIGNING", None)


def _rest(data: bytes) -> tuple[str | None, ...]:
    """The rows after the first of a signature that cannot be read whole, by the shape it begins with."""
    return (*_V1_CODES, "DATA_HASH", "SEAL_SIG", None) if has_shape_1(data) else (*_V4_CODES, "TIMESTAMP")


def _unreadable(error: Exception, rest: tuple[str | None, ...] | None) -> tuple[Step, ...]:
    """The first row failed and the others not run; ``rest`` are those of a signature, None for a bare seal."""
    part = getattr(error, "part", "value")
    in_seal = part in ("SESeal", "certList") or part.startswith(("SES_", "SESeal", "picture", "Cert", "cert"))
    first = "FORMAT" if rest is not None and not (in_seal and part != "SES_Signature") else "SEAL_FORMAT"
    after = rest if rest is not None else _SEAL_CODES[1:]
    why = getattr(error, "reason", "nested too deeply")
    return (failed(first, "format-wrong", part=part, why=why), *(not_run(code, "not-reached") for code in after))


def _facts(seal: Seal) -> dict[str, Any]:
    return {
        "id": seal.seal_id,
        "name": seal.name,
        "type": seal.kind,
        "vendor": seal.vendor,
        "created": utc_text(seal.created),
        "valid_from": utc_text(seal.valid_from),
        "valid_to": utc_text(seal.valid_to),
        "maker": _subject(seal.maker),
        "algorithm": seal.algorithm,
        "signers": [_subject(c) for c in seal.certificates] + [f"{n}:{v.hex()}" for n, v in seal.digests],
        "picture": {
            "type": seal.picture.kind,
            "bytes": len(seal.picture.data),
            "width_mm": seal.picture.width_mm,
            "height_mm": seal.picture.height_mm,
        },
        "extensions": [{"oid": e.oid, "critical": e.critical, "bytes": len(e.value)} for e in seal.extensions],
        "remarks": list(seal.remarks),
    }


def _signature_facts(value: SealSignature) -> dict[str, Any]:
    return {
        "signer": _subject(value.signer),
        "algorithm": value.algorithm,
        "signed_at": utc_text(value.time) if value.time else None,
        "data_hash": value.data_hash.hex(),
        "property_info": value.property_info,
        "extensions": [{"oid": e.oid, "critical": e.critical, "bytes": len(e.value)} for e in value.extensions],
        "remarks": list(value.remarks),
    }


def _subject(certificate: bytes) -> str:
    from verify.checks.chain import display_name, load_lenient

    loaded = load_lenient(certificate)
    return display_name(loaded) if loaded is not None else "?"
