"""The audit."""
from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping
from pathlib import Path

from certvault.model.actor import LOCAL_OPERATOR, Actor
from certvault.model.views import (
    AuditPage, DoctorReport, IssuedLicense, KeyInfo, LicensePage, LicenseView, MaintenanceReport, MintProgress, RowReport, TokenInfo, TypeInfo,
)


class Audit:
    def entries(self, actor: Actor, *, cursor: str | None = None, limit: int = 100) -> AuditPage: raise NotImplementedError
    def verify_chain(self) -> list[str]: raise NotImplementedError
    def anchor(self) -> None: raise NotImplementedError
