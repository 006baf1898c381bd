"""Key files: who may read them, who can open them, what a wrong passphrase does."""

from __future__ import annotations

import stat
import subprocess
from pathlib import Path

import pytest

from signing.backends import open_backend, pin_from_environment, pin_from_file, pkcs8
from signing.errors import BackendUnavailableError, PinError, SigningError
from signing.keys import KeyPurpose
from verify.formats.algorithms import Algorithm

SECRET = "correct horse battery"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    backend = open_backend(f"file:{tmp_path / 'keys'}", pin=lambda: SECRET)
    backend.generate("seal", Algorithm.ECDSA_P256_SHA256, KeyPurpose.SEAL)
    return tmp_path / "keys"


def test_files_are_private_and_encrypted(folder: Path) -> None:
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    (path,) = folder.iterdir()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert b"ENCRYPTED PRIVATE KEY" in path.read_bytes()
    assert b"BEGIN PRIVATE KEY" not in path.read_bytes()


def test_openssl_opens_them_with_the_passphrase_only(folder: Path) -> None:
    def tried(passphrase: str) -> subprocess.CompletedProcess[str]:
        command = ["openssl", "pkey", "-in", str(folder / "seal.key"), "-passin", f"pass:{passphrase}", "-pubout"]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    assert tried(SECRET).stdout.strip() in (folder / "seal.key").read_text()
    assert tried("wrong").returncode != 0


def test_a_wrong_passphrase_is_tried_once_and_never_shown(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given, tried = ["hunter2 is wrong"], []
    opened = pkcs8.open_private_key
    monkeypatch.setattr(pkcs8, "open_private_key", lambda data, pin, uri: tried.append(pin) or opened(data, pin, uri))
    backend = open_backend(f"file:{folder}", pin=lambda: given[0])
    handle = backend.handle_for("seal", Algorithm.ECDSA_P256_SHA256, KeyPurpose.SEAL)  # the public half needs none
    for _ in range(3):
        with pytest.raises(PinError) as caught:
            backend.sign(handle, b"x")
        assert "hunter2" not in str(caught.value)
        assert "file:seal" in str(caught.value)
    with pytest.raises(PinError):
        backend.generate("other", Algorithm.ECDSA_P256_SHA256, KeyPurpose.SEAL)
    assert len(tried) == 1
    assert [p.name for p in folder.iterdir()] == ["seal.key"]
    given[0] = SECRET  # the source was corrected: no restart is needed
    assert backend.sign(handle, b"x")


def test_a_mistyped_passphrase_makes_no_key_beside_others(folder: Path) -> None:
    backend = open_backend(f"file:{folder}", pin=lambda: "typo")
    with pytest.raises(PinError):
        backend.generate("other", Algorithm.ECDSA_P256_SHA256, KeyPurpose.SEAL)


def test_without_a_passphrase_it_says_so(folder: Path) -> None:
    backend = open_backend(f"file:{folder}")
    with pytest.raises(PinError, match="no passphrase"):
        backend.sign(backend.handle_for("seal", Algorithm.ECDSA_P256_SHA256, KeyPurpose.SEAL), b"x")


def test_a_folder_that_comes_back_works_again(folder: Path) -> None:
    backend = open_backend(f"file:{folder}", pin=lambda: SECRET)
    handle = backend.handle_for("seal", Algorithm.ECDSA_P256_SHA256, KeyPurpose.SEAL)
    away = folder.rename(folder.with_name("away"))
    with pytest.raises(BackendUnavailableError):
        backend.sign(handle, b"x")
    away.rename(folder)
    assert backend.sign(handle, b"x")


def test_pins_come_from_files_and_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "pin").write_text("1234\nignored\n")
    assert pin_from_file(tmp_path / "pin")() == "1234"
    with pytest.raises(PinError):
        pin_from_file(tmp_path / "none")()
    monkeypatch.setenv("A_PIN", "5678")
    assert pin_from_environment("A_PIN")() == "5678"
    with pytest.raises(PinError):
        pin_from_environment("NO_PIN")()


@pytest.mark.parametrize("uri", ["http://x", "", "file:", "file://host/x", "pkcs11:token=x", "memorable:"])
def test_other_uris_are_refused(uri: str) -> None:
    with pytest.raises(SigningError):
        open_backend(uri)


def test_unknown_options_are_refused() -> None:
    with pytest.raises(SigningError, match="retries"):
        open_backend("memory:", retries=3)
