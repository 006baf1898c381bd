"""Vector drawing: paths and colours as the operators of a PDF content stream. The only module that knows reportlab.

Nothing here draws text as text; letters that are art (on seals, behind the page) are outlines.
"""

from __future__ import annotations

import io
import math
from collections.abc import Iterable, Sequence

from reportlab.pdfgen.canvas import FILL_NON_ZERO, Canvas

from templates.fonts import Glyph, outline
from templates.layout import Rgb

Point = tuple[float, float]


class Drawing:
    """A content stream being drawn, in points, y upwards."""

    def __init__(self) -> None:
        self._canvas = Canvas(io.BytesIO(), pagesize=(10, 10), pageCompression=0, invariant=1)

    def operators(self) -> bytes:
        """The operators drawn so far."""
        return "\n".join(self._canvas._code).encode("ascii")

    def raw(self, operator: str) -> None:
        """Append one operator as it stands (resources that reportlab does not manage)."""
        self._canvas._code.append(operator)

    def stroke(self, color: Rgb, width: float) -> None:
        """Colour and width of lines from here on."""
        self._canvas.setStrokeColorRGB(*color)
        self._canvas.setLineWidth(width)

    def fill(self, color: Rgb) -> None:
        """Colour of areas from here on."""
        self._canvas.setFillColorRGB(*color)

    def line(self, a: Point, b: Point) -> None:
        """A straight line."""
        self._canvas.line(_r(a[0]), _r(a[1]), _r(b[0]), _r(b[1]))

    def rectangle(self, x: float, y: float, w: float, h: float, *, radius: float = 0, filled: bool = False) -> None:
        """A rectangle, outlined or filled."""
        if radius:
            self._canvas.roundRect(_r(x), _r(y), _r(w), _r(h), _r(radius), stroke=int(not filled), fill=int(filled))
        else:
            self._canvas.rect(_r(x), _r(y), _r(w), _r(h), stroke=int(not filled), fill=int(filled))

    def circle(self, centre: Point, radius: float, *, filled: bool = False) -> None:
        """A circle."""
        self._canvas.circle(_r(centre[0]), _r(centre[1]), _r(radius), stroke=int(not filled), fill=int(filled))

    def ellipse(self, centre: Point, a: float, b: float) -> None:
        """The outline of an ellipse with half axes ``a`` and ``b``."""
        x, y = centre
        self._canvas.ellipse(_r(x - a), _r(y - b), _r(x + a), _r(y + b), stroke=1, fill=0)

    def polygon(self, points: Sequence[Point], *, filled: bool = True) -> None:
        """A closed polygon."""
        path = self._canvas.beginPath()
        path.moveTo(_r(points[0][0]), _r(points[0][1]))
        for x, y in points[1:]:
            path.lineTo(_r(x), _r(y))
        path.close()
        self._canvas.drawPath(path, stroke=int(not filled), fill=int(filled))

    def curve(self, points: Sequence[Point], *, closed: bool = False, filled: bool = False) -> None:
        """A smooth curve through ``points`` (Catmull-Rom turned into cubic segments)."""
        path = self._canvas.beginPath()
        path.moveTo(_r(points[0][0]), _r(points[0][1]))
        count = len(points)
        for i in range(count if closed else count - 1):
            before = points[i - 1] if i or closed else points[0]
            here, there = points[i], points[(i + 1) % count]
            after = points[(i + 2) % count] if closed or i + 2 < count else points[-1]
            a = (here[0] + (there[0] - before[0]) / 6, here[1] + (there[1] - before[1]) / 6)
            b = (there[0] - (after[0] - here[0]) / 6, there[1] - (after[1] - here[1]) / 6)
            path.curveTo(_r(a[0]), _r(a[1]), _r(b[0]), _r(b[1]), _r(there[0]), _r(there[1]))
        if closed:
            path.close()
        self._canvas.drawPath(path, stroke=int(not filled), fill=int(filled))

    def letters(
        self,
        placed: Iterable[tuple[Glyph, float, tuple[float, float, float, float, float, float]]],
        *,
        thicker: bool = False,
    ) -> None:
        """Glyph outlines, filled: each glyph with its size and a matrix ``a b c d e f`` that places it.

        ``thicker`` draws a line along the outlines too, in the colour and width last given for lines.
        """
        for glyph, size, matrix in placed:
            path = self._canvas.beginPath()
            steps = {"m": path.moveTo, "l": path.lineTo, "c": path.curveTo}
            for op, points in outline(glyph):
                if op == "h":
                    path.close()
                else:
                    steps[op](*(_r(v) for p in points for v in transform(matrix, p, size / 1000)))
            # Contours of a glyph may overlap: non-zero winding, or the overlap would be a hole.
            self._canvas.drawPath(path, stroke=int(thicker), fill=1, fillMode=FILL_NON_ZERO)


def transform(matrix: tuple[float, float, float, float, float, float], point: Point, scale: float) -> Point:
    """``matrix`` applied to ``point`` scaled."""
    a, b, c, d, e, f = matrix
    x, y = point[0] * scale, point[1] * scale
    return a * x + c * y + e, b * x + d * y + f


def rotation(angle: float, centre: Point, stretch: float = 1.0) -> tuple[float, float, float, float, float, float]:
    """Rotation by ``angle`` radians about the origin, widths stretched first, then moved to ``centre``."""
    cos, sin = math.cos(angle), math.sin(angle)
    return cos * stretch, sin * stretch, -sin, cos, centre[0], centre[1]


def _r(value: float) -> float:
    return round(value, 2)
