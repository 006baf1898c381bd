"""Signatures of other producers: every usual and unusual way of writing one is read, and nothing else passes."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from asn1crypto import algos, cms, core
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, padding, utils

from tests.support.foreign import (
    AT,
    ROOM,
    Person,
    Shape,
    cms_of,
    ec_person,
    indefinite,
    rsa_key,
    rsa_person,
    self_signed,
    signed_pdf,
)
from tests.support.forger.bases import TestSigner
from verify import Conclusion, Integrity, TrustStore, Verdict, verify_document

Make = Callable[[bytes], bytes]


def judge(pdf: bytes, trust: TrustStore | None = None) -> Verdict:
    verdict = verify_document(pdf, trust=trust or TrustStore(), at=AT)
    assert "INTERNAL" not in verdict.codes(), verdict.findings
    return verdict


def intact(pdf: bytes) -> Verdict:
    verdict = judge(pdf)
    assert verdict.integrity is Integrity.INTACT, verdict.findings
    changed = pdf.replace(b"/MediaBox [0 0 300 300]", b"/MediaBox [0 0 300 301]")
    assert judge(changed).integrity is Integrity.ALTERED
    return verdict


def not_intact(pdf: bytes, *codes: str) -> Verdict:
    verdict = judge(pdf)
    assert verdict.integrity is not Integrity.INTACT, verdict.findings
    assert verdict.codes() & set(codes), verdict.codes()
    return verdict


@pytest.fixture(scope="module")
def person() -> Person:
    return rsa_person()


def test_the_usual_signature_is_intact(person: Person) -> None:
    verdict = intact(signed_pdf(lambda d: cms_of(person, d)))
    assert verdict.signatures[0].indication == "INDETERMINATE"
    assert verdict.signatures[0].sub_indication == "NO_CERTIFICATE_CHAIN_FOUND"


# --- algorithms ------------------------------------------------------------------------------------------------------


def test_plain_ecdsa() -> None:
    key = ec.generate_private_key(ec.BrainpoolP256R1())

    def sign(data: bytes) -> bytes:
        r, s = utils.decode_dss_signature(key.sign(data, ec.ECDSA(hashes.SHA256())))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")

    algorithm = algos.SignedDigestAlgorithm.load(bytes.fromhex("300c060a04007f00070101040103"))
    intact(signed_pdf(lambda d: cms_of(Person(self_signed(key), sign, algorithm), d)))


def test_rsa_with_sha3() -> None:
    key = rsa_key()
    algorithm = algos.SignedDigestAlgorithm.load(bytes.fromhex("300d060960864801650304030e0500"))
    signer = Person(
        self_signed(key), lambda d: key.sign(d, padding.PKCS1v15(), hashes.SHA3_256()), algorithm, "sha3_256"
    )
    intact(signed_pdf(lambda d: cms_of(signer, d)))


@pytest.mark.parametrize("curve", [ec.SECP521R1(), ec.BrainpoolP384R1(), ec.SECP256K1()], ids=lambda c: c.name)
def test_ecdsa_on_other_curves(curve: Any) -> None:
    intact(signed_pdf(lambda d: cms_of(ec_person(curve), d), subfilter="ETSI.CAdES.detached"))


@pytest.mark.parametrize("attributes", [True, False])
def test_edwards_signatures_with_and_without_attributes(attributes: bool) -> None:
    """RFC 8419: pure, over the content itself or over the attributes, whose digest is SHA-512 or SHAKE256."""
    for key, name, hashed in (
        (ed25519.Ed25519PrivateKey.generate(), "ed25519", "sha512"),
        (ed448.Ed448PrivateKey.generate(), "ed448", "shake256"),
    ):
        signer = Person(self_signed(key), key.sign, algos.SignedDigestAlgorithm({"algorithm": name}), hashed)

        def make(data: bytes, signer: Person = signer) -> bytes:
            from verify.formats.schemes import digest_of

            return cms_of(signer, data, Shape(attributes=attributes, digest=digest_of(signer.hash, data)))

        verdict = intact(signed_pdf(make))
        assert "HASHES_DIFFER" not in verdict.codes()


def test_an_edwards_signature_over_another_hash_is_noted() -> None:
    key = ed25519.Ed25519PrivateKey.generate()
    signer = Person(self_signed(key), key.sign, algos.SignedDigestAlgorithm({"algorithm": "ed25519"}), "sha256")
    assert "HASHES_DIFFER" in intact(signed_pdf(lambda d: cms_of(signer, d))).codes()


@pytest.mark.parametrize("hashed", ["sha1", "md5"])
def test_a_weak_hash_that_verifies_is_intact_and_lowers_the_conclusion(hashed: str) -> None:
    verdict = intact(signed_pdf(lambda d: cms_of(rsa_person(hashed=hashed), d)))
    assert "ALGORITHM_WEAK" in verdict.codes()
    assert verdict.conclusion is Conclusion.INDETERMINATE


def test_a_short_key_is_intact_and_lowers_the_conclusion() -> None:
    verdict = intact(signed_pdf(lambda d: cms_of(rsa_person(1024), d)))
    assert [f.params["algorithm"] for f in verdict.findings if f.code == "ALGORITHM_WEAK"] == ["RSA 1024"]


def test_an_algorithm_that_nobody_knows_is_not_intact(person: Person) -> None:
    unknown = replace(person, algorithm=algos.SignedDigestAlgorithm.load(bytes.fromhex("300506032a0304")))
    verdict = not_intact(signed_pdf(lambda d: cms_of(unknown, d)), "ALGORITHM_UNSUPPORTED")
    assert verdict.signatures[0].indication == "INDETERMINATE"


# --- the value -------------------------------------------------------------------------------------------------------


def padded(tail: bytes) -> Callable[[bytes], bytes]:
    return lambda value: (value.hex().encode() + tail * 2 * ROOM)[: 2 * ROOM]


@pytest.mark.parametrize(
    "write",
    [
        padded(b"00"),
        padded(b"20"),
        padded(b" "),
        padded(b"\n"),
        lambda value: value.hex().upper().encode().ljust(2 * ROOM, b"0"),
        lambda value: value.hex().encode().ljust(2 * ROOM + 1, b"0"),
        lambda value: b"\n".join(_lines(value.hex().encode().ljust(ROOM, b"0"))).ljust(2 * ROOM, b"\n"),
        lambda value: b" " + value.hex().encode().ljust(2 * ROOM, b"0"),
    ],
    ids=["zeros", "spaces as octets", "spaces", "line ends", "upper case", "odd digits", "lines", "space before"],
)
def test_the_value_written_and_padded_in_every_usual_way(person: Person, write: Make) -> None:
    intact(signed_pdf(lambda d: cms_of(person, d), write=write))


def _lines(text: bytes) -> list[bytes]:
    return [text[i : i + 64] for i in range(0, len(text), 64)]


@pytest.mark.parametrize("tail", [b"00" * 9 + b"01", b"0203"], ids=["a byte at the end", "two bytes over and over"])
def test_padding_that_says_something(person: Person, tail: bytes) -> None:
    not_intact(signed_pdf(lambda d: cms_of(person, d), write=padded(tail)), "CONTENTS_NOT_CANONICAL")


def test_ber_with_open_lengths(person: Person) -> None:
    intact(signed_pdf(lambda d: indefinite(cms_of(person, d))))


def test_attributes_hashed_as_written_out_of_order(person: Person) -> None:
    intact(signed_pdf(lambda d: cms_of(person, d, Shape(unsorted=True))))


def test_attributes_written_out_of_order_and_hashed_in_order(person: Person) -> None:
    from verify.formats.ber import sorted_set

    def sign(data: bytes) -> bytes:
        return person.sign(sorted_set(data))

    intact(signed_pdf(lambda d: cms_of(replace(person, sign=sign), d, Shape(unsorted=True))))


def test_without_signing_time_and_without_attributes(person: Person) -> None:
    verdict = intact(signed_pdf(lambda d: cms_of(person, d, Shape(signing_time=False))))
    assert verdict.signatures[0].signed_at is None
    intact(signed_pdf(lambda d: cms_of(person, d, Shape(attributes=False))))


def test_a_period_in_a_field_name(person: Person) -> None:
    intact(signed_pdf(lambda d: cms_of(person, d), field_name=b"form.page.Signature1"))


@pytest.mark.parametrize("content", [b"", b"other"])
def test_content_inside_a_detached_value(person: Person, content: bytes) -> None:
    """A value that signs its own content says nothing of the document."""
    not_intact(signed_pdf(lambda _: cms_of(person, content, Shape(content=content))), "CMS_BROKEN", "DIGEST_MISMATCH")
    not_intact(signed_pdf(lambda d: cms_of(person, d, Shape(content=content))), "CMS_BROKEN")


@pytest.mark.parametrize("signers", [0, 2])
def test_other_than_one_signer(person: Person, signers: int) -> None:
    not_intact(signed_pdf(lambda d: cms_of(person, d, Shape(signers=signers))), "CMS_BROKEN")


def test_no_certificate_anywhere(person: Person) -> None:
    verdict = not_intact(signed_pdf(lambda d: cms_of(person, d, Shape(certificates=False))), "CMS_BROKEN")
    assert verdict.signatures[0].sub_indication == "NO_SIGNING_CERTIFICATE_FOUND"


def test_a_certificate_of_the_same_name_and_number_that_is_anothers(person: Person) -> None:
    """Only the key decides: a namesake inside is passed over, and does not verify when it is alone."""
    other = Person(self_signed(rsa_key(1024)), person.sign, person.algorithm)
    not_intact(signed_pdf(lambda d: cms_of(other, d)), "SIGNATURE_WRONG")

    def both(data: bytes) -> bytes:
        info = cms.ContentInfo.load(cms_of(person, data))
        info["content"]["certificates"] = [other.x509, person.x509]
        return bytes(info.dump(force=True))

    assert judge(signed_pdf(both)).integrity is Integrity.INTACT


# --- signed attributes -----------------------------------------------------------------------------------------------


def test_a_digest_that_is_anothers(person: Person) -> None:
    verdict = not_intact(signed_pdf(lambda d: cms_of(person, d, Shape(digest=b"x" * 32))), "DIGEST_MISMATCH")
    assert verdict.signatures[0].sub_indication == "HASH_FAILURE"
    assert verdict.signatures[0].indication == "TOTAL_FAILED"


def _protection(hashed: str) -> tuple[str, list[Any]]:
    value = cms.CMSAlgorithmProtection(
        {
            "digest_algorithm": algos.DigestAlgorithm({"algorithm": hashed}),
            "signature_algorithm": algos.SignedDigestAlgorithm(
                {"algorithm": "rsassa_pkcs1v15", "parameters": core.Null()}
            ),
        }
    )
    return "cms_algorithm_protection", [value]


def test_algorithms_that_the_attributes_protect(person: Person) -> None:
    """RFC 6211: whoever swaps the algorithms outside contradicts what was signed inside."""
    intact(signed_pdf(lambda d: cms_of(person, d, Shape(extra=[_protection("sha256")]))))
    swapped = Shape(extra=[_protection("sha512")])
    not_intact(signed_pdf(lambda d: cms_of(person, d, swapped)), "SIGNED_ATTRIBUTES_WRONG")


def test_an_attribute_of_two_values_or_standing_twice(person: Person) -> None:
    twice = Shape(extra=[("signing_time", [cms.Time({"utc_time": core.UTCTime(AT)})])])
    not_intact(signed_pdf(lambda d: cms_of(person, d, twice)), "CMS_BROKEN")


# --- other SubFilters ------------------------------------------------------------------------------------------------


def test_a_digest_inside_as_pkcs7_sha1_has_it(person: Person) -> None:
    import hashlib

    def make(data: bytes) -> bytes:
        digest = hashlib.sha1(data, usedforsecurity=False).digest()
        return cms_of(person, digest, Shape(content=digest))

    intact(signed_pdf(make, subfilter="adbe.pkcs7.sha1"))
    not_intact(signed_pdf(lambda d: cms_of(person, d), subfilter="adbe.pkcs7.sha1"), "CMS_BROKEN")


@pytest.mark.parametrize("hashed", ["SHA1", "SHA256"])
@pytest.mark.parametrize("in_list", [True, False])
def test_a_bare_rsa_value_with_its_certificate_in_the_dictionary(hashed: str, in_list: bool) -> None:
    key = rsa_key()
    certificate = b"<" + self_signed(key).hex().encode() + b">"
    entry = b"/Cert " + (b"[" + certificate + b"]" if in_list else certificate)

    def make(data: bytes) -> bytes:
        value = core.OctetString(key.sign(data, padding.PKCS1v15(), getattr(hashes, hashed)()))
        return bytes(value.dump())

    pdf = signed_pdf(make, subfilter="adbe.x509.rsa_sha1", entries=entry)
    verdict = intact(pdf)
    assert verdict.signatures[0].signer == "Somebody"
    assert ("ALGORITHM_WEAK" in verdict.codes()) is (hashed == "SHA1")
    other = b"/Cert <" + self_signed(rsa_key(1024)).hex().encode() + b">"
    not_intact(signed_pdf(make, subfilter="adbe.x509.rsa_sha1", entries=other), "SIGNATURE_WRONG")
    not_intact(signed_pdf(make, subfilter="adbe.x509.rsa_sha1"), "CMS_BROKEN")


@pytest.mark.parametrize("subfilter", ["adbe.pkcs7.md5", "ETSI.XAdES", "X"])
def test_a_kind_of_signature_that_is_not_known(person: Person, subfilter: str) -> None:
    not_intact(signed_pdf(lambda d: cms_of(person, d), subfilter=subfilter), "ALGORITHM_UNSUPPORTED")


# --- byte ranges -----------------------------------------------------------------------------------------------------


def with_range(pdf: bytes, change: Callable[[list[int]], list[int]]) -> bytes:
    """The same file with other numbers in its byte range, in the same room."""
    start = pdf.index(b"/ByteRange [") + 12
    end = pdf.index(b"]", start)
    numbers = [int(n) for n in pdf[start:end].split()]
    written = b" ".join(str(n).encode() for n in change(numbers)).ljust(end - start)
    return pdf[:start] + written + pdf[end:]


@pytest.mark.parametrize(
    "change",
    [
        lambda n: [1, n[1] - 1, n[2], n[3]],
        lambda n: [0, n[1] - 1, n[2], n[3]],
        lambda n: [0, n[1], n[2] + 1, n[3] - 1],
        lambda n: [0, n[1], n[2], n[3] - 1],
        lambda n: [0, n[1], n[2], n[3] + 1],
        lambda n: [n[2], n[3], 0, n[1]],
        lambda n: [0, n[2], n[1], n[3]],
        lambda n: [0, n[1], n[1], n[3]],
        lambda n: [0, 9, 10, n[1] - 10, n[2], n[3]],
        lambda n: [0, n[1]],
        lambda n: [0, -1, n[2], n[3]],
        lambda n: [0, 2**70, n[2], n[3]],
    ],
    ids=[
        "start",
        "gap early",
        "gap late",
        "short",
        "beyond",
        "order",
        "overlap",
        "no gap",
        "two gaps",
        "two",
        "-",
        "big",
    ],
)
def test_a_byte_range_that_is_not_the_whole_file_but_the_value(
    person: Person, change: Callable[[list[int]], list[int]]
) -> None:
    """Signed anew over whatever the range names, so that only the range itself is wrong."""
    genuine = signed_pdf(lambda d: cms_of(person, d))
    moved = with_range(genuine, change)
    verdict = judge(moved)
    assert verdict.integrity is not Integrity.INTACT
    assert verdict.codes() & {"BYTE_RANGE_WRONG", "SIGNATURE_EMPTY", "DIGEST_MISMATCH", "BYTES_UNACCOUNTED"}


# --- padding in encrypted files --------------------------------------------------------------------------------------


def _encrypted(kind: str) -> tuple[bytes, Any]:
    """A page in an encrypted file, signed by pyHanko, and what decrypts it."""
    from pyhanko.pdf_utils import crypt, writer
    from pyhanko.pdf_utils.generic import StreamObject
    from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
    from pyhanko.sign import signers

    made: Any = writer.PdfFileWriter()  # type: ignore[no-untyped-call]
    page: Any = writer.PageObject
    made.insert_page(page(contents=made.add_object(StreamObject(stream_data=b"")), media_box=[0, 0, 300, 300]))
    if kind == "aes256":
        handler: Any = crypt.StandardSecurityHandler.build_from_pw("owner", "")
    else:
        old = crypt.StandardSecuritySettingsRevision.RC4_OR_AES128
        identifier = made._document_id[0].original_bytes
        build: Any = crypt.StandardSecurityHandler.build_from_pw_legacy
        handler = build(old, identifier, "owner", "", keylen_bytes=16, use_aes128=kind == "aes128")
    made.security_handler = handler
    made._encrypt = made.add_object(handler.as_pdf_object())
    plain = io.BytesIO()
    made.write(plain)
    opened = IncrementalPdfFileWriter(plain)
    opened.encrypt("")
    metadata = signers.PdfSignatureMetadata(field_name="Sig1", md_algorithm="sha256")
    out = io.BytesIO()
    signers.PdfSigner(metadata, TestSigner()).sign_pdf(opened, bytes_reserved=16_384, output=out)
    return out.getvalue(), handler


@pytest.mark.parametrize("kind", ["rc4", "aes128", "aes256"])
def test_zeros_that_were_encrypted_before_the_value_was_written_over_them(kind: str) -> None:
    """PDFBox encrypts the room for the value (ISO 32000-2 7.6.2 says not to): what is left decrypts to zeros."""
    pdf, handler = _encrypted(kind)
    start, end = (int(n) for n in re.findall(rb"/ByteRange *\[0+ 0*(\d+) 0*(\d+)", pdf)[-1])
    room = (end - start - 2) // 2
    number = int(re.findall(rb"(\d+) 0 obj", pdf[:start])[-1])
    texts = handler.get_string_filter()
    zeros = texts.encrypt(texts.derive_object_key(number, 0), bytes(room if kind == "rc4" else room - 32))
    assert len(zeros) == room
    value = bytes.fromhex(pdf[start + 1 : end - 1].decode())
    size = 4 + int.from_bytes(value[2:4], "big")

    def padded(rest: bytes) -> bytes:
        return pdf[: start + 1] + (value[:size] + rest).hex().encode() + pdf[end - 1 :]

    for good in (bytes(room - size), zeros[size:]):
        assert judge(padded(good)).integrity is Integrity.INTACT
    wrong = bytearray(zeros[size:])
    for place in (0, 20, len(wrong) // 2, len(wrong) - 17):
        wrong[place] ^= 1
        not_intact(padded(bytes(wrong)), "CONTENTS_NOT_CANONICAL")
        wrong[place] ^= 1
