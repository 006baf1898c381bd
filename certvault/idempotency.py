"""Answers to repeated requests."""
from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping
from pathlib import Path

from certvault.model.actor import LOCAL_OPERATOR, Actor
from certvault.model.views import (
    AuditPage, DoctorReport, IssuedLicense, KeyInfo, LicensePage, LicenseView, MaintenanceReport, MintProgress, RowReport, TokenInfo, TypeInfo,
)
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Cached:
    status: int
    body: bytes
    headers: Mapping[str, str]


class Idempotency:
    """Usage: c = begin(subject, key, body); if c is not None: answer c; else do the work, then store(), or release() on error."""

    def begin(self, subject: str, key: str, body: bytes) -> Cached | None:
        """None: the request is new and now claimed. ConflictError IDEMPOTENCY_MISMATCH (422) for another body, IDEMPOTENCY_BUSY (409) while the first is at work."""
        raise NotImplementedError
    def store(self, subject: str, key: str, answer: Cached) -> None: raise NotImplementedError
    def release(self, subject: str, key: str) -> None: raise NotImplementedError
