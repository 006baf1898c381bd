"""The values a PDF is made of (ISO 32000-2, 7.3), as Python values.

====================  =======================================================
PDF                   here
====================  =======================================================
null, missing         ``None``
boolean               ``bool``
integer, real         ``int``, ``float``
name                  :class:`Name`, without its slash, ``#xx`` decoded
string                :class:`Text`: its bytes, decrypted where the file is encrypted
array                 ``list``
dictionary            ``dict`` whose keys are names; ``d.get(b"Type")`` finds them
``12 0 R``            :class:`Reference`
stream                :class:`Stream`
====================  =======================================================

Names and strings are both bytes, and Python holds ``True == 1 == 1.0``. Whoever compares values that an attacker wrote
asks :func:`same_value`, never ``==``. Parsed values are shared between revisions: nobody changes one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple


class Name(bytes):
    """A name: ``/Type`` is ``Name(b"Type")``. Equal to the same bytes, so that ``value == b"Sig"`` reads well."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "/" + self.decode("latin-1")

    def __str__(self) -> str:
        """The name with its slash, for messages; bytes outside UTF-8 are replaced."""
        return "/" + self.decode("utf-8", "replace")


class Text(bytes):
    """The bytes of a string, however it was written. ``str()`` reads them as a text string (7.9.2.2)."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "(" + self[:60].decode("latin-1") + ")"

    def __str__(self) -> str:
        """The characters: UTF-16 or UTF-8 by its mark, else PDFDocEncoding."""
        if self[:2] == b"\xfe\xff":
            return self[2:].decode("utf-16-be", "replace")
        if self[:2] == b"\xff\xfe":
            return self[2:].decode("utf-16-le", "replace")
        if self[:3] == b"\xef\xbb\xbf":
            return self[3:].decode("utf-8", "replace")
        return self.decode("latin-1").translate(_DOC_ENCODING)


_DOC_ENCODING = dict(
    zip(
        (*range(0x18, 0x20), *range(0x80, 0x9F), 0xA0),
        "\u02d8\u02c7\u02c6\u02d9\u02dd\u02db\u02da\u02dc"
        "\u2022\u2020\u2021\u2026\u2014\u2013\u0192\u2044\u2039\u203a\u2212\u2030\u201e\u201c\u201d\u2018"
        "\u2019\u201a\u2122\ufb01\ufb02\u0141\u0152\u0160\u0178\u017d\u0131\u0142\u0153\u0161\u017e"
        "\u20ac",
        strict=True,
    )
)
"""Where PDFDocEncoding (Annex D.3) is not Latin-1."""


class Reference(NamedTuple):
    """``number generation R``."""

    number: int
    generation: int

    def __repr__(self) -> str:
        return f"{self.number} {self.generation} R"


class Stream:
    """A stream: its dictionary, and where its bytes lie in the file, ``[start, end)``.

    ``length_from`` is the reference that ``/Length`` was, when it was one.
    """

    __slots__ = ("cipher", "dictionary", "end", "length_from", "source", "start")

    def __init__(
        self,
        dictionary: Dictionary,
        source: bytes,
        start: int,
        end: int,
        length_from: Reference | None = None,
        cipher: Callable[[bytes], bytes] | None = None,
    ) -> None:
        self.dictionary = dictionary
        self.source = source
        self.start = start
        self.end = end
        self.length_from = length_from
        self.cipher = cipher

    @property
    def stored(self) -> bytes:
        """The bytes as they stand in the file, encrypted if it is."""
        return self.source[self.start : self.end]

    @property
    def raw(self) -> bytes:
        """The bytes before any filter is undone: decrypted. Raises PdfError when they cannot be decrypted."""
        return self.cipher(self.stored) if self.cipher is not None else self.stored

    def get(self, key: bytes) -> Value:
        """The value under a key of the dictionary, or None."""
        return self.dictionary.get(key)

    def __repr__(self) -> str:
        return f"<stream {self.start}-{self.end} {self.dictionary!r}>"


Dictionary = dict[bytes, "Value"]
Value = None | bool | int | float | Name | Text | list["Value"] | dict[bytes, "Value"] | Reference | Stream


def same_value(first: Value, second: Value) -> bool:
    """Whether two values are the same in kind and content: references not followed, streams by dictionary and bytes.

    ``1`` and ``1.0`` are the same number; a name is never the same as a string, nor ``true`` as ``1``. A null entry of
    a dictionary is the same as no entry (7.3.7).
    """
    waiting: list[tuple[Value, Value]] = [(first, second)]
    while waiting:
        one, other = waiting.pop()
        if one is other:
            continue
        if isinstance(one, list):
            if not isinstance(other, list) or len(one) != len(other):
                return False
            waiting.extend(zip(one, other, strict=True))
        elif isinstance(one, dict):
            if not isinstance(other, dict):
                return False
            waiting.extend((one.get(key), other.get(key)) for key in one.keys() | other.keys())
        elif isinstance(one, Stream):
            if not isinstance(other, Stream) or one.raw != other.raw:
                return False
            waiting.append((one.dictionary, other.dictionary))
        elif not _same_plain(one, other):
            return False
    return True


def _same_plain(one: Value, other: Value) -> bool:
    if type(one) is type(other):
        return one == other
    numbers = (int, float)
    return type(one) in numbers and type(other) in numbers and one == other
