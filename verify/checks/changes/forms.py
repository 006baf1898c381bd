"""The interactive form: which fields may come, which of their entries may change (ISO 32000-2 12.7, 12.8.2).

Fields of the signed revision keep everything but their value and what shows it. New ones may only be signature fields
at the top of the form. What a single field may do is in :mod:`.fields`.
"""

from __future__ import annotations

import re

from verify.checks.changes.fields import FieldView, add_field, compare_entries, read_view
from verify.checks.changes.fonts import is_plain_font
from verify.checks.changes.model import Kind, Path
from verify.checks.changes.reasons import Reason
from verify.checks.changes.walk import Node, Walk
from verify.formats.pdfvalues import Dictionary, Reference, Text, Value

_RULED = frozenset(b"Fields SigFlags DR DA NeedAppearances".split())
_NAMED_LATER = frozenset((b"XObject",))
"""Resources that fields do not use by themselves: producers put the looks of signatures there."""
_FONT_IN_USE = re.compile(rb"/([^\0\t\n\f\r ()<>\[\]{}/%]+)[\0\t\n\f\r ]+[0-9.+-]+[\0\t\n\f\r ]+Tf")
_MOST_DEPTH = 32


def compare_form(walk: Walk, old: Value, new: Value, path: Path) -> None:
    """Judge the entry /AcroForm of two catalogs."""
    before, after = walk.old.resolve(old), walk.new.resolve(new)
    if after is None:
        if before is not None:
            walk.fault(Reason.FORM_REMOVED, path)
        return
    path = path.at(new.number) if isinstance(new, Reference) else path
    if not isinstance(after, dict) or not isinstance(before, (dict, type(None))):
        walk.fault(Reason.FORM_BROKEN, path)
        return
    before = before or {}
    walk.same_entries(before, after, path, Reason.FORM_ENTRY, but=_RULED)
    _compare_settings(walk, before, after, path)
    _compare_resources(walk, before.get(b"DR"), after.get(b"DR"), path.key(b"DR"))
    fields = path.key(b"Fields")
    old_items, new_items = walk.old.resolve(before.get(b"Fields")), walk.new.resolve(after.get(b"Fields"))
    if not isinstance(new_items, list):
        if new_items is not None or old_items:
            walk.fault(Reason.FORM_BROKEN, fields)
        return
    fields = fields.at(after[b"Fields"].number) if isinstance(after[b"Fields"], Reference) else fields
    _compare_fields(walk, old_items if isinstance(old_items, list) else [], new_items, fields, FieldView(), 0)


def _compare_settings(walk: Walk, old: Dictionary, new: Dictionary, path: Path) -> None:
    """Flags only rise; defaults may be written where there were none; a wish for new appearances is form filling."""
    flags = [_integer(s.resolve(d.get(b"SigFlags"))) for s, d in ((walk.old, old), (walk.new, new))]
    if flags[1] is None or (flags[0] or 0) & ~flags[1]:
        walk.fault(Reason.FORM_ENTRY, path.key(b"SigFlags"))
    if walk.old.resolve(old.get(b"DA")) is not None:
        walk.same(old.get(b"DA"), new.get(b"DA"), path.key(b"DA"), Reason.FORM_ENTRY)
    wish, known = walk.new.resolve(new.get(b"NeedAppearances")), walk.old.resolve(old.get(b"NeedAppearances"))
    walk.kept_looks = known is True and wish is not True
    if wish is True and known is not True:
        walk.kind(Kind.FORM_DATA)
        walk.redrawn = True
        if not walk.rights.may_fill():
            walk.fault(Reason.FILLING_FORBIDDEN, path.key(b"NeedAppearances"))


def _integer(value: Value) -> int | None:
    """An integer, 0 for nothing, None for anything else."""
    return 0 if value is None else value if isinstance(value, int) and not isinstance(value, bool) else None


def _compare_resources(walk: Walk, old: Value, new: Value, path: Path) -> None:
    """Default resources may grow. What fields already use stays; named pictures serve new appearances only."""
    before, after = walk.old.resolve(old), walk.new.resolve(new)
    if walk.unchanged(old, new):
        return
    before, after = (value if isinstance(value, dict) else {} for value in (before, after))
    _check_new_fonts(walk, before, after, path.key(b"Font"))
    for category in before.keys() - _NAMED_LATER:
        known, held = walk.old.resolve(before[category]), walk.new.resolve(after.get(category))
        if not isinstance(known, dict):
            walk.same(before[category], after.get(category), path.key(category), Reason.FORM_ENTRY, drawn=True)
            continue
        held = held if isinstance(held, dict) else {}
        for name, value in known.items():
            walk.same(value, held.get(name), path.key(category).key(name), Reason.FORM_ENTRY, drawn=True)


def _check_new_fonts(walk: Walk, old: Dictionary, new: Dictionary, path: Path) -> None:
    """A font that signed fields name and the form lacked is a plain one: viewers drew them in a plain one so far."""
    known, held = (s.entry_of(d, b"Font") for s, d in ((walk.old, old), (walk.new, new)))
    added = held.keys() - (known.keys() if isinstance(known, dict) else set()) if isinstance(held, dict) else set()
    for name in added & _fonts_in_use(walk) if added else ():
        if not is_plain_font(walk, new, name):
            walk.fault(Reason.FORM_ENTRY, path.key(name))


def _fonts_in_use(walk: Walk) -> set[bytes]:
    """The fonts that the signed form and its fields name in their /DA."""
    form = walk.old.resolve(walk.old.root.get(b"AcroForm"))
    waiting: list[tuple[Value, int]] = [(form, 0)]
    found: set[bytes] = set()
    while waiting:
        raw, depth = waiting.pop()
        walk.effort.spend()
        field = walk.old.resolve(raw)
        if not isinstance(field, dict) or depth > _MOST_DEPTH:
            continue
        drawn = walk.old.resolve(field.get(b"DA"))
        if isinstance(drawn, Text):
            found.update(_FONT_IN_USE.findall(drawn))
        for key in (b"Fields", b"Kids"):
            waiting.extend((kid, depth + 1) for kid in walk.old.items_of(field.get(key)))
    return found


def _compare_fields(walk: Walk, old: list[Value], new: list[Value], path: Path, above: FieldView, depth: int) -> None:
    """Judge the items of /Fields, or of a field's /Kids."""
    if depth > _MOST_DEPTH:
        walk.fault(Reason.FORM_BROKEN, path)
        return
    walk.effort.spend(8 * len(new) + 1)
    left = {item.number: item for item in old if isinstance(item, Reference)}
    by_name = _names(walk, left)
    seen: set[bytes] = set()
    added: list[tuple[Reference, Path]] = []
    for index, item in enumerate(new):
        place = path.item(index)
        held = walk.new.resolve(item)
        if not isinstance(item, Reference) or not isinstance(held, dict):
            if index >= len(old) or isinstance(old[index], Reference):
                walk.fault(Reason.FORM_BROKEN, place)
            else:
                walk.same(old[index], item, place, Reason.FIELD_ENTRY)
            continue
        name = walk.new.resolve(held.get(b"T"))
        twin = left.pop(item.number, None) or left.pop(by_name.get(name, 0), None) if isinstance(name, Text) else None
        twin = twin or left.pop(item.number, None)
        if isinstance(name, Text) and name in seen and twin is None:
            walk.fault(Reason.FIELD_NAME, place.at(item.number))
        if isinstance(name, Text):
            seen.add(bytes(name))
        if twin is None:
            added.append((item, place.at(item.number)))
        else:
            _compare_field(walk, twin, item, place.at(item.number), above, depth)
    for missing in left.values():
        walk.fault(Reason.FIELD_REMOVED, path.at(missing.number))
    for item, place in added:
        _judge_added(walk, item, place, above, depth, seen)


def _names(walk: Walk, items: dict[int, Reference]) -> dict[bytes, int]:
    found: dict[bytes, int] = {}
    for number, item in items.items():
        held = walk.old.resolve(item)
        name = walk.old.resolve(held.get(b"T")) if isinstance(held, dict) else None
        if isinstance(name, Text):
            found.setdefault(bytes(name), number)
    return found


def _judge_added(walk: Walk, item: Reference, path: Path, above: FieldView, depth: int, names: set[bytes]) -> None:
    if depth:
        walk.fault(Reason.FIELD_PLACE, path)
        return
    add_field(walk, item, path)


def _compare_field(walk: Walk, old: Reference, new: Reference, path: Path, above: FieldView, depth: int) -> None:
    """Judge a field or widget that both revisions have, and what is below it."""
    if not walk.node(old, new, Node.FIELD):
        if not (old.number == new.number and walk.unchanged(old, new)):
            walk.fault(Reason.FORM_BROKEN, path)
        return
    before, after = walk.old.resolve(old), walk.new.resolve(new)
    if not isinstance(before, dict) or not isinstance(after, dict):
        walk.fault(Reason.FORM_BROKEN, path)
        return
    view = read_view(walk, before, after, above)
    if view.type != view.new_type:
        walk.fault(Reason.FIELD_TYPE, path)
        return
    compare_entries(walk, before, after, path, view)
    old_kids, new_kids = walk.old.resolve(before.get(b"Kids")), walk.new.resolve(after.get(b"Kids"))
    if old_kids is None and new_kids is None:
        return
    kids = path.key(b"Kids")
    if not isinstance(old_kids, list) or not isinstance(new_kids, list):
        walk.fault(Reason.FORM_BROKEN, kids)
        return
    _compare_fields(walk, old_kids, new_kids, kids, view, depth + 1)
