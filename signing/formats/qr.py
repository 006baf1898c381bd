"""The code on the page: a CWT (RFC 8392) in a COSE_Sign1 (RFC 9052), carried in the fragment of a URL.

The fragment never reaches a server, so that scanning tells nobody. There is no chain inside: ``kid`` is the first
eight bytes of the certificate's SHA-256, and the reader has the certificate already or asks for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import cbor2

from signing.errors import PurposeError, SigningError
from signing.formats.cms import SignerIdentity, require_own_certificate
from signing.formats.jose import base64url, raw_signature
from signing.formats.moments import day_end, day_start
from signing.keys import KeyPurpose
from signing.signer import Signer
from verify.formats.codes import IDENTIFIER_ROOT
from verify.formats.license import Holder, LicenseRecord
from verify.formats.qr import (
    EXPIRES,
    HOLDER,
    ISSUED,
    NOT_BEFORE,
    NUMBER,
    RECORD,
    STATUS,
    SUBJECT,
    TYPE,
    holder_digest,
    is_natural_person,
    kid_of,
)

MAX_URL = 600
"""Longest URL, in characters, that still makes a code people can scan at 30 mm."""

MAX_STATUS_LISTS = 9_999
"""The highest number of a status list for which room is kept: more than 600 million licenses."""

LONGEST_IDENTIFIER = f"{IDENTIFIER_ROOT}.{'0' * 21}.{'0' * 18}.{'0' * 16}.999.0"
"""As long as any that this vault allots: serials of 16 characters."""

_SOME_DAY = date(2099, 12, 31)
_SIGN1_TAG = 18
_OVERHEAD = 4 + 18 + 67  # tag, array and map heads; protected header; signature of 64 bytes with its head


@dataclass(frozen=True, slots=True)
class CodeClaims:
    """What the code says. ``holder`` is a name or its digest (``verify.formats.qr``); for several holders a tuple."""

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
        claims: dict[int, object] = {SUBJECT: self.identifier}
        if self.valid_to is not None:
            claims[EXPIRES] = day_end(self.valid_to)
        claims |= {
            NOT_BEFORE: day_start(self.valid_from),
            ISSUED: day_start(self.issued),
            STATUS: {"status_list": {"idx": self.status_index, "uri": self.status_uri}},
            TYPE: self.type,
            NUMBER: self.number,
            HOLDER: list(self.holder) if isinstance(self.holder, tuple) else self.holder,
            RECORD: self.record_sha256,
        }
        return cbor2.dumps(claims)


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
        if url_length(claims, base_url) <= MAX_URL:
            break
    return claims


def url_length(claims: CodeClaims, base_url: str) -> int:
    """How long the text of the QR code will be, in characters."""
    return len(code_prefix(base_url)) + -(-(len(claims.payload()) + _OVERHEAD) * 4 // 3)


def longest_url(base_url: str, type_name: str, number: str, holders: int) -> int:
    """The longest text of a code of this type under ``number``, with names withheld, in characters.

    The public address stands in it twice: in front, and inside the signed reference to the status list.
    """
    claims = CodeClaims(
        identifier=LONGEST_IDENTIFIER,
        type=type_name,
        number=number,
        holder=(bytes(16),) * holders if holders > 1 else bytes(16),
        issued=_SOME_DAY,
        valid_from=_SOME_DAY,
        valid_to=_SOME_DAY,
        status_uri=f"{base_url}/status-lists/{MAX_STATUS_LISTS}",
        status_index=2**31 - 1,
        record_sha256=bytes(32),
    )
    return url_length(claims, base_url)


def longest_base_url(type_name: str, number: str, holders: int) -> int:
    """The most characters a public address may have for every such license to fit into :data:`MAX_URL`."""
    fitting = (n for n in range(MAX_URL, 0, -1) if longest_url("h" * n, type_name, number, holders) <= MAX_URL)
    return next(fitting, 0)


def _holder(identifier: str, holder: Holder, *, clear: bool) -> str | bytes:
    hidden = is_natural_person(holder) or not clear
    return holder_digest(identifier, holder.name) if hidden else holder.name


def make_code(claims: CodeClaims, signer: Signer, certificate: bytes) -> bytes:
    """The COSE_Sign1 (tagged). Raises PurposeError when the key is not for codes."""
    if signer.handle.purpose is not KeyPurpose.CODE:
        raise PurposeError(f"a {signer.handle.purpose.value} key signs no codes", uri=signer.handle.uri)
    require_own_certificate(SignerIdentity.of(certificate), signer)
    protected = cbor2.dumps({1: signer.handle.algorithm.cose, 4: kid_of(certificate)})
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
