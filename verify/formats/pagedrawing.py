"""Drawings of a page for comparing: the same page of two revisions, in colour, with and without annotations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from verify.formats.license import Box
from verify.formats.pageview import PageError, PageView

_DPI = 50
_LEVELS = 8
"""Levels of 255 by which a pixel must differ: less is rounding."""


class Drawing:
    """One page, drawn when asked for. PageError when it cannot be opened or is larger than ``pixels``."""

    def __init__(self, view: PageView, page: int, pixels: int) -> None:
        self._view = view
        self._page = page
        self._drawn: Any = None
        width, height = view.size(page)
        scale = _DPI / 72
        if not 0 < width * height * scale * scale <= pixels:
            scale = (pixels / max(width * height, 1.0)) ** 0.5
        if min(width, height) * scale < 1:
            raise PageError("the page is too large to draw")
        self.scale = scale
        self.size = round(width, 2), round(height, 2)
        self.boundary = view.boundary(page)

    @property
    def picture(self) -> Any:
        """The page with its annotations as a Pillow image in colour."""
        if self._drawn is None:
            self._drawn = self._view.in_colour(self._page, self.scale)
        return self._drawn

    def content(self, box: Box | None) -> Any:
        """The page's own content inside a box of user space (or all of it), without annotations, in colour."""
        if box is None:
            return self._view.in_colour(self._page, self.scale, annotations=False)
        left, top, right, bottom = self.to_pixels(box)
        width, height = self.picture.size
        margins = max(0, left), max(0, height - bottom), max(0, width - right), max(0, top)
        if margins[0] + margins[2] >= width - 1 or margins[1] + margins[3] >= height - 1:
            return None
        points = [m / self.scale for m in margins]
        return self._view.in_colour(self._page, self.scale, annotations=False, margins=points)

    def to_pixels(self, box: Box) -> tuple[int, int, int, int]:
        """Left, top, right, bottom in pixels of a box in the page's user space, whatever its rotation."""
        corners = [self._view.device_point(self._page, self.picture.size, x, y) for x in box[::2] for y in box[1::2]]
        xs, ys = [c[0] for c in corners], [c[1] for c in corners]
        return min(xs), min(ys), max(xs) + 1, max(ys) + 1

    def to_box(self, pixels: tuple[int, int, int, int]) -> Box:
        """The box in user space of a rectangle of pixels."""
        left, top, right, bottom = pixels
        size = self.picture.size
        corners = [self._view.page_point(self._page, size, x, y) for x in (left, right) for y in (top, bottom)]
        xs, ys = [c[0] for c in corners], [c[1] for c in corners]
        return min(xs), min(ys), max(xs), max(ys)


def changed_box(old: Drawing, new: Drawing, except_for: Sequence[Box] = ()) -> Box | None:
    """The box around all pixels that differ, outside of the boxes given; None when none do."""
    if old.picture.size != new.picture.size:
        return new.to_box((0, 0, *new.picture.size))
    found = _difference(old.picture, new.picture, [new.to_pixels(box) for box in except_for])
    return new.to_box(found) if found is not None else None


def content_differs(old: Drawing, new: Drawing, box: Box | None) -> bool:
    """Whether the page's own content differs inside a box, or anywhere."""
    first, second = old.content(box), new.content(box)
    if first is None or second is None:
        return (first is None) != (second is None)
    return first.size != second.size or _difference(first, second, ()) is not None


def _difference(
    first: Any, second: Any, except_for: Sequence[tuple[int, int, int, int]]
) -> tuple[int, int, int, int] | None:
    from PIL import ImageChops

    difference = ImageChops.difference(first, second)
    if difference.getbbox() is None:
        return None
    for part in except_for:
        difference.paste((0, 0, 0), part)
    return difference.convert("L").point([0] * _LEVELS + [255] * (256 - _LEVELS)).getbbox()
