"""Seals: letters in their places whatever the name, pictures of exactly the stated size, characters drawn or named."""

from __future__ import annotations

import dataclasses
import io
import itertools
import math
import struct
import xml.etree.ElementTree as ElementTree
import zlib

import pypdfium2
import pytest
from PIL import Image, ImageChops

from templates.fonts import glyph, outline
from templates.sealpicture import check_picture
from templates.seals import (
    PURPOSES,
    RANKS,
    SEAL_KINDS,
    SealArt,
    draw_seal,
    rank_named,
    seal_letters,
    seal_pdf,
    seal_png,
    seal_svg,
)
from templates.sealtext import Placed
from templates.typesetting import MM
from tests.support.pages import TYPES, checked, differences, file_of, printed
from verify.formats.refusal import RefusedError

LONG = (
    "中华人民共和国新疆维吾尔自治区克孜勒苏柯尔克孜自治州阿合奇县人力资源和社会保障局劳动人事争议"
    "仲裁委员会办公室调解仲裁服务中心农民工工资支付保障窗口第一办事处"
)
CODE = "91410200MA9G2LRQ0P"
LATIN = "Söhne & Partner (Kaifeng) Consulting Co., Ltd."


def _apart(one: Placed, other: Placed) -> bool:
    """Whether a line parts the boxes of two letters (separating axes)."""
    boxes = (one.corners(), other.corners())
    if math.dist(boxes[0][0], boxes[1][0]) > math.dist(boxes[0][0], boxes[0][2]) + math.dist(boxes[1][0], boxes[1][2]):
        return True
    for a, b in itertools.chain.from_iterable(zip(c, (*c[1:], c[0]), strict=True) for c in boxes):
        normal = (a[1] - b[1], b[0] - a[0])
        (low, high), (least, most) = (
            (min(p), max(p)) for p in ([normal[0] * x + normal[1] * y for x, y in c] for c in boxes)
        )
        if high <= least or most <= low:
            return True
    return False


def _inside(art: SealArt, letter: Placed) -> bool:
    """Whether a letter's box lies within the rim of its seal."""
    picture = draw_seal(art)
    x, y = picture.width / 2, picture.height / 2
    if PURPOSES[art.kind] == "发票专用章":
        a, b = x - 1 * MM, y - 1 * MM
        return all(((px - x) / a) ** 2 + ((py - y) / b) ** 2 < 1 for px, py in letter.corners())
    if art.kind == "legal-representative" or art.shape == "square":
        frame = max(0.7 * MM, picture.width * 0.045)
        return all(frame < v < picture.width - frame for p in letter.corners() for v in p)
    return all(math.dist(p, (x, y)) < picture.width / 2 * (1 - 2 * 0.028) for p in letter.corners())


def _check(art: SealArt) -> tuple[Placed, ...]:
    letters = seal_letters(art)
    assert [p.glyph.char for p in letters if not _inside(art, p)] == [], art
    touching = [f"{a.glyph.char}{b.glyph.char}" for a, b in itertools.combinations(letters, 2) if not _apart(a, b)]
    assert touching == [], art
    return letters


def _text(letters: tuple[Placed, ...]) -> str:
    return "".join(p.glyph.char for p in letters)


@pytest.mark.parametrize(
    ("kind", "diameter", "serial"),
    [("official", 42.0, ""), ("official", 38.0, "4102000123456"), ("contract", 40.0, "(1)"), ("finance", 38.0, ""),
     ("invoice", 40.0, "(2)"), ("official", 60.0, "")],
)  # fmt: skip
def test_letters_of_names_of_any_length_neither_touch_nor_leave_the_rim(
    kind: str, diameter: float, serial: str
) -> None:
    for count in (*range(1, 16), 17, 19, 22, 25, 27, 28, 29, 31, 34, 38, 43, 50, 60, 64):
        art = SealArt(LONG[:count], kind, CODE, diameter, serial=serial)
        letters = _check(art)
        assert _text(letters).startswith(LONG[:count])
        assert min(p.size for p in letters) >= 1.4 * MM


@pytest.mark.parametrize(
    "name", [LATIN, "ABC Technology（中国）有限公司", "gjpqÅÄÖ", "一二三〇十（一）公司", "𫝀𪚥𠀋厂"]
)
@pytest.mark.parametrize("kind", ["official", "business", "invoice"])
def test_latin_narrow_and_rare_letters_keep_apart_as_well(name: str, kind: str) -> None:
    _check(SealArt(name, kind, CODE, 40.0))


@pytest.mark.parametrize(
    "purpose", ["章", "行政审批专用章", "出入境管理业务专用章（12）", "人力资源和社会保障业务专用章"]
)
@pytest.mark.parametrize("count", [4, 16, 40, 60])
def test_the_purpose_of_a_business_seal_keeps_clear_of_name_and_number(purpose: str, count: int) -> None:
    letters = _check(SealArt(LONG[:count], "business", "", 42.0, purpose=purpose, serial="4102000123456"))
    assert purpose in _text(letters)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("王", "王印"), ("李明", "李明之印"), ("王小明", "王小明印"), ("欧阳明月", "欧阳明月"),
        ("阿卜杜拉赫", "阿卜杜拉赫印"),
        ("买买提·艾力", "买买提·艾力"), ("古丽巴哈尔·买买提", "古丽巴哈尔·买买提"),
        ("迪丽热巴·阿不都热合曼·吾买尔江", "迪丽热巴·阿不都热合曼·吾买尔江"), ("𬱖㐂", "𬱖㐂之印"),
        ("JOHN SMITH", "JOHNSMITH"),
    ],
)  # fmt: skip
def test_personal_names_fill_their_square(name: str, shown: str) -> None:
    for side in (18.0, 20.0, 25.0):
        assert _text(_check(SealArt(name, "legal-representative", "", side))) == shown


def test_a_personal_name_reads_in_columns_from_right_to_left() -> None:
    wang, xiao, ming, seal = (p.corners()[0] for p in seal_letters(SealArt("王小明", "legal-representative", "", 20.0)))
    assert wang[0] > ming[0]
    assert xiao[0] > seal[0]
    assert wang[1] > xiao[1]
    assert ming[1] > seal[1]


def test_a_square_finance_seal_holds_name_and_purpose() -> None:
    art = SealArt("开封市鼎云科技有限公司", "finance", "", 25.0, shape="square")
    assert _text(_check(art)) == "开封市鼎云科技有限公司财务专用章"


def test_the_name_stands_around_the_top_from_left_to_right() -> None:
    letters = seal_letters(SealArt("开封市市场监督管理局", "official", "", 42.0))
    middles = [sum(p[0] for p in letter.corners()) / 4 for letter in letters]
    assert abs(middles[0] + middles[-1] - 42 * MM) < 0.5
    assert middles[0] < middles[4] < middles[-1]


@pytest.mark.parametrize(
    ("rank", "diameter", "emblem"),
    [("state-council", 60, True), ("province", 50, True), ("ministry", 50, True), ("vice-ministry", 45, True),
     ("prefecture", 45, True), ("county", 45, True), ("township", 42, False), ("company", 40, False)],
)  # fmt: skip
def test_diameters_by_rank(rank: str, diameter: int, emblem: bool) -> None:
    found = rank_named(rank)
    assert (found.diameter_mm, found.emblem) == (diameter, emblem)
    assert round(draw_seal(SealArt("某机关", "official", "", found.diameter_mm)).width / MM) == diameter
    with pytest.raises(RefusedError, match="BAD_SEAL_RANK"):
        rank_named("emperor")


def test_kinds_have_their_national_numbers_and_a_size_that_may_be_drawn() -> None:
    numbers = {"official": 1, "finance": 2, "invoice": 3, "contract": 4, "legal-representative": 5, "business": 6}
    assert {k: v.number for k, v in SEAL_KINDS.items()} == numbers
    assert all(r.diameter_mm <= 60 for r in RANKS.values())
    for name, kind in SEAL_KINDS.items():
        for shape, size in kind.shapes.items():
            draw_seal(SealArt("王小明", name, CODE, size, shape=shape))


# --- PNG, SVG, PDF ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dpi", [72, 300, 400, 600])
@pytest.mark.parametrize(("kind", "size"), [("official", 42.0), ("invoice", 40.0), ("legal-representative", 18.5)])
def test_a_png_has_exactly_the_pixels_of_its_millimetres(kind: str, size: float, dpi: int) -> None:
    data = seal_png(SealArt("王小明", kind, CODE, size), dpi)
    width, height = struct.unpack(">II", data[16:24])
    wide, high = (40.0, 30.0) if kind == "invoice" else (size, size)
    assert (width, height) == (round(wide / 25.4 * dpi), round(high / 25.4 * dpi))
    at = data.index(b"pHYs")
    across, down, unit = struct.unpack(">IIB", data[at + 4 : at + 13])
    assert (across, down, unit) == (round(dpi / 0.0254), round(dpi / 0.0254), 1)


def test_a_png_is_red_on_nothing() -> None:
    picture = Image.open(io.BytesIO(seal_png(SealArt("开封市市场监督管理局", "official", "", 42.0), 300)))
    assert picture.mode == "RGBA"
    assert {c[:3] for _, c in picture.getcolors(1 << 20)} == {(212, 18, 23)}
    clear = picture.getchannel("A").histogram()[0] / (picture.width * picture.height)
    assert 0.6 < clear < 0.9
    assert [picture.getpixel(p)[3] for p in ((0, 0), (picture.width - 1, 0))] == [0, 0]
    assert picture.getpixel((picture.width // 2, picture.height // 2))[3] == 255  # the star


@pytest.mark.parametrize("dpi", [71, 1201])
def test_a_png_of_senseless_sharpness_is_refused(dpi: int) -> None:
    with pytest.raises(RefusedError, match="BAD_DPI"):
        seal_png(SealArt("王小明", "official", "", 42.0), dpi)


def test_our_own_png_passes_as_an_uploaded_picture() -> None:
    seen = check_picture(seal_png(SealArt(LONG[:20], "official", "", 42.0), 400), width_mm=42, height_mm=42)
    assert (seen.red, seen.notes) == (1.0, ())
    assert 399 < seen.dpi < 401


@pytest.mark.parametrize("kind", SEAL_KINDS)
def test_an_svg_has_the_outlines_and_nothing_that_acts(kind: str) -> None:
    art = SealArt('王小明<&">', kind, CODE, next(iter(SEAL_KINDS[kind].shapes.values())))
    with pytest.raises(RefusedError, match="SEAL_SCRIPT"):
        seal_svg(art)
    root = ElementTree.fromstring(seal_svg(dataclasses.replace(art, name="王小明")))
    assert root.attrib["width"] == f"{round(draw_seal(dataclasses.replace(art, name='王小明')).width / MM)}mm"
    names = {e.tag.rpartition("}")[2] for e in root.iter()}
    assert names == {"svg", "title", "g", "path"}
    assert {e.get("fill") for e in root.iter("{http://www.w3.org/2000/svg}path")} == {"none", "#d41217"}


def test_the_pdf_form_draws_what_the_png_shows() -> None:
    art = SealArt("开封市市场监督管理局", "official", "", 42.0)
    document = pypdfium2.PdfDocument(seal_pdf(art))
    assert [round(v / MM) for v in document[0].get_size()] == [42, 42]
    drawn = document[0].render(scale=150 / 72).to_pil().convert("RGB")
    picture = Image.open(io.BytesIO(seal_png(art, 150)))
    shown = Image.new("RGB", picture.size, "white")
    shown.paste(picture, (0, 0), picture)
    difference = ImageChops.difference(drawn.resize(shown.size), shown).convert("L").histogram()
    assert sum(difference[100:]) < 0.005 * sum(difference)


# --- emblems and uploaded pictures in a document ----------------------------------------------------------------------


def _emblem() -> bytes:
    picture = Image.new("RGBA", (400, 300), (0, 0, 0, 0))
    picture.paste((200, 0, 0, 255), (100, 50, 300, 250))
    out = io.BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()


def test_an_uploaded_emblem_takes_the_place_of_the_star() -> None:
    emblem = check_picture(_emblem(), width_mm=20, height_mm=15, field="seal.emblem")
    art = SealArt("开封市人民政府", "official", "", 45.0)
    with_emblem = dataclasses.replace(art, emblem=emblem)
    picture = Image.open(io.BytesIO(seal_png(with_emblem, 300)))
    middle = picture.width // 2
    # A block of the emblem's middle is solid, which a star of this size is not.
    block = picture.crop((middle - 50, middle - 50, middle + 50, middle + 50))
    assert block.getchannel("A").getextrema() == (255, 255)
    assert {c[:3] for _, c in picture.getcolors(1 << 20)} == {(212, 18, 23)}
    assert "data:image/png" in seal_svg(with_emblem)
    assert draw_seal(with_emblem).digest != draw_seal(art).digest


def test_a_page_with_an_emblem_keeps_its_text_and_shows_the_picture() -> None:
    emblem = check_picture(_emblem(), width_mm=20, height_mm=15, field="seal.emblem")
    art = SealArt("开封市人民政府", "official", "", 45.0, emblem=emblem)
    page = printed(TYPES["business-license"], checked("business-license"), seal=art)
    file = file_of(page)
    assert differences(file, page.face) == []
    assert b"/Emblem" in file
    x0, y0, x1, y1 = page.face.seal_box
    document = pypdfium2.PdfDocument(file)
    document.init_forms()
    height = document[0].get_size()[1]
    shown = document[0].render(scale=2).to_pil().convert("RGB")
    red, green, _ = shown.getpixel((round(x0 + x1), round(2 * height - (y0 + y1))))
    assert red > 150 > green


def test_an_uploaded_seal_becomes_a_stamp_in_its_own_colours() -> None:
    seen = check_picture(_emblem(), width_mm=20, height_mm=15).picture()
    assert [round(v / MM) for v in (seen.width, seen.height)] == [20, 15]
    assert [i.resource for i in seen.images] == ["Uploaded"]
    assert len(zlib.decompress(seen.images[0].colours)) == 3 * len(zlib.decompress(seen.images[0].opacity))


# --- what cannot be drawn ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "script"),
    [("ᠮᠣᠩᠭᠣᠯ", "Mongolian"), ("བོད་ལྗོངས", "Tibetan"), ("شىنجاڭ", "Arabic"), ("ꆈꌠ", "Yi"),
     ("연변", "Korean"), ("ᦑᦺᦟᦹᧉ", "Tai")],
)  # fmt: skip
def test_scripts_that_are_not_drawn_are_named(text: str, script: str) -> None:
    with pytest.raises(RefusedError, match=f"SEAL_SCRIPT seal.name: seals are not drawn in {script}") as caught:
        draw_seal(SealArt(f"新疆{text}", "official", "", 42.0))
    assert "upload" in caught.value.first.remedy.en


@pytest.mark.parametrize(
    ("char", "code"),
    [("\ue000", "SEAL_SCRIPT"), ("\U000f0000", "SEAL_SCRIPT"), ("\u200b", "SEAL_SCRIPT"), ("\u202e", "SEAL_SCRIPT"),
     ("☭", "SEAL_SCRIPT"), ("😀", "SEAL_SCRIPT"), ("\U000e0100", "SEAL_SCRIPT"), ("\n", "SEAL_SCRIPT"),
     ("\U00031350", "MISSING_GLYPH"), ("\U0003ffff", "MISSING_GLYPH")],
)  # fmt: skip
def test_characters_that_cannot_be_drawn_are_named_with_their_code(char: str, code: str) -> None:
    with pytest.raises(RefusedError) as caught:
        draw_seal(SealArt(f"开封{char}公司", "official", "", 42.0))
    assert (caught.value.first.code, caught.value.first.field) == (code, "seal.name")
    assert f"U+{ord(char):04X}" in caught.value.first.reason.en


def test_every_han_character_of_gb_18030_has_a_face_and_what_is_drawn_is_never_blank() -> None:
    """GB 18030-2022 reaches up to extension F of Unicode 11."""
    blocks = (
        (0x3400, 0x4DB5), (0x4E00, 0x9FEF), (0x20000, 0x2A6D6), (0x2A700, 0x2B734), (0x2B740, 0x2B81D),
        (0x2B820, 0x2CEA1), (0x2CEB0, 0x2EBE0),
    )  # fmt: skip
    codes = [*map(ord, "﨎﨏﨑﨓﨔﨟﨡﨣﨤﨧﨨﨩"), *itertools.chain.from_iterable(range(a, b + 1) for a, b in blocks)]
    assert len(codes) == 87_887
    assert [f"U+{c:04X}" for c in codes if glyph("song-bold", chr(c)) is None] == []
    for code in codes[::97]:
        (letter,) = seal_letters(SealArt(chr(code), "official", "", 42.0))
        assert letter.glyph.gid > 0
        assert len(outline(letter.glyph)) > 2


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"kind": "royal"}, "BAD_SEAL_KIND"),
        ({"diameter_mm": 80.0}, "BAD_SEAL_SIZE"),
        ({"kind": "legal-representative", "diameter_mm": 30.0}, "BAD_SEAL_SIZE"),
        ({"shape": "triangle"}, "BAD_SEAL_SHAPE"),
        ({"purpose": "财务专用章"}, "BAD_SEAL_PURPOSE"),
        ({"serial": "<script>"}, "BAD_SEAL_SERIAL"),
        ({"serial": "1" * 19}, "BAD_SEAL_SERIAL"),
        ({"kind": "invoice", "code": "9141 0200"}, "BAD_SEAL_CODE"),
        ({"kind": "invoice", "code": "9" * 21}, "BAD_SEAL_CODE"),
        ({"name": ""}, "BAD_SEAL_NAME"),
        ({"name": "  "}, "BAD_SEAL_NAME"),
        ({"name": "国" * 81}, "BAD_SEAL_NAME"),
        ({"name": "国" * 60, "diameter_mm": 15.0}, "DOES_NOT_FIT"),
        ({"kind": "business", "purpose": "很" * 21}, "BAD_SEAL_NAME"),
        ({"kind": "legal-representative", "diameter_mm": 20.0, "name": "国" * 31}, "BAD_SEAL_NAME"),
    ],
)  # fmt: skip
def test_seals_that_are_refused(change: dict[str, object], code: str) -> None:
    with pytest.raises(RefusedError, match=code):
        draw_seal(dataclasses.replace(SealArt("开封市市场监督管理局", "official", "", 42.0), **change))  # type: ignore[arg-type]
