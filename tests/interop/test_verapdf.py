"""veraPDF, the reference judge of PDF/A: zero failures on every type, before and after signing, at every baseline."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.interop.conftest import EVERY, TYPES, Sealed, before_signing, example
from tests.support import judges

if TYPE_CHECKING:
    from certvault.bootstrap import Vault


@pytest.fixture(scope="module")
def verdicts(java_judges: None, sealed: Callable[[str, str], Sealed]) -> dict[Path, dict[str, Any]]:
    """All files in one start of the JVM."""
    files = [sealed(*one) for one in EVERY]
    return judges.verapdf([f.pdf for f in files] + [f.unsigned for f in files])


def _assert_clean(verdict: dict[str, Any]) -> None:
    assert verdict.get("failures") == [], verdict
    assert verdict["compliant"]
    assert verdict["checks"] > 100  # it did look


@pytest.mark.parametrize(("type_name", "baseline"), EVERY)
def test_signed_file(
    verdicts: dict[Path, dict[str, Any]], sealed: Callable[[str, str], Sealed], type_name: str, baseline: str
) -> None:
    _assert_clean(verdicts[sealed(type_name, baseline).pdf])


@pytest.mark.parametrize("type_name", TYPES)
def test_file_before_signing(
    verdicts: dict[Path, dict[str, Any]], sealed: Callable[[str, str], Sealed], type_name: str
) -> None:
    _assert_clean(verdicts[sealed(type_name, "B-LT").unsigned])


def test_rsa_seal(java_judges: None, rsa_vault: Vault, tmp_path: Path) -> None:
    from certvault.bootstrap import LOCAL_OPERATOR

    issued = rsa_vault.issuing.issue("business-license", example("business-license"), actor=LOCAL_OPERATOR)
    path = tmp_path / "rsa.pdf"
    path.write_bytes(issued.pdf)
    _assert_clean(judges.verapdf([path])[path])


def test_the_judge_does_see_faults(java_judges: None, sealed: Callable[[str, str], Sealed], tmp_path: Path) -> None:
    """A file whose claim is right but whose output intent is gone fails: the judge is awake."""
    data = before_signing(sealed("business-license", "B-B").pdf.read_bytes())
    assert b"/OutputIntents" in data
    path = tmp_path / "broken.pdf"
    path.write_bytes(data.replace(b"/OutputIntents", b"/OutputIntentz"))
    assert not judges.verapdf([path])[path]["compliant"]
