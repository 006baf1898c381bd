"""Names that steer a terminal, turn its direction or are no text, on the command line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

NAMES = [b"\xff.pdf", b"\x1b[2J\x1b]0;x\x07.pdf", "a\u202efdp.exe".encode(), b"-rf"]


def certvault(folder: Path, *arguments: str | bytes) -> subprocess.CompletedProcess[bytes]:
    """One command, as a system with strict UTF-8 runs it."""
    environment = {**os.environ, "PYTHONIOENCODING": "utf-8:strict", "LANG": "en_US.UTF-8"}
    environment.pop("CERTVAULT_VAULT", None)
    command = [sys.executable, "-c", "import sys; from api.cli import run; sys.exit(run(sys.argv[1:]))", *arguments]
    return subprocess.run(
        command,
        cwd=folder,
        env={**environment, "PYTHONPATH": str(Path(__file__).resolve().parents[2])},
        capture_output=True,
        check=False,
    )


def test_file_names_are_shown_harmless_and_json_stays_json(tmp_path: Path) -> None:
    for name in NAMES:
        Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name)).write_bytes(b"no license")
    shown = certvault(tmp_path, "verify", "--", *NAMES)
    assert shown.returncode == 10, shown.stderr
    text = shown.stdout.decode()
    assert "\x1b" not in text + shown.stderr.decode()
    assert "\u202e" not in text
    assert b"INTERNAL" not in shown.stderr
    told = certvault(tmp_path, "verify", "--json", "--", *NAMES)
    assert told.returncode == 10, told.stderr
    assert len(json.loads(told.stdout)["files"]) == len(NAMES)


@pytest.mark.parametrize("name", NAMES[:3])
def test_names_that_are_not_there_are_refused_by_name(tmp_path: Path, name: bytes) -> None:
    gone = certvault(tmp_path, "verify", "--json", "--", name)
    assert gone.returncode == 1
    json.loads(gone.stdout)
    assert b"INTERNAL" not in gone.stderr
    assert b"\x1b" not in gone.stderr
