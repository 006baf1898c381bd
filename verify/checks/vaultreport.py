"""Is the document a verification report of ours? Then its signer must be a key for answers. It is never a license."""

from __future__ import annotations

from typing import TYPE_CHECKING

from verify.formats.report import ATTACHMENT_NAME, MAX_BYTES, ReportError, unverified_report_subject
from verify.inquiry import Inquiry
from verify.verdict import Integrity

if TYPE_CHECKING:
    from verify.checks.sealed import SealedDocument


def find_report(inquiry: Inquiry, document: SealedDocument) -> None:
    """Note on ``document`` which file it reports on. What is no report in the expected form is none at all, and then a
    key for answers is refused as for any other document."""
    if inquiry.is_license or not document.strict:
        return
    found = document.graph.attachments(MAX_BYTES, ATTACHMENT_NAME)
    if len(found) != 1 or found[0].relationship != "/Data" or not found[0].associated:
        return
    try:
        document.report_subject = unverified_report_subject(found[0].data)
    except ReportError:
        return


def note_report(inquiry: Inquiry, document: SealedDocument) -> bool:
    """Say that the document is a report; whether it is one."""
    if not document.report_subject:
        return False
    if inquiry.integrity is Integrity.INTACT:
        inquiry.report("VERIFICATION_REPORT", digest=document.report_subject)
    return True
