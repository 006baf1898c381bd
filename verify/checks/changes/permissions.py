"""What a signature lets later revisions do: DocMDP, FieldMDP and the locks of signature fields (ISO 32000-2 12.8.2)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from verify.formats.pdfvalues import Dictionary, Name, Text, Value

if TYPE_CHECKING:
    from verify.formats.pdffile import Snapshot

NO_CHANGE, FILLING, ANNOTATING = 1, 2, 3


@dataclass(frozen=True, slots=True)
class Lock:
    """Fields that may not change any more. ``action`` is All, Include or Exclude; anything else locks all."""

    action: bytes
    names: tuple[str, ...] = ()

    def covers(self, name: str) -> bool:
        """Whether the field of this full name, or a field it stands below, is locked."""
        listed = any(name == n or name.startswith(n + ".") for n in self.names)
        if self.action == b"Include":
            return listed
        return not listed if self.action == b"Exclude" else True


@dataclass(frozen=True, slots=True)
class Rights:
    """What may change after one signature.

    ``level`` is the strictest access permission in force (1, 2 or 3), None when nobody set one. ``certified`` says that
    a certification signature is in force, not only the lock of a field.
    """

    level: int | None = None
    certified: bool = False
    locks: tuple[Lock, ...] = ()

    def may_fill(self) -> bool:
        """Whether any form field may be filled in or signed."""
        return self.level is None or self.level >= FILLING

    def may_annotate(self) -> bool:
        """Whether comments may be added. Without a certification nobody said so, and they change what is shown."""
        return self.level == ANNOTATING

    def is_locked(self, name: str) -> bool:
        """Whether a lock forbids to change this field."""
        return any(lock.covers(name) for lock in self.locks)


def rights_after(snapshot: Snapshot, fields: Iterable[Dictionary]) -> Rights:
    """What the signature fields given, all signed in ``snapshot``, allow together: the strictest of each counts."""
    levels: list[int] = []
    locks: list[Lock] = []
    certified = False
    for field in fields:
        value = _dictionary(snapshot, field.get(b"V"))
        for reference in _items(snapshot, value.get(b"Reference")):
            transform = _dictionary(snapshot, reference)
            method = snapshot.resolve(transform.get(b"TransformMethod"))
            parameters = _dictionary(snapshot, transform.get(b"TransformParams"))
            if method == b"DocMDP":
                certified = True
                levels.append(_level(snapshot.resolve(parameters.get(b"P"))))
            elif method == b"FieldMDP":
                locks.append(_lock(snapshot, parameters))
        lock = _dictionary(snapshot, field.get(b"Lock"))
        if lock:
            locks.append(_lock(snapshot, lock))
            if snapshot.resolve(lock.get(b"P")) is not None:
                levels.append(_level(snapshot.resolve(lock.get(b"P"))))
    return Rights(min(levels, default=None), certified, tuple(dict.fromkeys(locks)))


def _level(value: Value) -> int:
    """The access permission: 2 where none is written, the strictest where what is written makes no sense."""
    if value is None:
        return FILLING
    return value if isinstance(value, int) and value in (NO_CHANGE, FILLING, ANNOTATING) else NO_CHANGE


def _lock(snapshot: Snapshot, parameters: Dictionary) -> Lock:
    action = snapshot.resolve(parameters.get(b"Action"))
    names = [snapshot.resolve(n) for n in _items(snapshot, parameters.get(b"Fields"))]
    return Lock(
        bytes(action) if isinstance(action, Name) else b"All", tuple(str(n) for n in names if isinstance(n, Text))
    )


def _dictionary(snapshot: Snapshot, value: Value) -> Dictionary:
    found = snapshot.resolve(value)
    return found if isinstance(found, dict) else {}


def _items(snapshot: Snapshot, value: Value) -> list[Value]:
    found = snapshot.resolve(value)
    return found if isinstance(found, list) else []
