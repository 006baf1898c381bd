"""The tokens of a content stream (ISO 32000-2 7.8.2): strings, names, numbers, operators."""

from __future__ import annotations

import re
from collections.abc import Iterator

_TOKEN = re.compile(
    rb"(?P<space>[\0\t\n\f\r ]++|%[^\r\n]*+)"
    rb"|(?P<name>/[^\0\t\n\f\r ()<>\[\]{}/%]*+)"
    rb"|(?P<number>[+-]?(?:[0-9]++\.?[0-9]*+|\.[0-9]++))"
    rb"|(?P<hex><[0-9A-Fa-f\0\t\n\f\r ]*+>)"
    rb"|(?P<bracket><<|>>|\[|\])"
    rb"|(?P<word>[A-Za-z'\"*][A-Za-z0-9'\"*]*+)"
)
_STRING_PART = re.compile(rb"[^()\\]++|\\(?:\r\n|[0-7]{1,3}|.)|[()]", re.DOTALL)
_ESCAPES = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f"}


def tokens(content: bytes) -> Iterator[tuple[str, bytes | float]]:
    """The tokens of a content stream: ``string``, ``name``, ``number``, ``word``; brackets are left out."""
    position, size = 0, len(content)
    while position < size:
        if content[position] == 0x28:
            text, position = _string(content, position)
            yield "string", text
            continue
        match = _TOKEN.match(content, position)
        if match is None:
            raise ValueError("no token")
        position = match.end()
        kind, text = match.lastgroup or "", match[0]
        if kind == "hex":
            digits = re.sub(rb"[^0-9A-Fa-f]", b"", text)
            yield "string", bytes.fromhex((digits + b"0" * (len(digits) % 2)).decode())
        elif kind == "number":
            yield "number", float(text)
        elif kind == "name":
            yield "name", NameToken(text[1:])
        elif kind == "word":
            yield "word", text


class NameToken(bytes):
    """A name among the operands, which is no string to show."""

    __slots__ = ()


def _string(content: bytes, position: int) -> tuple[bytes, int]:
    parts: list[bytes] = []
    depth, position = 1, position + 1
    while True:
        match = _STRING_PART.match(content, position)
        if match is None:
            raise ValueError("a string does not end")
        position, part = match.end(), match[0]
        if part == b"(":
            depth += 1
        elif part == b")":
            depth -= 1
            if not depth:
                return b"".join(parts), position
        elif part[:1] == b"\\":
            part = _unescaped(part[1:])
        parts.append(part)


def _unescaped(part: bytes) -> bytes:
    if part[:1].isdigit():
        return bytes((int(part, 8) & 0xFF,))
    if part in (b"\r\n", b"\n", b"\r"):
        return b""
    return _ESCAPES.get(part, part)
