"""Reasons inside sentences: English phrases are their codes, :mod:`verify.messages.reasons_zh` has the Chinese."""

from __future__ import annotations

import functools
import re

from verify.messages.reasons_zh import PHRASES

TRANSLATED = frozenset({"reason", "what", "check", "purpose", "member", "error", "algorithm"})
"""Parameters of findings that hold a phrase; all others hold data and are shown as they stand."""

UNKNOWN_REASON = "未归类的原因"
"""What a Chinese sentence says for a phrase of a library that is not in the table; the English sentence has it."""

OUTCOMES: dict[str, tuple[str, str]] = {
    "NO_TRUSTED_PATH": ("没有通向信任锚的证书链", "no chain leads to a trusted certificate"),
    "PATH_WRONG": ("证书链无效", "its chain is not valid"),
    "CERTIFICATE_EXPIRED": ("证书已过期", "a certificate has expired"),
    "CERTIFICATE_EXPIRED_NO_POE": ("证书已过期", "a certificate has expired"),
    "CERTIFICATE_NOT_YET_VALID": ("证书尚未生效", "a certificate was not yet valid"),
    "CERTIFICATE_REVOKED": ("证书已被吊销", "a certificate was revoked"),
    "CERTIFICATE_REVOKED_NO_POE": ("证书已被吊销", "a certificate was revoked"),
    "CERTIFICATE_PURPOSE": ("证书不得用于此用途", "its certificate is not for this use"),
    "REVOCATION_UNKNOWN": ("无法确定证书是否被吊销", "whether a certificate was revoked cannot be told"),
    "ALGORITHM_WEAK": ("算法已不安全", "its algorithm no longer counts as secure"),
    "EXAMPLE_KEYS": ("出自示例机构", "it comes from an example authority"),
    "SIGNED_IN_FUTURE": ("时间晚于检查时间", "its time lies after the time of checking"),
}
"""A finding's code given as the reason of another finding."""

_PROSE = re.compile(r"[A-Za-z]{2,} [a-z]{2,} [a-z]{2,}|^[a-z]{2,} [a-z]{2,}")
_MAX_DEPTH = 4


def worded(value: str, lang: str) -> str:
    """A reason in ``zh`` or ``en``."""
    if value in OUTCOMES:
        return OUTCOMES[value][0 if lang == "zh" else 1]
    return _in_chinese(value, 0) if lang == "zh" else value


def _in_chinese(value: str, depth: int) -> str:
    known = PHRASES.get(value)
    if known is not None:
        return known
    if depth < _MAX_DEPTH:
        for pattern, template in _patterns():
            found = pattern.fullmatch(value)
            slots = [_slot(part, depth) for part in found.groups()] if found else []
            if found and None not in slots:
                return template.format(*slots)
    return UNKNOWN_REASON if _PROSE.search(value) else value


def _slot(value: str, depth: int) -> str | None:
    """What stands in a slot: a phrase again, or a name or number; None for English prose that no phrase covers."""
    told = _in_chinese(value, depth + 1)
    return None if told == UNKNOWN_REASON else told


@functools.cache
def _patterns() -> tuple[tuple[re.Pattern[str], str], ...]:
    """Phrases with slots; those with the most fixed text come first."""
    with_slots = sorted((p for p in PHRASES if "{}" in p), key=lambda p: -len(p.replace("{}", "")))
    return tuple((re.compile("(.+?)".join(map(re.escape, p.split("{}"))), re.DOTALL), PHRASES[p]) for p in with_slots)
