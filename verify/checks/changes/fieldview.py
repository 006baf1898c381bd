"""What a form field is, with what it inherits from the fields above it (ISO 32000-2 12.7.4)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from verify.formats.pdfvalues import Dictionary, Name, Text, Value

if TYPE_CHECKING:
    from verify.checks.changes.walk import Walk


@dataclass(frozen=True, slots=True)
class FieldView:
    """One field in both revisions.

    ``changed`` says whether its value, or the one it inherits, differs; ``own_changed`` whether its own does.
    ``flags`` and ``options`` are those of the older revision. ``formatted`` says that a script shapes the value.
    """

    name: str = ""
    type: bytes = b""
    new_type: bytes = b""
    flags: int = 0
    old_value: Value = None
    new_value: Value = None
    changed: bool = False
    own_changed: bool = False
    options: Value = None
    formatted: bool = False


_MOST_DEPTH = 32


def known_names(walk: Walk) -> set[str]:
    """The full names of all fields of the older revision."""
    form = walk.old.resolve(walk.old.root.get(b"AcroForm"))
    waiting: list[tuple[Value, str, int]] = [(form, "", 0)]
    found: set[str] = set()
    while waiting:
        raw, name, depth = waiting.pop()
        walk.effort.spend()
        field = walk.old.resolve(raw)
        if not isinstance(field, dict) or depth > _MOST_DEPTH:
            continue
        part = walk.old.resolve(field.get(b"T"))
        if isinstance(part, Text):
            name = ".".join(n for n in (name, str(part)) if n)
            found.add(name)
        for key in (b"Fields", b"Kids"):
            waiting.extend((kid, name, depth + 1) for kid in walk.old.items_of(field.get(key)))
    return found


def read_view(walk: Walk, old: Dictionary, new: Dictionary, above: FieldView) -> FieldView:
    """Read a field below ``above``."""
    part = walk.old.resolve(old.get(b"T"))
    name = ".".join(n for n in (above.name, str(part) if isinstance(part, Text) else "") if n)
    kinds = [s.resolve(d.get(b"FT")) for s, d in ((walk.old, old), (walk.new, new))]
    flags = walk.old.resolve(old.get(b"Ff"))
    own = not walk.unchanged(old.get(b"V"), new.get(b"V"))
    actions = walk.old.resolve(old.get(b"AA"))
    return FieldView(
        name=name,
        type=bytes(kinds[0]) if isinstance(kinds[0], Name) else above.type,
        new_type=bytes(kinds[1]) if isinstance(kinds[1], Name) else above.new_type,
        flags=flags if isinstance(flags, int) else above.flags,
        old_value=old.get(b"V", above.old_value),
        new_value=new.get(b"V", above.new_value),
        changed=own or above.changed,
        own_changed=own,
        options=old.get(b"Opt", above.options),
        formatted=above.formatted or (isinstance(actions, dict) and b"F" in actions),
    )
