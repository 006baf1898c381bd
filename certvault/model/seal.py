"""An electronic seal, its editions, its rules, and the steps of its life.

    APPLIED ─approve─▶ APPROVED ─make─▶ MADE ─activate─▶ ACTIVE ⇄ SUSPENDED ─retire─▶ RETIRED ─destroy─▶ DESTROYED
       └────reject───▶ REJECTED

A seal has editions (:class:`SealVersion`): picture, rules, key and certificate of one making. ``change`` applies for
the next one, which is approved, made and activated like the first while the old one goes on working; activation
supersedes the old one. ``renew`` is the vault's own step: the same face and rules under a new key. Everything here is
pure; a step that is not allowed is a ConflictError (SEAL_STATE, or SEAL_FOUR_EYES for the wrong person).
"""

from __future__ import annotations

import datetime
import enum
from collections.abc import Sequence
from dataclasses import dataclass, replace

from certvault.errors import ConflictError, conflict
from certvault.model.sealrules import SealRules


class SealState(enum.StrEnum):
    """Where a seal stands. Only an ACTIVE one is used."""

    APPLIED = "APPLIED"
    APPROVED = "APPROVED"
    REJECTED = "REJECTED"
    MADE = "MADE"
    ACTIVE = "ACTIVE"
    SUSPENDED = "SUSPENDED"
    RETIRED = "RETIRED"
    DESTROYED = "DESTROYED"


class VersionState(enum.StrEnum):
    """Where one edition stands. WITHDRAWN: its seal was retired before it was activated."""

    APPLIED = "APPLIED"
    APPROVED = "APPROVED"
    REJECTED = "REJECTED"
    MADE = "MADE"
    ACTIVE = "ACTIVE"
    SUPERSEDED = "SUPERSEDED"
    WITHDRAWN = "WITHDRAWN"


class Step(enum.StrEnum):
    """One step of a seal's life."""

    APPLY = "APPLY"
    APPROVE = "APPROVE"
    REJECT = "REJECT"
    MAKE = "MAKE"
    ACTIVATE = "ACTIVATE"
    SUSPEND = "SUSPEND"
    RESUME = "RESUME"
    CHANGE = "CHANGE"
    RENEW = "RENEW"
    RETIRE = "RETIRE"
    DESTROY = "DESTROY"


_WAITING = (VersionState.APPLIED, VersionState.APPROVED, VersionState.MADE)
_IN_LIFE = (SealState.ACTIVE, SealState.SUSPENDED)


@dataclass(frozen=True, slots=True)
class Seal:
    """One seal. ``id`` has 14 digits, six of region and eight of serial; ``owner`` is the organization's code.

    ``version`` is the edition at work, 0 before the first activation; ``stem`` begins the names of its keys.
    """

    id: str
    owner: str
    kind: str
    stem: str
    state: SealState
    version: int
    created_at: datetime.datetime
    since: datetime.datetime
    revision: int = 0


@dataclass(frozen=True, slots=True)
class SealVersion:
    """One edition of a seal.

    ``name`` is the organization's on the arc; ``face`` is ciphertext of what not every seal has and may be personal
    (:mod:`certvault.sealart`). ``rules`` is JSON of :class:`SealRules`. ``structure`` is the SES_Seal (DER), made
    when it is first asked for.
    """

    seal_id: str
    version: int
    state: VersionState
    name: str
    diameter_mm: int
    rules: str
    applied_by: str
    applied_at: datetime.datetime
    face: bytes | None = None
    approved_by: str = ""
    made_by: str = ""
    activated_by: str = ""
    key_id: str | None = None
    structure: bytes | None = None
    revision: int = 0

    @property
    def rule(self) -> SealRules:
        """The rules, read."""
        return SealRules.from_text(self.rules)


@dataclass(frozen=True, slots=True)
class SealEvent:
    """One step that was taken. ``state`` and ``version`` are the seal's after it, ``edition`` is what it concerned."""

    seal_id: str
    seq: int
    at: datetime.datetime
    step: Step
    state: SealState
    version: int
    edition: int
    actor: str
    reason: str
    revision: int = 0


@dataclass(frozen=True, slots=True)
class Face:
    """What an edition is to look like and may do, as applied for."""

    name: str
    diameter_mm: int
    rules: SealRules
    face: bytes | None = None


@dataclass(frozen=True, slots=True)
class Doer:
    """Who takes a step. ``alone``: the policy lets this person take steps of which another should take one."""

    subject: str
    alone: bool


@dataclass(frozen=True, slots=True)
class Life:
    """A seal with all its editions, oldest first, and the number of steps taken so far. ``last`` is the newest step."""

    seal: Seal
    versions: tuple[SealVersion, ...]
    steps: int
    last: SealEvent | None = None
    changed: tuple[int, ...] = ()

    @property
    def waiting(self) -> SealVersion | None:
        """The edition that is on its way to activation."""
        return next((v for v in self.versions if v.state in _WAITING), None)

    @property
    def at_work(self) -> SealVersion | None:
        """The edition that was activated last."""
        return next((v for v in self.versions if v.state is VersionState.ACTIVE), None)

    @property
    def newest(self) -> SealVersion:
        """The edition applied for last."""
        return self.versions[-1]


def apply(
    seal_id: str, owner: str, kind: str, stem: str, face: Face, doer: Doer, at: datetime.datetime, reason: str
) -> Life:
    """A seal that is asked for."""
    seal = Seal(seal_id, owner, kind, stem, SealState.APPLIED, 0, at, at)
    first = _edition(seal_id, 1, face, doer, at)
    return _taken(Life(seal, (first,), 0), Step.APPLY, SealState.APPLIED, first, doer, at, reason)


def approve(life: Life, doer: Doer, at: datetime.datetime, reason: str) -> Life:
    """The edition that is asked for may be made. By another than who asked."""
    edition = _in(life, Step.APPROVE, VersionState.APPLIED)
    _another(doer, edition.applied_by)
    done = replace(edition, state=VersionState.APPROVED, approved_by=doer.subject)
    return _taken(life, Step.APPROVE, _first(life, SealState.APPROVED), done, doer, at, reason)


def reject(life: Life, doer: Doer, at: datetime.datetime, reason: str) -> Life:
    """The edition will not be. A first one that is made already is retired instead, so that its key is destroyed."""
    made = (VersionState.MADE,) if life.seal.state in _IN_LIFE else ()
    edition = _in(life, Step.REJECT, VersionState.APPLIED, VersionState.APPROVED, *made)
    _another(doer, edition.applied_by)
    done = replace(edition, state=VersionState.REJECTED)
    return _taken(life, Step.REJECT, _first(life, SealState.REJECTED), done, doer, at, reason)


def make(life: Life, doer: Doer, at: datetime.datetime, reason: str, *, key_id: str) -> Life:
    """The edition has its key and certificate."""
    edition = _in(life, Step.MAKE, VersionState.APPROVED)
    done = replace(edition, state=VersionState.MADE, made_by=doer.subject, key_id=key_id)
    return _taken(life, Step.MAKE, _first(life, SealState.MADE), done, doer, at, reason)


def activate(life: Life, doer: Doer, at: datetime.datetime, reason: str) -> Life:
    """The edition works from now on, in place of the former one. By another than who asked."""
    edition = _in(life, Step.ACTIVATE, VersionState.MADE)
    _another(doer, edition.applied_by)
    done = replace(edition, state=VersionState.ACTIVE, activated_by=doer.subject)
    superseded = _superseded(life)
    return _taken(superseded, Step.ACTIVATE, _first(life, SealState.ACTIVE), done, doer, at, reason, at_work=True)


def change(life: Life, face: Face, doer: Doer, at: datetime.datetime, reason: str) -> Life:
    """Ask for another edition; one at a time."""
    _seal_in(life, Step.CHANGE, *_IN_LIFE)
    if life.waiting is not None:
        raise _refused(life, Step.CHANGE)
    edition = _edition(life.seal.id, life.newest.version + 1, face, doer, at)
    return _taken(life, Step.CHANGE, life.seal.state, edition, doer, at, reason)


def renew(life: Life, doer: Doer, at: datetime.datetime, reason: str, *, key_id: str) -> Life:
    """The same face and rules under a new key: a rollover."""
    _seal_in(life, Step.RENEW, *_IN_LIFE)
    former = life.at_work or life.newest
    edition = replace(
        former,
        version=life.newest.version + 1,
        state=VersionState.ACTIVE,
        key_id=key_id,
        structure=None,
        made_by=doer.subject,
        activated_by=doer.subject,
        revision=0,
    )
    return _taken(_superseded(life), Step.RENEW, life.seal.state, edition, doer, at, reason, at_work=True)


def suspend(life: Life, doer: Doer, at: datetime.datetime, reason: str) -> Life:
    """Not to be used for the time being."""
    _seal_in(life, Step.SUSPEND, SealState.ACTIVE)
    return _taken(life, Step.SUSPEND, SealState.SUSPENDED, None, doer, at, reason)


def resume(life: Life, doer: Doer, at: datetime.datetime, reason: str) -> Life:
    """To be used again."""
    _seal_in(life, Step.RESUME, SealState.SUSPENDED)
    return _taken(life, Step.RESUME, SealState.ACTIVE, None, doer, at, reason)


def retire(life: Life, doer: Doer, at: datetime.datetime, reason: str) -> Life:
    """Never to be used again. What it sealed stays good; an edition on its way is withdrawn."""
    _seal_in(life, Step.RETIRE, SealState.MADE, *_IN_LIFE)
    waiting = life.waiting
    withdrawn = None if waiting is None else replace(waiting, state=VersionState.WITHDRAWN)
    return _taken(life, Step.RETIRE, SealState.RETIRED, withdrawn, doer, at, reason)


def destroy(life: Life, doer: Doer, at: datetime.datetime, reason: str) -> Life:
    """Its keys are to be destroyed."""
    _seal_in(life, Step.DESTROY, SealState.RETIRED)
    return _taken(life, Step.DESTROY, SealState.DESTROYED, None, doer, at, reason)


def state_at(events: Sequence[SealEvent], at: datetime.datetime) -> SealEvent | None:
    """The last step at or before ``at``; None before the first."""
    found = [e for e in events if e.at <= at]
    return max(found, key=lambda e: e.seq) if found else None


def _edition(seal_id: str, number: int, face: Face, doer: Doer, at: datetime.datetime) -> SealVersion:
    return SealVersion(
        seal_id,
        number,
        VersionState.APPLIED,
        face.name,
        face.diameter_mm,
        face.rules.to_text(),
        doer.subject,
        at,
        face.face,
    )


def _in(life: Life, step: Step, *states: VersionState) -> SealVersion:
    waiting = life.waiting
    if waiting is None or waiting.state not in states:
        raise _refused(life, step)
    return waiting


def _seal_in(life: Life, step: Step, *states: SealState) -> None:
    if life.seal.state not in states:
        raise _refused(life, step)


def _first(life: Life, state: SealState) -> SealState:
    """The seal follows its first edition; once in life it keeps its state while further ones are prepared."""
    return life.seal.state if life.seal.state in _IN_LIFE else state


def _superseded(life: Life) -> Life:
    former = life.at_work
    if former is None:
        return life
    return _with(life, replace(former, state=VersionState.SUPERSEDED))


def _with(life: Life, edition: SealVersion) -> Life:
    others = [v for v in life.versions if v.version != edition.version]
    versions = tuple(sorted([*others, edition], key=lambda v: v.version))
    return replace(life, versions=versions, changed=(*life.changed, edition.version))


def _taken(
    life: Life,
    step: Step,
    state: SealState,
    edition: SealVersion | None,
    doer: Doer,
    at: datetime.datetime,
    reason: str,
    *,
    at_work: bool = False,
) -> Life:
    seal = life.seal
    if state is not seal.state:
        seal = replace(seal, state=state, since=at)
    if edition is not None:
        life = _with(life, edition)
    if edition is not None and at_work:
        seal = replace(seal, version=edition.version)
    number = seal.version if edition is None else edition.version
    last = SealEvent(seal.id, life.steps + 1, at, step, state, seal.version, number, doer.subject, reason)
    return replace(life, seal=seal, steps=life.steps + 1, last=last)


def _another(doer: Doer, former: str) -> None:
    if doer.subject == former and not doer.alone:
        raise conflict(
            "SEAL_FOUR_EYES",
            "actor",
            "申请人不能审批或启用自己申请的印章",
            "who applied for the seal neither approves nor activates it",
            remedy_zh="请由另一人办理。",
            remedy_en="Let another person do it.",
        )


def _refused(life: Life, step: Step) -> ConflictError:
    waiting = "" if life.waiting is None else f"; {life.waiting.version}: {life.waiting.state.value}"
    return conflict(
        "SEAL_STATE",
        "seal",
        f"印章处于 {life.seal.state.value}{waiting}，不能执行 {step.value}",
        f"the seal is {life.seal.state.value}{waiting}, which does not lead to {step.value}",
        remedy_zh="请先完成前面的步骤，见 certvault seal show。",
        remedy_en="Take the steps before it first; certvault seal show tells where it stands.",
    )
