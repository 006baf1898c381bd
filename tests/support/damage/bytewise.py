"""Blind damage: bits, bytes, runs of bytes, cuts and splices, with no regard to what they mean."""

from __future__ import annotations

import random

from tests.support.damage.anatomy import Anatomy


def place(r: random.Random, a: Anatomy) -> int:
    """An offset; as often as not in what no digest covers, where damage is hardest to see."""
    if r.random() < 0.6:
        start, end = r.choice(a.unsigned)
        return r.randrange(start, end)
    return r.randrange(max(1, len(a.data)))


def flip_bits(r: random.Random, a: Anatomy, other: Anatomy) -> bytes:
    out = bytearray(a.data)
    for _ in range(r.choice((1, 1, 1, 2, 8))):
        out[place(r, a)] ^= 1 << r.randrange(8)
    return bytes(out)


def set_bytes(r: random.Random, a: Anatomy, other: Anatomy) -> bytes:
    out = bytearray(a.data)
    start = place(r, a)
    run = r.choice((1, 1, 2, 4, 16, 200))
    out[start : start + run] = r.choice((b"\0", b" ", b"\xff", b"0", b"\n", r.randbytes(1))) * len(
        out[start : start + run]
    )
    return bytes(out)


_PIECES = (
    b" ", b"\n", b"\r", b"\0", b"%\n", b"% comment\n", b"()", b"<>", b"<<>>", b"[]", b"null ", b"endobj ",
    b"stream\n", b"endstream ", b"xref\n0 0\n", b"trailer\n<<>>\n", b"startxref\n0\n%%EOF\n", b"%%EOF\n", b"%PDF-1.7\n",
    b"1 0 obj\n",    b"<<" * 40, b"[" * 200, b"(" * 60, b"9" * 40, b"-", b"/", b"#", b"/#00", b"\xef\xbb\xbf",
)  # fmt: skip


def insert(r: random.Random, a: Anatomy, other: Anatomy) -> bytes:
    at = r.choice((place(r, a), place(r, a), 0, len(a.data)))
    piece = r.randbytes(r.choice((1, 2, 7, 64))) if r.random() < 0.4 else r.choice(_PIECES)
    return a.data[:at] + piece + a.data[at:]


def remove(r: random.Random, a: Anatomy, other: Anatomy) -> bytes:
    at = place(r, a)
    return a.data[:at] + a.data[at + r.choice((1, 1, 2, 10, 100, 1000)) :]


def repeat(r: random.Random, a: Anatomy, other: Anatomy) -> bytes:
    at, run = place(r, a), r.choice((1, 10, 100, 1000, 5000))
    piece = a.data[at : at + run]
    to = place(r, a)
    return a.data[:to] + piece + a.data[to:]


def truncate(r: random.Random, a: Anatomy, other: Anatomy) -> bytes:
    ends = [e for e in a.ends if e < len(a.data)]
    if ends and r.random() < 0.4:
        return a.data[: r.choice(ends)]
    return a.data[: place(r, a)]


def splice(r: random.Random, a: Anatomy, other: Anatomy) -> bytes:
    """The head of one file and the tail of another, cut anywhere or where revisions or objects end."""
    if r.random() < 0.5 and a.ends and other.ends:
        return a.data[: r.choice(a.ends)] + other.data[r.choice((0, *other.ends)) :]
    if r.random() < 0.5 and a.bodies and other.bodies:
        return a.data[: r.choice(a.bodies).whole[1]] + other.data[r.choice(other.bodies).whole[0] :]
    return a.data[: place(r, a)] + other.data[place(r, other) :]


def transplant(r: random.Random, a: Anatomy, other: Anatomy) -> bytes:
    """A run of one file written over the same place of another."""
    at, run = place(r, a), r.choice((20, 200, 2000))
    return a.data[:at] + other.data[at : at + run] + a.data[at + run :]


def other_line_ends(r: random.Random, a: Anatomy, other: Anatomy) -> bytes:
    start, end = r.choice(a.unsigned)
    old, new = r.choice(((b"\n", b"\r\n"), (b"\r\n", b"\n"), (b"\n", b"\r"), (b" ", b"\n"), (b"\n", b" ")))
    return a.data[:start] + a.data[start:end].replace(old, new, r.choice((1, -1))) + a.data[end:]


ALL = (flip_bits, set_bytes, insert, remove, repeat, truncate, splice, transplant, other_line_ends)
