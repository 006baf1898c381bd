"""What waits in a signed file to be revealed by a later change that looks harmless.

Mainka, Mladenov, Rohlmann, "Shadow Attacks" (NDSS 2021): content is prepared before signing, and hidden, replaced or
switched on afterwards. Nothing here is a change, so integrity is untouched; each finding is a doubt about the
conclusion. Ordinary files must not raise it: what common producers leave behind is passed over, with the reason there.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from verify.checks.shadowobjects import content_elsewhere, unused_objects
from verify.checks.shadowparts import hidden_annotations, hidden_layers, waiting_actions
from verify.checks.shadowtext import covered_text, covering_buttons
from verify.checks.shadowvalues import contradicting_fields, unplaced_fields
from verify.formats.pdffile import PdfError, Snapshot
from verify.inquiry import Inquiry
from verify.place import Place
from verify.verdict import Integrity

if TYPE_CHECKING:
    from verify.checks.sealed import SealedDocument

_MOST = 5
"""So many findings of one kind: more say nothing new."""


def check_shadow(inquiry: Inquiry, document: SealedDocument) -> None:
    """Look for what waits in the revision that the last signature covers."""
    if document.strict or inquiry.integrity is not Integrity.INTACT:
        return
    end = max((view.end for view in document.signatures), default=0)
    if not end:
        return
    try:
        signed = document.graph.file.snapshot(end)
    except PdfError:
        return
    for code, places in _found(inquiry, document, signed).items():
        for place in places[:_MOST]:
            inquiry.report(code, place=place)


def _found(inquiry: Inquiry, document: SealedDocument, signed: Snapshot) -> dict[str, list[Place]]:
    looks = {
        "SHADOW_UNUSED_OBJECT": unused_objects(signed),
        "SHADOW_LAYER": hidden_layers(signed),
        "SHADOW_ANNOTATION": hidden_annotations(signed),
        "SHADOW_SCRIPT": waiting_actions(signed),
        "SHADOW_FIELD_VALUE": contradicting_fields(signed),
        "SHADOW_FIELD_UNPLACED": unplaced_fields(signed),
        "SHADOW_ELSEWHERE": content_elsewhere(signed),
    }
    if inquiry.policy.draw_revisions:
        looks["SHADOW_TEXT"] = covered_text(inquiry, document.views, signed)
        looks["SHADOW_BUTTON"] = covering_buttons(document.views, signed)
    return {code: list(_limited(inquiry, places)) for code, places in looks.items()}


def _limited(inquiry: Inquiry, places: Iterator[Place]) -> Iterator[Place]:
    """The first few places; one part of a file that cannot be read ends the look at that part alone."""
    inquiry.spend()
    try:
        for count, place in enumerate(places, 1):
            yield place
            if count >= _MOST:
                return
    except PdfError:
        return
