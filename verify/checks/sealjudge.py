"""What only a seal signature has: a seal with its list, its maker and its time (GB/T 38540-2020 7.3, 6.3).

The steps of the standard run in their order and are kept for the report; those that fail become findings.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from verify.checks.chain import Chains
from verify.checks.sealfindings import OTHERS, report_maker, report_steps
from verify.checks.sealsteps import SealSteps, Step, StepOutcome
from verify.checks.trusttime import SignerOutcome
from verify.findings import Finding, Severity
from verify.formats.seal import SealSignature
from verify.inquiry import Inquiry
from verify.verdict import Integrity

if TYPE_CHECKING:
    from verify.checks.signature import SignatureView

_OWN = OTHERS | {"SEAL_SIG"}
"""Steps that no other check of a signature reports: its value and digest are judged with its byte range."""


def judge_seal(inquiry: Inquiry, chains: Chains, view: SignatureView, outcome: SignerOutcome) -> None:
    """Report what the seal of a seal signature lacks, and keep the steps in ``view``."""
    read = view.ses
    if read is None:
        return
    runner = SealSteps(chains, inquiry.at, None, digest=view.ses_digest)
    view.ses_steps = steps = runner.of_signature(read)
    where = seal_place(view)
    report_steps(inquiry, steps, _OWN, where)
    inner = next((s.steps for s in steps if s.steps), ())
    report_maker(inquiry, chains, read.seal, runner.moment_of(read) or inquiry.at, inner, where)
    if _is_forged(inner):
        view.integrity = Integrity.ALTERED
    _check_proven_time(inquiry, view, read, outcome)


def seal_place(view: SignatureView) -> str:
    """How findings name the seal inside a signature."""
    return f"{view.where}/seal"


def seal_findings(inquiry: Inquiry, view: SignatureView) -> list[Finding]:
    """What counts against the seal inside a signature."""
    where = seal_place(view)
    return [f for f in inquiry.findings if f.where == where and f.severity is not Severity.NOTE]


def _is_forged(steps: tuple[Step, ...]) -> bool:
    return any(s.code == "SEAL_SIG" and s.outcome is StepOutcome.FAILED and not s.weak for s in steps)


def _check_proven_time(inquiry: Inquiry, view: SignatureView, read: SealSignature, outcome: SignerOutcome) -> None:
    """The signer states the time: after the seal's end only a timestamp proves that it is true."""
    proven, end = outcome.moment, read.seal.valid_to
    stated = read.time or view.raw.claimed_time
    if proven is None or proven <= end or stated is None or stated > end:
        return
    inquiry.report("SEAL_VALIDITY" if outcome.proven else "SEAL_VALIDITY_NO_POE", where=seal_place(view))
