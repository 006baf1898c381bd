"""Numbered objects in the bytes of a file (7.3.10), and the streams among them (7.3.8)."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from verify.formats.pdflexer import SKIP, Lexer
from verify.formats.pdflimits import PdfError, PdfLimitError
from verify.formats.pdfvalues import Dictionary, Name, Reference, Stream, Text, Value

_SPACE = rb"[\0\t\n\f\r ]"
HEADER = re.compile(SKIP + rb"([0-9]{1,10}+)" + _SPACE + rb"++([0-9]{1,10}+)" + _SPACE + rb"++obj(?![A-Za-z0-9])")
"""``12 0 obj``, after white space and comments."""
_TAIL = re.compile(SKIP + rb"(?:(endobj)|stream([ \t]*+)(\r\n|\n|\r|))")
_ENDSTREAM = re.compile(rb"(?:\r\n|\n|\r)?([\0\t\n\f\r ]{0,8}+)endstream")
_ENDOBJ = re.compile(SKIP + rb"endobj")
_MOST_LENGTH = 2**40

LengthSource = Callable[[Reference], int | None]
"""Says what an indirect ``/Length`` is, None when nothing usable."""
Decryption = Callable[[int, int], "ObjectCipher | None"]


@dataclass(slots=True)
class ObjectCipher:
    """How the strings and the stream of one object are decrypted."""

    text: Callable[[bytes], bytes]
    stream: Callable[[Dictionary], Callable[[bytes], bytes] | None]


@dataclass(slots=True)
class PdfObject:
    """One numbered object: its value, and the bytes ``[start, end)`` from its number to the end of ``endobj``.

    ``trusted_length`` is False when the stream's ``/Length`` did not lead to its end. ``fault`` says what is broken
    when ``value`` could not be read; then the value is None.
    """

    number: int
    generation: int
    start: int
    end: int
    value: Value
    fault: str = ""
    trusted_length: bool = True


class ObjectReader:
    """Reads numbered objects. ``decryption`` is set once it is known how the file is encrypted."""

    def __init__(self, lexer: Lexer) -> None:
        self.lexer = lexer
        self.data = lexer.data
        self.notices = lexer.notices
        self.decryption: Decryption | None = None

    def at(self, position: int, end: int, length_of: LengthSource) -> PdfObject | None:
        """The object whose header stands at ``position`` (white space before it is passed over), or None.

        An object whose value cannot be read has a ``fault``. Raises PdfLimitError.
        """
        header = HEADER.match(self.data, position, end)
        if header is None:
            return None
        number, generation, start = int(header[1]), int(header[2]), header.start(1)
        lexer = self.lexer
        lexer.number = number
        try:
            value, position = lexer.value(header.end(), end)
        except PdfError as error:
            if isinstance(error, PdfLimitError):
                raise
            return self._broken(number, generation, start, header.end(), error)
        finally:
            lexer.number = 0
        found = PdfObject(number, generation, start, position, value)
        tail = _TAIL.match(self.data, position, end)
        if tail is None:
            self.notices.add("no-endobj", position, number)
        elif tail[1]:
            found.end = tail.end()
        elif isinstance(value, dict):
            self._stream(found, value, tail, end, length_of)
        else:
            self.notices.add("stream-without-dictionary", position, number)
        if self.decryption is not None:
            self._decrypt(found)
        return found

    def _broken(self, number: int, generation: int, start: int, resume: int, error: PdfError) -> PdfObject:
        """An object that cannot be read; reading on begins where that was noticed, if it is known."""
        self.notices.add("broken-object", start, number, str(error))
        end = error.offset if error.offset is not None and error.offset > resume else resume
        return PdfObject(number, generation, start, end, None, fault=str(error))

    def _stream(
        self, found: PdfObject, dictionary: Dictionary, tail: re.Match[bytes], end: int, length_of: LengthSource
    ) -> None:
        start, number = tail.end(), found.number
        if tail[2] or tail[3] in (b"\r", b""):
            self.notices.add("stream-line", tail.start(2), number)
        raw = dictionary.get(b"Length")
        reference = raw if isinstance(raw, Reference) else None
        length = length_of(reference) if reference is not None else raw
        close = None
        stop = start + length if isinstance(length, int) and 0 <= length < _MOST_LENGTH else end + 1
        if stop <= end:
            close = _ENDSTREAM.match(self.data, stop, end)
        if close is not None:
            if close[1]:
                self.notices.add("stream-padding", stop, number)
            position = close.end()
        else:
            found.trusted_length = False
            stop, position = self._find_end(start, end, number)
            self.notices.add("stream-length", start, number, f"{length} is written, {stop - start} are there")
        found.value = Stream(dictionary, self.data, start, stop, reference)
        closing = _ENDOBJ.match(self.data, position, end)
        if closing is None:
            self.notices.add("no-endobj", position, number)
        found.end = closing.end() if closing else position

    def _find_end(self, start: int, end: int, number: int) -> tuple[int, int]:
        """The end of a stream whose length is wrong: where its bytes stop, and where reading goes on."""
        position = self.data.find(b"endstream", start, end)
        after = position + len(b"endstream")
        if position < 0:
            position = after = self.data.find(b"endobj", start, end)
        if position < 0:
            self.lexer.budget.scan(end - start)
            return end, end
        self.lexer.budget.scan(position - start)
        stop = position
        if self.data[stop - 1 : stop] == b"\n" and stop > start:
            stop -= 1
        if self.data[stop - 1 : stop] == b"\r" and stop > start:
            stop -= 1
        return stop, after

    def _decrypt(self, found: PdfObject) -> None:
        cipher = self.decryption(found.number, found.generation) if self.decryption else None
        if cipher is None or is_type(found.value, b"XRef"):
            return
        if isinstance(found.value, Stream):
            decrypt_texts(found.value.dictionary, cipher.text)
            found.value.cipher = cipher.stream(found.value.dictionary)
        else:
            found.value = decrypt_texts(found.value, cipher.text)


def decrypt_texts(value: Value, decrypt: Callable[[bytes], bytes]) -> Value:
    """Decrypt the strings in a freshly read value, in place; gives it, or its plain form when it is a string.

    The value of a signature is never encrypted (7.6.2).
    """
    if isinstance(value, Text):
        return Text(decrypt(value))
    waiting: list[Value] = [value]
    while waiting:
        current = waiting.pop()
        if isinstance(current, list):
            for index, item in enumerate(current):
                if isinstance(item, Text):
                    current[index] = Text(decrypt(item))
                elif isinstance(item, (list, dict)):
                    waiting.append(item)
        elif isinstance(current, dict):
            _decrypt_entries(current, decrypt, waiting)
    return value


def _decrypt_entries(current: Dictionary, decrypt: Callable[[bytes], bytes], waiting: list[Value]) -> None:
    signature = is_signature(current)
    for key, item in current.items():
        if isinstance(item, Text):
            if not (signature and key == b"Contents"):
                current[key] = Text(decrypt(item))
        elif isinstance(item, (list, dict)):
            waiting.append(item)


def is_signature(value: Value) -> bool:
    """Whether a value is a dictionary with the value of a signature: ``/ByteRange`` beside a string ``/Contents``."""
    return isinstance(value, dict) and b"ByteRange" in value and isinstance(value.get(b"Contents"), Text)


def is_type(value: Value, name: bytes) -> bool:
    """Whether a dictionary or stream has this ``/Type``."""
    found = value.get(b"Type") if isinstance(value, (dict, Stream)) else None
    return isinstance(found, Name) and found == name
