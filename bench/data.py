"""Invented business licenses, as many as wanted, each with a credit code of its own that passes every check."""

from __future__ import annotations

import json
from pathlib import Path

from verify.formats.codes import org_check, uscc_check

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"
_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"


def credit_code(number: int, region: str) -> str:
    """The ``number``-th invented credit code of a company in ``region``."""
    body = ""
    for _ in range(6):
        number, digit = divmod(number, len(_ALPHABET))
        body = _ALPHABET[digit] + body
    stem = f"91{region}MA{body}"
    stem += org_check(stem[8:])
    return stem + uscc_check(stem)


def business_license(number: int) -> dict[str, object]:
    """The example's data under the ``number``-th credit code whose check characters are of the code's alphabet."""
    data: dict[str, object] = json.loads((EXAMPLES / "business-license.json").read_text("utf-8"))
    data["unified_social_credit_code"] = credit_code(number, str(data["region_code"])[:6])
    return data
