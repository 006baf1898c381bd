"""Is a value in the distinguished encoding, and nothing else? (X.690 10 and 11)

asn1crypto reads BER leniently, which is right for foreign certificates and wrong for a signature that must not be
changeable without notice. This walker accepts exactly one encoding of each value.
"""

from __future__ import annotations

from collections.abc import Iterator

_MAX_DEPTH = 50
_STRINGS = {12, 18, 19, 20, 21, 22, 25, 26, 27, 28, 30}
_DIGITS = frozenset(b"0123456789")


class NotDerError(ValueError):
    """The bytes are not one value in distinguished encoding. The message says what is wrong."""


def require_der(data: bytes) -> None:
    """Raise NotDerError unless ``data`` is exactly one value in DER."""
    end = _walk(data, 0, len(data), 0)
    if end != len(data):
        raise NotDerError("bytes follow the value")


def wrap(identifier: int, *parts: bytes) -> bytes:
    """One value with this identifier octet around its parts.

    To rebuild a structure from what was read, and compare: lenient readers pass over elements they do not know.
    """
    content = b"".join(parts)
    size = len(content)
    if size < 0x80:
        return bytes((identifier, size)) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((identifier, 0x80 | len(length))) + length + content


def children(data: bytes) -> list[bytes]:
    """The encodings inside one constructed value."""
    _, _, start, end = _header(data, 0, len(data))
    return [data[a:b] for a, b in _spans(data, start, end)]


def _spans(data: bytes, start: int, end: int) -> Iterator[tuple[int, int]]:
    position = start
    while position < end:
        following = _header(data, position, end)[3]
        yield position, following
        position = following


def _header(data: bytes, start: int, limit: int) -> tuple[int, int, int, int]:
    """Identifier octet, tag number, start and end of the content."""
    if start + 2 > limit:
        raise NotDerError("truncated")
    first = data[start]
    tag = first & 0x1F
    if tag == 0x1F:
        raise NotDerError("tag number of several bytes")
    length = data[start + 1]
    body = start + 2
    if length & 0x80:
        count = length & 0x7F
        if count == 0 or count > 4 or body + count > limit:
            raise NotDerError("length is not definite")
        raw = data[body : body + count]
        length = int.from_bytes(raw, "big")
        if raw[0] == 0 or length < 0x80:
            raise NotDerError("length is longer than needed")
        body += count
    if body + length > limit:
        raise NotDerError("truncated")
    return first, tag, body, body + length


def _walk(data: bytes, start: int, limit: int, depth: int) -> int:
    if depth > _MAX_DEPTH:
        raise NotDerError("nested too deeply")
    first, tag, body, end = _header(data, start, limit)
    if first & 0x20:
        if not first & 0xC0 and tag not in (16, 17):
            raise NotDerError("a string is built of parts")
        position, previous = body, b""
        while position < end:
            following = _walk(data, position, end, depth + 1)
            if not first & 0xC0 and tag == 17:
                encoding = data[position:following]
                if previous and encoding < previous:
                    raise NotDerError("a set is not in order")
                previous = encoding
            position = following
    elif not first & 0xC0:
        _primitive(tag, data[body:end])
    return end


def _primitive(tag: int, content: bytes) -> None:
    if tag == 1:
        _need(len(content) == 1 and content[0] in (0, 0xFF), "a truth value is neither 00 nor FF")
    elif tag in (2, 10):
        _need(_minimal_integer(content), "an integer is longer than needed")
    elif tag == 3:
        _need(_proper_bits(content), "unused bits are set")
    elif tag == 5:
        _need(not content, "a null holds something")
    elif tag == 6:
        _need(_minimal_oid(content), "an object identifier is longer than needed")
    elif tag == 23:
        _need(len(content) == 13 and content[12:] == b"Z" and _DIGITS.issuperset(content[:12]), "a time is not in UTC")
    elif tag == 24:
        _need(_proper_time(content), "a time is not in UTC")
    else:
        _need(tag == 4 or tag in _STRINGS, f"tag {tag} is not used here")


def _need(condition: bool, reason: str) -> None:
    if not condition:
        raise NotDerError(reason)


def _minimal_integer(content: bytes) -> bool:
    if not content:
        return False
    return len(content) == 1 or not (
        (content[0] == 0 and content[1] < 0x80) or (content[0] == 0xFF and content[1] >= 0x80)
    )


def _proper_bits(content: bytes) -> bool:
    if not content or content[0] > 7 or (content[0] and len(content) == 1):
        return False
    return not content[-1] & ((1 << content[0]) - 1) if content[0] else True


def _minimal_oid(content: bytes) -> bool:
    if not content or content[-1] & 0x80:
        return False
    starts = [0] + [i + 1 for i, c in enumerate(content[:-1]) if not c & 0x80]
    return all(content[i] != 0x80 for i in starts)


def _proper_time(content: bytes) -> bool:
    body, zone = content[:-1], content[-1:]
    whole, dot, fraction = body.partition(b".")
    if zone != b"Z" or len(whole) != 14 or not _DIGITS.issuperset(whole):
        return False
    return not dot or (bool(fraction) and _DIGITS.issuperset(fraction) and not fraction.endswith(b"0"))
