"""When was it signed, and did the certificates hold then? From the newest timestamp back to the seal.

Each timestamp that holds up moves the moment at which the next inner one is judged back to its own time: so a seal is
still proven when its certificate, and its timestamp's, have long expired (ETSI EN 319 102-1 5.6).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from verify.checks.chain import (
    Chains,
    Path,
    Problem,
    display_name,
    has_usage,
    is_example,
    may_sign,
    other_duty,
    report_path,
)
from verify.checks.signature import SignatureView, Token
from verify.findings import Severity
from verify.formats import purposes
from verify.inquiry import Inquiry


@dataclass(frozen=True, slots=True)
class SignerOutcome:
    """What was learnt of one signature's signer and time."""

    path: Path
    signed_at: datetime | None
    proven: bool
    revocation_known: bool


def judge_archive(inquiry: Inquiry, chains: Chains, stamps: list[SignatureView]) -> tuple[datetime, bool]:
    """Walk document timestamps from the last to the first; the earliest moment they prove, and whether all hold."""
    moment, sound = inquiry.at, True
    for view in sorted(stamps, key=lambda v: -v.end):
        for token in view.tokens:
            if judge_token(inquiry, chains, token, moment):
                moment = min(moment, token.time)
            else:
                sound = False
    return moment, sound


def judge_token(inquiry: Inquiry, chains: Chains, token: Token, moment: datetime) -> bool:
    """Whether a timestamp's authority is trusted: good when it stamped, not expired at ``moment``."""
    authority = token.cms.signer
    subject = display_name(authority)
    problem = _token_problem(inquiry, chains, token, moment)
    if problem is None:
        return True
    if problem.code == "EXAMPLE_KEYS":
        inquiry.report("EXAMPLE_KEYS", where=token.where, severity=Severity.DOUBT, subject=subject)
    reason = problem.params.get("reason") or problem.code
    inquiry.report("TIMESTAMP_UNTRUSTED", where=token.where, subject=subject, reason=reason)
    return False


def _token_problem(inquiry: Inquiry, chains: Chains, token: Token, moment: datetime) -> Problem | None:
    authority = token.cms.signer
    if token.time > inquiry.at + inquiry.policy.clock_skew:
        return Problem("SIGNED_IN_FUTURE", {"reason": "its time lies after the time of checking"})
    if not has_usage(authority, purposes.TSA):
        return Problem("CERTIFICATE_PURPOSE", {"reason": "its certificate is not for timestamps"})
    path = chains.validate(authority, token.time)
    if path.problem is not None:
        return path.problem
    lapsed = [c for c in path.certificates[1:] if c.not_valid_after < moment]
    if lapsed:
        return Problem("CERTIFICATE_EXPIRED", {"reason": f"the certificate of {display_name(lapsed[0])} has expired"})
    if is_example(path.certificates[0]) and not inquiry.trust.allow_example:
        return Problem("EXAMPLE_KEYS")
    return None


def judge_signer(
    inquiry: Inquiry, chains: Chains, view: SignatureView, moment: datetime, usage: str | None
) -> SignerOutcome:
    """Judge the signer at the best proven time. ``usage`` is the extended key usage that the certificate must have."""
    assert view.cms is not None  # noqa: S101 - only called for signatures that were read
    signer = view.cms.signer
    proven = moment < inquiry.at
    for token in view.tokens:
        if judge_token(inquiry, chains, token, moment):
            moment, proven = min(moment, token.time), True
    claimed = view.cms.claimed_time or view.raw.claimed_time
    if not proven:
        inquiry.report("TIME_NOT_PROVEN", where=view.where)
        if claimed is not None and claimed > inquiry.at + inquiry.policy.clock_skew:
            inquiry.report("SIGNED_IN_FUTURE", where=view.where, signed=claimed.isoformat())
    path = chains.validate(signer, moment)
    known = path.problem is None or path.problem.code != "REVOCATION_UNKNOWN"
    report_path(inquiry, path, view.where, proven=proven, claimed=claimed)
    check_purpose(inquiry, signer, usage, view.where)
    return SignerOutcome(path, moment if proven else claimed, proven, known)


def check_purpose(inquiry: Inquiry, certificate: Any, usage: str | None, where: str) -> None:
    """Report a certificate that may not do what it did."""
    if usage is not None and not has_usage(certificate, usage):
        name = purposes.NAMES.get(usage, usage)
        inquiry.report("CERTIFICATE_PURPOSE", where=where, subject=display_name(certificate), purpose=name)
    elif usage is None and other_duty(certificate):
        inquiry.report("CERTIFICATE_PURPOSE", where=where, subject=display_name(certificate), purpose="documents")
    elif not may_sign(certificate):
        inquiry.report("CERTIFICATE_PURPOSE", where=where, subject=display_name(certificate), purpose="signing")
