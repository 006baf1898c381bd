"""The catalog of license types."""
from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping
from pathlib import Path

from certvault.model.actor import LOCAL_OPERATOR, Actor
from certvault.model.views import (
    AuditPage, DoctorReport, IssuedLicense, KeyInfo, LicensePage, LicenseView, MaintenanceReport, MintProgress, RowReport, TokenInfo, TypeInfo,
)
from templates.registry import LicenseType


class Catalog:
    def list(self) -> list[TypeInfo]: raise NotImplementedError
    def get(self, name: str, version: int | None = None) -> LicenseType: raise NotImplementedError
    def add(self, files: Mapping[str, bytes], actor: Actor) -> LicenseType: raise NotImplementedError
