"""Pictures for a report: the page as it was signed beside the page as it is shown, with the places that differ.

Drawn by PDFium like any viewer would. Whatever fails gives fewer pictures, never an error. Pixels leave as the rows of
a PNG (filter byte first), deflated: whoever embeds them need not decode anything but can count the bytes.
"""

from __future__ import annotations

import base64
import contextlib
import zlib
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from verify.place import Box

if TYPE_CHECKING:
    from verify.formats.pageview import PageView
    from verify.verdict import Verdict

MAX_PAGES = 4
"""So many pages are shown at most."""
SEARCHED_PAGES = 60
"""So many pages are compared, where nothing says which pages to show."""
WIDTH = 620
SEARCH_WIDTH = 200
MAX_BOXES = 12
_CELL = 10
_DIFFERENCE = 36
"""Grey levels of 255 by which a pixel must differ."""
_MAX_HEIGHT = 1000
_LEVEL = 6


def pictures_json(verdict: Verdict, data: bytes, password: str | None = None) -> list[dict[str, Any]]:
    """``[{page, boxes, signed, shown}]``: boxes are fractions of the page, left top right bottom; ``signed`` is null
    where only the shown page is told of. A picture is ``{width, height, data}``."""
    if verdict.kind != "pdf" or verdict.facts is None:
        return []
    end = verdict.facts.signed_end
    changed = 0 < end < len(data) and verdict.integrity.value == "ALTERED"
    made: list[dict[str, Any]] = []
    with contextlib.ExitStack() as stack:
        shown = _opened(stack, data, password)
        if shown is None:
            return []
        signed = _opened(stack, data[:end], password) if changed else None
        places = _places(verdict)
        pages = [p for p in sorted(places) if 1 <= p <= shown.page_count]
        if signed is not None and not pages:
            pages = list(_differing(signed, shown))
        for page in pages[:MAX_PAGES]:
            with contextlib.suppress(Exception):
                made.append(_pair(signed, shown, page, places.get(page, ())))
    return made


def _opened(stack: contextlib.ExitStack, data: bytes, password: str | None) -> PageView | None:
    from verify.formats.pageview import PageError, open_pages

    try:
        view = open_pages(data, password)
    except PageError:
        return None
    stack.callback(view.close)
    return view


def _places(verdict: Verdict) -> dict[int, list[Box]]:
    """Pages that findings name, with the boxes that they give."""
    found: dict[int, list[Box]] = {}
    for finding in verdict.findings:
        place = finding.place
        if finding.severity.value != "NOTE" and place is not None and place.page is not None:
            boxes = found.setdefault(place.page, [])
            if place.box is not None:
                boxes.append(place.box)
    return found


def _differing(signed: PageView, shown: PageView) -> Iterator[int]:
    """Pages whose small pictures differ; those beyond the signed ones count as differing."""
    found = 0
    for page in range(1, min(max(shown.page_count, 1), SEARCHED_PAGES) + 1):
        if found == MAX_PAGES:
            return
        if page > signed.page_count or _regions(_grey(signed, page), _grey(shown, page)):
            found += 1
            yield page


def _grey(view: PageView, page: int) -> Any:
    return view.shown(page, SEARCH_WIDTH, _MAX_HEIGHT).convert("L")


def _pair(signed: PageView | None, shown: PageView, page: int, places: Sequence[Box]) -> dict[str, Any]:
    after = shown.shown(page, WIDTH, _MAX_HEIGHT)
    before = signed.shown(page, WIDTH, _MAX_HEIGHT) if signed is not None and page <= signed.page_count else None
    boxes = [b for b in (_fraction(box, shown.size(page)) for box in places) if b is not None]
    if before is not None and not boxes:
        boxes = _regions(before.convert("L"), after.convert("L"))
    return {
        "page": page,
        "boxes": [[round(edge, 4) for edge in box] for box in boxes[:MAX_BOXES]],
        "signed": _packed(before) if before is not None else None,
        "shown": _packed(after),
    }


def _fraction(box: Box, size: tuple[float, float]) -> Box | None:
    """A box in points, from below, as fractions from above."""
    width, height = size
    left, right = sorted((box[0] / width, box[2] / width))
    top, bottom = sorted((1 - box[3] / height, 1 - box[1] / height))
    clipped = max(0.0, left), max(0.0, top), min(1.0, right), min(1.0, bottom)
    return clipped if clipped[0] < clipped[2] and clipped[1] < clipped[3] else None


def _packed(picture: Any) -> dict[str, Any]:
    """Pixels as PNG rows without filtering."""
    width, height = picture.size
    row, raw = 3 * width, picture.convert("RGB").tobytes()
    rows = b"".join(b"\0" + raw[y * row : (y + 1) * row] for y in range(height))
    return {"width": width, "height": height, "data": base64.b64encode(zlib.compress(rows, _LEVEL)).decode()}


def _regions(before: Any, after: Any) -> list[Box]:
    """Where two grey pictures differ: boxes around touching cells, as fractions, the largest first."""
    from PIL import ImageChops

    if before.size != after.size:
        return [(0.0, 0.0, 1.0, 1.0)]
    difference = ImageChops.difference(before, after).point(lambda level: 255 if level > _DIFFERENCE else 0)
    if difference.getbbox() is None:
        return []
    width, height = difference.size
    columns, rows = -(-width // _CELL), -(-height // _CELL)
    cells = {
        (x, y)
        for y in range(rows)
        for x in range(columns)
        if difference.crop((x * _CELL, y * _CELL, (x + 1) * _CELL, (y + 1) * _CELL)).getbbox() is not None
    }
    boxes = [
        (
            min(x for x, _ in group) * _CELL / width,
            min(y for _, y in group) * _CELL / height,
            min(1.0, (max(x for x, _ in group) + 1) * _CELL / width),
            min(1.0, (max(y for _, y in group) + 1) * _CELL / height),
        )
        for group in _groups(cells)
    ]
    return sorted(boxes, key=lambda b: -(b[2] - b[0]) * (b[3] - b[1]))


def _groups(cells: set[tuple[int, int]]) -> Iterator[set[tuple[int, int]]]:
    """Cells that touch, or have one cell between them, together."""
    left = set(cells)
    while left:
        todo = [left.pop()]
        group = set(todo)
        while todo:
            x, y = todo.pop()
            near = {(x + dx, y + dy) for dx in range(-2, 3) for dy in range(-2, 3)} & left
            left -= near
            group |= near
            todo += near
        yield group
