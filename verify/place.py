"""Where in a file something was seen, as data and in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

Box = tuple[float, float, float, float]
"""Left, bottom, right, top in points of the page's user space (origin at the lower left, y upwards)."""


@dataclass(frozen=True, slots=True)
class Place:
    """A place inside a file; every part that is not known is left out.

    ``page`` counts from 1. ``span`` is a byte range of the file, first byte to the byte after the last. ``path`` is the
    way through the document's objects from the trailer, such as ``/Root/Pages/Kids[0]/Contents``. ``field`` is the full
    name of a signature or form field.
    """

    page: int | None = None
    box: Box | None = None
    object_number: int | None = None
    span: tuple[int, int] | None = None
    path: str = ""
    field: str = ""

    def words(self) -> str:
        """The place in one line: ``page 1, box 10 20 110 40, object 12, bytes 100-200``; the last byte is named."""
        parts = []
        if self.field:
            parts.append(f"field {self.field}")
        if self.page is not None:
            parts.append(f"page {self.page}")
        if self.box is not None:
            parts.append("box " + " ".join(f"{round(edge, 1):g}" for edge in self.box))
        if self.object_number is not None:
            parts.append(f"object {self.object_number}")
        if self.span is not None:
            parts.append(f"bytes {self.span[0]}-{max(self.span[0], self.span[1] - 1)}")
        if self.path:
            parts.append(self.path)
        return ", ".join(parts)

    def to_json(self) -> dict[str, Any]:
        """Every part under its own name; null where it is not known. ``bytes`` is [first, after the last]."""
        return {
            "page": self.page,
            "box": [round(edge, 2) for edge in self.box] if self.box else None,
            "object": self.object_number,
            "bytes": list(self.span) if self.span else None,
            "path": self.path or None,
            "field": self.field or None,
        }
