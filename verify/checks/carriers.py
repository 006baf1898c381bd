"""The license inside a sealed PDF: the record, the page that shows it, the code printed on it, the vault that knows it.

All of them must say the same. The record is the one that was signed as data; the others are compared with it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from verify.checks.furtherseals import check_further
from verify.checks.joint import record_is_certified
from verify.errors import UnreadableError
from verify.evidence import VaultFacts
from verify.findings import Severity
from verify.formats.codes import parse_identifier
from verify.formats.license import ATTACHMENT_NAME, MAX_RECORD_BYTES, LicenseRecord, RecordError, unverified_record
from verify.formats.pdfgraph import PdfGraphError
from verify.inquiry import Inquiry
from verify.verdict import Integrity, LicenseView

if TYPE_CHECKING:
    from verify.checks.sealed import SealedDocument


def find_record(inquiry: Inquiry, document: SealedDocument) -> LicenseRecord | None:
    """The record inside a document, or None for a document that is no license. Findings say what is wrong with it."""
    try:
        records = document.graph.attachments(MAX_RECORD_BYTES * 4, ATTACHMENT_NAME)
    except PdfGraphError as error:
        if document.strict:
            inquiry.is_license = True
            raise UnreadableError("RECORD_BROKEN", reason=str(error)) from error
        return None
    if not records:
        return None
    inquiry.is_license = True
    if len(records) > 1:
        inquiry.report("RECORD_AMBIGUOUS")
        return None
    try:
        record = unverified_record(records[0].data)
    except RecordError as error:
        if not document.strict:
            inquiry.is_license = False  # somebody else's attachment of that name
            return None
        raise UnreadableError("RECORD_BROKEN", where=ATTACHMENT_NAME, reason=str(error)) from error
    if not document.strict and not record_is_certified(document, records[0].data, MAX_RECORD_BYTES * 4):
        inquiry.report("RECORD_NOT_SIGNED")
    if records[0].relationship != "/Data" or not records[0].associated:
        inquiry.report("RECORD_NOT_ASSOCIATED")
    return record


def check_license(inquiry: Inquiry, document: SealedDocument, record: LicenseRecord) -> None:
    """Compare the record with itself, with its signer, with the page, with the code and with the vault."""
    from verify.checks.content import check_page_code, check_page_text, check_page_units, opened
    from verify.checks.ink import check_page_ink
    from verify.checks.issuer import check_identifier, check_issuer, check_origin, sealing_anchor

    with inquiry.check("identifier"):
        check_identifier(inquiry, record)
    with inquiry.check("issuer"):
        check_issuer(inquiry, document, record)
        check_further(inquiry, document, record)
    pages = opened(document)
    if pages is not None:
        with inquiry.check("page_text"):
            check_page_text(inquiry, pages, record)
            check_page_units(inquiry, document)
        if inquiry.integrity is Integrity.INTACT:
            with inquiry.check("page_ink"):
                check_page_ink(inquiry, document, pages, record)
        with inquiry.check("page_code"):
            check_page_code(inquiry, pages, record)
    if inquiry.evidence.lookup is not None:
        with inquiry.check("vault"):
            pdf_sha256 = hashlib.sha256(document.data).hexdigest()
            digest, anchor = record.sha256().hex(), sealing_anchor(document)
            check_vault(inquiry, record.identifier, record.version, digest, pdf_sha256, anchor=anchor)
    with inquiry.check("origin"):
        check_origin(inquiry, document, record)
    if record.sample:
        inquiry.report("SAMPLE")
    inquiry.license = view_of(record)


def view_of(record: LicenseRecord) -> LicenseView:
    """The record's data as a verdict shows them."""
    return LicenseView(
        identifier=record.identifier,
        type=record.type,
        number=record.number,
        version=record.version,
        holders=record.holders,
        issuer=record.issuer_name,
        fields=dict(record.fields),
        record_sha256=record.sha256().hex(),
    )


def _is_own(inquiry: Inquiry, identifier: str) -> bool:
    """Whether the vault that is asked keeps the issuer in the identifier: then it should know the license.

    The issuers of other regions are not among ``remits``; a license under another region's root is another's anyway.
    """
    try:
        issuer = parse_identifier(identifier)[0].issuer_code
    except ValueError:
        return False
    return any(r.issuer_code == issuer for r in inquiry.trust.remits or ())


def check_vault(
    inquiry: Inquiry,
    identifier: str,
    version: int | None,
    record_sha256: str,
    pdf_sha256: str | None = None,
    same: Callable[[VaultFacts], bool | None] = lambda facts: None,
    anchor: Any | None = None,
) -> None:
    """Ask the vault, where the caller has one: is it a license of its own, the same one, and the latest version?

    A file of other bytes with the same record is what an archive timestamp makes of it: noted, no more. Nothing
    rewrites a record or code: ``same`` says whether the facts are of its very bytes, None where that is unknown.
    Of a license under another region's ``anchor`` the vault need know nothing.
    """
    if inquiry.evidence.lookup is None:
        return
    try:
        facts = inquiry.evidence.lookup(identifier)
    except Exception:  # noqa: BLE001 - the caller's own code
        inquiry.report("VAULT_UNREACHABLE")
        return
    if facts is None and anchor is not None and inquiry.trust.region_of(anchor.dump()) is not None:
        return
    if facts is None:
        severity = Severity.DOUBT if _is_own(inquiry, identifier) else None
        inquiry.report("VAULT_UNKNOWN_IDENTIFIER", identifier=identifier, severity=severity)
    elif facts.state == "VOID":
        inquiry.report("VAULT_NUMBER_VOID", identifier=identifier)
    elif (facts.record_sha256 and facts.record_sha256.lower() != record_sha256) or same(facts) is False:
        inquiry.report("VAULT_RECORD_DIFFERS")
    elif pdf_sha256 and facts.pdf_sha256 and facts.pdf_sha256.lower() != pdf_sha256:
        inquiry.report("VAULT_FINGERPRINT_DIFFERS")
    if facts is not None and facts.current_version and version and facts.current_version > version:
        inquiry.report("STATUS_SUPERSEDED")
