"""Tables of rows made to hurt: each is refused by name, quickly and in little memory, or its row is."""

from __future__ import annotations

import io
import json
import time
import tracemalloc
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import openpyxl
import pytest

from certvault.rowfiles import InputRow, Limits, read_rows
from verify.formats.refusal import RefusedError

LIMITS = Limits(rows=1000, columns=20, cell_chars=1000)
MIB = 1 << 20
SHEET = "xl/worksheets/sheet1.xml"
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"


def rows(tmp_path: Path, content: bytes, name: str = "rows.xlsx") -> list[InputRow]:
    """All rows of a file."""
    path = tmp_path / "rows"
    path.write_bytes(content)
    return list(read_rows(path, name, LIMITS))


def refusal(tmp_path: Path, content: bytes, name: str = "rows.xlsx") -> tuple[str, str]:
    """Code and English reason of the refusal of the whole file, which must come quickly and cost little memory."""
    tracemalloc.start()
    began = time.monotonic()
    with pytest.raises(RefusedError) as caught:
        rows(tmp_path, content, name)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 64 * MIB
    assert time.monotonic() - began < 20
    first = caught.value.first
    assert first.remedy.zh
    assert first.remedy.en
    return first.code, first.reason.en


def workbook(changed: Callable[[str, bytes], bytes] | None = None, more: Mapping[str, bytes] | None = None) -> bytes:
    """A small workbook, its parts changed, with further parts."""
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    for line in (["a", "b"], ["x", "y"]):
        sheet.append(line)
    source, target = io.BytesIO(), io.BytesIO()
    book.save(source)
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        for part in old.infolist():
            data = old.read(part)
            new.writestr(part.filename, changed(part.filename, data) if changed else data)
        for name, data in (more or {}).items():
            new.writestr(name, data)
    return target.getvalue()


def with_part(name: str, content: bytes) -> bytes:
    """A workbook one of whose parts is ``content``."""
    return workbook(lambda part, data: content if part == name else data)


def sheet(inside: str) -> bytes:
    """A workbook with these rows."""
    return with_part(SHEET, f'<worksheet xmlns="{MAIN}"><sheetData>{inside}</sheetData></worksheet>'.encode())


def test_the_honest_workbook_is_read(tmp_path: Path) -> None:
    assert [r.data for r in rows(tmp_path, workbook())] == [{"a": "x", "b": "y"}]


LAUGHS = b"""<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY a "lol">%s]><worksheet>&k;</worksheet>""" % b"".join(
    b'<!ENTITY %c "%s">' % (98 + i, b"&%c;" % (97 + i) * 10) for i in range(10)
)
OUTSIDE = b"""<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><worksheet>&e;</worksheet>"""
FETCHED = b"""<?xml version="1.0"?><!DOCTYPE x SYSTEM "http://127.0.0.1:9/x.dtd"><worksheet/>"""


@pytest.mark.parametrize("content", [LAUGHS, OUTSIDE, FETCHED, OUTSIDE.decode().encode("utf-16")])
@pytest.mark.parametrize("part", [SHEET, "xl/workbook.xml", "xl/styles.xml", "[Content_Types].xml"])
def test_entities_are_refused_wherever_they_stand(tmp_path: Path, part: str, content: bytes) -> None:
    code, _ = refusal(tmp_path, with_part(part, content))
    assert code == "WORKBOOK_ENTITIES"


def test_a_document_type_behind_much_else_is_not_looked_for_for_ever(tmp_path: Path) -> None:
    far = b"<?xml version='1.0'?><!--" + bytes(range(33, 44)) * 300_000 + b"-->" + OUTSIDE[21:]
    assert refusal(tmp_path, with_part(SHEET, far))[0] in ("WORKBOOK_TOO_LARGE", "BAD_WORKBOOK")


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (workbook(more={"xl/media/a": bytes(30 * MIB)}), "bytes"),
        (workbook(more={f"x{i}": b"" for i in range(1100)}), "parts"),
        (sheet('<row r="1">' + "<c/>" * 2_000_000 + "</row>"), "bytes"),
        (sheet('<row r="1"/><row r="999999999999"/>'), "empty rows"),
    ],
    ids=["zeros", "parts", "cells", "rows"],
)
def test_bombs(tmp_path: Path, content: bytes, what: str) -> None:
    code, reason = refusal(tmp_path, content)
    assert code == "WORKBOOK_TOO_LARGE"
    assert what in reason
    assert any(c.isdigit() for c in reason)  # the limit is named


def noise(count: int) -> bytes:
    """Text that does not shrink to nothing."""
    state, out = 1, bytearray()
    while len(out) < count:
        state = state * 6364136223846793005 + 1442695040888963407 & (1 << 64) - 1
        out += b"%016x" % state
    return bytes(out)


@pytest.fixture(scope="module")
def filler() -> bytes:
    """A megabyte that deflates badly, so that the ratio alone does not refuse."""
    return noise(MIB)


def test_one_endless_row_behind_noise(tmp_path: Path, filler: bytes) -> None:
    content = sheet('<row r="1"><c><is><t>' + filler.decode() * 2 + "</t></is></c>" + "<c/>" * 5_000_000 + "</row>")
    code, reason = refusal(tmp_path, content)
    assert code == "WORKBOOK_TOO_LARGE"
    assert "one row" in reason


def test_endless_shared_texts_behind_noise(tmp_path: Path, filler: bytes) -> None:
    texts = (
        b'<sst xmlns="%s"><si><t>%s</t></si>' % (MAIN.encode(), filler) + b"<si><t>a</t></si>" * 4_500_000 + b"</sst>"
    )
    code, reason = refusal(tmp_path, workbook(more={"xl/SharedStrings.xml": texts}))
    assert code == "WORKBOOK_TOO_LARGE"
    assert "shared texts" in reason


@pytest.mark.parametrize(
    "inside",
    [
        '<row r="1"><c r="ZZZZZZZZZ1" t="n"><v>1</v></c></row>',
        '<row r="x"><c r="A1"><v>1</v></c></row>',
        '<row r="1"><c r="A1" t="s"><v>99999999</v></c></row>',
        '<row r="1"><c r="A1" t="s"><v>-99999999</v></c></row>',
        '<row r="1"><c r="A1" t="d"><v>not a day</v></c></row>',
        '<row r="1"><c r="A1" s="999999"><v>1</v></c></row>',
        '<row r="1"><c r="A1"><v>1e999999</v></c></row>',
        "<row><c",
    ],
)
def test_broken_sheets_are_refused_and_raise_nothing_else(tmp_path: Path, inside: str) -> None:
    content = sheet(inside)
    try:
        for row in rows(tmp_path, content):
            assert "99999" not in str(row.data)
    except RefusedError as error:
        assert error.first.code in ("BAD_WORKBOOK", "NO_HEADINGS", "WORKBOOK_TOO_LARGE")  # noqa: PT017


def test_every_cut_and_flipped_workbook_is_refused_or_read(tmp_path: Path) -> None:
    whole = workbook()
    for place in range(0, len(whole), 97):
        for broken in (whole[:place], whole[:place] + bytes([whole[place] ^ 0x41]) + whole[place + 1 :]):
            try:
                rows(tmp_path, broken)
            except RefusedError as error:
                assert error.first.code  # noqa: PT017


def test_a_dear_formula_is_a_fault_of_its_row(tmp_path: Path) -> None:
    inside = (
        '<row r="1"><c r="A1" t="str"><v>a</v></c></row><row r="2"><c r="A2"><f>WEBSERVICE("http://x")</f></c></row>'
    )
    (row,) = rows(tmp_path, sheet(inside))
    assert [r.code for r in row.refusals] == ["FORMULA"]


# ---- text


def test_a_line_without_end_is_refused(tmp_path: Path) -> None:
    assert refusal(tmp_path, b"a,b\n" + b"x" * 5_000_000, "a.csv")[0] == "LINE_TOO_LONG"
    assert refusal(tmp_path, b"a,b\n" + b"," * 5_000_000, "a.csv")[0] == "LINE_TOO_LONG"
    assert refusal(tmp_path, b'{"a":"' + b"x" * 5_000_000, "a.jsonl")[0] == "LINE_TOO_LONG"


def test_a_quote_without_end_is_refused(tmp_path: Path) -> None:
    code, reason = refusal(tmp_path, b'a,b\n"x' + b"y\n" * 600_000, "a.csv")
    assert code == "BAD_CSV"
    assert "line" in reason


@pytest.mark.parametrize(
    "line",
    [
        "[" * 100_000,
        '{"a": ' * 100_000,
        '{"a": 1, "a": 2}',
        '{"a": NaN}',
        '{"a": -Infinity}',
        '{"a": ' + "9" * 5000 + "}",
        '{"a": "\x01"}',
        "[1]",
        "null",
        '"text"',
    ],
)
def test_bad_json_is_a_fault_of_its_row(tmp_path: Path, line: str) -> None:
    first, second = rows(tmp_path, f'{line}\n{{"a": "good"}}\n'.encode(), "a.jsonl")
    assert [r.code for r in first.refusals] == ["BAD_JSON"]
    assert first.data == {}
    assert second.data == {"a": "good"}


@pytest.mark.parametrize("value", ["=1+1", "+cmd|' /C calc'!A0", "@SUM(1)", "-2+3"])
def test_what_another_program_would_compute_stays_text(tmp_path: Path, value: str) -> None:
    (row,) = rows(tmp_path, f"a\n{json.dumps(value)}\n".encode(), "a.csv")
    assert row.data == {"a": value}


@pytest.mark.parametrize("content", [b"a\n\x00x\n", "a\n\ufeffx\n".encode(), b"a\n\x1b[2Jx\n"])
def test_control_characters_reach_the_check_as_they_are(tmp_path: Path, content: bytes) -> None:
    (row,) = rows(tmp_path, content, "a.csv")
    assert not str(row.data["a"]).isprintable()


def test_what_is_quoted_in_a_refusal_is_printable(tmp_path: Path) -> None:
    _, reason = refusal(tmp_path, b"a\x1b]0;x\x07,a\x1b]0;x\x07\n1,2\n", "a.csv")
    assert reason.isprintable()
