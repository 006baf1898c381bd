"""The signed document as a whole: opening it, and running the checks that concern its signatures and revisions."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from verify.checks.chain import load_lenient
from verify.checks.joint import check_joint, is_joint
from verify.checks.later import check_later
from verify.checks.material import (
    Material,
    MaterialError,
    check_material,
    load_certificate,
    load_crl,
    load_ocsp,
    may_be_above,
    ocsp_certificates,
)
from verify.checks.rendered import check_rendered
from verify.checks.revisions import ChangeError, Updates, read_updates
from verify.checks.signature import SignatureView, Surroundings, check_one
from verify.checks.trusttime import SignerOutcome
from verify.errors import UnreadableError
from verify.formats.license import ATTACHMENT_NAME
from verify.formats.pageview import Revisions
from verify.formats.pdfgraph import PdfGraph, PdfGraphError, PdfPasswordError
from verify.formats.pdflimits import PdfLimitError
from verify.formats.report import ATTACHMENT_NAME as REPORT_NAME
from verify.inquiry import Inquiry
from verify.verdict import Integrity


@dataclass(slots=True)
class SealedDocument:
    """An opened PDF with what the checks have learnt of it."""

    data: bytes
    graph: PdfGraph
    signatures: list[SignatureView]
    strict: bool
    views: Revisions
    updates: Updates = field(default_factory=Updates)
    outcomes: dict[int, SignerOutcome] = field(default_factory=dict)
    joint: bool = False
    """Whether it claims to be a license under several seals (:mod:`verify.checks.joint`)."""
    report_subject: str = ""
    """SHA-256 of the file that this document, a verification report of a vault, tells of."""

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
    strict = _is_ours(data, views)
    joint = not strict and is_joint(data, views)
    return SealedDocument(data, graph, views, strict, Revisions(data, password), joint=joint)


def _is_ours(data: bytes, views: list[SignatureView]) -> bool:
    """Whether our own strict profile applies: a certified file that names a license's or report's attachment.

    The signed bytes are asked, not the parsed objects: a later update must not be able to talk us out of strictness.
    """
    named = any(f"({name})".encode() in data for name in (ATTACHMENT_NAME, REPORT_NAME))
    return named and any(v.raw.permission == 1 for v in views)


def check_signatures(inquiry: Inquiry, document: SealedDocument) -> None:
    """Judge every signature's own integrity."""
    around = Surroundings(
        document.graph.document.resolve,
        lambda: document.graph.validation_data().certificates,
        document.graph.file.decrypted_text if document.graph.file.encrypted else None,
    )
    for view in document.signatures:
        inquiry.spend()
        check_one(inquiry, document.data, view, document.strict or document.joint, around)


def check_revisions(inquiry: Inquiry, document: SealedDocument) -> None:
    """Judge what follows the signed revisions."""
    if document.strict:
        _check_strictly(inquiry, document)
        return
    check_joint(inquiry, document)
    permitted = check_later(inquiry, document.graph.file, document.signatures)
    if inquiry.policy.draw_revisions and inquiry.integrity is Integrity.INTACT:
        changed = check_rendered(inquiry, document.views, permitted)
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
        if document.updates.idle:
            inquiry.report("UPDATE_WITHOUT_EFFECT", count=document.updates.idle)
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
    inside = [load_certificate(c.dump()) for cms in all_cms(document) for c in cms.certificates]
    inside += [load_certificate(der) for der in document.updates.certificates]
    above = [a for a in anchors if any(may_be_above(a, c) for c in inside)]
    material = Material(closed=bool(above or document.updates.certificates))
    material.add(above)
    material.add(load_certificate(der) for der in document.updates.certificates)
    material.crls = [load_crl(der) for der in document.updates.crls]
    material.ocsps = [load_ocsp(der) for der in document.updates.ocsps]
    for values in (document.updates.certificates, document.updates.crls, document.updates.ocsps):
        if len(set(values)) != len(values):
            raise MaterialError("DSS_VALUE_UNUSED", "a value stands twice")
    for response in material.ocsps:
        material.add(ocsp_certificates(response))
    for cms in all_cms(document):
        material.add(load_certificate(c.dump()) for c in cms.certificates)
    return material


def all_cms(document: SealedDocument) -> list[Any]:
    """Every CMS value in the file that was read: signatures, and the timestamps in and beside them."""
    found = []
    for view in document.signatures:
        if view.cms is not None:
            found.append(view.cms)
        found.extend(t.cms for t in view.tokens if t.cms is not view.cms)
    return found


def _leaves(document: SealedDocument) -> list[Any]:
    """Signers; of a seal signature also the certificates of its seal, which the signature covers."""
    sealed = [c for view in document.signatures if view.ses and view.cms for c in view.cms.certificates]
    return [*(cms.signer for cms in all_cms(document)), *sealed]
