"""The life of seals: applied for, approved, made, activated, suspended, changed, retired, destroyed.

Who may do what: an issuer or a custodian applies; a custodian approves, makes, activates and takes every other step; an
operator may do all of it. A caller bound to one organization meets its seals alone. Whether one person may take steps
of which another should take one is the setting ``[seals] four_eyes`` and, for everybody but operators, never so.
"""

from __future__ import annotations

import builtins
import datetime
from collections.abc import Callable
from dataclasses import dataclass

from certvault.cipher import Cipher
from certvault.clock import Clock
from certvault.db.unit_of_work import Database, UnitOfWork, View
from certvault.errors import forbidden, not_found
from certvault.hubrefusals import require_licenses
from certvault.keyring import Keyring
from certvault.model import seal as life
from certvault.model.actor import Actor, Role
from certvault.model.keys import Issuer, KeyState, event
from certvault.model.seal import Doer, Face, Life, Seal, SealEvent, SealState, SealVersion
from certvault.model.sealrules import SealRules
from certvault.remits import issuer_named
from certvault.sealart import Extras, checked
from certvault.sealkeys import SealKeys
from certvault.sealrecords import life_of, save_step
from certvault.settings import Settings
from templates.sealkinds import SEAL_KINDS
from templates.seals import MAX_NAME
from verify.formats.refusal import RefusedError, refuse

MAX_REASON = 100
_PATIENCE = 5


NOTHING = Extras()


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked of a new seal or edition; None leaves it as it is, or as the kind and the organization have it."""

    name: str | None = None
    diameter_mm: int | None = None
    rules: SealRules | None = None
    extras: Extras = NOTHING


class Seals:
    """Takes the steps of seals' lives; lists and shows them."""

    def __init__(
        self, database: Database, cipher: Cipher, keyring: Keyring, keys: SealKeys, settings: Settings, clock: Clock
    ) -> None:
        self._database = database
        self._cipher = cipher
        self._keyring = keyring
        self._keys = keys
        self._settings = settings
        self._clock = clock

    def apply(self, kind: str, *, actor: Actor, owner: str | None = None, wanted: Wanted, reason: str = "") -> Life:
        """Ask for a seal of ``kind`` for an organization; by default the vault's only one.

        Raises RefusedError naming the field.
        """
        if not actor.has(Role.ISSUER, Role.CUSTODIAN):
            raise forbidden(Role.CUSTODIAN)
        require_licenses(self._settings)
        if kind not in SEAL_KINDS:
            zh, en = f"没有印章种类 {kind[:20]}", f"there is no kind of seal {kind[:20]}"
            raise _wrong("kind", zh, en, "、".join(SEAL_KINDS))
        issuer = self._owner(actor, owner)
        at = self._clock.now()

        def work(uow: UnitOfWork) -> Life:
            seal_id = self._keys.new_id()
            face = self._face(seal_id, kind, issuer, wanted, None)
            asked = life.apply(
                seal_id, issuer.code, kind, f"seal-{seal_id}", face, self._doer(actor), at, _reason(reason)
            )
            return save_step(uow, asked)

        return self._database.retrying(work, attempts=_PATIENCE)

    def approve(self, seal_id: str, actor: Actor, reason: str = "") -> Life:
        """What was asked for may be made."""
        return self._step(seal_id, actor, reason, life.approve)

    def reject(self, seal_id: str, actor: Actor, reason: str) -> Life:
        """What was asked for will not be made. A reason is needed."""
        return self._step(seal_id, actor, _needed(reason), life.reject)

    def make(self, seal_id: str, actor: Actor, reason: str = "", *, exportable: bool = False) -> Life:
        """Key and certificate of the edition that was approved. ``exportable``: the key can be backed up.

        A key that a crash left without its step is never used.
        """
        with self._database.reading() as view:
            known = self._mine(view, seal_id, actor)
            issuer = view.issuers.get(known.seal.owner)
        doer, at = self._doer(actor), self._clock.now()
        life.make(known, doer, at, "", key_id="")  # refused before a key is made
        if issuer is None:
            raise not_found("颁发机构", "issuer", known.seal.owner)
        edition = known.waiting or known.newest
        key = self._keys.make(known.seal, edition, issuer, at, actor.subject, exportable=exportable)
        return self._step(seal_id, actor, reason, lambda *given: life.make(*given, key_id=key.id))

    def activate(self, seal_id: str, actor: Actor, reason: str = "") -> Life:
        """The edition that was made works from now on; the former one's key retires."""

        def also(uow: UnitOfWork, now: Life, at: datetime.datetime) -> None:
            key_id = None if now.at_work is None else now.at_work.key_id
            self._keys.retire_others(uow, now, key_id, at, actor.subject)

        return self._step(seal_id, actor, reason, life.activate, also)

    def suspend(self, seal_id: str, actor: Actor, reason: str) -> Life:
        """Nobody uses it until it is resumed. A reason is needed."""
        return self._step(seal_id, actor, _needed(reason), life.suspend)

    def resume(self, seal_id: str, actor: Actor, reason: str = "") -> Life:
        """A suspended seal is used again."""
        return self._step(seal_id, actor, reason, life.resume)

    def change(self, seal_id: str, *, actor: Actor, wanted: Wanted, reason: str = "") -> Life:
        """Ask for another edition: what is not named stays as it is. Without any change it asks for a new key."""

        def changed(known: Life, doer: Doer, at: datetime.datetime, why: str) -> Life:
            with self._database.reading() as view:
                issuer = view.issuers.get(known.seal.owner)
            if issuer is None:
                raise not_found("颁发机构", "issuer", known.seal.owner)
            return life.change(known, self._face(seal_id, known.seal.kind, issuer, wanted, known), doer, at, why)

        return self._step(seal_id, actor, reason, changed, roles=(Role.ISSUER, Role.CUSTODIAN))

    def retire(self, seal_id: str, actor: Actor, reason: str) -> Life:
        """Nobody ever uses it again; what it sealed stays good. A reason is needed."""

        def also(uow: UnitOfWork, now: Life, at: datetime.datetime) -> None:
            self._keys.retire_others(uow, now, None, at, actor.subject)

        return self._step(seal_id, actor, _needed(reason), life.retire, also)

    def destroy(self, seal_id: str, actor: Actor, reason: str = "") -> Life:
        """Destroy the keys of a retired seal. The intent is recorded before the deed; repeated it goes on."""
        with self._database.reading() as view:
            known = self._mine(view, seal_id, actor)
        if known.seal.state is not SealState.DESTROYED:
            known = self._step(seal_id, actor, reason, life.destroy, self._mark_destroyed)
        self._keyring.refresh()
        for key in self._keyring.all():
            if key.owner == known.seal.owner and key.name.rpartition("-")[0] == known.seal.stem:
                self._keyring.backend.destroy(key.handle)
        return known

    def list(self, actor: Actor, *, owner: str | None = None) -> builtins.list[Life]:
        """The seals the caller may see, oldest first."""
        _require(actor, Role.ISSUER, Role.CUSTODIAN, Role.AUDITOR)
        with self._database.reading() as view:
            found = [s for s in view.seals.all() if _sees(actor, s) and owner in (None, s.owner)]
            return [life_of(view, s.id) for s in sorted(found, key=lambda s: (s.created_at, s.id))]

    def get(self, seal_id: str, actor: Actor) -> Life:
        """One seal with its editions. NotFoundError."""
        with self._database.reading() as view:
            return self._mine(view, seal_id, actor, Role.ISSUER, Role.CUSTODIAN, Role.AUDITOR)

    def log(self, seal_id: str, actor: Actor) -> builtins.list[SealEvent]:
        """Every step of a seal, oldest first."""
        with self._database.reading() as view:
            self._mine(view, seal_id, actor, Role.ISSUER, Role.CUSTODIAN, Role.AUDITOR)
            return sorted(view.seal_events.where(seal_id=seal_id), key=lambda e: e.seq)

    def extras(self, edition: SealVersion) -> Extras:
        """What an edition has that not every seal has."""
        return Extras.opened(self._cipher, edition)

    def _step(
        self,
        seal_id: str,
        actor: Actor,
        reason: str,
        step: Callable[[Life, Doer, datetime.datetime, str], Life],
        also: Callable[[UnitOfWork, Life, datetime.datetime], None] | None = None,
        *,
        roles: tuple[Role, ...] = (Role.CUSTODIAN,),
    ) -> Life:
        at, why = self._clock.now(), _reason(reason)
        with self._database.reading() as view:
            self._mine(view, seal_id, actor, *roles)
        with self._database.writing() as uow:
            known = life_of(uow, seal_id, lock=True)
            saved = save_step(uow, step(known, self._doer(actor), at, why))
            if also is not None:
                also(uow, saved, at)
            self._keyring.refresh(uow.view)
        return saved

    def _mark_destroyed(self, uow: UnitOfWork, now: Life, _at: datetime.datetime) -> None:
        actor = now.last.actor if now.last is not None else ""
        for key in uow.keys.where(owner=now.seal.owner):
            if key.name.rpartition("-")[0] == now.seal.stem and key.state is not KeyState.DESTROYED:
                uow.keys.save(key.destroyed(), event("KEY_DESTROYED", f"key:{key.id}", actor, seal=now.seal.id))

    def _mine(self, view: View | UnitOfWork, seal_id: str, actor: Actor, *roles: Role) -> Life:
        _require(actor, *(roles or (Role.CUSTODIAN,)))
        known = life_of(view, seal_id)
        if not _sees(actor, known.seal):
            raise not_found("印章", "seal", seal_id[:40])
        return known

    def _owner(self, actor: Actor, owner: str | None) -> Issuer:
        with self._database.reading() as view:
            return issuer_named(view, owner, actor)

    def _doer(self, actor: Actor) -> Doer:
        return Doer(actor.subject, alone=actor.has() and not self._settings.four_eyes)

    def _face(self, seal_id: str, kind: str, issuer: Issuer, wanted: Wanted, known: Life | None) -> Face:
        former = None if known is None else known.at_work or known.newest
        name = (wanted.name or (issuer.name if former is None else former.name)).strip()
        usual = round(next(iter(SEAL_KINDS[kind].shapes.values())))
        diameter = wanted.diameter_mm or (usual if former is None else former.diameter_mm)
        rules = wanted.rules or (SealRules() if former is None else former.rule)
        extras = wanted.extras if former is None else wanted.extras.over(self.extras(former))
        _check(kind, name, rules, extras)
        extras = checked(kind, issuer.code, name, diameter, extras)
        return Face(name, diameter, rules, extras.sealed(self._cipher, seal_id))


def _require(actor: Actor, *roles: Role) -> None:
    if not actor.has(*roles):
        raise forbidden(roles[0])


def _sees(actor: Actor, seal: Seal) -> bool:
    return actor.issuer_code in (None, seal.owner)


def _reason(reason: str) -> str:
    text = " ".join(reason.split())
    if len(text) > MAX_REASON or not text.isprintable():
        raise _wrong(
            "reason", "理由过长或含控制字符", "the reason is too long or has control characters", f"0–{MAX_REASON}"
        )
    return text


def _needed(reason: str) -> str:
    if not reason.strip():
        raise _wrong("reason", "须说明理由", "a reason is needed", f"1–{MAX_REASON}")
    return reason


def _check(kind: str, name: str, rules: SealRules, extras: Extras) -> None:
    if not 1 <= len(name) <= MAX_NAME or not name.isprintable():
        raise _wrong("name", "印章名称为空或过长", "the seal's name is empty or too long", f"1–{MAX_NAME}")
    if (kind == "legal-representative") != (extras.person is not None):
        zh, en = (
            "法定代表人名章须有且仅其可有人名",
            "a legal representative's seal, and no other, bears a person's name",
        )
        raise _wrong("person", zh, en, "--person")
    if rules.approvers not in (1, 2):
        raise _wrong("approvers", "审批人数须为 1 或 2", "one or two people approve", "1、2")
    if rules.max_uses is not None and rules.max_uses < 1:
        raise _wrong("max_uses", "用章次数须大于零", "the number of uses is not positive", "1–")


def _wrong(field: str, zh: str, en: str, allowed: str) -> RefusedError:
    return refuse(
        "SEAL_OPTION", field, zh, en, remedy_zh=f"可用：{allowed}", remedy_en=f"Allowed: {allowed.replace('、', ', ')}"
    )
