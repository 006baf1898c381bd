"""The vault: one object with all its services. Wired by :mod:`certvault.bootstrap` alone."""

from __future__ import annotations

import contextlib
import datetime
from dataclasses import dataclass
from pathlib import Path

from certvault.agreements import Agreements
from certvault.anchors import Anchors
from certvault.audit import Audit
from certvault.backup import Backup
from certvault.catalog import Catalog
from certvault.clock import Clock
from certvault.compromise import Compromise
from certvault.db.unit_of_work import Database
from certvault.deliveries import Deliveries
from certvault.doctor import Doctor
from certvault.drill import Drills
from certvault.errors import VaultError, forbidden
from certvault.feed import Feed
from certvault.gathering import Gathering
from certvault.hub import Hub
from certvault.hubs import Hubs
from certvault.idempotency import Idempotency
from certvault.infochecks import InfoChecks
from certvault.issuers import Issuers
from certvault.issuing import Issuing
from certvault.keycare import KeyCare
from certvault.keyring import Keyring
from certvault.kits import Kits
from certvault.licenselife import LicenseLife
from certvault.licenses import Licenses
from certvault.maintenance import Maintenance
from certvault.minting import Minting
from certvault.model.actor import LOCAL_OPERATOR, Actor, Role
from certvault.model.views import DoctorReport, MaintenanceReport
from certvault.notices import Notices
from certvault.pki import Pki
from certvault.receipts import Receipts
from certvault.recovery import Recovered, Recovery
from certvault.regionlists import RegionLists
from certvault.regions import Regions
from certvault.regionsync import RegionSync
from certvault.relay import Relay
from certvault.relaysync import RelaySync
from certvault.remote import RemoteSigning
from certvault.reports import Reports
from certvault.sealfiles import SealFiles
from certvault.seals import Seals
from certvault.sealstanding import SealStandings
from certvault.sealuses import SealUses
from certvault.sessions import Session
from certvault.settings import Settings
from certvault.standing import Standings
from certvault.standinganswers import StandingAnswers
from certvault.statuslists import StatusLists
from certvault.tokens import Tokens
from certvault.trustlists import TrustLists
from certvault.trustlistxml import TrustListXml
from certvault.verification import Verification
from certvault.wallet import Wallet
from certvault.web import Web
from certvault.webhooks import Webhooks
from signing.errors import SigningError
from verify.formats.refusal import RefusedError


@dataclass(frozen=True, slots=True)
class Vault:
    """An open vault. Use it as a context manager, or call :meth:`close`."""

    settings: Settings
    clock: Clock
    catalog: Catalog
    issuing: Issuing
    licenses: Licenses
    life: LicenseLife
    standings: Standings
    standing_answers: StandingAnswers
    receipts: Receipts
    info_checks: InfoChecks
    minting: Minting
    verification: Verification
    reports: Reports
    wallet: Wallet
    issuers: Issuers
    seals: Seals
    seal_uses: SealUses
    remote: RemoteSigning
    seal_standings: SealStandings
    seal_files: SealFiles
    compromise: Compromise
    drills: Drills
    notices: Notices
    keycare: KeyCare
    pki: Pki
    status_lists: StatusLists
    feed: Feed
    webhooks: Webhooks
    deliveries: Deliveries
    tokens: Tokens
    audit: Audit
    idempotency: Idempotency
    recovery: Recovery
    web: Web
    anchors: Anchors
    trust_lists: TrustLists
    trust_list_xml: TrustListXml
    regions: Regions
    region_lists: RegionLists
    kits: Kits
    agreements: Agreements
    region_sync: RegionSync
    hub: Hub
    relay: Relay
    relay_sync: RelaySync
    hubs: Hubs
    gathering: Gathering
    _database: Database
    _keyring: Keyring
    _session: Session
    _doctor: Doctor
    _maintenance: Maintenance
    _backup: Backup

    def doctor(self) -> DoctorReport:
        """Look everything over; what dead processes left is put right first."""
        return self._doctor.examine()

    def ready(self) -> list[str]:
        """What keeps the vault from issuing now; empty when nothing does. Quick."""
        return self._doctor.ready()

    def recover(self) -> Recovered:
        """Void numbers that dead processes left, pause their jobs. Runs on opening as well."""
        return self.recovery.recover(strays=True)

    def maintenance(self, at: datetime.datetime | None = None) -> MaintenanceReport:
        """Do what is due (:mod:`certvault.maintenance`)."""
        return self._maintenance.run(at or self.clock.now())

    def backup(self, path: Path, actor: Actor = LOCAL_OPERATOR) -> None:
        """Write an encrypted archive of everything (:mod:`certvault.backup`)."""
        if not actor.has(Role.CUSTODIAN):
            raise forbidden(Role.CUSTODIAN)
        self._backup.write(path, actor.subject)

    def close(self) -> None:
        """Give database, keys and claims back; what this process added to the audit is anchored first."""
        self.minting.wait()
        self.deliveries.close()
        if self._database.wrote:
            with contextlib.suppress(VaultError, SigningError, RefusedError):  # the next anchor covers it, then
                self.audit.anchor(self.clock.now())
        self._keyring.backend.close()
        self._database.close()
        self._session.end()

    def __enter__(self) -> Vault:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()
