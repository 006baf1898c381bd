"""Judge a bare seal or a seal signature as a file: the steps of the standards, drawn together into one verdict.

The steps: 1 limits; 2 structure: the value is read; 3 signatures: the maker's and the signer's; 4 chain: paths to a
chosen anchor; 5 seal: what it says of times, makers and signers. A signature's document lies elsewhere: without it
nobody can say what was sealed. :func:`verify.seal.inspect_seal` tells every step.
"""

from __future__ import annotations

from datetime import datetime

from verify.checks.chain import Chains, display_name, load_lenient
from verify.checks.sealfindings import OTHERS, VALUES, report_maker, report_signer, report_steps
from verify.checks.sealsteps import SealSteps, Step, StepOutcome
from verify.checks.sealsthen import check_seal_then
from verify.checks.sealtime import token_time
from verify.errors import UnreadableError
from verify.evidence import NO_EVIDENCE, Evidence
from verify.formats.seal import (
    MAX_SEAL_BYTES,
    Seal,
    SealSignature,
    looks_like_signature,
    unverified_seal,
    unverified_seal_signature,
)
from verify.formats.sealvalues import SealFormatError
from verify.inquiry import Inquiry
from verify.policy import DEFAULT_POLICY, Policy
from verify.trust.anchors import TrustStore
from verify.verdict import Conclusion, Integrity, SignatureReport, Verdict, conclusion_from


def verify_seal(
    data: bytes,
    *,
    trust: TrustStore,
    at: datetime,
    policy: Policy = DEFAULT_POLICY,
    evidence: Evidence = NO_EVIDENCE,
    document: bytes | None = None,
) -> Verdict:
    """Judge a seal or a seal signature, over ``document`` where that is at hand. Nothing raises."""
    inquiry = Inquiry("seal", trust=trust, at=at, policy=policy, evidence=evidence)
    inquiry.about(data)
    value = _read(inquiry, data)
    if value is not None:
        _judge(inquiry, value, document)
    return inquiry.conclude(policy.seal_checks)


def _read(inquiry: Inquiry, data: bytes) -> Seal | SealSignature | None:
    # 1
    if not inquiry.fits(data, MAX_SEAL_BYTES):
        return None
    # 2
    with inquiry.check("structure"):
        try:
            return unverified_seal_signature(data) if looks_like_signature(data) else unverified_seal(data)
        except SealFormatError as error:
            raise UnreadableError("SEAL_FORMAT", where=error.part) from error
    return None


def _judge(inquiry: Inquiry, value: Seal | SealSignature, document: bytes | None) -> None:
    signature = value if isinstance(value, SealSignature) else None
    seal = value.seal if isinstance(value, SealSignature) else value
    certificate = load_lenient(signature.signer if signature else seal.maker)
    steps: tuple[Step, ...] = ()
    moment: datetime | None = inquiry.at
    chains = Chains(inquiry, ())
    # 3
    with inquiry.check("signatures"):
        runner = SealSteps(chains, inquiry.at, document)
        moment = runner.moment_of(signature) if signature else inquiry.at
        steps = runner.of_signature(signature) if signature else runner.of_seal(seal, inquiry.at)
        report_steps(inquiry, steps, VALUES)
    stamped = any(s.code == "TIMESTAMP" and s.outcome is StepOutcome.PASSED for s in steps)
    # 4
    with inquiry.check("chain"):
        inner = next((s.steps for s in steps if s.steps), steps)
        report_maker(inquiry, chains, seal, moment or inquiry.at, inner)
        if signature and certificate is not None:
            stamp = token_time(signature.timestamp) if stamped and signature.timestamp else None
            report_signer(inquiry, chains, certificate, moment, stamp)
            check_seal_then(inquiry, signature.signer, moment, "signature", proven=stamp is not None)
    # 5
    with inquiry.check("seal"):
        report_steps(inquiry, steps, OTHERS)
        if signature is None:
            inquiry.report("SEAL_ALONE")
        elif document is None:
            inquiry.report("SEAL_DATA_ABSENT")
    good = inquiry.integrity is Integrity.INTACT
    inquiry.signatures.append(
        SignatureReport(
            field="",
            signer=display_name(certificate) if certificate is not None else "",
            format=f"ses-v{value.version}",
            integrity=Integrity.INTACT if good else Integrity.ALTERED,
            indication=_INDICATIONS[conclusion_from(inquiry.integrity, inquiry.findings)],
            sub_indication="" if good else "SIG_CRYPTO_FAILURE",
            signed_at=moment if signature else seal.created,
            time_source="timestamp" if stamped else "claimed",
            covers_whole_file=good,
        )
    )


_INDICATIONS = {
    Conclusion.VALID: "TOTAL_PASSED",
    Conclusion.INDETERMINATE: "INDETERMINATE",
    Conclusion.INVALID: "TOTAL_FAILED",
}
