"""Reading values out of bytes, as leniently as viewers do, in linear time.

One pattern reads one token; only strings with brackets or escapes inside leave it. Where a viewer has a choice (a key
that stands twice, a number with two signs), the choice most of them take is taken and a notice says that there was one.
"""

from __future__ import annotations

import re
from typing import Any, cast

from verify.formats.pdflimits import Budget, Notices, PdfError, PdfLimitError
from verify.formats.pdfvalues import Dictionary, Name, Reference, Text, Value, same_value

_SPACE = rb"[\0\t\n\f\r ]"
_REGULAR = rb"[^\0\t\n\f\r ()<>\[\]{}/%]"
SKIP = rb"[\0\t\n\f\r ]*+(?:%[^\r\n]*+[\0\t\n\f\r ]*+)*+"
"""A pattern for white space and comments."""
_TOKEN = re.compile(
    SKIP
    + rb"(?:/("
    + _REGULAR
    + rb"*+)"
    + (rb"|([0-9]{1,10}+)S++([0-9]{1,5}+)S++R(?!" + _REGULAR + rb")").replace(b"S", _SPACE)
    + (rb"|([+-]?[0-9]++)(?!" + _REGULAR + rb")")
    + rb"|(<<)|(\[)|(\])|(>>)"
    + rb"|\(([^()\\\r]*+)\)"
    + rb"|<([0-9A-Fa-f]*+)>"
    + (rb"|([+-]?(?:[0-9]++\.[0-9]*+|\.[0-9]++))(?!" + _REGULAR + rb")")
    + (rb"|(" + _REGULAR + rb"++)")
    + rb"|(\()|(<)|([){}>])|(\Z))"
)
_NAME, _REFERENCE, _INTEGER = 1, 3, 4
_OPEN_DICTIONARY, _OPEN_ARRAY, _CLOSE_ARRAY, _CLOSE_DICTIONARY = 5, 6, 7, 8
_OPENING, _CLOSING = (_OPEN_DICTIONARY, _OPEN_ARRAY), (_CLOSE_DICTIONARY, _CLOSE_ARRAY)
_PLAIN_TEXT, _PLAIN_HEX, _REAL, _WORD, _TEXT, _HEX, _STRAY, _END = 9, 10, 11, 12, 13, 14, 15, 16
_WORDS: dict[bytes, Value] = {b"true": True, b"false": False, b"null": None}
_STRUCTURE = frozenset(
    (b"obj", b"endobj", b"stream", b"endstream", b"xref", b"trailer", b"startxref", b"R"),
)
_LEVEL = rb"(?:[^()\\]|\\[\s\S])*+"
_TEXT_RUN = re.compile(rb"(?:[^()\\]|\\[\s\S]|\((?:[^()\\]|\\[\s\S]|\(" + _LEVEL + rb"\))*+\))*+")
_OCTAL = re.compile(rb"\\([0-7]{1,3})")
_ESCAPED_LINE = re.compile(rb"\\(?:\r\n|\r|\n)")
_ESCAPES = ((rb"\n", b"\n"), (rb"\r", b"\r"), (rb"\t", b"\t"), (rb"\b", b"\b"), (rb"\f", b"\f"))
_NOT_HEX = bytes(set(range(256)) - set(b"0123456789abcdefABCDEF"))
_HEX_SPACE = b"\0\t\n\f\r "
_NAME_ESCAPE = re.compile(rb"#([0-9A-Fa-f]{2})")
_LOOSE_NUMBER = re.compile(rb"[+-]*([0-9]*)(?:\.([0-9]*))?")
_MOST_BRACKETS = 10_000
_BRACKET_COST = 50
_MOST_ESCAPES = 200_000
_LARGEST = 2**63 - 1
_LONGEST_NUMBER = 64
_ONLY_NAMES = {Name}
_MOST_NAMES = 100_000
_LONGEST_ESCAPED = 4_096


class Lexer:
    """Reads values in ``data``. ``origin`` and ``number`` place notices when ``data`` is not the file itself."""

    __slots__ = ("budget", "data", "names", "nesting", "notices", "number", "origin")

    def __init__(
        self, data: bytes, budget: Budget, notices: Notices, nesting: int, *, names: dict[bytes, Name] | None = None
    ) -> None:
        self.data = data
        self.budget = budget
        self.notices = notices
        self.nesting = nesting
        self.names: dict[bytes, Name] = {} if names is None else names
        self.origin: int | None = None
        self.number = 0

    def value(self, position: int, end: int) -> tuple[Value, int]:
        """Read one value from ``position`` on, not beyond ``end``; gives it and where it ended. Raises PdfError."""
        stack: list[tuple[list[Any], int]] = []
        items: list[Any] = []
        names, budget = self.names, self.budget
        while True:
            for match in _TOKEN.finditer(self.data, position, end):
                kind = match.lastindex
                budget.values -= 1
                if kind == _NAME:
                    value: Any = names.get(match[1])
                    if value is None:
                        value = self._name(match[1], match.start())
                elif kind == _REFERENCE:
                    value = Reference(int(match[2]), int(match[3]))
                elif kind == _INTEGER:
                    raw = match[4]
                    value = int(raw) if len(raw) < 19 else self._large(raw, match.start())
                elif kind in _OPENING:
                    if len(stack) >= self.nesting or budget.values < 0:
                        raise self._too_much(match.start())
                    stack.append((items, kind))
                    items = []
                    continue
                elif kind in _CLOSING:
                    value, items = self._close(stack, items, kind, match.end())
                elif kind == _PLAIN_TEXT:
                    value = Text(match[9])
                else:
                    value, position, word = self._other(match, kind, items, bool(stack), end)
                    if word:
                        continue
                    if stack and position != match.end():
                        items.append(value)
                        break
                    if not stack:
                        return value, position
                if not stack:
                    return value, match.end()
                items.append(value)

    def _other(
        self, match: re.Match[bytes], kind: int | None, items: list[Any], inside: bool, end: int
    ) -> tuple[Value, int, bool]:
        """What is rarer: gives the value, where it ends, and whether the token was no value at all."""
        start = match.start(kind or 0)
        if self.budget.values < 0:
            raise self._too_much(start)
        if kind == _PLAIN_HEX:
            return _hexadecimal(match[10]), match.end(), False
        if kind == _REAL:
            if match.end(11) - start > _LONGEST_NUMBER:
                self._notice("large-number", start)
            return float(match[11]), match.end(), False
        if kind == _TEXT:
            return *self._text(match.end(), end), False
        if kind == _HEX:
            return *self._loose_hex(match.end(), end), False
        if kind == _WORD:
            return self._word(match[12], start, items, inside, match.end())
        if kind == _END:
            raise PdfError("syntax", "the data end inside a value", self._place(start))
        if inside:
            self._notice("stray-character", start)
            return None, match.end(), True
        raise PdfError("syntax", "a character stands where a value should", self._place(start))

    def _word(self, word: bytes, start: int, items: list[Any], inside: bool, end: int) -> tuple[Value, int, bool]:
        if word in _WORDS:
            return _WORDS[word], end, False
        if word == b"R" and inside and len(items) > 1 and type(items[-1]) is type(items[-2]) is int:
            generation = items.pop()
            return Reference(items.pop(), generation), end, False
        if word[0] in b"+-.0123456789":
            self._notice("number", start, word[:40].decode("latin-1"))
            return _loose_number(word), end, False
        if word in _STRUCTURE or not inside:
            raise PdfError(
                "syntax", f"the word {word[:20].decode('latin-1')} stands where a value should", self._place(start)
            )
        self._notice("unknown-word", start, word[:40].decode("latin-1"))
        return None, end, False

    def _close(
        self, stack: list[tuple[list[Any], int]], items: list[Any], kind: int, end: int
    ) -> tuple[Value, list[Any]]:
        if not stack:
            raise PdfError("syntax", "a bracket closes nothing", self._place(end))
        outer, opened = stack.pop()
        if (opened == _OPEN_ARRAY) != (kind == _CLOSE_ARRAY):
            raise PdfError("syntax", "brackets do not match", self._place(end))
        return (items if kind == _CLOSE_ARRAY else self._dictionary(items, end)), outer

    def _dictionary(self, items: list[Any], end: int) -> Dictionary:
        keys = items[::2]
        if len(items) % 2 == 0 and (not keys or set(map(type, keys)) == _ONLY_NAMES):
            found: Dictionary = dict(zip(keys, items[1::2], strict=True))
            if len(found) != len(keys):
                self._note_twice(keys, items[1::2], end)
        else:
            self._notice("dictionary-pairs", end)
            found = _loose_pairs(items)
        if None in found.values():
            return {key: value for key, value in found.items() if value is not None}
        return found

    def _note_twice(self, keys: list[Any], values: list[Any], end: int) -> None:
        """A key twice with one value is read alike by everybody."""
        first: dict[Any, Any] = {}
        for key, value in zip(keys, values, strict=True):
            if not same_value(first.setdefault(key, value), value):
                self._notice("duplicate-key", end, str(key)[:100])
                return

    def _name(self, raw: bytes, start: int) -> Name:
        name = Name(raw)
        if b"#" in raw:
            if len(raw) <= _LONGEST_ESCAPED:
                name = Name(_NAME_ESCAPE.sub(lambda m: bytes((int(m[1], 16),)), raw))
            if len(raw) > _LONGEST_ESCAPED or b"#" in _NAME_ESCAPE.sub(b"", raw):
                self._notice("name-escape", start, str(name)[:100])
        if len(self.names) < _MOST_NAMES:
            self.names[raw] = name
        return name

    def _large(self, raw: bytes, start: int) -> int:
        if len(raw) > _LONGEST_NUMBER:
            self._notice("large-number", start)  # some viewers read so many digits and no more
        if len(raw.lstrip(b"+-0")) < 19:
            sign = raw[:1] if raw[:1] in (b"+", b"-") else b""
            return int(sign + (raw[len(sign) :].lstrip(b"0") or b"0")) if len(raw) < 4000 else 0
        self._notice("large-number", start)
        return -_LARGEST if raw[:1] == b"-" else _LARGEST

    def _text(self, position: int, end: int) -> tuple[Text, int]:
        """A string whose opening bracket has been read."""
        start, depth = position, 1
        for _ in range(_MOST_BRACKETS):
            run = _TEXT_RUN.match(self.data, position, end)
            position = run.end() if run else position
            bracket = self.data[position : position + 1] if position < end else b""
            if bracket == b")":
                depth -= 1
                if not depth:
                    raw = self.data[start:position]
                    escapes = raw.count(b"\\")
                    self.budget.values -= escapes
                    if escapes > _MOST_ESCAPES:
                        raise PdfError("syntax", "a string has too many escapes", self._place(start))
                    return Text(_unescape(raw)), position + 1
            elif bracket != b"(":
                break
            else:
                depth += 1
            position += 1
        self.budget.scan(position - start + _BRACKET_COST * depth)
        raise PdfError("syntax", "a string does not end", self._place(start))

    def _loose_hex(self, position: int, end: int) -> tuple[Text, int]:
        """A hexadecimal string with something other than digits inside."""
        close = self.data.find(b">", position, end)
        if close < 0:
            self.budget.scan(end - position)
            raise PdfError("syntax", "a hexadecimal string does not end", self._place(position))
        raw = self.data[position:close]
        digits = raw.translate(None, _HEX_SPACE)
        if digits.translate(None, _NOT_HEX) != digits:
            self._notice("hexadecimal", position)
            digits = digits.translate(None, _NOT_HEX)
        return _hexadecimal(digits), close + 1

    def entry_spans(self, position: int, end: int) -> dict[bytes, tuple[int, int]]:
        """Where the value of each key of the dictionary at ``position`` stands, the last of equal keys.

        Empty when there is no plain dictionary.
        """
        spans: dict[bytes, tuple[int, int]] = {}
        match = _TOKEN.match(self.data, position, end)
        if match is None or match.lastindex != _OPEN_DICTIONARY:
            return spans
        position = match.end()
        while (key := _TOKEN.match(self.data, position, end)) and key.lastindex == _NAME:
            blank = _BLANK.match(self.data, key.end(), end)
            start = blank.end() if blank else key.end()
            _, position = self.value(start, end)
            spans[self._name(key[1], key.start())] = (start, position)
        return spans

    def _too_much(self, position: int) -> PdfError:
        if self.budget.values < 0:
            return PdfLimitError("values", self.budget.limits["values"])
        return PdfError("nesting", "values are nested too deeply", self._place(position))

    def _place(self, position: int) -> int:
        return position if self.origin is None else self.origin

    def _notice(self, kind: str, position: int, detail: str = "") -> None:
        self.notices.add(kind, self._place(position), self.number, detail)


_BLANK = re.compile(SKIP)


def skip_blank(data: bytes, position: int, end: int) -> int:
    """Where the white space and comments that begin at ``position`` end."""
    match = _BLANK.match(data, position, end)
    return match.end() if match else position


def _hexadecimal(digits: bytes) -> Text:
    return Text(bytes.fromhex((digits + b"0" if len(digits) % 2 else digits).decode("ascii")))


def _loose_number(word: bytes) -> int | float:
    """A number written wrongly, as most viewers take it: signs once, digits to the first thing that is none."""
    match = _LOOSE_NUMBER.match(word)
    whole, fraction = (match[1][:18], match[2]) if match else (b"", None)
    negative = word[:1] == b"-"
    if fraction is None:
        return -int(whole or b"0") if negative else int(whole or b"0")
    number = float((whole or b"0") + b"." + (fraction[:18] or b"0"))
    return -number if negative else number


def _loose_pairs(items: list[Any]) -> Dictionary:
    """Keys with values where something is missing or too much: what is no name where a key should stand is left out."""
    found: Dictionary = {}
    position = 0
    while position + 1 < len(items):
        if type(items[position]) is Name:
            found[items[position]] = cast("Value", items[position + 1])
            position += 1
        position += 1
    return found


def _unescape(raw: bytes) -> bytes:
    """The bytes that a literal string stands for (7.3.4.2)."""
    if b"\\" not in raw:
        return raw.replace(b"\r\n", b"\n").replace(b"\r", b"\n") if b"\r" in raw else raw
    parts = raw.split(b"\\\\")
    return b"\\".join([_unescape_part(part) if b"\\" in part or b"\r" in part else part for part in parts])


def _unescape_part(raw: bytes) -> bytes:
    """As above, where every backslash begins an escape other than of itself."""
    raw = _ESCAPED_LINE.sub(b"", raw)
    if b"\r" in raw:
        raw = raw.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    for written, meant in _ESCAPES:
        raw = raw.replace(written, meant)
    if b"\\" not in raw:
        return raw
    pieces = _OCTAL.split(raw)
    pieces[::2] = [piece.replace(b"\\", b"") for piece in pieces[::2]]
    pieces[1::2] = [bytes((int(digits, 8) & 255,)) for digits in pieces[1::2]]
    return b"".join(pieces)
