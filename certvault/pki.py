"""The vault's PKI."""
from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping
from pathlib import Path

from certvault.model.actor import LOCAL_OPERATOR, Actor
from certvault.model.views import (
    AuditPage, DoctorReport, IssuedLicense, KeyInfo, LicensePage, LicenseView, MaintenanceReport, MintProgress, RowReport, TokenInfo, TypeInfo,
)


class Pki:
    def crl(self, ca_name: str) -> bytes: raise NotImplementedError
    def ca_certificate(self, ca_name: str) -> bytes: raise NotImplementedError
    def chain_pem(self) -> str: raise NotImplementedError
    @property
    def root_pem(self) -> str: raise NotImplementedError
    def ocsp(self, request: bytes) -> bytes: raise NotImplementedError
    def tsa(self, request: bytes) -> bytes: raise NotImplementedError
    def rollover(self, purpose: str, actor: Actor, *, owner: str | None = None) -> KeyInfo:
        """purpose: "root", "issuing", "seal", "record", ...; or a key id."""
        raise NotImplementedError
    def keys(self, actor: Actor) -> list[KeyInfo]: raise NotImplementedError
