"""Which language to answer in: Chinese first, English by choice."""

from __future__ import annotations

import os
from collections.abc import Mapping

LANGUAGES = ("zh", "en")


def from_text(value: str | None) -> str | None:
    """``zh`` or ``en`` for a tag such as ``zh-CN`` or ``en_US.UTF-8``; None for anything else."""
    tag = (value or "").strip().lower()
    return next((lang for lang in LANGUAGES if tag == lang or tag.startswith((f"{lang}-", f"{lang}_"))), None)


def from_environment(environment: Mapping[str, str] = os.environ) -> str:
    """The user's language by the POSIX order LC_ALL, LC_MESSAGES, LANG; Chinese when none of ours is named."""
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        if environment.get(name):
            return from_text(environment[name]) or "zh"
    return "zh"


def from_accept(header: str | None) -> str | None:
    """The first of our languages in an Accept-Language header, by its weights (RFC 9110 12.5.4)."""
    best: tuple[float, str] | None = None
    for part in (header or "")[:500].split(","):
        tag, _, weight = part.partition(";")
        lang = from_text(tag)
        try:
            value = float(weight.strip().removeprefix("q=") or 1)
        except ValueError:
            continue
        if lang and value > 0 and (best is None or value > best[0]):
            best = (value, lang)
    return best[1] if best else None
