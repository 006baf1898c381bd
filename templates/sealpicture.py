"""Uploaded pictures of seals (and of emblems): looked at chunk by chunk, measured, and written anew.

A picture is a PNG whose background is transparent, sharp enough for the size in millimetres that it is for. Nothing of
the file is kept but its pixels: everything that is no pixel (texts, profiles, animations, what stands behind the end)
is refused rather than dropped, because a seal is registered with the picture that was looked at.
"""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from templates.sealfiles import SealImage, SealPicture
from templates.typesetting import MM
from verify.formats.refusal import Refusal, RefusedError, Text, refuse

if TYPE_CHECKING:
    from PIL.Image import Image

MAX_BYTES = 4_000_000
MAX_SIDE = 4000
MAX_PIXELS = 9_000_000
LEAST_DPI = 300.0
LEAST_MM, MOST_MM = 8.0, 60.0
LEAST_TRANSPARENT = 0.15
"""The part of a picture that must be transparent; a round seal alone leaves a fifth of its square in the corners."""
LEAST_INK = 0.01
SHAPE_TOLERANCE = 0.02
LEAST_RED, EXPECTED_RED = 0.50, 0.98
"""Less red ink than the first is refused, less than the second noted."""
LEAST_FILLED = 0.85
"""A picture whose ink fills less of its width and height is noted: the seal would come out smaller than stated."""

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_ALLOWED = frozenset(
    {b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND", b"pHYs", b"sRGB", b"gAMA", b"cHRM", b"sBIT", b"bKGD"}
)
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_ADAM7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
_MAX_CHUNKS = 4000


@dataclass(frozen=True, slots=True)
class CheckedPicture:
    """A picture that may be registered. ``png`` is written anew: RGBA, eight bits, pHYs, nothing else.

    ``dpi`` is the lower of both directions at the stated size, ``transparent`` the part of clear pixels, ``red`` the
    part of the ink that is red. ``notes`` say what was let pass and should be looked at.
    """

    png: bytes
    width_px: int
    height_px: int
    width_mm: float
    height_mm: float
    dpi: float
    transparent: float
    red: float
    notes: tuple[Refusal, ...] = ()

    def picture(self) -> SealPicture:
        """As the appearance of a stamp, in its own colours."""
        width, height = self.width_mm * MM, self.height_mm * MM
        operators = b"q /Ink gs %.3f 0 0 %.3f 0 0 cm /Uploaded Do Q" % (width, height)
        return SealPicture(zlib.compress(operators, 9), width, height, (self.image("Uploaded"),))

    def image(self, resource: str, colour: tuple[float, float, float] | None = None) -> SealImage:
        """As a picture inside a drawing; ``colour`` replaces its own."""
        from PIL import Image

        with Image.open(io.BytesIO(self.png), formats=["PNG"]) as opened:
            pixels = opened.convert("RGBA")
        opacity = pixels.getchannel("A").tobytes()
        size = self.width_px * self.height_px
        plain = bytes(round(c * 255) for c in colour) * size if colour else pixels.convert("RGB").tobytes()
        return SealImage(resource, self.width_px, self.height_px, zlib.compress(plain, 9), zlib.compress(opacity, 9))


def check_picture(data: bytes, *, width_mm: float, height_mm: float, field: str = "seal.picture") -> CheckedPicture:
    """Look at an uploaded picture that is to be shown ``width_mm`` by ``height_mm``.

    Refused: SEAL_PICTURE_TYPE (no PNG), SEAL_PICTURE_LARGE (bytes, pixels), SEAL_PICTURE_DAMAGED, SEAL_PICTURE_CONTENT
    (animation, text, profile, other extras), SEAL_PICTURE_MM, SEAL_PICTURE_SHAPE, SEAL_PICTURE_DPI,
    SEAL_PICTURE_OPAQUE, SEAL_PICTURE_EMPTY, SEAL_PICTURE_COLOUR; of the last six all that were found.
    """
    found: list[Refusal] = []
    if not (LEAST_MM <= width_mm <= MOST_MM and LEAST_MM <= height_mm <= MOST_MM):
        raise _refused(
            "MM", field, f"{width_mm:g} × {height_mm:g} 毫米超出 8 至 60 毫米",
            f"{width_mm:g} by {height_mm:g} mm is not within 8 to 60 mm",
            "请填写印章实际尺寸", "state the seal's real size",
        )  # fmt: skip
    header = _look(data, field)
    dpi = min(header.width / width_mm, header.height / height_mm) * 25.4
    found += _measures(header, width_mm, height_mm, dpi, field)
    if not header.alpha:
        found.append(_opaque(field))
    if found:
        raise RefusedError(found)
    pixels = _decode(data, field)
    seen = _look_at(pixels)
    found += _ink(seen, field)
    if found:
        raise RefusedError(found)
    return CheckedPicture(
        png=_written(pixels, dpi),
        width_px=header.width,
        height_px=header.height,
        width_mm=width_mm,
        height_mm=height_mm,
        dpi=round(dpi, 1),
        transparent=round(seen.transparent, 4),
        red=round(seen.red, 4),
        notes=tuple(_notes(seen, header, field)),
    )


# --- the file, before anything is decoded -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Header:
    width: int
    height: int
    depth: int
    colour: int
    interlaced: bool
    alpha: bool

    def inflated(self) -> int:
        """How many bytes the pixels are, filter bytes included."""
        bits = self.depth * _CHANNELS[self.colour]
        passes = _ADAM7 if self.interlaced else ((0, 0, 1, 1),)
        total = 0
        for x, y, across, down in passes:
            columns, rows = -(-(self.width - x) // across), -(-(self.height - y) // down)
            if columns > 0 and rows > 0:
                total += rows * (1 + (columns * bits + 7) // 8)
        return total


_OTHER_TYPES = (
    (b"\xff\xd8\xff", "JPEG"), (b"GIF8", "GIF"), (b"BM", "BMP"), (b"II*\x00", "TIFF"), (b"MM\x00*", "TIFF"),
    (b"%PDF", "PDF"), (b"RIFF", "WebP"), (b"\x00\x00\x01\x00", "ICO"), (b"8BPS", "PSD"), (b"PK", "ZIP"),
)  # fmt: skip


def _look(data: bytes, field: str) -> _Header:
    if len(data) > MAX_BYTES:
        raise _refused(
            "LARGE", field, f"文件超过 {MAX_BYTES // 1_000_000} MB", f"the file has more than {MAX_BYTES} bytes",
            "请导出较小的 PNG（600 dpi 即可）", "export a smaller PNG (600 dpi will do)",
        )  # fmt: skip
    if not data.startswith(_SIGNATURE):
        raise _wrong_type(data, field)
    header: _Header | None = None
    palette = clear = False
    parts: list[bytes] = []
    previous = b""
    for kind, body in _chunks(data, field):
        if header is None:
            header = _header(kind, body, field)
        elif kind == b"IHDR" or (kind in (b"PLTE", b"tRNS") and (parts or (kind == b"PLTE" and palette))):
            raise _damaged(field, f"{kind.decode()} 的位置不对", f"{kind.decode()} stands in the wrong place")
        elif kind == b"IDAT" and parts and previous != b"IDAT":
            raise _damaged(field, "像素数据不连续", "the pixels are not in one piece")
        if kind == b"PLTE":
            palette = True
            if len(body) % 3 or not 3 <= len(body) <= 768:
                raise _damaged(field, "调色板长度不对", "the palette has a wrong length")
        clear = clear or kind == b"tRNS"
        if kind == b"IDAT":
            parts.append(body)
        previous = kind
    if header is None or previous != b"IEND" or not parts or (header.colour == 3 and not palette):
        raise _damaged(field, "缺少必要的数据块", "a chunk that must be there is missing")
    _inflate(parts, header, field)
    return _Header(
        header.width, header.height, header.depth, header.colour, header.interlaced, header.colour in (4, 6) or clear
    )


def _wrong_type(data: bytes, field: str) -> RefusedError:
    kind = next((n for start, n in _OTHER_TYPES if data.startswith(start)), "")
    if not kind and b"<svg" in data[:1000].lower():
        kind = "SVG"
    zh, en = (f"（是 {kind}）", f" but {kind}") if kind else ("", "")
    return _refused(
        "TYPE", field, f"不是 PNG 图片{zh}", f"no PNG picture{en}",
        "请导出为背景透明的 PNG", "export it as PNG with a transparent background",
    )  # fmt: skip


def _chunks(data: bytes, field: str) -> Iterator[tuple[bytes, bytes]]:
    at = len(_SIGNATURE)
    for _ in range(_MAX_CHUNKS):
        if at + 12 > len(data):
            raise _damaged(field, "文件不完整", "the file ends too early")
        length, kind = struct.unpack(">I4s", data[at : at + 8])
        end = at + 12 + length
        if end > len(data):
            raise _damaged(field, "文件不完整", "the file ends too early")
        body = data[at + 8 : end - 4]
        if kind not in _ALLOWED:
            raise _extra(kind, field)
        if zlib.crc32(data[at + 4 : end - 4]).to_bytes(4, "big") != data[end - 4 : end]:
            raise _damaged(field, f"{kind.decode()} 校验和不符", f"the checksum of {kind.decode()} is wrong")
        yield kind, body
        at = end
        if kind == b"IEND":
            if at != len(data) or body:
                raise _refused(
                    "CONTENT", field, "图片结尾之后还有数据", "there are data behind the picture's end",
                    "请重新导出图片", "export the picture anew",
                )  # fmt: skip
            return
    raise _damaged(field, "数据块过多", "there are too many chunks")


_EXTRAS = {
    b"acTL": ("动画", "an animation"), b"fcTL": ("动画", "an animation"), b"fdAT": ("动画", "an animation"),
    b"iCCP": ("颜色配置文件", "a colour profile"), b"tEXt": ("文字", "text"), b"zTXt": ("文字", "text"),
    b"iTXt": ("文字", "text"), b"eXIf": ("拍摄信息", "camera data"), b"tIME": ("修改时间", "a time"),
}  # fmt: skip


def _extra(kind: bytes, field: str) -> RefusedError:
    shown = kind.decode("latin-1") if kind.isalpha() else kind.hex()
    zh, en = _EXTRAS.get(kind, ("未知数据", "unknown data"))
    return _refused(
        "CONTENT", field, f"图片中除像素外还有{zh}（{shown}）", f"beside its pixels the picture holds {en} ({shown})",
        "导出时请去掉元数据、颜色配置和动画", "export it without metadata, colour profile and animation",
    )  # fmt: skip


def _header(kind: bytes, body: bytes, field: str) -> _Header:
    if kind != b"IHDR" or len(body) != 13:
        raise _damaged(field, "文件头不对", "its header is wrong")
    width, height, depth, colour, packing, filtering, interlace = struct.unpack(">IIBBBBB", body)
    if width > MAX_SIDE or height > MAX_SIDE or width * height > MAX_PIXELS:
        raise _refused(
            "LARGE", field, f"{width} × {height} 像素过大", f"{width} by {height} pixels are too many",
            f"边长不超过 {MAX_SIDE} 像素，600 dpi 即可", f"at most {MAX_SIDE} pixels a side; 600 dpi will do",
        )  # fmt: skip
    depths = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}.get(colour, ())
    if not width or not height or depth not in depths or packing or filtering or interlace > 1:
        raise _damaged(field, "文件头不对", "its header is wrong")
    return _Header(width, height, depth, colour, bool(interlace), False)


def _inflate(parts: list[bytes], header: _Header, field: str) -> None:
    """The pixels inflate to exactly what the header says, and never further."""
    wanted = header.inflated()
    reader = zlib.decompressobj()
    seen = 0
    try:
        for part in parts:
            rest = part
            while rest:
                seen += len(reader.decompress(rest, min(1 << 20, wanted + 1 - seen)))
                if seen > wanted:
                    raise _damaged(field, "像素数据过长", "the pixels inflate to more than the size says")
                rest = reader.unconsumed_tail
                if reader.unused_data:
                    raise _damaged(field, "像素数据之后还有数据", "there are data behind the pixels")
        seen += len(reader.flush())
    except zlib.error as error:
        raise _damaged(field, "像素数据损坏", "the pixels cannot be inflated") from error
    if seen != wanted or not reader.eof:
        raise _damaged(field, "像素数据不完整", "pixels are missing")


def _decode(data: bytes, field: str) -> Image:
    from PIL import Image

    try:
        with Image.open(io.BytesIO(data), formats=["PNG"]) as opened:
            return opened.convert("RGBA")
    except (OSError, ValueError, SyntaxError, struct.error, zlib.error) as error:
        raise _damaged(field, "像素数据损坏", "the pixels cannot be read") from error


# --- what it shows ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Seen:
    """Parts of all pixels (``transparent``, ``ink``, ``white``), of the ink but white (``red``), and the ink's box."""

    transparent: float
    ink: float
    white: float
    red: float
    box: tuple[int, int, int, int] | None


def _look_at(pixels: Image) -> _Seen:
    from PIL import ImageChops

    red, green, blue, alpha = pixels.split()
    total = pixels.width * pixels.height
    inked = alpha.point([255 if v >= 128 else 0 for v in range(256)])
    total_ink = _count(inked)
    least = ImageChops.darker(ImageChops.darker(red, green), blue)
    light = least.point([255 if v >= 200 else 0 for v in range(256)])
    # Red: the red channel is clearly above both others.
    above = ImageChops.subtract(red, ImageChops.lighter(green, blue)).point([255 if v >= 60 else 0 for v in range(256)])
    white = _count(ImageChops.darker(light, inked))
    coloured = total_ink - white
    return _Seen(
        transparent=sum(alpha.histogram()[:16]) / total,
        ink=total_ink / total,
        white=white / total,
        red=_count(ImageChops.darker(above, inked)) / coloured if coloured else 0.0,
        box=inked.getbbox(),
    )


def _count(mask: Any) -> int:
    return int(mask.histogram()[255])


def _measures(header: _Header, width_mm: float, height_mm: float, dpi: float, field: str) -> Iterator[Refusal]:
    shape = header.width / header.height / (width_mm / height_mm)
    if abs(shape - 1) > SHAPE_TOLERANCE:
        yield _refusal(
            "SHAPE", field, f"{header.width} × {header.height} 像素与 {width_mm:g} × {height_mm:g} 毫米的比例不符",
            f"{header.width} by {header.height} pixels have not the shape of {width_mm:g} by {height_mm:g} mm",
            "请裁剪图片或更正尺寸", "crop the picture or correct the size",
        )  # fmt: skip
    if dpi < LEAST_DPI:
        yield _refusal(
            "DPI", field, f"按此尺寸只有 {dpi:.0f} dpi，至少需要 {LEAST_DPI:.0f} dpi",
            f"at this size it has {dpi:.0f} dpi only, {LEAST_DPI:.0f} are needed",
            f"请提供不小于 {_need(width_mm)} × {_need(height_mm)} 像素的图片",
            f"bring a picture of at least {_need(width_mm)} by {_need(height_mm)} pixels",
        )  # fmt: skip


def _need(millimetres: float) -> int:
    return int(-(-millimetres / 25.4 * LEAST_DPI // 1))


def _ink(seen: _Seen, field: str) -> Iterator[Refusal]:
    if seen.ink < LEAST_INK:
        yield _refusal(
            "EMPTY", field, "图片上几乎没有印迹", "there is hardly any ink on the picture",
            "请检查导出的图片", "check what was exported",
        )  # fmt: skip
        return
    if seen.transparent < LEAST_TRANSPARENT or seen.white > 0.02:
        yield _opaque(field)
    if seen.red < LEAST_RED:
        yield _refusal(
            "COLOUR", field, f"印迹中只有 {seen.red:.0%} 为红色", f"only {seen.red:.0%} of the ink is red",
            "印章须为红色", "seals are red",
        )  # fmt: skip


def _opaque(field: str) -> Refusal:
    return _refusal(
        "OPAQUE", field, "背景不透明", "its background is not transparent",
        "请去掉白色背景，导出为背景透明的 PNG", "take the white background out and export PNG with transparency",
    )  # fmt: skip


def _notes(seen: _Seen, header: _Header, field: str) -> Iterator[Refusal]:
    if seen.red < EXPECTED_RED:
        yield _refusal(
            "COLOUR", field, f"印迹中 {1 - seen.red:.0%} 不是红色", f"{1 - seen.red:.0%} of the ink is not red",
            "请确认图片无误", "make sure that the picture is right",
        )  # fmt: skip
    x0, y0, x1, y1 = seen.box or (0, 0, 0, 0)
    if min((x1 - x0) / header.width, (y1 - y0) / header.height) < LEAST_FILLED:
        yield _refusal(
            "MARGIN", field, "印迹周围留白过多，印章会小于所填尺寸",
            "wide margins: the seal comes out smaller than stated",
            "请裁去四周留白", "crop the margins",
        )  # fmt: skip


def _written(pixels: Image, dpi: float) -> bytes:
    """The pixels as a new file.

    Clear pixels get one colour, so that nothing is hidden in them: the ink's, or its edges would darken where a viewer
    makes the picture smaller.
    """
    from PIL import Image, ImageStat

    alpha = pixels.getchannel("A")
    red, green, blue = (round(v) for v in ImageStat.Stat(pixels.convert("RGB"), alpha).mean)
    clean = Image.new("RGBA", pixels.size, (red, green, blue, 0))
    clean.paste(pixels, (0, 0), alpha.point([0] + [255] * 255))
    out = io.BytesIO()
    clean.save(out, "PNG", dpi=(dpi, dpi))
    return out.getvalue()


def _refusal(code: str, field: str, zh: str, en: str, remedy_zh: str, remedy_en: str) -> Refusal:
    return Refusal(f"SEAL_PICTURE_{code}", field, Text(zh, en), Text(remedy_zh, remedy_en))


def _refused(code: str, field: str, zh: str, en: str, remedy_zh: str, remedy_en: str) -> RefusedError:
    return RefusedError(_refusal(code, field, zh, en, remedy_zh, remedy_en))


def _damaged(field: str, zh: str, en: str) -> RefusedError:
    return refuse(
        "SEAL_PICTURE_DAMAGED", field, f"图片损坏：{zh}", f"the picture is damaged: {en}",
        remedy_zh="请重新导出图片", remedy_en="export the picture anew",
    )  # fmt: skip
