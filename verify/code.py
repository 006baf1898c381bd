"""Judge a printed code, from its text or from a picture."""

from __future__ import annotations

from datetime import datetime

from verify.evidence import NO_EVIDENCE, Evidence
from verify.inquiry import Inquiry
from verify.policy import DEFAULT_POLICY, Policy
from verify.trust.anchors import TrustStore
from verify.verdict import Verdict


def verify_code(
    text: str,
    *,
    trust: TrustStore,
    at: datetime,
    policy: Policy = DEFAULT_POLICY,
    evidence: Evidence = NO_EVIDENCE,
) -> Verdict:
    """Judge a code: a URL with ``#c=``, or its base64url part alone. Nothing raises."""
    inquiry = Inquiry("code", trust=trust, at=at, policy=policy, evidence=evidence)
    return inquiry.conclude(policy.code_checks)


def verify_picture(
    image: bytes,
    *,
    trust: TrustStore,
    at: datetime,
    policy: Policy = DEFAULT_POLICY,
    evidence: Evidence = NO_EVIDENCE,
) -> Verdict:
    """Judge the code in a PNG or JPEG picture. Nothing raises."""
    inquiry = Inquiry("code", trust=trust, at=at, policy=policy, evidence=evidence)
    return inquiry.conclude(policy.code_checks)
