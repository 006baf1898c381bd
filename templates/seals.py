"""The picture of a seal as vector art (spec of official seals: 国发〔1999〕25号; company practice for the others).

Round red seals carry a five-pointed star and the organization's name in Song type on an arc, read left to right;
special-purpose seals (finance, contract, business) carry their purpose under the star; the invoice seal is an oval of
40 by 30 mm with the tax number in its middle. Letters are outlines, so a seal adds nothing to the text of the page.
"""

from __future__ import annotations

import functools
import math
import zlib
from dataclasses import dataclass

from templates.drawing import Drawing, rotation
from templates.fonts import Glyph, glyphs
from templates.layout import Rgb
from templates.typesetting import MM
from verify.formats.refusal import refuse

SEAL_RED: Rgb = (0.83, 0.07, 0.09)
PURPOSES = {
    "official": "",
    "finance": "财务专用章",
    "contract": "合同专用章",
    "business": "业务专用章",
    "invoice": "发票专用章",
}
MIN_DIAMETER_MM, MAX_DIAMETER_MM = 15.0, 60.0
MAX_NAME = 40


@dataclass(frozen=True, slots=True)
class SealArt:
    """What a seal shows: the organization on the arc, the kind (a key of PURPOSES), its code (a tax number on invoice
    seals), and its diameter by rank in mm (invoice seals are always 40 by 30)."""

    name: str
    kind: str
    code: str
    diameter_mm: float


@dataclass(frozen=True, slots=True)
class SealPicture:
    """The picture's operators, deflated, and its width and height in points.

    They use a graphics state named ``Ink`` (the seal multiplies with what lies under it).
    """

    deflated: bytes
    width: float
    height: float


@functools.lru_cache(maxsize=256)
def draw_seal(art: SealArt) -> SealPicture:
    """Draw a seal. Refused: unknown kind, a diameter no rank has, a name without or with too many characters."""
    _check(art)
    return _oval(art) if art.kind == "invoice" else _round(art)


def _check(art: SealArt) -> None:
    if art.kind not in PURPOSES:
        raise refuse(
            "BAD_SEAL_KIND",
            "seal.kind",
            f"没有印章种类 {art.kind}",
            f"there is no kind of seal {art.kind}",
            remedy_zh=f"可取：{'、'.join(PURPOSES)}",
            remedy_en=f"use one of {', '.join(PURPOSES)}",
        )
    if not MIN_DIAMETER_MM <= art.diameter_mm <= MAX_DIAMETER_MM:
        raise refuse(
            "BAD_SEAL_SIZE",
            "seal.diameter_mm",
            f"印章直径 {art.diameter_mm:g} 毫米不在 15 至 60 之间",
            f"the seal's diameter {art.diameter_mm:g} mm is not between 15 and 60",
            remedy_zh="请按机关级别取规定直径",
            remedy_en="use the diameter of the organ's rank",
        )
    if not 1 <= len(art.name) <= MAX_NAME:
        raise refuse(
            "BAD_SEAL_NAME",
            "seal.name",
            f"印章名称须为 1 至 {MAX_NAME} 字",
            f"the seal's name must have 1 to {MAX_NAME} characters",
            remedy_zh="请使用规范的简称",
            remedy_en="use the organization's regular short name",
        )


def _round(art: SealArt) -> SealPicture:
    side = art.diameter_mm * MM
    centre = (side / 2, side / 2)
    rim = side * 0.028
    made = Drawing()
    made.stroke(SEAL_RED, rim)
    made.circle(centre, side / 2 - rim / 2)
    made.fill(SEAL_RED)
    purpose = PURPOSES[art.kind]
    made.polygon(_star((centre[0], centre[1] + (side * 0.02 if purpose else 0)), side * 0.165))
    _arc(made, glyphs("song-bold", art.name, "seal.name"), centre, (side / 2 - rim, side / 2 - rim), side * 0.132)
    if purpose:
        _straight(
            made,
            glyphs("song-bold", purpose, "seal.kind"),
            (centre[0], centre[1] - side * 0.285),
            side * 0.5,
            side * 0.085,
        )
    return _picture(made, side, side)


def _oval(art: SealArt) -> SealPicture:
    width, height = 40 * MM, 30 * MM
    centre = (width / 2, height / 2)
    made = Drawing()
    made.stroke(SEAL_RED, 1 * MM)
    made.ellipse(centre, width / 2 - 0.5 * MM, height / 2 - 0.5 * MM)
    made.fill(SEAL_RED)
    _arc(made, glyphs("song-bold", art.name, "seal.name"), centre, (width / 2 - 1 * MM, height / 2 - 1 * MM), 3.6 * MM)
    _straight(made, glyphs("hei", art.code, "seal.code"), (centre[0], centre[1] - 1.3 * MM), 27 * MM, 3.4 * MM)
    _straight(
        made,
        glyphs("song-bold", PURPOSES["invoice"], "seal.kind"),
        (centre[0], centre[1] - 8.6 * MM),
        19 * MM,
        3.4 * MM,
    )
    return _picture(made, width, height)


def _picture(made: Drawing, width: float, height: float) -> SealPicture:
    return SealPicture(zlib.compress(b"q /Ink gs\n" + made.operators() + b"\nQ", 9), width, height)


def _star(centre: tuple[float, float], radius: float) -> list[tuple[float, float]]:
    """The ten corners of a five-pointed star standing upright."""
    inner = radius * math.sin(math.pi / 10) / math.sin(3 * math.pi / 10)
    return [
        (
            centre[0] + r * math.cos(math.pi / 2 + i * math.pi / 5),
            centre[1] + r * math.sin(math.pi / 2 + i * math.pi / 5),
        )
        for i, r in enumerate((radius, inner) * 5)
    ]


def _arc(
    made: Drawing, items: list[Glyph], centre: tuple[float, float], axes: tuple[float, float], size: float
) -> None:
    """Letters along the upper arc of an ellipse with half axes ``axes``, feet towards the middle."""
    a, b = axes
    count = len(items)
    gap = 0.32 * size
    # Long names take a wider arc first, then narrower letters.
    spread = min(math.radians(262), math.radians(21) * count, math.radians(150) + math.radians(9) * count)
    step = spread / max(1, count - 1) if count > 1 else 0.0
    foot_a, foot_b = a - gap - size, b - gap - size
    room = step * (foot_a + foot_b) / 2 * 0.92 if count > 1 else size
    stretch = min(0.92, room / size)
    for i, glyph in enumerate(items):
        angle = math.pi / 2 + spread / 2 - i * step
        foot = (centre[0] + foot_a * math.cos(angle), centre[1] + foot_b * math.sin(angle))
        # The letter stands on the ellipse's normal.
        normal = math.atan2(math.sin(angle) / foot_b, math.cos(angle) / foot_a)
        turn = normal - math.pi / 2
        half = glyph.advance / 2000 * size * stretch
        lift = 0.12 * size
        x = foot[0] - half * math.cos(turn) + lift * math.cos(normal)
        y = foot[1] - half * math.sin(turn) + lift * math.sin(normal)
        made.letters([(glyph, size, rotation(turn, (x, y), stretch))])


def _straight(made: Drawing, items: list[Glyph], centre: tuple[float, float], width: float, size: float) -> None:
    """Letters on a straight line centred on ``centre``, narrowed to ``width`` when needed."""
    natural = sum(g.advance for g in items) * size / 1000
    if not natural:
        return
    stretch = min(1.0, width / natural)
    x = centre[0] - natural * stretch / 2
    for glyph in items:
        made.letters([(glyph, size, rotation(0, (x, centre[1]), stretch))])
        x += glyph.advance * size / 1000 * stretch
