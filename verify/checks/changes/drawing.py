"""Reading what a small content stream draws, as text: the appearance of a form field (ISO 32000-2 7.8, 9)."""

from __future__ import annotations

from dataclasses import dataclass, field

from verify.checks.changes.fonts import FontReader
from verify.checks.changes.graphics import (
    FAR,
    NOTHING,
    Fill,
    Lines,
    Outline,
    Piece,
    State,
    around,
    common,
    holds,
    set_parameter,
)
from verify.checks.changes.layout import follows, is_across, is_frame, is_rim, middle
from verify.checks.changes.reasons import Reason
from verify.checks.changes.tokens import NameToken, tokens
from verify.checks.changes.walk import Walk, is_plainly_encoded
from verify.formats.pdflimits import PdfError
from verify.formats.pdfvalues import Stream
from verify.place import Box

_MOST_BYTES = 200_000
_COST = 1_000
"""What reading one drawing costs, in pairs of values."""
_MOST_CURVES = 16
_MOST_LINES = 400
_MOST_RECTANGLES, _MOST_PIECES = 300, 4_000
_INVISIBLE = 3
_FILLS = frozenset((b"f", b"F", b"f*", b"B", b"B*", b"b", b"b*"))
_STROKES = frozenset((b"S", b"s", b"B", b"B*", b"b", b"b*"))
_PAINTS = _FILLS | _STROKES | {b"n"}
_PARAMETERS = frozenset(b"Type SA OP op OPM AIS LW LC LJ ML D RI FL SM TK ca CA BM SMask".split())
"""Parameters of the graphics state whose effect is known here, or that have none on what a field shows."""
_FORM_KEYS = frozenset(
    b"Type Subtype FormType BBox Matrix Resources Length Filter DecodeParms DL Group Name LastModified PieceInfo"
    b" Metadata StructParent StructParents MarkStyle".split()
)
"""What a form XObject may hold to be only what its content draws: no layer, no picture of another file in its place."""
_DARK, _SEEN_THROUGH = 0.1, 0.6
_LEAST_CONTRAST = 0.15
_SAME_SHADE = 0.05
_LEAST_OPEN = 0.4
"""Of the height of a string, which a clip has to leave open."""
_LEAST_SIZE = 1.0
"""Of characters, in points."""
_FARTHEST_BACK, _FARTHEST_ON = 400.0, -10_000.0
"""Thousandths of the size by which TJ may move back and on."""


class DrawingError(Exception):
    """The stream draws something that is no text, or that cannot be read."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(slots=True)
class Drawn:
    """The text that a stream draws, in its order.

    ``fills`` counts filled areas, ``marks`` characters, and lines and curves that do not keep to the rim.
    ``covered`` says that an area was filled over text. ``own_font``: the older revision does not have a font used.
    ``pieces`` are the strings with their places, ``rectangles`` the filled ones, ``grounds`` all filled areas,
    ``strokes`` the widths of lines, ``small`` counts what is filled or stroked and is no frame, no background and no
    bar across the ``box``, ``edging`` counts lines and curves of borders, ``seen`` the marks of lines and curves that
    differ from what is below them.
    ``hidden`` says that some of the text is not seen, or not in its order; ``opaque`` that an area was not blended.
    """

    text: str = ""
    fills: int = 0
    marks: int = 0
    covered: bool = False
    own_font: bool = False
    hidden: bool = False
    opaque: bool = False
    dark: bool = False
    small: int = 0
    edging: int = 0
    seen: int = 0
    box: Box = NOTHING
    pieces: list[Piece] = field(default_factory=list)
    rectangles: list[Fill] = field(default_factory=list)
    grounds: list[Fill] = field(default_factory=list)
    strokes: list[float] = field(default_factory=list)


class _Reader:
    """Runs one content stream."""

    def __init__(self, walk: Walk, stream: Stream) -> None:
        self.walk = walk
        self.stream = stream
        self.fonts = FontReader(walk, stream)
        self.drawn = Drawn(box=form_box(walk, stream))
        self.state = State(clip=self.drawn.box)
        self.saved: list[State] = []
        self.lines = Lines()
        self.outline = Outline()
        self.clipping = False
        self.back = 0.0
        self.curves = self.segments = 0
        self.spots: list[tuple[float, float, float]] = []

    def run(self, content: bytes) -> None:
        """Follow every operator."""
        operands: list[bytes | float] = []
        for kind, value in tokens(content):
            if kind == "word":
                self._operator(bytes(value) if isinstance(value, bytes) else b"", operands)
                operands = []
            elif len(operands) < 2_000:
                operands.append(value)

    def _operator(self, name: bytes, operands: list[bytes | float]) -> None:
        numbers = [v for v in operands if isinstance(v, float)]
        names = [bytes(v) for v in operands if isinstance(v, NameToken)]
        if name in (b"Do", b"sh", b"BI", b"INLINE"):
            raise DrawingError(Reason.APPEARANCE_PICTURE)
        if name in (b"BDC", b"DP") and names[:1] == [b"OC"]:
            raise DrawingError(Reason.APPEARANCE_DIFFERS)  # a layer that may be off
        if name in (b"Tj", b"TJ", b"'", b'"'):
            self._show_all(name, operands)
        elif name == b"Tf":
            self.state.font = self.fonts.named(operands[0] if operands else b"")
            self.state.size = numbers[-1] if numbers else 0.0
        elif name == b"gs":
            self._parameters(names[0] if names else b"")
        elif name == b"q":
            self.saved.append(self.state.copy())
        elif name == b"Q" and self.saved:
            self.state = self.saved.pop()
        elif name in _PAINTS:
            self._paint(name)
        elif name in (b"W", b"W*"):
            self.clipping = True
        elif not self.lines.operator(name, numbers, self.state) and not set_parameter(self.state, name, numbers, names):
            self._outline(name, numbers)
        if self.curves > _MOST_CURVES or self.segments > _MOST_LINES or len(self.saved) > 64:
            raise DrawingError(Reason.APPEARANCE_PICTURE)
        if len(self.drawn.rectangles) > _MOST_RECTANGLES or len(self.drawn.pieces) > _MOST_PIECES:
            raise DrawingError(Reason.APPEARANCE_PICTURE)

    def _outline(self, name: bytes, numbers: list[float]) -> None:
        if self.outline.operator(name, numbers, self.state.matrix):
            self.curves += name in (b"c", b"v", b"y")
            self.segments += name == b"l"

    def _parameters(self, name: bytes) -> None:
        """A dictionary of graphics state parameters: it can change font, transparency and much that nobody foresees."""
        held = self.walk.new.entry_of(self.walk.new.entry_of(self.stream.get(b"Resources"), b"ExtGState"), name)
        if not isinstance(held, dict) or held.keys() - _PARAMETERS:
            raise DrawingError(Reason.APPEARANCE_UNREADABLE)
        for key, value in ((key, self.walk.new.resolve(raw)) for key, raw in held.items()):
            if key == b"SMask" and value != b"None":
                raise DrawingError(Reason.APPEARANCE_UNREADABLE)
            if key in (b"ca", b"CA"):
                self.state.opacity = min(1.0, float(value)) if isinstance(value, (int, float)) else 0.0
            if key == b"BM":
                modes = value if isinstance(value, list) else [value]
                self.state.blended = modes[:1] == [b"Multiply"]
                if modes[:1] not in ([b"Multiply"], [b"Normal"], [b"Compatible"]):
                    raise DrawingError(Reason.APPEARANCE_UNREADABLE)

    def _paint(self, name: bytes) -> None:
        """The end of a path."""
        outline, drawn, state = self.outline, self.drawn, self.state
        outline.settle()
        if name in _FILLS:
            drawn.fills += 1
            drawn.opaque = drawn.opaque or not (state.blended or state.opacity <= _SEEN_THROUGH)
            drawn.dark = drawn.dark or state.fill is None or state.fill < _DARK
            for box, straight in outline.rectangles:
                self._fill(Fill(common(box, state.clip), state.fill, straight))
            drawn.covered = drawn.covered or bool(outline.is_free and drawn.text.strip())
        if name in _STROKES:
            solid = not (state.blended or state.opacity <= _SEEN_THROUGH)
            drawn.strokes.append(state.width * max(map(abs, state.matrix[:4])) if solid else 0.0)
            drawn.small += sum(not is_across(drawn.box, box) for box, _ in outline.rectangles)
        if name != b"n" and outline.is_free:
            drawn.small += sum(not is_frame(drawn.box, *one, *other) for one, other in outline.lines)
            drawn.small += sum(not is_frame(drawn.box, *bend, *bend) for bend in outline.bends)
            self._mark(state.fill if name in _FILLS else state.stroke)
        if name in _FILLS and outline.is_free:
            self._fill_outline()
        if self.clipping:
            whole = len(outline.rectangles) == 1 and outline.rectangles[0][1] and not outline.is_free
            state.clip = common(state.clip, outline.rectangles[0][0]) if whole else NOTHING
        self.clipping = False
        self.outline = Outline()

    def _mark(self, colour: float | None) -> None:
        """Note the lines and curves of a painted path, but those of a border."""
        outline, drawn = self.outline, self.drawn
        loose = [points for points in (*outline.lines, *outline.curves) if not is_rim(drawn.box, points)]
        drawn.marks += len(loose)
        drawn.edging += len(outline.lines) + len(outline.curves) - len(loose)
        for x, y in [points[len(points) // 2] for points in loose]:
            ground = self._ground(x, y, 0.0)
            if colour is None or ground is None or not holds(self.state.clip, x, y):
                continue
            if abs(colour - ground) * self.state.opacity >= _LEAST_CONTRAST:
                drawn.seen += 1
                self.spots.append((x, y, colour))

    def _cover(self, fill: Fill) -> None:
        """Note a ground, and whether it hides a mark that was seen."""
        self.drawn.grounds.append(fill)
        for x, y, colour in self.spots:
            if fill.is_under(x, y, 0.0) and (fill.shade is None or abs(fill.shade - colour) > _SAME_SHADE):
                self.drawn.covered = True

    def _ground(self, x: float, y: float, slack: float) -> float | None:
        """The shade below a point, white where nothing is painted."""
        return next((f.shade for f in reversed(self.drawn.grounds) if f.is_under(x, y, slack)), 1.0)

    def _fill_outline(self) -> None:
        outlines = tuple(tuple(points) for points in self.outline.outlines if len(points) > 2)
        if outlines:
            box = common(around([p for points in outlines for p in points]), self.state.clip)
            self._cover(Fill(box, self.state.fill, straight=False, outlines=outlines))

    def _fill(self, fill: Fill) -> None:
        drawn = self.drawn
        drawn.rectangles.append(fill)
        self._cover(fill)
        drawn.small += not (fill.straight and is_across(drawn.box, fill.box))
        covered = (p for p in drawn.pieces if p.text.strip() and holds(fill.box, *middle(p), slack=p.size / 4))
        drawn.covered = drawn.covered or any(covered)

    def _show_all(self, name: bytes, operands: list[bytes | float]) -> None:
        state = self.state
        if name in (b"'", b'"'):
            if name == b'"' and len(operands) == 3:
                state.between_words, state.spacing = (v if isinstance(v, float) else 0.0 for v in operands[:2])
            self.lines.next_line(state)
        font = state.font or self.fonts.named(b"")
        shown = [v for v in operands if isinstance(v, bytes) and not isinstance(v, NameToken)]
        text = "".join(font.text(part) for part in shown)
        if name == b"TJ":
            self._adjust(operands)
        self.drawn.marks += sum(len(part.strip()) for part in shown)
        self.drawn.own_font = self.drawn.own_font or (font.is_own and bool(shown))
        self.drawn.text += text
        if text.strip():
            self._place(self.lines.piece(text, state))
        self.lines.moved = False

    def _adjust(self, operands: list[bytes | float]) -> None:
        """Add up by how much strings are moved back before the next one is shown."""
        self.back = 0.0 if self.lines.moved else self.back
        for operand in operands:
            if isinstance(operand, float):
                self.back += operand
            elif operand and not isinstance(operand, NameToken):
                self.back = 0.0
            if not _FARTHEST_ON < self.back < _FARTHEST_BACK:
                self.drawn.hidden = True

    def _place(self, piece: Piece) -> None:
        """Note a string that is shown, and whether it is seen and stands behind or below the one before."""
        drawn, state = self.drawn, self.state
        if state.mode >= _INVISIBLE and state.mode != 4:
            raise DrawingError(Reason.APPEARANCE_DIFFERS)
        if (
            self._is_faint(piece)
            or piece.size < _LEAST_SIZE
            or self.lines.is_mirrored(state)
            or self.lines.is_torn(state)
        ):
            drawn.hidden = True
        if drawn.pieces and not self.lines.moved:
            last = drawn.pieces.pop()
            drawn.pieces.append(Piece(last.text + piece.text, last.x, last.y, last.angle, last.size))
            return
        clip, slack = state.clip, piece.size / 2
        if drawn.pieces:
            clip = (clip[0], -FAR, clip[2], clip[3]) if abs(piece.angle) < 1 else clip
        least = max(1.0, _LEAST_OPEN * piece.size)
        if min(clip[2] - clip[0], clip[3] - clip[1]) < least or not holds(clip, piece.x, piece.y, slack):
            drawn.hidden = True
        if drawn.pieces and not follows(drawn.pieces[-1], piece):
            drawn.hidden = True
        drawn.pieces.append(piece)

    def _is_faint(self, piece: Piece) -> bool:
        """Whether text has nearly the shade of the area below it, or one that nobody knows."""
        state = self.state
        colour = state.stroke if state.mode == 1 else state.fill
        ground = self._ground(*middle(piece), 1.0)
        return colour is None or ground is None or abs(colour - ground) * state.opacity < _LEAST_CONTRAST


def form_box(walk: Walk, stream: Stream) -> Box:
    """The box of a form XObject, in its own units; NOTHING when it has none."""
    edges = [walk.new.resolve(v) for v in walk.new.items_of(stream.get(b"BBox"))]
    numbers = [float(v) for v in edges if isinstance(v, (int, float))]
    if len(edges) != 4 or len(numbers) != 4:
        return NOTHING
    xs, ys = sorted(numbers[::2]), sorted(numbers[1::2])
    return xs[0], ys[0], xs[1], ys[1]


def read_drawing(walk: Walk, stream: Stream) -> Drawn:
    """What the newer revision's form XObject draws. Raises DrawingError, PdfLimitError for too many of them."""
    known = walk.drawings.get(id(stream))
    if known is None:
        walk.effort.spend(_COST)
        known = walk.drawings[id(stream)] = _read(walk, stream)
    if isinstance(known, DrawingError):
        raise known
    return known


def _read(walk: Walk, stream: Stream) -> Drawn | DrawingError:
    try:
        if stream.dictionary.keys() - _FORM_KEYS or not is_plainly_encoded(walk.new, stream):
            raise DrawingError(Reason.APPEARANCE_UNREADABLE)
        content = walk.new.decoded(stream, _MOST_BYTES)
        reader = _Reader(walk, stream)
        reader.run(content)
    except DrawingError as error:
        return error
    except (PdfError, ValueError, TypeError):
        return DrawingError(Reason.APPEARANCE_UNREADABLE)
    return reader.drawn
