"""What reading a PDF may cost, the errors it ends with, and the record of what was odd on the way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

_MOST_NOTICES = 2_000


class PdfError(Exception):
    """The PDF, or a part of it, cannot be read. ``reason`` is code-like (``no-root``), ``offset`` is in the file."""

    def __init__(self, reason: str, detail: str = "", offset: int | None = None) -> None:
        place = "" if offset is None else f" at byte {offset}"
        super().__init__((detail or reason.replace("-", " ")) + place)
        self.reason = reason
        self.offset = offset


class PdfLimitError(PdfError):
    """Reading on would cost more than the limits allow: more than ``limit`` of ``what``."""

    def __init__(self, what: str, limit: int) -> None:
        super().__init__(f"limit-{what.replace(' ', '-')}", f"more than {limit} {what}")
        self.what = what
        self.limit = limit


class PdfPasswordError(PdfError):
    """The PDF is encrypted and the password is missing or wrong."""

    def __init__(self, detail: str = "") -> None:
        super().__init__("encrypted", detail)


@dataclass(frozen=True, slots=True)
class PdfLimits:
    """Counts and bytes that one file may cost. All sums are over the whole file, unless said otherwise."""

    objects: int = 200_000
    """Entries of all cross-reference sections together; and objects that stand in the file."""
    sections: int = 1_000
    nesting: int = 100
    """Of arrays and dictionaries in one object."""
    values: int = 3_000_000
    """Read from the file: names, strings, numbers, brackets."""
    spans: int = 600_000
    """Pieces that the file falls into."""
    merged: int = 2_000_000
    """Entries of the merged cross-references of all revisions looked at."""
    decompressed_bytes: int = 64_000_000
    """Of one stream; all together four times that."""
    filters: int = 8
    """On one stream."""
    predicted_bytes: int = 16_000_000
    """Through predictors that are undone byte by byte."""
    nodes: int = 50_000
    """Of one tree: pages, names, form fields."""
    references: int = 32
    """Followed from one value."""


class Notice(NamedTuple):
    """One thing that two viewers may read differently.

    ``kind`` is code-like; ``number`` is the object's, 0 when none is meant; ``offset`` is in the file.
    """

    kind: str
    offset: int
    number: int
    detail: str


class Budget:
    """What is left to spend on one file. Every method raises PdfLimitError when it is used up."""

    __slots__ = ("decoded", "limits", "merged", "predicted", "scanned", "values")

    def __init__(self, limits: PdfLimits, size: int) -> None:
        self.values = limits.values
        self.merged = limits.merged
        self.decoded = 4 * limits.decompressed_bytes
        self.predicted = limits.predicted_bytes
        self.scanned = 4 * size + 1_000_000
        self.limits = {name: getattr(self, name) for name in ("values", "merged", "decoded", "predicted", "scanned")}

    def scan(self, count: int) -> None:
        """Bytes looked at without being read: searches for an end that is not where it should be."""
        self.scanned -= count
        if self.scanned < 0:
            raise PdfLimitError("broken bytes", self.limits["scanned"])

    def decode(self, count: int) -> None:
        """Bytes that came out of filters."""
        self.decoded -= count
        if self.decoded < 0:
            raise PdfLimitError("decompressed bytes", self.limits["decoded"])

    def predict(self, count: int) -> None:
        """Bytes that a predictor is undone on one by one."""
        self.predicted -= count
        if self.predicted < 0:
            raise PdfLimitError("bytes behind predictors", self.limits["predicted"])

    def merge(self, count: int) -> None:
        """Entries of a revision's merged cross-references."""
        self.merged -= count
        if self.merged < 0:
            raise PdfLimitError("entries of all revisions", self.limits["merged"])


class Notices:
    """Collects notices, each once, to a limit."""

    __slots__ = ("_seen", "found")

    def __init__(self) -> None:
        self.found: list[Notice] = []
        self._seen: set[tuple[str, int, int]] = set()

    def add(self, kind: str, offset: int, number: int = 0, detail: str = "") -> None:
        """Note one thing at one place."""
        key = (kind, offset, number)
        if key not in self._seen and len(self.found) < _MOST_NOTICES:
            self._seen.add(key)
            self.found.append(Notice(kind, offset, number, detail))
