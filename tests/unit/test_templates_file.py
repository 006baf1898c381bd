"""The file: one well-formed revision, the same bytes from the same data, the record attached, the code readable."""

from __future__ import annotations

import datetime
import hashlib
import re
import subprocess
import sys
from pathlib import Path

import pypdf
import pypdfium2
import pytest
import zxingcpp

from templates.barcode import MAX_TEXT, qr_modules
from templates.srgb import srgb_profile
from tests.support.pages import CODE_TEXT, ROOT, TYPES, checked, file_of, printed
from verify.formats.refusal import RefusedError


@pytest.fixture(scope="module")
def file() -> bytes:
    return file_of(printed(TYPES["business-license"], checked("business-license")))


@pytest.mark.parametrize("name", TYPES)
def test_qpdf_finds_nothing(name: str, tmp_path: Path) -> None:
    path = tmp_path / "a.pdf"
    path.write_bytes(file_of(printed(TYPES[name], checked(name))))
    done = subprocess.run(["qpdf", "--check", path], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_one_revision_with_a_classic_table(file: bytes) -> None:
    assert file.startswith(b"%PDF-1.7\n")
    assert file.count(b"%%EOF") == file.count(b"startxref") == 1
    start = int(re.findall(rb"startxref\n(\d+)", file)[0])
    assert file[start : start + 5] == b"xref\n"
    for number, offset in enumerate(re.findall(rb"^(\d{10}) 00000 n $", file[start:], re.M), 1):
        assert file[int(offset) :].startswith(b"%d 0 obj" % number)


def test_what_the_catalog_says(file: bytes, tmp_path: Path) -> None:
    path = tmp_path / "a.pdf"
    path.write_bytes(file)
    root = pypdf.PdfReader(path).trailer["/Root"]
    form = root.raw_get("/AcroForm")
    assert isinstance(form, pypdf.generic.DictionaryObject)  # direct, so that later updates need not touch it
    assert form["/SigFlags"] == 3
    field = form["/Fields"][0].get_object()
    assert (field["/T"], field["/FT"], field["/F"]) == ("Seal1", "/Sig", 132)
    assert "/V" not in field
    assert field["/AP"]["/N"]["/Subtype"] == "/Form"
    attached = root["/AF"][0].get_object()
    assert (attached["/UF"], attached["/AFRelationship"]) == ("license.json", "/Data")
    stream = attached["/EF"]["/F"].get_object()
    assert stream.get_data() == b'{"schema":"x"}'
    assert stream["/Params"]["/Size"] == len(stream.get_data())
    digest = hashlib.md5(stream.get_data()).digest()
    assert stream["/Params"]["/CheckSum"].original_bytes == digest
    assert root["/Names"]["/EmbeddedFiles"]["/Names"][0] == "license.json"
    xmp = root["/Metadata"].get_data().decode()
    assert "<pdfaid:part>3</pdfaid:part>" in xmp
    assert "<pdfaid:conformance>B</pdfaid:conformance>" in xmp
    assert "营业执照" in xmp


def test_every_font_is_embedded_with_its_unicode(file: bytes, tmp_path: Path) -> None:
    path = tmp_path / "a.pdf"
    path.write_bytes(file)
    listed = subprocess.run(["pdffonts", path], capture_output=True, text=True, check=True).stdout.splitlines()[2:]
    assert len(listed) >= 5
    for line in listed:
        assert re.search(r"CID TrueType\s+Identity-H\s+yes yes yes", line), line


def test_the_code_can_be_scanned(file: bytes) -> None:
    picture = pypdfium2.PdfDocument(file)[0].render(scale=2).to_pil()
    (found,) = zxingcpp.read_barcodes(picture)
    assert found.text == CODE_TEXT


def test_code_is_level_m_and_limited() -> None:
    assert len(qr_modules("x")) == 21
    longest = qr_modules("x" * MAX_TEXT)
    assert len(longest) <= 105
    with pytest.raises(RefusedError, match="CODE_TOO_LONG"):
        qr_modules("x" * (MAX_TEXT + 1))


_AGAIN = """
import hashlib
from tests.support.pages import TYPES, checked, file_of, printed
for name in TYPES:
    print(hashlib.sha256(file_of(printed(TYPES[name], checked(name)))).hexdigest())
"""


def test_same_data_same_bytes_in_another_process() -> None:
    outputs = [
        subprocess.run(
            [sys.executable, "-c", _AGAIN], cwd=ROOT, capture_output=True, text=True, check=True,
            env={"PYTHONHASHSEED": seed, "PATH": "/usr/bin:/bin", "TZ": zone},
        ).stdout
        for seed, zone in (("1", "UTC"), ("77", "Asia/Shanghai"))
    ]  # fmt: skip
    here = [hashlib.sha256(file_of(printed(TYPES[n], checked(n)))).hexdigest() for n in TYPES]
    assert outputs[0].split() == outputs[1].split() == here


def test_identity_follows_the_content() -> None:
    page = printed(TYPES["business-license"], checked("business-license"))
    files = [
        file_of(page),
        file_of(page, record=b"{}"),
        file_of(page, code_text="http://x/"),
        file_of(page, title="x"),
        file_of(printed(TYPES["business-license"], checked("business-license", name="另一个公司"))),
    ]
    identities = [re.findall(rb"/ID \[<([0-9A-F]{32})>", f)[0] for f in files]
    assert len(set(identities)) == len(files)


def test_moments_are_aware() -> None:
    page = printed(TYPES["business-license"], checked("business-license"))
    with pytest.raises(ValueError, match="aware"):
        file_of(page, created=datetime.datetime(2026, 1, 1))


def test_the_profile_is_srgb_of_fixed_bytes() -> None:
    profile = srgb_profile()
    assert (profile[12:16], profile[16:20], profile[36:40]) == (b"mntr", b"RGB ", b"acsp")
    assert profile[24:36] == bytes.fromhex("07e400010001000000000000")
    assert len(profile) == int.from_bytes(profile[:4], "big")
