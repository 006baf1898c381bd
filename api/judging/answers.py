"""What a judge sends back for one file: the verdict in both languages, a report of some depth, or its material."""

from __future__ import annotations

from typing import Any

from verify.report.material import material_json
from verify.verdict import Verdict

MATERIAL = "material"
"""The depth that asks for everything a signed report is made of, pictures included."""


def answer_json(verdict: Verdict, depth: str | None, data: bytes = b"", password: str | None = None) -> dict[str, Any]:
    """``{"zh": …, "en": …}`` to the depth asked for, with ``pictures`` besides for :data:`MATERIAL`."""
    if depth == MATERIAL:
        return material_json(verdict, data, password)
    return {lang: verdict.to_json(lang, depth=depth) for lang in ("zh", "en")}
