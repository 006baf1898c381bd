"""Turning BER into values of definite length (X.690 8), as other producers' signatures need before they can be read.

Lengths become definite and strings built of parts become one; the order of sets and everything else stays. What
comes out is for reading; that a signature is in DER from the start is asked by :mod:`verify.formats.der`.
"""

from __future__ import annotations

from verify.formats.der import wrap

_MAX_DEPTH = 64
_MAX_VALUES = 500_000
_STRINGS = frozenset({3, 4, 12, 18, 19, 20, 21, 22, 25, 26, 27, 28, 30})


class BerError(ValueError):
    """The bytes begin with no value that can be read. The message says why."""


def definite(data: bytes) -> tuple[bytes, int]:
    """The first value in ``data`` with definite lengths throughout, and how many bytes it took. Raises BerError."""
    reader = _Reader(data)
    value, end = reader.value(0, len(data), 0)
    return value, end


def length_of(data: bytes) -> int:
    """How many bytes the first value in ``data`` takes. Raises BerError."""
    if len(data) > 1 and data[1] != 0x80:
        _, body, size = _Reader(data).header(0, len(data))
        return body + (size or 0)
    return definite(data)[1]


def sorted_set(value: bytes) -> bytes:
    """A SET OF (or anything built of values) with its elements in the order of DER (X.690 11.6)."""
    reader = _Reader(value)
    _, body, size = reader.header(0, len(value))
    end = body + (size or 0)
    parts, position = [], body
    while position < end:
        _, inner, length = reader.header(position, end)
        following = inner + length if length is not None else reader.value(position, end, 0)[1]
        parts.append(value[position:following])
        position = following
    return wrap(value[0], *sorted(parts))


class _Reader:
    def __init__(self, data: bytes) -> None:
        self.data = data
        self.values = 0

    def header(self, start: int, limit: int) -> tuple[bytes, int, int | None]:
        """Identifier octets, where the content begins, and its length or None for an indefinite one."""
        data, position = self.data, start + 1
        if start >= limit:
            raise BerError("truncated")
        if data[start] & 0x1F == 0x1F:
            while position < limit and data[position] & 0x80:
                position += 1
            position += 1
        if position >= limit:
            raise BerError("truncated")
        identifier, first = data[start:position], data[position]
        position += 1
        if first == 0x80:
            return identifier, position, None
        if not first & 0x80:
            size = first
        else:
            count = first & 0x7F
            if count > 8 or position + count > limit:
                raise BerError("a length is too long")
            size = int.from_bytes(data[position : position + count], "big")
            position += count
        if position + size > limit:
            raise BerError("truncated")
        return identifier, position, size

    def value(self, start: int, limit: int, depth: int) -> tuple[bytes, int]:
        """The value at ``start`` rewritten, and where the next begins."""
        self.values += 1
        if depth > _MAX_DEPTH or self.values > _MAX_VALUES:
            raise BerError("nested too deeply or of too many parts")
        identifier, body, size = self.header(start, limit)
        constructed = identifier[0] & 0x20
        if not constructed:
            if size is None:
                raise BerError("a plain value without a length")
            return self.data[start : body + size], body + size
        parts, end = self._parts(body, limit if size is None else body + size, size is None, depth)
        universal = not identifier[0] & 0xC0
        if universal and identifier[0] & 0x1F in _STRINGS:
            return _joined(identifier[0] & ~0x20, parts), end
        if len(identifier) > 1:
            raise BerError("a tag of several bytes")
        return wrap(identifier[0], *parts), end

    def _parts(self, position: int, limit: int, open_ended: bool, depth: int) -> tuple[list[bytes], int]:
        parts: list[bytes] = []
        while position < limit:
            if open_ended and self.data[position : position + 2] == b"\0\0":
                return parts, position + 2
            part, position = self.value(position, limit, depth + 1)
            parts.append(part)
        if open_ended:
            raise BerError("the end of a value is missing")
        return parts, position


def _joined(identifier: int, parts: list[bytes]) -> bytes:
    """One string of its parts, which are definite already; a bit string's parts each begin with a count."""
    contents = []
    for number, part in enumerate(parts):
        _, body, _ = _Reader(part).header(0, len(part))
        content = part[body:]
        if identifier & 0x1F == 3 and number:
            content = content[1:]
        contents.append(content)
    return wrap(identifier, *contents)
