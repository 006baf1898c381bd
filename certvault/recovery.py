"""After a crash: every number becomes a license or a void with a reason, and nothing stays in the store unknown.

Only what dead processes left is touched (:mod:`certvault.sessions`). Rows of bulk jobs keep their number: resuming the
job uses it, abandoning the job voids it.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from certvault.certification import void_reserved
from certvault.clock import Clock
from certvault.db.unit_of_work import Database, View
from certvault.model.keys import VAULT_OWNER, event
from certvault.model.license import License, LicenseState
from certvault.model.work import JobState
from certvault.sessions import RUN_FOLDER, Session
from certvault.statuslists import record_void
from certvault.store import Store

INTERRUPTED = "INTERRUPTED"


@dataclass(frozen=True, slots=True)
class Recovered:
    """How many numbers were voided, jobs paused, stray files removed, serials given up."""

    voided: int
    paused: int
    strays: int
    serials: int


class Recovery:
    """Puts things right that a dead process left half done."""

    def __init__(self, database: Database, store: Store, session: Session, folder: Path, clock: Clock) -> None:
        self._database = database
        self._store = store
        self._session = session
        self._folder = folder
        self._clock = clock
        self._owed: dict[str, tuple[License, str, str]] = {}

    def give_up(self, found: License, reason: str, actor: str) -> None:
        """Void a number of this process. What cannot be written now is owed, and paid by the next recovery."""
        self._owed[found.identifier] = (found, reason, actor)
        self._pay()

    def _pay(self) -> None:
        for identifier, (found, reason, actor) in list(self._owed.items()):
            self.void([found], reason, actor)
            self._owed.pop(identifier, None)

    def recover(self, *, strays: bool = False) -> Recovered:
        """Void what was interrupted, pause jobs without process; with ``strays`` also look through the store."""
        self._pay()
        paused = self._pause_jobs()
        voided = self.void(self.interrupted(), INTERRUPTED, VAULT_OWNER)
        serials = void_reserved(self._database, self._clock.now(), VAULT_OWNER) if strays else 0
        removed = self.remove_strays() if strays else 0
        self._session.sweep()
        return Recovered(voided, paused, removed, serials)

    def interrupted(self) -> list[License]:
        """ALLOTTED licenses that no living process works on and no job will resume."""
        with self._database.reading() as view:
            waiting = view.licenses.in_state(LicenseState.ALLOTTED)
            dead = [w for w in waiting if not self._session.is_alive(w.session)]
            return [d for d in dead if not _resumable(view, d)]

    def void(self, licenses: Iterable[License], reason: str, actor: str) -> int:
        """Void numbers with ``reason`` and remove what was stored for them; returns how many."""
        count = 0
        for found in licenses:
            with self._database.writing() as uow:
                current = uow.licenses.get(found.identifier, lock=True)
                if current is None or current.state is not LicenseState.ALLOTTED:
                    continue
                at = self._clock.now()
                open_permits = [p for p in uow.permits.where(identifier=found.identifier) if p.cancelled_at is None]
                uow.permits.save_all(
                    [p.cancelled(at) for p in open_permits],
                    [event("SEAL_PERMIT_CANCELLED", found.identifier, actor, permit=p.id) for p in open_permits],
                )
                saved = uow.licenses.save(
                    current.voided(reason), event("NUMBER_VOIDED", found.identifier, actor, reason=reason)
                )
                record_void(uow, saved)
            if current.document is not None:
                self._store.delete(current.document)
            count += 1
        return count

    def strays(self) -> list[str]:
        """Names in the store that belong to no license, or to a void one."""
        names = list(self._store.names())
        found: list[str] = []
        with self._database.reading() as view:
            for i in range(0, len(names), 500):
                part = names[i : i + 500]
                known = view.licenses.known_documents([n.removesuffix(".tmp") for n in part])
                found += [n for n in part if n not in known and n.removesuffix(".tmp") not in known]
                found += [n for n in part if n.endswith(".tmp") and self._abandoned(view, n)]
        return found

    def remove_strays(self) -> int:
        """Remove them; returns how many. Waits for nobody: maintenance at work keeps its files."""
        with self.rewriting() as free:
            if not free:
                return 0
            names = self.strays()
            for name in names:
                self._store.delete(name)
        return len(names)

    @contextlib.contextmanager
    def rewriting(self) -> Iterator[bool]:
        """The right to put files into the store that no license names yet; False when another process has it."""
        descriptor = os.open(self._folder / RUN_FOLDER / "rewriting", os.O_WRONLY | os.O_CREAT, 0o600)
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                yield False
                return
            yield True
        finally:
            os.close(descriptor)

    def _abandoned(self, view: View, temporary: str) -> bool:
        found = view.licenses.where(document=temporary.removesuffix(".tmp"))
        return bool(found) and (
            found[0].state is not LicenseState.ALLOTTED or not self._session.is_alive(found[0].session)
        )

    def _pause_jobs(self) -> int:
        with self._database.reading() as view:
            jobs = [
                j
                for j in view.jobs.all()
                if j.state in (JobState.RUNNING, JobState.STAGING) and not self._session.is_alive(j.session)
            ]
        for job in jobs:
            if job.state is JobState.RUNNING:
                with self._database.writing() as uow:
                    uow.jobs.save(job.in_state(JobState.PAUSED), event("JOB_PAUSED", f"job:{job.id}", VAULT_OWNER))
        return len(jobs)


def _resumable(view: View, found: License) -> bool:
    if found.job is None:
        return False
    job = view.jobs.get(found.job)
    return job is not None and job.state not in (JobState.DONE, JobState.ABANDONED)
