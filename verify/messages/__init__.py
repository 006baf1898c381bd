"""The wording of findings, one file a language. A template's ``{name}`` is filled from the finding's parameters, of
which one that is a ``Text`` has both languages."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from verify.formats.refusal import Text
from verify.messages import en, zh
from verify.messages.reasons import TRANSLATED, worded

LANGUAGES = ("zh", "en")
_SLOT = re.compile(r"\{([a-z_]+)\}")
_MAX_PARAM = 200


def sentence(code: str, lang: str, params: Mapping[str, Any]) -> str:
    """The finding's sentence; parameters are shortened and stripped of control characters."""
    return _SLOT.sub(lambda m: _filled(m[1], params.get(m[1], ""), lang), _template(code, lang))


def meaning_of(code: str, lang: str) -> str:
    """What a code means, without the particulars of a case."""
    return _SLOT.sub("…", _template(code, lang))


def _template(code: str, lang: str) -> str:
    table = zh.TEXTS if lang == "zh" else en.TEXTS
    return table.get(code, code)


def _filled(name: str, value: Any, lang: str) -> str:
    if isinstance(value, Text):
        return _shown(value.in_language(lang))
    return _shown(worded(str(value), lang) if name in TRANSLATED else value)


def _shown(value: Any) -> str:
    if isinstance(value, bytes):
        value = value.hex()
    text = "".join(c if c.isprintable() else "�" for c in str(value))
    return text if len(text) <= _MAX_PARAM else text[: _MAX_PARAM - 1] + "…"
