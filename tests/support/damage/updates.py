"""Incremental updates with random objects: written as text with right and wrong tables, and by pyHanko's writer."""

from __future__ import annotations

import io
import random
import re
import zlib
from typing import Any

from tests.support.damage import bytewise, structural
from tests.support.damage.anatomy import Anatomy

_ROOT = re.compile(rb"/Root\s+(\d+) (\d+) R")
_SIZE = re.compile(rb"/Size\s+(\d+)")
_ID = re.compile(rb"/ID\s*\[\s*(?:<[0-9A-Fa-f]*>\s*){2}\]")
_FRESH = (
    b"null", b"42", b"()", b"[]", b"<<>>", b"<</Type/Page/MediaBox[0 0 600 800]>>", b"<</Type/Catalog>>",
    b"<</Length 44>>stream\nBT /F1 24 Tf 60 700 Td (REPLACED CONTENT) Tj ET\nendstream",
    b"<</Type/Pages/Kids[]/Count 0>>",
    b"<</FT/Tx/T(new)/V(new)/Subtype/Widget/Rect[0 0 500 500]/F 4>>", b"<</S/JavaScript/JS(app.alert\\(1\\))>>",
    b"<</Subtype/FreeText/Rect[50 50 500 700]/Contents(text)/DA(/Helv 20 Tf)/F 4>>", b"[0 0 R 1 0 R 2 0 R]",
)  # fmt: skip


def append_text(r: random.Random, a: Anatomy, other: Anatomy) -> bytes:
    """Changed or new objects behind the file, with a table that lists them, some of them, or none."""
    out = bytearray(a.data)
    if not out.endswith((b"\n", b"\r")):
        out += b"\n"
    offsets: dict[int, int] = {}
    for _ in range(r.choice((1, 1, 2, 4))):
        number, body = _object(r, a, other)
        offsets[number] = len(out)
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body.strip())
    _end(r, a, out, offsets)
    return bytes(out)


def _object(r: random.Random, a: Anatomy, other: Anatomy) -> tuple[int, bytes]:
    highest = max((b.number for b in a.bodies), default=1)
    what = r.random()
    if what < 0.6 and a.bodies:
        body = r.choice(a.bodies)
        inner = a.data[slice(*body.inner)]
        small = Anatomy(inner)
        for _ in range(r.choice((1, 1, 3))):
            inner = r.choice(structural.ALL[:9])(r, small, small)
            small = Anatomy(inner)
        return body.number, inner
    number = r.choice([b.number for b in a.bodies] or [1]) if r.random() < 0.5 else highest + r.choice((1, 2, 50))
    if what < 0.8 and other.bodies:
        return number, other.data[slice(*r.choice(other.bodies).inner)]
    return number, r.choice(_FRESH)


def _end(r: random.Random, a: Anatomy, out: bytearray, offsets: dict[int, int]) -> None:
    root = (_ROOT.findall(a.data) or [(b"1", b"0")])[-1]
    size = max([int(s) for s in _SIZE.findall(a.data)[-1:]] + [n + 1 for n in offsets])
    previous = a.data[slice(*a.starts[-1])] if a.starts else b"0"
    trailer = b"/Size %d/Root %s %s R/Prev %s" % (size, *root, previous)
    if identity := _ID.findall(a.data):
        trailer += identity[-1]
    kind = r.choice(("table", "table", "stream", "empty", "some", "wrong", "none", "bare", "rootless"))
    if kind == "none":
        return
    start = len(out)
    if kind == "stream":
        _stream(out, offsets, trailer, size)
    else:
        listed = dict(offsets)
        if kind in ("empty", "bare"):
            listed = {}
        elif kind == "some":
            listed.pop(r.choice(list(listed)))
        elif kind == "wrong":
            listed = {n: o + r.choice((-1, 1, 7)) for n, o in listed.items()}
        out += b"xref\n0 0\n" if not listed else b"xref\n"
        for number, offset in sorted(listed.items()):
            out += b"%d 1\n%010d 00000 n \n" % (number, offset)
        if kind == "rootless":
            trailer = trailer.replace(b"/Root %s %s R" % root, b"/Root %d 0 R" % next(iter(offsets)))
        out += b"trailer\n<<%s>>\n" % trailer
    if kind != "bare":
        out += b"startxref\n%d\n%%%%EOF\n" % start


def _stream(out: bytearray, offsets: dict[int, int], trailer: bytes, size: int) -> None:
    listed = {**offsets, size: len(out)}
    index = b" ".join(b"%d 1" % n for n in sorted(listed))
    rows = zlib.compress(b"".join(b"\1" + listed[n].to_bytes(4, "big") + b"\0\0" for n in sorted(listed)))
    trailer = _SIZE.sub(b"/Size %d" % (size + 1), trailer)
    out += b"%d 0 obj\n<</Type/XRef/W[1 4 2]/Index[%s]%s/Length %d/Filter/FlateDecode>>stream\n" % (
        size, index, trailer, len(rows),
    )  # fmt: skip
    out += rows + b"\nendstream\nendobj\n"


def append_by_pyhanko(r: random.Random, a: Anatomy, other: Anatomy) -> bytes:
    """A well-formed update that changes one live value somewhere in the document's graph, as a clever forger would."""
    from pyhanko.pdf_utils import generic
    from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter

    try:
        writer = IncrementalPdfFileWriter(io.BytesIO(a.data), strict=False)
        writer._document_id[1] = generic.ByteStringObject(r.randbytes(16))  # else random anew each time
        writer._update_meta = lambda: None  # it would write the time of day
        for _ in range(r.choice((1, 1, 2))):
            holder = _walk(r, writer.root)
            _change(r, writer, holder, generic)
            if r.random() < 0.2:
                writer.update_root()
            else:
                writer.update_container(holder)
        out = io.BytesIO()
        writer.write(out)
        return out.getvalue()
    except Exception:
        return append_text(r, a, other)


def _walk(r: random.Random, start: Any) -> Any:
    """A container some random steps away from the catalog."""
    here = start
    for _ in range(r.choice((0, 1, 2, 3, 5, 8))):
        values = list(here.values()) if hasattr(here, "values") else list(here)
        below = []
        for value in values:
            found = value.get_object() if hasattr(value, "get_object") else value
            if isinstance(found, dict | list) and len(found):
                below.append(found)
        if not below:
            break
        here = r.choice(below)
    return here


def _change(r: random.Random, writer: Any, holder: Any, generic: Any) -> None:
    new = _value(r, writer, generic)
    if isinstance(holder, dict):
        keys = list(holder)
        what = r.random()
        if what < 0.25 and keys:
            del holder[r.choice(keys)]
        elif what < 0.6 and keys:
            holder[r.choice(keys)] = new
        elif what < 0.75 and len(keys) > 1:
            one, two = r.sample(keys, 2)
            one_value, two_value = holder.raw_get(one), holder.raw_get(two)
            holder[one], holder[two] = two_value, one_value
        else:
            holder[generic.NameObject(r.choice(structural.NAMES).decode())] = new
        if hasattr(holder, "_data") and r.random() < 0.3:
            holder._data = bytewise.set_bytes(r, Anatomy(holder.data or b" "), Anatomy(b" "))
            holder._encoded_data = None
    elif isinstance(holder, list):
        at = r.randrange(len(holder) + 1)
        if r.random() < 0.4 and at < len(holder):
            del holder[at]
        elif r.random() < 0.5 and len(holder) > 1:
            r.shuffle(holder)
        else:
            holder.insert(at, new)


def _value(r: random.Random, writer: Any, generic: Any) -> object:
    g = generic
    what = r.randrange(7)
    if what == 0:
        return g.NumberObject(r.choice((0, 1, -1, 2, 4, 100, 99999)))
    if what == 1:
        return g.NameObject(r.choice(structural.NAMES).decode())
    if what == 2:
        return g.TextStringObject(r.choice(("", "new", "changed", "D:20260101000000Z")))
    if what == 3:
        return g.ArrayObject([g.NumberObject(n) for n in (0, 0, 600, 800)])
    if what == 4:
        return g.NullObject()
    if what == 5:
        known = sorted(one.idnum for one in writer.prev.xrefs.explicit_refs_in_revision(0)) or [1]
        return g.IndirectObject(r.choice(known), 0, writer)
    stream = g.StreamObject(stream_data=b"BT /F1 30 Tf 50 500 Td (CHANGED) Tj ET")
    return writer.add_object(stream)


ALL = (append_text, append_text, append_by_pyhanko)
