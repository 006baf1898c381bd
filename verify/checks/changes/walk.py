"""The walk through two revisions: what has to be equal, and which objects are known to correspond.

A rule takes the places it knows apart and hands everything else to :meth:`Walk.same`. Those pairs wait until the rules
are through, because pages, fields and annotations refer back to one another: a reference to a *node*, an object that a
rule has judged at its own place, is then no difference. In whatever is drawn (contents, resources, appearances) nodes
are not excused: an object that a rule lets change there would change what is shown.
"""

from __future__ import annotations

import enum
import zlib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from verify.checks.changes.model import Changes, Kind, Path, Remark
from verify.checks.changes.reasons import Doubt, Reason
from verify.formats.pdflimits import PdfError, PdfLimitError
from verify.formats.pdfvalues import Dictionary, Name, Reference, Stream, Text, Value, same_value
from verify.place import Box, Place

if TYPE_CHECKING:
    from verify.checks.changes.drawing import DrawingError, Drawn
    from verify.checks.changes.overlap import PrintedText
    from verify.checks.changes.permissions import Rights
    from verify.formats.pdffile import Snapshot

_MOST_STEPS = 3_000_000
_MOST_INFLATED = 16_000_000
_ENCODING = frozenset((b"Length", b"Filter", b"DecodeParms", b"DL"))
DRAWN = frozenset((b"Contents", b"Resources", b"AP", b"DR", b"MK", b"OCProperties"))
"""Behind these keys lies what is drawn."""


class Effort:
    """What comparing the revisions of one file may still cost, in pairs of values looked at."""

    __slots__ = ("left",)

    def __init__(self, left: int = _MOST_STEPS) -> None:
        self.left = left

    def spend(self, count: int = 1) -> None:
        """Raise PdfLimitError when it is used up."""
        self.left -= count
        if self.left < 0:
            raise PdfLimitError("compared values", _MOST_STEPS)


class Node(enum.Enum):
    """What a judged object is."""

    CATALOG = enum.auto()
    PAGES = enum.auto()
    PAGE = enum.auto()
    FIELD = enum.auto()
    STRUCTURE = enum.auto()


_MOST_PLAIN_DEPTH = 6
_FIELD_KEYS = frozenset((b"Parent", b"Kids", b"Fields", b"Annots", b"T", b"IRT", b"Popup", b"Obj", b"CO", b"TA"))


class _Difference(Exception):  # noqa: N818 - it ends a trial comparison, it is no error
    pass


class Walk:
    """Two revisions, and what the comparison of them has found so far.

    ``printed`` is the text of the pages, None where it does not matter what covers it: between revisions on the way.
    ``added`` names the widgets of new fields by number, ``empty`` those without a signature, ``touched`` old widgets
    whose look changed; :mod:`.annotations` finds their pages. ``comments`` are new annotations that are permitted.
    ``values`` are the numbers of new signatures,
    ``drawings`` what streams draw, by identity, ``page_fonts`` the fonts of pages by name,
    ``shown_fields`` the boxes of signed fields by page, ``marked`` the keys of signed pages in the parent tree.
    ``redrawn``: viewers are asked now to draw fields from their values, ``kept_looks``: no longer.
    """

    def __init__(
        self, old: Snapshot, new: Snapshot, rights: Rights, printed: PrintedText | None, effort: Effort
    ) -> None:
        self.old = old
        self.new = new
        self.rights = rights
        self.printed = printed
        self.changes = Changes()
        self.nodes: dict[tuple[int, int], Node] = {}
        self.renamed: dict[int, int] = {}
        self.drawings: dict[int, Drawn | DrawingError] = {}
        self.page_fonts: dict[bytes, list[Value]] | None = None
        self.added: dict[int, str] = {}
        self.touched: dict[int, Kind] = {}
        self.comments: set[int] = set()
        self.marked: set[int] = set()
        self.values: set[int] = set()
        self.shown_fields: dict[int, list[Box]] = {}
        self.redrawn = False
        self.kept_looks = False
        self.empty: set[int] = set()
        self._waiting: list[_Pair] = []
        self._seen: set[tuple[int, int, bool]] = set()
        self._demanded: set[tuple[int, int, bool]] = set()
        self.effort = effort

    def fault(self, reason: Reason, path: Path, *, page: int | None = None, box: Box | None = None) -> None:
        """Note that a place changed in a way no rule permits."""
        place = Place(page=page or path.page or None, box=box, object_number=path.number or None, path=str(path))
        self.changes.add(reason, place)

    def doubt(self, doubt: Doubt, place: Place) -> None:
        """Note a permitted change that somebody should look at."""
        self.changes.doubts.append(Remark(doubt, place))

    def kind(self, kind: Kind) -> None:
        """Note a harmless change."""
        self.changes.kinds.add(kind)

    def node(self, old: Value, new: Value, node: Node) -> bool:
        """Say that two references lead to corresponding objects that a rule judges. False when that was said before."""
        if not isinstance(old, Reference) or not isinstance(new, Reference):
            return True
        pair = (old.number, new.number)
        if pair in self.nodes:
            return False
        self.nodes[pair] = node
        if old.number != new.number:
            self.renamed[old.number] = new.number
        return True

    def same(self, old: Value, new: Value, path: Path, reason: Reason, *, drawn: bool = False) -> None:
        """Demand that two values are equal all the way down; judged later, by :meth:`finish`."""
        if old is new and not isinstance(old, (Reference, list, dict, Stream)):
            return
        if isinstance(old, (list, dict)) and isinstance(new, (list, dict)):
            mark = (id(old), id(new), drawn)
            if mark in self._demanded:
                return  # what pages inherit, once for all of them
            self._demanded.add(mark)
        key = path.step[1:].encode("latin-1") if path.step.startswith("/") else b""
        self._waiting.append((old, new, path, key, drawn, reason))

    def same_entries(
        self, old: Dictionary, new: Dictionary, path: Path, reason: Reason, *, but: frozenset[bytes]
    ) -> None:
        """Demand that two dictionaries are equal in all entries but the named ones."""
        for key in old | new:
            if key not in but:
                self.same(old.get(key), new.get(key), path.key(key), reason, drawn=key in DRAWN)

    def unchanged(self, old: Value, new: Value) -> bool:
        """Whether two values that are drawn are equal all the way down. Nothing is noted."""

        def differs(pair: _Pair) -> None:
            raise _Difference

        try:
            self._drain([(old, new, _NOWHERE, b"", True, Reason.CATALOG)], set(), differs)
        except _Difference:
            return False
        return True

    def finish(self) -> None:
        """Judge everything that was demanded to be equal, pages first: a shared object is told by where it shows."""
        waiting, self._waiting = self._waiting[::-1], []
        waiting.sort(key=lambda pair: (pair[2].page > 0, -pair[2].page))
        self._drain(waiting, self._seen, self._report)

    def _report(self, pair: _Pair) -> None:
        self.fault(pair[5], pair[2])

    def _drain(self, waiting: list[_Pair], seen: set[tuple[int, int, bool]], differs: Callable[[_Pair], None]) -> None:
        while waiting:
            self.effort.spend()
            old, new, path, key, drawn, reason = pair = waiting.pop()
            if isinstance(old, Reference) or isinstance(new, Reference):
                if isinstance(old, Reference) and isinstance(new, Reference):
                    mark = (old.number, new.number, drawn)
                    if mark in seen or self._is_node(old, new, key, drawn):
                        continue
                    seen.add(mark)
                number = new.number if isinstance(new, Reference) else path.number
                old, new, path = self.old.resolve(old), self.new.resolve(new), path.at(number)
                pair = (old, new, path, key, drawn, reason)
            if not self._children(pair, waiting):
                differs(pair)

    def _is_node(self, old: Reference, new: Reference, key: bytes, drawn: bool) -> bool:
        node = self.nodes.get((old.number, new.number))
        if node is None or drawn:
            return False
        return node is not Node.FIELD or key in _FIELD_KEYS

    def _children(self, pair: _Pair, waiting: list[_Pair]) -> bool:
        """Queue what two values hold. False when they differ themselves."""
        old, new, path, key, drawn, reason = pair
        if isinstance(old, dict):
            if not isinstance(new, dict):
                return False
            waiting.extend(_entries(old, new, path, drawn, reason, frozenset()))
            return True
        if isinstance(old, list):
            if not isinstance(new, list) or len(old) != len(new):
                return False
            for index, (one, other) in enumerate(zip(old, new, strict=True)):
                if one is not other or isinstance(one, (Reference, list, dict)):
                    waiting.append((one, other, path.item(index), key, drawn, reason))
            return True
        if isinstance(old, Stream):
            return isinstance(new, Stream) and self._streams(old, new, pair, waiting)
        return old is new or same_value(old, new)

    def _streams(self, old: Stream, new: Stream, pair: _Pair, waiting: list[_Pair]) -> bool:
        path, drawn, reason = pair[2], pair[4], pair[5]
        if old is new or (old.raw == new.raw and self._same_encoding(old, new)):
            if old.length_from is not None or new.length_from is not None:
                waiting.append((_length(old), _length(new), path.key(b"Length"), b"Length", drawn, reason))
            but = _ENCODING - {b"Filter", b"DecodeParms"} if old is new else _ENCODING
        else:
            try:
                if not (is_plainly_encoded(self.old, old) and is_plainly_encoded(self.new, new)):
                    return False
                if self.old.decoded(old) != self.new.decoded(new):
                    return False
            except PdfError:
                return False
            but = _ENCODING
        waiting.extend(_entries(old.dictionary, new.dictionary, path, drawn, reason, but))
        return True

    def _same_encoding(self, old: Stream, new: Stream) -> bool:
        keys = (b"Filter", b"DecodeParms")
        return all(
            same_value(_deep(self.old, old.dictionary.get(k)), _deep(self.new, new.dictionary.get(k))) for k in keys
        )


_Pair = tuple[Value, Value, Path, bytes, bool, Reason]
_NOWHERE = Path(None, "", 0)


def _entries(
    old: Dictionary, new: Dictionary, path: Path, drawn: bool, reason: Reason, but: frozenset[bytes]
) -> Iterator[_Pair]:
    if old is new:
        for key, value in old.items():
            if isinstance(value, (Reference, list, dict)) and key not in but:
                yield value, value, path.key(key), key, drawn or key in DRAWN, reason
        return
    for key in old | new:
        if key not in but:
            yield old.get(key), new.get(key), path.key(key), key, drawn or key in DRAWN, reason


def is_plainly_encoded(snapshot: Snapshot, stream: Stream) -> bool:
    """Whether every reader makes the same bytes of a stream: not filtered, or deflated to the last byte.

    Predictors are left out: what a number that the standard does not know means is each reader's own affair.
    """
    names = snapshot.resolve(stream.dictionary.get(b"Filter"))
    resolved = [snapshot.resolve(name) for name in names] if isinstance(names, list) else [names]
    listed = [name for name in resolved if name is not None]
    if stream.dictionary.get(b"F") is not None or not listed:
        return not listed and stream.dictionary.get(b"F") is None
    if len(listed) > 1 or listed[0] != b"FlateDecode" or not _is_unpredicted(snapshot, stream):
        return False
    inflater = zlib.decompressobj()
    try:
        left = len(inflater.decompress(stream.raw, _MOST_INFLATED)) < _MOST_INFLATED
    except zlib.error:
        return False
    return left and inflater.eof and not inflater.unused_data.strip(b"\r\n")


def _is_unpredicted(snapshot: Snapshot, stream: Stream) -> bool:
    parameters = snapshot.resolve(stream.dictionary.get(b"DecodeParms"))
    for raw in parameters if isinstance(parameters, list) else [parameters]:
        held = snapshot.resolve(raw)
        if held is not None and not (isinstance(held, dict) and snapshot.resolve(held.get(b"Predictor")) in (None, 1)):
            return False
    return True


def _length(stream: Stream) -> Value:
    return stream.length_from if stream.length_from is not None else stream.dictionary.get(b"Length")


def _deep(snapshot: Snapshot, value: Value) -> Value:
    """A small value with its references replaced, two levels down: a filter and its parameters."""
    value = snapshot.resolve(value)
    if isinstance(value, list):
        return [_deep_dictionary(snapshot, snapshot.resolve(item)) for item in value]
    return _deep_dictionary(snapshot, value)


def _deep_dictionary(snapshot: Snapshot, value: Value) -> Value:
    return {k: snapshot.resolve(v) for k, v in value.items()} if isinstance(value, dict) else value


def is_plain(walk: Walk, value: Value, depth: int = 0) -> bool:
    """Whether a value of the newer revision consists of dictionaries and arrays of names, numbers and strings only."""
    value = walk.new.resolve(value)
    if depth > _MOST_PLAIN_DEPTH or isinstance(value, Stream):
        return False
    walk.effort.spend()
    if isinstance(value, dict):
        return all(is_plain(walk, item, depth + 1) for item in value.values())
    if isinstance(value, list):
        return all(is_plain(walk, item, depth + 1) for item in value)
    return value is None or isinstance(value, (Name, Text, bool, int, float))
