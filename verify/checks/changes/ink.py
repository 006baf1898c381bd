"""Whether the look of a later signature is a seal's ink: all of it coloured, and multiplied with what lies under it.

Seals are put over date and name on purpose. Ink of a clear colour that multiplies (ISO 32000-2 11.3.5.2) leaves black
print under it black and to be read, and cannot pass for print itself: nothing in it is black, grey or white paint.
Anything that is not understood is no ink.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from verify.checks.changes.tokens import NameToken, tokens
from verify.formats.pdflimits import PdfError, PdfLimitError
from verify.formats.pdfvalues import Dictionary, Stream, Value

if TYPE_CHECKING:
    from verify.checks.changes.walk import Walk

_MOST_BYTES, _MOST_PIXELS, _MOST_DEPTH = 2_000_000, 24_000_000, 4
_COST = 2_000
"""Bytes of content or pixels that cost as much as one comparison."""
_BRIGHT, _CLEAR, _PALE = 0.5, 0.3, 0.7
"""Ink has one component as bright as the first, two as far apart as the second, or all above the third."""
_FILLS = frozenset((b"f", b"F", b"f*", b"B", b"B*", b"b", b"b*"))
_STROKES = frozenset((b"S", b"s", b"B", b"B*", b"b", b"b*"))
_PATHS = frozenset(b"m l c v y h re n W W* w J j M d i ri cm q Q gs Do rg RG g G k K BMC EMC MP".split())
"""Everything else, text and shadings among it, is no ink."""
_FORM_KEYS = frozenset(
    b"Type Subtype FormType BBox Matrix Resources Length Filter DecodeParms LastModified Name".split()
)
_IMAGE_KEYS = frozenset(
    b"Type Subtype Width Height BitsPerComponent ColorSpace SMask Length Filter DecodeParms Interpolate".split()
)
_STATE_KEYS = frozenset(b"Type BM ca CA SA OP op OPM AIS LW LC LJ ML D RI FL SM TK SMask".split())


class _NoInkError(Exception):
    """The look paints something else."""


@dataclass(frozen=True, slots=True)
class _State:
    blended: bool = False
    fill: tuple[float, ...] | None = (0.0,)
    stroke: tuple[float, ...] | None = (0.0,)


def is_ink(walk: Walk, look: Value) -> bool:
    """Whether the newer revision's appearance stream ``look`` paints nothing but ink."""
    held = walk.new.resolve(look)
    try:
        _read_form(walk, held, _State(), 0)
    except PdfLimitError:
        raise
    except (_NoInkError, PdfError, ValueError, TypeError):
        return False
    return True


def _read_form(walk: Walk, form: Value, state: _State, depth: int) -> None:
    if not isinstance(form, Stream) or depth > _MOST_DEPTH or form.dictionary.keys() - _FORM_KEYS:
        raise _NoInkError
    content = walk.new.decoded(form, _MOST_BYTES)
    walk.effort.spend(1 + len(content) // _COST)
    resources = walk.new.resolve(form.get(b"Resources"))
    saved: list[_State] = []
    operands: list[bytes | float] = []
    for kind, value in tokens(content):
        if kind != "word":
            operands.append(value)
            continue
        name = bytes(value) if isinstance(value, bytes) else b""
        if name == b"q":
            saved.append(state)
        elif name == b"Q":
            state = saved.pop() if saved else state
        else:
            state = _follow(walk, name, operands, resources, state, depth)
        operands = []


def _follow(
    walk: Walk, name: bytes, operands: Sequence[bytes | float], resources: Value, state: _State, depth: int
) -> _State:
    numbers = tuple(v for v in operands if isinstance(v, float))
    names = [bytes(v) for v in operands if isinstance(v, NameToken)]
    if name in _FILLS | _STROKES:
        colours = [state.fill] * (name in _FILLS) + [state.stroke] * (name in _STROKES)
        if not state.blended or not all(c is not None and _is_clear(c) for c in colours):
            raise _NoInkError
        return state
    if name not in _PATHS:
        raise _NoInkError
    if name == b"gs":
        return replace(state, blended=_blends(walk, walk.new.entry_of(resources, b"ExtGState"), names, state))
    if name in (b"rg", b"g", b"k"):
        return replace(state, fill=numbers)
    if name in (b"RG", b"G", b"K"):
        return replace(state, stroke=numbers)
    if name == b"Do":
        held = walk.new.entry_of(walk.new.entry_of(resources, b"XObject"), names[0] if names else b"")
        if isinstance(held, Stream) and walk.new.resolve(held.get(b"Subtype")) == b"Image":
            _read_image(walk, held, state)
        else:
            _read_form(walk, held, state, depth + 1)
    return state


def _blends(walk: Walk, states: Value, names: list[bytes], state: _State) -> bool:
    held = walk.new.entry_of(states, names[0] if names else b"")
    if not isinstance(held, dict) or held.keys() - _STATE_KEYS:
        raise _NoInkError
    if walk.new.resolve(held.get(b"SMask")) not in (None, b"None"):
        raise _NoInkError
    mode = walk.new.resolve(held.get(b"BM"))
    first = walk.new.resolve(mode[0]) if isinstance(mode, list) and mode else mode
    return state.blended if mode is None else first == b"Multiply"


def _is_clear(components: Sequence[float]) -> bool:
    if len(components) == 4:
        components = [max(0.0, 1 - c - components[3]) for c in components[:3]]
    if len(components) != 3:
        return False
    low, high = min(components), max(components)
    return high >= _BRIGHT and (high - low >= _CLEAR or low >= _PALE)


def _read_image(walk: Walk, image: Stream, state: _State) -> None:
    """A picture in RGB, whose every pixel that is not transparent has the colour of ink."""
    if not state.blended or image.dictionary.keys() - _IMAGE_KEYS:
        raise _NoInkError
    colours = _pixels(walk, image, b"DeviceRGB", "RGB")
    mask = walk.new.resolve(image.get(b"SMask"))
    seen = None
    if isinstance(mask, Stream):
        if mask.dictionary.keys() - _IMAGE_KEYS or mask.get(b"SMask") is not None:
            raise _NoInkError
        seen = _pixels(walk, mask, b"DeviceGray", "L")
        if seen.size != colours.size:
            raise _NoInkError
    if _has_other_colours(colours, seen):
        raise _NoInkError


def _pixels(walk: Walk, image: Stream, space: bytes, mode: str) -> Any:
    from PIL import Image

    entries: Dictionary = image.dictionary
    wide, high, bits = (walk.new.resolve(entries.get(key)) for key in (b"Width", b"Height", b"BitsPerComponent"))
    if not (isinstance(wide, int) and isinstance(high, int) and 0 < wide * high <= _MOST_PIXELS and wide > 0):
        raise _NoInkError
    if bits != 8 or walk.new.resolve(entries.get(b"ColorSpace")) != space:
        raise _NoInkError
    size = wide * high * len(mode)
    walk.effort.spend(1 + size // _COST)
    data = walk.new.decoded(image, size + 1)
    if len(data) != size:
        raise _NoInkError
    return Image.frombytes(mode, (wide, high), data)


def _has_other_colours(colours: Any, seen: Any | None) -> bool:
    from PIL import ImageChops

    red, green, blue = colours.split()
    high = ImageChops.lighter(ImageChops.lighter(red, green), blue)
    low = ImageChops.darker(ImageChops.darker(red, green), blue)
    dark = high.point(lambda v: 255 if v < _BRIGHT * 255 else 0)
    grey = ImageChops.subtract(high, low).point(lambda v: 255 if v < _CLEAR * 255 else 0)
    full = low.point(lambda v: 255 if v < _PALE * 255 else 0)
    wrong = ImageChops.lighter(dark, ImageChops.darker(grey, full))
    if seen is not None:
        wrong = ImageChops.darker(wrong, seen.point(lambda v: 255 if v else 0))
    return wrong.getbbox() is not None
