"""What an agreement is made of: the rules a person writes, held against the schemas of both regions' types.

A rules file is JSON ``{"fields": […], "conditions": {…}, "note": {"zh", "en"}}``, each part optional, with the members
of :class:`verify.formats.agreement.FieldRule` and :class:`verify.formats.agreement.Conditions`.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from templates.registry import LicenseType
from templates.schema import canonical
from verify.formats.agreement import Conditions, FieldRule, conditions_from_json, rules_from_json
from verify.formats.jose import JoseError, strict_object
from verify.formats.members import MemberError, Members
from verify.formats.refusal import Refusal, RefusedError, Text, refuse
from verify.formats.trustlist import ListedType
from verify.mapping import BESIDE

MAX_BYTES = 500_000
_PARTS = {"fields", "conditions", "note"}


@dataclass(frozen=True, slots=True)
class AgreementRules:
    """The parts of an agreement that a person decides on."""

    fields: tuple[FieldRule, ...] = ()
    conditions: Conditions = field(default_factory=Conditions)
    note_zh: str = ""
    note_en: str = ""


def read_rules(data: bytes) -> AgreementRules:
    """Read a rules file. RefusedError (RULES_BROKEN) naming the member."""
    try:
        if len(data) > MAX_BYTES:
            raise MemberError(f"the file is larger than {MAX_BYTES} bytes")
        value = strict_object(data, "rules file")
        strange = sorted(set(value) - _PARTS)
        if strange:
            raise MemberError(f"{strange[0][:60]} is not a part of a rules file")
        note = Members(value).optional_object("note")
        return AgreementRules(
            rules_from_json(value.get("fields", [])),
            conditions_from_json(value.get("conditions", {})),
            note.text("zh", "", limit=1_000),
            note.text("en", "", limit=1_000),
        )
    except (JoseError, MemberError) as error:
        raise refuse(
            "RULES_BROKEN",
            "rules",
            f"规则文件无法读取：{error}",
            f"the rules file cannot be read: {error}",
            remedy_zh="请参照文档和示例文件改正。",
            remedy_en="Correct it after examples/agreements/road-transport.json.",
        ) from error


def check_rules(rules: AgreementRules, theirs: ListedType, ours: LicenseType, today: datetime.date) -> None:
    """RefusedError with every rule that names a field which one of the types lacks, and every required field of ours
    that nothing fills."""
    known = _properties(theirs)
    found = [*_wrong_fields(rules, known, ours, today), *_uncovered(rules, known, ours)]
    if found:
        raise RefusedError(found)


def required_fields(ours: LicenseType) -> tuple[str, ...]:
    """The required fields of one of our types, in the order of its schema."""
    return tuple(n for n in ours.schema.get("required", ()) if n in ours.fields)


def _properties(theirs: ListedType) -> set[str]:
    properties: Any = theirs.schema.get("properties")
    return set(properties) if isinstance(properties, dict) else set()


def _wrong_fields(rules: AgreementRules, known: set[str], ours: LicenseType, today: datetime.date) -> Iterator[Refusal]:
    for rule in rules.fields:
        if rule.ours not in ours.fields:
            yield _unknown(f"fields.{rule.ours}", ours.name, rule.ours, sorted(ours.fields))
            continue
        if rule.theirs and rule.theirs not in known and rule.theirs not in BESIDE:
            yield _unknown(f"fields.{rule.ours}", "", rule.theirs, sorted(known))
        values = [rule.value] if rule.value is not None else list(rule.values.values())
        for value in values:
            if canonical(ours, rule.ours, value, today=today) is None:
                yield _unfit(rule.ours, value, ours.name)
    for name in rules.conditions.only:
        if name not in known and name not in BESIDE:
            yield _unknown(f"conditions.only.{name}", "", name, sorted(known))


def _uncovered(rules: AgreementRules, known: set[str], ours: LicenseType) -> Iterator[Refusal]:
    filled = {r.ours for r in rules.fields} if rules.fields else known
    missing = [n for n in required_fields(ours) if n not in filled]
    if missing:
        names = ", ".join(missing)
        yield Refusal(
            "FIELDS_NOT_COVERED",
            "fields",
            Text(f"本地类型的必填字段没有来源：{'、'.join(missing)}", f"nothing fills required fields here: {names}"),
            Text("请在规则文件中逐一给出来源或固定值。", "Give each a source or a constant in the rules file."),
        )


def _unknown(where: str, ours: str, name: str, known: list[str]) -> Refusal:
    whose = (f"本地类型 {ours} ", f"our type {ours}") if ours else ("对方的类型", "their type")
    listed = ", ".join(known[:40])
    return Refusal(
        "FIELD_UNKNOWN",
        where,
        Text(f"{whose[0]}没有字段 {name}", f"{whose[1]} has no field {name}"),
        Text(f"可用的字段：{'、'.join(known[:40])}", f"It has: {listed}"),
    )


def _unfit(name: str, value: str, ours: str) -> Refusal:
    return Refusal(
        "FIELD_VALUE",
        f"fields.{name}",
        Text(f"{ours} 的字段 {name} 不能取值“{value}”", f"field {name} of {ours} does not take “{value}”"),
        Text("请给出符合该字段规定的值。", "Give a value that the field takes."),
    )
