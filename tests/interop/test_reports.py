"""A signed verification report before the judges from outside: PDF/A-3b, and a signature that others find sound."""

from __future__ import annotations

import io
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.interop.conftest import Sealed
from tests.support import judges

if TYPE_CHECKING:
    from certvault.bootstrap import Vault


@pytest.fixture(scope="module")
def report(
    embedded_vault: Vault, sealed: Callable[[str, str], Sealed], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """On an edited license, with pictures of both revisions."""
    from tests.support.forging import append_update, object_text, page_number, size, stream
    from verify.report.material import material_json

    pdf = sealed("driving-license", "B-LT").pdf.read_bytes()
    number, fresh = page_number(pdf), size(pdf)
    page = object_text(pdf, number).replace(b"/Contents [", b"/Contents [%d 0 R " % fresh)
    edited = append_update(pdf, {number: page, fresh: stream(b"q 1 0 0 rg 40 40 80 20 re f Q")})
    material = material_json(embedded_vault.verification.verify(edited), edited)
    assert material["pictures"]
    path = tmp_path_factory.mktemp("report") / "report.pdf"
    path.write_bytes(embedded_vault.reports.pdf(material, name="edited.pdf", lang="zh"))
    return path


def test_verapdf_finds_no_fault(java_judges: None, report: Path) -> None:
    verdict = judges.verapdf([report])[report]
    assert verdict.get("failures") == [], verdict
    assert verdict["compliant"]


def test_pyhanko_finds_the_signature_sound(embedded_vault: Vault, report: Path) -> None:
    from asn1crypto import x509
    from pyhanko.pdf_utils.reader import PdfFileReader
    from pyhanko.sign.diff_analysis import ModificationLevel
    from pyhanko.sign.validation import validate_pdf_signature
    from pyhanko_certvalidator import ValidationContext

    roots = [x509.Certificate.load(der) for der in embedded_vault.pki.roots()]
    (signature,) = PdfFileReader(io.BytesIO(report.read_bytes())).embedded_signatures
    with ThreadPoolExecutor(1) as thread:  # a browser's tests leave an event loop running in this one
        status = thread.submit(validate_pdf_signature, signature, ValidationContext(trust_roots=roots)).result()
    assert status.intact
    assert status.valid
    assert status.modification_level is ModificationLevel.LTA_UPDATES
    assert status.docmdp_ok
