"""Damage that knows what the parts of a PDF are: objects, numbers, names, references, lengths, tables, streams."""

from __future__ import annotations

import random
import re
import zlib
from collections.abc import Sequence

from tests.support.damage.anatomy import Anatomy, Span

_HUGE = (b"2147483648", b"4294967295", b"99999999999999999999", b"-1", b"0", b"1e9", b"0.00001", b"-2147483649")
NAMES = (
    b"/Page", b"/Pages", b"/Catalog", b"/Contents", b"/Annots", b"/AcroForm", b"/Fields", b"/Kids", b"/Parent",
    b"/Type", b"/Sig", b"/DocTimeStamp", b"/ByteRange", b"/V", b"/AP", b"/N", b"/Length", b"/Filter", b"/FlateDecode",
    b"/DSS", b"/LZWDecode", b"/ASCII85Decode", b"/RunLengthDecode", b"/Crypt", b"/DCTDecode", b"/ObjStm", b"/XRef",
    b"/Prev",
    b"/XRefStm", b"/Root", b"/Size", b"/Encrypt", b"/W", b"/Index", b"/First", b"/Perms", b"/DocMDP", b"/OCProperties",
    b"/OpenAction", b"/JavaScript", b"/Names", b"/EmbeddedFiles", b"/Font", b"/ToUnicode", b"/Resources", b"/XObject",
)  # fmt: skip


def put(data: bytes, span: Span, new: bytes) -> bytes:
    return data[: span[0]] + new + data[span[1] :]


def pick(r: random.Random, a: Anatomy, spans: Sequence[Span]) -> Span | None:
    """One of the spans; as often as not one that no digest covers."""
    if not spans:
        return None
    if r.random() < 0.6:
        outside = [s for s in spans if any(low <= s[0] < high for low, high in a.unsigned)]
        if outside:
            return r.choice(outside)
    return r.choice(spans)


def fitted(r: random.Random, new: bytes, length: int) -> bytes:
    """Mostly of the old length, so that the offsets behind stay right."""
    if r.random() < 0.75:
        return new[:length].ljust(length) if length else new
    return new


def change_number(r: random.Random, a: Anatomy, other: Anatomy) -> bytes:
    span = pick(r, a, a.numbers)
    if span is None:
        return a.data
    old = a.data[slice(*span)]
    digits = bytearray(old)
    digits[r.randrange(len(digits))] = r.choice(b"0123456789")
    new = r.choice((bytes(digits), bytes(digits), r.choice(_HUGE), _near(r, old)))
    return put(a.data, span, fitted(r, new, len(old)))


def _near(r: random.Random, old: bytes) -> bytes:
    try:
        return b"%d" % (int(old) + r.choice((-2, -1, 1, 2, 10)))
    except ValueError:
        return b"0"


def change_name(r: random.Random, a: Anatomy, other: Anatomy) -> bytes:
    span = pick(r, a, a.names)
    if span is None:
        return a.data
    old = a.data[slice(*span)]
    mangled = bytearray(old)
    mangled[-1] ^= r.choice((1, 2, 0x20))
    escaped = old[:1] + b"#%02x" % old[1] + old[2:]
    return put(a.data, span, fitted(r, r.choice((r.choice(NAMES), bytes(mangled), escaped)), len(old)))


def change_reference(r: random.Random, a: Anatomy, other: Anatomy) -> bytes:
    span = pick(r, a, a.references)
    if span is None:
        return a.data
    numbers = [b.number for b in a.bodies] or [1]
    new = b"%d %d R" % (r.choice((*numbers, 0, 999999)), r.choice((0, 0, 0, 0, 1, 65535)))
    return put(a.data, span, fitted(r, new, span[1] - span[0]))


def change_length(r: random.Random, a: Anatomy, other: Anatomy) -> bytes:
    span = pick(r, a, a.lengths)
    if span is None:
        return a.data
    old = a.data[slice(*span)]
    return put(a.data, span, fitted(r, r.choice((_near(r, old), *_HUGE)), len(old)))


def change_entry(r: random.Random, a: Anatomy, other: Anatomy) -> bytes:
    span = pick(r, a, a.entries)
    if span is None:
        return a.data
    entry = bytearray(a.data[slice(*span)])
    what = r.randrange(5)
    if what == 0:
        entry[17] ^= ord("n") ^ ord("f")
    elif what == 1:
        entry[:10] = b"%010d" % r.choice([b.whole[0] for b in a.bodies] or [0])
    elif what == 2:
        entry[11:16] = r.choice((b"65535", b"00001", b"99999"))
    elif what == 3:
        entry[r.randrange(10)] = r.choice(b"0123456789 x")
    else:
        entry[18:20] = r.choice((b"\r\n", b" \n", b" \r", b"\n\n", b"  "))
    return put(a.data, span, bytes(entry))


def change_start(r: random.Random, a: Anatomy, other: Anatomy) -> bytes:
    span = pick(r, a, a.starts)
    if span is None:
        return a.data
    known = [a.data[slice(*s)] for s in a.starts] + [b"%d" % b.whole[0] for b in a.bodies[:50]]
    tables = [b"%d" % m.start() for m in re.finditer(rb"(?<!start)xref", a.data)]
    return put(a.data, span, r.choice((*known, *tables, *_HUGE, b"%d" % len(a.data))))


def change_string(r: random.Random, a: Anatomy, other: Anatomy) -> bytes:
    span = pick(r, a, a.strings)
    if span is None:
        return a.data
    old = bytearray(a.data[slice(*span)])
    inside = r.randrange(1, len(old) - 1) if len(old) > 2 else 0
    old[inside] = r.choice(b"0aF )(\\<>\r")
    return put(a.data, span, bytes(old))


def change_word(r: random.Random, a: Anatomy, other: Anatomy) -> bytes:
    span = pick(r, a, a.words)
    if span is None:
        return a.data
    old = a.data[slice(*span)]
    new = r.choice((b"", old[:-1], old + old, old.upper(), b"endobj", b"<<", b">>", b"null", b"endstream"))
    return put(a.data, span, fitted(r, new, len(old)))


def change_stream(r: random.Random, a: Anatomy, other: Anatomy) -> bytes:
    """Bytes inside a stream; where it is deflated, as often what it says, packed again."""
    span = pick(r, a, [s for s in a.streams if s[1] > s[0]])
    if span is None:
        return a.data
    raw = bytearray(a.data[slice(*span)])
    try:
        plain = bytearray(zlib.decompressobj().decompress(bytes(raw), 2_000_000)) if r.random() < 0.6 else bytearray()
    except zlib.error:
        plain = bytearray()
    if plain:
        for _ in range(r.choice((1, 2, 5))):
            plain[r.randrange(len(plain))] = r.choice(b"0123456789 ()<>/BTET")
        return put(a.data, span, fitted(r, zlib.compress(bytes(plain), 9), len(raw)))
    raw[r.randrange(len(raw))] ^= 1 << r.randrange(8)
    return put(a.data, span, bytes(raw))


def swap_objects(r: random.Random, a: Anatomy, other: Anatomy) -> bytes:
    if len(a.bodies) < 2:
        return a.data
    one, two = sorted(r.sample(a.bodies, 2), key=lambda b: b.whole)
    if one.inner[1] > two.inner[0]:
        return a.data
    first, second = a.data[slice(*one.inner)], a.data[slice(*two.inner)]
    between = a.data[one.inner[1] : two.inner[0]]
    return a.data[: one.inner[0]] + second + between + first + a.data[two.inner[1] :]


def repeat_object(r: random.Random, a: Anatomy, other: Anatomy) -> bytes:
    """The same object once more, from this file or another, at another object's side or at the end."""
    source = r.choice((a, a, other))
    if not source.bodies:
        return a.data
    piece = source.data[slice(*r.choice(source.bodies).whole)] + b"\n"
    at = r.choice([*(b.whole[1] for b in a.bodies[-20:]), len(a.data), *a.ends])
    return a.data[:at] + b"\n" + piece + a.data[at:]


def remove_object(r: random.Random, a: Anatomy, other: Anatomy) -> bytes:
    span = pick(r, a, [b.whole for b in a.bodies])
    if span is None:
        return a.data
    return put(a.data, span, b" " * (span[1] - span[0]) if r.random() < 0.5 else b"")


def change_range(r: random.Random, a: Anatomy, other: Anatomy) -> bytes:
    if not a.range_spans:
        return a.data
    span, values = r.choice(list(zip(a.range_spans, a.ranges, strict=True)))
    changed = list(values)
    which = r.randrange(4)
    changed[which] = r.choice((changed[which] + r.choice((-1, 1, 2, 100)), 0, len(a.data), 2**31, 2**63))
    text = b"/ByteRange [%s]" % b" ".join(b"%d" % v for v in changed)
    return put(a.data, span, fitted(r, text, span[1] - span[0]))


def change_gap(r: random.Random, a: Anatomy, other: Anatomy) -> bytes:
    """The signature's hexadecimal text: its case, digits, spaces, padding, ends."""
    if not a.ranges:
        return a.data
    start, first, second, _ = r.choice(a.ranges)
    low, high = start + first, second
    if not 0 <= low < high <= len(a.data) or high - low < 8:
        return a.data
    gap = bytearray(a.data[low:high])
    at = r.randrange(1, len(gap) - 1)
    what = r.randrange(5)
    if what == 0:
        gap = bytearray(bytes(gap).swapcase())
    elif what == 1:
        gap[at] = r.choice(b" \n\0gG>")
    elif what == 2:
        gap[-1 - r.randrange(1, min(40, len(gap) - 1))] = r.choice(b"123456789abcdef")
    elif what == 3:
        gap[at : at + 1] = bytes(gap[at : at + 1]).swapcase()
    else:
        gap[at] = r.choice(b"0123456789abcdef")
    return a.data[:low] + bytes(gap) + a.data[high:]


ALL = (
    change_number, change_name, change_reference, change_length, change_entry, change_start, change_string, change_word,
    change_stream, swap_objects, repeat_object, remove_object, change_range, change_gap,
)  # fmt: skip
