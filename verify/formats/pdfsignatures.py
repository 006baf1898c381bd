"""Finding the signatures of a PDF: in its form, on its pages, and those that stand in the file without a field."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone

from verify.formats.pdffields import FORM, STRAY, SignatureField, form_fields, mark_shared, page_fields
from verify.formats.pdflimits import PdfError, PdfLimitError
from verify.formats.pdfobjects import HEADER, is_signature
from verify.formats.pdfsnapshot import Snapshot
from verify.formats.pdfvalues import Dictionary, Name, Reference, Text, Value

_DATE = re.compile(
    r"(?:D:)?(\d{4})(\d\d)?(\d\d)?(\d\d)?(\d\d)?(\d\d)?(?:([Z+-])(?:(\d\d)'?(?:(\d\d)'?)?)?)?\s*", re.ASCII
)


@dataclass(frozen=True, slots=True)
class UnverifiedPdfSignature:
    """One filled signature field. ``fault`` says why its parts cannot be read; then they are blank.

    ``permission`` is the DocMDP level it certifies, or None. ``origin`` is FORM, PAGE (a field that stands on a page
    and not in the form) or STRAY (a value that no field holds). ``contents_span`` is where the value, brackets
    included, stands in the file; None when it is not there to be covered. ``oddities`` are code-like:
    ``shared-value`` (another field holds the same value), ``field-twice``, ``period-in-name``, ``value-in-stream``.
    """

    field: str
    subfilter: str
    kind: str
    byte_range: tuple[int, ...]
    contents: bytes
    permission: int | None
    name: str
    claimed_time: datetime | None = None
    fault: str = ""
    origin: str = FORM
    contents_span: tuple[int, int] | None = None
    field_reference: Reference | None = None
    value_reference: Reference | None = None
    dictionary: Dictionary | None = None
    oddities: tuple[str, ...] = ()


def find_signatures(document: Snapshot, limit: int) -> list[UnverifiedPdfSignature]:
    """Every filled signature field, those of the form first. Raises PdfError when there are more than ``limit``."""
    found = list(form_fields(document))
    mark_shared(found)
    known = {f.value for f in found if isinstance(f.value, Reference)}
    met = {f.reference for f in found if f.reference is not None}
    for widget in page_fields(document):
        if widget.reference in met or (isinstance(widget.value, Reference) and widget.value in known):
            continue
        if widget.reference is not None:
            met.add(widget.reference)
        found.append(widget)
    if len(found) > limit:
        raise PdfLimitError("signatures", limit)
    return [_read(document, item) for item in found]


def find_stray_signatures(
    document: Snapshot, known: list[UnverifiedPdfSignature], limit: int
) -> list[UnverifiedPdfSignature]:
    """Values of signatures that stand in the file, in any revision of it, and that no field of the newest holds."""
    held = {signature.contents_span for signature in known}
    found: list[UnverifiedPdfSignature] = []
    for value, position in _all_values(document):
        signature = _read(document, SignatureField("", value, None, STRAY, []), position)
        if signature.contents_span in held:
            continue
        held.add(signature.contents_span)
        found.append(signature)
        if len(found) > limit:
            raise PdfLimitError("signatures", limit)
    return found


def _all_values(document: Snapshot) -> Iterator[tuple[Dictionary, int]]:
    """Every object that is a signature or a field with one inside, and where the signature's dictionary stands."""
    lexer, size = document.file.lexer, len(document.file.data)
    for span in document.file.spans().objects:
        held = document.file.object_at(span.start, document.length_of)
        value = held.value if held is not None else None
        position = _after_header(document, span.start)
        if isinstance(value, dict) and is_signature(value.get(b"V")):
            value = value[b"V"]
            position = lexer.entry_spans(position, size).get(b"V", (position, 0))[0]
        if isinstance(value, dict) and is_signature(value):
            yield value, position


def _read(document: Snapshot, item: SignatureField, place: int | None = None) -> UnverifiedPdfSignature:
    reference = item.value if isinstance(item.value, Reference) else None
    span: tuple[int, int] | None = None
    try:
        value = document.resolve(item.value)
        if not isinstance(value, dict):
            raise PdfError("signature", "the signature is no dictionary")
        span = _contents_span(document, item, reference, place)
        contents = document.resolve(value.get(b"Contents"))
        if not isinstance(contents, Text):
            raise PdfError("signature", "the signature has no value")
        numbers = [document.resolve(number) for number in document.items_of(value.get(b"ByteRange"))]
        if not numbers or not all(type(number) is int for number in numbers):
            raise PdfError("signature", "the signature has no byte range")
    except PdfLimitError:
        raise
    except PdfError as error:
        return UnverifiedPdfSignature(
            item.name, "", "", (), b"", None, "", fault=str(error), origin=item.origin,
            field_reference=item.reference, value_reference=reference, oddities=tuple(item.oddities),
        )  # fmt: skip
    return UnverifiedPdfSignature(
        field=item.name,
        subfilter=_shown(document, value, b"SubFilter"),
        kind=_shown(document, value, b"Type") or "/Sig",
        byte_range=tuple(number for number in numbers if isinstance(number, int)),
        contents=bytes(contents),
        permission=_permission(document, value),
        name=_shown(document, value, b"Name"),
        claimed_time=moment(document.resolve(value.get(b"M"))),
        origin=item.origin,
        contents_span=span,
        field_reference=item.reference,
        value_reference=reference,
        dictionary=value,
        oddities=tuple(item.oddities),
    )


def _contents_span(
    document: Snapshot, item: SignatureField, reference: Reference | None, place: int | None
) -> tuple[int, int] | None:
    """Where /Contents stands in the file: of the value's own object, or of the field's when the value stands in it."""
    lexer, size = document.file.lexer, len(document.file.data)
    if place is None:
        holder = reference or item.reference
        found = document.object(holder.number) if holder is not None else None
        if found is None:
            return None
        place = _after_header(document, found.start)
        if reference is None:
            place = lexer.entry_spans(place, size).get(b"V", (size, size))[0]
    return lexer.entry_spans(place, size).get(b"Contents")


def _after_header(document: Snapshot, start: int) -> int:
    match = HEADER.match(document.file.data, start)
    return match.end() if match else start


def _shown(document: Snapshot, value: Dictionary, key: bytes) -> str:
    found = document.resolve(value.get(key))
    return str(found) if isinstance(found, (Name, Text)) else ""


def _permission(document: Snapshot, value: Dictionary) -> int | None:
    """The level of the first DocMDP transform (12.8.2.2), 2 where it does not say."""
    for raw in document.items_of(value.get(b"Reference")):
        if document.entry_of(raw, b"TransformMethod") == Name(b"DocMDP"):
            level = document.entry_of(document.entry_of(raw, b"TransformParams"), b"P")
            return level if isinstance(level, int) and level in (1, 2, 3) else 2
    return None


def moment(value: Value) -> datetime | None:
    """A PDF date (7.9.4) as an instant; without a zone it is read as UTC. None when it is none."""
    match = _DATE.fullmatch(str(value)) if isinstance(value, Text) else None
    if match is None:
        return None
    defaults = (1, 1, 1, 0, 0, 0)
    year, month, day, hour, minute, second = (int(match[n + 1] or defaults[n]) for n in range(6))
    zone = UTC
    if match[7] in ("+", "-"):
        offset = timedelta(hours=int(match[8] or 0), minutes=int(match[9] or 0))
        zone = timezone(offset if match[7] == "+" else -offset) if offset < timedelta(hours=24) else UTC
    try:
        return datetime(year, month, day, hour, minute, min(second, 59), tzinfo=zone)
    except (ValueError, OverflowError):
        return None
