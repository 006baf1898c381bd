"""What a comparison of two revisions finds: faults with their places, kinds of harmless change, areas of pages."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field

from verify.checks.changes.reasons import Doubt, Reason
from verify.place import Box, Place

MOST_FAULTS = 20
MOST_AREAS = 10_000


class Kind(enum.StrEnum):
    """A kind of harmless change."""

    VALIDATION_DATA = "validation data"
    TIMESTAMP = "a document timestamp"
    SIGNATURE = "a signature"
    SIGNATURE_FIELD = "a signature field"
    FORM_DATA = "form data"
    ANNOTATION = "annotations"
    METADATA = "document properties"
    STRUCTURE = "structure for new fields"
    CATALOG = "notes on the file format"
    REWRITTEN = "parts written again, or left unused"


LASTING = frozenset((Kind.VALIDATION_DATA, Kind.TIMESTAMP, Kind.METADATA, Kind.CATALOG, Kind.REWRITTEN))
"""Changes after which a signature still covers all that the document shows."""


class Path:
    """A way through the objects, from the trailer: ``/Root/Pages/Kids[0]``.

    ``number`` is the object it is in, ``page`` the page (from 1) that it belongs to; 0 where there is none.
    """

    __slots__ = ("above", "number", "page", "step")

    def __init__(self, above: Path | None, step: str, number: int, page: int = 0) -> None:
        self.above = above
        self.step = step
        self.number = number
        self.page = page

    def key(self, key: bytes) -> Path:
        """The entry of a dictionary."""
        return Path(self, "/" + key.decode("latin-1"), self.number, self.page)

    def item(self, index: int) -> Path:
        """The item of an array."""
        return Path(self, f"[{index}]", self.number, self.page)

    def at(self, number: int) -> Path:
        """The same way, behind the reference that stands there."""
        return Path(self.above, self.step, number, self.page)

    def on_page(self, page: int) -> Path:
        """The same way, as that of a page."""
        return Path(self.above, self.step, self.number, page)

    def __str__(self) -> str:
        steps: list[str] = []
        current: Path | None = self
        while current is not None:
            steps.append(current.step)
            current = current.above
        if len(steps) > 40:
            steps[20:-20] = ["/…"]
        return "".join(reversed(steps))


@dataclass(frozen=True, slots=True)
class Fault:
    """A change that no rule permits."""

    reason: Reason
    place: Place


@dataclass(frozen=True, slots=True)
class Remark:
    """A permitted change that somebody should look at."""

    doubt: Doubt
    place: Place


@dataclass(frozen=True, slots=True)
class Area:
    """A part of a page that a change touches. ``page`` counts from 1; no box means the whole page."""

    page: int
    box: Box | None
    kind: Kind


@dataclass(slots=True)
class Changes:
    """What lies between two revisions. Harmless when ``faults`` is empty."""

    faults: list[Fault] = field(default_factory=list)
    doubts: list[Remark] = field(default_factory=list)
    kinds: set[Kind] = field(default_factory=set)
    areas: list[Area] = field(default_factory=list)

    @property
    def pages(self) -> list[tuple[int, Box | None]]:
        """The touched parts of pages (from 1), each once."""
        return list(dict.fromkeys((area.page, area.box) for area in self.areas))

    @property
    def lasting(self) -> bool:
        """Whether the signature before them still covers everything shown."""
        return not self.faults and self.kinds <= LASTING

    def add(self, reason: Reason, place: Place) -> None:
        """Note a fault, each once, up to a limit."""
        fault = Fault(reason, place)
        if len(self.faults) < MOST_FAULTS and fault not in self.faults:
            self.faults.append(fault)

    def merge(self, other: Changes) -> None:
        """Take over what another comparison found."""
        for fault in other.faults:
            self.add(fault.reason, fault.place)
        self.kinds |= other.kinds
        self.doubts = list(dict.fromkeys((*self.doubts, *other.doubts)))[:MOST_FAULTS]
        self.areas = list(dict.fromkeys((*self.areas, *other.areas)))[:MOST_AREAS]
