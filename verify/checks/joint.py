"""A license that several seals make: the first certifies it with filling in allowed (DocMDP 2) and reserves empty
signature fields, each further seal goes into one of them, and the last locks everything.

Its values are held to our strict forms like those of any license; what lies between the seals is judged by the general
rules of later changes. Nobody else may sign it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from verify.formats.license import ATTACHMENT_NAME
from verify.formats.pdfgraph import PdfGraph, PdfGraphError
from verify.formats.pdfsnapshot import Snapshot
from verify.formats.pdfvalues import Name, Text
from verify.inquiry import Inquiry

if TYPE_CHECKING:
    from verify.checks.sealed import SealedDocument
    from verify.checks.signature import SignatureView

_FILLING = 2


def is_joint(data: bytes, views: list[SignatureView]) -> bool:
    """Whether the signed bytes name a license's record, under a certification that lets others sign."""
    return f"({ATTACHMENT_NAME})".encode() in data and any(v.raw.permission == _FILLING for v in views)


def check_joint(inquiry: Inquiry, document: SealedDocument) -> None:
    """Whether the seals are those for which the first one left a place: no other, and all of them."""
    seals = document.seals
    if not document.joint or not seals[0].end:
        return
    if seals[0].raw.permission != _FILLING:
        inquiry.report("SECOND_SIGNATURE")
        return
    reserved = empty_fields(document.graph.file.snapshot(seals[0].end))
    signed = [view.raw.field for view in seals[1:]]
    if set(signed) - reserved:
        inquiry.report("SECOND_SIGNATURE", where=min(set(signed) - reserved))
    for name in sorted(reserved - set(signed)):
        inquiry.report("SEAL_PENDING", where=name)


def empty_fields(document: Snapshot) -> set[str]:
    """The names of the signature fields at the top of the form that hold no signature."""
    form = document.entry_of(document.root, b"AcroForm")
    found: set[str] = set()
    for raw in document.items_of(document.entry_of(form, b"Fields")):
        title = document.entry_of(raw, b"T")
        if document.entry_of(raw, b"FT") == Name(b"Sig") and document.entry_of(raw, b"V") is None:
            found.add(str(title) if isinstance(title, Text) else "")
    return found


def record_is_certified(document: SealedDocument, record: bytes, limit: int) -> bool:
    """Whether the revision that the first seal certifies carries the very same record."""
    seals = document.seals
    if not document.joint or not seals or not seals[0].end:
        return False
    try:
        found = PdfGraph(document.data[: seals[0].end], None).attachments(limit, ATTACHMENT_NAME)
    except PdfGraphError:
        return False
    return len(found) == 1 and found[0].data == record
