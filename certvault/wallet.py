"""What a holder may download."""
from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping
from pathlib import Path

from certvault.model.actor import LOCAL_OPERATOR, Actor
from certvault.model.views import (
    AuditPage, DoctorReport, IssuedLicense, KeyInfo, LicensePage, LicenseView, MaintenanceReport, MintProgress, RowReport, TokenInfo, TypeInfo,
)


class Wallet:
    def entries(self, holder: str, actor: Actor) -> list[LicenseView]:
        """holder: the holder's code; for a holder token pass "" to mean oneself."""
        raise NotImplementedError
    def archive(self, holder: str, actor: Actor) -> bytes: raise NotImplementedError
