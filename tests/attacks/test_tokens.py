"""Hostile encodings of codes (CBOR, COSE) and records (JOSE, SD-JWT): refused with a finding, never a crash."""

from __future__ import annotations

import base64
import hashlib
import json
import zlib
from collections.abc import Callable
from dataclasses import replace

import cbor2
import pytest

from signing.backends import open_backend
from signing.formats.jose import raw_signature
from signing.keys import KeyPurpose
from tests.support.sealed import NOW, Sealed, build, genuine
from tests.support.signing_pki import build_pki
from verify import verify_code, verify_record
from verify.evidence import Evidence
from verify.formats.algorithms import Algorithm
from verify.formats.publickeys import curve_order, is_other_form
from verify.verdict import Conclusion, Integrity, Standing, Verdict

TYPE = "business-license-duplicate"
_NEVER = {"INTERNAL", "CHECK_NOT_RUN"}


@pytest.fixture(scope="module")
def sealed() -> Sealed:
    return genuine(type_name=TYPE)


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unb64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def judge_code(sealed: Sealed, data: bytes | str, evidence: Evidence | None = None) -> Verdict:
    text = data if isinstance(data, str) else b64(data)
    return verify_code(text, trust=sealed.trust(), at=NOW, evidence=evidence or sealed.evidence())


def judge_record(sealed: Sealed, text: str, evidence: Evidence | None = None) -> Verdict:
    return verify_record(text, trust=sealed.trust(), at=NOW, evidence=evidence or sealed.evidence())


def refused(verdict: Verdict, *codes: str) -> None:
    assert verdict.integrity is not Integrity.INTACT, verdict.findings
    assert verdict.conclusion is not Conclusion.VALID
    assert not verdict.codes() & _NEVER, verdict.findings
    assert not codes or verdict.codes() & set(codes), verdict.codes()


# --- codes -----------------------------------------------------------------------------------------------------------


def parts(sealed: Sealed) -> tuple[dict[int, object], dict[int, object], bytes]:
    """Header, claims and signature of the genuine code."""
    protected, _, payload, signature = cbor2.loads(unb64(sealed.code.split("#c=")[1])).value
    return cbor2.loads(protected), cbor2.loads(payload), signature


def code_of(header: bytes, payload: bytes, signature: bytes, tag: int | None = 18, unprotected: object = None) -> bytes:
    value = [header, {} if unprotected is None else unprotected, payload, signature]
    return cbor2.dumps(value if tag is None else cbor2.CBORTag(tag, value))


def signed_by_the_issuer(sealed: Sealed, header: bytes, payload: bytes) -> bytes:
    """What an issuer would sign that writes CBOR as it likes."""
    body = cbor2.dumps(["Signature1", header, b"", payload])
    return code_of(header, payload, raw_signature(sealed.pki.signer(KeyPurpose.CODE), body, KeyPurpose.CODE))


@pytest.mark.parametrize("tag", [None, 16, 17, 61, 96, 98, 97])
def test_a_code_under_another_tag_or_none(sealed: Sealed, tag: int | None) -> None:
    header, claims, signature = parts(sealed)
    refused(judge_code(sealed, code_of(cbor2.dumps(header), cbor2.dumps(claims), signature, tag)), "CODE_BROKEN")


@pytest.mark.parametrize("algorithm", [-8, -35, -37, -257, 5, 0, 1, None, "ES256", True, -7.0, 2**70])
def test_a_code_that_names_another_algorithm(sealed: Sealed, algorithm: object) -> None:
    header, claims, signature = parts(sealed)
    forged = code_of(cbor2.dumps(header | {1: algorithm}, canonical=True), cbor2.dumps(claims), signature)
    refused(judge_code(sealed, forged), "CODE_BROKEN", "SIGNATURE_WRONG")


def test_the_algorithm_moved_to_the_unprotected_header(sealed: Sealed) -> None:
    header, claims, signature = parts(sealed)
    for protected, unprotected in (({4: header[4]}, {1: -7}), ({}, header), (header, {1: -257})):
        forged = code_of(cbor2.dumps(protected), cbor2.dumps(claims), signature, unprotected=unprotected)
        refused(judge_code(sealed, forged), "CODE_BROKEN")


def test_keys_that_equal_the_right_ones_only_for_python(sealed: Sealed) -> None:
    """1.0 and true are 1 to Python: a header of theirs would be read, though no other reader finds its algorithm."""
    header, claims, _ = parts(sealed)
    for other in ({1.0: header[1], 4: header[4]}, {True: header[1], 4: header[4]}):
        protected = cbor2.dumps(other, canonical=True)
        refused(judge_code(sealed, signed_by_the_issuer(sealed, protected, cbor2.dumps(claims))), "CODE_BROKEN")


def test_a_code_with_a_key_number_of_a_certificate_that_did_not_sign(sealed: Sealed) -> None:
    """Eight bytes can be met on purpose: the signature decides, whatever the number says."""
    forger = build(build_pki(open_backend("memory:")), TYPE)
    header, claims, _ = parts(sealed)
    protected, payload = cbor2.dumps(header), cbor2.dumps(claims)
    body = cbor2.dumps(["Signature1", protected, b"", payload])
    signature = raw_signature(forger.pki.signer(KeyPurpose.CODE), body, KeyPurpose.CODE)
    refused(judge_code(sealed, code_of(protected, payload, signature)), "SIGNATURE_WRONG")


def test_loose_cbor_is_refused_even_when_the_issuer_signed_it(sealed: Sealed) -> None:
    """One encoding only: indefinite lengths, long integers, keys out of order or standing twice."""
    header, claims, _ = parts(sealed)
    strict, payload = cbor2.dumps(header, canonical=True), cbor2.dumps(claims, canonical=True)
    kid = cbor2.dumps(header[4])
    loose = {
        "indefinite map": b"\xbf\x01\x26\x04" + kid + b"\xff",
        "twice the same key": b"\xa3\x01\x26\x01\x26\x04" + kid,
        "a key twice, another value": b"\xa3\x01\x38\x24\x01\x26\x04" + kid,
        "keys out of order": b"\xa2\x04" + kid + b"\x01\x26",
        "a long integer": b"\xa2\x18\x01\x26\x04" + kid,
        "trailing": strict + b"\x00",
        "a string in parts": b"\xa2\x01\x26\x04\x5f" + kid + b"\xff",
    }
    for flaw, protected in loose.items():
        verdict = judge_code(sealed, signed_by_the_issuer(sealed, protected, payload))
        assert verdict.integrity is not Integrity.INTACT, flaw
        assert not verdict.codes() & _NEVER, (flaw, verdict.findings)
    good = signed_by_the_issuer(sealed, strict, payload)
    assert judge_code(sealed, good).conclusion is Conclusion.VALID
    refused(judge_code(sealed, good + b"\x00"), "CODE_BROKEN")


@pytest.mark.parametrize(
    "data",
    [
        b"\x81" * 1999,
        b"\xd2" * 1999,
        b"\xa1\x01" * 900,
        b"\x9f" * 1999,
        b"\x5b\xff\xff\xff\xff\xff\xff\xff\xff",
        b"\x9b\xff\xff\xff\xff\xff\xff\xff\xff",
        b"\xbb\x7f\xff\xff\xff\xff\xff\xff\xff",
        b"\xc2\x59\x07\x80" + b"\xff" * 1920,
        b"\xd8\x1c\x81\xd8\x1d\x00",
        b"\xc1\xfb\x7f\xf0\x00\x00\x00\x00\x00\x00",
        b"\xd8\x1e\x82\x01\x00",
        b"\xd8\x23\x64(((a",
        b"\xf9\x7e\x00",
        b"\xf7",
    ],
    ids=lambda d: d[:8].hex(),
)
def test_bombs_and_oddities_in_cbor(sealed: Sealed, data: bytes) -> None:
    refused(judge_code(sealed, data), "CODE_BROKEN")
    header, _, signature = parts(sealed)
    refused(judge_code(sealed, code_of(data, b"\xa0", signature)), "CODE_BROKEN")
    refused(judge_code(sealed, code_of(cbor2.dumps(header), data[:1500], signature)), "CODE_BROKEN")


@pytest.mark.parametrize(
    "change",
    [
        {65535: {"status_list": {"idx": 2**64, "uri": "x"}}},
        {65535: {"status_list": {"idx": -1, "uri": "x"}}},
        {65535: {"status_list": {"idx": True, "uri": "x"}}},
        {65535: {"status_list": {"idx": 1.0, "uri": "x"}}},
        {65535: {"status_list": [1]}},
        {6: 2**63},
        {6: -1},
        {6: 1.5},
        {4: 2**36},
        {5: "soon"},
        {-70003: []},
        {-70003: [b"x" * 16, 5]},
        {-70004: b""},
        {2: 7},
        {99: 1},
    ],
    ids=str,
)
def test_claims_of_absurd_value_signed_by_an_issuer_gone_mad(sealed: Sealed, change: dict[int, object]) -> None:
    header, claims, _ = parts(sealed)
    payload = cbor2.dumps(claims | change, canonical=True)
    verdict = judge_code(sealed, signed_by_the_issuer(sealed, cbor2.dumps(header, canonical=True), payload))
    assert not verdict.codes() & _NEVER, verdict.findings
    assert verdict.integrity is not Integrity.INTACT or verdict.standing is not Standing.IN_FORCE


# --- records ---------------------------------------------------------------------------------------------------------


def with_header(text: str, change: Callable[[dict[str, object]], dict[str, object]]) -> str:
    token, tilde, rest = text.partition("~")
    head, payload, signature = token.split(".")
    return f"{b64(json.dumps(change(json.loads(unb64(head)))).encode())}.{payload}.{signature}{tilde}{rest}"


@pytest.mark.parametrize(
    "change",
    [
        {"alg": "none"},
        {"alg": "NONE"},
        {"alg": "HS256"},
        {"alg": ["ES256"]},
        {"alg": None},
        {"crit": ["exp"]},
        {"crit": []},
        {"b64": False},
        {"b64": False, "crit": ["b64"]},
        {"jwk": {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}},
        {"jku": "https://evil.example/keys"},
        {"x5u": "https://evil.example/chain"},
        {"x5c": []},
        {"x5c": "MII"},
        {"x5c": ["AA=="] * 9},
        {"typ": "JWT"},
    ],
    ids=str,
)
def test_a_header_that_leads_elsewhere(sealed: Sealed, change: dict[str, object]) -> None:
    """Addresses and keys in a header are never followed; it is signed, so any change shows."""
    refused(judge_record(sealed, with_header(sealed.sd_jwt, lambda h: h | change)))


def test_an_hmac_made_with_the_public_key(sealed: Sealed) -> None:
    import hmac

    from asn1crypto import x509

    key = x509.Certificate.load(sealed.pki.certificate(KeyPurpose.RECORD)).public_key.dump()
    token, _, rest = with_header(sealed.sd_jwt, lambda h: h | {"alg": "HS256"}).partition("~")
    signed = token.rpartition(".")[0]
    value = b64(hmac.new(key, signed.encode(), "sha256").digest())
    refused(judge_record(sealed, f"{signed}.{value}~{rest}"), "RECORD_TOKEN_BROKEN")


def test_the_signers_certificate_put_behind_another_in_the_chain(sealed: Sealed) -> None:
    """Header re-signed by nobody: the first of x5c is the signer, wherever the right one stands."""
    refused(judge_record(sealed, with_header(sealed.sd_jwt, lambda h: h | {"x5c": list(reversed(h["x5c"]))})))  # type: ignore[call-overload]


@pytest.mark.parametrize("escape", ["\\ud800", "\\udfff\\ud800"])
def test_half_a_character_in_a_payload(sealed: Sealed, escape: str) -> None:
    token, tilde, rest = sealed.sd_jwt.partition("~")
    head, payload, signature = token.split(".")
    text = unb64(payload).decode().replace("{", '{"x": "' + escape + '", ', 1)
    refused(judge_record(sealed, f"{head}.{b64(text.encode())}.{signature}{tilde}{rest}"), "RECORD_TOKEN_BROKEN")


def test_a_member_that_stands_twice_in_a_disclosure(sealed: Sealed) -> None:
    extra = b64(b'["salt", "fields", {"a": "1", "a": "2"}]')
    refused(judge_record(sealed, sealed.sd_jwt + extra + "~"), "RECORD_TOKEN_BROKEN")


@pytest.mark.parametrize("name", ["status", "exp", "cnf", "vct", "nbf", "_sd", "..."])
def test_a_claim_that_a_holder_must_not_hold_back(sealed: Sealed, name: str) -> None:
    """Made by an issuer that lets it be disclosed at will: without it the record would read as unlimited."""
    disclosure = b64(json.dumps(["salt", name, "x"]).encode())
    digest = b64(hashlib.sha256(disclosure.encode()).digest())
    head, payload, _ = sealed.sd_jwt.partition("~")[0].split(".")
    claims = json.loads(unb64(payload))
    claims.pop(name, None)
    claims["_sd"] = [*claims.get("_sd", []), digest]
    signed = f"{head}.{b64(json.dumps(claims).encode())}"
    value = raw_signature(sealed.pki.signer(KeyPurpose.RECORD), signed.encode(), KeyPurpose.RECORD)
    refused(judge_record(sealed, f"{signed}.{b64(value)}~{disclosure}~"), "RECORD_TOKEN_BROKEN")


def test_a_disclosure_that_names_itself(sealed: Sealed) -> None:
    loop = b64(b'["salt", "fields", {"_sd": ["AAAA"]}]')
    refused(judge_record(sealed, f"{sealed.sd_jwt}{loop}~{loop}~"), "RECORD_DISCLOSURE_REPEATED", "RECORD_TOKEN_BROKEN")


def test_withheld_data_are_noted(sealed: Sealed) -> None:
    token, *disclosures, _ = sealed.sd_jwt.split("~")
    less = judge_record(sealed, "~".join([token, *disclosures[1:], ""]))
    assert less.conclusion is Conclusion.VALID, less.findings
    assert "RECORD_WITHHELD" in less.codes()
    assert "RECORD_WITHHELD" not in judge_record(sealed, sealed.sd_jwt).codes()


# --- the second form of an elliptic signature ------------------------------------------------------------------------


def other_form(signature: bytes) -> bytes:
    s = curve_order(Algorithm.ECDSA_P256_SHA256) - int.from_bytes(signature[32:], "big")
    return signature[:32] + s.to_bytes(32, "big")


def test_tokens_are_written_in_one_of_two_forms(sealed: Sealed) -> None:
    """For every (r, s) that verifies so does (r, n - s), which anybody can compute."""
    signer = sealed.pki.signer(KeyPurpose.CODE)
    values = [raw_signature(signer, bytes((n,)), KeyPurpose.CODE) for n in range(16)]
    assert not any(is_other_form(v, Algorithm.ECDSA_P256_SHA256) for v in values)
    assert all(is_other_form(other_form(v), Algorithm.ECDSA_P256_SHA256) for v in values)


def test_a_record_whose_signature_was_put_into_its_other_form(sealed: Sealed) -> None:
    """It signs the same, so a stranger's is noted; of the vault's own the very form is known."""
    token, tilde, rest = sealed.sd_jwt.partition("~")
    head, payload, signature = token.split(".")
    rewritten = f"{head}.{payload}.{b64(other_form(unb64(signature)))}{tilde}{rest}"
    alone = judge_record(sealed, rewritten)
    assert alone.conclusion is Conclusion.VALID
    assert "SIGNATURE_OTHER_FORM" in alone.codes()
    asked = judge_record(sealed, rewritten, sealed.evidence(lookup=lambda _: sealed.facts()))
    refused(asked, "SIGNATURE_OTHER_FORM")


def test_a_record_that_the_vault_wrote_in_the_other_form_before_it_settled_on_one_stays_good(sealed: Sealed) -> None:
    token, tilde, rest = sealed.sd_jwt.partition("~")
    head, payload, signature = token.split(".")
    value = other_form(unb64(signature))
    facts = sealed.facts(signature_sha256=hashlib.sha256(value).hexdigest())
    verdict = judge_record(
        sealed, f"{head}.{payload}.{b64(value)}{tilde}{rest}", sealed.evidence(lookup=lambda _: facts)
    )
    assert verdict.conclusion is Conclusion.VALID
    assert "SIGNATURE_OTHER_FORM" not in verdict.codes()


def test_a_code_whose_signature_was_put_into_its_other_form(sealed: Sealed) -> None:
    header, claims, signature = parts(sealed)
    rewritten = code_of(cbor2.dumps(header), cbor2.dumps(claims), other_form(signature))
    assert "SIGNATURE_OTHER_FORM" in judge_code(sealed, rewritten).codes()
    asked = judge_code(sealed, rewritten, sealed.evidence(lookup=lambda _: sealed.facts()))
    assert asked.conclusion is Conclusion.INVALID
    assert "VAULT_RECORD_DIFFERS" in asked.codes()


# --- status lists ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("claims", "inside"),
    [
        ({"ttl": 10**18}, {}),
        ({"ttl": 2**31}, {}),
        ({"ttl": True}, {}),
        ({"exp": 10**18}, {}),
        ({"exp": "never"}, {}),
        ({}, {"bits": True}),
        ({}, {"bits": 2.0}),
        ({}, {"bits": "2"}),
        ({}, {"bits": 3}),
    ],
    ids=str,
)
def test_a_status_list_with_numbers_that_are_none(
    sealed: Sealed, claims: dict[str, object], inside: dict[str, object]
) -> None:
    """Signed by the vault's own key, so that only reading it strictly helps."""
    refused_list(sealed, claims, inside, "STATUS_BROKEN")


def test_a_status_list_relabelled_to_wider_values(sealed: Sealed) -> None:
    """Eight bits an entry: a value above those that have a meaning says nothing good of the license."""
    packed = {"bits": 8, "lst": b64(zlib.compress(bytes((9,)) * 64))}
    refused_list(sealed, {}, packed, "STATUS_BROKEN")
    refused_list(sealed, {}, packed | {"lst": b64(zlib.compress(bytes(3)))}, "STATUS_INDEX_OUTSIDE")


def refused_list(sealed: Sealed, claims: dict[str, object], inside: dict[str, object], code: str) -> None:
    usual = sealed.evidence()
    uri, token = next(iter(usual.status_lists.items()))
    head, payload, _ = token.decode().split(".")
    listed = json.loads(unb64(payload))
    listed |= claims
    listed["status_list"] |= inside
    signed = f"{head}.{b64(json.dumps(listed).encode())}"
    value = raw_signature(sealed.pki.signer(KeyPurpose.STATUS), signed.encode(), KeyPurpose.STATUS)
    evidence = replace(usual, status_lists={uri: f"{signed}.{b64(value)}".encode()})
    verdict = judge_record(sealed, sealed.sd_jwt, evidence)
    assert verdict.standing is Standing.UNKNOWN, verdict.findings
    assert code in verdict.codes(), verdict.codes()
    assert verdict.conclusion is Conclusion.VALID, verdict.findings
