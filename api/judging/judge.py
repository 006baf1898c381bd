"""The process that reads one file after another: ``python -m api.judging.judge MEMORY_BYTES``.

Requests are pickles from the parent, which this process trusts, each followed by the file's bytes. Answers are JSON,
since what this process became after reading a stranger's file deserves no trust. Of the vault it can ask two things,
the facts about an identifier and the status list of an address, and what a caller's source has where there is one.
"""

from __future__ import annotations

import dataclasses
import json
import math
import os
import pickle
import resource
import signal
import sys
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import IO, Any

from api.judging import frames
from api.judging.answers import answer_json
from verify import DEFAULT_POLICY, Policy, verify_any, verify_code, verify_record
from verify.evidence import Evidence, SealFacts, VaultFacts
from verify.trust.anchors import TrustStore

MAX_REQUEST = 2**31
SOFT = 0.75
"""The part of the time after which reading stops by itself, with what was found until then."""
GRACE = 5


def judge(request: dict[str, Any], channel: _Channel) -> dict[str, Any]:
    """The verdict on one file as :mod:`api.judging.answers` writes it, or what a rehearsal came to.

    ``by``: trust, revocation lists and OCSP answers.
    """
    if request["kind"] == "rehearsal":
        from api.judging.rehearsal import answer_of  # half a second and 20 MiB that no verdict needs

        return answer_of(request["data"], request["order"])
    trust, crls, ocsps = request["by"]
    evidence = Evidence(
        _Lists(channel),
        crls,
        ocsps,
        channel.facts if request["facts"] else None,
        _Source(channel) if request["source"] else None,
        _Source(channel) if request["issuers"] else None,
        channel.seal_at if request["seals"] else None,
        channel.standing_at if request["standings"] else None,
        _RegionLists(channel),
        channel.of_region if request["regions"] else None,
    )
    at: datetime = request["at"]
    data: bytes = request["data"]
    policy = _within(request["seconds"])
    if request["kind"] == "code":
        verdict = verify_code(data.decode("utf-8", "replace"), trust=trust, at=at, policy=policy, evidence=evidence)
    elif request["kind"] == "record":
        verdict = verify_record(data, trust=trust, at=at, policy=policy, evidence=evidence)
    else:
        verdict = verify_any(data, trust=trust, at=at, policy=policy, evidence=evidence, password=request["password"])
    return answer_json(verdict, request["depth"], data, request["password"])


class _Channel:
    """The pipe to the parent."""

    def __init__(self, receiving: IO[bytes], sending: IO[bytes]) -> None:
        self._receiving = receiving
        self._sending = sending

    def facts(self, identifier: str) -> VaultFacts | None:
        """Ask the parent what the vault knows of ``identifier``."""
        answer = self._ask("facts", identifier)
        return answer if isinstance(answer, VaultFacts) else None

    def seal_at(self, sha256: str, since: datetime, until: datetime) -> SealFacts | None:
        """Ask the parent what the vault knows of a seal between two moments."""
        answer = self._ask("seal", sha256, since=since.isoformat(), until=until.isoformat())
        return answer if isinstance(answer, SealFacts) else None

    def standing_at(self, identifier: str, at: datetime) -> bytes | None:
        """Ask the parent for the vault's answer about a license at a moment."""
        return self.fetched("standing", identifier, at=at.isoformat())

    def status_list(self, uri: str) -> bytes | None:
        """Ask the parent for the status list of ``uri``."""
        return self.fetched("list", uri)

    def of_region(self, region: str, uri: str) -> bytes | None:
        """Ask the parent to fetch a status list of another region."""
        return self.fetched("fetch region list", uri, region=region)

    def fetched(self, what: str, name: str, **more: str) -> bytes | None:
        """Ask the parent for bytes."""
        answer = self._ask(what, name, **more)
        return answer if isinstance(answer, bytes) else None

    def _ask(self, what: str, name: str, **more: str) -> object:
        self.send({"ask": what, "name": name, **more})
        answer: object = pickle.loads(frames.read(self._receiving, MAX_REQUEST))  # noqa: S301 - from the parent
        return answer

    def send(self, message: dict[str, Any]) -> None:
        frames.write(self._sending, json.dumps(message, ensure_ascii=False).encode())

    def request(self) -> dict[str, Any] | None:
        try:
            request = pickle.loads(frames.read(self._receiving, MAX_REQUEST))  # noqa: S301 - from the parent
            data = frames.read(self._receiving, MAX_REQUEST)
        except frames.BrokenFrameError:
            return None
        return {**request, "data": data} if isinstance(request, dict) else None


class _Source:
    """The caller's source, asked through the parent."""

    def __init__(self, channel: _Channel) -> None:
        self._channel = channel

    def crl(self, url: str) -> bytes | None:
        return self._channel.fetched("crl", url)

    def ocsp(self, url: str, request: bytes) -> bytes | None:
        return self._channel.fetched("ocsp", url, request=request.hex())

    def status_list(self, url: str) -> bytes | None:
        return self._channel.fetched("fetch list", url)

    def issuer(self, url: str) -> bytes | None:
        return self._channel.fetched("issuer", url)


class _Lists(Mapping[str, bytes]):
    """The parent's status lists, asked for one by one. They are found by address only."""

    def __init__(self, channel: _Channel) -> None:
        self._channel = channel

    def __getitem__(self, uri: str) -> bytes:
        found = self._channel.status_list(uri)
        if found is None:
            raise KeyError(uri)
        return found

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


class _RegionLists(Mapping[tuple[str, str], bytes]):
    """The parent's status lists of other regions, asked for one by one."""

    def __init__(self, channel: _Channel) -> None:
        self._channel = channel

    def __getitem__(self, key: tuple[str, str]) -> bytes:
        region, uri = key
        found = self._channel.fetched("region list", uri, region=region)
        if found is None:
            raise KeyError(key)
        return found

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(())

    def __len__(self) -> int:
        return 0


def _within(seconds: float) -> Policy:
    """A policy that ends with a verdict before the parent ends this process."""
    limits = dataclasses.replace(DEFAULT_POLICY.limits, seconds=seconds * SOFT)
    return dataclasses.replace(DEFAULT_POLICY, limits=limits)


def _prepare() -> None:
    """Load what reading files needs, so that the first file does not wait for it."""
    at = datetime(2026, 1, 1, tzinfo=UTC)
    for data in (b"%PDF-1.7\n%%EOF\n", b"{}", b"\x89PNG\r\n\x1a\n"):
        verify_any(data, trust=TrustStore(()), at=at)


def _confine(memory: int) -> None:
    """No more memory than ``memory`` bytes, no core file, no file grown: what this process may cost."""
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


def main() -> None:
    """Serve requests until the parent closes the pipe."""
    receiving = os.fdopen(os.dup(0), "rb")
    sending = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a library prints must not reach the protocol
    channel = _Channel(receiving, sending)
    _prepare()
    channel.send({"ready": True})
    _confine(int(sys.argv[1]))
    by = None
    while (request := channel.request()) is not None:
        by = request["by"] = request.get("by") or by  # sent only when they are others than for the file before
        signal.alarm(math.ceil(request["seconds"]) + GRACE)  # should the parent have died, which else kills in time
        verdict = judge(request, channel)
        signal.alarm(0)
        channel.send({"verdict": verdict})


if __name__ == "__main__":
    main()
