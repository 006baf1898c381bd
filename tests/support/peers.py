"""How other tools judge a signed PDF, each answer brought to one form: accepted or not, and why in a few words.

Accepted means: there is a signature, all signatures are intact, and no later change is held against them. pdfsig
compares no revisions, so it accepts when each signature is valid and one covers the whole file. qpdf reads no
signatures; its answer is about structure alone.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.support import judges

AT = datetime(2026, 11, 23, tzinfo=UTC)


@dataclass(frozen=True)
class Answer:
    """One tool's answer about one file. ``because`` is short and the same for files of one kind."""

    accepted: bool
    because: str


def ours(path: Path) -> Answer:
    """Our integrity, with the first finding that decided it."""
    from verify import About, Integrity, Severity, TrustStore, verify_document

    verdict = verify_document(path.read_bytes(), trust=TrustStore(), at=AT)
    if verdict.integrity is Integrity.INTACT:
        return Answer(True, "INTACT")
    weight = Severity.FATAL if verdict.integrity is Integrity.ALTERED else Severity.DOUBT
    codes = [f.code for f in verdict.findings if f.about is About.INTEGRITY and f.severity is weight]
    return Answer(False, f"{verdict.integrity.value} {codes[0]}")


def pyhanko(path: Path) -> Answer:
    """pyHanko's validation of each signature and timestamp, its comparison of revisions included."""
    import asyncio
    import io

    from pyhanko.pdf_utils.reader import PdfFileReader

    try:
        signatures = PdfFileReader(io.BytesIO(path.read_bytes()), strict=False).embedded_signatures
        if not signatures:
            return Answer(False, "no signature found")
        answers = [asyncio.run(_pyhanko_one(one)) for one in signatures]
    except Exception as error:
        return Answer(False, f"raises {type(error).__name__}")
    refused = [a for a in answers if not a.accepted]
    return refused[0] if refused else Answer(True, "intact, changes permitted")


async def _pyhanko_one(embedded: Any) -> Answer:
    from pyhanko.sign.diff_analysis import ModificationLevel
    from pyhanko.sign.validation import async_validate_pdf_signature, async_validate_pdf_timestamp
    from pyhanko_certvalidator import ValidationContext

    context = ValidationContext(trust_roots=[], allow_fetching=False, moment=AT)
    if embedded.sig_object_type == "/DocTimeStamp":
        found = await async_validate_pdf_timestamp(embedded, context)
        permitted = found.modification_level is not ModificationLevel.OTHER
    else:
        found = await async_validate_pdf_signature(embedded, context, context)
        permitted = bool(found.docmdp_ok)
    if not (found.intact and found.valid):
        return Answer(False, "signature wrong")
    return Answer(permitted, "intact" if permitted else "suspicious change")


def pdfsig(path: Path) -> Answer:
    """poppler's pdfsig without certificate checks."""
    done = subprocess.run(
        ["pdfsig", "-nocert", str(path)], capture_output=True, text=True, errors="replace", timeout=60, check=False
    )
    said = done.stdout
    if done.returncode < 0:
        return Answer(False, "crashes")
    states = [line.partition(":")[2].strip() for line in said.splitlines() if "Signature Validation:" in line]
    if not states:
        return Answer(False, "no signature found" if "does not contain any signatures" in said else "cannot open it")
    wrong = [state for state in states if state != "Signature is Valid."]
    if wrong:
        return Answer(False, wrong[0].rstrip("."))
    whole = "Total document signed" in said.replace("Not total document signed", "")
    return Answer(whole, "valid and whole" if whole else "valid, not the whole file")


def qpdf(path: Path) -> Answer:
    """Structure alone: accepted when ``--check`` ends without error; warnings are forgiven."""
    done = subprocess.run(
        ["qpdf", "--check", str(path)], capture_output=True, text=True, errors="replace", timeout=60, check=False
    )
    if done.returncode in (0, 3):
        return Answer(True, "sound" if done.returncode == 0 else "repaired")
    return Answer(False, "encrypted" if "password" in done.stderr else "broken")


def dss(paths: Iterable[Path]) -> dict[Path, Answer]:
    """EU DSS with its default policy, all files in one start of the JVM."""
    return {path: _dss_one(found) for path, found in judges.integrity(paths).items()}


def _dss_one(found: dict[str, Any]) -> Answer:
    if "error" in found:
        kind = str(found["error"]).partition(":")[0].rpartition(".")[2]
        return Answer(False, f"raises {kind}")
    signatures, stamps = found["signatures"], found["timestamps"]
    if not signatures and not stamps:
        return Answer(False, "no signature found")
    failed = [s for s in signatures if s["failed"]]
    if failed:
        return Answer(False, f"TOTAL_FAILED {failed[0]['sub_indication']}")
    if not all(one["intact"] for one in signatures + stamps):
        return Answer(False, "signature or digest not checked")
    noticed = [
        words
        for key, words in (
            ("undefined_changes", "undefined changes"),
            ("visual_difference", "visual difference"),
            ("pages_differ", "pages differ"),
            ("annotation_changes", "annotation changes"),
            ("form_changes", "form changes"),
        )
        if any(one.get(key) for one in signatures + stamps)
    ]
    return Answer(True, f"warns of {noticed[0]}" if noticed else "intact")


def command_line_peers() -> list[str]:
    """Those of pdfsig and qpdf that are installed."""
    return [name for name in ("pdfsig", "qpdf") if shutil.which(name)]
