"""Amounts of money in Chinese capital numerals (大写金额), read and refused exactly.

Accepted: capital numerals (``壹拾万元整``, ``贰亿叁仟万元整``, ``壹佰万圆整``, ``壹万元伍角``) with an optional
currency name in front or behind, and plain digits with a unit (``100万元``, ``1,000,000元``, ``100.5万元``). Anything
else (signs, formulas, ``NaN``, bare numbers without a currency unit) is refused.
"""

from __future__ import annotations

import re
from decimal import Decimal

_DIGITS = {c: i for i, c in enumerate("零壹贰叁肆伍陆柒捌玖")} | {"〇": 0, "两": 2, "貳": 2, "參": 3, "陸": 6}
_SMALL = {"拾": 10, "佰": 100, "仟": 1000}
_CURRENCIES = ("人民币", "美元", "欧元", "日元", "英镑", "港元", "港币")
_PLAIN = re.compile(r"([0-9]{1,3}(?:,[0-9]{3})+|[0-9]{1,15})(\.[0-9]{1,6})?(亿|万)?(?:元|圆)?(整|正)?")
_CAPITAL = re.compile(
    r"([零〇壹贰貳两叁參肆伍陆陸柒捌玖拾佰仟万亿]+)(?:元|圆)?(?:([壹贰叁肆伍陆柒捌玖])角)?(?:零?([壹贰叁肆伍陆柒捌玖])分)?(整|正)?"
)
MAX_AMOUNT = Decimal(10) ** 15


def parse_capital(text: str) -> Decimal:
    """The amount in units of the currency. Raises ValueError saying in a word what is wrong.

    >>> parse_capital("壹拾万元整")
    Decimal('100000')
    """
    body = _without_currency(text)
    match = _CAPITAL.fullmatch(body)
    if match is not None:
        amount = Decimal(_integer(match[1]))
        amount += Decimal(_DIGITS[match[2]]) / 10 if match[2] else 0
        amount += Decimal(_DIGITS[match[3]]) / 100 if match[3] else 0
    else:
        plain = _PLAIN.fullmatch(body)
        if plain is None:
            raise ValueError("form")
        amount = Decimal(plain[1].replace(",", "") + (plain[2] or "")) * {"万": 10**4, "亿": 10**8}.get(plain[3], 1)
    if not 0 < amount <= MAX_AMOUNT:
        raise ValueError("range")
    return amount


def _without_currency(text: str) -> str:
    """The figures of ``text``; raises ValueError when no currency unit is named anywhere."""
    for currency in _CURRENCIES:
        if text.startswith(currency):
            return text.removeprefix(currency).lstrip(" :\uff1a")
        for ending in (currency, currency + "整", currency + "正"):
            if currency != "人民币" and text.endswith(ending):
                return text.removesuffix(ending)
    if not any(unit in text for unit in ("元", "圆", "角", "分")):
        raise ValueError("unit")
    return text.removesuffix("人民币")


def _integer(text: str) -> int:
    """The whole number written in capital numerals. Raises ValueError("numeral") when they do not make a number."""
    total = 0
    for big, power in (("亿", 10**8), ("万", 10**4)):
        head, found, rest = text.partition(big)
        if found:
            if not head or big in rest:
                raise ValueError("numeral")
            # 万亿 is read too: the head of 亿 may itself hold 万.
            total += (_integer(head) if big == "亿" else _group(head)) * power
            text = rest
    return total + (_group(text) if text else 0)


def _group(text: str) -> int:
    """A group of up to four places: ``壹仟零伍拾``."""
    value, last_unit, digit = 0, 10_000, None
    for c in text:
        if c in _SMALL:
            unit = _SMALL[c]
            bare_ten = digit is None and unit == 10 and last_unit == 10_000
            if unit >= last_unit or not (digit or bare_ten):
                raise ValueError("numeral")
            value += (1 if digit is None else digit) * unit
            last_unit, digit = unit, None
        elif c in _DIGITS:
            if digit not in (None, 0):
                raise ValueError("numeral")
            digit = _DIGITS[c]
        else:
            raise ValueError("numeral")
    return value + (digit or 0)
