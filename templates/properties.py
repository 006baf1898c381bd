"""``schema.json``: the fields of a type, as JSON Schema 2020-12 in a small closed vocabulary.

Every value is text. Keywords of a field: ``title`` (Chinese), ``x-title-en``, ``x-aliases`` (further Chinese column
headings), ``x-format`` (see :mod:`templates.formats`), ``x-personal``, ``minLength``, ``maxLength``, ``pattern``,
``enum``, ``description``, ``examples``. Other keywords are refused, so that what ``types show`` prints is all that is
checked.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from templates.formats import READERS
from templates.members import Member
from templates.patterns import safe_pattern
from verify.formats.refusal import Text

_FILE = "schema.json"
_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_ROOT = (
    "$schema",
    "$id",
    "title",
    "x-title-en",
    "description",
    "type",
    "properties",
    "required",
    "additionalProperties",
)
_PROPERTY = (
    "type", "title", "x-title-en", "x-aliases", "x-format", "x-personal", "minLength", "maxLength", "pattern", "enum",
    "description", "examples",
)  # fmt: skip
_FIELD_NAME = re.compile(r"[a-z][a-z0-9_]{0,59}")
_RESERVED = ("number", "identifier", "version")
MAX_FIELDS = 80
MAX_LENGTH = 4000


@dataclass(frozen=True, slots=True)
class FieldSchema:
    """One field: its titles, its format, and what JSON Schema says of it. ``longest`` is its maxLength."""

    name: str
    title: Text
    aliases: tuple[str, ...]
    format: str
    personal: bool
    shortest: int
    longest: int
    pattern: re.Pattern[str] | None
    enum: tuple[str, ...]


def read_schema(value: Any) -> tuple[dict[str, FieldSchema], frozenset[str]]:
    """The fields in their order, and the names of the required ones. Refuses anything outside the vocabulary."""
    root = Member(value, _FILE, "", _ROOT)
    if root.text("$schema", _DIALECT) != _DIALECT or root.text("type") != "object":
        raise root.refusal("$schema", f"应为 {_DIALECT} 的 object", f"must be an object of {_DIALECT}")
    properties = root.raw("properties")
    if not isinstance(properties, dict) or not 1 <= len(properties) <= MAX_FIELDS:
        raise root.refusal("properties", f"须有 1 至 {MAX_FIELDS} 个字段", f"must hold 1 to {MAX_FIELDS} fields")
    fields = {
        name: _field(name, Member(item, _FILE, f"properties.{name}", _PROPERTY)) for name, item in properties.items()
    }
    _distinct_titles(root, fields)
    required = root.texts("required")
    for name in required:
        if name not in fields:
            raise root.refusal("required", f"没有字段 {name}", f"there is no field {name}")
    return fields, frozenset(required)


def _field(name: str, member: Member) -> FieldSchema:
    if not _FIELD_NAME.fullmatch(name) or name in _RESERVED:
        raise member.refusal(
            "", "字段名不可用", "the field name is not usable (lower-case, digits, _; not a reserved word)"
        )
    member.choice("type", ("string",))
    form = member.choice("x-format", tuple(READERS), "") if member.has("x-format") else ""
    enum = member.texts("enum")
    if member.has("enum") and not enum:
        raise member.refusal("enum", "不能为空", "must not be empty")
    shortest = member.integer("minLength", 1, low=0, high=MAX_LENGTH)
    longest = member.integer("maxLength", low=1, high=MAX_LENGTH)
    member.text("description", "")
    member.texts("examples", limit=20)
    if shortest > longest:
        raise member.refusal("minLength", "大于 maxLength", "is larger than maxLength")
    return FieldSchema(
        name=name,
        title=Text(member.text("title", limit=60), member.text("x-title-en", limit=120)),
        aliases=member.texts("x-aliases", limit=20),
        format=form,
        personal=member.boolean("x-personal"),
        shortest=shortest,
        longest=longest,
        pattern=safe_pattern(member, "pattern", longest) if member.has("pattern") else None,
        enum=enum,
    )


def _distinct_titles(root: Member, fields: Mapping[str, FieldSchema]) -> None:
    seen: dict[str, str] = {}
    for field in fields.values():
        for title in {field.title.zh, *field.aliases}:
            if title in seen or title in fields:
                raise root.refusal(
                    f"properties.{field.name}.title", f"标题 {title} 重复", f"the title {title} stands twice"
                )
            seen[title] = field.name
