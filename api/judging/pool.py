"""A few judges, each judging one file at a time; one that overruns is killed and replaced."""

from __future__ import annotations

import hashlib
import logging
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

from api.judging.answers import answer_json
from api.judging.process import Judge, JudgeLostError, NoJudgeError, Question, Trial
from api.judging.turns import NoTurnError, Turns
from verify.facts import Facts
from verify.findings import Finding, finding
from verify.formats.seal import begins_as_seal
from verify.verdict import Verdict, conclusion_from, integrity_from

__all__ = ["NoJudgeError", "NoTurnError", "Pool", "Question", "Trial"]

log = logging.getLogger("certvault.judging")

REST_SECONDS = 5.0
"""After a judge could not be started, none is tried for so long: a start costs a second of a processor."""


class Pool:
    """At most ``size`` judges, started when first needed. Verdicts are dicts by language.

    ``shared`` among clients, of whom none may have all judges; else one client has them.
    """

    def __init__(self, size: int, *, seconds: float, memory: int, shared: bool = True) -> None:
        self._seconds = seconds
        self._memory = memory
        self._closed = False
        self._turns = Turns(size, shared=shared)
        self._idle: list[Judge] = []
        self._resting_until = 0.0
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, tb: TracebackType | None) -> None:
        self.close()

    def warm(self, count: int = 1) -> None:
        """Start judges ahead of the first question, in the background."""
        for _ in range(count):
            threading.Thread(target=self._warm, daemon=True).start()

    def _warm(self) -> None:
        self._turns.take("")
        try:
            self._put(self._judge())
        except NoJudgeError:
            log.warning("no judge could be started ahead of need")
        finally:
            self._turns.give("")

    def close(self) -> None:
        """End every judge: the idle now, the busy when they are done."""
        self._closed = True
        with self._lock:
            idle, self._idle = self._idle, []
        for judge in idle:
            judge.end()

    def ask(self, question: Question, *, client: str = "", wait: float | None = None) -> dict[str, dict[str, Any]]:
        """The verdict on one file: ``{"zh": verdict, "en": verdict}``.

        Waits for the turn of ``client``, at most ``wait`` seconds: NoTurnError. NoJudgeError when no judge can be
        started. A file that costs the judge its life gets a verdict which says so.
        """
        return self.ask_timed(question, client=client, wait=wait)[0]

    def ask_timed(
        self, question: Question, *, client: str = "", wait: float | None = None
    ) -> tuple[dict[str, dict[str, Any]], float]:
        """As :meth:`ask`, with the seconds that the judge was busy."""
        return self._timed(
            lambda judge: judge.ask(question, self._seconds),
            lambda code: lost_verdict(question, code, self._seconds),
            client,
            wait,
        )

    def rehearse(
        self, trial: Trial, *, client: str = "", wait: float | None = None, seconds: float | None = None
    ) -> tuple[dict[str, Any], float]:
        """What a rehearsal came to, as :func:`api.judging.rehearsal.answer_of` says it, and the seconds it took.

        As :meth:`ask`, with ``seconds`` for the file where they are given; one that costs the judge its life is
        ``costly``."""
        most = self._seconds if seconds is None else seconds
        return self._timed(lambda judge: judge.rehearse(trial, most), lambda _code: {"costly": True}, client, wait)

    def _timed(
        self,
        work: Callable[[Judge], dict[str, Any]],
        lost: Callable[[str], dict[str, Any]],
        client: str,
        wait: float | None,
    ) -> tuple[dict[str, Any], float]:
        self._turns.take(client, wait)
        began = time.monotonic()
        try:
            answer = self._asked(work, lost)
            return answer, time.monotonic() - began
        finally:
            self._turns.give(client)

    def _asked(self, work: Callable[[Judge], dict[str, Any]], lost: Callable[[str], dict[str, Any]]) -> dict[str, Any]:
        while True:
            judge = self._judge()
            used = judge.files > 0
            try:
                answer = work(judge)
            except BaseException as error:
                judge.end()  # it is lost, or it still waits for an answer of ours
                if not isinstance(error, JudgeLostError):
                    raise
                if used and error.code != "TIME_EXCEEDED":
                    continue  # an earlier file may have brought it down; a new judge is fair
                return lost(error.code)
            self._put(judge)
            return answer

    def _judge(self) -> Judge:
        """An idle judge or a new one; NoJudgeError."""
        with self._lock:
            judge = self._idle.pop() if self._idle else None
            resting = time.monotonic() < self._resting_until
        if judge is not None and judge.fresh:
            return judge
        if judge is not None:
            judge.end()
        if resting:
            raise NoJudgeError
        try:
            return Judge(self._memory)
        except NoJudgeError:
            self._resting_until = time.monotonic() + REST_SECONDS
            raise

    def _put(self, judge: Judge) -> None:
        with self._lock:
            if not self._closed:
                self._idle.append(judge)
                return
        judge.end()


def lost_verdict(question: Question, code: str, seconds: float) -> dict[str, dict[str, Any]]:
    """The verdict on a file that nobody could read to its end."""
    kind = "pdf" if b"%PDF" in question.data[:1024] else "record" if question.kind == "record" else "code"
    kind = "seal" if begins_as_seal(question.data) else kind
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
        facts=Facts(sha256=hashlib.sha256(question.data).hexdigest(), size=len(question.data)),
    )
    return answer_json(verdict, question.depth)
