"""Sealing PDFs: what is written, what is left alone, and what other readers say."""

from __future__ import annotations

import hashlib
import io
import re
import shutil
import subprocess
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from asn1crypto import cms
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.diff_analysis import ModificationLevel
from pyhanko.sign.validation import validate_pdf_signature, validate_pdf_timestamp
from pyhanko.sign.validation.dss import DocumentSecurityStore

from signing.errors import PurposeError, SigningError
from signing.formats.pades import Baseline, ValidationData, extend_archive, seal_pdf
from signing.keys import KeyPurpose
from tests.support.signing_pdf import empty_pdf
from tests.support.signing_pki import AT, Pki, shared_pki

LEVELS = list(Baseline)


@pytest.fixture(scope="module", params=["p256", "rsa3072"])
def pki(request: pytest.FixtureRequest) -> Pki:
    return shared_pki(request.param)


def proof(pki: Pki, at: Any = AT) -> ValidationData:
    certificates = (pki.issuing.certificate, pki.root.certificate, pki.certificate(KeyPurpose.TSA))
    return ValidationData(certificates, (pki.root_crl(at),), (pki.ocsp(KeyPurpose.SEAL, KeyPurpose.TSA, at=at),))


def seal(pki: Pki, pdf: bytes, baseline: Baseline = Baseline.B_LT, **changes: Any) -> bytes:
    options: dict[str, Any] = {
        "field": "Seal1",
        "signer": pki.signer(KeyPurpose.SEAL),
        "certificate": pki.certificate(KeyPurpose.SEAL),
        "chain": (pki.issuing.certificate,),
        "at": AT,
        "baseline": baseline,
        "stamp": pki.tsa().at(AT),
        "validation": proof(pki),
        "name": "开封市(示例)局",
        "reason": r"issue \ (license)",
        "location": "Kaifeng",
    }
    return seal_pdf(pdf, **{**options, **changes})


def _trusting(pki: Pki, reader: PdfFileReader, baseline: Baseline) -> Any:
    from asn1crypto import x509
    from pyhanko_certvalidator import ValidationContext

    options = {
        "trust_roots": [x509.Certificate.load(pki.root.certificate)],
        "moment": AT + timedelta(hours=1),
        "allow_fetching": False,
    }
    if baseline in (Baseline.B_LT, Baseline.B_LTA):
        store = DocumentSecurityStore.read_dss(reader)
        return store.as_validation_context({**options, "revocation_mode": "hard-fail"})
    return ValidationContext(**options)


@pytest.mark.parametrize("xref_stream", [False, True])
@pytest.mark.parametrize("baseline", LEVELS)
def test_pyhanko_accepts_every_level(pki: Pki, baseline: Baseline, xref_stream: bool) -> None:
    base = empty_pdf(xref_stream=xref_stream)
    made = seal(pki, base, baseline)
    assert made.startswith(base)
    reader = PdfFileReader(io.BytesIO(made))
    (signature,) = reader.embedded_regular_signatures
    context = _trusting(pki, reader, baseline)
    status = validate_pdf_signature(signature, context)
    assert status.bottom_line, status.pretty_print_details()
    assert status.docmdp_ok
    later = baseline in (Baseline.B_LT, Baseline.B_LTA)
    assert status.modification_level is (ModificationLevel.LTA_UPDATES if later else ModificationLevel.NONE)
    assert len(reader.embedded_timestamp_signatures) == (baseline is Baseline.B_LTA)
    for timestamp in reader.embedded_timestamp_signatures:
        assert validate_pdf_timestamp(timestamp, context).trusted


@pytest.mark.parametrize("xref_stream", [False, True])
def test_archives_are_extended_again_and_again(pki: Pki, xref_stream: bool) -> None:
    made = seal(pki, empty_pdf(xref_stream=xref_stream), Baseline.B_LTA)
    for year in (1, 2):
        at = AT + timedelta(days=100 * year)
        longer = extend_archive(made, stamp=pki.tsa().at(at), validation=proof(pki, at), at=at)
        assert longer.startswith(made)
        made = longer
    reader = PdfFileReader(io.BytesIO(made))
    assert [s.field_name for s in reader.embedded_timestamp_signatures] == ["Timestamp1", "Timestamp2", "Timestamp3"]
    status = validate_pdf_signature(reader.embedded_regular_signatures[0], _trusting(pki, reader, Baseline.B_LTA))
    assert status.bottom_line, status.pretty_print_details()


@pytest.mark.parametrize("xref_stream", [False, True])
def test_only_what_must_change_is_written(pki: Pki, xref_stream: bool) -> None:
    base = empty_pdf(xref_stream=xref_stream)
    made = seal(pki, base, Baseline.B_LTA)
    revisions = made[len(base) :].split(b"%%EOF\n")[:-1]
    numbers = [[int(n) for n in re.findall(rb"(?:^|\n)(\d+) 0 obj\n", r)] for r in revisions]
    first_new = 9 if xref_stream else 8
    assert [sorted(n for n in found if n < first_new) for found in numbers] == [[1, 5], [1], [1]]
    reader = PdfFileReader(io.BytesIO(made))
    assert reader.trailer["/ID"][0] == bytes.fromhex("00112233445566778899AABBCCDDEEFF")
    assert "/Info" in reader.trailer
    widget = reader.root["/AcroForm"]["/Fields"][0]
    assert widget["/F"] == 132
    assert widget.raw_get("/AP")["/N"].data == b"1 0 0 RG 2 w 10 10 80 80 re S"
    assert len(reader.root["/Pages"]["/Kids"][0]["/Annots"]) == 1


def test_the_signature_dictionary_is_pades(pki: Pki) -> None:
    reader = PdfFileReader(io.BytesIO(seal(pki, empty_pdf())))
    (signature,) = reader.embedded_regular_signatures
    entries = signature.sig_object
    assert entries["/SubFilter"] == "/ETSI.CAdES.detached"
    assert entries["/M"] == "D:20261123080000+00'00'"
    assert (entries["/Name"], entries["/Reason"]) == ("开封市(示例)局", r"issue \ (license)")
    (reference,) = entries["/Reference"]
    assert reference["/TransformMethod"] == "/DocMDP"
    assert reference["/TransformParams"]["/P"] == 1
    assert "/DigestMethod" not in reference
    assert list(reader.root["/Perms"]) == ["/DocMDP"]
    assert reader.root["/AcroForm"]["/SigFlags"] == 3
    content = cms.ContentInfo.load(entries["/Contents"])
    (info,) = content["content"]["signer_infos"]
    assert "signing_time" not in [a["type"].native for a in info["signed_attrs"]]


def test_padding_is_small(pki: Pki) -> None:
    made = seal(pki, empty_pdf(), Baseline.B_LTA)
    for value in re.findall(rb"/Contents <([0-9a-f]+)>", made):
        der = bytes.fromhex(value.decode())
        size = len(cms.ContentInfo.load(der).dump())
        assert 0 <= len(der) - size < 64


def test_the_store_holds_each_value_once_and_none_twice(pki: Pki) -> None:
    twice = ValidationData(*(values * 2 for values in (proof(pki).certificates, proof(pki).crls, proof(pki).ocsps)))
    store = DocumentSecurityStore.read_dss(PdfFileReader(io.BytesIO(seal(pki, empty_pdf(), validation=twice))))
    assert len(store.certs) == 1  # the root: all others stand in the signature, its timestamp or the OCSP answer
    assert len(list(store.crls)) == 1
    assert len({hashlib.sha256(o.get_object().data).digest() for o in store.ocsps}) == len(list(store.ocsps))
    assert not store.vri_entries


def test_a_stamp_without_a_size_hint_is_given_room(pki: Pki) -> None:
    stamper = pki.tsa().at(AT)
    made = seal(pki, empty_pdf(), Baseline.B_T, stamp=stamper.__call__)
    assert PdfFileReader(io.BytesIO(made)).embedded_regular_signatures


def test_a_stamp_larger_than_it_said_is_laid_out_again(pki: Pki) -> None:
    stamper = pki.tsa().at(AT)

    class Modest:
        token_size = 100

        def __call__(self, digest: bytes, name: str) -> bytes:
            return stamper(digest, name)

    reader = PdfFileReader(io.BytesIO(seal(pki, empty_pdf(), Baseline.B_T, stamp=Modest())))
    (signature,) = reader.embedded_regular_signatures
    assert validate_pdf_signature(signature, _trusting(pki, reader, Baseline.B_T)).bottom_line


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"field": "Seal2"}, "no field"),
        ({"stamp": None}, "timestamp authority"),
        ({"validation": None}, "validation data"),
        ({"permission": 4}, "permission"),
        ({"at": AT.replace(tzinfo=None)}, "aware"),
    ],
)
def test_what_cannot_be_is_refused(pki: Pki, changes: dict[str, Any], words: str) -> None:
    with pytest.raises(SigningError, match=words):
        seal(pki, empty_pdf(), **changes)


def test_a_signed_field_is_not_signed_again(pki: Pki) -> None:
    made = seal(pki, empty_pdf())
    with pytest.raises(SigningError, match="signed already"):
        seal(pki, made)


@pytest.mark.parametrize("data", [b"", b"nonsense", b"%PDF-1.7\n%%EOF", empty_pdf()[:300]])
def test_broken_files_are_refused(pki: Pki, data: bytes) -> None:
    with pytest.raises(SigningError):
        seal(pki, data)


def test_an_unsigned_file_has_no_archive(pki: Pki) -> None:
    with pytest.raises(SigningError, match="without a signature"):
        extend_archive(empty_pdf(), stamp=pki.tsa().at(AT), validation=proof(pki), at=AT)


def test_other_keys_seal_nothing(pki: Pki) -> None:
    for purpose in (KeyPurpose.CODE, KeyPurpose.RECORD):
        with pytest.raises(PurposeError):
            seal(pki, empty_pdf(), signer=pki.signer(purpose), certificate=pki.certificate(purpose))
    with pytest.raises(SigningError, match="another key"):
        seal(pki, empty_pdf(), certificate=pki.certificate(KeyPurpose.RECORD))


def test_an_approval_signature_certifies_nothing(pki: Pki) -> None:
    reader = PdfFileReader(io.BytesIO(seal(pki, empty_pdf(), permission=None)))
    assert "/Perms" not in reader.root
    assert "/Reference" not in reader.embedded_regular_signatures[0].sig_object


@pytest.mark.parametrize("baseline", [Baseline.B_T, Baseline.B_LTA])
def test_pdfsig_and_qpdf(pki: Pki, tmp_path: Path, baseline: Baseline) -> None:
    path = tmp_path / "sealed.pdf"
    path.write_bytes(seal(pki, empty_pdf(), baseline))
    if shutil.which("pdfsig"):
        shown = subprocess.run(["pdfsig", "-nocert", path], capture_output=True, text=True, check=False).stdout
        assert "Signature is Valid" in shown
        assert "ETSI.CAdES.detached" in shown
    if shutil.which("qpdf"):
        assert subprocess.run(["qpdf", "--check", path], capture_output=True, check=False).returncode == 0
