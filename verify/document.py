"""Judge a PDF."""

from __future__ import annotations

from datetime import datetime

from verify.evidence import NO_EVIDENCE, Evidence
from verify.inquiry import Inquiry
from verify.policy import DEFAULT_POLICY, Policy
from verify.trust.anchors import TrustStore
from verify.verdict import Verdict


def verify_document(
    pdf: bytes,
    *,
    trust: TrustStore,
    at: datetime,
    policy: Policy = DEFAULT_POLICY,
    evidence: Evidence = NO_EVIDENCE,
    password: str | None = None,
) -> Verdict:
    """Judge a PDF: any bytes give a verdict, nothing raises."""
    inquiry = Inquiry("pdf", trust=trust, at=at, policy=policy, evidence=evidence)
    return inquiry.conclude(policy.document_checks)
