"""License numbers in sequence: which counter a number comes from, and the numbers themselves.

A counter belongs to everything that stands in the number beside the serial (type, region, year, mapped fields), so
numbers begin at 1 in each. A number that is taken already, as after a change of the rule, is passed over.
"""

from __future__ import annotations

from collections.abc import Sequence

from certvault.cipher import Cipher
from certvault.db.unit_of_work import UnitOfWork
from templates.registry import LicenseType
from templates.schema import CheckedData, make_number

_TRIES = 50


def number_index(cipher: Cipher, type_name: str, number: str) -> str:
    """The blind index of a number among those of one type: a number may be a citizen's code."""
    return cipher.index(f"number:{type_name}", number)


def counter_of(license_type: LicenseType, checked: CheckedData) -> str:
    """The name of the counter for these data."""
    rule = license_type.number
    parts = [license_type.name]
    if "{region}" in rule.pattern:
        parts.append(checked.region)
    if "{year}" in rule.pattern:
        parts.append(f"{checked.issued.year:04d}")
    parts += [f"{name}={m.values[checked.fields[m.field]]}" for name, m in sorted(rule.maps.items())]
    return "number:" + ":".join(parts)


def allot_numbers(
    uow: UnitOfWork, cipher: Cipher, license_type: LicenseType, checked: Sequence[CheckedData]
) -> list[str]:
    """The next number for each, in order; the counters are locked until the transaction ends."""
    numbers: list[str] = []
    for one in checked:
        counter = counter_of(license_type, one)
        for _ in range(_TRIES):
            number = make_number(license_type, one, uow.next_numbers(counter))
            if not uow.view.licenses.by_number(license_type.name, [number_index(cipher, license_type.name, number)]):
                break
        numbers.append(number)
    return numbers
