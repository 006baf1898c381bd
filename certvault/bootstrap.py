"""The only place that wires."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from certvault.clock import Clock
from certvault.errors import SettingsError
from certvault.model.actor import LOCAL_OPERATOR, Actor
from certvault.vault import Vault

__all__ = ["LOCAL_OPERATOR", "Actor", "InitOptions", "Vault", "create_vault", "open_vault", "restore_backup"]


@dataclass(frozen=True)
class InitOptions:
    folder: Path
    region: str = "410200"
    name: str = "示例市证照库"
    issuer_name: str = "示例市行政审批局"
    issuer_code: str = "11410200MB0A00018X"
    base_url: str = "http://127.0.0.1:8000"
    keys: str | None = None
    suite: str = "p256"
    database_url: str | None = None
    store_url: str | None = None
    production: bool = False


def create_vault(options: InitOptions, *, clock: Clock | None = None) -> Vault:
    raise NotImplementedError


def open_vault(folder: Path, *, clock: Clock | None = None) -> Vault:
    raise NotImplementedError


def restore_backup(archive: Path, folder: Path) -> None:
    raise NotImplementedError
