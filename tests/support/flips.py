"""Flipped bits of a sealed license: which of them leave it INTACT. Many at a time, on all cores."""

from __future__ import annotations

import multiprocessing
import random
from collections.abc import Iterator, Sequence

from tests.support.forging import seal_range
from tests.support.sealed import NOW
from verify import Integrity, TrustStore, verify_document
from verify.checks.sealed import check_revisions, check_signatures, open_document
from verify.evidence import NO_EVIDENCE
from verify.inquiry import Inquiry
from verify.policy import DEFAULT_POLICY

Flip = tuple[int, int]
"""Offset of a byte, number of the bit in it."""
_CHUNK = 200


def outside_the_digest(pdf: bytes) -> list[int]:
    """Every byte that the seal's digest does not cover: the value in the gap, and the updates behind."""
    start, second, end = seal_range(pdf)
    return [*range(start, second), *range(end, len(pdf))]


def every_bit(places: Sequence[int]) -> list[Flip]:
    """All eight flips of each byte."""
    return [(place, bit) for place in places for bit in range(8)]


def random_flips(places: Sequence[int], count: int, seed: int) -> list[Flip]:
    """A fixed sample of flips."""
    chosen = random.Random(seed)
    return [(chosen.choice(places), chosen.randrange(8)) for _ in range(count)]


def integrity(pdf: bytes, trust: TrustStore) -> Integrity:
    """The steps that decide integrity first; whatever they leave intact the whole judge sees too."""
    inquiry = Inquiry("pdf", trust=trust, at=NOW, policy=DEFAULT_POLICY, evidence=NO_EVIDENCE)
    document = None
    with inquiry.check("structure"):
        document = open_document(inquiry, pdf, None)
        if not document.signatures:
            inquiry.report("UNSIGNED")
    if document is not None and inquiry.integrity is Integrity.INTACT:
        with inquiry.check("signatures"):
            check_signatures(inquiry, document)
    if document is not None and inquiry.integrity is Integrity.INTACT:
        with inquiry.check("revisions"):
            check_revisions(inquiry, document)
    if inquiry.integrity is not Integrity.INTACT:
        return inquiry.integrity
    return verify_document(pdf, trust=trust, at=NOW).integrity


def survivors(pdf: bytes, trust: TrustStore, flips: Sequence[Flip], workers: int = 1) -> list[Flip]:
    """Those flips after which the file is still INTACT."""
    chunks = [flips[at : at + _CHUNK] for at in range(0, len(flips), _CHUNK)]
    if workers == 1:
        return [flip for chunk in chunks for flip in _survivors(pdf, trust, chunk)]
    with multiprocessing.get_context("fork").Pool(workers, _prepare, (pdf, trust)) as pool:
        return [flip for found in pool.imap_unordered(_in_worker, chunks) for flip in found]


def _survivors(pdf: bytes, trust: TrustStore, flips: Sequence[Flip]) -> Iterator[Flip]:
    data = bytearray(pdf)
    for place, bit in flips:
        data[place] ^= 1 << bit
        if integrity(bytes(data), trust) is Integrity.INTACT:
            yield place, bit
        data[place] ^= 1 << bit
    # a judge that has come to call everything altered would find no survivor either
    if integrity(bytes(data), trust) is not Integrity.INTACT:
        raise RuntimeError("the untouched file is no longer INTACT")


_subject: list[tuple[bytes, TrustStore]] = []


def _prepare(pdf: bytes, trust: TrustStore) -> None:
    _subject[:] = [(pdf, trust)]


def _in_worker(flips: Sequence[Flip]) -> list[Flip]:
    pdf, trust = _subject[0]
    return list(_survivors(pdf, trust, flips))
