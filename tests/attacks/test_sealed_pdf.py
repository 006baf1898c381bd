"""Forgeries of sealed PDFs. Each test is one forgery, and its name says what it proves."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

import pytest

from signing.backends import open_backend
from signing.formats.pades import Baseline, extend_archive, seal_pdf
from signing.keys import KeyPurpose
from signing.signer import BackendSigner
from tests.support.forging import (
    append_update,
    catalog,
    object_text,
    page_number,
    root_number,
    seal_range,
    size,
    stream,
)
from tests.support.sealed import NOW, Sealed, build, genuine, validation_data
from tests.support.signing_pdf import empty_pdf
from tests.support.signing_pki import AT, build_pki
from verify import Conclusion, Integrity, Remit, Standing, TrustStore, Verdict, verify_document
from verify.formats.license import FaceItem, LicenseRecord


def judge(sealed: Sealed, pdf: bytes | None = None, *, trust: TrustStore | None = None) -> Verdict:
    return verify_document(
        sealed.pdf if pdf is None else pdf, trust=trust or sealed.trust(), at=NOW, evidence=sealed.evidence()
    )


def assert_altered(verdict: Verdict, *codes: str) -> None:
    assert verdict.integrity is Integrity.ALTERED, verdict.findings
    assert verdict.conclusion is Conclusion.INVALID
    assert verdict.license is None
    assert verdict.standing in (None, Standing.UNKNOWN)
    assert not codes or verdict.codes() & set(codes), verdict.codes()


@pytest.fixture(scope="module")
def sealed() -> Sealed:
    return genuine(Baseline.B_LT, "business-license-duplicate")


@pytest.fixture(scope="module")
def archived() -> Sealed:
    return genuine(Baseline.B_LTA, "business-license-duplicate")


def test_the_genuine_one_is_valid(sealed: Sealed, archived: Sealed) -> None:
    for one, level in ((sealed, "PAdES-B-LT"), (archived, "PAdES-B-LTA")):
        verdict = judge(one)
        assert verdict.integrity is Integrity.INTACT, verdict.findings
        assert verdict.conclusion is Conclusion.VALID, verdict.findings
        assert verdict.standing is Standing.IN_FORCE
        assert verdict.signatures[0].format == level
        assert verdict.license is not None
        assert verdict.license.fields["name"] == "开封市鼎𬭎云科技有限公司"


# --- the signed bytes ----------------------------------------------------------------------------------------------


def test_a_changed_signed_byte(sealed: Sealed) -> None:
    place = sealed.pdf.index(b"/MediaBox") + 12
    pdf = bytearray(sealed.pdf)
    pdf[place] ^= 1
    assert_altered(judge(sealed, bytes(pdf)), "DIGEST_MISMATCH", "PDF_BROKEN")


def test_changed_page_content_with_the_genuine_code(sealed: Sealed) -> None:
    """The page is replaced in an update, the code on it stays the issuer's own."""
    page = object_text(sealed.pdf, page_number(sealed.pdf))
    number = size(sealed.pdf)
    contents = re.search(rb"/Contents \[(.*?)\]", page)
    assert contents
    changed = page.replace(contents[0], b"/Contents [%s %d 0 R]" % (contents[1], number))
    pdf = append_update(sealed.pdf, {page_number(sealed.pdf): changed, number: stream(b"1 1 1 rg 100 300 300 80 re f")})
    assert_altered(judge(sealed, pdf), "CHANGE_NOT_PERMITTED", "BYTES_UNACCOUNTED")


def test_content_appended_in_an_update_that_lists_nothing(sealed: Sealed) -> None:
    """Viewers rebuild the cross-reference and show it; a comparison of listed objects sees no change."""
    page = object_text(sealed.pdf, page_number(sealed.pdf)).replace(b"/MediaBox", b"/Rotate 180 /MediaBox")
    pdf = append_update(sealed.pdf, {page_number(sealed.pdf): page}, listed=False)
    assert_altered(judge(sealed, pdf), "BYTES_UNACCOUNTED")


def test_bytes_after_the_end_of_file(sealed: Sealed) -> None:
    for tail in (b"x", b"%comment\n", b"\0", b"\n\t", b"5 0 obj\n<< >>\nendobj\n"):
        assert_altered(judge(sealed, sealed.pdf + tail), "BYTES_UNACCOUNTED")


def test_bytes_before_the_header(sealed: Sealed) -> None:
    verdict = judge(sealed, b"\n" + sealed.pdf)
    assert verdict.integrity is not Integrity.INTACT
    assert verdict.conclusion is Conclusion.INVALID


def test_a_file_cut_short(sealed: Sealed) -> None:
    for cut in (1, 10, 500, len(sealed.pdf) // 2):
        verdict = judge(sealed, sealed.pdf[:-cut])
        assert verdict.integrity is not Integrity.INTACT


# --- updates that show something -----------------------------------------------------------------------------------


def test_an_evil_annotation_over_the_page(sealed: Sealed) -> None:
    page = object_text(sealed.pdf, page_number(sealed.pdf))
    annots = re.search(rb"/Annots \[(.*?)\]", page)
    assert annots
    number = size(sealed.pdf)
    changed = page.replace(annots[0], b"/Annots [%s %d 0 R]" % (annots[1], number))
    note = b"<< /Type /Annot /Subtype /FreeText /Rect [100 300 400 400] /Contents (evil) /DA (/Helv 20 Tf) >>"
    pdf = append_update(sealed.pdf, {page_number(sealed.pdf): changed, number: note})
    assert_altered(judge(sealed, pdf))


def test_a_changed_seal_picture(sealed: Sealed) -> None:
    widget = re.findall(rb"/AP << /N (\d+) 0 R >>", sealed.pdf)[0]
    pdf = append_update(
        sealed.pdf,
        {int(widget): stream(b"1 0 0 rg 0 0 50 50 re f", b"/Type /XObject /Subtype /Form /BBox [0 0 50 50]")},
    )
    assert_altered(judge(sealed, pdf))


def test_a_changed_font_mapping(sealed: Sealed) -> None:
    """Glyphs stay, the text that is copied out of the page changes (ToUnicode)."""
    number = int(re.findall(rb"/ToUnicode (\d+) 0 R", sealed.pdf)[0])
    assert_altered(judge(sealed, append_update(sealed.pdf, {number: stream(b"begincmap endcmap")})))


def test_a_swapped_embedded_record(sealed: Sealed) -> None:
    number = int(re.findall(rb"/EF << /F (\d+) 0 R", sealed.pdf)[0])
    other = replace(sealed.record, number="91110000600037341L").canonical()
    assert_altered(judge(sealed, append_update(sealed.pdf, {number: stream(other, b"/Type /EmbeddedFile")})))


def test_another_catalog(sealed: Sealed) -> None:
    changed = catalog(sealed.pdf).replace(b"/Type /Catalog", b"/Type /Catalog /OpenAction << /S /JavaScript /JS (x) >>")
    assert changed != catalog(sealed.pdf)
    assert_altered(judge(sealed, append_update(sealed.pdf, {root_number(sealed.pdf): changed})), "CHANGE_NOT_PERMITTED")


def test_a_catalog_without_the_record(sealed: Sealed) -> None:
    """Hiding the attachment must not talk the verifier out of its strictness."""
    changed = re.sub(rb"/Names <<.*?>> >>|/AF \[.*?\]", b"", catalog(sealed.pdf), flags=re.S)
    assert_altered(judge(sealed, append_update(sealed.pdf, {root_number(sealed.pdf): changed})))


def test_another_info_dictionary(sealed: Sealed) -> None:
    number = int(re.findall(rb"/Info (\d+) 0 R", sealed.pdf)[0])
    assert_altered(judge(sealed, append_update(sealed.pdf, {number: b"<< /Title (another) >>"})))


def test_another_trailer(sealed: Sealed) -> None:
    pdf = append_update(sealed.pdf, {root_number(sealed.pdf): catalog(sealed.pdf)}, trailer_extra=b"/Extra 1")
    assert_altered(judge(sealed, pdf), "CHANGE_NOT_PERMITTED")


def test_a_sneaky_second_signature(sealed: Sealed) -> None:
    """A second seal, by a holder of a genuine seal certificate, in a field of its own."""
    number = size(sealed.pdf)
    form = re.search(rb"/Fields \[(.*?)\]", catalog(sealed.pdf))
    assert form
    changed = catalog(sealed.pdf).replace(form[0], b"/Fields [%s %d 0 R]" % (form[1], number))
    field = b"<< /FT /Sig /T (Seal2) /Type /Annot /Subtype /Widget /Rect [0 0 0 0] /F 132 >>"
    prepared = append_update(sealed.pdf, {root_number(sealed.pdf): changed, number: field})
    pki = sealed.pki
    pdf = seal_pdf(
        prepared,
        field="Seal2",
        signer=pki.signer(KeyPurpose.SEAL),
        certificate=pki.certificate(KeyPurpose.SEAL),
        chain=(pki.issuing.certificate,),
        at=NOW,
        baseline=Baseline.B_B,
        stamp=None,
        validation=None,
        permission=None,
    )
    assert_altered(judge(sealed, pdf), "SECOND_SIGNATURE")


def test_an_orphan_object_in_a_validation_update(sealed: Sealed) -> None:
    pdf = append_update(sealed.pdf, {root_number(sealed.pdf): catalog(sealed.pdf), size(sealed.pdf): b"<< /A 1 >>"})
    assert_altered(judge(sealed, pdf), "BYTES_UNACCOUNTED")


@pytest.mark.parametrize("listed", [True, False])
def test_a_changed_page_in_a_file_that_is_no_license(sealed: Sealed, listed: bool) -> None:
    """Files of others are judged by comparing revisions; what no cross-reference lists must not escape that."""
    pki = sealed.pki
    signed = seal_pdf(
        empty_pdf(),
        field="Seal1",
        signer=pki.signer(KeyPurpose.SEAL),
        certificate=pki.certificate(KeyPurpose.SEAL),
        chain=(pki.issuing.certificate,),
        at=AT,
        baseline=Baseline.B_T,
        stamp=pki.tsa().at(AT),
        validation=None,
        permission=None,
    )
    genuine_one = judge(sealed, signed)
    assert genuine_one.integrity is Integrity.INTACT
    assert genuine_one.standing is None
    page = object_text(signed, 3).replace(b"/MediaBox", b"/Rotate 180 /MediaBox")
    assert_altered(judge(sealed, append_update(signed, {3: page}, listed=listed)))


# --- validation data -----------------------------------------------------------------------------------------------


def _with_store(sealed: Sealed, extra: dict[int, bytes], change: Callable[[bytes], bytes]) -> bytes:
    number = int(re.findall(rb"/DSS (\d+) 0 R", sealed.pdf)[-1])
    store = change(object_text(sealed.pdf, number))
    return append_update(sealed.pdf, {root_number(sealed.pdf): catalog(sealed.pdf), number: store, **extra})


@pytest.mark.parametrize("value", [b"", b"garbage", b"\x30\x00", b"\x30\x03\x02\x01\x01"])
def test_garbage_in_the_validation_data(sealed: Sealed, value: bytes) -> None:
    new = size(sealed.pdf)
    for key in (b"/Certs", b"/CRLs", b"/OCSPs"):
        pdf = _with_store(
            sealed,
            {new: stream(value)},
            lambda s, k=key: re.sub(rb"%s \[(.*?)\]" % k, rb"%s [\1 %d 0 R]" % (k, new), s),
        )
        assert_altered(judge(sealed, pdf), "DSS_VALUE_WRONG")


def test_a_strangers_certificate_in_the_validation_data(sealed: Sealed) -> None:
    stranger = build_pki(open_backend("memory:")).root.certificate
    new = size(sealed.pdf)
    pdf = _with_store(
        sealed, {new: stream(stranger)}, lambda s: re.sub(rb"/Certs \[(.*?)\]", rb"/Certs [\1 %d 0 R]" % new, s)
    )
    assert_altered(judge(sealed, pdf), "DSS_VALUE_UNUSED")


def test_validation_data_taken_away(sealed: Sealed) -> None:
    pdf = _with_store(sealed, {}, lambda s: re.sub(rb"/OCSPs \[.*?\]", b"/OCSPs []", s))
    assert_altered(judge(sealed, pdf), "CHANGE_NOT_PERMITTED")


def test_an_unknown_entry_in_the_validation_data(sealed: Sealed) -> None:
    new = size(sealed.pdf)
    pdf = _with_store(sealed, {new: stream(b"x")}, lambda s: s.replace(b"/Type /DSS", b"/Type /DSS /Evil %d 0 R" % new))
    assert_altered(judge(sealed, pdf), "CHANGE_NOT_PERMITTED")


def test_a_stolen_archive_timestamp(archived: Sealed) -> None:
    """A timestamp made for one file, moved behind another."""
    other = build(archived.pki, "business-license-duplicate", serial="00000002")
    _, _, end = seal_range(archived.pdf)
    verdict = judge(other, other.pdf + archived.pdf[end:])
    assert verdict.integrity is not Integrity.INTACT
    assert verdict.conclusion is Conclusion.INVALID


def test_an_archive_timestamp_by_the_vault_is_permitted(sealed: Sealed) -> None:
    pki = sealed.pki
    pdf = extend_archive(sealed.pdf, stamp=pki.tsa().at(NOW), validation=validation_data(pki, NOW), at=NOW)
    verdict = judge(sealed, pdf)
    assert verdict.conclusion is Conclusion.VALID, verdict.findings
    assert verdict.signatures[0].format == "PAdES-B-LTA"


# --- the signature value -------------------------------------------------------------------------------------------


def _contents(pdf: bytes) -> tuple[int, int]:
    start, end, _ = seal_range(pdf)
    return start + 1, end - 1


def test_a_changed_byte_in_the_padding(sealed: Sealed) -> None:
    _, end = _contents(sealed.pdf)
    pdf = sealed.pdf[: end - 2] + b"01" + sealed.pdf[end:]
    if sealed.pdf[end - 2 : end] != b"00":
        pytest.skip("this value leaves no padding")
    assert_altered(judge(sealed, pdf), "CONTENTS_NOT_CANONICAL")


def test_hexadecimal_digits_of_mixed_case(sealed: Sealed) -> None:
    start, end = _contents(sealed.pdf)
    place = next(i for i in range(start, end) if sealed.pdf[i : i + 1].isalpha())
    swapped = sealed.pdf[place : place + 1].swapcase()
    pdf = sealed.pdf[:place] + swapped + sealed.pdf[place + 1 :]
    assert_altered(judge(sealed, pdf), "CONTENTS_NOT_CANONICAL")


def test_white_space_among_the_hexadecimal_digits(sealed: Sealed) -> None:
    _, end = _contents(sealed.pdf)
    pdf = sealed.pdf[: end - 2] + b"  " + sealed.pdf[end:]
    assert_altered(judge(sealed, pdf), "CONTENTS_NOT_CANONICAL")


def test_something_else_in_the_gap(sealed: Sealed) -> None:
    start, end = _contents(sealed.pdf)
    pdf = sealed.pdf[: end - 20] + b">/Evil (hidden) /B <" + sealed.pdf[end:]
    assert end - start > 20
    assert_altered(judge(sealed, pdf), "BYTE_RANGE_WRONG")


def test_a_widened_byte_range(sealed: Sealed) -> None:
    """The range leaves out more than the value: what stands there could be changed at will."""
    start, end, _ = seal_range(sealed.pdf)
    text = re.search(rb"/ByteRange *\[ *0 +(\d+) +(\d+) +(\d+)", sealed.pdf)
    assert text
    shrunk = text[0].replace(b"%d" % start, b"%d" % (start - 10), 1)
    pdf = sealed.pdf.replace(text[0], shrunk.ljust(len(text[0])))
    assert end > start
    assert_altered(judge(sealed, pdf), "BYTE_RANGE_WRONG")


def test_a_timestamp_of_another_signature(sealed: Sealed) -> None:
    other = build(sealed.pki, "business-license-duplicate", serial="00000003", baseline=Baseline.B_T)
    mine = build(sealed.pki, "business-license-duplicate", serial="00000004", baseline=Baseline.B_T)
    from asn1crypto import cms

    def value(pdf: bytes) -> bytes:
        start, end = _contents(pdf)
        return bytes.fromhex(pdf[start:end].decode())

    info = cms.ContentInfo.load(value(mine.pdf))
    stolen = cms.ContentInfo.load(value(other.pdf))
    ours = info["content"]["signer_infos"][0]
    ours["unsigned_attrs"] = stolen["content"]["signer_infos"][0]["unsigned_attrs"].copy()
    start, end = _contents(mine.pdf)
    forged = info.dump(force=True).hex().encode()
    pdf = mine.pdf[:start] + forged.ljust(end - start, b"0") + mine.pdf[end:]
    assert len(pdf) == len(mine.pdf)
    assert_altered(judge(mine, pdf), "TIMESTAMP_WRONG")


# --- who signed ----------------------------------------------------------------------------------------------------


def test_sealed_by_a_certificate_of_the_same_name(sealed: Sealed) -> None:
    """Same names everywhere, another root: nothing but the keys tells them apart."""
    forger = build(build_pki(open_backend("memory:")), "business-license-duplicate")
    verdict = judge(forger, trust=sealed.trust())
    assert verdict.integrity is Integrity.INTACT
    assert verdict.conclusion is not Conclusion.VALID
    assert verdict.license is None
    assert verdict.codes() & {"NO_TRUSTED_PATH", "PATH_WRONG"}


def test_no_anchor_was_chosen(sealed: Sealed) -> None:
    verdict = judge(sealed, trust=TrustStore())
    assert verdict.integrity is Integrity.INTACT
    assert verdict.conclusion is Conclusion.INDETERMINATE
    assert "NO_TRUSTED_PATH" in verdict.codes()
    assert verdict.license is None


def test_example_authorities_count_only_when_allowed(sealed: Sealed) -> None:
    refused = judge(sealed, trust=sealed.trust(allow_example=False))
    assert refused.conclusion is Conclusion.INDETERMINATE
    assert "EXAMPLE_KEYS" in refused.codes()
    allowed = judge(sealed)
    assert allowed.conclusion is Conclusion.VALID
    assert "EXAMPLE_KEYS" in allowed.codes()


def test_a_record_of_another_issuer(sealed: Sealed) -> None:
    """The seal is genuine, but its owner is not the authority in the record."""

    def other(record: LicenseRecord) -> LicenseRecord:
        return replace(record, issuer_code="11410200005185640X")

    verdict = judge(build(sealed.pki, "business-license-duplicate", change_record=other))
    assert verdict.conclusion is Conclusion.INVALID
    assert "ISSUER_CODE_DIFFERS" in verdict.codes()


def test_an_issuer_beyond_its_remit(sealed: Sealed) -> None:
    elsewhere = Remit(sealed.record.issuer_code, frozenset({"driving-license"}), None)
    verdict = judge(sealed, trust=sealed.trust(remits=(elsewhere,)))
    assert verdict.conclusion is Conclusion.INVALID
    assert "REMIT_EXCEEDED" in verdict.codes()
    within = Remit(sealed.record.issuer_code, None, ("41",))
    assert judge(sealed, trust=sealed.trust(remits=(within,))).conclusion is Conclusion.VALID


def test_an_authority_printed_that_is_not_the_seals_owner(sealed: Sealed) -> None:
    """A sample may print any authority; a real license may not."""
    verdict = judge(build(sealed.pki, "business-license-duplicate", sample=False))
    assert verdict.conclusion is Conclusion.INVALID
    assert "ISSUER_NAME_DIFFERS" in verdict.codes()


# --- page, record and code, by an issuer that lies -------------------------------------------------------------------


def _other_name(record: LicenseRecord) -> LicenseRecord:
    return replace(record, fields={**record.fields, "name": "另一家公司"})


def test_a_stolen_record_on_a_look_alike_page(sealed: Sealed) -> None:
    """The page shows one company, the record attached is another's."""
    stolen = build(sealed.pki, "business-license-duplicate", serial="00000009").record

    def steal(record: LicenseRecord) -> LicenseRecord:
        items = tuple(replace(i, text="另一家公司") if i.field == "name" else i for i in record.face.items)
        return replace(stolen, face=replace(record.face, items=items))

    verdict = judge(build(sealed.pki, "business-license-duplicate", change_record=steal))
    assert verdict.integrity is Integrity.INTACT
    assert verdict.conclusion is Conclusion.INVALID
    assert "PAGE_TEXT_DIFFERS" in verdict.codes()


def test_an_old_code_on_a_new_page(sealed: Sealed) -> None:
    verdict = judge(
        build(sealed.pki, "business-license-duplicate", serial="00000010", change_code=lambda _: sealed.code)
    )
    assert verdict.integrity is Integrity.INTACT
    assert verdict.conclusion is Conclusion.INVALID
    assert "PAGE_CODE_DIFFERS" in verdict.codes()


def test_a_page_whose_code_is_no_license_code(sealed: Sealed) -> None:
    verdict = judge(build(sealed.pki, "business-license-duplicate", change_code=lambda _: "https://evil.example/pay"))
    assert "PAGE_CODE_DIFFERS" in verdict.codes()
    assert verdict.conclusion is Conclusion.INVALID


def test_text_on_the_page_that_the_record_does_not_know(sealed: Sealed) -> None:
    def forget(record: LicenseRecord) -> LicenseRecord:
        return replace(record, face=replace(record.face, items=record.face.items[1:]))

    verdict = judge(build(sealed.pki, "business-license-duplicate", change_record=forget))
    assert verdict.conclusion is Conclusion.INVALID
    assert "PAGE_TEXT_EXTRA" in verdict.codes()


def test_a_datum_that_the_page_does_not_show(sealed: Sealed) -> None:
    def invent(record: LicenseRecord) -> LicenseRecord:
        item = FaceItem("evil", "无", 1, (5.0, 5.0, 20.0, 20.0))
        return replace(record, face=replace(record.face, items=(*record.face.items, item)))

    verdict = judge(build(sealed.pki, "business-license-duplicate", change_record=invent))
    assert verdict.conclusion is Conclusion.INVALID
    assert "PAGE_TEXT_DIFFERS" in verdict.codes()


def test_changed_fixed_text_of_the_type(sealed: Sealed) -> None:
    def change(record: LicenseRecord) -> LicenseRecord:
        first, *rest = record.face.static
        return replace(record, face=replace(record.face, static=(replace(first, sha256="0" * 64), *rest)))

    verdict = judge(build(sealed.pki, "business-license-duplicate", change_record=change))
    assert "PAGE_STATIC_DIFFERS" in verdict.codes()
    assert verdict.conclusion is Conclusion.INVALID


def test_a_page_of_another_size(sealed: Sealed) -> None:
    def grow(record: LicenseRecord) -> LicenseRecord:
        return replace(record, face=replace(record.face, pages=((900.0, 900.0),)))

    assert "PAGE_SIZE_DIFFERS" in judge(build(sealed.pki, "business-license-duplicate", change_record=grow)).codes()


def test_a_picture_laid_over_the_text(sealed: Sealed) -> None:
    """Text extraction still finds the data; the eye sees the picture."""

    def cover(pdf: bytes) -> bytes:
        page = object_text(pdf, page_number(pdf))
        contents = re.search(rb"/Contents \[(.*?)\]", page)
        assert contents
        number = size(pdf)
        box = next(i.box for i in sealed.record.face.items if i.field == "name")
        drawing = b"1 1 1 rg %.2f %.2f %.2f %.2f re f" % (box[0], box[1], box[2] - box[0], box[3] - box[1])
        changed = page.replace(contents[0], b"/Contents [%s %d 0 R]" % (contents[1], number))
        return append_update(pdf, {page_number(pdf): changed, number: stream(drawing)})

    verdict = judge(build(sealed.pki, "business-license-duplicate", change_pdf=cover))
    assert verdict.integrity is Integrity.INTACT
    assert verdict.conclusion is Conclusion.INVALID
    assert "PAGE_TEXT_COVERED" in verdict.codes()


def test_a_wrong_check_character_in_the_identifier(sealed: Sealed) -> None:
    def change(record: LicenseRecord) -> LicenseRecord:
        last = "A" if record.identifier[-1] != "A" else "B"
        return replace(record, identifier=record.identifier[:-1] + last)

    verdict = judge(build(sealed.pki, "business-license-duplicate", change_record=change))
    assert verdict.conclusion is Conclusion.INVALID
    assert "IDENTIFIER_WRONG" in verdict.codes()


def test_an_issue_day_in_the_future(sealed: Sealed) -> None:
    def postpone(record: LicenseRecord) -> LicenseRecord:
        return replace(record, issued=record.issued.replace(year=2027))

    verdict = judge(build(sealed.pki, "business-license-duplicate", change_record=postpone))
    assert verdict.conclusion is not Conclusion.VALID
    assert "ISSUED_DATE_IMPLAUSIBLE" in verdict.codes()


def test_the_whole_signature_in_upper_case(sealed: Sealed) -> None:
    """The same value in other digits: the raw text is compared, so no changed byte stays unseen."""
    start, end = _contents(sealed.pdf)
    pdf = sealed.pdf[:start] + sealed.pdf[start:end].upper() + sealed.pdf[end:]
    assert_altered(judge(sealed, pdf), "CONTENTS_NOT_CANONICAL")


@pytest.mark.parametrize("purpose", [KeyPurpose.RECORD, KeyPurpose.CODE, KeyPurpose.STATUS, KeyPurpose.TSA])
def test_a_plain_document_under_a_key_for_something_else(sealed: Sealed, purpose: KeyPurpose) -> None:
    thief = sealed.pki.signer(purpose)
    assert isinstance(thief, BackendSigner)
    pdf = seal_pdf(
        empty_pdf(),
        field="Seal1",
        signer=BackendSigner(thief._backend, replace(thief.handle, purpose=KeyPurpose.SEAL)),
        certificate=sealed.pki.certificate(purpose),
        chain=(sealed.pki.issuing.certificate,),
        at=AT,
        baseline=Baseline.B_B,
        stamp=None,
        validation=None,
    )
    verdict = judge(sealed, pdf)
    assert verdict.conclusion is Conclusion.INVALID
    assert "CERTIFICATE_PURPOSE" in verdict.codes()
