"""The canonical license record (``license.json``) and its face map.

The record is JSON in RFC 8785 order with field names after GB/T 36903. It is embedded in the PDF, hashed into the code
on the page, and carried by the structured record; all three must agree. The *face map* says, for each printed datum,
the exact string, page and box, so that a verifier who knows no template can compare page and record. Static text of
the type is named by its SHA-256, run by run.
"""

from __future__ import annotations

import datetime
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

SCHEMA = "certvault-license/1"
MAX_RECORD_BYTES = 1_000_000
ATTACHMENT_NAME = "license.json"

Box = tuple[float, float, float, float]
"""``x0, y0, x1, y1`` in PDF points, origin at the lower left of the page, rounded to 0.01."""


class RecordError(ValueError):
    """The bytes are no license record of this schema. The message names the member."""


@dataclass(frozen=True, slots=True)
class Holder:
    """A holder (持证主体). ``code_type`` is the three-digit code of GB/T 36903 Appendix A (001 USCC, 111 citizen)."""

    name: str
    code: str
    code_type: str


@dataclass(frozen=True, slots=True)
class FaceItem:
    """One printed datum: ``text`` exactly as extracted from ``box`` on ``page`` (1-based), line breaks left out."""

    field: str
    text: str
    page: int
    box: Box


@dataclass(frozen=True, slots=True)
class StaticRun:
    """One run of the type's static text: SHA-256 (hex) of its UTF-8 without white space, and where it stands."""

    sha256: str
    page: int
    box: Box


@dataclass(frozen=True, slots=True)
class FaceMap:
    """Where everything on the face stands. ``code_box`` is the QR code, ``seal_box`` the seal picture.

    ``pages`` holds each page's width and height in points. Text on a page outside every box is not the license's.
    """

    pages: tuple[tuple[float, float], ...]
    items: tuple[FaceItem, ...]
    static: tuple[StaticRun, ...]
    code_page: int
    code_box: Box
    seal_page: int
    seal_box: Box


@dataclass(frozen=True, slots=True)
class LicenseRecord:
    """All that a license says, in one value. Dates are dates, ``fields`` maps the schema's English names to strings.

    ``copy_number`` is None but for duplicates (副本). ``status_uri``/``status_index`` refer to a Token Status List.
    ``sample`` marks a document of an example vault.
    """

    identifier: str
    type: str
    type_version: int
    type_code: str
    type_name: str
    number: str
    version: int
    copy_number: int | None
    issuer_name: str
    issuer_code: str
    issued: datetime.date
    valid_from: datetime.date
    valid_to: datetime.date | None
    region: str
    holders: tuple[Holder, ...]
    fields: Mapping[str, str]
    status_uri: str
    status_index: int
    sample: bool
    face: FaceMap
    extra: Mapping[str, Any] = field(default_factory=dict)
    # The canonical bytes once made: they are asked for by page, code and structured record alike.
    _canonical: list[bytes] = field(init=False, default_factory=list, compare=False, repr=False)

    def to_json(self) -> dict[str, Any]:
        """The record as a JSON object, names after GB/T 36903 where it has one."""
        return {
            "schema": SCHEMA,
            "certificateIdentifier": self.identifier,
            "licenseType": self.type,
            "licenseTypeVersion": self.type_version,
            "certificateTypeCode": self.type_code,
            "certificateName": self.type_name,
            "certificateNumber": self.number,
            "certificateVersion": f"{self.version:03d}",
            "copyNumber": self.copy_number,
            "certificateIssuingAuthorityName": self.issuer_name,
            "certificateIssuingAuthorityCode": self.issuer_code,
            "certificateIssuedDate": self.issued.isoformat(),
            "certificateEffectiveDate": self.valid_from.isoformat(),
            "certificateExpiringDate": self.valid_to.isoformat() if self.valid_to else None,
            "certificateAreaCode": self.region,
            "holders": [
                {
                    "certificateHolderName": h.name,
                    "certificateHolderCode": h.code,
                    "certificateHolderType": h.code_type,
                }
                for h in self.holders
            ],
            "fields": dict(self.fields),
            "status": {"uri": self.status_uri, "idx": self.status_index},
            "sample": self.sample,
            "face": _face_json(self.face),
            "extra": dict(self.extra),
        }

    def canonical(self) -> bytes:
        """The record's bytes in RFC 8785 order: what is embedded, hashed and compared."""
        if not self._canonical:
            self._canonical.append(canonical_json(self.to_json()))
        return self._canonical[0]

    def sha256(self) -> bytes:
        """SHA-256 of :meth:`canonical`."""
        return hashlib.sha256(self.canonical()).digest()


def canonical_json(value: Any) -> bytes:
    """``value`` in RFC 8785 form.

    Numbers are integers, or floats of at most two decimals well inside the range in which ECMAScript and Python print
    alike; others raise ValueError, so that no two readers can disagree.
    """
    return json.dumps(_ordered(value), ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()


def _ordered(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {k: _ordered(value[k]) for k in sorted(value, key=lambda s: s.encode("utf-16-be"))}
    if isinstance(value, (list, tuple)):
        return [_ordered(v) for v in value]
    if isinstance(value, float):
        if round(value, 2) != value or abs(value) > 1e9:
            raise ValueError(f"number {value!r} has no agreed canonical form")
        return int(value) if value.is_integer() else value
    if value is None or isinstance(value, (bool, int, str)):
        if isinstance(value, int) and abs(value) > 2**53 - 1:
            raise ValueError(f"number {value!r} has no agreed canonical form")
        return value
    raise ValueError(f"{type(value).__name__} is not JSON")


def static_digest(text: str) -> str:
    """The name of a run of static text: SHA-256, hex, over its UTF-8 with all white space left out."""
    return hashlib.sha256("".join(text.split()).encode()).hexdigest()


def unverified_record(data: bytes) -> LicenseRecord:
    """Read a record. Its claims are not verified: use them only after a verdict has.

    Raises RecordError when the bytes are not canonical or a member is missing or of the wrong kind.
    """
    if len(data) > MAX_RECORD_BYTES:
        raise RecordError(f"larger than {MAX_RECORD_BYTES} bytes")
    try:
        value = json.loads(data.decode("utf-8"))
        if canonical_json(value) != data:
            raise RecordError("not in RFC 8785 order")
        return record_from_json(value)
    except RecordError:
        raise
    except (ValueError, RecursionError) as error:
        raise RecordError(f"not JSON of this schema: {error}") from error


def record_from_json(value: Any) -> LicenseRecord:
    """Build a record from its JSON object; the inverse of :meth:`LicenseRecord.to_json`."""
    o = _Reader(value, "")
    if o.text("schema") != SCHEMA:
        raise RecordError(f"schema is not {SCHEMA}")
    status = o.object("status")
    record = LicenseRecord(
        identifier=o.text("certificateIdentifier"),
        type=o.text("licenseType"),
        type_version=o.integer("licenseTypeVersion"),
        type_code=o.text("certificateTypeCode"),
        type_name=o.text("certificateName"),
        number=o.text("certificateNumber"),
        version=int(o.text("certificateVersion")),
        copy_number=o.optional_integer("copyNumber"),
        issuer_name=o.text("certificateIssuingAuthorityName"),
        issuer_code=o.text("certificateIssuingAuthorityCode"),
        issued=o.date("certificateIssuedDate"),
        valid_from=o.date("certificateEffectiveDate"),
        valid_to=o.optional_date("certificateExpiringDate"),
        region=o.text("certificateAreaCode"),
        holders=tuple(
            Holder(h.text("certificateHolderName"), h.text("certificateHolderCode"), h.text("certificateHolderType"))
            for h in o.objects("holders")
        ),
        fields={k: _string(v, f"fields.{k}") for k, v in o.object("fields").value.items()},
        status_uri=status.text("uri"),
        status_index=status.integer("idx"),
        sample=o.boolean("sample"),
        face=_face(o.object("face")),
        extra=o.object("extra").value,
    )
    if record.to_json() != value:
        raise RecordError("the record holds members that its schema does not know")
    return record


def _face_json(face: FaceMap) -> dict[str, Any]:
    return {
        "pages": [list(p) for p in face.pages],
        "items": [{"field": i.field, "text": i.text, "page": i.page, "box": list(i.box)} for i in face.items],
        "static": [{"sha256": s.sha256, "page": s.page, "box": list(s.box)} for s in face.static],
        "code": {"page": face.code_page, "box": list(face.code_box)},
        "seal": {"page": face.seal_page, "box": list(face.seal_box)},
    }


def _face(o: _Reader) -> FaceMap:
    code, seal = o.object("code"), o.object("seal")
    return FaceMap(
        pages=tuple(_pair(p) for p in o.array("pages")),
        items=tuple(
            FaceItem(i.text("field"), i.text("text"), i.integer("page"), i.box("box")) for i in o.objects("items")
        ),
        static=tuple(StaticRun(s.text("sha256"), s.integer("page"), s.box("box")) for s in o.objects("static")),
        code_page=code.integer("page"),
        code_box=code.box("box"),
        seal_page=seal.integer("page"),
        seal_box=seal.box("box"),
    )


def _string(value: Any, path: str) -> str:
    if not isinstance(value, str):
        raise RecordError(f"{path} is not text")
    return value


def _number(value: Any, path: str) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise RecordError(f"{path} is not a number")
    return float(value)


def _pair(value: Any) -> tuple[float, float]:
    if not isinstance(value, list) or len(value) != 2:
        raise RecordError("face.pages holds something other than pairs")
    return _number(value[0], "face.pages"), _number(value[1], "face.pages")


class _Reader:
    """Reads typed members of one JSON object, naming the path of what is wrong."""

    def __init__(self, value: Any, path: str) -> None:
        if not isinstance(value, dict):
            raise RecordError(f"{path or 'record'} is not an object")
        self.value: dict[str, Any] = value
        self.path = path

    def _at(self, name: str) -> str:
        return f"{self.path}.{name}" if self.path else name

    def _get(self, name: str) -> Any:
        if name not in self.value:
            raise RecordError(f"{self._at(name)} is missing")
        return self.value[name]

    def text(self, name: str) -> str:
        return _string(self._get(name), self._at(name))

    def integer(self, name: str) -> int:
        value = self._get(name)
        if isinstance(value, bool) or not isinstance(value, int):
            raise RecordError(f"{self._at(name)} is not an integer")
        return value

    def optional_integer(self, name: str) -> int | None:
        return None if self._get(name) is None else self.integer(name)

    def boolean(self, name: str) -> bool:
        value = self._get(name)
        if not isinstance(value, bool):
            raise RecordError(f"{self._at(name)} is not true or false")
        return value

    def date(self, name: str) -> datetime.date:
        try:
            return datetime.date.fromisoformat(self.text(name))
        except ValueError as error:
            raise RecordError(f"{self._at(name)} is not a date") from error

    def optional_date(self, name: str) -> datetime.date | None:
        return None if self._get(name) is None else self.date(name)

    def array(self, name: str) -> list[Any]:
        value = self._get(name)
        if not isinstance(value, list) or len(value) > 10_000:
            raise RecordError(f"{self._at(name)} is not a list of at most 10000")
        return value

    def object(self, name: str) -> _Reader:
        return _Reader(self._get(name), self._at(name))

    def objects(self, name: str) -> list[_Reader]:
        return [_Reader(v, f"{self._at(name)}[{i}]") for i, v in enumerate(self.array(name))]

    def box(self, name: str) -> Box:
        value = self.array(name)
        if len(value) != 4:
            raise RecordError(f"{self._at(name)} is not a box of four numbers")
        x0, y0, x1, y1 = (_number(v, self._at(name)) for v in value)
        return x0, y0, x1, y1
