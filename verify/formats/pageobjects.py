"""The objects that a page paints, through PDFium: what they are, where they stand, how dark they are.

Callers hold PDFium's lock and hand in its page handle.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from verify.formats.license import Box

_KINDS = {1: "text", 2: "path", 3: "image", 4: "shading", 5: "form"}
_MAX_DEPTH = 8
_MAX_CHILDREN = 5_000
_BLACK = 255


@dataclass(frozen=True, slots=True)
class Mark:
    """One object painted on a page: ``text``, ``path``, ``image``, ``shading`` or ``form``, and its place in the order
    of painting. What stands inside a form counts as that form."""

    kind: str
    box: Box
    order: int


class TooManyError(Exception):
    """The page paints more objects than the limit given."""


def marks(page: Any, limit: int) -> Iterator[Mark]:
    """What a page's content paints, in order. Raises TooManyError."""
    from pypdfium2 import raw

    count = raw.FPDFPage_CountObjects(page)
    if count > limit:
        raise TooManyError
    left, bottom, right, top = (ctypes.c_float() for _ in range(4))
    for order in range(count):
        item = raw.FPDFPage_GetObject(page, order)
        raw.FPDFPageObj_GetBounds(item, left, bottom, right, top)
        box = left.value, bottom.value, right.value, top.value
        yield Mark(_KINDS.get(raw.FPDFPageObj_GetType(item), "form"), box, order)


def darkness(page: Any, order: int) -> int:
    """How dark an object may paint, 0 (white or nothing) to 255; 255 for pictures, shadings and patterns."""
    from pypdfium2 import raw

    left = [_MAX_CHILDREN]
    return _darkness(raw, raw.FPDFPage_GetObject(page, order), left, 0)


def _darkness(raw: Any, item: Any, left: list[int], depth: int) -> int:
    left[0] -= 1
    kind = _KINDS.get(raw.FPDFPageObj_GetType(item))
    if left[0] < 0 or depth > _MAX_DEPTH or kind not in ("path", "form", "text"):
        return _BLACK
    if kind == "form":
        darkest = 0
        for index in range(raw.FPDFFormObj_CountObjects(item)):
            darkest = max(darkest, _darkness(raw, raw.FPDFFormObj_GetObject(item, index), left, depth + 1))
            if darkest == _BLACK:
                break
        return darkest
    return _own_darkness(raw, item, kind)


def _own_darkness(raw: Any, item: Any, kind: str) -> int:
    if kind == "text":
        return _colour(raw.FPDFPageObj_GetFillColor, item)
    fill, stroke = ctypes.c_int(), ctypes.c_int()
    if not raw.FPDFPath_GetDrawMode(item, fill, stroke):
        return _BLACK
    sources = ((fill.value, raw.FPDFPageObj_GetFillColor), (stroke.value, raw.FPDFPageObj_GetStrokeColor))
    return max((_colour(read, item) for used, read in sources if used), default=0)


def _colour(read: Any, item: Any) -> int:
    red, green, blue, alpha = (ctypes.c_uint() for _ in range(4))
    if not read(item, red, green, blue, alpha):
        return _BLACK
    light = (299 * red.value + 587 * green.value + 114 * blue.value) // 1000
    return (255 - light) * alpha.value // 255


def address(item: Any) -> int:
    """What tells one object from another, 0 for none."""
    return ctypes.cast(item, ctypes.c_void_p).value or 0


def visible_text(page: Any, orders: Iterable[int]) -> frozenset[int]:
    """The addresses of those of the page's own text objects that paint: not in rendering modes 3 and 7 (9.3.6)."""
    from pypdfium2 import raw

    items = (raw.FPDFPage_GetObject(page, order) for order in orders)
    return frozenset(
        address(i)
        for i in items
        if raw.FPDFPageObj_GetType(i) == raw.FPDF_PAGEOBJ_TEXT and raw.FPDFTextObj_GetTextRenderMode(i) not in (3, 7)
    )


@contextmanager
def only(page: Any, orders: frozenset[int]) -> Iterator[None]:
    """Inside this block, a page is drawn with these objects alone."""
    from pypdfium2 import raw

    hidden = []
    for order in range(raw.FPDFPage_CountObjects(page)):
        item = raw.FPDFPage_GetObject(page, order)
        if order not in orders and raw.FPDFPageObj_SetIsActive(item, False):
            hidden.append(item)
    try:
        yield
    finally:
        for item in hidden:
            raw.FPDFPageObj_SetIsActive(item, True)
