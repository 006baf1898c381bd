"""Whether a form field shows its value (ISO 32000-2 12.7.4.3): filling in may change what is shown to the value only.

A new appearance of a text or choice field is read as text; it has to be the value, in order and completely, apart
from white space. Pictures, forms within forms and shadings have no place there. Check boxes and radio buttons choose
among the appearances that were signed; push buttons have no value at all.
"""

from __future__ import annotations

from verify.checks.changes.drawing import DrawingError, Drawn, read_drawing
from verify.checks.changes.fieldlook import is_formatted, is_upright, plain, rich_text
from verify.checks.changes.fieldview import FieldView
from verify.checks.changes.graphics import Fill
from verify.checks.changes.layout import is_rim
from verify.checks.changes.model import Kind, Path
from verify.checks.changes.reasons import Doubt, Reason
from verify.checks.changes.walk import Walk
from verify.formats.pdfvalues import Dictionary, Name, Stream, Text, Value, same_value
from verify.place import Box, Place

_PUSH_BUTTON = 1 << 16
_PASSWORD = 1 << 13
_COMBO = 1 << 17
_TEXTUAL = (b"Tx", b"Ch")
_LOOKS = (b"N", b"R", b"D")
_LIGHT = 0.4
_THICKEST = 4.0
"""Points of a border, or of a stroke that marks a box."""
_MOST_OF_A_MARK = 24
"""Lines of a check, a cross or a star."""
_MOST_OF_A_FRAME = 32
"""Lines and curves of a border; many short ones at an edge would be writing."""
_MOST_OF_A_LIST = 0.8


def judge_look(walk: Walk, old: Dictionary, new: Dictionary, path: Path, view: FieldView) -> bool:
    """Judge what a widget shows now. Says whether that, or the value behind it, changed."""
    replaced = not walk.unchanged(old.get(b"AP"), new.get(b"AP"))
    switched = not same_value(walk.old.resolve(old.get(b"AS")), walk.new.resolve(new.get(b"AS")))
    if not (replaced or switched or view.changed):
        if walk.redrawn or walk.kept_looks:
            walk.touched[path.number] = Kind.FORM_DATA  # viewers draw it in their own way, or no longer do
            if view.type in _TEXTUAL:
                _judge_redrawing(walk, new, path, view)
        return False
    if view.type == b"Btn":
        _judge_button(walk, old, new, path, view, replaced=replaced)
    elif view.type in _TEXTUAL:
        _judge_text(walk, old, new, path, view, replaced=replaced)
        if switched:
            walk.fault(Reason.APPEARANCE_STATE, path.key(b"AS"))
    else:
        walk.fault(Reason.FIELD_TYPE, path)
    return True


def _judge_redrawing(walk: Walk, new: Dictionary, path: Path, view: FieldView) -> None:
    """A field that nobody filled in, but that viewers are now asked to draw from its value."""
    look = walk.new.entry_of(new.get(b"AP"), b"N")
    try:
        agrees = isinstance(look, Stream) and shows(walk, read_drawing(walk, look), view)
    except DrawingError:
        agrees = False
    if isinstance(look, Stream) and walk.kept_looks and not agrees:
        walk.fault(Reason.APPEARANCE_DIFFERS, path.key(b"AP"))  # what was signed is the value, drawn by the viewer
    elif isinstance(look, Stream) and not agrees:
        walk.doubt(Doubt.DRAWN_ANEW, Place(object_number=path.number, path=str(path), field=view.name))


def _are_same_states(walk: Walk, old: Value, new: Value) -> bool:
    """Whether looks of a button that were drawn anew are of the same states, and still tell on from off."""
    if not isinstance(old, dict) or not isinstance(new, dict) or old.keys() | {b"Off"} != new.keys() | {b"Off"}:
        return False
    for name, raw in new.items():
        look = walk.new.resolve(raw)
        try:
            drawn = read_drawing(walk, look) if isinstance(look, Stream) else Drawn()
        except DrawingError:
            return False
        if drawn.covered or drawn.own_font or len(drawn.text) > 1 or bool(drawn.marks) == (name == b"Off"):
            return False
        if not (_is_blank(drawn) if name == b"Off" else _is_mark(drawn)):
            return False
    return True


def _is_blank(drawn: Drawn) -> bool:
    """Whether a look is at most a frame, straight or round, with a light ground."""
    framed = drawn.edging <= _MOST_OF_A_FRAME and not drawn.small
    return framed and _is_thin(drawn) and all(_is_light(fill, drawn.box) for fill in drawn.grounds)


def _is_light(fill: Fill, box: Box) -> bool:
    """Whether a ground is light, or only a strip along an edge."""
    middle = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    # the lines of an outline keep to the edges, or they would be marks
    strip = not fill.is_under(*middle, 0.0) if fill.outlines else is_rim(box, (fill.box[:2], fill.box[2:]))
    return strip or (fill.shade is not None and fill.shade >= _LIGHT)


def _is_thin(drawn: Drawn) -> bool:
    """Whether no border is so thick that it is a ground."""
    return all(width <= _THICKEST for width in drawn.strokes)


def _is_mark(drawn: Drawn) -> bool:
    """Whether a look has one mark that is seen."""
    plain = not drawn.hidden and _is_thin(drawn) and drawn.small <= _MOST_OF_A_MARK
    return plain and bool(drawn.seen or drawn.text.strip())


def _judge_button(walk: Walk, old: Dictionary, new: Dictionary, path: Path, view: FieldView, *, replaced: bool) -> None:
    if view.flags & _PUSH_BUTTON:
        walk.fault(Reason.APPEARANCE_PICTURE, path.key(b"AP"))
        return
    state = walk.new.resolve(new.get(b"AS"))
    normal = walk.new.entry_of(new.get(b"AP"), b"N")
    if replaced:
        states, looks = walk.old.entry_of(old.get(b"AP"), b"N"), walk.new.resolve(new.get(b"AP"))
        given = [walk.new.entry_of(looks, key) for key in _LOOKS if isinstance(looks, dict) and key in looks]
        if not given or any(not _are_same_states(walk, states, look) for look in [normal, *given]):
            walk.fault(Reason.APPEARANCE_PICTURE, path.key(b"AP"))
            return
    if not isinstance(normal, dict):
        return
    value = walk.new.resolve(view.new_value)
    expected = value if isinstance(value, Name) and value in normal else b"Off"
    if (bytes(state) if isinstance(state, Name) else b"Off") != expected:
        walk.fault(Reason.APPEARANCE_STATE, path.key(b"AS"))


def _judge_text(walk: Walk, old: Dictionary, new: Dictionary, path: Path, view: FieldView, *, replaced: bool) -> None:
    before, after = walk.old.resolve(old.get(b"AP")), walk.new.resolve(new.get(b"AP"))
    if view.changed and not _is_same_in_rich_text(walk, old, new, view):
        walk.fault(Reason.APPEARANCE_DIFFERS, path.key(b"RV"))
    if after is None:
        if isinstance(before, dict) and walk.old.resolve(before.get(b"N")) is not None:
            walk.fault(Reason.APPEARANCE_DIFFERS, path.key(b"AP"))
        return
    place = path.key(b"AP")
    if not isinstance(after, dict):
        walk.fault(Reason.APPEARANCE_DIFFERS, place)
        return
    if replaced and not view.changed and isinstance(before, dict):
        walk.fault(Reason.APPEARANCE_REPLACED, place)
        return
    for key in _LOOKS:
        look = walk.new.resolve(after.get(key))
        if look is None and key != b"N":
            continue
        _judge_stream(walk, look, new, place.key(key), view)


def _judge_stream(walk: Walk, look: Value, widget: Dictionary, path: Path, view: FieldView) -> None:
    if not isinstance(look, Stream):
        if look is not None or not _is_empty(walk, view):
            walk.fault(Reason.APPEARANCE_DIFFERS, path)
        return
    try:
        drawn = read_drawing(walk, look)
    except DrawingError as error:
        walk.fault(error.reason, path)
        return
    if drawn.own_font:
        walk.doubt(Doubt.OWN_FONT, Place(object_number=path.number, path=str(path), field=view.name))
    is_list = view.type == b"Ch" and not view.flags & _COMBO
    if drawn.small:
        walk.fault(Reason.APPEARANCE_PICTURE, path)
    elif not (shows(walk, drawn, view) and is_upright(walk, look, widget, drawn)) or drawn.hidden:
        walk.fault(Reason.APPEARANCE_DIFFERS, path)
    if is_list and not _marks_choice(walk, drawn, view):
        walk.fault(Reason.APPEARANCE_DIFFERS, path)


def _marks_choice(walk: Walk, drawn: Drawn, view: FieldView) -> bool:
    """Whether the bars of a list box, where it has any, lie behind the chosen options and no other."""
    high = drawn.box[3] - drawn.box[1]
    bars = [fill.box for fill in drawn.rectangles if fill.box[3] - fill.box[1] < high * _MOST_OF_A_LIST]
    lines: dict[int, str] = {}
    for piece in drawn.pieces:
        lines[round(piece.y)] = lines.get(round(piece.y), "") + plain(piece.text)
    marked = {text for y, text in lines.items() if any(bar[1] <= y + 2 <= bar[3] for bar in bars)}
    displays = _displays(walk, view.options)
    chosen = {displays.get(value, value) for value in map(plain, _texts(walk, view.new_value))}
    return not bars or marked == chosen & set(lines.values())


def _is_same_in_rich_text(walk: Walk, old: Dictionary, new: Dictionary, view: FieldView) -> bool:
    """Whether rich text, from which some viewers draw the field anew, says what the value does."""
    raw = new.get(b"RV")
    if raw is None or walk.unchanged(old.get(b"RV"), raw):
        return True
    found = rich_text("".join(_texts(walk, raw)))
    return found is not None and plain(found) == plain("".join(_texts(walk, view.new_value)))


def _is_empty(walk: Walk, view: FieldView) -> bool:
    return not plain("".join(_texts(walk, view.new_value)))


def shows(walk: Walk, drawn: Drawn, view: FieldView) -> bool:
    """Whether the drawn text is what the field's value demands."""
    shown = plain(drawn.text)
    is_list = view.type == b"Ch" and not view.flags & _COMBO
    if drawn.covered and not is_list:
        return False
    values = [plain(text) for text in _texts(walk, view.new_value)]
    if view.flags & _PASSWORD and view.type == b"Tx":
        return len(set(shown)) <= 1 and not shown[:1].isalnum()
    if view.type == b"Ch":
        displays = _displays(walk, view.options)
        values = [displays.get(value, value) for value in values]
        if is_list:
            return _shows_list(walk, shown, values, list(displays.values()))
    wanted = "".join(values)
    return shown == wanted or (view.formatted and is_formatted(shown, wanted))


def _shows_list(walk: Walk, shown: str, values: list[str], displays: list[str]) -> bool:
    """A list box shows consecutive options, the chosen ones among them."""
    if shown == "".join(values):
        return True
    for first in range(len(displays)):
        text, last = "", first
        while last < len(displays) and len(text) < len(shown) and shown.startswith(text):
            walk.effort.spend(1 + len(text) // 100)
            text += displays[last]
            last += 1
        if text == shown:
            return all(value in displays[first:last] for value in values)
    return False


def _texts(walk: Walk, raw: Value) -> list[str]:
    value = walk.new.resolve(raw)
    listed = [walk.new.resolve(v) for v in value] if isinstance(value, list) else [value]
    found: list[str] = []
    for item in listed:
        if isinstance(item, (Stream, Text)):
            found.append(str(Text(walk.new.decoded(item)) if isinstance(item, Stream) else item))
        elif isinstance(item, Name):
            found.append(item.decode("utf-8", "replace"))
    return found


def _displays(walk: Walk, raw: Value) -> dict[str, str]:
    """What a choice field shows for each value it may have."""
    found: dict[str, str] = {}
    options = walk.old.resolve(raw)
    for item in options if isinstance(options, list) else []:
        held = walk.old.resolve(item)
        pair = [walk.old.resolve(v) for v in held] if isinstance(held, list) else [held, held]
        if len(pair) == 2 and isinstance(pair[0], Text) and isinstance(pair[1], Text):
            found[plain(str(pair[0]))] = plain(str(pair[1]))
    return found
