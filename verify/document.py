"""Judge a PDF.

The steps, in order; each block below carries its number:

1. limits: size, and that there is something to read.
2. structure: the PDF opens, its signature fields are found.
3. signatures: each byte range, value and digest (:mod:`verify.checks.signature`).
4. revisions: every byte after the signed part (:mod:`verify.checks.revisions`, :mod:`verify.checks.material`).
5. chain: timestamps, paths to the chosen anchors, revocation, purpose (:mod:`verify.checks.trusttime`).
6. the license inside, when there is one: record, page, code, issuer, vault (:mod:`verify.checks.carriers`).
7. standing: dates and status list (:mod:`verify.checks.standing`).
"""

from __future__ import annotations

from datetime import datetime

from verify.checks.sealed import SealedDocument, check_revisions, check_signatures, open_document
from verify.checks.signaturefields import check_fields, check_strays
from verify.errors import UnreadableError
from verify.evidence import NO_EVIDENCE, Evidence
from verify.formats.license import LicenseRecord
from verify.inquiry import Inquiry
from verify.policy import DEFAULT_POLICY, Policy
from verify.trust.anchors import TrustStore
from verify.verdict import Integrity, Verdict


def verify_document(
    pdf: bytes,
    *,
    trust: TrustStore,
    at: datetime,
    policy: Policy = DEFAULT_POLICY,
    evidence: Evidence = NO_EVIDENCE,
    password: str | None = None,
) -> Verdict:
    """Judge a PDF at the moment ``at``: any bytes give a verdict, nothing raises.

    ``trust`` holds the anchors that count and no others do. ``password`` opens an encrypted file.
    """
    inquiry = Inquiry("pdf", trust=trust, at=at, policy=policy, evidence=evidence)
    inquiry.about(pdf)
    demanded = policy.document_checks
    document = _open(inquiry, pdf, password)
    if document is not None and document.signatures:
        try:
            _judge(inquiry, document)
        finally:
            document.views.close()
        if inquiry.is_license:
            demanded += policy.license_checks
    return inquiry.conclude(demanded)


def _open(inquiry: Inquiry, pdf: bytes, password: str | None) -> SealedDocument | None:
    # 1
    if not inquiry.fits(pdf, inquiry.policy.limits.pdf_bytes, then=lambda: _begins_as_pdf(pdf)):
        return None
    # 2
    document = None
    with inquiry.check("structure"):
        document = open_document(inquiry, pdf, password)
        if not document.signatures:
            inquiry.report("UNSIGNED")
            check_strays(inquiry, document)
    return document


def _begins_as_pdf(pdf: bytes) -> None:
    if b"%PDF" not in pdf[:1024]:
        raise UnreadableError("NOT_READABLE")


def _judge(inquiry: Inquiry, document: SealedDocument) -> None:
    from verify.checks.carriers import check_license, find_record
    from verify.checks.facts import gather
    from verify.checks.indication import report_signatures
    from verify.checks.issuer import sealing_anchor
    from verify.checks.shadow import check_shadow
    from verify.checks.signers import check_chain
    from verify.checks.standing import check_standing
    from verify.checks.vaultreport import find_report, note_report

    # 3
    with inquiry.check("signatures"):
        check_signatures(inquiry, document)
        check_fields(inquiry, document)
    # 4
    with inquiry.check("revisions"):
        check_revisions(inquiry, document)
        check_strays(inquiry, document)
    with inquiry.check("shadow"):
        check_shadow(inquiry, document)
    # 6, first part: what it claims to be decides what its signer must be allowed to do
    record = None
    with inquiry.check("record"):
        record = find_record(inquiry, document)
        if record is None:
            find_report(inquiry, document)
    # 5
    with inquiry.check("chain"):
        check_chain(inquiry, document, record)
    report_signatures(inquiry, document)
    gather(inquiry, document)
    if record is None:
        is_report = note_report(inquiry, document)
        if not is_report and not inquiry.is_license and inquiry.integrity is Integrity.INTACT:
            inquiry.report("NOT_A_LICENSE")
        return
    _note_origin(inquiry, document, record)
    # 6
    check_license(inquiry, document, record)
    # 7
    with inquiry.check("standing"):
        check_standing(inquiry, record, sealing_anchor(document))


def _note_origin(inquiry: Inquiry, document: SealedDocument, record: LicenseRecord) -> None:
    seal = document.seals[0] if document.seals else None
    outcome = document.outcomes.get(id(seal)) if seal is not None else None
    origin = inquiry.origin
    origin.issuer_code, origin.issued = record.issuer_code, record.issued
    origin.structures = tuple(v.ses.version for v in document.seals if v.ses is not None)
    if outcome is not None:
        anchor = outcome.path.anchor or outcome.path.toward
        origin.anchor = anchor.dump() if anchor is not None else None
        origin.proven = outcome.proven
