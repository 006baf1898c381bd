"""Checking data: what passes, what is refused, and how the refusal names it."""

from __future__ import annotations

import csv
import datetime
import io
import subprocess
import sys
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from templates.formats import READERS, FormatError
from templates.numbers import check_mod11_10
from templates.numerals import parse_capital
from templates.schema import check, make_number
from tests.support.pages import TODAY, TYPES, checked, example
from verify.formats.refusal import RefusedError


def faults(name: str, /, **changes: Any) -> dict[str, str]:
    """Field → code of every refusal."""
    with pytest.raises(RefusedError) as caught:
        checked(name, **changes)
    for refusal in caught.value.refusals:
        assert refusal.reason.zh
        assert refusal.reason.en
        assert refusal.remedy.zh
        assert refusal.remedy.en
    return {r.field: r.code for r in caught.value.refusals}


@pytest.mark.parametrize("name", TYPES)
def test_examples_pass(name: str) -> None:
    data = checked(name)
    assert data.ignored == ()
    assert data.holders
    assert data.authority in data.fields.values()
    assert data.valid_to is None or data.valid_to > data.valid_from


def test_what_the_record_takes() -> None:
    business = checked("business-license")
    assert business.number == business.fields["unified_social_credit_code"] == business.holders[0].code
    assert (business.holders[0].code_type, business.region, business.copy_number) == ("001", "410202", None)
    assert checked("business-license-duplicate").copy_number == 1
    assert checked("business-license", region_code=None).region == "410200"
    food = checked("food-business-license")
    assert (food.number, food.holders[0].code_type) == (None, "111")
    couple = checked("marriage-certificate")
    assert [h.name for h in couple.holders] == ["赵子轩", "李梓涵"]
    assert checked("driving-license", valid_to="长期").valid_to is None


def test_numbers_that_are_allotted() -> None:
    food = checked("food-business-license")
    number = make_number(TYPES["food-business-license"], food, 42)
    assert number == "JY2410204000042" + check_mod11_10("2410204000042")
    assert len(number) == 16
    assert make_number(TYPES["marriage-certificate"], checked("marriage-certificate"), 7) == "J410202-2023-000007"
    assert make_number(TYPES["business-license"], checked("business-license"), 7) == checked("business-license").number
    for serial in (0, 1_000_000):
        with pytest.raises(RefusedError, match="NUMBERS_EXHAUSTED"):
            make_number(TYPES["food-business-license"], food, serial)


def test_mod11_10_against_a_published_value() -> None:
    assert check_mod11_10("0794") == "5"  # the worked example of ISO 7064 for MOD 11,10


def test_chinese_titles_aliases_and_keys_mix() -> None:
    given = example("business-license", name=None, legal_representative=None)
    data = check(
        TYPES["business-license"],
        given | {"名称": " 开封某店 ", "经营者": "王五", "备注栏": "x", "fault": ""},
        today=TODAY,
    )
    assert (data.fields["name"], data.fields["legal_representative"]) == ("开封某店", "王五")
    assert data.ignored == ("备注栏", "fault")
    food = example("food-business-license", legal_representative=None)
    half = check(TYPES["food-business-license"], food | {"法定代表人(负责人)": "甲"}, today=TODAY)
    full = check(TYPES["food-business-license"], food | {"法定代表人\uff08负责人\uff09": "甲"}, today=TODAY)
    assert half.fields == full.fields


def test_given_twice() -> None:
    assert faults("business-license", 名称="另一个名称") == {"name": "GIVEN_TWICE"}
    assert checked("business-license", 名称="").fields["name"] == example("business-license")["name"]


def test_every_fault_at_once() -> None:
    found = faults(
        "business-license",
        unified_social_credit_code="91410200MA9G2LRQ0Q",
        name="  ",
        legal_representative=None,
        registered_capital="=1+1",
        establishment_date="2023-02-30",
        address="开封\x07市",
        business_scope="甲" * 1001,
        region_code="999999",
    )
    assert found == {
        "unified_social_credit_code": "BAD_USCC_CHECK",
        "name": "MISSING_FIELD",
        "legal_representative": "MISSING_FIELD",
        "registered_capital": "BAD_AMOUNT",
        "establishment_date": "BAD_DATE",
        "address": "BAD_CHARACTER",
        "business_scope": "TOO_LONG",
        "region_code": "BAD_REGION",
    }


@pytest.mark.parametrize(
    ("name", "changes", "expected"),
    [
        ("business-license", {"establishment_date": "2024-06-13"}, {"registration_date": "RULE_NOT_AFTER"}),
        ("business-license", {"registration_date": "2026-11-24"}, {"registration_date": "FUTURE_DATE"}),
        ("business-license", {"establishment_date": "2999-01-01"}, {"establishment_date": "FUTURE_DATE"}),
        ("business-license", {"region_code": "430100"}, {"region_code": "RULE_SAME_REGION"}),
        ("business-license", {"registered_capital": None}, {"registered_capital": "MISSING_FIELD"}),
        ("business-license", {"name": ["x"]}, {"name": "NOT_TEXT"}),
        ("business-license", {"name": True}, {"name": "NOT_TEXT"}),
        ("business-license", {"region_code": 410202}, {"region_code": "NOT_TEXT"}),
        ("business-license", {"region_code": 410202.0}, {"region_code": "NOT_TEXT"}),
        ("business-license", {"name": "甲"}, {"name": "TOO_SHORT"}),
        ("business-license", {"name": "开封\u202e店"}, {"name": "BAD_CHARACTER"}),
        ("business-license", {"name": "开封\u200b店"}, {"name": "BAD_CHARACTER"}),
        ("business-license", {"name": "开封\ue000店"}, {"name": "BAD_CHARACTER"}),
        ("business-license", {"name": "开封\n店"}, {"name": "BAD_CHARACTER"}),
        ("business-license", {"name": "\u05d0\u05d1"}, {"name": "BAD_CHARACTER"}),
        (
            "business-license",
            {"unified_social_credit_code": "914102"},
            {"unified_social_credit_code": "BAD_USCC_SHAPE"},
        ),
        ("business-license-duplicate", {"copy_number": "0"}, {"copy_number": "BAD_FORM"}),
        ("business-license-duplicate", {"copy_number": "一"}, {"copy_number": "BAD_INTEGER"}),
        ("business-license-duplicate", {"copy_number": None}, {"copy_number": "MISSING_FIELD"}),
        ("food-business-license", {"valid_to": "2029-05-21"}, {"valid_to": "RULE_AT_MOST_YEARS"}),
        ("food-business-license", {"valid_to": "2024-05-20"}, {"valid_to": "RULE_BEFORE"}),
        ("food-business-license", {"main_business_form": "小卖部"}, {"main_business_form": "NOT_ALLOWED"}),
        ("driving-license", {"birth_date": "1995-06-18"}, {"birth_date": "RULE_BIRTH_DATE"}),
        ("driving-license", {"sex": "男"}, {"sex": "RULE_SEX"}),
        ("driving-license", {"first_issue_date": "2013-06-16"}, {"first_issue_date": "RULE_AT_LEAST_YEARS"}),
        ("driving-license", {"citizen_number": "410203199506172423"}, {"citizen_number": "BAD_CITIZEN_NUMBER_CHECK"}),
        ("driving-license", {"citizen_number": "410203199502302422"}, {"citizen_number": "BAD_CITIZEN_NUMBER_DATE"}),
        ("driving-license", {"file_number": "12"}, {"file_number": "BAD_FORM"}),
        ("marriage-certificate", {"registration_date": "2018-01-01"}, {"registration_date": "RULE_AT_LEAST_YEARS"}),
    ],
)
def test_one_fault(name: str, changes: dict[str, Any], expected: dict[str, str]) -> None:
    assert faults(name, **changes) == expected


def test_two_holders_must_be_two() -> None:
    twin = {f"holder_b_{k}": example("marriage-certificate")[f"holder_a_{k}"] for k in ("citizen_number", "birth_date")}
    found = faults("marriage-certificate", **twin)
    assert found["holder_b_citizen_number"] == "RULE_DIFFERENT"
    assert found["holder_b_sex"] == "RULE_SEX"


def test_days_may_come_as_days() -> None:
    data = checked(
        "business-license",
        establishment_date=datetime.datetime(2019, 3, 18, 0, 0),
        registration_date=datetime.date(2024, 6, 12),
    )
    assert data.fields["establishment_date"] == "2019-03-18"
    assert data.issued == datetime.date(2024, 6, 12)


def test_canonical_forms() -> None:
    data = checked(
        "business-license",
        unified_social_credit_code=" 91410200ma9g2lrq0p ".replace("0p", "0P"),
        name="甲  乙\u3000丙",
        establishment_date="2019年3月18日",
        legal_representative="o\ufb03ce",
    )
    assert data.fields["unified_social_credit_code"] == "91410200MA9G2LRQ0P"
    assert data.fields["name"] == "甲 乙 丙"
    assert data.fields["establishment_date"] == "2019-03-18"
    assert data.fields["legal_representative"] == "office"


def test_sole_traders_need_no_capital() -> None:
    assert "registered_capital" not in checked("business-license", type="个体工商户", registered_capital=None).fields


@pytest.mark.parametrize("text", ["2023-01-02", "2023年01月02日", "2023年1月2日", "2023-1-2"])
def test_dates_that_are_read(text: str) -> None:
    assert READERS["date"](text, TODAY) == "2023-01-02"


@pytest.mark.parametrize(
    "text",
    [
        "2023-02-30",
        "二〇二〇年",
        "20201301",
        "0000-00-00",
        "2023/01/02",
        "1899-12-31",
        "2023-13-01",
        "长期",
        "٢٠٢٣-01-02",
    ],
)
def test_dates_that_are_refused(text: str) -> None:
    with pytest.raises(FormatError):
        READERS["date"](text, TODAY)


@pytest.mark.parametrize("code", ["410202", "410221", "110000", "412724", "419001", "100000", "440100"])
def test_regions_that_are_or_were(code: str) -> None:
    assert READERS["region"](code, TODAY) == code


@pytest.mark.parametrize("code", ["999999", "410299", "41020", "4102O2", "000000", ""])
def test_regions_that_never_were(code: str) -> None:
    with pytest.raises(FormatError):
        READERS["region"](code, TODAY)


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("壹拾万元整", 100_000),
        ("伍拾万元整", 500_000),
        ("捌仟万元整", 80_000_000),
        ("壹佰万圆整", 1_000_000),
        ("壹仟零伍拾万元整", 10_500_000),
        ("贰亿叁仟万元整", 230_000_000),
        ("拾万元", 100_000),
        ("人民币壹佰万元整", 1_000_000),
        ("壹佰万美元", 1_000_000),
        ("壹万元伍角", Decimal("10000.5")),
        ("100万元", 1_000_000),
        ("100.5万元人民币", 1_005_000),
        ("1,000,000元", 1_000_000),
    ],
)
def test_amounts(text: str, amount: int | Decimal) -> None:
    assert parse_capital(text) == amount


@pytest.mark.parametrize(
    "text",
    [
        "-100万元", "NaN", "=1+1", "100", "壹佰", "零元整", "壹壹万元", "万元整", "佰壹拾万元", "壹拾佰万元",
        "1,00万元",
        "Infinity元", "1e5元", "壹万万元整",
        "元",
    ],
)  # fmt: skip
def test_no_amounts(text: str) -> None:
    with pytest.raises(ValueError, match="form|range|unit|numeral"):
        parse_capital(text)


def test_rows_of_an_older_system(shared: Path) -> None:
    """Clean rows pass; faulty ones are refused with their field first (repeated rows are the vault's to see)."""
    made = subprocess.run(
        [sys.executable, shared / "samples" / "make_rows.py", "600", "--dirty", "30", "--seed", "11"],
        capture_output=True,
        text=True,
        check=True,
    )
    blamed = {
        "bad_check": "unified_social_credit_code",
        "bad_org_check": "unified_social_credit_code",
        "missing_name": "name",
        "missing_rep": "legal_representative",
        "bad_date": "establishment_date",
        "future_date": "establishment_date",
        "too_long_scope": "business_scope",
        "control_char": "name",
        "bad_capital": "registered_capital",
        "wrong_region": "region_code",
    }
    seen: Counter[str] = Counter()
    for row in csv.DictReader(io.StringIO(made.stdout)):
        fault = row["fault"]
        seen[fault] += 1
        if fault in ("", "duplicate"):
            assert check(TYPES["business-license"], row, today=TODAY).ignored == ("fault",)
            continue
        with pytest.raises(RefusedError) as caught:
            check(TYPES["business-license"], row, today=TODAY)
        assert caught.value.first.field == blamed[fault], fault
    assert set(seen) == {"", "duplicate", *blamed}
