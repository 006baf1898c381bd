"""Another system takes ``verify`` alone: the folder and the base dependencies, nothing else of this house."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from importlib.metadata import Distribution, distribution
from pathlib import Path
from shutil import copytree, ignore_patterns

import pytest
from packaging.requirements import Requirement

from bench.data import examples
from certvault.bootstrap import LOCAL_OPERATOR, Vault

ROOT = Path(__file__).resolve().parents[2]


def _closure() -> list[Distribution]:
    """The base dependencies with all they need here, extras left out."""
    waiting = [Requirement(r) for r in tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]]
    found: dict[str, Distribution] = {}
    while waiting:
        requirement = waiting.pop()
        if requirement.name in found or (requirement.marker and not requirement.marker.evaluate({"extra": ""})):
            continue
        found[requirement.name] = distribution(requirement.name)
        waiting += [Requirement(r) for r in found[requirement.name].requires or []]
    return list(found.values())


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with ``verify`` and links to its dependencies; no site-packages."""
    folder = tmp_path_factory.mktemp("alone")
    copytree(ROOT / "verify", folder / "verify", ignore=ignore_patterns("__pycache__"))
    for found in _closure():
        for top in {file.parts[0] for file in found.files or []} - {"..", "__pycache__"}:
            if not (folder / top).exists():
                (folder / top).symlink_to(str(found.locate_file(top)))
    return folder


def _run(alone: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    # -S: no site-packages; -E -s would also drop PYTHONPATH, so the folder is the working directory instead
    return subprocess.run(
        [sys.executable, "-S", *arguments], cwd=alone, capture_output=True, text=True, check=False, timeout=120
    )


def test_nothing_else_of_this_house_is_there(alone: Path) -> None:
    for module in ("signing", "templates", "certvault", "api", "sqlalchemy", "fastapi", "reportlab", "pkcs11"):
        assert _run(alone, "-c", f"import {module}").returncode != 0, module


def test_it_lists_its_codes(alone: Path) -> None:
    done = _run(alone, "-m", "verify", "--codes")
    assert done.returncode == 0, done.stderr
    assert "NO_TRUSTED_PATH" in done.stdout


def test_it_verifies_a_license(alone: Path, embedded_vault: Vault, tmp_path: Path) -> None:
    data = next(examples("road-transport-license"))
    issued = embedded_vault.issuing.issue("road-transport-license", data, actor=LOCAL_OPERATOR)
    (tmp_path / "a.pdf").write_bytes(issued.pdf)
    (tmp_path / "root.pem").write_text(embedded_vault.pki.root_pem)
    done = _run(alone, "-m", "verify", "--json", str(tmp_path / "a.pdf"), "--trust", str(tmp_path / "root.pem"))
    (verdict,) = json.loads(done.stdout)["files"]
    assert verdict["integrity"] == "INTACT", done.stdout
    assert verdict["conclusion"] == "VALID", done.stdout
