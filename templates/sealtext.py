"""Setting the text of seals: on arcs, on straight lines, in the grid of a square seal. Points, y upwards.

Every letter keeps the box of its ink, so that it can be shown (and is tested) that no two letters touch and none leaves
the seal. Which characters a seal may bear is decided here as well: Han characters of any plane that a face has, Latin
letters, digits and the marks that names use. Scripts that run vertically, from right to left or join their letters
(Mongolian, Tibetan, Arabic as used for Uyghur and Kazakh, and others) are refused by name; such a seal is an uploaded
picture.
"""

from __future__ import annotations

import bisect
import functools
import itertools
import math
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from templates.drawing import Point, transform
from templates.fonts import Glyph, glyphs, is_fallback, outline
from templates.typesetting import MM
from verify.formats.refusal import refuse

Matrix = tuple[float, float, float, float, float, float]

LEAST_HEIGHT, LEAST_WIDTH = 1.5 * MM, 0.8 * MM
"""Letters that are smaller cannot be read in a print of the seal."""
_EM_BOTTOM, _EM_TOP = -0.10, 0.87
"""Where the ink of Han characters lies in their square."""
_BOLDER, _FEW_STEPS = 0.024, 120
_FOLDED = str.maketrans({"(": "（", ")": "）", "\uff0d": "-", "\u30fb": "·", "•": "·", "\u3000": " "})
_MARKS = frozenset("（）·-—.,&/'’“”《》〈〉、，：: +°№")
_NARROW = {"（": 0.55, "）": 0.55}
_SCRIPTS = (
    (0x0600, 0x06FF, "阿拉伯文（维吾尔文、哈萨克文）", "Arabic (Uyghur, Kazakh)"),
    (0x0750, 0x077F, "阿拉伯文（维吾尔文、哈萨克文）", "Arabic (Uyghur, Kazakh)"),
    (0x08A0, 0x08FF, "阿拉伯文（维吾尔文、哈萨克文）", "Arabic (Uyghur, Kazakh)"),
    (0xFB50, 0xFDFF, "阿拉伯文（维吾尔文、哈萨克文）", "Arabic (Uyghur, Kazakh)"),
    (0xFE70, 0xFEFE, "阿拉伯文（维吾尔文、哈萨克文）", "Arabic (Uyghur, Kazakh)"),
    (0x0F00, 0x0FFF, "藏文", "Tibetan"),
    (0x1800, 0x18AF, "蒙古文", "Mongolian"),
    (0x11660, 0x1167F, "蒙古文", "Mongolian"),
    (0x1950, 0x19DF, "傣文", "Tai"),
    (0x1A20, 0x1AAF, "傣文", "Tai"),
    (0xA000, 0xA4CF, "彝文", "Yi"),
    (0xA4D0, 0xA4FF, "傈僳文", "Lisu"),
    (0x1100, 0x11FF, "朝鲜文", "Korean"),
    (0x3130, 0x318F, "朝鲜文", "Korean"),
    (0xAC00, 0xD7FF, "朝鲜文", "Korean"),
)


@dataclass(frozen=True, slots=True)
class Placed:
    """One letter in place: the size of its square and the matrix that puts it there."""

    glyph: Glyph
    size: float
    matrix: Matrix

    @property
    def line(self) -> float:
        """The width of a line along its outline, which makes a face that has no bold as strong as the others.

        Letters of many strokes get less of it, or their counters would fill.
        """
        if not is_fallback(self.glyph.face):
            return 0.0
        return _BOLDER * self.size * min(1.0, _FEW_STEPS / len(outline(self.glyph)))

    def corners(self) -> tuple[Point, Point, Point, Point]:
        """The corners of the box around its ink."""
        x0, y0, x1, y1 = ink_box(self.glyph)
        if self.line:
            edge = self.line / self.size * 500
            x0, y0, x1, y1 = x0 - edge, y0 - edge, x1 + edge, y1 + edge
        scale = self.size / 1000
        a, b, c, d = (transform(self.matrix, p, scale) for p in ((x0, y0), (x1, y0), (x1, y1), (x0, y1)))
        return a, b, c, d


@functools.lru_cache(maxsize=4096)
def ink_box(item: Glyph) -> tuple[float, float, float, float]:
    """The box around a glyph's outline in thousandths of its size; of a blank one, nothing in its middle."""
    points = [p for _, ps in outline(item) for p in ps]
    if not points:
        return item.advance / 2, 0.0, item.advance / 2, 0.0
    xs, ys = [p[0] for p in points], [p[1] for p in points]
    return min(xs), min(ys), max(xs), max(ys)


def seal_glyphs(stack: str, text: str, field: str, longest: int) -> list[Glyph]:
    """The glyphs of a text of a seal, white space at its ends taken off.

    Refused: BAD_SEAL_NAME (empty, too long), SEAL_SCRIPT (a script or character that seals are not drawn with, by
    name), MISSING_GLYPH (no face has the character, or only a blank for it).
    """
    folded = " ".join(text.translate(_FOLDED).split(" ")).strip()
    if not 1 <= len(folded) <= longest:
        raise refuse(
            "BAD_SEAL_NAME",
            field,
            f"印章文字须为 1 至 {longest} 字，现为 {len(folded)} 字",
            f"the seal's text must have 1 to {longest} characters, this has {len(folded)}",
            remedy_zh="请使用登记的名称或规范化简称",
            remedy_en="use the registered name or its regular short form",
        )
    for char in folded:
        _check_character(char, field)
    made = glyphs(stack, folded, field)
    for item in made:
        if item.char != " " and not outline(item):
            _refuse_character(item.char, field, "字体中该字为空白", "the font has only a blank for it")
    return made


def _check_character(char: str, field: str) -> None:
    code = ord(char)
    for first, last, zh, en in _SCRIPTS:
        if first <= code <= last:
            raise refuse(
                "SEAL_SCRIPT",
                field,
                f"印章绘制不支持{zh}（U+{code:04X}）",
                f"seals are not drawn in {en} script (U+{code:04X})",
                remedy_zh="请上传由当地批准的制章单位制作的印章图片",
                remedy_en="upload a picture of the seal from a maker approved in the region",
            )
    if _is_han(code) or (char.isascii() and char.isalnum()) or char in _MARKS:
        return
    if unicodedata.category(char).startswith("L") and unicodedata.name(char, "").startswith("LATIN"):
        return
    if 0xE000 <= code <= 0xF8FF or code >= 0xF0000:
        _refuse_character(char, field, "属于自造字区", "it is a private-use code")
    _refuse_character(char, field, "印章名称不用此字符", "names on seals do not use it")


def _is_han(code: int) -> bool:
    return (
        0x4E00 <= code <= 0x9FFF
        or 0x3400 <= code <= 0x4DBF
        or 0xF900 <= code <= 0xFAFF
        or 0x20000 <= code <= 0x3FFFF
        or code in (0x3005, 0x3007)
    )


def _refuse_character(char: str, field: str, zh: str, en: str) -> None:
    code = f"U+{ord(char):04X}"
    raise refuse(
        "SEAL_SCRIPT" if not _is_han(ord(char)) else "MISSING_GLYPH",
        field,
        f"字符“{char}”（{code}）不能用于印章：{zh}",
        f"the character '{char}' ({code}) cannot be set on a seal: {en}",
        remedy_zh="请改用国家标准 GB 18030 编码的字，或上传印章图片",
        remedy_en="use its code of GB 18030, or upload a picture of the seal",
    )


def weight(item: Glyph) -> float:
    """How much of a line a letter takes, in sizes: 1 for a Han character."""
    if item.char == " ":
        return 0.4
    x0, _, x1, _ = ink_box(item)
    return _NARROW.get(item.char, max(item.advance, x1 - x0) / 1000)


def _extent(items: Sequence[Glyph]) -> tuple[float, float]:
    """The lowest and highest ink of a text in sizes, at least that of Han characters."""
    boxes = [ink_box(g) for g in items]
    return min(_EM_BOTTOM, *(b[1] / 1000 for b in boxes)), max(_EM_TOP, *(b[3] / 1000 for b in boxes))


def _place(item: Glyph, size: float, stretch: float, foot: float, turn: float, at: Point) -> Placed:
    """A letter whose ink is centred on ``at`` across, ``foot`` (sizes) being what lies at ``at`` upwards."""
    x0, _, x1, _ = ink_box(item)
    cos, sin = math.cos(turn), math.sin(turn)
    across, up = -(x0 + x1) / 2000 * size * stretch, -foot * size
    x, y = at[0] + across * cos - up * sin, at[1] + across * sin + up * cos
    return Placed(item, size, (cos * stretch, sin * stretch, -sin, cos, x, y))


# --- arcs -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Arc:
    """Room for letters along an ellipse about ``centre``: their feet stand on half axes ``a`` and ``b``, they are
    ``height`` high, and take ``spread`` radians about the top; ``below``: about the bottom, heads towards the middle
    (``a`` and ``b`` are then those of the heads)."""

    centre: Point
    a: float
    b: float
    height: float
    spread: float
    below: bool = False


_FULL = 0.94
"""The part of its place on an arc that a letter may fill."""
_STEPS = 720


def arc_stretch(items: Sequence[Glyph], arc: Arc) -> float:
    """How wide letters may be on an arc for their height, 1 being natural."""
    total = sum(weight(g) for g in items)
    low, high = _extent(items)
    size = arc.height / (high - low)
    return min(1.0, _length(arc) / total * _FULL / size)


def on_arc(items: Sequence[Glyph], arc: Arc) -> list[Placed]:
    """Letters along an arc, evenly, the first on the left."""
    low, high = _extent(items)
    size = arc.height / (high - low)
    stretch = arc_stretch(items, arc)
    weights = [weight(g) for g in items]
    ends = list(itertools.accumulate(weights, initial=0.0))
    unit = _length(arc) / ends[-1]
    placed = []
    for item, start, width in zip(items, ends, weights, strict=False):
        if item.char == " ":
            continue
        angle = _angle_at(arc, (start + width / 2) * unit)
        x, y = arc.centre[0] + arc.a * math.cos(angle), arc.centre[1] + arc.b * math.sin(angle)
        normal = math.atan2(math.sin(angle) / arc.b, math.cos(angle) / arc.a)
        turn = normal + math.pi / 2 if arc.below else normal - math.pi / 2
        placed.append(_place(item, size, stretch, high if arc.below else low, turn, (x, y)))
    return placed


@functools.lru_cache(maxsize=256)
def _lengths(arc: Arc) -> tuple[list[float], list[float]]:
    """Angles along an arc from its left end, and the way from there to each."""
    first = -math.pi / 2 - arc.spread / 2 if arc.below else math.pi / 2 + arc.spread / 2
    sign = 1 if arc.below else -1
    angles = [first + sign * arc.spread * i / _STEPS for i in range(_STEPS + 1)]
    points = [(arc.a * math.cos(t), arc.b * math.sin(t)) for t in angles]
    return angles, list(itertools.accumulate((math.dist(p, q) for p, q in itertools.pairwise(points)), initial=0.0))


def _length(arc: Arc) -> float:
    return _lengths(arc)[1][-1]


def _angle_at(arc: Arc, way: float) -> float:
    angles, lengths = _lengths(arc)
    i = min(max(bisect.bisect_left(lengths, way), 1), _STEPS)
    part = (way - lengths[i - 1]) / (lengths[i] - lengths[i - 1])
    return angles[i - 1] + part * (angles[i] - angles[i - 1])


# --- names on one or two arcs ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Rim:
    """Where a name may stand: within half axes ``a`` and ``b`` about ``centre``.

    ``height`` is the natural height of its letters, ``widest`` and ``pitch`` the most radians of the whole name and of
    one letter, ``second`` those of a second arc.
    """

    centre: Point
    a: float
    b: float
    height: float
    widest: float
    pitch: float
    second: float = math.radians(210)


_WIDE_ENOUGH = 0.58
_LOWEST_SINGLE = 0.62
"""Down to this part of their natural height letters stay on one arc."""
_BETWEEN = 0.3
"""Room between two arcs, in heights."""
_BREAK_AFTER = frozenset("）省市区县州盟旗乡镇·司局厅部会院团校社厂所处站室行")


def name_on_arcs(items: Sequence[Glyph], rim: Rim, field: str) -> tuple[list[Placed], float]:
    """A name inside a rim, and the height that its letters take away from the rim inwards.

    Letters become narrower first, then lower; a name that is still too long stands on two arcs, the outer one first.
    Refused: DOES_NOT_FIT.
    """
    for step in range(9):
        height = rim.height * (1 - (1 - _LOWEST_SINGLE) * step / 8)
        arc = _upper(items, rim, height, 0.0)
        if arc_stretch(items, arc) >= _WIDE_ENOUGH and _readable(items, arc):
            return on_arc(items, arc), height
    height = rim.height * 0.70
    while height >= LEAST_HEIGHT:
        made = _two_arcs(items, rim, height)
        if made:
            return made, height * (2 + _BETWEEN)
        height *= 0.96
    raise refuse(
        "DOES_NOT_FIT",
        field,
        f"名称过长（{len(items)} 字），在此尺寸的印章上无法清晰排布",
        f"the name ({len(items)} characters) is too long to be read on a seal of this size",
        remedy_zh="请使用规范化简称，或改用更大直径的印章",
        remedy_en="use the regular short form, or a larger seal",
    )


def _upper(items: Sequence[Glyph], rim: Rim, height: float, inwards: float, most: float | None = None) -> Arc:
    total = sum(weight(g) for g in items)
    spread = min(rim.pitch * total, math.radians(160) + rim.pitch * total / 3, rim.widest, most or rim.widest)
    away = inwards + height
    return Arc(rim.centre, rim.a - away, rim.b - away, height, spread)


def _readable(items: Sequence[Glyph], arc: Arc) -> bool:
    low, high = _extent(items)
    return arc.height >= LEAST_HEIGHT and arc.height / (high - low) * arc_stretch(items, arc) >= LEAST_WIDTH


def _two_arcs(items: Sequence[Glyph], rim: Rim, height: float) -> list[Placed] | None:
    inwards = height * (1 + _BETWEEN)
    full = Arc(rim.centre, rim.a - height, rim.b - height, height, rim.widest)
    inner = Arc(rim.centre, rim.a - inwards - height, rim.b - inwards - height, height, rim.second)
    if min(inner.a, inner.b) < rim.height:
        return None
    share = _length(full) / (_length(full) + _length(inner))
    at = _break_near(items, round(len(items) * share))
    outer_arc = _upper(items[:at], rim, height, 0.0)
    inner_arc = _upper(items[at:], rim, height, inwards, rim.second)
    for part, arc in ((items[:at], outer_arc), (items[at:], inner_arc)):
        if arc_stretch(part, arc) < _WIDE_ENOUGH or not _readable(part, arc):
            return None
    return on_arc(items[:at], outer_arc) + on_arc(items[at:], inner_arc)


def _break_near(items: Sequence[Glyph], at: int) -> int:
    """A place to part a name, at most three letters from ``at``: after a word that ends there, never inside Latin."""
    at = min(max(at, 1), len(items) - 1)
    near = [i for i in range(at - 3, at + 4) if 1 <= i < len(items)]
    good = [i for i in near if items[i - 1].char in _BREAK_AFTER or items[i - 1].char == " "]
    fair = [i for i in near if not (items[i - 1].char.isascii() and items[i].char.isascii())]
    return min(good or fair or [at], key=lambda i: (abs(i - at), i))


# --- straight lines and grids ----------------------------------------------------------------------------------------


def on_line(
    items: Sequence[Glyph], centre: Point, width: float, height: float, field: str, *, narrowest: float = 0.5
) -> list[Placed]:
    """Letters on a straight line about ``centre``, ``height`` high; narrowed, then lowered, to ``width``.

    Refused: DOES_NOT_FIT.
    """
    low, high = _extent(items)
    total = sum(weight(g) for g in items)
    while True:
        size = height / (high - low)
        stretch = min(1.0, width / (total * size))
        if stretch >= narrowest or height <= LEAST_HEIGHT:
            break
        height = max(LEAST_HEIGHT, height * 0.95)
    if size * stretch < LEAST_WIDTH:
        raise _too_long(items, field)
    return _row(items, centre, size, stretch, low, (low + high) / 2 * size)


def _row(items: Sequence[Glyph], centre: Point, size: float, stretch: float, low: float, middle: float) -> list[Placed]:
    x = centre[0] - sum(weight(g) for g in items) * size * stretch / 2
    placed = []
    for item in items:
        width = weight(item) * size * stretch
        if item.char != " ":
            at = (x + width / 2, centre[1] - middle + low * size)
            placed.append(_place(item, size, stretch * 0.97, low, 0.0, at))
        x += width
    return placed


def _too_long(items: Sequence[Glyph], field: str) -> Exception:
    return refuse(
        "DOES_NOT_FIT",
        field,
        f"文字过长（{len(items)} 字），在此尺寸的印章上无法清晰排布",
        f"the text ({len(items)} characters) is too long to be read on a seal of this size",
        remedy_zh="请缩短文字，或改用更大的印章",
        remedy_en="shorten it, or use a larger seal",
    )


def in_columns(items: Sequence[Glyph], box: tuple[float, float, float, float], field: str) -> list[Placed]:
    """Letters in a box (x0, y0, x1, y1): columns from right to left, each from top to bottom and full.

    Refused: DOES_NOT_FIT.
    """
    x0, y0, x1, y1 = box
    shown = [g for g in items if g.char != " "]
    count = _columns(len(shown), (x1 - x0) / (y1 - y0))
    column = (x1 - x0) / count
    lengths = _lengths_of_columns(shown, count)
    placed: list[Placed] = []
    taken = 0
    for index, length in enumerate(lengths):
        part = shown[taken : taken + length]
        taken += length
        centre = x1 - column * (index + 0.5)
        placed += _column(part, centre, column, (y0, y1), field)
    return placed


def _columns(count: int, shape: float) -> int:
    """How many columns make the cells closest to squares; two letters stand in one column."""
    if count <= 2:
        return 1
    return min(range(1, count + 1), key=lambda k: abs(math.log(shape / k * math.ceil(count / k))))


def _lengths_of_columns(items: Sequence[Glyph], count: int) -> list[int]:
    """Columns as even as may be, the first ones longer; the dot of a name stays with what stands before it."""
    lengths = [len(items) // count + (i < len(items) % count) for i in range(count)]
    for i in range(1, count):
        if lengths[i] > 1 and items[sum(lengths[:i])].char == "·":
            lengths[i - 1] += 1
            lengths[i] -= 1
    return lengths


def _column(items: Sequence[Glyph], centre: float, width: float, ends: tuple[float, float], field: str) -> list[Placed]:
    parts = [0.45 if g.char in "·-" else 1.0 for g in items]
    unit = (ends[1] - ends[0]) / sum(parts)
    low, high = _EM_BOTTOM, _EM_TOP
    if min(unit, width) < LEAST_HEIGHT:
        raise _too_long(items, field)
    y = ends[1]
    placed = []
    for item, part in zip(items, parts, strict=True):
        cell = unit * part
        small = part < 1
        size = (min(width, unit) if small else unit) * 0.92 / (high - low)
        x_a, y_a, x_b, y_b = ink_box(item)
        wide = width * 0.92 / max(0.97, (x_b - x_a) / 1000)
        stretch = 1.0 if small else wide / size
        foot = (y_a + y_b) / 2000 if small else (low + high) / 2
        placed.append(_place(item, size, stretch, foot, 0.0, (centre, y - cell / 2)))
        y -= cell
    return placed


def in_lines(words: Sequence[Sequence[Glyph]], box: tuple[float, float, float, float], field: str) -> list[Placed]:
    """Words in a box, each on a line of its own from left to right (names in Latin letters)."""
    x0, y0, x1, y1 = box
    height = (y1 - y0) / len(words)
    placed: list[Placed] = []
    for index, word in enumerate(words):
        middle = y1 - height * (index + 0.5)
        placed += on_line(
            word, ((x0 + x1) / 2, middle), (x1 - x0) * 0.98, min(height * 0.8, (y1 - y0) * 0.42), field, narrowest=0.45
        )
    return placed
