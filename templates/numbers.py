"""Number rules of license types: a number that is a field of the data, or one that is allotted in sequence.

A pattern is text with places: ``{region}`` (6 digits), ``{year}`` (of issue), ``{serial:N}`` (N digits, leading zeros),
``{map:NAME}`` (a table from a field's value to text) and ``{check:mod11_10}`` (check digit of GB/T 17710 MOD 11,10 over
all digits before it).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from dataclasses import field as member_default

from templates.members import Member
from verify.formats.refusal import refuse

_PLACE = re.compile(r"\{([a-z]+)(?::([a-z0-9_]+))?\}")
_KNOWN = ("rule", "field", "pattern", "maps", "example", "comment")


@dataclass(frozen=True, slots=True)
class NumberMap:
    """From the value of ``field`` to the text that stands in the number."""

    field: str
    values: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class NumberRule:
    """``rule`` is ``field`` (then ``field`` names it) or ``sequence`` (then ``pattern`` says how).

    ``is_example`` marks a rule whose official form is not known to us.
    """

    rule: str
    field: str = ""
    pattern: str = ""
    maps: Mapping[str, NumberMap] = member_default(default_factory=dict)
    is_example: bool = False

    def widest(self) -> str:
        """A number as wide as any this rule makes (digits are of one width)."""
        widths = {"region": 6, "year": 4, "check": 1, "map": 4}
        return _PLACE.sub(lambda m: "8" * (widths[m[1]] if m[1] in widths else int(m[2])), self.pattern)


def check_mod11_10(digits: str) -> str:
    """Check digit of GB/T 17710 = ISO 7064 MOD 11,10 over ``digits``."""
    p = 10
    for c in digits:
        p = (p + int(c)) % 10 or 10
        p = p * 2 % 11
    return str((11 - p) % 10)


@dataclass(frozen=True, slots=True)
class NumberSource:
    """What a number is made from: the data, the region, the year of issue, the serial allotted."""

    fields: Mapping[str, str]
    region: str
    year: int
    serial: int


def fill(rule: NumberRule, source: NumberSource) -> str:
    """The number for one license. Refused (NUMBERS_EXHAUSTED) when the serial outgrows its place."""
    out = ""
    end = 0
    for match in _PLACE.finditer(rule.pattern):
        out += rule.pattern[end : match.start()]
        out += _place(rule, match[1], match[2] or "", out, source)
        end = match.end()
    return out + rule.pattern[end:]


def _place(rule: NumberRule, kind: str, argument: str, before: str, source: NumberSource) -> str:
    match kind:
        case "region":
            return source.region
        case "year":
            return f"{source.year:04d}"
        case "map":
            return rule.maps[argument].values[source.fields[rule.maps[argument].field]]
        case "check":
            return check_mod11_10("".join(c for c in before if c.isdigit()))
        case _:
            return _serial(source.serial, int(argument))


def _serial(serial: int, width: int) -> str:
    if not 1 <= serial < 10**width:
        raise refuse(
            "NUMBERS_EXHAUSTED",
            "number",
            f"流水号 {serial} 超出 {width} 位",
            f"the serial {serial} does not fit {width} digits",
            remedy_zh="请为该类型发布号码更长的新版本",
            remedy_en="publish a version of the type with a longer number",
        )
    return f"{serial:0{width}d}"


def read_number_rule(
    member: Member, schema: Mapping[str, Mapping[str, object]], required: Collection[str]
) -> NumberRule:
    """Read the ``number`` member of ``type.json``; ``schema`` maps fields to property schemas."""
    kind = member.choice("rule", ("field", "sequence"))
    if kind == "field":
        name = member.text("field")
        if name not in required:
            raise member.refusal("field", f"{name} 不是必填字段", f"{name} is not a required field")
        return NumberRule(kind, field=name)
    pattern = member.text("pattern", limit=80)
    maps = _maps(member, schema, required)
    places = [(m[1], m[2]) for m in _PLACE.finditer(pattern)]
    if "{" in _PLACE.sub("", pattern) or [p for p, _ in places].count("serial") != 1:
        raise member.refusal("pattern", "须有且只有一个 {serial:N}", "must hold exactly one {serial:N}")
    for place, argument in places:
        good = {
            "region": argument is None,
            "year": argument is None,
            "serial": argument is not None and argument.isdigit() and 1 <= int(argument) <= 12,
            "check": argument == "mod11_10",
            "map": argument in maps,
        }.get(place, False)
        if not good:
            raise member.refusal("pattern", f"不认识的占位 {place}:{argument}", f"unknown place {place}:{argument}")
    return NumberRule(kind, pattern=pattern, maps=maps, is_example=member.boolean("example"))


def _maps(
    member: Member, schema: Mapping[str, Mapping[str, object]], required: Collection[str]
) -> dict[str, NumberMap]:
    if not member.has("maps"):
        return {}
    raw = member.raw("maps")
    if not isinstance(raw, dict):
        raise member.refusal("maps", "应为对象", "must be an object")
    names = list(raw)
    maps = {}
    for name, item in ((n, member.object("maps", names).object(n, ("field", "values"))) for n in names):
        source = item.text("field")
        values = item.raw("values")
        allowed = schema.get(source, {}).get("enum")
        if source not in required or not isinstance(allowed, list):
            raise item.refusal("field", "须为必填的枚举字段", "must be a required field with an enum")
        if (
            not isinstance(values, dict)
            or set(values) != set(allowed)
            or not all(isinstance(v, str) and re.fullmatch(r"[0-9A-Z]{1,4}", v) for v in values.values())
        ):
            raise item.refusal("values", "须为每个枚举值给出代码", "must give a code for each value of the enum")
        maps[name] = NumberMap(source, values)
    return maps
