"""Setting text in a box: breaking lines by Chinese rules, shrinking within limits, refusing what does not fit.

All lengths here are points, y grows upwards. A set text keeps, line by line, the glyphs and where they stand, and the
tight box around them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from templates.fonts import Glyph, glyphs
from templates.layout import BoxMm, TextStyle
from verify.formats.license import Box
from verify.formats.refusal import refuse

MM = 72 / 25.4
ASCENT, DESCENT = 0.90, 0.26
"""Height of a line above and below its baseline, in sizes: covers every glyph of the faces in use."""
_NO_START = frozenset(
    ",.;:!?)]}%-/\u00b0\u00b7\u2014\u2019\u201d\u2026\u2103\u3001\u3002\u3005\u3009\u300b\u300d\u300f\u3011\u3015\u30fc"
    "\uff01\uff05\uff09\uff0c\uff0e\uff0f\uff1a\uff1b\uff1f\uff3d\uff5d"
)
_NO_END = frozenset("([{$-/\u00a5\u2018\u201c\u3008\u300a\u300c\u300e\u3010\u3014\uff04\uff08\uff3b\uff5b\uffe5")
_HYPHENS = frozenset("-\u00ad\u2010")
# Written as escapes because half and full width look alike here.
_STEP = 0.5


@dataclass(frozen=True, slots=True)
class Line:
    """One line: its glyphs, the start of its baseline, and extra space after each glyph (justified text)."""

    glyphs: tuple[Glyph, ...]
    x: float
    y: float
    extra: float


@dataclass(frozen=True, slots=True)
class SetText:
    """A text in place. ``box`` is tight and rounded outwards to 0.01 point."""

    text: str
    size: float
    style: TextStyle
    lines: tuple[Line, ...]
    box: Box


def set_text(text: str, box: BoxMm, style: TextStyle, page_height: float, field: str) -> SetText:
    """Set ``text`` into ``box`` (millimetres from the upper left of a page ``page_height`` mm high).

    Raises RefusedError: MISSING_GLYPH, or DOES_NOT_FIT when the least size is still too large.
    """
    items = glyphs(style.face, text, field)
    x0, top = box[0] * MM, (page_height - box[1]) * MM
    width, height = box[2] * MM, box[3] * MM
    size = style.size
    while True:
        lines = break_lines(items, width * 1000 / size)
        need = size * (ASCENT + DESCENT + (len(lines) - 1) * style.leading)
        wide = max(_inked(line) for line in lines) * size / 1000
        if need <= height + 0.01 and wide <= width + 0.01:
            return _place(lines, size, style, (x0, top, width, height), need)
        if size <= style.min_size:
            break
        size = max(style.min_size, size - _STEP)
    raise refuse(
        "DOES_NOT_FIT",
        field,
        f"文字过长（{len(text)} 字），用最小字号仍放不下",
        f"the text ({len(text)} characters) does not fit at its least size",
        remedy_zh="请缩短内容",
        remedy_en="shorten it",
    )


def break_lines(items: Sequence[Glyph], limit: float) -> list[list[Glyph]]:
    """Lines of at most ``limit`` (thousandths of the size) wide.

    Breaks stand between ideographs, not before closing or after opening punctuation, and not inside a word of Latin
    letters and digits unless the word alone is wider than a line.
    """
    lines: list[list[Glyph]] = []
    start, width, last_break = 0, 0.0, 0
    i = 0
    while i < len(items):
        if i > start and _may_break(items[i - 1].char, items[i].char):
            last_break = i
        if width + items[i].advance > limit and i > start and items[i].char != " ":
            cut = last_break if last_break > start else _forced(items, start, i)
            lines.append(list(items[start:cut]))
            start = i = cut
            width = 0.0
            continue
        width += items[i].advance
        i += 1
    lines.append(list(items[start:]))
    return lines


def _forced(items: Sequence[Glyph], start: int, at: int) -> int:
    """Where to cut a word wider than the line. Not behind a hyphen: readers of the page take that for hyphenation."""
    cut = at
    while cut > start + 1 and items[cut - 1].char in _HYPHENS:
        cut -= 1
    return cut if items[cut - 1].char not in _HYPHENS else at


def _may_break(before: str, after: str) -> bool:
    if after in _NO_START or before in _NO_END or after == " ":
        return False
    return before == " " or not (_is_word(before) and _is_word(after))


def _is_word(char: str) -> bool:
    return ord(char) < 0x2E80 and (char.isalnum() or char in "._@&'-/")


def _inked(items: Sequence[Glyph]) -> float:
    """Width of a line without the space it may end with."""
    end = len(items) - 1 if items and items[-1].char == " " else len(items)
    return sum(g.advance for g in items[:end])


def _place(
    lines: list[list[Glyph]], size: float, style: TextStyle, area: tuple[float, float, float, float], need: float
) -> SetText:
    x0, top, width, height = area
    slack = {"top": 0.0, "middle": (height - need) / 2, "bottom": height - need}[style.valign]
    baseline = top - slack - ASCENT * size
    placed = []
    left, right = x0 + width, x0
    for index, items in enumerate(lines):
        inked = _inked(items) * size / 1000
        extra = 0.0
        if style.align == "justify" and len(items) > 1:
            extra = (width - inked) / (len(items) - 1)
        shift = {"center": (width - inked) / 2, "right": width - inked}.get(style.align, 0.0)
        x = round(x0 + shift, 2)
        placed.append(Line(tuple(items), x, round(baseline - index * style.leading * size, 2), extra))
        full = sum(g.advance for g in items) * size / 1000
        left, right = min(left, x), max(right, x + full + extra * (len(items) - 1))
    bottom = placed[-1].y - DESCENT * size
    box = (round(left - 0.01, 2), round(bottom, 2), round(right + 0.01, 2), round(placed[0].y + ASCENT * size, 2))
    return SetText("".join(g.char for line in lines for g in line), size, style, tuple(placed), box)
