"""Token Status Lists."""
from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping
from pathlib import Path

from certvault.model.actor import LOCAL_OPERATOR, Actor
from certvault.model.views import (
    AuditPage, DoctorReport, IssuedLicense, KeyInfo, LicensePage, LicenseView, MaintenanceReport, MintProgress, RowReport, TokenInfo, TypeInfo,
)


class StatusLists:
    def token(self, n: int) -> tuple[str, str]:
        """The signed list and its entity tag; NotFoundError."""
        raise NotImplementedError
