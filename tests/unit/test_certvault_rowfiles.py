"""Files of rows: encodings, kinds, limits, and what is refused row by row."""

from __future__ import annotations

import datetime
import io
import zipfile
from pathlib import Path

import openpyxl
import pytest

from certvault.rowfiles import InputRow, Limits, encoding_of, read_rows
from verify.formats.refusal import RefusedError

LIMITS = Limits(rows=100, columns=5, cell_chars=50)


def read(tmp_path: Path, content: bytes, name: str = "rows.csv", limits: Limits = LIMITS) -> list[InputRow]:
    path = tmp_path / name
    path.write_bytes(content)
    return list(read_rows(path, name, limits))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_csv_in_every_encoding(tmp_path: Path, encoding: str) -> None:
    rows = read(tmp_path, "名称,代码\r\n开封𬭎鑫,1\r\n\r\n宏远㐂,2\r\n".encode(encoding))
    assert [r.data for r in rows] == [{"名称": "开封𬭎鑫", "代码": "1"}, {"名称": "宏远㐂", "代码": "2"}]
    assert [r.row for r in rows] == [1, 2]


def test_quotes_line_breaks_and_other_separators(tmp_path: Path) -> None:
    assert read(tmp_path, b'a,b\n"x, y","line\nbreak"\n')[0].data == {"a": "x, y", "b": "line\nbreak"}
    assert read(tmp_path, b"a\tb\n1\t2\n")[0].data == {"a": "1", "b": "2"}
    assert read(tmp_path, b"a;b\n1;2\n")[0].data == {"a": "1", "b": "2"}


def test_short_and_long_rows(tmp_path: Path) -> None:
    rows = read(tmp_path, b"a,b\n1\n1,2,3\n1,2,\n")
    assert rows[0].data == {"a": "1"}
    assert [r.code for r in rows[1].refusals] == ["TOO_MANY_CELLS"]
    assert rows[2].refusals == ()


def test_a_cell_too_long_refuses_its_row(tmp_path: Path) -> None:
    rows = read(tmp_path, b"a,b\n" + b"x" * 51 + b",1\n2,2\n")
    assert [r.code for r in rows[0].refusals] == ["CELL_TOO_LONG"]
    assert rows[0].refusals[0].field == "a"
    assert rows[1].refusals == ()


@pytest.mark.parametrize(
    ("content", "name", "code"),
    [
        (b"", "r.csv", "EMPTY_FILE"),
        (b"\xef\xbb\xbf \n", "r.csv", "EMPTY_FILE"),
        (b"a,b,c,d,e,f\n1\n", "r.csv", "TOO_MANY_COLUMNS"),
        (b"a,a\n1,2\n", "r.csv", "HEADING_TWICE"),
        (b",,\n1,2,3\n", "r.csv", "NO_HEADINGS"),
        (b"a\n" + b"1\n" * 101, "r.csv", "TOO_MANY_ROWS"),
        (b'{"a": 1}\n' * 101, "r.jsonl", "TOO_MANY_ROWS"),
        (b"a,b\n\xff\xff\xff\n", "r.csv", "ENCODING"),
        (b"PK\x03\x04broken", "r.xlsx", "BAD_WORKBOOK"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(512), "r.xls", "OLD_EXCEL"),
    ],
)
def test_a_file_that_cannot_be_taken(tmp_path: Path, content: bytes, name: str, code: str) -> None:
    with pytest.raises(RefusedError) as refused:
        read(tmp_path, content, name)
    assert refused.value.first.code == code


def test_json_lines(tmp_path: Path) -> None:
    rows = read(tmp_path, '{"名称": "开封"}\n\n[1]\n{"a": 1, "a": 2}\n{broken\n'.encode(), "rows.jsonl")
    assert rows[0].data == {"名称": "开封"}
    assert [[f.code for f in r.refusals] for r in rows[1:]] == [["BAD_JSON"]] * 3
    assert [r.row for r in rows] == [1, 2, 3, 4]


def test_deeply_nested_json_is_refused(tmp_path: Path) -> None:
    rows = read(tmp_path, b'{"a": ' + b"[" * 200_000 + b"\n", "rows.jsonl")
    assert [f.code for f in rows[0].refusals] == ["BAD_JSON"]


def workbook(*rows: list[object]) -> bytes:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def test_workbook(tmp_path: Path) -> None:
    rows = read(
        tmp_path,
        workbook(
            ["名称", "日期", "数"], ["开封", datetime.datetime(2024, 2, 29), 3], [None, None, None], ["杞县", "x", 1.5]
        ),
        "rows.xlsx",
    )
    assert rows[0].data == {"名称": "开封", "日期": "2024-02-29", "数": "3"}
    assert rows[1].data == {"名称": "杞县", "日期": "x", "数": "1.5"}
    assert [r.row for r in rows] == [1, 2]


def test_formulas_and_errors_are_refused_never_computed(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.active.append(["a", "b"])
    book.active.append(["=1+1", "2"])
    book.active.append(["1", "2"])
    book.active["A3"].value = "#N/A"
    book.active["A3"].data_type = "e"
    buffer = io.BytesIO()
    book.save(buffer)
    rows = read(tmp_path, buffer.getvalue(), "rows.xlsx")
    assert [(f.code, f.field) for f in rows[0].refusals] == [("FORMULA", "a")]
    assert [(f.code, f.field) for f in rows[1].refusals] == [("CELL_ERROR", "a")]


def test_a_number_cell_that_has_lost_digits_is_refused(tmp_path: Path) -> None:
    (row,) = read(tmp_path, workbook(["号码"], [11010119900307447.0]), "rows.xlsx")
    assert [(f.code, f.field) for f in row.refusals] == [("NUMBER_CELL", "号码")]


def test_a_file_that_is_no_workbook_is_not_read_as_another_kind(tmp_path: Path) -> None:
    with pytest.raises(RefusedError, match="BAD_WORKBOOK"):
        read(tmp_path, "名称\n开封\n".encode(), "rows.xlsx")


def test_a_workbook_that_unpacks_to_too_much_is_not_opened(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as package:
        package.writestr("xl/worksheets/sheet1.xml", b" " * 30_000_000)
    with pytest.raises(RefusedError, match="WORKBOOK_TOO_LARGE"):
        read(tmp_path, buffer.getvalue(), "rows.xlsx")


def test_encodings_are_told_by_content(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes("名称".encode("gb18030"))
    assert encoding_of(path) == "gb18030"
