"""The bytes a signature covers, and the value in the gap between them (ISO 32000-2 12.8.1).

The gap must be exactly the string of /Contents: whatever else stood in it could change unseen.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from verify.errors import UnreadableError
from verify.formats.ber import BerError, length_of
from verify.formats.pdflimits import PdfError

_HEX = re.compile(rb"<(?:[0-9A-F]{2})*>|<(?:[0-9a-f]{2})*>")
_LOOSE_HEX = re.compile(rb"<[0-9A-Fa-f\s\x00]*>")
_BLOCK = 16
_SPACE = b" \r\n\t\0\f\v"


def covered_bytes(data: bytes, numbers: tuple[int, ...]) -> bytes:
    """Both parts of the file that a judged byte range names."""
    return data[: numbers[1]] + data[numbers[2] : numbers[2] + numbers[3]]


def range_end(data: bytes, numbers: tuple[int, ...]) -> int:
    """The byte after the signed revision. Raises UnreadableError for a range that does not fit the file."""
    if len(numbers) > 4 and not len(numbers) % 2:
        raise _wrong("it has several gaps, and what lies in the others was never signed")
    if len(numbers) != 4 or min(numbers) < 0:
        raise _wrong("it is not four numbers")
    start, length, second, rest = numbers
    if start:
        raise _wrong("it does not begin with the file")
    if second <= length:
        raise _wrong("its parts overlap or leave no gap")
    if second + rest > len(data):
        raise _wrong("its parts do not fit the file")
    return second + rest


def signature_value(data: bytes, numbers: tuple[int, ...], contents: bytes, strict: bool) -> bytes:
    """The octets of /Contents as the gap spells them, padding included. Raises UnreadableError.

    ``contents`` is what a reader takes for /Contents. ``strict``: even the digits are as certvault writes them.
    """
    gap = data[numbers[1] : numbers[2]]
    if not _LOOSE_HEX.fullmatch(gap):
        raise _wrong("the gap is not one hexadecimal string")
    if strict and (not _HEX.fullmatch(gap) or gap != gap.lower()):
        raise _not_canonical("digits of mixed or upper case, odd number, or white space")
    digits = gap[1:-1].translate(None, _SPACE)
    value = bytes.fromhex((digits + b"0" * (len(digits) % 2)).decode("ascii"))
    if value != contents:
        raise _wrong("the gap is not the signature value")
    return value


Decrypt = Callable[[bytes], bytes]


def without_padding(value: bytes, strict: bool, most: int, decrypt: Decrypt | None = None) -> bytes:
    """The ASN.1 value at the beginning. Raises UnreadableError for padding that holds anything, or has over ``most``.

    Other producers fill the room with zeros, spaces or whatever: with one octet throughout, which says nothing. In an
    encrypted file some encrypt the zeros and write the value over their beginning: ``decrypt``, for strings of the
    signature's object, has to make zeros of what is left.
    """
    if not value.strip(b"\0"):
        raise UnreadableError("SIGNATURE_EMPTY", reason="only zeros")
    try:
        size = length_of(value)
    except BerError as error:
        raise UnreadableError("CMS_BROKEN", reason="no ASN.1 value") from error
    padding = value[size:]
    uniform = not padding.strip(padding[:1]) if padding and not strict else not padding.strip(b"\0")
    if not uniform and (strict or decrypt is None or not _is_encrypted_zeros(value, size, decrypt)):
        raise _not_canonical("bytes other than zero follow the value")
    if strict and len(padding) > most:
        raise _not_canonical("too many zeros follow the value")
    return value[:size]


def _is_encrypted_zeros(value: bytes, size: int, decrypt: Decrypt) -> bool:
    """Whether ``value[size:]`` is the end of a string of encrypted zeros."""
    try:
        if not decrypt(value)[size:].strip(b"\0"):
            return True  # a stream cipher: each octet by itself
        # blocks that are chained: the first one that is whole, or what is left of one, is the vector of the next
        begun = size % _BLOCK
        plain = decrypt(value[size - begun :])
    except PdfError:
        return False
    return not len(value) % _BLOCK and len(plain) > 2 * _BLOCK and not plain[begun:].strip(b"\0")


def _wrong(reason: str) -> UnreadableError:
    return UnreadableError("BYTE_RANGE_WRONG", reason=reason)


def _not_canonical(reason: str) -> UnreadableError:
    return UnreadableError("CONTENTS_NOT_CANONICAL", reason=reason)
