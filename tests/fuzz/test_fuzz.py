"""Every seed and every input that fuzzing once found runs through its target; fuzzing itself is ``make fuzz``."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fuzz.targets import SEEDS, TARGETS, WrongAnswerError, cms, pdf_document
from verify.formats.qr import CodeError, unverified_cose

_ROOT = Path(__file__).resolve().parents[2]


def _seeds() -> list[tuple[str, Path]]:
    return [(name, path) for name in TARGETS for path in sorted((SEEDS / name).iterdir())]


@pytest.mark.parametrize(("name", "path"), _seeds(), ids=lambda value: getattr(value, "name", value))
def test_a_kept_input_ends_as_the_parser_says(name: str, path: Path) -> None:
    TARGETS[name](path.read_bytes())


@pytest.mark.parametrize("name", sorted(TARGETS))
def test_nothing_and_noise_end_as_the_parser_says(name: str) -> None:
    for data in (b"", b"\0", b"\xff" * 40, b"%PDF-1.7\n", b"{}", b"[" * 3000, b"0\x80" * 200):
        TARGETS[name](data)


def test_a_target_notices_an_untrue_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    from verify.verdict import Verdict

    monkeypatch.setattr(Verdict, "codes", lambda self: frozenset({"INTERNAL"}))
    with pytest.raises(WrongAnswerError):
        pdf_document(b"%PDF-1.7\n")
    with pytest.raises(WrongAnswerError):
        cms(b"")


def test_a_fuzzer_starts_and_is_guided(tmp_path: Path) -> None:
    """A second of atheris on one parser: it executes many inputs and finds ways that the seeds do not take."""
    if importlib.util.find_spec("atheris") is None:
        pytest.skip("atheris is not installed")
    command = [sys.executable, "-m", "tests.fuzz.engine", "pdf_values", "-max_total_time=2", "-print_final_stats=1"]
    done = subprocess.run(
        [*command, f"-artifact_prefix={tmp_path}/", str(tmp_path), str(SEEDS / "pdf_values")],
        cwd=_ROOT, capture_output=True, text=True, errors="replace", check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    assert len(list(tmp_path.iterdir())) > 1


@pytest.mark.parametrize("name", ["maps-as-keys", "shared-values"])
def test_a_code_that_would_unfold_is_refused_before_it_does(name: str) -> None:
    """A map as a key is hashed anew at each level; a shared value stands for all of its copies."""
    with pytest.raises(CodeError, match="no CBOR"):
        unverified_cose((SEEDS / "code_cbor" / name).read_bytes())
