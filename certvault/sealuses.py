"""Leave to use seals, and its redemption.

A permit names one seal and one digest, or a batch by the Merkle root over its approved rows; who may redeem it; and
until when. The redemption (the SealUse) is a unique row in a transaction that is committed *before* any signature, so
that a use without leave, a second use on one permit, and a use on other bytes cannot be, and a use that led to no
signature is still known. ``redeem`` works inside the caller's transaction; ``use`` makes its own.
"""

from __future__ import annotations

import datetime
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from certvault.clock import Clock
from certvault.db.unit_of_work import Database, UnitOfWork, View
from certvault.errors import ConcurrentChangeError, DuplicateRowError, forbidden, not_found
from certvault.hands import Hand
from certvault.keyring import Keyring
from certvault.model.actor import Actor, Role
from certvault.model.keys import CertificateState, Event, KeyRecord, event
from certvault.model.merkle import proves
from certvault.model.seal import Life, Seal, SealVersion
from certvault.model.sealrules import LICENSE, Asked
from certvault.model.work import SealPermit, SealUse
from certvault.pki import Pki
from certvault.sealchecks import (
    asked_by,
    check_rules,
    needs_two,
    no_key,
    permit_refused,
    usable,
    used_already,
    wrong,
)
from certvault.sealrecords import about, held, life_of, official_of
from certvault.settings import Settings
from verify.formats.refusal import RefusedError

PERMIT_LIFETIME = datetime.timedelta(minutes=10)
BATCH_LIFETIME = datetime.timedelta(days=1)
LONGEST = datetime.timedelta(days=31)
MAX_DIGESTS = 1_000
_DIGEST = re.compile(r"[0-9a-f]{64}")
_PURPOSE = re.compile(r"[\w.:-]{1,40}")
_CERTIFIED = (CertificateState.ISSUED, CertificateState.REVOKED)


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a batch on its way to be sealed: the license, its unsigned file, and its place under the root."""

    identifier: str
    digest: str
    index: int
    leaf: bytes
    proof: tuple[bytes, ...]


class SealUses:
    """Gives, confirms, cancels and redeems permits; opens the door to a seal's key."""

    def __init__(self, database: Database, keyring: Keyring, pki: Pki, settings: Settings, clock: Clock) -> None:
        self._database = database
        self._keyring = keyring
        self._pki = pki
        self._settings = settings
        self._clock = clock

    def permit(
        self,
        seal_id: str,
        digests: Sequence[str],
        *,
        purpose: str,
        actor: Actor,
        until: datetime.datetime | None = None,
        user: str | None = None,
    ) -> list[SealPermit]:
        """Leave to use the seal once on each digest (SHA-256, hex, of the bytes before sealing).

        ``user`` is the subject that may redeem them, by default whoever gives them, which strict four eyes forbid;
        ``until`` by default in ten minutes. Of a seal that asks for two approvers the permits wait for
        :meth:`confirm`.
        """
        own = user in (None, actor.subject)
        self._check_giving(digests, purpose, actor, own=own)
        at = self._clock.now()
        expires = _until(at, until, PERMIT_LIFETIME)
        with self._database.writing() as uow:
            edition = usable(self._visible(uow, seal_id, actor))
            check_rules(edition, asked_by(actor, purpose, at), whoever=not own)
            permits = [
                SealPermit(
                    id=secrets.token_hex(16),
                    seal_id=seal_id,
                    purpose=purpose,
                    digest=digest,
                    root=None,
                    count=1,
                    given_by=actor.subject,
                    user=user or actor.subject,
                    given_at=at,
                    expires_at=expires,
                    approvers=edition.rule.approvers,
                )
                for digest in digests
            ]
            return uow.permits.save_all(permits, [_given(p) for p in permits])

    def ready(
        self, seal_id: str, digest: str, *, actor: Actor, purpose: str, permit_id: str | None = None
    ) -> tuple[Life, SealVersion]:
        """What :meth:`use` would use, when nothing speaks against it now; nothing is recorded.

        Without ``permit_id``: as far as the actor may give the permit. Raises what :meth:`permit` and :meth:`use` would
        raise, of a second approver that is missing only where there is a permit."""
        at = self._clock.now()
        if permit_id is None:
            self._check_giving([digest], purpose, actor, own=True)
        with self._database.reading() as view:
            if permit_id is None:
                known = self._visible(view, seal_id, actor)
            else:
                permit = _of_seal(view.permits.get(permit_id), permit_id, seal_id)
                known = life_of(view, permit.seal_id)
                _check_permit(view, permit, known, digest, actor, at)
                purpose = permit.purpose
            edition = usable(known)
            check_rules(edition, asked_by(actor, purpose, at))
            over = None
            if edition.rule.max_uses is not None:
                over = edition.rule.over(view.counter(_counter(known.seal.id)) + 1)
        if over is not None:
            raise RefusedError(over)
        return known, edition

    def permit_batch(
        self,
        seal_id: str,
        root: bytes,
        count: int,
        *,
        actor: Actor,
        job: str | None = None,
        until: datetime.datetime | None = None,
    ) -> SealPermit:
        """Leave to seal the ``count`` licenses under ``root``; earlier permits of the same job are cancelled."""
        at = self._clock.now()
        with self._database.writing() as uow:
            edition = usable(self._lent(uow, seal_id, actor))
            check_rules(edition, asked_by(actor, LICENSE, at))
            if job is not None:
                former = [p for p in uow.permits.where(job=job, seal_id=seal_id) if p.cancelled_at is None]
                uow.permits.save_all([p.cancelled(at) for p in former], [_cancelled(p, actor) for p in former])
            permit = SealPermit(
                id=secrets.token_hex(16),
                seal_id=seal_id,
                purpose=LICENSE,
                digest=None,
                root=root.hex(),
                count=count,
                given_by=actor.subject,
                user=actor.subject,
                given_at=at,
                expires_at=_until(at, until, BATCH_LIFETIME),
                job=job,
                approvers=edition.rule.approvers,
            )
            return uow.permits.save(permit, _given(permit))

    def confirm(self, permit_id: str, actor: Actor, *, seal_id: str | None = None) -> SealPermit:
        """The second approver's leave; always another person than the first and than the one who will use it."""
        if not actor.has(Role.CUSTODIAN):
            raise forbidden(Role.CUSTODIAN)
        with self._database.writing() as uow:
            found = self._permit(uow, permit_id, actor, seal_id)
            if found.approvers < 2 or found.approved:
                raise permit_refused("PERMIT_APPROVED", "该用章许可无需再审批", "the permit needs no further approval")
            if actor.subject in (found.given_by, found.user):
                raise permit_refused(
                    "SEAL_FOUR_EYES",
                    "须由首位审批人和用章人以外的人审批",
                    "another person than the first, and than who uses it, has to approve it",
                )
            done = found.confirmed(actor.subject)
            return uow.permits.save(
                done, event("SEAL_PERMIT_APPROVED", about(found.seal_id), actor.subject, permit=found.id)
            )

    def cancel(self, permit_id: str, actor: Actor, *, seal_id: str | None = None) -> SealPermit:
        """The permit is not to be redeemed. Idempotent."""
        if not actor.has(Role.CUSTODIAN):
            raise forbidden(Role.CUSTODIAN)
        with self._database.writing() as uow:
            found = self._permit(uow, permit_id, actor, seal_id)
            if found.cancelled_at is not None:
                return found
            return uow.permits.save(found.cancelled(self._clock.now()), _cancelled(found, actor))

    def redeem(self, uow: UnitOfWork, permit_id: str, digest: str, *, actor: Actor) -> SealUse:
        """Record the one use of a permit for a digest, in the caller's transaction.

        Raises NotFoundError, ConflictError (PERMIT_… or SEAL_…), DuplicateRowError when it was redeemed already.
        """
        at = self._clock.now()
        permit = _of_seal(uow.permits.get(permit_id, hold=True), permit_id, None)
        known = held(uow, permit.seal_id)
        _check_permit(uow, permit, known, digest, actor, at)
        edition = usable(known)
        if not _certified(uow, edition.key_id or ""):  # another process may have revoked it since the keys were read
            raise no_key(known.seal.id)
        check_rules(edition, asked_by(actor, permit.purpose, at))
        _count(uow, known.seal, edition, 1)
        use = _use(permit, edition, actor, at, digest, "", permit.identifier)
        return uow.seal_uses.save(use, _used(use))

    def redeem_rows(
        self,
        uow: UnitOfWork,
        job: str,
        rows: Sequence[Row],
        *,
        actor: Actor,
        at: datetime.datetime,
        seal_id: str | None = None,
        prepared: SealVersion | None = None,
    ) -> list[SealUse]:
        """Record the uses of a job's batch permit for these rows; each row once. ``seal_id`` is needed where a job has
        permits of several seals; ``prepared`` is as in :meth:`take`."""
        permits = uow.permits.all(
            uow.permits.query()
            .where(uow.permits.table.c.job == job, uow.permits.table.c.cancelled_at.is_(None))
            .with_for_update(read=True)
        )
        permits = [p for p in permits if seal_id in (None, p.seal_id)]
        if len(permits) != 1 or permits[0].root is None:
            raise permit_refused("PERMIT_MISSING", "该批量任务没有用章许可", "the job has no permit to use the seal")
        permit = permits[0]
        known = held(uow, permit.seal_id)
        _check_user(permit, known, actor, at)
        root = bytes.fromhex(permit.root or "")
        for row in rows:
            if not proves(root, permit.count, row.index, row.leaf, row.proof):
                raise permit_refused(
                    "PERMIT_DIGEST", "数据行不在许可的批次之内", "a row is none of the batch that was approved"
                )
        edition = prepared or usable(known)
        _count(uow, known.seal, usable(known), len(rows))
        uses = [_use(permit, edition, actor, at, r.digest, r.leaf.hex(), r.identifier) for r in rows]
        return uow.seal_uses.save_all(uses, [_used(u) for u in uses])

    def take(
        self,
        uow: UnitOfWork,
        seal_id: str,
        wanted: Sequence[tuple[str, str]],
        actor: Actor,
        at: datetime.datetime,
        *,
        prepared: SealVersion | None = None,
    ) -> list[SealUse]:
        """Permit and redemption for each license (identifier, digest); earlier permits of it are cancelled.

        ``prepared`` is the edition whose key will sign: at work when the document was begun, and perhaps rolled over
        since. Its seal has to be ACTIVE all the same."""
        known = held(uow, seal_id)
        edition = prepared or usable(known)
        if usable(known).rule.approvers > 1:
            raise needs_two()
        known_before = uow.permits.among("identifier", [i for i, _ in wanted])
        former = [p for p in known_before if p.cancelled_at is None and p.seal_id == seal_id]
        if former:
            uow.permits.save_all([p.cancelled(at) for p in former], [_cancelled(p, actor) for p in former])
        permits = [
            SealPermit(
                id=secrets.token_hex(16),
                seal_id=seal_id,
                purpose=LICENSE,
                digest=digest,
                root=None,
                count=1,
                given_by=actor.subject,
                user=actor.subject,
                given_at=at,
                expires_at=at + PERMIT_LIFETIME,
                identifier=identifier,
            )
            for identifier, digest in wanted
        ]
        uow.permits.save_all(permits, [_given(p) for p in permits])
        _count(uow, known.seal, usable(known), len(permits))
        uses = [_use(p, edition, actor, at, p.digest or "", "", p.identifier) for p in permits]
        return uow.seal_uses.save_all(uses, [_used(u) for u in uses])

    def use(
        self,
        permit_id: str,
        digest: str,
        *,
        actor: Actor,
        seal_id: str | None = None,
        edition: SealVersion | None = None,
    ) -> tuple[SealUse, Hand]:
        """Redeem a permit in a transaction of its own; then, and only then, the hand that signs.

        ``seal_id``: a permit of another seal is none. ``edition``: what the use was rehearsed with; when another is at
        work meanwhile, ConcurrentChangeError, and the permit stays."""
        try:
            with self._database.writing() as uow:
                use = self.redeem(uow, permit_id, digest, actor=actor)
                if seal_id not in (None, use.seal_id):
                    raise not_found("用章许可", "permit", permit_id[:40])
                if edition is not None and (use.seal_version, use.key_id) != (edition.version, edition.key_id):
                    raise ConcurrentChangeError("another edition of the seal was put to work")
        except DuplicateRowError as error:
            raise used_already() from error
        return use, self.hand_of(use.key_id)

    def hand(self, seal_id: str) -> Hand:
        """The key of the edition at work, with its certificate and the ones above it. The seal has to be ACTIVE."""
        with self._database.reading() as view:
            self._keyring.refresh(view)
            edition = usable(life_of(view, seal_id))
        return self.hand_of(edition.key_id or "")

    def hand_of(self, key_id: str) -> Hand:
        """The door to one key of a seal."""
        key = self._keyring.by_id(key_id)
        if key is None:
            self._keyring.refresh()
            key = self._keyring.by_id(key_id)
        if key is None or not self._sound(key):
            raise no_key(key_id)
        return Hand(
            key,
            self._keyring.signer(key),
            self._keyring.certificate_der(key),
            self._pki.above(key, with_root=False),
        )

    def permits(self, seal_id: str, actor: Actor) -> list[SealPermit]:
        """The permits of a seal, newest first."""
        with self._database.reading() as view:
            self._visible(view, seal_id, actor, Role.ISSUER, Role.CUSTODIAN, Role.AUDITOR)
            table = view.permits.table.c
            query = view.permits.query().where(table.seal_id == seal_id).order_by(table.given_at.desc(), table.id)
            return view.permits.all(query.limit(MAX_DIGESTS))

    def uses(
        self, seal_id: str, actor: Actor, *, since: datetime.datetime | None = None, limit: int = 1000
    ) -> list[SealUse]:
        """The uses of a seal, newest first; ``since`` leaves earlier ones out."""
        with self._database.reading() as view:
            self._visible(view, seal_id, actor, Role.ISSUER, Role.CUSTODIAN, Role.AUDITOR)
            table = view.seal_uses.table.c
            query = view.seal_uses.query().where(table.seal_id == seal_id)
            if since is not None:
                query = query.where(table.used_at >= since)
            query = query.order_by(table.used_at.desc(), table.permit_id, table.leaf)
            return view.seal_uses.all(query.limit(max(1, min(limit, 5000))))

    def ready_for(
        self, view: View, owner: str, asked: Asked, *, kind: str = "official", count: int = 1
    ) -> tuple[Seal, SealVersion]:
        """The seal of an organization, ready to seal licenses; refused before anything is numbered."""
        known = life_of(view, official_of(view, owner, kind).id)
        edition = usable(known)
        check_rules(edition, asked)
        if edition.rule.max_uses is not None:
            over = edition.rule.over(view.counter(_counter(known.seal.id)) + count)
            if over is not None:
                raise RefusedError(over)
        return known.seal, edition

    def _check_giving(self, digests: Sequence[str], purpose: str, actor: Actor, *, own: bool) -> None:
        if not actor.has(Role.CUSTODIAN):
            raise forbidden(Role.CUSTODIAN)
        if not 1 <= len(digests) <= MAX_DIGESTS or not all(_DIGEST.fullmatch(d) for d in digests):
            raise wrong("digest", "摘要须为 64 位小写十六进制", "a digest has 64 lower-case hex digits")
        if not _PURPOSE.fullmatch(purpose):
            raise wrong("purpose", "用途须为 1 至 40 个字", "a purpose is one word of 1 to 40 characters")
        if purpose == LICENSE:
            raise wrong("purpose", "证照由颁发流程用印", "licenses are sealed where they are issued")
        if own and self._settings.four_eyes:
            raise permit_refused(
                "SEAL_FOUR_EYES", "用章人不能审批自己的用章", "who uses the seal does not give the permit"
            )

    def _permit(self, uow: UnitOfWork, permit_id: str, actor: Actor, seal_id: str | None) -> SealPermit:
        found = uow.permits.get(permit_id[:32], lock=True)
        if found is None or seal_id not in (None, found.seal_id):
            raise not_found("用章许可", "permit", permit_id[:40])
        self._visible(uow, found.seal_id, actor)
        return found

    def _lent(self, view: UnitOfWork, seal_id: str, actor: Actor) -> Life:
        """A seal for licenses: one's own, or another organization's whose rules name types; that is its leave."""
        if not actor.has(Role.ISSUER):
            raise forbidden(Role.ISSUER)
        known = life_of(view, seal_id)
        lent = known.at_work is not None and bool(known.at_work.rule.types)
        if actor.issuer_code not in (None, known.seal.owner) and not lent:
            raise not_found("印章", "seal", seal_id[:40])
        return known

    def _visible(self, view: View | UnitOfWork, seal_id: str, actor: Actor, *roles: Role) -> Life:
        if not actor.has(*(roles or (Role.ISSUER, Role.CUSTODIAN))):
            raise forbidden(Role.CUSTODIAN)
        known = life_of(view, seal_id)
        if actor.issuer_code not in (None, known.seal.owner):
            raise not_found("印章", "seal", seal_id[:40])
        return known

    def _sound(self, key: KeyRecord) -> bool:
        certificate = self._keyring.certificate_or_none(key)
        return certificate is not None and certificate.state is CertificateState.ISSUED


def _of_seal(permit: SealPermit | None, permit_id: str, seal_id: str | None) -> SealPermit:
    if permit is None or permit.digest is None or seal_id not in (None, permit.seal_id):
        raise not_found("用章许可", "permit", permit_id[:40])
    return permit


def _check_user(permit: SealPermit, known: Life, actor: Actor, at: datetime.datetime) -> None:
    if actor.issuer_code not in (None, known.seal.owner) and permit.job is None:
        raise not_found("用章许可", "permit", permit.id)
    if permit.user != actor.subject:
        raise permit_refused("PERMIT_USER", "该用章许可不是给您的", "the permit was given to somebody else")
    if permit.cancelled_at is not None:
        raise permit_refused("PERMIT_CANCELLED", "该用章许可已撤销", "the permit was cancelled")
    if at >= permit.expires_at:
        raise permit_refused("PERMIT_EXPIRED", "该用章许可已过期", "the permit has expired")
    if not permit.approved:
        raise needs_two()
    if known.at_work is not None and known.at_work.rule.approvers > permit.approvers:
        raise permit_refused(
            "PERMIT_APPROVERS",
            "该印章现在每次使用须两人审批，而许可由一人给出",
            "the seal asks for two approvers by now, and one gave the permit",
        )


def _check_permit(
    view: View | UnitOfWork, permit: SealPermit, known: Life, digest: str, actor: Actor, at: datetime.datetime
) -> None:
    _check_user(permit, known, actor, at)
    if not secrets.compare_digest(permit.digest or "", digest):
        raise permit_refused("PERMIT_DIGEST", "待签章的内容与许可的不同", "the permit is for other bytes")
    if view.seal_uses.where(permit_id=permit.id):
        raise used_already()


def _certified(uow: UnitOfWork, key_id: str) -> bool:
    """Whether the newest certificate of a key stands, as the database says at this moment."""
    found = [c for c in uow.certificates.where(key_id=key_id) if c.state in _CERTIFIED]
    return bool(found) and max(found, key=lambda c: c.not_before).state is CertificateState.ISSUED


def _count(uow: UnitOfWork, seal: Seal, edition: SealVersion, count: int) -> None:
    """Uses of a seal with a limit are counted in one row that its users take turns at."""
    if edition.rule.max_uses is None:
        return
    last = uow.next_numbers(_counter(seal.id), count) + count - 1
    over = edition.rule.over(last)
    if over is not None:
        raise RefusedError(over)


def _counter(seal_id: str) -> str:
    return f"seal-uses:{seal_id}"


def _until(at: datetime.datetime, until: datetime.datetime | None, otherwise: datetime.timedelta) -> datetime.datetime:
    if until is None:
        return at + otherwise
    if not at < until <= at + LONGEST:
        raise wrong("until", "期限须在将来 31 天之内", "the permit has to end within the next 31 days")
    return until


def _use(
    permit: SealPermit,
    edition: SealVersion,
    actor: Actor,
    at: datetime.datetime,
    digest: str,
    leaf: str,
    identifier: str | None,
) -> SealUse:
    return SealUse(
        permit_id=permit.id,
        leaf=leaf,
        seal_id=permit.seal_id,
        seal_version=edition.version,
        key_id=edition.key_id or "",
        digest=digest,
        used_by=actor.subject,
        used_at=at,
        identifier=identifier,
    )


def _given(permit: SealPermit) -> Event:
    what = (
        {"digest": permit.digest} if permit.digest is not None else {"root": permit.root or "", "count": permit.count}
    )
    subject = permit.identifier or about(permit.seal_id)
    return event("SEAL_PERMITTED", subject, permit.given_by, permit=permit.id, seal=permit.seal_id, **what)


def _cancelled(permit: SealPermit, actor: Actor) -> Event:
    subject = permit.identifier or about(permit.seal_id)
    return event("SEAL_PERMIT_CANCELLED", subject, actor.subject, permit=permit.id)


def _used(use: SealUse) -> Event:
    subject = use.identifier or about(use.seal_id)
    return event(
        "SEAL_USED", subject, use.used_by, permit=use.permit_id, seal=use.seal_id, key=use.key_id, digest=use.digest
    )
