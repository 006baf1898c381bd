"""Does the page show what the record says, all of it and nothing else?

The face map in the record names every printed string with its box. Text is compared as extracted, in the order in
which it stands on the page; :mod:`verify.checks.ink` sees whether it can be read there, and the code is read from the
drawn page as a telephone would read it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from verify.findings import Severity
from verify.formats.license import Box, LicenseRecord, static_digest
from verify.formats.pageview import PageError, PageView, decode_codes
from verify.formats.pdftrees import pages as pages_of
from verify.inquiry import Inquiry
from verify.place import Place

if TYPE_CHECKING:
    from verify.checks.sealed import SealedDocument
    from verify.formats.pageview import Character

_SLACK = 1.0  # points: rounding of boxes, and ink that reaches over its advance width
_CODE_MARGIN = 6.0
_SAME_LINE = 0.5  # of the height of a line


def opened(document: SealedDocument) -> PageView | None:
    """The pages for the checks below; None, and so checks that did not run, when they cannot be opened."""
    try:
        return document.views.newest
    except PageError:
        return None


def check_page_text(inquiry: Inquiry, pages: PageView, record: LicenseRecord) -> None:
    """Compare page count, sizes and every character with the face map."""
    face = record.face
    if pages.page_count != len(face.pages) or pages.page_count > inquiry.policy.limits.pages:
        inquiry.report("PAGE_COUNT_DIFFERS", actual=pages.page_count, expected=len(face.pages))
        return
    for number, expected in enumerate(face.pages, 1):
        inquiry.spend()
        try:
            actual, characters = pages.size(number), pages.characters(number)
        except PageError:
            inquiry.report("PAGE_NOT_DRAWN", place=Place(page=number), page=number)
            continue
        tolerance = inquiry.policy.page_size_tolerance
        if any(abs(a - e) > tolerance for a, e in zip(actual, expected, strict=True)):
            inquiry.report("PAGE_SIZE_DIFFERS", page=number, actual=_pair(actual), expected=_pair(expected))
        _compare_text(inquiry, characters, record, number)


def check_page_units(inquiry: Inquiry, document: SealedDocument) -> None:
    """A page's unit is the point (14.11.2). With another one the same numbers are another size; PDFium ignores it."""
    graph = document.graph
    for page in pages_of(graph.document):
        unit = graph.document.resolve(page.dictionary.get(b"UserUnit"))
        if unit is not None and unit != 1:
            size = f"{unit} × 1/72"
            inquiry.report(
                "PAGE_SIZE_DIFFERS", place=Place(page=page.number), page=page.number, actual=size, expected="1/72"
            )


def _pair(size: tuple[float, float]) -> str:
    return f"{size[0]:.1f} × {size[1]:.1f}"


def _compare_text(inquiry: Inquiry, characters: list[Character], record: LicenseRecord, page: int) -> None:
    items = [i for i in record.face.items if i.page == page]
    runs = [s for s in record.face.static if s.page == page]
    texts, extra = _sorted_into([i.box for i in items] + [s.box for s in runs], characters)
    for item, found in zip(items, texts[: len(items)], strict=True):
        actual = as_read(found)
        if actual != "".join(item.text.split()):
            place = Place(page=page, box=item.box)
            inquiry.report("PAGE_TEXT_DIFFERS", place=place, field=item.field, actual=actual, expected=item.text)
    for run, found in zip(runs, texts[len(items) :], strict=True):
        actual = as_read(found)
        if static_digest(actual) != run.sha256:
            inquiry.report("PAGE_STATIC_DIFFERS", place=Place(page=page, box=run.box), page=page, text=actual)
    if extra:
        text = "".join(c.text for c in extra)
        inquiry.report("PAGE_TEXT_EXTRA", place=Place(page=page, box=_around(extra)), page=page, text=text)


def as_read(characters: list[Character]) -> str:
    """The characters as a person reads them: line by line from the top, each line from the left.

    The order in the file is the forger's to choose; where each character stands is what is seen.
    """
    lines: list[list[Character]] = []
    for character in sorted(characters, key=lambda c: -c.start[1]):
        if lines and lines[-1][0].start[1] - character.start[1] < _SAME_LINE * max(character.height, 1.0):
            lines[-1].append(character)
        else:
            lines.append([character])
    return "".join(c.text for line in lines for c in sorted(line, key=lambda c: c.start[0]))


def _around(characters: list[Character]) -> Box:
    boxes = [c.box for c in characters]
    return (
        min(b[0] for b in boxes),
        min(b[1] for b in boxes),
        max(b[2] for b in boxes),
        max(b[3] for b in boxes),
    )


def _sorted_into(boxes: list[Box], characters: list[Character]) -> tuple[list[list[Character]], list[Character]]:
    """Each character to the smallest box that holds its centre; those in none apart."""
    texts: list[list[Character]] = [[] for _ in boxes]
    extra: list[Character] = []
    grown = [(b[0] - _SLACK, b[1] - _SLACK, b[2] + _SLACK, b[3] + _SLACK) for b in boxes]
    places = [(grown[i], texts[i]) for i in sorted(range(len(boxes)), key=lambda i: _area(boxes[i]))]
    for character in characters:
        x, y = character.x, character.y
        for (left, bottom, right, top), text in places:
            if left <= x <= right and bottom <= y <= top:
                text.append(character)
                break
        else:
            extra.append(character)
    return texts, extra


def _area(box: Box) -> float:
    return (box[2] - box[0]) * (box[3] - box[1])


def check_page_code(inquiry: Inquiry, pages: PageView, record: LicenseRecord) -> None:
    """Read the code from the drawn page and compare each claim with the record; check its signature where known."""
    from verify.checks.printed import compare_signature
    from verify.formats.qr import CodeError, unverified_code

    face = record.face
    box = _grown(face.code_box)
    try:
        picture = pages.picture(face.code_page, box, inquiry.policy.code_dpi, inquiry.policy.limits.render_pixels)
    except PageError:
        inquiry.report("PAGE_CODE_UNREADABLE", where=f"page {face.code_page}")
        return
    texts = decode_codes(picture, inquiry.policy.limits.codes_in_picture)
    where = f"page {face.code_page}"
    if not texts:
        inquiry.report("PAGE_CODE_UNREADABLE", where=where)
        return
    if len(texts) > 1:
        inquiry.report("PAGE_CODE_EXTRA", where=where)
    try:
        code = unverified_code(texts[0])
    except CodeError as error:
        inquiry.report("PAGE_CODE_DIFFERS", where=where, member=str(error))
        return
    member = code.differs_from(record)
    if member is not None:
        inquiry.report("PAGE_CODE_DIFFERS", where=where, member=member)
    outcome = compare_signature(inquiry, code)
    inquiry.genuine_code = outcome == "good"
    if inquiry.genuine_code and member is not None and member != "identifier":
        inquiry.report("CODE_CONTRADICTS_PAGE", where=where, member=member)
    if outcome == "wrong":
        inquiry.report("PAGE_CODE_DIFFERS", where=where, member="signature")
    elif outcome == "unknown":
        inquiry.report("CODE_KEY_UNKNOWN", where=where, severity=Severity.NOTE, kid=code.kid)


def _grown(box: Box) -> Box:
    return box[0] - _CODE_MARGIN, box[1] - _CODE_MARGIN, box[2] + _CODE_MARGIN, box[3] + _CODE_MARGIN
