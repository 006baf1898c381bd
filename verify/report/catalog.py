"""The page that lists every finding: made from the catalog, so that it cannot differ from it."""

from __future__ import annotations

from verify.findings import all_codes
from verify.report.checks import KINDS, check_of

HEAD = """# Findings 检查结果

Every finding that the judge can report, made by `python -m verify --codes --markdown`; the same is in
`certvault verify --codes`. A finding is about one answer and moves only that one: FATAL makes it negative, DOUBT leaves
it open, NOTE changes nothing. The severity is the usual one; where a finding may weigh less, its text says when.

以下是验证可能给出的全部检查结果。每个结果只影响一个结论：FATAL 使其为否，DOUBT 使其存疑，NOTE 不改变结论。
"""


def codes_markdown() -> str:
    """The whole page."""
    rows = {row["code"]: row for row in all_codes("en")}
    parts = [HEAD]
    for kind in KINDS:
        codes = [code for code in rows if check_of(code) == kind.name]
        if codes:
            parts.append(f"\n## {kind.title.zh} · {kind.title.en} (`{kind.name}`, {kind.clause})\n")
            parts += [_entry(rows[code]) for code in codes]
    return "".join(parts)


def _entry(row: dict[str, str]) -> str:
    return (
        f"\n### {row['code']}\n\n{row['severity']} · {row['about']} · {row['clause']}\n\n"
        f"- {row['zh']}{row['why_zh']}{row['action_zh']}\n"
        f"- {row['en']} {row['why_en']} {row['action_en']}\n"
    )
