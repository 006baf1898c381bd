"""pyHanko's own validator, used as its documentation says, with our root and no network."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import pytest
from asn1crypto import pem, x509
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import RevocationInfoValidationType, validate_pdf_ltv_signature, validate_pdf_signature
from pyhanko_certvalidator import ValidationContext

from tests.interop.conftest import TYPES, Sealed

OURS = Callable[[str, str], Sealed]


def _roots(root_pem: Path) -> list[x509.Certificate]:
    return [x509.Certificate.load(der) for _, _, der in pem.unarmor(root_pem.read_bytes(), multiple=True)]


@pytest.mark.parametrize("type_name", TYPES)
@pytest.mark.parametrize("baseline", ["B-B", "B-T"])
def test_signature_without_revocation_data(sealed: OURS, root_pem: Path, type_name: str, baseline: str) -> None:
    reader = PdfFileReader(io.BytesIO(sealed(type_name, baseline).pdf.read_bytes()))
    context = ValidationContext(trust_roots=_roots(root_pem), allow_fetching=False)
    (signature,) = reader.embedded_regular_signatures
    status = validate_pdf_signature(signature, context)
    assert status.bottom_line, status.pretty_print_details()
    assert (status.timestamp_validity is not None) == (baseline == "B-T")


@pytest.mark.parametrize("type_name", TYPES)
@pytest.mark.parametrize("baseline", ["B-LT", "B-LTA"])
def test_long_term_signature(sealed: OURS, root_pem: Path, type_name: str, baseline: str) -> None:
    reader = PdfFileReader(io.BytesIO(sealed(type_name, baseline).pdf.read_bytes()))
    kind = getattr(RevocationInfoValidationType, baseline.replace("B-", "PADES_"))
    (signature,) = reader.embedded_regular_signatures
    status = validate_pdf_ltv_signature(
        signature, kind, validation_context_kwargs={"trust_roots": _roots(root_pem), "allow_fetching": False}
    )
    assert status.bottom_line, status.pretty_print_details()
    assert status.modification_level is not None
    assert status.docmdp_ok
