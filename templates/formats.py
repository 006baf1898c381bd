"""The formats a field of a license type can name: read a value, return its canonical form, or say what is wrong.

Each reader takes the trimmed text and the day on which it is read, and returns the canonical text. It raises
:class:`FormatError` otherwise. Formats: ``date``, ``past-date``, ``date-or-long``, ``uscc``, ``uscc-or-citizen``,
``citizen-number``, ``region``, ``capital``, ``integer``.
"""

from __future__ import annotations

import datetime
import re
import unicodedata
from collections.abc import Callable

from templates.numerals import parse_capital
from templates.regions import is_known_region
from verify.formats.codes import citizen_fault, uscc_fault
from verify.formats.refusal import Text

LONG_TERM = "长期"
_DATE = re.compile(r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})|([0-9]{4})年([0-9]{1,2})月([0-9]{1,2})日")
_EARLIEST = datetime.date(1900, 1, 1)
_LATEST = datetime.date.max

Reader = Callable[[str, datetime.date], str]


class FormatError(ValueError):
    """The value is not of its format. ``code`` is stable; reason and remedy are in both languages."""

    def __init__(self, code: str, reason: Text, remedy: Text) -> None:
        super().__init__(reason.en)
        self.code = code
        self.reason = reason
        self.remedy = remedy


def read_date(text: str, today: datetime.date) -> str:
    """``2023-01-02`` or ``2023年01月02日`` to ISO 8601; a day that exists, from 1900."""
    match = _DATE.fullmatch(text)
    if match is None:
        raise FormatError(
            "BAD_DATE",
            Text(f"日期“{_short(text)}”的写法不能识别", f"the date '{_short(text)}' is not written in a known form"),
            Text("请写成 2023-01-02 或 2023年01月02日", "write it as 2023-01-02 or 2023年01月02日"),
        )
    year, month, day = (int(g) for g in match.groups() if g is not None)
    try:
        value = datetime.date(year, month, day)
    except ValueError:
        value = None
    if value is None or not _EARLIEST <= value <= _LATEST:
        raise FormatError(
            "BAD_DATE",
            Text(f"日期“{_short(text)}”不存在", f"there is no such day as '{_short(text)}'"),
            Text("请核对年、月、日", "check year, month and day"),
        )
    return value.isoformat()


def read_past_date(text: str, today: datetime.date) -> str:
    """A date that is not after ``today``."""
    value = read_date(text, today)
    if value > today.isoformat():
        raise FormatError(
            "FUTURE_DATE",
            Text(
                f"日期 {value} 在今天（{today.isoformat()}）之后",
                f"the date {value} is after today ({today.isoformat()})",
            ),
            Text("此项须为已发生的日期，请核对", "this must be a day that has come; check it"),
        )
    return value


def read_date_or_long(text: str, today: datetime.date) -> str:
    """A date, or ``长期`` (no end)."""
    return LONG_TERM if text in (LONG_TERM, "long-term") else read_date(text, today)


def read_uscc(text: str, today: datetime.date) -> str:
    """A unified social credit code, GB 32100-2015, with the organization code inside it right too."""
    value = _code(text)
    fault = uscc_fault(value)
    if fault is None:
        return value
    zh, en = {
        "shape": (
            "应为 18 位数字和大写字母（不含 I、O、S、V、Z）",
            "must be 18 digits and capitals (without I, O, S, V, Z)",
        ),
        "check": ("第 18 位校验码不符（GB 32100）", "has a wrong check character in place 18 (GB 32100)"),
        "org_check": (
            "其中第 9 至 17 位组织机构代码的校验码不符（GB 11714）",
            "holds an organization code (places 9 to 17) with a wrong check character (GB 11714)",
        ),
    }[fault]
    raise FormatError(
        "BAD_USCC_" + fault.upper(),
        Text(f"统一社会信用代码{zh}", f"the unified social credit code {en}"),
        Text("请照登记的代码核对每一位", "compare every character with the registered code"),
    )


def read_citizen_number(text: str, today: datetime.date) -> str:
    """A citizen number, GB 11643-1999: date of birth that has come, check character. Unknown regions pass."""
    value = _code(text)
    fault = citizen_fault(value)
    if fault is None and value[6:14] > today.strftime("%Y%m%d"):
        fault = "date"
    if fault is None:
        return value
    zh, en = {
        "shape": ("应为 17 位数字加 1 位数字或 X", "must be 17 digits and a digit or X"),
        "date": ("第 7 至 14 位不是有效的出生日期", "has no possible date of birth in places 7 to 14"),
        "check": ("第 18 位校验码不符（GB 11643）", "has a wrong check character in place 18 (GB 11643)"),
    }[fault]
    raise FormatError(
        "BAD_CITIZEN_NUMBER_" + fault.upper(),
        Text(f"公民身份号码{zh}", f"the citizen number {en}"),
        Text("请照身份证核对每一位", "compare every character with the identity card"),
    )


def read_uscc_or_citizen(text: str, today: datetime.date) -> str:
    """A unified social credit code, or the citizen number of a sole trader."""
    value = _code(text)
    return read_citizen_number(value, today) if citizen_fault(value) is None else read_uscc(value, today)


def read_region(text: str, today: datetime.date) -> str:
    """A six-digit region code of GB/T 2260."""
    value = unicodedata.normalize("NFKC", text)
    if is_known_region(value):
        return value
    known = len(value) == 6 and value.isdigit()
    zh = "不在现行或曾用的代码中" if known else "应为 6 位数字"
    en = "is in no current or past list" if known else "must be six digits"
    raise FormatError(
        "BAD_REGION",
        Text(f"行政区划代码“{_short(text)}”{zh}（GB/T 2260）", f"the region code '{_short(text)}' {en} (GB/T 2260)"),
        Text("请填写现行或曾用的行政区划代码", "give a current or past code of GB/T 2260"),
    )


def read_capital(text: str, today: datetime.date) -> str:
    """An amount in capital numerals, or digits with a unit; kept as written."""
    try:
        parse_capital(text)
    except ValueError as error:
        raise FormatError(
            "BAD_AMOUNT",
            Text(f"金额“{_short(text)}”不能识别", f"the amount '{_short(text)}' cannot be read ({error})"),
            Text("请写成“壹佰万元整”或“100万元”", "write it as 壹佰万元整 or 100万元"),
        ) from error
    return text


def read_integer(text: str, today: datetime.date) -> str:
    """A whole number without sign or leading zeros."""
    value = unicodedata.normalize("NFKC", text)
    if not re.fullmatch(r"0|[1-9][0-9]{0,8}", value):
        raise FormatError(
            "BAD_INTEGER",
            Text(f"“{_short(text)}”不是整数", f"'{_short(text)}' is not a whole number"),
            Text("请填写阿拉伯数字", "use plain digits"),
        )
    return value


READERS: dict[str, Reader] = {
    "date": read_date,
    "past-date": read_past_date,
    "date-or-long": read_date_or_long,
    "uscc": read_uscc,
    "uscc-or-citizen": read_uscc_or_citizen,
    "citizen-number": read_citizen_number,
    "region": read_region,
    "capital": read_capital,
    "integer": read_integer,
}


def _code(text: str) -> str:
    """Codes are compared in half-width capitals."""
    return unicodedata.normalize("NFKC", text).upper()


def _short(text: str) -> str:
    return text if len(text) <= 24 else text[:24] + "…"
