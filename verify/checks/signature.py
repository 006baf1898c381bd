"""One signature in a PDF: does its byte range cover exactly, is its value what was written, do the numbers agree?"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from verify.checks.byterange import Decrypt, covered_bytes, range_end, signature_value, without_padding
from verify.checks.sealsteps import Step
from verify.checks.sealvalue import check_seal_value, seal_fault
from verify.checks.stamps import Token, check_cms, check_embedded, check_token
from verify.errors import UnreadableError
from verify.findings import About, Severity
from verify.formats.cms import CmsError, UnverifiedCms, hash_by_name, unverified_cms
from verify.formats.cmsform import canonical_fault
from verify.formats.pdfgraph import UnverifiedPdfSignature
from verify.formats.pdfvalues import Reference
from verify.formats.plainrsa import check_plain_rsa, unverified_plain_rsa
from verify.formats.publickeys import BadSignatureError, UnsupportedKeyError
from verify.formats.seal import SealSignature, begins_like_signature
from verify.inquiry import Inquiry
from verify.verdict import Integrity

__all__ = ["SignatureView", "Surroundings", "Token", "check_one", "is_pades"]

_CADES = "/ETSI.CAdES.detached"
_TIMESTAMP = "/ETSI.RFC3161"
_DIGEST_INSIDE = "/adbe.pkcs7.sha1"
_PLAIN = "/adbe.x509.rsa_sha1"
_CMS = {_CADES, "/adbe.pkcs7.detached", _TIMESTAMP, _DIGEST_INSIDE}
_NATIONAL = "/GM."
"""What names of national signatures begin with (GM.sm2seal, GM.SM2): some products write CMS under them."""
_MOST_CERTIFICATES = 100


@dataclass(slots=True)
class SignatureView:
    """One signature as the checks fill it in. ``integrity`` is this signature's own.

    ``ses`` is what a seal signature (SES_Signature) says, with the digest of what it covers and its steps.
    """

    raw: UnverifiedPdfSignature
    integrity: Integrity = Integrity.ALTERED
    cms: UnverifiedCms | None = None
    ses: SealSignature | None = None
    ses_digest: bytes | None = None
    ses_steps: tuple[Step, ...] = ()
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


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a signature may need of its file: values behind references, and certificates that stand elsewhere in it.

    ``decrypted`` decrypts a string of the object that a reference names; None in a file that is not encrypted.
    """

    resolve: Callable[[Any], Any] = lambda value: value
    known: Callable[[], Iterable[Any]] = tuple
    decrypted: Callable[[Reference, bytes], bytes] | None = None


NOTHING_AROUND = Surroundings()


def check_one(
    inquiry: Inquiry, data: bytes, view: SignatureView, strict: bool, around: Surroundings = NOTHING_AROUND
) -> None:
    """Judge one signature's own integrity; findings say what is wrong, ``view`` keeps what was read."""
    earlier, inquiry.findings = inquiry.findings, []
    try:
        _check(inquiry, data, view, strict, around)
    except UnreadableError as error:
        inquiry.report(error.code, where=error.where or view.where, place=error.place, **error.params)
    finally:
        own, inquiry.findings = inquiry.findings, earlier
        inquiry.findings += [f for f in own if f not in earlier]
    if not any(f.about is About.INTEGRITY and f.severity is not Severity.NOTE for f in own):
        view.integrity = Integrity.INTACT


def _check(inquiry: Inquiry, data: bytes, view: SignatureView, strict: bool, around: Surroundings) -> None:
    raw = view.raw
    if raw.fault:
        raise UnreadableError("SIGNATURE_EMPTY", reason=raw.fault)
    view.end = range_end(data, raw.byte_range)
    padded = signature_value(data, raw.byte_range, raw.contents, strict)
    if begins_like_signature(padded):
        value = without_padding(padded, strict, inquiry.policy.limits.padding_bytes, _decryption(raw, around))
        check_seal_value(inquiry, view, value, covered_bytes(data, raw.byte_range))
        fault = seal_fault(view.ses, value) if strict and view.ses is not None else None
        if fault is not None:
            inquiry.report("CMS_NOT_CANONICAL", where=view.where, reason=fault)
        _check_tokens(inquiry, view, strict, around)
        return
    known = raw.subfilter in _CMS | {_PLAIN} or raw.subfilter.upper().startswith(_NATIONAL)
    if not known or (strict and raw.subfilter == _PLAIN):
        raise UnreadableError("ALGORITHM_UNSUPPORTED", algorithm=raw.subfilter or "no SubFilter")
    value = without_padding(padded, strict, inquiry.policy.limits.padding_bytes, _decryption(raw, around))
    covered = covered_bytes(data, raw.byte_range)
    if raw.subfilter == _PLAIN:
        _check_plain(inquiry, view, value, covered, around)
    else:
        _check_cms(inquiry, view, value, covered, strict, around)


def _decryption(raw: UnverifiedPdfSignature, around: Surroundings) -> Decrypt | None:
    """How other strings of the object in which the signature stands are decrypted."""
    home, decrypted = raw.value_reference or raw.field_reference, around.decrypted
    return None if home is None or decrypted is None else partial(decrypted, home)


def _check_cms(
    inquiry: Inquiry, view: SignatureView, value: bytes, covered: bytes, strict: bool, around: Surroundings
) -> None:
    try:
        cms = view.cms = unverified_cms(value, around.known)
    except CmsError as error:
        raise UnreadableError("CMS_BROKEN", reason=str(error)) from error
    fault = canonical_fault(cms, is_token=view.is_timestamp) if strict else None
    if fault is not None:
        inquiry.report("CMS_NOT_CANONICAL", where=view.where, reason=fault)
    if view.is_timestamp:
        view.tokens.append(check_token(inquiry, cms, covered, view.where))
        view.cms = view.tokens[0].cms
        return
    view.cms = _check_value(inquiry, cms, covered, view)
    _check_tokens(inquiry, view, strict, around)


def _check_tokens(inquiry: Inquiry, view: SignatureView, strict: bool, around: Surroundings) -> None:
    """The timestamps over the signature's value."""
    cms = view.cms
    if cms is None:
        return
    for number, der in enumerate(cms.tokens, 1):
        where = f"{view.where}/timestamp {number}"
        token = check_embedded(inquiry, der, cms.signature, where, strict, lambda: (*cms.certificates, *around.known()))
        if token is not None:
            view.tokens.append(token)


def _check_value(inquiry: Inquiry, cms: UnverifiedCms, covered: bytes, view: SignatureView) -> UnverifiedCms:
    if view.raw.subfilter == _DIGEST_INSIDE:
        if cms.content is None:
            raise UnreadableError("CMS_BROKEN", reason="it holds no digest of the document")
        if cms.content != hash_by_name("sha1", covered):
            inquiry.report("DIGEST_MISMATCH", where=view.where)
            return cms
        covered = cms.content
    elif cms.content is not None and not cms.national:
        raise UnreadableError("CMS_BROKEN", reason="a detached signature carries content")
    checked = check_cms(inquiry, cms, covered, cms.content_type, view.where)
    if checked.signature_hash.removesuffix("_len") != checked.digest_name.removesuffix("_len"):
        inquiry.report("HASHES_DIFFER", where=view.where, digest=checked.digest_name, signature=checked.signature_hash)
    return checked


def _check_plain(inquiry: Inquiry, view: SignatureView, value: bytes, covered: bytes, around: Surroundings) -> None:
    """SubFilter adbe.x509.rsa_sha1: the certificates stand in /Cert of the signature itself."""
    from verify.checks.chain import load_lenient

    raw = around.resolve((view.raw.dictionary or {}).get(b"Cert"))
    texts = [around.resolve(v) for v in raw] if isinstance(raw, list) else [raw]
    found = [load_lenient(bytes(text)) for text in texts[:_MOST_CERTIFICATES] if isinstance(text, bytes)]
    certificates = [c for c in found if c is not None]
    view.cms = unverified_plain_rsa(value, certificates)
    try:
        view.cms = check_plain_rsa(value, covered, certificates)
    except CmsError as error:
        raise UnreadableError("CMS_BROKEN", reason=str(error)) from error
    except UnsupportedKeyError as error:
        raise UnreadableError("ALGORITHM_UNSUPPORTED", algorithm=str(error)) from error
    except BadSignatureError:
        inquiry.report("SIGNATURE_WRONG", where=view.where)


def is_pades(view: SignatureView) -> bool:
    """Whether the signature is a PAdES one (ETSI EN 319 142-1 6.3): CAdES subfilter and a signed certificate."""
    return (
        view.raw.subfilter == _CADES
        and view.cms is not None
        and not view.cms.national
        and view.cms.has_signing_certificate
    )
