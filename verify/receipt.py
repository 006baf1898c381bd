"""Judge a receipt: a vault's signed account of a verdict, which anyone can check with the vault's root alone.

The steps: 1 limits; 2 structure; 3 signatures; 4 chain: the timestamp over the signature, and a path to a chosen anchor
for the signer at the time that it proves, by the revocation lists inside the receipt. What the receipt tells is not
judged again: the verdict shows it under ``receipt``.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from verify.checks.chain import Chains, Revocation, display_name
from verify.checks.sealsteps import StepOutcome
from verify.checks.sealtime import check_token, token_time
from verify.checks.trusttime import check_purpose
from verify.errors import UnreadableError
from verify.evidence import NO_EVIDENCE, Evidence
from verify.formats.publickeys import BadSignatureError, UnsupportedKeyError, verify_named
from verify.formats.purposes import ANSWER
from verify.formats.receipt import MAX_BYTES, ReceiptError, UnverifiedReceipt, unverified_receipt
from verify.inquiry import Inquiry
from verify.policy import DEFAULT_POLICY, Policy
from verify.trust.anchors import TrustStore
from verify.verdict import Conclusion, Integrity, SignatureReport, Verdict, conclusion_from


def verify_receipt(
    data: bytes,
    *,
    trust: TrustStore,
    at: datetime,
    policy: Policy = DEFAULT_POLICY,
    evidence: Evidence = NO_EVIDENCE,
) -> Verdict:
    """Judge a receipt at the moment ``at``: any bytes give a verdict, nothing raises."""
    inquiry = Inquiry("receipt", trust=trust, at=at, policy=policy, evidence=evidence)
    inquiry.about(data)
    receipt: UnverifiedReceipt | None = None
    # 1
    with inquiry.check("limits"):
        if len(data) > MAX_BYTES:
            raise UnreadableError("FILE_TOO_LARGE", size=len(data), limit=MAX_BYTES)
    # 2
    with inquiry.check("structure"):
        if "limits" in inquiry.ran:
            try:
                receipt = unverified_receipt(data)
            except ReceiptError as error:
                raise UnreadableError("RECEIPT_BROKEN", reason=str(error)) from error
    if receipt is None:
        return inquiry.conclude(policy.receipt_checks)
    inquiry.evidence = replace(evidence, crls=(*evidence.crls, *receipt.crls))
    _judge(inquiry, receipt)
    verdict = inquiry.conclude(policy.receipt_checks)
    return replace(verdict, receipt=receipt.claims) if verdict.conclusion is Conclusion.VALID else verdict


def _judge(inquiry: Inquiry, receipt: UnverifiedReceipt) -> None:
    certificates = receipt.jws.certificates()
    leaf = certificates[0] if certificates else None
    proven: datetime | None = None
    # 3
    with inquiry.check("signatures"):
        if leaf is None:
            raise UnreadableError("RECEIPT_BROKEN", reason="it names no certificate")
        try:
            verify_named(receipt.jws.signature, receipt.jws.signed, leaf.public_key.dump(), receipt.jws.algorithm)
        except BadSignatureError:
            inquiry.report("SIGNATURE_WRONG")
        except UnsupportedKeyError as error:
            raise UnreadableError("ALGORITHM_UNSUPPORTED", algorithm=str(error)) from error
    # 4
    with inquiry.check("chain"):
        if leaf is not None:
            proven = _check_chain(inquiry, receipt, certificates)
    intact = inquiry.integrity is Integrity.INTACT
    good = conclusion_from(inquiry.integrity, inquiry.findings) is Conclusion.VALID
    inquiry.signatures.append(
        SignatureReport(
            field="",
            signer=display_name(leaf) if leaf is not None else "",
            format="jws",
            integrity=Integrity.INTACT if intact else Integrity.ALTERED,
            indication="TOTAL_PASSED" if good else "INDETERMINATE" if intact else "TOTAL_FAILED",
            sub_indication="" if intact else "SIG_CRYPTO_FAILURE",
            signed_at=proven,
            time_source="timestamp" if proven else "claimed",
            covers_whole_file=intact,
        )
    )


def _check_chain(inquiry: Inquiry, receipt: UnverifiedReceipt, certificates: list[Any]) -> datetime | None:
    """The proven time. Without a timestamp that counts, the signer is judged as of now."""
    chains = Chains(inquiry, certificates)
    proven = _proven(inquiry, chains, receipt)
    leaf = certificates[0]
    check_purpose(inquiry, leaf, ANSWER, "x5c")
    path = chains.validate(leaf, proven or inquiry.at, Revocation.KNOWN)
    if path.problem is not None:
        inquiry.report(path.problem.code, where="x5c", **path.problem.params)
    return proven


def _proven(inquiry: Inquiry, chains: Chains, receipt: UnverifiedReceipt) -> datetime | None:
    if receipt.timestamp is None:
        return None
    step = check_token(chains, "timestamp", receipt.timestamp, receipt.stamped, None)
    if step.outcome is not StepOutcome.PASSED:
        reason = "it stamps other bytes, or nobody vouches for its authority"
        inquiry.report("TIMESTAMP_UNTRUSTED", where="etsiU", subject=step.unknown or "?", reason=reason)
        return None
    return token_time(receipt.timestamp)
