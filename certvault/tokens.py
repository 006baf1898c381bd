"""Bearer tokens."""
from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping
from pathlib import Path

from certvault.model.actor import LOCAL_OPERATOR, Actor
from certvault.model.views import (
    AuditPage, DoctorReport, IssuedLicense, KeyInfo, LicensePage, LicenseView, MaintenanceReport, MintProgress, RowReport, TokenInfo, TypeInfo,
)


class Tokens:
    def create(self, role: str, *, holder_code: str | None = None, actor: Actor, lifetime: datetime.timedelta | None = None, label: str = "", issuer_code: str | None = None) -> str: raise NotImplementedError
    def authenticate(self, token: str) -> Actor | None: raise NotImplementedError
    def list(self, actor: Actor) -> list[TokenInfo]: raise NotImplementedError
    def revoke(self, token_id: str, actor: Actor) -> None: raise NotImplementedError
