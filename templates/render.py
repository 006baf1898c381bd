"""From checked data to a composed page: what is printed, exactly where, and the prepared parts of the file.

Stages: *prepare* (static art and text of one type, once per process) → *typeset* (the data, may refuse) → *compose*
(content stream and font subsets) → :func:`templates.assembly.assemble` (the file). All of it is pure.
"""

from __future__ import annotations

import functools
import threading
import zlib
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from templates.assembly import assemble
from templates.drawing import Drawing
from templates.fonts import DEFLATE_LEVEL, FontFile, FontSet, glyphs
from templates.layout import FieldBox, StaticText, check_boxes
from templates.ornament import draw_art
from templates.registry import LicenseType
from templates.schema import CheckedData
from templates.sealpicture import CheckedPicture
from templates.seals import SealArt, SealPicture, look
from templates.typesetting import MM, SetText, set_text
from verify.formats.codes import IDENTIFIER_ROOT, citizen_fault
from verify.formats.license import Box, FaceItem, FaceMap, StaticRun, static_digest
from verify.formats.refusal import RefusedError

__all__ = ["Composition", "FaceFacts", "PreparedPage", "SealArt", "assemble", "compose", "precheck", "proof"]

SAMPLE_WORDS = "样本 SAMPLE"
_WIDEST_TAIL = f"{'8' * 8}{'W' * 10}.{'W' * 16}.888.W"
_PREPARED_PAGES = 64


@dataclass(frozen=True, slots=True)
class FaceFacts:
    """What the page says beside the data: identifier, license number, version, copy number of a duplicate."""

    identifier: str
    number: str
    version: int
    copy_number: int | None


@dataclass(frozen=True, slots=True)
class PreparedPage:
    """The static part of one page, ready to embed: deflated operators, forms, fonts, and where its text stands."""

    content: bytes
    forms: tuple[tuple[str, Box, bytes], ...]
    fonts: tuple[FontFile, ...]
    runs: tuple[StaticRun, ...]


@dataclass(frozen=True, slots=True)
class Composition:
    """One composed page. ``content`` are the deflated operators of the data, ``face`` says where everything stands."""

    page: PreparedPage
    content: bytes
    fonts: tuple[FontFile, ...]
    seal: SealPicture
    face: FaceMap


def compose(
    type: LicenseType, checked: CheckedData, facts: FaceFacts, *, sample: bool, seal: SealArt | CheckedPicture
) -> Composition:
    """Compose the page of one license.

    Raises RefusedError: MISSING_GLYPH (names U+XXXX and field), DOES_NOT_FIT (names the field), or a seal's refusal.
    """
    picture = look(seal)
    page = prepare(type, checked.fields, sample=sample)
    texts = _typeset(type, checked, facts)
    fonts = FontSet((g for _, t in texts for line in t.lines for g in line.glyphs), "D")
    content = "\n".join(_operators(t, fonts) for _, t in texts).encode("ascii")
    layout = type.layout
    return Composition(
        page=page,
        content=zlib.compress(content, DEFLATE_LEVEL),
        fonts=tuple(fonts.files),
        seal=picture,
        face=FaceMap(
            pages=((round(layout.width * MM, 2), round(layout.height * MM, 2)),),
            items=tuple(FaceItem(name, t.text, 1, t.box) for name, t in texts),
            static=page.runs,
            code_page=1,
            code_box=_code_box(type),
            seal_page=1,
            seal_box=_seal_box(type, picture),
        ),
    )


def precheck(type: LicenseType, checked: CheckedData, *, sample: bool, seal: SealArt | CheckedPicture) -> None:
    """Refuse now what :func:`compose` would refuse later, before anything is numbered.

    The number and the identifier are not known yet; the widest ones stand in for them.
    """
    look(seal)
    prepare(type, checked.fields, sample=sample)
    number = checked.number or type.number.widest()
    identifier = f"{IDENTIFIER_ROOT}.{type.type_code}.{_WIDEST_TAIL}"
    _typeset(type, checked, FaceFacts(identifier, number, 1, checked.copy_number))


def proof(type: LicenseType) -> None:
    """Prepare everything static of a type once.

    So a layout whose own text has no glyph, or no room, is refused when the type is published and not with the first
    license. What conditions keep apart is not compared with each other.
    """
    for index, text in enumerate(type.layout.static):
        set_text(text.text, text.box, text.style, type.layout.height, f"layout.json: static[{index}]")
    _prepare(type, [s for s in type.layout.static if s.when is None], {}, sample=True)


def _typeset(type: LicenseType, checked: CheckedData, facts: FaceFacts) -> list[tuple[str, SetText]]:
    """Every datum in its place, in the order of the layout. Raises with all that does not fit, not only the first."""
    values = dict(checked.fields) | {"number": facts.number, "identifier": facts.identifier}
    if facts.copy_number is not None:
        values["copy_number"] = str(facts.copy_number)
    texts: list[tuple[str, SetText]] = []
    refused: list[RefusedError] = []
    for place in type.layout.fields:
        if not values.get(place.field) or (place.when is not None and not place.when.holds(values)):
            continue
        try:
            texts.append((place.field, _set_field(place, values[place.field], type.layout.height)))
        except RefusedError as error:
            refused.append(error)
    if refused:
        raise RefusedError(r for error in refused for r in error.refusals)
    return texts


def _set_field(place: FieldBox, value: str, page_height: float) -> SetText:
    return set_text(shown(value, place.show), place.box, place.style, page_height, place.field)


def shown(value: str, show: str) -> str:
    """The printed form of a canonical value; ``masked`` hides places 11-14 of a citizen number."""
    if show in ("date-zh", "date-dot") and len(value) == 10:
        year, month, day = value.split("-")
        return f"{year}年{month}月{day}日" if show == "date-zh" else f"{year}.{month}.{day}"
    if show == "masked" and citizen_fault(value) is None:
        return f"{value[:10]}****{value[14:]}"
    return value


def prepare(type: LicenseType, fields: Mapping[str, str], *, sample: bool) -> PreparedPage:
    """The static part of the page for these data; made once for each set of conditions that hold."""
    texts = [s for s in type.layout.static if s.when is None or s.when.holds(fields)]
    active = tuple(i for i, s in enumerate(type.layout.static) if s in texts)
    key = (type.digest, sample, active)
    with _lock:
        known = _pages.get(key)
        if known is not None:
            _pages.move_to_end(key)
            return known
    made = _prepare(type, texts, fields, sample=sample)
    with _lock:
        _pages[key] = made
        while len(_pages) > _PREPARED_PAGES:
            _pages.popitem(last=False)
    return made


_lock = threading.Lock()
_pages: OrderedDict[tuple[str, bool, tuple[int, ...]], PreparedPage] = OrderedDict()


def _prepare(
    type: LicenseType, texts: Sequence[StaticText], fields: Mapping[str, str], *, sample: bool
) -> PreparedPage:
    layout = type.layout
    words = [*texts, *(layout.sample if sample else ())]
    places = [f for f in layout.fields if f.when is None or f.when.holds(fields)]
    check_boxes(
        layout.width,
        layout.height,
        [
            *((f"static {s.text}", s.box) for s in words),
            *((f"fields {f.field}", f.box) for f in places),
            ("code", layout.code),
        ],
    )
    placed = [set_text(s.text, s.box, s.style, layout.height, "layout.json: static") for s in words]
    fonts = FontSet((g for t in placed for line in t.lines for g in line.glyphs), "S")
    under = Drawing()
    if sample:
        _watermark(under, layout.width * MM, layout.height * MM)
    art = draw_art(layout.art, layout.width, layout.height, under)
    operators = art.drawing.operators() + b"\n" + "\n".join(_operators(t, fonts) for t in placed).encode("ascii")
    return PreparedPage(
        content=zlib.compress(b"q\n" + operators + b"\nQ", 9),
        forms=tuple((name, box, zlib.compress(made, 9)) for name, (box, made) in art.forms.items()),
        fonts=tuple(fonts.files),
        runs=tuple(StaticRun(static_digest(t.text), 1, t.box) for t in placed),
    )


def _watermark(drawing: Drawing, width: float, height: float) -> None:
    """The words of a sample, large and light across the page, as outlines; as text they stand elsewhere."""
    items = glyphs("hei-bold", SAMPLE_WORDS, "layout.json: sample")
    natural = sum(g.advance for g in items) / 1000
    diagonal = (width**2 + height**2) ** 0.5
    size = diagonal * 0.62 / natural
    cos, sin = width / diagonal, height / diagonal
    drawing.fill((0.955, 0.93, 0.92))
    at = -natural * size / 2
    placed = []
    for item in items:
        x = width / 2 + at * cos + size * 0.36 * sin
        y = height / 2 + at * sin - size * 0.36 * cos
        placed.append((item, size, (cos, sin, -sin, cos, x, y)))
        at += item.advance / 1000 * size
    drawing.letters(placed)


def _operators(text: SetText, fonts: FontSet) -> str:
    """Text operators of one set text: one positioned run per stretch of glyphs in one font."""
    r, g, b = text.style.color
    out = [f"BT {r:g} {g:g} {b:g} rg"]
    current = None
    for line in text.lines:
        out.append(f"1 0 0 1 {line.x:.2f} {line.y:.2f} Tm")
        for resource, codes in _stretches(line.glyphs, fonts):
            if resource != current:
                out.append(f"/{resource} {text.size:g} Tf")
                current = resource
            if line.extra:
                gap = f" {-line.extra * 1000 / text.size:.2f} "
                out.append(f"[{gap.join(f'<{c:04X}>' for c in codes)}{gap}] TJ")
            else:
                out.append(f"<{''.join(f'{c:04X}' for c in codes)}> Tj")
    out.append("ET")
    return "\n".join(out)


def _stretches(items: Iterable[object], fonts: FontSet) -> list[tuple[str, list[int]]]:
    out: list[tuple[str, list[int]]] = []
    for item in items:
        resource, code = fonts.code(item)  # type: ignore[arg-type]
        if not out or out[-1][0] != resource:
            out.append((resource, []))
        out[-1][1].append(code)
    return out


@functools.lru_cache(maxsize=64)
def _code_box(type: LicenseType) -> Box:
    x, y, side, _ = type.layout.code
    top = (type.layout.height - y) * MM
    return round(x * MM, 2), round(top - side * MM, 2), round((x + side) * MM, 2), round(top, 2)


def _seal_box(type: LicenseType, picture: SealPicture) -> Box:
    x, y = type.layout.seal[0] * MM, (type.layout.height - type.layout.seal[1]) * MM
    half_w, half_h = picture.width / 2, picture.height / 2
    return round(x - half_w, 2), round(y - half_h, 2), round(x + half_w, 2), round(y + half_h, 2)
