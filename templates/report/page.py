"""One page of a report being drawn: texts, areas, lines and pictures, in points from the lower left."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from templates.fonts import FontSet, Glyph
from templates.layout import Rgb
from templates.report.pixels import Picture

WIDTH, HEIGHT = 595.28, 841.89
INK: Rgb = (0.13, 0.15, 0.18)


@dataclass(frozen=True, slots=True)
class _Text:
    glyphs: tuple[Glyph, ...]
    size: float
    x: float
    y: float
    color: Rgb


@dataclass(slots=True)
class Page:
    """Collects what stands on it; :meth:`operators` writes it once the fonts are known."""

    pictures: dict[str, Picture] = field(default_factory=dict)
    _areas: list[str] = field(default_factory=list)
    _texts: list[_Text] = field(default_factory=list)
    _above: list[str] = field(default_factory=list)

    def text(self, glyphs: Sequence[Glyph], size: float, x: float, y: float, color: Rgb = INK) -> None:
        """Glyphs on a baseline that begins at ``x, y``."""
        if glyphs:
            self._texts.append(_Text(tuple(glyphs), size, x, y, color))

    def area(self, x: float, y: float, width: float, height: float, color: Rgb) -> None:
        """A filled rectangle under the texts."""
        r, g, b = color
        self._areas.append(f"{r:g} {g:g} {b:g} rg {x:.2f} {y:.2f} {width:.2f} {height:.2f} re f")

    def frame(self, x: float, y: float, width: float, height: float, color: Rgb, line: float = 0.6) -> None:
        """The outline of a rectangle, above pictures."""
        r, g, b = color
        self._above.append(f"{r:g} {g:g} {b:g} RG {line:g} w {x:.2f} {y:.2f} {width:.2f} {height:.2f} re S")

    def picture(self, picture: Picture, x: float, y: float, width: float, height: float) -> None:
        """A picture in that rectangle."""
        name = f"P{len(self.pictures)}"
        self.pictures[name] = picture
        self._areas.append(f"q {width:.2f} 0 0 {height:.2f} {x:.2f} {y:.2f} cm /{name} Do Q")

    def glyphs(self) -> Iterator[Glyph]:
        """Every glyph on the page."""
        for text in self._texts:
            yield from text.glyphs

    def operators(self, fonts: FontSet) -> bytes:
        """The content stream."""
        out = [*self._areas]
        for text in self._texts:
            r, g, b = text.color
            out.append(f"BT {r:g} {g:g} {b:g} rg 1 0 0 1 {text.x:.2f} {text.y:.2f} Tm")
            for resource, codes in _stretches(text.glyphs, fonts):
                out.append(f"/{resource} {text.size:g} Tf <{''.join(f'{c:04X}' for c in codes)}> Tj")
            out.append("ET")
        return "\n".join([*out, *self._above]).encode("ascii")


def _stretches(glyphs: Sequence[Glyph], fonts: FontSet) -> Iterator[tuple[str, list[int]]]:
    current, codes = "", list[int]()
    for item in glyphs:
        resource, code = fonts.code(item)
        if resource != current and codes:
            yield current, codes
            codes = []
        current = resource
        codes.append(code)
    if codes:
        yield current, codes
