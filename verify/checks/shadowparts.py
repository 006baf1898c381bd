"""Parts of a signed file that are switched off or that act: layers, hidden annotations, scripts."""

from __future__ import annotations

import re
from collections.abc import Iterator

from verify.formats.pdffile import PdfError, Snapshot
from verify.formats.pdftrees import Page, name_tree, pages
from verify.formats.pdfvalues import Dictionary, Reference, Stream, Value
from verify.place import Place

_MOST_PAGES = 200
_MOST_BYTES = 2_000_000
_HIDDEN, _NO_VIEW = 1 << 1, 1 << 5
_ACTING = (b"JavaScript", b"Launch", b"SetOCGState", b"Hide", b"ImportData", b"SubmitForm", b"Rendition", b"GoToE")
_ORDINARY_SCRIPT = re.compile(
    rb"(?:AF(?:Number|Date|Time|Special|Percent|Range|Simple|Merge|Extract)[A-Za-z]*+(?:_[A-Za-z]*+)?+"
    rb"\((?:[^;()]|\([^;()]*+\))*+\);?+\s*+)++"
)
"""The form functions that Acrobat writes for formats and sums: they check and shape what is typed."""
_MARKED = re.compile(rb"/OC\s*/([^\0\t\n\f\r ()<>\[\]{}/%]{1,127})\s+BDC")


def hidden_layers(signed: Snapshot) -> Iterator[Place]:
    """Pages on which a layer that is off by default holds something."""
    off = _off(signed)
    if not off:
        return
    for page in _pages(signed):
        resources = _inherited(signed, page, b"Resources")
        properties = signed.entry_of(resources, b"Properties")
        named = _marked_names(signed, page)
        objects = signed.entry_of(resources, b"XObject")
        layers = [v for k, v in properties.items() if k in named] if isinstance(properties, dict) else []
        for value in objects.values() if isinstance(objects, dict) else ():
            held = signed.resolve(value)
            layers += [held.get(b"OC")] if isinstance(held, Stream) else []
        for raw in signed.items_of(page.dictionary.get(b"Annots")):
            annotation = signed.resolve(raw)
            layers += [annotation.get(b"OC")] if isinstance(annotation, dict) else []
        if any(_is_off(signed, layer, off) for layer in layers):
            yield Place(page=page.number)


def _off(signed: Snapshot) -> set[int]:
    properties = signed.entry_of(signed.root, b"OCProperties")
    default = signed.entry_of(properties, b"D")
    off = {v.number for v in signed.items_of(signed.entry_of(default, b"OFF")) if isinstance(v, Reference)}
    if signed.entry_of(default, b"BaseState") == b"OFF":
        on = {v.number for v in signed.items_of(signed.entry_of(default, b"ON")) if isinstance(v, Reference)}
        every = signed.items_of(signed.entry_of(properties, b"OCGs"))
        off |= {v.number for v in every if isinstance(v, Reference)} - on
    return off


def _is_off(signed: Snapshot, layer: Value, off: set[int]) -> bool:
    """Whether a group, or one of a membership's groups, is off."""
    if isinstance(layer, Reference) and layer.number in off:
        return True
    groups = signed.entry_of(layer, b"OCGs")
    members = groups if isinstance(groups, list) else []
    held = signed.resolve(layer)
    if isinstance(held, dict) and isinstance(held.get(b"OCGs"), Reference):
        members = [*members, held[b"OCGs"]]
    return any(isinstance(v, Reference) and v.number in off for v in members)


def _marked_names(signed: Snapshot, page: Page) -> set[bytes]:
    """The layers that a page's content names."""
    content = signed.resolve(page.dictionary.get(b"Contents"))
    found: set[bytes] = set()
    for raw in content if isinstance(content, list) else [content]:
        stream = signed.resolve(raw)
        if isinstance(stream, Stream):
            try:
                found.update(_MARKED.findall(signed.decoded(stream, _MOST_BYTES)))
            except PdfError:
                continue
    return found


def hidden_annotations(signed: Snapshot) -> Iterator[Place]:
    """Annotations with a look that are hidden. Fields are left out: forms hide and show them as they are filled in."""
    for page in _pages(signed):
        for raw in signed.items_of(page.dictionary.get(b"Annots")):
            annotation = signed.resolve(raw)
            if not isinstance(annotation, dict):
                continue
            flags = signed.resolve(annotation.get(b"F"))
            kind = signed.resolve(annotation.get(b"Subtype"))
            hidden = isinstance(flags, int) and flags & (_HIDDEN | _NO_VIEW)
            if hidden and kind not in (b"Popup", b"Widget", b"Link") and b"AP" in annotation:
                yield Place(page=page.number, object_number=raw.number if isinstance(raw, Reference) else None)


def waiting_actions(signed: Snapshot) -> Iterator[Place]:
    """Scripts and programs that the file starts, or that wait for a touch."""
    if _acts(signed, signed.root.get(b"OpenAction")) or _any_acts(signed, signed.root.get(b"AA")):
        yield Place(path="/Root")
    for _, value in name_tree(signed, signed.entry_of(signed.entry_of(signed.root, b"Names"), b"JavaScript")):
        if _acts(signed, value):
            yield Place(path="/Root/Names/JavaScript")
            break
    for page in _pages(signed):
        if _any_acts(signed, page.dictionary.get(b"AA")):
            yield Place(page=page.number)
        for raw in signed.items_of(page.dictionary.get(b"Annots")):
            held = signed.resolve(raw)
            if isinstance(held, dict) and (_acts(signed, held.get(b"A")) or _any_acts(signed, held.get(b"AA"))):
                yield Place(page=page.number, object_number=raw.number if isinstance(raw, Reference) else None)


def _any_acts(signed: Snapshot, value: Value) -> bool:
    actions = signed.resolve(value)
    return isinstance(actions, dict) and any(_acts(signed, action) for action in actions.values())


def _acts(signed: Snapshot, value: Value) -> bool:
    waiting, left = [value], 32
    while waiting and left:
        left -= 1
        action = signed.resolve(waiting.pop())
        if not isinstance(action, dict):
            continue
        kind = signed.resolve(action.get(b"S"))
        if kind in _ACTING and not (kind == b"JavaScript" and _is_ordinary(signed, action.get(b"JS"))):
            return True
        following = action.get(b"Next")
        waiting.extend(following if isinstance(following, list) else [following])
    return False


def _is_ordinary(signed: Snapshot, value: Value) -> bool:
    script = signed.resolve(value)
    try:
        text = signed.decoded(script, 10_000) if isinstance(script, Stream) else script
    except PdfError:
        return False
    return isinstance(text, bytes) and (not text.strip() or _ORDINARY_SCRIPT.fullmatch(text.strip()) is not None)


def _pages(signed: Snapshot) -> Iterator[Page]:
    for page in pages(signed):
        if page.number > _MOST_PAGES:
            return
        yield page


def _inherited(signed: Snapshot, page: Page, key: bytes) -> Value:
    holder: Dictionary = page.dictionary
    for _ in range(32):
        if key in holder:
            return signed.resolve(holder[key])
        above = signed.resolve(holder.get(b"Parent"))
        if not isinstance(above, dict):
            return None
        holder = above
    return None
