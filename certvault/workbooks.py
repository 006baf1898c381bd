"""Whether a workbook may be opened: looked at as a stream, before anything of it is built in memory.

A small file can unpack to gigabytes, hold one row of a hundred million cells, or define entities that grow without end.
What is refused here never reaches the reader of workbooks, which would build it.
"""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import IO
from xml.parsers import expat

MEBIBYTE = 1 << 20
MAX_BYTES = 1024 * MEBIBYTE
"""Of all parts, unpacked."""
MAX_RATIO = 200
MAX_PARTS = 1000
MAX_PART = 16 * MEBIBYTE
"""Of a part that is built whole."""
MAX_TEXTS = 64 * MEBIBYTE
"""Of the part of shared texts, which is built whole too, and is the largest of an honest workbook."""
MAX_BETWEEN_ROWS = 4 * MEBIBYTE
"""Of a sheet, from one row's beginning to the next: what is built at one time."""
MAX_PROLOGUE = MEBIBYTE
_CHUNK = 1 << 18
_ROW = re.compile(rb"<(?:[A-Za-z_][\w.-]{0,40}:)?row[\s/>]")

TROUBLE = (
    ArithmeticError, AttributeError, EOFError, LookupError, NotImplementedError, OSError, RuntimeError, SyntaxError,
    TypeError, ValueError, zipfile.BadZipFile, zlib.error, expat.ExpatError,
)  # fmt: skip
"""What reading a broken workbook may raise, here and in the library."""


class HeavyWorkbookError(Exception):
    """The workbook unpacks to more than is read. ``what`` and ``limit`` (bytes, or a count) say which limit it was."""

    def __init__(self, what: str, limit: int) -> None:
        super().__init__(f"{what}: {limit}")
        self.what = what
        self.limit = limit


class EntityError(Exception):
    """A part declares a document type: honest workbooks have none, and entities are declared there."""


def check_workbook(path: Path) -> None:
    """Refuse what must not be opened: HeavyWorkbookError, EntityError, or one of :data:`TROUBLE` for a broken file."""
    with zipfile.ZipFile(path) as package:
        parts = package.infolist()
        if len(parts) > MAX_PARTS:
            raise HeavyWorkbookError("parts", MAX_PARTS)
        total = sum(p.file_size for p in parts)
        ratio = MAX_RATIO * max(path.stat().st_size, 10_000)
        if total > min(MAX_BYTES, ratio):
            raise HeavyWorkbookError("bytes", min(MAX_BYTES, ratio))
        for part in parts:
            if part.filename.lower().endswith((".xml", ".rels", ".vml")):
                _check_part(package, part)


def _check_part(package: zipfile.ZipFile, part: zipfile.ZipInfo) -> None:
    with package.open(part) as stream:
        _check_prologue(stream)
    if part.file_size <= MAX_PART:
        return
    if part.filename.lower().endswith("sharedstrings.xml"):
        if part.file_size > MAX_TEXTS:
            raise HeavyWorkbookError("shared texts", MAX_TEXTS)
        return
    with package.open(part) as stream:
        _check_rows(stream)


def _check_prologue(stream: IO[bytes]) -> None:
    """Read up to the first element; a document type before it is refused, in whatever encoding it is written."""
    begun = False

    def refuse(*_: object) -> None:
        raise EntityError

    def begin(*_: object) -> None:
        nonlocal begun
        begun = True

    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = refuse
    parser.EntityDeclHandler = refuse
    handler: Callable[..., None] = begin
    parser.StartElementHandler = handler
    for _ in range(MAX_PROLOGUE // 4096):
        chunk = stream.read(4096)
        parser.Parse(chunk, not chunk)
        if begun or not chunk:
            return
    raise HeavyWorkbookError("bytes before the first element", MAX_PROLOGUE)


def _check_rows(stream: IO[bytes]) -> None:
    """A large part must be a sheet whose rows are small each. Counts bytes, builds nothing."""
    since, tail = 0, b""
    while chunk := stream.read(_CHUNK):
        window = tail + chunk
        last = None
        for found in _ROW.finditer(window):
            if found.end() > len(tail):
                last = found.start()
        since = len(window) - last if last is not None else since + len(chunk)
        if since > MAX_BETWEEN_ROWS:
            raise HeavyWorkbookError("bytes of one row", MAX_BETWEEN_ROWS)
        tail = window[-64:]
