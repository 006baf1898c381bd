"""What follows each signature of a foreign file, as findings. Our own licenses go by :mod:`verify.checks.revisions`."""

from __future__ import annotations

from collections.abc import Sequence

from verify.checks.changes.judge import Judge
from verify.checks.changes.model import Changes
from verify.checks.changes.overlap import PrintedText
from verify.checks.changes.reasons import Reason
from verify.checks.rendered import Permitted
from verify.checks.signature import SignatureView
from verify.facts import PageChange
from verify.formats.pdffile import PdfError, PdfFile, PdfLimitError
from verify.inquiry import Inquiry
from verify.place import Place
from verify.verdict import Integrity

_MOST_FINDINGS = 5
_MOST_AREAS = 200
_CODES = {
    Reason.NO_REVISION: "BYTES_UNACCOUNTED",
    Reason.UNLISTED: "BYTES_UNACCOUNTED",
    Reason.UNKNOWN_BYTES: "BYTES_UNACCOUNTED",
    Reason.CROSS_REFERENCES: "BYTES_UNACCOUNTED",
    Reason.AMBIGUOUS: "BYTES_UNACCOUNTED",
}


def check_later(inquiry: Inquiry, file: PdfFile, views: Sequence[SignatureView]) -> list[Permitted]:
    """Judge the revisions after each signature, whatever its own value is worth; give the signed revisions with the
    places of what was permitted after them.

    A signature after which something not permitted happened is ALTERED; ``covers`` says whether what it signed is
    still all that is shown.
    """
    ends = {id(view): _end(view, file) for view in views}
    permitted: dict[int, Permitted] = {}
    printed = PrintedText(doubts=inquiry.policy.draw_revisions)
    judge = Judge(file, [(view.raw, ends[id(view)]) for view in views if ends[id(view)]], printed)
    for view in views:
        if not ends[id(view)]:
            continue
        inquiry.spend()
        try:
            changes = judge.after(ends[id(view)])
        except PdfLimitError:
            raise
        except PdfError as error:
            view.integrity = Integrity.ALTERED
            inquiry.report("CHANGE_NOT_UNDERSTOOD", where=view.where, reason=str(error))
            continue
        _report(inquiry, view, changes)
        end = ends[id(view)]
        note_changes(inquiry, end, changes)
        places = tuple((area.page, area.box) for area in changes.areas)
        permitted[end] = Permitted(end, places, lasting=changes.lasting)
    return list(permitted.values())


def note_changes(inquiry: Inquiry, end: int, changes: Changes) -> None:
    """Keep for the facts what was found after ``end``: kinds of change, faults, pages that were touched."""
    facts = inquiry.facts
    facts.later[end] = (*sorted(map(str, changes.kinds)), *(str(f.reason) for f in changes.faults[:_MOST_FINDINGS]))
    for area in changes.areas[:_MOST_AREAS]:
        page = PageChange(area.page, (area.box,) if area.box else ())
        if page not in facts.pages:
            facts.pages.append(page)


def _end(view: SignatureView, file: PdfFile) -> int:
    """Where the signed bytes end, 0 when the byte range is none."""
    numbers = view.raw.byte_range
    if len(numbers) != 4 or min(numbers) < 0 or numbers[0]:
        return 0
    end = numbers[2] + numbers[3]
    return end if numbers[1] < numbers[2] <= end <= len(file.data) else 0


def _report(inquiry: Inquiry, view: SignatureView, changes: Changes) -> None:
    if changes.faults:
        view.integrity = Integrity.ALTERED
        for fault in changes.faults[:_MOST_FINDINGS]:
            code = _CODES.get(fault.reason, "CHANGE_NOT_PERMITTED")
            inquiry.report(code, where=view.where, place=fault.place, reason=str(fault.reason))
        return
    view.covers = changes.lasting
    for kind in sorted(changes.kinds):
        area = next((a for a in changes.areas if a.kind is kind), None)
        place = Place(page=area.page, box=area.box) if area is not None else None
        inquiry.report("CHANGE_PERMITTED", where=view.where, place=place, what=str(kind))
    for remark in changes.doubts[:_MOST_FINDINGS]:
        inquiry.report("LATER_ADDITION", where=view.where, place=remark.place, reason=str(remark.doubt))
