"""The code on the page: a CWT (RFC 8392) in a COSE_Sign1 (RFC 9052), carried in the fragment of a URL.

The fragment never reaches a server, so that scanning tells nobody. There is no chain inside: ``kid`` is the first
eight bytes of the certificate's SHA-256, and the reader has the certificate already or asks for it.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date

import cbor2

from signing.errors import PurposeError, SigningError
from signing.formats.cms import SignerIdentity, require_own_certificate
from signing.formats.jose import base64url, raw_signature
from signing.formats.moments import day_end, day_start
from signing.keys import KeyPurpose
from signing.signer import Signer
from verify.formats.license import Holder, LicenseRecord

MAX_URL = 600
"""Longest URL, in characters, that still makes a code people can scan at 30 mm."""

_SIGN1_TAG = 18
_ORGANIZATIONS = {"001", "099"}  # GB/T 36903 Appendix A: codes of organizations; all others are natural persons
_OVERHEAD = 4 + 18 + 67  # tag, array and map heads; protected header; signature of 64 bytes with its head
_SUBJECT, _EXPIRES, _NOT_BEFORE, _ISSUED, _STATUS = 2, 4, 5, 6, 65535
_TYPE, _NUMBER, _HOLDER, _RECORD = -70001, -70002, -70003, -70004


@dataclass(frozen=True, slots=True)
class CodeClaims:
    """What the code says. ``holder`` is a name or its digest (:func:`holder_digest`); for several holders a tuple."""

    identifier: str
    type: str
    number: str
    holder: str | bytes | tuple[str | bytes, ...]
    issued: date
    valid_from: date
    valid_to: date | None
    status_uri: str
    status_index: int
    record_sha256: bytes

    def payload(self) -> bytes:
        """The CWT claims set, CBOR in deterministic order (RFC 8949 4.2.1)."""
        claims: dict[int, object] = {_SUBJECT: self.identifier}
        if self.valid_to is not None:
            claims[_EXPIRES] = day_end(self.valid_to)
        claims |= {
            _NOT_BEFORE: day_start(self.valid_from),
            _ISSUED: day_start(self.issued),
            _STATUS: {"status_list": {"idx": self.status_index, "uri": self.status_uri}},
            _TYPE: self.type,
            _NUMBER: self.number,
            _HOLDER: list(self.holder) if isinstance(self.holder, tuple) else self.holder,
            _RECORD: self.record_sha256,
        }
        return cbor2.dumps(claims)


def holder_digest(identifier: str, name: str) -> bytes:
    """What stands for a natural person's name: 16 bytes of SHA-256 over identifier, ``|`` and name."""
    return hashlib.sha256(f"{identifier}|{name}".encode()).digest()[:16]


def code_claims(record: LicenseRecord, base_url: str) -> CodeClaims:
    """The claims of a record. Names of organizations stand in clear unless the URL would become too long."""
    for clear in (True, False):
        holders = tuple(_holder(record.identifier, h, clear=clear) for h in record.holders)
        claims = CodeClaims(
            identifier=record.identifier,
            type=record.type,
            number=record.number,
            holder=holders[0] if len(holders) == 1 else holders,
            issued=record.issued,
            valid_from=record.valid_from,
            valid_to=record.valid_to,
            status_uri=record.status_uri,
            status_index=record.status_index,
            record_sha256=record.sha256(),
        )
        if len(code_prefix(base_url)) + -(-(len(claims.payload()) + _OVERHEAD) * 4 // 3) <= MAX_URL:
            break
    return claims


def _holder(identifier: str, holder: Holder, *, clear: bool) -> str | bytes:
    return holder.name if clear and holder.code_type in _ORGANIZATIONS else holder_digest(identifier, holder.name)


def make_code(claims: CodeClaims, signer: Signer, certificate: bytes) -> bytes:
    """The COSE_Sign1 (tagged). Raises PurposeError when the key is not for codes."""
    if signer.handle.purpose is not KeyPurpose.CODE:
        raise PurposeError(f"a {signer.handle.purpose.value} key signs no codes", uri=signer.handle.uri)
    require_own_certificate(SignerIdentity.of(certificate), signer)
    protected = cbor2.dumps({1: signer.handle.algorithm.cose, 4: hashlib.sha256(certificate).digest()[:8]})
    payload = claims.payload()
    signed = cbor2.dumps(["Signature1", protected, b"", payload])
    value = raw_signature(signer, signed, KeyPurpose.CODE)
    return cbor2.dumps(cbor2.CBORTag(_SIGN1_TAG, [protected, {}, payload, value]))


def code_prefix(base_url: str) -> str:
    """What stands before the code in its URL."""
    return f"{base_url}/verify#c="


def code_url(base_url: str, cose: bytes) -> str:
    """The text of the QR code. Raises SigningError when it is longer than :data:`MAX_URL`."""
    url = code_prefix(base_url) + base64url(cose)
    if len(url) > MAX_URL:
        raise SigningError(f"the code's URL has {len(url)} characters, more than {MAX_URL}: shorten the public address")
    return url
