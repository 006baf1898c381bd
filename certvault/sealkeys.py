"""Making what a seal works with: key, certificate, structure; and the next key when one is rolled over."""

from __future__ import annotations

import datetime
import secrets
from dataclasses import dataclass, replace

from certvault.certification import Certification
from certvault.db.unit_of_work import Database, UnitOfWork
from certvault.errors import not_found
from certvault.keyring import Keyring
from certvault.model import seal as life
from certvault.model.keys import Issuer, KeyRecord, event
from certvault.model.seal import Doer, Face, Life, Seal, SealVersion
from certvault.model.sealrules import SealRules
from certvault.sealrecords import life_of, save_step
from certvault.settings import Settings
from templates.sealkinds import SEAL_KINDS

FIRST_STEM = "seal"
FIRST_DIAMETER_MM = 40


@dataclass(frozen=True, slots=True)
class FirstSeal:
    """A new issuer's official seal, its key made and nothing of it stored yet."""

    life: tuple[Life, ...]

    @property
    def id(self) -> str:
        """The seal's id."""
        return self.life[0].seal.id

    def save(self, uow: UnitOfWork) -> None:
        """Store the steps it took, one after the other, in the transaction that stores the issuer."""
        known: Life | None = None
        for step in self.life:
            known = save_step(uow, _after(step, known))


class SealKeys:
    """Makes keys and certificates of seals."""

    def __init__(self, database: Database, keyring: Keyring, certification: Certification, settings: Settings) -> None:
        self._database = database
        self._keyring = keyring
        self._certification = certification
        self._settings = settings

    def new_id(self) -> str:
        """An id that no seal has: the vault's region and eight random digits."""
        return f"{self._settings.region}{secrets.randbelow(10**8):08d}"

    def first(self, issuer: Issuer, at: datetime.datetime, actor: str) -> FirstSeal:
        """The official seal that an issuer begins with, through every step of the life."""
        doer = Doer(actor, alone=True)
        face = Face(issuer.seal_name, FIRST_DIAMETER_MM, SealRules())
        applied = life.apply(issuer.seal_code, issuer.code, "official", FIRST_STEM, face, doer, at, "")
        approved = life.approve(applied, doer, at, "")
        key = self.make(approved.seal, approved.newest, issuer, at, actor)
        made = life.make(approved, doer, at, "", key_id=key.id)
        return FirstSeal((applied, approved, made, life.activate(made, doer, at, "")))

    def make(
        self,
        seal: Seal,
        edition: SealVersion,
        issuer: Issuer,
        at: datetime.datetime,
        actor: str,
        *,
        exportable: bool = False,
    ) -> KeyRecord:
        """A key with its certificate for an edition."""
        kind = SEAL_KINDS[seal.kind]
        name = edition.name + ("" if seal.kind == "official" else kind.purpose or kind.title.zh)
        return self._certification.new_seal_key(seal.stem, name, issuer, at, actor, exportable=exportable)

    def renew(self, owner: str, stem: str, at: datetime.datetime, actor: str, *, exportable: bool = False) -> KeyRecord:
        """The next key of a seal: a new edition with the same face takes over at once. NotFoundError."""
        with self._database.reading() as view:
            seals = view.seals.where(owner=owner, stem=stem)
            issuer = view.issuers.get(owner)
            if not seals or issuer is None:
                raise not_found("印章", "seal", f"{owner}/{stem}")
            known = life_of(view, seals[0].id)
        doer = Doer(actor, alone=True)
        life.renew(known, doer, at, "", key_id="")  # refused before a key is made
        key = self.make(known.seal, known.at_work or known.newest, issuer, at, actor, exportable=exportable)
        with self._database.writing() as uow:
            known = life_of(uow, known.seal.id, lock=True)
            save_step(uow, life.renew(known, doer, at, "", key_id=key.id))
            self.retire_others(uow, known, key.id, key.created_at, actor)
            self._keyring.refresh(uow.view)
        return key

    def retire_others(
        self, uow: UnitOfWork, known: Life, key_id: str | None, at: datetime.datetime, actor: str
    ) -> None:
        """Keys of editions that are at work no more sign no more; that of one on its way stays."""
        waiting = None if known.waiting is None else known.waiting.key_id
        for key in uow.keys.where(owner=known.seal.owner):
            own = key.name.rpartition("-")[0] == known.seal.stem
            if own and key.retired_at is None and key.id not in (key_id, waiting):
                uow.keys.save(key.retired(at), event("KEY_RETIRED", f"key:{key.id}", actor))


def _after(step: Life, known: Life | None) -> Life:
    """``step`` with the revisions that saving the one before it gave."""
    if known is None:
        return step
    revisions = {v.version: v.revision for v in known.versions}
    versions = tuple(replace(v, revision=revisions.get(v.version, 0)) for v in step.versions)
    changed = (step.last.edition,) if step.last is not None else ()
    return replace(step, seal=replace(step.seal, revision=known.seal.revision), versions=versions, changed=changed)
