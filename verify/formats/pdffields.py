"""The signature fields of a document: those of its form, and those that only its pages show."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from verify.formats.pdflimits import PdfLimitError
from verify.formats.pdfsnapshot import Snapshot
from verify.formats.pdftrees import pages
from verify.formats.pdfvalues import Dictionary, Name, Reference, Text, Value

FORM, PAGE, STRAY = "form", "page", "stray"
_MOST_DEPTH = 32


@dataclass(slots=True)
class SignatureField:
    """A filled signature field: its value as found, not resolved; ``origin`` is FORM, PAGE or STRAY."""

    name: str
    value: Value
    reference: Reference | None
    origin: str
    oddities: list[str]


def form_fields(document: Snapshot) -> Iterator[SignatureField]:
    """Walk /AcroForm/Fields; the type, the value and the name are inherited (12.7.4.1)."""
    form = document.entry_of(document.root, b"AcroForm")
    waiting: list[tuple[Value, str, Value, Value, int]] = [
        (raw, "", None, None, 0) for raw in reversed(document.items_of(document.entry_of(form, b"Fields")))
    ]
    met: set[Reference] = set()
    twice: set[Reference] = set()
    found: list[SignatureField] = []
    left = document.file.limits.nodes
    while waiting:
        raw, prefix, kind, value, depth = waiting.pop()
        left -= 1
        if depth > _MOST_DEPTH or left < 0:
            raise PdfLimitError("form fields", document.file.limits.nodes)
        reference = raw if isinstance(raw, Reference) else None
        if reference is not None:
            if reference in met:
                twice.add(reference)
                continue
            met.add(reference)
        node = document.resolve(raw)
        if not isinstance(node, dict):
            continue
        full = _full_name(document, node, prefix)
        kind, value = document.resolve(node.get(b"FT", kind)), node.get(b"V", value)
        kids = _subfields(document, node)
        if kind == Name(b"Sig") and not kids and document.resolve(value) is not None:
            partial = document.resolve(node.get(b"T"))
            odd = ["period-in-name"] if isinstance(partial, Text) and "." in str(partial) else []
            found.append(SignatureField(full, value, reference, FORM, odd))
        waiting.extend((kid, full, kind, value, depth + 1) for kid in reversed(kids))
    for item in found:
        if item.reference in twice:
            item.oddities.append("field-twice")
    yield from found


def _subfields(document: Snapshot, node: Dictionary) -> list[Value]:
    """The kids that are fields; the others are widgets, and with the field itself one (12.7.4.1)."""
    found: list[Value] = []
    for raw in document.items_of(node.get(b"Kids")):
        kid = document.resolve(raw)
        if isinstance(kid, dict) and (b"T" in kid or b"V" in kid):
            found.append(raw)
    return found


def _full_name(document: Snapshot, node: Dictionary, prefix: str) -> str:
    partial = document.resolve(node.get(b"T"))
    if not isinstance(partial, Text):
        return prefix
    return f"{prefix}.{partial}" if prefix else str(partial)


def mark_shared(found: list[SignatureField]) -> None:
    """Note two fields that show one signature value."""
    held: dict[Reference, SignatureField] = {}
    for item in found:
        if isinstance(item.value, Reference):
            other = held.setdefault(item.value, item)
            if other is not item:
                item.oddities.append("shared-value")
                if "shared-value" not in other.oddities:
                    other.oddities.append("shared-value")


def page_fields(document: Snapshot) -> Iterator[SignatureField]:
    """Filled signature widgets among the annotations of the pages."""
    for page in pages(document):
        for raw in document.items_of(page.dictionary.get(b"Annots")):
            node = document.resolve(raw)
            if not isinstance(node, dict) or document.resolve(node.get(b"Subtype")) != Name(b"Widget"):
                continue
            name, kind, value, holder = _inherited(document, node)
            if kind == Name(b"Sig") and document.resolve(value) is not None:
                reference = raw if isinstance(raw, Reference) else None
                yield SignatureField(name, value, holder or reference, PAGE, [])


def _inherited(document: Snapshot, node: Dictionary) -> tuple[str, Value, Value, Reference | None]:
    """Name, type and value of a widget's field, and the reference of the parent that holds the value."""
    names: list[str] = []
    kind: Value = None
    value: Value = None
    holder: Reference | None = None
    current: Value = node
    parent: Reference | None = None
    for _ in range(_MOST_DEPTH):
        if not isinstance(current, dict):
            break
        partial = document.resolve(current.get(b"T"))
        if isinstance(partial, Text):
            names.append(str(partial))
        kind = kind if kind is not None else document.resolve(current.get(b"FT"))
        if value is None and b"V" in current:
            value, holder = current.get(b"V"), parent
        raw = current.get(b"Parent")
        parent = raw if isinstance(raw, Reference) else None
        current = document.resolve(raw)
    return ".".join(reversed(names)), kind, value, holder
