"""Checking the data of one license: all faults at once, each with field, reason and remedy.

Steps: keys to English names (Chinese titles and aliases are accepted) → plain text → characters → format → length,
pattern and list of the JSON Schema → rules between fields → what the record needs.
"""

from __future__ import annotations

import datetime
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass

from templates.formats import LONG_TERM, READERS, FormatError
from templates.numbers import NumberSource, fill
from templates.properties import FieldSchema
from templates.regions import is_known_region
from templates.registry import HolderRule, LicenseType
from templates.rules import missing
from verify.formats.codes import citizen_fault
from verify.formats.license import Holder
from verify.formats.refusal import Refusal, RefusedError, Text, printable

MAX_KEYS = 200
MAX_VALUE = 100_000
# Invisible, direction-changing or unassigned: Cc controls, Cf format, Cs surrogates, Co private use, Cn unassigned,
# Zl and Zp separators.
_REFUSED_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_RIGHT_TO_LEFT = frozenset({"R", "AL", "AN"})
_LIGATURE = re.compile("[\ufb00-\ufb06]")


@dataclass(frozen=True, slots=True)
class CheckedData:
    """Data that passed. ``fields`` maps English names to canonical text (dates ISO 8601, codes in capitals).

    ``number`` is set when the type's number is one of its fields. ``ignored`` are the keys that matched nothing.
    """

    fields: Mapping[str, str]
    holders: tuple[Holder, ...]
    number: str | None
    region: str
    authority: str
    issued: datetime.date
    valid_from: datetime.date
    valid_to: datetime.date | None
    copy_number: int | None
    ignored: tuple[str, ...]


def check(type: LicenseType, data: Mapping[str, object], *, today: datetime.date) -> CheckedData:
    """Check ``data`` for a license of ``type``; ``today`` is the day in China on which it is read.

    Raises RefusedError with every fault found.
    """
    faults: list[Refusal] = []
    raw, ignored = _by_field(type, data, faults)
    fields: dict[str, str] = {}
    blamed = {f.field for f in faults}
    for name, field in type.fields.items():
        if name in blamed:
            continue
        text = _plain(field, raw.get(name), faults)
        if text:
            value = _canonical(field, text, today, faults)
            if value is not None:
                fields[name] = value
    blamed = {f.field for f in faults}
    required = type.schema.get("required", [])
    faults += [missing(n, type.fields[n].title) for n in required if n not in fields and n not in blamed]
    faults += _rule_faults(type, fields, {f.field for f in faults})
    faults += _region_fault(type, fields, {f.field for f in faults})
    if faults:
        order = {name: i for i, name in enumerate(type.fields)}
        raise RefusedError(sorted(faults, key=lambda f: order.get(f.field, len(order))))
    return _checked(type, fields, tuple(ignored))


def make_number(type: LicenseType, checked: CheckedData, serial: int) -> str:
    """The license number under ``serial`` for a type whose numbers are allotted (rule ``sequence``)."""
    if checked.number is not None:
        return checked.number
    return fill(type.number, NumberSource(checked.fields, checked.region, checked.issued.year, serial))


def _by_field(
    type: LicenseType, data: Mapping[str, object], faults: list[Refusal]
) -> tuple[dict[str, object], list[str]]:
    """Values by English name, and the keys that match no field."""
    if not isinstance(data, Mapping) or len(data) > MAX_KEYS:
        raise RefusedError(
            Refusal(
                "BAD_DATA",
                "",
                Text("数据应为对象且不超过 200 项", "the data must be an object of at most 200 members"),
                Text("请按类型的数据结构提交", "send it after the schema of the type"),
            )
        )
    names = _names(type)
    found: dict[str, object] = {}
    ignored: list[str] = []
    for key, value in data.items():
        name = names.get(_heading(str(key)))
        if name is None:
            ignored.append(printable(str(key)[:200]))
        elif name in found and _has_value(found[name]) and _has_value(value) and found[name] != value:
            title = type.fields[name].title
            faults.append(
                Refusal(
                    "GIVEN_TWICE",
                    name,
                    Text(f"{title.zh}出现两次且不一致", f"{title.en} is given twice, differently"),
                    Text("请只保留一个", "keep only one"),
                )
            )
        elif name not in found or _has_value(value):
            found[name] = value
    return found, ignored


def field_named(type: LicenseType, heading: str) -> str | None:
    """The English name of the field that ``heading`` (a name, a Chinese title, an alias) means; None for none."""
    return _names(type).get(_heading(heading))


def canonical(type: LicenseType, name: str, value: object, *, today: datetime.date) -> str | None:
    """One value as a license would store it, by the field's English name; None for what it would not take."""
    faults: list[Refusal] = []
    field = type.fields[name]
    text = _plain(field, value, faults)
    return _canonical(field, text, today, faults) if text and not faults else None


def _names(type: LicenseType) -> dict[str, str]:
    names = {}
    for name, field in type.fields.items():
        for key in (name, field.title.zh, *field.aliases):
            names[_heading(key)] = name
    return names


def _heading(text: str) -> str:
    """A column heading without byte order mark and outer space, full-width forms as half-width ones."""
    return unicodedata.normalize("NFKC", text.lstrip("\ufeff")).strip()


def _has_value(value: object) -> bool:
    return value is not None and (not isinstance(value, str) or bool(value.strip()))


def _plain(field: FieldSchema, value: object, faults: list[Refusal]) -> str:
    """The value as trimmed text with single spaces; empty when absent or refused."""
    if value is None:
        return ""
    if isinstance(value, datetime.datetime):
        value = value.date()
    if isinstance(value, datetime.date):
        return value.isoformat()
    if not isinstance(value, str):
        remedy = Text("请写成带引号的文本", "give it as text, in quotes")
        faults.append(_fault(field, "NOT_TEXT", Text("应为文本", "must be text"), remedy))
        return ""
    text = value
    if len(text) > MAX_VALUE:
        faults.append(_too_long(field, len(text)))
        return ""
    bad = _bad_character(text.strip())
    if bad is not None:
        point = f"U+{ord(bad):04X}"
        reason = Text(
            f"含有控制、不可见或从右向左书写的字符 {point}",
            f"holds the character {point}, which is control, invisible or written from right to left",
        )
        faults.append(_fault(field, "BAD_CHARACTER", reason, Text("请删除该字符", "remove that character")))
        return ""
    # Runs of white space are one space on the page, ligatures their letters; the record says what the page says.
    return _LIGATURE.sub(lambda m: unicodedata.normalize("NFKC", m[0]), " ".join(text.split()))


def _bad_character(text: str) -> str | None:
    """The first character that no face of a license may carry: unseen ones, and scripts that run from right to left."""
    return next((c for c in text if (not c.isascii() and _is_bad(c)) or c < " " or c == "\x7f"), None)


def _is_bad(c: str) -> bool:
    if unicodedata.bidirectional(c) in _RIGHT_TO_LEFT:
        return True
    return unicodedata.category(c) in _REFUSED_CATEGORIES and not _is_ideograph(c)


def _is_ideograph(c: str) -> bool:
    """Planes 2 and 3 hold only ideographs; the newest of them are unassigned for an older Unicode table."""
    return 0x20000 <= ord(c) <= 0x3FFFD


def _canonical(field: FieldSchema, text: str, today: datetime.date, faults: list[Refusal]) -> str | None:
    if len(text) > field.longest:
        faults.append(_too_long(field, len(text)))
        return None
    if field.format:
        try:
            text = READERS[field.format](text, today)
        except FormatError as error:
            faults.append(Refusal(error.code, field.name, error.reason, error.remedy))
            return None
    fault = _shape_fault(field, text)
    if fault is not None:
        faults.append(fault)
        return None
    return text


def _shape_fault(field: FieldSchema, text: str) -> Refusal | None:
    """What JSON Schema says against a text that is not too long and of its format."""
    shown = text[:24]
    if len(text) < field.shortest:
        reason = Text(f"少于 {field.shortest} 字", f"is shorter than {field.shortest} characters")
        return _fault(field, "TOO_SHORT", reason, Text("请填写完整", "give it in full"))
    if field.enum and text not in field.enum:
        listed = "、".join(field.enum)
        reason = Text(f"“{shown}”不在允许的取值中", f"'{shown}' is not one of the allowed values")
        return _fault(field, "NOT_ALLOWED", reason, Text(f"可取：{listed}", f"use one of: {listed}"))
    if field.pattern is not None and not field.pattern.search(text):
        reason = Text(f"“{shown}”的写法不符", f"'{shown}' is not of the form asked for")
        must = field.pattern.pattern
        return _fault(field, "BAD_FORM", reason, Text(f"须符合 {must}", f"it must match {must}"))
    return None


def _rule_faults(type: LicenseType, fields: Mapping[str, str], blamed: set[str]) -> list[Refusal]:
    titles = {name: field.title for name, field in type.fields.items()}
    found: dict[str, Refusal] = {}
    for rule in type.rules:
        fault = rule.check(fields, titles)
        if fault is not None and fault.field not in blamed:
            found.setdefault(f"{fault.code} {fault.field}", fault)
    return list(found.values())


def _region_fault(type: LicenseType, fields: Mapping[str, str], blamed: set[str]) -> list[Refusal]:
    """Without a region of its own the record takes that of the credit code, which need not be one of GB/T 2260."""
    rule = type.record
    if rule.region in fields or rule.region in blamed or rule.region_else in ("", *blamed):
        return []
    code = fields.get(rule.region_else, "")
    return [] if not code or is_known_region(code[2:8]) else [missing(rule.region, type.fields[rule.region].title)]


def _checked(type: LicenseType, fields: dict[str, str], ignored: tuple[str, ...]) -> CheckedData:
    rule = type.record
    region = fields.get(rule.region) or fields[rule.region_else][2:8]
    end = fields.get(rule.valid_to, LONG_TERM) if rule.valid_to else LONG_TERM
    return CheckedData(
        fields=fields,
        holders=tuple(_holder(h, fields) for h in rule.holders),
        number=fields[type.number.field] if type.number.rule == "field" else None,
        region=region,
        authority=fields[rule.authority],
        issued=datetime.date.fromisoformat(fields[rule.issued]),
        valid_from=datetime.date.fromisoformat(fields[rule.valid_from]),
        valid_to=None if end == LONG_TERM else datetime.date.fromisoformat(end),
        copy_number=int(fields[rule.copy_number]) if rule.copy_number else None,
        ignored=ignored,
    )


def _holder(rule: HolderRule, fields: Mapping[str, str]) -> Holder:
    code = fields[rule.code]
    code_type = rule.code_type
    if code_type == "auto":
        code_type = "111" if citizen_fault(code) is None else "001"
    return Holder(fields[rule.name], code, code_type)


def _too_long(field: FieldSchema, length: int) -> Refusal:
    reason = Text(f"有 {length} 字，超过 {field.longest} 字", f"has {length} characters, more than {field.longest}")
    return _fault(field, "TOO_LONG", reason, Text("请缩短，或分列于附页", "shorten it, or move part of it to an annex"))


def _fault(field: FieldSchema, code: str, reason: Text, remedy: Text) -> Refusal:
    """A refusal whose reason begins with the field's title."""
    title = field.title
    return Refusal(code, field.name, Text(f"{title.zh}{reason.zh}", f"{title.en} {reason.en}"), remedy)
