"""Words on a signed page that nobody sees: under pictures, shapes or annotations, or in the colour of paper."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from verify.formats.pageobjects import Mark
from verify.formats.pageview import Character, PageError, PageView, Revisions
from verify.formats.pdffile import Snapshot
from verify.formats.pdftrees import pages
from verify.formats.pdfvalues import Value
from verify.inquiry import Inquiry
from verify.place import Box, Place

_DPI = 72
_DIFFERS = 6
"""Grey levels by which a character must change the picture, to count as seen."""
_PALE = 12
_ENOUGH = 3
"""So many characters are words; fewer are accidents of typesetting."""
_MOST_PAGES = 8
"""So many pages are looked at: where words wait to be revealed, it is on the first ones that people read."""
_PUSH_BUTTON = 1 << 16
_HARMLESS = (b"Link", b"Highlight", b"Underline", b"StrikeOut", b"Squiggly", b"Popup")


def covered_text(inquiry: Inquiry, views: Revisions, signed: Snapshot) -> Iterator[Place]:
    """Where at least a few characters in a row leave no trace in the picture of their page.

    Text in the invisible mode is passed over: scanners lay it under their pictures, and nothing reveals it.
    """
    annotated = dict(_annotated(signed))
    try:
        view = views.until(signed.end)
    except PageError:
        return
    for page in range(1, min(view.page_count, _MOST_PAGES) + 1):
        inquiry.spend()
        try:
            hidden = _hidden(view, page, annotated.get(page, []), inquiry.policy.limits.drawn_pixels)
        except PageError:
            continue
        if len(hidden) >= _ENOUGH:
            yield Place(page=page, box=_around(hidden))


def covering_buttons(views: Revisions, signed: Snapshot) -> Iterator[Place]:
    """Push buttons that lie over words of the page: their picture is nobody's input, and may be exchanged."""
    boxes = dict(_annotated(signed, buttons=True))
    if not any(boxes.values()):
        return
    try:
        view = views.until(signed.end)
        for page, areas in boxes.items():
            characters = view.characters(page) if areas and page <= min(view.page_count, _MOST_PAGES) else []
            for box in areas:
                below = [c for c in characters if box[0] <= c.x <= box[2] and box[1] <= c.y <= box[3]]
                if len(below) >= _ENOUGH:
                    yield Place(page=page, box=box)
    except PageError:
        return


def _annotated(signed: Snapshot, *, buttons: bool = False) -> Iterator[tuple[int, list[Box]]]:
    """The boxes of annotations that can cover something (or of push buttons alone), by page."""
    for page in pages(signed):
        boxes: list[Box] = []
        for raw in signed.items_of(page.dictionary.get(b"Annots")):
            edges = [signed.resolve(v) for v in signed.items_of(signed.entry_of(raw, b"Rect"))]
            numbers = [float(v) for v in edges if isinstance(v, (int, float))]
            if buttons and not _is_push_button(signed, raw):
                continue
            if len(numbers) == 4 and signed.entry_of(raw, b"Subtype") not in _HARMLESS:
                xs, ys = sorted(numbers[::2]), sorted(numbers[1::2])
                boxes.append((xs[0], ys[0], xs[1], ys[1]))
        yield page.number, boxes


def _is_push_button(signed: Snapshot, raw: Value) -> bool:
    kind, flags = (
        signed.entry_of(raw, key) or signed.entry_of(signed.entry_of(raw, b"Parent"), key) for key in (b"FT", b"Ff")
    )
    return kind == b"Btn" and isinstance(flags, int) and bool(flags & _PUSH_BUTTON)


def _hidden(view: PageView, page: int, annotated: list[Box], most_pixels: int) -> list[Character]:
    marks = view.marks(page)
    hidden = _suspects(view, page, marks, annotated)
    if not hidden:
        return []
    characters = view.painted(page, hidden)
    if len(characters) < _ENOUGH:
        return []
    full = view.picture(page, None, _DPI, most_pixels)
    with view.only(page, (m.order for m in marks if m.order not in hidden)):
        bare = view.picture(page, None, _DPI, most_pixels)
    return [c for c in characters if not _differs(view, page, full, bare, c.box)]


def _suspects(view: PageView, page: int, marks: list[Mark], annotated: list[Box]) -> set[int]:
    """The texts over which something lies, or whose colour is that of paper, by their place in the order."""
    found: set[int] = set()
    above = list(annotated)
    for mark in reversed(marks):
        if mark.kind != "text":
            above.append(mark.box)
        elif _is_under(mark.box, above):
            found.add(mark.order)
    clear = [m.order for m in marks if m.kind == "text" and m.order not in found]
    return found | {order for order, dark in zip(clear, view.darkness(page, clear), strict=True) if dark < _PALE}


def _is_under(box: Box, above: list[Box]) -> bool:
    left, bottom, right, top = box
    return any(left < x1 and x0 < right and bottom < y1 and y0 < top for x0, y0, x1, y1 in above)


def _differs(view: PageView, page: int, full: Any, bare: Any, box: Box) -> bool:
    from PIL import ImageChops

    corners = [view.device_point(page, full.size, x, y) for x in box[::2] for y in box[1::2]]
    xs, ys = [c[0] for c in corners], [c[1] for c in corners]
    if max(xs) < 0 or max(ys) < 0 or min(xs) >= full.size[0] or min(ys) >= full.size[1]:
        return True  # off the page: another question
    part = (max(0, min(xs)), max(0, min(ys)), max(xs) + 1, max(ys) + 1)
    extremes: Any = ImageChops.difference(full.crop(part), bare.crop(part)).getextrema()
    return bool(extremes[1] >= _DIFFERS)


def _around(characters: list[Character]) -> Box:
    boxes = [c.box for c in characters]
    return (
        min(b[0] for b in boxes),
        min(b[1] for b in boxes),
        max(b[2] for b in boxes),
        max(b[3] for b in boxes),
    )
