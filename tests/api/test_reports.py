"""Depths and signed reports at the doors: the command line and HTTP."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest import mock

import pypdfium2
import pytest

from tests.api.conftest import EXAMPLES, Door
from tests.api.test_cli import Ran

if TYPE_CHECKING:
    from certvault.bootstrap import Vault
    from certvault.model.views import IssuedLicense


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A vault in ``./var`` with one license ``a.pdf``, an edited copy of it and files that are none."""
    home = tmp_path_factory.mktemp("reports")
    assert Ran(["init", "--keys", "file"], home).status == 0
    issued = Ran(["issue", "driving-license", EXAMPLES / "driving-license.json", "-o", "a.pdf"], home)
    assert issued.status == 0, issued.err
    pdf = bytearray((home / "a.pdf").read_bytes())
    pdf[len(pdf) // 2] ^= 1
    (home / "edited.pdf").write_bytes(pdf)
    (home / "empty.pdf").write_bytes(b"")
    (home / "drawer").mkdir()
    return home


def verify(folder: Path, *arguments: object, **environment: str) -> Ran:
    return Ran(["verify", *arguments], folder, **environment)


# ---- the command line


def test_depths(folder: Path) -> None:
    reports = [
        verify(folder, "a.pdf", "--depth", d, "--json").json["files"][0] for d in ("conclusion", "checks", "facts")
    ]
    assert [r["depth"] for r in reports] == ["conclusion", "checks", "facts"]
    assert set(reports[0]["answers"]) == {"integrity", "conclusion", "standing", "recognition"}
    assert {c["name"]: c["outcome"] for c in reports[1]["checks"]}["vault"] == "PASSED"
    assert reports[2]["facts"]["certificates"]
    assert "summary" in reports[0]
    assert verify(folder, "a.pdf", "--depth", "everything").status == 2


@pytest.mark.parametrize("depth", [None, "conclusion", "checks", "facts"])
def test_people_read_answers_first_then_reasons_by_weight(folder: Path, depth: str | None) -> None:
    ran = verify(folder, "edited.pdf", "--lang", "zh", *(["--depth", depth] if depth else []))
    assert ran.status == 10
    lines = ran.out.splitlines()
    assert lines[0] == "edited.pdf: 已被改动，不可采信"
    assert lines[1].startswith("  → ")
    assert "已被改动 ALTERED" in lines[2]
    found = [line.split()[0] for line in lines if line.split()[0] in ("FATAL", "DOUBT", "NOTE")]
    assert found == sorted(found, key=["FATAL", "DOUBT", "NOTE"].index)
    assert bool(found) is (depth != "conclusion")
    assert ("SHA-256" in ran.out) is (depth == "facts")


def test_paths_that_are_no_files(folder: Path) -> None:
    ran = verify(folder, "drawer", "absent.pdf", "a.pdf", "empty.pdf", "--json", "--lang", "en")
    assert ran.status == 1
    assert [f["file"] for f in ran.json["files"]] == ["a.pdf", "empty.pdf"]
    assert {e["file"]: e["error"] for e in ran.json["errors"]}["drawer"] == "is a folder: name the files in it"
    chinese = verify(folder, "drawer", "absent.pdf", "--lang", "zh")
    assert "drawer: 无法读取：是文件夹，请列出其中的文件" in chinese.err
    assert "absent.pdf: 无法读取：没有这个文件" in chinese.err
    assert verify(folder, "absent.pdf", "--json").json == {"files": [], "errors": [mock.ANY]}


def test_an_empty_file_is_judged_and_bad(folder: Path) -> None:
    ran = verify(folder, "empty.pdf", "--json")
    assert ran.status == 10
    (verdict,) = ran.json["files"]
    assert (verdict["integrity"], [f["code"] for f in verdict["findings"]]) == ("UNREADABLE", ["FILE_EMPTY"])


def test_the_standard_input(folder: Path) -> None:
    class Standard:
        buffer = io.BytesIO((folder / "a.pdf").read_bytes())

    with mock.patch.object(sys, "stdin", Standard()):
        ran = verify(folder, "-", "--json")
    assert ran.status == 0, ran.err
    assert ran.json["files"][0]["file"] == "-"


def test_many_files_in_several_processes_keep_their_order(folder: Path) -> None:
    """By default, from four files on; one that cannot be read stops none of the others."""
    names = ["a.pdf", "edited.pdf", "drawer", "empty.pdf", "a.pdf", "absent.pdf"]
    ran = verify(folder, *names, "--json")
    alone = verify(folder, *names, "--json", "--jobs", "1")
    assert ran.status == alone.status == 1
    for one in (ran, alone):
        assert [f["file"] for f in one.json["files"]] == ["a.pdf", "edited.pdf", "empty.pdf", "a.pdf"]
        assert [e["file"] for e in one.json["errors"]] == ["drawer", "absent.pdf"]
    for a, b in zip(ran.json["files"], alone.json["files"], strict=True):
        assert {**a, "elapsed_ms": 0, "at": ""} == {**b, "elapsed_ms": 0, "at": ""}


def test_a_report_is_written_signed_and_judged_as_one(folder: Path) -> None:
    ran = verify(folder, "edited.pdf", "--report", "out.pdf", "--lang", "en")
    assert ran.status == 10, ran.err
    assert "report: out.pdf" in ran.err
    judged = verify(folder, "out.pdf", "--json")
    assert judged.status == 0, judged.out
    (verdict,) = judged.json["files"]
    assert (verdict["integrity"], verdict["conclusion"], verdict["standing"]) == ("INTACT", "VALID", None)
    assert "VERIFICATION_REPORT" in {f["code"] for f in verdict["findings"]}
    assert verify(folder, "a.pdf", "--report", "out.html").status == 0
    assert '<pre id="jws">' in (folder / "out.html").read_text("utf-8")


def test_without_a_vault_a_report_says_that_nobody_signed_it(folder: Path, tmp_path: Path) -> None:
    ran = Ran(["verify", folder / "a.pdf", "--report", "out.pdf", "--lang", "en"], tmp_path)
    assert "not signed" in ran.err
    text = pypdfium2.PdfDocument(tmp_path / "out.pdf")[0].get_textpage().get_text_range()
    assert "This report is not signed" in text
    judged = Ran(["verify", "out.pdf", "--json"], tmp_path)
    assert judged.json["files"][0]["integrity"] == "UNSIGNED"


@pytest.mark.parametrize(
    "arguments", [["a.pdf", "--report", "out.txt"], ["a.pdf", "a.pdf", "--report", "out.pdf"], ["--report", "out.pdf"]]
)
def test_reports_of_the_wrong_kind_are_wrong_usage(folder: Path, arguments: Sequence[str]) -> None:
    assert verify(folder, *arguments).status == 2


def test_a_report_that_cannot_be_written_is_refused_before_anything_is_judged(folder: Path) -> None:
    ran = verify(folder, "a.pdf", "--report", "absent/out.pdf")
    assert ran.status != 0
    assert ran.out == ""


def test_no_report_on_a_path_that_cannot_be_read(folder: Path) -> None:
    assert verify(folder, "drawer", "--report", "none.pdf").status == 1
    assert not (folder / "none.pdf").exists()


# ---- HTTP


def ask(door: Door, path: str, pdf: bytes, name: str = "a.pdf", **options: str) -> Any:
    return door.client.post(path, params=options, files=[("file", (name, pdf))])


def edited(pdf: bytes) -> bytes:
    changed = bytearray(pdf)
    changed[len(pdf) // 2] ^= 1
    return bytes(changed)


def test_depth_over_http(door: Door, issued: IssuedLicense) -> None:
    for depth in ("conclusion", "checks", "facts"):
        (report,) = ask(door, "/v1/verifications", issued.pdf, depth=depth).json()["files"]
        assert (report["depth"], report["conclusion"]) == (depth, "VALID")
    in_form = door.client.post("/v1/verifications", files=[("file", ("a.pdf", issued.pdf))], data={"depth": "checks"})
    assert in_form.json()["files"][0]["checks"]
    in_json = door.client.post("/v1/verifications", json={"record": issued.record, "depth": "conclusion", "lang": "en"})
    assert in_json.json()["files"][0]["answers"]["standing"]["value"] == "IN_FORCE"
    assert ask(door, "/v1/verifications", issued.pdf, depth="everything").status_code == 400


def test_a_report_over_http(door: Door, embedded_vault: Vault, issued: IssuedLicense) -> None:
    answer = ask(door, "/v1/verifications/report", edited(issued.pdf), '营业"执照\r\n.pdf', format="pdf", lang="en")
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/pdf"
    assert answer.headers["content-disposition"].startswith('attachment; filename="report-')
    assert "\r" not in answer.headers["content-disposition"]
    verdict = embedded_vault.verification.verify(answer.content)
    assert (verdict.integrity.value, verdict.conclusion.value, verdict.license) == ("INTACT", "VALID", None)
    assert "Altered: do not accept it" in pypdfium2.PdfDocument(answer.content)[0].get_textpage().get_text_range()


def test_a_report_as_a_page(door: Door, issued: IssuedLicense) -> None:
    answer = door.client.post(
        "/v1/verifications/report", files=[("file", ("a.pdf", issued.pdf))], headers={"Accept": "text/html"}
    )
    assert answer.headers["content-type"].startswith("text/html")
    assert "sandbox" in answer.headers["content-security-policy"]
    assert "真实，当前有效" in answer.text
    facts = json.loads(answer.text.partition('<pre id="facts">')[2].partition("</pre>")[0].replace("&quot;", '"'))
    assert facts["schema"] == "certvault-report/1"


def test_a_report_on_a_record(door: Door, issued: IssuedLicense) -> None:
    answer = door.client.post("/v1/verifications/report?format=pdf", json={"record": issued.record})
    assert answer.content.startswith(b"%PDF")


def test_a_report_tells_of_one_file(door: Door, issued: IssuedLicense) -> None:
    two = [("file", ("a.pdf", issued.pdf)), ("file", ("b.pdf", issued.pdf))]
    assert door.client.post("/v1/verifications/report", files=two).status_code == 400
    assert ask(door, "/v1/verifications/report", issued.pdf, format="docx").status_code == 422


def test_a_file_that_costs_the_judge_its_life_gets_a_report_too(door: Door, issued: IssuedLicense) -> None:
    from api.judging.process import Judge, JudgeLostError

    with mock.patch.object(Judge, "ask", side_effect=JudgeLostError("TIME_EXCEEDED")):
        answer = ask(door, "/v1/verifications/report", issued.pdf, format="pdf", lang="en")
    assert answer.status_code == 200, answer.text
    assert "TIME_EXCEEDED" in "".join(
        page.get_textpage().get_text_range() for page in pypdfium2.PdfDocument(answer.content)
    )
