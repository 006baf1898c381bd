"""Writing a PDF file: objects, streams, one classic cross-reference table, one revision."""

from __future__ import annotations

import functools
from collections.abc import Mapping

HEADER = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"


def text_string(text: str) -> bytes:
    """A text string: ASCII as a literal, anything else as UTF-16BE with its mark, in hexadecimal."""
    if text.isascii() and text.isprintable():
        escaped = text.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")
        return b"(" + escaped.encode("ascii") + b")"
    return b"<FEFF" + text.encode("utf-16-be").hex().upper().encode("ascii") + b">"


@functools.lru_cache(maxsize=1024)
def name(text: str) -> bytes:
    """A name object."""
    out = "".join(chr(c) if 33 <= c <= 126 and chr(c) not in "#()<>[]{}/%" else f"#{c:02X}" for c in text.encode())
    return b"/" + out.encode("ascii")


def number(value: float) -> bytes:
    """A number with at most three decimals."""
    return (f"{value:.3f}".rstrip("0").rstrip(".") or "0").encode("ascii")


class PdfFile:
    """Objects numbered in the order in which they are reserved."""

    def __init__(self) -> None:
        self._bodies: list[bytes | None] = []

    def reserve(self) -> int:
        """A new object number, to be filled with :meth:`put`."""
        self._bodies.append(None)
        return len(self._bodies)

    def put(self, reserved: int, body: bytes) -> None:
        """The body of a reserved object."""
        self._bodies[reserved - 1] = body

    def add(self, body: bytes) -> bytes:
        """A new object; returns a reference to it."""
        made = self.reserve()
        self.put(made, body)
        return reference(made)

    def stream(self, entries: bytes, data: bytes, *, deflated: bool) -> bytes:
        """A new stream with these dictionary entries; returns a reference to it."""
        return self.add(stream(entries, data, deflated=deflated))

    def write(self, root: bytes, info: bytes, identity: bytes) -> bytes:
        """The whole file. ``identity`` is the 16-byte file identifier."""
        parts = [HEADER]
        at = len(HEADER)
        table = [b"0000000000 65535 f \n"]
        for index, body in enumerate(self._bodies, 1):
            if body is None:
                raise ValueError(f"object {index} was reserved and not filled")
            made = b"%d 0 obj\n%s\nendobj\n" % (index, body)
            table.append(b"%010d 00000 n \n" % at)
            parts.append(made)
            at += len(made)
        size = len(table)
        key = identity.hex().upper().encode("ascii")
        parts.append(b"xref\n0 %d\n" % size + b"".join(table))
        parts.append(
            b"trailer\n<< /Size %d /Root %s /Info %s /ID [<%s> <%s>] >>\nstartxref\n%d\n%%%%EOF\n"
            % (size, root, info, key, key, at)
        )
        return b"".join(parts)


def stream(entries: bytes, data: bytes, *, deflated: bool) -> bytes:
    """The body of a stream object."""
    coding = b" /Filter /FlateDecode" if deflated else b""
    return b"<< %s%s /Length %d >>\nstream\n%s\nendstream" % (entries, coding, len(data), data)


def reference(number: int) -> bytes:
    """A reference to an object."""
    return b"%d 0 R" % number


def dictionary(entries: Mapping[str, bytes]) -> bytes:
    """A dictionary in the order given."""
    return b"<< " + b" ".join(name(k) + b" " + v for k, v in entries.items()) + b" >>"
