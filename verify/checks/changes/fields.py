"""One form field: what of it may change, who may change it, and what a new one may be."""

from __future__ import annotations

from verify.checks.changes.appearance import judge_look
from verify.checks.changes.fieldview import FieldView, known_names, read_view
from verify.checks.changes.fonts import is_plain_look
from verify.checks.changes.model import Kind, Path
from verify.checks.changes.reasons import Reason
from verify.checks.changes.walk import Node, Walk
from verify.formats.pdflimits import PdfError
from verify.formats.pdfvalues import Dictionary, Reference, Stream, Text, Value, same_value

__all__ = ["FieldView", "add_field", "compare_entries", "read_view"]

_READ_ONLY = 1
_MAY_BE_SET = 4 | 64 | 128 | 512
"""Annotation flags that only protect: Print, ReadOnly, Locked, LockedContents."""
_PRINT, _NO_VIEW = 4, 32
_MOST_BLANKS = 10_000
_RULED = frozenset(b"V I TI RV AS AP F Ff M Type Kids P DA Q Rect MK".split())
_ACTIONS = frozenset((b"A", b"AA", b"PA", b"Parent"))
_NOT_IN_WIDGET = frozenset((b"T", b"Kids", b"FT", b"A", b"AA"))
_TEXTUAL = (b"Tx", b"Ch")


def compare_entries(walk: Walk, old: Dictionary, new: Dictionary, path: Path, view: FieldView) -> None:
    """Judge the entries of a field, of its widget, or of both in one dictionary."""
    walk.same_entries(old, new, path, Reason.FIELD_ENTRY, but=_RULED)
    _compare_protection(walk, old, new, path)
    for key, only in ((b"Type", b"Annot"), (b"P", None)):
        added = old.get(key) is None and (only is None or walk.new.resolve(new.get(key)) == only)
        if not added:
            walk.same(old.get(key), new.get(key), path.key(key), Reason.FIELD_ENTRY)
    if not (view.type == b"Sig" and _is_signed_unseen(walk, old, new, view)):
        walk.same(old.get(b"Rect"), new.get(b"Rect"), path.key(b"Rect"), Reason.FIELD_ENTRY)
    _compare_characteristics(walk, old, new, path.key(b"MK"), view)
    if view.type == b"Sig":
        _compare_signature(walk, old, new, path, view)
    else:
        _compare_data(walk, old, new, path, view)


def _compare_characteristics(walk: Walk, old: Dictionary, new: Dictionary, path: Path, view: FieldView) -> None:
    """How viewers draw a field. Of a box that was ticked iText takes out colours of ground and border, no more."""
    before, after = walk.old.resolve(old.get(b"MK")), walk.new.resolve(new.get(b"MK"))
    if view.type == b"Btn" and view.changed and isinstance(before, dict) and isinstance(after, dict):
        gone = frozenset(key for key in (b"BG", b"BC") if key not in after)
        walk.same_entries(before, after, path, Reason.FIELD_ENTRY, but=gone)
    else:
        walk.same(old.get(b"MK"), new.get(b"MK"), path, Reason.FIELD_ENTRY)


def _compare_protection(walk: Walk, old: Dictionary, new: Dictionary, path: Path) -> None:
    """Signing may set flags that protect a field; any other flag changes what is shown or what it is."""
    for key, settable in ((b"Ff", _READ_ONLY), (b"F", _MAY_BE_SET)):
        before, after = (s.resolve(d.get(key)) for s, d in ((walk.old, old), (walk.new, new)))
        if same_value(before, after):
            continue
        flags = before if isinstance(before, int) else 0
        kept = ~(settable & ~_PRINT) if key == b"F" and flags & _NO_VIEW else ~settable
        if not isinstance(after, int) or after & kept != flags & kept or flags & ~after:
            walk.fault(Reason.FIELD_ENTRY, path.key(key))


def _compare_data(walk: Walk, old: Dictionary, new: Dictionary, path: Path, view: FieldView) -> None:
    filled = view.own_changed
    for key in (b"I", b"TI", b"RV", b"DA", b"Q"):
        if not (view.changed and (view.type in _TEXTUAL or key in (b"DA", b"Q"))):
            walk.same(old.get(key), new.get(key), path.key(key), Reason.FIELD_ENTRY)
    kept = view.type not in _TEXTUAL or walk.unchanged(old.get(b"DA"), new.get(b"DA"))
    if not kept and not is_plain_look(walk, walk.new.resolve(new.get(b"DA"))):
        walk.fault(Reason.FIELD_ENTRY, path.key(b"DA"))
    if judge_look(walk, old, new, path, view):
        filled = True
        walk.touched[path.number] = Kind.FORM_DATA
    if filled:
        walk.kind(Kind.FORM_DATA)
        if not walk.rights.may_fill():
            walk.fault(Reason.FILLING_FORBIDDEN, path)
        elif walk.rights.is_locked(view.name) or view.flags & _READ_ONLY:
            walk.fault(Reason.FIELD_LOCKED, path)


def _is_signing(walk: Walk, view: FieldView) -> bool:
    return walk.old.resolve(view.old_value) is None and walk.new.resolve(view.new_value) is not None


def _is_signed_unseen(walk: Walk, old: Dictionary, new: Dictionary, view: FieldView) -> bool:
    """Whether a field that showed nothing has got a signature and no room on the page, as by DSS without a picture."""
    look = walk.old.entry_of(old.get(b"AP"), b"N")
    try:
        blank = look is None or (isinstance(look, Stream) and not walk.old.decoded(look, _MOST_BLANKS).strip())
    except PdfError:
        return False
    return blank and _is_signing(walk, view) and b"Rect" in new and not _is_visible(walk, new)


def _compare_signature(walk: Walk, old: Dictionary, new: Dictionary, path: Path, view: FieldView) -> None:
    for key in (b"I", b"TI", b"RV", b"DA", b"Q"):
        walk.same(old.get(key), new.get(key), path.key(key), Reason.FIELD_ENTRY)
    if not _is_signing(walk, view):
        walk.same(old.get(b"V"), new.get(b"V"), path.key(b"V"), Reason.SIGNATURE_CHANGED)
        if walk.old.resolve(old.get(b"V")) is not walk.new.resolve(new.get(b"V")):
            walk.fault(Reason.SIGNATURE_CHANGED, path.key(b"V"))
        for key in (b"AP", b"AS"):
            walk.same(old.get(key), new.get(key), path.key(key), Reason.APPEARANCE_REPLACED, drawn=True)
        return
    if new.get(b"V") is not None:
        visible = _is_visible(walk, new) or any(_is_visible(walk, kid) for kid in _kids(walk, new))
        _judge_signing(walk, new[b"V"], path, view.name, visible=visible)
    if _is_visible(walk, new):
        walk.touched[path.number] = Kind.SIGNATURE


def _kids(walk: Walk, held: Dictionary) -> list[Dictionary]:
    kids = walk.new.resolve(held.get(b"Kids"))
    found = [walk.new.resolve(kid) for kid in kids] if isinstance(kids, list) else []
    return [kid for kid in found if isinstance(kid, dict)]


def add_field(walk: Walk, item: Reference, path: Path) -> None:
    """Judge a field that only the newer revision has: it may be a signature field, with or without a signature."""
    held = walk.new.resolve(item)
    assert isinstance(held, dict)  # noqa: S101 - the caller has looked
    part = walk.new.resolve(held.get(b"T"))
    name = str(part) if isinstance(part, Text) else ""
    if not all(name.split(".")) or ("." in name and _is_taken(walk, name)):
        walk.fault(Reason.FIELD_NAME, path)
        return
    if walk.new.resolve(held.get(b"FT")) != b"Sig" or held.keys() & _ACTIONS:
        walk.fault(Reason.FIELD_ADDED, path)
        return
    widgets = [(item, held)] if held.get(b"Kids") is None else _new_kids(walk, held, path)
    for reference, _ in [(item, held), *widgets]:
        if walk.old.resolve(reference) is not None and not walk.unchanged(reference, reference):
            walk.fault(Reason.FIELD_ADDED, path.at(reference.number))  # it was something else, which is gone now
    for _, widget in widgets:
        kind = walk.new.resolve(widget.get(b"Subtype"))
        if kind != b"Widget" and not (kind is None and b"Rect" not in widget):
            walk.fault(Reason.FIELD_ADDED, path)  # a note or a line, which viewers draw beside its rectangle
    visible = any(_is_visible(walk, widget) for _, widget in widgets)
    for reference, _ in [(item, held), *widgets]:
        walk.node(reference, reference, Node.FIELD)
        walk.added[reference.number] = name
    if held.get(b"V") is not None:
        _judge_signing(walk, held[b"V"], path, name, visible=visible)
    else:
        walk.kind(Kind.SIGNATURE_FIELD)
        walk.empty.update(reference.number for reference, _ in [(item, held), *widgets])
        if not walk.rights.may_fill() or (visible and walk.rights.is_locked(name)):
            walk.fault(Reason.SIGNING_FORBIDDEN, path)
    if visible and walk.rights.certified:
        walk.fault(Reason.VISIBLE_FIELD, path)


def _is_taken(walk: Walk, name: str) -> bool:
    """Whether a name with a period in it is, or can be read as, that of a signed field or of one above or below it."""
    return any(f"{k}.".startswith(f"{name}.") or f"{name}.".startswith(f"{k}.") for k in known_names(walk))


def _new_kids(walk: Walk, held: Dictionary, path: Path) -> list[tuple[Reference, Dictionary]]:
    """The widgets of a new field, which have no names and no further kids."""
    kids = walk.new.resolve(held.get(b"Kids"))
    found: list[tuple[Reference, Dictionary]] = []
    for kid in kids if isinstance(kids, list) else [None]:
        widget = walk.new.resolve(kid)
        if isinstance(kid, Reference) and isinstance(widget, dict) and not widget.keys() & _NOT_IN_WIDGET:
            found.append((kid, widget))
        else:
            walk.fault(Reason.FIELD_ADDED, path.key(b"Kids"))
    return found


_HIDDEN = 2


def _is_visible(walk: Walk, widget: Dictionary) -> bool:
    """Whether a widget takes up room on its page."""
    flags = walk.new.resolve(widget.get(b"F"))
    if isinstance(flags, int) and flags & _HIDDEN:
        return False
    edges = [walk.new.resolve(v) for v in walk.new.items_of(widget.get(b"Rect"))]
    numbers = [float(e) for e in edges if isinstance(e, (int, float))]
    if len(edges) != 4 or len(numbers) != 4:
        return widget.get(b"AP") is not None
    return abs(numbers[2] - numbers[0]) * abs(numbers[3] - numbers[1]) > 0


def _is_stamp(walk: Walk, value: Dictionary) -> bool:
    """Whether a signature is a document timestamp, by what its value is and not only by what it calls itself."""
    kind, form = (walk.new.resolve(value.get(key)) for key in (b"Type", b"SubFilter"))
    return form == b"ETSI.RFC3161" and (kind is None or kind == b"DocTimeStamp")


def _judge_signing(walk: Walk, raw: Value, path: Path, name: str, *, visible: bool) -> None:
    """A field that has got a signature: one that signs the newer revision, where that is allowed."""
    value = walk.new.resolve(raw)
    place = path.key(b"V")
    if not isinstance(raw, Reference) or not isinstance(value, dict):
        walk.fault(Reason.SIGNATURE_BROKEN, place)
        return
    if walk.old.resolve(raw) is not None or raw.number in walk.values:
        walk.fault(Reason.SIGNATURE_RECYCLED, place.at(raw.number))
        return
    walk.values.add(raw.number)
    numbers = [n for n in map(walk.new.resolve, walk.new.items_of(value.get(b"ByteRange"))) if isinstance(n, int)]
    if len(numbers) == 4 and not walk.old.end < numbers[2] + numbers[3] <= walk.new.end:
        walk.fault(Reason.SIGNATURE_RECYCLED, place.at(raw.number))
    if _is_stamp(walk, value) and not visible:
        walk.kind(Kind.TIMESTAMP)
        return
    walk.kind(Kind.SIGNATURE)
    if not walk.rights.may_fill() or walk.rights.is_locked(name):
        walk.fault(Reason.SIGNING_FORBIDDEN, path)
