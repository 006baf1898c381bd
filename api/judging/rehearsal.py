"""Rehearsing the sealing of strangers' files in a judge, before the process that holds the keys reads them.

What a rehearsal lets pass, that process does once more, in the same way and on the same bytes; so a rehearsal also
bounds what that costs. Only the search for keywords, which runs foreign code, is not done again.
"""

from __future__ import annotations

import contextlib
import math
import re
import resource
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from signing.errors import SigningError
from signing.formats.pdf_pages import Box
from signing.formats.placement import AtKeyword
from signing.formats.seal_document import Found, SealOrder, locate, rehearse
from verify.formats.refusal import Refusal, RefusedError, Text, refuse
from verify.formats.textplaces import MAX_PLACES

LAYOUT_SECONDS = 10.0
"""Of a processor, for what the service does again."""
LAYOUT_MEMORY = 256 * 1024 * 1024
"""Bytes beyond what the judge has, for the same."""
_CODE = re.compile(r"[A-Z][A-Z0-9_]{1,39}")
_MOST_REFUSALS, _LONGEST_TEXT = 20, 1000


def answer_of(data: bytes, order: SealOrder) -> dict[str, Any]:
    """In the judge: ``found``, or ``refusals``, or ``costly``, or ``failed`` with a code, as JSON."""
    meter = _Meter()
    try:
        with meter.limits():
            found = rehearse(data, order, partial(meter.apart, partial(locate, data)))
    except RefusedError as error:
        return {"refusals": [_refusal_json(r) for r in error.refusals]}
    except SigningError as error:
        return {"failed": error.code}
    except MemoryError:
        return {"costly": True}
    return {"costly": True} if meter.seconds > LAYOUT_SECONDS else {"found": found}


def found_in(answer: dict[str, Any], order: SealOrder) -> Found:
    """In the service: where the keywords stand. What a judge says is believed only as far as it makes sense."""
    if "refusals" in answer:
        raise RefusedError(_refusals(answer["refusals"]))
    if "failed" in answer:
        raise SigningError(f"the rehearsal failed: {str(answer['failed'])[:40]}")
    told = answer.get("found")
    keywords = {p.keyword for p in order.placements if isinstance(p, AtKeyword)}
    if not isinstance(told, dict) or not keywords <= set(told):
        raise too_costly()
    try:
        return {keyword: _places(told[keyword]) for keyword in keywords}
    except (TypeError, ValueError) as error:
        raise too_costly() from error


def too_costly() -> RefusedError:
    """The refusal of a file whose sealing would take more than a file is given."""
    return refuse(
        "FILE_TOO_COSTLY",
        "file",
        "处理该 PDF 所需的时间或内存超过限制，未加盖印章",
        "reading this PDF takes more time or memory than a file is given; it was not sealed",
        remedy_zh="请重新导出或打印为 PDF，或分成几个文件；确属可信的大文件可用命令行 certvault seal use",
        remedy_en="export it again or print it to PDF, or divide it; a large file that you trust can be sealed with "
        "`certvault seal use`",
    )


class _Meter:
    """Time and memory of the layout; what is done :meth:`apart` counts for neither."""

    def __init__(self) -> None:
        self._began = time.process_time()
        self._away = 0.0
        self._taken = 0
        self._start = _memory()

    @property
    def seconds(self) -> float:
        """Of a processor, until now."""
        return time.process_time() - self._began - self._away

    @contextlib.contextmanager
    def limits(self) -> Iterator[None]:
        """Within the block more memory is a MemoryError."""
        former, hard = resource.getrlimit(resource.RLIMIT_AS)
        self._tighten(hard)
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_AS, (former, hard))

    def apart(self, find: Callable[[str], Sequence[tuple[int, Box]]], keyword: str) -> Sequence[tuple[int, Box]]:
        """Look for a keyword under the judge's own ceiling."""
        began, hard = time.process_time(), resource.getrlimit(resource.RLIMIT_AS)[1]
        self._taken += _memory() - self._start
        resource.setrlimit(resource.RLIMIT_AS, (hard, hard))
        found = find(keyword)
        self._start = _memory()
        self._tighten(hard)
        self._away += time.process_time() - began
        return found

    def _tighten(self, hard: int) -> None:
        soft = self._start + LAYOUT_MEMORY - self._taken
        resource.setrlimit(resource.RLIMIT_AS, (soft if hard == resource.RLIM_INFINITY else min(soft, hard), hard))


def _memory() -> int:
    """Bytes of this process's address space."""
    return int(Path("/proc/self/statm").read_text("ascii").split()[0]) * resource.getpagesize()


def _places(rows: Any) -> list[tuple[int, Box]]:
    if not isinstance(rows, list) or len(rows) > MAX_PLACES:
        raise ValueError("no list of places")
    found: list[tuple[int, Box]] = []
    for page, box in rows:
        left, lower, right, upper = map(float, box)
        if not isinstance(page, int) or page < 1 or not all(map(math.isfinite, (left, lower, right, upper))):
            raise ValueError("no place")
        found.append((page, (left, lower, right, upper)))
    return found


def _refusal_json(refusal: Refusal) -> dict[str, Any]:
    return {
        "code": refusal.code,
        "field": refusal.field,
        "reason": [refusal.reason.zh, refusal.reason.en],
        "remedy": [refusal.remedy.zh, refusal.remedy.en],
    }


def _refusals(rows: Any) -> list[Refusal]:
    try:
        found = [
            Refusal(str(row["code"]), str(row["field"])[:100], _text(row["reason"]), _text(row["remedy"]))
            for row in rows[:_MOST_REFUSALS]
        ]
    except (TypeError, ValueError, LookupError) as error:
        raise too_costly() from error
    if not found or not all(_CODE.fullmatch(r.code) for r in found):
        raise too_costly()
    return found


def _text(pair: Any) -> Text:
    zh, en = pair
    return Text(str(zh)[:_LONGEST_TEXT], str(en)[:_LONGEST_TEXT])
