"""Worker processes of bulk jobs: each opens the vault for itself, with its own database connection and key sessions."""

from __future__ import annotations

import os
from pathlib import Path

from certvault.batches import Tally
from certvault.clock import Clock
from certvault.model.actor import Actor
from certvault.settings import PIN_ENVIRONMENT
from certvault.vault import Vault

_vault: Vault | None = None


def start(folder: Path, clock: Clock, pin: str) -> None:
    """Open the vault once in this process. The PIN comes from the parent, which may have prompted for it."""
    from certvault.bootstrap import open_vault

    global _vault  # noqa: PLW0603 - one vault for each worker process
    os.environ[PIN_ENVIRONMENT] = pin
    _vault = open_vault(folder, clock=clock)


def work(job: str, rows: list[int], out: Path | None, actor: Actor) -> Tally:
    """One batch; see :meth:`certvault.batches.Batches.work`."""
    if _vault is None:
        raise RuntimeError("the worker was not started")
    return _vault.minting.batches.work(job, rows, out, actor)
