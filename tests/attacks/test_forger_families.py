"""Every file of our own forger, family by family: none of them passes, and a finding says why."""

from __future__ import annotations

import pytest

from tests.support.forger import Expected, forgeries, sample
from tests.support.forger.judging import table

_FAMILIES = sorted({f.family for f in forgeries()})


@pytest.mark.parametrize("family", _FAMILIES)
def test_the_family_is_judged_as_it_must_be(family: str) -> None:
    """A sample: every forgery, each on some of its base documents."""
    (row,) = table(sample(forgeries(family)))
    assert not row.missed
    assert row.caught == row.total


@pytest.mark.acceptance
@pytest.mark.parametrize("family", _FAMILIES)
def test_every_file_of_the_family_is_judged_as_it_must_be(family: str) -> None:
    (row,) = table(forgeries(family))
    assert not row.missed
    assert row.caught == row.total


def test_each_forgery_says_what_is_wrong_and_no_two_share_a_name() -> None:
    names = [f.name for f in forgeries()]
    assert len(set(names)) == len(names)
    assert all(f.wrong.endswith(".") for f in forgeries())
    assert all(f.wrong.startswith("Nothing") for f in forgeries() if f.expected is Expected.INTACT)
