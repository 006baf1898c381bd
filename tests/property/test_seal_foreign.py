"""Sealing broken files: whatever is wrong with a PDF, it is sealed behind its bytes or refused with a reason."""

from __future__ import annotations

import logging
import random
from collections import Counter

import pytest

from signing.formats.placement import AcrossEdges, AtPosition
from tests.support.contracts import contract
from tests.support.forger.bases import base
from tests.support.forger.bases import draw as invoice
from tests.support.sealing import sealed
from verify.formats.refusal import RefusedError

_WORDS = (
    b"/Kids /Annots /Fields /AcroForm /Parent /Rect /Contents /Resources /XObject /MediaBox /Rotate /UserUnit /Count"
    b" /P /T /V /FT /Reference /Size /Type"
).split()
_VALUES = (b" null ", b" 0 R", b" [ ", b" << ", b" (x) ", b" -1 ", b" 99999999999 ", b" /N ", b" true ", b" 1e9 ")
_PLACES = ((AtPosition(1, 10, 10),), (AcrossEdges(),), (AtPosition(-1, 10, 10), AcrossEdges()), ())
_ROUNDS = 120


def _broken(chance: random.Random, pdf: bytes) -> bytes:
    data = bytearray(pdf)
    for _ in range(chance.choice((1, 1, 2, 4))):
        kind, place = chance.random(), chance.randrange(len(data))
        if kind < 0.4:
            data[place] = chance.randrange(256)
        elif kind < 0.8:
            word, value = chance.choice(_WORDS), chance.choice(_VALUES)
            found = data.find(word, place)
            if found >= 0:
                data[found + len(word) : found + len(word) + len(value)] = value
        else:
            del data[place : place + chance.randrange(1, 40)]
    return bytes(data)


@pytest.mark.parametrize("name", ["table", "stream", "packed", "hybrid", "invoice", "signed", "certified"])
def test_a_broken_file_is_sealed_or_refused(name: str) -> None:
    logging.getLogger("pyhanko").setLevel(logging.CRITICAL)
    files = {
        "invoice": invoice("packed").write,
        "signed": lambda: base("approval").pdf,
        "certified": lambda: base("p2").pdf,
    }
    pdf = files[name]() if name in files else contract(3, style=name)
    chance = random.Random(name)
    outcomes: Counter[str] = Counter()
    for _ in range(_ROUNDS):
        broken = _broken(chance, pdf)
        try:
            made = sealed(broken, *chance.choice(_PLACES), lock=chance.random() < 0.2)
        except RefusedError as error:
            outcomes[error.first.code if error.first.remedy.zh else "no remedy"] += 1
        else:
            assert made.startswith(broken)
            outcomes["sealed"] += 1
    assert not outcomes["no remedy"]
    assert outcomes["sealed"] or name == "certified"
    assert sum(outcomes.values()) == _ROUNDS


def test_a_tree_that_states_more_pages_than_it_has_is_refused() -> None:
    pdf = contract(2).replace(b"/Count 2", b"/Count 9")
    with pytest.raises(RefusedError, match="PDF_BROKEN"):
        sealed(pdf, AtPosition(-1, 10, 10))
