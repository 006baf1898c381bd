"""The trailer and the catalog: which of their entries may change, and who judges those that may."""

from __future__ import annotations

from verify.checks.changes.dss import compare_dss
from verify.checks.changes.forms import compare_form
from verify.checks.changes.metadata import compare_info, compare_metadata
from verify.checks.changes.model import Kind, Path
from verify.checks.changes.pages import compare_pages
from verify.checks.changes.reasons import Reason
from verify.checks.changes.structure import compare_structure
from verify.checks.changes.walk import Node, Walk, is_plain
from verify.formats.pdfobjects import is_signature
from verify.formats.pdfvalues import Dictionary, Name, Reference, Stream, Value, same_value

_SECTION_KEYS = frozenset(
    b"Size Prev XRefStm Type W Index Filter DecodeParms Length DL F FFilter FDecodeParms Root Info ID Encrypt".split()
)
_RULED = frozenset(b"Pages AcroForm DSS Metadata StructTreeRoot Version Extensions MarkInfo PieceInfo Type".split())
_REASONS = {
    b"Perms": Reason.PERMISSIONS,
    b"OpenAction": Reason.SCRIPT,
    b"AA": Reason.SCRIPT,
    b"OCProperties": Reason.LAYERS,
    b"Names": Reason.EMBEDDED,
    b"AF": Reason.EMBEDDED,
    b"Dests": Reason.EMBEDDED,
}
_VERSIONS = frozenset((b"1.3", b"1.4", b"1.5", b"1.6", b"1.7", b"2.0"))
"""Versions of the format that differ in nothing a viewer would show of the same objects."""


def compare_trailers(walk: Walk) -> None:
    """Judge everything, from the trailer down."""
    old, new = walk.old.trailer, walk.new.trailer
    top = Path(None, "", 0)
    walk.same(old.get(b"Encrypt"), new.get(b"Encrypt"), top.key(b"Encrypt"), Reason.ENCRYPTION)
    _compare_identifier(walk, old, new, top.key(b"ID"))
    _compare_unknown(walk, old, new, top)
    compare_info(walk, old.get(b"Info"), new.get(b"Info"), top.key(b"Info"))
    path = top.key(b"Root")
    walk.node(old.get(b"Root"), new.get(b"Root"), Node.CATALOG)
    before, after = walk.old.resolve(old.get(b"Root")), walk.new.resolve(new.get(b"Root"))
    if not isinstance(before, dict) or not isinstance(after, dict):
        walk.fault(Reason.ROOT_MISSING, path)
        return
    _compare_catalogs(walk, before, after, path.at(_number(new.get(b"Root"))))


def _number(value: Value) -> int:
    return value.number if isinstance(value, Reference) else 0


def _compare_identifier(walk: Walk, old: Dictionary, new: Dictionary, path: Path) -> None:
    """The first part of the identifier should stay (14.4), but shows nothing, and several producers write it anew.

    In an encrypted file it is part of the key.
    """
    before, after = walk.old.items_of(old.get(b"ID")), walk.new.items_of(new.get(b"ID"))
    first = [s.resolve(v[0]) if v else None for s, v in ((walk.old, before), (walk.new, after))]
    if same_value(*first):
        return
    if walk.old.file.encrypted:
        walk.fault(Reason.IDENTIFIER, path)
    walk.kind(Kind.CATALOG)


def _compare_unknown(walk: Walk, old: Dictionary, new: Dictionary, path: Path) -> None:
    """Entries that no part of the standard defines show nothing, unless an editor keeps a second document there.

    PDFBox gives what it does not know a new number and later uses that number for what it adds itself.
    """
    for key in new.keys() - _SECTION_KEYS:
        held = walk.new.resolve(new.get(key))
        for item in held if isinstance(held, list) else [held]:
            if isinstance(walk.new.resolve(item), (dict, Stream)) and not _is_judged_elsewhere(walk, item):
                walk.same(old.get(key), new.get(key), path.key(key), Reason.TRAILER)
                break


def _is_judged_elsewhere(walk: Walk, item: Value) -> bool:
    """Whether a new object is a signature or its field: no document, and other rules look at it.

    A stream never is, whatever it calls itself: office programs find their documents in any bytes.
    """
    held = walk.new.resolve(item)
    if not isinstance(item, Reference) or not isinstance(held, dict) or walk.old.resolve(item) is not None:
        return False
    return is_signature(held) or (walk.new.resolve(held.get(b"FT")) == b"Sig" and b"EF" not in held)


def _compare_catalogs(walk: Walk, old: Dictionary, new: Dictionary, path: Path) -> None:
    for key in old | new:
        if key not in _RULED:
            drawn = key == b"OCProperties"
            walk.same(old.get(key), new.get(key), path.key(key), _REASONS.get(key, Reason.CATALOG), drawn=drawn)
    walk.same(old.get(b"Type"), new.get(b"Type"), path.key(b"Type"), Reason.CATALOG)
    _compare_notes(walk, old, new, path)
    compare_form(walk, old.get(b"AcroForm"), new.get(b"AcroForm"), path.key(b"AcroForm"))
    compare_pages(walk, old.get(b"Pages"), new.get(b"Pages"), path.key(b"Pages"))
    compare_structure(walk, old.get(b"StructTreeRoot"), new.get(b"StructTreeRoot"), path.key(b"StructTreeRoot"))
    compare_metadata(walk, old.get(b"Metadata"), new.get(b"Metadata"), path.key(b"Metadata"))
    compare_dss(walk, old.get(b"DSS"), new.get(b"DSS"), path.key(b"DSS"))


def _compare_notes(walk: Walk, old: Dictionary, new: Dictionary, path: Path) -> None:
    """What updates say of the file format: shown nowhere, and of plain values only."""
    for key in (b"Version", b"Extensions", b"MarkInfo", b"PieceInfo"):
        before, after = old.get(key), new.get(key)
        if before is None and after is None:
            continue
        if walk.unchanged(before, after):
            continue
        walk.kind(Kind.CATALOG)
        held = walk.new.resolve(after)
        fits = isinstance(held, Name) and held in _VERSIONS if key == b"Version" else isinstance(held, dict)
        if not fits or (key in (b"Extensions", b"PieceInfo") and not is_plain(walk, held)):
            walk.fault(Reason.EXTENSIONS, path.key(key))
