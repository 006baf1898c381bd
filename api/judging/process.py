"""One judge: a child process that reads one file after another, killed when a file overruns its time."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import pickle
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from api.judging import frames
from verify.evidence import Evidence, SealFacts, VaultFacts
from verify.trust.anchors import TrustStore

if TYPE_CHECKING:
    from signing.formats.seal_document import SealOrder

log = logging.getLogger("certvault.judging")

START_SECONDS = 60.0
FILES_PER_PROCESS = 500
"""After so many files a judge is replaced, so that what a library leaks has an end."""
SECRETS = ("CERTVAULT_", "AWS_", "PG", "SOFTHSM")


@dataclass(frozen=True, slots=True)
class Question:
    """One file to judge, with all that it may be judged by. ``kind`` is ``any``, ``code`` or ``record``; ``depth`` as
    :func:`api.judging.answers.answer_json` takes it."""

    data: bytes
    trust: TrustStore
    evidence: Evidence
    at: datetime
    password: str | None = None
    kind: str = "any"
    depth: str | None = None


@dataclass(frozen=True, slots=True)
class Trial:
    """A PDF, and the order without a key that is to be rehearsed on it."""

    data: bytes
    order: SealOrder


class JudgeLostError(Exception):
    """The process ended or overran. ``code`` is the finding that says which."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class NoJudgeError(Exception):
    """No process can be started. That is our trouble and says nothing of a file."""


class Judge:
    """One child process."""

    def __init__(self, memory: int) -> None:
        # the child needs no secret of ours, so it gets none: neither PIN nor database address
        kept = {k: v for k, v in os.environ.items() if not k.startswith(SECRETS)}
        kept["MALLOC_ARENA_MAX"] = "2"  # each arena counts 64 MiB of the ceiling, used or not
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "api.judging.judge", str(memory)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env=kept,
                start_new_session=True,
            )
        except OSError as error:
            raise NoJudgeError from error
        assert self._process.stdin is not None and self._process.stdout is not None  # noqa: S101, PT018 - both are pipes
        self._in, self._out = self._process.stdin, self._process.stdout
        self.files = 0
        self._knows: tuple[object, ...] | None = None
        try:
            self._receive(_Deadline(self._process, START_SECONDS))
        except JudgeLostError as error:
            self.end()
            raise NoJudgeError from error

    @property
    def fresh(self) -> bool:
        """Whether it lives and has not served its term."""
        return self._process.poll() is None and self.files < FILES_PER_PROCESS

    def ask(self, question: Question, seconds: float) -> dict[str, dict[str, Any]]:
        """The verdict, or JudgeLostError."""
        by = (question.trust, question.evidence.crls, question.evidence.ocsps)
        request = {
            "by": None if by == self._knows else by,  # thousands of certificates, mostly the same for file after file
            "at": question.at,
            "password": question.password,
            "kind": question.kind,
            "depth": question.depth,
            "facts": question.evidence.lookup is not None,
            "seals": question.evidence.seal_at is not None,
            "standings": question.evidence.standing_at is not None,
            "source": question.evidence.source is not None,
            "regions": question.evidence.region_source is not None,
            "issuers": question.evidence.issuers is not None,
        }
        verdict = self._answer(request, question.data, question.evidence, seconds)
        if not {"zh", "en"} <= set(verdict):
            raise JudgeLostError("LIMIT_EXCEEDED")
        self._knows = by
        return verdict

    def rehearse(self, trial: Trial, seconds: float) -> dict[str, Any]:
        """What :func:`api.judging.rehearsal.answer_of` says, or JudgeLostError."""
        return self._answer({"kind": "rehearsal", "order": trial.order}, trial.data, Evidence(), seconds)

    def _answer(self, request: dict[str, Any], data: bytes, evidence: Evidence, seconds: float) -> dict[str, Any]:
        self.files += 1
        deadline = _Deadline(self._process, seconds)
        try:
            self._send({**request, "seconds": seconds}, deadline)
            self._write(data, deadline)
            while "verdict" not in (answer := self._receive(deadline, keep=True)):
                self._send(_told(evidence, answer), deadline)
        finally:
            deadline.done()
        verdict = answer["verdict"]
        if not isinstance(verdict, dict):
            raise JudgeLostError("LIMIT_EXCEEDED")
        return verdict

    def end(self) -> None:
        """Kill the process and let go of its pipes."""
        self._process.kill()
        self._process.wait()
        for stream in (self._in, self._out):
            with contextlib.suppress(OSError):  # what was still in the buffer has no reader any more
                stream.close()

    def _send(self, message: object, deadline: _Deadline) -> None:
        self._write(pickle.dumps(message), deadline)

    def _write(self, message: bytes, deadline: _Deadline) -> None:
        try:
            frames.write(self._in, message)
        except OSError as error:
            raise deadline.lost() from error

    def _receive(self, deadline: _Deadline, *, keep: bool = False) -> dict[str, Any]:
        try:
            message = json.loads(frames.read(self._out, frames.MAX_ANSWER))
        except (frames.BrokenFrameError, OSError, ValueError, RecursionError) as error:
            raise deadline.lost() from error
        if not keep:
            deadline.done()
        return message if isinstance(message, dict) else {}


def _told(evidence: Evidence, asked: dict[str, Any]) -> VaultFacts | SealFacts | bytes | None:
    """What a judge may ask in the midst of its work: the facts about an identifier, the status list of an address; and
    where the caller gave a source, what that has."""
    name, source = str(asked.get("name", ""))[:1000], evidence.source
    match asked.get("ask"):
        case "facts" if evidence.lookup:
            return evidence.lookup(name)
        case "seal" if evidence.seal_at:
            return _seal_at(evidence.seal_at, name, (asked.get("since"), asked.get("until")))
        case "standing" if evidence.standing_at:
            return _standing_at(evidence.standing_at, name, asked.get("at"))
        case "list":
            return evidence.status_lists.get(name)
        case "region list":
            return evidence.region_lists.get((str(asked.get("region", ""))[:10], name))
        case "fetch region list" if evidence.region_source:
            return evidence.region_source(str(asked.get("region", ""))[:10], name)
        case "crl" if source:
            return source.crl(name)
        case "issuer" if evidence.issuers:
            return evidence.issuers.issuer(name)
        case "ocsp" if source:
            return source.ocsp(name, _octets(asked.get("request")))
        case "fetch list" if source:
            return source.status_list(name)
        case _:
            return None


def _standing_at(known: Callable[[str, datetime], bytes | None], name: str, at: object) -> bytes | None:
    """A judge's question about a license at a moment."""
    try:
        moment = datetime.fromisoformat(str(at)[:40])
    except ValueError:
        return None
    return known(name, moment) if moment.tzinfo is not None else None


def _octets(value: object) -> bytes:
    try:
        return bytes.fromhex(value) if isinstance(value, str) else b""
    except ValueError:
        return b""


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


def _seal_at(
    known: Callable[[str, datetime, datetime], SealFacts | None], name: str, between: tuple[object, object]
) -> SealFacts | None:
    """A judge's question about a seal; of moments that are none it learns nothing."""
    try:
        since, until = (datetime.fromisoformat(str(at)[:40]) for at in between)
    except ValueError:
        return None
    return known(name, since, until) if since.tzinfo is not None and until.tzinfo is not None else None
