"""The keys and evidence with which one issuer's documents are made now, and leave to use the seal.

A permit names one digest and one key; its redemption (the SealUse) is a unique row, written in the transaction that
comes before the signature. Work that is resumed cancels the permit it had and takes a new one.
"""

from __future__ import annotations

import datetime
import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from certvault.clock import Clock
from certvault.db.unit_of_work import UnitOfWork
from certvault.keyring import Keyring
from certvault.model.keys import Issuer, KeyRecord, event
from certvault.model.work import SealPermit, SealUse
from certvault.pki import Pki
from signing.formats.pades import Baseline, ValidationData
from signing.keys import KeyPurpose
from signing.signer import Signer
from signing.timestamp import TimestampAuthority
from templates.render import SealArt

PERMIT_LIFETIME = datetime.timedelta(minutes=10)
_PREPARED_FOR = datetime.timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Hand:
    """One key ready to work: its record, door, certificate and the certificates above it without the root."""

    key: KeyRecord
    signer: Signer
    certificate: bytes
    chain: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Tools:
    """Everything needed to make an issuer's documents. ``evidence_until`` ends the timestamp's certificate."""

    issuer: Issuer
    art: SealArt
    seal: Hand
    record: Hand
    code: Hand
    authority: TimestampAuthority
    validation: ValidationData
    evidence_until: datetime.datetime
    prepared_at: datetime.datetime
    edition: int


class Sealing:
    """Prepares tools, gives permits."""

    def __init__(self, keyring: Keyring, pki: Pki, clock: Clock) -> None:
        self._keyring = keyring
        self._pki = pki
        self._clock = clock
        self._tools: dict[str, Tools] = {}

    def tools(self, issuer: Issuer) -> Tools:
        """The issuer's tools. Keys are looked up anew each time, so that a rollover or revocation by any process counts
        at once; revocation data are at most five minutes older than they could be."""
        now = self._clock.now()
        self._keyring.refresh()
        known = self._tools.get(issuer.code)
        fresh = known is not None and known.prepared_at <= now < known.prepared_at + _PREPARED_FOR
        if known is None or not fresh or known.edition != self._keyring.edition or known.issuer != issuer:
            known = self._prepare(issuer, now)
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

    def take_permits(
        self, uow: UnitOfWork, wanted: Sequence[tuple[str, str]], key: KeyRecord, actor: str, at: datetime.datetime
    ) -> None:
        """Permit and redemption for each (identifier, digest); earlier permits of the same license are cancelled."""
        former = [p for p in uow.permits.among("identifier", [i for i, _ in wanted]) if p.cancelled_at is None]
        if former:
            uow.permits.save_all(
                [p.cancelled(at) for p in former],
                [event("SEAL_PERMIT_CANCELLED", p.identifier, actor, permit=p.id) for p in former],
            )
        permits = [
            SealPermit(secrets.token_hex(16), identifier, key.id, digest, actor, at, at + PERMIT_LIFETIME)
            for identifier, digest in wanted
        ]
        uow.permits.save_all(
            permits, [event("SEAL_PERMITTED", p.identifier, actor, permit=p.id, digest=p.digest) for p in permits]
        )
        uow.seal_uses.save_all(
            [SealUse(p.id, p.identifier, key.id, p.digest, at) for p in permits],
            [event("SEAL_USED", p.identifier, actor, permit=p.id, key=key.id) for p in permits],
        )

    def _prepare(self, issuer: Issuer, at: datetime.datetime) -> Tools:
        edition = self._keyring.edition
        seal = self._keyring.active(KeyPurpose.SEAL, issuer.code)
        tsa = self._keyring.active(KeyPurpose.TSA)
        return Tools(
            issuer=issuer,
            art=SealArt(name=issuer.seal_name, kind=issuer.seal_kind, code=issuer.seal_code, diameter_mm=40.0),
            seal=self._hand(seal),
            record=self._hand(self._keyring.active(KeyPurpose.RECORD, issuer.code)),
            code=self._hand(self._keyring.active(KeyPurpose.CODE, issuer.code)),
            authority=self._pki.authority(tsa),
            validation=self.validation_for(seal, tsa),
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
