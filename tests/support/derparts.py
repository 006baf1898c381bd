"""DER structures with one value inside them exchanged, all lengths around it made anew."""

from __future__ import annotations

from verify.formats.der import wrap


def exchanged(der: bytes, old: bytes, new: bytes) -> bytes:
    """``der`` with ``new`` for the first primitive content ``old``, also inside octet and bit strings.

    AssertionError when it is nowhere.
    """
    assert old in der, "it does not hold that value"
    made, done = _elements(der, old, new)
    assert done, "the value is not an element's content"
    return made


def _elements(data: bytes, old: bytes, new: bytes) -> tuple[bytes, bool]:
    parts, rest, done = [], data, False
    while rest:
        tag, content, whole = _first(rest)
        rest = rest[len(whole) :]
        if not done and old in content:
            whole, done = _element(tag, content, old, new)
        parts.append(whole)
    return b"".join(parts), done


def _element(tag: int, content: bytes, old: bytes, new: bytes) -> tuple[bytes, bool]:
    head = b"\0" if tag == 0x03 else b""  # the number of unused bits
    if content == head + old:
        return wrap(tag, head + new), True
    if tag & 0x20 or tag in (0x03, 0x04):
        inner, done = _elements(content[len(head) :], old, new)
        return wrap(tag, head + inner), done
    return wrap(tag, content), False


def _first(data: bytes) -> tuple[int, bytes, bytes]:
    head = 2 + (data[1] & 0x7F if data[1] & 0x80 else 0)
    size = int.from_bytes(data[2:head], "big") if data[1] & 0x80 else data[1]
    return data[0], data[head : head + size], data[: head + size]
