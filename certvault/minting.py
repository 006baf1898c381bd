"""Bulk issuing."""
from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping
from pathlib import Path

from certvault.model.actor import LOCAL_OPERATOR, Actor
from certvault.model.views import (
    AuditPage, DoctorReport, IssuedLicense, KeyInfo, LicensePage, LicenseView, MaintenanceReport, MintProgress, RowReport, TokenInfo, TypeInfo,
)


class Minting:
    def start(self, type_name: str, rows: Path, out: Path | None, *, actor: Actor, baseline: str = "B-LT", resume: str | None = None) -> MintProgress:
        """Stage the rows (or find the job again: same input and same out, or resume=job id)."""
        raise NotImplementedError
    def run(self, job: str, *, out: Path | None, actor: Actor, workers: int = 1, progress: Callable[[MintProgress], None] | None = None) -> MintProgress: raise NotImplementedError
    def mint(self, type_name: str, rows: Path, out: Path, *, actor: Actor, workers: int = 1, resume: str | None = None, progress: Callable[[MintProgress], None] | None = None) -> MintProgress:
        """start + run: what the command line calls."""
        raise NotImplementedError
    def start_upload(self, type_name: str, file_name: str, content: bytes, *, actor: Actor) -> MintProgress:
        """Stage an uploaded file and run it in a background thread; report by report()."""
        raise NotImplementedError
    def progress(self, job: str, actor: Actor) -> MintProgress: raise NotImplementedError
    def report(self, job: str, actor: Actor, *, after: int = 0, limit: int = 1000) -> list[RowReport]: raise NotImplementedError
    def list(self, actor: Actor) -> list[MintProgress]: raise NotImplementedError
    def abandon(self, job: str, actor: Actor) -> MintProgress: raise NotImplementedError
