"""What the checks ask of a PDF as a document: signatures, attachments, validation data, annotations.

The reader is lenient, because foreign files are; whether every byte is accounted for is asked elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from verify.formats.pdffile import PdfFile
from verify.formats.pdflimits import PdfError, PdfLimitError, PdfLimits, PdfPasswordError
from verify.formats.pdfsignatures import UnverifiedPdfSignature, find_signatures, find_stray_signatures
from verify.formats.pdfsnapshot import Snapshot
from verify.formats.pdftrees import name_tree, pages
from verify.formats.pdfvalues import Name, Reference, Stream, Text, Value

__all__ = ["Attachment", "PdfGraph", "PdfGraphError", "PdfPasswordError", "UnverifiedPdfSignature", "ValidationData"]

PdfGraphError = PdfError
_ARRAYS = {b"Certs": b"Cert", b"CRLs": b"CRL", b"OCSPs": b"OCSP"}
_MOST_VALUES = 5_000


@dataclass(frozen=True, slots=True)
class Attachment:
    """One embedded file: its name, content, AFRelationship, and whether the catalog's /AF array lists it."""

    name: str
    data: bytes
    relationship: str
    associated: bool


@dataclass(frozen=True, slots=True)
class ValidationData:
    """What a file's DSS dictionary holds, read leniently: certificates as asn1crypto values, the rest DER."""

    certificates: list[Any]
    crls: list[bytes]
    ocsps: list[bytes]


class PdfGraph:
    """An opened PDF: ``file``, and ``document``, its newest state. Raises PdfError, PdfPasswordError."""

    def __init__(self, data: bytes, password: str | None, limits: PdfLimits | None = None) -> None:
        self.file = PdfFile(data, password=password, limits=limits)
        self.document: Snapshot = self.file.newest
        self._validation: ValidationData | None = None
        self._signatures: list[UnverifiedPdfSignature] = []

    def revisions(self) -> int:
        """How many cross-reference sections lead to the newest state."""
        return len(self.document.sections)

    def object_count(self) -> int:
        """How many entries all cross-reference sections have together."""
        return self.file.entry_count

    def signatures(self, limit: int) -> list[UnverifiedPdfSignature]:
        """Every filled signature field, in the order of the form. PdfError when there are more than ``limit``."""
        self._signatures = find_signatures(self.document, limit)
        return self._signatures

    def stray_signatures(self, limit: int) -> list[UnverifiedPdfSignature]:
        """Values of signatures anywhere in the file that no field of the newest state holds."""
        known = self._signatures or find_signatures(self.document, limit)
        return find_stray_signatures(self.document, known, limit)

    def attachments(self, max_bytes: int, name: str | None = None) -> list[Attachment]:
        """Every file in the catalog's EmbeddedFiles tree or /AF array, or attached by an annotation, each once.

        With a ``name``, only those called so; the others are not decoded. Raises PdfLimitError for one that is larger
        than ``max_bytes``.
        """
        document = self.document
        associated = document.items_of(document.root.get(b"AF"))
        listed = {_identity(value) for value in associated}
        specs: dict[Any, Value] = {}
        names = document.entry_of(document.root, b"Names")
        for _, value in name_tree(document, document.entry_of(names, b"EmbeddedFiles")):
            specs.setdefault(_identity(value), value)
        for value in [*associated, *self._annotated_files()]:
            specs.setdefault(_identity(value), value)
        if len(specs) > _MOST_VALUES:
            raise PdfLimitError("attachments", _MOST_VALUES)
        wanted = {i: spec for i, spec in specs.items() if name is None or self._file_name(spec) == name}
        found = (self._attachment(spec, identity in listed, max_bytes) for identity, spec in wanted.items())
        return [attachment for attachment in found if attachment is not None]

    def _annotated_files(self) -> list[Value]:
        document = self.document
        found: list[Value] = []
        for page in pages(document):
            for raw in document.items_of(page.dictionary.get(b"Annots")):
                annotation = document.resolve(raw)
                if isinstance(annotation, dict) and b"FS" in annotation:
                    found.append(annotation[b"FS"])
        return found

    def _attachment(self, spec: Value, associated: bool, max_bytes: int) -> Attachment | None:
        document = self.document
        streams = document.entry_of(spec, b"EF")
        stream = document.entry_of(streams, b"UF") or document.entry_of(streams, b"F")
        if not isinstance(stream, Stream):
            return None
        data = document.decoded(stream)
        if len(data) > max_bytes:
            raise PdfLimitError("bytes in an attachment", max_bytes)
        relationship = document.entry_of(spec, b"AFRelationship")
        return Attachment(self._file_name(spec), data, _text(relationship), associated)

    def _file_name(self, spec: Value) -> str:
        return _text(self.document.entry_of(spec, b"UF") or self.document.entry_of(spec, b"F"))

    def validation_data(self) -> ValidationData:
        """The values of the DSS dictionary and of its VRI entries; those that cannot be read are left out."""
        if self._validation is None:
            lists = {key: self._store_values(key) for key in _ARRAYS}
            found = (_certificate(der) for der in lists[b"Certs"])
            certificates = [certificate for certificate in found if certificate is not None]
            self._validation = ValidationData(certificates, lists[b"CRLs"], lists[b"OCSPs"])
        return self._validation

    def _store_values(self, key: bytes) -> list[bytes]:
        document = self.document
        store = document.entry_of(document.root, b"DSS")
        raws = list(document.items_of(document.entry_of(store, key)))
        entries = document.entry_of(store, b"VRI")
        for entry in list(entries.values())[:_MOST_VALUES] if isinstance(entries, dict) else ():
            if len(raws) < _MOST_VALUES:
                raws.extend(document.items_of(document.entry_of(entry, _ARRAYS[key])))
        found: dict[bytes, None] = {}
        for raw in {_identity(raw): raw for raw in raws[:_MOST_VALUES]}.values():
            stream = document.resolve(raw)
            try:
                if isinstance(stream, Stream):
                    found[document.decoded(stream)] = None
            except PdfLimitError:
                raise
            except PdfError:
                continue
        return list(found)

    def has_script(self) -> bool:
        """Whether the catalog starts a script or action on opening."""
        names = self.document.entry_of(self.document.root, b"Names")
        root = self.document.root
        return b"AA" in root or b"OpenAction" in root or (isinstance(names, dict) and b"JavaScript" in names)

    def has_hidden_layers(self) -> bool:
        """Whether the catalog declares optional content."""
        return b"OCProperties" in self.document.root

    def annotation_kinds(self) -> list[tuple[int, str, tuple[float, ...]]]:
        """Page (1-based), subtype and rectangle of each annotation."""
        document = self.document
        found: list[tuple[int, str, tuple[float, ...]]] = []
        for page in pages(document):
            for raw in document.items_of(page.dictionary.get(b"Annots")):
                numbers = [document.resolve(v) for v in document.items_of(document.entry_of(raw, b"Rect"))]
                rect = tuple(float(n) for n in numbers if isinstance(n, (int, float)))
                found.append((page.number, _text(document.entry_of(raw, b"Subtype")), rect))
        return found


def _certificate(der: bytes) -> Any:
    from asn1crypto import x509

    try:
        certificate = x509.Certificate.load(der)
        _ = certificate.serial_number, certificate.subject.dump(), certificate.public_key.dump()
    except Exception:  # noqa: BLE001 - a broken certificate is no certificate
        return None
    return certificate


def _text(value: Value) -> str:
    return str(value) if isinstance(value, (Name, Text)) else ""


def _identity(value: Value) -> Any:
    return value if isinstance(value, Reference) else id(value)
