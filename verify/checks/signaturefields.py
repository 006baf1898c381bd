"""Are the signatures that the form shows the ones that stand in the file, each once, each where its bytes are?

A byte range says nothing of where the value of *this* signature stands: two dictionaries can share one gap, a value can
be copied into a second field, and a value can stand in the file that no field shows any more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from verify.findings import Severity
from verify.formats.pdffields import PAGE
from verify.inquiry import Inquiry
from verify.place import Place
from verify.verdict import Integrity

if TYPE_CHECKING:
    from verify.checks.sealed import SealedDocument
    from verify.checks.signature import SignatureView

_BYTE_RANGE = b"/ByteRange"


def check_fields(inquiry: Inquiry, document: SealedDocument) -> None:
    """Judge each signature's field; one that is not its own makes the signature ALTERED."""
    for view in document.signatures:
        fault = _fault(document, view)
        if fault:
            view.integrity = Integrity.ALTERED
            inquiry.report("BYTE_RANGE_WRONG", where=view.where, place=_place(view), reason=fault)
        if view.raw.origin == PAGE:
            inquiry.report(
                "HIDDEN_CONTENT", where=view.where, what="a signature that a page shows and the form does not"
            )


def _fault(document: SealedDocument, view: SignatureView) -> str:
    raw = view.raw
    if raw.fault or len(raw.byte_range) != 4:
        return ""
    if raw.contents_span is None:
        return "the signature value does not stand in the file by itself"
    if raw.contents_span != (raw.byte_range[1], raw.byte_range[2]):
        return "the gap is not where the signature value stands"
    if "shared-value" in raw.oddities:
        return "another field shows the same signature"
    number = raw.value_reference or raw.field_reference
    for notice in document.graph.file.notices.found:
        if notice.kind in ("duplicate-key", "dictionary-pairs") and number and notice.number == number.number:
            return "the signature's dictionary names a key twice"
    return ""


def _place(view: SignatureView) -> Place:
    return Place(span=view.raw.contents_span, field=view.raw.field)


def check_strays(inquiry: Inquiry, document: SealedDocument) -> None:
    """Name signatures that no field shows: history when a signature that holds covers them, else a doubt."""
    if document.data.count(_BYTE_RANGE) <= len(document.signatures):
        return
    covered = max((view.end for view in document.signatures if view.integrity is Integrity.INTACT), default=0)
    for stray in document.graph.stray_signatures(inquiry.policy.limits.signatures):
        if stray.contents_span is None:
            continue
        old = stray.contents_span[1] <= covered
        inquiry.report(
            "HIDDEN_CONTENT",
            place=Place(span=stray.contents_span),
            severity=Severity.NOTE if old else None,
            what="a signature that no field shows",
        )
