"""What is reported of each signature: its format, and its indication with the reason (ETSI EN 319 102-1 5.1.3)."""

from __future__ import annotations

from verify.checks.chain import Problem, display_name
from verify.checks.sealed import SealedDocument
from verify.checks.sealjudge import seal_findings
from verify.checks.signature import SignatureView, is_pades
from verify.checks.trusttime import SignerOutcome
from verify.findings import Severity
from verify.inquiry import Inquiry
from verify.verdict import Integrity, SignatureReport

PASSED, FAILED, OPEN = "TOTAL_PASSED", "TOTAL_FAILED", "INDETERMINATE"
_NO_POE = {
    "REVOKED": "REVOKED_NO_POE",
    "REVOKED_CA": "REVOKED_CA_NO_POE",
    "EXPIRED": "OUT_OF_BOUNDS_NO_POE",
    "NOT_YET_VALID": "OUT_OF_BOUNDS_NO_POE",
}
_ALWAYS_OPEN = {"CERTIFICATE_CHAIN_GENERAL_FAILURE", "CHAIN_CONSTRAINTS_FAILURE", "REVOKED_CA"}
"""Table 5 knows these as reasons for INDETERMINATE only, however sure the fault is."""


def report_signatures(inquiry: Inquiry, document: SealedDocument) -> None:
    """Sum up each signature for the verdict."""
    for view in document.signatures:
        inquiry.signatures.append(_report(inquiry, document, view))


def _report(inquiry: Inquiry, document: SealedDocument, view: SignatureView) -> SignatureReport:
    outcome = document.outcomes.get(id(view))
    indication, sub = indication_of(inquiry, view, outcome)
    distrusted = any(f.code == "TIMESTAMP_UNTRUSTED" and f.where == view.where for f in inquiry.findings)
    proven = (view.is_timestamp and not distrusted) or (outcome is not None and outcome.proven)
    time = view.tokens[0].time if view.is_timestamp and view.tokens else outcome.signed_at if outcome else None
    return SignatureReport(
        field=view.raw.field,
        signer=display_name(view.cms.signer) if view.cms else "",
        format=_format(document, view),
        integrity=view.integrity,
        indication=indication,
        sub_indication=sub,
        signed_at=time,
        time_source="timestamp" if proven else "claimed",
        covers_whole_file=view.covers,
        seal=view.ses.seal if view.ses else None,
        steps=view.ses_steps,
    )


def indication_of(inquiry: Inquiry, view: SignatureView, outcome: SignerOutcome | None) -> tuple[str, str]:
    """Indication and sub-indication of one signature, from the findings at its place."""
    codes = {f.code for f in inquiry.findings if f.where == view.where}
    if view.integrity is not Integrity.INTACT:
        return _broken(inquiry, view, codes)
    if outcome is not None and outcome.path.problem is not None:
        return _path_indication(inquiry, view, outcome, outcome.path.problem)
    seal = seal_findings(inquiry, view)
    if seal:
        return (FAILED if any(f.severity is Severity.FATAL for f in seal) else OPEN), "SIG_CONSTRAINTS_FAILURE"
    if "CERTIFICATE_PURPOSE" in codes:
        return OPEN, "CHAIN_CONSTRAINTS_FAILURE"
    if "ALGORITHM_WEAK" in codes:
        return OPEN, _weak(outcome)
    if "EXAMPLE_KEYS" in codes and not inquiry.trust.allow_example:
        return OPEN, "NO_CERTIFICATE_CHAIN_FOUND"
    if view.is_timestamp and "TIMESTAMP_UNTRUSTED" in codes:
        return OPEN, "NO_CERTIFICATE_CHAIN_FOUND"
    if "SIGNED_IN_FUTURE" in codes:
        return OPEN, "SIG_CONSTRAINTS_FAILURE"
    return PASSED, ""


def _weak(outcome: SignerOutcome | None) -> str:
    """A timestamp that came too late shows that it was weak when stamped; without one it may be older than that."""
    return (
        "CRYPTO_CONSTRAINTS_FAILURE" if outcome is not None and outcome.proven else "CRYPTO_CONSTRAINTS_FAILURE_NO_POE"
    )


def _broken(inquiry: Inquiry, view: SignatureView, codes: set[str]) -> tuple[str, str]:
    if "DIGEST_MISMATCH" in codes:
        return FAILED, "HASH_FAILURE"
    if "SIGNATURE_WRONG" in codes:
        return FAILED, "SIG_CRYPTO_FAILURE"
    if "ALGORITHM_UNSUPPORTED" in codes:
        return OPEN, "CRYPTO_CONSTRAINTS_FAILURE"
    if any(f.params.get("reason") == NO_SIGNER for f in inquiry.findings if f.where == view.where):
        return OPEN, "NO_SIGNING_CERTIFICATE_FOUND"
    if "SIGNED_ATTRIBUTES_WRONG" in codes:
        return FAILED, "SIG_CONSTRAINTS_FAILURE"
    return FAILED, "FORMAT_FAILURE"


NO_SIGNER = "the signer's certificate is not inside"


def _path_indication(
    inquiry: Inquiry, view: SignatureView, outcome: SignerOutcome, problem: Problem
) -> tuple[str, str]:
    if problem.code == "ALGORITHM_WEAK":
        return OPEN, _weak(outcome)
    fatal = any(
        f.code == problem.code and f.where == view.where and f.severity is Severity.FATAL for f in inquiry.findings
    )
    if fatal and problem.sub_indication not in _ALWAYS_OPEN:
        return FAILED, problem.sub_indication
    return OPEN, _NO_POE.get(problem.sub_indication, problem.sub_indication)


def _format(document: SealedDocument, view: SignatureView) -> str:
    if view.ses is not None:
        return f"ses-v{view.ses.version}"
    if view.is_timestamp:
        return "ETSI.RFC3161"
    if view.cms is not None and view.cms.national:
        return "gbt-35275"
    if not is_pades(view):
        return view.raw.subfilter.lstrip("/")
    stamps = [s for s in document.stamps if s.end > view.end]
    if not view.tokens and not stamps:
        return "PAdES-B-B"
    if not _has_validation_data(document):
        return "PAdES-B-T"
    return "PAdES-B-LTA" if stamps else "PAdES-B-LT"


def _has_validation_data(document: SealedDocument) -> bool:
    if document.strict:
        return bool(document.updates.crls or document.updates.ocsps)
    extra = document.graph.validation_data()
    return bool(extra.crls or extra.ocsps)
