"""Pages: the text that stands on them is exactly what the face map says, and nothing collides."""

from __future__ import annotations

import itertools
import subprocess

import pytest

from templates.fonts import glyphs
from templates.render import SAMPLE_WORDS, FaceFacts, compose, precheck, shown
from templates.seals import PURPOSES, SealArt
from templates.typesetting import break_lines
from tests.support.pages import (
    RARE,
    TYPES,
    characters,
    checked,
    differences,
    file_of,
    printed,
    with_fields,
    without_space,
)
from verify.formats.license import static_digest
from verify.formats.refusal import RefusedError

NAME_FIELDS = {
    "business-license": "name",
    "business-license-duplicate": "name",
    "driving-license": "name",
    "food-business-license": "operator_name",
    "marriage-certificate": "holder_b_name",
    "road-transport-license": "operator_name",
}
SEAL = SealArt("开封市市场监督管理局", "official", "", 42.0)


@pytest.mark.parametrize("sample", [True, False])
@pytest.mark.parametrize("name", TYPES)
def test_page_and_face_map_agree(name: str, sample: bool) -> None:
    page = printed(TYPES[name], checked(name), sample=sample)
    assert differences(file_of(page), page.face) == []
    words = static_digest(SAMPLE_WORDS)
    assert any(run.sha256 == words for run in page.face.static) is sample


@pytest.mark.parametrize("name", TYPES)
def test_rare_characters(name: str) -> None:
    data = with_fields(checked(name), **{NAME_FIELDS[name]: RARE})
    page = printed(TYPES[name], data)
    assert differences(file_of(page), page.face) == []
    assert RARE in [item.text for item in page.face.items]


@pytest.mark.parametrize(
    ("name", "scope"),
    [
        ("Abc-def Ghi & Söhne (开封) 有限公司", "一;二。" * 200),
        ("甲·乙 1.5% “丙”——……《丁》10℃", "word " * 180),
        ("豈 ⼀ 一 ㍿①Ⅷ", "ab-cd-ef/gh " * 70),
        ("x\\(y)<z>'\"", "x-" * 400 + "y"),
        ("阿卜杜·买买提", "1,000.50;" * 90),
    ],
)
def test_text_of_all_kinds(name: str, scope: str) -> None:
    page = printed(TYPES["business-license"], checked("business-license", name=name, business_scope=scope.strip()))
    assert differences(file_of(page), page.face) == []


@pytest.mark.parametrize("name", TYPES)
def test_the_longest_data_fits(name: str) -> None:
    """What the schema lets in, the layout can print: every free text at its full length, in full-width characters."""
    kind = TYPES[name]
    free = {
        n: "国" * f.longest
        for n, f in kind.fields.items()
        if not (f.format or f.enum or f.pattern) or f.format == "capital"
    }
    data = with_fields(checked(name), **free)
    precheck(kind, data, sample=True, seal=SEAL)
    page = printed(kind, data, seal=SEAL)
    assert differences(file_of(page), page.face) == []


@pytest.mark.parametrize("name", TYPES)
def test_boxes_do_not_meet_and_stay_on_the_page(name: str) -> None:
    face = printed(TYPES[name], checked(name)).face
    width, height = face.pages[0]
    boxes = [*(i.box for i in face.items), *(s.box for s in face.static), face.code_box]
    for x0, y0, x1, y1 in [*boxes, face.seal_box]:
        assert 0 <= x0 < x1 <= width
        assert 0 <= y0 < y1 <= height
    for a, b in itertools.combinations(boxes, 2):
        assert a[2] <= b[0] or b[2] <= a[0] or a[3] <= b[1] or b[3] <= a[1]
    assert face.code_box[2] - face.code_box[0] >= 30 * 72 / 25.4


@pytest.mark.parametrize("name", TYPES)
def test_pdftotext_finds_every_value(name: str) -> None:
    page = printed(TYPES[name], checked(name))
    done = subprocess.run(["pdftotext", "-", "-"], input=file_of(page), capture_output=True, check=True)
    text = without_space(done.stdout.decode())
    for item in page.face.items:
        assert without_space(item.text) in text


@pytest.mark.parametrize(
    ("kind", "label", "place"),
    [
        ("有限责任公司", "法定代表人", "住所"),
        ("个体工商户", "经营者", "经营场所"),
        ("普通合伙企业", "执行事务合伙人", "主要经营场所"),
        ("个人独资企业", "投资人", "住所"),
        ("有限责任公司分公司", "负责人", "经营场所"),
    ],
)
@pytest.mark.parametrize("name", ["business-license", "business-license-duplicate"])
def test_labels_follow_the_kind_of_enterprise(name: str, kind: str, label: str, place: str) -> None:
    page = printed(TYPES[name], checked(name, type=kind))
    runs = {run.sha256 for run in page.face.static}
    assert {static_digest(label), static_digest(place)} <= runs
    assert differences(file_of(page), page.face) == []


def test_how_values_are_shown() -> None:
    assert shown("2023-01-02", "date-zh") == "2023年01月02日"
    assert shown("长期", "date-zh") == "长期"
    assert shown("2023-01-02", "date-dot") == "2023.01.02"
    assert shown("11010519491231002X", "masked") == "1101051949****002X"
    assert shown("91410200MA9G2LRQ0P", "masked") == "91410200MA9G2LRQ0P"


def test_a_sole_traders_number_is_masked_on_the_face() -> None:
    page = printed(TYPES["food-business-license"], checked("food-business-license"))
    code = checked("food-business-license").fields["credit_code"]
    item = next(i for i in page.face.items if i.field == "credit_code")
    assert item.text == code[:10] + "****" + code[14:]
    assert code not in "".join(c for c, _, _ in characters(file_of(page)))


def test_a_character_no_face_has_is_named() -> None:
    data = with_fields(checked("business-license"), name="开封\U00031350店")
    for call in (
        lambda: printed(TYPES["business-license"], data),
        lambda: precheck(TYPES["business-license"], data, sample=True, seal=SEAL),
    ):
        with pytest.raises(RefusedError) as caught:
            call()
        assert (caught.value.first.code, caught.value.first.field) == ("MISSING_GLYPH", "name")
        assert "U+31350" in caught.value.first.reason.en
        assert "U+31350" in caught.value.first.reason.zh


def test_everything_that_does_not_fit_is_named() -> None:
    data = with_fields(checked("business-license"), name="国" * 400, address="国" * 900)
    with pytest.raises(RefusedError) as caught:
        printed(TYPES["business-license"], data)
    assert [(r.code, r.field) for r in caught.value.refusals] == [("DOES_NOT_FIT", "name"), ("DOES_NOT_FIT", "address")]


def test_text_shrinks_before_it_is_refused() -> None:
    short = printed(TYPES["business-license"], checked("business-license"))
    long = printed(TYPES["business-license"], checked("business-license", business_scope="经营" * 500))
    box = TYPES["business-license"].layout.fields[4].box
    for page in (short, long):
        x0, y0, x1, y1 = next(i.box for i in page.face.items if i.field == "business_scope")
        assert x1 - x0 <= box[2] * 72 / 25.4 + 0.1
        assert y1 - y0 <= box[3] * 72 / 25.4 + 0.1


@pytest.mark.parametrize(
    "text",
    ["甲,乙。丙;丁" * 30, "(依法须经批准的项目,经相关部门批准后方可开展经营活动)" * 5, "Ab12 cd " * 40, "x" * 300],
)
def test_lines_break_by_the_rules(text: str) -> None:
    text = text.replace(",", "\uff0c").replace("(", "\uff08").replace(")", "\uff09").replace(";", "\uff1b")
    items = glyphs("song", text, "f")
    for limit in (8_000, 12_345, 20_000):
        lines = break_lines(items, limit)
        assert "".join(g.char for line in lines for g in line) == text
        for line in lines:
            assert sum(g.advance for g in line if g.char != " ") <= limit
        for line in lines[1:]:
            assert line[0].char not in "\uff0c\u3002\uff1b\uff09 "
        for line in lines[:-1]:
            assert line[-1].char != "\uff08"


@pytest.mark.parametrize("kind", PURPOSES)
def test_seals_add_no_text(kind: str) -> None:
    size = 20.0 if kind == "legal-representative" else 40.0
    art = SealArt("开封市鼎云科技有限公司", kind, "91410200MA9G2LRQ0P", size)
    page = printed(TYPES["business-license"], checked("business-license"), seal=art)
    assert differences(file_of(page), page.face) == []
    x0, y0, x1, y1 = page.face.seal_box
    millimetres = [round(v / 72 * 25.4) for v in (x1 - x0, y1 - y0)]
    assert millimetres == ([40, 30] if kind == "invoice" else [size, size])


def test_copy_number_is_printed() -> None:
    kind = TYPES["business-license-duplicate"]
    data = checked(kind.name, copy_number="12")
    facts = FaceFacts("1.2.156.3005.2.X", data.number or "", 1, data.copy_number)
    page = compose(kind, data, facts, sample=False, seal=SEAL)
    assert next(i.text for i in page.face.items if i.field == "copy_number") == "12"
