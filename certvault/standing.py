"""Where licenses stand: acts on them by entitled issuers, their history, and the standing at any moment.

An act is about the license, so it reaches every version of it that it can: whoever holds an older file, record or code
meets the same answer. What a version stands for follows from its own history alone (:mod:`certvault.model.standing`).
"""

from __future__ import annotations

import datetime
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from certvault.cipher import Cipher
from certvault.clock import LEGAL_ZONE, Clock, legal_date
from certvault.db.unit_of_work import Database, UnitOfWork, View
from certvault.errors import ConflictError, conflict, forbidden, not_found
from certvault.model.actor import Actor, Role
from certvault.model.keys import Event, event
from certvault.model.license import License, LicenseState, Standing
from certvault.model.standing import (
    REASONS,
    USUAL,
    Act,
    Status,
    StatusChange,
    StepError,
    check_step,
    in_order,
    standing_at,
)
from certvault.model.statuswork import Due
from certvault.settings import Settings
from certvault.statuslists import entry_of
from verify.formats.refusal import Refusal, RefusedError, Text, refuse

MAX_BASIS = 500
FARTHEST = datetime.timedelta(days=3653)
MAKING = datetime.timedelta(minutes=10)
"""How long making a new version may take, so that a moment given for it has not gone by then."""
_DAY = "2026-01-01"

KINDS: Mapping[Act, str] = {
    Act.SUSPEND: "LICENSE_SUSPENDED",
    Act.REINSTATE: "LICENSE_REINSTATED",
    Act.REVOKE: "LICENSE_REVOKED",
    Act.RENEW: "LICENSE_RENEWED",
    Act.AMEND: "LICENSE_AMENDED",
}
"""The audit line of each act."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked beside the act. ``reason`` is a code of :data:`REASONS`, ``basis`` the legal basis in words,
    ``effective`` the moment from which it counts, RFC 3339 or a date (its beginning in the legal zone); None: now."""

    reason: str | None = None
    basis: str = ""
    effective: str | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """An :class:`Asked` that was checked."""

    act: Act
    reason: str
    basis: str
    effective: datetime.datetime | None
    digest: str


@dataclass(frozen=True, slots=True)
class Done:
    """What an act led to. ``changed`` is False for one that was repeated; ``pending`` names the request that a second
    person has to approve before anything changes."""

    identifier: str
    act: Act
    standing: Standing
    reason: str
    basis: str
    effective_at: datetime.datetime
    recorded_at: datetime.datetime
    changed: bool = True
    number: int | None = None
    pending: str | None = None
    successor: str | None = None


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """One act of a history, opened."""

    number: int
    act: Act
    reason: str
    basis: str
    effective_at: datetime.datetime
    recorded_at: datetime.datetime
    actor: str
    approver: str | None
    successor: str | None


class Standings:
    """Records acts and answers from the histories."""

    def __init__(self, database: Database, cipher: Cipher, settings: Settings, clock: Clock) -> None:
        self._database = database
        self._cipher = cipher
        self._settings = settings
        self._clock = clock

    def change(self, identifier: str, act: Act, *, actor: Actor, asked: Asked, approver: str | None = None) -> Done:
        """Suspend, reinstate or revoke. ``identifier`` is that of any version of the license.

        Repeated with the same content it changes nothing. Raises NotFoundError, RefusedError (reason, basis, effective
        time, remit), ConflictError (``LICENSE_…``: where it stands, the act is not possible).
        """
        step = self.checked(identifier, act, asked)

        def work(uow: UnitOfWork) -> Done:
            return self.apply(uow, self.mine(uow.view, identifier, actor), step, actor.subject, approver)

        return self._database.retrying(work)

    def possible(self, identifier: str, step: Step, actor: Actor) -> License:
        """The newest version, when the act is possible now; the errors of :meth:`change` otherwise."""
        with self._database.reading() as view:
            found = self.newest(view, self.mine(view, identifier, actor))
            changes = view.statuses.of(found.identifier)
        effective = step.effective or self._clock.now()
        _check_effective(step, found, effective, self._clock.now())
        _checked_step(changes, step.act, effective, found)
        return found

    def checked(self, identifier: str, act: Act, asked: Asked, **content: object) -> Step:
        """The parts of a request, each looked at; ``content`` are further parts that tell it from another one."""
        reason = _reason(act, asked.reason, needed=self._settings.production)
        basis = _basis(asked.basis, needed=self._settings.production)
        effective = _effective(asked.effective)
        parts = [act.value, stem_of(identifier), reason, basis, asked.effective or "", content]
        text = json.dumps(parts, ensure_ascii=False, sort_keys=True, default=str)
        digest = self._cipher.index("status-request", hashlib.sha256(text.encode()).hexdigest())
        return Step(act, reason, basis, effective, digest)

    def mine(self, view: View, identifier: str, actor: Actor) -> License:
        """The license, when ``actor`` may act on it: for its issuer, within the issuer's remit."""
        if not actor.has(Role.ISSUER):
            raise forbidden(Role.ISSUER)
        found = view.licenses.get(identifier)
        if (
            found is None
            or found.state is not LicenseState.ISSUED
            or actor.issuer_code not in (None, found.issuer_code)
        ):
            raise not_found("证照", "license", identifier[:140])
        issuer = view.issuers.get(found.issuer_code)
        now, region = self._clock.now(), self.newest(view, found).region
        if issuer is None or (issuer.until is not None and issuer.until <= now) or not issuer.may_issue(found.type):
            raise _outside("type", f"类型 {found.type}", f"the type {found.type}")
        if not issuer.may_issue_for(region):
            raise _outside("region", f"地区 {region}", f"the region {region}")
        return found

    def newest(self, view: View, found: License) -> License:
        """The newest issued version of the same license."""
        return (view.licenses.versions(found) or [found])[-1]

    def apply(
        self,
        uow: UnitOfWork,
        found: License,
        step: Step,
        actor: str,
        approver: str | None,
        successor: License | None = None,
    ) -> Done:
        """Record the act within the transaction at hand. With ``successor`` that version takes the place of ``found``,
        and the act reaches ``found`` alone."""
        versions = [found] if successor is not None else uow.view.licenses.versions(found)
        for version in versions:  # nobody else acts on them before this transaction ends
            uow.licenses.get(version.identifier, lock=True)
        histories = uow.statuses.histories([v.identifier for v in versions])
        now = self._clock.now()
        effective = step.effective or now
        newest = versions[-1]
        known = _repeated(histories[newest.identifier], step)
        if known is not None:
            return self._done(newest, histories[newest.identifier], known, now, changed=False)
        _check_effective(step, newest, effective, now)
        _checked_step(histories[newest.identifier], step.act, effective, newest)
        reached = [v for v in versions if v is newest or _can(histories[v.identifier], step.act, effective)]
        first = uow.statuses.take(len(reached))
        changes = [
            StatusChange(
                number=first + i,
                identifier=version.identifier,
                act=step.act,
                reason=step.reason,
                effective_at=effective,
                recorded_at=now,
                actor=actor,
                digest=step.digest,
                sealed=self._cipher.seal(_context(version.identifier, first + i), _sealed(step)),
                approver=approver,
                successor=None if successor is None else successor.identifier,
            )
            for i, version in enumerate(reached)
        ]
        after = {c.identifier: [*histories[c.identifier], c] for c in changes}
        uow.statuses.record(
            changes,
            [entry_of(v, after[v.identifier], now, c.number) for v, c in zip(reached, changes, strict=True)],
            [Due(effective, v.identifier, v.status_list) for v in reached] if effective > now else [],
            [_event(c) for c in changes],
        )
        return self._done(newest, after[newest.identifier], changes[-1], now, changed=True)

    def apply_each(
        self,
        uow: UnitOfWork,
        identifiers: Sequence[str],
        step: Step,
        actor: str,
        approver: str | None = None,
        successors: Mapping[str, str] | None = None,
    ) -> dict[str, str]:
        """Record one act, from now on, on each of several versions and on those alone, in the transaction at hand.

        With ``successors`` those versions take the places. Returned are those on which it is not possible, with the
        code of why: ``LICENSE_`` and where it stands, ACTS_AHEAD. Remits are the caller's to ask.
        """
        held = uow.view.licenses.hold(list(identifiers))  # nobody else acts on them before this transaction ends
        histories = uow.statuses.histories([v.identifier for v in held])
        now = self._clock.now()
        refused = {v.identifier: _why_not(histories[v.identifier], step.act, now) for v in held}
        reached = [v for v in held if not refused[v.identifier]]
        if reached:
            first = uow.statuses.take(len(reached))
            changes = [
                StatusChange(
                    number=first + i,
                    identifier=version.identifier,
                    act=step.act,
                    reason=step.reason,
                    effective_at=now,
                    recorded_at=now,
                    actor=actor,
                    digest=step.digest,
                    sealed=self._cipher.seal(_context(version.identifier, first + i), _sealed(step)),
                    approver=approver,
                    successor=None if successors is None else successors[version.identifier],
                )
                for i, version in enumerate(reached)
            ]
            entries = [
                entry_of(v, [*histories[v.identifier], c], now, c.number) for v, c in zip(reached, changes, strict=True)
            ]
            uow.statuses.record(changes, entries, [], [_event(c) for c in changes])
        return {identifier: code for identifier, code in refused.items() if code}

    def history(self, found: License) -> list[HistoryEntry]:
        """The acts on one version, in the order in which they count."""
        with self._database.reading() as view:
            changes = view.statuses.of(found.identifier)
        return [self._opened(c) for c in in_order(changes)]

    def changes(self, identifiers: Sequence[str]) -> dict[str, list[StatusChange]]:
        """The histories of several versions."""
        with self._database.reading() as view:
            return view.statuses.histories(identifiers)

    def standing(
        self,
        found: License,
        at: datetime.datetime,
        changes: Sequence[StatusChange] | None = None,
        *,
        known: datetime.datetime | None = None,
    ) -> Standing:
        """Where the version stands at ``at``, from what is known now, or was at ``known``."""
        if changes is None:
            changes = self.changes([found.identifier])[found.identifier]
        return standing_at(found, changes, at, legal_date(at), known=known)

    def _done(
        self,
        found: License,
        changes: Sequence[StatusChange],
        change: StatusChange,
        now: datetime.datetime,
        *,
        changed: bool,
    ) -> Done:
        opened = self._opened(change)
        return Done(
            identifier=found.identifier,
            act=change.act,
            standing=standing_at(found, changes, now, legal_date(now)),
            reason=change.reason,
            basis=opened.basis,
            effective_at=change.effective_at,
            recorded_at=change.recorded_at,
            changed=changed,
            number=change.number,
            successor=change.successor,
        )

    def _opened(self, change: StatusChange) -> HistoryEntry:
        sealed = json.loads(self._cipher.open(_context(change.identifier, change.number), change.sealed))
        return HistoryEntry(
            number=change.number,
            act=change.act,
            reason=change.reason,
            basis=str(sealed["basis"]),
            effective_at=change.effective_at,
            recorded_at=change.recorded_at,
            actor=change.actor,
            approver=change.approver,
            successor=change.successor,
        )


def moment_of(text: str, field: str = "effective") -> datetime.datetime:
    """RFC 3339 with its offset, or a date: its beginning in the legal zone. RefusedError otherwise."""
    try:
        if len(text) == len(_DAY):
            return datetime.datetime.combine(datetime.date.fromisoformat(text), datetime.time(), LEGAL_ZONE).astimezone(
                datetime.UTC
            )
        value = datetime.datetime.fromisoformat(text.strip())
        if value.tzinfo is None:
            raise ValueError("no offset")
        return value.astimezone(datetime.UTC)
    except (ValueError, OverflowError) as error:
        raise refuse(
            "TIME_MALFORMED",
            field,
            f"无法理解时间 {text[:40]!r}",
            f"{text[:40]!r} is no point in time",
            remedy_zh="请写成 2026-01-01T00:00:00Z 或 2026-01-01。",
            remedy_en="Write it as 2026-01-01T00:00:00Z or 2026-01-01.",
        ) from error


def stem_of(identifier: str) -> str:
    """What the identifiers of all versions of a license have in common."""
    return identifier.rsplit(".", 2)[0]


def day_begins(day: datetime.date) -> datetime.datetime:
    """The first instant of a day of the legal zone."""
    return datetime.datetime.combine(day, datetime.time(), LEGAL_ZONE).astimezone(datetime.UTC)


def not_possible(error: StepError, found: License) -> ConflictError:
    """Where the license stands, the act is not possible."""
    words = {
        Status.IN_FORCE: ("有效", "in force"),
        Status.SUSPENDED: ("已暂停", "suspended"),
        Status.REVOKED: ("已吊销或注销", "revoked"),
        Status.SUPERSEDED: ("已由新版本取代", "superseded by a newer version"),
    }
    if error.later is not None:
        return conflict(
            "LATER_ACTS",
            "effective",
            f"该时间之后已有的“{error.later}”将无法成立",
            f"a later act ({error.later}) would not be possible any more",
            remedy_zh="请选择较晚的生效时间，见 certvault status。",
            remedy_en="Choose a later moment; certvault status shows the history.",
        )
    zh, en = words[error.status]
    return conflict(
        f"LICENSE_{error.status.name}",
        "",
        f"证照 {found.identifier} 届时{zh}，不能办理 {error.act}",
        f"{found.identifier} is {en} at that moment; it cannot be done: {error.act}",
        remedy_zh="请用 certvault status 查看其历史。",
        remedy_en="Look at its history with certvault status.",
    )


def _checked_step(changes: Sequence[StatusChange], act: Act, at: datetime.datetime, found: License) -> None:
    try:
        check_step(changes, act, at)
    except StepError as error:
        raise not_possible(error, found) from error


def _why_not(changes: Sequence[StatusChange], act: Act, at: datetime.datetime) -> str:
    """The code of what speaks against an act; empty when nothing does."""
    if act.supersedes and any(c.effective_at > at for c in changes):
        return "ACTS_AHEAD"
    try:
        check_step(changes, act, at)
    except StepError as error:
        return "LATER_ACTS" if error.later is not None else f"LICENSE_{error.status.name}"
    return ""


def _can(changes: Sequence[StatusChange], act: Act, at: datetime.datetime) -> bool:
    try:
        check_step(changes, act, at)
    except StepError:
        return False
    return True


def _repeated(changes: Sequence[StatusChange], step: Step) -> StatusChange | None:
    """The act itself, when it was the last one recorded."""
    last = changes[-1] if changes else None
    return last if last is not None and last.act is step.act and last.digest == step.digest else None


def _check_effective(step: Step, found: License, effective: datetime.datetime, now: datetime.datetime) -> None:
    """From the day of issue (or of validity, if earlier) to ten years ahead; a new version not before it is made."""
    issued = legal_date(found.issued_at or found.allotted_at)
    earliest = now - MAKING if step.act.supersedes else day_begins(min(issued, found.valid_from))
    if not earliest <= effective <= now + FARTHEST:
        raise refuse(
            "EFFECTIVE_TIME",
            "effective",
            "生效时间早于颁发，或在十年以后",
            "the moment lies before the issue, or more than ten years ahead",
            remedy_zh=f"请选择 {earliest:%Y-%m-%d} 以后的时间。",
            remedy_en=f"Choose a moment from {earliest:%Y-%m-%d} on.",
        )


def _reason(act: Act, reason: str | None, *, needed: bool) -> str:
    known = REASONS[act]
    if not reason and not needed:
        return USUAL[act]
    if reason not in known:
        raise refuse(
            "REASON_UNKNOWN",
            "reason",
            f"没有事由代码 {(reason or '')[:40]!r}" if reason else "缺少事由代码",
            f"there is no reason {(reason or '')[:40]!r}" if reason else "a reason is needed",
            remedy_zh="可选：" + "、".join(f"{c}（{zh}）" for c, (zh, _) in known.items()),
            remedy_en="Use one of: " + ", ".join(f"{c} ({en})" for c, (_, en) in known.items()),
        )
    return reason or USUAL[act]


def _basis(basis: str, *, needed: bool) -> str:
    text = " ".join(basis.split())
    if len(text) > MAX_BASIS or not text.isprintable() or (needed and not text):
        raise refuse(
            "BASIS",
            "basis",
            "法律依据为空、过长或含有控制字符",
            "the legal basis is empty, too long or holds control characters",
            remedy_zh=f"请写明依据，不超过 {MAX_BASIS} 字。",
            remedy_en=f"Name it in at most {MAX_BASIS} characters.",
        )
    return text


def _effective(text: str | None) -> datetime.datetime | None:
    return moment_of(text) if text else None


def _outside(field: str, zh: str, en: str) -> RefusedError:
    return RefusedError(
        Refusal(
            "OUTSIDE_REMIT",
            field,
            Text(f"{zh}不在颁发机构的权限内", f"{en} is outside the issuer's remit"),
            Text("请由有权限的机构办理。", "Let an issuer whose remit covers it do it."),
        )
    )


def _context(identifier: str, number: int) -> str:
    return f"status-change:{identifier}|{number}"


def _sealed(step: Step) -> bytes:
    return json.dumps({"basis": step.basis}, ensure_ascii=False).encode()


def _event(change: StatusChange) -> Event:
    details: dict[str, str | int] = {
        "change": change.number,
        "reason": change.reason,
        "effective": change.effective_at.isoformat(),
    }
    if change.approver is not None:
        details["approver"] = change.approver
    if change.successor is not None:
        details["successor"] = change.successor
    return event(KINDS[change.act], change.identifier, change.actor, **details)
