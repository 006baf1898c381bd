"""``layout.json``: where everything on a page stands, in millimetres from the upper left corner.

Members: ``page`` (width, height), ``art`` (vector ornament by name, see :mod:`templates.ornament`), ``static`` (text of
the type), ``fields`` (data), ``code`` (QR), ``seal`` (centre of the seal), ``sample`` (where 样本 SAMPLE stands).
Boxes are ``[x, y, width, height]``. Boxes of text may not touch each other, the code or the edge of the page; the check
is here, so a layout that would print one thing over another is refused when the type is added.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from templates.conditions import Condition, read_condition
from templates.members import Member, type_refusal
from templates.properties import FieldSchema

_FILE = "layout.json"
FACES = ("song", "song-bold", "hei", "hei-bold")
FACTS = ("number", "identifier", "copy_number")
"""What a layout may print beside the fields of the schema."""
SHOWS = ("text", "date-zh", "date-dot", "masked")
ART = {
    "frame": ("inset", "band", "color", "corner"),
    "rosette": ("x", "y", "radius", "petals", "color", "width"),
    "ground": ("inset", "color", "step"),
    "emblem": ("x", "y", "radius", "color"),
    "line": ("from", "to", "color", "width"),
    "rectangle": ("box", "color", "fill", "width", "radius"),
    "band": ("box", "color"),
}
_SMALLEST = {"band": 3.0, "corner": 1.0, "step": 1.0}
"""In mm: finer ornaments cost much, are blurred in print, and some cannot be drawn."""
MIN_CODE_MM = 30.0
MIN_PRINT_PT = 5.0
Rgb = tuple[float, float, float]
BoxMm = tuple[float, float, float, float]
_BLACK: Rgb = (0.08, 0.08, 0.08)


@dataclass(frozen=True, slots=True)
class TextStyle:
    """How a text is set: face stack, size and least size in points, line distance in sizes, alignment."""

    face: str
    size: float
    min_size: float
    leading: float
    align: str
    valign: str
    color: Rgb


@dataclass(frozen=True, slots=True)
class StaticText:
    """A text of the type, printed when its condition holds (None: always)."""

    text: str
    box: BoxMm
    style: TextStyle
    when: Condition | None


@dataclass(frozen=True, slots=True)
class FieldBox:
    """Where a field is printed and in which form (``show``)."""

    field: str
    box: BoxMm
    style: TextStyle
    show: str
    when: Condition | None


@dataclass(frozen=True, slots=True)
class Art:
    """One piece of ornament: its kind and the members that kind knows."""

    kind: str
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Layout:
    """One page."""

    width: float
    height: float
    art: tuple[Art, ...]
    static: tuple[StaticText, ...]
    fields: tuple[FieldBox, ...]
    code: BoxMm
    seal: tuple[float, float]
    sample: tuple[StaticText, ...]


def read_layout(value: Any, fields: Mapping[str, FieldSchema], required: frozenset[str], *, has_copies: bool) -> Layout:
    """Read and check ``layout.json``. Raises RefusedError naming the member."""
    root = Member(value, _FILE, "", ("page", "art", "static", "fields", "code", "seal", "sample", "comment"))
    page = root.object("page", ("width", "height"))
    width, height = page.number("width", low=60, high=600), page.number("height", low=60, high=600)
    code = root.object("code", ("x", "y", "size"))
    side = code.number("size", low=MIN_CODE_MM, high=80)
    seal = root.object("seal", ("x", "y"))
    layout = Layout(
        width=width,
        height=height,
        art=tuple(_art(m) for m in root.objects("art", ("kind", *sorted({n for v in ART.values() for n in v})))),
        static=tuple(_static(m, fields) for m in root.objects("static", _STATIC)),
        fields=tuple(_field(m, fields, has_copies=has_copies) for m in root.objects("fields", _FIELD)),
        code=(code.number("x"), code.number("y"), side, side),
        seal=(seal.number("x"), seal.number("y")),
        sample=tuple(_static(m, fields) for m in root.objects("sample", _STATIC, limit=6)),
    )
    _printed(layout, required)
    check_boxes(layout.width, layout.height, _declared(layout))
    return layout


_STYLE = ("face", "size", "min_size", "leading", "align", "valign", "color")
_STATIC = ("text", "box", "when", "comment", *_STYLE)
_FIELD = ("field", "box", "show", "when", "comment", *_STYLE)


def check_boxes(width: float, height: float, boxes: Iterable[tuple[str, BoxMm]]) -> None:
    """Refuse named boxes that leave the page or touch each other."""
    named = list(boxes)
    for name, (x, y, w, h) in named:
        if x < 0 or y < 0 or x + w > width or y + h > height:
            raise type_refusal(f"{_FILE}: {name}", "超出页面", "leaves the page")
    for (name_a, a), (name_b, b) in combinations(named, 2):
        if a[0] < b[0] + b[2] and b[0] < a[0] + a[2] and a[1] < b[1] + b[3] and b[1] < a[1] + a[3]:
            raise type_refusal(f"{_FILE}: {name_b}", f"与 {name_a} 重叠", f"overlaps {name_a}")


def _declared(layout: Layout) -> Iterable[tuple[str, BoxMm]]:
    """The boxes that always stand; conditional ones are checked when their page is prepared."""
    yield "code", layout.code
    yield from ((f"static[{i}]", s.box) for i, s in enumerate(layout.static) if s.when is None)
    yield from ((f"fields[{i}]", f.box) for i, f in enumerate(layout.fields) if f.when is None)
    yield from ((f"sample[{i}]", s.box) for i, s in enumerate(layout.sample))


def _printed(layout: Layout, required: frozenset[str]) -> None:
    printed = {f.field for f in layout.fields}
    if "identifier" not in printed:
        raise type_refusal(f"{_FILE}: fields", "须印出证照标识", "the identifier must be printed")
    if not layout.sample:
        raise type_refusal(f"{_FILE}: sample", "须有样本字样的位置", "there must be a place for the words of a sample")
    if not printed & required:
        raise type_refusal(f"{_FILE}: fields", "未印出任何必填字段", "no required field is printed")


def _box(member: Member) -> BoxMm:
    x, y, w, h = member.numbers("box", 4, low=0, high=600)
    if w < 2 or h < 1:
        raise member.refusal("box", "过小", "is too small")
    return x, y, w, h


def _color(member: Member, default: Rgb) -> Rgb:
    if not member.has("color"):
        return default
    r, g, b = member.numbers("color", 3, low=0, high=1)
    return r, g, b


def _style(member: Member) -> TextStyle:
    size = member.number("size", low=MIN_PRINT_PT, high=120)
    return TextStyle(
        face=member.choice("face", FACES, "song"),
        size=size,
        min_size=member.number("min_size", size, low=MIN_PRINT_PT, high=size),
        leading=member.number("leading", 1.4, low=1.16, high=4),
        align=member.choice("align", ("left", "center", "right", "justify"), "left"),
        valign=member.choice("valign", ("top", "middle", "bottom"), "top"),
        color=_color(member, _BLACK),
    )


def _when(member: Member, fields: Mapping[str, FieldSchema]) -> Condition | None:
    if not member.has("when"):
        return None
    return read_condition(member.raw("when"), _FILE, f"{member.path}.when", fields)


def _static(member: Member, fields: Mapping[str, FieldSchema]) -> StaticText:
    text = member.text("text")
    if not text.strip() or any(ord(c) < 32 for c in text):
        raise member.refusal("text", "须为可见文字", "must be visible text")
    return StaticText(text, _box(member), _style(member), _when(member, fields))


def _field(member: Member, fields: Mapping[str, FieldSchema], *, has_copies: bool) -> FieldBox:
    name = member.text("field")
    if name not in fields and (name not in FACTS or (name == "copy_number" and not has_copies)):
        raise member.refusal("field", f"没有字段 {name}", f"there is no field {name}")
    style = _style(member)
    if style.align == "justify":
        raise member.refusal("align", "数据不能分散对齐", "data cannot be justified")
    return FieldBox(name, _box(member), style, member.choice("show", SHOWS, "text"), _when(member, fields))


def _art(member: Member) -> Art:
    kind = member.choice("kind", tuple(ART))
    values: dict[str, Any] = {}
    for name in member.value:
        if name == "kind":
            continue
        if name not in ART[kind]:
            raise member.refusal(name, f"{kind} 没有此成员", f"{kind} has no such member")
        if name in ("color", "fill"):
            values[name] = member.numbers(name, 3, low=0, high=1)
        elif name in ("from", "to"):
            values[name] = member.numbers(name, 2, low=0, high=600)
        elif name == "box":
            values[name] = _box(member)
        elif name in _SMALLEST:
            values[name] = member.number(name, low=_SMALLEST[name], high=120)
        elif name in ("petals", "width"):
            values[name] = member.number(name, low=0.05, high=120)
        else:
            values[name] = member.number(name, low=0, high=600)
    for name in (
        ART[kind][:1] if kind in ("frame", "ground") else ART[kind][:3] if kind in ("rosette", "emblem") else ()
    ):
        if name not in values:
            raise member.refusal(name, "缺少此成员", "the member is missing")
    for name in {"line": ("from", "to"), "rectangle": ("box",), "band": ("box",)}.get(kind, ()):
        if name not in values:
            raise member.refusal(name, "缺少此成员", "the member is missing")
    return Art(kind, values)
