"""Fuzz: ``python -m tests.fuzz [TARGET...] [--seconds N] [--jobs N]``. Each target has a process of its own.

Ends with 1 when something was found; the input lies in ``.cache/fuzz/TARGET/`` and runs again by
``python -m tests.fuzz TARGET --input FILE``. Ends with 0, aloud, where atheris is not installed.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tests.fuzz.targets import SEEDS, TARGETS

ROOT = Path(__file__).resolve().parents[2]
KEPT = ROOT / ".cache" / "fuzz"
SECONDS_EACH = 10  # the longest one input may take
MEGABYTES = 1024
_EXECUTIONS = re.compile(r"stat::number_of_executed_units:\s*(\d+)")
_COVERED = re.compile(r"cov: (\d+)")


@dataclass(frozen=True)
class Run:
    """What became of one target."""

    name: str
    executions: int
    covered: int
    found: str

    def line(self) -> str:
        return f"{self.name:15} {self.executions:9} executions, {self.covered:5} edges  {self.found or 'nothing found'}"


def fuzz(name: str, seconds: int) -> Run:
    """Fuzz one target in a process of its own."""
    folder = KEPT / name
    corpus = folder / "corpus"
    corpus.mkdir(parents=True, exist_ok=True)
    command = [
        sys.executable, "-m", "tests.fuzz.engine", name, f"-max_total_time={seconds}", f"-timeout={SECONDS_EACH}",
        f"-rss_limit_mb={MEGABYTES}", "-print_final_stats=1", f"-artifact_prefix={folder}/", "-max_len=20000",
        str(corpus), str(SEEDS / name),
    ]  # fmt: skip
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, errors="replace", check=False, timeout=seconds * 3 + 300
    )
    said = done.stderr + done.stdout
    (folder / "log").write_text(said)
    executions = [int(n) for n in _EXECUTIONS.findall(said)]
    covered = [int(n) for n in _COVERED.findall(said)]
    found = "" if done.returncode == 0 else _found(said, folder)
    return Run(name, max(executions, default=0), max(covered, default=0), found)


def _found(said: str, folder: Path) -> str:
    error = re.search(r"=== Uncaught Python exception: ===\n(.*)", said) or re.search(r"(ERROR: .*|SUMMARY: .*)", said)
    written = re.findall(r"Test unit written to (\S+)", said)
    return f"FOUND {error[1] if error else 'see log'} in {written[-1] if written else folder / 'log'}"


def main() -> int:
    """Run and print one line a target."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=f"[all of {', '.join(TARGETS)}]")
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--input", type=Path, help="run one target on this file, without fuzzing")
    arguments = parser.parse_args()
    unknown = set(arguments.targets) - set(TARGETS)
    if unknown:
        parser.error(f"no such target: {', '.join(sorted(unknown))}")
    if arguments.input:
        for name in arguments.targets:
            TARGETS[name](arguments.input.read_bytes())
        return 0
    if importlib.util.find_spec("atheris") is None:
        print("fuzzing is skipped: atheris is not installed (it has wheels for CPython on Linux only)", file=sys.stderr)
        return 0
    names = arguments.targets or list(TARGETS)
    with ThreadPoolExecutor(arguments.jobs) as pool:
        runs = []
        for run in pool.map(lambda name: fuzz(name, arguments.seconds), names):
            runs.append(run)
            print(run.line(), flush=True)
    total = sum(run.executions for run in runs)
    print(f"{total} executions on {len(runs)} targets, {sum(bool(run.found) for run in runs)} with findings")
    return 1 if any(run.found for run in runs) else 0


if __name__ == "__main__":
    raise SystemExit(main())
