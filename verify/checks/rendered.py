"""Do the pages still look as they did when they were signed? A second opinion on what the comparison called harmless.

The signed revision and the file as it is now are drawn by the same program and compared: pixels, and the text that is
read out of the pages. Differences may lie in the places of changes that were permitted (a new signature's box, a filled
field, a comment) and nowhere else; the content of a page itself, drawn without annotations, may not differ at all.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from verify.formats.pagedrawing import Drawing, changed_box, content_differs
from verify.formats.pageview import PageError, PageView, Revisions
from verify.inquiry import Inquiry
from verify.place import Box, Place

_SLACK = 3.0
"""Points by which a permitted change may reach over its box: borders, and pixels that a box cuts."""


_GLANCE = 3
"""So many pages are drawn where nothing that shows was changed."""


@dataclass(frozen=True, slots=True)
class Permitted:
    """A signed revision, ``data[:end]``, and the places ``(page, box)`` of what was permitted after it; a place
    without a box is a whole page. ``lasting``: what was permitted shows nowhere."""

    end: int
    places: tuple[tuple[int, Box | None], ...]
    lasting: bool = False


def check_rendered(inquiry: Inquiry, views: Revisions, signed: Sequence[Permitted]) -> frozenset[int]:
    """Compare each signed revision with the last one; give the ends of those after which something differs.

    What cannot be drawn is a check that did not run.
    """
    limits = inquiry.policy.limits
    earlier = [s for s in signed if 0 < s.end < len(views.data)]
    changed: set[int] = set()
    if not earlier:
        return frozenset()
    try:
        newest = _Drawings(views.newest, limits.drawn_pixels)
        for revision in earlier:
            if not _same(inquiry, _Drawings(views.until(revision.end), limits.drawn_pixels), newest, revision):
                changed.add(revision.end)
    except PageError:
        inquiry.report("CHECK_NOT_RUN", check="rendered")
        return frozenset(changed)
    if newest.view.page_count > limits.drawn_pages and not all(r.lasting for r in earlier):
        inquiry.report("CHECK_NOT_RUN", check="rendered")
    return frozenset(changed)


class _Drawings:
    """The pages of one revision, each drawn once however often it is compared."""

    def __init__(self, view: PageView, pixels: int) -> None:
        self.view = view
        self._pixels = pixels
        self._pages: dict[int, Drawing] = {}

    def page(self, number: int) -> Drawing:
        """The drawing of a page (from 1)."""
        if number not in self._pages:
            self._pages[number] = Drawing(self.view, number, self._pixels)
        return self._pages[number]


def _same(inquiry: Inquiry, old: _Drawings, new: _Drawings, revision: Permitted) -> bool:
    count = new.view.page_count
    if old.view.page_count != count:
        page = min(old.view.page_count, count) + 1
        inquiry.report("RENDERED_CHANGE", place=Place(page=page), page=page)
        return False
    same = True
    for page in range(1, min(count, _GLANCE if revision.lasting else inquiry.policy.limits.drawn_pages) + 1):
        inquiry.spend()
        for code, box in _differences(old, new, page, revision):
            inquiry.report(code, place=Place(page=page, box=box), page=page)
            same = False
    return same


def _differences(old: _Drawings, new: _Drawings, page: int, revision: Permitted) -> Iterator[tuple[str, Box | None]]:
    """Code and box of what differs on one page."""
    pair = old.page(page), new.page(page)
    if pair[0].size != pair[1].size or pair[0].boundary != pair[1].boundary:
        yield "RENDERED_CHANGE", None
        return
    if changed_box(*pair) is not None:
        places = [box for number, box in revision.places if number == page]
        outside = None if None in places else changed_box(*pair, _grown(places))
        if outside is not None:
            yield "RENDERED_CHANGE", outside
        for box in [None] if None in places else _grown(places):
            if content_differs(*pair, box):
                yield "RENDERED_CHANGE", box
    if old.view.text(page) != new.view.text(page):
        yield "RENDERED_TEXT_CHANGE", None


def _grown(boxes: Sequence[Box | None]) -> list[Box]:
    return [(b[0] - _SLACK, b[1] - _SLACK, b[2] + _SLACK, b[3] + _SLACK) for b in boxes if b is not None]
