"""Judge a structured record (SD-JWT VC).

The steps: 1 limits; 2 structure: token and disclosures are read; 3 signatures: the issuer's signature over them;
4 chain: a path to a chosen anchor, and the certificate is for records; 5 claims: they agree among themselves, with the
issuer and with the vault; 6 standing.
"""

from __future__ import annotations

import hashlib
import re
from datetime import date, datetime, time, timedelta
from typing import Any

from verify.checks.carriers import check_vault
from verify.checks.chain import Chains, Path, display_name
from verify.checks.facts import gather_token
from verify.checks.issuer import check_remit
from verify.checks.standing import SHANGHAI, Term, check_term
from verify.checks.trusttime import check_purpose
from verify.checks.unproven import judge_unproven, vouched
from verify.errors import UnreadableError
from verify.evidence import NO_EVIDENCE, Evidence, VaultFacts
from verify.findings import Severity
from verify.formats.codes import parse_identifier
from verify.formats.jose import JoseError, decode_base64url
from verify.formats.license import Holder
from verify.formats.publickeys import BadSignatureError, UnsupportedKeyError, is_other_form, verify_named
from verify.formats.purposes import RECORD
from verify.formats.sdjwt import SdJwtError, UnverifiedRecordToken, check_key_binding, unverified_record_token
from verify.formats.statuslist import numeric_date
from verify.inquiry import Inquiry
from verify.policy import DEFAULT_POLICY, Policy
from verify.trust.anchors import TrustStore
from verify.verdict import Integrity, LicenseView, SignatureReport, Verdict

_VERSION = re.compile(r"[0-9]{3}")


def verify_record(
    text: str | bytes,
    *,
    trust: TrustStore,
    at: datetime,
    policy: Policy = DEFAULT_POLICY,
    evidence: Evidence = NO_EVIDENCE,
) -> Verdict:
    """Judge a structured record at the moment ``at``: any text gives a verdict, nothing raises."""
    inquiry = Inquiry("record", trust=trust, at=at, policy=policy, evidence=evidence)
    inquiry.about(text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass"))
    token = _read(inquiry, text)
    if token is not None:
        inquiry.is_license = True
        _judge(inquiry, token)
    return inquiry.conclude(policy.record_checks)


def _read(inquiry: Inquiry, text: str | bytes) -> UnverifiedRecordToken | None:
    limits = inquiry.policy.limits
    # 1
    if not inquiry.fits(text, limits.text_bytes, blank=True):
        return None
    # 2
    with inquiry.check("structure"):
        try:
            return unverified_record_token(text, limits.text_bytes, limits.disclosures)
        except SdJwtError as error:
            raise UnreadableError(error.code, reason=str(error)) from error
    return None


def _judge(inquiry: Inquiry, token: UnverifiedRecordToken) -> None:
    certificates = token.jws.certificates()
    leaf = certificates[0] if certificates else None
    made = numeric_date(token.claims.get("iat"))
    path = Path()
    # 3
    with inquiry.check("signatures"):
        if leaf is None:
            raise UnreadableError("RECORD_TOKEN_BROKEN", reason="it names no certificate")
        try:
            verify_named(token.jws.signature, token.jws.signed, leaf.public_key.dump(), token.jws.algorithm)
            _check_form(inquiry, token)
        except BadSignatureError:
            inquiry.report("SIGNATURE_WRONG")
        except UnsupportedKeyError as error:
            raise UnreadableError("ALGORITHM_UNSUPPORTED", algorithm=str(error)) from error
    # 4
    with inquiry.check("chain"):
        if leaf is not None:
            path = judge_unproven(
                inquiry,
                Chains(inquiry, certificates),
                leaf,
                made or inquiry.at,
                identifier=_text(token.claims, "certificateIdentifier"),
                same=lambda facts: _made_by_vault(facts, token) is True,
                where="x5c",
            )
            check_purpose(inquiry, leaf, RECORD, "x5c")
    inquiry.signatures.append(_report(inquiry, leaf, made, path))
    anchor = path.anchor or path.toward
    inquiry.origin.anchor = anchor.dump() if anchor is not None else None
    inquiry.origin.issuer_code = _text(token.claims, "certificateIssuingAuthorityCode")
    inquiry.origin.whole = not token.withheld
    gather_token(inquiry, token.jws.algorithm.name, certificates, path, made)
    # 5
    with inquiry.check("claims"):
        inquiry.license = _check_claims(inquiry, token, leaf, path.anchor)
    # 6
    with inquiry.check("standing"):
        inquiry.origin.issued = _day(token.claims, "certificateIssuedDate")
        check_term(inquiry, _term(token.claims), path.anchor)


def _check_form(inquiry: Inquiry, token: UnverifiedRecordToken) -> None:
    """The vault writes one of two forms of a value; where it made this token, the other one was put in by somebody.

    A value that the vault itself keeps in the other form was written before it settled on one, and is its own.
    """
    if is_other_form(token.jws.signature, token.jws.algorithm):
        identifier = _text(token.claims, "certificateIdentifier")
        digest = hashlib.sha256(token.jws.signature).hexdigest()
        made_here = vouched(inquiry, identifier, lambda facts: _made_by_vault(facts, token) is True)
        if made_here and vouched(inquiry, identifier, lambda facts: facts.signature_sha256 == digest):
            return
        inquiry.report("SIGNATURE_OTHER_FORM", severity=Severity.FATAL if made_here else None)


def _report(inquiry: Inquiry, leaf: Any, made: datetime | None, path: Path) -> SignatureReport:
    intact = inquiry.integrity is Integrity.INTACT
    problem = path.problem
    indication = "INDETERMINATE" if problem else "TOTAL_PASSED"
    return SignatureReport(
        field="",
        signer=display_name(leaf) if leaf is not None else "",
        format="sd-jwt",
        integrity=Integrity.INTACT if intact else Integrity.ALTERED,
        indication=indication if intact else "TOTAL_FAILED",
        sub_indication=(problem.sub_indication if problem else "") if intact else "SIG_CRYPTO_FAILURE",
        signed_at=made,
        covers_whole_file=intact,
    )


def _check_claims(inquiry: Inquiry, token: UnverifiedRecordToken, leaf: Any, anchor: Any | None) -> LicenseView | None:
    claims = token.claims
    identifier = claims.get("certificateIdentifier")
    if not isinstance(identifier, str) or not isinstance(claims.get("vct"), str):
        inquiry.report("RECORD_CLAIMS_WRONG", reason="identifier or type is missing")
        return None
    _check_identifier(inquiry, identifier)
    made = numeric_date(claims.get("iat"))
    if made is None or made > inquiry.at + inquiry.policy.clock_skew:
        inquiry.report("RECORD_NOT_IN_TIME", severity=Severity.DOUBT, reason="made after the time of checking")
    digest = _digest(claims)
    if digest is None:
        inquiry.report("RECORD_CLAIMS_WRONG", reason="recordDigest is missing")
    _check_owner(inquiry, claims, leaf)
    license_type = _text(claims, "licenseType") or str(claims["vct"]).rsplit("/", 1)[-1]
    issuer_code = _text(claims, "certificateIssuingAuthorityCode")
    check_remit(inquiry, issuer_code, license_type, _text(claims, "certificateAreaCode"), made or inquiry.at, anchor)
    version = _text(claims, "certificateVersion")
    if not _VERSION.fullmatch(version):
        inquiry.report("RECORD_CLAIMS_WRONG", reason="certificateVersion is not three digits")
    _check_days(inquiry, claims)
    if digest is not None:
        number = int(version) if _VERSION.fullmatch(version) else None
        check_vault(inquiry, identifier, number, digest, same=lambda facts: _made_by_vault(facts, token), anchor=anchor)
    if token.key_binding:
        fault = check_key_binding(token, inquiry.policy.limits.text_bytes)
        if fault is not None:
            inquiry.report("RECORD_HOLDER_WRONG", reason=fault)
    elif claims.get("cnf") is not None:
        inquiry.report("RECORD_HOLDER_NOT_PROVEN")
    if token.withheld:
        inquiry.report("RECORD_WITHHELD", count=token.withheld)
    if claims.get("sample") is True:
        inquiry.report("SAMPLE")
    return _view(claims, identifier, license_type, digest)


def _check_identifier(inquiry: Inquiry, identifier: str) -> None:
    try:
        _, check = parse_identifier(identifier)
    except ValueError:
        check = "wrong"
    if check == "wrong":
        inquiry.report("IDENTIFIER_WRONG", identifier=identifier, reason="shape or check character")
    elif check == "variant-a":
        inquiry.report("IDENTIFIER_CHECK_VARIANT")


def _check_owner(inquiry: Inquiry, claims: dict[str, Any], leaf: Any) -> None:
    from verify.checks.chain import subject_value

    code = subject_value(leaf, "organization_identifier") if leaf is not None else None
    expected = _text(claims, "certificateIssuingAuthorityCode")
    if code != expected:
        inquiry.report("ISSUER_CODE_DIFFERS", where="x5c", expected=expected, actual=code or "?")
    owner = (subject_value(leaf, "organization_name") if leaf is not None else None) or ""
    printed = _text(claims, "certificateIssuingAuthorityName")
    if owner != printed:
        severity = Severity.NOTE if claims.get("sample") is True else None
        inquiry.report("ISSUER_NAME_DIFFERS", where="x5c", severity=severity, printed=printed, owner=owner)


def _made_by_vault(facts: VaultFacts, token: UnverifiedRecordToken) -> bool | None:
    """Whether the vault made this very token; None when it does not say."""
    if facts.token_sha256 is None:
        return None
    return facts.token_sha256 == hashlib.sha256(token.jws.signed).hexdigest()


def _check_days(inquiry: Inquiry, claims: dict[str, Any]) -> None:
    """``nbf`` and ``exp`` must be the days that the license itself names (RFC 7519 4.1.4, 4.1.5)."""
    start, end = _day(claims, "certificateEffectiveDate"), _day(claims, "certificateExpiringDate")
    if start is None:
        inquiry.report("RECORD_CLAIMS_WRONG", reason="certificateEffectiveDate is missing")
    elif claims.get("nbf", _seconds(start)) != _seconds(start):
        inquiry.report("RECORD_CLAIMS_WRONG", reason="nbf is not the first day of validity")
    if claims.get("exp") != (_seconds(end + timedelta(days=1)) if end else None):
        inquiry.report("RECORD_CLAIMS_WRONG", reason="exp is not the end of the last day of validity")


def _seconds(day: date) -> int:
    return int(datetime.combine(day, time(), SHANGHAI).timestamp())


def _digest(claims: dict[str, Any]) -> str | None:
    """The record's digest in hex, or None."""
    value = claims.get("recordDigest")
    if not isinstance(value, str) or len(value) != 43:
        return None
    try:
        return decode_base64url(value).hex()
    except JoseError:
        return None


def _text(claims: dict[str, Any], name: str) -> str:
    value = claims.get(name)
    return value if isinstance(value, str) else ""


def _view(claims: dict[str, Any], identifier: str, license_type: str, digest: str | None) -> LicenseView:
    holders = [h for h in claims.get("holders") or [] if isinstance(h, dict)]
    fields = claims.get("fields")
    version = _text(claims, "certificateVersion")
    return LicenseView(
        identifier=identifier,
        type=license_type,
        number=_text(claims, "certificateNumber"),
        version=int(version) if _VERSION.fullmatch(version) else None,
        holders=tuple(
            Holder(
                _text(h, "certificateHolderName"), _text(h, "certificateHolderCode"), _text(h, "certificateHolderType")
            )
            for h in holders
        ),
        issuer=_text(claims, "certificateIssuingAuthorityName"),
        fields={k: v for k, v in fields.items() if isinstance(v, str)} if isinstance(fields, dict) else {},
        record_sha256=digest,
    )


def _term(claims: dict[str, Any]) -> Term:
    """Days and status reference. Raises UnreadableError when they are missing: the standing is then not known."""
    status = claims.get("status")
    listed = status.get("status_list") if isinstance(status, dict) else None
    index = listed.get("idx") if isinstance(listed, dict) else None
    uri = listed.get("uri") if isinstance(listed, dict) else None
    if not isinstance(uri, str) or isinstance(index, bool) or not isinstance(index, int):
        raise UnreadableError("STANDING_NOT_KNOWN", reason="no status reference")
    days = (_day(claims, "certificateEffectiveDate"), _day(claims, "certificateExpiringDate"))
    return Term(*days, uri, index, _text(claims, "certificateIdentifier"))


def _day(claims: dict[str, Any], name: str) -> date | None:
    try:
        return date.fromisoformat(_text(claims, name)) if claims.get(name) is not None else None
    except ValueError as error:
        raise UnreadableError("STANDING_NOT_KNOWN", reason=f"{name} is no date") from error
