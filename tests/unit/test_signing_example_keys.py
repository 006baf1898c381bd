"""The example keys of the repository, and the script that makes them."""

from __future__ import annotations

import stat
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509

from signing.backends import open_backend
from signing.keys import KeyPurpose
from verify.formats.algorithms import Algorithm

FOLDER = Path(__file__).resolve().parents[2] / "keys-example"


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("keys-example")
    subprocess.run([sys.executable, FOLDER / "generate.py", folder], check=True, cwd=FOLDER.parent)
    return folder


def _certificate(folder: Path, name: str) -> x509.Certificate:
    return x509.load_pem_x509_certificate((folder / f"{name}.pem").read_bytes())


@pytest.mark.parametrize("which", ["committed", "fresh"])
def test_they_have_the_documented_shape(which: str, fresh: Path) -> None:
    folder = FOLDER if which == "committed" else fresh
    root, ca, seal = (_certificate(folder, n) for n in ("example-root", "example-seal-ca", "example-seal"))
    for above, below in ((root, root), (root, ca), (ca, seal)):
        below.verify_directly_issued_by(above)
    for certificate in (root, ca, seal):
        common_name = certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)[0].value
        assert str(common_name).startswith("EXAMPLE")
        assert certificate.not_valid_after_utc > datetime(2028, 1, 1, tzinfo=UTC)
    backend = open_backend(f"file:{folder}", pin=lambda: "example")
    assert backend.keys() == ["file:example-root", "file:example-seal", "file:example-seal-ca"]
    handle = backend.handle_for("example-seal", Algorithm.ECDSA_P256_SHA256, KeyPurpose.SEAL)
    assert backend.sign(handle, b"x")


def test_fresh_keys_are_fresh_and_private(fresh: Path) -> None:
    for path in fresh.glob("*.key"):
        assert path.read_bytes() != (FOLDER / path.name).read_bytes()
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert b"BEGIN PRIVATE KEY" not in (FOLDER / path.name).read_bytes()


def test_nobody_trusts_them_unasked() -> None:
    from verify import TrustStore

    strict = TrustStore.from_paths([FOLDER / "example-root.pem"])
    relaxed = TrustStore.from_paths([FOLDER / "example-root.pem"], allow_example=True)
    assert strict.allow_example is False
    assert len(relaxed.anchors) == 1
