"""Whose key signed a printed code? The code names it by eight bytes; the certificate must be known beforehand."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from verify.checks.chain import Chains, Path, Revocation, display_name, has_usage, load_lenient
from verify.checks.unproven import judge_unproven
from verify.formats import purposes
from verify.formats.publickeys import BadSignatureError, UnsupportedKeyError, verify_named
from verify.formats.qr import UnverifiedCode, kid_of
from verify.inquiry import Inquiry


def code_certificates(inquiry: Inquiry, code: UnverifiedCode) -> list[Any]:
    """The known certificates whose number the code names. Eight bytes do not make it certain: there may be several."""
    regions = inquiry.trust.regions
    ders = [der for der in inquiry.trust.certificates if kid_of(der) == code.kid]
    ders += regions.code_certificates(code.kid) if regions is not None else ()
    found = map(load_lenient, dict.fromkeys(ders))
    return [c for c in found if c is not None]


def matching(code: UnverifiedCode, certificates: list[Any]) -> Any | None:
    """The one whose key signed the code, or None."""
    for certificate in certificates:
        try:
            verify_named(code.signature, code.signed, certificate.public_key.dump(), code.algorithm)
        except (BadSignatureError, UnsupportedKeyError):
            continue
        return certificate
    return None


def compare_signature(inquiry: Inquiry, code: UnverifiedCode) -> str:
    """For a code on a sealed page: ``good``, ``wrong`` or ``unknown``. Makes no findings; the page's seal is judged.

    ``unknown``: no certificate at hand, or none that a chosen anchor vouches for.
    """
    candidates = code_certificates(inquiry, code)
    certificate = matching(code, candidates)
    if certificate is None or not has_usage(certificate, purposes.CODE):
        return "wrong" if candidates else "unknown"
    return "good" if _path(inquiry, certificate, code).good else "unknown"


def judge_certificate(inquiry: Inquiry, certificate: Any, code: UnverifiedCode) -> Path:
    """Judge the certificate of a code that stands alone."""
    if not has_usage(certificate, purposes.CODE):
        inquiry.report("CERTIFICATE_PURPOSE", where="code", subject=display_name(certificate), purpose="code")
    return judge_unproven(
        inquiry,
        Chains(inquiry, ()),
        certificate,
        _moment(certificate, code),
        identifier=code.identifier,
        same=lambda facts: facts.code_sha256 == code.sha256,
        where="code",
    )


def _path(inquiry: Inquiry, certificate: Any, code: UnverifiedCode) -> Path:
    return Chains(inquiry, ()).validate(certificate, _moment(certificate, code), Revocation.KNOWN)


def _moment(certificate: Any, code: UnverifiedCode) -> datetime:
    """A code states its day of issue, not the second of signing: a certificate made later counts from its start."""
    start: datetime = certificate.not_valid_before
    return max(code.issued, start)
