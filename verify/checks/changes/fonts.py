"""Which characters the codes of a font mean (ISO 32000-2 9.10.2), as far as form fields use fonts."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from verify.checks.changes.graphics import shade
from verify.formats.pdftrees import pages
from verify.formats.pdfvalues import Dictionary, Name, Reference, Stream, Text, Value, same_value

if TYPE_CHECKING:
    from verify.checks.changes.walk import Walk

_MOST_MAP_BYTES = 1_000_000
_MOST_CODES = 70_000
_MOST_LEVELS = 16
_PAIR = re.compile(rb"<([0-9A-Fa-f]{2,8})>\s*<([0-9A-Fa-f]{2,64})>")
_RANGE = re.compile(rb"<([0-9A-Fa-f]{2,8})>\s*<([0-9A-Fa-f]{2,8})>\s*(?:<([0-9A-Fa-f]{2,64})>|\[([^\[\]]*+)\])")
_BEGIN = re.compile(rb"begin(bfchar|bfrange)")
_BASES = {b"WinAnsiEncoding": "cp1252", b"MacRomanEncoding": "mac-roman", b"StandardEncoding": "cp1252"}
_SYMBOLS = re.compile(rb"(?:[A-Z]{6}\+)?(?:Symbol|ZapfDingbats|Dingbats|ZaDb|Wingdings|Webdings)")
"""Fonts whose codes are no letters, whatever ASCII says."""
_SYMBOL_NAMES = (b"ZaDb", b"Symb")
"""What forms call the two standard fonts that have no letters."""
_NUMBER = re.compile(rb"[0-9]{1,9}(?:\.[0-9]{0,9})?|\.[0-9]{1,9}")
_LONGEST_DEFAULT = 500
_LEAST_SIZE, _BRIGHTEST = 2.0, 0.9
_LEAST_WIDTH, _MOST_WIDTH = 100, 3_000
"""Of a character that is shown, in thousandths; others put characters over one another, or out of sight."""
_NAMES = {
    "space": " ", "exclam": "!", "quotedbl": '"', "numbersign": "#", "dollar": "$", "percent": "%", "ampersand": "&",
    "quotesingle": "'", "quoteright": "’", "quoteleft": "‘", "parenleft": "(", "parenright": ")", "asterisk": "*",
    "plus": "+", "comma": ",", "hyphen": "-", "minus": "−", "period": ".", "slash": "/", "zero": "0", "one": "1",
    "two": "2", "three": "3", "four": "4", "five": "5", "six": "6", "seven": "7", "eight": "8", "nine": "9",
    "colon": ":", "semicolon": ";", "less": "<", "equal": "=", "greater": ">", "question": "?", "at": "@",
    "bracketleft": "[", "backslash": "\\", "bracketright": "]", "asciicircum": "^", "underscore": "_", "grave": "`",
    "braceleft": "{", "bar": "|", "braceright": "}", "asciitilde": "~", "Euro": "€", "bullet": "•", "endash": "–",
    "emdash": "—", "ellipsis": "…", "quotedblleft": "“", "quotedblright": "”", "germandbls": "ß", "AE": "Æ", "ae": "æ",
    "OE": "Œ", "oe": "œ", "Oslash": "Ø", "oslash": "ø", "dotlessi": "ı", "Lslash": "Ł", "lslash": "ł", "degree": "°",
}  # fmt: skip
_MARKS = {
    "grave": "GRAVE", "acute": "ACUTE", "circumflex": "CIRCUMFLEX", "tilde": "TILDE", "dieresis": "DIAERESIS",
    "ring": "RING ABOVE", "cedilla": "CEDILLA", "caron": "CARON", "macron": "MACRON", "breve": "BREVE",
    "ogonek": "OGONEK", "dotaccent": "DOT ABOVE", "hungarumlaut": "DOUBLE ACUTE",
}  # fmt: skip
_UNKNOWN = "\N{REPLACEMENT CHARACTER}"


@dataclass(slots=True)
class ReadFont:
    """One font: its map from codes of ``width`` bytes to text. ``is_own``: its shapes came with the newer revision.

    ``base`` is the encoding of codes without an entry, as Python calls it; nothing when their shapes are unknown.
    """

    is_own: bool = False
    width: int = 1
    codes: dict[int, str] = field(default_factory=dict)
    base: str = "cp1252"

    def text(self, shown: bytes) -> str:
        """The characters of a shown string; codes without meaning give a replacement character."""
        if self.width == 1:
            return "".join(self.codes.get(code) or self.plain(code) for code in shown)
        pairs = zip(shown[::2], shown[1::2], strict=False)
        return "".join(self.codes.get(high << 8 | low, _UNKNOWN) for high, low in pairs)

    def plain(self, code: int) -> str:
        """What a code means by the font's base encoding; nobody knows where there is none."""
        return bytes((code,)).decode(self.base, "replace") if self.base else _UNKNOWN


_PLAIN_CODES = bytes(code for code in range(0x21, 0x7F) if code not in b"'`")


def is_plain_font(walk: Walk, resources: Dictionary, name: bytes) -> bool:
    """Whether a font shows letters and digits as what they are, in shapes that the viewer chooses."""
    held: Dictionary = {b"Resources": resources}
    font = FontReader(walk, Stream(held, b"", 0, 0)).named(name)
    if name in _SYMBOL_NAMES:
        return not font.is_own
    return not font.is_own and font.width == 1 and font.text(_PLAIN_CODES) == _PLAIN_CODES.decode()


def is_plain_look(walk: Walk, value: Value) -> bool:
    """Whether a default appearance, by which viewers may draw a field anew, lets its text be read (12.7.4.3)."""
    if value is None:
        return True
    if not isinstance(value, Text) or len(value) > _LONGEST_DEFAULT:
        return False
    name, size, bright, operands = b"", -1.0, 0.0, list[bytes]()
    for word in value.replace(b"/", b" /").split():
        operands.append(word)
        numbers = [float(v) for v in operands[:-1] if _NUMBER.fullmatch(v)]
        if word == b"Tf" and len(operands) == 3 and numbers:
            name, size = operands[0][1:], numbers[-1]
        elif word in (b"g", b"rg", b"k") and len(numbers) == len(operands) - 1:
            found = shade(numbers)
            bright = 1.0 if found is None else found
        elif word[:1].isalpha():
            return False
        operands = [] if word[:1].isalpha() else operands
    form = walk.new.entry_of(walk.new.root.get(b"AcroForm"), b"DR")
    before = walk.old.entry_of(walk.old.root.get(b"AcroForm"), b"DR")
    known = walk.old.entry_of(walk.old.entry_of(before, b"Font"), name) is not None
    plain = known or not isinstance(form, dict) or is_plain_font(walk, form, name)
    return plain and (size == 0 or size >= _LEAST_SIZE) and bright <= _BRIGHTEST


class FontReader:
    """The fonts of one appearance stream, and behind them those of the form's default resources."""

    def __init__(self, walk: Walk, stream: Stream) -> None:
        self.walk = walk
        self._known: dict[bytes, ReadFont] = {}
        self._resources = [self._fonts(stream.get(b"Resources")), self._fonts(self._defaults())]

    def _defaults(self) -> Value:
        form = self.walk.new.resolve(self.walk.new.root.get(b"AcroForm"))
        return form.get(b"DR") if isinstance(form, dict) else None

    def _fonts(self, raw: Value) -> Dictionary:
        resources = self.walk.new.resolve(raw)
        fonts = self.walk.new.resolve(resources.get(b"Font")) if isinstance(resources, dict) else None
        return fonts if isinstance(fonts, dict) else {}

    def named(self, name: bytes | float) -> ReadFont:
        """The font that the operator Tf selects."""
        key = bytes(name) if isinstance(name, bytes) else b""
        if key not in self._known:
            raw = next((fonts[key] for fonts in self._resources if key in fonts), None)
            held = self.walk.new.resolve(raw)
            self._known[key] = self._read(raw, held) if isinstance(held, dict) else ReadFont()
            if key not in self._resources[0] and self._is_on_a_page(key, raw):
                self._known[key] = ReadFont(base="")
        return self._known[key]

    def _is_on_a_page(self, key: bytes, raw: Value) -> bool:
        """Whether a page has another font of a name that the stream's own resources lack: some viewers take that."""
        if self.walk.page_fonts is None:
            self.walk.page_fonts = {}
            met: set[int] = set()
            for page in pages(self.walk.new):
                self.walk.effort.spend(8)
                above: Value = page.dictionary
                for _ in range(_MOST_LEVELS):
                    fonts = self._fonts(self.walk.new.entry_of(above, b"Resources"))
                    if id(fonts) in met:
                        break
                    met.add(id(fonts))
                    for name, font in fonts.items():
                        self.walk.page_fonts.setdefault(name, []).append(font)
                    above = self.walk.new.entry_of(above, b"Parent")
        return any(not same_value(font, raw) for font in self.walk.page_fonts.get(key, ()))

    def _read(self, raw: Value, held: Dictionary) -> ReadFont:
        walk = self.walk
        kind = walk.new.resolve(held.get(b"Subtype"))
        font = ReadFont(is_own=self._is_own(raw, held), width=2 if kind == b"Type0" else 1)
        is_signed = not font.is_own and isinstance(raw, Reference) and walk.old.resolve(raw) is not None
        encoding = walk.new.resolve(held.get(b"Encoding"))
        based = walk.new.entry_of(encoding, b"BaseEncoding") if isinstance(encoding, dict) else encoding
        if based is not None:
            font.base = _BASES.get(bytes(based) if isinstance(based, Name) else b"", "")
        if isinstance(encoding, dict):
            font.codes.update(self._differences(encoding))
        known = dict(font.codes)
        unicode_map = walk.new.resolve(held.get(b"ToUnicode"))
        if isinstance(unicode_map, Stream):
            font.codes.update(read_map(walk.new.decoded(unicode_map, _MOST_MAP_BYTES)))
        if not self._is_embedded(held) and kind not in (b"Type0", b"Type3"):
            self._distrust(font, held, known, is_signed=is_signed)
        return font

    def _distrust(self, font: ReadFont, held: Dictionary, known: dict[int, str], *, is_signed: bool) -> None:
        """Where viewers choose the shapes, a code is what its name says, and a map that says otherwise is a lie."""
        base = self.walk.new.resolve(held.get(b"BaseFont"))
        if isinstance(base, Name) and _SYMBOLS.match(base):
            font.base, font.codes = "", {}
        if is_signed:
            return
        for code, text in font.codes.items():
            if code < 256 and plain_text(text) != plain_text(known.get(code) or font.plain(code)):
                font.codes[code] = _UNKNOWN
        first = self.walk.new.resolve(held.get(b"FirstChar"))
        for code, raw in enumerate(self.walk.new.items_of(held.get(b"Widths")), first if isinstance(first, int) else 0):
            width = self.walk.new.resolve(raw)
            narrow = width == 0 and not (known.get(code) or font.plain(code)).strip(_UNKNOWN + " ")
            if not isinstance(width, (int, float)) or not (_LEAST_WIDTH <= width <= _MOST_WIDTH or narrow):
                font.codes[code] = _UNKNOWN

    def _is_embedded(self, held: Dictionary) -> bool:
        descriptor = self.walk.new.resolve(held.get(b"FontDescriptor"))
        return isinstance(descriptor, dict) and any(k.startswith(b"FontFile") for k in descriptor)

    def _is_own(self, raw: Value, held: Dictionary) -> bool:
        """Whether shapes or meanings of its characters are not those of a font that was signed."""
        if isinstance(raw, Reference) and self.walk.old.resolve(raw) is not None:
            return not self.walk.unchanged(raw, raw)
        return self._is_embedded(held) or self.walk.new.resolve(held.get(b"Subtype")) in (b"Type0", b"Type3")

    def _differences(self, encoding: Dictionary) -> dict[int, str]:
        found: dict[int, str] = {}
        code = 0
        differences = self.walk.new.resolve(encoding.get(b"Differences"))
        for raw in differences if isinstance(differences, list) else []:
            item = self.walk.new.resolve(raw)
            if isinstance(item, int):
                code = item
            elif isinstance(item, Name):
                found[code] = glyph_text(item.decode("latin-1"))
                code += 1
        return found


def plain_text(text: str) -> str:
    """A text in which forms of one character are the same."""
    return unicodedata.normalize("NFKC", text)


def glyph_text(name: str) -> str:
    """The character that a glyph's name means, a replacement character for names that say nothing."""
    if name in _NAMES:
        return _NAMES[name]
    if len(name) == 1:
        return name
    if match := re.fullmatch(r"uni([0-9A-F]{4})|u([0-9A-F]{4,6})", name):
        return chr(min(int(match[1] or match[2], 16), 0x10FFFF))
    mark = _MARKS.get(name[1:])
    if mark and name[0].isascii() and name[0].isalpha():
        case = "CAPITAL" if name[0].isupper() else "SMALL"
        try:
            return unicodedata.lookup(f"LATIN {case} LETTER {name[0].upper()} WITH {mark}")
        except KeyError:
            return _UNKNOWN
    return _UNKNOWN


def read_map(content: bytes) -> dict[int, str]:
    """The pairs and ranges of a ToUnicode map (9.10.3)."""
    found: dict[int, str] = {}
    for kind, body in _blocks(content):
        if kind == b"bfchar":
            for code, text in _PAIR.findall(body):
                found[int(code, 16)] = _utf16(text)
            continue
        for first, last, text, listed in _RANGE.findall(body):
            start, count = int(first, 16), int(last, 16) - int(first, 16) + 1
            if not 0 < count <= 65_536 or len(found) > _MOST_CODES:
                continue
            if listed:
                parts = re.findall(rb"<([0-9A-Fa-f]+)>", listed)
                found.update({start + i: _utf16(part) for i, part in enumerate(parts[:count])})
            else:
                begin = _utf16(text)
                for index in range(count if begin else 0):
                    found[start + index] = begin[:-1] + chr(min(ord(begin[-1]) + index, 0x10FFFF))
    return found


def _blocks(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The kind and the inside of each block, in one pass."""
    position = 0
    while match := _BEGIN.search(content, position):
        end = content.find(b"end" + match[1], match.end())
        if end < 0:
            return
        yield match[1], content[match.end() : end]
        position = end


def _utf16(digits: bytes) -> str:
    raw = bytes.fromhex((digits + b"0" * (len(digits) % 2)).decode())
    return raw.decode("utf-16-be", "replace") if len(raw) > 1 else raw.decode("latin-1")
