"""What the steps of a seal's verification mean for a verdict: each step that failed becomes a finding.

Chains are reported as for any other signature, by :func:`verify.checks.chain.report_path`, so that a seal of an example
authority or one whose time nobody proved counts for no more than a document like it.
"""

from __future__ import annotations

from collections.abc import Container, Iterable
from datetime import datetime
from typing import Any

from verify.checks.chain import Chains, Revocation, load_lenient, may_make_seals, may_sign, report_path
from verify.checks.sealsteps import Step, StepOutcome
from verify.findings import Severity
from verify.formats.seal import Seal
from verify.inquiry import Inquiry

_FINDINGS = {"SIG_VALUE": "SIGNATURE_WRONG", "DATA_HASH": "DIGEST_MISMATCH", "TIMESTAMP": "SEAL_TIMESTAMP"}
"""Steps whose finding has another name than the step; the others go by their own."""
VALUES = frozenset(("SEAL_SIG", "SIG_VALUE", "DATA_HASH"))
"""Steps about integrity."""
OTHERS = frozenset((
    "SIGNER_NOT_IN_SEAL", "SEAL_CREATE_DATE", "SEAL_VALIDITY", "TIMESTAMP", "SIGNER_CERT_USAGE",
    "SIGN_TIME_OUTSIDE_CERT", "REVOKED_BEFORE_SIGNING",
))  # fmt: skip
"""Steps about what the seal says; of the maker's and the signer's chains the functions below tell in detail."""
_SEAL = "seal"


def report_steps(inquiry: Inquiry, steps: Iterable[Step], codes: Container[str], where: str = "") -> None:
    """Put every step of these codes that failed or warned into findings, those inside a row before the row itself."""
    for step in steps:
        report_steps(inquiry, step.steps, codes, where)
        if step.code is None or step.code not in codes or (step.steps and step.code != "SIGNER_NOT_IN_SEAL"):
            continue
        if step.unknown:
            inquiry.report("TIMESTAMP_UNTRUSTED", where=where, subject=step.unknown, reason="NO_TRUSTED_PATH")
        elif step.weak:
            inquiry.report("ALGORITHM_WEAK", where=where, algorithm=step.weak)
        elif step.outcome is StepOutcome.FAILED:
            inquiry.report(_FINDINGS.get(step.code, step.code), where=where)


def report_maker(
    inquiry: Inquiry, chains: Chains, seal: Seal, moment: datetime, steps: Iterable[Step], where: str = _SEAL
) -> None:
    """Who made the seal. Without a path to an anchor nobody here knows; an unfit or lapsed certificate is a fault."""
    maker = load_lenient(seal.maker)
    if maker is None or not may_sign(maker) or not may_make_seals(maker):
        inquiry.report("SEAL_MAKER_CERT", where=where)
        return
    lapsed = any(s.code == "SEAL_MAKER_CERT" and s.outcome is StepOutcome.WARNING for s in steps)
    if lapsed:
        inquiry.report("SEAL_MAKER_LAPSED", where=where)
    path = chains.validate(maker, seal.created if lapsed else moment, Revocation.REQUIRED)
    report_path(inquiry, path, where)


def report_signer(
    inquiry: Inquiry, chains: Chains, signer: Any, claimed: datetime | None, stamped: datetime | None
) -> None:
    """Who signed, as of the time of a good timestamp; a ``claimed`` one says nothing of a key that lapsed since."""
    if stamped is None:
        inquiry.report("TIME_NOT_PROVEN", severity=Severity.NOTE)
    path = chains.validate(signer, stamped or inquiry.at)
    report_path(inquiry, path, "signer", proven=stamped is not None, claimed=claimed)
