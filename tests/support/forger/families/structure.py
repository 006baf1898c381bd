"""Cross-references, generations, object streams, hybrid and linearized files: the same number, another object."""

from __future__ import annotations

import re

from tests.support.forger.bases import Base, draw, signed
from tests.support.forger.registry import forgery
from tests.support.forger.writer import changed, last_startxref, stream, trailer_of

_ENTRY, _GENERATION, _PACKED, _TRAILER = (
    "cross-reference-entry",
    "generation-trick",
    "object-stream-shadow",
    "trailer-trick",
)
_ALL = ("approval", "p1", "p2")


def _evil(doc: Base) -> bytes:
    return doc.body("content").replace(b"100.00", b"900.00")


def _offset(doc: Base, number: int) -> int:
    return [m.start() for m in re.finditer(rb"(?<![0-9])%d 0 obj" % number, doc.pdf)][-1]


@forgery(_ENTRY, *_ALL, cases={"box": "box", "map": "map", "metadata": "metadata", "file": "file"})
def entry_points_to_another_object(doc: Base, part: str) -> bytes:
    """The update brings no object: its table says that the content stands where another stream does (7.5.4)."""
    return doc.update({}, offsets={doc.number("content"): _offset(doc, doc.number(part))})


@forgery(_ENTRY, *_ALL)
def entry_points_into_a_stream(doc: Base) -> bytes:
    """The table leads to an object that stands inside another stream's data (ISO 32000-2 7.5.4)."""
    inner = b"%d 0 obj\n%s\nendobj\n" % (doc.number("content"), _evil(doc))
    made = doc.update({doc.free: stream(inner)})
    at = made.rindex(b"%d 0 obj" % doc.number("content"))
    return Base(doc.name, made, doc.parts).update({}, offsets={doc.number("content"): at})


@forgery(_ENTRY, *_ALL)
def entry_points_into_the_signature(doc: Base) -> bytes:
    """The table leads into the zeros of /Contents (ISO 32000-2 7.5.4)."""
    return doc.update({}, offsets={doc.number("content"): doc.byte_range()[1] - 100})


@forgery(
    _ENTRY,
    *_ALL,
    cases={
        "content": "content",
        "font": "font",
        "image": "image",
        "note": "note",
        "payee": "payee",
        "layers": "layers",
        "file": "file",
        "pages": "pages",
        "empty-sig": "sig2",
    },
)
def entry_freed(doc: Base, part: str) -> bytes:
    """An object that the signed pages use is marked free (NDSS 2021, 4.1)."""
    return doc.update({}, freed={doc.number(part): 1})


@forgery(_ENTRY, *_ALL)
def entry_freed_then_reused(doc: Base) -> bytes:
    """One update frees the content, the next gives its number to another stream (ISO 32000-2 7.5.4)."""
    first = Base(doc.name, doc.update({}, freed={doc.number("content"): 1}), doc.parts, doc.packed)
    return first.update({doc.number("content"): _evil(doc)}, generations={doc.number("content"): 1})


@forgery(_ENTRY, *_ALL)
def entry_to_an_old_version(doc: Base) -> bytes:
    """The table leads back to the catalog as it was before signing (ISO 32000-2 7.5.4)."""
    first = doc.pdf.index(b"1 0 obj")
    return doc.update({}, offsets={1: first})


@forgery(_GENERATION, *_ALL, cases={"one": 1, "high": 65535})
def higher_generation(doc: Base, generation: int) -> bytes:
    """The content comes again under its number with another generation (ISO 32000-2 7.3.10)."""
    number = doc.number("content")
    return doc.update({number: _evil(doc)}, generations={number: generation})


@forgery(_GENERATION, *_ALL)
def generation_of_table_and_object_differ(doc: Base) -> bytes:
    """The table says generation 0, the object's head says 1 (ISO 32000-2 7.3.10)."""
    number = doc.number("content")
    made = doc.update({number: _evil(doc)})
    at = made.rindex(b"%d 0 obj" % number)
    return made[:at] + b"%d 1 obj" % number + made[at + len(b"%d 0 obj" % number) :]


@forgery(_GENERATION, *_ALL)
def number_of_table_and_object_differ(doc: Base) -> bytes:
    """The table leads for the content to an object whose head names another number (ISO 32000-2 7.3.10)."""
    made = doc.update({doc.free: _evil(doc)}, unlisted=[doc.free])
    at = made.rindex(b"%d 0 obj" % doc.free)
    return Base(doc.name, made, doc.parts).update({}, offsets={doc.number("content"): at})


@forgery(
    _PACKED,
    "approval",
    "p1",
    "approval-stream",
    "approval-packed",
    "p2-packed",
    cases={"page": "page", "font": "font", "encoding": "encoding", "form": "form"},
)
def object_shadowed_by_an_object_stream(doc: Base, part: str) -> bytes:
    """An object stream in an update holds a new version of a signed object (ISO 32000-2 7.5.7)."""
    bodies = {
        "page": {"Rotate": b"180"},
        "font": {"BaseFont": b"/Symbol", "Encoding": None},
        "encoding": {"Differences": b"[49 /nine]"},
        "form": {"Fields": b"[22 0 R 23 0 R]"},
    }
    return doc.update({part: changed(doc.body(part), **bodies[part])}, style="packed")


@forgery(_PACKED, "approval-packed", "p2-packed")
def signed_object_stream_overwritten(doc: Base) -> bytes:
    """The signed object stream itself is written again with other bodies (ISO 32000-2 7.5.7)."""
    number = int(re.findall(rb"(\d+) 0 obj\s*<< */Type /ObjStm", doc.pdf)[0])
    packed = {n: b for n, b in doc.packed.items() if b"stream\n" not in b and n not in (1, 20, 21)}
    packed[doc.number("page")] = changed(doc.body("page"), Rotate=b"180")
    head, data = b"", b""
    for n, body in packed.items():
        head += b"%d %d " % (n, len(data))
        data += body + b"\n"
    again = stream(head + data, b"/Type /ObjStm /N %d /First %d" % (len(packed), len(head)), packed=True)
    return doc.update({number: again})


@forgery(_PACKED, "approval-packed", "p2-packed")
def object_stream_extended(doc: Base) -> bytes:
    """A new object stream says that it extends the signed one, and repeats its numbers (ISO 32000-2 7.5.7)."""
    body = changed(doc.body("page"), Rotate=b"180")
    head = b"%d 0 " % doc.number("page")
    number = int(re.findall(rb"(\d+) 0 obj\s*<< */Type /ObjStm", doc.pdf)[0])
    again = stream(head + body, b"/Type /ObjStm /N 1 /First %d /Extends %d 0 R" % (len(head), number))
    return doc.update({doc.free: again})


@forgery("hybrid-trick", *_ALL)
def hybrid_stream_hides_the_change(doc: Base) -> bytes:
    """The table of the update is empty; /XRefStm leads to a stream that lists the change (ISO 32000-2 7.5.8.4)."""
    number = doc.number("content")
    body = b"%d 0 obj\n%s\nendobj\n" % (number, _evil(doc))
    at = len(doc.pdf) + 1
    row = b"\x01" + at.to_bytes(5, "big") + b"\0\0"
    place = at + len(body)
    kept = trailer_of(doc.pdf)
    table = b"%d 0 obj\n%s\nendobj\n" % (
        doc.free,
        stream(row, b"/Type /XRef /Size %d /W [1 5 2] /Index [%d 1] /Root 1 0 R" % (doc.free + 1, number)),
    )
    start = place + len(table)
    end = b"xref\n0 0\ntrailer\n<< /Size %s /Root 1 0 R /Prev %d /XRefStm %d >>\nstartxref\n%d\n%%%%EOF\n" % (
        kept[b"/Size"],
        last_startxref(doc.pdf),
        place,
        start,
    )
    return doc.pdf + b"\n" + body + table + end


@forgery("hybrid-trick", *_ALL)
def hybrid_stream_against_the_table(doc: Base) -> bytes:
    """The table lists the old content, /XRefStm a new one: two kinds of reader see two pages (7.5.8.4)."""
    number = doc.number("content")
    body = b"%d 0 obj\n%s\nendobj\n" % (number, _evil(doc))
    at = len(doc.pdf) + 1
    kept = trailer_of(doc.pdf)
    place = at + len(body)
    row = b"\x01" + at.to_bytes(5, "big") + b"\0\0"
    table = b"%d 0 obj\n%s\nendobj\n" % (
        doc.free,
        stream(row, b"/Type /XRef /Size %d /W [1 5 2] /Index [%d 1] /Root 1 0 R" % (doc.free + 1, number)),
    )
    start = place + len(table)
    old = _offset(doc, number)
    end = b"xref\n%d 1\n%010d 00000 n\r\n"
    end += b"trailer\n<< /Size %s /Root 1 0 R /Prev %d /XRefStm %d >>\nstartxref\n%d\n%%%%EOF\n"
    return (
        doc.pdf
        + b"\n"
        + body
        + table
        + end
        % (
            number,
            old,
            kept[b"/Size"],
            last_startxref(doc.pdf),
            place,
            start,
        )
    )


@forgery("linearization-trick", cases={"content": "content", "page": "page"})
def linearized_file_updated(part: str) -> bytes:
    """The signed file says that it is linearized, so that a reader may stop at its first part (ISO 32000-2 Annex F)."""
    doc = draw()
    doc.objects = {90: b"<< /Linearized 1 /L 99999 /H [0 0] /O 3 /E 9999 /N 2 /T 9999 >>", **doc.objects}
    made = signed(doc, "linearized")
    body = _evil(made) if part == "content" else changed(made.body("page"), Rotate=b"180")
    return made.update({part: body})


@forgery(_TRAILER, *_ALL, cases={"no-prev": None, "zero": b"0", "itself": b"99999999", "before-signing": b"-1"})
def previous_switched(doc: Base, value: bytes | None) -> bytes:
    """/Prev of the update skips or forgets the signed revision (NDSS 2021, 4.1)."""
    if value == b"-1":
        value = b"%d" % int(re.findall(rb"startxref\s+(\d+)", doc.pdf)[0])
    return doc.update({"content": _evil(doc)}, trailer={b"/Prev": value})


@forgery(_TRAILER, *_ALL)
def previous_skips_the_signature(doc: Base) -> bytes:
    """An update without any object whose /Prev leads to the revision before signing: the seal vanishes (7.5.6)."""
    before = b"%d" % int(re.findall(rb"startxref\s+(\d+)", doc.pdf)[0])
    return doc.update({}, trailer={b"/Prev": before})


@forgery(
    _TRAILER,
    *_ALL,
    cases={
        "root-missing": {b"/Root": None},
        "root-other": {b"/Root": b"3 0 R"},
        "id-other": {b"/ID": b"[<00> <00>]"},
        "extra": {b"/Example": b"5 0 R"},
        "info-gone": {b"/Info": None},
    },
)
def trailer_changed(doc: Base, change: dict[bytes, bytes | None]) -> bytes:
    """The update's trailer names another root, identity, or more (ISO 32000-2 7.5.5)."""
    return doc.update({"content": _evil(doc)}, trailer=change)


@forgery(_TRAILER, *_ALL, cases={"too-small": 6, "huge": 2_000_000_000})
def size_changed(doc: Base, size: int) -> bytes:
    """/Size of the update makes readers drop objects above it, or make room for ever (ISO 32000-2 7.5.5)."""
    return doc.update({"content": _evil(doc)}, size=size)


@forgery(
    "version-trick",
    *_ALL,
    cases={
        "version": {"Version": b"/9.9"},
        "not-a-name": {"Version": b"(2.0)"},
        "extension": {"Extensions": b"<< /EVIL << /BaseVersion /1.7 /ExtensionLevel 5 /A 5 0 R >> >>"},
        "type": {"Type": b"/Catalogue"},
    },
)
def catalog_version(doc: Base, change: dict[str, bytes | None]) -> bytes:
    """The catalog claims another version or an extension that tells readers to read differently (7.7.2, 7.12)."""
    return doc.update({"catalog": changed(doc.body("catalog"), **change)})


@forgery("version-trick", *_ALL)
def header_behind_the_end(doc: Base) -> bytes:
    """A second header stands between signed part and update (ISO 32000-2 7.5.2)."""
    return Base(doc.name, doc.pdf + b"%PDF-2.0\n", doc.parts).update({"content": _evil(doc)})


@forgery("shadow-object-reuse", cases={"unlisted": True, "listed": False})
def table_switched_to_a_prepared_object(listed_nowhere: bool) -> bytes:
    """The signed file holds two contents of one number; the update's table switches to the other (NDSS 2021, 4.3)."""
    doc = draw()
    plain = doc.write()
    other = b"\n%d 0 obj\n%s\nendobj\n" % (5, doc.objects[5].replace(b"100.00", b"900.00"))
    if listed_nowhere:
        at = plain.index(b"6 0 obj")
        doc.objects[5] = doc.objects[5] + b"\nendobj" + other.rstrip().removesuffix(b"endobj").rstrip()
        del at
    else:
        doc.put("spare", doc.objects[5].replace(b"100.00", b"900.00"), 55)
    made = signed(doc, f"switch-{listed_nowhere}")
    places = [
        m.start() for m in re.finditer(rb"(?<![0-9])5 0 obj" if listed_nowhere else rb"(?<![0-9])55 0 obj", made.pdf)
    ]
    return made.update({}, offsets={5: places[-1]})
