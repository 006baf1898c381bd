"""A small writer of PDF files and incremental updates in which every byte is the caller's choice."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

Entries = dict[bytes, bytes]
"""A dictionary's entries as written: key with its slash, value as raw bytes."""

_SPACE = b"\0\t\n\f\r "
_STOP = _SPACE + b"()<>[]{}/%"
_REFERENCE = re.compile(rb"\d+[\s]+\d+[\s]+R\b")


def entries(body: bytes) -> Entries:
    """The entries of the dictionary that ``body`` begins with."""
    at = body.index(b"<<") + 2
    found: Entries = {}
    while True:
        at = _skip(body, at)
        if body.startswith(b">>", at):
            return found
        end = _value_end(body, at)
        key, at = body[at:end], _skip(body, end)
        end = _value_end(body, at)
        found[key], at = body[at:end], end


def dictionary(values: Mapping[bytes, bytes]) -> bytes:
    """A dictionary as bytes."""
    return b"<< " + b" ".join(k + b" " + v for k, v in values.items()) + b" >>"


def changed(body: bytes, **changes: bytes | None) -> bytes:
    """A dictionary (or a stream's, its data kept) with entries set by name, or taken out where None."""
    values = entries(body)
    for name, value in changes.items():
        key = b"/" + name.encode()
        values.pop(key, None)
        if value is not None:
            values[key] = value
    kept = body[body.index(b"stream") :] if b"\nstream" in body else b""
    return dictionary(values) + (b"\n" + kept if kept else b"")


def items(array: bytes) -> list[bytes]:
    """The values of an array."""
    at, found = array.index(b"[") + 1, []
    while True:
        at = _skip(array, at)
        if array.startswith(b"]", at):
            return found
        end = _value_end(array, at)
        found.append(array[at:end])
        at = end


def array(values: Iterable[bytes]) -> bytes:
    """An array as bytes."""
    return b"[" + b" ".join(values) + b"]"


def stream(data: bytes, values: bytes = b"", *, packed: bool = False, length: bytes | None = None) -> bytes:
    """A stream object's body; ``values`` go into its dictionary."""
    if packed:
        data, values = zlib.compress(data), values + b" /Filter /FlateDecode"
    return b"<< %s /Length %s >>\nstream\n%s\nendstream" % (values, length or b"%d" % len(data), data)


def _skip(data: bytes, at: int) -> int:
    while at < len(data) and (data[at] in _SPACE or data[at] == 0x25):
        if data[at] == 0x25:
            while at < len(data) and data[at] not in b"\r\n":
                at += 1
        else:
            at += 1
    return at


def _value_end(data: bytes, at: int) -> int:
    if data.startswith(b"<<", at):
        return _matched(data, at, b"<<", b">>")
    head = data[at : at + 1]
    if head == b"[":
        return _matched(data, at, b"[", b"]")
    if head == b"(":
        return _string_end(data, at)
    if head == b"<":
        return data.index(b">", at) + 1
    reference = _REFERENCE.match(data, at)
    if reference:
        return reference.end()
    at += 1
    while at < len(data) and data[at] not in _STOP:
        at += 1
    return at


def _matched(data: bytes, at: int, opening: bytes, closing: bytes) -> int:
    at = _skip(data, at + len(opening))
    while not data.startswith(closing, at):
        at = _skip(data, _value_end(data, at))
    return at + len(closing)


def _string_end(data: bytes, at: int) -> int:
    depth = 0
    while True:
        byte = data[at : at + 1]
        if byte == b"\\":
            at += 1
        elif byte == b"(":
            depth += 1
        elif byte == b")":
            depth -= 1
            if not depth:
                return at + 1
        at += 1


# --- whole files ----------------------------------------------------------------------------------------------------


@dataclass
class Builder:
    """A new file, object by object. ``style``: ``table``, ``stream`` (cross-reference stream) or ``packed``."""

    style: str = "table"
    objects: dict[int, bytes] = field(default_factory=dict)
    parts: dict[str, int] = field(default_factory=dict)

    def put(self, name: str, body: bytes, number: int | None = None) -> int:
        """Add an object under a name; gives its number."""
        number = number or max(self.objects, default=0) + 1
        self.objects[number] = body
        self.parts[name] = number
        return number

    def write(self, *, head: bytes = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", trailer: bytes = b"") -> bytes:
        """The file's bytes."""
        identity = b"/ID [<00112233445566778899AABBCCDDEEFF> <00112233445566778899AABBCCDDEEFF>]"
        root = b"/Root %d 0 R" % self.parts["catalog"]
        info = b"/Info %d 0 R" % self.parts["info"] if "info" in self.parts else b""
        extra = b" ".join((root, info, identity, trailer))
        return section(head, self.objects, style=self.style, extra=extra, size=max(self.objects) + 1, first=True)


def section(
    before: bytes,
    objects: Mapping[int, bytes],
    *,
    style: str,
    extra: bytes,
    size: int,
    first: bool = False,
    freed: Mapping[int, int] | None = None,
    generations: Mapping[int, int] | None = None,
    unlisted: Iterable[int] = (),
    offsets: Mapping[int, int] | None = None,
) -> bytes:
    """``before`` followed by objects, cross-reference and trailer.

    ``unlisted`` objects are written and not listed; ``offsets`` replaces what is said of an object's place.
    """
    out = bytearray(before)
    generations, hidden = generations or {}, set(unlisted)
    rows: dict[int, tuple[int, int, int]] = {0: (0, 0, 65535)} if first else {}
    rows |= {n: (0, 0, g) for n, g in (freed or {}).items()}
    loose, packed = dict(objects), {}
    if style == "packed":
        packed = {n: b for n, b in objects.items() if b"stream\n" not in b}
        loose = {n: b for n, b in objects.items() if n not in packed}
    if packed:
        size = max(size, *(n + 1 for n in objects))
        container, size = size, size + 1
        loose[container] = _object_stream(packed)
        rows |= {n: (2, container, i) for i, n in enumerate(packed) if n not in hidden}
    for number, body in loose.items():
        generation = generations.get(number, 0)
        if number not in hidden:
            rows[number] = (1, len(out), generation)
        out += b"%d %d obj\n%s\nendobj\n" % (number, generation, body)
    rows |= {n: (1, o, generations.get(n, 0)) for n, o in (offsets or {}).items()}
    start = len(out)
    size = max([size, *(n + 1 for n in rows)])
    out += _table(rows, extra, size) if style == "table" else _xref_stream(rows, extra, size, start)
    out += b"startxref\n%d\n%%%%EOF\n" % start
    return bytes(out)


def _object_stream(packed: Mapping[int, bytes]) -> bytes:
    head, data = b"", b""
    for number, body in packed.items():
        head += b"%d %d " % (number, len(data))
        data += body + b"\n"
    return stream(head + data, b"/Type /ObjStm /N %d /First %d" % (len(packed), len(head)), packed=True)


def _runs(numbers: Iterable[int]) -> list[list[int]]:
    runs: list[list[int]] = []
    for number in sorted(numbers):
        if runs and runs[-1][-1] + 1 == number:
            runs[-1].append(number)
        else:
            runs.append([number])
    return runs


def _table(rows: Mapping[int, tuple[int, int, int]], extra: bytes, size: int) -> bytes:
    out = b"xref\n" if rows else b"xref\n0 0\n"
    for run in _runs(rows):
        out += b"%d %d\n" % (run[0], len(run))
        for number in run:
            kind, place, generation = rows[number]
            out += b"%010d %05d %s\r\n" % (place, generation, b"n" if kind else b"f")
    return out + b"trailer\n<< /Size %d %s >>\n" % (size, extra)


def _xref_stream(rows: Mapping[int, tuple[int, int, int]], extra: bytes, size: int, start: int) -> bytes:
    own, size = size, size + 1
    rows = {**rows, own: (1, start, 0)}
    data = b"".join(
        bytes([rows[n][0]]) + rows[n][1].to_bytes(5, "big") + rows[n][2].to_bytes(2, "big") for n in sorted(rows)
    )
    index = b" ".join(b"%d %d" % (run[0], len(run)) for run in _runs(rows))
    body = stream(data, b"/Type /XRef /Size %d /W [1 5 2] /Index [%s] %s" % (size, index, extra), packed=True)
    return b"%d 0 obj\n%s\nendobj\n" % (own, body)


# --- updates --------------------------------------------------------------------------------------------------------


def last_startxref(pdf: bytes) -> int:
    """What the last ``startxref`` says."""
    return int(re.findall(rb"startxref\s+(\d+)", pdf)[-1])


def trailer_of(pdf: bytes) -> Entries:
    """The entries of the last trailer, or of the last cross-reference stream's dictionary."""
    start = last_startxref(pdf)
    return entries(pdf[pdf.index(b"trailer", start) :] if pdf.startswith(b"xref", start) else pdf[start:])


def update(
    pdf: bytes,
    objects: Mapping[int, bytes],
    *,
    style: str | None = None,
    trailer: Mapping[bytes, bytes | None] | None = None,
    size: int | None = None,
    freed: Mapping[int, int] | None = None,
    generations: Mapping[int, int] | None = None,
    unlisted: Iterable[int] = (),
    offsets: Mapping[int, int] | None = None,
) -> bytes:
    """``pdf`` with an incremental update. ``trailer`` changes entries of the trailer; None takes one out."""
    old = trailer_of(pdf)
    kept: dict[bytes, bytes | None] = {k: old.get(k) for k in (b"/Root", b"/Info", b"/ID", b"/Encrypt")}
    kept[b"/Prev"] = b"%d" % last_startxref(pdf)
    kept |= trailer or {}
    if style is None:
        style = "table" if pdf.startswith(b"xref", last_startxref(pdf)) else "stream"
    extra = b" ".join(k + b" " + v for k, v in kept.items() if v is not None)
    before = pdf if pdf.endswith((b"\n", b"\r")) else pdf + b"\n"
    return section(
        before,
        objects,
        style=style,
        extra=extra,
        size=size or max([int(old[b"/Size"]), *(n + 1 for n in objects)]),
        freed=freed,
        generations=generations,
        unlisted=unlisted,
        offsets=offsets,
    )


def same_length(pdf: bytes, old: bytes, new: bytes) -> bytes:
    """Replace the last ``old`` by ``new``, padded with spaces so that nothing moves."""
    assert len(new) <= len(old), (old, new)
    at = pdf.rindex(old)
    return pdf[:at] + new.ljust(len(old)) + pdf[at + len(old) :]
