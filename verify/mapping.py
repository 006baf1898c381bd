"""A license's data in another region's schema, by the field rules of an agreement. Pure.

A rule names the field of theirs, or a name of GB/T 36903 for what every license has beside its fields (:data:`BESIDE`):
so a code, which carries no fields, yields its number and holder as well. What our own schema would not let stand in
a field (:func:`fits`) is not put there, whatever another region's license says.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from verify.formats.agreement import FieldRule
from verify.formats.codes import citizen_fault, uscc_fault
from verify.verdict import LicenseView

BESIDE = (
    "certificateIdentifier",
    "certificateNumber",
    "certificateHolderName",
    "certificateHolderCode",
    "certificateIssuingAuthorityName",
)
"""What a rule may name as ``theirs`` beside the fields of the type."""


@dataclass(frozen=True, slots=True)
class Mapped:
    """``license``: our field → value. ``missing``: fields of ours whose source the license lacks. ``strange``: field of
    ours → a value of theirs that the rule does not translate, or that our schema does not let stand. ``dropped``:
    fields of theirs that nobody asked for. ``renamed``: theirs → ours, where the names differ."""

    license: Mapping[str, str]
    missing: tuple[str, ...] = ()
    strange: Mapping[str, str] = field(default_factory=dict)
    dropped: tuple[str, ...] = ()
    renamed: tuple[tuple[str, str], ...] = ()


def source_of(view: LicenseView, name: str) -> str | None:
    """The value of a field of theirs, or of what stands beside the fields; None where the license lacks it."""
    if name in view.fields:
        return view.fields[name]
    holder = view.holders[0] if len(view.holders) == 1 else None
    beside = {
        "certificateIdentifier": view.identifier,
        "certificateNumber": view.number,
        "certificateHolderName": holder.name if holder else "",
        "certificateHolderCode": holder.code if holder else "",
        "certificateIssuingAuthorityName": view.issuer,
    }
    return beside.get(name) or None


def fits(value: str, schema: Any) -> bool:
    """Whether the JSON Schema of a field lets the value stand: its length, enumeration, a day, a code.

    Patterns are not run: a schema may come with a kit, and an expression can be made that takes for ever.
    """
    if not isinstance(schema, Mapping):
        return True
    shortest, longest, listed = schema.get("minLength"), schema.get("maxLength"), schema.get("enum")
    if (isinstance(shortest, int) and len(value) < shortest) or (isinstance(longest, int) and len(value) > longest):
        return False
    if isinstance(listed, list) and value not in listed:
        return False
    form = schema.get("x-format")
    return not isinstance(form, str) or form not in _FORMS or _FORMS[form](value)


def _is_day(value: str) -> bool:
    try:
        return datetime.date.fromisoformat(value).isoformat() == value
    except ValueError:
        return False


_FORMS: Mapping[str, Callable[[str], bool]] = {
    "date": _is_day,
    "past-date": _is_day,
    "uscc": lambda value: uscc_fault(value) is None,
    "citizen-number": lambda value: citizen_fault(value) is None,
}


def map_fields(
    view: LicenseView,
    rules: tuple[FieldRule, ...],
    ours: tuple[str, ...] | None,
    required: tuple[str, ...],
    schema: Mapping[str, Any] | None = None,
) -> Mapped:
    """The license's data as ``ours`` (all fields of our type; None: not known) by ``rules``.

    Without rules, fields of the same name are taken over; with rules, nothing but what they say. ``schema`` is the
    JSON Schema of each field of ours.
    """
    mapped = _by_rules(view, rules, required) if rules else _by_name(view, ours, required)
    odd = {k: v for k, v in mapped.license.items() if not fits(v, (schema or {}).get(k))}
    if not odd:
        return mapped
    kept = {k: v for k, v in mapped.license.items() if k not in odd}
    return replace(mapped, license=kept, strange={**mapped.strange, **odd})


def _by_name(view: LicenseView, ours: tuple[str, ...] | None, required: tuple[str, ...]) -> Mapped:
    taken = {k: v for k, v in view.fields.items() if ours is None or k in ours}
    missing = tuple(r for r in required if not taken.get(r))
    return Mapped(taken, missing, dropped=tuple(k for k in view.fields if k not in taken))


def _by_rules(view: LicenseView, rules: tuple[FieldRule, ...], required: tuple[str, ...]) -> Mapped:
    found, missing_, strange = dict[str, str](), list[str](), dict[str, str]()
    for rule in rules:
        value = rule.value if rule.value is not None else source_of(view, rule.theirs)
        if value is None:
            missing_.append(rule.ours)
        elif rule.values and value not in rule.values:
            strange[rule.ours] = value
        else:
            found[rule.ours] = rule.values.get(value, value)
    lacking = [r for r in required if not found.get(r) and r not in strange and r not in missing_]
    used = {r.theirs for r in rules}
    renamed = tuple((r.theirs, r.ours) for r in rules if r.theirs and r.theirs != r.ours and r.ours in found)
    dropped = tuple(k for k in view.fields if k not in used)
    return Mapped(found, (*missing_, *lacking), strange, dropped, renamed)
