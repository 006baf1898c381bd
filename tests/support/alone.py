"""``verify`` alone: the folder and links to its base dependencies, for a process that sees nothing else."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from importlib.metadata import Distribution, distribution
from pathlib import Path
from shutil import copytree, ignore_patterns

from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[2]


def verify_alone(folder: Path) -> Path:
    """Fill ``folder`` with ``verify`` and links to its dependencies; no site-packages."""
    copytree(ROOT / "verify", folder / "verify", ignore=ignore_patterns("__pycache__"))
    for found in _closure():
        for top in {file.parts[0] for file in found.files or []} - {"..", "__pycache__"}:
            if not (folder / top).exists():
                (folder / top).symlink_to(str(found.locate_file(top)))
    return folder


def run_alone(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Python there, without site-packages: ``-E -s`` would not do, since the folder is the working directory."""
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    return subprocess.run(
        [sys.executable, "-S", *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


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
