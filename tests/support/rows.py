"""Invented business licenses for tests: codes with right check characters, made from a number."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from verify.formats.codes import org_check, uscc_check

COLUMNS = {
    "unified_social_credit_code": "统一社会信用代码",
    "name": "名称",
    "type": "类型",
    "legal_representative": "法定代表人",
    "registered_capital": "注册资本",
    "establishment_date": "成立日期",
    "address": "住所",
    "business_scope": "经营范围",
    "registration_authority": "登记机关",
    "registration_date": "登记日期",
}


def credit_code(n: int, region: str = "410200") -> str:
    """A unified social credit code of an invented company."""
    body = f"MA{n:06d}"
    stem = f"91{region}{body}{org_check(body)}"
    return stem + uscc_check(stem)


def business(n: int) -> dict[str, str]:
    """Data of one invented business license."""
    return {
        "unified_social_credit_code": credit_code(n),
        "name": f"开封市样例{n}号商贸有限公司",
        "type": "有限责任公司(自然人独资)",
        "legal_representative": "赵样例",
        "registered_capital": "伍佰万元整",
        "establishment_date": "2018-06-15",
        "address": f"河南省开封市龙亭区样例路{n}号",
        "business_scope": "日用百货销售;仓储服务(危险品除外)。",
        "registration_authority": "开封市市场监督管理局",
        "registration_date": "2019-11-08",
    }


def as_csv(rows: Sequence[dict[str, str]], encoding: str = "utf-8") -> bytes:
    """Rows under Chinese headings."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(COLUMNS.values()))
    writer.writeheader()
    writer.writerows({COLUMNS[k]: v for k, v in row.items()} for row in rows)
    return text.getvalue().encode(encoding)
