"""The compromise drill: a key was in wrong hands since T; everything that has to follow, in one go.

    revoke → plan → (approve) → suspend → new key → re-issue → notice → report

The certificate is revoked first, then what the key made since T is listed. Licenses in force are suspended in portions,
the key gets its next generation, each suspended license a new version under it, and other regions a signed notice. The
drill is a row with its licenses; whatever is done is recorded with it in one transaction, so that a command that was
killed goes on when it is repeated, and nothing is done twice. What was made with the key after the plan, by a process
that still had it in hand, is looked for before the drill ends.
"""

from __future__ import annotations

import base64
import datetime
import hashlib
import json
import secrets
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from certvault import drillreport
from certvault.audit import Audit
from certvault.clock import Clock
from certvault.compromise import Compromise, Compromised
from certvault.db.unit_of_work import Database, UnitOfWork, View
from certvault.errors import ConflictError, conflict, not_found
from certvault.exposure import KEY_COMPROMISE, PER_LICENSE, PORTION, Evaluated, Exposure
from certvault.keyring import Keyring
from certvault.licenselife import WAITS
from certvault.model.actor import Actor, Role
from certvault.model.drill import Drill, DrillItem, DrillPhase, DrillState, ItemState, Notice
from certvault.model.keys import CertificateState, KeyRecord, event
from certvault.model.standing import Act
from certvault.notices import Notices
from certvault.pki import Pki
from certvault.reissuing import Reissuing
from certvault.sessions import Session
from certvault.settings import Settings
from certvault.standing import Asked, Standings
from signing.formats.jose import signed_token
from signing.keys import KeyPurpose
from verify.formats.notice import KEY_COMPROMISED

Progress = Callable[[str, int, int], None]
"""Is told the phase, how many licenses of it are done, and of how many."""
_ATTEMPTS = 3
_TICK_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be done beside revoking: suspend what is in force, and re-issue it. ``basis`` is the legal basis."""

    suspend: bool = True
    reissue: bool = True
    basis: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a drill did or, dry, would do. ``plan`` is the digest that a second person approves; ``pending`` is True
    while nobody has. ``report`` holds the numbers, ``facts`` what else the key's work means, ``listed`` the licenses of
    a rehearsal."""

    found: Compromised
    plan: str
    counts: Mapping[str, Any]
    facts: Mapping[str, object]
    estimate: Mapping[str, Any] | None = None
    listed: tuple[Evaluated, ...] = ()
    drill: Drill | None = None
    pending: bool = False
    report: Mapping[str, Any] | None = None


@dataclass(slots=True)
class _Work:
    """A drill that is being worked on."""

    drill: Drill
    key: KeyRecord
    actor: Actor
    wanted: Wanted
    workers: int
    progress: Progress
    since: float

    def tell(self, done: int, total: int) -> None:
        self.progress(self.drill.phase.value, done, total)


class Drills:
    """Runs drills."""

    def __init__(
        self,
        database: Database,
        keyring: Keyring,
        pki: Pki,
        compromise: Compromise,
        exposure: Exposure,
        standings: Standings,
        reissuing: Reissuing,
        notices: Notices,
        audit: Audit,
        settings: Settings,
        session: Session,
        clock: Clock,
    ) -> None:
        self._database = database
        self._keyring = keyring
        self._pki = pki
        self._compromise = compromise
        self._exposure = exposure
        self._standings = standings
        self._reissuing = reissuing
        self._notices = notices
        self._audit = audit
        self._settings = settings
        self._session = session
        self._clock = clock
        self._lock = threading.Lock()

    def rehearse(self, key_id: str, since: datetime.datetime, actor: Actor, wanted: Wanted | None = None) -> Outcome:
        """What :meth:`run` would do, and how long it may take; nothing is changed. Raises as it does."""
        wanted = wanted or Wanted()
        found = self._compromise.report(key_id, since, actor, dry_run=True)
        with self._database.reading() as view:
            names = self._exposure.identifiers(view, found.key, since)
            facts = self._exposure.facts(view, found.key, since)
            done = [d for d in view.drills.all() if d.state is DrillState.DONE]
        tally: dict[tuple[ItemState, str], int] = {}
        listed: list[Evaluated] = []
        for portion in _portions(names):
            with self._database.reading() as view:
                for one in self._exposure.evaluated(view, found.key, portion):
                    listed.append(one)
                    tally[one.state, one.reason] = tally.get((one.state, one.reason), 0) + 1
        counts = drillreport.counts_of(tally)
        reissue = counts["planned"] + counts["suspended"] if wanted.reissue else 0
        return Outcome(
            found,
            self._digest(found.key.id, since, wanted, [e.identifier for e in listed]),
            counts,
            facts,
            drillreport.estimate(done, counts["planned"] if wanted.suspend else 0, reissue),
            tuple(listed),
        )

    def run(
        self,
        key_id: str,
        since: datetime.datetime,
        actor: Actor,
        wanted: Wanted | None = None,
        *,
        approve: str | None = None,
        workers: int = 1,
        progress: Progress | None = None,
    ) -> Outcome:
        """Do it, or go on with it. With the setting ``[status] second_approver`` the certificate is revoked at once and
        the rest waits until somebody else repeats the command with the plan's digest as ``approve``.

        Raises NotFoundError, RefusedError (a moment to come), ConflictError: DRILL_OPEN, DRILL_BUSY, SAME_PERSON,
        PLAN_DIFFERS, REQUEST_OVER; PERMIT_PENDING where a seal asks for two; the errors of minting.
        """
        wanted = wanted or Wanted()
        found = self._compromise.report(key_id, since, actor, dry_run=True)
        self._standings.checked("drill", Act.SUSPEND, _asked(wanted))  # a basis that is missing is refused before
        if not self._lock.acquire(blocking=False):
            raise _busy(key_id)
        try:
            drill = self._begun(found.key, since, actor, wanted, approving=approve is not None)
            if drill.open:
                drill = self._work(drill, found.key, actor, wanted, approve, workers, progress)
        finally:
            self._lock.release()
        return self._outcome(self._compromise.report(key_id, since, actor, dry_run=True), drill)

    def write(self, done: Outcome, folder: Path) -> list[Path]:
        """Write plan.jsonl and, once there are, report.json, report.jws and notice.jws; returns the files."""
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        plan, drill = folder / "plan.jsonl", done.drill
        lines = drillreport.planned(done.listed) if drill is None else drillreport.lines(self._database, drill)
        with plan.open("w", encoding="utf-8") as file:
            for line in lines:
                file.write(json.dumps(line, ensure_ascii=False) + "\n")
        written = [plan]
        if drill is None:
            return written
        if drill.report is not None:
            (folder / "report.jws").write_bytes(drill.report + b"\n")
            text = json.dumps(_payload(drill.report), ensure_ascii=False, indent=2)
            (folder / "report.json").write_text(text + "\n", "utf-8")
            written += [folder / "report.json", folder / "report.jws"]
        notice = None if drill.notice is None else self._notices.get(drill.notice)
        if notice is not None:
            (folder / "notice.jws").write_bytes(notice.token + b"\n")
            written.append(folder / "notice.jws")
        return written

    # --- beginning and approving -----------------------------------------------------------------------------

    def _begun(
        self, key: KeyRecord, since: datetime.datetime, actor: Actor, wanted: Wanted, *, approving: bool
    ) -> Drill:
        with self._database.reading() as view:
            known = sorted(view.drills.where(key_id=key.id), key=lambda d: d.requested_at)
        still = [d for d in known if d.open]
        mine = next((d for d in still if d.since == since), None)
        if mine is not None:
            return self._narrowed(mine, wanted, actor)
        if approving:
            raise not_found("待批演练", "drill of key", key.id)
        for drill in still:
            if drill.state is DrillState.RUNNING:
                raise _open(drill)
            self._abandoned(drill, actor)
        options = (since, wanted.suspend, wanted.reissue)
        done = [d for d in known if d.state is DrillState.DONE and (d.since, d.suspends, d.reissues) == options]
        if done and not self._anything_left(key, since, wanted):
            return done[-1]
        drill = Drill(
            id=secrets.token_hex(16),
            key_id=key.id,
            since=since,
            suspends=wanted.suspend,
            reissues=wanted.reissue,
            requested_by=actor.subject,
            requested_at=self._clock.now(),
            session=self._session.id,
        )
        moment = drillreport.instant(since)
        with self._database.writing() as uow:
            return uow.drills.save(
                drill, event("DRILL_BEGUN", f"drill:{drill.id}", actor.subject, key=key.id, since=moment)
            )

    def _narrowed(self, drill: Drill, wanted: Wanted, actor: Actor) -> Drill:
        """An open drill may be told to do less than was planned, never more."""
        if (drill.suspends, drill.reissues) == (wanted.suspend, wanted.reissue):
            return drill
        if (wanted.suspend and not drill.suspends) or (wanted.reissue and not drill.reissues):
            raise _open(drill)
        changed = drill.changed(suspends=wanted.suspend, reissues=wanted.reissue)
        if drill.plan:
            with self._database.reading() as view:
                names = view.drill_items.identifiers(drill.id)
            changed = changed.changed(plan=self._digest(drill.key_id, drill.since, wanted, names))
        with self._database.writing() as uow:
            return uow.drills.save(changed, event("DRILL_NARROWED", f"drill:{drill.id}", actor.subject))

    def _abandoned(self, drill: Drill, actor: Actor) -> None:
        with self._database.writing() as uow:
            ended = drill.changed(state=DrillState.ABANDONED)
            uow.drills.save(ended, event("DRILL_ABANDONED", f"drill:{drill.id}", actor.subject))

    def _anything_left(self, key: KeyRecord, since: datetime.datetime, wanted: Wanted) -> bool:
        """Whether a drill that was done left something, or something came since: a suspension was lifted."""
        with self._database.reading() as view:
            names = self._exposure.identifiers(view, key, since)
        for portion in _portions(names):
            with self._database.reading() as view:
                states = {e.state for e in self._exposure.evaluated(view, key, portion)}
            if ItemState.PLANNED in states and (wanted.suspend or wanted.reissue):
                return True
            if ItemState.SUSPENDED in states and wanted.reissue:
                return True
        return False

    def _approved(self, drill: Drill, plan: str | None, actor: Actor) -> Drill:
        """A drill that waits, approved by another person; unchanged when nobody approves it now."""
        if drill.state is not DrillState.WAITING or plan is None:
            return drill
        if actor.subject == drill.requested_by:
            raise conflict(
                "SAME_PERSON",
                "approve",
                "发起人不能批准自己的计划",
                "who asked for it cannot approve it",
                remedy_zh="请由另一人批准。",
                remedy_en="Let somebody else approve it.",
            )
        if not secrets.compare_digest(plan.encode(), drill.plan.encode()):
            raise conflict(
                "PLAN_DIFFERS",
                "approve",
                "所批准的不是现在的计划",
                "this is not the plan that waits",
                remedy_zh="请核对 --dry-run 给出的摘要。",
                remedy_en="Compare it with what --dry-run prints.",
            )
        with self._database.writing() as uow:
            going = drill.changed(state=DrillState.RUNNING, phase=DrillPhase.SUSPEND, approver=actor.subject)
            return uow.drills.save(going, event("DRILL_APPROVED", f"drill:{drill.id}", actor.subject, plan=drill.plan))

    # --- working ---------------------------------------------------------------------------------------------

    def _work(
        self,
        drill: Drill,
        key: KeyRecord,
        actor: Actor,
        wanted: Wanted,
        approve: str | None,
        workers: int,
        progress: Progress | None,
    ) -> Drill:
        if drill.session != self._session.id:
            if self._session.is_alive(drill.session):
                raise _busy(key.id)
            with self._database.writing() as uow:
                taken = drill.changed(session=self._session.id)
                drill = uow.drills.save(taken, event("DRILL_RESUMED", f"drill:{drill.id}", actor.subject))
        if drill.state is DrillState.WAITING and drill.requested_at + WAITS <= self._clock.now():
            self._abandoned(drill, actor)
            raise conflict(
                "REQUEST_OVER",
                "approve",
                "该计划无人按时批准，已作废",
                "nobody approved the plan in time; it has ended",
                remedy_zh="请重新执行命令。",
                remedy_en="Run the command again.",
            )
        drill = self._approved(drill, approve, actor)
        who = Actor(drill.requested_by, frozenset({Role.OPERATOR.value}))
        work = _Work(drill, key, who, wanted, workers, progress or (lambda *_: None), time.monotonic())
        steps: Mapping[DrillPhase, Callable[[_Work], None]] = {
            DrillPhase.REVOKE: self._revoke,
            DrillPhase.PLAN: self._plan,
            DrillPhase.SUSPEND: self._suspend,
            DrillPhase.NEW_KEY: self._new_key,
            DrillPhase.REISSUE: self._reissue,
            DrillPhase.NOTICE: self._notice,
            DrillPhase.REPORT: self._report,
        }
        while work.drill.state in (DrillState.PLANNING, DrillState.RUNNING):
            work.since = time.monotonic()
            work.tell(0, work.drill.count)
            steps[work.drill.phase](work)
        return work.drill

    def _revoke(self, work: _Work) -> None:
        self._compromise.report(work.key.id, work.drill.since, work.actor)
        self._go(work, DrillPhase.PLAN)

    def _plan(self, work: _Work) -> None:
        """List the licenses, in portions; then what was listed has its digest."""
        self._listed(work)
        with self._database.reading() as view:
            names = view.drill_items.identifiers(work.drill.id)
        drill = work.drill
        plan = self._digest(drill.key_id, drill.since, Wanted(drill.suspends, drill.reissues), names)
        waits = self._settings.second_approver and drill.approver is None
        state = DrillState.WAITING if waits else DrillState.RUNNING
        self._go(work, DrillPhase.SUSPEND, state=state, plan=plan, total=len(names))

    def _listed(self, work: _Work) -> int:
        """Add what the key made and the drill does not hold yet; returns how many were added."""
        with self._database.reading() as view:
            names = self._exposure.identifiers(view, work.key, work.drill.since)
            known = set(view.drill_items.identifiers(work.drill.id))
        fresh = [n for n in names if n not in known]
        added = 0
        for portion in _portions(fresh):
            with self._database.reading() as view:
                found = self._exposure.evaluated(view, work.key, portion)
            self._write(work, partial(_add, drill=work.drill.id, found=found))
            added += len(found)
            work.tell(added, len(fresh))
        return added

    def _suspend(self, work: _Work) -> None:
        drill = work.drill
        if drill.suspends:
            step = self._standings.checked(f"drill:{drill.id}", Act.SUSPEND, _asked(work.wanted))
            done = 0
            while True:
                with self._database.reading() as view:
                    items = view.drill_items.portion(drill.id, "", PORTION, (ItemState.PLANNED,))
                if not items:
                    break

                def portion(uow: UnitOfWork, listed: Sequence[DrillItem] = items) -> int:
                    names = [i.identifier for i in listed]
                    refused = self._standings.apply_each(uow, names, step, drill.requested_by, drill.approver)
                    uow.drill_items.save_all([_suspended(i, refused.get(i.identifier)) for i in listed], ())
                    return len(listed) - len(refused)

                self._write(work, portion)
                done += len(items)
                work.tell(done, work.drill.count)
        self._go(work, DrillPhase.NEW_KEY)

    def _new_key(self, work: _Work) -> None:
        """The next generation, unless there is one already: from before, or from a run that was killed."""
        key = work.key
        self._keyring.refresh()
        found = self._next_generation(key)
        if found is None:
            try:
                self._pki.rollover(key.id, work.actor)
            except ConflictError:
                if work.drill.reissues:  # a seal that is suspended or retired gets no new key
                    raise
            found = self._next_generation(key)
        if key.purpose is KeyPurpose.CA and not self._answers_under(found):
            self._pki.rollover(KeyPurpose.ANSWER.value, work.actor)  # or nobody could check the notice
        self._go(work, DrillPhase.REISSUE, new_key_id=None if found is None else found.id)

    def _reissue(self, work: _Work) -> None:
        """New versions; then what was made with the old key since the plan is looked for once more."""
        if work.drill.reissues and work.key.purpose in PER_LICENSE:
            for attempt in range(_ATTEMPTS):
                try:
                    self._made_anew(work)
                    break
                except ConflictError as error:
                    if error.first.code != "SUCCESSION_OVERTAKEN" or attempt + 1 == _ATTEMPTS:
                        raise
            self._reissuing.settle(work.drill, work.actor, partial(self._write, work))
        if self._listed(work) and work.key.purpose in PER_LICENSE:
            self._go(work, DrillPhase.SUSPEND)
        else:
            self._go(work, DrillPhase.NOTICE)

    def _made_anew(self, work: _Work) -> None:
        self._reissuing.stage(work.drill, partial(self._write, work))

        def told(done: int, total: int) -> None:
            if time.monotonic() - work.since >= _TICK_SECONDS:
                self._write(work, lambda _: 0)
            work.tell(done, total)

        self._reissuing.run(work.drill, work.actor, work.workers, told)

    def _notice(self, work: _Work) -> None:
        drill = work.drill
        with self._database.reading() as view:
            counts = drillreport.counts_of(view.drill_items.tally(drill.id))
        new = None if drill.new_key_id is None else self._keyring.by_id(drill.new_key_id)
        payload = {
            "key": self._key_facts(work.key),
            "since": drillreport.instant(drill.since),
            "new_key": None if new is None else self._key_facts(new),
            "counts": {n: counts[n] for n in ("licenses", "suspended", "reissued", "left")},
        }

        def noted(uow: UnitOfWork, notice: Notice) -> None:
            self._tick(uow, work, 0, phase=DrillPhase.REPORT, notice=notice.number)

        self._notices.add(KEY_COMPROMISED, payload, actor=drill.requested_by, also=noted)

    def _report(self, work: _Work) -> None:
        drill = work.drill
        self._audit.anchor(self._clock.now())
        with self._database.reading() as view:
            tally = view.drill_items.tally(drill.id)
            names = view.drill_items.identifiers(drill.id)
            facts = self._exposure.facts(view, work.key, drill.since)
            anchor = view.audit.last_anchor()
        new = None if drill.new_key_id is None else self._keyring.by_id(drill.new_key_id)
        now = self._clock.now()
        payload = {
            "format": drillreport.FORMAT,
            "iss": self._settings.base_url,
            "iat": int(now.timestamp()),
            "drill": drill.id,
            "plan": drill.plan,
            "key": self._key_facts(work.key),
            "since": drillreport.instant(drill.since),
            "new_key": None if new is None else self._key_facts(new),
            "suspends": drill.suspends,
            "reissues": drill.reissues,
            "requested_by": drill.requested_by,
            "approver": drill.approver,
            "begun_at": drillreport.instant(drill.requested_at),
            "finished_at": drillreport.instant(now),
            "counts": drillreport.counts_of(tally),
            "made_by_key": facts,
            "identifiers": {
                "count": len(names),
                "first": names[0] if names else None,
                "last": names[-1] if names else None,
                "sha256": drillreport.identifiers_digest(names),
            },
            "phases": drillreport.timed(json.loads(drill.timings)),
            "suspended_seconds": drillreport.without(drillreport.lines(self._database, drill)),
            "notice": drill.notice,
            "audit": None
            if anchor is None
            else {"anchor": anchor.n, "at": drillreport.instant(anchor.at), "heads_sha256": _sha256(anchor.heads)},
        }
        key = self._keyring.active(KeyPurpose.ANSWER)
        chain = (self._keyring.certificate_der(key), *self._pki.above(key, with_root=False))
        token = signed_token(
            {"typ": drillreport.JWS_TYPE}, payload, signer=self._keyring.signer(key), chain=chain
        ).encode()
        with self._database.writing() as uow:
            self._tick(uow, work, 0, state=DrillState.DONE, finished_at=now, report=token)

    # --- small things ----------------------------------------------------------------------------------------

    def _go(self, work: _Work, phase: DrillPhase, *, total: int | None = None, **members: Any) -> None:
        """The phase at hand is done."""
        drill = work.drill
        if total is None:
            with self._database.reading() as view:
                total = sum(view.drill_items.tally(drill.id).values())
        work.tell(total, total)
        with self._database.writing() as uow:
            self._tick(uow, work, 0, phase=phase, total=total, **members)

    def _write(self, work: _Work, change: Callable[[UnitOfWork], int]) -> None:
        """Do ``change`` in a transaction that also saves how far the drill is; again on a collision."""
        drill, since = work.drill, work.since

        def attempt(uow: UnitOfWork) -> None:
            work.drill, work.since = drill, since
            self._tick(uow, work, change(uow))

        self._database.retrying(attempt)

    def _tick(self, uow: UnitOfWork, work: _Work, count: int, *, total: int | None = None, **members: Any) -> None:
        """Save how far the drill is, with the seconds since the last time, in the transaction at hand."""
        drill, now = work.drill, time.monotonic()
        timings = json.loads(drill.timings)
        told = timings.setdefault(drill.phase.value, {"seconds": 0.0, "count": 0})
        told["seconds"] += now - work.since
        told["count"] += count
        changed = drill.changed(timings=json.dumps(timings), **members)
        if total is not None:
            changed = changed.changed(count=total)
        told_line = event(
            "DRILL_PROGRESS",
            f"drill:{drill.id}",
            drill.requested_by,
            phase=drill.phase.value,
            count=count,
            state=changed.state.value,
        )
        work.drill = uow.drills.save(changed, told_line)
        work.since = now

    def _next_generation(self, key: KeyRecord) -> KeyRecord | None:
        """The key that works in place of ``key`` now."""
        if key.purpose is KeyPurpose.SEAL:
            with self._database.reading() as view:
                found = self._at_work(view, key)
            return None if found is None or found.id == key.id else found
        stem = key.name.rpartition("-")[0]
        later = [
            k
            for k in self._keyring.all(key.purpose)
            if k.owner == key.owner and k.name.rpartition("-")[0] == stem and k.generation > key.generation
        ]
        good = [k for k in later if self._stands(k)]
        if key.purpose is KeyPurpose.OCSP:
            ca = self._keyring.certificate(key).ca
            good = [k for k in good if self._keyring.certificate(k).ca == ca]
        return good[-1] if good else None

    def _at_work(self, view: View, key: KeyRecord) -> KeyRecord | None:
        """The key of the edition at work of the seal that ``key`` belongs to."""
        for edition in view.seal_versions.where(key_id=key.id):
            seal = view.seals.get(edition.seal_id)
            if seal is None:
                continue
            for at_work in view.seal_versions.where(seal_id=seal.id, version=seal.version):
                found = self._keyring.by_id(at_work.key_id or "")
                if found is not None and self._stands(found):
                    return found
        return None

    def _stands(self, key: KeyRecord) -> bool:
        certificate = self._keyring.certificate_or_none(key)
        return key.retired_at is None and certificate is not None and certificate.state is CertificateState.ISSUED

    def _answers_under(self, ca: KeyRecord | None) -> bool:
        answers = self._keyring.active(KeyPurpose.ANSWER)
        if ca is None:
            return True
        issuing = self._keyring.active_ca("issuing")
        return self._keyring.certificate(answers).ca == issuing.name

    def _key_facts(self, key: KeyRecord) -> dict[str, Any]:
        return drillreport.key_facts(key, self._keyring.certificate_or_none(key))

    def _digest(self, key_id: str, since: datetime.datetime, wanted: Wanted, names: Sequence[str]) -> str:
        return drillreport.plan_digest(
            self._settings.vault_id,
            key_id,
            since,
            suspends=wanted.suspend,
            reissues=wanted.reissue,
            identifiers=names,
        )

    def _outcome(self, found: Compromised, drill: Drill) -> Outcome:
        with self._database.reading() as view:
            counts = drillreport.counts_of(view.drill_items.tally(drill.id))
            facts = self._exposure.facts(view, found.key, drill.since)
        return Outcome(
            found=Compromised(found.key, found.since, found.uses, done=True),
            plan=drill.plan,
            counts=counts,
            facts=facts,
            drill=drill,
            pending=drill.state is DrillState.WAITING,
            report=None if drill.report is None else _payload(drill.report),
        )


def _asked(wanted: Wanted) -> Asked:
    basis = wanted.basis or "密钥失密处置"
    return Asked(KEY_COMPROMISE, basis)


def _add(uow: UnitOfWork, *, drill: str, found: Sequence[Evaluated]) -> int:
    uow.drill_items.save_all([DrillItem(drill, e.identifier, e.state, e.reason) for e in found], ())
    return len(found)


def _suspended(item: DrillItem, refused: str | None) -> DrillItem:
    if refused is None:
        return DrillItem(item.drill, item.identifier, ItemState.SUSPENDED, "", item.job, None, item.revision)
    return DrillItem(item.drill, item.identifier, ItemState.LEFT, refused, item.job, None, item.revision)


def _portions(names: Sequence[str]) -> list[Sequence[str]]:
    return [names[i : i + PORTION] for i in range(0, len(names), PORTION)]


def _payload(token: bytes) -> dict[str, Any]:
    """The payload of a JWS of this vault's own."""
    part = token.split(b".")[1]
    value: dict[str, Any] = json.loads(base64.urlsafe_b64decode(part + b"=" * (-len(part) % 4)))
    return value


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _busy(key_id: str) -> ConflictError:
    return conflict(
        "DRILL_BUSY",
        "key",
        f"密钥 {key_id} 的演练正在另一进程中进行",
        f"the drill of key {key_id} runs in another process",
        remedy_zh="请等待其完成。",
        remedy_en="Wait until it is done.",
    )


def _open(drill: Drill) -> ConflictError:
    moment = drillreport.instant(drill.since)
    return conflict(
        "DRILL_OPEN",
        "since",
        f"该密钥自 {moment} 起的演练尚未完成",
        f"a drill of this key since {moment} is not finished",
        remedy_zh="请先以同一时间和选项重复该命令，完成后再执行新的。",
        remedy_en="Repeat that command with its time and options first, then run this one.",
    )
