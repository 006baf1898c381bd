"""Do the pages still look as they did when they were signed? A second opinion on what the comparison called harmless.

The signed revision and the file as it is now are drawn by the same program and compared: pixels, and the text that is
read out of the pages. Differences may lie in the places of changes that were permitted (a new signature's box, a filled
field, a comment) and nowhere else; the content of a page itself, drawn without annotations, may not differ at all.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from verify.formats.pagedrawing import Drawing, changed_box
from verify.formats.pageview import PageError, PageView, open_pages
from verify.inquiry import Inquiry
from verify.place import Box, Place

_SLACK = 3.0
"""Points by which a permitted change may reach over its box: borders, and pixels that a box cuts."""


@dataclass(frozen=True, slots=True)
class Permitted:
    """A signed revision, ``data[:end]``, and the places ``(page, box)`` of what was permitted after it; a place
    without a box is a whole page."""

    end: int
    places: tuple[tuple[int, Box | None], ...]


def check_rendered(inquiry: Inquiry, data: bytes, password: str | None, signed: Sequence[Permitted]) -> frozenset[int]:
    """Compare each signed revision with the last one; give the ends of those after which something differs.

    What cannot be drawn is a check that did not run.
    """
    limits = inquiry.policy.limits
    earlier = [s for s in signed if 0 < s.end < len(data)]
    changed: set[int] = set()
    if not earlier:
        return frozenset()
    with contextlib.ExitStack() as stack:
        try:
            newest = _opened(stack, data, password)
            for revision in earlier:
                if not _same(inquiry, _opened(stack, data[: revision.end], password), newest, revision):
                    changed.add(revision.end)
        except PageError:
            inquiry.report("CHECK_NOT_RUN", check="rendered")
            return frozenset(changed)
        if newest.page_count > limits.drawn_pages:
            inquiry.report("CHECK_NOT_RUN", check="rendered")
    return frozenset(changed)


def _opened(stack: contextlib.ExitStack, data: bytes, password: str | None) -> PageView:
    view = open_pages(data, password)
    stack.callback(view.close)
    return view


def _same(inquiry: Inquiry, old: PageView, new: PageView, revision: Permitted) -> bool:
    if old.page_count != new.page_count:
        page = min(old.page_count, new.page_count) + 1
        inquiry.report("RENDERED_CHANGE", place=Place(page=page), page=page)
        return False
    same = True
    for page in range(1, min(new.page_count, inquiry.policy.limits.drawn_pages) + 1):
        inquiry.spend()
        for code, box in _differences(inquiry, old, new, page, revision):
            inquiry.report(code, place=Place(page=page, box=box), page=page)
            same = False
    return same


def _differences(
    inquiry: Inquiry, old: PageView, new: PageView, page: int, revision: Permitted
) -> Iterator[tuple[str, Box | None]]:
    """Code and box of what differs on one page."""
    pixels = inquiry.policy.limits.drawn_pixels
    pair = Drawing(old, page, pixels), Drawing(new, page, pixels)
    if pair[0].size != pair[1].size or pair[0].boundary != pair[1].boundary:
        yield "RENDERED_CHANGE", None
        return
    everything = changed_box(*pair, annotations=True)
    if everything is not None:
        content = changed_box(*pair, annotations=False)
        if content is not None:
            yield "RENDERED_CHANGE", content
            return
        places = [box for number, box in revision.places if number == page]
        outside = None if None in places else changed_box(*pair, annotations=True, except_for=_grown(places))
        if outside is not None:
            yield "RENDERED_CHANGE", outside
    if _words(old, page) != _words(new, page):
        yield "RENDERED_TEXT_CHANGE", None


def _grown(boxes: Sequence[Box | None]) -> list[Box]:
    return [(b[0] - _SLACK, b[1] - _SLACK, b[2] + _SLACK, b[3] + _SLACK) for b in boxes if b is not None]


def _words(view: PageView, page: int) -> list[tuple[str, int, int]]:
    return [(c.text, round(c.x), round(c.y)) for c in view.characters(page)]
