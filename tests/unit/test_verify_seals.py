"""``certvault seal inspect``: the steps of the standards, on other makers' seals and on seals of our own making."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from asn1crypto import core

from tests.support.seals import Maker, SealPki, make_pki
from verify.seal import Inspection, inspect_seal
from verify.trust.anchors import TrustStore

AT = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=1)  # inside certificates that OpenSSL dates from now
DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> SealPki:
    return make_pki(tmp_path_factory.mktemp("seals"))


@dataclass(frozen=True)
class Case:
    """What is inspected, and with what."""

    maker: Maker

    def inspect(
        self, data: bytes, *, trusted: bool = True, at: datetime = AT, document: bytes | None = b"doc"
    ) -> Inspection:
        trust = TrustStore((self.maker.pki.root,)) if trusted else TrustStore()
        return inspect_seal(data, trust=trust, at=at, document=document)


@pytest.fixture
def case(pki: SealPki) -> Case:
    return Case(Maker(pki, AT))


def outcomes(found: Inspection) -> dict[str | None, str]:
    return {s.code: s.outcome.value for s in found.steps}


@pytest.mark.parametrize("version", [1, 4, 5])
def test_a_good_seal_passes_every_step_of_its_version(case: Case, version: int) -> None:
    found = case.inspect(case.maker.seal(version))
    assert found.version == version
    got = outcomes(found)
    own = {"SEAL_CREATE_DATE"} if version == 5 else set()
    for code in {"SEAL_FORMAT", "SEAL_SIG", "SEAL_MAKER_CERT", "SEAL_VALIDITY"} | own:
        assert got[code] == "PASSED", found.to_json("en")
    assert got[None] == "PASSED"
    assert len(found.steps) == 7


@pytest.mark.parametrize(("version", "rows"), [(1, 10), (4, 8), (5, 8)])
def test_a_good_signature_has_a_step_for_every_row(case: Case, version: int, rows: int) -> None:
    found = case.inspect(case.maker.signature(version, b"doc"))
    assert (found.kind, found.version, len(found.steps)) == ("signature", version, rows)
    assert "FAILED" not in outcomes(found).values(), found.to_json("en")
    assert outcomes(found)["DATA_HASH"] == "PASSED"


def test_raw_signature_values_count_as_their_der_form(case: Case) -> None:
    got = outcomes(case.inspect(case.maker.signature(4, b"doc", raw=True)))
    assert got["SIG_VALUE"] == "PASSED"


def test_without_trust_and_data_their_steps_do_not_run(case: Case) -> None:
    got = outcomes(case.inspect(case.maker.signature(4, b"doc"), trusted=False, document=None))
    assert got["DATA_HASH"] == got["SIGNER_CERT_CHAIN"] == got["SEAL_MAKER_CERT"] == "NOT_RUN"
    assert got["SIG_VALUE"] == got["SIGNER_NOT_IN_SEAL"] == "PASSED"


def test_other_data_are_found(case: Case) -> None:
    assert outcomes(case.inspect(case.maker.signature(4, b"doc"), document=b"dog"))["DATA_HASH"] == "FAILED"


def test_a_signer_outside_the_seals_list_is_found_in_each_version(case: Case) -> None:
    for version in (1, 4, 5):
        found = case.inspect(case.maker.signature(version, b"doc", signer="stranger"))
        assert outcomes(found)["SIGNER_NOT_IN_SEAL"] == "FAILED"
        assert outcomes(found)["SIG_VALUE"] == "PASSED"


def test_a_list_of_digests_names_the_signer_as_well(case: Case) -> None:
    assert outcomes(case.inspect(case.maker.signature(4, b"doc", listed="digest")))["SIGNER_NOT_IN_SEAL"] == "PASSED"
    wrong = case.inspect(case.maker.signature(4, b"doc", listed="digest", signer="stranger"))
    assert outcomes(wrong)["SIGNER_NOT_IN_SEAL"] == "FAILED"


def test_a_seal_made_by_a_stranger_is_found(case: Case) -> None:
    got = outcomes(case.inspect(case.maker.seal(4, maker="rogue")))
    assert got["SEAL_SIG"] == "PASSED"
    assert got["SEAL_MAKER_CERT"] == "FAILED"


def test_a_signing_time_outside_the_certificate_is_found(case: Case) -> None:
    for version in (1, 4):
        got = outcomes(case.inspect(case.maker.signature(version, b"doc", at=AT - 900 * DAY)))
        assert got["SIGN_TIME_OUTSIDE_CERT"] == "FAILED"


def test_validity_is_asked_at_the_signing_not_now(case: Case) -> None:
    data = case.maker.signature(4, b"doc", until=AT + 10 * DAY)
    assert "FAILED" not in outcomes(case.inspect(data, at=AT + 30 * DAY)).values()
    assert (
        outcomes(case.inspect(case.maker.seal(4, until=AT + 10 * DAY), at=AT + 30 * DAY))["SEAL_VALIDITY"] == "FAILED"
    )


def test_a_makers_certificate_that_lapsed_since_is_a_warning_in_version_5_alone(case: Case) -> None:
    """Row 4 of the seal's procedure: versions 1 and 4 fail, version 5 warns when it was good at the creation."""
    later = AT + 5000 * DAY
    for version, outcome in ((1, "FAILED"), (4, "FAILED"), (5, "WARNING")):
        seal = case.maker.seal(version, until=later + DAY)
        assert outcomes(case.inspect(seal, at=later))["SEAL_MAKER_CERT"] == outcome


def test_each_part_of_a_seal_that_is_changed_is_found(case: Case) -> None:
    good = case.maker.signature(4, b"doc")
    for old, new in ((b"test seal", b"best seal"), (b"/whole", b"/whale"), (b"37030000001721", b"37030000001722")):
        assert old in good
        assert "FAILED" in outcomes(case.inspect(good.replace(old, new))).values()


@pytest.mark.parametrize(("version", "stated"), [(4, 1), (4, 3), (1, 4), (1, 5)])
def test_version_and_shape_must_agree(case: Case, version: int, stated: int) -> None:
    mixed = case.inspect(case.maker.seal(version, stated=stated))
    assert mixed.version is None
    assert outcomes(mixed)["SEAL_FORMAT"] == "FAILED"


@pytest.mark.parametrize("form", ["plain", "tagged", "octets"])
@pytest.mark.parametrize("critical", [True, False])
def test_extensions_are_read_in_each_form_that_makers_write(case: Case, form: str, critical: bool) -> None:
    found = case.inspect(case.maker.seal(4, extensions=form, critical=critical))
    assert found.seal is not None
    assert [(e.oid, e.value) for e in found.seal.extensions] == [
        ("1.2.156.10197.6.7.2.2.1", core.UTF8String("2.1").dump())
    ]
    assert outcomes(found)["SEAL_SIG"] == "PASSED"


def test_time_as_text_is_read_in_version_1(case: Case) -> None:
    found = case.inspect(case.maker.signature(1, b"doc", time_text=f"{AT:%Y-%m-%d %H:%M:%S}"))
    assert found.signature is not None
    assert found.signature.time == AT
    assert found.signature.remarks == ("TIME_AS_TEXT",)


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_any_bytes_are_told_apart_in_either_language(lang: str) -> None:
    for data in (b"", b"0", b"\x30\x80\0\0", b"not a seal", b"\x30\x03\x02\x01\x05", bytes(5000)):
        shown = inspect_seal(data, trust=TrustStore(), at=AT).to_json(lang)
        assert shown["version"] is None
        assert [s["outcome"] for s in shown["steps"]][0] == "FAILED"
        assert all(s["reason"] for s in shown["steps"])


def test_the_command_prints_version_and_steps(case: Case, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from api.cli import run

    (tmp_path / "s.dat").write_bytes(case.maker.signature(4, b"doc"))
    (tmp_path / "doc").write_bytes(b"doc")
    (tmp_path / "root.der").write_bytes(case.maker.pki.root)
    arguments = ["seal", "inspect", str(tmp_path / "s.dat"), "--data", str(tmp_path / "doc"), "--json"]
    assert run([*arguments, "--trust", str(tmp_path / "root.der"), "--at", f"{AT:%Y-%m-%dT%H:%M:%SZ}"]) == 0
    shown: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert shown["version"] == 4
    assert {s["code"]: s["outcome"] for s in shown["steps"]}["DATA_HASH"] == "PASSED"
    assert run(["seal", "inspect", str(tmp_path / "nothing")]) == 1
