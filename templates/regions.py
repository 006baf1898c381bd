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
    return code == NATIONAL or (_CODE.fullmatch(code) is not None and "county" in _parts(code)[-1])


@functools.cache
def region_name(code: str) -> str | None:
    """Province and, below it, the place named by ``code`` in its latest form; None for an unknown code."""
    if not is_known_region(code):
        return None
    if code == NATIONAL:
        return "中华人民共和国"
    province, place = _parts(code)
    latest = re.sub(r"\[[^\]]*\]", "", place["county"].rpartition(",")[2])
    return province["province"] if code.endswith("0000") else f"{province['province']}{latest}"


def _parts(code: str) -> list[dict[str, str]]:
    """What the list says of the province and of the place in it; an unlisted part says nothing."""
    return [properties for _, properties in numdb.get("cn/loc").info(code)]
