"""Object streams (7.5.7): several objects in one compressed stream."""

from __future__ import annotations

import re

from verify.formats.pdflexer import Lexer
from verify.formats.pdflimits import PdfError, PdfLimitError
from verify.formats.pdfvalues import Stream, Value

_PAIRS = re.compile(rb"([0-9]{1,10}+)[\0\t\n\f\r ]++([0-9]{1,10}+)")


class ObjectStream:
    """The objects in one object stream: ``numbers`` in the order of its header, values read when asked for.

    ``raw`` is the stream's decoded content. Raises PdfError when its dictionary or header is broken.
    """

    def __init__(self, stream: Stream, raw: bytes, lexer: Lexer, most: int) -> None:
        count, first = stream.get(b"N"), stream.get(b"First")
        if not isinstance(count, int) or not isinstance(first, int) or not (0 <= count <= most and first >= 0):
            raise PdfError("object-stream", "the header of an object stream is wrong", stream.start)
        pairs = _PAIRS.findall(raw, 0, min(first, len(raw)))[:count]
        if len(pairs) < count:
            lexer.notices.add(
                "object-stream", stream.start, 0, f"{count} objects are announced, {len(pairs)} are there"
            )
        self.start = stream.start
        self.numbers = [int(number) for number, _ in pairs]
        self.offsets = [first + int(offset) for _, offset in pairs]
        self._lexer = Lexer(raw, lexer.budget, lexer.notices, lexer.nesting, names=lexer.names)
        self._lexer.origin = stream.start
        self._values: dict[int, Value] = {}
        self._places: dict[int, int] = {}
        for index, number in enumerate(self.numbers):
            if number in self._places:
                lexer.notices.add("object-twice", stream.start, number, "one object stream holds one number twice")
            self._places[number] = index

    def value(self, number: int, index: int) -> Value:
        """The object ``number``, which a cross-reference says is at ``index``; None when it is broken or not there."""
        if not (0 <= index < len(self.numbers) and self.numbers[index] == number):
            found = self._places.get(number)
            detail = f"object {number} is not at index {index} of its object stream"
            self._lexer.notices.add("wrong-index", self.start, number, detail)
            if found is None:
                return None
            index = found
        if index not in self._values:
            self._values[index] = self._read(number, self.offsets[index])
        return self._values[index]

    def _read(self, number: int, offset: int) -> Value:
        lexer = self._lexer
        lexer.number = number
        try:
            return lexer.value(offset, len(lexer.data))[0]
        except PdfError as error:
            if isinstance(error, PdfLimitError):
                raise
            lexer.notices.add("broken-object", self.start, number, str(error))
            return None
        finally:
            lexer.number = 0
