"""The keys and evidence with which one issuer's documents are made now.

Its official seal has to be ready for use; leave to use it is :mod:`certvault.sealuses`'.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass

from certvault.cipher import Cipher
from certvault.clock import Clock
from certvault.db.unit_of_work import Database
from certvault.hands import Hand
from certvault.keyring import Keyring
from certvault.model.actor import Actor
from certvault.model.keys import Issuer, KeyRecord
from certvault.model.seal import Seal, SealVersion
from certvault.model.sealrules import LICENSE
from certvault.pki import Pki
from certvault.sealart import Extras, look_of
from certvault.sealchecks import asked_by
from certvault.sealuses import SealUses
from signing.formats.pades import Baseline, ValidationData
from signing.keys import KeyPurpose
from signing.timestamp import TimestampAuthority
from templates.sealpicture import CheckedPicture
from templates.seals import SealArt

__all__ = ["Hand", "Sealing", "Tools", "baseline_named"]

_PREPARED_FOR = datetime.timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Tools:
    """Everything needed to make an issuer's documents. ``evidence_until`` ends the timestamp's certificate."""

    issuer: Issuer
    seal_id: str
    edition_at_work: SealVersion
    art: SealArt | CheckedPicture
    seal: Hand
    record: Hand
    code: Hand
    authority: TimestampAuthority
    validation: ValidationData
    evidence_until: datetime.datetime
    prepared_at: datetime.datetime
    edition: int


class Sealing:
    """Prepares tools."""

    def __init__(
        self, database: Database, cipher: Cipher, keyring: Keyring, pki: Pki, uses: SealUses, clock: Clock
    ) -> None:
        self._database = database
        self._cipher = cipher
        self._keyring = keyring
        self._uses = uses
        self._pki = pki
        self._clock = clock
        self._tools: dict[str, Tools] = {}

    def tools(self, issuer: Issuer, actor: Actor) -> Tools:
        """The issuer's tools. Keys and seal are looked up anew each time, so that a rollover, a revocation or a
        suspension by any process counts at once; revocation data are at most five minutes older than they could be.

        Refused while the issuer's official seal may not be used, or not by ``actor``."""
        now = self._clock.now()
        with self._database.reading() as view:
            self._keyring.refresh(view)
            seal, edition = self._uses.ready_for(view, issuer.code, asked_by(actor, LICENSE, now))
        known = self._tools.get(issuer.code)
        fresh = known is not None and known.prepared_at <= now < known.prepared_at + _PREPARED_FOR
        same = known is not None and (known.seal_id, known.edition_at_work) == (seal.id, edition)
        if known is None or not fresh or not same or known.edition != self._keyring.edition or known.issuer != issuer:
            known = self._prepare(issuer, seal, edition, now)
            self._tools[issuer.code] = known
        return known

    def forget(self) -> None:
        """Prepare anew next time: keys were rolled over, or a token came back."""
        self._tools.clear()

    def validation_for(self, seal: KeyRecord, tsa: KeyRecord) -> ValidationData:
        """What proves the seal's and the timestamp's certificates, from the vault's own data."""
        parts = [self._pki.evidence_for(seal), self._pki.evidence_for(tsa)]
        certificates = [self._keyring.certificate_der(seal), self._keyring.certificate_der(tsa)]
        certificates += [c for part in parts for c in part.certificates]
        return ValidationData(
            certificates=tuple(dict.fromkeys(certificates)),
            crls=tuple(dict.fromkeys(c for part in parts for c in part.crls)),
            ocsps=(),
        )

    def _prepare(self, issuer: Issuer, seal: Seal, at_work: SealVersion, at: datetime.datetime) -> Tools:
        edition = self._keyring.edition
        hand = self._uses.hand_of(at_work.key_id or "")
        tsa = self._keyring.active(KeyPurpose.TSA)
        return Tools(
            issuer=issuer,
            seal_id=seal.id,
            edition_at_work=at_work,
            art=look_of(
                seal.kind, issuer.code, at_work.name, at_work.diameter_mm, Extras.opened(self._cipher, at_work)
            ),
            seal=hand,
            record=self._hand(self._keyring.active(KeyPurpose.RECORD, issuer.code)),
            code=self._hand(self._keyring.active(KeyPurpose.CODE, issuer.code)),
            authority=self._pki.authority(tsa),
            validation=self.validation_for(hand.key, tsa),
            evidence_until=self._keyring.certificate(tsa).not_after,
            prepared_at=at,
            edition=edition,
        )

    def _hand(self, key: KeyRecord) -> Hand:
        return Hand(
            key,
            self._keyring.signer(key),
            self._keyring.certificate_der(key),
            self._pki.above(key, with_root=False),
        )


def baseline_named(name: str | Baseline) -> Baseline:
    """``B-B``, ``B-T``, ``B-LT`` or ``B-LTA``; ValueError for another name."""
    return name if isinstance(name, Baseline) else Baseline(name)
