"""The strict readers: what they take, and what they refuse."""

from __future__ import annotations

import base64
import json
import zlib
from datetime import UTC, datetime
from pathlib import Path

import cbor2
import pytest
from asn1crypto import core, pem

from tests.support.signing_pki import shared_pki
from verify import TrustStore
from verify.formats.der import NotDerError, require_der, wrap
from verify.formats.jose import JoseError, decode_base64url, strict_object, unverified_jws
from verify.formats.pdf import Lexer, PdfSyntaxError, last_startxref, object_at, updates_after
from verify.formats.qr import CodeError, unverified_code, unverified_cose
from verify.formats.sdjwt import SdJwtError, unverified_record_token
from verify.formats.statuslist import StatusListError, unverified_status_list

# --- DER -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "data",
    [
        "0500",
        "0101ff",
        "020100",
        "02020080",
        "030100",
        "0302 07 80",
        "0603550406",
        "3000",
        "1800",
        "17 0d" + "30" * 12 + "5a",
    ],
)
def test_der_values(data: str) -> None:
    raw = bytes.fromhex(data)
    if raw[0] == 0x18:
        raw = wrap(0x18, b"20260101000000Z")
    require_der(raw)


@pytest.mark.parametrize(
    ("data", "flaw"),
    [
        ("", "nothing"),
        ("0501 00", "a null with content"),
        ("010101", "a truth value that is not FF"),
        ("0202 0001", "a longer integer than needed"),
        ("0202 ffff", "a longer negative integer than needed"),
        ("0302 0781", "unused bits that are set"),
        ("0301 08", "more than seven unused bits"),
        ("0603 550480", "an identifier that does not end"),
        ("0604 55048001", "an identifier with a leading 80"),
        ("3080 0000", "no definite length"),
        ("3081 00", "a longer length than needed"),
        ("0500 00", "a byte behind the value"),
        ("0502", "a truncated value"),
        ("3106 020102 020101", "a set out of order"),
        ("2403 040100", "a string of parts"),
        ("1f8101 00", "a tag of several bytes"),
        ("170b" + "30" * 10 + "5a", "a time without seconds"),
    ],
)
def test_what_is_not_der(data: str, flaw: str) -> None:
    with pytest.raises(NotDerError):
        require_der(bytes.fromhex(data))
    assert flaw


def test_a_fraction_of_a_second_may_not_end_in_zero() -> None:
    require_der(wrap(0x18, b"20260101000000.5Z"))
    with pytest.raises(NotDerError):
        require_der(wrap(0x18, b"20260101000000.50Z"))


def test_deeply_nested_der_is_refused() -> None:
    value = b"\x05\x00"
    for _ in range(100):
        value = wrap(0x30, value)
    with pytest.raises(NotDerError):
        require_der(value)


def test_wrap_writes_der() -> None:
    for size in (0, 127, 128, 255, 256, 70_000):
        assert wrap(0x04, b"x" * size) == core.OctetString(b"x" * size).dump()


# --- PDF -------------------------------------------------------------------------------------------------------------


def update(objects: bytes, entries: bytes, *, start: int, tail: bytes = b"") -> bytes:
    return (
        objects
        + b"xref\n"
        + entries
        + b"trailer\n<<\n/Size 9\n>>\nstartxref\n%d\n%%%%EOF\n" % (start + len(objects))
        + tail
    )


GOOD = update(b"5 0 obj\n<< /A 1 >>\nendobj\n", b"5 1\n0000000000 00000 n\r\n", start=0)


def test_a_plain_update_is_read() -> None:
    (found,) = updates_after(GOOD, 0)
    assert set(found.objects) == {5}
    assert found.end == len(GOOD)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"5 0 obj\n", b"5 0 obj%c\n"),
        (b"<< /A 1 >>", b"<< /A 1 /A 2 >>"),
        (b"<< /A 1 >>", b"<< /A 1"),
        (b"<< /A 1 >>", b"<</A\t1>>"),
        (b"<< /A 1 >>", b"<< /A <ABc0> >>"),
        (b"<< /A 1 >>", b"<< /A <ABC> >>"),
        (b"<< /A 1 >>", b"<< /A 01 0 R >>"),
        (b"\nendobj\n", b"\nendobj x\n"),
        (b"0000000000 00000 n", b"0000000001 00000 n"),
        (b"0000000000 00000 n", b"0000000000 00001 n"),
        (b"0000000000 00000 n", b"0000000000 00000 f"),
        (b"5 1\n0000000000 00000 n\r\n", b""),
        (b"5 1\n", b"6 1\n"),
        (b"startxref\n26", b"startxref\n27"),
        (b"%%EOF\n", b"%%EOF\n\0"),
        (b"%%EOF\n", b"%%EOG\n"),
        (b"trailer\n", b"trailor\n"),
        (b"<<\n/Size 9\n>>", b"9"),
        (b"<<\n/Size 9\n>>", b"<< /Size 9 >>"),
        (b">>\nstartxref", b">>\n\nstartxref"),
    ],
)
def test_what_fits_nowhere_is_refused(old: bytes, new: bytes) -> None:
    data = GOOD.replace(old, new, 1)
    assert data != GOOD
    with pytest.raises(PdfSyntaxError):
        list(updates_after(data, 0))


def test_values_keep_how_they_were_written() -> None:
    first = Lexer(b"<< /A <AB> /B [1 0 R (x\\)y)] /C null >>", 0).value()
    assert first == Lexer(b"<</C null/B[1 0 R(x\\)y)]/A<AB>>>", 0).value()
    assert first != Lexer(b"<< /A <ab> /B [1 0 R (x\\)y)] /C null >>", 0).value()


def test_nesting_has_a_limit() -> None:
    with pytest.raises(PdfSyntaxError):
        Lexer(b"[" * 1000, 0).value()


def test_a_stream_is_as_long_as_it_says() -> None:
    found = object_at(b"7 0 obj\n<< /Length 3 >>\nstream\nabc\nendstream\nendobj\n", 0)
    assert found.stream == b"abc"
    for data in (
        b"7 0 obj\n<< /Length 2 >>\nstream\nabc\nendstream\nendobj\n",
        b"7 0 obj\n<< /Length 8 0 R >>\nstream\nabc\nendstream\nendobj\n",
        b"7 0 obj\n<< /Length 99 >>\nstream\nabc\nendstream\nendobj\n",
        b"7 0 obj\n<< >>\nstream\nabc\nendstream\nendobj\n",
    ):
        with pytest.raises(PdfSyntaxError):
            object_at(data, 0)


def test_the_last_startxref() -> None:
    assert last_startxref(b"startxref\n5\n%%EOF\n", 18) == 5
    assert last_startxref(b"startxref\n5\n%%EOF\nx", 19) is None


# --- JOSE and what is built on it ------------------------------------------------------------------------------------


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


@pytest.mark.parametrize("text", ["A", "AB", "QQ==", "QR", "Q Q", "Q\nQ", "Q+Q/", "é"])
def test_loose_base64url_is_refused(text: str) -> None:
    with pytest.raises(JoseError):
        decode_base64url(text)


@pytest.mark.parametrize("text", ['{"a":1,"a":2}', '{"a":NaN}', "[1]", "x", "", "\xff", '{"a":' * 5000])
def test_loose_json_is_refused(text: str) -> None:
    with pytest.raises(JoseError):
        strict_object(text.encode("latin-1"), "value")


@pytest.mark.parametrize(
    "header",
    [{}, {"alg": "none"}, {"alg": "HS256"}, {"alg": "ES256", "crit": ["x"]}, {"alg": "ES256", "x5c": []},
     {"alg": "ES256", "x5c": ["AA=="]}, {"alg": "ES256", "x5c": "x"}, {"alg": ["ES256"]}],
)  # fmt: skip
def test_headers_that_are_not_accepted(header: dict[str, object]) -> None:
    with pytest.raises(JoseError):
        unverified_jws(f"{b64(json.dumps(header).encode())}.e30.AA", 10_000)


def _list(claims: dict[str, object], typ: str = "statuslist+jwt") -> str:
    header = {"alg": "ES256", "typ": typ}
    return f"{b64(json.dumps(header).encode())}.{b64(json.dumps(claims).encode())}.AA"


def _claims(**changes: object) -> dict[str, object]:
    lst = b64(zlib.compress(bytes([0b11100100])))
    return {"sub": "u", "iat": 1, "ttl": 60, "status_list": {"bits": 2, "lst": lst}} | changes


def test_values_of_a_status_list_are_packed_from_the_lowest_bits() -> None:
    listed = unverified_status_list(unverified_jws(_list(_claims()), 10_000), 100)
    assert [listed[i] for i in range(4)] == [0, 1, 2, 3]
    assert listed.issued == datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC)
    for index in (-1, 4):
        with pytest.raises(IndexError):
            listed[index]


@pytest.mark.parametrize(
    "changes",
    [{"sub": 1}, {"iat": "1"}, {"iat": True}, {"ttl": 0}, {"status_list": {}}, {"status_list": {"bits": 3, "lst": ""}},
     {"status_list": {"bits": 2, "lst": "AAAA"}}, {"status_list": {"bits": 2, "lst": b64(zlib.compress(bytes(1000)))}},
     {"status_list": {"bits": 2, "lst": b64(zlib.compress(b"x") + b"tail")}}],
)  # fmt: skip
def test_status_lists_that_are_refused(changes: dict[str, object]) -> None:
    with pytest.raises(StatusListError):
        unverified_status_list(unverified_jws(_list(_claims(**changes)), 10_000), 100)


def test_a_token_of_another_type_is_no_status_list() -> None:
    with pytest.raises(StatusListError):
        unverified_status_list(unverified_jws(_list(_claims(), typ="JWT"), 10_000), 100)


def _record(payload: dict[str, object], *disclosures: object) -> str:
    header = {"alg": "ES256", "typ": "dc+sd-jwt"}
    token = f"{b64(json.dumps(header).encode())}.{b64(json.dumps(payload).encode())}.AA"
    return "~".join([token, *(b64(json.dumps(d).encode()) for d in disclosures), ""])


@pytest.mark.parametrize(
    "text",
    ["", "~", "a.b.c", "a.b.c~", _record({"_sd_alg": "md5"}), _record({"_sd": "x"}), _record({"_sd": [1]}),
     _record({"...": "x"}), _record({}, "x"), _record({}, ["a"]), _record({}, [1, "a", "b"])],
)  # fmt: skip
def test_records_that_are_refused(text: str) -> None:
    with pytest.raises(SdJwtError):
        unverified_record_token(text, 100_000, 10)


def test_digests_without_a_disclosure_are_decoys() -> None:
    read = unverified_record_token(_record({"_sd": ["x" * 43], "a": [{"...": "y" * 43}, 1]}), 100_000, 10)
    assert read.claims == {"a": [1]}
    assert read.withheld == 2


@pytest.mark.parametrize(
    "data",
    [b"", b"\x00", cbor2.dumps([b"", {}, b"", b""]), cbor2.dumps(cbor2.CBORTag(18, [b"", {}, b""])),
     cbor2.dumps(cbor2.CBORTag(18, [b"", {1: 2}, b"", b""])), cbor2.dumps(cbor2.CBORTag(17, [b"", {}, b"", b""])),
     b"\x9f" * 1000, b"\xc2" * 1000, b"\xdf\xff" * 500, bytes(3000)],
)  # fmt: skip
def test_codes_that_are_refused(data: bytes) -> None:
    with pytest.raises(CodeError):
        unverified_cose(data)


@pytest.mark.parametrize("text", ["", "http://x/#c=", "javascript:#c=AAAA", "https://x/?c=AAAA", "AAAA", "#c=A A"])
def test_texts_that_are_no_codes(text: str) -> None:
    with pytest.raises(CodeError):
        unverified_code(text)


# --- trust -----------------------------------------------------------------------------------------------------------


def test_roots_become_anchors_and_others_certificates(tmp_path: Path) -> None:
    pki = shared_pki()
    (tmp_path / "root.pem").write_bytes(pem.armor("CERTIFICATE", pki.root.certificate))
    (tmp_path / "issuing.der").write_bytes(pki.issuing.certificate)
    (tmp_path / "notes.txt").write_text("not a certificate, and not asked")
    store = TrustStore.from_paths([tmp_path])
    assert store.anchors == (pki.root.certificate,)
    assert store.certificates == (pki.issuing.certificate,)
    both = tmp_path / "chain.pem"
    both.write_bytes(b"".join(pem.armor("CERTIFICATE", c) for c in (pki.root.certificate, pki.issuing.certificate)))
    assert TrustStore.from_paths([both]) == store


@pytest.mark.parametrize("content", [b"", b"x", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"])
def test_a_file_without_a_certificate_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "bad.pem").write_bytes(content)
    with pytest.raises(ValueError, match=r"bad\.pem"):
        TrustStore.from_paths([tmp_path / "bad.pem"])


def test_a_missing_path_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="nothing"):
        TrustStore.from_paths([tmp_path / "nothing.pem"])
