"""Every byte after the signed revision: which update does it belong to, and may that update be there?

A license is certified with no change allowed (DocMDP 1). What may follow all the same are validation data (the DSS
dictionary and its values) and document timestamps, ISO 32000-2 12.8.2.2 and ETSI EN 319 142-1 5.4. This module accepts
exactly that, in the strict form that :mod:`verify.formats.pdf` reads; the values themselves go to
:mod:`verify.checks.dss`. An update may overwrite the catalog and an earlier update's DSS dictionary, nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from verify.formats.pdf import (
    Array,
    Atom,
    Dictionary,
    PdfObject,
    PdfSyntaxError,
    Reference,
    Update,
    Value,
    integer,
    last_startxref,
    object_at,
    table_offset,
    trailer_at,
    updates_after,
)

_TRAILER_KEYS = {b"/Size", b"/Root", b"/Prev", b"/Info", b"/ID"}
_LISTS = (b"/Certs", b"/CRLs", b"/OCSPs")
_FIELD_KEYS = {b"/FT", b"/T", b"/V", b"/Ff", b"/Type", b"/Subtype", b"/Rect", b"/F"}
_STAMP_KEYS = {b"/Type", b"/Filter", b"/SubFilter", b"/Contents", b"/ByteRange", b"/V", b"/Name", b"/M"}
_NOTHING = Dictionary({})


class ChangeError(Exception):
    """An update that must not be there. ``code`` is the finding, ``reason`` its parameter, ``offset`` the place."""

    def __init__(self, code: str, reason: str, offset: int) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason
        self.offset = offset


@dataclass(slots=True)
class Updates:
    """What the permitted updates brought: validation data, and the byte ranges of document timestamps."""

    certificates: list[bytes] = field(default_factory=list)
    crls: list[bytes] = field(default_factory=list)
    ocsps: list[bytes] = field(default_factory=list)
    timestamps: list[tuple[int, ...]] = field(default_factory=list)
    count: int = 0
    idle: int = 0
    end: int = 0

    @property
    def amount(self) -> int:
        """How many values and timestamps were brought so far; an update that brings none is ``idle``."""
        return len(self.certificates) + len(self.crls) + len(self.ocsps) + len(self.timestamps)

    def values(self, key: bytes) -> list[bytes]:
        """The list that belongs to a key of the DSS dictionary."""
        return {b"/Certs": self.certificates, b"/CRLs": self.crls, b"/OCSPs": self.ocsps}[key]


@dataclass(slots=True)
class _State:
    """The document as the last accepted revision leaves it."""

    trailer: Dictionary
    startxref: int
    root: Reference
    catalog: Dictionary
    size: int
    dss_number: int | None = None
    lists: dict[bytes, tuple[Value, ...]] = field(default_factory=dict)


def read_updates(data: bytes, signed_end: int, max_updates: int) -> Updates:
    """Judge all bytes from ``signed_end`` on. Raises ChangeError for the first that may not be there."""
    found = Updates(end=signed_end)
    if signed_end == len(data):
        return found
    try:
        state = _signed_state(data, signed_end)
    except PdfSyntaxError as error:
        raise ChangeError("CHANGE_NOT_UNDERSTOOD", f"the signed revision: {error.reason}", error.offset) from error
    try:
        for update in updates_after(data, signed_end, max_updates):
            before = found.amount
            _judge(state, update, found)
            if found.amount == before:
                found.idle += 1
            found.count += 1
            found.end = update.end
    except PdfSyntaxError as error:
        raise ChangeError("BYTES_UNACCOUNTED", f"{error.reason}, byte {error.offset}", error.offset) from error
    return found


def _signed_state(data: bytes, end: int) -> _State:
    startxref = last_startxref(data, end)
    if startxref is None or startxref >= end:
        raise PdfSyntaxError("no startxref at its end", end)
    trailer = trailer_at(data, startxref).entries
    root, size = trailer.get(b"/Root"), integer(trailer.get(b"/Size"))
    if not isinstance(root, Reference) or size is None:
        raise PdfSyntaxError("its trailer names no catalog or size", startxref)
    offset = table_offset(data, startxref, root.number)
    if offset is None or offset >= end:
        raise PdfSyntaxError("its catalog is not found", startxref)
    catalog = object_at(data, offset)
    if catalog.number != root.number or not isinstance(catalog.value, Dictionary):
        raise PdfSyntaxError("its catalog is not found", offset)
    return _State(trailer, startxref, root, catalog.value, size)


def _judge(state: _State, update: Update, found: Updates) -> None:
    """Accept one update into ``state`` and ``found``, or raise ChangeError."""
    _judge_trailer(state, update)
    _require(state.root.number in update.objects, "an update without a catalog", update)
    catalog = update.objects[state.root.number].value
    _require(isinstance(catalog, Dictionary), "the catalog is no dictionary", update)
    assert isinstance(catalog, Dictionary)  # noqa: S101 - for the type checker
    for key in sorted((state.catalog.keys() | catalog.keys()) - {b"/DSS", b"/AcroForm"}):
        if state.catalog.get(key) != catalog.get(key):
            raise ChangeError("CHANGE_NOT_PERMITTED", f"the catalog's {key.decode('latin-1')}", update.start)
    used = {state.root.number}
    used |= _judge_dss(state, catalog, update, found)
    used |= _judge_form(state, catalog, update, found)
    for number, item in update.objects.items():
        _require(item.generation == 0, "an object of another generation", update)
        if number not in used:
            code = "CHANGE_NOT_PERMITTED" if number < state.size else "BYTES_UNACCOUNTED"
            raise ChangeError(code, f"object {number} is no part of validation data", item.offset)
        if number < state.size and number not in (state.root.number, state.dss_number):
            raise ChangeError("CHANGE_NOT_PERMITTED", f"object {number} is overwritten", item.offset)
    dss = catalog.get(b"/DSS")
    state.dss_number = dss.number if isinstance(dss, Reference) else None
    state.catalog = catalog
    state.trailer = update.trailer.entries
    state.startxref = update.trailer.startxref
    state.size = max(state.size, 1 + max(update.objects))


def _judge_trailer(state: _State, update: Update) -> None:
    entries = update.trailer.entries
    _require(entries.keys() <= _TRAILER_KEYS, "an unexpected entry in the trailer", update)
    for key in (b"/Root", b"/Info", b"/ID"):
        _require(entries.get(key) == state.trailer.get(key), f"the trailer's {key.decode()}", update)
    _require(integer(entries.get(b"/Prev")) == state.startxref, "the trailer's /Prev", update)
    expected = max(state.size, 1 + max(update.objects, default=0))
    _require(integer(entries.get(b"/Size")) == expected, "the trailer's /Size", update)


def _judge_dss(state: _State, catalog: Dictionary, update: Update, found: Updates) -> set[int]:
    """Accept the validation data of one update; the numbers of the objects it uses."""
    before, after = state.catalog.get(b"/DSS"), catalog.get(b"/DSS")
    if before == after and not (isinstance(after, Reference) and after.number in update.objects):
        return set()
    used: set[int] = set()
    if isinstance(after, Reference):
        _require(not isinstance(before, Reference) or before == after or after.number >= state.size, "the DSS", update)
        used.add(after.number)
    dss = _dictionary(after, update)
    _require(dss.keys() <= {b"/Type", *_LISTS}, "an unexpected entry in the DSS dictionary", update)
    _require(dss.get(b"/Type") in (None, Atom(b"/DSS")), "the type of the DSS dictionary", update)
    for key in _LISTS:
        value = dss.get(key)
        if isinstance(value, Reference):
            used.add(value.number)
            value = _object(value, update).value
        items = value.items if isinstance(value, Array) else ()
        _require(value is None or isinstance(value, Array), "a list in the DSS dictionary", update)
        earlier = state.lists.get(key, ())
        _require(items[: len(earlier)] == earlier, "earlier validation data are gone", update)
        for item in items[len(earlier) :]:
            _require(isinstance(item, Reference) and item.number not in used, "a value in the DSS stands twice", update)
            assert isinstance(item, Reference)  # noqa: S101 - for the type checker
            used.add(item.number)
            found.values(key).append(_plain_stream(item, update))
        state.lists[key] = items
    return used


def _judge_form(state: _State, catalog: Dictionary, update: Update, found: Updates) -> set[int]:
    """Accept added timestamp fields; the numbers of the objects they use."""
    before, after = state.catalog.get(b"/AcroForm"), catalog.get(b"/AcroForm")
    if before == after:
        return set()
    if not isinstance(before, Dictionary) or not isinstance(after, Dictionary):
        raise ChangeError("CHANGE_NOT_PERMITTED", "the form", update.start)
    for key in sorted((before.keys() | after.keys()) - {b"/Fields"}):
        _require(before.get(key) == after.get(key), f"the form's {key.decode('latin-1')}", update)
    old, new = before.get(b"/Fields"), after.get(b"/Fields")
    if not isinstance(old, Array) or not isinstance(new, Array) or new.items[: len(old.items)] != old.items:
        raise ChangeError("CHANGE_NOT_PERMITTED", "the form's fields", update.start)
    added = new.items[len(old.items) :]
    _require(len(added) == 1, "more than one added field", update)
    return _judge_timestamp(added[0], update, found)


def _judge_timestamp(item: Value, update: Update, found: Updates) -> set[int]:
    field_value = _dictionary(item, update)
    _require(field_value.keys() <= _FIELD_KEYS, "an added field that could show something", update)
    _require(field_value.get(b"/FT") == Atom(b"/Sig"), "an added field that is no signature", update)
    rect = field_value.get(b"/Rect")
    _require(rect in (None, Array((Atom(b"0"),) * 4)), "an added field with a place on the page", update)
    value = field_value.get(b"/V")
    stamp = _dictionary(value, update)
    if stamp.get(b"/Type") != Atom(b"/DocTimeStamp") or stamp.get(b"/SubFilter") != Atom(b"/ETSI.RFC3161"):
        raise ChangeError("SECOND_SIGNATURE", "an added signature", update.start)
    _require(stamp.keys() <= _STAMP_KEYS, "an unexpected entry in a timestamp", update)
    byte_range = stamp.get(b"/ByteRange")
    numbers = tuple(integer(n) for n in byte_range.items) if isinstance(byte_range, Array) else ()
    if len(numbers) != 4 or None in numbers:
        raise ChangeError("CHANGE_NOT_PERMITTED", "a timestamp's byte range", update.start)
    plain = tuple(n for n in numbers if n is not None)
    _require(plain[2] + plain[3] == update.end, "a timestamp that does not cover its own update", update)
    found.timestamps.append(plain)
    assert isinstance(item, Reference)  # noqa: S101 - _dictionary has looked
    assert isinstance(value, Reference)  # noqa: S101
    return {item.number, value.number}


def _object(reference: Reference, update: Update) -> PdfObject:
    found = update.objects.get(reference.number)
    if found is None or reference.generation != found.generation:
        raise ChangeError("CHANGE_NOT_PERMITTED", f"object {reference.number} is not in the update", update.start)
    return found


def _dictionary(value: Value | None, update: Update) -> Dictionary:
    """The dictionary that a reference leads to inside the update."""
    if not isinstance(value, Reference):
        raise ChangeError("CHANGE_NOT_PERMITTED", "an entry that is no reference", update.start)
    found = _object(value, update)
    if not isinstance(found.value, Dictionary) or found.stream is not None:
        raise ChangeError("CHANGE_NOT_PERMITTED", f"object {value.number} is no dictionary", found.offset)
    return found.value


def _plain_stream(reference: Reference, update: Update) -> bytes:
    """The bytes of a stream without filter: a compressed one can hold bits that nobody reads."""
    found = _object(reference, update)
    if found.stream is None or not isinstance(found.value, Dictionary) or found.value.keys() != {b"/Length"}:
        raise ChangeError("CHANGE_NOT_PERMITTED", f"object {reference.number} is no plain stream", found.offset)
    return found.stream


def _require(condition: bool, what: str, update: Update) -> None:
    if not condition:
        raise ChangeError("CHANGE_NOT_PERMITTED", what, update.start)
