"""The judges that are measured side by side: ours with and without drawing, and pyHanko 0.38 alone."""

from __future__ import annotations

import asyncio
import io
import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

AT = datetime(2026, 11, 23, tzinfo=UTC)
Judge = Callable[[bytes], tuple[str, str]]
"""Bytes of a PDF to its integrity and conclusion."""


def ours(*, drawing: bool) -> Judge:
    """``verify_document`` without anchors; ``drawing`` compares drawn revisions as well."""
    from verify import DEFAULT_POLICY, TrustStore, verify_document

    policy = replace(DEFAULT_POLICY, draw_revisions=drawing)
    trust = TrustStore()

    def judge(pdf: bytes) -> tuple[str, str]:
        verdict = verify_document(pdf, trust=trust, at=AT, policy=policy)
        return verdict.integrity.value, verdict.conclusion.value

    return judge


def pyhanko() -> Judge:
    """Every signature and timestamp as pyHanko's documentation says, later changes compared, no anchors, no network.

    Intact when there is a signature, each is intact and valid, and the change after each is one its policy permits.
    """
    from pyhanko.pdf_utils.reader import PdfFileReader
    from pyhanko.sign.diff_analysis import ModificationLevel
    from pyhanko.sign.validation import async_validate_pdf_signature, async_validate_pdf_timestamp
    from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature
    from pyhanko_certvalidator import ValidationContext

    logging.getLogger("pyhanko").setLevel(logging.CRITICAL)
    logging.getLogger("pyhanko_certvalidator").setLevel(logging.CRITICAL)

    async def good(embedded: EmbeddedPdfSignature) -> bool:
        context = ValidationContext(trust_roots=[], allow_fetching=False, moment=AT)
        if embedded.sig_object_type == "/DocTimeStamp":
            stamp = await async_validate_pdf_timestamp(embedded, context)
            return bool(stamp.intact and stamp.valid and stamp.modification_level is not ModificationLevel.OTHER)
        found = await async_validate_pdf_signature(embedded, context, context)
        return bool(found.intact and found.valid and found.docmdp_ok)

    async def all_good(pdf: bytes) -> bool:
        # everything is judged before the answer, as we do
        signatures = PdfFileReader(io.BytesIO(pdf), strict=False).embedded_signatures
        answers = [await good(one) for one in signatures]
        return bool(answers) and all(answers)

    def judge(pdf: bytes) -> tuple[str, str]:
        try:
            return ("INTACT" if asyncio.run(all_good(pdf)) else "ALTERED"), "INDETERMINATE"
        except Exception as error:  # noqa: BLE001 - a dozen types come out of it on broken files
            return f"raised {type(error).__name__}", "INVALID"

    return judge


ENGINES: dict[str, Callable[[], Judge]] = {
    "certvault": lambda: ours(drawing=False),
    "certvault drawing": lambda: ours(drawing=True),
    "pyHanko": pyhanko,
}
