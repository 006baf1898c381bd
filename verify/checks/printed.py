"""Whose key signed a printed code? The code names it by eight bytes; the certificate must be known beforehand."""

from __future__ import annotations

from typing import Any

from verify.checks.chain import Chains, Path, display_name, has_usage, load_lenient, report_path
from verify.formats import purposes
from verify.formats.publickeys import BadSignatureError, UnsupportedKeyError, verify_named
from verify.formats.qr import UnverifiedCode, kid_of
from verify.inquiry import Inquiry


def code_certificates(inquiry: Inquiry, code: UnverifiedCode) -> list[Any]:
    """The known certificates whose number the code names. Eight bytes do not make it certain: there may be several."""
    found = (load_lenient(der) for der in inquiry.trust.certificates if kid_of(der) == code.kid)
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
    """For a code on a sealed page: ``good``, ``wrong`` or ``unknown``. Makes no findings; the page's seal is judged."""
    candidates = code_certificates(inquiry, code)
    certificate = matching(code, candidates)
    if certificate is None:
        return "wrong" if candidates else "unknown"
    return "good" if has_usage(certificate, purposes.CODE) and _path(inquiry, certificate, code).good else "wrong"


def judge_certificate(inquiry: Inquiry, certificate: Any, code: UnverifiedCode) -> None:
    """Judge the certificate of a code that stands alone."""
    path = _path(inquiry, certificate, code)
    if not has_usage(certificate, purposes.CODE):
        inquiry.report("CERTIFICATE_PURPOSE", where="code", subject=display_name(certificate), purpose="code")
    report_path(inquiry, path, "code")
    lapsed = [c for c in path.certificates[1:] if c.not_valid_after < inquiry.at]
    if lapsed and not _vouched(inquiry, code):
        inquiry.report("CERTIFICATE_EXPIRED_NO_POE", where="code", subject=display_name(lapsed[0]))


def _path(inquiry: Inquiry, certificate: Any, code: UnverifiedCode) -> Path:
    """A code states its day of issue, not the second of signing: a certificate made later that day counts."""
    moment = max(code.issued, certificate.not_valid_before)
    return Chains(inquiry, ()).validate(certificate, moment, revocation=False)


def _vouched(inquiry: Inquiry, code: UnverifiedCode) -> bool:
    """Whether the vault knows this very license: then it does not matter that nothing proves the time."""
    if inquiry.evidence.lookup is None:
        return False
    try:
        facts = inquiry.evidence.lookup(code.identifier)
    except Exception:  # noqa: BLE001 - the caller's own code
        return False
    return facts is not None and facts.record_sha256 == code.record_sha256.hex()
