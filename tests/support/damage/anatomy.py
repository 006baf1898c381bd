"""Where the parts of a PDF lie, found by plain patterns: rough on purpose, as damage needs no right parser."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from functools import cached_property

from asn1crypto import cms

Span = tuple[int, int]

_OBJECT = re.compile(rb"(?<![0-9])(\d{1,7}) (\d{1,5}) obj\b(.*?)\bendobj", re.S)
_NUMBER = re.compile(rb"(?<![\w.<])[-+]?\d+(?:\.\d+)?(?![\w.>])")
_NAME = re.compile(rb"/[A-Za-z][A-Za-z0-9+._-]*")
_LENGTH = re.compile(rb"/Length\s+(\d+)")
_ENTRY = re.compile(rb"\d{10} \d{5} [nf][ \r][\r\n]")
_REFERENCE = re.compile(rb"(?<![0-9])\d{1,7} \d{1,5} R\b")
_STREAM = re.compile(rb"stream\r?\n(.*?)\r?\n?endstream", re.S)
_WORD = re.compile(rb"\b(?:obj|endobj|stream|endstream|xref|trailer|startxref|null|true|false)\b|%%EOF|<<|>>|\[|\]")
_STRING = re.compile(rb"\((?:[^()\\]|\\.){0,200}\)|<[0-9A-Fa-f\s]{2,200}>", re.S)
_START = re.compile(rb"startxref\s+(\d+)")
_END = re.compile(rb"%%EOF(?:\r\n|\n|\r)?")
_RANGE = re.compile(rb"/ByteRange\s*\[\s*(\d+)\s+(\d+)\s+(\d+)\s+(\d+)\s*\]")


@dataclass(frozen=True)
class Body:
    """One ``n g obj … endobj``: number, whole span, span of what is between."""

    number: int
    whole: Span
    inner: Span


class Anatomy:
    """The parts of one file. Spans are start and end offsets."""

    def __init__(self, data: bytes) -> None:
        self.data = data

    def _spans(self, pattern: re.Pattern[bytes], group: int = 0) -> list[Span]:
        return [m.span(group) for m in pattern.finditer(self.data)]

    @cached_property
    def bodies(self) -> list[Body]:
        return [Body(int(m[1]), m.span(), m.span(3)) for m in _OBJECT.finditer(self.data)]

    @cached_property
    def numbers(self) -> list[Span]:
        return self._spans(_NUMBER)

    @cached_property
    def names(self) -> list[Span]:
        return self._spans(_NAME)

    @cached_property
    def lengths(self) -> list[Span]:
        return self._spans(_LENGTH, 1)

    @cached_property
    def entries(self) -> list[Span]:
        return self._spans(_ENTRY)

    @cached_property
    def references(self) -> list[Span]:
        return self._spans(_REFERENCE)

    @cached_property
    def streams(self) -> list[Span]:
        return self._spans(_STREAM, 1)

    @cached_property
    def words(self) -> list[Span]:
        return self._spans(_WORD)

    @cached_property
    def strings(self) -> list[Span]:
        return self._spans(_STRING)

    @cached_property
    def starts(self) -> list[Span]:
        return self._spans(_START, 1)

    @cached_property
    def ends(self) -> list[int]:
        """Where each revision ends, as its end-of-file mark says."""
        return [m.end() for m in _END.finditer(self.data)]

    @cached_property
    def ranges(self) -> list[tuple[int, int, int, int]]:
        """Every byte range that is written in the file, in its order."""
        return [tuple(map(int, m.groups())) for m in _RANGE.finditer(self.data)]  # type: ignore[misc]

    @cached_property
    def range_spans(self) -> list[Span]:
        return self._spans(_RANGE)

    @cached_property
    def unsigned(self) -> list[Span]:
        """What the first signature's digest leaves out: the gap, and everything behind."""
        if not self.ranges:
            return [(0, len(self.data))]
        start, first, second, rest = self.ranges[0]
        spans = [(start + first, second), (second + rest, len(self.data))]
        return [s for s in spans if 0 <= s[0] < s[1] <= len(self.data)] or [(0, len(self.data))]

    @cached_property
    def signed(self) -> frozenset[bytes]:
        """A digest for each signature: of the bytes it covers, and of what its value in the gap signs and says."""
        found = set()
        for start, first, second, rest in self.ranges:
            covered = self.data[start : start + first] + self.data[second : second + rest]
            value = _essence(self.data[start + first : second])
            found.add(hashlib.sha256(covered + b"|" + value).digest())
        return frozenset(found)


def _essence(gap: bytes) -> bytes:
    """What each signer signed in a CMS value and the value itself, by asn1crypto. What is no CMS counts as it stands.

    Certificates and the name of the signer beside it are neither signed nor shown; a signed attribute binds them.
    """
    text = bytes(c for c in gap.strip(b"<> \r\n\0") if c not in b" \r\n\t\f\0")
    try:
        value = bytes.fromhex(text.decode("ascii") + "0" * (len(text) % 2))
        signed = cms.ContentInfo.load(value)["content"]
        signers = b"".join(
            s["digest_algorithm"].dump() + s["signed_attrs"].dump() + s["signature"].dump()
            for s in signed["signer_infos"]
        )
        return bytes(signers + signed["encap_content_info"].dump())
    except (ValueError, TypeError, KeyError):
        return text
