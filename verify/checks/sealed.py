"""The signed document as a whole: opening it, and running the checks that concern its signatures and revisions."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from verify.checks.chain import Problem, load_lenient
from verify.checks.later import check_later
from verify.checks.material import (
    Material,
    MaterialError,
    check_material,
    load_certificate,
    load_crl,
    load_ocsp,
    ocsp_certificates,
)
from verify.checks.rendered import check_rendered
from verify.checks.revisions import ChangeError, Updates, read_updates
from verify.checks.signature import SignatureView, Surroundings, check_one, is_pades
from verify.checks.trusttime import SignerOutcome
from verify.errors import UnreadableError
from verify.findings import About, Severity
from verify.formats.license import ATTACHMENT_NAME
from verify.formats.pdfgraph import PdfGraph, PdfGraphError, PdfPasswordError
from verify.formats.pdflimits import PdfLimitError
from verify.formats.purposes import ANSWER, SEAL
from verify.formats.report import ATTACHMENT_NAME as REPORT_NAME
from verify.inquiry import Inquiry
from verify.verdict import Integrity, SignatureReport


@dataclass(slots=True)
class SealedDocument:
    """An opened PDF with what the checks have learnt of it."""

    data: bytes
    graph: PdfGraph
    signatures: list[SignatureView]
    strict: bool
    updates: Updates = field(default_factory=Updates)
    outcomes: dict[int, SignerOutcome] = field(default_factory=dict)
    archived: bool = False
    report_subject: str = ""
    """SHA-256 of the file that this document, a verification report of a vault, tells of."""
    password: str | None = None

    @property
    def seals(self) -> list[SignatureView]:
        """Signatures other than document timestamps, in the order of signing."""
        return sorted((s for s in self.signatures if not s.is_timestamp), key=lambda s: s.end)

    @property
    def stamps(self) -> list[SignatureView]:
        """Document timestamps."""
        return [s for s in self.signatures if s.is_timestamp]


def open_document(inquiry: Inquiry, data: bytes, password: str | None) -> SealedDocument:
    """Open a PDF and find its signatures. Raises UnreadableError."""
    limits = inquiry.policy.limits
    try:
        graph = PdfGraph(data, password, limits.for_pdf())
        if graph.revisions() > limits.revisions:
            raise UnreadableError("LIMIT_EXCEEDED", what="revisions", limit=limits.revisions)
        if graph.object_count() > limits.objects:
            raise UnreadableError("LIMIT_EXCEEDED", what="objects", limit=limits.objects)
        views = [SignatureView(raw) for raw in graph.signatures(limits.signatures)]
    except PdfPasswordError as error:
        raise UnreadableError("PDF_ENCRYPTED") from error
    except PdfLimitError as error:
        raise UnreadableError("LIMIT_EXCEEDED", what=error.what, limit=error.limit) from error
    except PdfGraphError as error:
        raise UnreadableError("PDF_BROKEN", reason=str(error)) from error
    return SealedDocument(data, graph, views, _is_ours(data, views), password=password)


def _is_ours(data: bytes, views: list[SignatureView]) -> bool:
    """Whether our own strict profile applies: a certified file that names a license's or report's attachment.

    The signed bytes are asked, not the parsed objects: a later update must not be able to talk us out of strictness.
    """
    named = any(f"({name})".encode() in data for name in (ATTACHMENT_NAME, REPORT_NAME))
    return named and any(v.raw.permission == 1 for v in views)


def check_signatures(inquiry: Inquiry, document: SealedDocument) -> None:
    """Judge every signature's own integrity."""
    around = Surroundings(document.graph.document.resolve, lambda: document.graph.validation_data().certificates)
    for view in document.signatures:
        inquiry.spend()
        check_one(inquiry, document.data, view, document.strict, around)


def check_revisions(inquiry: Inquiry, document: SealedDocument) -> None:
    """Judge what follows the signed revisions."""
    if document.strict:
        _check_strictly(inquiry, document)
        return
    permitted = check_later(inquiry, document.graph.file, document.signatures)
    if inquiry.policy.draw_revisions and inquiry.integrity is Integrity.INTACT:
        changed = check_rendered(inquiry, document.data, document.password, permitted)
        for view in document.signatures:
            view.integrity = Integrity.ALTERED if view.end in changed else view.integrity


def _check_strictly(inquiry: Inquiry, document: SealedDocument) -> None:
    seals = document.seals
    if len(seals) != 1:
        inquiry.report("SECOND_SIGNATURE")
        return
    seal = seals[0]
    if not seal.end:
        return
    try:
        document.updates = read_updates(document.data, seal.end, inquiry.policy.limits.revisions)
        _match_timestamps(document)
        if seal.cms is not None:
            anchors = [a for a in map(load_lenient, inquiry.trust.anchors) if a is not None]
            check_material(_material(document, anchors), _leaves(document), frozenset(inquiry.trust.anchors))
    except ChangeError as error:
        inquiry.report(error.code, where=f"byte {error.offset}", reason=error.reason)
        return
    except MaterialError as error:
        inquiry.report(error.code, reason=str(error))
        return
    seal.covers = True
    for stamp in document.stamps:
        stamp.covers = True


def _match_timestamps(document: SealedDocument) -> None:
    """Each permitted timestamp field must be a timestamp that was judged, and the other way round."""
    judged = sorted(s.raw.byte_range for s in document.stamps)
    if judged != sorted(document.updates.timestamps):
        raise ChangeError("CHANGE_NOT_PERMITTED", "timestamps that the form does not list", document.updates.end)


def _material(document: SealedDocument, anchors: list[Any]) -> Material:
    material = Material(closed=bool(anchors or document.updates.certificates))
    material.add(anchors)
    material.add(load_certificate(der) for der in document.updates.certificates)
    material.crls = [load_crl(der) for der in document.updates.crls]
    material.ocsps = [load_ocsp(der) for der in document.updates.ocsps]
    for values in (document.updates.certificates, document.updates.crls, document.updates.ocsps):
        if len(set(values)) != len(values):
            raise MaterialError("DSS_VALUE_UNUSED", "a value stands twice")
    for response in material.ocsps:
        material.add(ocsp_certificates(response))
    for cms in _all_cms(document):
        material.add(load_certificate(c.dump()) for c in cms.certificates)
    return material


def _all_cms(document: SealedDocument) -> list[Any]:
    found = []
    for view in document.signatures:
        if view.cms is not None:
            found.append(view.cms)
        found.extend(t.cms for t in view.tokens if t.cms is not view.cms)
    return found


def _leaves(document: SealedDocument) -> list[Any]:
    return [cms.signer for cms in _all_cms(document)]


def check_chain(inquiry: Inquiry, document: SealedDocument) -> None:
    """Judge timestamps and signers against the caller's anchors."""
    from verify.checks.chain import Chains
    from verify.checks.trusttime import judge_archive, judge_signer

    crls, ocsps = document.updates.crls, document.updates.ocsps
    certificates = [c for cms in _all_cms(document) for c in cms.certificates]
    certificates += [load_certificate(der) for der in document.updates.certificates]
    if not document.strict:
        extra = document.graph.validation_data()
        certificates += extra.certificates
        crls, ocsps = extra.crls, extra.ocsps
    chains = Chains(inquiry, certificates, crls, ocsps)
    moment, document.archived = judge_archive(inquiry, chains, document.stamps)
    document.archived = document.archived and bool(document.stamps)
    usage = ANSWER if document.report_subject else SEAL if inquiry.is_license or document.strict else None
    for view in document.seals:
        if view.cms is not None:
            document.outcomes[id(view)] = judge_signer(inquiry, chains, view, moment, usage)
    for view in document.signatures:
        _check_strength(inquiry, view)


def _check_strength(inquiry: Inquiry, view: SignatureView) -> None:
    if view.cms is None:
        return
    if view.cms.digest_name in inquiry.policy.weak_hashes:
        inquiry.report("ALGORITHM_WEAK", where=view.where, algorithm=view.cms.digest_name)
    key = view.cms.signer.public_key
    if key.algorithm == "rsa" and key.bit_size < inquiry.policy.minimum_rsa_bits:
        inquiry.report("ALGORITHM_WEAK", where=view.where, algorithm=f"RSA {key.bit_size}")


def report_signatures(inquiry: Inquiry, document: SealedDocument) -> None:
    """Sum up each signature for the verdict."""
    for view in document.signatures:
        inquiry.signatures.append(_report(inquiry, document, view))


def _report(inquiry: Inquiry, document: SealedDocument, view: SignatureView) -> SignatureReport:
    from verify.checks.chain import display_name

    outcome = document.outcomes.get(id(view))
    indication, sub = _indication(inquiry, view, outcome)
    proven = view.is_timestamp or (outcome is not None and outcome.proven)
    time = view.tokens[0].time if view.is_timestamp and view.tokens else outcome.signed_at if outcome else None
    return SignatureReport(
        field=view.raw.field,
        signer=display_name(view.cms.signer) if view.cms else "",
        format=_format(document, view, outcome),
        integrity=view.integrity,
        indication=indication,
        sub_indication=sub,
        signed_at=time,
        time_source="timestamp" if proven else "claimed",
        covers_whole_file=view.covers,
    )


def _indication(inquiry: Inquiry, view: SignatureView, outcome: SignerOutcome | None) -> tuple[str, str]:
    """The indication of ETSI EN 319 102-1 5.1.3 for one signature."""
    if view.integrity is not Integrity.INTACT:
        codes = {f.code for f in inquiry.findings if f.where == view.where and f.about is About.INTEGRITY}
        sub = "HASH_FAILURE" if "DIGEST_MISMATCH" in codes else "FORMAT_FAILURE"
        return "TOTAL_FAILED", "SIG_CRYPTO_FAILURE" if "SIGNATURE_WRONG" in codes else sub
    path = outcome.path if outcome else None
    if path is not None and path.problem is not None:
        return _path_indication(inquiry, view, path.problem)
    codes = {f.code for f in inquiry.findings if f.where == view.where}
    if "CERTIFICATE_PURPOSE" in codes:
        return "INDETERMINATE", "CHAIN_CONSTRAINTS_FAILURE"
    if "ALGORITHM_WEAK" in codes:
        return "INDETERMINATE", "CRYPTO_CONSTRAINTS_FAILURE"
    if view.is_timestamp and "TIMESTAMP_UNTRUSTED" in codes:
        return "INDETERMINATE", "NO_CERTIFICATE_CHAIN_FOUND"
    return "TOTAL_PASSED", ""


def _path_indication(inquiry: Inquiry, view: SignatureView, problem: Problem) -> tuple[str, str]:
    fatal = any(
        f.code == problem.code and f.where == view.where and f.severity is Severity.FATAL for f in inquiry.findings
    )
    if fatal:
        return "TOTAL_FAILED", problem.sub_indication
    no_poe = {"REVOKED": "REVOKED_NO_POE", "EXPIRED": "OUT_OF_BOUNDS_NO_POE", "NOT_YET_VALID": "OUT_OF_BOUNDS_NO_POE"}
    return "INDETERMINATE", no_poe.get(problem.sub_indication, problem.sub_indication)


def _format(document: SealedDocument, view: SignatureView, outcome: SignerOutcome | None) -> str:
    if view.is_timestamp:
        return "ETSI.RFC3161"
    if not is_pades(view):
        return view.raw.subfilter.lstrip("/")
    if not view.tokens and not document.stamps:
        return "PAdES-B-B"
    if not _has_validation_data(document):
        return "PAdES-B-T"
    return "PAdES-B-LTA" if document.stamps else "PAdES-B-LT"


def _has_validation_data(document: SealedDocument) -> bool:
    if document.strict:
        return bool(document.updates.crls or document.updates.ocsps)
    extra = document.graph.validation_data()
    return bool(extra.crls or extra.ocsps)
