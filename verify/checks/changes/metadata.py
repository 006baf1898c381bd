"""Document properties: the Info dictionary and the XMP stream. Updates keep dates and producers there.

They are shown in no page, so a change is harmless, but only if it is what it says: an XMP packet that any reader takes
alike (well-formed, without document type and entities), a dictionary of texts. ISO 32000-2 14.3.
"""

from __future__ import annotations

from typing import Any
from xml.parsers import expat

from verify.checks.changes.model import Kind, Path
from verify.checks.changes.reasons import Reason
from verify.checks.changes.walk import Walk
from verify.formats.pdflimits import PdfError
from verify.formats.pdfvalues import Name, Stream, Text, Value

_ROOTS = ("adobe:ns:meta/ xmpmeta", "adobe:ns:meta/ xapmeta", "http://www.w3.org/1999/02/22-rdf-syntax-ns# RDF")
_MOST_BYTES = 4_000_000


def compare_info(walk: Walk, old: Value, new: Value, path: Path) -> None:
    """The Info dictionary: texts, names and dates may change; it may be left out."""
    held = walk.new.resolve(new)
    if held is None or walk.unchanged(old, new):
        return
    walk.kind(Kind.METADATA)
    if not isinstance(held, dict):
        walk.fault(Reason.PROPERTIES, path)
        return
    for key, value in held.items():
        if not isinstance(walk.new.resolve(value), (Text, Name, bool, int, float, type(None))):
            walk.same(_entry(walk, old, key), value, path.key(key), Reason.PROPERTIES)


def _entry(walk: Walk, old: Value, key: bytes) -> Value:
    held = walk.old.resolve(old)
    return held.get(key) if isinstance(held, dict) else None


def compare_metadata(walk: Walk, old: Value, new: Value, path: Path) -> None:
    """The XMP stream of the catalog."""
    if (old is None and new is None) or walk.unchanged(old, new):
        return
    walk.kind(Kind.METADATA)
    held = walk.new.resolve(new)
    if not isinstance(held, Stream) or not _is_xmp(walk, held):
        walk.fault(Reason.METADATA, path)


def _is_xmp(walk: Walk, stream: Stream) -> bool:
    try:
        content = walk.new.decoded(stream, _MOST_BYTES)
    except PdfError:
        return False
    return is_xmp(content)


class _Refused(Exception):  # noqa: N818 - it stops the parser
    pass


def is_xmp(content: bytes) -> bool:
    """Whether bytes are one well-formed XMP packet without document type, entities or foreign root."""
    parser = expat.ParserCreate(namespace_separator=" ")
    seen: list[str] = []

    def refuse(*_: object) -> Any:
        raise _Refused

    def start(name: str, _: dict[str, str]) -> None:
        if not seen and name not in _ROOTS:
            raise _Refused
        seen.append(name)

    parser.StartElementHandler = start
    parser.StartDoctypeDeclHandler = refuse
    parser.EntityDeclHandler = refuse
    parser.SkippedEntityHandler = refuse
    parser.ExternalEntityRefHandler = refuse
    try:
        parser.Parse(content.strip(b"\0 \t\r\n"), True)
    except (expat.ExpatError, _Refused, ValueError):
        return False
    return bool(seen)
