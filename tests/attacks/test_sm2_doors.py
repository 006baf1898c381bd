"""SM2 values that a verifier must refuse, at every door through which a signature comes in.

The doors: certificates, revocation lists, OCSP answers, CMS under both sets of names, timestamps, seals and seal
signatures, and tokens. At each the good value passes as DER and as 64 raw bytes, but for tokens, which know one form.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import lru_cache
from typing import Any

import pytest
from asn1crypto import crl as asn1_crl
from asn1crypto import ocsp as asn1_ocsp

from signing.formats import cms
from signing.formats.jose import signed_token
from signing.formats.x509 import CertificateRequestData, Subject, issue_certificate, random_serial
from signing.keys import KeyHandle, KeyPurpose
from signing.signer import BackendSigner
from signing.tbs import ToBeSigned
from tests.support.derparts import exchanged
from tests.support.sealhands import AT as SEALED_AT
from tests.support.sealhands import Hands, make_hands
from tests.support.signing_pki import AT, Pki, shared_pki
from verify import DEFAULT_POLICY, Evidence, TrustStore
from verify.checks.chain import Chains, Revocation, load_lenient
from verify.checks.sealtime import check_token
from verify.formats.algorithms import Algorithm
from verify.formats.cms import CmsError, check_signature, unverified_cms
from verify.formats.jose import unverified_jws
from verify.formats.publickeys import BadSignatureError, UnsupportedKeyError, verify_named
from verify.formats.sm2 import N, P, der_of, raw_of, sm3, written
from verify.inquiry import Inquiry
from verify.seal import inspect_seal

DOCUMENT = b"what is signed"


def _pair(value: bytes) -> tuple[int, int]:
    raw = raw_of(value)
    return int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big")


def _both(r: int, s: int) -> list[bytes]:
    """Two numbers in DER, and raw where they fit."""
    fits = 0 <= r < 1 << 256 and 0 <= s < 1 << 256
    return [written(r, s), *([r.to_bytes(32, "big") + s.to_bytes(32, "big")] if fits else [])]


def _negative(r: int, s: int) -> bytes:
    """DER whose first number lacks the zero that keeps it positive."""
    body = b"\x02\x20" + ((r | 1 << 255) & ((1 << 256) - 1)).to_bytes(32, "big") + written(r, s)[4 + written(r, s)[3] :]
    return bytes((0x30, len(body))) + body


def _padded(r: int, s: int) -> bytes:
    """DER whose first number has a zero more than it needs."""
    good = written(r, s)
    first = good[4 : 4 + good[3]]
    body = bytes((2, len(first) + 1)) + b"\0" + first + good[4 + good[3] :]
    return bytes((0x30, len(body))) + body


MALFORMED: dict[str, Callable[[int, int], list[bytes]]] = {
    "r is 0": lambda r, s: _both(0, s),
    "s is 0": lambda r, s: _both(r, 0),
    "r is n": lambda r, s: _both(N, s),
    "s is n": lambda r, s: _both(r, N),
    "r above n": lambda r, s: _both(r + N, s),
    "s above n": lambda r, s: _both(r, s + N),
    "r and s make n": lambda r, s: _both(r, N - r),
    "swapped": lambda r, s: _both(s, r),
    "bytes behind": lambda r, s: [written(r, s) + b"\0"],
    "negative": lambda r, s: [_negative(r, s)],
    "padded": lambda r, s: [_padded(r, s)],
    "a byte short": lambda r, s: [_both(r, s)[1][:63], _both(r, s)[0][:-1]],
    "a byte long": lambda r, s: [_both(r, s)[1] + b"\0"],
    "empty": lambda r, s: [b""],
    "stray byte before": lambda r, s: [stray + written(r, s) for stray in (b"\0", b"\x02")],
}


@pytest.fixture(scope="module")
def pki() -> Pki:
    return shared_pki("sm2")


@lru_cache(maxsize=1)
def _hands() -> Hands:
    return make_hands(Algorithm.SM2_SM3)


def _chains(pki: Pki, **evidence: tuple[bytes, ...]) -> Chains:
    trust = TrustStore((pki.root.certificate,), (pki.issuing.certificate,), allow_example=True)
    return Chains(Inquiry("seal", trust=trust, at=AT, policy=DEFAULT_POLICY, evidence=Evidence(**evidence)), ())


def _good_path(pki: Pki, certificate: bytes, revocation: Revocation, **evidence: tuple[bytes, ...]) -> bool:
    return _chains(pki, **evidence).validate(load_lenient(certificate), AT, revocation).good


class Door:
    """A structure of ours, the value in it, and whether the structure with another value is believed."""

    def __init__(self, der: bytes, value: bytes, believed: Callable[[bytes], bool]) -> None:
        self.der, self.value, self._believed = der, value, believed

    def accepts(self, value: bytes) -> bool:
        return self._believed(exchanged(self.der, self.value, value) if value != self.value else self.der)


def _certificate(pki: Pki) -> Door:
    der = pki.certificate(KeyPurpose.SEAL)
    value = load_lenient(der)["signature_value"].native  # type: ignore[index]
    return Door(der, value, lambda changed: _good_path(pki, changed, Revocation.IGNORED))


def _list(pki: Pki) -> Door:
    der = pki.root_crl()
    value = asn1_crl.CertificateList.load(der)["signature"].native
    issuing = pki.issuing.certificate
    return Door(der, value, lambda changed: _good_path(pki, issuing, Revocation.REQUIRED, crls=(changed,)))


def _answer(pki: Pki) -> Door:
    der, seal = pki.ocsp(KeyPurpose.SEAL), pki.certificate(KeyPurpose.SEAL)
    value = asn1_ocsp.OCSPResponse.load(der).basic_ocsp_response["signature"].native
    lists = (pki.root_crl(),)
    return Door(der, value, lambda changed: _good_path(pki, seal, Revocation.REQUIRED, crls=lists, ocsps=(changed,)))


def _cms(pki: Pki, sign: Callable[..., bytes]) -> Door:
    der = sign(sm3(DOCUMENT), signer=pki.signer(KeyPurpose.SEAL), certificate=pki.certificate(KeyPurpose.SEAL))

    def believed(changed: bytes) -> bool:
        try:
            check_signature(unverified_cms(changed), DOCUMENT, "data")
        except BadSignatureError:
            return False
        return True

    return Door(der, unverified_cms(der).signature, believed)


def _token(pki: Pki) -> Door:
    der = pki.tsa().stamp(sm3(DOCUMENT), "sm3", AT)
    chains = _chains(pki)
    chains.pool.append(load_lenient(pki.issuing.certificate))

    def believed(changed: bytes) -> bool:
        return check_token(chains, "TIMESTAMP", changed, DOCUMENT, None).outcome.value == "PASSED"

    return Door(der, unverified_cms(der).signature, believed)


def _seal(code: str) -> Door:
    hands = _hands()
    der = hands.seal() if code == "SEAL_SIG" else hands.sealed(DOCUMENT)

    def believed(changed: bytes) -> bool:
        found = inspect_seal(changed, trust=hands.trust, at=SEALED_AT, document=DOCUMENT)
        return next(s for s in found.steps if s.code == code).outcome.value == "PASSED"

    found: Any = inspect_seal(der, trust=hands.trust, at=SEALED_AT)
    return Door(der, (found.seal if code == "SEAL_SIG" else found.signature).signature, believed)


DOORS: dict[str, Callable[[Pki], Door]] = {
    "certificate": _certificate,
    "revocation list": _list,
    "OCSP answer": _answer,
    "CMS": lambda pki: _cms(pki, cms.sign_detached),
    "CMS of GB/T 35275": lambda pki: _cms(pki, cms.sign_national),
    "timestamp": _token,
    "seal": lambda pki: _seal("SEAL_SIG"),
    "seal signature": lambda pki: _seal("SIG_VALUE"),
}


@pytest.mark.parametrize("name", DOORS)
def test_malformed_values_are_refused_at_the_door(pki: Pki, name: str) -> None:
    door = DOORS[name](pki)
    r, s = _pair(door.value)
    assert door.accepts(door.value)
    assert door.accepts(raw_of(door.value))
    for fault, make in MALFORMED.items():
        for value in make(r, s):
            assert not door.accepts(value), (fault, value.hex())


def test_a_token_takes_no_malformed_value_and_one_form(pki: Pki) -> None:
    signer, chain = pki.signer(KeyPurpose.RECORD), (pki.certificate(KeyPurpose.RECORD),)
    jws = unverified_jws(signed_token({}, {"a": "b"}, signer=signer, chain=chain), 10_000)
    verify_named(jws.signature, jws.signed, signer.handle.spki, jws.algorithm)
    refused = [value for make in MALFORMED.values() for value in make(*_pair(jws.signature))]
    for value in (der_of(jws.signature), *refused):
        with pytest.raises(BadSignatureError):
            verify_named(value, jws.signed, signer.handle.spki, jws.algorithm)


BAD_POINTS: dict[str, Callable[[bytes], bytes]] = {
    "off the curve": lambda point: point[:-1] + bytes((point[-1] ^ 1,)),
    "at infinity": lambda point: b"\0",
    "zeros": lambda point: b"\x04" + bytes(64),
    "hybrid": lambda point: bytes((6 | point[-1] & 1,)) + point[1:],
    "x is p": lambda point: b"\x04" + P.to_bytes(32, "big") + point[33:],
}


@dataclass(frozen=True)
class _Misnamed:
    """The good key, under the name of another public half."""

    good: BackendSigner
    handle: KeyHandle

    def sign(self, tbs: ToBeSigned) -> bytes:
        return self.good.sign(tbs)


@pytest.mark.parametrize("name", BAD_POINTS)
def test_no_signature_counts_under_a_key_that_is_no_point(pki: Pki, name: str) -> None:
    """An authority was deceived into a certificate over such a key."""
    good = pki.signer(KeyPurpose.SEAL)
    point = good.handle.spki[-65:]
    spki = exchanged(good.handle.spki, point, BAD_POINTS[name](point))
    signer = _Misnamed(good, replace(good.handle, spki=spki))
    request = CertificateRequestData(Subject("bad"), signer.handle, random_serial(), AT, AT + timedelta(days=1))
    value = cms.sign_detached(sm3(DOCUMENT), signer=signer, certificate=issue_certificate(pki.issuing, request))
    with pytest.raises((BadSignatureError, UnsupportedKeyError, CmsError)):
        check_signature(unverified_cms(value), DOCUMENT, "data")
