"""Licenses of several seals: what the signed record says of them, whose and where, against those that are there.

How they follow one another is judged in :mod:`verify.checks.joint`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from verify.checks.chain import subject_value
from verify.formats.license import Box, LicenseRecord
from verify.inquiry import Inquiry

if TYPE_CHECKING:
    from verify.checks.sealed import SealedDocument

MAX_FURTHER = 4
_SLACK = 0.6  # points


@dataclass(frozen=True, slots=True)
class StatedSeal:
    """A seal beside the issuer's: its field, its owner's code, and where it stands."""

    field: str
    owner: str
    page: int
    box: Box


def stated_seals(record: LicenseRecord) -> tuple[StatedSeal, ...]:
    """The further seals that a record states; none where the statement cannot be read."""
    value = record.extra.get("seals")
    if not isinstance(value, list) or not 1 <= len(value) <= MAX_FURTHER:
        return ()
    found = []
    for one in value:
        member = one if isinstance(one, dict) else {}
        field, owner, page, box = (member.get(n) for n in ("field", "owner", "page", "box"))
        numbers = box if isinstance(box, list) and len(box) == 4 else []
        good = isinstance(field, str) and isinstance(owner, str) and isinstance(page, int)
        if not good or len(numbers) != 4 or not all(isinstance(n, int | float) for n in numbers):
            return ()
        x0, y0, x1, y1 = map(float, numbers)
        found.append(StatedSeal(str(field), str(owner), int(str(page)), (x0, y0, x1, y1)))
    return tuple(found)


def check_further(inquiry: Inquiry, document: SealedDocument, record: LicenseRecord) -> None:
    """SEALS_DIFFER unless exactly the stated seals follow the issuer's, each its owner's and in its place."""
    stated = stated_seals(record)
    if not stated:
        return
    following = document.seals[1:]
    if [v.raw.field for v in following] != [s.field for s in stated]:
        inquiry.report("SEALS_DIFFER", expected=len(stated) + 1, actual=len(document.seals))
        return
    for view, seal in zip(following, stated, strict=True):
        owner = None if view.cms is None else subject_value(view.cms.signer, "organization_identifier")
        if owner != seal.owner:
            inquiry.report("SEAL_OWNER_DIFFERS", where=view.where, expected=seal.owner, actual=owner or "?")
    rects = [(page, rect) for page, kind, rect in document.graph.annotation_kinds() if kind == "/Widget"]
    for seal in stated:
        if not any(page == seal.page and _same(rect, seal.box) for page, rect in rects):
            inquiry.report("SEALS_DIFFER", expected=len(stated) + 1, actual=len(document.seals))


def _same(rect: tuple[float, ...], box: Box) -> bool:
    return len(rect) == 4 and all(abs(a - b) <= _SLACK for a, b in zip(rect, box, strict=True))
