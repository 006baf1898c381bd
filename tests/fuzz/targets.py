"""What is fuzzed: for each parser of foreign bytes a function that may raise only what the parser says it raises."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from verify import Verdict
    from verify.seal import Inspection

AT = datetime(2026, 11, 23, tzinfo=UTC)
SEEDS = Path(__file__).with_name("seeds")
LIMIT = 1_000_000
Target = Callable[[bytes], None]


class WrongAnswerError(AssertionError):
    """The parser ended well and the answer cannot be right."""


def _sound(verdict: Verdict, data: bytes) -> None:
    """A verdict is never VALID without an anchor, never rests on an unforeseen error, and can be shown."""
    if verdict.conclusion.value == "VALID" or "INTERNAL" in verdict.codes():
        raise WrongAnswerError(f"{verdict.conclusion} {[dict(f.params) for f in verdict.findings]}")
    verdict.to_json("zh")
    verdict.to_json("en")


# --- PDF ------------------------------------------------------------------------------------------------------------


def pdf_values(data: bytes) -> None:
    from verify.formats.pdflexer import Lexer
    from verify.formats.pdflimits import Budget, Notices, PdfError, PdfLimits

    limits = PdfLimits()
    lexer = Lexer(data, Budget(limits, len(data)), Notices(), limits.nesting)
    place = 0
    try:
        while place < len(data):
            _, after = lexer.value(place, len(data))
            if after <= place:
                raise WrongAnswerError("a value of no bytes")
            place = after
        lexer.entry_spans(0, len(data))
    except PdfError:
        pass


def pdf_filters(data: bytes) -> None:
    """The first byte picks the filters, the second and third the parameters, the rest is what they undo."""
    from verify.formats.pdffilters import decode
    from verify.formats.pdflimits import Budget, PdfError, PdfLimits

    names = (b"FlateDecode", b"LZWDecode", b"ASCIIHexDecode", b"ASCII85Decode", b"RunLengthDecode", b"Fl", b"none")
    if len(data) < 3:
        return
    one, two = names[data[0] % 7], names[data[0] // 7 % 7]
    predictor = {b"Predictor": data[1] % 20, b"Columns": data[2], b"Colors": data[1] // 64 + 1}
    with contextlib.suppress(PdfError):
        decode(data[3:], [(one, predictor), (two, {})][: 1 + data[0] % 2], LIMIT, Budget(PdfLimits(), LIMIT), _ignore)


def _ignore(text: str) -> None:
    """Notices are of no interest here."""


def pdf_file(data: bytes) -> None:
    """The reader: cross-references, revisions, object streams, and the account of every byte."""
    from verify.formats.pdffile import PdfFile
    from verify.formats.pdflimits import PdfError
    from verify.formats.pdfsignatures import find_signatures
    from verify.formats.pdfvalues import Stream

    try:
        file = PdfFile(data)
        for snapshot in [file.newest, *(file.snapshot(revision.end) for revision in file.revisions)]:
            for number in list(snapshot.numbers())[:200]:
                value = snapshot.get(number)
                if isinstance(value, Stream):
                    _decode(snapshot.decoded, value)
            find_signatures(snapshot, 50)
        file.spans()
        file.unlisted()
        file.unlisted_compressed()
    except PdfError:
        pass


def _decode(decoded: Callable[..., bytes], stream: object) -> None:
    from verify.formats.pdflimits import PdfError

    with contextlib.suppress(PdfError):
        decoded(stream, LIMIT)


def pdf_xref(data: bytes) -> None:
    """The bytes as the cross-reference part behind a few objects."""
    body = (
        b"%PDF-1.7\n1 0 obj\n<</Type/Catalog/Pages 2 0 R>>\nendobj\n2 0 obj\n<</Type/Pages/Kids[]/Count 0>>\nendobj\n"
    )
    pdf_file(body + data + b"\nstartxref\n%d\n%%%%EOF\n" % len(body))


def pdf_update(data: bytes) -> None:
    """The strict reader of updates to our own licenses."""
    from verify.formats import pdf

    try:
        for update in pdf.updates_after(data, 0):
            repr(update)
    except pdf.PdfSyntaxError:
        pass
    with contextlib.suppress(pdf.PdfSyntaxError):
        pdf.object_at(data, 0)


def pdf_document(data: bytes) -> None:
    """The whole judge, and where it says INTACT an independent look at what is signed and shown."""
    from tests.support.damage.judging import intact_wrong
    from verify import TrustStore, verify_document

    verdict = verify_document(data, trust=TrustStore(), at=AT)
    _sound(verdict, data)
    if verdict.integrity.value == "INTACT" and (wrong := intact_wrong(data, _seed_bases(), True)):
        raise WrongAnswerError(wrong)


def _seed_bases() -> list[object]:
    from tests.support.damage.mutants import Base

    if not _BASES:
        _BASES.extend(Base(path.name, path.read_bytes()) for path in sorted((SEEDS / "pdf_document").iterdir()))
    return _BASES


_BASES: list[object] = []


# --- ASN.1 ----------------------------------------------------------------------------------------------------------


def der(data: bytes) -> None:
    from verify.formats.der import NotDerError, children, require_der

    try:
        require_der(data)
    except NotDerError:
        return
    if data and data[0] & 0x20:
        children(data)


def ber(data: bytes) -> None:
    """What is made definite must stay itself when made definite again."""
    from verify.formats.ber import BerError, definite, sorted_set

    try:
        value, size = definite(data)
    except BerError:
        return
    if not 0 < size <= len(data) or definite(value) != (value, len(value)):
        raise WrongAnswerError("not definite yet")
    with contextlib.suppress(BerError):
        sorted_set(value)


def seal(data: bytes) -> None:
    """An electronic seal or a seal signature of any version."""
    from verify import TrustStore, verify_seal
    from verify.seal import inspect_seal

    found = inspect_seal(data, trust=TrustStore(), at=AT, document=b"document")
    found.to_json("zh")
    found.to_json("en")
    verdict = verify_seal(data, trust=TrustStore(), at=AT, document=b"document")
    _sound(verdict, data)
    if (verdict.integrity.value == "INTACT") != (found.version is not None and not _wrong_values(found)):
        raise WrongAnswerError("the steps and the verdict differ")


def _wrong_values(found: Inspection) -> bool:
    steps = [*found.steps, *(inner for row in found.steps for inner in row.steps)]
    return any(s.outcome.value == "FAILED" and s.code in ("SEAL_SIG", "SIG_VALUE", "DATA_HASH") for s in steps)


def cms(data: bytes) -> None:
    """A value of a signature field, put where a tiny document has it; and as a file of its own."""
    from verify import TrustStore, verify_document, verify_signature

    _sound(verify_document(_around(data), trust=TrustStore(), at=AT), data)
    for document in (None, b"document"):
        _sound(verify_signature(data, trust=TrustStore(), at=AT, document=document), data)


def _around(value: bytes) -> bytes:
    """A one-page document whose signature is ``value``: byte range and offsets right."""
    gap = b"<%s>" % value.hex().encode()
    out = b"%PDF-1.7\n"
    offsets = []
    for number, body in enumerate(_BODIES, 1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"xref\n0 6\n0000000000 65535 f \n" + b"".join(b"%010d 00000 n \n" % o for o in [*offsets, len(out)])
    head = out + b"5 0 obj\n<</Type/Sig/Filter/Adobe.PPKLite/SubFilter/ETSI.CAdES.detached/ByteRange [%s]/Contents "
    after = b">>\nendobj\n"
    start = len(head) - 2 + 43
    behind = start + len(gap)
    tail = after + table + b"trailer\n<</Size 6/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % (behind + len(after))
    byte_range = b"%010d %010d %010d %010d" % (0, start, behind, len(tail))
    return head.replace(b"%s", byte_range) + gap + tail


_BODIES = (
    b"<</Type/Catalog/Pages 2 0 R/AcroForm<</SigFlags 3/Fields[4 0 R]>>>>",
    b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
    b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]/Annots[4 0 R]>>",
    b"<</FT/Sig/T(S)/V 5 0 R/Type/Annot/Subtype/Widget/Rect[0 0 0 0]/P 3 0 R/F 132>>",
)


def crl(data: bytes) -> None:
    _material(data, "load_crl")


def ocsp(data: bytes) -> None:
    _material(data, "load_ocsp")


def certificate(data: bytes) -> None:
    _material(data, "load_certificate")


def _material(data: bytes, loader: str) -> None:
    """One value of a DSS dictionary, read and checked among no others."""
    from verify.checks import material

    try:
        value = getattr(material, loader)(data)
        held = material.Material()
        if loader == "load_certificate":
            held.add([value])
        elif loader == "load_crl":
            held.crls.append(value)
        else:
            held.ocsps.append(value)
            held.add(material.ocsp_certificates(value))
        material.check_material(held, [], frozenset())
    except material.MaterialError:
        pass


# --- records, lists, codes, pictures --------------------------------------------------------------------------------


def jws(data: bytes) -> None:
    from verify.formats.jose import JoseError, unverified_jws

    try:
        token = unverified_jws(data, LIMIT)
        token.claims()
        token.certificates()
    except JoseError:
        pass


def record_token(data: bytes) -> None:
    from verify import TrustStore, verify_record

    _sound(verify_record(data, trust=TrustStore(), at=AT), data)


def key_of_holder(data: bytes) -> None:
    from verify.formats.jose import JoseError, strict_object
    from verify.formats.publickeys import UnsupportedKeyError, spki_of_jwk

    with contextlib.suppress(JoseError, UnsupportedKeyError):
        spki_of_jwk(strict_object(data, "key"))


def status_list(data: bytes) -> None:
    from verify.formats.jose import JoseError, unverified_jws
    from verify.formats.statuslist import StatusListError, unverified_status_list

    try:
        found = unverified_status_list(unverified_jws(data, LIMIT), LIMIT)
    except (JoseError, StatusListError):
        return
    for index in (-1, 0, 7, 10**9):
        with contextlib.suppress(IndexError):
            found[index] if hasattr(found, "__getitem__") else found.value(index)


def report_subject(data: bytes) -> None:
    from verify.formats.report import ReportError, unverified_report_subject

    with contextlib.suppress(ReportError):
        unverified_report_subject(data)


def license_record(data: bytes) -> None:
    from verify.formats.license import RecordError, unverified_record

    try:
        record = unverified_record(data)
    except RecordError:
        return
    if record.canonical() != data:
        raise WrongAnswerError("a record in another form than its own")


def code_cbor(data: bytes) -> None:
    from verify.formats.qr import CodeError, unverified_cose

    with contextlib.suppress(CodeError):
        unverified_cose(data)


def code_text(data: bytes) -> None:
    from verify import TrustStore, verify_code

    _sound(verify_code(data.decode("utf-8", "replace"), trust=TrustStore(), at=AT), data)


def picture(data: bytes) -> None:
    from dataclasses import replace

    from verify import DEFAULT_POLICY, TrustStore, verify_picture

    small = replace(DEFAULT_POLICY, limits=replace(DEFAULT_POLICY.limits, picture_pixels=300_000, enlarged_pixels=0))
    _sound(verify_picture(data, trust=TrustStore(), at=AT, policy=small), data)


# --- regions --------------------------------------------------------------------------------------------------------


def _token(kind: str, payload: bytes) -> str:
    """A token of that kind over ``payload``, so that what is fuzzed is not hidden in base64."""
    from verify.formats.jose import encode_base64url

    head = encode_base64url(b'{"alg":"ES256","typ":"%s"}' % kind.encode())
    return f"{head}.{encode_base64url(payload)}.{encode_base64url(bytes(64))}"


def trust_list(data: bytes) -> None:
    from verify.formats.trustlist import JWS_TYPE, TrustListError, unverified_trust_list

    try:
        found, _ = unverified_trust_list(_token(JWS_TYPE, data))
    except TrustListError:
        return
    if found.payload() != data:
        raise WrongAnswerError("a list in another form than its own")


def trust_list_difference(data: bytes) -> None:
    import json

    from verify.formats.trustdelta import DeltaError, apply_difference

    former = json.loads((SEEDS / "trust_list" / "seed-0").read_bytes())
    with contextlib.suppress(DeltaError):
        apply_difference(former, data)


def agreement(data: bytes) -> None:
    import json

    from verify.formats.agreement import JWS_TYPE, AgreementError, unverified_agreement

    head, payload, signature = _token(JWS_TYPE, data).split(".")
    signed = {"payload": payload, "signatures": [{"protected": head, "signature": signature}]}
    for value in (data, json.dumps(signed).encode()):
        with contextlib.suppress(AgreementError):
            unverified_agreement(value)


def anchor(data: bytes) -> None:
    from verify.formats.anchor import AnchorError, anchor_from_json, read_anchor

    try:
        found = read_anchor(data)
    except AnchorError:
        return
    if anchor_from_json(found.to_json()) != found:
        raise WrongAnswerError("an anchor that is not read as it is written")


def hub_list(data: bytes) -> None:
    from verify.formats.hublist import JWS_TYPE, HubListError, unverified_hub_list

    with contextlib.suppress(HubListError):
        unverified_hub_list(_token(JWS_TYPE, data))


def hub_entry(data: bytes) -> None:
    from verify.formats.hubentry import JWS_TYPE, HubEntryError, unverified_entry

    with contextlib.suppress(HubEntryError):
        unverified_entry(_token(JWS_TYPE, data))


def notice(data: bytes) -> None:
    from verify.formats.notice import JWS_TYPE, NoticeError, unverified_notice

    with contextlib.suppress(NoticeError):
        unverified_notice(_token(JWS_TYPE, data))


def kit(data: bytes) -> None:
    from verify.formats.kit import KitError, packed, unpacked, unverified_kit

    try:
        found = unpacked(data)
    except KitError:
        return
    if packed(found.items()) != data:
        raise WrongAnswerError("a kit in a second form")
    with contextlib.suppress(KitError):
        unverified_kit(data)


def anything(data: bytes) -> None:
    """What the command line gives to the library: a file of whatever kind."""
    from verify import TrustStore, verify_any

    _sound(verify_any(data, trust=TrustStore(), at=AT), data)


TARGETS: dict[str, Target] = {
    target.__name__: target
    for target in (
        pdf_values, pdf_filters, pdf_xref, pdf_file, pdf_update, pdf_document,
        der, ber, cms, seal, crl, ocsp, certificate,
        jws, record_token, key_of_holder, status_list, license_record, report_subject,
        code_cbor, code_text, picture,
        trust_list, trust_list_difference, agreement, anchor, hub_list, hub_entry, notice, kit,
        anything,
    )
}  # fmt: skip
