"""Verifying with the vault's own trust and evidence."""
from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping
from pathlib import Path

from certvault.model.actor import LOCAL_OPERATOR, Actor
from certvault.model.views import (
    AuditPage, DoctorReport, IssuedLicense, KeyInfo, LicensePage, LicenseView, MaintenanceReport, MintProgress, RowReport, TokenInfo, TypeInfo,
)
from verify.evidence import Evidence
from verify.trust.anchors import TrustStore
from verify.verdict import Verdict


class Verification:
    def trust(self) -> TrustStore: raise NotImplementedError
    def evidence(self) -> Evidence: raise NotImplementedError
    def verify(self, data: bytes | str, *, at: datetime.datetime | None = None, password: str | None = None) -> Verdict: raise NotImplementedError
