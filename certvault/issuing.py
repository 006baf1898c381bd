"""Issuing."""
from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping
from pathlib import Path

from certvault.model.actor import LOCAL_OPERATOR, Actor
from certvault.model.views import (
    AuditPage, DoctorReport, IssuedLicense, KeyInfo, LicensePage, LicenseView, MaintenanceReport, MintProgress, RowReport, TokenInfo, TypeInfo,
)


class Issuing:
    def issue(self, type_name: str, data: Mapping[str, object], *, actor: Actor, holder_key: dict[str, str] | None = None,
              baseline: str = "B-LT", request_key: str | None = None) -> IssuedLicense:
        """request_key: e.g. "subject|Idempotency-Key": the same key within a day gives the same license back."""
        raise NotImplementedError
