"""Many licenses from a file: every row its line, whatever the encoding, the kind of file, or the number of workers."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from certvault.bootstrap import LOCAL_OPERATOR, Actor, Vault, open_vault
from certvault.errors import ConflictError, ForbiddenError, NotFoundError
from certvault.model.views import MintProgress
from tests.support.rows import COLUMNS, as_csv, business
from verify.formats.refusal import RefusedError


def lines(out: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (out / "report.jsonl").read_text("utf-8").splitlines()]


def mint(vault: Vault, tmp_path: Path, content: bytes, name: str = "rows.csv", **options: Any) -> MintProgress:
    path = tmp_path / name
    path.write_bytes(content)
    return vault.minting.mint("business-license", path, tmp_path / "out", actor=LOCAL_OPERATOR, **options)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_csv(make_vault: Callable[..., Vault], tmp_path: Path, encoding: str) -> None:
    vault = make_vault()
    told: list[MintProgress] = []
    done = mint(vault, tmp_path, as_csv([business(n) for n in range(3)], encoding), progress=told.append)
    assert (done.state, done.total, done.issued) == ("DONE", 3, 3)
    assert told[-1].done == 3
    for line in lines(tmp_path / "out"):
        pdf = (tmp_path / "out" / line["pdf"]).read_bytes()
        assert hashlib.sha256(pdf).hexdigest() == line["sha256"]
        assert vault.licenses.pdf(line["identifier"], LOCAL_OPERATOR) == pdf
    assert json.loads((tmp_path / "out" / "job.json").read_text())["job"] == done.job


def test_workbook_and_json_lines(make_vault: Callable[..., Vault], tmp_path: Path) -> None:
    vault = make_vault()
    book = openpyxl.Workbook()
    book.active.append([*COLUMNS.values(), "备注"])
    book.active.append([*business(1).values(), "x"])
    book.active.append(["=A2", *list(business(2).values())[1:]])
    buffer = io.BytesIO()
    book.save(buffer)
    done = mint(vault, tmp_path, buffer.getvalue(), "rows.xlsx")
    assert (done.issued, done.refused, done.ignored) == (1, 1, ("备注",))
    assert lines(tmp_path / "out")[1]["code"] == "FORMULA"
    rows = tmp_path / "rows.jsonl"
    rows.write_text(json.dumps(business(3), ensure_ascii=False) + "\n[]\n")
    done = vault.minting.mint("business-license", rows, tmp_path / "out2", actor=LOCAL_OPERATOR)
    assert [line["outcome"] for line in lines(tmp_path / "out2")] == ["issued", "refused"]


def test_faulty_rows_get_their_line_and_hold_nobody_up(make_vault: Callable[..., Vault], tmp_path: Path) -> None:
    vault = make_vault()
    known = vault.issuing.issue("business-license", business(7), actor=LOCAL_OPERATOR)
    rows = [business(n) for n in range(5)]
    rows[1] |= {"legal_representative": ""}
    rows[2] |= {"name": "开封\U0001fa7a有限公司"}
    rows += [business(0), business(7), business(1)]
    done = mint(vault, tmp_path, as_csv(rows))
    assert (done.state, done.issued, done.refused, done.failed) == ("DONE", 4, 4, 0)
    found = lines(tmp_path / "out")
    assert [line["row"] for line in found] == list(range(1, 9))
    assert {line["row"]: line.get("code") for line in found if line["outcome"] == "refused"} == {
        2: "MISSING_FIELD",
        3: "MISSING_GLYPH",
        6: "DUPLICATE_ROW",
        7: "DUPLICATE_LICENSE",
    }
    assert found[1]["field"] == "legal_representative"
    assert known.identifier in found[6]["reason"]
    assert vault.doctor().problems == ()


def test_the_same_command_again_changes_nothing(make_vault: Callable[..., Vault], tmp_path: Path) -> None:
    vault = make_vault()
    content = as_csv([business(n) for n in range(3)])
    first = mint(vault, tmp_path, content)
    before = lines(tmp_path / "out")
    (tmp_path / "out" / before[0]["pdf"]).unlink()
    again = mint(vault, tmp_path, content)
    assert (again.job, again.issued) == (first.job, 3)
    assert lines(tmp_path / "out") == before
    assert (tmp_path / "out" / before[0]["pdf"]).is_file()
    with pytest.raises(ConflictError, match="OUT_IN_USE"):
        mint(vault, tmp_path, content + b"\n" + as_csv([business(9)]).splitlines()[1])
    with pytest.raises(NotFoundError):
        vault.minting.mint(
            "business-license", tmp_path / "rows.csv", tmp_path / "new", actor=LOCAL_OPERATOR, resume="0" * 16
        )


def test_workers_share_the_work(make_vault: Callable[..., Vault], tmp_path: Path, database_url: str) -> None:
    vault = make_vault(database_url=database_url)
    done = mint(vault, tmp_path, as_csv([business(n) for n in range(90)]), workers=2)
    assert (done.state, done.issued) == ("DONE", 90)
    assert [line["row"] for line in lines(tmp_path / "out")] == list(range(1, 91))
    assert vault.doctor().problems == ()


def test_numbers_in_sequence_follow_the_rows_with_any_number_of_workers(
    make_vault: Callable[..., Vault], tmp_path: Path, example: Callable[[str], dict[str, Any]]
) -> None:
    vault = make_vault()
    rows = tmp_path / "rows.jsonl"
    data = [example("road-transport-license") | {"operator_name": f"样例{n}号运输有限公司"} for n in range(90)]
    rows.write_text("".join(json.dumps(d, ensure_ascii=False) + "\n" for d in data))
    done = vault.minting.mint("road-transport-license", rows, tmp_path / "out", actor=LOCAL_OPERATOR, workers=2)
    assert done.issued == 90
    numbers = [vault.licenses.get(line["identifier"], LOCAL_OPERATOR).number for line in lines(tmp_path / "out")]
    assert [int(n[-9:-1]) for n in numbers] == list(range(1, 91))


def test_two_hundred_dirty_rows_of_an_older_system(
    make_vault: Callable[..., Vault], tmp_path: Path, shared: Path, scale: Callable[[int, int], int]
) -> None:
    vault = make_vault()
    made = subprocess.run(
        [sys.executable, str(shared / "samples" / "make_rows.py"), str(scale(100, 2000)), "--dirty", "20"],
        capture_output=True, check=True,
    ).stdout  # fmt: skip
    rows = list(csv.DictReader(io.StringIO(made.decode())))
    done = mint(vault, tmp_path, made)
    assert done.ignored == ("fault",)
    found = lines(tmp_path / "out")
    assert [line["row"] for line in found] == list(range(1, len(rows) + 1))
    for row, line in zip(rows, found, strict=True):
        assert line["outcome"] == ("refused" if row["fault"] else "issued"), (row["fault"], line)
        assert line["outcome"] == "issued" or (line["reason"] and line["code"])


@pytest.mark.parametrize("content", [b"", b"a,b\n1,2\n", b"\xff\xfe\x00", "名称\n".encode()])
def test_a_file_that_says_nothing_is_refused(make_vault: Callable[..., Vault], tmp_path: Path, content: bytes) -> None:
    vault = make_vault()
    with pytest.raises(RefusedError):
        mint(vault, tmp_path, content)
    assert mint(vault, tmp_path, as_csv([business(1)])).issued == 1


def test_an_upload_runs_in_the_background_and_leaves_no_file(make_vault: Callable[..., Vault]) -> None:
    vault = make_vault()
    issuer = Actor("token:x", frozenset({"issuer"}), None, "11410200MB0A00018X")
    started = vault.minting.start_upload(
        "business-license", "rows.csv", as_csv([business(n) for n in range(3)]), actor=issuer
    )
    vault.minting.wait()
    done = vault.minting.progress(started.job, issuer)
    assert (done.state, done.issued) == ("DONE", 3)
    report = vault.minting.report(started.job, issuer)
    assert [r.outcome for r in report] == ["issued"] * 3
    assert report[0].pdf is None
    assert not [p for p in vault.settings.folder.iterdir() if p.name.startswith(".upload")]
    assert [j.job for j in vault.minting.list(issuer)] == [started.job]
    with pytest.raises(NotFoundError):
        vault.minting.progress(started.job, Actor("y", frozenset({"issuer"}), None, "another"))
    with pytest.raises(ForbiddenError):
        vault.minting.progress(started.job, Actor("y", frozenset({"holder"}), "i", None))


def test_an_upload_that_was_cut_off_goes_on_with_the_service(
    make_vault: Callable[..., Vault], monkeypatch: pytest.MonkeyPatch
) -> None:
    vault = make_vault()
    sender = vault.tokens.authenticate(vault.tokens.create("issuer", actor=LOCAL_OPERATOR))
    assert sender is not None
    with monkeypatch.context() as patched:
        patched.setattr(vault.minting, "_run_quietly", lambda *_: None)  # the process ends before its thread begins
        job = vault.minting.start_upload(
            "business-license", "rows.csv", as_csv([business(1), business(2)]), actor=sender
        )
        assert job.state == "RUNNING"
    vault.close()
    again = open_vault(vault.settings.folder)
    try:
        assert again.minting.progress(job.job, LOCAL_OPERATOR).state == "PAUSED"
        assert again.minting.resume_uploads() == 1
        again.minting.wait()
        assert again.minting.progress(job.job, LOCAL_OPERATOR).issued == 2
        assert again.minting.resume_uploads() == 0
    finally:
        again.close()


def test_an_abandoned_job_voids_its_open_numbers(
    make_vault: Callable[..., Vault], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from signing.errors import SigningError

    vault = make_vault()
    with monkeypatch.context() as patch:
        patch.setattr(
            vault._keyring.backend, "sign", lambda *_: (_ for _ in ()).throw(SigningError("the key is broken"))
        )
        with pytest.raises(SigningError):
            mint(vault, tmp_path, as_csv([business(1)]))
    job = vault.minting.list(LOCAL_OPERATOR)[0].job
    ended = vault.minting.abandon(job, LOCAL_OPERATOR)
    assert ended.state == "ABANDONED"
    assert vault.doctor().problems == ()
    with vault._database.reading() as view:
        assert set(view.licenses.counts()) <= {"VOID"}
