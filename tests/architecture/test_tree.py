"""What is in the tree and in the wheel, read from git and from a built wheel."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("verify", "signing", "templates", "certvault", "api")

# Written in pieces, so that this file does not find itself.
_FORBIDDEN = {
    "a registry's host": ["pypi" + ".org", "pythonhosted" + ".org", "registry" + ".npmjs", "repo1" + ".maven",
                          "repo.maven" + ".apache", "deb.debian" + ".org"],
    "a path of one machine": ["/ro" + "ot/", "/ho" + "me/", "/wo" + "rk/", "/Us" + "ers/", "/tmp" + "/v/"],
    "an index address": ["--index" + "-url", "--extra-index" + "-url", '"resol' + 'ved":'],
}  # fmt: skip
_INDEX_OPTION_NAMED = {"tools/lock"}  # says that no index address is to be written


def _tracked() -> list[str]:
    if not (ROOT / ".git").exists() or shutil.which("git") is None:
        pytest.skip("not a git checkout")
    shown = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
    return [name for name in shown.decode().split("\0") if name and (ROOT / name).is_file()]


def _text(name: str) -> str | None:
    try:
        return (ROOT / name).read_text("utf-8")
    except UnicodeDecodeError:
        return None


def test_no_tracked_file_names_a_registry_or_a_machine() -> None:
    found = []
    for name in _tracked():
        text = _text(name)
        if text is None or name in _INDEX_OPTION_NAMED:
            continue
        found += [
            f"{name}: {what} ({needle})" for what, needles in _FORBIDDEN.items() for needle in needles if needle in text
        ]
    assert not found, found


def test_no_tracked_file_holds_an_unencrypted_private_key() -> None:
    plain = re.compile("-----BEGIN (?:RSA |EC )?" + "PRIVATE KEY-----")
    found = [name for name in _tracked() if plain.search(_text(name) or "")]
    assert not found, found


def test_the_lock_gives_every_package_a_hash() -> None:
    lines = (ROOT / "requirements.lock").read_text().splitlines()
    starts = [i for i, line in enumerate(lines) if re.match(r"[A-Za-z0-9]", line)]
    assert starts
    for i in starts:
        assert re.match(r"[A-Za-z0-9._-]+(\[[a-z,]+\])?==", lines[i]), lines[i]
        assert "--hash=sha256:" in lines[i + 1], lines[i]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel of this tree, built with the locked setuptools and without network."""
    source = tmp_path_factory.mktemp("source")
    for name in (*PACKAGES, "tests", "bench"):
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__", "judges"))
    for name in ("pyproject.toml", "README.md"):
        if (ROOT / name).exists():
            shutil.copy(ROOT / name, source)
    out = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-build-isolation", "--no-deps", "-w", out, source],
        check=True,
        cwd=out,
    )
    (built,) = out.glob("certvault-*.whl")
    return built


def test_the_wheel_holds_the_five_packages_and_neither_tests_nor_bench(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    tops = {name.partition("/")[0] for name in names}
    assert {t for t in tops if not t.endswith(".dist-info")} == set(PACKAGES)
    assert {f"{p}/py.typed" for p in PACKAGES} <= set(names)


def test_the_wheel_holds_every_file_of_the_packages(wheel: Path) -> None:
    """Types, pages, migrations and messages are data files; one left out is noticed only by who installs the wheel."""
    names = set(zipfile.ZipFile(wheel).namelist())
    missing = [n for n in _tracked() if n.partition("/")[0] in PACKAGES and n not in names]
    assert not missing, missing


def test_the_base_install_needs_only_what_verify_needs(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (n for n in archive.namelist() if n.endswith("METADATA"))
        metadata = archive.read(name).decode()
    base = {
        re.split(r"[<>=!~ \[;]", line.removeprefix("Requires-Dist: "))[0]
        for line in metadata.splitlines()
        if line.startswith("Requires-Dist: ") and "extra ==" not in line
    }
    assert not base & {"fastapi", "sqlalchemy", "alembic", "reportlab", "python-pkcs11", "endesive", "typer", "jinja2"}
    assert {"cryptography", "asn1crypto", "pyhanko"} <= base
