"""Objects of a signed file that nothing leads to, and that would show something if anything did."""

from __future__ import annotations

import re
from collections.abc import Iterator

from verify.formats.pdffile import PdfError, Snapshot
from verify.formats.pdfvalues import Reference, Stream, Value
from verify.place import Place

_MOST_OBJECTS = 20_000
_MOST_BYTES = 200_000
_SHOWING = (b"Page", b"Pages", b"Catalog", b"Font", b"OCG")
_TEXT_DRAWN = re.compile(rb"\bBT\b.{0,2000}?\bT[jJ]\b", re.DOTALL)


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
    for number in signed.numbers():
        if number not in used and _shows(signed, signed.get(number)):
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
        return True
    if not isinstance(value, Stream) or kind in (b"XRef", b"ObjStm", b"Metadata", b"EmbeddedFile"):
        return False
    try:
        return _TEXT_DRAWN.search(signed.decoded(value, _MOST_BYTES)) is not None
    except PdfError:
        return False
