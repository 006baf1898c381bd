"""A small writer of DER (X.690), for structures whose every byte is to be canonical and which are made often."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from functools import lru_cache

NULL = b"\x05\x00"
TRUE = b"\x01\x01\xff"


def tagged(tag: int, content: bytes) -> bytes:
    """One element with the identifier octet ``tag``."""
    size = len(content)
    if size < 0x80:
        return bytes((tag, size)) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(length))) + length + content


def sequence(*parts: bytes) -> bytes:
    """SEQUENCE of elements that are DER already."""
    return tagged(0x30, b"".join(parts))


def set_of(parts: Iterable[bytes]) -> bytes:
    """SET OF in DER order (X.690 11.6)."""
    return tagged(0x31, b"".join(sorted(parts)))


def octets(value: bytes) -> bytes:
    """OCTET STRING."""
    return tagged(0x04, value)


def integer(value: int) -> bytes:
    """INTEGER, also negative."""
    return tagged(0x02, value.to_bytes((value + (value < 0)).bit_length() // 8 + 1, "big", signed=True))


@lru_cache(maxsize=256)
def oid(dotted: str) -> bytes:
    """OBJECT IDENTIFIER in dotted form."""
    first, second, *rest = (int(part) for part in dotted.split("."))
    content = bytearray()
    for arc in (first * 40 + second, *rest):
        group = [arc & 0x7F]
        while arc := arc >> 7:
            group.append(0x80 | arc & 0x7F)
        content += bytes(reversed(group))
    return tagged(0x06, bytes(content))


def generalized_time(at: datetime) -> bytes:
    """GeneralizedTime in whole seconds, UTC."""
    return tagged(0x18, at.astimezone(UTC).strftime("%Y%m%d%H%M%SZ").encode())


def time(at: datetime) -> bytes:
    """UTCTime until 2049, GeneralizedTime after, as RFC 5280 4.1.2.5 and RFC 5652 11.3 ask."""
    at = at.astimezone(UTC)
    return tagged(0x17, at.strftime("%y%m%d%H%M%SZ").encode()) if at.year < 2050 else generalized_time(at)


def retagged(tag: int, element: bytes) -> bytes:
    """IMPLICIT tagging: ``element`` under another identifier octet."""
    return bytes((tag,)) + element[1:]
