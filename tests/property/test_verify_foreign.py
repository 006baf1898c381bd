"""Signed PDFs that others made: none crashes or hangs the verifier, and no forged one passes for intact."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from verify import Conclusion, Integrity, TrustStore, verify_document

AT = datetime(2026, 11, 23, tzinfo=UTC)
LONGEST_MS = 5_000
MISSED_GENUINE = 6
"""Genuine files of the whole that are not called intact: VRI entries rewritten by LTA updates, lookups that fail,
objects that only an orphan cross-reference section lists."""


def test_the_corpus(corpus: Path, scale: Callable[[int, int], int]) -> None:
    listed = json.loads((corpus / "manifest.json").read_text("utf-8"))
    chosen = listed[:: max(1, len(listed) // scale(95, len(listed)))]
    missed: list[str] = []
    for entry in chosen:
        verdict = verify_document((corpus / entry["file"]).read_bytes(), trust=TrustStore(), at=AT)
        assert "INTERNAL" not in verdict.codes(), entry["file"]
        assert verdict.elapsed_ms < LONGEST_MS, entry["file"]
        assert verdict.conclusion is not Conclusion.VALID, entry["file"]
        if entry["expected"] == "genuine":
            missed += [entry["file"]] if verdict.integrity is not Integrity.INTACT else []
        elif entry.get("dimension") != "trust" and not entry.get("disputed"):
            assert verdict.integrity is not Integrity.INTACT, (entry["file"], entry["why"])
    assert len(missed) <= MISSED_GENUINE, missed
