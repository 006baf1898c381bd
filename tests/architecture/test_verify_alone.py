"""Another system takes ``verify`` alone: the folder and the base dependencies, nothing else of this house."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bench.data import examples
from certvault.bootstrap import LOCAL_OPERATOR, Vault
from tests.support.alone import run_alone, verify_alone


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with ``verify`` and links to its dependencies; no site-packages."""
    return verify_alone(tmp_path_factory.mktemp("alone"))


def test_nothing_else_of_this_house_is_there(alone: Path) -> None:
    for module in ("signing", "templates", "certvault", "api", "sqlalchemy", "fastapi", "reportlab", "pkcs11"):
        assert run_alone(alone, "-c", f"import {module}").returncode != 0, module


def test_it_lists_its_codes(alone: Path) -> None:
    done = run_alone(alone, "-m", "verify", "--codes")
    assert done.returncode == 0, done.stderr
    assert "NO_TRUSTED_PATH" in done.stdout


def test_it_verifies_a_license(alone: Path, embedded_vault: Vault, tmp_path: Path) -> None:
    data = next(examples("road-transport-license"))
    issued = embedded_vault.issuing.issue("road-transport-license", data, actor=LOCAL_OPERATOR)
    (tmp_path / "a.pdf").write_bytes(issued.pdf)
    (tmp_path / "root.pem").write_text(embedded_vault.pki.root_pem)
    done = run_alone(alone, "-m", "verify", "--json", str(tmp_path / "a.pdf"), "--trust", str(tmp_path / "root.pem"))
    (verdict,) = json.loads(done.stdout)["files"]
    assert verdict["integrity"] == "INTACT", done.stdout
    assert verdict["conclusion"] == "VALID", done.stdout
