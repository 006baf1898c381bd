"""Was the seal good when it was used, as far as its own vault knows? Suspended, retired or compromised seals sign on
when their key has been stolen, under a certificate that nobody has revoked yet."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta

from verify.checks.sealed import SealedDocument
from verify.evidence import SealFacts
from verify.findings import Severity
from verify.formats.license import LicenseRecord
from verify.inquiry import Inquiry

_BEFORE = timedelta(minutes=1)
"""Between the leave to use a seal, which is on record, and the timestamp over the signature."""
_AFTER = timedelta(seconds=1)
"""How exact timestamps are."""


def check_seals_then(inquiry: Inquiry, document: SealedDocument, record: LicenseRecord | None) -> None:
    """SEAL_NOT_GOOD_THEN for each signature of a seal that could not be used at its moment.

    A time that is only claimed says little: then the seal must be good still, or it is a doubt. What the vault itself
    keeps, byte for byte, was sealed under its rules.
    """
    if inquiry.evidence.seal_at is None or (record is not None and _kept(inquiry, document, record.identifier)):
        return
    try:
        _look(inquiry, document)
    except Exception:  # noqa: BLE001 - the caller's own code
        inquiry.report("VAULT_UNREACHABLE", severity=Severity.DOUBT)


def check_seal_then(inquiry: Inquiry, certificate: bytes, signed: datetime | None, where: str, *, proven: bool) -> None:
    """The same for one signature in a file of its own, under ``certificate`` (DER)."""
    try:
        _report(inquiry, certificate, signed, proven, where)
    except Exception:  # noqa: BLE001 - the caller's own code
        inquiry.report("VAULT_UNREACHABLE", severity=Severity.DOUBT)


def _look(inquiry: Inquiry, document: SealedDocument) -> None:
    for view in document.seals:
        outcome = document.outcomes.get(id(view))
        if view.cms is None or outcome is None:
            continue
        _report(inquiry, view.cms.signer.dump(), outcome.signed_at, outcome.proven, view.where)


def _report(inquiry: Inquiry, certificate: bytes, signed: datetime | None, proven: bool, where: str) -> None:
    found, severity = _judged(inquiry, hashlib.sha256(certificate).hexdigest(), signed, proven)
    if found is not None:
        inquiry.report("SEAL_NOT_GOOD_THEN", where=where, severity=severity, seal=found.seal, status=found.status)


def _judged(inquiry: Inquiry, sha256: str, signed: datetime | None, proven: bool) -> tuple[SealFacts | None, Severity]:
    """What counts against the seal, and how far; None when nothing does."""
    seal_at = inquiry.evidence.seal_at
    if seal_at is None or signed is None:
        return None, Severity.NOTE
    then = seal_at(sha256, signed - _BEFORE, signed + _AFTER)
    if then is None:
        return None, Severity.NOTE
    if not then.good:
        return then, Severity.DOUBT if then.status == "KEY_COMPROMISED" else Severity.FATAL
    now = None if proven else seal_at(sha256, inquiry.at, inquiry.at)
    return (None, Severity.NOTE) if now is None or now.good else (now, Severity.DOUBT)


def _kept(inquiry: Inquiry, document: SealedDocument, identifier: str) -> bool:
    if inquiry.evidence.lookup is None:
        return False
    try:
        facts = inquiry.evidence.lookup(identifier)
    except Exception:  # noqa: BLE001 - the caller's own code
        inquiry.report("VAULT_UNREACHABLE", severity=Severity.DOUBT)
        return False
    digest = hashlib.sha256(document.data).hexdigest()
    return facts is not None and facts.state == "ISSUED" and (facts.pdf_sha256 or "").lower() == digest
