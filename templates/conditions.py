"""Conditions over a license's data, as the rules and layouts of a type state them.

``{"field": "type", "contains": "个体工商户"}``, ``{"field": "x", "in": ["a", "b"]}``,
``{"field": "x", "present": true}``, ``{"not": …}``, ``{"any": […]}``, ``{"all": […]}``.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from templates.members import Member

_KNOWN = ("field", "contains", "in", "present", "not", "any", "all")


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition. ``kind`` is ``contains``, ``in``, ``present``, ``not``, ``any`` or ``all``."""

    kind: str
    field: str = ""
    values: tuple[str, ...] = ()
    expected: bool = True
    parts: tuple[Condition, ...] = ()

    def holds(self, fields: Mapping[str, str]) -> bool:
        """Whether it holds for these fields."""
        value = fields.get(self.field, "")
        match self.kind:
            case "contains":
                return any(word in value for word in self.values)
            case "in":
                return value in self.values
            case "present":
                return bool(value) == self.expected
            case "not":
                return not self.parts[0].holds(fields)
            case "any":
                return any(part.holds(fields) for part in self.parts)
            case _:
                return all(part.holds(fields) for part in self.parts)


def read_condition(value: Any, file: str, path: str, fields: Collection[str], depth: int = 0) -> Condition:
    """Read a condition; the fields it names must be among ``fields``."""
    member = Member(value, file, path, _KNOWN)
    if depth > 4:
        raise member.refusal("", "条件嵌套过深", "the condition is nested too deeply")
    for kind in ("any", "all"):
        if member.has(kind):
            parts = member.raw(kind)
            if not isinstance(parts, list) or not 1 <= len(parts) <= 20:
                raise member.refusal(kind, "应为 1 至 20 个条件", "must be a list of 1 to 20 conditions")
            read = (read_condition(p, file, f"{path}.{kind}[{i}]", fields, depth + 1) for i, p in enumerate(parts))
            return Condition(kind, parts=tuple(read))
    if member.has("not"):
        return Condition("not", parts=(read_condition(member.raw("not"), file, f"{path}.not", fields, depth + 1),))
    field = member.text("field")
    if field not in fields:
        raise member.refusal("field", f"数据结构中没有字段 {field}", f"the schema has no field {field}")
    if member.has("contains"):
        value = member.raw("contains")
        return Condition("contains", field, (value,) if isinstance(value, str) else member.texts("contains"))
    if member.has("in"):
        return Condition("in", field, member.texts("in"))
    return Condition("present", field, expected=member.boolean("present", True))
