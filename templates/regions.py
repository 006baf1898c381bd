"""Region codes of GB/T 2260, current and past.

python-stdnum carries the list with the years in which each code held. The list follows the publications of the
ministry with a delay, so a code that it does not know is refused only when we issue ourselves.
"""

from __future__ import annotations

import functools
import re

from stdnum import numdb

_CODE = re.compile(r"[1-9][0-9]{5}")
NATIONAL = "100000"
"""Stands for the whole country in the codes of central bodies; GB/T 2260 itself begins below it."""


@functools.cache
def is_known_region(code: str) -> bool:
    """Whether ``code`` (six digits) stands in a current or past GB/T 2260 list."""
    return code == NATIONAL or (_CODE.fullmatch(code) is not None and len(numdb.get("cn/loc").info(code)) == 2)


@functools.cache
def region_name(code: str) -> str | None:
    """Province and, below it, the place named by ``code`` in its latest form; None for an unknown code."""
    if not is_known_region(code):
        return None
    if code == NATIONAL:
        return "中华人民共和国"
    (_, province), (_, place) = numdb.get("cn/loc").info(code)
    latest = re.sub(r"\[[^\]]*\]", "", str(place["county"]).rpartition(",")[2])
    return str(province["province"]) if code.endswith("0000") else f"{province['province']}{latest}"
