"""One signature in a PDF: does its byte range cover exactly, is its value what was written, do the numbers agree?"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from verify.errors import UnreadableError
from verify.formats.cms import (
    CmsAttributeError,
    CmsDigestError,
    CmsError,
    UnverifiedCms,
    canonical_fault,
    check_signature,
    hash_by_name,
    unverified_cms,
)
from verify.formats.pdfgraph import UnverifiedPdfSignature
from verify.formats.publickeys import BadSignatureError, UnsupportedKeyError
from verify.inquiry import Inquiry
from verify.verdict import Integrity

_HEX = re.compile(rb"<(?:[0-9A-F]{2})*>|<(?:[0-9a-f]{2})*>")
_LOOSE_HEX = re.compile(rb"<[0-9A-Fa-f\s]*>")
_CADES = "/ETSI.CAdES.detached"
_TIMESTAMP = "/ETSI.RFC3161"
_DETACHED = {_CADES, "/adbe.pkcs7.detached", _TIMESTAMP, "/adbe.pkcs7.sha1"}


@dataclass(slots=True)
class Token:
    """One timestamp: its CMS, what it says of the time, and whether it matches what it stamps."""

    cms: UnverifiedCms
    time: datetime
    where: str


@dataclass(slots=True)
class SignatureView:
    """One signature as the checks fill it in. ``integrity`` is this signature's own."""

    raw: UnverifiedPdfSignature
    integrity: Integrity = Integrity.ALTERED
    cms: UnverifiedCms | None = None
    tokens: list[Token] = field(default_factory=list)
    end: int = 0
    covers: bool = False

    @property
    def is_timestamp(self) -> bool:
        """Whether it is a document timestamp."""
        return self.raw.subfilter == _TIMESTAMP

    @property
    def where(self) -> str:
        """How findings name it."""
        return self.raw.field or "signature"


def check_one(inquiry: Inquiry, data: bytes, view: SignatureView, strict: bool) -> None:
    """Judge one signature's own integrity; findings say what is wrong, ``view`` keeps what was read."""
    before = len(inquiry.findings)
    try:
        _check(inquiry, data, view, strict)
    except UnreadableError as error:
        inquiry.report(error.code, where=view.where, **error.params)
    if len(inquiry.findings) == before:
        view.integrity = Integrity.INTACT


def _check(inquiry: Inquiry, data: bytes, view: SignatureView, strict: bool) -> None:
    raw = view.raw
    if raw.fault:
        raise UnreadableError("SIGNATURE_EMPTY", reason=raw.fault)
    der = _signature_value(inquiry, data, view, strict)
    if raw.subfilter not in _DETACHED:
        raise UnreadableError("ALGORITHM_UNSUPPORTED", algorithm=raw.subfilter or "no SubFilter")
    if not der.strip(b"\0"):
        raise UnreadableError("SIGNATURE_EMPTY", reason="only zeros")
    try:
        cms = view.cms = unverified_cms(der)
    except CmsError as error:
        raise UnreadableError("CMS_BROKEN", reason=str(error)) from error
    fault = canonical_fault(cms, is_token=view.is_timestamp) if strict else None
    if fault is not None:
        inquiry.report("CMS_NOT_CANONICAL", where=view.where, reason=fault)
    covered = data[: raw.byte_range[1]] + data[raw.byte_range[2] : view.end]
    if view.is_timestamp:
        view.tokens.append(_token(inquiry, cms, covered, view.where))
        return
    _check_value(inquiry, cms, covered, view)
    for number, token in enumerate(cms.tokens, 1):
        where = f"{view.where}/timestamp {number}"
        view.tokens.append(_embedded_token(inquiry, token, cms.signature, where, strict))


def _signature_value(inquiry: Inquiry, data: bytes, view: SignatureView, strict: bool) -> bytes:
    """The DER inside the gap of the byte range, after judging gap and padding."""
    numbers = view.raw.byte_range
    if len(numbers) != 4 or min(numbers) < 0:
        raise UnreadableError("BYTE_RANGE_WRONG", reason="it is not four numbers")
    start, length, second, rest = numbers
    view.end = second + rest
    if start or second <= length or view.end > len(data):
        raise UnreadableError("BYTE_RANGE_WRONG", reason="its parts do not fit the file")
    gap = data[length:second]
    if not _HEX.fullmatch(gap):
        if not _LOOSE_HEX.fullmatch(gap):
            raise UnreadableError("BYTE_RANGE_WRONG", reason="the gap is not one hexadecimal string")
        if strict or len(gap.translate(None, b"<> \r\n\t\0\f")) % 2:
            raise UnreadableError("CONTENTS_NOT_CANONICAL", reason="digits of mixed case, odd number, or white space")
    if strict and gap != gap.lower():
        raise UnreadableError("CONTENTS_NOT_CANONICAL", reason="digits in upper case")
    value = bytes.fromhex(gap[1:-1].decode("ascii"))
    if value != view.raw.contents:
        raise UnreadableError("BYTE_RANGE_WRONG", reason="the gap is not the signature value")
    size = _encoded_length(value)
    padding = value[size:]
    if padding.strip(b"\0"):
        raise UnreadableError("CONTENTS_NOT_CANONICAL", reason="bytes other than zero follow the value")
    if len(padding) > inquiry.policy.limits.padding_bytes:
        raise UnreadableError("CONTENTS_NOT_CANONICAL", reason="too many zeros follow the value")
    return value[:size]


def _encoded_length(value: bytes) -> int:
    from asn1crypto import parser

    try:
        return int(parser.peek(value))
    except ValueError as error:
        raise UnreadableError("CMS_BROKEN", reason="no ASN.1 value") from error


def _check_value(inquiry: Inquiry, cms: UnverifiedCms, covered: bytes, view: SignatureView) -> None:
    if view.raw.subfilter == "/adbe.pkcs7.sha1":
        if cms.content != hash_by_name("sha1", covered):
            inquiry.report("DIGEST_MISMATCH", where=view.where)
            return
        covered = cms.content
    elif cms.content is not None:
        raise UnreadableError("CMS_BROKEN", reason="a detached signature carries content")
    _check_cms(inquiry, cms, covered, cms.content_type, view.where)


def _check_cms(inquiry: Inquiry, cms: UnverifiedCms, content: bytes, expected_type: str, where: str) -> None:
    try:
        check_signature(cms, hash_by_name(cms.digest_name, content), expected_type)
    except CmsError as error:
        raise UnreadableError("ALGORITHM_UNSUPPORTED", algorithm=cms.digest_name) from error
    except UnsupportedKeyError as error:
        raise UnreadableError("ALGORITHM_UNSUPPORTED", algorithm=str(error)) from error
    except CmsDigestError:
        inquiry.report("DIGEST_MISMATCH", where=where)
    except CmsAttributeError as error:
        inquiry.report("SIGNED_ATTRIBUTES_WRONG", where=where, reason=str(error))
    except BadSignatureError:
        inquiry.report("SIGNATURE_WRONG", where=where)


def _embedded_token(inquiry: Inquiry, der: bytes, stamped: bytes, where: str, strict: bool) -> Token:
    try:
        cms = unverified_cms(der)
    except CmsError as error:
        raise UnreadableError("TIMESTAMP_WRONG", where=where, reason=str(error)) from error
    fault = canonical_fault(cms, is_token=True) if strict else None
    if fault is not None:
        inquiry.report("CMS_NOT_CANONICAL", where=where, reason=fault)
    return _token(inquiry, cms, stamped, where)


def _token(inquiry: Inquiry, cms: UnverifiedCms, stamped: bytes, where: str) -> Token:
    """Check a token against what it stamps."""
    info = _token_info(cms)
    imprint = info["message_imprint"]
    name = str(imprint["hash_algorithm"]["algorithm"].native)
    try:
        matches = hash_by_name(name, stamped) == imprint["hashed_message"].native
    except CmsError as error:
        raise UnreadableError("ALGORITHM_UNSUPPORTED", algorithm=name) from error
    if not matches:
        inquiry.report("TIMESTAMP_WRONG", where=where, reason="it stamps other bytes")
    assert cms.content is not None  # noqa: S101 - _token_info has read it
    _check_cms(inquiry, cms, cms.content, "tst_info", where)
    return Token(cms, info["gen_time"].native, where)


def _token_info(cms: UnverifiedCms) -> Any:
    from asn1crypto import tsp

    if cms.content_type != "tst_info" or cms.content is None:
        raise UnreadableError("TIMESTAMP_WRONG", reason="it is no timestamp token")
    try:
        info = tsp.TSTInfo.load(cms.content)
        _ = info["gen_time"].native, info["message_imprint"]["hashed_message"].native
    except Exception as error:
        raise UnreadableError("TIMESTAMP_WRONG", reason="its content cannot be read") from error
    return info


def is_pades(view: SignatureView) -> bool:
    """Whether the signature is a PAdES one (ETSI EN 319 142-1 6.3): CAdES subfilter and a signed certificate."""
    return view.raw.subfilter == _CADES and view.cms is not None and view.cms.has_signing_certificate
