"""When was it signed, and did the certificates hold then? From the newest timestamp back to the seal.

Each timestamp that holds up moves the moment at which the next inner one is judged back to its own time: so a seal is
still proven when its certificate, and its timestamp's, have long expired (ETSI EN 319 102-1 5.6).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from verify.checks.chain import (
    Chains,
    Path,
    Problem,
    Revocation,
    display_name,
    has_usage,
    is_example,
    may_sign,
    other_duty,
    report_path,
)
from verify.checks.signature import SignatureView, Token
from verify.checks.strength import weak_hash, weak_key
from verify.findings import Severity
from verify.formats import purposes
from verify.formats.cms import UnverifiedCms, as_utc
from verify.inquiry import Inquiry
from verify.policy import Policy
from verify.verdict import Integrity

_HARMLESS = {"superseded", "cessation_of_operation", "affiliation_changed"}
"""Reasons for which an authority's earlier timestamps stay good after its certificate was revoked (RFC 3161 4)."""


@dataclass(frozen=True, slots=True)
class SignerOutcome:
    """What was learnt of one signature's signer and time. ``moment`` is the earliest at which it is known to exist."""

    path: Path
    signed_at: datetime | None
    proven: bool
    revocation_known: bool
    moment: datetime | None = None


@dataclass(slots=True)
class Proofs:
    """Proofs of existence: until which byte the file existed at which moment, by timestamps that hold."""

    now: datetime
    stamps: list[tuple[int, datetime]] = field(default_factory=list)

    def moment(self, end: int) -> datetime:
        """The earliest moment at which everything up to byte ``end`` is known to have existed."""
        return min((time for covered, time in self.stamps if covered > end), default=self.now)


def judge_archive(inquiry: Inquiry, chains: Chains, stamps: list[SignatureView], proofs: Proofs) -> Proofs:
    """Walk document timestamps from the last to the first, and add to ``proofs`` what those that hold prove.

    Each is judged at the moment that later ones prove for it; nothing is proven of what came after it.
    """
    for view in sorted(stamps, key=lambda v: -v.end):
        if view.integrity is not Integrity.INTACT:
            continue
        for token in view.tokens:
            if judge_token(inquiry, chains, token, proofs.moment(view.end)):
                proofs.stamps.append((view.end, token.time))
    return proofs


def judge_token(inquiry: Inquiry, chains: Chains, token: Token, moment: datetime) -> bool:
    """Whether a timestamp's authority is trusted: good when it stamped, and not since lost before ``moment``."""
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
    authority, policy = token.cms.signer, inquiry.policy
    if token.time > inquiry.at + policy.clock_skew:
        return Problem("SIGNED_IN_FUTURE", {"reason": "its time lies after the time of checking"})
    if token.time > moment + policy.clock_skew:
        return Problem("SIGNED_IN_FUTURE", {"reason": "its time lies after that of a later timestamp"})
    if not has_usage(authority, purposes.TSA):
        return Problem("CERTIFICATE_PURPOSE", {"reason": "its certificate is not for timestamps"})
    weak = weakness(policy, token.cms, moment) or weak_hash(policy, token.hash, moment)
    if weak:
        return Problem("ALGORITHM_WEAK", {"algorithm": weak})
    path = chains.validate(authority, token.time)
    if path.problem is not None:
        return path.problem
    if is_example(path.certificates[0]) and not inquiry.trust.allow_example:
        return Problem("EXAMPLE_KEYS")
    lapsed = [c for c in path.certificates[1:] if as_utc(c.not_valid_after) < moment]
    if lapsed:
        return Problem("CERTIFICATE_EXPIRED", {"reason": f"the certificate of {display_name(lapsed[0])} has expired"})
    return _revoked_since(chains, token, moment)


def _revoked_since(chains: Chains, token: Token, moment: datetime) -> Problem | None:
    """Whoever has a timestamp key that leaked can write any time: then only an earlier proof saves its tokens."""
    later = chains.validate(token.cms.signer, moment, Revocation.KNOWN).problem
    if later is None or later.code != "CERTIFICATE_REVOKED":
        return None
    before = later.revoked is not None and token.time < later.revoked
    return None if before and later.reason in _HARMLESS else later


def weakness(policy: Policy, cms: UnverifiedCms, moment: datetime) -> str | None:
    """What is too weak for ``moment`` in a signature: one of its hashes, or the signer's key. None when nothing is."""
    return (
        weak_hash(policy, cms.digest_name, moment)
        or weak_hash(policy, cms.signature_hash, moment)
        or weak_key(policy, cms.signer.public_key.dump(), moment)
    )


def judge_signer(
    inquiry: Inquiry, chains: Chains, view: SignatureView, moment: datetime, usage: str | None
) -> SignerOutcome:
    """Judge the signer at the best proven time. ``usage`` is the extended key usage that the certificate must have."""
    assert view.cms is not None  # noqa: S101 - only called for signatures that were read
    signer = view.cms.signer
    proven = moment < inquiry.at
    for token in sorted(view.tokens, key=lambda t: t.time, reverse=True):
        if judge_token(inquiry, chains, token, moment):
            moment, proven = min(moment, token.time), True
    claimed = view.cms.claimed_time or view.raw.claimed_time
    if not proven:
        inquiry.report("TIME_NOT_PROVEN", where=view.where)
        if claimed is not None and claimed > inquiry.at + inquiry.policy.clock_skew:
            inquiry.report("SIGNED_IN_FUTURE", where=view.where, signed=claimed.isoformat())
    weak = weakness(inquiry.policy, view.cms, moment)
    if weak:
        inquiry.report("ALGORITHM_WEAK", where=view.where, algorithm=weak)
    path = chains.validate(signer, moment)
    known = path.problem is None or path.problem.code != "REVOCATION_UNKNOWN"
    report_path(inquiry, path, view.where, proven=proven, claimed=claimed)
    report_namesake(inquiry, chains, path, signer, view.where)
    check_purpose(inquiry, signer, usage, view.where)
    return SignerOutcome(path, moment if proven else claimed, proven, known, moment)


def report_namesake(inquiry: Inquiry, chains: Chains, path: Path, signer: Any, where: str) -> None:
    """Say so where the chain bears the name of a chosen authority, but another key signed: a copy, or a namesake."""
    if path.problem is None or path.problem.code not in ("NO_TRUSTED_PATH", "PATH_WRONG"):
        return
    namesake = chains.namesake(signer)
    if namesake is not None:
        inquiry.report("AUTHORITY_LOOKALIKE", where=where, subject=display_name(namesake))


def check_purpose(inquiry: Inquiry, certificate: Any, usage: str | None, where: str) -> None:
    """Report a certificate that may not do what it did."""
    if usage is not None and not has_usage(certificate, usage):
        name = purposes.NAMES.get(usage, usage)
        inquiry.report("CERTIFICATE_PURPOSE", where=where, subject=display_name(certificate), purpose=name)
    elif usage is None and other_duty(certificate):
        inquiry.report("CERTIFICATE_PURPOSE", where=where, subject=display_name(certificate), purpose="documents")
    elif not may_sign(certificate):
        inquiry.report("CERTIFICATE_PURPOSE", where=where, subject=display_name(certificate), purpose="signing")
