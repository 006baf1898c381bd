"""The vault: one object with all its services. Wired by certvault.bootstrap alone."""
from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping
from pathlib import Path

from certvault.model.actor import LOCAL_OPERATOR, Actor
from certvault.model.views import (
    AuditPage, DoctorReport, IssuedLicense, KeyInfo, LicensePage, LicenseView, MaintenanceReport, MintProgress, RowReport, TokenInfo, TypeInfo,
)
from certvault.audit import Audit
from certvault.catalog import Catalog
from certvault.clock import Clock
from certvault.idempotency import Idempotency
from certvault.issuing import Issuing
from certvault.licenses import Licenses
from certvault.minting import Minting
from certvault.pki import Pki
from certvault.settings import Settings
from certvault.statuslists import StatusLists
from certvault.tokens import Tokens
from certvault.verification import Verification
from certvault.wallet import Wallet


class Vault:
    settings: Settings
    clock: Clock
    catalog: Catalog
    issuing: Issuing
    licenses: Licenses
    minting: Minting
    verification: Verification
    wallet: Wallet
    pki: Pki
    status_lists: StatusLists
    tokens: Tokens
    audit: Audit
    idempotency: Idempotency

    def doctor(self) -> DoctorReport: raise NotImplementedError
    def ready(self) -> list[str]:
        """Problems that keep the vault from issuing now (database, store, backend); for /readyz. Quick."""
        raise NotImplementedError
    def maintenance(self, at: datetime.datetime | None = None) -> MaintenanceReport: raise NotImplementedError
    def backup(self, path: Path, actor: Actor = LOCAL_OPERATOR) -> None: raise NotImplementedError
    def close(self) -> None: raise NotImplementedError
    def __enter__(self) -> Vault: return self
    def __exit__(self, *exc: object) -> None: self.close()
