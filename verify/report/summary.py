"""What a verdict means for a person: one headline and one advice for each combination of answers.

A genuine license that is not in force and a forged one are told apart here, in words and tone, for the command line,
HTTP and the pages alike. ``tone`` is ``good``, ``lapsed`` (genuine, but not in force), ``open`` or ``bad``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from verify.formats.refusal import Text


@dataclass(frozen=True, slots=True)
class Summary:
    """One verdict in two sentences."""

    tone: str
    title: Text
    advice: Text

    def to_json(self, lang: str) -> dict[str, str]:
        """``{tone, title, advice}`` in one language."""
        return {"tone": self.tone, "title": self.title.in_language(lang), "advice": self.advice.in_language(lang)}


def _s(tone: str, zh: str, en: str, advice_zh: str, advice_en: str) -> Summary:
    return Summary(tone, Text(zh, en), Text(advice_zh, advice_en))


GENUINE: Mapping[str | None, Summary] = {
    "IN_FORCE": _s(
        "good", "真实，当前有效", "Genuine and in force",
        "签章完整可信，证照当前有效。", "The seal holds, the issuer is trusted, and the license is in force.",
    ),
    "NOT_YET": _s(
        "lapsed", "真实，但尚未生效", "Genuine, but not yet in force",
        "证照本身是真的，有效期尚未开始。", "The license itself is genuine; its validity has not begun.",
    ),
    "EXPIRED": _s(
        "lapsed", "真实，但已过有效期", "Genuine, but expired",
        "证照本身是真的，有效期已经结束。请持证主体提供新证照。",
        "The license itself is genuine; its validity has ended. Ask the holder for the new one.",
    ),
    "SUSPENDED": _s(
        "lapsed", "真实，但已暂停", "Genuine, but suspended",
        "证照本身是真的，颁发机构已暂停其效力。", "The license itself is genuine; its issuer has suspended it.",
    ),
    "REVOKED": _s(
        "lapsed", "真实，但已吊销", "Genuine, but revoked",
        "证照本身是真的，颁发机构已终止其效力。", "The license itself is genuine; its issuer has ended it.",
    ),
    "SUPERSEDED": _s(
        "lapsed", "真实，但已被新版本取代", "Genuine, but superseded",
        "证照本身是真的，已有更新的版本。请持证主体提供新证照。",
        "The license itself is genuine; there is a newer version. Ask the holder for it.",
    ),
    "UNKNOWN": _s(
        "open", "真实，当前效力未能查明", "Genuine; whether it is in force is not known",
        "签章完整可信，但没有可用的状态信息，请联网或向颁发机构查询。",
        "The seal holds and the issuer is trusted, but no current status was at hand. Ask the issuer.",
    ),
    None: _s(
        "good", "签名有效", "The signatures are valid",
        "文件完整，签名人可信。本文件不是证照。", "The file is intact and its signer trusted. It is no license.",
    ),
}  # fmt: skip

INVALID: Mapping[str, Summary] = {
    "ALTERED": _s(
        "bad", "已被改动，不可采信", "Altered: do not accept it",
        "文件在签章之后被改动过。请拒收，并向颁发机构核实。",
        "The file was changed after it was sealed. Refuse it, and ask the issuer.",
    ),
    "UNREADABLE": _s(
        "bad", "无法读取，不可采信", "Unreadable: do not accept it",
        "文件损坏，或不是可以验证的文件。", "The file is damaged, or none that can be verified.",
    ),
}  # fmt: skip

ENCRYPTED = _s(
    "open", "已加密，需要口令", "Encrypted: the password is needed",
    "没有口令就看不到内容和签名。请给出口令后重新验证。",
    "Without the password neither content nor signatures can be seen. Give it, and verify again.",
)  # fmt: skip

NOT_GENUINE = _s(
    "bad", "不真实，不可采信", "Not genuine: do not accept it",
    "签章或内容与其声称的不符。请拒收，并向颁发机构核实。",
    "The seal or the content is not what it claims to be. Refuse it, and ask the issuer.",
)  # fmt: skip

OPEN: Mapping[str, Summary] = {
    "UNSIGNED": _s(
        "open", "没有签章，无法确认", "Not signed: cannot be confirmed",
        "文件没有电子签章，无法证明出处。", "The file carries no seal, so nothing proves where it comes from.",
    ),
    "INTACT": _s(
        "open", "签署后未被改动，但无法确认真伪", "Unchanged since it was signed, but cannot be confirmed",
        "文件与签署时一致，但缺少确认真伪所需的依据，原因见下。",
        "The file is as it was signed, but something needed to confirm it is missing; see the reasons.",
    ),
}  # fmt: skip


REPORT = _s(
    "good", "真实的验证报告", "A genuine verification report",
    "报告完整，出自可信的验证系统。它说明对另一文件的检查结果，本身不是证照；请核对所指文件的摘要。",
    "The report is intact and comes from a trusted verifier. It tells of another file and is no license itself. "
    "Compare that file's digest.",
)  # fmt: skip


SEAL = _s(
    "good", "真实的电子印章", "A genuine electronic seal",
    "印章完整，制章者可信，在有效期内。它本身不说明任何文件。",
    "The seal is intact, its maker trusted, and it is within its validity. It says nothing of any document.",
)  # fmt: skip

SEALED = _s(
    "good", "签章有效", "The sealing is valid",
    "印章、签章者和原文均相符。", "Seal, signer and document agree.",
)  # fmt: skip

SEAL_OPEN = _s(
    "open", "印章未被改动，但无法确认", "The seal is unchanged, but cannot be confirmed",
    "印章或签章本身未被改动，但缺少确认所需的依据，原因见下。",
    "The seal or the signature itself is unchanged, but something needed to confirm it is missing; see the reasons.",
)  # fmt: skip


def summary(verdict: Mapping[str, Any]) -> Summary:
    """The summary for a verdict as JSON."""
    conclusion, integrity = verdict["conclusion"], verdict["integrity"]
    if verdict.get("kind") == "seal" and integrity == "INTACT" and conclusion != "INVALID":
        return _of_seal(verdict)
    if conclusion == "VALID":
        if any(found["code"] == "VERIFICATION_REPORT" for found in verdict.get("findings", ())):
            return REPORT
        return GENUINE.get(verdict["standing"], GENUINE["UNKNOWN"])
    if integrity == "UNREADABLE" and any(f["code"] == "PDF_ENCRYPTED" for f in verdict.get("findings", ())):
        return ENCRYPTED
    if conclusion == "INVALID":
        return INVALID.get(integrity, NOT_GENUINE)
    return OPEN.get(integrity, OPEN["INTACT"])


def _of_seal(verdict: Mapping[str, Any]) -> Summary:
    if verdict["conclusion"] != "VALID":
        return SEAL_OPEN
    bare = any(found["code"] == "SEAL_ALONE" for found in verdict.get("findings", ()))
    return SEAL if bare else SEALED


def with_summary(verdict: dict[str, Any], lang: str) -> dict[str, Any]:
    """The verdict with its ``summary`` added."""
    return {**verdict, "summary": summary(verdict).to_json(lang)}
