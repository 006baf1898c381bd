"""The form of a PDF: its fields by full name, new signature fields, and what earlier signatures forbid.

ISO 32000-1 12.7 and 12.8.2: a certification (DocMDP) allows nothing (1), filling and signing (2), comments too (3);
a lock (FieldMDP, or /Lock of a signed field) names fields that may not change, and may lower that level.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from signing.formats.pdf_update import (
    Name,
    PdfReadError,
    PdfUpdater,
    Reference,
    array,
    dictionary,
    is_dictionary,
    is_reference,
    number,
    reference,
)

NO_CHANGE, FILLING = 1, 2
_MOST_FIELDS, _MOST_DEPTH = 100_000, 32


@dataclass(frozen=True, slots=True)
class Field:
    """A terminal field: its full name, where it stands, its type, whether it is filled, and its lock, if any."""

    name: str
    reference: Reference | None
    dictionary: Any
    kind: str
    value: Any
    lock: Any


@dataclass(frozen=True, slots=True)
class Lock:
    """Fields that may not change: ``All``, ``Include`` these, ``Exclude`` these (with all below them)."""

    action: str
    names: tuple[str, ...]

    def covers(self, name: str) -> bool:
        """Whether a field of this full name is locked."""
        listed = any(name == one or name.startswith(one + ".") for one in self.names)
        return listed if self.action == "Include" else not listed if self.action == "Exclude" else True


@dataclass(frozen=True, slots=True)
class Rights:
    """What the signatures of a file allow together. ``level`` is None where nobody set one; ``filled``: there is a
    signature or a document timestamp."""

    filled: bool
    signed: bool
    certified: bool
    level: int | None
    locks: tuple[Lock, ...]

    def locks_field(self, name: str) -> bool:
        """Whether a lock covers the field of this full name."""
        return any(lock.covers(name) for lock in self.locks)


class Form:
    """The form as it is, made when it is first needed. ``changed`` are the objects that have to be written."""

    def __init__(self, updater: PdfUpdater) -> None:
        self._updater = updater
        form = updater.entry(updater.catalog, "/AcroForm")
        if form is not None and not is_dictionary(form):
            raise PdfReadError("the form is no dictionary")
        self.dictionary: Any = form
        self.fields = list(self._read()) if form is not None else []
        self.has_xfa = form is not None and "/XFA" in form

    def field(self, name: str) -> Field | None:
        """The field of this full name."""
        return next((f for f in self.fields if f.name == name), None)

    def free_name(self, stem: str) -> str:
        """A name at the top of the form that nothing has."""
        taken = {f.name.partition(".")[0] for f in self.fields}
        return next(f"{stem}{n}" for n in range(1, len(taken) + 2) if f"{stem}{n}" not in taken)

    def add(self, place: Reference) -> dict[Reference, Any]:
        """List a new field at the top; gives the objects to be written (the catalog is always one of them)."""
        objects = self.mark()
        raw: Any = self.dictionary.raw_get("/Fields") if "/Fields" in self.dictionary else None
        fields = self._updater.resolve(raw)
        if not isinstance(fields, list):
            raw, fields = None, array()
            self.dictionary[Name("/Fields")] = fields
        fields.append(place)
        if is_reference(raw):
            objects[reference(raw.idnum, raw.generation)] = fields
        return objects

    def mark(self) -> dict[Reference, Any]:
        """Say that signatures exist and that the file may only grow (SigFlags 3)."""
        catalog = self._updater.catalog
        if self.dictionary is None:
            self.dictionary = dictionary({"/Fields": array()})
            catalog[Name("/AcroForm")] = self.dictionary
        self.dictionary[Name("/SigFlags")] = number(3)
        objects: dict[Reference, Any] = {self._updater.catalog_reference: catalog}
        raw = catalog.raw_get("/AcroForm")
        if is_reference(raw):
            objects[reference(raw.idnum, raw.generation)] = self.dictionary
        return objects

    def rights(self) -> Rights:
        """What the signatures that are there allow."""
        signed = [f for f in self.fields if f.kind == "/Sig" and is_dictionary(f.value)]
        levels: list[int] = []
        locks: list[Lock] = []
        certified = False
        for held in signed:
            for method, parameters in self._transforms(held.value):
                if method == "/DocMDP":
                    certified = True
                    levels.append(self._level(parameters))
                elif method == "/FieldMDP":
                    locks.append(self._lock(parameters))
            if is_dictionary(held.lock):
                locks.append(self._lock(held.lock))
                if "/P" in held.lock:
                    levels.append(self._level(held.lock))
        stamps = [f for f in signed if self._updater.entry(f.value, "/SubFilter") == "/ETSI.RFC3161"]
        return Rights(bool(signed), len(signed) > len(stamps), certified, min(levels, default=None), tuple(locks))

    def _read(self) -> Iterator[Field]:
        updater = self._updater
        top = updater.entry(self.dictionary, "/Fields")
        waiting: list[tuple[Any, str, Any, Any, Any, int]] = [
            (raw, "", None, None, None, 0) for raw in reversed(top if isinstance(top, list) else [])
        ]
        left = _MOST_FIELDS
        while waiting:
            raw, prefix, kind, value, lock, depth = waiting.pop()
            left -= 1
            node = updater.resolve(raw)
            if left < 0 or depth > _MOST_DEPTH:
                raise PdfReadError("the form has too many fields")
            if not is_dictionary(node):
                continue
            partial = updater.entry(node, "/T")
            name = prefix if partial is None else f"{prefix}.{partial}" if prefix else str(partial)
            kind, value, lock = (
                found if (found := updater.entry(node, key)) is not None else inherited
                for key, inherited in (("/FT", kind), ("/V", value), ("/Lock", lock))
            )
            kids = updater.entry(node, "/Kids")
            below = [k for k in kids if "/T" in (updater.resolve(k) or {})] if isinstance(kids, list) else []
            waiting.extend((kid, name, kind, value, lock, depth + 1) for kid in reversed(below))
            if not below:
                place = reference(raw.idnum, raw.generation) if is_reference(raw) else None
                yield Field(name, place, node, str(kind), value, lock)

    def _transforms(self, value: Any) -> Iterator[tuple[str, Any]]:
        listed = self._updater.entry(value, "/Reference")
        for raw in listed if isinstance(listed, list) else []:
            yield (
                str(self._updater.entry(raw, "/TransformMethod")),
                self._updater.entry(raw, "/TransformParams"),
            )

    def _level(self, holder: Any) -> int:
        """2 where none is written, the strictest where what is written makes no sense."""
        value = self._updater.entry(holder, "/P")
        return FILLING if value is None else int(value) if value in (1, 2, 3) else NO_CHANGE

    def _lock(self, holder: Any) -> Lock:
        action = self._updater.entry(holder, "/Action")
        names = self._updater.entry(holder, "/Fields")
        listed = tuple(str(self._updater.resolve(n)) for n in names) if isinstance(names, list) else ()
        return Lock(str(action).lstrip("/"), listed)
