"""Reports on a verdict: three depths as JSON, pictures of what changed, and files that our own judge knows."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import zlib
from dataclasses import replace
from html import unescape
from html.parser import HTMLParser
from typing import Any

import pytest

from certvault.reports import unsigned_html, unsigned_pdf
from signing.errors import PurposeError, SigningError
from signing.formats.jose import signed_detached
from signing.formats.pades import Baseline, ValidationData, seal_pdf
from signing.keys import KeyPurpose
from templates.report.blocks import Origin, clean
from templates.report.composing import report_blocks
from templates.report.html import report_html
from templates.report.pdf import FIELD
from templates.report.pixels import picture_from
from tests.support.forging import append_update, object_text, page_number, seal_range, size, stream
from tests.support.sealed import NOW, Sealed, build, genuine
from tests.support.signing_pki import AT, shared_pki
from verify import TrustStore, Verdict, verify_document, verify_record
from verify.formats.jose import decode_base64url
from verify.formats.publickeys import verify_named
from verify.formats.report import ReportError, report_content, unverified_report_subject
from verify.report import DEPTHS
from verify.report.checks import DOUBT, FAILED, NOT_RUN, PASSED
from verify.report.material import material_json

ORIGIN = Origin("营业执照.pdf", "2026-11-23T08:01:00Z", "EXAMPLE Vault", signed=True)


@pytest.fixture(scope="module")
def sealed() -> Sealed:
    return genuine(type_name="driving-license")


@pytest.fixture(scope="module")
def good(sealed: Sealed) -> Verdict:
    return judge(sealed, sealed.pdf)


@pytest.fixture(scope="module")
def painted(sealed: Sealed) -> bytes:
    """The same license with a rectangle painted over a part of the page, in an update after the seal."""
    number, fresh = page_number(sealed.pdf), size(sealed.pdf)
    page = re.sub(rb"/Contents \[([^\]]*)\]", rb"/Contents [\1 %d 0 R]" % fresh, object_text(sealed.pdf, number))
    return append_update(sealed.pdf, {number: page, fresh: stream(b"q 1 0 0 rg 40 40 80 20 re f Q")})


@pytest.fixture(scope="module")
def material(sealed: Sealed, painted: bytes) -> dict[str, Any]:
    return material_json(judge(sealed, painted), painted)


def judge(sealed: Sealed, pdf: bytes, **changes: Any) -> Verdict:
    return verify_document(pdf, trust=sealed.trust(**changes), at=NOW, evidence=sealed.evidence())


def outcomes(report: dict[str, Any]) -> dict[str, str]:
    return {check["name"]: check["outcome"] for check in report["checks"]}


# ---- depths


def test_each_depth_has_all_that_the_one_before_has(good: Verdict) -> None:
    conclusion, checks, facts = (good.to_json("en", depth=d) for d in DEPTHS)
    assert set(conclusion) < set(checks) < set(facts)
    assert {"kind", "integrity", "conclusion", "standing", "recognition", "at", "license"} <= set(conclusion)
    assert json.loads(json.dumps(facts)) == facts
    with pytest.raises(ValueError, match="no such depth"):
        good.to_json("en", depth="everything")


def test_without_a_depth_the_shape_is_the_interface(good: Verdict) -> None:
    assert list(good.to_json()) == [
        "kind", "integrity", "conclusion", "standing", "recognition", "at", "signatures", "license", "findings",
        "elapsed_ms",
    ]  # fmt: skip


def test_the_conclusion_gives_each_answer_a_reason_and_says_what_to_do(
    sealed: Sealed, good: Verdict, painted: bytes
) -> None:
    fine = good.to_json("zh", depth="conclusion")
    assert fine["answers"]["integrity"]["value"] == "INTACT"
    assert fine["answers"]["standing"] == {**fine["answers"]["standing"], "value": "IN_FORCE", "codes": []}
    assert fine["answers"]["recognition"] is None
    bad = judge(sealed, painted).to_json("en", depth="conclusion")
    assert bad["answers"]["integrity"]["reason"].startswith("The document was changed")
    assert "CHANGE_NOT_PERMITTED" in bad["answers"]["conclusion"]["codes"]
    assert bad["next"].startswith("The file was changed after it was sealed. Refuse it")
    for answer in (*fine["answers"].values(), *bad["answers"].values()):
        assert answer is None or answer["reason"]


def test_every_check_of_a_genuine_license_passes(good: Verdict) -> None:
    found = outcomes(good.to_json("en", depth="checks"))
    assert set(found.values()) == {PASSED}
    assert {"format", "identification", "context", "cryptography", "x509", "acceptance", "standing"} <= set(found)
    assert {"record", "identifier", "issuer", "page_text", "page_ink", "page_code"} <= set(found)
    assert "vault" not in found, "nobody asked a vault"


def test_the_check_that_found_it_fails_and_names_its_clause(sealed: Sealed, painted: bytes) -> None:
    report = judge(sealed, painted).to_json("en", depth="checks")
    (revisions,) = (c for c in report["checks"] if c["name"] == "revisions")
    assert revisions["outcome"] == FAILED
    assert revisions["clause"] == "ISO 32000-2 12.8.2.2"
    assert "CHANGE_NOT_PERMITTED" in {f["code"] for f in revisions["findings"]}
    assert outcomes(report)["cryptography"] == PASSED, "the signed bytes are as they were"


def test_without_trust_the_chain_is_in_doubt_and_nobody_asked_who_was_revoked(sealed: Sealed) -> None:
    found = outcomes(judge(sealed, sealed.pdf, anchors=(), certificates=()).to_json("en", depth="checks"))
    assert (found["x509"], found["revocation"], found["cryptography"]) == (DOUBT, NOT_RUN, PASSED)


def test_what_cannot_be_read_fails_and_the_rest_did_not_run(sealed: Sealed) -> None:
    found = outcomes(judge(sealed, b"%PDF-1.7\nnothing").to_json("en", depth="checks"))
    assert found["limits"] == PASSED
    assert found["format"] in (FAILED, DOUBT)
    assert found["cryptography"] == found["x509"] == found["revisions"] == NOT_RUN


def test_each_signature_has_checks_of_its_own(good: Verdict) -> None:
    (signature,) = good.to_json("en", depth="checks")["signatures"]
    assert {c["name"]: c["outcome"] for c in signature["checks"]}["cryptography"] == PASSED
    assert signature["field"] == "Seal1"


def test_the_facts_tell_what_was_read_and_by_what_it_was_judged(sealed: Sealed, good: Verdict) -> None:
    facts = good.to_json("en", depth="facts")["facts"]
    assert facts["file"] == {"sha256": hashlib.sha256(sealed.pdf).hexdigest(), "bytes": len(sealed.pdf), "kind": "pdf"}
    (signature,) = facts["signatures"]
    assert signature["digest_algorithm"] == "sha256"
    assert signature["signer"]["key_bits"] == 256
    assert signature["signer"]["sha256"] == hashlib.sha256(sealed.pki.certificate(KeyPurpose.SEAL)).hexdigest()
    assert signature["path"][0] == hashlib.sha256(sealed.pki.root.certificate).hexdigest()
    assert signature["timestamps"][0]["time"] == "2026-11-23T08:00:00Z"
    assert len(signature["message_digest"]) == 64
    drawn, signed, extended = facts["revisions"]
    assert (drawn["start"], drawn["end"], extended["end"]) == (0, signed["start"], len(sealed.pdf))
    assert (signed["end"], signed["signed_by"]) == (signature["revision_end"], ["Seal1"])
    assert signed["changed_after"] == ["validation data"]
    assert extended["objects"] > 0
    assert facts["revocation"]["lists"][0]["this_update"]
    assert facts["judged_by"]["anchors"][0]["sha256"] == signature["path"][0]
    assert facts["judged_by"]["policy"]["limits"]["seconds"] == 20.0
    assert facts["software"]["name"] == "certvault"
    for certificate in facts["certificates"]:
        assert {"subject", "issuer", "serial", "not_before", "not_after", "sha256"} <= set(certificate)


def test_a_record_has_facts_too(sealed: Sealed) -> None:
    verdict = verify_record(sealed.sd_jwt, trust=sealed.trust(), at=NOW, evidence=sealed.evidence())
    report = verdict.to_json("en", depth="facts")
    assert report["facts"]["signatures"][0]["signer"]["subject"]
    assert outcomes(report)["claims"] == PASSED
    assert "revisions" not in outcomes(report)


def test_a_verdict_made_by_hand_has_a_report(good: Verdict) -> None:
    bare = replace(good, facts=None, policy=None, trust=None)
    assert bare.to_json("zh", depth="facts")["facts"]["signatures"] == []


# ---- pictures


def test_a_changed_page_is_shown_beside_the_signed_one(sealed: Sealed, material: dict[str, Any]) -> None:
    (pair,) = material["pictures"]
    signed, shown = picture_from(pair["signed"]), picture_from(pair["shown"])
    assert signed is not None
    assert shown is not None
    assert (signed.width, signed.height) == (shown.width, shown.height)
    assert signed.rows != shown.rows
    left, top, right, bottom = pair["boxes"][0]
    width, height = page_points(sealed.pdf)
    assert (left * width, right * width) == (pytest.approx(40, abs=12), pytest.approx(120, abs=12))
    assert ((1 - bottom) * height, (1 - top) * height) == (pytest.approx(40, abs=12), pytest.approx(60, abs=12))


def page_points(pdf: bytes) -> tuple[float, float]:
    import pypdfium2

    width, height = pypdfium2.PdfDocument(pdf)[0].get_size()
    return float(width), float(height)


def test_an_unchanged_file_needs_no_pictures(sealed: Sealed, good: Verdict) -> None:
    assert material_json(good, sealed.pdf)["pictures"] == []


@pytest.mark.parametrize(
    "value",
    [
        None,
        {"width": 2, "height": 2},
        {"width": 2, "height": 2, "data": "!"},
        {"width": 2, "height": 2, "data": base64.b64encode(b"no deflate").decode()},
        {"width": 2, "height": 2, "data": base64.b64encode(zlib.compress(bytes(13))).decode()},
        {"width": 2, "height": 2, "data": base64.b64encode(zlib.compress(bytes(15))).decode()},
        {"width": 2, "height": 2, "data": base64.b64encode(zlib.compress(b"\x09" * 14)).decode()},
        {"width": 2, "height": 2, "data": base64.b64encode(zlib.compress(bytes(14)) + b"more").decode()},
        {"width": 9000, "height": 1, "data": base64.b64encode(zlib.compress(bytes(27001))).decode()},
        {"width": 2, "height": 2, "data": base64.b64encode(zlib.compress(bytes(50_000_000))).decode()},
    ],
)
def test_pixels_that_are_not_what_they_say_are_left_out(value: object) -> None:
    assert picture_from(value) is None


def test_pixels_that_fit_become_a_png() -> None:
    import io

    from PIL import Image

    rows = zlib.compress(b"\0" + bytes([255, 0, 0] * 2) + b"\0" + bytes([0, 0, 255] * 2))
    found = picture_from({"width": 2, "height": 2, "data": base64.b64encode(rows).decode()})
    assert found is not None
    opened = Image.open(io.BytesIO(found.png()))
    assert opened.getpixel((0, 0)) == (255, 0, 0)
    assert opened.getpixel((1, 1)) == (0, 0, 255)


# ---- the report as a file


def sealed_report(material: dict[str, Any], purpose: KeyPurpose = KeyPurpose.ANSWER, lang: str = "zh") -> bytes:
    pki = shared_pki("p256")
    return seal_pdf(
        unsigned_pdf(material, ORIGIN, lang, AT),
        field=FIELD,
        signer=pki.signer(purpose),
        certificate=pki.certificate(purpose),
        chain=(pki.issuing.certificate,),
        at=AT,
        baseline=Baseline.B_LT,
        stamp=pki.tsa().at(AT),
        validation=ValidationData(
            (pki.root.certificate, pki.issuing.certificate),
            (pki.root_crl(AT),),
            (pki.ocsp(purpose), pki.ocsp(KeyPurpose.TSA)),
        ),
        purpose=purpose,
    )


@pytest.fixture(scope="module")
def report(material: dict[str, Any]) -> bytes:
    return sealed_report(material)


def test_our_judge_finds_a_report_valid_and_no_license(sealed: Sealed, painted: bytes, report: bytes) -> None:
    verdict = judge(sealed, report)
    assert (verdict.integrity.value, verdict.conclusion.value) == ("INTACT", "VALID"), verdict.codes()
    assert verdict.standing is None
    assert verdict.license is None
    assert verdict.signatures[0].format == "PAdES-B-LT"
    (note,) = (f for f in verdict.findings if f.code == "VERIFICATION_REPORT")
    assert hashlib.sha256(painted).hexdigest() in note.message("en")
    assert verdict.to_json("zh", depth="conclusion")["summary"]["title"] == "真实的验证报告"


def test_a_seal_key_makes_no_report(sealed: Sealed, material: dict[str, Any]) -> None:
    verdict = judge(sealed, sealed_report(material, KeyPurpose.SEAL))
    assert verdict.conclusion.value == "INVALID"
    assert "CERTIFICATE_PURPOSE" in verdict.codes()


def test_a_key_for_answers_makes_no_license_and_no_other_document(sealed: Sealed, material: dict[str, Any]) -> None:
    renamed = unsigned_pdf(material, ORIGIN, "zh", AT).replace(b"(certvault-report.json)", b"(certvault-rapport.jso)")
    pki = shared_pki("p256")
    other = seal_pdf(
        renamed, field=FIELD, signer=pki.signer(KeyPurpose.ANSWER), certificate=pki.certificate(KeyPurpose.ANSWER),
        chain=(pki.issuing.certificate,), at=AT, baseline=Baseline.B_B, stamp=None, validation=None,
        purpose=KeyPurpose.ANSWER,
    )  # fmt: skip
    assert "CERTIFICATE_PURPOSE" in judge(sealed, other).codes()
    with pytest.raises(PurposeError):
        build(pki, "driving-license", seal_purpose=KeyPurpose.ANSWER)


@pytest.mark.parametrize("purpose", [KeyPurpose.RECORD, KeyPurpose.STATUS, KeyPurpose.TSA])
def test_no_other_key_signs_a_document(material: dict[str, Any], purpose: KeyPurpose) -> None:
    with pytest.raises((PurposeError, SigningError)):
        sealed_report(material, purpose)


def test_a_changed_report_is_altered(sealed: Sealed, report: bytes) -> None:
    start, _, end = seal_range(report)[:3]
    for offset in (200, len(report) // 3, end + 40, len(report) - 20):
        changed = bytearray(report)
        changed[offset] ^= 1
        assert judge(sealed, bytes(changed)).integrity.value != "INTACT", offset
    assert judge(sealed, report + b"\n").integrity.value == "ALTERED"
    del start


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_pages_say_answers_reasons_and_the_digest(material: dict[str, Any], painted: bytes, lang: str) -> None:
    import pypdfium2

    document = pypdfium2.PdfDocument(unsigned_pdf(material, ORIGIN, lang, AT))
    text = "".join(page.get_textpage().get_text_range() for page in document).replace("\r\n", "").replace("\n", "")
    assert hashlib.sha256(painted).hexdigest() in text
    assert "CHANGE_NOT_PERMITTED" in text
    assert material[lang]["summary"]["title"] in text
    assert material[lang]["findings"][0]["why"][:12] in text
    assert ("本报告不是证照" if lang == "zh" else "This report is no license") in text


def test_the_same_report_is_the_same_file(material: dict[str, Any]) -> None:
    assert unsigned_pdf(material, ORIGIN, "en", AT) == unsigned_pdf(material, ORIGIN, "en", AT)


def test_the_attached_facts_name_the_file(painted: bytes, report: bytes) -> None:
    subject = unverified_report_subject(attachment(report))
    assert subject == hashlib.sha256(painted).hexdigest()


def attachment(pdf: bytes) -> bytes:
    import pypdfium2

    document = pypdfium2.PdfDocument(pdf)
    (only,) = [document.get_attachment(i) for i in range(document.count_attachments())]
    assert only.get_name() == "certvault-report.json"
    return bytes(only.get_data())


@pytest.mark.parametrize(
    "data",
    [b"", b"[]", b"{}", b'{"schema":"certvault-report/1"}', b'{"schema":"certvault-report/1","file_sha256":"X"}'],
)
def test_other_data_make_no_report(data: bytes) -> None:
    with pytest.raises(ReportError):
        unverified_report_subject(data)


# ---- strangers' texts

HOSTILE = "</pre><script>alert(1)</script>\u202egnp.exe\x00\x1b[31m" + "長" * 2000


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.handlers: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)
        self.handlers += [name for name, _ in attrs if name.startswith("on")]


def hostile_material(material: dict[str, Any]) -> dict[str, Any]:
    """The same report with a stranger's text wherever a text stands."""

    def spoil(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: spoil(inner) for key, inner in value.items()}
        if isinstance(value, list):
            return [spoil(inner) for inner in value]
        return HOSTILE if isinstance(value, str) else value

    return {**material, "zh": spoil(material["zh"]), "en": spoil(material["en"])}


def test_hostile_texts_stay_texts_in_html(material: dict[str, Any]) -> None:
    page = unsigned_html(hostile_material(material), replace(ORIGIN, name=HOSTILE), "zh").decode()
    tags = _Tags()
    tags.feed(page)
    assert "script" not in tags.names
    assert tags.handlers == []
    assert "default-src 'none'" in unescape(page)
    body = page.partition('<pre id="facts">')[0]
    assert "\u202e" not in body
    assert "\x00" not in body
    assert "長" * 700 not in body


def test_hostile_texts_do_not_break_the_pdf(material: dict[str, Any]) -> None:
    import pypdfium2

    made = unsigned_pdf(hostile_material(material), replace(ORIGIN, name=HOSTILE), "zh", AT)
    assert 1 <= len(pypdfium2.PdfDocument(made)) < 60


@pytest.mark.parametrize("broken", [{}, {"zh": 1}, {"zh": {"findings": 5, "facts": [], "summary": "x", "checks": [1]}}])
def test_whatever_a_lost_process_sent_makes_a_report(broken: dict[str, Any]) -> None:
    assert unsigned_pdf(broken, ORIGIN, "zh", AT).startswith(b"%PDF")
    assert b"<!DOCTYPE html>" in unsigned_html(broken, ORIGIN, "zh")


def test_clean_keeps_letters_and_drops_controls() -> None:
    assert clean("甲\u202e乙\n丙\x00", 10) == "甲\ufffd乙 丙\ufffd"
    assert clean("x" * 20, 10) == "x" * 9 + "…"
    assert clean(True) == clean(None) == clean([1]) == ""


# ---- the HTML's signature


def test_the_html_carries_a_detached_signature_over_its_facts(material: dict[str, Any]) -> None:
    pki = shared_pki("p256")
    facts = report_content({"en": material["en"]}, "0" * 64, ORIGIN.made_at)
    chain = (pki.certificate(KeyPurpose.ANSWER), pki.issuing.certificate)
    jws = signed_detached({"typ": "certvault-report+json"}, facts, signer=pki.signer(KeyPurpose.ANSWER), chain=chain)
    page = report_html(report_blocks(material, ORIGIN, "en"), facts, jws, origin=ORIGIN, lang="en").decode()
    shown = unescape(page.partition('<pre id="facts">')[2].partition("</pre>")[0]).encode()
    token = unescape(page.partition('<pre id="jws">')[2].partition("</pre>")[0])
    head, middle, value = token.split(".")
    assert (shown, middle) == (facts, "")
    header = json.loads(decode_base64url(head))
    certificate = base64.b64decode(header["x5c"][0])
    assert certificate == pki.certificate(KeyPurpose.ANSWER)
    from asn1crypto import x509

    signed = f"{head}.{base64.urlsafe_b64encode(shown).rstrip(b'=').decode()}".encode()
    algorithm = pki.signer(KeyPurpose.ANSWER).handle.algorithm
    verify_named(decode_base64url(value), signed, x509.Certificate.load(certificate).public_key.dump(), algorithm)


def test_nothing_is_trusted_by_default(sealed: Sealed, report: bytes) -> None:
    verdict = verify_document(report, trust=TrustStore(), at=NOW)
    assert (verdict.integrity.value, verdict.conclusion.value) == ("INTACT", "INDETERMINATE")
