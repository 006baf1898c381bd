"""Who signed a document, when, and may they be trusted for it? Every signature and timestamp of one file."""

from __future__ import annotations

from typing import Any

from verify.checks.chain import Chains, load_lenient
from verify.checks.sealed import SealedDocument, all_cms
from verify.checks.trusttime import judge_archive, judge_signer, weakness
from verify.formats.cmsvalues import carried_values
from verify.formats.purposes import ANSWER, SEAL
from verify.inquiry import Inquiry


def check_chain(inquiry: Inquiry, document: SealedDocument) -> None:
    """Judge timestamps and signers against the caller's anchors."""
    chains = _chains(inquiry, document)
    proofs = judge_archive(inquiry, chains, document.stamps)
    usage = ANSWER if document.report_subject else SEAL if inquiry.is_license or document.strict else None
    for view in document.seals:
        if view.cms is not None:
            inquiry.spend()
            document.outcomes[id(view)] = judge_signer(inquiry, chains, view, proofs.moment(view.end), usage)
    for view in document.stamps:
        weak = weakness(inquiry.policy, view.cms, proofs.moment(view.end)) if view.cms is not None else None
        if weak:
            inquiry.report("ALGORITHM_WEAK", where=view.where, algorithm=weak)


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
