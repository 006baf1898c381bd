"""Whether a box lies over text that the signed revision prints."""

from __future__ import annotations

from typing import TYPE_CHECKING

from verify.place import Box

if TYPE_CHECKING:
    from verify.formats.pageview import Character
    from verify.formats.pdffile import Snapshot

_ENOUGH = 3
"""So many characters inside the box count as text; one or two touch its edge by chance."""


class PrintedText:
    """The text of one file's pages, extracted once for each page that is asked for.

    ``doubts`` is False for those who do not want to pay for a look at the page where only a doubt depends on it. A page
    whose contents differ between revisions is a fault anyway, so any signed revision will do.
    """

    def __init__(self, *, doubts: bool = True) -> None:
        self.doubts = doubts
        self._pages: dict[int, list[Character] | None] = {}

    def cost(self, page: int) -> int:
        """What a question about a page costs, in pairs of values."""
        return 1 + len(self._pages.get(page) or ()) // 4

    def is_covered(self, snapshot: Snapshot, page: int, box: Box) -> bool:
        """Whether at least a few printed characters of a page (from 1) have their centre inside the box.

        So too when the page cannot be looked at.
        """
        if page not in self._pages:
            self._pages[page] = _characters(snapshot, page)
        found = self._pages[page]
        left, bottom, right, top = box
        return found is None or sum(left <= c.x <= right and bottom <= c.y <= top for c in found) >= _ENOUGH


def _characters(snapshot: Snapshot, page: int) -> list[Character] | None:
    from verify.formats.pageview import PageError, open_pages

    try:
        view = open_pages(snapshot.file.data[: snapshot.end], snapshot.file._password)
    except PageError:
        return None
    try:
        return view.characters(page)
    except PageError:
        return None
    finally:
        view.close()
