"""The READMEs' Python does what they say, in both languages."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from bench.data import examples
from certvault.bootstrap import LOCAL_OPERATOR, Vault

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("name", ["README.md", "README.zh-CN.md"])
def test_five_lines_verify_a_license(embedded_vault: Vault, tmp_path: Path, name: str) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", (ROOT / name).read_text("utf-8"), re.DOTALL)
    assert len(code.strip().splitlines()) == 5
    data = next(examples("road-transport-license"))
    issued = embedded_vault.issuing.issue("road-transport-license", data, actor=LOCAL_OPERATOR)
    (tmp_path / "license.pdf").write_bytes(issued.pdf)
    (tmp_path / "root.der").write_bytes(embedded_vault.pki.ca_certificate("root"))
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "'integrity': 'INTACT', 'conclusion': 'VALID', 'standing': 'UNKNOWN'" in done.stdout
    assert issued.identifier in done.stdout
