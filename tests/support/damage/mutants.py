"""The bases that are damaged, and mutant after mutant made from them."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from tests.support.damage import bytewise, structural, updates
from tests.support.damage.anatomy import Anatomy

LARGEST = 400_000
"""Bytes; larger bases would take most of the time and have nothing new in them."""


@dataclass(frozen=True)
class Base:
    """A file to damage. ``password`` is unused so far: encrypted files are judged closed."""

    name: str
    data: bytes


@dataclass(frozen=True)
class Mutant:
    """One damaged file: what of, how, and the second file that pieces may come from."""

    number: int
    base: Base
    other: Base
    steps: tuple[str, ...]
    data: bytes


def foreign_bases(*folders: Path) -> list[Base]:
    """Every PDF of the folders that is not too large, in the order of names."""
    found = []
    for folder in folders:
        for path in sorted(folder.rglob("*.pdf")):
            if path.stat().st_size <= LARGEST:
                found.append(Base(f"{folder.name}/{path.name}", path.read_bytes()))
    return found


def own_bases() -> list[Base]:
    """Our own licenses, each baseline, with both suites of keys."""
    from signing.formats.pades import Baseline
    from tests.support.sealed import genuine

    kinds = [
        (Baseline.B_LT, "business-license", "p256"),
        (Baseline.B_LT, "driving-license", "rsa3072"),
        (Baseline.B_LTA, "driving-license", "p256"),
        (Baseline.B_B, "marriage-certificate", "p256"),
    ]
    return [Base(f"own/{t}.{b.value}.{s}", genuine(b, t, s).pdf) for b, t, s in kinds]


@lru_cache(maxsize=400)
def _anatomy(base: Base) -> Anatomy:
    return Anatomy(base.data)


def mutant(seed: int, number: int, bases: Sequence[Base]) -> Mutant:
    """Mutant ``number`` of ``seed``: a quarter of our own licenses where there are any, the rest of all bases alike."""
    r = random.Random(f"{seed}/{number}")
    own = [b for b in bases if b.name.startswith("own/")]
    base = r.choice(own) if own and r.random() < 0.25 else r.choice(bases)
    other = r.choice(bases)
    anatomy, others = _anatomy(base), _anatomy(other)
    steps: list[str] = []
    for _ in range(r.choice((1, 1, 1, 1, 2, 2, 3, 5))):
        how = r.choice(r.choices((bytewise.ALL, structural.ALL, updates.ALL), (3, 4, 3))[0])
        data = how(r, anatomy, others)
        steps.append(how.__name__)
        if len(data) > 4 * LARGEST:
            break
        anatomy = Anatomy(data)
    return Mutant(number, base, other, tuple(steps), anatomy.data)
