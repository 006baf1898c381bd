"""Where a license stood at a moment, signed: an answer that a court could file.

The answer is a compact JWS (:data:`JWS_TYPE`) under the vault's key for answers, with the signer's certificates inside.
It says what the history tells about the moment, as it is known when the answer is given: an act that was recorded
later but counts from before is in it, with both moments. Names, numbers and legal bases are not.
"""

from __future__ import annotations

import datetime
from typing import Any

from certvault.clock import Clock
from certvault.db.unit_of_work import Database
from certvault.errors import not_found
from certvault.keyring import Keyring
from certvault.model.license import License, LicenseState
from certvault.model.standing import StatusChange, in_order, list_value
from certvault.pki import Pki
from certvault.settings import Settings
from certvault.standing import Standings
from certvault.statuslists import list_uri
from signing.formats.jose import signed_token
from signing.keys import KeyPurpose
from verify.formats.licensestatus import JWS_TYPE
from verify.formats.refusal import refuse


class StandingAnswers:
    """Makes the answers."""

    def __init__(
        self,
        database: Database,
        keyring: Keyring,
        pki: Pki,
        standings: Standings,
        settings: Settings,
        clock: Clock,
    ) -> None:
        self._database = database
        self._keyring = keyring
        self._pki = pki
        self._standings = standings
        self._settings = settings
        self._clock = clock

    def about(self, identifier: str, at: datetime.datetime) -> bytes | None:
        """The answer for the judge; None for a license that is not here and for a moment to come."""
        if at > self._clock.now():
            return None
        with self._database.reading() as view:
            found = view.licenses.get(identifier)
        if found is None or found.state is LicenseState.ALLOTTED:
            return None
        return self.answer(found, at).encode()

    def answer(self, found: License, at: datetime.datetime) -> str:
        """The signed answer. RefusedError for a moment to come; NotFoundError for a number that is no license yet."""
        now = self._clock.now()
        if at > now:
            raise refuse(
                "TIME_AHEAD",
                "at",
                "时刻在将来，届时的效力还不能确定",
                "the moment is to come; what will hold then is not known",
                remedy_zh="请给出已经过去的时刻。",
                remedy_en="Give a moment that has passed.",
            )
        if found.state is LicenseState.ALLOTTED:
            raise not_found("证照", "license", found.identifier)
        changes = self._standings.changes([found.identifier])[found.identifier]
        self._keyring.refresh()
        key = self._keyring.active(KeyPurpose.ANSWER)
        chain = (self._keyring.certificate_der(key), *self._pki.above(key, with_root=False))
        payload = {
            "iss": self._settings.base_url,
            "iat": int(now.timestamp()),
            "identifier": found.identifier,
            "at": _text(at),
            "standing": self._standings.standing(found, at, changes).value,
            "status": list_value(found, changes, at),
            "type": found.type,
            "version": found.version,
            "state": found.state.value,
            "issued_at": None if found.issued_at is None else _text(found.issued_at),
            "valid_from": found.valid_from.isoformat(),
            "valid_to": None if found.valid_to is None else found.valid_to.isoformat(),
            "history": [_entry(c) for c in in_order(changes) if c.effective_at <= at],
            "status_list": {
                "uri": list_uri(self._settings.base_url, found.status_list),
                "idx": found.status_index,
            },
        }
        return signed_token({"typ": JWS_TYPE}, payload, signer=self._keyring.signer(key), chain=chain)


def _entry(change: StatusChange) -> dict[str, Any]:
    return {
        "number": change.number,
        "act": change.act.value,
        "reason": change.reason,
        "effective_at": _text(change.effective_at),
        "recorded_at": _text(change.recorded_at),
        "successor": change.successor,
    }


def _text(moment: datetime.datetime) -> str:
    """RFC 3339 in UTC with microseconds, so that no rounding moves a moment across another."""
    return moment.astimezone(datetime.UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
