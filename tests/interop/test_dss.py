"""EU DSS with our root as the only trust and no network: TOTAL_PASSED from B-LT up, each baseline level named right."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.interop.conftest import EVERY, TYPES, Sealed, example
from tests.support import judges

if TYPE_CHECKING:
    from certvault.bootstrap import Vault

_LEVELS = {
    "B-B": "PAdES-BASELINE-B",
    "B-T": "PAdES-BASELINE-T",
    "B-LT": "PAdES-BASELINE-LT",
    "B-LTA": "PAdES-BASELINE-LTA",
}


@pytest.fixture(scope="module")
def verdicts(
    java_judges: None, sealed: Callable[[str, str], Sealed], root_pem: Path
) -> dict[Path, list[dict[str, Any]]]:
    """All files in one start of the JVM."""
    return judges.dss(root_pem, [sealed(*one).pdf for one in EVERY])


@pytest.mark.parametrize(("type_name", "baseline"), EVERY)
def test_level_and_indication(
    verdicts: dict[Path, list[dict[str, Any]]], sealed: Callable[[str, str], Sealed], type_name: str, baseline: str
) -> None:
    (signature,) = verdicts[sealed(type_name, baseline).pdf]
    assert signature.get("format") == _LEVELS[baseline], signature
    if baseline in ("B-LT", "B-LTA"):
        assert signature["indication"] == "TOTAL_PASSED", signature
        assert signature["errors"] == []
        assert [t["indication"] for t in signature["timestamps"]].count("PASSED") == len(signature["timestamps"]) > 0
    else:
        # nothing in the file says whether the certificate was revoked, and DSS may not ask
        assert signature["indication"] == "INDETERMINATE"


@pytest.mark.parametrize("type_name", TYPES[:1])
def test_a_stranger_s_root_makes_no_trust(
    java_judges: None, sealed: Callable[[str, str], Sealed], rsa_vault: Vault, tmp_path: Path, type_name: str
) -> None:
    other = tmp_path / "other.pem"
    other.write_text(rsa_vault.pki.root_pem)
    pdf = sealed(type_name, "B-LT").pdf
    (signature,) = judges.dss(other, [pdf])[pdf]
    assert signature["indication"] == "INDETERMINATE"
    assert signature["sub_indication"] == "NO_CERTIFICATE_CHAIN_FOUND"


def test_a_changed_byte_fails(
    java_judges: None, sealed: Callable[[str, str], Sealed], root_pem: Path, tmp_path: Path
) -> None:
    data = bytearray(sealed("business-license", "B-LT").pdf.read_bytes())
    data[20] ^= 1  # in the header's comment: signed, and shown nowhere
    path = tmp_path / "changed.pdf"
    path.write_bytes(data)
    (signature,) = judges.dss(root_pem, [path])[path]
    assert (signature["indication"], signature["sub_indication"]) == ("TOTAL_FAILED", "HASH_FAILURE")


def test_rsa_seal(java_judges: None, rsa_vault: Vault, tmp_path: Path) -> None:
    from certvault.bootstrap import LOCAL_OPERATOR

    issued = rsa_vault.issuing.issue("business-license", example("business-license"), actor=LOCAL_OPERATOR)
    (tmp_path / "rsa.pdf").write_bytes(issued.pdf)
    (tmp_path / "root.pem").write_text(rsa_vault.pki.root_pem)
    (signature,) = judges.dss(tmp_path / "root.pem", [tmp_path / "rsa.pdf"])[tmp_path / "rsa.pdf"]
    assert (signature["indication"], signature["format"]) == ("TOTAL_PASSED", "PAdES-BASELINE-LT"), signature
