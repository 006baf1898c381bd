"""The JSON that goes in and out, and how the vault's values become it."""

from __future__ import annotations

import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from certvault.model.views import IssuedLicense, LicenseView, MintProgress, RowReport, TypeInfo


class _Strict(BaseModel):
    """Unknown members are refused, so that a misspelt option is not silently lost."""

    model_config = ConfigDict(extra="forbid")


class NewLicense(_Strict):
    """What to issue. ``data`` follows the type's schema; its Chinese titles are accepted as keys."""

    type: str = Field(max_length=100, examples=["business-license"])
    data: dict[str, Any]
    holder_key: dict[str, str] | None = Field(None, description="A public JWK to bind the structured record to")
    baseline: Literal["B-B", "B-T", "B-LT", "B-LTA"] = "B-LT"


class Links(BaseModel):
    """Where a license is found."""

    self: str
    pdf: str
    record: str


class Issued(BaseModel):
    """One license, issued."""

    identifier: str
    type: str
    number: str
    version: int
    standing: str
    issued_at: str
    sha256: str
    ignored: list[str] = []
    links: Links


class HolderOut(BaseModel):
    """A holder."""

    name: str
    code: str


class LicenseOut(BaseModel):
    """One license, read."""

    identifier: str
    type: str
    type_version: int
    title: dict[str, str]
    number: str
    version: int
    copy_number: int | None
    state: str
    reason: str
    standing: str
    issuer: str
    issuer_code: str
    region: str
    holders: list[HolderOut]
    fields: dict[str, str]
    issued_at: str | None
    valid_from: datetime.date
    valid_to: datetime.date | None
    sha256: str | None
    links: Links


class LicenseList(BaseModel):
    """A page of licenses; ``next_cursor`` is null on the last one."""

    items: list[LicenseOut]
    next_cursor: str | None


class MintingOut(BaseModel):
    """A bulk job and how far it is."""

    job: str
    type: str
    state: str
    total: int
    done: int
    issued: int
    refused: int
    failed: int
    ignored: list[str] = []
    rows: list[dict[str, str | int]] = []
    next_cursor: str | None = None
    links: dict[str, str]


class TypeOut(BaseModel):
    """A published type."""

    type: str
    version: int
    code: str
    code_is_example: bool
    title: dict[str, str]
    digest: str
    links: dict[str, str]


class TypeList(BaseModel):
    """The catalog."""

    items: list[TypeOut]
    next_cursor: str | None = None


class TypeDetail(TypeOut):
    """A published type with the JSON Schema of its data."""

    json_schema: dict[str, Any] = Field(alias="schema", serialization_alias="schema")
    status_values: dict[str, dict[str, str]] = {}


class CodeIn(_Strict):
    """The text of a scanned code, or the URL that it is."""

    code: str = Field(max_length=10_000)
    receipt: bool = Field(False, description="Whether to sign the verdict, with its evidence")
    at: str | None = None
    lang: Literal["zh", "en"] | None = None
    depth: Literal["conclusion", "checks", "facts"] | None = None


class RecordIn(_Strict):
    """A structured record, SD-JWT."""

    record: str = Field(max_length=2_000_000)
    receipt: bool = Field(False, description="Whether to sign the verdict, with its evidence")
    at: str | None = None
    lang: Literal["zh", "en"] | None = None
    depth: Literal["conclusion", "checks", "facts"] | None = None


class FilesIn(BaseModel):
    """For the description of the interface: a multipart body."""

    file: list[bytes]
    at: str | None = None
    lang: Literal["zh", "en"] | None = None
    password: str | None = None
    depth: Literal["conclusion", "checks", "facts"] | None = None


def utc(moment: datetime.datetime) -> str:
    """RFC 3339 in UTC with whole seconds."""
    return moment.astimezone(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def license_links(identifier: str, base_url: str) -> dict[str, str]:
    """Where a license is found, absolute."""
    own = f"{base_url}/v1/licenses/{identifier}"
    return {"self": own, "pdf": f"{own}/pdf", "record": f"{own}/record"}


def issued_json(made: IssuedLicense, base_url: str) -> dict[str, Any]:
    """What issuing answers, over HTTP and as ``issue --json``."""
    value: dict[str, Any] = {
        "identifier": made.identifier,
        "type": made.type,
        "number": made.number,
        "version": made.version,
        "standing": str(made.standing),
        "issued_at": utc(made.issued_at),
        "sha256": made.sha256,
        "links": license_links(made.identifier, base_url),
    }
    if made.ignored:
        value["ignored"] = list(made.ignored)
    return value


def license_json(view: LicenseView, base_url: str) -> dict[str, Any]:
    """A license for somebody who may read it."""
    return {
        "identifier": view.identifier,
        "type": view.type,
        "type_version": view.type_version,
        "title": {"zh": view.title.zh, "en": view.title.en},
        "number": view.number,
        "version": view.version,
        "copy_number": view.copy_number,
        "state": str(view.state),
        "reason": view.reason,
        "standing": str(view.standing),
        "issuer": view.issuer_name,
        "issuer_code": view.issuer_code,
        "region": view.region,
        "holders": [{"name": h.name, "code": h.code} for h in view.holders],
        "fields": dict(view.fields),
        "issued_at": utc(view.issued_at) if view.issued_at else None,
        "valid_from": view.valid_from.isoformat(),
        "valid_to": view.valid_to.isoformat() if view.valid_to else None,
        "sha256": view.sha256,
        "links": license_links(view.identifier, base_url),
    }


def minting_json(
    progress: MintProgress, base_url: str, rows: list[RowReport] | None = None, next_cursor: str | None = None
) -> dict[str, Any]:
    """A bulk job, with the rows of one page of its report."""
    return {
        "job": progress.job,
        "type": progress.type,
        "state": str(progress.state),
        "total": progress.total,
        "done": progress.done,
        "issued": progress.issued,
        "refused": progress.refused,
        "failed": progress.failed,
        "ignored": list(progress.ignored),
        "rows": [r.to_json() for r in rows or []],
        "next_cursor": next_cursor,
        "links": {"self": f"{base_url}/v1/mintings/{progress.job}"},
    }


def type_json(info: TypeInfo, base_url: str) -> dict[str, Any]:
    """A published type."""
    return {
        "type": info.name,
        "version": info.version,
        "code": info.type_code,
        "code_is_example": info.type_code_is_example,
        "title": {"zh": info.title.zh, "en": info.title.en},
        "digest": info.digest,
        "links": {"self": f"{base_url}/v1/types/{info.name}"},
    }
