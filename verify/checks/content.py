"""Does the page show what the record says, all of it and nothing else?

The face map in the record names every printed string with its box. Text is compared as extracted, ink as drawn, and
the code is read from the drawn page as a telephone would read it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from verify.findings import Severity
from verify.formats.license import Box, LicenseRecord, static_digest
from verify.formats.pageview import PageError, PageView, decode_codes, open_pages
from verify.inquiry import Inquiry
from verify.policy import Policy

if TYPE_CHECKING:
    from verify.checks.sealed import SealedDocument
    from verify.formats.pageview import Character

_SLACK = 1.0  # points: rounding of boxes, and ink that reaches over its advance width
_CODE_MARGIN = 6.0


@contextmanager
def opened(inquiry: Inquiry, document: SealedDocument) -> Iterator[PageView | None]:
    """Open the pages for the checks below; None, and so checks that did not run, when they cannot be opened."""
    try:
        pages = open_pages(document.data)
    except PageError:
        yield None
        return
    try:
        yield pages
    finally:
        pages.close()


def check_page_text(inquiry: Inquiry, pages: PageView, record: LicenseRecord) -> None:
    """Compare page count, sizes and every character with the face map."""
    face = record.face
    if pages.page_count != len(face.pages) or pages.page_count > inquiry.policy.limits.pages:
        inquiry.report("PAGE_COUNT_DIFFERS", actual=pages.page_count, expected=len(face.pages))
        return
    for number, expected in enumerate(face.pages, 1):
        inquiry.spend()
        actual = pages.size(number)
        tolerance = inquiry.policy.page_size_tolerance
        if any(abs(a - e) > tolerance for a, e in zip(actual, expected, strict=True)):
            inquiry.report("PAGE_SIZE_DIFFERS", page=number, actual=_pair(actual), expected=_pair(expected))
        _compare_text(inquiry, pages.characters(number), record, number)


def _pair(size: tuple[float, float]) -> str:
    return f"{size[0]:.1f} × {size[1]:.1f}"


def _compare_text(inquiry: Inquiry, characters: list[Character], record: LicenseRecord, page: int) -> None:
    items = [i for i in record.face.items if i.page == page]
    runs = [s for s in record.face.static if s.page == page]
    boxes = [i.box for i in items] + [s.box for s in runs]
    texts: list[list[str]] = [[] for _ in boxes]
    extra: list[str] = []
    for character in characters:
        inside = _box_of(character, boxes)
        (extra if inside is None else texts[inside]).append(character.text)
    for item, found in zip(items, texts[: len(items)], strict=True):
        expected = "".join(item.text.split())
        if "".join(found) != expected and sorted(found) != sorted(expected):
            inquiry.report(
                "PAGE_TEXT_DIFFERS", where=f"page {page}", field=item.field, actual="".join(found), expected=item.text
            )
    for run, found in zip(runs, texts[len(items) :], strict=True):
        if static_digest("".join(found)) != run.sha256:
            inquiry.report("PAGE_STATIC_DIFFERS", where=f"page {page}", page=page, text="".join(found))
    if extra:
        inquiry.report("PAGE_TEXT_EXTRA", where=f"page {page}", page=page, text="".join(extra))


def _box_of(character: Character, boxes: list[Box]) -> int | None:
    """The smallest box that holds the character's centre."""
    best: int | None = None
    for index, box in enumerate(boxes):
        if _holds(box, character.x, character.y) and (best is None or _area(box) < _area(boxes[best])):
            best = index
    return best


def _holds(box: Box, x: float, y: float) -> bool:
    return box[0] - _SLACK <= x <= box[2] + _SLACK and box[1] - _SLACK <= y <= box[3] + _SLACK


def _area(box: Box) -> float:
    return (box[2] - box[0]) * (box[3] - box[1])


def check_page_ink(inquiry: Inquiry, document: SealedDocument, pages: PageView, record: LicenseRecord) -> None:
    """See that every printed datum is visible, that no picture lies over one, and that nothing waits to be shown."""
    for number in range(1, len(record.face.pages) + 1):
        inquiry.spend()
        picture = pages.picture(number, None, inquiry.policy.ink_dpi, inquiry.policy.limits.render_pixels)
        height = record.face.pages[number - 1][1]
        overlays = [o.box for o in pages.overlays(number)]
        for item in record.face.items:
            if item.page == number and "".join(item.text.split()):
                covered = any(_overlap(item.box, box) for box in overlays)
                if covered or not _has_ink(picture, item.box, height, inquiry.policy):
                    inquiry.report("PAGE_TEXT_HIDDEN", where=f"page {number}", field=item.field)
    _check_hidden(inquiry, document)


def _has_ink(picture: Any, box: Box, height: float, policy: Policy) -> bool:
    """Whether the drawn box holds both light and dark."""
    scale = policy.ink_dpi / 72
    left, right = int(box[0] * scale), int(box[2] * scale) + 1
    top, bottom = int((height - box[3]) * scale), int((height - box[1]) * scale) + 1
    low, high = picture.crop((max(left, 0), max(top, 0), right, bottom)).getextrema()
    return bool(high - low >= policy.contrast)


def _overlap(a: Box, b: Box) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def _check_hidden(inquiry: Inquiry, document: SealedDocument) -> None:
    graph = document.graph
    if graph.has_script():
        inquiry.report("HIDDEN_CONTENT", what="a script or action")
    if graph.has_hidden_layers():
        inquiry.report("HIDDEN_CONTENT", what="optional layers")
    others = [kind for _, kind, _ in graph.annotation_kinds() if kind != "/Widget"]
    if others or len(graph.annotation_kinds()) > 1:
        inquiry.report("HIDDEN_CONTENT", what=f"annotations {' '.join(others)}")


def check_page_code(inquiry: Inquiry, pages: PageView, record: LicenseRecord) -> None:
    """Read the code from the drawn page and compare each claim with the record; check its signature where known."""
    from verify.checks.printed import compare_signature
    from verify.formats.qr import CodeError, unverified_code

    face = record.face
    box = _grown(face.code_box)
    picture = pages.picture(face.code_page, box, inquiry.policy.code_dpi, inquiry.policy.limits.render_pixels)
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
    if outcome == "wrong":
        inquiry.report("PAGE_CODE_DIFFERS", where=where, member="signature")
    elif outcome == "unknown":
        inquiry.report("CODE_KEY_UNKNOWN", where=where, severity=Severity.NOTE, kid=code.kid)


def _grown(box: Box) -> Box:
    return box[0] - _CODE_MARGIN, box[1] - _CODE_MARGIN, box[2] + _CODE_MARGIN, box[3] + _CODE_MARGIN
