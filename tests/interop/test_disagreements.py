"""Other judges on the same files: every class of disagreement is known, reasoned, and in the document."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.interop.disagreements import (
    DOCUMENT,
    SHOWN,
    Labelled,
    disagreements,
    from_corpus,
    from_forger,
    markdown,
    reasons,
    unexplained,
    whole,
)
from tests.support import judges

_SMALL = 40_000


@pytest.fixture(scope="module")
def sample(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Labelled]:
    """Small files of the corpus, and the first file of each of the forger's families."""
    folder = tmp_path_factory.mktemp("forged")
    foreign = [f for f in from_corpus() if f.path.stat().st_size < _SMALL][::6]
    return foreign + from_forger(folder, most=1)


@pytest.mark.parametrize("peer", SHOWN)
def test_every_disagreement_in_the_sample_has_a_reason(
    request: pytest.FixtureRequest, sample: list[Labelled], peer: str
) -> None:
    if peer == "dss":
        request.getfixturevalue("java_judges")
    elif peer != "pyhanko" and not shutil.which(peer):
        pytest.skip(f"{peer} is not installed")
    found = disagreements(sample, [peer])
    assert not unexplained(found), found


def test_a_new_disagreement_is_noticed(sample: list[Labelled], monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.support import peers

    monkeypatch.setattr(peers, "pyhanko", lambda path: peers.Answer(not peers.ours(path).accepted, "the contrary"))
    found = disagreements(sample[:3], ["pyhanko"])
    assert len(unexplained(found)) == len(found) > 0


def test_no_class_in_the_document_is_without_a_reason_or_lost_by_us() -> None:
    known = set(reasons().values())
    rows = [
        line for line in DOCUMENT.read_text("utf-8").splitlines() if line.startswith("| ") and "it says" not in line
    ]
    assert len(rows) > 20
    for row in rows:
        _, _, _, _, right, reason, _ = (cell.strip() for cell in row.split("|"))
        assert reason in known, row
        assert right in ("we", "disputed"), row


@pytest.mark.acceptance
def test_the_document_is_what_everybody_says_about_everything(java_judges: None, corpus: Path, tmp_path: Path) -> None:
    parts = whole(tmp_path)
    for _, found in parts.values():
        assert not unexplained(found)
    assert markdown(parts) == DOCUMENT.read_text("utf-8")


# --- documents of another producer ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def produced(java_judges: None, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return judges.producers(tmp_path_factory.mktemp("pdfbox"))


def test_documents_of_several_revisions_by_pdfbox(produced: list[Path], scale: Callable[[int, int], int]) -> None:
    """Filled, signed again, commented where allowed: INTACT. Pages added, turned or drawn over: never."""
    from tests.support import peers

    wrong = []
    for path in produced[:: max(1, len(produced) // scale(80, len(produced)))]:
        answer = peers.ours(path)
        if answer.accepted != path.name.startswith("genuine"):
            wrong.append((path.name, answer.because))
    assert len(produced) == 160
    assert not wrong
