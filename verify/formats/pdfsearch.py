"""Reading a file without its cross-references, as viewers do that repair it: the last object of each number counts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from verify.formats.pdflimits import PdfError, PdfLimitError
from verify.formats.pdfobjects import is_type
from verify.formats.pdfvalues import Dictionary, Stream, Value
from verify.formats.pdfxref import COMPRESSED, OFFSET, Entry

if TYPE_CHECKING:
    from verify.formats.pdfsnapshot import Snapshot

KEPT = (b"Root", b"Encrypt", b"ID", b"Info")
"""What a trailer says of the document, and not of the cross-references."""
_MOST_TRAILERS = 16


def searched_entries(document: Snapshot) -> dict[int, Entry]:
    """Where the last object of each number is, in the bytes of this state and in the object streams among them."""
    file = document.file
    found: dict[int, Entry] = {}
    for span in file.spans().objects:
        if span.end > document.end:
            break
        found[span.number] = Entry(OFFSET, span.start, span.generation, 0, 0)
        held = file.object_at(span.start, file.plain_length)
        if held is not None and isinstance(held.value, Stream) and is_type(held.value, b"ObjStm"):
            for index, number in enumerate(document.numbers_in(held.value)):
                found[number] = Entry(COMPRESSED, 0, 0, span.number, index)
    file.budget.merge(len(found))
    return found


def searched_trailer(document: Snapshot) -> Dictionary:
    """What the trailers of this state say, the last word of each kind, those of broken sections included."""
    found: Dictionary = {}
    for section in document.file.spans().sections.values():
        if section.end <= document.end:
            found.update({key: section.trailer[key] for key in KEPT if key in section.trailer})
    for key, value in _stray_trailers(document):
        found.setdefault(key, value)
    return found


def _stray_trailers(document: Snapshot) -> Iterator[tuple[bytes, Value]]:
    """Entries of trailers that belong to no section that can be read, the last first."""
    position = document.end
    for _ in range(_MOST_TRAILERS):
        position = document.file.data.rfind(b"trailer", 0, max(0, position))
        if position < 0:
            return
        try:
            value, _ = document.file.lexer.value(position + len(b"trailer"), document.end)
        except PdfLimitError:
            raise
        except PdfError:
            continue
        if isinstance(value, dict):
            yield from ((key, value[key]) for key in KEPT if key in value)


def differences(document: Snapshot) -> list[int]:
    """The numbers whose object a search finds elsewhere than the cross-references say, or only one of the two finds."""
    searched = document.searched()
    different = [number for number, entry in searched.items() if not _is_found(document, number, entry)]
    lost = [n for n in document.numbers() if n not in searched and document.get(n) is not None]
    return sorted({*different, *lost})


def _is_found(document: Snapshot, number: int, searched: Entry) -> bool:
    entry = document.entry(number)
    if entry is None or entry.kind != searched.kind:
        return False
    if entry.kind == COMPRESSED:
        return entry.container == searched.container
    found = document.object(number)
    return found is not None and found.start == searched.offset
