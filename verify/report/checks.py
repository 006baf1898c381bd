"""Every check by name, with its outcome: the building blocks of ETSI EN 319 102-1 and the license's own checks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from verify.findings import CATALOG, About, Finding, Severity
from verify.formats.refusal import Text

if TYPE_CHECKING:
    from verify.verdict import SignatureReport, Verdict

PASSED, FAILED, DOUBT, NOT_RUN = "PASSED", "FAILED", "DOUBT", "NOT_RUN"
_OPEN_INTEGRITY = {"UNSIGNED", "CODE_NOT_CHECKABLE"}
_NO_PATH = {"NO_TRUSTED_PATH", "PATH_WRONG"}
"""Without a path nobody asks who was revoked."""
_STEP_CODES = {"CHECK_NOT_RUN", "INTERNAL"}


@dataclass(frozen=True, slots=True)
class CheckKind:
    """One check of a report: the verifier's steps that it needs, and the beginnings of the codes that belong to it.

    ``of_signature``: it is made for each signature.
    """

    name: str
    title: Text
    clause: str
    steps: tuple[str, ...]
    codes: tuple[str, ...]
    of_signature: bool = False


_ETSI = "ETSI EN 319 102-1 5"
KINDS: tuple[CheckKind, ...] = (
    CheckKind(
        "limits",
        Text("输入限制", "limits of input"),
        "certvault-policy/1 limits",
        ("limits",),
        ("FILE_", "LIMIT_", "TIME_EXCEEDED", "NOT_READABLE"),
    ),
    CheckKind(
        "format",
        Text("格式检查", "format checking"),
        f"{_ETSI}.2.2",
        ("structure", "signatures"),
        (
            "PDF_",
            "CMS_",
            "SIGNATURE_EMPTY",
            "UNSIGNED",
            "BYTE_RANGE_",
            "CONTENTS_",
            "RECORD_TOKEN_",
            "RECORD_DISCLOSURE_",
            "CODE_MISSING",
            "CODE_BROKEN",
            "CODE_AMBIGUOUS",
        ),
        of_signature=True,
    ),
    CheckKind(
        "identification",
        Text("签名证书识别", "identification of the signing certificate"),
        f"{_ETSI}.2.3",
        ("signatures",),
        ("CODE_KEY_", "CODE_NOT_CHECKABLE", "SIGNED_ATTRIBUTES_"),
        of_signature=True,
    ),
    CheckKind("context", Text("验证条件", "validation context initialization"), f"{_ETSI}.2.4", (), ("EXAMPLE_KEYS",)),
    CheckKind(
        "cryptography",
        Text("密码学验证", "cryptographic verification"),
        f"{_ETSI}.2.7",
        ("signatures",),
        ("DIGEST_", "SIGNATURE_WRONG", "ALGORITHM_UNSUPPORTED"),
        of_signature=True,
    ),
    CheckKind(
        "revisions",
        Text("签名之后的改动", "changes after signing"),
        "ISO 32000-2 12.8.2.2",
        ("revisions",),
        ("CHANGE_", "BYTES_", "DSS_", "SECOND_SIGNATURE", "RENDERED_"),
        of_signature=True,
    ),
    CheckKind(
        "waiting",
        Text("等待显示的内容", "content that waits"),
        "ISO 32000-2 8.11",
        ("shadow",),
        ("HIDDEN_", "SHADOW_", "LATER_"),
    ),
    CheckKind(
        "x509",
        Text("证书链验证", "X.509 certificate validation"),
        f"{_ETSI}.2.6",
        ("chain",),
        ("NO_TRUSTED_PATH", "PATH_", "CERTIFICATE_"),
        of_signature=True,
    ),
    CheckKind(
        "revocation",
        Text("吊销信息", "revocation freshness"),
        f"{_ETSI}.2.5",
        ("chain",),
        ("REVOCATION_",),
        of_signature=True,
    ),
    CheckKind(
        "timestamps",
        Text("时间戳验证", "time-stamp validation"),
        f"{_ETSI}.4",
        ("chain",),
        ("TIMESTAMP_",),
        of_signature=True,
    ),
    CheckKind(
        "acceptance",
        Text("签名可接受性", "signature acceptance validation"),
        f"{_ETSI}.2.8",
        ("chain",),
        ("ALGORITHM_", "TIME_NOT_", "SIGNED_IN_", "NOT_A_LICENSE", "VERIFICATION_REPORT"),
        of_signature=True,
    ),
    CheckKind(
        "seal",
        Text("电子印章", "the electronic seal"),
        "GB/T 38540 6.3, 7.3",
        ("seal",),
        ("SEAL_", "SIGNER_", "SIGN_TIME_", "REVOKED_BEFORE_"),
    ),
    CheckKind(
        "record",
        Text("证照记录", "the license record"),
        "certvault-license/1",
        ("record",),
        ("RECORD_", "SAMPLE"),
    ),
    CheckKind(
        "claims",
        Text("记录中的声明", "claims of the record"),
        "RFC 9901 7",
        ("claims",),
        (),
    ),
    CheckKind(
        "identifier",
        Text("标识与日期", "identifier and dates"),
        "GB/T 36904",
        ("identifier",),
        ("IDENTIFIER_", "DATES_"),
    ),
    CheckKind(
        "issuer",
        Text("颁发机构与颁发权限", "issuer and remit"),
        "GB/T 36903",
        ("issuer",),
        ("ISSUER_", "ISSUED_", "REMIT_"),
    ),
    CheckKind(
        "page_text",
        Text("页面文字与记录", "the page's text against the record"),
        "certvault-license/1 face",
        ("page_text",),
        ("PAGE_",),
    ),
    CheckKind(
        "page_ink",
        Text("页面图像与文字", "the page's picture against its text"),
        "certvault-license/1 face",
        ("page_ink",),
        ("PAGE_TEXT_HIDDEN", "PAGE_TEXT_COVERED", "PAGE_TEXT_SHAPES", "PAGE_STATIC_HIDDEN", "PAGE_NOT_DRAWN"),
    ),
    CheckKind(
        "page_code",
        Text("页面二维码与记录", "the page's code against the record"),
        "certvault-license/1 face",
        ("page_code",),
        ("PAGE_CODE_",),
    ),
    CheckKind(
        "vault", Text("与证照库核对", "comparison with the vault"), "certvault-license/1", ("vault",), ("VAULT_",)
    ),
    CheckKind(
        "standing",
        Text("当前效力", "standing"),
        "draft-ietf-oauth-status-list 8.3",
        ("standing",),
        ("STATUS_", "EXPIRED", "NOT_YET_", "STANDING_"),
    ),
    CheckKind(
        "recognition",
        Text("跨区域互认", "recognition"),
        "certvault-regions/1",
        ("recognition",),
        (
            *("RECOGNITION_", "REGION_", "ANCHOR_", "TRUST_LIST_", "NO_AGREEMENT", "AGREEMENT_", "ISSUER_OUTSIDE_"),
            *("ISSUER_LEVEL_", "ISSUED_OUTSIDE_", "TYPE_", "CARRIER_", "ASSURANCE_", "FIELD_", "SEAL_STRUCTURE_"),
        ),
    ),
)

_FALLBACK = {
    About.INTEGRITY: "format", About.CONCLUSION: "acceptance",
    About.STANDING: "standing", About.RECOGNITION: "recognition",
}  # fmt: skip


def check_of(code: str) -> str:
    """The name of the check that a finding's code belongs to: the longest beginning that fits, else by its answer."""
    fitting = [(len(start), kind.name) for kind in KINDS for start in kind.codes if code.startswith(start)]
    if fitting:
        return max(fitting)[1]
    meaning = CATALOG.get(code)
    return _FALLBACK[meaning.about] if meaning else "acceptance"


def checks_json(verdict: Verdict, lang: str) -> list[dict[str, Any]]:
    """Every check that is in question for this file: ``{name, title, clause, outcome, findings}``."""
    made = []
    for kind in KINDS:
        found = [f for f in verdict.findings if _belongs(f, kind)]
        if found or _in_question(verdict, kind):
            made.append(_shown(kind, outcome_of(found, _ran(verdict, kind)), found, lang))
    return made


def signature_checks_json(verdict: Verdict, signature: SignatureReport, lang: str) -> list[dict[str, Any]]:
    """The checks of one signature alone, as :func:`checks_json` gives them."""
    own = [f for f in verdict.findings if _concerns(f, signature, len(verdict.signatures))]
    made = []
    for kind in (k for k in KINDS if k.of_signature):
        found = [f for f in own if _belongs(f, kind)]
        if kind.name == "timestamps" and not found and not _stamped(verdict, signature.field):
            continue
        ran = _ran(verdict, kind, own) and (kind.name == "format" or bool(signature.signer))
        made.append(_shown(kind, outcome_of(found, ran), found, lang))
    return made


def outcome_of(findings: Sequence[Finding], ran: bool) -> str:
    """FAILED beats DOUBT beats NOT_RUN beats PASSED. What cannot be read has failed; an unsigned file is in doubt."""
    judged = [f for f in findings if f.code not in _STEP_CODES]
    if any(_fails(f) for f in judged):
        return FAILED
    if any(f.severity is Severity.DOUBT for f in judged):
        return DOUBT
    return PASSED if ran and len(judged) == len(findings) else NOT_RUN


def _fails(found: Finding) -> bool:
    unreadable = found.about is About.INTEGRITY and found.severity is Severity.DOUBT
    return found.severity is Severity.FATAL or (unreadable and found.code not in _OPEN_INTEGRITY)


def _in_question(verdict: Verdict, kind: CheckKind) -> bool:
    """Whether a check without findings is told of: those that VALID needs, and what else was there to be checked."""
    if kind.name == "timestamps":
        return any(_stamped(verdict, s.field) for s in verdict.signatures)
    optional = {"vault", "recognition", "shadow"} & set(kind.steps) & set(verdict.checks)
    return not kind.steps or bool(set(kind.steps) & set(verdict.demanded)) or bool(optional)


def _stamped(verdict: Verdict, field: str) -> bool:
    signatures = verdict.facts.signatures if verdict.facts else ()
    return any(s.timestamps for s in signatures if s.field == field)


def _ran(verdict: Verdict, kind: CheckKind, findings: Sequence[Finding] | None = None) -> bool:
    if not set(kind.steps) <= set(verdict.checks):
        return False
    codes = {f.code for f in (verdict.findings if findings is None else findings)}
    if kind.name == "revocation" and codes & _NO_PATH:
        return False
    needs_signer = kind.of_signature and kind.name not in ("format", "revisions")
    return not needs_signer or any(s.signer for s in verdict.signatures)


def _belongs(found: Finding, kind: CheckKind) -> bool:
    if found.code in _STEP_CODES:
        step = str(found.params.get("check", ""))
        return kind.name == next((k.name for k in KINDS if step == k.name or step in k.steps), "acceptance")
    on_page = found.where.startswith("page") or (found.place is not None and found.place.page is not None)
    return kind.name == ("page_code" if on_page and found.code.startswith("CODE_") else check_of(found.code))


def _concerns(found: Finding, signature: SignatureReport, count: int) -> bool:
    named = found.place.field if found.place and found.place.field else found.where
    return named == (signature.field or "signature") or (count == 1 and not named)


def _shown(kind: CheckKind, outcome: str, found: Sequence[Finding], lang: str) -> dict[str, Any]:
    return {
        "name": kind.name,
        "title": kind.title.in_language(lang),
        "clause": kind.clause,
        "outcome": outcome,
        "findings": [f.to_json(lang) for f in found],
    }
