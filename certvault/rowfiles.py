"""Reading the rows of a bulk job: CSV (UTF-8 with or without BOM, UTF-16 with BOM, GB 18030), XLSX, JSON lines.

Rows are read as a stream. A row that cannot be taken as it is (a formula, a cell too long, too many cells, broken JSON)
comes out with its refusal instead of data; a file that cannot be read at all raises RefusedError. Rows are counted from
1 without the heading; wholly empty ones are passed over and not counted.
"""

from __future__ import annotations

import codecs
import csv
import datetime
import io
import json
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, TextIO

from certvault.workbooks import TROUBLE, EntityError, HeavyWorkbookError, check_workbook
from verify.formats.refusal import Refusal, RefusedError, Text, refuse

MAX_LINE_CHARS = 4_000_000
MAX_EMPTY_ROWS = 100_000
"""One after another in a sheet: a row that says it stands further down is preceded by as many empty ones."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a file may hold: data rows, columns, characters in a cell."""

    rows: int
    columns: int
    cell_chars: int


@dataclass(frozen=True, slots=True)
class InputRow:
    """One data row: its number, its data, and what refuses it before its data are even looked at."""

    row: int
    data: dict[str, object]
    refusals: tuple[Refusal, ...] = ()


@dataclass(slots=True)
class _Grid:
    """Turns cells into data under the headings."""

    headings: list[str]
    limits: Limits
    count: int = field(default=0)

    def row(self, cells: Sequence[object], faults: list[Refusal]) -> InputRow | None:
        if all(c is None or (isinstance(c, str) and not c.strip()) for c in cells) and not faults:
            return None
        self.count += 1
        if self.count > self.limits.rows:
            raise _file_refusal(
                "TOO_MANY_ROWS",
                f"超过 {self.limits.rows} 行",
                f"the file has more than {self.limits.rows} rows",
                "请分成多个文件。",
                "Split it into several files.",
            )
        extra = [c for c in cells[len(self.headings) :] if c is not None and str(c).strip()]
        if extra:
            faults.append(_cells_refusal(len(cells), len(self.headings)))
        data: dict[str, object] = {}
        for heading, cell in zip(self.headings, cells, strict=False):
            if isinstance(cell, str) and len(cell) > self.limits.cell_chars:
                faults.append(_long_refusal(heading, len(cell), self.limits.cell_chars))
            elif heading and cell is not None:
                data[heading] = cell
        return InputRow(self.count, data, tuple(faults))


def read_rows(path: Path, name: str, limits: Limits) -> Iterator[InputRow]:
    """The rows of ``path``; the kind is told by content first, by the ending of ``name`` second."""
    with path.open("rb") as file:
        head = file.read(4096)
    if not head.strip(b"\xef\xbb\xbf \t\r\n"):
        raise _file_refusal(
            "EMPTY_FILE", "文件为空", "the file is empty", "请提交有数据的文件。", "Send a file with rows."
        )
    if head.startswith(b"PK\x03\x04"):
        return _xlsx(path, limits)
    if head.startswith(b"\xd0\xcf\x11\xe0"):
        raise _file_refusal(
            "OLD_EXCEL",
            "不支持旧版 .xls 或加密的工作簿",
            "old .xls and encrypted workbooks are not read",
            "请另存为不加密的 .xlsx 或 CSV。",
            "Save it as an unencrypted .xlsx or as CSV.",
        )
    if name.lower().endswith((".xlsx", ".xlsm")):
        raise _bad_workbook()
    text_head = head.removeprefix(codecs.BOM_UTF8).lstrip()
    if name.lower().endswith((".jsonl", ".ndjson", ".json")) or text_head.startswith(b"{"):
        return _json_lines(path, limits)
    return _csv(path, limits)


def encoding_of(path: Path) -> str:
    """``utf-8-sig``, ``utf-16`` or ``gb18030``; RefusedError when it is none of them."""
    with path.open("rb") as file:
        head = file.read(4)
    wide = head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    for encoding in ("utf-16",) if wide else ("utf-8-sig", "gb18030"):
        if _decodes(path, encoding):
            return encoding
    raise _file_refusal(
        "ENCODING",
        "文字编码既非 UTF-8 也非 GB 18030",
        "the text is neither UTF-8 nor GB 18030",
        "请另存为 UTF-8。",
        "Save it as UTF-8.",
    )


def _decodes(path: Path, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        with path.open("rb") as file:
            while chunk := file.read(1 << 20):
                decoder.decode(chunk)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _csv(path: Path, limits: Limits) -> Iterator[InputRow]:
    csv.field_size_limit(max(limits.cell_chars * 4, 1 << 20))
    with path.open("r", encoding=encoding_of(path), newline="") as file:
        first = file.readline(MAX_LINE_CHARS)
        file.seek(0)
        reader = csv.reader(_lines(file), delimiter=_delimiter(first))
        try:
            grid = _Grid(_headings(next(reader, []), limits), limits)
            for cells in reader:
                row = grid.row(cells, [])
                if row is not None:
                    yield row
        except csv.Error as error:
            raise _file_refusal(
                "BAD_CSV",
                f"第 {reader.line_num} 行不是正确的 CSV",
                f"line {reader.line_num} is not CSV: {error}",
                "请检查引号。",
                "Check the quotes there.",
            ) from error


def _lines(file: TextIO) -> Iterator[str]:
    """The lines of a file; one without end is refused before it is whole in memory."""
    number = 0
    while line := file.readline(MAX_LINE_CHARS):
        number += 1
        if len(line) == MAX_LINE_CHARS and not line.endswith(("\n", "\r")):
            raise _file_refusal(
                "LINE_TOO_LONG",
                f"第 {number} 行超过 {MAX_LINE_CHARS} 字",
                f"line {number} has more than {MAX_LINE_CHARS} characters",
                "请检查换行。",
                "Check the line breaks.",
            )
        yield line


def _delimiter(first_line: str) -> str:
    if "," in first_line:
        return ","
    return max("\t;", key=first_line.count) if ("\t" in first_line or ";" in first_line) else ","


def _xlsx(path: Path, limits: Limits) -> Iterator[InputRow]:
    _check_package(path)
    import openpyxl

    with path.open("rb") as file, ExitStack() as held:
        try:  # an open file, since the library refuses a path by its ending
            book = held.enter_context(closing(openpyxl.load_workbook(file, read_only=True, keep_links=False)))
            sheet = book.worksheets[0]
        except TROUBLE as error:
            raise _bad_workbook() from error
        rows = sheet.iter_rows()
        grid: _Grid | None = None
        empty = 0
        while empty <= MAX_EMPTY_ROWS:
            try:
                cells = next(rows, None)
            except TROUBLE as error:
                raise _bad_workbook() from error
            if cells is None:
                return
            if all(c.value is None for c in cells):
                empty += 1
                continue
            empty = 0
            if grid is None:
                heads = ["" if c.value is None else str(c.value) for c in cells]
                grid = _Grid(_headings(heads, limits), limits)
                continue
            row = grid.row(*_cells(cells, grid.headings))
            if row is not None:
                yield row
    raise _too_large("empty rows", MAX_EMPTY_ROWS)


def _cells(cells: Sequence[Any], headings: Sequence[str]) -> tuple[list[object], list[Refusal]]:
    """Values of a row; formulas and errors are refused, never computed or taken as text."""
    values: list[object] = []
    faults: list[Refusal] = []
    for i, cell in enumerate(cells):
        heading = headings[i] if i < len(headings) else ""
        value = cell.value
        if cell.data_type == "f":
            faults.append(_formula_refusal(heading))
            value = None
        elif cell.data_type == "e":
            faults.append(_error_refusal(heading, str(value)))
            value = None
        elif isinstance(value, datetime.datetime):
            value = value.date().isoformat()
        elif isinstance(value, (datetime.date, datetime.time, datetime.timedelta)):
            value = str(value)
        elif isinstance(value, (int, float)) and not isinstance(value, bool):
            value, fault = _digits(heading, value)
            faults += fault
        values.append(value)
    while values and values[-1] is None and len(values) > len(headings):
        values.pop()
    return values, faults


def _digits(heading: str, value: float) -> tuple[str | None, list[Refusal]]:
    """A number cell as its digits. One of more than 15 digits is refused: the workbook has lost the rest of it."""
    if abs(value) >= 1e15:
        return None, [_digits_refusal(heading)]
    return (str(int(value)) if float(value).is_integer() else format(value, ".15g")), []


def _check_package(path: Path) -> None:
    """A workbook that unpacks to far more than it is, or defines entities, is not opened."""
    try:
        check_workbook(path)
    except HeavyWorkbookError as error:
        raise _too_large(error.what, error.limit) from error
    except EntityError as error:
        raise _file_refusal(
            "WORKBOOK_ENTITIES",
            "工作簿的 XML 中含有文档类型声明",
            "the workbook's XML declares a document type",
            "请另存为新的 .xlsx 或 CSV。",
            "Save it anew as .xlsx or as CSV.",
        ) from error
    except TROUBLE as error:
        raise _bad_workbook() from error


def _too_large(what: str, limit: int) -> RefusedError:
    return _file_refusal(
        "WORKBOOK_TOO_LARGE",
        f"工作簿解压后过大（{_PARTS_ZH.get(what, what)}，上限 {limit}）",
        f"the workbook unpacks to too much ({what}, limit {limit})",
        "请另存为 CSV。",
        "Save it as CSV.",
    )


_PARTS_ZH = {
    "parts": "部件数",
    "bytes": "总字节数",
    "shared texts": "共享文本字节数",
    "bytes of one row": "单行字节数",
    "bytes before the first element": "首个元素前的字节数",
    "empty rows": "连续空行数",
}


def _json_lines(path: Path, limits: Limits) -> Iterator[InputRow]:
    count = 0
    with path.open("r", encoding=encoding_of(path), newline="\n") as file:
        for line in _lines(file):
            if not line.strip():
                continue
            count += 1
            if count > limits.rows:
                raise _file_refusal(
                    "TOO_MANY_ROWS",
                    f"超过 {limits.rows} 行",
                    f"the file has more than {limits.rows} rows",
                    "请分成多个文件。",
                    "Split it into several files.",
                )
            yield _json_row(count, line, limits)


def _json_row(row: int, line: str, limits: Limits) -> InputRow:
    try:
        value = json.loads(line, object_pairs_hook=_without_repeats, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        return InputRow(row, {}, (_json_refusal(str(error)[:120]),))
    if not isinstance(value, dict):
        return InputRow(row, {}, (_json_refusal("not an object"),))
    if len(value) > limits.columns:
        return InputRow(row, {}, (_cells_refusal(len(value), limits.columns),))
    long = [
        _long_refusal(k, len(v), limits.cell_chars)
        for k, v in value.items()
        if isinstance(v, str) and len(v) > limits.cell_chars
    ]
    return InputRow(row, {} if long else value, tuple(long))


def _no_constant(name: str) -> object:
    raise ValueError(f"{name} is no number of JSON")


def _without_repeats(pairs: list[tuple[str, object]]) -> dict[str, object]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError("a name appears twice")
    return value


def _headings(cells: Sequence[str], limits: Limits) -> list[str]:
    headings = [c.strip().lstrip("\ufeff") for c in cells]
    while headings and not headings[-1]:
        headings.pop()
    if not headings:
        raise _file_refusal(
            "NO_HEADINGS",
            "没有列标题",
            "the first row holds no column headings",
            "请在第一行写列标题。",
            "Write column headings in the first row.",
        )
    if len(headings) > limits.columns:
        raise _file_refusal(
            "TOO_MANY_COLUMNS",
            f"超过 {limits.columns} 列",
            f"the file has more than {limits.columns} columns",
            "请删除多余的列。",
            "Remove columns.",
        )
    named = [h for h in headings if h]
    twice = next((h for h in named if named.count(h) > 1), None)
    if twice is not None:
        raise _file_refusal(
            "HEADING_TWICE",
            f"列标题“{twice[:40]}”出现两次",
            f"the heading '{twice[:40]}' appears twice",
            "请只保留一列。",
            "Keep one of the columns.",
        )
    return headings


def bytes_as_file(content: bytes, folder: Path, name: str) -> Path:
    """Put uploaded bytes where they can be read as a stream; the caller removes the file."""
    path = folder / name
    with io.BytesIO(content) as source, path.open("xb") as target:
        _copy(source, target)
    path.chmod(0o600)
    return path


def _copy(source: BinaryIO, target: BinaryIO) -> None:
    while chunk := source.read(1 << 20):
        target.write(chunk)


def _file_refusal(code: str, zh: str, en: str, remedy_zh: str, remedy_en: str) -> RefusedError:
    return refuse(code, "file", zh, en, remedy_zh=remedy_zh, remedy_en=remedy_en)


def _bad_workbook() -> RefusedError:
    return _file_refusal(
        "BAD_WORKBOOK",
        "不是可读取的 .xlsx 工作簿",
        "this is no .xlsx workbook that can be read",
        "请重新另存为 .xlsx 或 CSV。",
        "Save it again as .xlsx or as CSV.",
    )


def _json_refusal(detail: str) -> Refusal:
    return Refusal(
        "BAD_JSON",
        "",
        Text("该行不是正确的 JSON 对象", f"the line is no JSON object: {detail}"),
        Text("每行写一个 JSON 对象。", "Write one JSON object on each line."),
    )


def _cells_refusal(found: int, wanted: int) -> Refusal:
    return Refusal(
        "TOO_MANY_CELLS",
        "",
        Text(f"有 {found} 个单元格，多于 {wanted} 列", f"has {found} cells for {wanted} columns"),
        Text("请检查分隔符和引号。", "Check separators and quotes."),
    )


def _long_refusal(heading: str, length: int, limit: int) -> Refusal:
    return Refusal(
        "CELL_TOO_LONG",
        heading[:40],
        Text(f"有 {length} 字，超过 {limit} 字", f"has {length} characters, more than {limit}"),
        Text("请缩短。", "Shorten it."),
    )


def _formula_refusal(heading: str) -> Refusal:
    return Refusal(
        "FORMULA",
        heading[:40],
        Text("单元格是公式", "the cell is a formula"),
        Text("请粘贴为数值。", "Paste it as a value."),
    )


def _digits_refusal(heading: str) -> Refusal:
    return Refusal(
        "NUMBER_CELL",
        heading[:40],
        Text("数值单元格超过 15 位，末尾数字已丢失", "the cell is a number of more than 15 digits: its end is lost"),
        Text("请将该列设为文本格式后重新填写。", "Format the column as text and enter it again."),
    )


def _error_refusal(heading: str, value: str) -> Refusal:
    return Refusal(
        "CELL_ERROR",
        heading[:40],
        Text(f"单元格为错误值 {value[:10]}", f"the cell holds the error {value[:10]}"),
        Text("请填写正确的值。", "Give the right value."),
    )
