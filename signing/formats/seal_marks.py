"""Putting a seal's marks on pages: as the widgets of its field, or as content of pages that nobody has signed yet.

ISO 32000 wants a signature field to have one widget, since where a signature stands has a meaning. So the first mark is
the widget, and further ones (the slices of a seal across page edges, a seal at every place of a keyword) are content of
their pages, which this very signature covers: no reader hides them, none forgets to print them. In a file that is
signed already its pages may not change any more; there the further marks are widgets of the same field, the one
addition to pages that earlier signatures bear.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from signing.formats.content_state import open_states
from signing.formats.pdf_body import Progress, silent
from signing.formats.pdf_pages import Page
from signing.formats.pdf_update import (
    Name,
    PdfReadError,
    PdfUpdater,
    Reference,
    array,
    dictionary,
    is_dictionary,
    is_reference,
    number,
    real,
    reference,
)
from signing.formats.placement import Mark
from signing.formats.seal_look import Looks, stream

FLAGS = 132
"""Print, and Locked: the mark keeps its place (ISO 32000-1 12.5.3)."""


@dataclass(slots=True)
class Marker:
    """Writes marks into ``objects``, each page and array once."""

    updater: PdfUpdater
    objects: dict[Reference, Any]
    progress: Progress = silent
    _streams: dict[bytes, Reference] = field(default_factory=dict)

    def widget(self, mark: Mark, looks: Looks | None, more: Mapping[str, Any]) -> Any:
        """A widget; ``more`` are the entries of its field, or /Parent."""
        made = dictionary({"/Type": Name("/Annot"), "/Subtype": Name("/Widget"), **more})
        made[Name("/F")] = number(FLAGS)
        made[Name("/Rect")] = array(map(real, mark.box))
        made[Name("/P")] = mark.page.reference
        if looks is not None:
            made[Name("/AP")] = dictionary({"/N": looks.look(mark.part, mark.page.turn)})
        return made

    def list_widget(self, page: Page, place: Reference) -> None:
        """Name a widget among its page's annotations."""
        raw: Any = page.dictionary.raw_get("/Annots") if "/Annots" in page.dictionary else None
        listed = self.updater.resolve(raw)
        if not isinstance(listed, list):
            listed = array()
            page.dictionary[Name("/Annots")] = listed
            raw = None
        listed.append(place)
        if is_reference(raw):
            self.objects[reference(raw.idnum, raw.generation)] = listed
        else:
            self.objects[page.reference] = page.dictionary

    def widgets(self, marks: Sequence[Mark], looks: Looks, parent: Reference) -> list[Reference]:
        """Further widgets of a field, one for each mark."""
        places = []
        for done, mark in enumerate(marks, 1):
            place = self.updater.new_reference()
            self.objects[place] = self.widget(mark, looks, {"/Parent": parent})
            self.list_widget(mark.page, place)
            places.append(place)
            self.progress("pages", done, len(marks))
        return places

    def draw(self, marks: Iterable[Mark], looks: Looks) -> None:
        """Marks as content of their pages."""
        by_page: dict[int, list[Mark]] = {}
        for mark in marks:
            by_page.setdefault(mark.page.number, []).append(mark)
        for done, group in enumerate(by_page.values(), 1):
            self._draw(group[0].page, group, looks)
            self.progress("pages", done, len(by_page))

    def _draw(self, page: Page, marks: Sequence[Mark], looks: Looks) -> None:
        name = self._lend(page, looks.whole)
        missing, left_open = open_states(self._content(page))
        drawn = b"\n".join(looks.drawing(name, m.part, m.page.turn, m.box, 1 / page.unit) for m in marks)
        before = self._stream(b"q " * (1 + missing))
        after = self._stream(b"\n" + b"Q " * (1 + left_open) + b"\n" + drawn)
        page.dictionary[Name("/Contents")] = array([before, *self._contents(page), after])
        self.objects[page.reference] = page.dictionary

    def _contents(self, page: Page) -> list[Any]:
        raw: Any = page.dictionary.raw_get("/Contents") if "/Contents" in page.dictionary else None
        held = self.updater.resolve(raw)
        if isinstance(held, list):
            return list(held)
        return [raw] if is_reference(raw) and is_dictionary(held) else []

    def _content(self, page: Page) -> bytes:
        parts = []
        for part in self._contents(page):
            try:
                parts.append(self.updater.content(part))
            except PdfReadError:
                continue  # a part that no reader can decode draws nothing
        return b"\n".join(parts)

    def _lend(self, page: Page, whole: Reference) -> bytes:
        """Give the page the picture under a name of its own; what it inherits is written into it."""
        resources = self.updater.resolve(page.resources)
        own = dictionary()
        for key in resources if is_dictionary(resources) else ():
            own[Name(key)] = resources.raw_get(key)
        known = self.updater.entry(own, "/XObject")
        pictures = dictionary()
        for key in known if is_dictionary(known) else ():
            pictures[Name(key)] = known.raw_get(key)
        name = next(f"CvSeal{n}" for n in range(1, len(pictures) + 2) if f"/CvSeal{n}" not in pictures)
        pictures[Name("/" + name)] = whole
        own[Name("/XObject")] = pictures
        page.dictionary[Name("/Resources")] = own
        return name.encode()

    def _stream(self, content: bytes) -> Reference:
        if content not in self._streams:
            place = self.updater.new_reference()
            self.objects[place] = stream(content, b"")
            self._streams[content] = place
        return self._streams[content]
