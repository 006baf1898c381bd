"""Where a seal goes: by page and position, by keyword, in a box that is known, across the edges of pages (骑缝章).

Millimetres are those of the page as it is shown and printed: turned by its /Rotate, cut to its CropBox, in its
UserUnit. Pages count from 1, or from the end with -1 for the last.
"""

from __future__ import annotations

import enum
import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from signing.formats.pdf_pages import Box, Page
from verify.formats.refusal import RefusedError, refuse


class Corner(enum.Enum):
    """The corner of the page, as shown, from which a position is measured."""

    TOP_LEFT = "top-left"
    TOP_RIGHT = "top-right"
    BOTTOM_LEFT = "bottom-left"
    BOTTOM_RIGHT = "bottom-right"


class Edge(enum.Enum):
    """The edge of the pages, as shown, along which a seal is split."""

    LEFT = "left"
    RIGHT = "right"
    TOP = "top"
    BOTTOM = "bottom"


@dataclass(frozen=True, slots=True)
class AtPosition:
    """``x_mm`` and ``y_mm`` are the gaps between the page's two edges at ``corner`` and the seal's nearest edges.

    So the seal never leaves the page for gaps of 0 and more, whatever its size. ``centred``: they lead to the seal's
    centre instead.
    """

    page: int
    x_mm: float
    y_mm: float
    corner: Corner = Corner.TOP_LEFT
    centred: bool = False


@dataclass(frozen=True, slots=True)
class InBox:
    """Centred on a box of user space, such as the place of a text; then moved right and up, as the page is shown."""

    page: int
    box: Box
    right_mm: float = 0.0
    up_mm: float = 0.0


@dataclass(frozen=True, slots=True)
class AtKeyword:
    """Centred on a text of the document, white space ignored; then moved right and up, as the page is shown.

    ``occurrence`` counts from 1 in the order of the document, or from the end with -1; 0: all of them.
    """

    keyword: str
    occurrence: int = 1
    right_mm: float = 0.0
    up_mm: float = 0.0


@dataclass(frozen=True, slots=True)
class AcrossEdges:
    """The picture is cut into slices, one for each page of a run, so that it is whole again when the pages are fanned.

    ``first`` to ``last`` (counted from the end with negative numbers), every ``step``-th page: 2 seals the fronts of
    sheets that are printed on both sides. A run of more than ``most`` pages is cut into groups of nearly the same size,
    each with a whole seal. ``offset_mm`` is the gap between the top edge (the left one, for a seal along the top or
    bottom) and the seal; None centres it.
    """

    first: int = 1
    last: int = -1
    edge: Edge = Edge.RIGHT
    offset_mm: float | None = None
    most: int = 20
    step: int = 1


Placement = AtPosition | InBox | AtKeyword | AcrossEdges


@dataclass(frozen=True, slots=True)
class Mark:
    """One picture or slice on one page: the part of the picture in mm, and the box in user space where it stands."""

    page: Page
    part: Box
    box: Box


MIN_SLICE_MM = 1.0
MAX_MARKS = 20_000


def marks_of(
    placement: AtPosition | InBox | AcrossEdges, pages: Sequence[Page], size: tuple[float, float]
) -> list[Mark]:
    """The marks of a placement for a picture of ``size`` (mm). Refused: pages that are not there, places off a page."""
    if isinstance(placement, AcrossEdges):
        return _across(placement, pages, size)
    page = page_at(pages, placement.page)
    left, bottom = (
        _at_position(placement, page, size) if isinstance(placement, AtPosition) else _in_box(placement, page, size)
    )
    return [_mark(page, (0.0, 0.0, *size), left, bottom)]


def page_at(pages: Sequence[Page], number: int) -> Page:
    """The page of this number; refused when there is none."""
    index = number - 1 if number > 0 else len(pages) + number
    if not number or not 0 <= index < len(pages):
        raise refuse(
            "PAGE_MISSING",
            "page",
            f"文件有 {len(pages)} 页，没有第 {number} 页",
            f"the document has {len(pages)} pages, and no page {number}",
            remedy_zh="页码从 1 起；-1 是最后一页",
            remedy_en="pages count from 1; -1 is the last one",
        )
    return pages[index]


def _at_position(place: AtPosition, page: Page, size: tuple[float, float]) -> tuple[float, float]:
    if not all(map(math.isfinite, (place.x_mm, place.y_mm))):
        raise off_page(page)
    wide, high = (0.0, 0.0) if place.centred else size
    right = place.corner in (Corner.TOP_RIGHT, Corner.BOTTOM_RIGHT)
    top = place.corner in (Corner.TOP_LEFT, Corner.TOP_RIGHT)
    left = page.width - place.x_mm - wide if right else place.x_mm
    bottom = page.height - place.y_mm - high if top else place.y_mm
    return (left - size[0] / 2, bottom - size[1] / 2) if place.centred else (left, bottom)


def _in_box(place: InBox, page: Page, size: tuple[float, float]) -> tuple[float, float]:
    x, y = (place.box[0] + place.box[2]) / 2, (place.box[1] + place.box[3]) / 2
    if not all(map(math.isfinite, (x, y, place.right_mm, place.up_mm))):
        raise off_page(page)
    across, up = page.shown_point(x, y)
    left, bottom = across + place.right_mm - size[0] / 2, up + place.up_mm - size[1] / 2
    if 0 <= across <= page.width and 0 <= up <= page.height:
        # a text near the edge: the seal is pushed onto the page, as one does by hand
        left = min(max(left, 0.0), max(page.width - size[0], 0.0))
        bottom = min(max(bottom, 0.0), max(page.height - size[1], 0.0))
    return left, bottom


_SLACK = 0.01


def _mark(page: Page, part: Box, left: float, bottom: float) -> Mark:
    right, top = left + part[2] - part[0], bottom + part[3] - part[1]
    if left < -_SLACK or bottom < -_SLACK or right > page.width + _SLACK or top > page.height + _SLACK:
        raise off_page(page)
    return Mark(page, part, page.user_box(left, bottom, right, top))


def off_page(page: Page) -> RefusedError:
    """The refusal of a place that does not lie on the page."""
    return refuse(
        "SEAL_OFF_PAGE",
        "position",
        f"印章超出第 {page.number} 页（{page.width:.0f}×{page.height:.0f} 毫米）",
        f"the seal would leave page {page.number} ({page.width:.0f} by {page.height:.0f} mm)",
        remedy_zh="请改用页内的位置",
        remedy_en="choose a place on the page",
    )


def _across(place: AcrossEdges, pages: Sequence[Page], size: tuple[float, float]) -> list[Mark]:
    first, last = page_at(pages, place.first).number, page_at(pages, place.last).number
    run = list(pages[first - 1 : last : max(1, place.step)])
    if len(run) < 2 or place.most < 2:
        raise refuse(
            "TOO_FEW_PAGES",
            "pages",
            "骑缝章至少需要两页",
            "a seal across page edges needs at least two pages",
            remedy_zh="请选择两页以上，每组也不少于两页",
            remedy_en="choose two pages or more, and groups of at least two",
        )
    side = size[0] if place.edge in (Edge.LEFT, Edge.RIGHT) else size[1]
    most = min(place.most, int(side / MIN_SLICE_MM))
    found: list[Mark] = []
    for group in _groups(run, max(2, most)):
        found += (_slice(place, page, size, index, len(group)) for index, page in enumerate(group))
    return found


def _groups(run: Sequence[Page], most: int) -> list[Sequence[Page]]:
    """Runs of at most ``most`` pages, of nearly the same size: none of one page."""
    count = max(1, min(-(-len(run) // most), len(run) // 2))
    edges = [len(run) * i // count for i in range(count + 1)]
    return [run[a:b] for a, b in pairwise(edges)]


def _slice(place: AcrossEdges, page: Page, size: tuple[float, float], index: int, count: int) -> Mark:
    """Page ``index`` of a group: fanned pages show the next one beyond the edge, so slices follow each other there."""
    wide, high = size
    along = page.height if place.edge in (Edge.LEFT, Edge.RIGHT) else page.width
    length = high if place.edge in (Edge.LEFT, Edge.RIGHT) else wide
    offset = (along - length) / 2 if place.offset_mm is None else place.offset_mm
    forward, back = (index / count, (index + 1) / count), (1 - (index + 1) / count, 1 - index / count)
    if place.edge in (Edge.LEFT, Edge.RIGHT):
        a, b = forward if place.edge is Edge.RIGHT else back
        part = (wide * a, 0.0, wide * b, high)
        left = page.width - (part[2] - part[0]) if place.edge is Edge.RIGHT else 0.0
        return _mark(page, part, left, page.height - offset - high)
    a, b = forward if place.edge is Edge.TOP else back
    part = (0.0, high * a, wide, high * b)
    bottom = page.height - (part[3] - part[1]) if place.edge is Edge.TOP else 0.0
    return _mark(page, part, offset, bottom)
