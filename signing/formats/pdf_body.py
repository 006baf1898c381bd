"""The bytes of a PDF that is being updated: in memory, or in a file that is read piece by piece.

A file of hundreds of pages is never held as a whole: it is hashed in pieces, once for each hash, and updates are
written behind it.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable
from typing import Any, BinaryIO

Progress = Callable[[str, int, int], None]
"""Told of long work: the stage (``copy``, ``pages``, ``hash``, ``sign``), how much is done, how much there is."""

PIECE = 1 << 20


def silent(_stage: str, _done: int, _total: int) -> None:
    """Tells nobody."""


class PdfBody:
    """What every place for a PDF's bytes offers. ``length`` grows with each update."""

    length: int

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._hashed: dict[str, tuple[Any, int]] = {}

    def stream(self) -> BinaryIO:
        """The bytes as they are, for a reader that seeks in them; updates of later belong to no reader."""
        raise NotImplementedError

    def append(self, update: bytes) -> None:
        """Put an update behind what is there."""
        raise NotImplementedError

    def piece(self, start: int, size: int) -> bytes | memoryview:
        """At most ``size`` bytes from ``start`` on."""
        raise NotImplementedError

    def ends_line(self) -> bool:
        """Whether the last byte ends a line."""
        return self.piece(self.length - 1, 1) in (b"\n", b"\r")

    def hasher(self, name: str) -> Any:
        """A hash that has taken in everything so far, to be gone on with; what was hashed before is not read again."""
        state, done = self._hashed.get(name, (None, 0))
        state = hashlib.new(name) if state is None else state
        while done < self.length:
            part = self.piece(done, PIECE)
            if not part:
                raise OSError("the file became shorter while it was read")
            state.update(part)
            done += len(part)
            self._progress("hash", done, self.length)
        self._hashed[name] = (state, done)
        return state.copy()


class MemoryBody(PdfBody):
    """Bytes in memory; the original is kept once and never copied before :meth:`result`."""

    def __init__(self, pdf: bytes, progress: Progress = silent) -> None:
        super().__init__(progress)
        self._parts = [pdf]
        self._starts = [0]
        self.length = len(pdf)

    def stream(self) -> BinaryIO:
        return io.BytesIO(self._parts[0] if len(self._parts) == 1 else self.result())

    def append(self, update: bytes) -> None:
        self._starts.append(self.length)
        self._parts.append(update)
        self.length += len(update)

    def piece(self, start: int, size: int) -> bytes | memoryview:
        index = next(i for i in range(len(self._starts) - 1, -1, -1) if self._starts[i] <= start)
        begin = start - self._starts[index]
        part = self._parts[index]
        return part if not begin and size >= len(part) else memoryview(part)[begin : begin + size]

    def result(self) -> bytes:
        """The file with all updates."""
        return b"".join(self._parts)


class FileBody(PdfBody):
    """A file open for reading and writing that nobody else changes: updates are written at its end at once."""

    def __init__(self, file: BinaryIO, progress: Progress = silent) -> None:
        super().__init__(progress)
        self._file = file
        self.length = file.seek(0, io.SEEK_END)

    def stream(self) -> BinaryIO:
        return self._file

    def append(self, update: bytes) -> None:
        self._file.seek(self.length)
        self._file.write(update)
        self._file.flush()
        self.length += len(update)

    def piece(self, start: int, size: int) -> bytes:
        self._file.seek(start)
        return self._file.read(min(size, self.length - start))


class TrialBody(PdfBody):
    """A PDF that is only tried: nothing is written to it, nothing hashed, and updates stand in memory behind it."""

    def __init__(self, base: BinaryIO) -> None:
        super().__init__(silent)
        self._base = base
        self._size = base.seek(0, io.SEEK_END)
        self._updates = bytearray()
        self.length = self._size

    def stream(self) -> BinaryIO:
        return io.BufferedReader(_Joined(self._base, self._size, bytes(self._updates))) if self._updates else self._base

    def append(self, update: bytes) -> None:
        self._updates += update
        self.length += len(update)

    def piece(self, start: int, size: int) -> bytes:
        if start >= self._size:
            return bytes(self._updates[start - self._size : start - self._size + size])
        self._base.seek(start)
        return self._base.read(min(size, self._size - start))

    def hasher(self, name: str) -> Any:
        return hashlib.new(name)


class _Joined(io.RawIOBase):
    """A file and what stands behind it, read as one."""

    def __init__(self, base: BinaryIO, size: int, more: bytes) -> None:
        self._base = base
        self._size = size
        self._more = more
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size + len(self._more)}[whence]
        self._at = max(0, start + offset)
        return self._at

    def readinto(self, buffer: Any) -> int:
        if self._at < self._size:
            self._base.seek(self._at)
            found = self._base.read(min(len(buffer), self._size - self._at))
        else:
            found = self._more[self._at - self._size : self._at - self._size + len(buffer)]
        buffer[: len(found)] = found
        self._at += len(found)
        return len(found)
