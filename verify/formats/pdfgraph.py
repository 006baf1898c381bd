"""Reading a PDF's objects: signature fields, attachments, annotations. What pyHanko's reader sees, as plain values.

The reader is lenient, because foreign files are; whether every byte is accounted for is asked elsewhere
(:mod:`verify.formats.pdf`). Whatever it throws becomes PdfGraphError.
"""

from __future__ import annotations

import io
import logging
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar

_T = TypeVar("_T")
_MAX_DEPTH = 32
_MAX_NODES = 50_000
_OBJECT = re.compile(rb"(?:^|[\r\n])[ \t]*([0-9]{1,10}[ \t]+[0-9]{1,5}[ \t]+obj)\b")

logging.getLogger("pyhanko").setLevel(logging.CRITICAL)


class PdfGraphError(Exception):
    """The PDF cannot be read here. The message says what failed."""


class PdfPasswordError(Exception):
    """The PDF is encrypted and the password is missing or wrong."""


@dataclass(frozen=True, slots=True)
class UnverifiedPdfSignature:
    """One filled signature field. ``fault`` says why its parts cannot be read; then they are blank.

    ``permission`` is the DocMDP level it certifies, or None. ``handle`` names it to :meth:`PdfGraph.later_changes`.
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
    handle: Any = None


@dataclass(frozen=True, slots=True)
class Attachment:
    """One embedded file: its name, content, AFRelationship, and whether the catalog's /AF array lists it."""

    name: str
    data: bytes
    relationship: str
    associated: bool


@dataclass(frozen=True, slots=True)
class LaterChanges:
    """What a comparison of revisions made of changes after a signature: harmless when ``fault`` is empty."""

    covers: bool
    changed: bool
    fault: str


@dataclass(frozen=True, slots=True)
class ValidationData:
    """What a file's DSS dictionary holds, read leniently: certificates as asn1crypto values, the rest DER."""

    certificates: list[Any]
    crls: list[bytes]
    ocsps: list[bytes]


class PdfGraph:
    """An opened PDF."""

    def __init__(self, data: bytes, password: str | None, decompressed_bytes: int) -> None:
        self.reader: Any = _guard(lambda: _open(data, decompressed_bytes))
        if _guard(lambda: bool(self.reader.encrypted)):
            self._decrypt(password)
        self.root: Any = _guard(lambda: self.reader.root)

    def _decrypt(self, password: str | None) -> None:
        from pyhanko.pdf_utils.crypt import AuthStatus

        try:
            if self.reader.decrypt(password or "").status == AuthStatus.FAILED:
                raise PdfPasswordError
        except PdfPasswordError:
            raise
        except Exception as error:
            raise PdfPasswordError from error

    def revisions(self) -> int:
        """How many cross-reference sections the file has."""
        return _guard(lambda: int(self.reader.total_revisions))

    def object_count(self) -> int:
        """How many entries all cross-reference sections have together."""
        xrefs = self.reader.xrefs
        return _guard(lambda: sum(len(xrefs.explicit_refs_in_revision(r)) for r in range(self.revisions())))

    def signatures(self, limit: int) -> list[UnverifiedPdfSignature]:
        """Every filled signature field, in the order of the form. PdfGraphError when there are more than ``limit``."""
        found: list[UnverifiedPdfSignature] = []
        for name, field in _guard(lambda: list(self._signature_fields())):
            if len(found) >= limit:
                raise PdfGraphError(f"more than {limit} signatures")
            found.append(_read_signature(name, field))
        return found

    def _signature_fields(self) -> Iterator[tuple[str, Any]]:
        form = _get(self.root, "/AcroForm")
        if form is None:
            return
        seen = 0
        stack = [(f, "", None, 0) for f in reversed(_items(_get(form, "/Fields")))]
        while stack:
            raw, prefix, inherited, depth = stack.pop()
            seen += 1
            if depth > _MAX_DEPTH or seen > _MAX_NODES:
                raise PdfGraphError("the form is nested too deeply")
            field = _resolve(raw)
            if not hasattr(field, "get"):
                continue
            name = _get(field, "/T")
            full = f"{prefix}.{name}" if prefix and name is not None else str(name) if name is not None else prefix
            kind = _get(field, "/FT") or inherited
            kids = [k for k in _items(_get(field, "/Kids")) if "/T" in _resolve(k) or "/V" in _resolve(k)]
            if kind == "/Sig" and _get(field, "/V") is not None:
                yield full, field
            stack.extend((k, full, kind, depth + 1) for k in reversed(kids))

    def attachments(self, max_bytes: int) -> list[Attachment]:
        """Every file in the catalog's EmbeddedFiles tree or /AF array, each once."""
        return _guard(lambda: self._attachments(max_bytes))

    def _attachments(self, max_bytes: int) -> list[Attachment]:
        listed = [_identity(v) for v in _items(_get(self.root, "/AF"))]
        specs: dict[Any, Any] = {}
        names = _get(self.root, "/Names")
        tree = _get(names, "/EmbeddedFiles") if names is not None else None
        for raw in [*_name_tree(tree), *_items(_get(self.root, "/AF"))]:
            specs.setdefault(_identity(raw), raw)
        found: list[Attachment] = []
        for identity, raw in specs.items():
            spec = _resolve(raw)
            streams = _get(spec, "/EF") or {}
            stream = _get(streams, "/UF") or _get(streams, "/F")
            if stream is None:
                continue
            data = bytes(stream.data)
            if len(data) > max_bytes:
                raise PdfGraphError("an attachment is too large")
            name = str(_get(spec, "/UF") or _get(spec, "/F") or "")
            found.append(Attachment(name, data, str(_get(spec, "/AFRelationship") or ""), identity in listed))
        return found

    def validation_data(self) -> ValidationData:
        """The values of the DSS dictionary; those that cannot be read are left out."""
        lists = {key: self._dss_values(key) for key in ("/Certs", "/CRLs", "/OCSPs")}
        certificates = []
        for der in lists["/Certs"]:
            try:
                certificates.append(_certificate(der))
            except Exception:  # noqa: BLE001, S112 - a broken certificate is no certificate
                continue
        return ValidationData(certificates, lists["/CRLs"], lists["/OCSPs"])

    def _dss_values(self, key: str) -> list[bytes]:
        try:
            dss = _get(self.root, "/DSS")
            return [bytes(_resolve(raw).data) for raw in _items(_get(dss, key))] if dss is not None else []
        except (RecursionError, MemoryError):
            raise
        except Exception:  # noqa: BLE001 - as above
            return []

    def has_script(self) -> bool:
        """Whether the catalog starts a script or action on opening."""
        return _guard(lambda: "/AA" in self.root or "/OpenAction" in self.root or _has_scripts(self.root))

    def has_hidden_layers(self) -> bool:
        """Whether the catalog declares optional content."""
        return _guard(lambda: "/OCProperties" in self.root)

    def annotation_kinds(self) -> list[tuple[int, str, tuple[float, ...]]]:
        """Page (1-based), subtype and rectangle of each annotation."""
        return _guard(self._annotation_kinds)

    def _annotation_kinds(self) -> list[tuple[int, str, tuple[float, ...]]]:
        found: list[tuple[int, str, tuple[float, ...]]] = []
        for number, page in enumerate(_pages(self.root), 1):
            for raw in _items(_get(page, "/Annots")):
                annotation = _resolve(raw)
                rect = tuple(float(_resolve(v)) for v in _items(_get(annotation, "/Rect")))
                found.append((number, str(_get(annotation, "/Subtype")), rect))
        return found

    def unlisted_object(self, data: bytes, start: int) -> str:
        """The first object behind ``start`` that no cross-reference leads to, or nothing.

        Viewers that repair a file show such objects; a comparison of listed ones does not see them.
        """
        listed = _guard(self._offsets)
        for match in _OBJECT.finditer(data, max(0, start - 1)):
            if match.start(1) not in listed:
                return match[0].decode("latin-1").strip()
        return ""

    def _offsets(self) -> set[int]:
        """Where cross-reference sections, and their own positions, say that objects begin."""
        found: set[int] = set()
        for revision in range(self.revisions()):
            section = self.reader.xrefs.get_xref_data(revision)
            hybrid = section.hybrid.xref_data.standard_xrefs.values() if section.hybrid is not None else ()
            found |= {offset for _, offset in (*section.standard_xrefs.values(), *hybrid)}
            container = self.reader.xrefs.get_xref_container_info(revision)
            found |= {container.start_location, container.declared_startxref}
        return found

    def later_changes(self, signature: UnverifiedPdfSignature) -> LaterChanges:
        """Compare the signed revision with the last one (pyHanko's whitelist of harmless changes)."""
        from pyhanko.sign.diff_analysis import DiffResult, ModificationLevel
        from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature
        from pyhanko.sign.validation.status import SignatureCoverageLevel

        def compare() -> LaterChanges:
            embedded: Any = EmbeddedPdfSignature(self.reader, signature.handle, signature.field)
            embedded.compute_integrity_info()
            if embedded.coverage == SignatureCoverageLevel.ENTIRE_FILE:
                return LaterChanges(True, False, "")
            result: Any = embedded.diff_result
            if embedded.coverage != SignatureCoverageLevel.ENTIRE_REVISION:
                return LaterChanges(False, True, "the signature covers no whole revision")
            if not isinstance(result, DiffResult):
                return LaterChanges(False, True, str(result))
            level, allowed = result.modification_level, embedded.docmdp_level
            if level == ModificationLevel.OTHER or (allowed is not None and level.value > allowed.value):
                return LaterChanges(False, True, f"changes of level {level.name} are not permitted")
            return LaterChanges(level == ModificationLevel.LTA_UPDATES, True, "")

        return _guard(compare)


def _guard(read: Callable[[], _T]) -> _T:
    """Run a reading step of the lenient parser; whatever it throws is PdfGraphError."""
    try:
        return read()
    except (PdfGraphError, PdfPasswordError, RecursionError, MemoryError):
        raise
    except Exception as error:  # pyHanko lets a dozen types out on broken files
        raise PdfGraphError(f"{type(error).__name__}: {error}"[:200]) from error


def _open(data: bytes, decompressed_bytes: int) -> Any:
    from pyhanko.pdf_utils.decode_limits import DecodeLimits, DocumentDecodeBudget, StreamDecodeLimits
    from pyhanko.pdf_utils.reader import PdfFileReader

    limits = DecodeLimits(
        per_stream=StreamDecodeLimits(max_output_size=decompressed_bytes),
        document_budget=DocumentDecodeBudget(base_allowance=4 * decompressed_bytes, max_ratio=4),
    )
    return PdfFileReader(io.BytesIO(data), strict=False, decode_limits=limits)


def _certificate(der: bytes) -> Any:
    from asn1crypto import x509

    certificate = x509.Certificate.load(der)
    _ = certificate.subject.hashable, certificate.public_key.algorithm
    return certificate


def _read_signature(name: str, field: Any) -> UnverifiedPdfSignature:
    try:
        value = _resolve(field.raw_get("/V"))
        raw = value.raw_get("/Contents", decrypt=_raw_access())
        return UnverifiedPdfSignature(
            field=name,
            subfilter=str(_get(value, "/SubFilter") or ""),
            kind=str(_get(value, "/Type") or "/Sig"),
            byte_range=tuple(int(n) for n in value["/ByteRange"]),
            contents=bytes(raw.original_bytes),
            permission=_permission(value),
            name=str(_get(value, "/Name") or ""),
            claimed_time=_moment(_get(value, "/M")),
            handle=field,
        )
    except (RecursionError, MemoryError):
        raise
    except Exception as error:  # noqa: BLE001 - one broken field must not hide the others
        fault = f"{type(error).__name__}: {error}"[:200]
        return UnverifiedPdfSignature(name, "", "", (), b"", None, "", fault=fault, handle=field)


def _moment(value: Any) -> datetime | None:
    """A PDF date as an instant; without a zone it is read as UTC."""
    from pyhanko.pdf_utils.generic import parse_pdf_date

    if value is None:
        return None
    try:
        moment: datetime = parse_pdf_date(str(value), strict=False)
    except Exception:  # noqa: BLE001 - a claim that cannot be read is no claim
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _raw_access() -> Any:
    from pyhanko.pdf_utils.generic import EncryptedObjAccess

    return EncryptedObjAccess.RAW


def _permission(value: Any) -> int | None:
    for reference in _items(_get(value, "/Reference")):
        entry = _resolve(reference)
        if _get(entry, "/TransformMethod") == "/DocMDP":
            parameters = _get(entry, "/TransformParams")
            return int(_get(parameters, "/P") or 2) if parameters is not None else 2
    return None


def _get(value: Any, key: str) -> Any:
    """An entry of a dictionary with its reference resolved, or None."""
    return _resolve(value.raw_get(key)) if key in value else None


def _resolve(value: Any) -> Any:
    return value.get_object() if hasattr(value, "get_object") else value


def _items(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list) else []


def _identity(value: Any) -> Any:
    reference: Any = getattr(value, "reference", None)
    return (reference.idnum, reference.generation) if reference is not None else id(value)


def _name_tree(node: Any) -> Iterator[Any]:
    stack, seen = [node], 0
    while stack:
        current = stack.pop()
        seen += 1
        if current is None:
            continue
        if seen > _MAX_NODES:
            raise PdfGraphError("a name tree is too large")
        current = _resolve(current)
        yield from _items(_get(current, "/Names"))[1::2]
        stack.extend(_items(_get(current, "/Kids")))


def _has_scripts(root: Any) -> bool:
    names = _get(root, "/Names")
    return names is not None and "/JavaScript" in names


def _pages(root: Any) -> Iterator[Any]:
    stack, seen = [root["/Pages"]], 0
    while stack:
        node = _resolve(stack.pop())
        seen += 1
        if seen > _MAX_NODES:
            raise PdfGraphError("the page tree is too large")
        kids = _get(node, "/Kids")
        if kids is None:
            yield node
        else:
            stack.extend(reversed(_items(kids)))
