"""The rule of the house: the import contracts hold, they bite, and what they cannot say is read from the source."""

from __future__ import annotations

import ast
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import grimp
import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("verify", "signing", "templates", "certvault", "api")
_LINT_IMPORTS = Path(sys.executable).parent / "lint-imports"

_CLOCKS = {
    "datetime.datetime.now", "datetime.datetime.utcnow", "datetime.datetime.today", "datetime.date.today",
    "time.time", "time.time_ns",
}  # fmt: skip
_KEY_LOADERS = {"load_pem_private_key", "load_der_private_key", "load_ssh_private_key", "load_key_and_certificates",
                "load_pkcs12", "generate_private_key", "derive_private_key"}  # fmt: skip


def _sources() -> Iterator[tuple[str, ast.Module]]:
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            yield path.relative_to(ROOT).as_posix(), ast.parse(path.read_text("utf-8"))


def _dotted(node: ast.expr, names: dict[str, str]) -> str:
    if isinstance(node, ast.Attribute):
        return f"{_dotted(node.value, names)}.{node.attr}"
    return names.get(node.id, node.id) if isinstance(node, ast.Name) else ""


def _imported(tree: ast.Module) -> dict[str, str]:
    """Local name → dotted origin."""
    names: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {
                (a.asname or a.name.partition(".")[0]): (a.name if a.asname else a.name.partition(".")[0])
                for a in node.names
            }
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {a.asname or a.name: f"{node.module}.{a.name}" for a in node.names}
    return names


def _uses(tree: ast.Module) -> set[str]:
    names = _imported(tree)
    used = {_dotted(node, names) for node in ast.walk(tree) if isinstance(node, (ast.Attribute, ast.Name))}
    return used | set(names.values())


def test_only_the_clock_module_reads_the_clock() -> None:
    found = [(path, hit) for path, tree in _sources() for hit in _uses(tree) & _CLOCKS if path != "certvault/clock.py"]
    assert not found, found


def test_only_backends_load_or_make_private_keys() -> None:
    found = [
        (path, use)
        for path, tree in _sources()
        if not path.startswith("signing/backends/")
        for use in _uses(tree)
        if use.rpartition(".")[2] in _KEY_LOADERS
    ]
    assert not found, found


def test_no_backend_offers_a_plaintext_export() -> None:
    exports = {"private_bytes", "private_bytes_raw", "private_numbers"}
    allowed = {"signing/backends/pkcs8.py"}  # encrypts them in the same breath
    found = [
        (path, use)
        for path, tree in _sources()
        if path not in allowed
        for use in _uses(tree)
        if use.rpartition(".")[2] in exports
    ]
    assert not found, found


def test_formats_of_verify_import_nothing_else_of_verify() -> None:
    graph = grimp.build_graph("verify")
    found = [
        (module, imported)
        for module in graph.find_descendants("verify.formats")
        for imported in graph.find_modules_directly_imported_by(module)
        if not imported.startswith("verify.formats")
    ]
    assert not found, found


def test_the_contract_on_formats_names_every_other_part_of_verify() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    (contract,) = (c for c in contracts if c["name"] == "verify.formats stands alone")
    children = set(grimp.build_graph("verify").find_children("verify"))
    assert children - {"verify.formats", "verify.__main__"} == set(contract["forbidden_modules"])


def test_the_import_contracts_bite(tmp_path: Path) -> None:
    """Each broken on purpose in a copy; lint-imports names exactly those."""
    for package in PACKAGES:
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    broken = {
        "verify/formats/codes.py": "import verify.checks",
        "verify/policy.py": "import socket\nimport certvault.clock",
        "signing/errors.py": "import verify.trust\nimport reportlab",
        "templates/formats.py": "import cryptography\nimport pkcs11",
        "certvault/clock.py": "import fastapi\nimport httpx",
        "certvault/settings.py": "import sqlalchemy",
        "api/language.py": "import certvault.db",
    }
    for name, lines in broken.items():
        path = tmp_path / name
        path.write_text(f"{path.read_text('utf-8') if path.exists() else ''}\n{lines}\n", "utf-8")
    done = subprocess.run(
        [_LINT_IMPORTS, "--no-cache"], cwd=tmp_path, capture_output=True, text=True, check=False,
        env={"PYTHONPATH": str(tmp_path), "PATH": "/usr/bin:/bin", "COLUMNS": "200"},
    )  # fmt: skip
    assert done.returncode == 1, done.stdout + done.stderr
    kept = [line for line in done.stdout.splitlines() if line.endswith("KEPT")]
    assert not kept, done.stdout
    assert done.stdout.count("BROKEN") == 11, done.stdout


@pytest.mark.parametrize("package", PACKAGES)
def test_public_things_say_what_they_are(package: str) -> None:
    """Every module, and every public class and function at its top, has a docstring."""
    found = []
    for path, tree in _sources():
        if not path.startswith(f"{package}/") or "/migrations/versions/" in path or not tree.body:
            continue
        if not ast.get_docstring(tree):
            found.append(path)
        found += [
            f"{path}: {node.name}"
            for node in tree.body
            if isinstance(node, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef))
            and not node.name.startswith("_")
            and not ast.get_docstring(node)
        ]
    assert not found, found


def test_words_that_are_not_used() -> None:
    names = {"manager", "util", "utils", "helper", "helpers"}
    found = [path for path, _ in _sources() if names & set(Path(path).stem.split("_"))]
    found += [
        f"{path}: {node.name}"
        for path, tree in _sources()
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef) and node.name.lower().endswith(("manager", "util", "utils", "helper"))
    ]
    assert not found, found
