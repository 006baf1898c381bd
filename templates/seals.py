"""The picture of a seal as vector art, PNG and SVG (official seals: 国发〔1999〕25号; the others: company practice).

Round red seals carry a five-pointed star and the organization's name in Song type on an arc, read left to right;
special-purpose seals (finance, contract, business) carry their purpose under the star; the invoice seal is an oval of
40 by 30 mm with the tax number in its middle; a legal representative's seal is a square with the name in columns from
right to left. Letters are outlines, so a seal adds nothing to the text of the page.

The national emblem is not drawn: its form is fixed by law (GB 15093) and it is given out as artwork. Organs that bear
it upload it (or the picture of the whole seal, :mod:`templates.sealpicture`); without it a star stands in its place.
"""

from __future__ import annotations

import functools
import math
import unicodedata
import zlib
from dataclasses import dataclass

from templates.drawing import Drawing
from templates.fonts import Glyph
from templates.layout import Rgb
from templates.sealfiles import SealImage, SealPicture, pdf_of, png_of, svg_of
from templates.sealkinds import RANKS, SEAL_KINDS, rank_named
from templates.sealpicture import CheckedPicture
from templates.sealtext import (
    Arc,
    Placed,
    Rim,
    in_columns,
    in_lines,
    name_on_arcs,
    on_arc,
    on_line,
    seal_glyphs,
)
from templates.typesetting import MM
from verify.formats.refusal import refuse

__all__ = [
    "PURPOSES", "RANKS", "SEAL_KINDS", "SEAL_RED", "SealArt", "SealPicture", "check_art", "draw_seal", "look",
    "rank_named", "seal_letters", "seal_pdf", "seal_png", "seal_svg",
]  # fmt: skip

SEAL_RED: Rgb = (0.83, 0.07, 0.09)
PURPOSES = {name: kind.purpose for name, kind in SEAL_KINDS.items()}
MAX_NAME, MAX_PERSON, MAX_PURPOSE, MAX_SERIAL, MAX_CODE = 80, 30, 20, 18, 20


@dataclass(frozen=True, slots=True)
class SealArt:
    """What a seal shows: the organization on the arc (or the person), the kind (a key of SEAL_KINDS), its code (a tax
    number on invoice seals; not shown on others), and its diameter by rank, or side, in mm (invoice seals are always 40
    by 30).

    ``purpose`` replaces the kind's own where that may be (business seals); ``serial`` is a running number or the code
    that the police gave a seal, below; ``shape`` is one of the kind's shapes, "" for its first; ``emblem`` is the
    uploaded emblem for the middle.
    """

    name: str
    kind: str
    code: str
    diameter_mm: float
    purpose: str = ""
    serial: str = ""
    shape: str = ""
    emblem: CheckedPicture | None = None


@dataclass(slots=True)
class _Sheet:
    """A seal being drawn: lines and areas first, letters after them, an image in the middle."""

    art: Drawing
    letters: list[Placed]
    width: float
    height: float
    image: SealImage | None = None


@functools.lru_cache(maxsize=256)
def draw_seal(art: SealArt) -> SealPicture:
    """Draw a seal. Refused: BAD_SEAL_KIND, BAD_SEAL_SIZE, BAD_SEAL_SHAPE, BAD_SEAL_PURPOSE, BAD_SEAL_SERIAL,
    BAD_SEAL_CODE, BAD_SEAL_NAME (no or too many characters), SEAL_SCRIPT, MISSING_GLYPH, DOES_NOT_FIT."""
    sheet = _drawn(art)
    for letter in sheet.letters:
        if letter.line:
            sheet.art.stroke(SEAL_RED, letter.line)
        sheet.art.letters([(letter.glyph, letter.size, letter.matrix)], thicker=letter.line > 0)
    operators = b"q /Ink gs\n" + sheet.art.operators() + b"\nQ"
    return SealPicture(zlib.compress(operators, 9), sheet.width, sheet.height, (sheet.image,) if sheet.image else ())


def look(seal: SealArt | CheckedPicture) -> SealPicture:
    """What a stamp shows: the seal drawn, or the uploaded picture. Refused as by :func:`draw_seal`."""
    return draw_seal(seal) if isinstance(seal, SealArt) else _uploaded(seal)


@functools.lru_cache(maxsize=32)
def _uploaded(seal: CheckedPicture) -> SealPicture:
    return seal.picture()


def seal_letters(art: SealArt) -> tuple[Placed, ...]:
    """Every letter of a seal with its place, in points from the lower left of the picture."""
    return tuple(_drawn(art).letters)


@functools.lru_cache(maxsize=128)
def seal_png(art: SealArt, dpi: int = 600) -> bytes:
    """A PNG of the seal's size at ``dpi``: red, its background clear. Refused as :func:`draw_seal` does; BAD_DPI."""
    return png_of(draw_seal(art), dpi, SEAL_RED)


def seal_svg(art: SealArt) -> str:
    """An SVG of the seal in millimetres, outlines only. Refused as by :func:`draw_seal`."""
    return svg_of(draw_seal(art), f"{art.name} {art.purpose or PURPOSES.get(art.kind, '')}".strip())


def seal_pdf(art: SealArt) -> bytes:
    """A PDF of one page of the seal's size, whose only content is the form XObject that stamps it."""
    return pdf_of(draw_seal(art))


def _drawn(art: SealArt) -> _Sheet:
    shape = check_art(art)
    if shape == "oval":
        return _oval(art)
    return _round(art) if shape == "round" else _square(art)


def check_art(art: SealArt) -> str:
    """The shape to draw. Refused: kind, size, shape, purpose or serial as by :func:`draw_seal`; no letter is set."""
    kind = SEAL_KINDS.get(art.kind)
    if kind is None:
        raise refuse(
            "BAD_SEAL_KIND",
            "seal.kind",
            f"没有印章种类 {art.kind[:40]}",
            f"there is no kind of seal {art.kind[:40]}",
            remedy_zh=f"可取：{'、'.join(SEAL_KINDS)}",
            remedy_en=f"use one of {', '.join(SEAL_KINDS)}",
        )
    if not kind.least <= art.diameter_mm <= kind.most:
        raise refuse(
            "BAD_SEAL_SIZE",
            "seal.diameter_mm",
            f"印章尺寸 {art.diameter_mm:g} 毫米不在 {kind.least:g} 至 {kind.most:g} 之间",
            f"the seal's size {art.diameter_mm:g} mm is not between {kind.least:g} and {kind.most:g}",
            remedy_zh="请按机关级别或印章种类取规定尺寸",
            remedy_en="use the size of the organ's rank or of the kind",
        )
    shape = art.shape or next(iter(kind.shapes))
    if shape not in kind.shapes:
        raise refuse(
            "BAD_SEAL_SHAPE",
            "seal.shape",
            f"{kind.title.zh}没有 {shape[:20]} 形",
            f"no {kind.title.en} is {shape[:20]}",
            remedy_zh=f"可取：{'、'.join(kind.shapes)}",
            remedy_en=f"use one of {', '.join(kind.shapes)}",
        )
    if art.purpose and art.purpose != kind.purpose and not kind.own_purpose:
        raise refuse(
            "BAD_SEAL_PURPOSE",
            "seal.purpose",
            f"{kind.title.zh}的用途文字不能更改",
            f"the purpose on a {kind.title.en} cannot be changed",
            remedy_zh="请改用业务专用章",
            remedy_en="use a business seal",
        )
    if art.serial and not (len(art.serial) <= MAX_SERIAL and all(c in _SERIAL for c in art.serial)):
        raise refuse(
            "BAD_SEAL_SERIAL",
            "seal.serial",
            "印章编号只能为数字、大写字母、括号和连字符",
            "a seal's number has digits, capital letters, brackets and hyphens only",
            remedy_zh=f"请填写不超过 {MAX_SERIAL} 位的编号",
            remedy_en=f"use at most {MAX_SERIAL} of them",
        )
    return shape


_SERIAL = frozenset("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ()（）-")


def _round(art: SealArt) -> _Sheet:
    side = art.diameter_mm * MM
    centre = (side / 2, side / 2)
    rim = side * 0.028
    made = Drawing()
    made.stroke(SEAL_RED, rim)
    made.circle(centre, side / 2 - rim / 2)
    made.fill(SEAL_RED)
    inside = side / 2 - rim - side * 0.022
    purpose = art.purpose or PURPOSES[art.kind]
    name = seal_glyphs("song-bold", art.name, "seal.name", MAX_NAME)
    widest = math.radians(244 if art.serial else 288)
    letters, taken = name_on_arcs(
        name, Rim(centre, inside, inside, side * 0.132, widest, math.radians(28)), "seal.name"
    )
    if art.serial:
        letters += _serial(art, centre, inside, side)
    clear = inside - taken
    lift = 0.0
    if purpose:
        lift = side * 0.03
        letters += _purpose(purpose, centre, inside - min(taken, side * 0.132), side, lowered=bool(art.serial))
    image = _middle(made, art, (centre[0], centre[1] + lift), min(side * (0.15 if purpose else 0.168), clear * 0.74))
    return _Sheet(made, letters, side, side, image)


def _middle(made: Drawing, art: SealArt, centre: tuple[float, float], radius: float) -> SealImage | None:
    """The star, or the emblem in its place, a quarter larger."""
    if art.emblem is None:
        made.polygon(_star(centre, radius))
        return None
    longest = max(art.emblem.width_mm, art.emblem.height_mm)
    width, height = (2.5 * radius * v / longest for v in (art.emblem.width_mm, art.emblem.height_mm))
    x, y = centre[0] - width / 2, centre[1] - height / 2
    made.raw(f"q {width:.2f} 0 0 {height:.2f} {x:.2f} {y:.2f} cm /Emblem Do Q")
    return art.emblem.image("Emblem", SEAL_RED)


def _purpose(text: str, centre: tuple[float, float], clear: float, side: float, *, lowered: bool) -> list[Placed]:
    """The purpose on a line under the star, inside the circle that the name leaves clear."""
    height = side * 0.085
    below = side * (0.165 if lowered else 0.175)
    corner = below + height / 2
    width = 2 * math.sqrt(max(0.0, (clear - side * 0.012) ** 2 - corner**2))
    items = seal_glyphs("song-bold", text, "seal.purpose", MAX_PURPOSE)
    return on_line(items, (centre[0], centre[1] - below), width, height, "seal.purpose")


def _serial(art: SealArt, centre: tuple[float, float], inside: float, side: float) -> list[Placed]:
    """The number along the lower rim, read from left to right."""
    items = seal_glyphs("hei", art.serial, "seal.serial", MAX_SERIAL)
    height = max(side * 0.042, 1.5 * MM)
    heads = inside - height
    spread = min(math.radians(88), math.radians(7.2) * len(items))
    return on_arc(items, Arc(centre, heads, heads, height, spread, below=True))


def _oval(art: SealArt) -> _Sheet:
    """The invoice seal: 40 by 30 mm, rim 1 mm; name 4.2 mm high 0.5 mm from the rim; number 3.7 mm high and 26 mm long;
    发票专用章 4.6 mm high from 4.2 mm below the middle, a running number 2.2 mm high from 10 mm below it."""
    width, height = 40 * MM, 30 * MM
    x, y = centre = (width / 2, height / 2)
    made = Drawing()
    made.stroke(SEAL_RED, 1 * MM)
    made.ellipse(centre, width / 2 - 0.5 * MM, height / 2 - 0.5 * MM)
    made.fill(SEAL_RED)
    name = seal_glyphs("song-bold", art.name, "seal.name", MAX_NAME)
    rim = Rim(
        centre,
        width / 2 - 1.5 * MM,
        height / 2 - 1.5 * MM,
        4.2 * MM,
        math.radians(236),
        math.radians(22),
        math.radians(112),
    )
    letters, _ = name_on_arcs(name, rim, "seal.name")
    if art.code:
        if not (len(art.code) <= MAX_CODE and art.code.isascii() and art.code.isalnum()):
            raise refuse(
                "BAD_SEAL_CODE",
                "seal.code",
                f"纳税人识别号须为不超过 {MAX_CODE} 位的字母和数字",
                f"a tax number has at most {MAX_CODE} letters and digits",
                remedy_zh="请填写统一社会信用代码",
                remedy_en="use the unified social credit code",
            )
        number = seal_glyphs("hei", art.code, "seal.code", MAX_CODE)
        letters += on_line(number, centre, 26 * MM, 3.7 * MM, "seal.code")
    purpose = seal_glyphs("song-bold", PURPOSES["invoice"], "seal.kind", MAX_PURPOSE)
    letters += on_line(purpose, (x, y - (4.2 + 2.3) * MM), 16 * MM, 4.6 * MM, "seal.kind")
    if art.serial:
        items = seal_glyphs("hei", art.serial, "seal.serial", MAX_SERIAL)
        letters += on_line(items, (x, y - 11.1 * MM), 10 * MM, 2.2 * MM, "seal.serial")
    return _Sheet(made, letters, width, height)


def _square(art: SealArt) -> _Sheet:
    """A square with a frame: columns from right to left; a name in Latin letters in lines, a word each."""
    side = art.diameter_mm * MM
    frame = max(0.7 * MM, side * 0.045)
    made = Drawing()
    made.stroke(SEAL_RED, frame)
    made.rectangle(frame / 2, frame / 2, side - frame, side - frame)
    made.fill(SEAL_RED)
    margin = frame + side * 0.035
    box = (margin, margin, side - margin, side - margin)
    if art.kind == "legal-representative":
        items = seal_glyphs("song-bold", art.name, "seal.name", MAX_PERSON)
        if any("LATIN" in unicodedata.name(g.char, "") for g in items):
            return _Sheet(made, in_lines(_words(items), box, "seal.name"), side, side)
        items += seal_glyphs("song-bold", _filling(len(items)), "seal.name", 2) if _filling(len(items)) else []
    else:
        items = seal_glyphs("song-bold", art.name, "seal.name", MAX_NAME)
        items += seal_glyphs("song-bold", PURPOSES[art.kind], "seal.kind", MAX_PURPOSE)
    return _Sheet(made, in_columns(items, box, "seal.name"), side, side)


def _filling(count: int) -> str:
    """What personal seals add to a name so that it fills the square: two letters 之印, one or three or five 印."""
    return {1: "印", 2: "之印", 3: "印", 5: "印", 7: "之印", 8: "印"}.get(count, "")


def _words(items: list[Glyph]) -> list[list[Glyph]]:
    words: list[list[Glyph]] = [[]]
    for item in items:
        if item.char == " ":
            words.append([])
        else:
            words[-1].append(item)
    return [w for w in words if w]


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
