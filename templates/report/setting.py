"""Setting a report's blocks on pages, one under the other; what does not fit begins a new page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from templates.fonts import Glyph, glyph
from templates.layout import Rgb
from templates.report.blocks import (
    Answer,
    Banner,
    Checks,
    FindingBlock,
    Heading,
    Note,
    Origin,
    Pair,
    Rows,
    report_title,
)
from templates.report.page import HEIGHT, INK, WIDTH, Page
from templates.report.words import word
from templates.typesetting import break_lines

LEFT, RIGHT, TOP, BOTTOM = 48.0, WIDTH - 48.0, HEIGHT - 62.0, 56.0
BODY = 9.0
SMALL = 7.6
LEADING = 1.5
NAMES = 96.0
GREY: Rgb = (0.42, 0.45, 0.5)
FAINT: Rgb = (0.955, 0.96, 0.968)
RULE: Rgb = (0.82, 0.84, 0.87)
RED: Rgb = (0.8, 0.1, 0.12)
TONES: dict[str, tuple[Rgb, Rgb]] = {
    "good": ((0.06, 0.45, 0.24), (0.92, 0.97, 0.935)),
    "lapsed": ((0.6, 0.36, 0.02), (0.995, 0.96, 0.89)),
    "open": ((0.2, 0.33, 0.55), (0.93, 0.95, 0.98)),
    "bad": ((0.7, 0.09, 0.11), (0.99, 0.93, 0.93)),
    "note": ((0.38, 0.41, 0.46), (0.955, 0.96, 0.968)),
}
"""Colour of text and of the ground behind it."""
COLUMN = (RIGHT - LEFT - 14) / 2
_MISSING = "\u25a1"
_NARROW = str.maketrans({"\u201c": '"', "\u201d": '"', "\u2018": "'", "\u2019": "'"})
"""The faces have these at the width of an ideograph, which tears English apart."""


class Setter:
    """Sets one report."""

    def __init__(self, lang: str, origin: Origin) -> None:
        self._lang = lang
        self._origin = origin
        self._pages: list[Page] = []
        self._y = 0.0
        self._kinds: dict[type, Callable[[Any], None]] = {
            Banner: self._banner, Heading: self._heading, Note: self._note, Rows: self._rows, Answer: self._answer,
            FindingBlock: self._finding, Pair: self._pair, Checks: self._checks,
        }  # fmt: skip

    def pages(self, blocks: Sequence[object]) -> list[Page]:
        """Every page, with head and foot."""
        self._turn()
        for index, block in enumerate(blocks):
            if isinstance(block, Heading):
                self._room(_kept_together(blocks[index + 1 :]))
            self._kinds[type(block)](block)
        closing = word("attached", self._lang)
        self._note(Note(closing))
        for index, page in enumerate(self._pages, 1):
            self._margins(page, index)
        return self._pages

    @property
    def _page(self) -> Page:
        return self._pages[-1]

    def _turn(self) -> None:
        self._pages.append(Page())
        self._y = TOP

    def _room(self, height: float) -> None:
        if self._y - height < BOTTOM and self._y < TOP:
            self._turn()

    def _margins(self, page: Page, index: int) -> None:
        head = report_title(self._lang)
        page.text(set_glyphs(head, bold=True), 13, LEFT, HEIGHT - 40)
        mark = word("signed" if self._origin.signed else "unsigned", self._lang)
        note = f"{word('not_a_license', self._lang)} · {mark}"
        self._right(page, note, SMALL, HEIGHT - 40, GREY)
        page.area(LEFT, HEIGHT - 48, RIGHT - LEFT, 0.8, RULE)
        page.area(LEFT, 44, RIGHT - LEFT, 0.5, RULE)
        page.text(set_glyphs(f"{self._origin.made_by} · {self._origin.made_at}"), SMALL, LEFT, 32, GREY)
        self._right(page, word("page", self._lang, index, len(self._pages)), SMALL, 32, GREY)

    def _right(self, page: Page, text: str, size: float, y: float, color: Rgb) -> None:
        items = set_glyphs(text)
        page.text(items, size, RIGHT - wide(items, size), y, color)

    def _lines(self, text: str, size: float, width: float, *, bold: bool = False) -> list[list[Glyph]]:
        items = set_glyphs(text if self._lang == "zh" else text.translate(_NARROW), bold=bold)
        return break_lines(items, width * 1000 / size) if items else []

    def _write(self, lines: Sequence[Sequence[Glyph]], size: float, x: float, color: Rgb = INK) -> None:
        """Lines from here downwards; long texts go on on the next page."""
        for line in lines:
            self._room(size * LEADING)
            self._y -= size * LEADING
            self._page.text(line, size, x, self._y + size * 0.42, color)

    def _banner(self, block: Banner) -> None:
        ink, ground = TONES[block.tone]
        title = self._lines(block.title, 17, RIGHT - LEFT - 32, bold=True)
        advice = self._lines(block.advice, 10, RIGHT - LEFT - 32)
        height = len(title) * 17 * LEADING + len(advice) * 10 * LEADING + 20
        self._room(height)
        self._page.area(LEFT, self._y - height, RIGHT - LEFT, height, ground)
        self._page.area(LEFT, self._y - height, 5, height, ink)
        self._y -= 9
        self._write(title, 17, LEFT + 18, ink)
        self._write(advice, 10, LEFT + 18)
        self._y -= 15

    def _heading(self, block: Heading) -> None:
        self._y -= 26
        self._page.text(set_glyphs(block.text, bold=True), 11, LEFT, self._y)
        self._page.area(LEFT, self._y - 5, RIGHT - LEFT, 0.5, RULE)
        self._y -= 9

    def _note(self, block: Note) -> None:
        self._y -= 3
        self._write(self._lines(block.text, BODY, RIGHT - LEFT), BODY, LEFT, GREY)

    def _rows(self, block: Rows) -> None:
        self._room(min(3, len(block.rows)) * BODY * LEADING + 8)
        self._y -= 4
        for name, value in block.rows:
            lines = self._lines(value, BODY, RIGHT - LEFT - NAMES) or [[]]
            self._room(BODY * LEADING)
            self._page.text(set_glyphs(name), BODY, LEFT, self._y - BODY * LEADING + BODY * 0.42, GREY)
            self._write(lines, BODY, LEFT + NAMES)
        self._y -= 4

    def _answer(self, block: Answer) -> None:
        ink, _ = TONES[block.tone]
        reason = self._lines(block.reason, BODY, RIGHT - LEFT - NAMES - 112)
        self._room(max(2, len(reason)) * BODY * LEADING + 6)
        self._y -= 4
        first = self._y - BODY * LEADING + BODY * 0.42
        self._page.text(set_glyphs(block.name), BODY, LEFT, first, GREY)
        self._page.text(set_glyphs(block.value, bold=True), 10.5, LEFT + NAMES - 20, first, ink)
        self._page.text(set_glyphs(block.code), 6.6, LEFT + NAMES - 20, first - 10, GREY)
        top = self._y
        self._write(reason, BODY, LEFT + NAMES + 100)
        self._y = min(self._y, top - 2 * BODY * LEADING) if self._y <= top else self._y

    def _finding(self, block: FindingBlock) -> None:
        ink, ground = TONES[block.tone]
        inner = RIGHT - LEFT - 70
        message = self._lines(block.message, BODY + 0.5, inner, bold=True)
        separator = "：" if self._lang == "zh" else ": "
        why = self._lines(word("why", self._lang) + separator + block.why, SMALL + 0.6, inner) if block.why else []
        action = (
            self._lines(word("action", self._lang) + separator + block.action, SMALL + 0.6, inner)
            if block.action
            else []
        )
        details = self._lines(block.details, SMALL - 0.6, inner)
        height = sum(
            len(lines) * size * LEADING
            for lines, size in ((message, BODY + 0.5), ((*why, *action), SMALL + 0.6), (details, SMALL - 0.6))
        )
        self._room(height + 14)
        self._y -= 6
        self._page.area(LEFT, self._y - height - 6, 3, height + 6, ink)
        badge = set_glyphs(block.severity, bold=True)
        self._page.area(LEFT + 10, self._y - 15, wide(badge, SMALL) + 10, 13, ground)
        self._page.text(badge, SMALL, LEFT + 15, self._y - 11.5, ink)
        self._write(message, BODY + 0.5, LEFT + 62)
        self._write(why, SMALL + 0.6, LEFT + 62)
        self._write(action, SMALL + 0.6, LEFT + 62)
        self._write(details, SMALL - 0.6, LEFT + 62, GREY)
        self._y -= 6

    def _pair(self, block: Pair) -> None:
        column, height = COLUMN, _pair_height(block)
        self._room(height + 40)
        self._y -= 16
        self._page.text(set_glyphs(block.caption, bold=True), BODY, LEFT, self._y)
        self._y -= 4
        sides = [(block.signed_caption, block.signed), (block.shown_caption, block.shown)]
        for index, (caption, picture) in enumerate(sides[1:] if block.alone else sides):
            x = LEFT + index * (column + 14)
            self._page.text(set_glyphs(caption), SMALL, x, self._y - 9, GREY)
            self._side(block, picture, x, self._y - 14, column, height)
        self._y -= height + 20

    def _side(self, block: Pair, picture: Any, x: float, top: float, column: float, height: float) -> None:
        width = min(column, height * picture.width / picture.height) if picture else column
        shown = width * picture.height / picture.width if picture else height
        if picture is None:
            self._page.text(set_glyphs(word("missing_page", self._lang)), SMALL, x + 10, top - 20, GREY)
        else:
            self._page.picture(picture, x, top - shown, width, shown)
        self._page.frame(x, top - shown, width, shown, RULE)
        for left, upper, right, lower in block.boxes if picture else ():
            self._page.frame(
                x + left * width - 1.5, top - lower * shown - 1.5, (right - left) * width + 3,
                (lower - upper) * shown + 3, RED, 1.2,
            )  # fmt: skip

    def _checks(self, block: Checks) -> None:
        self._y -= 2
        for index, row in enumerate(block.rows):
            ink, _ = TONES[row.tone]
            self._room(15)
            if index % 2 == 0:
                self._page.area(LEFT, self._y - 15, RIGHT - LEFT, 15, FAINT)
            self._page.text(set_glyphs(row.title), BODY, LEFT + 6, self._y - 11)
            self._page.text(set_glyphs(row.clause), SMALL, LEFT + 230, self._y - 11, GREY)
            self._right(self._page, row.outcome + "  ", BODY, self._y - 11, ink)
            self._y -= 15


def _pair_height(block: Pair) -> float:
    return min(COLUMN * block.shown.height / block.shown.width, 420.0)


def _kept_together(following: Sequence[object]) -> float:
    """The room that a heading needs with what must not be parted from it: its first picture, or a line or two."""
    first = next((block for block in following[:2] if isinstance(block, Pair)), None)
    return 64.0 if first is None else 100.0 + _pair_height(first)


def set_glyphs(text: str, *, bold: bool = False) -> list[Glyph]:
    """Glyphs of a text; a character that no face has becomes an empty square."""
    stack = "hei-bold" if bold else "hei"
    found = (glyph(stack, char) or glyph(stack, _MISSING) or glyph(stack, "?") for char in text)
    return [item for item in found if item is not None]


def wide(items: Sequence[Glyph], size: float) -> float:
    """How wide the glyphs are, in points."""
    return sum(item.advance for item in items) * size / 1000
