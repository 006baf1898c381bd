"""License types as data: reading, checking and listing type folders.

A folder holds four files: ``type.json`` (code, number, who may issue, what the record takes from where),
``schema.json`` (the data), ``rules.json`` (rules between fields) and ``layout.json`` (the page). docs/types.md tells
more. Nothing in a folder is executed.
"""

from __future__ import annotations

import functools
import hashlib
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from templates.layout import Layout, read_layout
from templates.members import Member, parse_json, type_refusal
from templates.numbers import _KNOWN as _NUMBER_MEMBERS
from templates.numbers import NumberRule, read_number_rule
from templates.properties import FieldSchema, read_schema
from templates.rules import Rule, read_rules
from templates.sealkinds import SEAL_KINDS
from verify.formats.codes import uscc_fault
from verify.formats.refusal import Text

FILES = ("type.json", "schema.json", "rules.json", "layout.json")
MAX_FILE_BYTES = 256 * 1024
FORMAT = "certvault-type/1"
_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_SHIPPED = Path(__file__).parent / "types"
_TYPE_MEMBERS = (
    "format", "name", "version", "title", "type_code", "type_code_is_example", "number", "issuers", "record", "seals",
    "comment",
)  # fmt: skip
_RECORD_MEMBERS = ("holders", "region", "authority", "issued", "valid_from", "valid_to", "copy_number")


@dataclass(frozen=True, slots=True)
class IssuerRule:
    """Who may issue: the credit codes of the issuers, or, when empty, every issuer whose remit covers the type."""

    codes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FurtherSeal:
    """A seal beside the issuer's official one: whose (a credit code; empty: the issuer's), of which
    kind, and where its centre stands (mm from the upper left)."""

    kind: str
    owner: str
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class HolderRule:
    """Which fields name one holder. ``code_type`` is of GB/T 36903 Appendix A; ``auto``: 111 or 001 by the code."""

    name: str
    code: str
    code_type: str


@dataclass(frozen=True, slots=True)
class RecordRule:
    """Which fields fill the record. Places 3-8 of ``region_else``, a credit code, serve when the region is absent."""

    holders: tuple[HolderRule, ...]
    region: str
    region_else: str
    authority: str
    issued: str
    valid_from: str
    valid_to: str
    copy_number: str


@dataclass(frozen=True, slots=True, eq=False)
class LicenseType:
    """One version of a license type.

    ``files`` are the folder's bytes as published, ``digest`` the SHA-256 (hex) over them, by which prepared pages are
    cached. ``type_code`` is the 21-character code of GB/T 36904.
    """

    name: str
    version: int
    type_code: str
    type_code_is_example: bool
    title: Text
    schema: Mapping[str, Any]
    files: Mapping[str, bytes]
    digest: str
    number: NumberRule
    issuers: IssuerRule
    record: RecordRule
    fields: Mapping[str, FieldSchema]
    rules: tuple[Rule, ...]
    layout: Layout
    seals: tuple[FurtherSeal, ...] = ()

    @property
    def has_copies(self) -> bool:
        """Whether its licenses are numbered copies (副本)."""
        return bool(self.record.copy_number)


def load_type(files: Mapping[str, bytes]) -> LicenseType:
    """Read and check a type from the bytes of its files.

    Raises RefusedError (BAD_LICENSE_TYPE) whose field is ``file: member``.
    """
    _check_files(files)
    values = {name: parse_json(name, files[name]) for name in FILES}
    head = Member(values["type.json"], "type.json", "", _TYPE_MEMBERS)
    if head.text("format") != FORMAT:
        raise head.refusal("format", f"应为 {FORMAT}", f"must be {FORMAT}")
    fields, required = read_schema(values["schema.json"])
    rules = read_rules(values["rules.json"], fields)
    number = read_number_rule(head.object("number", _NUMBER_MEMBERS), _properties(values["schema.json"]), required)
    record = _record(head.object("record", _RECORD_MEMBERS), fields, required)
    title = head.object("title", ("zh", "en"))
    return LicenseType(
        name=_name(head),
        version=head.integer("version", low=1, high=999),
        type_code=_type_code(head),
        type_code_is_example=head.boolean("type_code_is_example"),
        title=Text(title.text("zh", limit=60), title.text("en", limit=120)),
        schema=values["schema.json"],
        files=dict(files),
        digest=type_digest(files),
        number=number,
        issuers=_issuers(head),
        record=record,
        fields=fields,
        rules=rules,
        layout=read_layout(values["layout.json"], fields, required, has_copies=bool(record.copy_number)),
        seals=_seals(head),
    )


def type_digest(files: Mapping[str, bytes]) -> str:
    """SHA-256, hex, over names and bytes of the files in order of name."""
    digest = hashlib.sha256()
    for name in sorted(files):
        digest.update(f"{name}\0{len(files[name])}\0".encode())
        digest.update(files[name])
    return digest.hexdigest()


def read_folder(path: Path) -> Mapping[str, bytes]:
    """The files of a type folder. Links, folders, other files and large files are refused by name."""
    if not path.is_dir():
        raise type_refusal(str(path.name), "不是文件夹", "not a folder")
    files = {}
    for entry in sorted(path.iterdir()):
        if entry.name not in FILES:
            raise type_refusal(entry.name, "类型文件夹中不应有此文件", f"a type folder holds only {', '.join(FILES)}")
        found = entry.lstat()
        if not stat.S_ISREG(found.st_mode):
            raise type_refusal(entry.name, "不是普通文件", "not a regular file")
        if found.st_size > MAX_FILE_BYTES:
            raise type_refusal(entry.name, f"超过 {MAX_FILE_BYTES} 字节", f"larger than {MAX_FILE_BYTES} bytes")
        files[entry.name] = entry.read_bytes()
    return files


@functools.cache
def shipped_types() -> tuple[LicenseType, ...]:
    """The types that come with certvault, in order of name."""
    return tuple(load_type(read_folder(folder)) for folder in sorted(_SHIPPED.iterdir()) if folder.is_dir())


def _check_files(files: Mapping[str, bytes]) -> None:
    for name in files:
        if name not in FILES:
            raise type_refusal(
                str(name)[:80], "类型文件夹中不应有此文件", f"a type folder holds only {', '.join(FILES)}"
            )
    for name in FILES:
        if name not in files:
            raise type_refusal(name, "缺少此文件", "the file is missing")
        if len(files[name]) > MAX_FILE_BYTES:
            raise type_refusal(name, f"超过 {MAX_FILE_BYTES} 字节", f"larger than {MAX_FILE_BYTES} bytes")


def _properties(schema: Any) -> Mapping[str, Mapping[str, object]]:
    properties: Mapping[str, Mapping[str, object]] = schema["properties"]
    return properties


def _name(head: Member) -> str:
    name = head.text("name", limit=60)
    if not _NAME.fullmatch(name):
        raise head.refusal("name", "须为小写字母、数字和连字符", "must be lower-case letters, digits and hyphens")
    return name


def _type_code(head: Member) -> str:
    code = head.text("type_code", limit=21)
    if not re.fullmatch(r"[0-9A-Z]{18}[0-9]{3}", code) or uscc_fault(code[:18]) is not None:
        raise head.refusal(
            "type_code",
            "须为定义机关的统一社会信用代码加 3 位顺序号（GB/T 36904）",
            "must be the defining authority's credit code and three digits (GB/T 36904)",
        )
    return code


def _issuers(head: Member) -> IssuerRule:
    codes = head.object("issuers", ("codes", "comment")).texts("codes")
    for code in codes:
        if uscc_fault(code) is not None:
            raise head.refusal("issuers.codes", f"{code} 不是统一社会信用代码", f"{code} is no credit code")
    return IssuerRule(codes)


def _seals(head: Member) -> tuple[FurtherSeal, ...]:
    if not head.has("seals"):
        return ()
    found = []
    for seal in head.objects("seals", ("kind", "owner", "x", "y"), limit=4):
        owner = seal.text("owner", "")
        if owner and uscc_fault(owner) is not None:
            raise seal.refusal("owner", f"{owner} 不是统一社会信用代码", f"{owner} is no credit code")
        found.append(
            FurtherSeal(
                seal.choice("kind", tuple(SEAL_KINDS)), owner, seal.number("x", high=600), seal.number("y", high=600)
            )
        )
    return tuple(found)


def _record(member: Member, fields: Mapping[str, FieldSchema], required: frozenset[str]) -> RecordRule:
    def field(holder: Member, name: str, *, formats: tuple[str, ...] = (), must: bool = True) -> str:
        value = holder.text(name)
        if value not in fields or (must and value not in required):
            raise holder.refusal(name, f"{value} 不是必填字段", f"{value} is not a required field of the schema")
        if formats and fields[value].format not in formats:
            raise holder.refusal(
                name, f"{value} 的格式须为 {formats}", f"the format of {value} must be one of {formats}"
            )
        return value

    dates = ("date", "past-date")
    region = member.object("region", ("field", "else"))
    holders = tuple(
        HolderRule(field(h, "name"), field(h, "code"), h.choice("code_type", ("auto", "001", "111")))
        for h in member.objects("holders", ("name", "code", "code_type"), limit=4)
    )
    if not holders:
        raise member.refusal("holders", "至少一个持证主体", "at least one holder is needed")
    has_else = region.has("else")
    return RecordRule(
        holders=holders,
        region=field(region, "field", formats=("region",), must=not has_else),
        region_else=field(region, "else", formats=("uscc",)) if has_else else "",
        authority=field(member, "authority"),
        issued=field(member, "issued", formats=dates),
        valid_from=field(member, "valid_from", formats=dates),
        valid_to=field(member, "valid_to", formats=(*dates, "date-or-long")) if member.has("valid_to") else "",
        copy_number=field(member, "copy_number", formats=("integer",)) if member.has("copy_number") else "",
    )
