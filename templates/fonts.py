"""Faces, fallback and subsets: the only module that knows the font shaper.

Faces have TrueType outlines and are read once per process. A character is taken from the first face of its stack that
has it. Subsets hold exactly the glyphs used, one code for one character, so text extraction is exact, rare planes too.
"""

from __future__ import annotations

import functools
import hashlib
import os
import struct
import sys
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import uharfbuzz as hb

from verify.formats.refusal import refuse

_SERIF, _SERIF_BOLD = "NotoSerifSC_400Regular.ttf", "NotoSerifSC_700Bold.ttf"
_SANS, _SANS_BOLD = "NotoSansSC_400Regular.ttf", "NotoSansSC_700Bold.ttf"
_RARE = ("HanaMinA.ttf", "HanaMinB.ttf")
STACKS: dict[str, tuple[str, ...]] = {
    "song": (_SERIF, _SANS, *_RARE),
    "song-bold": (_SERIF_BOLD, _SERIF, _SANS_BOLD, *_RARE),
    "hei": (_SANS, _SERIF, *_RARE),
    "hei-bold": (_SANS_BOLD, _SANS, _SERIF_BOLD, *_RARE),
}
_NAMES = {
    _SERIF: "NotoSerifSC-Regular", _SERIF_BOLD: "NotoSerifSC-Bold", _SANS: "NotoSansSC-Regular",
    _SANS_BOLD: "NotoSansSC-Bold", _RARE[0]: "HanaMinA", _RARE[1]: "HanaMinB",
}  # fmt: skip
_KEPT_TABLES = ("cvt ", "fpgm", "glyf", "head", "hhea", "hmtx", "loca", "maxp", "prep")
DEFLATE_LEVEL = 6


@dataclass(frozen=True, slots=True)
class Glyph:
    """One character in one face; ``advance`` in thousandths of the size."""

    face: str
    gid: int
    char: str
    advance: float


class Face:
    """One font file, prepared for measuring, outlines and subsetting."""

    def __init__(self, path: Path) -> None:
        self._face = hb.Face(hb.Blob.from_file_path(str(path)))
        self.font = hb.Font(self._face)
        self.upem: int = self._face.upem
        self._source = hb.subset_preprocess(self._face)
        self._dropped = [int.from_bytes(t.encode(), "big") for t in self._face.table_tags if t not in _KEPT_TABLES]
        head = bytes(self._face.reference_table("head").data)
        self.bounds: tuple[int, ...] = tuple(round(v * 1000 / self.upem) for v in struct.unpack(">4h", head[36:44]))
        extents = self.font.get_font_extents("ltr")
        self.ascent = round(extents.ascender * 1000 / self.upem)
        self.descent = round(extents.descender * 1000 / self.upem)

    def gid(self, char: str) -> int:
        """The glyph of a character; 0 when the face has none."""
        return int(self.font.get_nominal_glyph(ord(char)) or 0)

    def advance(self, gid: int) -> float:
        """Advance in thousandths of the size."""
        return round(float(self.font.get_glyph_h_advance(gid)) * 1000 / self.upem, 3)

    def subset(self, gids: Iterable[int]) -> tuple[bytes, dict[int, int]]:
        """A font file with only these glyphs, and the map from old to new glyph numbers."""
        order = hb.SubsetInput()
        order.flags = hb.SubsetFlags.NO_HINTING | hb.SubsetFlags.NO_LAYOUT_CLOSURE | hb.SubsetFlags.NOTDEF_OUTLINE
        order.glyph_set.update(gids)
        order.drop_table_tag_set.update(self._dropped)
        plan = hb.SubsetPlan(self._source, order)
        made = plan.execute()
        mapping = plan.old_to_new_glyph_mapping
        return bytes(made.blob.data), {old: mapping[old] for old in (0, *gids)}


def font_folders() -> tuple[Path, ...]:
    """Where faces are looked for, in order: CERTVAULT_FONTS, the environment's share folder, the system's Hanazono."""
    chosen = os.environ.get("CERTVAULT_FONTS")
    first = (Path(chosen),) if chosen else ()
    return (*first, Path(sys.prefix) / "share/certvault/fonts", Path("/usr/share/fonts/truetype/hanazono"))


@functools.cache
def face(name: str) -> Face | None:
    """The face of one file; None when a fallback face is not installed. A missing main face is refused."""
    for folder in font_folders():
        if (folder / name).is_file():
            return Face(folder / name)
    if name in _RARE:
        return None
    raise refuse(
        "FONT_MISSING",
        "",
        f"找不到字体 {name}",
        f"the font {name} is not installed",
        remedy_zh="请运行 make run 安装字体，或设置 CERTVAULT_FONTS",
        remedy_en="run make run to install it, or set CERTVAULT_FONTS",
    )


def is_fallback(name: str) -> bool:
    """Whether a face serves every stack for rare characters, in one weight only."""
    return name in _RARE


def _known(name: str) -> Face:
    """A face from which a glyph has come, so it is there."""
    found = face(name)
    if found is None:
        raise LookupError(name)
    return found


@functools.lru_cache(maxsize=200_000)
def glyph(stack: str, char: str) -> Glyph | None:
    """The glyph of ``char`` from the first face of the stack that has it; None when none has."""
    for name in STACKS[stack]:
        found = face(name)
        gid = found.gid(char) if found else 0
        if found and gid:
            return Glyph(name, gid, char, found.advance(gid))
    return None


def glyphs(stack: str, text: str, field: str) -> list[Glyph]:
    """The glyphs of a text. Refused (MISSING_GLYPH) naming character and field when no face has one."""
    out = []
    for char in text:
        found = glyph(stack, char)
        if found is None:
            point = f"U+{ord(char):04X}"
            raise refuse(
                "MISSING_GLYPH",
                field,
                f"字体中没有字符“{char}”（{point}）",
                f"no font has the character '{char}' ({point})",
                remedy_zh="请核对该字，或安装含有该字的字体",
                remedy_en="check the character, or install a font that has it",
            )
        out.append(found)
    return out


@dataclass(frozen=True, slots=True)
class FontFile:
    """One subset, ready to embed. Codes equal glyph numbers.

    ``widths`` is the inside of a ``/W`` array, ``unicode`` the deflated CMap from codes to characters.
    """

    resource: str
    name: str
    data: bytes
    deflated: bytes
    widths: bytes
    unicode: bytes
    bounds: tuple[int, ...]
    ascent: int
    descent: int


class FontSet:
    """The subsets one content stream needs; ``prefix`` keeps resource names of several streams apart.

    Two characters that share a glyph go to two subsets, since a code can stand for one character only.
    """

    def __init__(self, used: Iterable[Glyph], prefix: str) -> None:
        layers: dict[tuple[str, int], dict[int, str]] = {}
        place: dict[tuple[str, str], tuple[str, int]] = {}
        # Glyphs come out of a cache, so that equal ones are the same object; identity is the quick key.
        for item in sorted({id(g): g for g in used}.values(), key=lambda g: (g.face, g.gid, g.char)):
            layer = 0
            while layers.get((item.face, layer), {}).get(item.gid, item.char) != item.char:
                layer += 1
            layers.setdefault((item.face, layer), {})[item.gid] = item.char
            place[item.face, item.char] = (item.face, layer)
        self.files: list[FontFile] = []
        self._codes: dict[tuple[str, str], tuple[str, int]] = {}
        for index, key in enumerate(sorted(layers)):
            resource = f"{prefix}{index}"
            made, mapping = _make(key[0], layers[key], resource)
            self.files.append(made)
            for gid, char in layers[key].items():
                self._codes[key[0], char] = (resource, mapping[gid])

    def code(self, item: Glyph) -> tuple[str, int]:
        """Resource name and code of one glyph."""
        return self._codes[item.face, item.char]


def _make(name: str, chars: dict[int, str], resource: str) -> tuple[FontFile, dict[int, int]]:
    source = _known(name)
    data, mapping = source.subset(sorted(chars))
    unicode = sorted((mapping[gid], char) for gid, char in chars.items())
    # The tag of a subset is any six capitals; taken from its content, it is the same for the same subset.
    digest = hashlib.sha256(name.encode() + "".join(c for _, c in unicode).encode("utf-32-be")).digest()
    tag = "".join(chr(65 + b % 26) for b in digest[:6])
    made = FontFile(
        resource=resource,
        name=f"{tag}+{_NAMES[name]}",
        data=data,
        deflated=zlib.compress(data, DEFLATE_LEVEL),
        widths=b"0 [" + b" ".join(_decimal(w) for w in _widths(data, source.upem)) + b"]",
        unicode=zlib.compress(to_unicode(unicode), DEFLATE_LEVEL),
        bounds=source.bounds,
        ascent=source.ascent,
        descent=source.descent,
    )
    return made, mapping


def to_unicode(pairs: Sequence[tuple[int, str]]) -> bytes:
    """A CMap from codes to characters; those beyond the first plane as surrogate pairs, as ISO 32000 asks."""
    lines = [
        "/CIDInit /ProcSet findresource begin", "12 dict begin", "begincmap",
        "/CIDSystemInfo << /Registry (Adobe) /Ordering (UCS) /Supplement 0 >> def",
        "/CMapName /Adobe-Identity-UCS def", "/CMapType 2 def",
        "1 begincodespacerange", "<0000> <FFFF>", "endcodespacerange",
    ]  # fmt: skip
    for start in range(0, len(pairs), 100):
        part = pairs[start : start + 100]
        lines.append(f"{len(part)} beginbfchar")
        lines += [f"<{code:04X}> <{char.encode('utf-16-be').hex().upper()}>" for code, char in part]
        lines.append("endbfchar")
    lines += ["endcmap", "CMapName currentdict /CMap defineresource pop", "end", "end"]
    return "\n".join(lines).encode("ascii")


def _decimal(value: float) -> bytes:
    return f"{value:.3f}".rstrip("0").rstrip(".").encode("ascii") or b"0"


def _widths(data: bytes, upem: int) -> tuple[float, ...]:
    """Advances of every glyph of a font file, in thousandths, as its own hmtx table says."""
    tables = {data[i : i + 4]: struct.unpack(">II", data[i + 8 : i + 16]) for i in _directory(data)}
    count = struct.unpack(">H", data[tables[b"maxp"][0] + 4 :][:2])[0]
    metrics = struct.unpack(">H", data[tables[b"hhea"][0] + 34 :][:2])[0]
    start = tables[b"hmtx"][0]
    advances = [struct.unpack(">H", data[start + 4 * i :][:2])[0] for i in range(metrics)]
    advances += [advances[-1]] * (count - metrics)
    return tuple(round(a * 1000 / upem, 3) for a in advances)


def _directory(data: bytes) -> Sequence[int]:
    return range(12, 12 + 16 * struct.unpack(">H", data[4:6])[0], 16)


class _Pen:
    """Collects a glyph's outline as path operators; quadratic curves become cubic ones."""

    def __init__(self) -> None:
        self.segments: list[tuple[str, tuple[tuple[float, float], ...]]] = []
        self._at = (0.0, 0.0)

    def moveTo(self, p: tuple[float, float]) -> None:  # noqa: N802 (the pen protocol's names)
        self.segments.append(("m", (p,)))
        self._at = p

    def lineTo(self, p: tuple[float, float]) -> None:  # noqa: N802
        self.segments.append(("l", (p,)))
        self._at = p

    def qCurveTo(self, c: tuple[float, float], p: tuple[float, float]) -> None:  # noqa: N802
        a = self._at
        one = (a[0] + 2 / 3 * (c[0] - a[0]), a[1] + 2 / 3 * (c[1] - a[1]))
        two = (p[0] + 2 / 3 * (c[0] - p[0]), p[1] + 2 / 3 * (c[1] - p[1]))
        self.curveTo(one, two, p)

    def curveTo(self, a: tuple[float, float], b: tuple[float, float], p: tuple[float, float]) -> None:  # noqa: N802
        self.segments.append(("c", (a, b, p)))
        self._at = p

    def closePath(self) -> None:  # noqa: N802
        self.segments.append(("h", ()))


@functools.lru_cache(maxsize=4096)
def outline(item: Glyph) -> tuple[tuple[str, tuple[tuple[float, float], ...]], ...]:
    """The outline of a glyph as path segments ``m l c h`` with points in thousandths of the size."""
    source = _known(item.face)
    pen = _Pen()
    source.font.draw_glyph_with_pen(item.gid, pen)
    k = 1000 / source.upem
    return tuple((op, tuple((x * k, y * k) for x, y in points)) for op, points in pen.segments)
