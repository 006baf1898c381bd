"""Signing for callers elsewhere: a seal's key signs digests that they made, under the seal's own rules.

A *credential* is one edition of a seal (``SEALID-EDITION``); the edition at work of an ACTIVE seal can sign. Leave is
taken first (:meth:`RemoteSigning.authorize`): one permit for each digest, given by the caller where it may give them,
else given to it beforehand by a custodian. The caller gets *activation data*, an opaque text that names those permits,
bound to credential, caller and moment by authenticated encryption: it works in every process and after a restart, and
it is no leave in itself. Each signature redeems its permit in a transaction that is committed before the key is asked,
so that no digest is signed twice on one permit and none that was not authorized.
"""

from __future__ import annotations

import base64
import binascii
import datetime
import json
import secrets
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from cryptography import x509

from certvault.cipher import Cipher
from certvault.clock import Clock, legal_date
from certvault.db.unit_of_work import Database, UnitOfWork
from certvault.errors import ConflictError, CorruptDataError, DuplicateRowError, conflict, forbidden, not_found
from certvault.keyring import Keyring
from certvault.model.actor import Actor, Role
from certvault.model.keys import CertificateState, KeyRecord, event
from certvault.model.seal import Life, SealState
from certvault.model.work import SealPermit
from certvault.pki import Pki
from certvault.sealchecks import usable, used_already
from certvault.sealrecords import about, life_of
from certvault.sealuses import SealUses
from certvault.settings import Settings
from signing.keys import KeyPurpose
from signing.tbs import DigestToBeSigned

PURPOSE = "remote-signing"
"""The purpose of permits for remote signing; a seal's rules may leave it out."""
AUTHORIZED_FOR = datetime.timedelta(minutes=5)
PENDING_FOR = datetime.timedelta(hours=1)
MULTISIGN = 100
"""Most signatures of one authorization."""
DIGEST_BYTES = 32
_SAD, _HANDLE = "remote-sad", "remote-handle"
_ROLES = (Role.CUSTODIAN, Role.ISSUER)


@dataclass(frozen=True, slots=True)
class Credential:
    """One edition of a seal as a caller elsewhere sees it. ``certificates``: its own first, the root last."""

    id: str
    seal_id: str
    edition: int
    name: str
    enabled: bool
    key: KeyRecord
    certificates: tuple[bytes, ...]
    issuer: str
    subject: str
    serial: int
    not_before: datetime.datetime
    not_after: datetime.datetime
    status: str
    approvers: int


@dataclass(frozen=True, slots=True)
class Authorized:
    """``sad`` is given when leave is there; else ``handle``, to ask again when the second approver has decided."""

    sad: str | None
    handle: str | None
    seconds: int


@dataclass(frozen=True, slots=True)
class _Leave:
    """What activation data say. ``left``: signatures that may still be authorized in this transaction."""

    credential: str
    permits: tuple[str, ...]
    transaction: str
    left: int
    until: datetime.datetime

    def to_bytes(self) -> bytes:
        value = [self.credential, self.permits, self.transaction, self.left, self.until.timestamp()]
        return json.dumps(value, separators=(",", ":")).encode()

    @classmethod
    def from_bytes(cls, data: bytes) -> _Leave:
        credential, permits, transaction, left, until = json.loads(data)
        return cls(credential, tuple(permits), transaction, left, datetime.datetime.fromtimestamp(until, datetime.UTC))


class RemoteSigning:
    """Lists credentials, authorizes, signs."""

    def __init__(
        self,
        database: Database,
        cipher: Cipher,
        keyring: Keyring,
        pki: Pki,
        uses: SealUses,
        settings: Settings,
        clock: Clock,
    ) -> None:
        self._database = database
        self._cipher = cipher
        self._keyring = keyring
        self._pki = pki
        self._uses = uses
        self._settings = settings
        self._clock = clock

    # -- credentials -------------------------------------------------------------------------------------------------

    def credentials(self, actor: Actor, *, only_valid: bool = False) -> list[Credential]:
        """The caller's credentials, oldest seal first; ``only_valid``: those that can sign now."""
        self._admit(actor)
        with self._database.reading() as view:
            self._keyring.refresh(view)
            seals = sorted(view.seals.all(), key=lambda s: (s.created_at, s.id))
            lives = [life_of(view, s.id) for s in seals if actor.issuer_code in (None, s.owner) and s.version]
        found = [c for c in (self._credential(one) for one in lives) if c is not None]
        return [c for c in found if c.enabled or not only_valid]

    def credential(self, credential_id: str, actor: Actor) -> Credential:
        """One credential; NotFoundError also for an edition that no longer works, or another organization's."""
        self._admit(actor)
        seal_id, _, edition = credential_id.partition("-")
        with self._database.reading() as view:
            self._keyring.refresh(view)
            life = life_of(view, seal_id)
        found = self._credential(life) if actor.issuer_code in (None, life.seal.owner) else None
        if found is None or str(found.edition) != edition:
            raise not_found("签名凭证", "credential", credential_id[:40])
        return found

    def _credential(self, life: Life) -> Credential | None:
        edition = life.at_work
        key = None if edition is None or edition.key_id is None else self._keyring.by_id(edition.key_id)
        record = None if key is None else self._keyring.certificate_or_none(key)
        if edition is None or key is None or record is None or record.der is None:
            return None
        certificate, now = x509.load_der_x509_certificate(record.der), self._clock.now()
        revoked = record.state is CertificateState.REVOKED
        status = "revoked" if revoked else "expired" if now >= record.not_after else "valid"
        return Credential(
            id=f"{life.seal.id}-{edition.version}",
            seal_id=life.seal.id,
            edition=edition.version,
            name=edition.name,
            enabled=life.seal.state is SealState.ACTIVE and status == "valid",
            key=key,
            certificates=(record.der, *self._pki.above(key)),
            issuer=certificate.issuer.rfc4514_string(),
            subject=certificate.subject.rfc4514_string(),
            serial=certificate.serial_number,
            not_before=record.not_before,
            not_after=record.not_after,
            status=status,
            approvers=edition.rule.approvers,
        )

    # -- leave -------------------------------------------------------------------------------------------------------

    def authorize(self, credential_id: str, digests: Sequence[bytes], count: int, actor: Actor) -> Authorized:
        """Leave to sign ``digests``, and ``count`` signatures in this transaction altogether.

        Permits that a custodian gave the caller beforehand are taken when they cover all digests; else the caller gives
        them itself, where role and rules let it. ConflictError (REMOTE_…, SEAL_…), ForbiddenError.
        """
        credential = self._ready(credential_id, actor)
        if not 1 <= count <= MULTISIGN or len(digests) > count:
            raise _refused("REMOTE_COUNT", "签名次数不合要求", f"1 to {MULTISIGN} signatures, the digests among them")
        return self._leave(credential, digests, secrets.token_hex(8), count - len(digests), actor)

    def extend(self, credential_id: str, sad: str, digests: Sequence[bytes], actor: Actor) -> Authorized:
        """Leave to sign further digests of a transaction, up to the number that was authorized."""
        leave = self._opened(_SAD, sad, credential_id, actor)
        credential = self._ready(credential_id, actor)
        with self._database.writing() as uow:
            taken = uow.next_numbers(f"remote:{leave.transaction}", len(digests)) + len(digests) - 1
            if taken > leave.left:
                raise _refused("REMOTE_COUNT", "超出授权的签名次数", "more signatures than were authorized")
        return self._leave(credential, digests, leave.transaction, leave.left, actor)

    def check(self, handle: str, actor: Actor) -> Authorized:
        """Whether the second approver has given leave by now."""
        self._admit(actor)
        leave = self._opened(_HANDLE, handle, None, actor)
        return self._answer(leave, self._permits(leave), actor)

    def _leave(
        self, credential: Credential, digests: Sequence[bytes], transaction: str, left: int, actor: Actor
    ) -> Authorized:
        texts, now = [d.hex() for d in digests], self._clock.now()
        permits = self._given_before(credential, texts, actor, now)
        if permits is None:
            lasts = AUTHORIZED_FOR if credential.approvers < 2 else PENDING_FOR
            permits = self._uses.permit(credential.seal_id, texts, purpose=PURPOSE, actor=actor, until=now + lasts)
        leave = _Leave(credential.id, tuple(p.id for p in permits), transaction, left, now + AUTHORIZED_FOR)
        return self._answer(leave, permits, actor)

    def _given_before(
        self, credential: Credential, digests: Sequence[str], actor: Actor, now: datetime.datetime
    ) -> list[SealPermit] | None:
        """Open permits that somebody else gave the caller, one for each digest; None when they do not cover all."""
        with self._database.reading() as view:
            table = view.permits.table.c
            query = view.permits.query().where(
                table.seal_id == credential.seal_id,
                table.user == actor.subject,
                table.given_by != actor.subject,
                table.purpose == PURPOSE,
                table.cancelled_at.is_(None),
                table.expires_at > now,
                table.digest.in_(list(dict.fromkeys(digests))),
            )
            open_ones = view.permits.all(query.order_by(table.given_at))
            used = {u.permit_id for u in view.seal_uses.among("permit_id", [p.id for p in open_ones])}
        by_digest: dict[str, list[SealPermit]] = defaultdict(list)
        for permit in open_ones:
            if permit.id not in used and permit.approved and permit.approvers >= credential.approvers:
                by_digest[permit.digest or ""].append(permit)
        try:
            return [by_digest[digest].pop() for digest in digests]
        except IndexError:
            return None

    def _answer(self, leave: _Leave, permits: Sequence[SealPermit], actor: Actor) -> Authorized:
        now = self._clock.now()
        if any(p.cancelled_at is not None or p.expires_at <= now for p in permits):
            raise _refused("REMOTE_ENDED", "授权已被取消或已过期", "the authorization was cancelled or has expired")
        seconds = int(AUTHORIZED_FOR.total_seconds())
        if all(p.approved for p in permits):
            fresh = _Leave(leave.credential, leave.permits, leave.transaction, leave.left, now + AUTHORIZED_FOR)
            return Authorized(self._sealed(_SAD, fresh, actor), None, seconds)
        waiting = _Leave(leave.credential, leave.permits, leave.transaction, leave.left, now + PENDING_FOR)
        return Authorized(None, self._sealed(_HANDLE, waiting, actor), seconds)

    # -- signing -----------------------------------------------------------------------------------------------------

    def sign(self, credential_id: str, sad: str, digests: Sequence[bytes], actor: Actor) -> list[bytes]:
        """The signature values over ``digests``, in their order.

        ConflictError: REMOTE_DIGEST for one that was not authorized or was signed already, REMOTE_QUOTA, SEAL_….
        """
        leave = self._opened(_SAD, sad, credential_id, actor)
        credential = self._ready(credential_id, actor)
        chosen = self._chosen(leave, digests)
        try:
            with self._database.writing() as uow:
                self._take_quota(uow, credential, len(chosen), actor)
                for permit in chosen:
                    self._redeem(uow, credential, permit, actor)
        except DuplicateRowError as error:
            raise used_already() from error
        signer = self._keyring.signer(self._uses.hand_of(credential.key.id).key)
        return [signer.sign_digest(DigestToBeSigned(digest, KeyPurpose.SEAL)) for digest in digests]

    def _redeem(self, uow: UnitOfWork, credential: Credential, permit: SealPermit, actor: Actor) -> None:
        use = self._uses.redeem(uow, permit.id, permit.digest or "", actor=actor)
        if (use.seal_version, use.key_id) != (credential.edition, credential.key.id):
            raise _refused("REMOTE_CREDENTIAL", "印章已换版", "the seal has another edition by now")

    def _chosen(self, leave: _Leave, digests: Sequence[bytes]) -> list[SealPermit]:
        """An unused permit for each digest, among those that were authorized."""
        permits = self._permits(leave)
        with self._database.reading() as view:
            used = {u.permit_id for u in view.seal_uses.among("permit_id", [p.id for p in permits])}
        by_digest: dict[str, list[SealPermit]] = defaultdict(list)
        for permit in permits:
            if permit.id not in used:
                by_digest[permit.digest or ""].append(permit)
        try:
            return [by_digest[digest.hex()].pop() for digest in digests]
        except IndexError as error:
            raise _refused(
                "REMOTE_DIGEST", "该摘要未获授权或已签名", "a digest was not authorized, or is signed"
            ) from error

    def _take_quota(self, uow: UnitOfWork, credential: Credential, count: int, actor: Actor) -> None:
        """Count a day's signatures of the caller; the counter's row goes back with the transaction when it is over."""
        counter = f"remote-day:{actor.subject}:{legal_date(self._clock.now()):%Y%m%d}"
        if uow.next_numbers(counter, count) + count - 1 > self._settings.remote_daily:
            raise _refused(
                "REMOTE_QUOTA",
                "今日签名次数已达上限",
                f"the day's {self._settings.remote_daily} signatures are used up",
            )
        uow.record([event("REMOTE_SIGNING", about(credential.seal_id), actor.subject, count=count)])

    def _permits(self, leave: _Leave) -> list[SealPermit]:
        with self._database.reading() as view:
            found = {p.id: p for p in view.permits.among("id", list(leave.permits))}
        return [found[i] for i in leave.permits if i in found]

    def _ready(self, credential_id: str, actor: Actor) -> Credential:
        credential = self.credential(credential_id, actor)
        with self._database.reading() as view:
            usable(life_of(view, credential.seal_id))
        if not credential.enabled:
            raise _refused("REMOTE_EXPIRED", "证书已过期或被撤销", f"the certificate is {credential.status}")
        return credential

    def _admit(self, actor: Actor) -> None:
        if not self._settings.remote_signing:
            raise _refused("REMOTE_OFF", "未开放远程签名", "remote signing is switched off")
        if not actor.has(*_ROLES):
            raise forbidden(Role.CUSTODIAN)

    def _sealed(self, kind: str, leave: _Leave, actor: Actor) -> str:
        sealed = self._cipher.seal(f"{kind}:{actor.subject}", leave.to_bytes())
        return base64.urlsafe_b64encode(sealed).decode().rstrip("=")

    def _opened(self, kind: str, text: str, credential_id: str | None, actor: Actor) -> _Leave:
        try:
            sealed = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
            leave = _Leave.from_bytes(self._cipher.open(f"{kind}:{actor.subject}", sealed))
        except (CorruptDataError, binascii.Error, ValueError) as error:
            raise _refused("REMOTE_SAD", "激活数据无效", "the activation data are none of this caller's") from error
        if credential_id is not None and leave.credential != credential_id:
            raise _refused("REMOTE_SAD", "激活数据属于另一凭证", "the activation data are of another credential")
        if self._clock.now() >= leave.until:
            raise _refused("REMOTE_ENDED", "激活数据已过期", "the activation data have expired")
        return leave


def _refused(code: str, zh: str, en: str) -> ConflictError:
    return conflict(code, "", zh, en, remedy_zh="请重新申请授权。", remedy_en="Ask for another authorization.")
