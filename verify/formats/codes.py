"""Identifiers and codes with check characters: GB/T 36904, GB 32100, GB 11714, GB 11643, GB/T 17710.

Pure functions over strings; nothing here decides what to do with a wrong code.
"""

from __future__ import annotations

import datetime
import re
from dataclasses import dataclass

IDENTIFIER_ROOT = "1.2.156.3005.2"
_ALNUM = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_USCC_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_USCC_WEIGHTS = tuple(pow(3, i, 31) for i in range(17))
_ORG_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)
_CITIZEN_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_IDENTIFIER = re.compile(
    r"1\.2\.156\.3005\.2\.([0-9A-Z]{21})\.([0-9A-Z]{18}|[0-9]{6})\.([0-9A-Z]{1,64})\.([0-9]{3})\.([0-9A-Z])"
)


def mod37_36(text: str) -> str:
    """Check character of ISO 7064 MOD 37,36 (GB/T 17710-2008) over ``text`` of ``0-9A-Z``.

    Raises ValueError for any other character.
    """
    p = 36
    for c in text:
        p = (p + _ALNUM.index(c)) % 36 or 36
        p = p * 2 % 37
    return _ALNUM[(37 - p) % 36]


def mod37_36_variant_a(text: str) -> str:
    """The non-standard check character seen in Shandong: letters count one higher, another reduction."""
    p = 36
    for c in text:
        a = _ALNUM.index(c) + (1 if c.isalpha() else 0)
        r = p + a
        if a > 10 and r > 37:
            r %= 37
        elif a < 10 and r > 36:
            r %= 36
        p = (r % 36 or 36) * 2 % 37
    return _ALNUM[36 - p] if 1 <= p <= 36 else "0"


@dataclass(frozen=True, slots=True)
class Identifier:
    """The parts of a license identifier (证照标识), GB/T 36904.

    ``type_code`` 21 characters, ``issuer_code`` 18 (a region code of 6 is accepted when reading), ``serial`` 1-64 of
    ``0-9A-Z``, ``version`` 1-999.
    """

    type_code: str
    issuer_code: str
    serial: str
    version: int

    @property
    def check(self) -> str:
        """The standard check character."""
        return mod37_36(self._checked_text)

    @property
    def _checked_text(self) -> str:
        return f"{self.type_code}{self.issuer_code}{self.serial}{self.version:03d}"

    def __str__(self) -> str:
        return f"{IDENTIFIER_ROOT}.{self.type_code}.{self.issuer_code}.{self.serial}.{self.version:03d}.{self.check}"


def parse_identifier(text: str) -> tuple[Identifier, str]:
    """Read an identifier; the second value is ``standard``, ``variant-a`` or ``wrong`` for its check character.

    Raises ValueError when the shape is not that of GB/T 36904.
    """
    match = _IDENTIFIER.fullmatch(text)
    if match is None:
        raise ValueError("not of the shape of a GB/T 36904 identifier")
    identifier = Identifier(match[1], match[2], match[3], int(match[4]))
    if match[5] == identifier.check:
        return identifier, "standard"
    variant = mod37_36_variant_a(identifier._checked_text)
    return identifier, "variant-a" if match[5] == variant else "wrong"


def org_check(body: str) -> str:
    """Check character of an organization code, GB 11714, over its first eight characters."""
    value = 11 - sum(w * _ALNUM.index(c) for w, c in zip(_ORG_WEIGHTS, body, strict=True)) % 11
    return {10: "X", 11: "0"}.get(value, str(value))


def uscc_check(body: str) -> str:
    """Check character of a unified social credit code, GB 32100-2015, over its first seventeen characters."""
    total = sum(w * _USCC_ALPHABET.index(c) for w, c in zip(_USCC_WEIGHTS, body, strict=True))
    return _USCC_ALPHABET[(31 - total % 31) % 31]


def uscc_fault(code: str) -> str | None:
    """What is wrong with a unified social credit code: ``shape``, ``check``, ``org_check``, or None when right."""
    if len(code) != 18 or any(c not in _USCC_ALPHABET for c in code[:8]) or not code[2:8].isdigit():
        return "shape"
    if any(c not in _USCC_ALPHABET for c in code[8:16] + code[17]):
        return "shape"
    if code[16] not in _USCC_ALPHABET:
        return "shape"
    if uscc_check(code[:17]) != code[17]:
        return "check"
    return None if org_check(code[8:16]) == code[16] else "org_check"


def citizen_fault(code: str) -> str | None:
    """What is wrong with a citizen number, GB 11643-1999: ``shape``, ``date``, ``check``, or None when right."""
    if not re.fullmatch(r"[0-9]{17}[0-9X]", code):
        return "shape"
    try:
        datetime.date(int(code[6:10]), int(code[10:12]), int(code[12:14]))
    except ValueError:
        return "date"
    total = sum(w * int(c) for w, c in zip(_CITIZEN_WEIGHTS, code[:17], strict=True))
    return None if "10X98765432"[total % 11] == code[17] else "check"
