"""``python -m verify``: its exit status and its one JSON document."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from signing.keys import KeyPurpose
from tests.support.sealed import NOW, STATUS_URI, Sealed, genuine, status_list
from verify.__main__ import main


@pytest.fixture(scope="module")
def sealed() -> Sealed:
    return genuine(type_name="driving-license")


@pytest.fixture
def folder(sealed: Sealed, tmp_path: Path) -> Path:
    (tmp_path / "good.pdf").write_bytes(sealed.pdf)
    (tmp_path / "bad.pdf").write_bytes(sealed.pdf.replace(b"/MediaBox", b"/MediaBux", 1))
    (tmp_path / "record.sdjwt").write_text(sealed.sd_jwt)
    (tmp_path / "root.der").write_bytes(sealed.pki.root.certificate)
    (tmp_path / "root.crl").write_bytes(sealed.pki.root_crl())
    (tmp_path / "record.ocsp").write_bytes(sealed.pki.ocsp(KeyPurpose.RECORD))
    (tmp_path / "list.jwt").write_bytes(status_list(sealed.pki))
    (tmp_path / "revoked.jwt").write_bytes(status_list(sealed.pki, 1))
    return tmp_path


def run(folder: Path, *names: str, listed: str = "list.jwt", trusted: bool = True, revocation: bool = True) -> int:
    trust = ["--trust", str(folder / "root.der"), "--allow-example"] if trusted else []
    trust += ["--crl", str(folder / "root.crl"), "--ocsp", str(folder / "record.ocsp")] if revocation else []
    files = [str(folder / n) for n in names]
    return main([*files, *trust, "--status-list", f"{STATUS_URI}={folder / listed}", "--at", NOW.isoformat(), "--json"])


def test_exit_statuses(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(folder, "good.pdf", "record.sdjwt") == 0
    assert run(folder, "good.pdf", revocation=False) == 0, "the document carries its own revocation data"
    assert run(folder, "record.sdjwt", revocation=False) == 11, "a record carries none"
    assert run(folder, "good.pdf", "bad.pdf") == 10
    assert run(folder, "good.pdf", trusted=False) == 11
    assert run(folder, "good.pdf", listed="revoked.jwt") == 12
    capsys.readouterr()
    assert run(folder, "missing.pdf", "good.pdf") == 1
    (only,) = json.loads(capsys.readouterr().out)["files"]
    assert only["conclusion"] == "VALID"
    assert only["file"].endswith("good.pdf")


def test_wrong_usage_is_two(folder: Path) -> None:
    for arguments in ([], ["--nonsense"], [str(folder / "good.pdf"), "--at", "yesterday"]):
        with pytest.raises(SystemExit) as error:
            main(arguments)
        assert error.value.code == 2


def test_codes_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--codes", "--json"]) == 0
    codes = json.loads(capsys.readouterr().out)["codes"]
    assert {"code", "zh", "en"} <= set(codes[0])


def test_the_package_is_imported_without_its_parsers_and_gives_every_name() -> None:
    code = (
        "import sys, verify\n"
        "slow = {'verify.document', 'verify.formats.pdffile', 'asn1crypto', 'cryptography', 'PIL', 'pypdfium2'}\n"
        "assert not slow & set(sys.modules), slow & set(sys.modules)\n"
        "assert all(hasattr(verify, name) for name in verify.__all__)\n"
        "assert verify.verify_document is verify.document.verify_document\n"
        "assert not hasattr(verify, 'verify_nothing')\n"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
