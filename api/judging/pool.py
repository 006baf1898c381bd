"""A few judges, each judging one file at a time; one that overruns is killed and replaced."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import pickle
import queue
import subprocess
import sys
import threading
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import Any, Self

from api.judging import frames
from verify.evidence import Evidence, VaultFacts
from verify.findings import Finding, finding
from verify.trust.anchors import TrustStore
from verify.verdict import Verdict, conclusion_from, integrity_from

log = logging.getLogger("certvault.judging")

START_SECONDS = 60.0
FILES_PER_PROCESS = 500
"""After so many files a judge is replaced, so that what a library leaks has an end."""


@dataclass(frozen=True, slots=True)
class Question:
    """One file to judge, with all that it may be judged by. ``kind`` is ``any``, ``code`` or ``record``."""

    data: bytes
    trust: TrustStore
    evidence: Evidence
    at: datetime
    password: str | None = None
    kind: str = "any"


class JudgeLostError(Exception):
    """The process ended or overran. ``code`` is the finding that says which."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Pool:
    """At most ``size`` judges, started when first needed. Verdicts are dicts by language; asking never raises."""

    def __init__(self, size: int, *, seconds: float, memory: int) -> None:
        self._seconds = seconds
        self._memory = memory
        self._closed = False
        self._idle: queue.LifoQueue[_Judge | None] = queue.LifoQueue()
        for _ in range(size):
            self._idle.put(None)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, tb: TracebackType | None) -> None:
        self.close()

    def warm(self) -> None:
        """Start one judge ahead of the first question, in the background."""
        threading.Thread(target=self._warm, daemon=True).start()

    def _warm(self) -> None:
        judge = self._idle.get()
        try:
            judge = judge or _Judge(self._memory)
        except (JudgeLostError, OSError):
            log.warning("no judge could be started ahead of need")
        finally:
            self._put(judge)

    def _put(self, judge: _Judge | None) -> None:
        if self._closed:
            _end(judge)
            judge = None
        self._idle.put(judge)

    def close(self) -> None:
        """End every judge: the idle now, the busy when they are done."""
        self._closed = True
        while True:
            try:
                judge = self._idle.get_nowait()
            except queue.Empty:
                return
            if judge:
                judge.end()

    def ask(self, question: Question) -> dict[str, dict[str, Any]]:
        """The verdict on one file: ``{"zh": verdict, "en": verdict}``. Waits for a free judge."""
        judge = self._idle.get()
        try:
            if judge is None or not judge.fresh:
                _end(judge)
                judge = None  # nothing to put back, should the start fail
                judge = _Judge(self._memory)
            return judge.ask(question, self._seconds)
        except BaseException as error:
            _end(judge)  # it is lost, or it still waits for an answer of ours
            judge = None
            if isinstance(error, JudgeLostError):
                return lost_verdict(question, error.code, self._seconds)
            raise
        finally:
            self._put(judge)


class _Judge:
    """One child process."""

    def __init__(self, memory: int) -> None:
        # the child needs no secret of ours, so it gets none: neither PIN nor database address
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("CERTVAULT_", "AWS_", "PG"))}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "api.judging.judge", str(memory)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=kept,
            start_new_session=True,
        )
        if self._process.stdin is None or self._process.stdout is None:
            raise JudgeLostError("INTERNAL")
        self._in, self._out = self._process.stdin, self._process.stdout
        self._files = 0
        self._receive(_Deadline(self._process, START_SECONDS))

    @property
    def fresh(self) -> bool:
        """Whether it lives and has not served its term."""
        return self._process.poll() is None and self._files < FILES_PER_PROCESS

    def ask(self, question: Question, seconds: float) -> dict[str, dict[str, Any]]:
        """The verdict, or JudgeLostError."""
        self._files += 1
        deadline = _Deadline(self._process, seconds)
        self._send(
            {
                "data": question.data,
                "trust": question.trust,
                "crls": question.evidence.crls,
                "ocsps": question.evidence.ocsps,
                "at": question.at,
                "password": question.password,
                "kind": question.kind,
                "facts": question.evidence.lookup is not None,
            },
            deadline,
        )
        while "verdict" not in (answer := self._receive(deadline, keep=True)):
            self._send(_told(question.evidence, answer), deadline)
        deadline.done()
        verdict = answer["verdict"]
        if not isinstance(verdict, dict) or not {"zh", "en"} <= set(verdict):
            raise JudgeLostError("INTERNAL")
        return verdict

    def end(self) -> None:
        """Kill the process and let go of its pipes."""
        self._process.kill()
        self._process.wait()
        for stream in (self._in, self._out):
            with contextlib.suppress(OSError):  # what was still in the buffer has no reader any more
                stream.close()

    def _send(self, message: object, deadline: _Deadline) -> None:
        try:
            frames.write(self._in, pickle.dumps(message))
        except OSError as error:
            raise deadline.lost() from error

    def _receive(self, deadline: _Deadline, *, keep: bool = False) -> dict[str, Any]:
        try:
            message = json.loads(frames.read(self._out, frames.MAX_ANSWER))
        except (frames.BrokenFrameError, OSError, ValueError) as error:
            raise deadline.lost() from error
        if not keep:
            deadline.done()
        return message if isinstance(message, dict) else {}


def _told(evidence: Evidence, asked: dict[str, Any]) -> VaultFacts | bytes | None:
    """What a judge may ask in the midst of its work: the facts about an identifier, the status list of an address."""
    name = str(asked.get("name", ""))[:1000]
    match asked.get("ask"):
        case "facts" if evidence.lookup:
            return evidence.lookup(name)
        case "list":
            return evidence.status_lists.get(name)
        case _:
            return None


def _end(judge: _Judge | None) -> None:
    if judge:
        judge.end()


class _Deadline:
    """Kills the process when the time is up, which ends every wait for it."""

    def __init__(self, process: subprocess.Popen[bytes], seconds: float) -> None:
        self._overrun = False
        self._process = process
        self._timer = threading.Timer(seconds, self._kill)
        self._timer.daemon = True
        self._timer.start()

    def _kill(self) -> None:
        self._overrun = True
        self._process.kill()

    def done(self) -> None:
        """In time."""
        self._timer.cancel()

    def lost(self) -> JudgeLostError:
        """Why there is no answer: the time was up, or the process ended by itself (its memory was up)."""
        self.done()
        log.warning("a judge was lost: %s", "time" if self._overrun else "memory or a crash")
        return JudgeLostError("TIME_EXCEEDED" if self._overrun else "LIMIT_EXCEEDED")


def lost_verdict(question: Question, code: str, seconds: float) -> dict[str, dict[str, Any]]:
    """The verdict on a file that nobody could read to its end."""
    kind = "pdf" if b"%PDF" in question.data[:1024] else "record" if question.kind == "record" else "code"
    findings: tuple[Finding, ...] = (finding(code, limit="judge", what="judge", seconds=seconds),)
    integrity = integrity_from(findings)
    verdict = Verdict(
        kind=kind,
        integrity=integrity,
        conclusion=conclusion_from(integrity, findings),
        standing=None,
        at=question.at,
        findings=findings,
        elapsed_ms=seconds * 1000,
    )
    return {"zh": verdict.to_json("zh"), "en": verdict.to_json("en")}
