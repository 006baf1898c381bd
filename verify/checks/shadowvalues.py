"""Form fields of a signed file whose value is not what they show, or that no page shows."""

from __future__ import annotations

from collections.abc import Iterator

from verify.checks.changes.appearance import shows
from verify.checks.changes.drawing import DrawingError, read_drawing
from verify.checks.changes.fieldlook import plain
from verify.checks.changes.fieldview import FieldView, read_view
from verify.checks.changes.permissions import Rights
from verify.checks.changes.walk import Effort, Walk
from verify.formats.pdffile import Snapshot
from verify.formats.pdftrees import pages
from verify.formats.pdfvalues import Dictionary, Reference, Stream, Value
from verify.place import Place

_MOST_FIELDS = 2_000
_RICH, _MULTIPLE = 1 << 25, 1 << 21


def contradicting_fields(signed: Snapshot) -> Iterator[Place]:
    """Text and choice fields whose appearance, as far as it can be read, shows another text than their value."""
    walk = Walk(signed, signed, Rights(), None, Effort())
    for reference, field, view in _fields(signed, walk):
        if view.type not in (b"Tx", b"Ch") or view.flags & (_RICH | _MULTIPLE) or view.formatted:
            continue
        look = signed.entry_of(signed.entry_of(field, b"AP"), b"N")
        value = signed.resolve(view.new_value)
        if not isinstance(look, Stream) or value is None:
            continue
        try:
            drawn = read_drawing(walk, look)
        except DrawingError:
            continue
        if plain(drawn.text) and not shows(walk, drawn, view):
            yield Place(object_number=reference.number if reference else None, field=view.name)


def unplaced_fields(signed: Snapshot) -> Iterator[Place]:
    """Fields with a look and a size that stand on no page."""
    placed: set[int] = set()
    for page in pages(signed):
        placed.update(v.number for v in signed.items_of(page.dictionary.get(b"Annots")) if isinstance(v, Reference))
    walk = Walk(signed, signed, Rights(), None, Effort())
    for reference, field, view in _fields(signed, walk):
        if reference is None or reference.number in placed or view.type == b"Sig" or b"AP" not in field:
            continue
        edges = [signed.resolve(v) for v in signed.items_of(field.get(b"Rect"))]
        numbers = [float(v) for v in edges if isinstance(v, (int, float))]
        if len(numbers) == 4 and numbers[0] != numbers[2] and numbers[1] != numbers[3]:
            yield Place(object_number=reference.number, field=view.name)


def _fields(signed: Snapshot, walk: Walk) -> Iterator[tuple[Reference | None, Dictionary, FieldView]]:
    """Every field and widget of the form with its number and what it inherits."""
    roots = signed.items_of(signed.entry_of(signed.entry_of(signed.root, b"AcroForm"), b"Fields"))
    waiting: list[tuple[Value, FieldView]] = [(raw, FieldView()) for raw in reversed(roots)]
    seen: set[Reference] = set()
    while waiting and len(seen) < _MOST_FIELDS:
        raw, above = waiting.pop()
        field = signed.resolve(raw)
        if not isinstance(field, dict) or (isinstance(raw, Reference) and raw in seen):
            continue
        reference = raw if isinstance(raw, Reference) else None
        if reference is not None:
            seen.add(reference)
        view = read_view(walk, field, field, above)
        yield reference, field, view
        waiting.extend((kid, view) for kid in reversed(signed.items_of(field.get(b"Kids"))))
