"""The pages of a PDF as they are shown: turned, cropped, in their own unit; and places on them in millimetres."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, overload

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


class Pages(Sequence[Page]):
    """All pages of a file in order, each read when it is asked for.

    A page is found by the numbers of pages that the nodes above it state; where a node's own entries contradict them,
    the whole tree is read instead. Raises PdfReadError for a tree that is none, has a circle, or no pages.
    """

    def __init__(self, updater: PdfUpdater) -> None:
        self._updater = updater
        self._known: dict[int, Page] = {}
        self._all: list[Page] | None = None
        stated = updater.entry(updater.entry(updater.catalog, "/Pages"), "/Count")
        self._count = int(stated) if isinstance(stated, int) and 0 < stated < _MOST_NODES else len(self._whole())

    def __len__(self) -> int:
        return len(self._all) if self._all is not None else self._count

    @overload
    def __getitem__(self, index: int) -> Page: ...

    @overload
    def __getitem__(self, index: slice) -> list[Page]: ...

    def __getitem__(self, index: int | slice) -> Page | list[Page]:
        if isinstance(index, slice):
            return self._whole()[index]
        place = index if index >= 0 else len(self) + index
        if not 0 <= place < len(self):
            raise IndexError(index)
        if self._all is None and place not in self._known:
            found = _descend(self._updater, place)
            if found is None:
                if place >= len(self._whole()):
                    raise PdfReadError("the page tree has fewer pages than it states")
                return self._whole()[place]
            self._known[place] = _page(self._updater, place + 1, *found)
        return self._all[place] if self._all is not None else self._known[place]

    def _whole(self) -> list[Page]:
        if self._all is None:
            self._all = [_page(self._updater, number, *leaf) for number, leaf in enumerate(_leaves(self._updater), 1)]
            if not self._all:
                raise PdfReadError("the PDF has no pages")
        return self._all


_Leaf = tuple[Reference, Any, dict[str, Any]]


def _descend(updater: PdfUpdater, index: int) -> _Leaf | None:
    """Page ``index`` (from 0) by way of /Count; None where the tree is not as it says."""
    raw: Any = updater.catalog.raw_get("/Pages") if "/Pages" in updater.catalog else None
    inherited: dict[str, Any] = {}
    for _ in range(_MOST_DEPTH):
        node = updater.resolve(raw)
        if not is_reference(raw) or not is_dictionary(node):
            return None
        inherited = inherited | {key: node.raw_get(key) for key in _INHERITED if key in node}
        kids = updater.entry(node, "/Kids")
        if not isinstance(kids, list):
            return (reference(raw.idnum, raw.generation), node, inherited) if not index else None
        kids = list(kids)  # a reader's own array gives what its references lead to
        if updater.entry(node, "/Count") == len(kids):
            if not index < len(kids) or updater.entry(kids[index], "/Kids") is not None:
                return None
            raw, index = kids[index], 0
            continue
        for kid in kids:
            below = updater.entry(kid, "/Count") if updater.entry(kid, "/Kids") is not None else 1
            if not isinstance(below, int) or below < 0:
                return None
            if index < below:
                raw = kid
                break
            index -= below
        else:
            return None
    return None


def _leaves(updater: PdfUpdater) -> Iterator[_Leaf]:
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
