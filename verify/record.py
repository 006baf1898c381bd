"""Judge a structured record."""

from __future__ import annotations

from datetime import datetime

from verify.evidence import NO_EVIDENCE, Evidence
from verify.inquiry import Inquiry
from verify.policy import DEFAULT_POLICY, Policy
from verify.trust.anchors import TrustStore
from verify.verdict import Verdict


def verify_record(
    text: str | bytes,
    *,
    trust: TrustStore,
    at: datetime,
    policy: Policy = DEFAULT_POLICY,
    evidence: Evidence = NO_EVIDENCE,
) -> Verdict:
    """Judge an SD-JWT VC: any text gives a verdict, nothing raises."""
    inquiry = Inquiry("record", trust=trust, at=at, policy=policy, evidence=evidence)
    return inquiry.conclude(policy.record_checks)
