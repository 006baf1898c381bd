"""Notices to other regions: signed, numbered, never changed; whoever relies on this vault reads them in order.

A notice is a compact JWS (:data:`JWS_TYPE`) under the vault's key for answers, with the signer's certificates inside.
Numbers have no gaps: a reader who has seen number n asks for what lies behind it and misses nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from certvault.clock import Clock
from certvault.db.unit_of_work import Database, UnitOfWork
from certvault.keyring import Keyring
from certvault.model.drill import Notice
from certvault.model.keys import VAULT_OWNER, event
from certvault.pki import Pki
from certvault.settings import Settings
from signing.formats.jose import signed_token
from signing.keys import KeyPurpose
from verify.formats.notice import JWS_TYPE

COUNTER = "notice"
MAX_PAGE = 200


class Notices:
    """Makes notices and gives them out."""

    def __init__(self, database: Database, keyring: Keyring, pki: Pki, settings: Settings, clock: Clock) -> None:
        self._database = database
        self._keyring = keyring
        self._pki = pki
        self._settings = settings
        self._clock = clock

    def add(
        self,
        kind: str,
        payload: Mapping[str, Any],
        *,
        actor: str = VAULT_OWNER,
        also: Callable[[UnitOfWork, Notice], None] | None = None,
    ) -> Notice:
        """Sign and store the next notice. ``also`` saves what belongs to it in the same transaction, so that it is not
        made twice."""
        self._keyring.refresh()
        key = self._keyring.active(KeyPurpose.ANSWER)
        signer = self._keyring.signer(key)
        chain = (self._keyring.certificate_der(key), *self._pki.above(key, with_root=False))
        with self._database.writing() as uow:
            number, now = uow.next_numbers(COUNTER), self._clock.now()
            claims = {
                **payload,
                "iss": self._settings.base_url,
                "iat": int(now.timestamp()),
                "region": self._settings.region,
                "number": number,
                "kind": kind,
            }
            token = signed_token({"typ": JWS_TYPE}, claims, signer=signer, chain=chain)
            notice = uow.notices.save(
                Notice(number, kind, now, token.encode()),
                event("NOTICE_GIVEN", f"notice:{number}", actor, kind=kind),
            )
            if also is not None:
                also(uow, notice)
        return notice

    def after(self, number: int, limit: int = MAX_PAGE) -> list[Notice]:
        """Notices behind ``number``, in order, at most ``limit`` (and never more than 200)."""
        with self._database.reading() as view:
            return view.notices.after(number, max(1, min(limit, MAX_PAGE)))

    def get(self, number: int) -> Notice | None:
        """One notice."""
        with self._database.reading() as view:
            return view.notices.get(number)
