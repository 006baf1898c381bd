"""Damaged files: whatever is done to one, the verifier answers, soon and in little memory, and never INTACT untruly."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from asn1crypto import cms

from tests.support.damage.anatomy import Anatomy
from tests.support.damage.judging import intact_wrong, judge
from tests.support.damage.mutants import Base, Mutant, foreign_bases, mutant, own_bases
from tests.support.damage.run import run

SEED = 20261123
SAMPLE = 300
WHOLE = 100_000


@pytest.fixture(scope="module")
def own() -> list[Base]:
    return own_bases()


def test_a_fixed_sample_of_mutants(corpus: Path, own: list[Base]) -> None:
    bases = own + [b for b in foreign_bases(corpus / "files") if len(b.data) < 60_000]
    missed = []
    for number in range(SAMPLE):
        made = mutant(SEED, number, bases)
        outcome = judge(made)
        if outcome.wrong:
            missed.append((number, made.base.name, made.steps, outcome.wrong))
    assert not missed


@pytest.mark.acceptance
def test_a_hundred_thousand_mutants(corpus: Path, tmp_path: Path) -> None:
    """Kept in CERTVAULT_DAMAGE where that is set: a run that is started again goes on."""
    out = Path(os.environ.get("CERTVAULT_DAMAGE", tmp_path))
    seed = int(os.environ.get("CERTVAULT_DAMAGE_SEED", SEED))
    counts = run(out, [corpus / "files"], seed=seed, count=WHOLE, workers=os.cpu_count() or 1)
    assert counts.judged >= WHOLE
    assert not counts.wrong, (out / "misses.jsonl").read_text()[:4000]


def test_a_mutant_can_be_made_again(own: list[Base]) -> None:
    assert [mutant(1, n, own).data for n in range(40)] == [mutant(1, n, own).data for n in range(40)]
    assert mutant(1, 5, own).data != mutant(2, 5, own).data


# --- the look that does not lean on the verifier must itself see what is wrong -------------------------------------


def _page_drawn_otherwise(data: bytes) -> bytes:
    """The first page turned by an update, as a viewer follows it."""
    from tests.support.forging import append_update

    anatomy = Anatomy(data)
    page = next(b for b in anatomy.bodies if b"/MediaBox" in data[slice(*b.inner)])
    body = data[slice(*page.inner)].strip()
    return append_update(data, {page.number: body[: body.rindex(b">>")] + b"/Rotate 90>>"})


def _untouched(data: bytes) -> bytes:
    return data


def _with_another_value(data: bytes) -> bytes:
    """One digit of the signature's value, which no viewer looks at."""
    start, first, second, _ = Anatomy(data).ranges[0]
    value = cms.ContentInfo.load(bytes.fromhex(data[start + first + 1 : second - 1].decode()))
    signature = value["content"]["signer_infos"][0]["signature"].native.hex().encode()
    at = data.lower().index(signature) + 30
    return data[:at] + (b"1" if data[at : at + 1] != b"1" else b"2") + data[at + 1 :]


@pytest.mark.parametrize("name", ["0009.pdf", "0087.pdf"])
def test_a_changed_base_that_is_put_right_again_is_no_miss(corpus: Path, name: str) -> None:
    """Two bases had a digit of their page's size changed by their makers; splices once put the old one back."""
    changed = (corpus / "files" / name).read_bytes()
    right = changed.replace(b"/MediaBox [0 0 340 144]", b"/MediaBox [0 0 300 144]")
    assert right != changed
    assert judge(Mutant(0, Base("changed", changed), Base("changed", changed), (), right)).wrong == ""
    assert "differs" in intact_wrong(changed, [], permitted=True)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (_untouched, ""),
        (_page_drawn_otherwise, "pages, text or attachments differ"),
        (_with_another_value, "what is signed differs"),
    ],
)
def test_the_independent_look_sees_it(own: list[Base], change: Callable[[bytes], bytes], says: str) -> None:
    said = intact_wrong(change(own[0].data), [own[0]], permitted=True)
    assert (says in said) if says else said == "", said
