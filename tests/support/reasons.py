"""Reads from the verifier's source which reasons it can give; the changing part of an f-string is written ``{}``."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

VERIFY = Path(__file__).resolve().parents[2] / "verify"
PARAMETERS = {"reason", "what", "check", "purpose", "member", "error"}
OUTSIDE = {"__main__.py", "sources.py", "facts.py", "catalog.py"}
"""What these raise or say goes to the caller of the library, not into a finding."""
_PROSE = re.compile(r"[a-z]{2,} ")


def phrases() -> dict[str, str]:
    """Each English phrase that may stand in a finding, with where it was found."""
    found: dict[str, str] = {}
    for path in sorted(VERIFY.rglob("*.py")):
        if path.name in OUTSIDE or "messages" in path.parts or "report" in path.parts:
            continue
        for phrase, line in _phrases_in(ast.parse(path.read_text("utf-8"))):
            if _PROSE.search(phrase):
                found.setdefault(phrase, f"{path.relative_to(VERIFY)}:{line}")
    return found


def _phrases_in(tree: ast.AST) -> Iterator[tuple[str, int]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef) and any("StrEnum" in ast.unparse(base) for base in node.bases):
            for statement in node.body:
                if isinstance(statement, ast.Assign):
                    yield from ((text, statement.lineno) for text in _texts(statement.value))
        if isinstance(node, ast.Call):
            named = [k.value for k in node.keywords if k.arg in PARAMETERS]
            raised = node.args if _name(node.func).endswith("Error") and _name(node.func) != "AttributeError" else []
            for value in (*named, *raised):
                for text in _texts(value):
                    yield text, node.lineno


def _name(function: ast.expr) -> str:
    if isinstance(function, ast.Name):
        return function.id
    return function.attr if isinstance(function, ast.Attribute) else ""


def _texts(node: ast.expr) -> Iterator[str]:
    """The texts an expression can give; what stands in an f-string's slot is no text of its own."""
    if isinstance(node, ast.Constant):
        if isinstance(node.value, str):
            yield node.value
    elif isinstance(node, ast.JoinedStr):
        yield "".join(str(v.value) if isinstance(v, ast.Constant) else "{}" for v in node.values)
    elif isinstance(node, ast.IfExp):
        yield from _texts(node.body)
        yield from _texts(node.orelse)
    elif isinstance(node, ast.BoolOp):
        for value in node.values:
            yield from _texts(value)
