"""The separate answers, each with its value and the reason for it in one sentence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from verify.findings import About, Finding, Severity
from verify.formats.refusal import Text

if TYPE_CHECKING:
    from verify.verdict import Verdict

_WEIGHT = {Severity.FATAL: 0, Severity.DOUBT: 1, Severity.NOTE: 2}

REASONS: Mapping[tuple[About, str], Text] = {
    (About.INTEGRITY, "INTACT"): Text(
        "签名时的字节没有变化，显示的内容全部在签名之内或属于允许的增补。",
        "The signed bytes are unchanged, and all that is shown is signed or a permitted addition.",
    ),
    (About.INTEGRITY, "ALTERED"): Text("文件在签名之后被改动。", "The file was changed after it was signed."),
    (About.INTEGRITY, "UNSIGNED"): Text("文件没有可以核对的签名。", "The file carries no signature to check."),
    (About.INTEGRITY, "UNREADABLE"): Text("文件无法完整读取。", "The file cannot be read to its end."),
    (About.CONCLUSION, "VALID"): Text(
        "所需的检查都已执行，没有发现问题。", "Every check that is needed was run, and none found fault."
    ),
    (About.CONCLUSION, "INVALID"): Text("至少一项检查未通过。", "At least one check failed."),
    (About.CONCLUSION, "INDETERMINATE"): Text(
        "没有检查失败，但得出结论所需的依据不全。", "No check failed, but something needed for an answer is missing."
    ),
    (About.STANDING, "IN_FORCE"): Text(
        "在有效期内，状态列表没有暂停或吊销的记载。",
        "Within its validity, and the status list knows of no suspension or revocation.",
    ),
    (About.STANDING, "UNKNOWN"): Text(
        "没有可信的状态信息，或文件本身不可采信。", "There is no trustworthy status, or the file itself does not count."
    ),
    (About.RECOGNITION, "RECOGNIZED"): Text("按互认约定予以承认。", "Recognized under an agreement."),
    (About.RECOGNITION, "NOT_RECOGNIZED"): Text("没有适用的互认约定。", "No agreement covers it."),
    (About.RECOGNITION, "UNKNOWN"): Text("无法确定是否承认。", "Whether it is recognized cannot be told."),
}


def answers_json(verdict: Verdict, lang: str) -> dict[str, Any]:
    """``{integrity, conclusion, standing, recognition}``, each ``{value, reason, codes}``, or null where not asked."""
    integrity, conclusion = verdict.integrity.value, verdict.conclusion.value
    return {
        "integrity": _answer(verdict, About.INTEGRITY, integrity, lang),
        "conclusion": _answer(verdict, About.CONCLUSION, conclusion, lang),
        "standing": _answer(verdict, About.STANDING, verdict.standing.value, lang) if verdict.standing else None,
        "recognition": _answer(verdict, About.RECOGNITION, verdict.recognition.outcome.value, lang)
        if verdict.recognition
        else None,
    }


def weightiest(verdict: Verdict, about: About) -> list[Finding]:
    """The findings that moved an answer, weightiest first; those about integrity move the conclusion too."""
    moved = {about, About.INTEGRITY} if about is About.CONCLUSION else {about}
    found = [f for f in verdict.findings if f.about in moved and f.severity is not Severity.NOTE]
    return sorted(found, key=lambda f: (_WEIGHT[f.severity], f.about is not about))


def _answer(verdict: Verdict, about: About, value: str, lang: str) -> dict[str, Any]:
    moved = weightiest(verdict, about)
    if moved:
        reason = moved[0].message(lang)
    else:
        found = REASONS.get((about, value))
        reason = found.in_language(lang) if found else ""
    return {"value": value, "reason": reason, "codes": list(dict.fromkeys(f.code for f in moved))}
