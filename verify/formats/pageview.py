"""What a page shows: its text, character by character with places, its pixels, the codes on it. PDFium and zxing.

PDFium keeps state of its own that is not safe to share between threads, so one lock guards it.
"""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from verify.formats import pageobjects
from verify.formats.license import Box

_LOCK = threading.RLock()
_POINTS_PER_INCH = 72


class PageError(Exception):
    """A page cannot be read or drawn. The message says what failed."""


@dataclass(frozen=True, slots=True)
class Character:
    """One character as text extraction sees it, with the centre of its box in points."""

    text: str
    x: float
    y: float
    start: tuple[float, float] = (0.0, 0.0)
    """Where it begins on its base line: what reading order goes by."""
    box: Box = (0.0, 0.0, 0.0, 0.0)
    height: float = 0.0
    """The height of its line, which follows from the size of the type."""


class PageView:
    """An opened document for looking at. Pages stay open until :meth:`close`: parsing one is what costs."""

    def __init__(self, document: Any) -> None:
        self._document = document
        self._pages: dict[int, Any] = {}
        self._texts: dict[int, Any] = {}
        self._characters: dict[int, list[Character]] = {}

    @property
    def page_count(self) -> int:
        """How many pages there are."""
        return len(self._document)

    def size(self, page: int) -> tuple[float, float]:
        """Width and height in points of a page (1-based), as shown."""
        with self._page(page) as opened:
            width, height = opened.get_size()
            return float(width), float(height)

    def characters(self, page: int, limit: int = 200_000) -> list[Character]:
        """Every character of a page that is not white space. PageError beyond ``limit``."""
        from pypdfium2 import raw

        with self._page(page) as opened:
            if page not in self._characters:
                text, count = self._text(page, opened), self._count(page, opened, limit)
                self._characters[page] = list(_joined(_characters(raw, text.raw, count)))
            return self._characters[page]

    def painted(self, page: int, orders: Iterable[int], limit: int = 200_000) -> list[Character]:
        """The characters that these objects of the page's own content paint: not those in an invisible mode."""
        from pypdfium2 import raw

        with self._page(page) as opened:
            text, count = self._text(page, opened), self._count(page, opened, limit)
            visible = pageobjects.visible_text(opened.raw, orders)
            return list(_joined(_characters(raw, text.raw, count, visible)))

    def text(self, page: int) -> str:
        """All text of a page at once, without places."""
        with self._page(page) as opened:
            return str(self._text(page, opened).get_text_bounded())

    def _text(self, page: int, opened: Any) -> Any:
        """What PDFium extracted of a page. (Not to be asked for first while objects of the page are set aside.)"""
        if page not in self._texts:
            self._texts[page] = opened.get_textpage()
        return self._texts[page]

    def _count(self, page: int, opened: Any, limit: int) -> int:
        count = int(self._text(page, opened).count_chars())
        if count > limit:
            raise PageError(f"more than {limit} characters on a page")
        return count

    @contextmanager
    def _page(self, page: int) -> Iterator[Any]:
        with _LOCK:
            if page not in self._pages:
                try:
                    self._pages[page] = self._document[page - 1]
                except Exception as error:
                    raise PageError(f"page {page} cannot be opened") from error
            yield self._pages[page]

    def picture(self, page: int, box: Box | None, dpi: int, max_pixels: int, *, annotations: bool = True) -> Any:
        """Draw a page, or the part of it inside ``box``, as a greyscale Pillow image.

        PageError when it is too large, or ``box`` lies off the page.
        """
        scale = dpi / _POINTS_PER_INCH
        with self._page(page) as opened:
            width, height = opened.get_size()
            x0, y0, x1, y1 = _within(box or (0.0, 0.0, width, height), width, height)
            if (x1 - x0) * (y1 - y0) * scale * scale > max_pixels:
                raise PageError("the page is too large to draw")
            crop = (x0, y0, width - x1, height - y1)
            try:
                bitmap = opened.render(
                    scale=scale, crop=crop, grayscale=True, may_draw_forms=annotations, draw_annots=annotations
                )
            except (ValueError, RuntimeError) as error:
                raise PageError("the page cannot be drawn") from error
            try:
                return bitmap.to_pil().copy()
            finally:
                bitmap.close()

    def shown(self, page: int, width: int, max_height: int) -> Any:
        """A page in colour as a Pillow image ``width`` pixels wide, or less where it would be too high. For people."""
        with self._page(page) as opened:
            points_wide, points_high = opened.get_size()
            scale = min(width / max(points_wide, 1.0), max_height / max(points_high, 1.0))
            bitmap = opened.render(scale=scale, may_draw_forms=True)
            try:
                return bitmap.to_pil().convert("RGB")
            finally:
                bitmap.close()

    def in_colour(
        self, page: int, scale: float, *, annotations: bool = True, margins: Sequence[float] = (0, 0, 0, 0)
    ) -> Any:
        """A page as a Pillow image in colour, ``scale`` pixels a point, without so many points at its left, lower,
        right and upper edge. PageError when it cannot be drawn."""
        with self._page(page) as opened:
            try:
                crop = tuple(margins)
                bitmap = opened.render(scale=scale, crop=crop, may_draw_forms=annotations, draw_annots=annotations)
            except (ValueError, RuntimeError) as error:
                raise PageError("the page cannot be drawn") from error
            try:
                return bitmap.to_pil().convert("RGB")
            finally:
                bitmap.close()

    def with_opacity(self, page: int, size: tuple[int, int]) -> Any:
        """A page without its annotations as a Pillow image (RGBA) of exactly this many pixels, clear where nothing is
        drawn. PageError when it cannot be drawn."""
        import pypdfium2
        from PIL import Image
        from pypdfium2 import raw

        with self._page(page) as opened:
            try:
                bitmap = pypdfium2.PdfBitmap.new_native(*size, raw.FPDFBitmap_BGRA)
                bitmap.fill_rect((0, 0, 0, 0), 0, 0, *size)
                raw.FPDF_RenderPageBitmap(bitmap.raw, opened.raw, 0, 0, *size, 0, 0)
                # The bitmap's memory goes with it.
                picture = Image.frombytes("RGBA", size, bytes(bitmap.buffer), "raw", "BGRA", bitmap.stride)
            except (ValueError, RuntimeError) as error:
                raise PageError("the page cannot be drawn") from error
            bitmap.close()
            return picture

    def boundary(self, page: int) -> tuple[Box, int]:
        """The part of user space that a page shows, and its rotation in degrees; inherited or its own."""
        with self._page(page) as opened:
            return tuple(round(v, 2) for v in opened.get_bbox()), int(opened.get_rotation())

    def device_point(self, page: int, size: tuple[int, int], x: float, y: float) -> tuple[int, int]:
        """Where a point of user space lies in a picture of the whole page of this size."""
        from pypdfium2 import raw

        across, down = ctypes.c_int(), ctypes.c_int()
        with self._page(page) as opened:
            raw.FPDF_PageToDevice(opened.raw, 0, 0, *size, 0, x, y, across, down)
        return across.value, down.value

    def page_point(self, page: int, size: tuple[int, int], across: int, down: int) -> tuple[float, float]:
        """The point of user space under a pixel; the opposite of :meth:`device_point`."""
        from pypdfium2 import raw

        x, y = ctypes.c_double(), ctypes.c_double()
        with self._page(page) as opened:
            raw.FPDF_DeviceToPage(opened.raw, 0, 0, *size, 0, across, down, x, y)
        return x.value, y.value

    def marks(self, page: int, limit: int = 20_000) -> list[pageobjects.Mark]:
        """What is painted on a page, in order; a form is one object. PageError beyond ``limit``."""
        with self._page(page) as opened:
            try:
                return list(pageobjects.marks(opened.raw, limit))
            except pageobjects.TooManyError as error:
                raise PageError(f"more than {limit} objects on a page") from error

    def darkness(self, page: int, orders: Iterable[int]) -> list[int]:
        """How dark the colours of objects are, 0 (white or nothing) to 255; 255 where that cannot be told."""
        with self._page(page) as opened:
            return [pageobjects.darkness(opened.raw, order) for order in orders]

    @contextmanager
    def only(self, page: int, orders: Iterable[int]) -> Iterator[None]:
        """Inside this block a page shows only these objects of its content (and its annotations, where drawn)."""
        with self._page(page) as opened, pageobjects.only(opened.raw, frozenset(orders)):
            yield

    def let_go(self, page: int) -> None:
        """Free what one page holds, for those who go through many."""
        with _LOCK:
            self._characters.pop(page, None)
            for held in (self._texts.pop(page, None), self._pages.pop(page, None)):
                if held is not None:
                    held.close()

    def close(self) -> None:
        """Free what PDFium holds."""
        with _LOCK:
            for opened in (*self._texts.values(), *self._pages.values()):
                opened.close()
            self._texts.clear()
            self._pages.clear()
            self._document.close()


def open_pages(data: bytes | Path, password: str | None = None) -> PageView:
    """Open a PDF, in memory or in a file, for looking at. Raises PageError."""
    import pypdfium2

    with _LOCK:
        try:
            document = pypdfium2.PdfDocument(data, password=password)
            document.init_forms()
        except Exception as error:
            raise PageError("PDFium cannot open it") from error
    return PageView(document)


class Revisions:
    """A file and its earlier states for looking at, each opened once, when first asked for."""

    def __init__(self, data: bytes, password: str | None = None) -> None:
        self.data = data
        self._password = password
        self._views: dict[int, PageView | PageError] = {}

    @property
    def newest(self) -> PageView:
        """The whole file. Raises PageError."""
        return self.until(len(self.data))

    def until(self, end: int) -> PageView:
        """The document that ``data[:end]`` alone shows. Raises PageError, each time when it cannot be opened."""
        if end not in self._views:
            try:
                self._views[end] = open_pages(self.data[:end], self._password)
            except PageError as error:
                self._views[end] = error
        found = self._views[end]
        if isinstance(found, PageError):
            raise found
        return found

    def close(self) -> None:
        """Close what was opened."""
        for view in self._views.values():
            if isinstance(view, PageView):
                view.close()
        self._views.clear()


_HYPHEN_AT_LINE_END = 2
"""What PDFium reports for a hyphen that it takes for hyphenation; the page shows a hyphen."""


def _within(box: Box, width: float, height: float) -> Box:
    x0, y0, x1, y1 = max(0.0, box[0]), max(0.0, box[1]), min(width, box[2]), min(height, box[3])
    if not (x1 - x0 >= 1.0 and y1 - y0 >= 1.0):
        raise PageError("the place lies off the page")
    return x0, y0, x1, y1


_Seen = tuple[float, float, tuple[float, float], Box, float]
"""All of a :class:`Character` but its text."""


def _characters(raw: Any, page: Any, count: int, wanted: frozenset[int] | None = None) -> Iterator[tuple[int, _Seen]]:
    left, right, bottom, top, x, y = (ctypes.c_double() for _ in range(6))
    loose = raw.FS_RECTF()
    for index in range(count):
        code = raw.FPDFText_GetUnicode(page, index)
        if code in (0, 0xFFFE, 0xFFFF) or chr(code).isspace() or raw.FPDFText_IsGenerated(page, index) == 1:
            continue
        if wanted is not None and pageobjects.address(raw.FPDFText_GetTextObject(page, index)) not in wanted:
            continue
        if code == _HYPHEN_AT_LINE_END:
            code = ord("-")
        raw.FPDFText_GetCharBox(page, index, left, right, bottom, top)
        raw.FPDFText_GetCharOrigin(page, index, x, y)
        raw.FPDFText_GetLooseCharBox(page, index, loose)
        box = (left.value, bottom.value, right.value, top.value)
        yield code, ((box[0] + box[2]) / 2, (box[1] + box[3]) / 2, (x.value, y.value), box, loose.top - loose.bottom)


def _joined(characters: Iterator[tuple[int, _Seen]]) -> Iterator[Character]:
    """Join surrogate pairs, which PDFium gives apart on some systems."""
    high: int | None = None
    for code, place in characters:
        if 0xD800 <= code < 0xDC00:
            high = code
            continue
        if 0xDC00 <= code < 0xE000 and high is not None:
            yield Character(chr(0x10000 + ((high - 0xD800) << 10) + (code - 0xDC00)), *place)
        else:
            yield Character(chr(code), *place)
        high = None


def decode_codes(picture: Any, limit: int) -> list[str]:
    """The text of every QR code in a Pillow image, each once."""
    import zxingcpp

    found = zxingcpp.read_barcodes(picture, formats=zxingcpp.BarcodeFormats([zxingcpp.BarcodeFormat.QRCode]))
    return list(dict.fromkeys(b.text for b in found))[:limit]
