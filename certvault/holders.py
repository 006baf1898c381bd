"""Codes of holders, as somebody types them: checked before they are looked for or bound to a token.

A credit code (GB 32100) or a citizen number (GB 11643) with its check character; where a published type knows holders
by other papers (GB/T 36903 Appendix A), any code of letters, digits and hyphens.
"""

from __future__ import annotations

import re

from certvault.catalog import Catalog
from certvault.cipher import normalised
from verify.formats.codes import citizen_fault, uscc_fault
from verify.formats.refusal import refuse

_CHECKED = frozenset({"001", "111", "auto"})
_OTHER = re.compile(r"[0-9A-Z][0-9A-Z-]{3,39}")
_EIGHTEEN = re.compile(r"[0-9A-Z]{18}")


def check_holder_code(code: str, catalog: Catalog) -> None:
    """Raise RefusedError (HOLDER_CODE, field ``holder``) for what no holder of a published type can have as code."""
    text = normalised(code)
    if citizen_fault(text) is None or uscc_fault(text) is None:
        return
    if _OTHER.fullmatch(text) and not _EIGHTEEN.fullmatch(text) and _other_papers(catalog):
        return
    raise refuse(
        "HOLDER_CODE",
        "holder",
        "持证主体代码不是正确的统一社会信用代码或公民身份号码",
        "the holder's code is neither a unified social credit code nor a citizen number",
        remedy_zh="请核对 18 位代码及其校验码。",
        remedy_en="Check its 18 characters and the check character.",
    )


def _other_papers(catalog: Catalog) -> bool:
    """Whether some type knows its holders by a paper other than those two."""
    return any(
        rule.code_type not in _CHECKED
        for info in catalog.list()
        for rule in catalog.get(info.name, info.version).record.holders
    )
