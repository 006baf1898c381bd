"""Rules between the fields of a license, stated as data in ``rules.json``.

| rule | members | demands |
|---|---|---|
| ``not_after`` | first, second | first is the same day as second or earlier |
| ``before`` | first, second | first is earlier than second |
| ``at_most_years`` | first, second, years | second lies at most that many years after first |
| ``at_least_years`` | first, second, years | second lies at least that many years after first (ages) |
| ``same_region`` | first, second, digits | the region inside a credit code agrees with second in that many digits |
| ``birth_date`` | first, second | the citizen number's date of birth is second |
| ``sex`` | first, second | the citizen number's 17th digit fits the sex (男/女) |
| ``different`` | first, second | they differ |
| ``required_if`` | second, when | second is there when the condition holds |

A rule runs only when the fields it names are there and right by themselves. ``field`` names the field to blame
(default: second).
"""

from __future__ import annotations

import datetime
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from templates.conditions import Condition, read_condition
from templates.formats import LONG_TERM
from templates.members import Member, type_refusal
from verify.formats.refusal import Refusal, Text

_KNOWN = ("rule", "first", "second", "years", "digits", "when", "field", "condition", "comment")
_KINDS = (
    "not_after", "before", "at_most_years", "at_least_years", "same_region", "birth_date", "sex", "different",
    "required_if",
)  # fmt: skip
MAX_RULES = 100


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of the table above; ``condition`` limits when it applies."""

    kind: str
    first: str
    second: str
    blamed: str
    years: int
    digits: int
    condition: Condition | None

    def check(self, fields: Mapping[str, str], titles: Mapping[str, Text]) -> Refusal | None:
        """The refusal, or None when the rule holds or does not apply."""
        if self.condition is not None and not self.condition.holds(fields):
            return None
        if self.kind == "required_if":
            return None if fields.get(self.second) else missing(self.second, titles[self.second])
        first, second = fields.get(self.first), fields.get(self.second)
        if not first or not second or LONG_TERM in (first, second) or self._holds(first, second):
            return None
        zh, en = self._reason(titles[self.first], titles[self.second], first, second)
        remedy = Text("请核对这两项", "check these two fields")
        return Refusal("RULE_" + self.kind.upper(), self.blamed, Text(zh, en), remedy)

    def _holds(self, first: str, second: str) -> bool:
        match self.kind:
            case "not_after":
                return first <= second
            case "before":
                return first < second
            case "at_most_years":
                return second <= years_after(first, self.years)
            case "at_least_years":
                return second >= years_after(first, self.years)
            case "same_region":
                region = first[2:8] if len(first) == 18 else first
                return region[: self.digits] == second[: self.digits]
            case "birth_date":
                return first[6:14] == second.replace("-", "")
            case "sex":
                return (int(first[16]) % 2 == 1) == (second == "男")
            case _:
                return first != second

    def _reason(self, a: Text, b: Text, first: str, second: str) -> tuple[str, str]:
        match self.kind:
            case "not_after":
                return f"{a.zh}（{first}）晚于{b.zh}（{second}）", f"{a.en} ({first}) is after {b.en} ({second})"
            case "before":
                return f"{b.zh}（{second}）须晚于{a.zh}（{first}）", f"{b.en} ({second}) must be after {a.en} ({first})"
            case "at_most_years":
                return (
                    f"{b.zh}（{second}）超过{a.zh}（{first}）起 {self.years} 年",
                    f"{b.en} ({second}) is more than {self.years} years after {a.en} ({first})",
                )
            case "at_least_years":
                return (
                    f"{b.zh}（{second}）距{a.zh}（{first}）不满 {self.years} 年",
                    f"{b.en} ({second}) is less than {self.years} years after {a.en} ({first})",
                )
            case "same_region":
                return (
                    f"{a.zh}所含地区与{b.zh}（{second}）不符",
                    f"the region in {a.en} is not that of {b.en} ({second})",
                )
            case "birth_date":
                return (
                    f"{a.zh}中的出生日期与{b.zh}（{second}）不符",
                    f"the birth date in {a.en} is not {b.en} ({second})",
                )
            case "sex":
                return (
                    f"{a.zh}的顺序码与{b.zh}（{second}）不符",
                    f"the sex digit in {a.en} does not fit {b.en} ({second})",
                )
            case _:
                return f"{a.zh}与{b.zh}不能相同", f"{a.en} and {b.en} must not be the same"


def missing(field: str, title: Text) -> Refusal:
    """The refusal for a field that must be there and is not."""
    return Refusal(
        "MISSING_FIELD",
        field,
        Text(f"缺少{title.zh}", f"{title.en} is missing"),
        Text(f"请填写{title.zh}", f"give {title.en}"),
    )


def years_after(day: str, years: int) -> str:
    """The same day ``years`` later, ISO 8601 (29 February becomes 1 March)."""
    date = datetime.date.fromisoformat(day)
    try:
        return date.replace(year=date.year + years).isoformat()
    except ValueError:
        return datetime.date(date.year + years, 3, 1).isoformat()


def read_rules(value: Any, fields: Collection[str], file: str = "rules.json") -> tuple[Rule, ...]:
    """Read ``rules.json``: a list of rules over ``fields``."""
    if not isinstance(value, list) or len(value) > MAX_RULES:
        raise type_refusal(file, f"应为不超过 {MAX_RULES} 条规则的列表", f"must be a list of at most {MAX_RULES} rules")
    return tuple(_read_rule(item, fields, file, f"[{i}]") for i, item in enumerate(value))


def _read_rule(value: Any, fields: Collection[str], file: str, path: str) -> Rule:
    member = Member(value, file, path, _KNOWN)
    kind = member.choice("rule", _KINDS)
    second = _field(member, "second", fields)
    first = second if kind == "required_if" else _field(member, "first", fields)
    name = "when" if kind == "required_if" else "condition"
    condition = None
    if kind == "required_if" or member.has(name):
        condition = read_condition(member.raw(name), file, f"{path}.{name}", fields)
    years = member.integer("years", low=0, high=150) if kind.endswith("_years") else 0
    digits = member.integer("digits", 6, low=2, high=6)
    blamed = _field(member, "field", fields) if member.has("field") else second
    return Rule(kind, first, second, blamed, years, digits, condition)


def _field(member: Member, name: str, fields: Collection[str]) -> str:
    field = member.text(name)
    if field not in fields:
        raise member.refusal(name, f"数据结构中没有字段 {field}", f"the schema has no field {field}")
    return field
