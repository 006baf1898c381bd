"""Uploaded pictures of seals: what passes is measured and written anew, what is hostile or unfit is refused by name."""

from __future__ import annotations

import io
import itertools
import struct
import zlib
from collections.abc import Callable, Sequence

import pytest
from PIL import Image, ImageDraw, PngImagePlugin

from templates.sealpicture import MAX_BYTES, check_picture
from verify.formats.refusal import RefusedError

RED = (200, 16, 24, 255)
HEAD = b"\x89PNG\r\n\x1a\n"
Chunks = list[tuple[bytes, bytes]]


def ring(side: int = 500, *, colour: tuple[int, ...] = RED, ground: tuple[int, ...] = (0, 0, 0, 0)) -> Image.Image:
    picture = Image.new("RGBA", (side, side), ground)
    draw = ImageDraw.Draw(picture)
    draw.ellipse((2, 2, side - 3, side - 3), outline=colour, width=side // 30)
    draw.rectangle((side * 0.4, side * 0.4, side * 0.6, side * 0.6), fill=colour)
    return picture


def png(picture: Image.Image, **options: object) -> bytes:
    out = io.BytesIO()
    picture.save(out, "PNG", **options)
    return out.getvalue()


def chunks(data: bytes) -> Chunks:
    found, at = [], 8
    while at < len(data):
        length, kind = struct.unpack(">I4s", data[at : at + 8])
        found.append((kind, data[at + 8 : at + 8 + length]))
        at += 12 + length
    return found


def packed(parts: Sequence[tuple[bytes, bytes]]) -> bytes:
    return HEAD + b"".join(struct.pack(">I", len(b)) + k + b + struct.pack(">I", zlib.crc32(k + b)) for k, b in parts)


def refused(data: bytes, *, width_mm: float = 40, height_mm: float = 40) -> list[str]:
    with pytest.raises(RefusedError) as caught:
        check_picture(data, width_mm=width_mm, height_mm=height_mm)
    for r in caught.value.refusals:
        assert r.field == "seal.picture"
        assert all((r.reason.zh, r.reason.en, r.remedy.zh, r.remedy.en))
    return [r.code.removeprefix("SEAL_PICTURE_") for r in caught.value.refusals]


def test_a_good_picture_is_measured() -> None:
    seen = check_picture(png(ring(630)), width_mm=40, height_mm=40)
    assert (seen.width_px, seen.height_px, seen.dpi) == (630, 630, 400.0)
    assert 0.7 < seen.transparent < 0.9
    assert (seen.red, seen.notes) == (1.0, ())


def test_what_is_kept_are_pixels_and_density_only() -> None:
    seen = check_picture(png(ring(), dpi=(72, 72)), width_mm=40, height_mm=40)
    assert [k for k, _ in chunks(seen.png)] == [b"IHDR", b"pHYs", b"IDAT", b"IEND"]
    kept = Image.open(io.BytesIO(seen.png))
    assert kept.getchannel("A").tobytes() == ring().getchannel("A").tobytes()
    assert round(kept.info["dpi"][0]) == 318


def test_nothing_hides_in_clear_pixels() -> None:
    picture = ring()
    ImageDraw.Draw(picture).text((40, 200), "hidden", fill=(1, 2, 3, 0))
    kept = Image.open(io.BytesIO(check_picture(png(picture), width_mm=40, height_mm=40).png))
    assert {c[:3] for _, c in kept.getcolors(1 << 20) if c[3] == 0} == {(200, 16, 24)}


@pytest.mark.parametrize("mode", ["P", "LA-palette", "interlaced", "RGBA;16"])
def test_other_kinds_of_png_with_transparency_are_read(mode: str) -> None:
    if mode == "P":
        data = png(ring().quantize(8))
    elif mode == "LA-palette":
        grey = Image.new("P", (500, 500), 0)
        grey.putpalette([0, 0, 0, 200, 0, 0])
        ImageDraw.Draw(grey).ellipse((5, 5, 494, 494), outline=1, width=20)
        data = png(grey, transparency=0, bits=1)
    elif mode == "interlaced":
        data = interlaced(ring(500))
    else:
        rows = b"".join(
            b"\x00" + bytes(itertools.chain.from_iterable((v, v) for v in ring().crop((0, y, 500, y + 1)).tobytes()))
            for y in range(500)
        )
        header = struct.pack(">IIBBBBB", 500, 500, 16, 6, 0, 0, 0)
        data = packed([(b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")])
    seen = check_picture(data, width_mm=40, height_mm=40)
    assert Image.open(io.BytesIO(seen.png)).mode == "RGBA"
    assert seen.red == 1.0


def interlaced(picture: Image.Image) -> bytes:
    """Adam7, which Pillow does not write."""
    width, height = picture.size
    pixels = picture.load()
    raw = bytearray()
    for x0, y0, dx, dy in (
        (0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2),
    ):  # fmt: skip
        for y in range(y0, height, dy):
            raw += b"\x00" + bytes(itertools.chain.from_iterable(pixels[x, y] for x in range(x0, width, dx)))
    header = struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 1)
    return packed([(b"IHDR", header), (b"IDAT", zlib.compress(bytes(raw))), (b"IEND", b"")])


# --- unfit ------------------------------------------------------------------------------------------------------------


def test_an_opaque_picture_is_refused() -> None:
    assert refused(png(ring().convert("RGB"))) == ["OPAQUE"]
    assert refused(png(ring(ground=(255, 255, 255, 255)))) == ["OPAQUE"]


def test_white_that_was_left_inside_the_ring_is_refused() -> None:
    picture = ring()
    ImageDraw.Draw(picture).ellipse((60, 60, 440, 440), fill=(255, 255, 255, 255))
    assert refused(png(picture)) == ["OPAQUE"]


def test_an_empty_picture_is_refused() -> None:
    assert refused(png(Image.new("RGBA", (500, 500), (255, 0, 0, 0)))) == ["EMPTY"]
    assert refused(png(Image.new("RGBA", (500, 500), (255, 0, 0, 40)))) == ["EMPTY"]


@pytest.mark.parametrize("colour", [(0, 0, 0, 255), (20, 30, 200, 255), (200, 150, 150, 255)])
def test_ink_that_is_not_red_is_refused(colour: tuple[int, ...]) -> None:
    assert refused(png(ring(colour=colour))) == ["COLOUR"]


def test_a_little_of_another_colour_is_noted() -> None:
    picture = ring()
    ImageDraw.Draw(picture).rectangle((220, 220, 260, 260), fill=(0, 0, 160, 255))
    seen = check_picture(png(picture), width_mm=40, height_mm=40)
    assert [n.code for n in seen.notes] == ["SEAL_PICTURE_COLOUR"]
    assert 0.9 < seen.red < 0.98


def test_wide_margins_are_noted() -> None:
    picture = Image.new("RGBA", (800, 800), (0, 0, 0, 0))
    picture.paste(ring(500), (150, 150))
    seen = check_picture(png(picture), width_mm=40, height_mm=40)
    assert [n.code for n in seen.notes] == ["SEAL_PICTURE_MARGIN"]


def test_too_few_pixels_for_the_size_are_refused_with_the_number_needed() -> None:
    check_picture(png(ring(473)), width_mm=40, height_mm=40)
    with pytest.raises(RefusedError, match="SEAL_PICTURE_DPI") as caught:
        check_picture(png(ring(472)), width_mm=40, height_mm=40)
    assert "473 by 473" in caught.value.first.remedy.en


def test_another_shape_than_the_stated_one_is_refused() -> None:
    assert refused(png(ring(500)), width_mm=40, height_mm=30) == ["SHAPE"]
    check_picture(png(ring(500).resize((500, 506))), width_mm=40, height_mm=40)


@pytest.mark.parametrize("size", [(0.0, 40.0), (40.0, 61.0), (-1.0, -1.0), (float("nan"), 40.0), (float("inf"), 40.0)])
def test_sizes_no_seal_has_are_refused(size: tuple[float, float]) -> None:
    assert refused(png(ring()), width_mm=size[0], height_mm=size[1]) == ["MM"]


def test_all_that_can_be_measured_is_said_at_once() -> None:
    assert refused(png(ring(100).convert("RGB")), width_mm=40, height_mm=30) == ["SHAPE", "DPI", "OPAQUE"]


# --- hostile ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["JPEG", "GIF", "BMP", "TIFF", "WEBP"])
def test_pictures_of_other_types_are_refused(kind: str) -> None:
    out = io.BytesIO()
    ring().convert("RGB").save(out, kind)
    assert refused(out.getvalue()) == ["TYPE"]


@pytest.mark.parametrize(
    "data", [b"", b"\x89PNG", b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>', b"%PDF-1.7"]
)
def test_what_is_no_picture_or_could_act_is_refused(data: bytes) -> None:
    assert refused(data) == ["TYPE"]


def test_a_bomb_is_refused_before_it_is_inflated() -> None:
    header = struct.pack(">IIBBBBB", 100_000, 100_000, 8, 6, 0, 0, 0)
    body = zlib.compress(bytes(10_000_000), 9)
    assert refused(packed([(b"IHDR", header), (b"IDAT", body), (b"IEND", b"")])) == ["LARGE"]
    small = struct.pack(">IIBBBBB", 500, 500, 8, 6, 0, 0, 0)
    assert refused(packed([(b"IHDR", small), (b"IDAT", body), (b"IEND", b"")])) == ["DAMAGED"]
    assert refused(HEAD + bytes(MAX_BYTES)) == ["LARGE"]


@pytest.mark.parametrize("part", [0.001, 0.1, 0.5, 0.9, 0.999])
def test_a_truncated_picture_is_refused(part: float) -> None:
    data = png(ring())
    assert refused(data[: int(len(data) * part)]) in (["DAMAGED"], ["TYPE"])


def test_no_single_changed_byte_gets_through_unless_it_is_still_the_same_picture() -> None:
    data = png(ring())
    for at in range(0, len(data), 7):
        damaged = bytearray(data)
        damaged[at] ^= 0x41
        assert set(refused(bytes(damaged))) <= {"DAMAGED", "TYPE", "CONTENT", "LARGE"}


def _text(parts: Chunks) -> Chunks:
    return [parts[0], (b"tEXt", b"Comment\x00<script>"), *parts[1:]]


def _long_text(parts: Chunks) -> Chunks:
    return [parts[0], (b"zTXt", b"Comment\x00\x00" + zlib.compress(bytes(1_000_000))), *parts[1:]]


def _profile(parts: Chunks) -> Chunks:
    return [parts[0], (b"iCCP", b"x\x00\x00" + zlib.compress(b"profile")), *parts[1:]]


def _animated(parts: Chunks) -> Chunks:
    control = struct.pack(">IIIIIHHBB", 0, 500, 500, 0, 0, 1, 10, 0, 0)
    return [parts[0], (b"acTL", struct.pack(">II", 2, 0)), (b"fcTL", control), *parts[1:]]


def _camera(parts: Chunks) -> Chunks:
    return [parts[0], (b"eXIf", b"MM\x00*" + bytes(20)), *parts[1:]]


def _unknown(parts: Chunks) -> Chunks:
    return [parts[0], (b"prVt", b"payload"), *parts[1:]]


def _unknown_critical(parts: Chunks) -> Chunks:
    return [parts[0], (b"CgBI", b"\x50\x00\x20\x02"), *parts[1:]]


@pytest.mark.parametrize(
    "change", [_text, _long_text, _profile, _animated, _camera, _unknown, _unknown_critical], ids=lambda c: c.__name__
)
def test_everything_that_is_no_pixel_is_refused(change: Callable[[Chunks], Chunks]) -> None:
    assert refused(packed(change(chunks(png(ring()))))) == ["CONTENT"]


def test_text_that_a_program_wrote_is_refused() -> None:
    info = PngImagePlugin.PngInfo()
    info.add_itxt("Author", "某人")
    assert refused(png(ring(), pnginfo=info)) == ["CONTENT"]


def test_what_stands_behind_the_end_is_refused() -> None:
    assert refused(png(ring()) + b"PK\x03\x04") == ["CONTENT"]


def test_pixels_after_pixels_or_in_pieces_are_refused() -> None:
    parts = chunks(png(ring()))
    data = b"".join(b for k, b in parts if k == b"IDAT")
    header, end = parts[0], (b"IEND", b"")
    phys = (b"pHYs", bytes(9))
    assert refused(packed([header, (b"IDAT", data + b"more"), end])) == ["DAMAGED"]
    assert refused(packed([header, (b"IDAT", data[:500]), phys, (b"IDAT", data[500:]), end])) == ["DAMAGED"]
    assert refused(packed([header, (b"IDAT", data[:-20]), end])) == ["DAMAGED"]
    assert refused(packed([header, header, (b"IDAT", data), end])) == ["DAMAGED"]
    assert refused(packed([(b"IDAT", data), header, end])) == ["DAMAGED"]
    assert refused(packed([header, end])) == ["DAMAGED"]
    assert refused(packed([header] + [(b"IDAT", b"")] * 5000 + [(b"IDAT", data), end])) == ["DAMAGED"]
    check_picture(packed([header, (b"IDAT", data[:500]), (b"IDAT", data[500:]), end]), width_mm=40, height_mm=40)


def test_a_row_filter_that_png_does_not_know_is_refused() -> None:
    rows = bytearray(b"".join(b"\x00" + ring().crop((0, y, 500, y + 1)).tobytes() for y in range(500)))
    rows[100 * 2001] = 9
    header = struct.pack(">IIBBBBB", 500, 500, 8, 6, 0, 0, 0)
    assert refused(packed([(b"IHDR", header), (b"IDAT", zlib.compress(bytes(rows))), (b"IEND", b"")])) == ["DAMAGED"]


@pytest.mark.parametrize(
    ("place", "value"), [(8, 3), (8, 0), (9, 7), (9, 1), (10, 1), (11, 1), (12, 2), (3, 0)], ids=str
)
def test_headers_that_make_no_sense_are_refused(place: int, value: int) -> None:
    parts = chunks(png(ring()))
    header = bytearray(parts[0][1])
    header[place] = value
    if place == 3:
        header[:4] = bytes(4)
    assert refused(packed([(b"IHDR", bytes(header)), *parts[1:]])) == ["DAMAGED"]
