"""Forgeries of structured records, printed codes and status lists. Each test is one forgery."""

from __future__ import annotations

import base64
import hashlib
import io
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import cbor2
import pytest

from signing.backends import open_backend
from signing.formats.jose import raw_signature
from signing.formats.qr import code_claims, code_url, make_code
from signing.keys import KeyPurpose
from tests.support.sealed import BASE_URL, NOW, STATUS_URI, Sealed, genuine, status_list
from tests.support.signing_pki import AT, build_pki
from verify import (
    Conclusion,
    Evidence,
    Integrity,
    Standing,
    TrustStore,
    Verdict,
    verify_any,
    verify_code,
    verify_document,
    verify_picture,
    verify_record,
)


@pytest.fixture(scope="module")
def sealed() -> Sealed:
    return genuine(type_name="business-license-duplicate")


def judge_record(sealed: Sealed, text: str, **changes: object) -> Verdict:
    return verify_record(text, **{"trust": sealed.trust(), "at": NOW, "evidence": sealed.evidence(), **changes})  # type: ignore[arg-type]


def judge_code(sealed: Sealed, text: str, **changes: object) -> Verdict:
    return verify_code(text, **{"trust": sealed.trust(), "at": NOW, "evidence": sealed.evidence(), **changes})  # type: ignore[arg-type]


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unb64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def refused(verdict: Verdict, *codes: str) -> None:
    assert verdict.conclusion is not Conclusion.VALID, verdict.findings
    assert verdict.license is None
    assert not codes or verdict.codes() & set(codes), verdict.codes()


# --- structured records ----------------------------------------------------------------------------------------------


def test_the_genuine_record_is_valid(sealed: Sealed) -> None:
    verdict = judge_record(sealed, sealed.sd_jwt)
    assert verdict.conclusion is Conclusion.VALID, verdict.findings
    assert verdict.standing is Standing.IN_FORCE
    assert verdict.license is not None
    assert verdict.license.number == sealed.record.number
    assert verdict.license.fields == dict(sealed.record.fields)


def test_a_record_that_shows_less_is_still_valid(sealed: Sealed) -> None:
    token, *disclosures, last = sealed.sd_jwt.split("~")
    verdict = judge_record(sealed, "~".join([token, *disclosures[:1], last]))
    assert verdict.conclusion is Conclusion.VALID
    assert verdict.license is not None
    assert len(verdict.license.fields) < len(sealed.record.fields)


def test_a_disclosure_that_was_never_signed(sealed: Sealed) -> None:
    extra = b64(json.dumps(["c2FsdHNhbHRzYWx0c2FsdA", "name", "另一家公司"]).encode())
    verdict = judge_record(sealed, sealed.sd_jwt + extra + "~")
    refused(verdict, "RECORD_DISCLOSURE_UNREFERENCED")
    assert verdict.integrity is Integrity.ALTERED


def test_a_disclosure_that_stands_twice(sealed: Sealed) -> None:
    token, first, *rest = sealed.sd_jwt.split("~")
    refused(judge_record(sealed, "~".join([token, first, first, *rest])), "RECORD_DISCLOSURE_REPEATED")


def test_a_changed_disclosure(sealed: Sealed) -> None:
    token, first, *rest = sealed.sd_jwt.split("~")
    value = json.loads(unb64(first))
    value[-1] = "evil"
    refused(judge_record(sealed, "~".join([token, b64(json.dumps(value).encode()), *rest])))


def test_a_changed_payload(sealed: Sealed) -> None:
    token, *rest = sealed.sd_jwt.split("~")
    header, payload, signature = token.split(".")
    claims = json.loads(unb64(payload))
    claims["certificateExpiringDate"] = "2099-01-01"
    changed = f"{header}.{b64(json.dumps(claims).encode())}.{signature}"
    verdict = judge_record(sealed, "~".join([changed, *rest]))
    refused(verdict, "SIGNATURE_WRONG")
    assert verdict.integrity is Integrity.ALTERED


@pytest.mark.parametrize("algorithm", ["none", "HS256", "ES512", "", "es256"])
def test_another_algorithm_in_the_header(sealed: Sealed, algorithm: str) -> None:
    token, *rest = sealed.sd_jwt.split("~")
    header, payload, _ = token.split(".")
    head = json.loads(unb64(header)) | {"alg": algorithm}
    changed = f"{b64(json.dumps(head).encode())}.{payload}."
    refused(judge_record(sealed, "~".join([changed, *rest])), "RECORD_TOKEN_BROKEN")


def test_the_chain_in_the_header_replaced_by_the_forgers(sealed: Sealed) -> None:
    forger = build_pki(open_backend("memory:"))
    token, *rest = sealed.sd_jwt.split("~")
    header, payload, _ = token.split(".")
    chain = [forger.certificate(KeyPurpose.RECORD), forger.issuing.certificate]
    head = json.loads(unb64(header)) | {"x5c": [base64.b64encode(c).decode() for c in chain]}
    signed = f"{b64(json.dumps(head).encode())}.{payload}"
    value = raw_signature(forger.signer(KeyPurpose.RECORD), signed.encode(), KeyPurpose.RECORD)
    verdict = judge_record(sealed, "~".join([f"{signed}.{b64(value)}", *rest]))
    refused(verdict, "NO_TRUSTED_PATH", "PATH_WRONG")


def test_a_record_signed_by_a_key_for_status_lists(sealed: Sealed) -> None:
    pki = sealed.pki
    token, *rest = sealed.sd_jwt.split("~")
    header, payload, _ = token.split(".")
    chain = [pki.certificate(KeyPurpose.STATUS), pki.issuing.certificate]
    head = json.loads(unb64(header)) | {"x5c": [base64.b64encode(c).decode() for c in chain]}
    signed = f"{b64(json.dumps(head).encode())}.{payload}"
    value = raw_signature(pki.signer(KeyPurpose.STATUS), signed.encode(), KeyPurpose.STATUS)
    verdict = judge_record(sealed, "~".join([f"{signed}.{b64(value)}", *rest]))
    refused(verdict, "CERTIFICATE_PURPOSE")


def test_a_status_list_passed_off_as_a_record(sealed: Sealed) -> None:
    refused(judge_record(sealed, status_list(sealed.pki).decode() + "~"), "RECORD_TOKEN_BROKEN")


def test_a_key_that_stands_twice_in_the_payload(sealed: Sealed) -> None:
    token, *rest = sealed.sd_jwt.split("~")
    header, payload, signature = token.split(".")
    text = unb64(payload)[:-1] + b',"certificateIdentifier":"x"}'
    refused(judge_record(sealed, "~".join([f"{header}.{b64(text)}.{signature}", *rest])), "RECORD_TOKEN_BROKEN")


@pytest.mark.parametrize("change", [lambda t: t + "=", lambda t: t.replace("~", "~~", 1), lambda t: t[:-1]])
def test_a_record_in_loose_encoding(sealed: Sealed, change: Callable[[str], str]) -> None:
    refused(judge_record(sealed, change(sealed.sd_jwt)))


# --- codes ---------------------------------------------------------------------------------------------------------


def _cose(code: str) -> bytes:
    return unb64(code.split("#c=")[1])


def _signed_with(sealed: Sealed, payload: bytes, purpose: KeyPurpose, certificate: bytes | None = None) -> str:
    signer = sealed.pki.signer(purpose)
    certificate = certificate or sealed.pki.certificate(purpose)
    protected = cbor2.dumps({1: signer.handle.algorithm.cose, 4: hashlib.sha256(certificate).digest()[:8]})
    value = raw_signature(signer, cbor2.dumps(["Signature1", protected, b"", payload]), purpose)
    return code_url(BASE_URL, cbor2.dumps(cbor2.CBORTag(18, [protected, {}, payload, value])))


def test_the_genuine_code_is_valid(sealed: Sealed) -> None:
    verdict = judge_code(sealed, sealed.code)
    assert verdict.conclusion is Conclusion.VALID, verdict.findings
    assert verdict.standing is Standing.IN_FORCE
    assert verdict.license is not None
    assert verdict.license.identifier == sealed.record.identifier


def test_a_code_under_a_certificate_that_is_not_for_codes(sealed: Sealed) -> None:
    payload = cbor2.loads(_cose(sealed.code)).value[2]
    forged = _signed_with(sealed, payload, KeyPurpose.STATUS)
    trust = sealed.trust(certificates=(sealed.pki.issuing.certificate, sealed.pki.certificate(KeyPurpose.STATUS)))
    verdict = judge_code(sealed, forged, trust=trust)
    refused(verdict, "CERTIFICATE_PURPOSE")
    assert verdict.conclusion is Conclusion.INVALID


def test_a_code_that_names_the_genuine_key_but_is_signed_by_another(sealed: Sealed) -> None:
    payload = cbor2.loads(_cose(sealed.code)).value[2]
    forger = build_pki(open_backend("memory:"))
    forged = _signed_with(
        replace(sealed, pki=forger), payload, KeyPurpose.CODE, sealed.pki.certificate(KeyPurpose.CODE)
    )
    verdict = judge_code(sealed, forged)
    refused(verdict, "SIGNATURE_WRONG")
    assert verdict.integrity is Integrity.ALTERED


def test_a_code_of_a_key_that_nobody_vouches_for(sealed: Sealed) -> None:
    verdict = judge_code(sealed, sealed.code, trust=sealed.trust(certificates=()))
    assert verdict.conclusion is Conclusion.INDETERMINATE
    assert "CODE_KEY_UNKNOWN" in verdict.codes()
    assert verdict.integrity is not Integrity.INTACT
    assert verdict.license is None


def test_a_trusted_code_certificate_without_its_root(sealed: Sealed) -> None:
    verdict = judge_code(sealed, sealed.code, trust=sealed.trust(anchors=()))
    refused(verdict, "NO_TRUSTED_PATH")


def test_every_flipped_bit_of_a_code_is_noticed(sealed: Sealed) -> None:
    data = bytearray(_cose(sealed.code))
    for position in range(len(data)):
        data[position] ^= 1 << position % 8
        verdict = judge_code(sealed, b64(bytes(data)))
        assert verdict.integrity is not Integrity.INTACT, position
        assert verdict.license is None
        data[position] ^= 1 << position % 8


@pytest.mark.parametrize("tail", ["A", "AA", "=", "%00", "&c=x"])
def test_a_code_with_something_behind_it(sealed: Sealed, tail: str) -> None:
    refused(judge_code(sealed, sealed.code + tail))


def test_a_code_for_another_issuers_license(sealed: Sealed) -> None:
    """A genuine code key of one issuer signs an identifier of another."""
    other = sealed.record.identifier.replace("91110000600037341L", "11110000000021135M")
    record = replace(sealed.record, identifier=other)
    pki = sealed.pki
    cose = make_code(code_claims(record, BASE_URL), pki.signer(KeyPurpose.CODE), pki.certificate(KeyPurpose.CODE))
    refused(judge_code(sealed, code_url(BASE_URL, cose)), "ISSUER_CODE_DIFFERS", "IDENTIFIER_WRONG")


def test_several_license_codes_in_one_picture(sealed: Sealed) -> None:
    import zxingcpp
    from PIL import Image

    other = genuine(type_name="driving-license")
    sheet = Image.new("L", (1400, 700), 255)
    for place, code in ((0, sealed.code), (700, other.code)):
        barcode = zxingcpp.create_barcode(code, zxingcpp.BarcodeFormat.QRCode)
        image = Image.fromarray(zxingcpp.write_barcode_to_image(barcode, scale=6))
        sheet.paste(image.resize((640, 640)), (place + 30, 30))
    buffer = io.BytesIO()
    sheet.save(buffer, "PNG")
    verdict = verify_picture(buffer.getvalue(), trust=sealed.trust(), at=NOW, evidence=sealed.evidence())
    refused(verdict, "CODE_AMBIGUOUS")


def test_a_decompression_bomb_as_picture() -> None:
    from PIL import Image

    buffer = io.BytesIO()
    Image.new("1", (30_000, 30_000)).save(buffer, "PNG")
    verdict = verify_any(buffer.getvalue(), trust=TrustStore(), at=NOW)
    assert verdict.integrity is Integrity.UNREADABLE


# --- status lists --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "standing"),
    [(0, Standing.IN_FORCE), (1, Standing.REVOKED), (2, Standing.SUSPENDED), (3, Standing.SUPERSEDED)],
)
def test_the_status_list_decides_the_standing_and_nothing_else(sealed: Sealed, value: int, standing: Standing) -> None:
    """A revoked license is genuine."""
    evidence = sealed.evidence(value)
    for verdict in (
        verify_document(sealed.pdf, trust=sealed.trust(), at=NOW, evidence=evidence),
        verify_record(sealed.sd_jwt, trust=sealed.trust(), at=NOW, evidence=evidence),
        verify_code(sealed.code, trust=sealed.trust(), at=NOW, evidence=evidence),
    ):
        assert verdict.conclusion is Conclusion.VALID, verdict.findings
        assert verdict.standing is standing


def _with_list(token: bytes) -> Evidence:
    """Revocation data as usual, and this for a status list."""
    usual = genuine(type_name="business-license-duplicate").evidence()
    return replace(usual, status_lists={STATUS_URI: token})


@pytest.mark.parametrize("age", [timedelta(hours=2), timedelta(days=2), timedelta(days=400)])
def test_a_stale_status_list_leaves_the_standing_unknown(sealed: Sealed, age: timedelta) -> None:
    token = status_list(sealed.pki, at=AT)
    verdict = verify_document(sealed.pdf, trust=sealed.trust(), at=AT + age, evidence=_with_list(token))
    assert verdict.standing is Standing.UNKNOWN
    (stale,) = (f for f in verdict.findings if f.code == "STATUS_STALE")
    assert stale.params["age"] == (f"{age.days} d" if age.days else "2 h 0 min")
    assert verdict.conclusion is Conclusion.VALID, verdict.findings


def test_a_missing_status_list_leaves_the_standing_unknown(sealed: Sealed) -> None:
    verdict = verify_document(sealed.pdf, trust=sealed.trust(), at=NOW)
    assert verdict.standing is Standing.UNKNOWN
    assert "STATUS_UNAVAILABLE" in verdict.codes()
    assert verdict.conclusion is Conclusion.VALID


def test_a_status_list_signed_by_a_key_for_codes(sealed: Sealed) -> None:
    pki = sealed.pki
    header, payload, _ = status_list(pki).decode().split(".")
    chain = [pki.certificate(KeyPurpose.CODE), pki.issuing.certificate]
    head = json.loads(unb64(header)) | {"x5c": [base64.b64encode(c).decode() for c in chain]}
    signed = f"{b64(json.dumps(head).encode())}.{payload}"
    value = raw_signature(pki.signer(KeyPurpose.CODE), signed.encode(), KeyPurpose.CODE)
    verdict = judge_record(sealed, sealed.sd_jwt, evidence=_with_list(f"{signed}.{b64(value)}".encode()))
    assert verdict.standing is Standing.UNKNOWN
    assert "STATUS_UNTRUSTED" in verdict.codes()


def test_a_status_list_of_a_strangers_vault(sealed: Sealed) -> None:
    token = status_list(build_pki(open_backend("memory:")))
    verdict = judge_record(sealed, sealed.sd_jwt, evidence=_with_list(token))
    assert verdict.standing is Standing.UNKNOWN
    assert "STATUS_UNTRUSTED" in verdict.codes()


@pytest.mark.parametrize("value", [0, 1])
def test_a_status_list_of_another_region_that_is_trusted_too(sealed: Sealed, value: int) -> None:
    """Both regions were chosen; the other one neither revokes our license nor takes a revocation back."""
    other = build_pki(open_backend("memory:"), region="Other Region")
    ours = sealed.trust()
    trust = replace(
        ours,
        anchors=(*ours.anchors, other.root.certificate),
        certificates=(*ours.certificates, other.issuing.certificate),
    )
    evidence = _with_list(status_list(other, value))
    for verdict in (
        verify_document(sealed.pdf, trust=trust, at=NOW, evidence=evidence),
        verify_record(sealed.sd_jwt, trust=trust, at=NOW, evidence=evidence),
        verify_code(sealed.code, trust=trust, at=NOW, evidence=evidence),
    ):
        assert verdict.conclusion is Conclusion.VALID, verdict.findings
        assert verdict.standing is Standing.UNKNOWN
        (found,) = (f for f in verdict.findings if f.code == "STATUS_UNTRUSTED")
        assert "EXAMPLE Root is not the authority of this license" in found.message("en")


def test_a_status_list_under_the_next_root_of_the_same_authority(sealed: Sealed) -> None:
    """A vault whose root was rolled over signs its lists under the new one."""
    following = build_pki(open_backend("memory:"), prefix="EXAMPLE 2")
    ours = sealed.trust()
    trust = replace(
        ours,
        anchors=(*ours.anchors, following.root.certificate),
        certificates=(*ours.certificates, following.issuing.certificate),
    )
    evidence = _with_list(status_list(following, 1))
    assert verify_document(sealed.pdf, trust=trust, at=NOW, evidence=evidence).standing is Standing.REVOKED


def test_a_changed_status_list(sealed: Sealed) -> None:
    header, payload, signature = status_list(sealed.pki, 1).decode().split(".")
    clean = status_list(sealed.pki, 0).decode().split(".")[1]
    verdict = judge_record(sealed, sealed.sd_jwt, evidence=_with_list(f"{header}.{clean}.{signature}".encode()))
    assert verdict.standing is Standing.UNKNOWN
    assert payload != clean


def test_a_status_list_of_another_address(sealed: Sealed) -> None:
    record = replace(sealed.record, status_uri=STATUS_URI + "0")
    pki = sealed.pki
    cose = make_code(code_claims(record, BASE_URL), pki.signer(KeyPurpose.CODE), pki.certificate(KeyPurpose.CODE))
    evidence = Evidence(status_lists={STATUS_URI + "0": status_list(pki)})
    verdict = judge_code(sealed, code_url(BASE_URL, cose), evidence=evidence)
    assert verdict.standing is Standing.UNKNOWN
    assert "STATUS_BROKEN" in verdict.codes()


def test_an_index_outside_the_status_list(sealed: Sealed) -> None:
    record = replace(sealed.record, status_index=10_000)
    pki = sealed.pki
    cose = make_code(code_claims(record, BASE_URL), pki.signer(KeyPurpose.CODE), pki.certificate(KeyPurpose.CODE))
    verdict = judge_code(sealed, code_url(BASE_URL, cose))
    assert verdict.standing is Standing.UNKNOWN
    assert "STATUS_INDEX_OUTSIDE" in verdict.codes()


@pytest.mark.parametrize("token", [b"", b"x", b"a.b.c", b"\xff\xfe", b"." * 100])
def test_garbage_for_a_status_list(sealed: Sealed, token: bytes) -> None:
    verdict = judge_record(sealed, sealed.sd_jwt, evidence=_with_list(token))
    assert verdict.standing is Standing.UNKNOWN
    assert verdict.conclusion is Conclusion.VALID


# --- the vault's own knowledge -------------------------------------------------------------------------------------


def test_a_number_that_the_vault_lists_as_void(sealed: Sealed) -> None:
    """A crash left a sealed file whose number was given up: the vault's word counts."""
    evidence = sealed.evidence(lookup=lambda _: sealed.facts(state="VOID"))
    for verdict in (
        verify_document(sealed.pdf, trust=sealed.trust(), at=NOW, evidence=evidence),
        judge_record(sealed, sealed.sd_jwt, evidence=evidence),
        judge_code(sealed, sealed.code, evidence=evidence),
    ):
        assert verdict.conclusion is Conclusion.INVALID
        assert "VAULT_NUMBER_VOID" in verdict.codes()


def test_another_record_under_the_same_identifier(sealed: Sealed) -> None:
    evidence = sealed.evidence(lookup=lambda _: sealed.facts(record_sha256="0" * 64))
    verdict = verify_document(sealed.pdf, trust=sealed.trust(), at=NOW, evidence=evidence)
    assert verdict.conclusion is Conclusion.INVALID
    assert "VAULT_RECORD_DIFFERS" in verdict.codes()


def test_other_bytes_with_the_same_record_are_only_noted(sealed: Sealed) -> None:
    evidence = sealed.evidence(lookup=lambda _: sealed.facts(pdf_sha256="0" * 64))
    verdict = verify_document(sealed.pdf, trust=sealed.trust(), at=NOW, evidence=evidence)
    assert verdict.conclusion is Conclusion.VALID
    assert "VAULT_FINGERPRINT_DIFFERS" in verdict.codes()


def test_a_lookup_that_fails_does_not_fail_the_verdict(sealed: Sealed) -> None:
    def broken(_: str) -> None:
        raise OSError("database is gone")

    verdict = verify_document(sealed.pdf, trust=sealed.trust(), at=NOW, evidence=sealed.evidence(lookup=broken))
    assert verdict.conclusion is Conclusion.VALID
    assert "VAULT_UNREACHABLE" in verdict.codes()


# --- whose record ---------------------------------------------------------------------------------------------------


def _bound(sealed: Sealed) -> tuple[str, Callable[[dict[str, object], bytes | None], str]]:
    """A record bound to a holder's key, and a maker of that holder's proofs."""
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec, utils

    from signing.formats.sdjwt import make_record

    key = ec.generate_private_key(ec.SECP256R1())
    numbers = key.public_key().public_numbers()
    jwk = {"kty": "EC", "crv": "P-256", "x": b64(numbers.x.to_bytes(32)), "y": b64(numbers.y.to_bytes(32))}
    record = make_record(
        sealed.record,
        signer=sealed.pki.signer(KeyPurpose.RECORD),
        chain=(sealed.pki.certificate(KeyPurpose.RECORD), sealed.pki.issuing.certificate),
        base_url=BASE_URL,
        holder_jwk=jwk,
        at=AT,
    )

    def prove(header: dict[str, object], about: bytes | None = None) -> str:
        digest = b64(hashlib.sha256(record.encode() if about is None else about).digest())
        claims = {"iat": 1, "aud": "x", "nonce": "y", "sd_hash": digest}
        signed = f"{b64(json.dumps(header).encode())}.{b64(json.dumps(claims).encode())}"
        r, s = utils.decode_dss_signature(key.sign(signed.encode(), ec.ECDSA(hashes.SHA256())))
        return f"{signed}.{b64(r.to_bytes(32) + s.to_bytes(32))}"

    return record, prove


def test_a_holders_proof_made_for_another_record(sealed: Sealed) -> None:
    record, prove = _bound(sealed)
    header: dict[str, object] = {"typ": "kb+jwt", "alg": "ES256"}
    assert "RECORD_HOLDER_NOT_PROVEN" in judge_record(sealed, record).codes()
    genuine_proof = judge_record(sealed, record + prove(header, None))
    assert genuine_proof.conclusion is Conclusion.VALID, genuine_proof.findings
    assert "RECORD_HOLDER_NOT_PROVEN" not in genuine_proof.codes()
    refused(judge_record(sealed, record + prove(header, b"another")), "RECORD_HOLDER_WRONG")
    refused(judge_record(sealed, record + prove({"typ": "jwt", "alg": "ES256"}, None)), "RECORD_HOLDER_WRONG")


def test_a_holders_proof_by_another_key(sealed: Sealed) -> None:
    record, _ = _bound(sealed)
    _, other = _bound(sealed)
    refused(
        judge_record(sealed, record + other({"typ": "kb+jwt", "alg": "ES256"}, record.encode())), "RECORD_HOLDER_WRONG"
    )
