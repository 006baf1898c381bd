"""Pages: their number, order and everything they show stay; only lists of annotations may change (ISO 32000-2 7.7.3).

The tree above the pages may be built anew, as long as each page inherits what it did.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from verify.checks.changes.annotations import compare_annotations
from verify.checks.changes.model import Kind, Path
from verify.checks.changes.reasons import Reason
from verify.checks.changes.walk import Node, Walk, is_plain
from verify.formats.pdfvalues import Dictionary, Reference, Value, same_value

if TYPE_CHECKING:
    from verify.formats.pdffile import Snapshot

_INHERITED = (b"Resources", b"MediaBox", b"CropBox", b"Rotate")
_RULED = frozenset((b"Annots", b"Parent", b"LastModified", b"PieceInfo", b"Tabs", *_INHERITED))
_NODE_RULED = frozenset((b"Kids", b"Count", b"Parent", *_INHERITED))
_NODE_KEYS = _NODE_RULED | {b"Type"}
_MOST_DEPTH = 64
_REASONS = {
    b"Contents": Reason.PAGE_CONTENT,
    b"Resources": Reason.PAGE_RESOURCES,
    b"AA": Reason.SCRIPT,
}


@dataclass(frozen=True, slots=True)
class Leaf:
    """One page with what it inherits."""

    raw: Value
    parent: Value
    page: Dictionary
    inherited: Dictionary
    path: Path


class PageTreeError(Exception):
    """The page tree cannot be walked. ``path`` says where."""

    def __init__(self, path: Path) -> None:
        super().__init__(str(path))
        self.path = path


def compare_pages(walk: Walk, old: Value, new: Value, path: Path) -> None:
    """Judge the entry /Pages of two catalogs."""
    walk.node(old, new, Node.PAGES)
    try:
        before = list(leaves(walk, walk.old, old, path))
        after = list(leaves(walk, walk.new, new, path))
    except PageTreeError as error:
        walk.fault(Reason.PAGE_TREE, error.path)
        return
    _compare_nodes(walk, old, new, path)
    if len(before) != len(after):
        walk.fault(Reason.PAGES_ADDED if len(after) > len(before) else Reason.PAGES_REMOVED, path)
        return
    for one, other in zip(before, after, strict=True):
        if isinstance(one.raw, Reference) and not isinstance(other.raw, Reference):
            walk.fault(Reason.PAGE_TREE, other.path)
        if not walk.node(one.raw, other.raw, Node.PAGE) and walk.nodes[_pair(one.raw, other.raw)] is not Node.PAGE:
            walk.fault(Reason.PAGE_TREE, other.path)
    for number, (one, other) in enumerate(zip(before, after, strict=True), 1):
        _compare_page(walk, one, other, number)
        marks = walk.old.resolve(one.page.get(b"StructParents"))
        if isinstance(marks, int):
            walk.marked.add(marks)


def _pair(old: Value, new: Value) -> tuple[int, int]:
    return (
        old.number if isinstance(old, Reference) else 0,
        new.number if isinstance(new, Reference) else 0,
    )


def leaves(walk: Walk, snapshot: Snapshot, root: Value, path: Path) -> Iterator[Leaf]:
    """The pages of a tree in order. Raises PageTreeError for a tree that is none, or has a circle."""
    seen: set[int] = set()
    waiting: list[tuple[Value, Value, Dictionary, Path, int]] = [(root, None, {}, path, 0)]
    left = snapshot.file.limits.nodes
    while waiting:
        raw, parent, above, place, depth = waiting.pop()
        left -= 1
        walk.effort.spend(4)
        held = snapshot.resolve(raw)
        place = place.at(raw.number) if isinstance(raw, Reference) else place
        if not isinstance(held, dict) or depth > _MOST_DEPTH or left < 0:
            raise PageTreeError(place)
        inherited = {**above, **{key: held[key] for key in _INHERITED if held.get(key) is not None}}
        kids = snapshot.resolve(held.get(b"Kids"))
        if kids is None and snapshot.resolve(held.get(b"Type")) != b"Pages":
            yield Leaf(raw, parent, held, inherited, place)
            continue
        if isinstance(raw, Reference):
            if raw.number in seen:
                raise PageTreeError(place)
            seen.add(raw.number)
        if not isinstance(kids, list):
            raise PageTreeError(place)
        steps = place.key(b"Kids")
        waiting.extend((kid, raw, inherited, steps.item(i), depth + 1) for i, kid in reversed(list(enumerate(kids))))


def _gains_annotations(walk: Walk, old: Dictionary, new: Dictionary) -> bool:
    """Whether a page has more annotations than before: then a tab order may be given to them."""
    return len(walk.new.items_of(new.get(b"Annots"))) > len(walk.old.items_of(old.get(b"Annots")))


def _compare_nodes(walk: Walk, old: Value, new: Value, path: Path) -> None:
    """The nodes above the pages, as long as both trees have the same shape; what pages inherit is judged there."""
    waiting: list[tuple[Value, Value, Path]] = [(old, new, path)]
    kept: set[int] = set()
    while waiting:
        one, other, place = waiting.pop()
        before, after = walk.old.resolve(one), walk.new.resolve(other)
        old_kids = walk.old.items_of(before.get(b"Kids")) if isinstance(before, dict) else []
        new_kids = walk.new.items_of(after.get(b"Kids")) if isinstance(after, dict) else []
        if not isinstance(before, dict) or not isinstance(after, dict) or not (old_kids and new_kids):
            continue
        place = place.at(other.number) if isinstance(other, Reference) else place
        walk.node(one, other, Node.PAGES)
        kept.add(id(after))
        walk.same_entries(before, after, place, Reason.PAGE_TREE, but=_NODE_RULED)
        if len(old_kids) != len(new_kids):
            walk.kind(Kind.REWRITTEN)
            _check_count(walk, other, after, place)
            continue
        walk.same(before.get(b"Count"), after.get(b"Count"), place.key(b"Count"), Reason.PAGE_TREE)
        steps = place.key(b"Kids")
        waiting.extend((a, b, steps.item(i)) for i, (a, b) in enumerate(zip(old_kids, new_kids, strict=True)))
    _check_new_nodes(walk, new, path, kept)


def _check_new_nodes(walk: Walk, raw: Value, path: Path, kept: set[int]) -> int:
    """Nodes that only the newer tree has are nothing but nodes: some viewers go by /Type, and show one as a page.

    Gives the number of pages. The tree has been walked before, so it is not too deep and has no circles.
    """
    node = walk.new.resolve(raw)
    kids = walk.new.resolve(node.get(b"Kids")) if isinstance(node, dict) else None
    if not isinstance(node, dict) or not isinstance(kids, list):
        return 1
    walk.effort.spend(len(kids) + 1)
    path = path.at(raw.number) if isinstance(raw, Reference) else path
    steps = path.key(b"Kids")
    count = sum(_check_new_nodes(walk, kid, steps.item(i), kept) for i, kid in enumerate(kids))
    if id(node) not in kept:
        walk.kind(Kind.REWRITTEN)
        if walk.new.resolve(node.get(b"Type")) != b"Pages" or node.keys() - _NODE_KEYS:
            walk.fault(Reason.PAGE_TREE, path)
        if walk.new.resolve(node.get(b"Count")) != count:
            walk.fault(Reason.PAGE_TREE, path.key(b"Count"))
    return count


def _check_count(walk: Walk, raw: Value, node: Dictionary, path: Path) -> None:
    """Viewers believe /Count: a tree that was built anew has to say how many pages it has."""
    if walk.new.resolve(node.get(b"Count")) != sum(1 for _ in leaves(walk, walk.new, raw, path)):
        walk.fault(Reason.PAGE_TREE, path.key(b"Count"))


def _compare_page(walk: Walk, old: Leaf, new: Leaf, number: int) -> None:
    before, after, path = old.page, new.page, new.path.on_page(number)
    for key in _INHERITED:
        reason = Reason.PAGE_RESOURCES if key == b"Resources" else Reason.PAGE_BOX
        drawn = key == b"Resources"
        walk.same(old.inherited.get(key), new.inherited.get(key), path.key(key), reason, drawn=drawn)
    for key in before | after:
        if key not in _RULED:
            reason = Reason.PAGE_BOX if key.endswith(b"Box") else _REASONS.get(key, Reason.PAGE_ENTRY)
            walk.same(before.get(key), after.get(key), path.key(key), reason, drawn=key == b"Contents")
    notes = after.get(b"PieceInfo")
    if not walk.unchanged(before.get(b"PieceInfo"), notes) and not is_plain(walk, notes):
        walk.fault(Reason.PAGE_ENTRY, path.key(b"PieceInfo"))
    if walk.old.resolve(before.get(b"Tabs")) is not None or not _gains_annotations(walk, before, after):
        walk.same(before.get(b"Tabs"), after.get(b"Tabs"), path.key(b"Tabs"), Reason.PAGE_ENTRY)
    if not same_value(before.get(b"Parent"), after.get(b"Parent")) and not same_value(after.get(b"Parent"), new.parent):
        walk.fault(Reason.PAGE_TREE, path.key(b"Parent"))
    compare_annotations(walk, before.get(b"Annots"), after.get(b"Annots"), path.key(b"Annots"), number)
