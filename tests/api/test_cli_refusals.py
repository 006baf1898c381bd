"""What the command line refuses before it does anything, and where its output may go."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.api.conftest import EXAMPLES, example
from tests.api.test_cli import ROOT, Ran

FOOD = ["issue", "food-business-license", EXAMPLES / "food-business-license.json"]
NOBODY = "110101199003074477"
"""A right citizen number that holds nothing here."""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an empty vault (key files) in ``./var``."""
    folder = tmp_path_factory.mktemp("place")
    made = Ran(["init", "--keys", "file"], folder)
    assert made.status == 0, made.err
    return folder


def issued_so_far(place: Path) -> int:
    from certvault.bootstrap import open_vault
    from certvault.model.actor import LOCAL_OPERATOR

    with open_vault(place / "var") as vault:
        return len(vault.licenses.list(LOCAL_OPERATOR, limit=200).items)


def test_an_output_that_cannot_be_written_is_refused_before_anything_is_issued(place: Path, tmp_path: Path) -> None:
    before = issued_so_far(place)
    for target in (tmp_path, tmp_path / "no" / "a.pdf", EXAMPLES / "food-business-license.json" / "a.pdf"):
        for option in ("-o", "--record"):
            ran = Ran([*FOOD, option, target, "--json"], place)
            assert (ran.status, ran.json["code"]) == (3, "OUTPUT_UNWRITABLE"), (target, ran.out)
    assert issued_so_far(place) == before


def test_a_license_can_be_written_to_stdout_alone(place: Path) -> None:
    command = [sys.executable, "-c", "from api.cli import main; main()", *map(str, FOOD), "-o", "/dev/stdout"]
    for extra in ([], ["--json"]):
        done = subprocess.run(
            [*command, *extra],
            cwd=place,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert done.stdout.startswith(b"%PDF")
        assert done.stdout.rstrip().endswith(b"%%EOF")
        assert b"food-business-license" in done.stderr


def test_mint_names_the_columns_it_does_not_use(place: Path, tmp_path: Path) -> None:
    row = {**example("food-business-license"), "备注": "x", "fault": ""}
    (tmp_path / "rows.jsonl").write_text(json.dumps(row, ensure_ascii=False))
    for _ in range(2):  # and again when it is resumed
        ran = Ran(["mint", "food-business-license", tmp_path / "rows.jsonl", "--out", tmp_path / "o", "--json"], place)
        assert ran.status == 0, ran.err
        assert ran.json["ignored"] == ["备注", "fault"]
        assert "备注, fault" in ran.err


def test_mint_into_a_file_is_refused_and_one_without_rows_leaves_nothing(place: Path, tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("名称\n")
    (tmp_path / "taken").write_text("x")
    mint = ["mint", "food-business-license", tmp_path / "rows.csv", "--json", "--out"]
    ran = Ran([*mint, tmp_path / "taken"], place)
    assert (ran.status, ran.json["code"], ran.json["field"]) == (3, "OUT_UNWRITABLE", "out")
    ran = Ran([*mint, tmp_path / "out"], place)
    assert (ran.status, ran.json["code"]) == (3, "NO_ROWS")
    assert not list((tmp_path / "out").iterdir())


def test_a_cell_is_blamed_under_the_fields_english_name(place: Path, tmp_path: Path) -> None:
    import openpyxl

    data = example("food-business-license")
    titles = Ran(["types", "show", "food-business-license"], place).json["properties"]
    book = openpyxl.Workbook()
    book.active.append([titles[name]["title"] for name in data])
    book.active.append(["=1+1", *list(data.values())[1:]])
    book.save(tmp_path / "rows.xlsx")
    ran = Ran(["mint", "food-business-license", tmp_path / "rows.xlsx", "--out", tmp_path / "out"], place)
    assert ran.status == 0, ran.err
    (line,) = (json.loads(text) for text in (tmp_path / "out" / "report.jsonl").read_text().splitlines())
    assert (line["code"], line["field"]) == ("FORMULA", next(iter(data)))


def test_a_number_is_no_text(place: Path, tmp_path: Path) -> None:
    data = {**example("food-business-license"), "operator_name": 7}
    (tmp_path / "data.json").write_text(json.dumps(data))
    ran = Ran(["issue", "food-business-license", tmp_path / "data.json", "--json"], place)
    assert (ran.status, ran.json["code"], ran.json["field"]) == (3, "NOT_TEXT", "operator_name")


def test_a_log_is_written_only_where_there_is_a_vault(tmp_path: Path) -> None:
    ran = Ran(["issue", "food-business-license", EXAMPLES / "food-business-license.json"], tmp_path)
    assert ran.status == 1
    assert not list(tmp_path.iterdir())


def test_production_asks_for_the_issuers_name_and_code(tmp_path: Path) -> None:
    for given in ([], ["--issuer-name", "某局"], ["--issuer-code", "11410200MB0A00018X"]):
        ran = Ran(["init", "--production", "--keys", "file", "--json", *given], tmp_path)
        assert (ran.status, ran.json["code"]) == (3, "ISSUER_REQUIRED"), given
    assert not (tmp_path / "var").exists()


@pytest.mark.parametrize(
    ("options", "field"),
    [
        (["--url", "https://" + "a" * 60], "base_url"),
        (["--url", "https://"], "base_url"),
        (["--url", "https://例.中国"], "base_url"),
        (["--database", "mysql://localhost/x"], "database_url"),
        (["--store", "ftp://x"], "store_url"),
        (["--suite", "sm9"], "suite"),
    ],
)
def test_init_names_the_option_that_cannot_be(tmp_path: Path, options: list[str], field: str) -> None:
    ran = Ran(["init", "--keys", "file", "--json", "--lang", "en", *options], tmp_path)
    assert (ran.status, ran.json["code"], ran.json["field"]) == (3, "OPTION", field)
    if options[1].endswith("a" * 60):
        assert "68 characters" in ran.json["reason"]
        assert "twice" in ran.json["reason"]
    assert not (tmp_path / "var").exists()


def test_the_longest_address_that_is_offered_is_taken() -> None:
    from certvault.initoptions import InitOptions, check_options, longest_address

    most = longest_address()
    assert most >= 41
    check_options(InitOptions(folder=Path("x"), base_url="https://" + "a" * (most - 8)))


def test_a_holders_code_is_checked(place: Path, tmp_path: Path) -> None:
    for code in ("123", "110101199003074478", "91410200MA9G2LRQ00", ""):
        for command in (["token", "create", "--role", "holder", "--holder", code], ["wallet", code, "--out", "w.zip"]):
            ran = Ran([*command, "--json"], place)
            assert (ran.status, ran.json["code"], ran.json["field"]) == (3, "HOLDER_CODE", "holder"), command
    assert not (place / "w.zip").exists()


def test_the_wallet_of_somebody_who_holds_nothing_says_so(place: Path, tmp_path: Path) -> None:
    ran = Ran(["wallet", NOBODY, "--out", tmp_path / "w.zip", "--json"], place)
    assert (ran.status, ran.json["code"]) == (3, "WALLET_EMPTY")
    assert not (tmp_path / "w.zip").exists()
    ran = Ran(["wallet", NOBODY, "--out", tmp_path, "--json"], place)
    assert ran.json["code"] == "OUTPUT_UNWRITABLE"


def test_a_backup_replaces_no_file_unasked(place: Path, tmp_path: Path) -> None:
    target = tmp_path / "b"
    target.write_text("precious")
    ran = Ran(["backup", target, "--json"], place)
    assert (ran.status, ran.json["code"], target.read_text()) == (3, "FILE_EXISTS", "precious")
    assert Ran(["backup", target, "--force"], place).status == 0
    assert target.read_bytes().startswith(b"{")


@pytest.mark.parametrize("content", [b"", b"%PDF-1.7", b'{"format": "certvault-backup/1"}', b"[" * 100_000])
def test_what_is_no_backup_is_not_restored(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "b").write_bytes(content)
    ran = Ran(["restore", tmp_path / "b", "--vault", tmp_path / "again", "--json"], tmp_path)
    assert (ran.status, ran.json["code"]) == (3, "NOT_A_BACKUP")
    assert not list((tmp_path / "again").iterdir())


def test_the_version_is_told(tmp_path: Path) -> None:
    from importlib.metadata import version

    assert Ran(["--version"], tmp_path).out.split() == ["certvault", version("certvault")]
    assert Ran(["--version", "--json"], tmp_path).json == {"version": version("certvault")}


def test_help_offers_the_suites_that_there_are(tmp_path: Path) -> None:
    assert "|sm2" in Ran(["init", "--help"], tmp_path).out


def test_softhsm_is_not_asked_for_sm2(tmp_path: Path) -> None:
    ran = Ran(["init", "--suite", "sm2", "--keys", "pkcs11", "--json", "--lang", "en"], tmp_path)
    assert (ran.status, ran.json["code"], ran.json["field"]) == (3, "OPTION", "keys")
    assert "SM2" in ran.json["reason"]
    assert not (tmp_path / "var").exists()


def test_a_key_is_destroyed_only_when_somebody_says_so(place: Path, tmp_path: Path) -> None:
    made = Ran(["key", "rollover", "code", "--exportable", "--json"], place).json["key"]
    assert Ran(["key", "backup", made, tmp_path / "k"], place).status == 0
    assert (tmp_path / "k").stat().st_mode & 0o077 == 0
    assert Ran(["key", "backup", made, tmp_path / "k", "--json"], place).json["code"] == "FILE_EXISTS"
    assert Ran(["key", "rollover", "code"], place).status == 0
    asked = Ran(["key", "destroy", made, "--json"], place)
    assert (asked.status, asked.json["code"]) == (3, "NOT_CONFIRMED")
    assert Ran(["key", "destroy", made, "--yes", "--json"], place).json["state"] == "DESTROYED"
    assert Ran(["key", "restore", tmp_path / "k", "--json"], place).json["state"] == "RETIRED"
