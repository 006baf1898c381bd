"""Is the issuer that the record names the one whose seal it bears, and may that issuer issue this?"""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import TYPE_CHECKING, Any

from verify.checks.chain import display_name, subject_value
from verify.checks.standing import SHANGHAI
from verify.findings import Severity
from verify.formats.codes import parse_identifier
from verify.formats.license import LicenseRecord
from verify.inquiry import Inquiry

if TYPE_CHECKING:
    from verify.checks.sealed import SealedDocument


def check_identifier(inquiry: Inquiry, record: LicenseRecord) -> None:
    """Judge the identifier (GB/T 36904) against its check character and the record; and the dates among themselves."""
    try:
        identifier, check = parse_identifier(record.identifier)
    except ValueError:
        inquiry.report("IDENTIFIER_WRONG", identifier=record.identifier, reason="shape")
        return
    if check == "wrong":
        inquiry.report("IDENTIFIER_WRONG", identifier=record.identifier, reason="check character")
    elif check == "variant-a":
        inquiry.report("IDENTIFIER_CHECK_VARIANT")
    named = (identifier.type_code, identifier.version)
    if named != (record.type_code, record.version):
        inquiry.report("IDENTIFIER_WRONG", identifier=record.identifier, reason="type code or version")
    if identifier.issuer_code != record.issuer_code and len(identifier.issuer_code) == 18:
        inquiry.report("IDENTIFIER_WRONG", identifier=record.identifier, reason="issuer code")
    if record.valid_to is not None and record.valid_to < record.valid_from:
        inquiry.report("DATES_IMPOSSIBLE", reason="it ends before it begins")


def check_issuer(inquiry: Inquiry, document: SealedDocument, record: LicenseRecord) -> None:
    """Compare record and seal certificate, then ask the remits."""
    seal = document.seals[0] if document.seals else None
    if seal is None or seal.cms is None:
        return
    outcome = document.outcomes.get(id(seal))
    signed = outcome.signed_at if outcome else None
    check_owner(inquiry, record, seal.cms.signer, seal.where)
    if signed is not None:
        _check_issue_day(inquiry, record, signed)
    anchor = sealing_anchor(document)
    check_remit(inquiry, record.issuer_code, record.type, record.region, signed or inquiry.at, anchor)


def sealing_anchor(document: SealedDocument) -> Any | None:
    """The anchor to which the seal's certificate leads, None when it leads to none."""
    seal = document.seals[0] if document.seals else None
    outcome = document.outcomes.get(id(seal)) if seal is not None else None
    return outcome.path.anchor if outcome is not None else None


def check_owner(inquiry: Inquiry, record: LicenseRecord, certificate: Any, where: str) -> None:
    """The code in the certificate must be the record's issuer; the printed name too, but in a sample."""
    code = subject_value(certificate, "organization_identifier")
    owner = subject_value(certificate, "organization_name") or ""
    if code != record.issuer_code:
        inquiry.report("ISSUER_CODE_DIFFERS", where=where, expected=record.issuer_code, actual=code or "?")
    if owner != record.issuer_name:
        severity = Severity.NOTE if record.sample else None
        inquiry.report("ISSUER_NAME_DIFFERS", where=where, severity=severity, printed=record.issuer_name, owner=owner)


def _check_issue_day(inquiry: Inquiry, record: LicenseRecord, signed: datetime) -> None:
    """A license may be sealed long after its day of issue, as when old ones are made electronic, but not before."""
    day = signed.astimezone(SHANGHAI).date()
    if record.issued > day + inquiry.policy.issue_day_tolerance:
        inquiry.report("ISSUED_DATE_IMPLAUSIBLE", issued=record.issued.isoformat(), signed=day.isoformat())


_UNKNOWN_ISSUER = frozenset({"NO_TRUSTED_PATH", "CODE_KEY_UNKNOWN"})


def check_remit(
    inquiry: Inquiry, issuer: str, license_type: str, place: str | None, at: datetime, anchor: Any | None = None
) -> None:
    """Ask whether the issuer may issue that type for that place at that time, and stands under that ``anchor``.

    ``place`` None: the file does not say it.

    Of an issuer for whom no chosen anchor vouches nothing is asked: whoever it is, its remit is not ours to know.
    """
    if any(f.code in _UNKNOWN_ISSUER and f.severity is Severity.DOUBT for f in inquiry.findings):
        return
    own = inquiry.trust.remits_of(issuer)
    at_home = anchor is None or inquiry.trust.region_of(anchor.dump()) is None
    if own is None or (at_home and inquiry.trust.remits is None):
        inquiry.report("REMIT_UNKNOWN")
        return
    if anchor is not None:
        digest = hashlib.sha256(anchor.dump()).hexdigest()
        here = tuple(r for r in own if r.anchors is None or digest in r.anchors)
        if own and not here:
            inquiry.report("ISSUER_OTHER_REGION", issuer=issuer, authority=display_name(anchor))
            return
        own = here
    refused = [r.refuses(license_type, place, at) for r in own] or ["the issuer"]
    if all(refused):
        inquiry.report("REMIT_EXCEEDED", issuer=issuer, type=license_type, region=place or "?", reason=refused[0])


def check_origin(inquiry: Inquiry, document: SealedDocument, record: LicenseRecord) -> None:
    """Data that are known to be genuine, by the vault or by the code on the page, must stand under their issuer's seal.

    Else somebody took them from a license and built a page around them.
    """
    seal = document.seals[0] if document.seals else None
    if seal is None or seal.cms is None:
        return
    outcome = document.outcomes.get(id(seal))
    own = subject_value(seal.cms.signer, "organization_identifier") == record.issuer_code
    if outcome is not None and outcome.path.certificates and own:
        return
    unproven = any(f.code in _STOLEN for f in inquiry.findings)
    if unproven and _is_genuine(inquiry, document, record):
        inquiry.report("ISSUER_NOT_SIGNER", where=seal.where)


_STOLEN = frozenset({"NO_TRUSTED_PATH", "PATH_WRONG", "ISSUER_CODE_DIFFERS"})


def _is_genuine(inquiry: Inquiry, document: SealedDocument, record: LicenseRecord) -> bool:
    if inquiry.genuine_code and not any(f.code == "PAGE_CODE_DIFFERS" for f in inquiry.findings):
        return True
    if inquiry.evidence.lookup is None:
        return False
    try:
        facts = inquiry.evidence.lookup(record.identifier)
    except Exception:  # noqa: BLE001 - the caller's own code
        return False
    return facts is not None and facts.state == "ISSUED" and facts.record_sha256 == record.sha256().hex()
