"""Messages between the service and a judge: four bytes of length, then the body. The judge only ever sends JSON."""

from __future__ import annotations

import struct
from typing import IO

MAX_ANSWER = 32 * 1024 * 1024
_LENGTH = struct.Struct(">I")


class BrokenFrameError(Exception):
    """The other side ended, or sent more than is allowed."""


def write(stream: IO[bytes], body: bytes) -> None:
    """Send one message."""
    stream.write(_LENGTH.pack(len(body)))
    stream.write(body)
    stream.flush()


def read(stream: IO[bytes], limit: int) -> bytes:
    """Receive one message of at most ``limit`` bytes; BrokenFrameError when there is none."""
    (length,) = _LENGTH.unpack(_exactly(stream, _LENGTH.size))
    if length > limit:
        raise BrokenFrameError(f"a message of {length} bytes")
    return _exactly(stream, length)


def _exactly(stream: IO[bytes], count: int) -> bytes:
    data = stream.read(count)
    if data is None or len(data) != count:
        raise BrokenFrameError("the stream ended")
    return data
