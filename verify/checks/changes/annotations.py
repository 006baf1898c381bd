"""Annotations of a page (ISO 32000-2 12.5): the widgets of fields, and comments where a certification allows them.

Annotations paint over the page. Where nobody allowed them they are no harmless change, whatever their kind; where a
certification does (DocMDP 3), they may be added only as what they are: on no printed text, by no kind that passes for
text of the page. What was there when the document was certified stays.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from verify.checks.changes.drawing import DrawingError, read_drawing
from verify.checks.changes.graphics import shade
from verify.checks.changes.ink import is_ink
from verify.checks.changes.model import Area, Kind, Path
from verify.checks.changes.reasons import Doubt, Reason
from verify.checks.changes.walk import Node, Walk
from verify.formats.pdfvalues import Dictionary, Name, Reference, Stream, Value
from verify.place import Box, Place

if TYPE_CHECKING:
    from verify.formats.pdffile import Snapshot

_MARKS_TEXT = frozenset(b"Highlight Underline Squiggly StrikeOut".split())
_COMMENTS = _MARKS_TEXT | frozenset(
    b"Text FreeText Stamp Line Square Circle Polygon PolyLine Caret Ink Popup FileAttachment".split()
)
"""Kinds of annotation that are comments: they play nothing, print nothing else, lead nowhere."""


def compare_annotations(walk: Walk, old: Value, new: Value, path: Path, page: int) -> None:
    """Judge the entry /Annots of one page (counted from 1)."""
    before, after = walk.old.resolve(old), walk.new.resolve(new)
    path = path.at(new.number) if isinstance(new, Reference) else path
    if not isinstance(after, (list, type(None))):
        if not walk.unchanged(old, new):
            walk.fault(Reason.ANNOTATIONS_BROKEN, path, page=page)
        return
    known = before if isinstance(before, list) else []
    walk.shown_fields[page] = list(_field_boxes(walk, known))
    held = after or []
    pairs = list(_paired(walk, known, held))
    matched = {id(one) for one, _, _ in pairs}
    order = [index for _, _, index in pairs]
    for item in known:
        if id(item) not in matched and walk.old.resolve(item) is not None:
            walk.fault(Reason.ANNOTATION_REMOVED, path, page=page)
    if order != sorted(order):
        walk.fault(Reason.ANNOTATIONS_BROKEN, path, page=page)
    for one, other, index in pairs:
        _compare_one(walk, one, other, path.item(index), page)
    taken = set(order)
    for index, item in enumerate(held):
        if index not in taken and walk.new.resolve(item) is not None:
            _judge_added(walk, item, path.item(index), page)


def _paired(walk: Walk, old: list[Value], new: list[Value]) -> Iterator[tuple[Value, Value, int]]:
    """Annotations of both revisions that are one and the same, with the index of the newer one."""
    walk.effort.spend(len(old) + len(new))
    by_number: dict[int, list[int]] = {}
    for index in range(len(new) - 1, -1, -1):
        item = new[index]
        if isinstance(item, Reference):
            by_number.setdefault(item.number, []).append(index)
    direct = iter([index for index, item in enumerate(new) if not isinstance(item, Reference)])
    for item in old:
        index = -1
        if isinstance(item, Reference):
            number = item.number if item.number in by_number else walk.renamed.get(item.number, 0)
            places = by_number.get(number)
            index = places.pop() if places else -1
        else:
            index = next((i for i in direct if walk.unchanged(item, new[i])), -1)
        if index >= 0:
            yield item, new[index], index


def _compare_one(walk: Walk, old: Value, new: Value, path: Path, page: int) -> None:
    pair = (old.number, new.number) if isinstance(old, Reference) and isinstance(new, Reference) else (0, 0)
    if walk.nodes.get(pair) is not Node.FIELD:
        walk.same(old, new, path, Reason.ANNOTATION_CHANGED, drawn=False)
        return
    kind = walk.touched.get(pair[1])
    held = walk.new.resolve(new)
    if kind is not None and isinstance(held, dict):
        walk.changes.areas.append(Area(page, box_of(walk, held), kind))


def _judge_added(walk: Walk, item: Value, path: Path, page: int) -> None:
    number = item.number if isinstance(item, Reference) else 0
    path = path.at(number) if number else path
    held = walk.new.resolve(item)
    if not isinstance(held, dict):
        walk.fault(Reason.ANNOTATIONS_BROKEN, path, page=page)
        return
    box = box_of(walk, held)
    if number in walk.added:
        _judge_widget(walk, number, held, path, page, box)
    elif _judge_comment(walk, held, path, page, box) and number and walk.old.resolve(item) is None:
        walk.comments.add(number)


def _judge_widget(walk: Walk, number: int, held: Dictionary, path: Path, page: int, box: Box | None) -> None:
    """The widget of a new signature field. Its visibility was judged with the field, its place is judged here."""
    if box is None:
        return
    walk.changes.areas.append(Area(page, box, Kind.SIGNATURE))
    if number in walk.empty and _covers(walk, page, box):
        walk.fault(Reason.EMPTY_FIELD_COVERS, path, page=page, box=box)
    elif walk.printed is not None and walk.printed.doubts and _covers(walk, page, box) and not _is_ink(walk, held):
        walk.doubt(Doubt.COVERS_TEXT, Place(page=page, box=box, object_number=number, path=str(path)))


def _is_ink(walk: Walk, held: Dictionary) -> bool:
    """Whether a signature shows itself as a seal does: in ink through which print stays to be read."""
    looks = walk.new.resolve(held.get(b"AP"))
    return isinstance(looks, dict) and looks.keys() <= {b"N"} and is_ink(walk, looks.get(b"N"))


def _judge_comment(walk: Walk, held: Dictionary, path: Path, page: int, box: Box | None) -> bool:
    """Whether it is permitted; if not, that is noted."""
    subtype = walk.new.resolve(held.get(b"Subtype"))
    kind = bytes(subtype) if isinstance(subtype, Name) else b""
    if not walk.rights.may_annotate() or kind not in _COMMENTS:
        walk.fault(Reason.ANNOTATION_ADDED, path, page=page, box=box)
        return False
    if held.keys() & {b"A", b"AA", b"PA"}:
        walk.fault(Reason.SCRIPT, path, page=page, box=box)
        return False
    closed = walk.new.resolve(held.get(b"Open")) is not True
    harmless = (kind == b"Popup" and closed) or (kind in _MARKS_TEXT and _is_transparent(walk, held))
    box = _drawn_box(walk, held, kind, box)
    if box is not None and not harmless and _covers(walk, page, box):
        walk.fault(Reason.ANNOTATION_COVERS, path, page=page, box=box)
        return False
    walk.kind(Kind.ANNOTATION)
    walk.changes.areas.append(Area(page, box, Kind.ANNOTATION))
    walk.doubt(Doubt.ANNOTATION, Place(page=page, box=box, object_number=path.number, path=str(path)))
    return True


def _covers(walk: Walk, page: int, box: Box) -> bool:
    if walk.printed is None:
        return False
    fields = walk.shown_fields.get(page, [])
    walk.effort.spend(walk.printed.cost(page) + len(fields))
    return any(_hides(box, field) for field in fields) or walk.printed.is_covered(walk.old, page, box)


def _field_boxes(walk: Walk, annotations: list[Value]) -> Iterator[Box]:
    """Where signed fields show something: the text of a page does not say so."""
    for raw in annotations:
        held = walk.old.resolve(raw)
        walk.effort.spend(4)
        if not isinstance(held, dict) or walk.old.resolve(held.get(b"Subtype")) != b"Widget":
            continue
        flags = walk.old.resolve(held.get(b"F"))
        box = box_of(walk, held, walk.old)
        if box is not None and held.get(b"AP") is not None and not (isinstance(flags, int) and flags & _HIDDEN):
            yield box


_HIDDEN = 2 | 32
_MUCH = 0.2
"""So much of a field, in one direction and the other, is covered by more than an edge."""


def _hides(box: Box, field: Box) -> bool:
    wide = min(box[2], field[2]) - max(box[0], field[0])
    high = min(box[3], field[3]) - max(box[1], field[1])
    return wide > 0 < high and wide * high >= _MUCH * _MUCH * (field[2] - field[0]) * (field[3] - field[1])


def _is_transparent(walk: Walk, held: Dictionary) -> bool:
    """Whether a mark on text leaves it readable: drawn by the viewer, by lines, or blended with the page."""
    colour = [walk.new.resolve(v) for v in walk.new.items_of(held.get(b"C"))]
    look = walk.new.entry_of(held.get(b"AP"), b"N")
    if look is None:
        bright = shade([float(v) for v in colour if isinstance(v, (int, float))])
        dark = bright is None or bright < _DARK
        return held.get(b"AP") is None and not (walk.new.resolve(held.get(b"Subtype")) == b"Highlight" and dark)
    if not isinstance(look, Stream):
        return False
    try:
        drawn = read_drawing(walk, look)
    except DrawingError:
        return False
    high = min(drawn.box[2] - drawn.box[0], drawn.box[3] - drawn.box[1])
    thin = all(width <= max(_THIN, high / 5) for width in drawn.strokes)
    return not drawn.text and not drawn.opaque and not drawn.dark and thin


_DARK = 0.1
_THIN = 2.0
_ICON = 24.0
"""Points: viewers draw notes as large, whatever their rectangle."""
_POINTS = (b"L", b"Vertices", b"InkList", b"CL", b"QuadPoints")


def _drawn_box(walk: Walk, held: Dictionary, kind: bytes, box: Box | None) -> Box | None:
    """Where a comment is drawn: without a look, viewers go by its own points, which may lie beside its rectangle."""
    edges = [walk.new.resolve(v) for v in walk.new.items_of(held.get(b"Rect"))]
    numbers = [float(v) for v in edges if isinstance(v, (int, float))]
    if kind in (b"Text", b"FileAttachment") and len(numbers) == 4:
        (left, right), (bottom, top) = sorted(numbers[::2]), sorted(numbers[1::2])
        return left, min(bottom, top - _ICON), max(right, left + _ICON), top
    if held.get(b"AP") is not None:
        return box
    points = list(numbers) if len(numbers) == 4 else []
    for key in _POINTS:
        rows = [walk.new.resolve(v) for v in walk.new.items_of(held.get(key))]
        for row in [rows, *(row for row in rows if isinstance(row, list))]:
            walk.effort.spend(len(row))
            points += [float(v) for v in map(walk.new.resolve, row) if isinstance(v, (int, float))]
    if len(points) <= len(numbers):
        return box
    width = walk.new.entry_of(held.get(b"BS"), b"W")
    grown = float(width) if isinstance(width, (int, float)) else 1.0
    xs, ys = points[::2], points[1::2]
    return min(xs) - grown, min(ys) - grown, max(xs) + grown, max(ys) + grown


def box_of(walk: Walk, held: Dictionary, snapshot: Snapshot | None = None) -> Box | None:
    """The rectangle of an annotation (of the newer revision, or ``snapshot``), None when it takes up no room."""
    snapshot = snapshot or walk.new
    edges = [snapshot.resolve(v) for v in snapshot.items_of(held.get(b"Rect"))]
    if len(edges) != 4 or not all(isinstance(e, (int, float)) for e in edges):
        return None
    x0, y0, x1, y1 = (float(e) for e in edges if isinstance(e, (int, float)))
    if x0 == x1 or y0 == y1:
        return None
    return min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1)
