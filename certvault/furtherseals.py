"""Licenses of several seals: the first certifies and allows signatures (P=2), reserved fields take the others, the last
locks all. The signed record says which seals there are to be, whose, and where."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from typing import Any

from certvault.sealing import Further, Tools
from signing.formats.pades import Baseline, ValidationData
from signing.formats.placement import InBox
from signing.formats.seal_document import Instrument, Reserved, SealOrder, seal_document
from templates.typesetting import MM


def stated(further: Sequence[Further]) -> list[dict[str, Any]]:
    """As the record states them."""
    return [{"field": f.field, "kind": f.kind, "owner": f.owner, "page": 1, "box": list(f.box)} for f in further]


def reserved(further: Sequence[Further]) -> list[Reserved]:
    """Their empty fields, before the first signature."""
    return [Reserved(f.field, InBox(1, f.box), _size(f), lock=f is further[-1]) for f in further]


def seal_further(pdf: bytes, tools: Tools, *, at: datetime.datetime, baseline: Baseline) -> bytes:
    """Put the further seals on, one after the other; the last brings the validation data of all."""
    timed = baseline is not Baseline.B_B
    for seal in tools.further:
        last = seal is tools.further[-1]
        level = baseline if last else Baseline.B_T if timed else Baseline.B_B
        proved = level in (Baseline.B_LT, Baseline.B_LTA)
        pdf = seal_document(
            pdf,
            SealOrder(
                instrument=Instrument(seal.hand.signer, seal.hand.certificate, seal.hand.chain),
                at=at,
                picture=seal.picture,
                field=seal.field,
                baseline=level,
                stamp=tools.authority.at(at) if timed else None,
                validation=_all(tools) if proved else None,
                lock=last,
                name=seal.name,
            ),
        )
    return pdf


def _all(tools: Tools) -> ValidationData:
    parts = [tools.validation, *(f.validation for f in tools.further)]
    return ValidationData(
        certificates=tuple(dict.fromkeys(c for p in parts for c in p.certificates)),
        crls=tuple(dict.fromkeys(c for p in parts for c in p.crls)),
        ocsps=(),
    )


def _size(seal: Further) -> tuple[float, float]:
    x0, y0, x1, y1 = seal.box
    return (x1 - x0) / MM, (y1 - y0) / MM
