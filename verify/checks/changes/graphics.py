"""Where, how large and in what shade a small content stream paints (ISO 32000-2 8.3, 8.4, 9.3, 9.4).

As much of the graphics state as tells whether its text can be read: the matrix, the clip, colours as shades from 0
(black) to 1 (white), transparency, and where lines of text begin.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from verify.place import Box

if TYPE_CHECKING:
    from verify.checks.changes.fonts import ReadFont

Matrix = tuple[float, float, float, float, float, float]
Point = tuple[float, float]
IDENTITY: Matrix = (1.0, 0.0, 0.0, 1.0, 0.0, 0.0)
NOTHING: Box = (0.0, 0.0, 0.0, 0.0)
FAR = 1e6
"""Beyond every box."""
_TIGHTEST, _WIDEST = 0.2, 5.0
"""Between characters, in parts of their size; comb fields set them far apart."""
_WEIGHTS = (0.3, 0.59, 0.11)
_STEPS = 8
"""Short lines that stand for one curve."""


def times(one: Matrix, other: Matrix) -> Matrix:
    """The matrix that applies ``one`` first."""
    a, b, c, d, e, f = one
    p, q, r, s, t, u = other
    return (a * p + b * r, a * q + b * s, c * p + d * r, c * q + d * s, e * p + f * r + t, e * q + f * s + u)


def applied(matrix: Matrix, x: float, y: float) -> tuple[float, float]:
    """Where a matrix takes a point."""
    return matrix[0] * x + matrix[2] * y + matrix[4], matrix[1] * x + matrix[3] * y + matrix[5]


def shade(components: Sequence[float]) -> float | None:
    """The brightness of a colour of one, three or four components; None for other counts."""
    if len(components) == 1:
        return min(1.0, max(0.0, components[0]))
    if len(components) == 4:
        components = [max(0.0, 1 - c - components[3]) for c in components[:3]]
    if len(components) != 3:
        return None
    return sum(w * min(1.0, max(0.0, c)) for w, c in zip(_WEIGHTS, components, strict=True))


@dataclass(slots=True)
class State:
    """One graphics state. A shade of None is a colour of which nobody here knows how it looks."""

    matrix: Matrix = IDENTITY
    clip: Box = (-FAR, -FAR, FAR, FAR)
    fill: float | None = 0.0
    stroke: float | None = 0.0
    fill_family: bytes = b"DeviceGray"
    stroke_family: bytes = b"DeviceGray"
    opacity: float = 1.0
    blended: bool = False
    width: float = 1.0
    font: ReadFont | None = None
    size: float = 0.0
    mode: int = 0
    spacing: float = 0.0
    between_words: float = 0.0
    scale: float = 1.0
    leading: float = 0.0
    rise: float = 0.0

    def copy(self) -> State:
        """What the operator q saves."""
        return replace(self)


@dataclass(frozen=True, slots=True)
class Piece:
    """One shown string: where it begins, the direction of its line in degrees, its height; in units of the form."""

    text: str
    x: float
    y: float
    angle: float
    size: float


@dataclass(frozen=True, slots=True)
class Fill:
    """A filled area: its box in units of the form, its shade, whether it is a rectangle along the sides of the box.

    ``outlines`` are the corners of an area of another form, curves as chains of short lines.
    """

    box: Box
    shade: float | None
    straight: bool
    outlines: tuple[tuple[Point, ...], ...] = ()

    def is_under(self, x: float, y: float, slack: float) -> bool:
        """Whether a point lies in the area (nonzero or odd: an area that winds twice counts as filled)."""
        return holds(self.box, x, y, slack) and (not self.outlines or any(_is_inside(o, x, y) for o in self.outlines))


def _is_inside(corners: Sequence[Point], x: float, y: float) -> bool:
    inside, before = False, corners[-1]
    for corner in corners:
        if (corner[1] > y) != (before[1] > y):
            reach = (before[0] - corner[0]) * (y - corner[1]) / (before[1] - corner[1]) + corner[0]
            inside ^= x < reach
        before = corner
    return inside


class Lines:
    """Where text stands: the text matrix and that of its line (9.4.2).

    ``moved`` is False after a string was shown: what is shown next goes on where that ended, wherever that is.
    """

    def __init__(self) -> None:
        self.text: Matrix = IDENTITY
        self.line: Matrix = IDENTITY
        self.moved = True

    def operator(self, name: bytes, numbers: Sequence[float], state: State) -> bool:
        """Follow an operator that places text. False when it is none."""
        if name == b"BT":
            self.text = self.line = IDENTITY
        elif name == b"Tm" and len(numbers) == 6:
            self.text = self.line = (*numbers,)  # type: ignore[assignment]
        elif name in (b"Td", b"TD") and len(numbers) == 2:
            if name == b"TD":
                state.leading = -numbers[1]
            self._move(*numbers)
        elif name == b"T*":
            self._move(0.0, -state.leading)
        else:
            return False
        self.moved = True
        return True

    def _move(self, x: float, y: float) -> None:
        self.moved = True
        self.text = self.line = times((1.0, 0.0, 0.0, 1.0, x, y), self.line)

    def next_line(self, state: State) -> None:
        """What ' and \" do before they show."""
        self._move(0.0, -state.leading)

    def piece(self, text: str, state: State) -> Piece:
        """Where a string begins that is shown now."""
        whole = times(self.text, state.matrix)
        x, y = applied(whole, 0.0, state.rise)
        angle = math.degrees(math.atan2(whole[1], whole[0]))
        return Piece(text, x, y, angle, state.size * math.hypot(whole[2], whole[3]))

    def is_torn(self, state: State) -> bool:
        """Whether spacing pushes characters over one another, or out of sight."""
        size = abs(state.size)
        return not (
            -_TIGHTEST * size <= state.spacing <= _WIDEST * size
            and -_TIGHTEST * size <= state.between_words <= _WIDEST * size
            and abs(state.rise) <= size / 2
        )

    def is_mirrored(self, state: State) -> bool:
        """Whether text would be shown as in a mirror, or flattened or slanted beyond reading."""
        a, b, c, d, _, _ = times(self.text, state.matrix)
        area, sides = (a * d - b * c) * state.scale, math.hypot(a, b) * math.hypot(c, d)
        wide, high = math.hypot(a, b) * state.scale, math.hypot(c, d)
        return area * state.size <= 0 or area < 0.7 * sides * state.scale or not high / 5 <= wide <= high * 5


_SETTERS: dict[bytes, Callable[[State, float], None]] = {
    b"Tc": lambda state, value: setattr(state, "spacing", value),
    b"Tw": lambda state, value: setattr(state, "between_words", value),
    b"Tz": lambda state, value: setattr(state, "scale", value / 100),
    b"TL": lambda state, value: setattr(state, "leading", value),
    b"Ts": lambda state, value: setattr(state, "rise", value),
    b"w": lambda state, value: setattr(state, "width", value),
    b"Tr": lambda state, value: setattr(state, "mode", int(value)),
}
_FAMILIES = {b"g": b"DeviceGray", b"rg": b"DeviceRGB", b"k": b"DeviceCMYK"}
_KNOWN = frozenset((*_FAMILIES.values(), b"CalGray", b"CalRGB"))


def set_parameter(state: State, name: bytes, numbers: Sequence[float], names: Sequence[bytes]) -> bool:
    """Follow an operator that sets colours, line width or a parameter of text. False when it is none."""
    setter = _SETTERS.get(name)
    if setter is not None:
        setter(state, numbers[0] if numbers else 0.0)
    elif name.lower() in _FAMILIES and name in (name.lower(), name.upper()):
        _set_colour(state, _FAMILIES[name.lower()], shade(numbers), stroke=name.isupper())
    elif name in (b"cs", b"CS"):
        family = names[0] if names else b""
        _set_colour(state, family, 0.0 if family in _KNOWN else None, stroke=name == b"CS")
    elif name in (b"sc", b"scn", b"SC", b"SCN"):
        stroke = name.isupper()
        family = state.stroke_family if stroke else state.fill_family
        _set_colour(state, family, shade(numbers) if family in _KNOWN and not names else None, stroke=stroke)
    elif name == b"cm" and len(numbers) == 6:
        state.matrix = times((*numbers,), state.matrix)  # type: ignore[arg-type]
    else:
        return False
    return True


def _set_colour(state: State, family: bytes, value: float | None, *, stroke: bool) -> None:
    if stroke:
        state.stroke_family, state.stroke = family, value
    else:
        state.fill_family, state.fill = family, value


class Outline:
    """The path under construction: whole rectangles, and the lines and curves of everything else."""

    def __init__(self) -> None:
        self.rectangles: list[tuple[Box, bool]] = []
        self.lines: list[tuple[Point, Point]] = []
        self.bends: list[Point] = []
        self.curves: list[tuple[Point, ...]] = []
        self.outlines: list[list[Point]] = []
        self.is_free = False
        self._start = self._point = (0.0, 0.0)

    def operator(self, name: bytes, numbers: Sequence[float], matrix: Matrix) -> bool:
        """Follow an operator that builds a path. False when it is none."""
        if name == b"re" and len(numbers) == 4:
            x, y, width, height = numbers
            corners = [applied(matrix, *p) for p in ((x, y), (x + width, y), (x + width, y + height), (x, y + height))]
            straight = abs(matrix[1]) + abs(matrix[2]) < 1e-6 or abs(matrix[0]) + abs(matrix[3]) < 1e-6
            self.rectangles.append((around(corners), straight))
        elif name in (b"m", b"l") and len(numbers) == 2:
            point = applied(matrix, *numbers)
            if name == b"m":
                self._start = point
                self.outlines.append([point])
            else:
                self.lines.append((self._point, point))
                self._go_on([point])
            self._point = point
        elif name in (b"c", b"v", b"y") and len(numbers) >= 4:
            self._bend(name, [applied(matrix, *pair) for pair in zip(numbers[::2], numbers[1::2], strict=False)])
        elif name == b"h":
            if self.is_free:
                self.lines.append((self._point, self._start))
            self._point = self._start
        else:
            return False
        return True

    def settle(self) -> None:
        """Take four lines along the sides of a rectangle for that rectangle."""
        if self.rectangles or self.curves or len(self.outlines) != 1:
            return
        corners = self.outlines[0][:-1] if self.outlines[0][0] == self.outlines[0][-1] else self.outlines[0]
        if len(corners) != 4:
            return
        box = around(corners)
        sides = zip(corners, [*corners[1:], corners[0]], strict=True)
        straight = all((one[0] == other[0]) != (one[1] == other[1]) for one, other in sides)
        if straight and all(x in box[::2] and y in box[1::2] for x, y in corners):
            self.rectangles.append((box, True))
            self.lines, self.bends, self.outlines, self.is_free = [], [], [], False

    def _bend(self, name: bytes, given: list[Point]) -> None:
        controls = {b"v": [self._point, *given], b"y": [*given, given[-1]]}.get(name, given)
        curve = (self._point, *controls[-3:])
        points = [_on_curve(curve, step / _STEPS) for step in range(1, _STEPS + 1)] if len(curve) == 4 else given
        self.curves.append((self._point, *points))
        self._point = points[-1]
        self.bends.append(self._point)
        self._go_on(points)

    def _go_on(self, points: Sequence[Point]) -> None:
        self.is_free = True
        if not self.outlines:
            self.outlines.append([self._point])
        self.outlines[-1].extend(points)


def _on_curve(curve: Sequence[Point], at: float) -> Point:
    weights = ((1 - at) ** 3, 3 * at * (1 - at) ** 2, 3 * at**2 * (1 - at), at**3)
    x, y = (sum(w * p[axis] for w, p in zip(weights, curve, strict=True)) for axis in (0, 1))
    return x, y


def around(points: Sequence[Point]) -> Box:
    """The smallest box that holds all points."""
    xs, ys = [p[0] for p in points], [p[1] for p in points]
    return min(xs), min(ys), max(xs), max(ys)


def common(one: Box, other: Box) -> Box:
    """What two boxes share, NOTHING when that is no area."""
    box = max(one[0], other[0]), max(one[1], other[1]), min(one[2], other[2]), min(one[3], other[3])
    return box if box[0] < box[2] and box[1] < box[3] else NOTHING


def holds(box: Box, x: float, y: float, slack: float = 0.0) -> bool:
    """Whether a point lies in a box, or ``slack`` beside it."""
    return box[0] - slack <= x <= box[2] + slack and box[1] - slack <= y <= box[3] + slack
