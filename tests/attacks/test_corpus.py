"""Signed files that others made: what their makers say of them, and pyHanko as a second opinion on its own."""

from __future__ import annotations

import io
import json
import logging
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from verify import Integrity, TrustStore, Verdict, verify_document
from verify.checks.changes.judge import Judge
from verify.formats.pdffile import PdfError, PdfFile
from verify.formats.pdfsignatures import find_signatures

_AT = datetime(2026, 11, 1, tzinfo=UTC)
_OF_LATER_CHANGES = {"CHANGE_NOT_PERMITTED", "CHANGE_NOT_UNDERSTOOD", "BYTES_UNACCOUNTED"}

Case = tuple[dict[str, Any], bytes]


@pytest.fixture(scope="module")
def cases(corpus: Path) -> list[Case]:
    entries = json.loads((corpus / "manifest.json").read_text(encoding="utf-8"))
    return [(e, (corpus / e["file"]).read_bytes()) for e in entries if not e.get("disputed")]


@pytest.fixture(scope="module")
def verdicts(cases: list[Case]) -> list[tuple[dict[str, Any], Verdict]]:
    return [(e, verify_document(pdf, trust=TrustStore(), at=_AT)) for e, pdf in cases]


def test_later_changes_in_genuine_files_are_permitted_ones(verdicts: list[tuple[dict[str, Any], Verdict]]) -> None:
    genuine = [(e["file"], v.codes() & _OF_LATER_CHANGES) for e, v in verdicts if e["expected"] == "genuine"]
    assert len(genuine) == 178
    assert [found for found in genuine if found[1]] == []


@pytest.mark.parametrize("label", ["altered", "attack"])
def test_no_changed_or_forged_file_is_intact(verdicts: list[tuple[dict[str, Any], Verdict]], label: str) -> None:
    judged = [(e["file"], v.integrity) for e, v in verdicts if e["expected"] == label]
    assert judged
    assert {answer for _, answer in judged} == {Integrity.ALTERED}


def test_a_refused_change_names_a_place(verdicts: list[tuple[dict[str, Any], Verdict]]) -> None:
    for entry, verdict in verdicts:
        for found in verdict.findings:
            if found.code == "CHANGE_NOT_PERMITTED":
                assert found.place is not None, entry["file"]
                assert found.place.path, entry["file"]


_JUDGE = """
import json, sys
from datetime import UTC, datetime
from verify import TrustStore, verify_document
for name in json.load(sys.stdin):
    found = verify_document(open(name, "rb").read(), trust=TrustStore(), at=datetime(2026, 11, 1, tzinfo=UTC))
    print(found.integrity, found.findings)
"""


def test_every_process_finds_the_same_in_the_same_order(corpus: Path, cases: list[Case]) -> None:
    names = [str(corpus / e["file"]) for e, _ in cases if e["expected"] == "altered"]
    said = []
    for seed in ("1", "2"):
        ran = subprocess.run(
            [sys.executable, "-c", _JUDGE], input=json.dumps(names), capture_output=True, text=True, check=True,
            env={**os.environ, "PYTHONHASHSEED": seed},
        )  # fmt: skip
        said.append(ran.stdout.splitlines())
    assert len(said[0]) == len(names)
    assert said[0] == said[1]


def test_on_the_files_of_its_own_tests_we_refuse_the_changes_that_pyhanko_refuses(cases: list[Case]) -> None:
    """Signature by signature it may be otherwise: we hold a step against every signature before it."""
    logging.getLogger("pyhanko").setLevel(logging.CRITICAL)
    compared = 0
    for entry, pdf in cases:
        if "yHanko" not in entry["why"]:
            continue
        theirs, ours = _refused_by_pyhanko(pdf), _refused(pdf)
        if theirs is not None and ours is not None:
            compared += 1
            assert theirs == ours, entry["file"]
    assert compared > 180


def _refused(pdf: bytes) -> bool | None:
    """Whether a change after one of the signatures is refused; None when there is nothing to ask."""
    try:
        file = PdfFile(pdf)
        found = [(s, sum(s.byte_range[2:])) for s in find_signatures(file.newest, 50) if len(s.byte_range) == 4]
        judge = Judge(file, found)
        return any(judge.after(end).faults for _, end in found) if found else None
    except PdfError:
        return None


def _refused_by_pyhanko(pdf: bytes) -> bool | None:
    from pyhanko.pdf_utils.reader import PdfFileReader

    try:
        signatures = list(PdfFileReader(io.BytesIO(pdf), strict=False).embedded_signatures)
        answers = [_pyhanko_refuses(signature) for signature in signatures]
    except Exception:
        return None
    return any(answers) if answers else None


def _pyhanko_refuses(signature: Any) -> bool:
    from pyhanko.sign.diff_analysis import DiffResult, ModificationLevel
    from pyhanko.sign.validation.status import SignatureCoverageLevel

    signature.compute_integrity_info()
    if signature.coverage is SignatureCoverageLevel.ENTIRE_FILE:
        return False
    if signature.coverage is not SignatureCoverageLevel.ENTIRE_REVISION:
        return True
    result = signature.diff_result
    if not isinstance(result, DiffResult) or result.modification_level is ModificationLevel.OTHER:
        return True
    allowed = signature.docmdp_level
    return allowed is not None and result.modification_level.value > allowed.value
