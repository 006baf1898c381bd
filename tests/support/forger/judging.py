"""The judge's answers to the forger's files, and the table by family."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from tests.support.forger.bases import trust
from tests.support.forger.registry import Expected, Forgery, forgeries
from tests.support.signing_pki import AT
from verify import Verdict, verify_document


@dataclass
class Row:
    """One family: how many of its files are judged as they must be, and which are not, with the reason."""

    family: str
    caught: int = 0
    total: int = 0
    missed: dict[str, str] = field(default_factory=dict)


def judge(pdf: bytes, at: datetime = AT) -> Verdict:
    """The verdict on a forger's file, under the anchors of the test keys."""
    return verify_document(pdf, trust=trust(), at=at)


def table(files: Iterable[Forgery] | None = None) -> list[Row]:
    """Judge every file (or those given) and sum up by family, controls last."""
    rows: dict[str, Row] = {}
    for one in files if files is not None else forgeries():
        row = rows.setdefault(one.family, Row(one.family))
        row.total += 1
        reason = one.missed(judge(one.make()))
        if reason:
            row.missed[one.variant] = reason
        else:
            row.caught += 1
    return sorted(rows.values(), key=lambda r: (r.family == "control", r.family))


def markdown(rows: Iterable[Row]) -> str:
    """The table as Markdown: family, files judged rightly, files in all."""
    lines = ["| family | judged rightly | files |", "|---|---|---|"]
    lines += [f"| {r.family} | {r.caught} | {r.total} |" for r in rows]
    return "\n".join(lines) + "\n"


__all__ = ["Expected", "Row", "judge", "markdown", "table"]
