"""Judge many mutants in worker processes that may crash, hang or grow without taking the run with them.

A run is kept in a folder: ``bases/`` our own files as they were damaged, ``counts.json`` what is done, ``misses.jsonl``
and the missed files. Started again with the same seed it goes on where it ended.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import resource
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

from tests.support.damage.judging import AT, MEGABYTES, judge, peak_megabytes
from tests.support.damage.mutants import Base, Mutant, foreign_bases, mutant, own_bases
from verify import Integrity, TrustStore, verify_document

CHUNK = 100
HANG_SECONDS = 60.0
_ADDRESS_SPACE = 3_000_000_000


@dataclass
class Counts:
    """What a run has done. ``done`` holds the first numbers of finished chunks."""

    seed: int
    answers: Counter[str] = field(default_factory=Counter)
    wrong: Counter[str] = field(default_factory=Counter)
    done: list[int] = field(default_factory=list)
    slowest: float = 0.0
    peak_mb: int = 0

    @property
    def judged(self) -> int:
        return sum(self.answers.values())


def bases_for(out: Path, folders: Sequence[Path]) -> list[Base]:
    """The bases of a run: foreign files where they lie, our own written to the run's folder once."""
    kept = out / "bases"
    if not (kept / "complete").exists():
        kept.mkdir(parents=True, exist_ok=True)
        for base in own_bases():
            (kept / f"{base.name.partition('/')[2]}.pdf").write_bytes(base.data)
        (kept / "complete").touch()
    own = [Base(f"own/{path.name}", path.read_bytes()) for path in sorted(kept.glob("*.pdf"))]
    return own + foreign_bases(*folders)


def run(out: Path, folders: Sequence[Path], *, seed: int, count: int, workers: int, say: Any = print) -> Counts:
    """Judge mutants 0 to ``count`` of ``seed`` and return the counts; misses are written to ``out``."""
    out.mkdir(parents=True, exist_ok=True)
    bases = bases_for(out, folders)
    counts = _kept(out, seed)
    waiting = [first for first in range(0, count, CHUNK) if first not in set(counts.done)]
    say(f"seed {seed}: {len(bases)} bases, {counts.judged} mutants done, {len(waiting) * CHUNK} to go")
    pool = [_Worker(out, bases, seed) for _ in range(workers)]
    began, told = time.monotonic(), time.monotonic()
    while True:
        for worker in pool:
            if worker.idle and waiting:
                worker.give(waiting.pop(0), count)
        busy = [worker for worker in pool if not worker.idle]
        if not busy:
            break
        wait([worker.pipe for worker in busy], timeout=1.0)
        for worker in busy:
            worker.collect(counts)
        if time.monotonic() - told > 60:
            told = time.monotonic()
            _keep(out, counts)
            say(f"{counts.judged} judged in {told - began:.0f} s: {dict(counts.answers)}, wrong {dict(counts.wrong)}")
    for worker in pool:
        worker.end()
    _keep(out, counts)
    return counts


def _kept(out: Path, seed: int) -> Counts:
    path = out / "counts.json"
    if not path.exists():
        return Counts(seed)
    kept = json.loads(path.read_text())
    if kept["seed"] != seed:
        raise SystemExit(f"{out} holds a run of seed {kept['seed']}")
    return Counts(**{**kept, "answers": Counter(kept["answers"]), "wrong": Counter(kept["wrong"])})


def _keep(out: Path, counts: Counts) -> None:
    unfinished = out / "counts.json.new"
    unfinished.write_text(json.dumps(vars(counts)))
    unfinished.replace(out / "counts.json")


class _Worker:
    """One process with a pipe; it says each number before it starts on it, so that a death has a name."""

    def __init__(self, out: Path, bases: Sequence[Base], seed: int) -> None:
        self._out, self._bases, self._seed = out, bases, seed
        self._chunk: tuple[int, int] | None = None
        self._at = 0
        self._since = 0.0
        self._gathered: list[dict[str, Any]] = []
        self._start()

    def _start(self) -> None:
        self.pipe, theirs = multiprocessing.Pipe()
        work = (theirs, self._bases, self._seed)
        self._process = multiprocessing.get_context("fork").Process(target=_work, args=work, daemon=True)
        self._process.start()
        theirs.close()

    @property
    def idle(self) -> bool:
        return self._chunk is None

    def give(self, first: int, count: int) -> None:
        self._chunk = (first, min(first + CHUNK, count))
        self._send(first)

    def _send(self, first: int) -> None:
        assert self._chunk is not None
        self._at, self._since = first, time.monotonic()
        self.pipe.send((first, self._chunk[1]))

    def collect(self, counts: Counts) -> None:
        """Take what came; notice death and hanging."""
        try:
            while self.pipe.poll():
                message = self.pipe.recv()
                if message == "done":
                    self._finish(counts)
                    return
                if isinstance(message, int):
                    self._at, self._since = message, time.monotonic()
                else:
                    self._gathered.append(message)
        except (EOFError, ConnectionResetError):
            self._process.join(5)
            self._lost(counts, f"the process died with status {self._process.exitcode}")
            return
        if time.monotonic() - self._since > HANG_SECONDS:
            self._process.kill()
            self._process.join()
            self._lost(counts, f"no answer in {HANG_SECONDS:.0f} s")

    def _lost(self, counts: Counts, why: str) -> None:
        assert self._chunk is not None
        self._gathered.append({"number": self._at, "integrity": "NONE", "wrong": why, "seconds": 0.0, "peak": 0})
        self.pipe.close()
        self._start()
        if self._at + 1 < self._chunk[1]:
            self._send(self._at + 1)
        else:
            self._finish(counts)

    def _finish(self, counts: Counts) -> None:
        assert self._chunk is not None
        for one in self._gathered:
            counts.answers[one["integrity"]] += 1
            counts.slowest = max(counts.slowest, round(one["seconds"], 2))
            counts.peak_mb = max(counts.peak_mb, one["peak"])
            if one["wrong"]:
                counts.wrong[one["wrong"].split(":")[0][:60]] += 1
                _write_miss(self._out, mutant(self._seed, one["number"], self._bases), one)
        counts.done.append(self._chunk[0])
        self._gathered, self._chunk = [], None

    def end(self) -> None:
        self.pipe.close()
        self._process.join(5)
        if self._process.is_alive():
            self._process.kill()


def _write_miss(out: Path, made: Mutant, one: dict[str, Any]) -> None:
    path = out / f"{made.number:06d}.pdf"
    path.write_bytes(made.data)
    line = {
        "file": str(path), "number": made.number, "base": made.base.name, "other": made.other.name,
        "steps": made.steps, "wrong": one["wrong"], "codes": one.get("codes", []),
    }  # fmt: skip
    with (out / "misses.jsonl").open("a") as log:
        log.write(json.dumps(line) + "\n")


def _work(pipe: Connection, bases: Sequence[Base], seed: int) -> None:
    """A worker's life: chunks come, numbers and answers go."""
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (_ADDRESS_SPACE, hard))
    parent = os.getppid()
    while True:
        while not pipe.poll(5):  # siblings hold the other end too, so that a dead parent closes nothing
            if os.getppid() != parent:
                os._exit(0)
        try:
            first, end = pipe.recv()
        except EOFError:
            os._exit(0)
        for number in range(first, end):
            pipe.send(number)
            made = mutant(seed, number, bases)
            outcome = judge(made)
            peak = peak_megabytes()
            wrong = outcome.wrong or (f"held {peak} MB" if peak > MEGABYTES else "")
            answer = {"number": number, "integrity": outcome.integrity, "wrong": wrong, "peak": peak}
            pipe.send({**answer, "seconds": outcome.seconds, "codes": outcome.codes})
            if peak > MEGABYTES:  # the mark never falls again in this process
                os._exit(3)
        if not _is_sound(bases[0]):
            os._exit(4)
        pipe.send("done")


def _is_sound(base: Base) -> bool:
    """Whether the untouched file is INTACT still: a judge that calls everything altered would miss nothing."""
    return verify_document(base.data, trust=TrustStore(), at=AT).integrity is Integrity.INTACT
