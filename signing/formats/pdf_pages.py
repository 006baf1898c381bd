"""The pages of a PDF as they are shown: turned, cropped, in their own unit; and places on them in millimetres."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from signing.formats.pdf_update import PdfReadError, PdfUpdater, Reference, is_dictionary, is_reference, reference

Box = tuple[float, float, float, float]
"""Left, lower, right and upper edge."""

Matrix = tuple[int, int, int, int]

POINTS_PER_MM = 72 / 25.4
_INHERITED = ("/MediaBox", "/CropBox", "/Rotate", "/Resources")
_LETTER: Box = (0.0, 0.0, 612.0, 792.0)
_MOST_DEPTH, _MOST_NODES = 64, 200_000
_TURNS: dict[int, Matrix] = {0: (1, 0, 0, 1), 90: (0, 1, -1, 0), 180: (-1, 0, 0, -1), 270: (0, -1, 1, 0)}


@dataclass(frozen=True, slots=True)
class Page:
    """One page. ``number`` counts from 1; ``box`` is what is shown of its user space; ``rotation`` is clockwise.

    ``unit`` is how many points a unit of its user space is (ISO 32000-1 14.11.2, 8.3.2.3).
    """

    number: int
    reference: Reference
    dictionary: Any
    resources: Any
    box: Box
    rotation: int
    unit: float

    @property
    def per_mm(self) -> float:
        """Units of user space in a millimetre of paper."""
        return POINTS_PER_MM / self.unit

    @property
    def width(self) -> float:
        """In millimetres, as shown."""
        return self._sides()[0] / self.per_mm

    @property
    def height(self) -> float:
        """In millimetres, as shown."""
        return self._sides()[1] / self.per_mm

    @property
    def turn(self) -> Matrix:
        """What turns a picture so that it stands upright on the page as shown: ``a b c d`` of a matrix."""
        return _TURNS[self.rotation]

    def _sides(self) -> tuple[float, float]:
        wide, high = self.box[2] - self.box[0], self.box[3] - self.box[1]
        return (high, wide) if self.rotation % 180 else (wide, high)

    def user_box(self, left: float, bottom: float, right: float, top: float) -> Box:
        """The box in user space for one in millimetres from the lower left corner of the page as shown."""
        (x0, y0), (x1, y1) = self._point(left, bottom), self._point(right, top)
        return min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1)

    def _point(self, across: float, up: float) -> tuple[float, float]:
        u, v = across * self.per_mm, up * self.per_mm
        left, lower, right, upper = self.box
        return {
            0: (left + u, lower + v),
            90: (right - v, lower + u),
            180: (right - u, upper - v),
            270: (left + v, upper - u),
        }[self.rotation]

    def shown_point(self, x: float, y: float) -> tuple[float, float]:
        """A point of user space in millimetres from the lower left corner of the page as shown."""
        left, lower, right, upper = self.box
        u, v = {
            0: (x - left, y - lower),
            90: (y - lower, right - x),
            180: (right - x, upper - y),
            270: (upper - y, x - left),
        }[self.rotation]
        return u / self.per_mm, v / self.per_mm


def read_pages(updater: PdfUpdater) -> list[Page]:
    """All pages in order. Raises PdfReadError for a tree that is none, has a circle, or no pages."""
    pages = [_page(updater, number, *leaf) for number, leaf in enumerate(_leaves(updater), 1)]
    if not pages:
        raise PdfReadError("the PDF has no pages")
    return pages


def _leaves(updater: PdfUpdater) -> Iterator[tuple[Reference, Any, dict[str, Any]]]:
    raw = updater.catalog.raw_get("/Pages") if "/Pages" in updater.catalog else None
    waiting: list[tuple[Any, dict[str, Any], int]] = [(raw, {}, 0)]
    seen: set[int] = set()
    for _ in range(_MOST_NODES):
        if not waiting:
            return
        raw, above, depth = waiting.pop()
        node = updater.resolve(raw)
        if not is_reference(raw) or not is_dictionary(node) or depth > _MOST_DEPTH:
            raise PdfReadError("the page tree is broken")
        inherited = above | {key: node.raw_get(key) for key in _INHERITED if key in node}
        kids = updater.entry(node, "/Kids")
        if not isinstance(kids, list):
            yield reference(raw.idnum, raw.generation), node, inherited
            continue
        if raw.idnum in seen:
            raise PdfReadError("the page tree has a circle")
        seen.add(raw.idnum)
        waiting.extend((kid, inherited, depth + 1) for kid in reversed(kids))
    raise PdfReadError("the page tree has too many nodes")


def _page(updater: PdfUpdater, number: int, place: Reference, node: Any, inherited: dict[str, Any]) -> Page:
    media = _box(updater, inherited.get("/MediaBox")) or _LETTER
    crop = _box(updater, inherited.get("/CropBox")) or media
    shown = (max(media[0], crop[0]), max(media[1], crop[1]), min(media[2], crop[2]), min(media[3], crop[3]))
    box = shown if shown[0] < shown[2] and shown[1] < shown[3] else media
    turned = updater.resolve(inherited.get("/Rotate"))
    rotation = int(turned) % 360 if isinstance(turned, int) else 0
    unit = updater.entry(node, "/UserUnit")
    points = _number(unit)
    resources = inherited.get("/Resources")
    return Page(number, place, node, resources, box, rotation if rotation in _TURNS else 0, points if points else 1.0)


def _box(updater: PdfUpdater, raw: Any) -> Box | None:
    values = updater.resolve(raw)
    numbers = [_number(updater.resolve(v)) for v in values] if isinstance(values, list) else []
    if len(numbers) != 4 or None in numbers:
        return None
    x0, y0, x1, y1 = (float(n) for n in numbers if n is not None)
    box = (min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1))
    return box if box[0] < box[2] and box[1] < box[3] else None


def _number(value: Any) -> float | None:
    """A number of the file as a float; reals are decimals there."""
    try:
        found = float(value)
    except (TypeError, ValueError, ArithmeticError):
        return None
    return found if -1e9 < found < 1e9 else None
