"""Who signed an agreement? Each signature under the roots of one region, by a key for trust lists."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from verify.checks.chain import Chains
from verify.checks.token import TokenError, check_token
from verify.evidence import NO_EVIDENCE
from verify.formats import purposes
from verify.formats.agreement import UnverifiedAgreement
from verify.formats.jose import UnverifiedJws
from verify.inquiry import Inquiry
from verify.policy import DEFAULT_POLICY
from verify.trust.anchors import TrustStore


def is_signed_by(
    read: UnverifiedAgreement, roots: Iterable[bytes], *, at: datetime, crls: Iterable[bytes] = ()
) -> bool:
    """Whether one of the signatures is by a key for trust lists under one of these roots (DER), and no other's.

    Certificates are judged at ``at``, by revocation lists at hand. Example roots count: verdicts say what rests on
    them.
    """
    trust, lists = TrustStore(anchors=tuple(roots), allow_example=True), tuple(crls)
    return any(_counts(jws, trust, at, lists) for jws in read.signatures)


def _counts(jws: UnverifiedJws, trust: TrustStore, at: datetime, crls: tuple[bytes, ...]) -> bool:
    inquiry = Inquiry("agreement", trust=trust, at=at, policy=DEFAULT_POLICY, evidence=NO_EVIDENCE)
    chains = Chains(inquiry, jws.certificates(), crls)
    try:
        check_token(inquiry, chains, jws, usage=purposes.TRUST_LIST, made=at, code="AGREEMENT_NOT_COUNTERSIGNED")
    except TokenError:
        return False
    return True
