"""Judge a printed code, from its text or from a picture of it.

The steps: 1 limits; 2 structure: the code is found and read; 3 signatures: a known certificate's key signed it;
4 chain: that certificate leads to a chosen anchor and is for codes; 5 claims; 6 standing. A code holds eight bytes that
name its key: with a root alone nothing can be checked, and the answer stays open (CODE_KEY_UNKNOWN).
"""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import datetime
from typing import Any

from verify.checks.carriers import check_vault
from verify.checks.chain import Path, display_name, subject_value
from verify.checks.issuer import check_remit
from verify.checks.printed import code_certificates, judge_certificate, matching
from verify.checks.standing import SHANGHAI, Term, check_term
from verify.errors import UnreadableError
from verify.evidence import NO_EVIDENCE, Evidence
from verify.findings import Severity
from verify.formats.codes import Identifier, parse_identifier
from verify.formats.license import Holder
from verify.formats.publickeys import is_other_form
from verify.formats.qr import CodeError, UnverifiedCode, unverified_code
from verify.inquiry import Inquiry
from verify.policy import DEFAULT_POLICY, Policy
from verify.trust.anchors import TrustStore
from verify.verdict import Integrity, LicenseView, SignatureReport, Verdict

USCC = 18
"""Characters of a unified social credit code; an identifier may have a region code instead."""


def verify_code(
    text: str,
    *,
    trust: TrustStore,
    at: datetime,
    policy: Policy = DEFAULT_POLICY,
    evidence: Evidence = NO_EVIDENCE,
) -> Verdict:
    """Judge a code: a URL with ``#c=``, or its base64url part alone. Any text gives a verdict, nothing raises."""
    inquiry = Inquiry("code", trust=trust, at=at, policy=policy, evidence=evidence)
    inquiry.about(text.encode("utf-8", "surrogatepass"))
    if inquiry.fits(text, policy.limits.text_bytes, blank=True):
        _judge_text(inquiry, text)
    return inquiry.conclude(policy.code_checks)


def verify_picture(
    image: bytes,
    *,
    trust: TrustStore,
    at: datetime,
    policy: Policy = DEFAULT_POLICY,
    evidence: Evidence = NO_EVIDENCE,
) -> Verdict:
    """Judge the license code in a PNG or JPEG picture, as a photograph of a page. Nothing raises.

    A picture with codes of several licenses is not judged: which one was meant cannot be told.
    """
    inquiry = Inquiry("code", trust=trust, at=at, policy=policy, evidence=evidence)
    inquiry.about(image)
    texts: list[str] = []
    if inquiry.fits(image, policy.limits.picture_bytes, then=lambda: texts.extend(_codes_in(inquiry, image))):
        ours = [t for t in texts if _is_code(t)]
        if len(ours) > 1:
            inquiry.report("CODE_AMBIGUOUS")
        elif texts:
            _judge_text(inquiry, ours[0] if ours else texts[0])
        else:
            inquiry.report("CODE_MISSING")
    return inquiry.conclude(policy.code_checks)


def _codes_in(inquiry: Inquiry, image: bytes) -> list[str]:
    """Texts of the QR codes in a picture; tried again smaller and in plain black and white for bad photographs."""
    from PIL import Image, ImageOps

    from verify.formats.pageview import decode_codes

    policy = inquiry.policy
    try:
        with Image.open(io.BytesIO(image), formats=("PNG", "JPEG")) as opened:
            if opened.width * opened.height > policy.limits.picture_pixels:
                raise UnreadableError("LIMIT_EXCEEDED", what="pixels", limit=policy.limits.picture_pixels)
            picture: Any = (ImageOps.exif_transpose(opened) or opened).convert("L")
    except UnreadableError:
        raise
    except Exception as error:  # Pillow raises many types on broken pictures
        raise UnreadableError("NOT_READABLE") from error
    limit = policy.limits.codes_in_picture
    attempts: list[Callable[[], Any]] = [
        lambda: picture,
        lambda: ImageOps.autocontrast(picture, cutoff=2),
        lambda: picture.resize((max(1, picture.width // 2), max(1, picture.height // 2))),
    ]
    if picture.width * picture.height <= policy.limits.enlarged_pixels:
        attempts.append(lambda: picture.resize((picture.width * 2, picture.height * 2)))
    for attempt in attempts:
        inquiry.spend()
        texts = decode_codes(attempt(), limit)
        if texts:
            return texts
    return []


def _is_code(text: str) -> bool:
    try:
        unverified_code(text)
    except CodeError:
        return False
    return True


def _judge_text(inquiry: Inquiry, text: str) -> None:
    code: UnverifiedCode | None = None
    # 2
    with inquiry.check("structure"):
        try:
            code = unverified_code(text)
        except CodeError as error:
            raise UnreadableError("CODE_BROKEN", reason=str(error)) from error
    if code is None:
        return
    inquiry.is_license = True
    certificate, path = None, Path()
    # 3
    with inquiry.check("signatures"):
        certificate = _find_key(inquiry, code)
    # 4
    with inquiry.check("chain"):
        if certificate is not None:
            path = judge_certificate(inquiry, certificate, code)
    if "CODE_NOT_CHECKABLE" not in {f.code for f in inquiry.findings}:
        inquiry.signatures.append(_report(inquiry, code, certificate))
    _note_origin(inquiry, code, path)
    # 5
    with inquiry.check("claims"):
        inquiry.license = _check_claims(inquiry, code, certificate, path.anchor)
    # 6
    with inquiry.check("standing"):
        days, status = (code.valid_from, code.valid_to), (code.status_uri, code.status_index)
        check_term(inquiry, Term(*days, *status, code.identifier), path.anchor)


def _note_origin(inquiry: Inquiry, code: UnverifiedCode, path: Path) -> None:
    anchor, origin = path.anchor or path.toward, inquiry.origin
    origin.anchor = anchor.dump() if anchor is not None else None
    origin.issued = code.issued.astimezone(SHANGHAI).date()
    origin.whole = False


def _find_key(inquiry: Inquiry, code: UnverifiedCode) -> Any | None:
    """The certificate whose key signed the code. Several may share a key number: the signature decides."""
    candidates = code_certificates(inquiry, code)
    if not candidates:
        inquiry.report("CODE_KEY_UNKNOWN", kid=code.kid)
        inquiry.report("CODE_NOT_CHECKABLE")
        return None
    found = matching(code, candidates)
    if found is None:
        inquiry.report("SIGNATURE_WRONG")
    elif is_other_form(code.signature, code.algorithm):
        inquiry.report("SIGNATURE_OTHER_FORM")
    return found


def _report(inquiry: Inquiry, code: UnverifiedCode, certificate: Any | None) -> SignatureReport:
    intact = inquiry.integrity is Integrity.INTACT
    codes = {f.code for f in inquiry.findings if f.severity is not Severity.NOTE}
    passed = certificate is not None and not codes
    return SignatureReport(
        field="",
        signer=display_name(certificate) if certificate is not None else "",
        format="cwt",
        integrity=Integrity.INTACT if intact else Integrity.ALTERED,
        indication=("TOTAL_PASSED" if passed else "INDETERMINATE") if intact else "TOTAL_FAILED",
        sub_indication="" if passed else "SIG_CRYPTO_FAILURE" if not intact else "NO_SIGNING_CERTIFICATE_FOUND",
        signed_at=None,  # a code states the day of issue, not when it was signed
        covers_whole_file=intact,
    )


def _check_claims(
    inquiry: Inquiry, code: UnverifiedCode, certificate: Any | None, anchor: Any | None
) -> LicenseView | None:
    try:
        identifier, check = parse_identifier(code.identifier)
    except ValueError:
        inquiry.report("IDENTIFIER_WRONG", identifier=code.identifier, reason="shape")
        return None
    if check == "wrong":
        inquiry.report("IDENTIFIER_WRONG", identifier=code.identifier, reason="check character")
    elif check == "variant-a":
        inquiry.report("IDENTIFIER_CHECK_VARIANT")
    inquiry.origin.issuer_code = identifier.issuer_code
    if len(identifier.issuer_code) != USCC and certificate is not None:
        inquiry.origin.issuer_code = subject_value(certificate, "organization_identifier") or ""
    if code.issued > inquiry.at + inquiry.policy.clock_skew:
        inquiry.report("SIGNED_IN_FUTURE", where="code", signed=code.issued.isoformat())
    if certificate is not None:
        _check_owner(inquiry, identifier, certificate)
        check_remit(inquiry, identifier.issuer_code, code.type, None, inquiry.at, anchor)
    check_vault(
        inquiry,
        code.identifier,
        identifier.version,
        code.record_sha256.hex(),
        same=lambda facts: facts.code_sha256 == code.sha256 if facts.code_sha256 else None,
        anchor=anchor,
    )
    return LicenseView(
        identifier=code.identifier,
        type=code.type,
        number=code.number,
        version=identifier.version,
        holders=tuple(Holder(h if isinstance(h, str) else "", "", "") for h in code.holders),
        issuer=(subject_value(certificate, "organization_name") or "") if certificate is not None else "",
        record_sha256=code.record_sha256.hex(),
    )


def _check_owner(inquiry: Inquiry, identifier: Identifier, certificate: Any) -> None:
    """The issuer inside the identifier must be the key's owner; a region code there names no owner."""
    owner = subject_value(certificate, "organization_identifier")
    if len(identifier.issuer_code) == USCC and owner != identifier.issuer_code:
        inquiry.report("ISSUER_CODE_DIFFERS", where="code", expected=identifier.issuer_code, actual=owner or "?")
