"""Pixels from a confined process: rows of a PNG, deflated. They are counted, never decoded, and go as they are."""

from __future__ import annotations

import base64
import binascii
import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass

MAX_SIDE = 4000
MAX_BYTES = 40_000_000
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Picture:
    """An RGB picture of eight bits a channel; ``rows`` are deflated, each row with the filter byte of PNG before it."""

    width: int
    height: int
    rows: bytes

    def png(self) -> bytes:
        """As a PNG file."""
        header = struct.pack(">IIBBBBB", self.width, self.height, 8, 2, 0, 0, 0)
        chunks = ((b"IHDR", header), (b"IDAT", self.rows), (b"IEND", b""))
        return b"\x89PNG\r\n\x1a\n" + b"".join(
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
            for kind, data in chunks
        )


def picture_from(value: object) -> Picture | None:
    """The picture in a report's JSON, when its data are exactly as long as its sane sizes say; else None."""
    if not isinstance(value, Mapping):
        return None
    width, height, data = value.get("width"), value.get("height"), value.get("data")
    if not isinstance(width, int) or not isinstance(height, int) or not isinstance(data, str):
        return None
    if not (0 < width <= MAX_SIDE and 0 < height <= MAX_SIDE) or len(data) > 2 * MAX_BYTES:
        return None
    try:
        rows = base64.b64decode(data, validate=True)
    except (binascii.Error, ValueError):
        return None
    return Picture(width, height, rows) if _fits(rows, height, 1 + 3 * width) else None


def _fits(rows: bytes, height: int, row: int) -> bool:
    """Whether the data inflate to exactly ``height`` rows whose filters PNG knows."""
    wanted = height * row
    if wanted > MAX_BYTES:
        return False
    reader = zlib.decompressobj()
    try:
        raw = reader.decompress(rows, wanted + 1)
    except zlib.error:
        return False
    return len(raw) == wanted and reader.eof and not reader.unused_data and max(raw[::row]) <= 4
