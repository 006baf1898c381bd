"""Undoing the filters of streams (7.4), within limits and as forgivingly as viewers do.

Filters of pictures (DCT, JPX, JBIG2, CCITT) stay as they are: nobody here looks at pixels.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable
from itertools import accumulate
from operator import add

from verify.formats.pdflimits import Budget, PdfError, PdfLimitError
from verify.formats.pdfvalues import Dictionary, Name, Value

PICTURE_FILTERS = frozenset((b"DCTDecode", b"DCT", b"JPXDecode", b"JBIG2Decode", b"CCITTFaxDecode", b"CCF"))
_SPACE = b"\0\t\n\f\r "
_NOT_HEX = re.compile(rb"[^0-9A-Fa-f]")
_NOT_85 = re.compile(rb"[^!-uz]")
_CHUNK = 1_000_000

Note = Callable[[str], None]
"""Told of what was forgiven."""


def decode(raw: bytes, filters: list[tuple[bytes, Dictionary]], limit: int, budget: Budget, note: Note) -> bytes:
    """Undo ``filters``, each a name with its parameters, in order. Raises PdfError, PdfLimitError beyond ``limit``."""
    for name, parameters in filters:
        if name in PICTURE_FILTERS or name == b"Crypt":
            continue
        undo = _FILTERS.get(name)
        if undo is None:
            raise PdfError("filter-unknown", f"the filter {name[:40].decode('latin-1')} is not known")
        raw = undo(raw, parameters, limit, note)
        budget.decode(len(raw))
        if name in _PREDICTED and (predictor := _number(parameters, b"Predictor", 1)) > 1:
            raw = _unpredict(raw, predictor, parameters, budget)
    return raw


def filters_of(dictionary: Dictionary, resolve: Callable[[Value], Value], most: int) -> list[tuple[bytes, Dictionary]]:
    """The filters that a stream's dictionary names, with their parameters. Raises PdfError."""
    names = resolve(dictionary.get(b"Filter"))
    parameters = resolve(dictionary.get(b"DecodeParms"))
    if names is None:
        return []
    listed = names if isinstance(names, list) else [names]
    given = parameters if isinstance(parameters, list) else [parameters]
    if len(listed) > most:
        raise PdfLimitError("filters on one stream", most)
    found: list[tuple[bytes, Dictionary]] = []
    for index, item in enumerate(listed):
        name = resolve(item)
        if not isinstance(name, Name):
            raise PdfError("filter-unknown", "a filter is no name")
        entry = resolve(given[index]) if index < len(given) else None
        entries = {k: resolve(v) for k, v in entry.items()} if isinstance(entry, dict) else {}
        found.append((bytes(name), entries))
    return found


def _flate(raw: bytes, parameters: Dictionary, limit: int, note: Note) -> bytes:
    try:
        return _inflate(raw, zlib.MAX_WBITS, limit, note)
    except PdfLimitError:
        raise
    except PdfError:
        note("no zlib header")
        return _inflate(raw, -zlib.MAX_WBITS, limit, note)


def _inflate(raw: bytes, bits: int, limit: int, note: Note) -> bytes:
    machine = zlib.decompressobj(bits)
    pieces: list[bytes] = []
    total, waiting = 0, raw
    while waiting and not machine.eof:
        try:
            piece = machine.decompress(waiting, _CHUNK)
        except zlib.error as error:
            piece = _salvage(raw, bits, total, limit)
            if not pieces and not piece:
                raise PdfError("filter-broken", "compressed data are broken") from error
            note(f"broken after {total + len(piece)} bytes")
            pieces.append(piece)
            return b"".join(pieces)
        waiting = machine.unconsumed_tail
        pieces.append(piece)
        total += len(piece)
        if total > limit:
            raise PdfLimitError("decompressed bytes in a stream", limit)
    if not machine.eof:
        pieces.append(machine.decompress(b"", _CHUNK))  # what the machine still holds
        note("truncated")
    elif machine.unused_data.strip(_SPACE):
        note("bytes follow the compressed data")
    return b"".join(pieces)


def _salvage(raw: bytes, bits: int, known: int, limit: int) -> bytes:
    """What comes out of broken data after the first ``known`` bytes, before the fault is met: as viewers show it."""
    machine = zlib.decompressobj(bits)
    found = bytearray()
    step = 4096
    try:
        for start in range(0, len(raw), step):
            waiting = raw[start : start + step]
            while waiting and len(found) <= limit:
                found += machine.decompress(waiting, _CHUNK)
                waiting = machine.unconsumed_tail
    except zlib.error:
        pass
    return bytes(found[known:])


def _lzw(raw: bytes, parameters: Dictionary, limit: int, note: Note) -> bytes:
    """7.4.4. Each code is one step; the limit on bytes bounds them."""
    early = 1 if _number(parameters, b"EarlyChange", 1) else 0
    base = [bytes((n,)) for n in range(256)] + [b"", b""]
    table, width, previous = list(base), 9, b""
    pieces: list[bytes] = []
    total = bits = held = 0
    for byte in raw:
        bits, held = (bits << 8) | byte, held + 8
        if held < width:
            continue
        held -= width
        code, bits = bits >> held, bits & ((1 << held) - 1)
        if code == 257:
            break
        if code == 256:
            table, width, previous = list(base), 9, b""
            continue
        if code < len(table):
            piece = table[code]
        elif code == len(table) and previous:
            piece = previous + previous[:1]
        else:
            note("broken LZW data")
            break
        pieces.append(piece)
        total += len(piece)
        if total > limit:
            raise PdfLimitError("decompressed bytes in a stream", limit)
        if previous and len(table) < 4096:
            table.append(previous + piece[:1])
            width = max(9, min(12, (len(table) + early).bit_length()))
        previous = piece
    return b"".join(pieces)


def _hexadecimal(raw: bytes, parameters: Dictionary, limit: int, note: Note) -> bytes:
    digits = _NOT_HEX.sub(b"", raw.partition(b">")[0])
    return bytes.fromhex((digits + b"0" if len(digits) % 2 else digits).decode("ascii"))


def _base85(raw: bytes, parameters: Dictionary, limit: int, note: Note) -> bytes:
    import base64

    text = _NOT_85.sub(b"", raw.removeprefix(b"<~").partition(b"~")[0])
    if text.count(b"z") * 4 > limit:
        raise PdfLimitError("decompressed bytes in a stream", limit)
    try:
        return base64.a85decode(text)
    except ValueError as error:
        raise PdfError("filter-broken", "compressed data are broken") from error


def _run_length(raw: bytes, parameters: Dictionary, limit: int, note: Note) -> bytes:
    pieces: list[bytes] = []
    position = total = 0
    while position < len(raw):
        length = raw[position]
        if length == 128:
            break
        if length < 128:
            piece = raw[position + 1 : position + 2 + length]
            position += 2 + length
        else:
            piece = raw[position + 1 : position + 2] * (257 - length)
            position += 2
        pieces.append(piece)
        total += len(piece)
        if total > limit:
            raise PdfLimitError("decompressed bytes in a stream", limit)
    return b"".join(pieces)


def _number(parameters: Dictionary, key: bytes, default: int) -> int:
    found = parameters.get(key, default)
    return found if isinstance(found, int) else default


def _unpredict(raw: bytes, predictor: int, parameters: Dictionary, budget: Budget) -> bytes:
    """Undo a PNG or TIFF predictor (7.4.4.4)."""
    colors, bits = _number(parameters, b"Colors", 1), _number(parameters, b"BitsPerComponent", 8)
    columns = _number(parameters, b"Columns", 1)
    if not (0 < colors <= 32 and bits in (1, 2, 4, 8, 16) and 0 < columns <= 1_000_000):
        raise PdfError("filter-broken", "the parameters of a predictor are wrong")
    pixel, width = max(1, colors * bits // 8), (colors * bits * columns + 7) // 8
    if predictor == 2:
        if bits != 8:
            raise PdfError("filter-unknown", "the predictor is not known")
        budget.predict(len(raw))
        return b"".join(_sub(raw[at : at + width], pixel) for at in range(0, len(raw), width))
    return _png(raw, pixel, width, budget)


def _png(raw: bytes, pixel: int, width: int, budget: Budget) -> bytes:
    stride = width + 1
    count = len(raw) // stride
    if count and width < 64 and raw[: count * stride : stride] == b"\2" * count:
        return _all_up(raw, width, count, budget)
    previous = bytes(width)
    rows: list[bytes] = []
    for at in range(0, len(raw), stride):
        kind, row = raw[at], raw[at + 1 : at + stride]
        if len(row) < width:
            row += bytes(width - len(row))
        if kind == 1:
            row = _sub(row, pixel)
        elif kind == 2:
            row = _up(row, previous)
        elif kind in (3, 4):
            row = _average(row, previous, pixel) if kind == 3 else _paeth(row, previous, pixel)
        budget.predict(width + 32 if kind in (1, 3, 4) else width // 32 + 32)
        rows.append(row)
        previous = row
    return b"".join(rows)


def _all_up(raw: bytes, width: int, count: int, budget: Budget) -> bytes:
    """Every row the difference from the one above, as in nearly all cross-reference streams: column by column."""
    budget.predict(count * width)
    stride = width + 1
    found = bytearray(count * width)
    for column in range(width):
        sums = accumulate(raw[column + 1 : count * stride : stride], add)
        found[column::width] = bytes([value & 255 for value in sums])
    return bytes(found)


def _up(row: bytes, previous: bytes) -> bytes:
    """Bytewise sums of two rows, all at once: high bits apart, so that nothing carries into a neighbour."""
    high = int.from_bytes(b"\x80" * len(row), "big")
    one, other = int.from_bytes(row, "big"), int.from_bytes(previous, "big")
    low = (one & ~high) + (other & ~high)
    total: int = low ^ (one ^ other) & high
    return total.to_bytes(len(row), "big")


def _sub(row: bytes, pixel: int) -> bytes:
    found = bytearray(row)
    for channel in range(min(pixel, len(row))):
        found[channel::pixel] = bytes([value & 255 for value in accumulate(row[channel::pixel], add)])
    return bytes(found)


def _average(row: bytes, previous: bytes, pixel: int) -> bytes:
    found = bytearray(row)
    for at, above in enumerate(previous):
        left = found[at - pixel] if at >= pixel else 0
        found[at] = (found[at] + ((left + above) >> 1)) & 255
    return bytes(found)


def _paeth(row: bytes, previous: bytes, pixel: int) -> bytes:
    found = bytearray(row)
    for at, above in enumerate(previous):
        left = found[at - pixel] if at >= pixel else 0
        corner = previous[at - pixel] if at >= pixel else 0
        guess = left + above - corner
        to_left, to_above, to_corner = abs(guess - left), abs(guess - above), abs(guess - corner)
        nearest = left if to_left <= to_above and to_left <= to_corner else above if to_above <= to_corner else corner
        found[at] = (found[at] + nearest) & 255
    return bytes(found)


_FILTERS: dict[bytes, Callable[[bytes, Dictionary, int, Note], bytes]] = {
    b"FlateDecode": _flate,
    b"Fl": _flate,
    b"LZWDecode": _lzw,
    b"LZW": _lzw,
    b"ASCIIHexDecode": _hexadecimal,
    b"AHx": _hexadecimal,
    b"ASCII85Decode": _base85,
    b"A85": _base85,
    b"RunLengthDecode": _run_length,
    b"RL": _run_length,
}
_PREDICTED = frozenset((b"FlateDecode", b"Fl", b"LZWDecode", b"LZW"))
