"""Reading licenses."""
from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping
from pathlib import Path

from certvault.model.actor import LOCAL_OPERATOR, Actor
from certvault.model.views import (
    AuditPage, DoctorReport, IssuedLicense, KeyInfo, LicensePage, LicenseView, MaintenanceReport, MintProgress, RowReport, TokenInfo, TypeInfo,
)


class Licenses:
    def get(self, identifier: str, actor: Actor) -> LicenseView: raise NotImplementedError
    def pdf(self, identifier: str, actor: Actor) -> bytes: raise NotImplementedError
    def record(self, identifier: str, actor: Actor) -> str: raise NotImplementedError
    def list(self, actor: Actor, *, holder: str | None = None, cursor: str | None = None, limit: int = 50) -> LicensePage: raise NotImplementedError
