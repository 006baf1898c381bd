"""Judging files for the command line: in this process, or in several of their own with ceilings on memory and time.

Answers come in the order of the files, and only so many are held as there is work ahead. Only files in work hold their
bytes, and answers are small: memory stays flat.
"""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from api.cli.options import Invocation
from verify.policy import DEFAULT_POLICY

if TYPE_CHECKING:
    from api.judging.pool import Pool
    from verify.evidence import Evidence
    from verify.trust.anchors import TrustStore
    from verify.verdict import Verdict

STDIN = Path("-")
AHEAD = 128
"""So many files are judged ahead of the one whose answer is next: while one takes long, the other processes work on."""


class PathError(Exception):
    """A path that cannot be read; the message says why, in the caller's language."""


@dataclass(frozen=True, slots=True)
class Grounds:
    """By what every file is judged."""

    trust: TrustStore
    evidence: Evidence
    at: datetime
    password: str | None
    document: bytes | None = None
    """What a signature in a file of its own is over; such files are judged in this process."""


def judges(stack: ExitStack, workers: int) -> Pool | None:
    """``workers`` processes, closed with ``stack``; None for 0. They load while this process goes on."""
    if not workers:
        return None
    from api.judging.pool import Pool
    from api.limits import Limits

    limits = Limits()
    pool = stack.enter_context(Pool(workers, seconds=limits.judge_seconds, memory=limits.judge_memory, shared=False))
    pool.warm(workers)
    return pool


@dataclass(frozen=True, slots=True)
class Judging:
    """Judges files. ``pool`` None: in this process."""

    invocation: Invocation
    grounds: Grounds
    pool: Pool | None
    workers: int = 1

    def answers(self, files: Sequence[Path], depth: str | None) -> Iterator[dict[str, Any]]:
        """One answer a file: the verdict with ``file``, or ``{"file", "error"}`` for a path that cannot be read."""
        if self.pool is None:
            yield from (self._one(path, depth) for path in files)
            return
        with ThreadPoolExecutor(max_workers=self.workers) as threads:
            waiting: deque[Future[dict[str, Any]]] = deque()
            try:
                for path in files:
                    waiting.append(threads.submit(self._one, path, depth))
                    if len(waiting) > AHEAD:
                        yield waiting.popleft().result()
                while waiting:
                    yield waiting.popleft().result()
            finally:
                for future in waiting:
                    future.cancel()

    def material(self, path: Path, depth: str | None) -> tuple[dict[str, Any], dict[str, Any] | None]:
        """The answer on one file, and the material of a report on it; None when it cannot be read."""
        from api.judging.answers import MATERIAL, answer_json

        try:
            data = self._read(path)
        except PathError as error:
            return {"file": str(path), "error": str(error)}, None
        verdict = self._verdict(data)
        answer = self._shown(path, verdict.to_json(self.invocation.lang, depth=depth), depth)
        return answer, answer_json(verdict, MATERIAL, data, self.grounds.password)

    def with_data(self, path: Path) -> tuple[dict[str, Any], bytes | None]:
        """The answer on one file, and its bytes; None when it cannot be read."""
        try:
            data = self._read(path)
        except PathError as error:
            return {"file": str(path), "error": str(error)}, None
        return self._shown(path, self._judged(data, None), None), data

    def _one(self, path: Path, depth: str | None) -> dict[str, Any]:
        try:
            data = self._read(path)
        except PathError as error:
            return {"file": str(path), "error": str(error)}
        return self._shown(path, self._judged(data, depth), depth)

    def _shown(self, path: Path, verdict: dict[str, Any], depth: str | None) -> dict[str, Any]:
        from api.wording import with_summary

        answer = {"file": str(path), **verdict}
        return answer if depth else with_summary(answer, self.invocation.lang)

    def _judged(self, data: bytes, depth: str | None) -> dict[str, Any]:
        if self.pool is not None:
            from api.judging.pool import NoJudgeError, Question

            grounds = self.grounds
            question = Question(data, grounds.trust, grounds.evidence, grounds.at, grounds.password, depth=depth)
            with suppress(NoJudgeError):  # then in this process, under the limits that the policy states
                return self.pool.ask(question)[self.invocation.lang]
        return self._verdict(data).to_json(self.invocation.lang, depth=depth)

    def _verdict(self, data: bytes) -> Verdict:
        from verify import verify_any

        grounds = self.grounds
        return verify_any(
            data,
            trust=grounds.trust,
            at=grounds.at,
            evidence=grounds.evidence,
            password=grounds.password,
            document=grounds.document,
        )

    def _read(self, path: Path) -> bytes:
        """The file's bytes; of one that is too large only so many that the judge sees it. PathError."""
        most = DEFAULT_POLICY.limits.pdf_bytes + 1
        if path == STDIN:
            return sys.stdin.buffer.read(most)
        if path.is_dir():
            raise PathError("是文件夹，请列出其中的文件" if self.invocation.zh else "is a folder: name the files in it")
        try:
            with path.open("rb") as stream:
                return stream.read(most)
        except OSError as error:
            raise PathError(_reason(error, self.invocation.zh)) from error


def _reason(error: OSError, zh: bool) -> str:
    if not zh:
        return error.strerror or type(error).__name__
    if isinstance(error, FileNotFoundError):
        return "没有这个文件"
    return "没有读取权限" if isinstance(error, PermissionError) else "读取时出错"
