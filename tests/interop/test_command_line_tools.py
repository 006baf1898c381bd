"""poppler and qpdf, as anyone would run them on a license they were sent."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.interop.conftest import EVERY, TYPES, Sealed
from verify.formats.license import unverified_record

if TYPE_CHECKING:
    from certvault.bootstrap import Vault

OURS = Callable[[str, str], Sealed]


def _run(*command: str | Path) -> str:
    if shutil.which(str(command[0])) is None:
        pytest.skip(f"{command[0]} is not installed")
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def _without_space(text: str) -> str:
    return "".join(text.split())


@pytest.mark.parametrize(("type_name", "baseline"), EVERY)
def test_pdfsig_finds_the_signature_valid(sealed: OURS, type_name: str, baseline: str) -> None:
    shown = _run("pdfsig", sealed(type_name, baseline).pdf)
    seal, *stamps = shown.split("Signature #")[1:]
    assert "Signature Validation: Signature is Valid." in seal, shown
    assert "ETSI.CAdES.detached" in seal
    # what follows the seal is the security store (B-LT), then a document timestamp over all (B-LTA)
    assert ("- Total document signed" in seal) == (baseline in ("B-B", "B-T"))
    assert ["- Total document signed" in s for s in stamps] == [True] * (baseline == "B-LTA")


@pytest.mark.parametrize(("type_name", "baseline"), EVERY)
def test_qpdf_finds_no_fault(sealed: OURS, type_name: str, baseline: str) -> None:
    shown = _run("qpdf", "--check", sealed(type_name, baseline).pdf)
    assert "No syntax or stream encoding errors found" in shown
    assert "WARNING" not in shown


@pytest.mark.parametrize("type_name", TYPES)
def test_the_text_of_the_page_is_the_data(sealed: OURS, tmp_path: Path, type_name: str) -> None:
    """Every printed datum of the face map is found by pdftotext inside its own box, letter for letter."""
    pdf = sealed(type_name, "B-LT").pdf
    _run("pdfdetach", "-save", "1", "-o", tmp_path / "license.json", pdf)
    record = unverified_record((tmp_path / "license.json").read_bytes())
    assert record.identifier == sealed(type_name, "B-LT").identifier
    _, height = record.face.pages[0]
    for item in record.face.items:
        x0, y0, x1, y1 = item.box
        # pdftotext counts whole points from the top; one point more on each side for ascenders
        left, top = int(x0) - 1, int(height - y1) - 1
        shown = _run(
            "pdftotext", "-f", str(item.page), "-l", str(item.page), "-raw", "-x", str(left), "-y", str(top),
            "-W", str(int(x1 - left) + 2), "-H", str(int(height - y0 - top) + 2), pdf, "-",
        )  # fmt: skip
        assert _without_space(item.text) in _without_space(shown), (item, shown)


@pytest.mark.parametrize("type_name", TYPES)
def test_an_example_says_so_on_its_face(sealed: OURS, type_name: str) -> None:
    text = _run("pdftotext", sealed(type_name, "B-LT").pdf, "-")
    assert re.search(r"样\s*本", text)
    assert "SAMPLE" in text


@pytest.mark.parametrize("type_name", TYPES)
def test_every_face_is_embedded_and_subset(sealed: OURS, type_name: str) -> None:
    lines = _run("pdffonts", sealed(type_name, "B-LT").pdf).splitlines()[2:]
    assert lines
    for line in lines:
        embedded, subset, mapped = line.split()[-5:-2]
        assert (embedded, subset, mapped) == ("yes", "yes", "yes"), line


@pytest.mark.parametrize("type_name", TYPES)
def test_the_code_is_read_from_the_rendered_page(
    sealed: OURS, embedded_vault: Vault, tmp_path: Path, type_name: str
) -> None:
    """Poppler draws the page, zxing finds the one code, and its text is the signed code of this license."""
    import zxingcpp
    from PIL import Image

    pdf = sealed(type_name, "B-LT").pdf
    _run("pdftoppm", "-r", "200", "-png", "-singlefile", pdf, tmp_path / "page")
    with Image.open(tmp_path / "page.png") as image:
        found = zxingcpp.read_barcodes(image)
    assert len(found) == 1
    assert found[0].format == zxingcpp.BarcodeFormat.QRCode
    text = found[0].text
    assert len(text) <= 600
    assert "/verify#c=" in text
    verdict = embedded_vault.verification.verify(text.encode())
    answer = verdict.to_json("en")
    assert answer["conclusion"] == "VALID", answer
    assert answer["license"]["identifier"] == sealed(type_name, "B-LT").identifier
