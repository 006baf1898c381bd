"""Judge many mutants: ``python -m tests.support.damage --count N [--seed N] [--out FOLDER] [--workers N]``."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from bench.corpus import ROOT, shared_corpus
from tests.support.damage.run import run

SEED = 20261123


def main() -> int:
    """Run and print; 1 when anything was wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--out", type=Path, default=ROOT / ".cache" / "damage")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--files", type=Path, action="append", help="folders of bases [the shared corpus]")
    arguments = parser.parse_args()
    folders = arguments.files or [f / "files" for f in (shared_corpus(),) if f]
    counts = run(
        arguments.out, folders, seed=arguments.seed, count=arguments.count, workers=arguments.workers,
        say=lambda text: print(text, flush=True),
    )  # fmt: skip
    print(f"{counts.judged} mutants of seed {counts.seed}: {dict(counts.answers)}")
    print(f"slowest {counts.slowest} s, largest process {counts.peak_mb} MB, wrong {dict(counts.wrong)}")
    return 1 if counts.wrong else 0


if __name__ == "__main__":
    raise SystemExit(main())
