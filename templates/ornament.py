"""Ornament of the page: guilloche frame, rosettes, ground, neutral emblem.

Repeated motifs are forms (drawn once, placed many times), which keeps a page small. Kinds and their members:

- ``frame``: inset, band (mm), color, corner (mm): woven bands along the edges with a rosette in each corner
- ``rosette``: x, y, radius (mm), petals, color, width (pt)
- ``ground``: inset (mm), step (mm), color: fine waves over the whole page
- ``emblem``: x, y, radius (mm), color: a neutral ornament where an emblem would be
- ``line``: from, to, color, width; ``rectangle``: box, color, fill, width, radius; ``band``: box, color
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from templates.drawing import Drawing
from templates.layout import Art, Rgb
from templates.typesetting import MM

_GOLD: Rgb = (0.72, 0.55, 0.26)


@dataclass
class Ornament:
    """Operators of the page's art, and the forms they place: name → (bounding box, operators)."""

    drawing: Drawing = field(default_factory=Drawing)
    forms: dict[str, tuple[tuple[float, float, float, float], bytes]] = field(default_factory=dict)

    def form(self, box: tuple[float, float, float, float], made: Drawing) -> str:
        """Keep a motif as a form; the same motif twice is kept once."""
        value = (box, made.operators())
        for name, known in self.forms.items():
            if known == value:
                return name
        name = f"A{len(self.forms)}"
        self.forms[name] = value
        return name

    def place(self, name: str, *matrix: float) -> None:
        """Draw a form under a matrix of six numbers."""
        numbers = " ".join(f"{v:.4f}".rstrip("0").rstrip(".") for v in matrix)
        self.drawing.raw(f"q {numbers} cm /{name} Do Q")


def draw_art(art: tuple[Art, ...], width: float, height: float, under: Drawing | None = None) -> Ornament:
    """Draw all ornament of a page of ``width`` by ``height`` millimetres, over what ``under`` holds already."""
    out = Ornament(under or Drawing())
    for piece in art:
        _KINDS[piece.kind](out, piece.values, width * MM, height * MM)
    return out


def _frame(out: Ornament, v: Mapping[str, Any], width: float, height: float) -> None:
    inset, band = v["inset"] * MM, v.get("band", 9) * MM
    corner = v.get("corner", v.get("band", 9) * 1.5) * MM
    color = v.get("color", _GOLD)
    edge = out.drawing
    edge.stroke(color, 1.6)
    _nested(edge, inset, width, height)
    edge.stroke(color, 0.4)
    _nested(edge, inset + 2.2, width, height)
    _nested(edge, inset + band - 2.2, width, height)
    edge.stroke(color, 0.9)
    _nested(edge, inset + band, width, height)
    tile = _weave(out, band - 6, color)
    middle = inset + band / 2
    for length, turn, x, y in (
        (width, 0, 0.0, middle),
        (width, 0, 0.0, height - middle),
        (height, 1, middle, 0.0),
        (height, 1, width - middle, 0.0),
    ):
        start = inset + corner
        count = max(1, round((length - 2 * start) / (band * 1.5)))
        step = (length - 2 * start) / count
        for i in range(count):
            at = start + i * step
            if turn:
                out.place(tile, 0, step / 100, -1, 0, x, at)
            else:
                out.place(tile, step / 100, 0, 0, 1, at, y)
    _corners(out, inset, corner, (width, height), color)


def _nested(drawing: Drawing, inset: float, width: float, height: float) -> None:
    drawing.rectangle(inset, inset, width - 2 * inset, height - 2 * inset)


def _weave(out: Ornament, band: float, color: Rgb) -> str:
    """One period of woven waves, 100 long, about the x axis."""
    tile = Drawing()
    for strands, amplitude, waves, line, tone in (
        (9, 0.46, 1, 0.3, 1.0),
        (5, 0.26, 2, 0.25, 1.12),
        (3, 0.1, 3, 0.25, 0.85),
    ):
        tile.stroke(_tone(color, tone), line)
        for k in range(strands):
            phase = 2 * math.pi * k / strands
            tile.curve(
                [
                    (x, amplitude * band * math.sin(2 * math.pi * waves * x / 100 + phase))
                    for x in (100 * i / (8 * waves) for i in range(8 * waves + 1))
                ]
            )
    return out.form((-1, -band, 101, band), tile)


def _corners(out: Ornament, inset: float, corner: float, page: tuple[float, float], color: Rgb) -> None:
    width, height = page
    block = Drawing()
    half = corner / 2
    block.fill((1, 1, 1))
    block.rectangle(-half, -half, corner, corner, filled=True)
    block.stroke(color, 1.2)
    block.rectangle(-half, -half, corner, corner)
    block.stroke(color, 0.4)
    block.rectangle(-half + 2, -half + 2, corner - 4, corner - 4)
    _petals(block, half * 0.88, 12, color, 0.3)
    block.stroke(color, 0.5)
    block.circle((0, 0), half * 0.3)
    block.fill(color)
    block.circle((0, 0), half * 0.12, filled=True)
    name = out.form((-half - 1, -half - 1, half + 1, half + 1), block)
    for x in (inset + half, width - inset - half):
        for y in (inset + half, height - inset - half):
            out.place(name, 1, 0, 0, 1, x, y)


def _petals(drawing: Drawing, radius: float, petals: int, color: Rgb, width: float) -> None:
    """A whole rosette about the origin, for small ones."""
    for strand, (low, high) in enumerate(((0.35, 1.0), (0.45, 0.85), (0.3, 0.65))):
        drawing.stroke(_tone(color, 1 + 0.1 * strand), width)
        for phase in (0.0, math.pi):
            points = []
            for i in range(petals * 6):
                angle = 2 * math.pi * i / (petals * 6)
                r = radius * (low + (high - low) * (0.5 + 0.5 * math.cos(petals * angle + phase)))
                points.append((r * math.cos(angle), r * math.sin(angle)))
            drawing.curve(points, closed=True)


def _rosette(out: Ornament, v: Mapping[str, Any], width: float, height: float) -> None:
    """A large rosette: one sector is a form, turned around the centre."""
    petals = round(v.get("petals", 24))
    radius, color, line = v["radius"] * MM, v.get("color", _GOLD), v.get("width", 0.3)
    sector = Drawing()
    arc = 2 * math.pi / petals
    for k in range(10):
        sector.stroke(_tone(color, 1 + 0.02 * (k % 3)), line)
        low, high = 0.28 + 0.05 * k, 1.0 - 0.035 * k
        for phase in (0.0, math.pi):
            points = []
            for i in range(9):
                angle = arc * i / 8
                r = radius * (low + (high - low) * (0.5 + 0.5 * math.cos(petals * angle + phase + 0.25 * k)))
                points.append((r * math.cos(angle), r * math.sin(angle)))
            sector.curve(points)
    name = out.form((-radius, -radius, radius, radius), sector)
    x, y = v["x"] * MM, height - v["y"] * MM
    for i in range(petals):
        cos, sin = math.cos(arc * i), math.sin(arc * i)
        out.place(name, cos, sin, -sin, cos, x, y)


def _ground(out: Ornament, v: Mapping[str, Any], width: float, height: float) -> None:
    """Fine waves from edge to edge; neighbouring rows are shifted, so that a copy blurs them."""
    inset, step = v["inset"] * MM, v.get("step", 2.4) * MM
    length = width - 2 * inset
    row = Drawing()
    row.stroke(v.get("color", (0.95, 0.91, 0.83)), 0.3)
    count = round(length / (8 * MM)) * 4
    row.curve([(length * i / count, 0.42 * step * math.sin(math.pi / 2 * i)) for i in range(count + 1)])
    name = out.form((0, -step, length, step), row)
    rows = int((height - 2 * inset) / step)
    for i in range(1, rows):
        out.place(name, 1, 0, 0, 1 if i % 2 else -1, inset, inset + i * (height - 2 * inset) / rows)


def _emblem(out: Ornament, v: Mapping[str, Any], width: float, height: float) -> None:
    """Rays, a ring and a flower: an ornament that is nobody's emblem."""
    radius, color = v["radius"] * MM, v.get("color", _GOLD)
    x, y = v["x"] * MM, height - v["y"] * MM
    made = Drawing()
    made.fill(color)
    rays = 36
    for i in range(rays):
        angle = 2 * math.pi * i / rays
        made.polygon(
            [
                _polar(radius * (1.0 if i % 2 else 0.93), angle),
                _polar(radius * 0.76, angle + math.pi / rays * 0.7),
                _polar(radius * 0.76, angle - math.pi / rays * 0.7),
            ]
        )
    made.stroke(color, 1.0)
    made.circle((0, 0), radius * 0.72)
    made.stroke(color, 0.4)
    made.circle((0, 0), radius * 0.67)
    _petals(made, radius * 0.62, 8, color, 0.4)
    made.fill(_tone(color, 0.92))
    for i in range(8):
        angle = 2 * math.pi * i / 8
        made.curve(
            [
                _polar(radius * 0.12, angle),
                _polar(radius * 0.3, angle + 0.24),
                _polar(radius * 0.44, angle),
                _polar(radius * 0.3, angle - 0.24),
            ],
            closed=True,
            filled=True,
        )
    made.fill((1, 1, 1))
    made.circle((0, 0), radius * 0.1, filled=True)
    made.fill(color)
    made.circle((0, 0), radius * 0.065, filled=True)
    out.place(out.form((-radius, -radius, radius, radius), made), 1, 0, 0, 1, x, y)


def _line(out: Ornament, v: Mapping[str, Any], width: float, height: float) -> None:
    out.drawing.stroke(v.get("color", _GOLD), v.get("width", 0.6))
    (ax, ay), (bx, by) = v["from"], v["to"]
    out.drawing.line((ax * MM, height - ay * MM), (bx * MM, height - by * MM))


def _rectangle(out: Ornament, v: Mapping[str, Any], width: float, height: float) -> None:
    x, y, w, h = (n * MM for n in v["box"])
    radius = v.get("radius", 0.0) * MM
    if "fill" in v:
        out.drawing.fill(v["fill"])
        out.drawing.rectangle(x, height - y - h, w, h, radius=radius, filled=True)
    if "color" in v:
        out.drawing.stroke(v["color"], v.get("width", 0.6))
        out.drawing.rectangle(x, height - y - h, w, h, radius=radius)


def _band(out: Ornament, v: Mapping[str, Any], width: float, height: float) -> None:
    """A woven strip."""
    x, y, w, h = (n * MM for n in v["box"])
    tile = _weave(out, h, v.get("color", _GOLD))
    count = max(1, round(w / (h * 1.6)))
    for i in range(count):
        out.place(tile, w / count / 100, 0, 0, 1, x + i * w / count, height - y - h / 2)


def _polar(radius: float, angle: float) -> tuple[float, float]:
    return radius * math.cos(angle), radius * math.sin(angle)


def _tone(color: Rgb, factor: float) -> Rgb:
    """Lighter (above 1) or darker than ``color``."""
    if factor >= 1:
        mix = min(1.0, factor - 1)
        return tuple(c + (1 - c) * mix for c in color)  # type: ignore[return-value]
    return tuple(c * factor for c in color)  # type: ignore[return-value]


_KINDS = {
    "frame": _frame,
    "rosette": _rosette,
    "ground": _ground,
    "emblem": _emblem,
    "line": _line,
    "rectangle": _rectangle,
    "band": _band,
}
