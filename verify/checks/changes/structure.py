"""The structure tree (ISO 32000-2 14.7): it may grow by what stands for new fields and permitted comments, and in
nothing else.

What tags say is read aloud and copied out, so a changed tag changes the document for those who do not see it. A comment
that stood among the words of a sentence would be read with them: it comes behind everything that was there, at the end
of the tree or of one of its topmost elements.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from verify.checks.changes.model import Kind, Path
from verify.checks.changes.reasons import Reason
from verify.checks.changes.walk import Node, Walk
from verify.formats.pdfvalues import Dictionary, Reference, Value

if TYPE_CHECKING:
    from verify.formats.pdffile import Snapshot

_ROOT_RULED = frozenset((b"K", b"ParentTree", b"ParentTreeNextKey"))
_NEW_KEYS = frozenset(b"Type S P K Pg ID T Lang Alt C A NS".split())
_COMMENT_KEYS = frozenset(b"Type S P K Pg ID".split())


def compare_structure(walk: Walk, old: Value, new: Value, path: Path) -> None:
    """Judge the entry /StructTreeRoot of two catalogs."""
    if old is None and new is None:
        return
    before, after = walk.old.resolve(old), walk.new.resolve(new)
    if not isinstance(before, dict) or not isinstance(after, dict):
        walk.same(old, new, path, Reason.STRUCTURE)
        return
    path = path.at(new.number) if isinstance(new, Reference) else path
    walk.node(old, new, Node.STRUCTURE)
    walk.same_entries(before, after, path, Reason.STRUCTURE, but=_ROOT_RULED)
    _compare_kids(walk, before, after, path)
    _compare_parents(walk, before.get(b"ParentTree"), after.get(b"ParentTree"), path.key(b"ParentTree"))


def _compare_kids(walk: Walk, old: Dictionary, new: Dictionary, path: Path) -> None:
    """Walk down elements that both revisions have; element by element, each once."""
    waiting: list[tuple[Value, Value, Path, _Chain]] = [(old.get(b"K"), new.get(b"K"), path.key(b"K"), None)]
    while waiting:
        one, other, place, chain = waiting.pop()
        before, after = _as_list(walk.old, one), _as_list(walk.new, other)
        if _is_topmost(chain):
            after = after[: len(after) - _comments_behind(walk, before, after)]
        added = _added(before, after)
        if added is None:
            walk.same(one, other, place, Reason.STRUCTURE)
            continue
        extra = {id(item) for item in added}
        last = max((i for i, item in enumerate(after) if id(item) not in extra), default=-1)
        behind = {id(item) for item in after[last + 1 :]} if _is_topmost(chain) else set()
        for item in added:
            if not _judge_element(walk, item, place, 0, behind=id(item) in behind):
                walk.fault(Reason.STRUCTURE, place)
        kept = [item for item in after if id(item) not in extra]
        walk.effort.spend(len(after) + 1)
        if len(kept) != len(before):
            walk.same(one, other, place, Reason.STRUCTURE)
            continue
        for a, b in zip(before, kept, strict=True):
            held, now = walk.old.resolve(a), walk.new.resolve(b)
            if not isinstance(held, dict) or not isinstance(now, dict) or not isinstance(b, Reference):
                walk.same(a, b, place, Reason.STRUCTURE)
                continue
            if walk.node(a, b, Node.STRUCTURE):
                step = place.at(b.number)
                but = _BUT_KIDS_AND_PAGE if chain is None and _names_page(walk, held, now) else _BUT_KIDS
                walk.same_entries(held, now, step, Reason.STRUCTURE, but=but)
                waiting.append((held.get(b"K"), now.get(b"K"), step.key(b"K"), (b.number, chain)))
            elif _is_in(b.number, chain):
                walk.fault(Reason.STRUCTURE_CIRCLE, place.at(b.number))


_BUT_KIDS, _BUT_KIDS_AND_PAGE = frozenset((b"K",)), frozenset((b"K", b"Pg"))
_Chain = tuple[int, "_Chain"] | None


def _is_topmost(chain: _Chain) -> bool:
    """Whether these are the kids of the tree itself, or of an element that is one of them."""
    return chain is None or chain[1] is None


def _comments_behind(walk: Walk, old: list[Value], new: list[Value]) -> int:
    """How many kids at the end are new, and are nothing but references to new comments or fields."""
    count = 0
    while count < len(new) - len(old) and _is_reference(walk, new[-1 - count]):
        count += 1
    if count:
        walk.kind(Kind.STRUCTURE)
    return count


def _is_reference(walk: Walk, raw: Value) -> bool:
    """An object reference (14.7.5.3) to a new comment or field that stands nowhere else in the tree."""
    walk.effort.spend()
    held = walk.new.resolve(raw)
    if not isinstance(held, dict) or held.keys() - {b"Type", b"Obj", b"Pg"} or held.get(b"Type") != b"OBJR":
        return False
    if isinstance(raw, Reference) and walk.old.resolve(raw) is not None:
        return False
    target = held.get(b"Obj")
    known = isinstance(target, Reference) and (target.number in walk.comments or target.number in walk.added)
    return known and (b"Pg" not in held or _is_page(walk, held[b"Pg"]))


def _is_page(walk: Walk, raw: Value) -> bool:
    return isinstance(raw, Reference) and walk.nodes.get((raw.number, raw.number)) is Node.PAGE


def _names_page(walk: Walk, old: Dictionary, new: Dictionary) -> bool:
    """Whether an element has got a page (/Pg) for references to new comments alone (iText leaves it out of those).

    Readers take the page of content from the nearest element that names one, so that there must be no content below
    that named none: it would come to mean another place.
    """
    if old.get(b"Pg") is not None or not _is_page(walk, new.get(b"Pg")):
        return False
    kids = list(_as_list(walk.old, old.get(b"K")))
    if not _comments_behind(walk, kids, _as_list(walk.new, new.get(b"K"))):
        return False
    met: set[int] = set()
    while kids:
        walk.effort.spend()
        raw = kids.pop()
        if isinstance(raw, Reference):
            if raw.number in met:
                continue
            met.add(raw.number)
        held = walk.old.resolve(raw)
        if isinstance(held, dict) and held.get(b"Pg") is not None:
            continue
        if not isinstance(held, dict) or held.get(b"Type") in (b"MCR", b"OBJR") or b"S" not in held:
            return False
        kids.extend(_as_list(walk.old, held.get(b"K")))
    return True


def _is_in(number: int, chain: _Chain) -> bool:
    while chain is not None:
        if chain[0] == number:
            return True
        chain = chain[1]
    return False


def _as_list(snapshot: Snapshot, raw: Value) -> list[Value]:
    held = snapshot.resolve(raw)
    return held if isinstance(held, list) else [] if held is None else [raw]


def _added(old: list[Value], new: list[Value]) -> Sequence[Value] | None:
    """The references in ``new`` that ``old`` lacks, when the rest is of the same number; else None."""
    known = {item.number for item in old if isinstance(item, Reference)}
    if len(new) <= len(old):
        return [] if len(new) == len(old) else None
    added = [item for item in new if isinstance(item, Reference) and item.number not in known]
    return added if len(new) - len(added) == len(old) else None


def _judge_element(walk: Walk, raw: Value, path: Path, depth: int, *, behind: bool) -> bool:
    """A new element: it may hold references to new fields, and elements that do. Says whether it leads to a field.

    One that leads to none would add its own words (/Alt) to what is read aloud. ``behind`` all that was there it may
    also hold a reference to a new comment, and then nothing else.
    """
    held = walk.new.resolve(raw)
    if isinstance(raw, Reference):
        path = path.at(raw.number)
        if not walk.node(raw, raw, Node.STRUCTURE):
            return False
    fits = isinstance(held, dict) and depth < 8 and not held.keys() - _NEW_KEYS
    if not fits or (isinstance(raw, Reference) and walk.old.resolve(raw) is not None):
        walk.fault(Reason.STRUCTURE, path)
        return True
    walk.kind(Kind.STRUCTURE)
    if behind and isinstance(held, dict) and _holds_comment(walk, held):
        return True
    leads = False
    for kid in _as_list(walk.new, held.get(b"K") if isinstance(held, dict) else None):
        item = walk.new.resolve(kid)
        if isinstance(item, dict) and item.get(b"Type") == b"OBJR":
            target = item.get(b"Obj")
            leads = True
            if not isinstance(target, Reference) or target.number not in walk.added:
                walk.fault(Reason.STRUCTURE, path)
        elif isinstance(item, dict):
            leads = _judge_element(walk, kid, path, depth + 1, behind=False) or leads
        else:
            walk.fault(Reason.STRUCTURE, path)
    return leads


def _holds_comment(walk: Walk, held: Dictionary) -> bool:
    """Whether a new element is that of new comments (14.8.4.7.2, Annot), and says nothing itself."""
    kids = _as_list(walk.new, held.get(b"K"))
    plain = not held.keys() - _COMMENT_KEYS and walk.new.resolve(held.get(b"S")) == b"Annot"
    above = held.get(b"P")
    if not isinstance(above, Reference) or walk.nodes.get((above.number, above.number)) is not Node.STRUCTURE:
        return False
    if b"Pg" in held and not _is_page(walk, held[b"Pg"]):
        return False
    return plain and bool(kids) and all(_is_reference(walk, kid) for kid in kids)


def _compare_parents(walk: Walk, old: Value, new: Value, path: Path) -> None:
    """The tree from marked content back to elements: keys may be added."""
    if walk.old.resolve(old) is None and walk.new.resolve(new) is None:
        return
    before, after = dict(_numbers(walk, walk.old, old)), dict(_numbers(walk, walk.new, new))
    for key, value in before.items():
        walk.same(value, after.get(key), path, Reason.STRUCTURE)
    elements = {number for (_, number), node in walk.nodes.items() if node is Node.STRUCTURE}
    for key in after.keys() - before.keys():
        held = walk.new.resolve(after[key])
        known = [after[key]] if isinstance(held, dict) else held if isinstance(held, list) else [None]
        walk.effort.spend(len(known) + 1)
        beside = any(not isinstance(item, Reference) or item.number not in elements for item in known)
        if beside or key in walk.marked:
            walk.fault(
                Reason.STRUCTURE, path
            )  # an element beside the tree, or another, gives signed content other words


def _numbers(walk: Walk, snapshot: Snapshot, root: Value) -> Iterator[tuple[int, Value]]:
    """The entries of a number tree."""
    waiting: list[Value] = [root]
    met: set[int] = set()
    while waiting:
        raw = waiting.pop()
        if isinstance(raw, Reference):
            if raw.number in met:
                continue
            met.add(raw.number)
        held = snapshot.resolve(raw)
        if not isinstance(held, dict):
            continue
        entries = snapshot.items_of(held.get(b"Nums"))
        walk.effort.spend(len(entries) + 1)
        for key, value in zip(entries[::2], entries[1::2], strict=False):
            number = snapshot.resolve(key)
            if isinstance(number, int):
                yield number, value
        waiting.extend(snapshot.items_of(held.get(b"Kids")))
