"""Every byte after a signed revision that its cross-references do not lead to: what would a repairing viewer show?

Viewers that find something wrong search a file for its objects and take the last of each number. So an object that no
cross-reference of the document leads to must be the one that the document has anyway, or one that nothing refers to.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from verify.checks.changes.model import Changes, Kind
from verify.checks.changes.reasons import Reason
from verify.checks.changes.walk import Effort
from verify.formats.pdfspans import HEADER, UNKNOWN, Span
from verify.formats.pdfvalues import Reference, Stream, Value, same_value
from verify.formats.pdfxref import COMPRESSED, FREE, OFFSET, Entry
from verify.place import Place

if TYPE_CHECKING:
    from verify.formats.pdffile import PdfFile, Snapshot

_TREES = (b"Catalog", b"Pages", b"Page", b"ObjStm", b"XRef")
_SEARCHED = 1024
"""So many bytes before the end of a file all viewers look for its last ``startxref``; many look no further."""


def account(file: PdfFile, old: Snapshot, reached: Callable[[], set[int]]) -> Changes:
    """Judge the bytes behind ``old.end``, apart from what the newest revision's cross-references lead to.

    ``reached`` gives the numbers that something in the newest revision refers to.
    """
    found = Changes()
    newest, spans = file.newest, file.spans()
    for span in spans.spans:
        if span.end > old.end and span.kind in (UNKNOWN, HEADER):
            found.add(Reason.UNKNOWN_BYTES, Place(span=(max(span.start, old.end), span.end)))
    for text in newest.repaired:
        if text not in old.repaired:
            found.add(Reason.CROSS_REFERENCES, Place(span=(old.end, len(file.data))))
    found.merge(searched(file, old, reached))
    _judge_generations(file, old, reached, found)
    loose = _loose(file, newest, old.end)
    packed = _loose_packed(file, old.end)
    if loose or packed:
        found.kinds.add(Kind.REWRITTEN)
        for span in loose:
            if not _is_harmless(file, newest, span, reached()):
                found.add(Reason.UNLISTED, Place(object_number=span.number, span=(span.start, span.end)))
        for number, span in packed:
            if number in reached():
                found.add(Reason.UNLISTED, Place(object_number=number, span=(span.start, span.end)))
    return found


def hides_its_end(file: PdfFile, old: Snapshot) -> bool:
    """Whether so much follows the last ``startxref`` that viewers search the file, unlike when it was signed."""
    data = file.data
    return (
        len(data) - data.rfind(b"startxref") > _SEARCHED >= old.end - data.rfind(b"startxref", 0, old.end)
        and len(data) > old.end
    )


def searched(file: PdfFile, old: Snapshot, reached: Callable[[], set[int]]) -> Changes:
    """Judge what viewers would show that search the file for the last object of each number and the last trailer.

    Sections stand in the order of ``/Prev``, objects in that of the file: a later object can be listed by a section
    that another one, before it in the file, overrules. What was so in the signed part was signed so, unless only what
    follows makes viewers search.
    """
    found, newest = Changes(), file.newest
    if not newest.sections:
        return found
    start = 0 if hides_its_end(file, old) else old.end
    for number, entry in newest.searched().items():
        place = newest.raw_object_span(entry.container) if entry.kind == COMPRESSED else (entry.offset, entry.offset)
        if place is None or place[0] < start or _is_listed(newest, number, entry):
            continue
        value = _value_at(file, newest, number, entry)
        dictionary = value.dictionary if isinstance(value, Stream) else value
        kind = newest.resolve(dictionary.get(b"Type")) if isinstance(dictionary, dict) else None
        if same_value(value, newest.get(number)) or (number not in reached() and kind not in _TREES):
            continue
        found.add(Reason.UNLISTED, Place(object_number=number, span=place))
    last = list(file.spans().sections.values())[-1:]
    for section in last:
        root = section.trailer.get(b"Root")
        if section.start >= start and root is not None and not same_value(root, newest.trailer.get(b"Root")):
            found.add(Reason.CROSS_REFERENCES, Place(span=(section.start, section.end)))
    return found


def _is_listed(newest: Snapshot, number: int, searched: Entry) -> bool:
    entry = newest.entries.get(number)
    if entry is None or entry.kind == FREE:
        return False
    if entry.kind == OFFSET == searched.kind:
        held = newest.object(number)
        return held is not None and held.start == searched.offset
    return entry.kind == searched.kind and entry.container == searched.container


def _value_at(file: PdfFile, newest: Snapshot, number: int, entry: Entry) -> Value:
    if entry.kind == COMPRESSED:
        return newest.packed_value(entry.container, number, entry.index)
    held = file.object_at(entry.offset, newest.length_of)
    return held.value if held is not None else None


def ambiguities(file: PdfFile, old: Snapshot) -> Changes:
    """What two viewers may read differently behind ``old.end``, or because of what stands there.

    Asked last: objects are read as they are needed. What was so in the signed revision already was signed so.
    """
    found = Changes()
    latest = file.newest.sections[0].start if file.newest.sections else 0
    for notice in file.ambiguities:
        if notice.kind == "beyond-size" and notice.offset != latest:
            continue  # a size that a later revision has put right
        entry = file.newest.entry(notice.number) if notice.number else None
        led = entry is not None and entry.offset == notice.offset and entry != old.entry(notice.number)
        if notice.offset >= old.end or led:
            place = Place(object_number=notice.number or None, span=(notice.offset, notice.offset + 1))
            found.add(Reason.AMBIGUOUS, place)
    for reference in file.odd_references - _references(old) if file.odd_references else ():
        found.add(Reason.AMBIGUOUS, Place(object_number=reference.number))
    return found


def _judge_generations(file: PdfFile, old: Snapshot, reached: Callable[[], set[int]], found: Changes) -> None:
    """An object of another generation: some viewers follow the signed references to it, some see nothing there."""
    for number, entry in file.newest.entries.items():
        before = old.entries.get(number) if entry.generation and entry.kind == OFFSET else None
        changed = before is not None and before.kind != FREE and before.generation != entry.generation
        if changed and number in reached():
            found.add(Reason.AMBIGUOUS, Place(object_number=number))


def _references(snapshot: Snapshot) -> set[Reference]:
    """Every reference that a revision's trailer leads to."""
    found: set[Reference] = set()
    waiting: list[Value] = [snapshot.trailer]
    while waiting:
        value = waiting.pop()
        if isinstance(value, Reference):
            if value not in found:
                found.add(value)
                waiting.append(snapshot.resolve(value))
        elif isinstance(value, (dict, Stream)):
            waiting.extend((value.dictionary if isinstance(value, Stream) else value).values())
        elif isinstance(value, list):
            waiting.extend(value)
    return found


def _loose_packed(file: PdfFile, start: int) -> list[tuple[int, Span]]:
    """Objects in object streams behind ``start`` that no section lists, with the stream's place."""
    spans = {span.number: span for span in file.spans().objects if span.end > start}
    loose = file.unlisted_compressed() if spans else []
    return [(number, spans[container]) for container, number in loose if container in spans]


def _loose(file: PdfFile, newest: Snapshot, start: int) -> list[Span]:
    """Objects behind ``start`` that no section of the newest revision lists."""
    listed: set[int] = set()
    for section in newest.sections:
        for part in (section, section.hybrid):
            if part is not None:
                listed.update(entry.offset for entry in part.entries.values() if entry.kind == OFFSET)
    loose = {span.start for span in file.unlisted(start)}
    orphans = {e.offset for s in file.orphan_sections() for e in s.entries.values() if e.kind == OFFSET} - listed
    loose |= orphans
    return [span for span in file.spans().objects if span.end > start and span.start in loose]


def _is_harmless(file: PdfFile, newest: Snapshot, span: Span, reached: set[int]) -> bool:
    held = file.object_at(span.start, newest.length_of)
    value = held.value if held is not None else None
    used = newest.raw_object_span(span.number)
    if used is not None and used[0] == span.start:
        return False  # found by searching alone: a viewer that does not search shows something else
    if same_value(value, newest.get(span.number)):
        return True
    if span.number in reached or held is None or held.fault:
        return False
    dictionary = value.dictionary if isinstance(value, Stream) else value
    return not isinstance(dictionary, dict) or newest.resolve(dictionary.get(b"Type")) not in _TREES


def reached_numbers(snapshot: Snapshot, effort: Effort) -> set[int]:
    """The numbers that something the document shows refers to, objects or not."""
    found: set[int] = set()
    waiting: list[Value] = [snapshot.trailer.get(b"Root"), snapshot.trailer.get(b"Info"), snapshot.root]
    while waiting:
        value = waiting.pop()
        effort.spend()
        if isinstance(value, Reference):
            if value.number not in found:
                found.add(value.number)
                waiting.append(snapshot.resolve(value))
        elif isinstance(value, list):
            waiting.extend(item for item in value if isinstance(item, (Reference, list, dict)))
        elif isinstance(value, (dict, Stream)):
            held = value.dictionary if isinstance(value, Stream) else value
            waiting.extend(item for item in held.values() if isinstance(item, (Reference, list, dict)))
    return found
