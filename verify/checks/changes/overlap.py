"""Whether a box lies over text that the signed revision prints."""

from __future__ import annotations

from typing import TYPE_CHECKING

from verify.place import Box

if TYPE_CHECKING:
    from verify.formats.pdffile import Snapshot

_ENOUGH = 3
"""So many characters inside the box count as text; one or two touch its edge by chance."""


def covers_text(snapshot: Snapshot, page: int, box: Box) -> bool:
    """Whether at least a few printed characters of a page (from 1) have their centre inside the box."""
    from verify.formats.pageview import PageError, open_pages

    try:
        view = open_pages(snapshot.file.data[: snapshot.end])
    except PageError:
        return True
    try:
        left, bottom, right, top = box
        inside = sum(left <= c.x <= right and bottom <= c.y <= top for c in view.characters(page))
    except PageError:
        return True
    finally:
        view.close()
    return inside >= _ENOUGH
