"""Objects of a signed file that nothing leads to, and that would show something if anything did."""

from __future__ import annotations

import re
from collections.abc import Iterator

from verify.formats.pdffile import PdfError, Snapshot
from verify.formats.pdfvalues import Reference, Stream, Value
from verify.place import Place

_MOST_OBJECTS = 20_000
_MOST_BYTES = 200_000
_MOST_RATIO = 1_032
"""No deflated byte becomes more bytes."""
_MOST_LOOKED_AT = 20_000_000
"""Of what all such streams together may hold, guessed from what they take up."""
_SHOWING = (b"Page", b"Pages", b"Catalog", b"Font", b"OCG")
_ELSEWHERE = (b"F", b"Ref", b"OPI", b"Alternates")
_SHOWN = re.compile(rb"\bT[jJ]\b")
_BEGUN = re.compile(rb"\bBT\b")
_NEAR = 2_000


def unused_objects(signed: Snapshot) -> Iterator[Place]:
    """Pages, catalogs, fonts and drawing streams that nothing leads to, and objects that no table lists.

    Other orphans (old security stores, thumbnails, form data) are what programs leave behind.
    """
    if len(signed.entries) > _MOST_OBJECTS:
        return
    for span in signed.file.unlisted():
        if span.end <= signed.end:
            yield Place(object_number=span.number, span=(span.start, span.end))
    used = _used(signed)
    left = _MOST_LOOKED_AT
    for number in signed.numbers():
        if number in used:
            continue
        held = signed.get(number)
        left -= min(_MOST_BYTES, _MOST_RATIO * len(held.stored)) if isinstance(held, Stream) else 0
        if left < 0 or _shows(signed, held):
            yield Place(object_number=number, span=signed.raw_object_span(number))
        if left < 0:
            return  # too much to look at, which is a doubt too


def content_elsewhere(signed: Snapshot) -> Iterator[Place]:
    """Streams whose content a viewer takes from another file, and pictures that have another one for printing."""
    if len(signed.entries) > _MOST_OBJECTS:
        return
    for number in signed.numbers():
        held = signed.get(number)
        if isinstance(held, Stream) and any(signed.resolve(held.get(key)) is not None for key in _ELSEWHERE):
            yield Place(object_number=number, span=signed.raw_object_span(number))


def _used(signed: Snapshot) -> set[int]:
    """The numbers of all objects that the trailer leads to."""
    used: set[int] = set()
    waiting: list[Value] = [signed.trailer]
    for section in signed.sections:
        waiting.append(section.trailer)
    while waiting:
        value = waiting.pop()
        if isinstance(value, Reference):
            if value.number not in used:
                used.add(value.number)
                waiting.append(signed.get(value.number))
        elif isinstance(value, Stream):
            waiting.append(value.dictionary)
        elif isinstance(value, dict):
            waiting.extend(value.values())
        elif isinstance(value, list):
            waiting.extend(value)
    return used


def _shows(signed: Snapshot, value: Value) -> bool:
    holder = value.dictionary if isinstance(value, Stream) else value
    if not isinstance(holder, dict):
        return False
    kind = signed.resolve(holder.get(b"Type"))
    if kind in _SHOWING:
        return kind != b"Font" or b"Subtype" in holder  # iText leaves a dictionary that says no more than /Font
    if not isinstance(value, Stream) or kind in (b"XRef", b"ObjStm", b"Metadata", b"EmbeddedFile"):
        return False
    try:
        return _draws_text(signed.decoded(value, _MOST_BYTES))
    except PdfError:
        return False


def _draws_text(content: bytes) -> bool:
    """Whether a text object begins, and shortly after shows something. In one pass, whatever stands there."""
    begun = [match.start() for match in _BEGUN.finditer(content)]
    at = 0
    for match in _SHOWN.finditer(content) if begun else ():
        while at < len(begun) and begun[at] < match.start():
            at += 1
        if at and match.start() - begun[at - 1] <= _NEAR:
            return True
    return False
