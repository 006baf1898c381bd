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
        self._drawn: dict[bool, Any] = {}
        width, height = view.size(page)
        scale = _DPI / 72
        if not 0 < width * height * scale * scale <= pixels:
            scale = (pixels / max(width * height, 1.0)) ** 0.5
        if min(width, height) * scale < 1:
            raise PageError("the page is too large to draw")
        self.scale = scale
        self.size = round(width, 2), round(height, 2)
        self.boundary = view.boundary(page)

    def picture(self, annotations: bool) -> Any:
        """The page as a Pillow image in colour."""
        if annotations not in self._drawn:
            self._drawn[annotations] = self._view.in_colour(self._page, self.scale, annotations=annotations)
        return self._drawn[annotations]

    def to_pixels(self, box: Box) -> tuple[int, int, int, int]:
        """Left, top, right, bottom in pixels of a box in the page's user space, whatever its rotation."""
        corners = [
            self._view.device_point(self._page, self.picture(True).size, x, y) for x in box[::2] for y in box[1::2]
        ]
        xs, ys = [c[0] for c in corners], [c[1] for c in corners]
        return min(xs), min(ys), max(xs) + 1, max(ys) + 1

    def to_box(self, pixels: tuple[int, int, int, int]) -> Box:
        """The box in user space of a rectangle of pixels."""
        left, top, right, bottom = pixels
        size = self.picture(True).size
        corners = [self._view.page_point(self._page, size, x, y) for x in (left, right) for y in (top, bottom)]
        xs, ys = [c[0] for c in corners], [c[1] for c in corners]
        return min(xs), min(ys), max(xs), max(ys)


def changed_box(old: Drawing, new: Drawing, *, annotations: bool, except_for: Sequence[Box] = ()) -> Box | None:
    """The box around all pixels that differ, outside of the boxes given; None when none do."""
    from PIL import ImageChops

    first, second = old.picture(annotations), new.picture(annotations)
    if first.size != second.size:
        return new.to_box((0, 0, *second.size))
    difference = ImageChops.difference(first, second)
    if difference.getbbox() is None:
        return None
    for box in except_for:
        difference.paste((0, 0, 0), new.to_pixels(box))
    found = difference.convert("L").point([0] * _LEVELS + [255] * (256 - _LEVELS)).getbbox()
    return new.to_box(found) if found is not None else None
