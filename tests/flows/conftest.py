"""Vaults for whole flows: small to make, on either database, keys in a real token or in files."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from certvault.bootstrap import InitOptions, Vault, create_vault
from certvault.clock import Clock

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
MakeVault = Callable[..., Vault]


@pytest.fixture
def make_vault(tmp_path: Path) -> Iterator[MakeVault]:
    """``make_vault(**options)``: a new vault, closed when the test ends."""
    opened: list[Vault] = []

    def make(*, clock: Clock | None = None, name: str = "vault", **options: Any) -> Vault:
        vault = create_vault(InitOptions(folder=tmp_path / name, **options), clock=clock)
        opened.append(vault)
        return vault

    yield make
    for vault in opened:
        vault.close()


@pytest.fixture
def example() -> Callable[[str], dict[str, Any]]:
    """Example data of a type, to be changed at will."""
    return lambda name: copy.deepcopy(json.loads((EXAMPLES / f"{name}.json").read_text("utf-8")))
