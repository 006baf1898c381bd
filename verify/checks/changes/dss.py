"""The document security store (ISO 32000-2 12.8.4.3, ETSI EN 319 142-1 5.4): it may grow and be put in order.

Producers write it anew with each extension: streams move, VRI dictionaries are rebuilt, values that a newer answer
replaced are dropped. None of it is shown. What stays forbidden: to take it away, or the notes for one signature; to
put anything there that is no validation data; to use the number of an object that the signed revision has for
something else.
"""

from __future__ import annotations

import re
from hashlib import sha256
from typing import TYPE_CHECKING

from verify.checks.changes.model import Kind, Path
from verify.checks.changes.reasons import Reason
from verify.checks.changes.walk import Walk
from verify.formats.pdfvalues import Dictionary, Reference, Stream, Text, Value

if TYPE_CHECKING:
    from verify.formats.pdffile import Snapshot

_LISTS = frozenset((b"Certs", b"CRLs", b"OCSPs"))
_VRI_LISTS = frozenset((b"Cert", b"CRL", b"OCSP"))
_DSS_KEYS = _LISTS | {b"Type", b"VRI"}
_VRI_KEYS = _VRI_LISTS | {b"Type", b"TU", b"TS"}
_VRI_NAME = re.compile(rb"(?:[0-9A-Fa-f]{40}|[0-9A-Fa-f]{56}|[0-9A-Fa-f]{64}|[0-9A-Fa-f]{96}|[0-9A-Fa-f]{128})")
"""A digest of the signature, SHA-1 by the standard; newer producers take others."""


def compare_dss(walk: Walk, old: Value, new: Value, path: Path) -> None:
    """Judge the entry /DSS of two catalogs."""
    before, after = walk.old.resolve(old), walk.new.resolve(new)
    if after is None:
        if before is not None:
            walk.fault(Reason.DSS_REMOVED, path)
        return
    if walk.unchanged(old, new):
        return
    walk.kind(Kind.VALIDATION_DATA)
    path = path.at(new.number) if isinstance(new, Reference) else path
    if not isinstance(after, dict):
        walk.fault(Reason.DSS_BROKEN, path)
        return
    before = before if isinstance(before, dict) else {}
    _must_be_free(walk, old, new, path)
    for key in after.keys() - _DSS_KEYS:
        walk.same(before.get(key), after[key], path.key(key), Reason.DSS_BROKEN)
    known = held_streams(walk.old, before)
    checked: set[int] = set()
    for key in _LISTS & after.keys():
        _check_list(walk, after[key], path.key(key), known, checked)
    _compare_vri(walk, before, after, path.key(b"VRI"), known, checked)
    _judge_removal(walk, before, after, path)


def _judge_removal(walk: Walk, old: Dictionary, new: Dictionary, path: Path) -> None:
    """An extension may drop what newer values replace. One that brings nothing, and only takes away, is none."""
    before, after = _contents(walk.old, old), _contents(walk.new, new)
    if before - after and not after - before:
        walk.fault(Reason.DSS_REMOVED, path)


def _contents(snapshot: Snapshot, dss: Dictionary) -> set[bytes]:
    """What a store holds: digests of its streams, and names of its VRI entries that refer to any."""
    streams = (snapshot.get(number) for number in held_streams(snapshot, dss))
    found = {sha256(stream.raw).digest() for stream in streams if isinstance(stream, Stream)}
    vri = snapshot.resolve(dss.get(b"VRI"))
    for name, raw in vri.items() if isinstance(vri, dict) else ():
        entry = snapshot.resolve(raw)
        if isinstance(entry, dict) and any(snapshot.items_of(entry.get(key)) for key in _VRI_LISTS):
            found.add(bytes(name))
    return found


def _compare_vri(walk: Walk, old: Dictionary, new: Dictionary, path: Path, known: set[int], checked: set[int]) -> None:
    before, after = walk.old.resolve(old.get(b"VRI")), walk.new.resolve(new.get(b"VRI"))
    before = before if isinstance(before, dict) else {}
    if after is None:
        return
    if not isinstance(after, dict):
        walk.fault(Reason.DSS_BROKEN, path)
        return
    for name, raw in after.items():
        if name == b"Type" or _is_kept(before.get(name), raw, walk):
            continue
        entry, place = walk.new.resolve(raw), path.key(name)
        if not _VRI_NAME.fullmatch(name) or not isinstance(entry, dict) or entry.keys() - _VRI_KEYS:
            walk.fault(Reason.DSS_BROKEN, place)
            continue
        _must_be_free(walk, before.get(name), raw, place)
        _check_vri(walk, entry, place, known, checked)


def _check_vri(walk: Walk, entry: Dictionary, path: Path, known: set[int], checked: set[int]) -> None:
    for key in _VRI_LISTS & entry.keys():
        _check_list(walk, entry[key], path.key(key), known, checked)
    if b"TU" in entry and not isinstance(walk.new.resolve(entry[b"TU"]), Text):
        walk.fault(Reason.DSS_BROKEN, path.key(b"TU"))
    if b"TS" in entry and not isinstance(walk.new.resolve(entry[b"TS"]), (Stream, Text)):
        walk.fault(Reason.DSS_BROKEN, path.key(b"TS"))


def _is_kept(old: Value, new: Value, walk: Walk) -> bool:
    """Whether an entry of the VRI dictionary is what it was."""
    return old is not None and walk.unchanged(old, new)


def _check_list(walk: Walk, raw: Value, path: Path, known: set[int], checked: set[int]) -> None:
    """An array of references to streams, none of which was another object of the signed revision.

    ``checked`` are those that were looked at before: entries may share one.
    """
    held = walk.new.resolve(raw)
    if not isinstance(held, list):
        walk.fault(Reason.DSS_BROKEN, path)
        return
    if id(held) in checked:
        return
    checked.add(id(held))
    walk.effort.spend(len(held) + 1)
    for index, item in enumerate(held):
        if not isinstance(item, Reference) or not isinstance(walk.new.resolve(item), Stream):
            walk.fault(Reason.DSS_BROKEN, path.item(index))
        elif item.number not in known:
            _must_be_free(walk, None, item, path.item(index))


def _must_be_free(walk: Walk, old: Value, new: Value, path: Path) -> None:
    """An object that is new here must not have had a number that the signed revision used otherwise."""
    if not isinstance(new, Reference) or (isinstance(old, Reference) and old.number == new.number):
        return
    before = walk.old.resolve(new)
    if before is not None and not walk.unchanged(new, new):
        walk.fault(Reason.DSS_CLOBBERS, path.at(new.number))


def held_streams(snapshot: Snapshot, dss: Dictionary) -> set[int]:
    """The numbers of the streams that a store holds."""
    lists = [dss[key] for key in _LISTS & dss.keys()]
    vri = snapshot.resolve(dss.get(b"VRI"))
    for raw in vri.values() if isinstance(vri, dict) else ():
        entry = snapshot.resolve(raw)
        if isinstance(entry, dict):
            lists.extend(entry[key] for key in _VRI_LISTS & entry.keys())
    arrays = {id(held): held for held in map(snapshot.items_of, lists)}
    return {item.number for held in arrays.values() for item in held if isinstance(item, Reference)}
