"""No changed bit of a sealed license stays unseen: outside the hashed range every one, elsewhere many."""

from __future__ import annotations

import os

import pytest

from signing.formats.pades import Baseline
from tests.support.flips import every_bit, integrity, outside_the_digest, random_flips, survivors
from tests.support.sealed import Sealed, genuine
from verify import Integrity, TrustStore

TYPE = "driving-license"
ELSEWHERE = 20_000


def _trust(sealed: Sealed, trusted: bool) -> TrustStore:
    return sealed.trust() if trusted else TrustStore()


@pytest.mark.parametrize("trusted", [True, False], ids=["trusted", "no-anchor"])
@pytest.mark.parametrize("suite", ["p256", "rsa3072"])
@pytest.mark.parametrize("baseline", [Baseline.B_LT, Baseline.B_LTA])
def test_a_sample_of_bits_outside_the_digest(baseline: Baseline, suite: str, trusted: bool) -> None:
    sealed = genuine(baseline, TYPE, suite)
    trust = _trust(sealed, trusted)
    assert integrity(sealed.pdf, trust) is Integrity.INTACT
    flips = random_flips(outside_the_digest(sealed.pdf), 80, seed=20261123)
    assert survivors(sealed.pdf, trust, flips) == []


def test_a_sample_of_bits_inside_the_digest() -> None:
    sealed = genuine(Baseline.B_LT, TYPE)
    outside = set(outside_the_digest(sealed.pdf))
    inside = [place for place in range(len(sealed.pdf)) if place not in outside]
    assert survivors(sealed.pdf, sealed.trust(), random_flips(inside, 120, seed=7)) == []


def test_a_survivor_would_be_found(monkeypatch: pytest.MonkeyPatch) -> None:
    sealed = genuine(Baseline.B_LT, TYPE)
    monkeypatch.setattr("tests.support.flips.integrity", lambda pdf, trust: Integrity.INTACT)
    flips = random_flips(range(100), 3, seed=1)
    assert survivors(sealed.pdf, sealed.trust(), flips) == flips


@pytest.mark.acceptance
@pytest.mark.parametrize("trusted", [True, False], ids=["trusted", "no-anchor"])
def test_every_bit_outside_the_digest(trusted: bool) -> None:
    """The default baseline: the value in the gap and our DSS update, bit by bit."""
    sealed = genuine(Baseline.B_LT, TYPE)
    flips = every_bit(outside_the_digest(sealed.pdf))
    assert survivors(sealed.pdf, _trust(sealed, trusted), flips, os.cpu_count() or 1) == []


@pytest.mark.acceptance
def test_twenty_thousand_bits_elsewhere() -> None:
    sealed = genuine(Baseline.B_LT, TYPE)
    outside = set(outside_the_digest(sealed.pdf))
    inside = [place for place in range(len(sealed.pdf)) if place not in outside]
    flips = random_flips(inside, ELSEWHERE, seed=20261123)
    assert survivors(sealed.pdf, sealed.trust(), flips, os.cpu_count() or 1) == []


@pytest.mark.parametrize("size", [1, 2, 7, 64])
def test_bytes_taken_out_or_put_in(size: int) -> None:
    sealed = genuine(Baseline.B_LTA, TYPE)
    places = outside_the_digest(sealed.pdf)
    chosen = [place for place, _ in random_flips(places, 20, seed=size)]
    for place in [*chosen, *places[-200::13]]:
        more = b" " * size if place % 2 else os.urandom(size)
        for changed in (sealed.pdf[place + size :], more + sealed.pdf[place:]):
            assert integrity(sealed.pdf[:place] + changed, sealed.trust()) is not Integrity.INTACT, place
