"""What a person reads in Chinese is Chinese: full-width punctuation, and no English but the names of things."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("api", "certvault", "templates", "signing")

_NAMES = """
    PDF PDF/A XMP JSON CSV XLSX XML ZIP PNG JPEG SVG QR GB UTF-8 BOM Unicode Excel JavaScript SHA-256
    SD-JWT JWK JWS EC P-256 PIN URL URI HTTP DER PEM X.509 CRL OCSP PKCS SoftHSM SM2 RFC PAdES DSS
    B-B B-T B-LT B-LTA kty crv zh en xls xlsx csv jsonl object true false serial SAMPLE T00
    Accept-Language Authorization Bearer Content-Type TOML Ctrl-C CERTVAULT FONTS certvault init backup verify make run
    docs/types.md operator issuer custodian auditor holder verifier vault.toml role label clients contract license
    CSC API K/N Base64 XFA MB dpi pades ses
    proxy host port ETSI TS
"""
NAMES = frozenset(_NAMES.split())
"""Names of formats, fields, commands and roles, which are the same in every language."""

ALLOWED = re.compile(
    r"certvault(?: [a-z]+)+|--[a-z-]+(?: holder)?|s3://\S+URL"  # commands, options; an address as it is written
    r"|/[a-z0-9./_-]+\.json|https?:?/?/?…?|[a-z0-9+]+:///?…?"  # addresses
    r"|\.[a-z]{3,4}\b|GB/T|[A-Za-z]+\.(?:json|toml)"  # endings and names of files
    r"|[a-z]+_[a-z_]+|\{[a-z_]*\}"  # names of data; what is filled in
    r"|\[[a-z.]+[A-Z0-9_]*\] ?(?:suite)?"  # members of vault.toml
    r"|\b[a-z]+[A-Z][A-Za-z]*|U\+"  # keywords of JSON Schema; code points
)
HAN = re.compile(r"[\u3400-\u9fff]")
HALF_WIDTH = re.compile(
    r"[\u3400-\u9fff）”][,;:?!()]|[,;:?!()](?=[\u3400-\u9fff（“])"
    r"|\}[()]|[()]\{|[\u3400-\u9fff][^\u3400-\u9fff]*\} ?[,;] "
)
QUOTES_CHINESE = re.compile(r"[\x20-\x7e]{2,} [\u3400-\u9fff0-9][\x20-\x7e\u3400-\u9fff·]*")
"""A text that begins in English and quotes a word of Chinese: the English half of a pair, or in both languages."""


def texts(path: Path) -> Iterator[tuple[int, str]]:
    """Every string with Chinese in it that is no docstring, with ``{}`` for what is filled in."""
    tree = ast.parse(path.read_text("utf-8"))
    passed: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            passed.add(id(node.value))
        if isinstance(node, ast.JoinedStr):
            parts = [v.value if isinstance(v, ast.Constant) else "{}" for v in node.values]
            passed.update(id(v) for v in ast.walk(node) if isinstance(v, ast.Constant))
            yield node.lineno, "".join(str(p) for p in parts)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in passed:
            yield node.lineno, node.value


def found() -> list[tuple[str, str]]:
    rows = []
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*.py")):
            rows += [(f"{path.relative_to(ROOT)}:{n}", t) for n, t in texts(path) if _is_chinese(t)]
    return rows


def _is_chinese(text: str) -> bool:
    """Not markup, not a pattern of a reader, not English that quotes Chinese."""
    return bool(HAN.search(text)) and not ("<" in text or "[0-9]" in text or "?:" in text or QUOTES_CHINESE.match(text))


def english_in(text: str) -> list[str]:
    rest = ALLOWED.sub(" ", text)
    return [w for w in re.findall(r"[A-Za-z][A-Za-z0-9./-]*[A-Za-z0-9]|[A-Za-z]{2,}", rest) if w not in NAMES]


def test_there_are_texts_to_look_at() -> None:
    assert len(found()) > 500


def test_no_chinese_text_has_half_width_punctuation() -> None:
    assert not [(where, text) for where, text in found() if HALF_WIDTH.search(text)]


def test_no_chinese_text_has_english_words_in_it() -> None:
    assert not [(where, text, words) for where, text in found() if (words := english_in(text))]


@pytest.mark.parametrize("text", ["没有文件,请重试", "没有文件:{}", "（{}）文件(见)", "文件 foo 不对"])
def test_the_rules_bite(text: str) -> None:
    assert HALF_WIDTH.search(text) or english_in(text)
