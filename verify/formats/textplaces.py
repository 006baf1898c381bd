"""Where a text stands in a document: for a seal that goes to its keyword."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from verify.formats.license import Box
from verify.formats.pageview import Character, PageView, open_pages

MAX_KEYWORD, MAX_PLACES = 200, 10_000


@dataclass(frozen=True, slots=True)
class TextPlace:
    """One place of a text: its page (from 1), and its box in user space; the first line of it, where it is broken."""

    page: int
    box: Box


def locate_text(pdf: bytes | Path, keyword: str, password: str | None = None) -> list[TextPlace]:
    """Every place of ``keyword``, in the order of the document, without overlaps; white space does not count.

    Characters of one kind in several widths are the same (NFKC). Raises PageError when the document cannot be read.
    """
    wanted = _plain(keyword[:MAX_KEYWORD])
    if not wanted:
        return []
    view = open_pages(pdf, password)
    try:
        found: list[TextPlace] = []
        for page in range(1, view.page_count + 1):
            found += _on_page(view, page, wanted)
            view.let_go(page)
            if len(found) >= MAX_PLACES:
                break
        return found[:MAX_PLACES]
    finally:
        view.close()


def _plain(text: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFKC", text) if not c.isspace()).casefold()


def _on_page(view: PageView, page: int, wanted: str) -> Iterator[TextPlace]:
    characters = view.characters(page)
    text, owners = [], []
    for character in characters:
        for letter in _plain(character.text):
            text.append(letter)
            owners.append(character)
    whole = "".join(text)
    at = whole.find(wanted)
    while at >= 0:
        yield TextPlace(page, _box(owners[at : at + len(wanted)]))
        at = whole.find(wanted, at + len(wanted))


def _box(characters: list[Character]) -> Box:
    """The box of what stands with the first character in one line, or in one column."""
    first = characters[0]
    near = max(first.height, 1.0) / 2
    line = [c for c in characters if abs(c.y - first.y) < near]
    column = [c for c in characters if abs(c.x - first.x) < near]
    boxes = [c.box for c in (line if len(line) >= len(column) else column)]
    return min(b[0] for b in boxes), min(b[1] for b in boxes), max(b[2] for b in boxes), max(b[3] for b in boxes)
