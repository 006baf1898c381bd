"""Three depths of report on one verdict, after ETSI TS 119 102-2 and the reports of EU DSS.

``conclusion``: the separate answers with a reason each, and what to do. ``checks``: besides, every check by name with
its outcome and findings. ``facts``: besides, everything that was read. Reports only tell; the verdict has decided.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from verify.report.checks import checks_json, signature_checks_json
from verify.report.conclusion import answers_json
from verify.report.facts import facts_json
from verify.report.summary import summary

if TYPE_CHECKING:
    from verify.verdict import Verdict

DEPTHS = ("conclusion", "checks", "facts")


def report_json(verdict: Verdict, lang: str, depth: str) -> dict[str, Any]:
    """The report on ``verdict`` in ``zh`` or ``en``. ValueError for a depth that is none of :data:`DEPTHS`."""
    if depth not in DEPTHS:
        raise ValueError(f"no such depth: {depth}")
    shown = verdict.to_json(lang)
    told = summary(shown).to_json(lang)
    report: dict[str, Any] = {
        "depth": depth,
        **{name: shown[name] for name in ("kind", "integrity", "conclusion", "standing", "recognition", "at")},
        "sha256": verdict.facts.sha256 if verdict.facts else "",
        "summary": told,
        "answers": answers_json(verdict, lang),
        "next": told["advice"],
        "signatures": shown["signatures"],
        "license": shown["license"],
    }
    if depth != "conclusion":
        report["signatures"] = [
            {**s.to_json(lang), "checks": signature_checks_json(verdict, s, lang)} for s in verdict.signatures
        ]
        report["checks"] = checks_json(verdict, lang)
        report["findings"] = shown["findings"]
    if depth == "facts":
        report["facts"] = facts_json(verdict)
    report["elapsed_ms"] = shown["elapsed_ms"]
    return report
