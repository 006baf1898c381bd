"""Invented data, as many as wanted: the shipped examples under codes of their own that pass every check."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from pathlib import Path

from verify.formats.codes import citizen_fault, org_check, uscc_check, uscc_fault

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"
_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"


def credit_codes(region: str) -> Iterator[str]:
    """Invented unified social credit codes of companies in ``region``."""
    for digits in itertools.product(_ALPHABET, repeat=6):
        body = "MA" + "".join(digits)
        check = org_check(body)
        if check in _ALPHABET:  # GB 11714 knows letters that GB 32100 leaves out
            stem = f"91{region}{body}{check}"
            yield stem + uscc_check(stem)


def citizen_numbers(like: str) -> Iterator[str]:
    """Citizen numbers of the same place, day of birth and sex as ``like``."""
    for order in range(int(like[16]) % 2, 1000, 2):
        stem = f"{like[:14]}{order:03d}"
        yield from (stem + c for c in "0123456789X" if citizen_fault(stem + c) is None)


def examples(type_name: str) -> Iterator[dict[str, object]]:
    """The example's data over and over, each time with another credit code or citizen number in its place."""
    data: dict[str, object] = json.loads((EXAMPLES / f"{type_name}.json").read_text("utf-8"))
    places = {name: str(value) for name, value in data.items() if isinstance(value, str)}
    companies = [n for n, v in places.items() if v.startswith("91") and uscc_fault(v) is None]
    people = [n for n, v in places.items() if citizen_fault(v) is None]
    sources = {n: credit_codes(places[n][2:8]) for n in companies} | {n: citizen_numbers(places[n]) for n in people}
    while True:
        yield data | {name: next(source) for name, source in sources.items()}
