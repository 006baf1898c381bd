"""A seal's picture in a PDF: vector art or PNG, whole or a slice, at its true size, upright on the page as shown.

The picture is one form XObject in points; everything that shows it (the look of a widget, a page's content) refers to
that one, so that a seal over 500 page edges is stored once.
"""

from __future__ import annotations

import io
import zlib
from dataclasses import dataclass, field
from typing import Any, Protocol

from signing.formats.pdf_pages import POINTS_PER_MM, Box, Matrix
from signing.formats.pdf_update import PdfUpdater, Reference
from verify.formats.refusal import refuse

MAX_PNG_BYTES, MAX_PIXELS = 8_000_000, 24_000_000
_INK = b"/ExtGState << /Ink << /Type /ExtGState /BM /Multiply >> >>"
_FORM = b"/Type /XObject /Subtype /Form"


class Picture(Protocol):
    """A picture with its size on paper."""

    @property
    def width_mm(self) -> float: ...

    @property
    def height_mm(self) -> float: ...

    def write(self, updater: PdfUpdater, objects: dict[Reference, Any]) -> Reference:
        """Put the picture into ``objects`` as a form XObject in points, its lower left corner at the origin."""


@dataclass(frozen=True, slots=True)
class VectorPicture:
    """Operators of a content stream, in points, deflated; they may name the graphics state ``Ink`` (Multiply)."""

    deflated: bytes
    width_mm: float
    height_mm: float

    def write(self, updater: PdfUpdater, objects: dict[Reference, Any]) -> Reference:
        place = updater.new_reference()
        objects[place] = stream(
            self.deflated,
            _FORM + b" /BBox %s /Resources << %s >> /Filter /FlateDecode" % (_box_of(self), _INK),
        )
        return place


@dataclass(frozen=True, slots=True)
class PngPicture:
    """A PNG, transparent or not, shown ``width_mm`` by ``height_mm`` large; what lies under it stays to be seen."""

    png: bytes
    width_mm: float
    height_mm: float

    def write(self, updater: PdfUpdater, objects: dict[Reference, Any]) -> Reference:
        wide, high, colours, alpha = _decoded(self.png)
        image, mask, place = (updater.new_reference() for _ in range(3))
        size = b"/Type /XObject /Subtype /Image /Width %d /Height %d /BitsPerComponent 8 /Filter /FlateDecode" % (
            wide,
            high,
        )
        objects[mask] = stream(zlib.compress(alpha, 9), size + b" /ColorSpace /DeviceGray")
        objects[image] = stream(zlib.compress(colours, 9), size + b" /ColorSpace /DeviceRGB /SMask %d 0 R" % mask.idnum)
        drawing = b"q /Ink gs %s 0 0 %s 0 0 cm /Im Do Q" % (
            decimal(self.width_mm * POINTS_PER_MM),
            decimal(self.height_mm * POINTS_PER_MM),
        )
        resources = _INK + b" /XObject << /Im %d 0 R >>" % image.idnum
        objects[place] = stream(drawing, _FORM + b" /BBox %s /Resources << %s >>" % (_box_of(self), resources))
        return place


def _decoded(png: bytes) -> tuple[int, int, bytes, bytes]:
    """Width, height, RGB and alpha of a PNG. Refused: anything else, or a picture that is too large."""
    from PIL import Image

    if len(png) > MAX_PNG_BYTES or not png.startswith(b"\x89PNG\r\n\x1a\n"):
        raise _bad_picture()
    try:
        with Image.open(io.BytesIO(png), formats=("PNG",)) as opened:
            if opened.width * opened.height > MAX_PIXELS:
                raise _bad_picture()
            whole = opened.convert("RGBA")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError, MemoryError) as error:
        raise _bad_picture() from error
    return whole.width, whole.height, whole.convert("RGB").tobytes(), whole.getchannel("A").tobytes()


def _bad_picture() -> Exception:
    return refuse(
        "BAD_SEAL_PICTURE",
        "picture",
        "印章图片不是可用的 PNG",
        "the seal's picture is no usable PNG",
        remedy_zh="请提供不超过 8 MB、2400 万像素的 PNG 图片",
        remedy_en="give a PNG of at most 8 MB and 24 million pixels",
    )


@dataclass(slots=True)
class Looks:
    """The pictures and looks that one act of sealing writes, each once. ``part`` is a box of the picture in mm."""

    updater: PdfUpdater
    picture: Picture
    objects: dict[Reference, Any]
    _whole: Reference | None = None
    _known: dict[tuple[Box, Matrix], Reference] = field(default_factory=dict)

    @property
    def whole(self) -> Reference:
        """The form XObject with the whole picture."""
        if self._whole is None:
            self._whole = self.picture.write(self.updater, self.objects)
        return self._whole

    def look(self, part: Box, turn: Matrix) -> Reference:
        """The appearance stream of a widget that shows this part, turned against the page's rotation."""
        key = (part, turn)
        if key not in self._known:
            place = self.updater.new_reference()
            box = b"[%s]" % b" ".join(decimal(v * POINTS_PER_MM) for v in part)
            entries = b" /BBox %s /Matrix [%d %d %d %d 0 0] /Resources << /XObject << /Seal %d 0 R >> >>" % (
                box,
                *turn,
                self.whole.idnum,
            )
            self.objects[place] = stream(b"/Seal Do", _FORM + entries)
            self._known[key] = place
        return self._known[key]

    def drawing(self, name: bytes, part: Box, turn: Matrix, box: Box, scale: float) -> bytes:
        """Operators for a page's content: this part in ``box`` of user space, ``scale`` of its units to a point."""
        corners = [
            _turned(turn, x * POINTS_PER_MM * scale, y * POINTS_PER_MM * scale) for x in part[::2] for y in part[1::2]
        ]
        low = min(x for x, _ in corners), min(y for _, y in corners)
        matrix = b" ".join(decimal(v * scale) for v in turn)
        shift = b"%s %s" % (decimal(box[0] - low[0]), decimal(box[1] - low[1]))
        clip = b" ".join(map(decimal, (box[0], box[1], box[2] - box[0], box[3] - box[1])))
        return b"q %s re W n %s %s cm /%s Do Q" % (clip, matrix, shift, name)


def _turned(turn: Matrix, x: float, y: float) -> tuple[float, float]:
    a, b, c, d = turn
    return a * x + c * y, b * x + d * y


def _box_of(picture: Picture) -> bytes:
    return b"[0 0 %s %s]" % (decimal(picture.width_mm * POINTS_PER_MM), decimal(picture.height_mm * POINTS_PER_MM))


def decimal(value: float) -> bytes:
    """A number with at most four decimals."""
    return (f"{value:.4f}".rstrip("0").rstrip(".") or "0").replace("-0", "-0").encode()


def stream(data: bytes, entries: bytes) -> bytes:
    """A stream object with these entries beside its length."""
    return b"<< %s /Length %d >>\nstream\n%s\nendstream" % (entries, len(data), data)
