"""Can what the page's text says be read on the page, and is nothing else drawn in its place?

Each part is drawn for itself. Text alone: a character without ink there is hidden, be it white, clipped, invisible or
too small. What is painted later may not lie over a text. What is painted earlier must be too pale to pass for writing.
The seal may lie over text but must let it show through.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from verify.formats.license import Box, FaceItem, LicenseRecord
from verify.formats.pageobjects import Mark
from verify.formats.pageview import Character, PageError, PageView
from verify.inquiry import Inquiry
from verify.place import Place
from verify.policy import Policy

if TYPE_CHECKING:
    from verify.checks.sealed import SealedDocument

_SLACK = 0.5  # points
_SMALLEST = 2.0
"""Points: type lower than this is not read by anybody."""
_STATIC_CONTRAST = 10
"""Fixed text may be pale, as the word SAMPLE across the page is; nothing at all is hidden."""
_SHOWS_THROUGH = 24
"""Grey levels by which a character must change the picture under the seal."""


@dataclass(slots=True)
class _Page:
    """One page, its text by datum, and what is painted on it."""

    number: int
    height: float
    items: list[tuple[FaceItem, list[Character]]]
    static: list[Character]
    marks: list[Mark]


def check_page_ink(inquiry: Inquiry, document: SealedDocument, pages: PageView, record: LicenseRecord) -> None:
    """See that every printed datum is visible, that nothing lies over one, and that nothing waits to be shown."""
    for number in range(1, min(len(record.face.pages), pages.page_count) + 1):
        inquiry.spend()
        try:
            _check_page(inquiry, pages, record, number)
        except PageError:
            inquiry.report("PAGE_NOT_DRAWN", place=Place(page=number), page=number)
    _check_hidden(inquiry, document)


def _check_page(inquiry: Inquiry, pages: PageView, record: LicenseRecord, number: int) -> None:
    page = _read(pages, record, number)
    _check_visible(inquiry, pages, page)
    for item, characters in page.items:
        if characters and _covered(page.marks, characters):
            inquiry.report("PAGE_TEXT_COVERED", place=Place(page=number, box=item.box), field=item.field)
    if _covered(page.marks, page.static):
        inquiry.report("PAGE_STATIC_HIDDEN", place=Place(page=number), page=number)
    _check_shapes(inquiry, pages, page)
    if record.face.seal_page == number:
        _check_under_seal(inquiry, pages, page, record.face.seal_box)


def _read(pages: PageView, record: LicenseRecord, number: int) -> _Page:
    items = [i for i in record.face.items if i.page == number and "".join(i.text.split())]
    found: list[tuple[FaceItem, list[Character]]] = [(i, []) for i in items]
    static: list[Character] = []
    for character in pages.characters(number):
        for item, characters in found:
            if _holds(item.box, character):
                characters.append(character)
                break
        else:
            static.append(character)
    return _Page(number, pages.size(number)[1], found, static, pages.marks(number))


def _holds(box: Box, character: Character) -> bool:
    return box[0] - 1 <= character.x <= box[2] + 1 and box[1] - 1 <= character.y <= box[3] + 1


# --- text alone -----------------------------------------------------------------------------------------------------


def _check_visible(inquiry: Inquiry, pages: PageView, page: _Page) -> None:
    policy = inquiry.policy
    with pages.only(page.number, (m.order for m in page.marks if m.kind in ("text", "form") and _may_be_text(m, page))):
        drawn = _Drawn(pages, page, policy)
    for item, characters in page.items:
        hidden = [c for c in characters if c.height < _SMALLEST or drawn.contrast(c.box) < policy.contrast]
        if hidden or not characters:
            inquiry.report("PAGE_TEXT_HIDDEN", place=Place(page=page.number, box=item.box), field=item.field)
    if any(c.height < _SMALLEST or drawn.contrast(c.box) < _STATIC_CONTRAST for c in page.static):
        inquiry.report("PAGE_STATIC_HIDDEN", place=Place(page=page.number), page=page.number)


def _may_be_text(mark: Mark, page: _Page) -> bool:
    """Text, or a form that is painted among it: what comes before all text is background."""
    first = next((m.order for m in page.marks if m.kind == "text"), 0)
    return mark.kind == "text" or mark.order > first


class _Drawn:
    """A drawn page (or a part of it) that is asked for the contrast inside boxes."""

    def __init__(self, pages: PageView, page: _Page, policy: Policy, box: Box | None = None, **options: Any) -> None:
        self._scale = policy.ink_dpi / 72
        options.setdefault("annotations", False)
        self.picture = pages.picture(page.number, box, policy.ink_dpi, policy.limits.render_pixels, **options)
        self._left, self._top = (max(0.0, box[0]), min(page.height, box[3])) if box else (0.0, page.height)

    def crop(self, box: Box) -> Any:
        """The part of the picture inside a box given in points, and half a pixel to the sides: a stem thinner than a
        pixel is drawn in the pixel nearest to it, which may be the one before."""
        left, right = (box[0] - self._left) * self._scale - 0.5, (box[2] - self._left) * self._scale + 0.5
        top, bottom = (self._top - box[3]) * self._scale, (self._top - box[1]) * self._scale
        width, height = self.picture.size
        x0, y0 = max(0, int(left)), max(0, int(top))
        return self.picture.crop(
            (x0, y0, max(x0 + 1, min(width, int(right) + 1)), max(y0 + 1, min(height, int(bottom) + 1)))
        )

    def contrast(self, box: Box) -> int:
        """Grey levels between paper (white) and the darkest pixel inside a box."""
        return 255 - int(self.crop(box).getextrema()[0])


# --- what else is painted -------------------------------------------------------------------------------------------


def _covered(marks: list[Mark], characters: list[Character]) -> bool:
    """Whether something other than text is painted over a text after it."""
    order = min((m.order for m in marks if m.kind == "text" and _touches(m.box, characters)), default=None)
    if order is None:
        return False
    return any(m.order > order and m.kind != "text" and _touches(m.box, characters) for m in marks)


def _touches(box: Box, characters: list[Character]) -> bool:
    return any(_overlap(box, c.box) for c in characters)


def _overlap(a: Box, b: Box) -> bool:
    return (
        a[0] < b[2] - _SLACK / 2 and b[0] < a[2] - _SLACK / 2 and a[1] < b[3] - _SLACK / 2 and b[1] < a[3] - _SLACK / 2
    )


def _check_shapes(inquiry: Inquiry, pages: PageView, page: _Page) -> None:
    """Shapes dark enough to be read, inside the box of a datum: drawn writing in place of text."""
    boxes = [item.box for item, _ in page.items]
    near = [m.order for m in page.marks if m.kind != "text" and any(_overlap(m.box, b) for b in boxes)]
    shades = pages.darkness(page.number, near)
    dark = [order for order, shade in zip(near, shades, strict=True) if shade >= inquiry.policy.contrast]
    if not dark:
        return
    with pages.only(page.number, dark):
        drawn = _Drawn(pages, page, inquiry.policy)
    for item, _ in page.items:
        if drawn.contrast(_shrunk(item.box)) >= inquiry.policy.contrast:
            inquiry.report("PAGE_TEXT_SHAPES", place=Place(page=page.number, box=item.box), field=item.field)


def _shrunk(box: Box) -> Box:
    """A box without its edge, which a line of the form's frame may touch."""
    edge_x, edge_y = min(1.0, (box[2] - box[0]) / 4), min(1.0, (box[3] - box[1]) / 4)
    return box[0] + edge_x, box[1] + edge_y, box[2] - edge_x, box[3] - edge_y


def _check_under_seal(inquiry: Inquiry, pages: PageView, page: _Page, seal: Box) -> None:
    """Text below the seal must still change the picture: a seal is no cover."""
    below = [(i, [c for c in characters if _overlap(seal, c.box)]) for i, characters in page.items]
    below = [(i, characters) for i, characters in below if characters]
    if not below:
        return
    full = _Drawn(pages, page, inquiry.policy, seal, annotations=True)
    with pages.only(page.number, (m.order for m in page.marks if m.kind != "text")):
        bare = _Drawn(pages, page, inquiry.policy, seal, annotations=True)
    for item, characters in below:
        if sum(_differs(full, bare, c.box) for c in characters) * 2 < len(characters):
            inquiry.report("PAGE_TEXT_COVERED", place=Place(page=page.number, box=item.box), field=item.field)


def _differs(one: _Drawn, other: _Drawn, box: Box) -> bool:
    from PIL import ImageChops

    extremes: Any = ImageChops.difference(one.crop(box), other.crop(box)).getextrema()
    return bool(extremes[1] >= _SHOWS_THROUGH)


# --- what waits -----------------------------------------------------------------------------------------------------


def _check_hidden(inquiry: Inquiry, document: SealedDocument) -> None:
    for what in _waiting(document):
        inquiry.report("HIDDEN_CONTENT", what=what)


def _waiting(document: SealedDocument) -> Iterator[str]:
    graph = document.graph
    if graph.has_script():
        yield "a script or action"
    if graph.has_hidden_layers():
        yield "optional layers"
    kinds = graph.annotation_kinds()
    others = [kind for _, kind, _ in kinds if kind != "/Widget"]
    if others or len(kinds) > (len(document.seals) if document.joint else 1):
        yield f"annotations {' '.join(others)}"
