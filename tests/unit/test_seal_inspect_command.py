"""``certvault seal inspect``: one step per row of the procedure, in order, for seals of any maker; exit statuses."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from api.cli import run
from tests.support.seals import Maker, make_pki

AT = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=1)
WHEN = f"{AT:%Y-%m-%dT%H:%M:%SZ}"
SEAL_ROWS = ["SEAL_FORMAT", "SEAL_SIG", "SEAL_CREATE_DATE", "SEAL_MAKER_CERT", "SEAL_VALIDITY", "TIMESTAMP", None]
ROWS_1 = [
    "FORMAT", "SIG_VALUE", "SIGNER_CERT_CHAIN", None, "SIGN_TIME_OUTSIDE_CERT", "REVOKED_BEFORE_SIGNING", None,
    "DATA_HASH", "SEAL_SIG", None,
]  # fmt: skip
ROWS_4 = [
    "FORMAT", "SIG_VALUE", "SIGNER_NOT_IN_SEAL", "SEAL_SIG", "SIGNER_CERT_CHAIN", "SIGN_TIME_OUTSIDE_CERT",
    "DATA_HASH", "TIMESTAMP",
]  # fmt: skip
OUTCOMES = {"PASSED", "WARNING", "FAILED", "NOT_RUN"}
Inspect = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module")
def maker(tmp_path_factory: pytest.TempPathFactory) -> Maker:
    return Maker(make_pki(tmp_path_factory.mktemp("seals")), AT)


@pytest.fixture
def inspect(tmp_path: Path, maker: Maker, capsys: pytest.CaptureFixture[str]) -> Inspect:
    (tmp_path / "root.pem").write_bytes((maker.pki.folder / "root.pem").read_bytes())
    (tmp_path / "doc").write_bytes(b"doc")

    def shown(data: bytes, *more: str, trusted: bool = True, document: bool = True) -> dict[str, Any]:
        (tmp_path / "value").write_bytes(data)
        arguments = ["seal", "inspect", str(tmp_path / "value"), "--json", *more]
        arguments += ["--trust", str(tmp_path / "root.pem")] if trusted else []
        arguments += ["--data", str(tmp_path / "doc")] if document else []
        arguments += [] if "--at" in more else ["--at", WHEN]
        assert run(arguments) == 0
        value: dict[str, Any] = json.loads(capsys.readouterr().out)
        for step in value["steps"]:
            assert step["outcome"] in OUTCOMES
            assert step["reason"]
        return value

    return shown


def codes(shown: dict[str, Any]) -> list[str | None]:
    return [step["code"] for step in shown["steps"]]


def outcomes(shown: dict[str, Any]) -> dict[str | None, str]:
    return {step["code"]: step["outcome"] for step in shown["steps"]}


@pytest.mark.parametrize("version", [1, 4, 5])
def test_rows_and_version_of_each_seal(inspect: Inspect, maker: Maker, version: int) -> None:
    seal = inspect(maker.seal(version))
    assert (seal["kind"], seal["version"], seal["at"], codes(seal)) == ("seal", version, WHEN, SEAL_ROWS)
    assert (seal["seal"]["id"], seal["seal"]["maker"], seal["seal"]["signers"]) == (
        "37030000001721", "maker", ["37030000001721"],
    )  # fmt: skip
    value = inspect(maker.signature(version, b"doc"))
    assert (value["kind"], value["version"]) == ("signature", version)
    assert codes(value) == (ROWS_1 if version == 1 else ROWS_4)
    (inner,) = [step["steps"] for step in value["steps"] if "steps" in step]
    assert [step["code"] for step in inner] == SEAL_ROWS


def test_what_is_not_given_is_not_run(inspect: Inspect, maker: Maker) -> None:
    bare = outcomes(inspect(maker.seal(4), trusted=False))
    assert (bare["SEAL_MAKER_CERT"], bare["SEAL_SIG"], bare[None]) == ("NOT_RUN", "PASSED", "NOT_RUN")
    value = outcomes(inspect(maker.signature(4, b"doc"), trusted=False, document=False))
    assert (value["SIGNER_CERT_CHAIN"], value["SEAL_MAKER_CERT"], value["DATA_HASH"]) == ("NOT_RUN",) * 3
    given = outcomes(inspect(maker.signature(4, b"doc")))
    assert (given["SIGNER_CERT_CHAIN"], given["SEAL_SIG"], given["DATA_HASH"]) == ("PASSED",) * 3


def test_the_moment_is_now_or_the_one_given(inspect: Inspect, maker: Maker, tmp_path: Path, capsys: Any) -> None:
    seal = maker.seal(4, until=AT + timedelta(days=10))
    assert outcomes(inspect(seal, "--at", WHEN))["SEAL_VALIDITY"] == "PASSED"
    assert outcomes(inspect(seal, "--at", f"{AT + timedelta(days=20):%Y-%m-%d}"))["SEAL_VALIDITY"] == "FAILED"
    (tmp_path / "s.esl").write_bytes(seal)
    assert run(["seal", "inspect", str(tmp_path / "s.esl"), "--json"]) == 0
    now = datetime.fromisoformat(json.loads(capsys.readouterr().out)["at"])
    assert abs(datetime.now(UTC) - now) < timedelta(minutes=2)


def test_a_broken_value_has_every_row_of_its_kind_too(inspect: Inspect, maker: Maker) -> None:
    """The first row says why, the others that they were not reached."""
    old, new, seal = maker.signature(1, b"doc"), maker.signature(4, b"doc"), maker.seal(4)
    for data, rows in ((old, ROWS_1), (new, ROWS_4)):
        shown = inspect(data.replace(b"\x16\x06/whole", b"\x13\x06/whole"))
        assert (shown["version"], codes(shown)) == (None, rows)
        assert [s["outcome"] for s in shown["steps"]] == ["FAILED"] + ["NOT_RUN"] * (len(rows) - 1)
    for data in (seal[:-1], b"", b"PK\x03\x04", seal + b"\0"):
        shown = inspect(data)
        assert (shown["kind"], codes(shown)) == ("seal", SEAL_ROWS)
        assert (shown["version"], shown["seal"]) == (None, None)


@pytest.mark.parametrize("name", ["UserV1.esl", "UserV4.esl", "UserV5.esl", "SignedValueV4.dat"])
def test_files_of_another_vendor(inspect: Inspect, shared: Path, name: str) -> None:
    shown = inspect((shared / "vectors" / "seals" / name).read_bytes(), "--at", "2027-01-01T00:00:00Z", "--lang", "en")
    signature = name.endswith(".dat")
    assert shown["version"] == int(name[-5])
    assert codes(shown)[:2] == (["FORMAT", "SIG_VALUE"] if signature else SEAL_ROWS[:2])
    assert [s["outcome"] for s in shown["steps"]][:2] == ["PASSED", "PASSED"]
    maker = shown["steps"][3]
    assert (maker["code"], maker["outcome"]) == ("SEAL_MAKER_CERT", "FAILED")  # under our root it is nobody


def test_in_words_every_row_has_a_line(maker: Maker, tmp_path: Path, capsys: Any) -> None:
    (tmp_path / "s.dat").write_bytes(maker.signature(4, b"doc"))
    for lang, word in (("zh", "签章"), ("en", "seal signature")):
        assert run(["seal", "inspect", str(tmp_path / "s.dat"), "--lang", lang]) == 0
        lines = capsys.readouterr().out.splitlines()
        assert word in lines[0]
        assert len(lines) == 2 + len(ROWS_4) + len(SEAL_ROWS)


def test_exit_statuses(maker: Maker, tmp_path: Path, capsys: Any) -> None:
    (tmp_path / "s.esl").write_bytes(maker.seal(4))
    (tmp_path / "bad.esl").write_bytes(maker.seal(4)[:-1])
    file = str(tmp_path / "s.esl")
    assert run(["seal", "inspect", str(tmp_path / "bad.esl")]) == 0  # it was inspected
    for arguments, status in (
        ([str(tmp_path / "none")], 1),
        ([str(tmp_path)], 1),
        ([file, "--data", str(tmp_path / "none")], 1),
        ([file, "--trust", str(tmp_path / "none")], 1),
        ([file, "--at", "yesterday"], 2),
        ([], 2),
        ([file, "--nonsense"], 2),
    ):
        assert run(["seal", "inspect", *arguments]) == status, arguments
    capsys.readouterr()
