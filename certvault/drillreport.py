"""What a drill did, in numbers: its plan's digest, its signed report, a line for each license."""

from __future__ import annotations

import datetime
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from certvault.db.unit_of_work import Database, View
from certvault.exposure import Evaluated
from certvault.model.drill import Drill, DrillItem, DrillPhase, ItemState
from certvault.model.keys import CertificateRecord, KeyRecord
from certvault.model.standing import Act, StatusChange

FORMAT = "certvault-drill/1"
JWS_TYPE = "certvault-drill+jwt"
_PORTION = 500
SUSPENDED_A_SECOND, REISSUED_A_SECOND = 1000.0, 30.0
"""Rates that are assumed where this vault has not had a drill of some size yet."""
_MEASURED = 200


def identifiers_digest(identifiers: Sequence[str]) -> str:
    """SHA-256 over the identifiers in the order of their code points, each with a line feed."""
    digest = hashlib.sha256()
    for identifier in sorted(identifiers):
        digest.update(identifier.encode() + b"\n")
    return digest.hexdigest()


def plan_digest(
    vault_id: str, key_id: str, since: datetime.datetime, *, suspends: bool, reissues: bool, identifiers: Sequence[str]
) -> str:
    """What a second person approves: which key, since when, what is to be done, with which licenses."""
    value = [
        FORMAT,
        vault_id,
        key_id,
        instant(since),
        suspends,
        reissues,
        len(identifiers),
        identifiers_digest(identifiers),
    ]
    return hashlib.sha256(json.dumps(value, separators=(",", ":")).encode()).hexdigest()


def counts_of(tally: Mapping[tuple[ItemState, str], int]) -> dict[str, Any]:
    """How many licenses came to what; ``left`` and ``not_reissued`` by reason."""
    counts: dict[str, Any] = {
        "licenses": sum(tally.values()),
        **{
            state.value.lower(): sum(n for (s, _), n in tally.items() if s is state)
            for state in (ItemState.PLANNED, ItemState.SUSPENDED, ItemState.REISSUED, ItemState.LEFT)
        },
    }
    counts["left_because"] = {r: n for (s, r), n in sorted(tally.items()) if s is ItemState.LEFT}
    counts["not_reissued_because"] = {
        r: n for (s, r), n in sorted(tally.items()) if r and s in (ItemState.SUSPENDED, ItemState.PLANNED)
    }
    return counts


def key_facts(key: KeyRecord, certificate: CertificateRecord | None) -> dict[str, Any]:
    """A key and its certificate, by which others know it."""
    facts: dict[str, Any] = {
        "id": key.id,
        "purpose": key.purpose.value,
        "owner": key.owner,
        "generation": key.generation,
    }
    if certificate is not None and certificate.der is not None:
        facts |= {
            "certificate_sha256": hashlib.sha256(certificate.der).hexdigest(),
            "ca": certificate.ca,
            "serial": certificate.serial,
            "revoked_at": None if certificate.revoked_at is None else instant(certificate.revoked_at),
        }
    return facts


def timed(timings: Mapping[str, Mapping[str, float]]) -> list[dict[str, Any]]:
    """The phases in order: seconds of the clock, all runs together, and licenses a second where they were counted."""
    phases = []
    for phase in DrillPhase:
        told = timings.get(phase.value)
        if told is not None:
            seconds, count = told["seconds"], int(told["count"])
            rate = round(count / seconds, 1) if count and seconds else None
            phases.append({"phase": phase.value, "seconds": round(seconds, 3), "licenses": count, "per_second": rate})
    return phases


def estimate(done: Sequence[Drill], suspend: int, reissue: int) -> dict[str, Any]:
    """How long it will take, after the last drill of some size here, or after rates that are assumed."""
    rates = {"suspend": SUSPENDED_A_SECOND, "reissue": REISSUED_A_SECOND}
    basis = "assumed"
    for drill in sorted(done, key=lambda d: d.requested_at):
        timings = json.loads(drill.timings)
        for name in rates:
            told = timings.get(name, {"seconds": 0, "count": 0})
            if told["count"] >= _MEASURED and told["seconds"] > 0:
                rates[name] = told["count"] / told["seconds"]
                basis = "the last drill"
    seconds = suspend / rates["suspend"] + reissue / rates["reissue"]
    return {"seconds": round(seconds, 1), "basis": basis, "per_second": {k: round(v, 1) for k, v in rates.items()}}


def planned(listed: Sequence[Evaluated]) -> Iterator[dict[str, Any]]:
    """A line for each license of a rehearsal."""
    for one in listed:
        yield _line(DrillItem("", one.identifier, one.state, one.reason), ())


def lines(database: Database, drill: Drill) -> Iterator[dict[str, Any]]:
    """A line for each license of the drill, in portions."""
    last = ""
    while True:
        with database.reading() as view:
            items = view.drill_items.portion(drill.id, last, _PORTION)
            told = [_line(i, moments) for i, moments in _with_moments(view, items)]
        if not items:
            return
        yield from told
        last = items[-1].identifier


def _with_moments(view: View, items: Sequence[DrillItem]) -> Iterator[tuple[DrillItem, Sequence[StatusChange]]]:
    histories = view.statuses.histories([i.identifier for i in items])
    for item in items:
        yield item, histories[item.identifier]


def _line(item: DrillItem, changes: Sequence[StatusChange]) -> dict[str, Any]:
    suspended = [c for c in changes if c.act is Act.SUSPEND and c.reason == "key-compromise"]
    ended = [c for c in changes if item.successor is not None and c.successor == item.successor]
    return {
        "identifier": item.identifier,
        "state": item.state.value,
        "reason": item.reason,
        "successor": item.successor,
        "suspended_at": instant(suspended[-1].recorded_at) if suspended and item.state is not ItemState.LEFT else None,
        "reissued_at": instant(ended[-1].recorded_at) if ended else None,
    }


def without(told: Iterator[dict[str, Any]]) -> dict[str, float | None]:
    """For how many seconds licenses were suspended before their new version was in force: median and longest."""
    gaps = sorted(
        (
            datetime.datetime.fromisoformat(t["reissued_at"]) - datetime.datetime.fromisoformat(t["suspended_at"])
        ).total_seconds()
        for t in told
        if t["reissued_at"] and t["suspended_at"]
    )
    if not gaps:
        return {"median": None, "longest": None}
    return {"median": round(gaps[len(gaps) // 2], 3), "longest": round(gaps[-1], 3)}


def instant(moment: datetime.datetime) -> str:
    """RFC 3339 in UTC with microseconds."""
    return moment.astimezone(datetime.UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
