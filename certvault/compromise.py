"""A key that fell into wrong hands: its certificate is revoked, and what it signed from a moment on is in doubt."""

from __future__ import annotations

import datetime
from dataclasses import dataclass, replace

from certvault.clock import Clock
from certvault.db.unit_of_work import Database
from certvault.errors import forbidden, not_found
from certvault.keyring import Keyring
from certvault.model.actor import Actor, Role
from certvault.model.keys import CertificateState, KeyRecord, event
from certvault.model.work import SealUse
from certvault.pki import Pki
from certvault.sealchecks import wrong

REASON = "key_compromise"


@dataclass(frozen=True, slots=True)
class Compromised:
    """The key, since when it is in doubt, and every use of a seal with it since then; ``done`` is False for a drill."""

    key: KeyRecord
    since: datetime.datetime
    uses: tuple[SealUse, ...]
    done: bool


class Compromise:
    """Reports keys as compromised."""

    def __init__(self, database: Database, keyring: Keyring, pki: Pki, clock: Clock) -> None:
        self._database = database
        self._keyring = keyring
        self._pki = pki
        self._clock = clock

    def report(self, key_id: str, since: datetime.datetime, actor: Actor, *, dry_run: bool = False) -> Compromised:
        """Revoke the certificate of a key and put its uses from ``since`` on in doubt.

        ``dry_run`` only tells what would be. Repeated with an earlier moment it reaches further back. NotFoundError.
        """
        if not actor.has(Role.OPERATOR):
            raise forbidden(Role.OPERATOR)
        if since > self._clock.now():
            raise wrong("since", "时刻在将来", "the moment is in the future")
        self._keyring.refresh()
        key = self._keyring.by_id(key_id)
        if key is None:
            raise not_found("密钥", "key", key_id[:40])
        with self._database.reading() as view:
            table = view.seal_uses.table.c
            query = view.seal_uses.query().where(table.key_id == key.id, table.used_at >= since)
            uses = tuple(view.seal_uses.all(query.order_by(table.used_at, table.permit_id, table.leaf)))
        if not dry_run:
            self._pki.revoke(key.id, REASON, actor)
            self._doubt(key, since, actor)
        return Compromised(key, since, uses, not dry_run)

    def _doubt(self, key: KeyRecord, since: datetime.datetime, actor: Actor) -> None:
        with self._database.writing() as uow:
            for found in uow.certificates.where(key_id=key.id, state=CertificateState.REVOKED):
                known = found.doubtful_since
                if known is not None and known <= since:
                    continue
                about = f"certificate:{found.ca}:{found.serial}"
                moment = since.astimezone(datetime.UTC).isoformat()
                uow.certificates.save(
                    replace(found, doubtful_since=since),
                    event("KEY_COMPROMISED", about, actor.subject, key=key.id, since=moment),
                )
            self._keyring.refresh(uow.view)
