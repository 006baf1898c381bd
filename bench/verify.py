"""Time, memory and right answers of the judge over a corpus of signed files, beside pyHanko alone in the same run.

    python -m bench.verify [--files FOLDER]... [--rounds N] [--only answers,times,memory,cores,forged] [--json]

*certvault* is ``verify_document`` without drawing, *certvault drawing* compares drawn revisions as well, *pyHanko* is
its own validation of each signature and timestamp with the later changes compared; all without anchors. In each round
the three take turns on every file in one process, the first to go changing, so that a busy machine is busy for all;
of each file the quickest round counts. Memory is measured in a process of its own for each judge, after every 50
files. *cores* times the command on many files with one worker and with one a core.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.corpus import CLASSES, ROOT, Case, cases, groups, shared_corpus
from bench.engines import ENGINES

EVERY = 50
PARTS = ("answers", "times", "memory", "cores", "forged")
COPIES = 2
Report = dict[str, Any]


def machine() -> Report:
    """What it ran on, and how busy that was."""
    model = "unknown"
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        lines = (line.partition(":") for line in cpuinfo.read_text().splitlines())
        model = next((value.strip() for name, _, value in lines if name.strip() == "model name"), model)
    load = [round(value, 1) for value in os.getloadavg()]
    return {"processor": model, "cores": os.cpu_count(), "python": platform.python_version(), "load": load}


def times(files: Sequence[Case], rounds: int) -> Report:
    """Milliseconds a file of each judge, by the clock and of the processor, the quickest round of each; its answers."""
    judges = {name: make() for name, make in ENGINES.items()}
    data = [case.path.read_bytes() for case in files]
    for judge in judges.values():  # imports are nobody's file
        judge(data[0])
    best: dict[str, list[float]] = {name: [float("inf")] * len(files) for name in judges}
    worked: dict[str, list[float]] = {name: [float("inf")] * len(files) for name in judges}
    answers: dict[str, list[tuple[str, str]]] = {name: [("", "")] * len(files) for name in judges}
    for turn in range(rounds):
        for index, pdf in enumerate(data):
            names = list(judges)
            first = (turn + index) % len(names)
            for name in names[first:] + names[:first]:
                start, work = time.perf_counter(), time.process_time()
                answers[name][index] = judges[name](pdf)
                best[name][index] = min(best[name][index], (time.perf_counter() - start) * 1000)
                worked[name][index] = min(worked[name][index], (time.process_time() - work) * 1000)
    shown = {name: _spread(values) for name, values in best.items()}
    processor = {name: _spread(values) for name, values in worked.items()}
    slowest = {
        name: [
            {"file": files[i].path.name, "ms": round(values[i], 1)}
            for i in sorted(range(len(files)), key=values.__getitem__, reverse=True)[:5]
        ]
        for name, values in best.items()
    }
    return {
        "milliseconds": shown, "processor_milliseconds": processor, "slowest": slowest, "rounds": rounds,
        "answers": answers,
    }  # fmt: skip


def _spread(values: Sequence[float]) -> dict[str, float]:
    ordered = sorted(values)
    last = len(ordered) - 1
    return {
        "median": round(statistics.median(ordered), 2),
        "p99": round(ordered[min(last, int(len(ordered) * 0.99))], 1),
        "max": round(ordered[last], 1),
        "total_s": round(sum(ordered) / 1000, 2),
    }


def memory(folders: Sequence[Path]) -> Report:
    """Of each judge in a process of its own: megabytes resident after every 50 files, and the peak."""
    found = {}
    for name in ENGINES:
        command = [sys.executable, "-m", "bench.verify", "--memory-of", name]
        for folder in folders:
            command += ["--files", str(folder)]
        done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
        found[name] = json.loads(done.stdout.splitlines()[-1])
    return found


def _memory_of(name: str, files: Sequence[Case]) -> Report:
    judge = ENGINES[name]()
    judge(files[0].path.read_bytes())
    trail = [_resident()]
    # twice over the set: what grows in the second pass is kept for nothing
    for number, case in enumerate([*files, *files], 1):
        judge(case.path.read_bytes())
        if number % EVERY == 0:
            trail.append(_resident())
    return {"peak_mb": _peak(), "resident_mb": trail, "files": 2 * len(files)}


def _peak() -> int:
    """The most that was resident, in megabytes. (What getrusage says begins with the parent's.)"""
    status = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 // 1_000_000 for line in status if line.startswith("VmHWM"))


def _resident() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return round(pages * resource.getpagesize() / 1_000_000)


def cores(files: Sequence[Case]) -> Report:
    """Seconds of ``certvault verify`` over all files, each twice, with one worker and with one for each core."""
    command = Path(sys.executable).with_name("certvault")
    if not command.exists():
        return {"skipped": "the command certvault is not installed"}
    paths = [str(case.path) for case in files] * COPIES
    seconds = {}
    with tempfile.TemporaryDirectory() as nowhere:
        environment = {**os.environ, "CERTVAULT_VAULT": nowhere}
        for jobs in (1, os.cpu_count() or 1):
            start = time.perf_counter()
            arguments = [str(command), "verify", "--json", "--offline", "--jobs", str(jobs), *paths]
            done = subprocess.run(arguments, capture_output=True, check=False, env=environment)
            seconds[jobs] = round(time.perf_counter() - start, 2)
            if len(json.loads(done.stdout)["files"]) != len(paths):
                raise RuntimeError("not every file was answered")
    slow, quick = seconds[1], seconds[max(seconds)]
    return {"files": len(paths), "seconds": seconds, "times_as_fast": round(slow / quick, 2)}


def answers(files: Sequence[Case], given: dict[str, list[tuple[str, str]]]) -> Report:
    """Right answers of all, by group and class, for each judge, with the files that were missed."""
    tables: Report = {}
    for name, said in given.items():
        right: Counter[tuple[str, str]] = Counter()
        total: Counter[tuple[str, str]] = Counter()
        raised = 0
        missed = []
        for case, (integrity, conclusion) in zip(files, said, strict=True):
            raised += integrity.startswith("raised")
            if case.disputed:
                continue
            total[case.group, case.expected] += 1
            if case.right(integrity, conclusion):
                right[case.group, case.expected] += 1
            else:
                missed.append(
                    {"file": case.path.name, "group": case.group, "expected": case.expected, "said": integrity}
                )
        table = {
            group: {kind: [right[group, kind], total[group, kind]] for kind in CLASSES if total[group, kind]}
            for group in groups(files)
        }
        tables[name] = {"right_of": table, "missed": missed, "raised": raised}
    return tables


def measure(folders: Sequence[Path], rounds: int, parts: Sequence[str]) -> Report:
    """Everything asked for, as one JSON-like report."""
    files = [case for folder in folders for case in cases(folder)]
    report: Report = {"machine": machine(), "files": len(files)}
    if "times" in parts or "answers" in parts:
        timed = times(files, rounds if "times" in parts else 1)
        given = timed.pop("answers")
        if "times" in parts:
            report["times"] = timed
        report["answers"] = answers(files, given)
    if "memory" in parts:
        report["memory"] = memory(folders)
    if "cores" in parts:
        report["cores"] = cores(files)
    if "forged" in parts:
        report["forged"] = forged()
    report["load_at_end"] = machine()["load"]
    return report


def show(report: Report) -> None:
    """The report for a person."""
    print(f"machine  {report['machine']}, load at end {report['load_at_end']}")
    print(f"files    {report['files']}")
    if "times" in report:
        for title, key in (("by the clock", "milliseconds"), ("of the processor", "processor_milliseconds")):
            print(f"\nmilliseconds a file       median       p99       max     total   {title}")
            for name, spread in report["times"][key].items():
                milliseconds = f"{spread['median']:9.2f} {spread['p99']:9.1f} {spread['max']:9.1f}"
                print(f"{name:22} {milliseconds} {spread['total_s']:7.2f} s")
    if "memory" in report:
        print(f"\nmegabytes resident        peak   after every {EVERY} files, the set twice")
        for name, found in report["memory"].items():
            print(f"{name:22} {found['peak_mb']:7}   {' '.join(map(str, found['resident_mb']))}")
    if "cores" in report:
        print(f"\ncertvault verify  {report['cores']}")
    if "answers" in report:
        _show_answers(report["answers"])
    if "forged" in report:
        _show_forged(report["forged"])


def _show_answers(tables: Report) -> None:
    print("\nright answers of all (disputed files left out)")
    for name, table in tables.items():
        print(f"{name}  (raised an exception: {table['raised']})")
        for group, row in table["right_of"].items():
            print(f"  {group:40} " + "  ".join(f"{kind} {r} of {n}" for kind, (r, n) in row.items()))
        for miss in table["missed"] if name.startswith("certvault") else ():
            print(f"    missed {miss['file']} ({miss['group']}, {miss['expected']}): {miss['said']}")


def forged() -> Report:
    """Our own forger's files, judged under the anchors of the test keys: rightly answered of all, by family."""
    from tests.support.forger.judging import table

    rows = table()
    return {row.family: {"right_of": [row.caught, row.total], "missed": row.missed} for row in rows}


def _show_forged(families: Report) -> None:
    print("\nour own forger's files, by family: rightly answered of all")
    for family, row in families.items():
        right, total = row["right_of"]
        print(f"  {family:30} {right:5} of {total}")
        for variant, reason in list(row["missed"].items())[:10]:
            print(f"    missed {variant}: {reason[:120]}")
    sums = [sum(row["right_of"][place] for row in families.values()) for place in (0, 1)]
    print(f"  {'all':30} {sums[0]:5} of {sums[1]}")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", action="append", type=Path, help="folder with manifest.json [the shared corpus]")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", default=",".join(PARTS), help=f"some of {','.join(PARTS)}")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--memory-of", choices=ENGINES, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    folders = arguments.files or [folder for folder in (shared_corpus(),) if folder]
    if not folders:
        parser.error("the shared corpus is absent (CERTVAULT_SHARED); name a folder with --files")
    if arguments.memory_of:
        print(json.dumps(_memory_of(arguments.memory_of, [case for folder in folders for case in cases(folder)])))
        return
    report = measure(folders, arguments.rounds, arguments.only.split(","))
    if arguments.json:
        print(json.dumps(report, ensure_ascii=False, indent=1))
        return
    show(report)


if __name__ == "__main__":
    main()
