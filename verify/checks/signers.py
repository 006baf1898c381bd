"""Who signed a document, when, and may they be trusted for it? Every signature and timestamp of one file."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import datetime
from typing import Any

from verify.checks.chain import Chains, load_lenient
from verify.checks.sealed import SealedDocument, all_cms
from verify.checks.sealjudge import judge_seal
from verify.checks.sealsthen import check_seals_then
from verify.checks.trusttime import Proofs, SignerOutcome, judge_archive, judge_signer, weakness
from verify.checks.unproven import vouched
from verify.evidence import VaultFacts
from verify.findings import Finding, Severity
from verify.formats.cmsvalues import carried_values
from verify.formats.license import LicenseRecord
from verify.formats.purposes import ANSWER, SEAL
from verify.inquiry import Inquiry


def check_chain(inquiry: Inquiry, document: SealedDocument, record: LicenseRecord | None = None) -> None:
    """Judge timestamps and signers against the caller's anchors.

    What only the passing of time has left open, the vault may settle: that it keeps these very bytes, made when they
    say, is a proof of existence like any other.
    """
    chains = _chains(inquiry, document)
    sealed = next((v.cms for v in document.seals if v.cms is not None), None)
    if inquiry.trust.regions is not None and inquiry.is_license and sealed is not None:
        chains.home = chains.anchor_of(sealed.signer)
    findings, outcomes = _judged(inquiry, document, chains, Proofs(inquiry.at))
    left_open = [f.code for f in findings if f.code in _BY_TIME and f.severity is Severity.DOUBT]
    if left_open and record is not None and vouched(inquiry, record.identifier, _is_this_file(document)):
        kept = Proofs(inquiry.at, [(len(document.data) + 1, _latest_word(inquiry, document))])
        again, settled = _judged(inquiry, document, chains, kept)
        if not any(f.code in _BY_TIME and f.severity is not Severity.NOTE for f in again):
            findings, outcomes = again, settled
            inquiry.report("VAULT_VOUCHES", what=left_open[0])
    document.outcomes = outcomes
    inquiry.findings += [f for f in findings if f not in inquiry.findings]
    check_seals_then(inquiry, document, record)


_BY_TIME = frozenset(
    {"TIMESTAMP_UNTRUSTED", "CERTIFICATE_EXPIRED_NO_POE", "CERTIFICATE_REVOKED_NO_POE", "REVOCATION_UNKNOWN"}
    | {"ALGORITHM_WEAK"}
)
"""Doubts that grow with time, and that a proof of existence from the beginning settles."""


def _is_this_file(document: SealedDocument) -> Callable[[VaultFacts], bool]:
    digest = hashlib.sha256(document.data).hexdigest()
    return lambda facts: (facts.pdf_sha256 or "").lower() == digest


def _latest_word(inquiry: Inquiry, document: SealedDocument) -> datetime:
    """The latest time that the file's own signatures and timestamps state: the vault has kept it since then."""
    stated = [t.time for view in document.signatures for t in view.tokens]
    stated += [c.claimed_time for c in all_cms(document) if c.claimed_time is not None]
    return min(max(stated, default=inquiry.at), inquiry.at)


def _judged(
    inquiry: Inquiry, document: SealedDocument, chains: Chains, proofs: Proofs
) -> tuple[list[Finding], dict[int, SignerOutcome]]:
    """Findings and outcomes under what is proven already; the inquiry's own findings are left as they are."""
    earlier, inquiry.findings = inquiry.findings, []
    outcomes: dict[int, SignerOutcome] = {}
    try:
        judge_archive(inquiry, chains, document.stamps, proofs)
        usage = ANSWER if document.report_subject else SEAL if inquiry.is_license or document.strict else None
        for view in document.seals:
            if view.cms is not None:
                inquiry.spend()
                outcome = judge_signer(inquiry, chains, view, proofs.moment(view.end), usage)
                outcomes[id(view)] = outcome
                judge_seal(inquiry, chains, view, outcome)
        for view in document.stamps:
            weak = weakness(inquiry.policy, view.cms, proofs.moment(view.end)) if view.cms is not None else None
            if weak:
                inquiry.report("ALGORITHM_WEAK", where=view.where, algorithm=weak)
    finally:
        found, inquiry.findings = inquiry.findings, earlier
    return found, outcomes


def _chains(inquiry: Inquiry, document: SealedDocument) -> Chains:
    """All certificates and revocation data that the file carries. Without anchors nothing would ask for them."""
    if not inquiry.trust.anchors:
        return Chains(inquiry, ())
    values = all_cms(document)
    certificates: list[Any] = [c for cms in values for c in cms.certificates]
    certificates += [load_lenient(der) for der in document.updates.certificates]
    crls, ocsps = list(document.updates.crls), list(document.updates.ocsps)
    if not document.strict:
        extra = document.graph.validation_data()
        certificates += extra.certificates
        crls, ocsps = [*extra.crls], [*extra.ocsps]
        for cms in values:
            carried = carried_values(cms)
            certificates += [load_lenient(der) for der in carried.certificates]
            crls += carried.crls
            ocsps += carried.ocsps
    return Chains(inquiry, [c for c in certificates if c is not None], crls, ocsps)
