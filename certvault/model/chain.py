"""The audit chain: how one line is bound to the line before it.

One chain per writer (a process leases a writer for the length of a transaction), so that writers do not wait for each
other. Heads of all chains are anchored together from time to time under the LOG key.
"""

from __future__ import annotations

import datetime
import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

GENESIS = "certvault-audit/1"


@dataclass(frozen=True, slots=True)
class Head:
    """The last line of a chain: its number (0: none yet) and its hash."""

    writer: str
    seq: int
    hash: str


@dataclass(frozen=True, slots=True)
class Line:
    """One chained line; ``details`` is canonical JSON."""

    writer: str
    seq: int
    at: datetime.datetime
    kind: str
    object: str
    actor: str
    details: str
    previous: str
    hash: str


def genesis(vault_id: str, writer: str) -> Head:
    """The head of a chain that has no line yet; it depends on the vault, so chains cannot be moved."""
    return Head(writer, 0, hashlib.sha256(f"{GENESIS}|{vault_id}|{writer}".encode()).hexdigest())


def details_text(details: Mapping[str, str | int]) -> str:
    """``details`` as they are hashed and stored."""
    return json.dumps(dict(details), ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def line_hash(
    writer: str, seq: int, at: datetime.datetime, kind: str, about: str, actor: str, details: str, previous: str
) -> str:
    """SHA-256, hex, over all members of a line and the hash of the one before."""
    moment = at.astimezone(datetime.UTC).isoformat(timespec="microseconds")
    content = json.dumps([writer, seq, moment, kind, about, actor, details, previous], ensure_ascii=False)
    return hashlib.sha256(content.encode()).hexdigest()


def chained(head: Head, at: datetime.datetime, kind: str, about: str, actor: str, details: str) -> Line:
    """The next line after ``head``."""
    seq = head.seq + 1
    value = line_hash(head.writer, seq, at, kind, about, actor, details, head.hash)
    return Line(head.writer, seq, at, kind, about, actor, details, head.hash, value)


def faults(start: Head, lines: Iterable[Line]) -> list[str]:
    """What is wrong with the chain that begins at ``start``; empty when every line follows from the one before."""
    found: list[str] = []
    head = start
    for line in lines:
        if line.seq != head.seq + 1:
            found.append(f"{line.writer}: line {head.seq + 1} is missing")
        if line.previous != head.hash:
            found.append(f"{line.writer}: line {line.seq} does not follow from the one before")
        expected = line_hash(
            line.writer, line.seq, line.at, line.kind, line.object, line.actor, line.details, line.previous
        )
        if expected != line.hash:
            found.append(f"{line.writer}: line {line.seq} was changed")
        head = Head(line.writer, line.seq, line.hash)
    return found


def heads_text(heads: Iterable[Head]) -> str:
    """Heads of all chains as they are signed: canonical JSON, sorted by writer."""
    return json.dumps([[h.writer, h.seq, h.hash] for h in sorted(heads, key=lambda h: h.writer)], separators=(",", ":"))
