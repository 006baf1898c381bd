"""All that a report on one file is made of, as JSON: a confined process can hand it to the one that signs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from verify.report.pictures import pictures_json

if TYPE_CHECKING:
    from verify.verdict import Verdict

LANGUAGES = ("zh", "en")


def material_json(verdict: Verdict, data: bytes, password: str | None = None) -> dict[str, Any]:
    """``{"zh": report, "en": report, "pictures": [...]}``, each report to the depth of facts."""
    reports = {lang: verdict.to_json(lang, depth="facts") for lang in LANGUAGES}
    return {**reports, "pictures": pictures_json(verdict, data, password)}
