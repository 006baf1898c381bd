"""Reading the JSON files of a type folder: every complaint names file and member.

The folder may come from anybody who may publish types, so nothing in it is executed, sizes are limited, and members
that are not known are refused instead of ignored (a misspelt rule must not vanish silently).
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Collection, Iterator
from typing import Any

from verify.formats.refusal import RefusedError, refuse

_REFUSED_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Invisible, direction-changing or unassigned characters: a text of a type is printed and shown."""


def type_refusal(where: str, zh: str, en: str) -> RefusedError:
    """The refusal of a type folder; ``where`` is ``file: member``. What it quotes is made short."""
    where = where[:200]
    return refuse(
        "BAD_LICENSE_TYPE",
        where,
        f"{where}：{zh}"[:1000],
        f"{where}: {en}"[:1000],
        remedy_zh="请对照 docs/types.md 修改后重新添加",
        remedy_en="correct it after docs/types.md and add the folder again",
    )


def parse_json(file: str, data: bytes) -> Any:
    """The JSON value of one file; duplicate members and non-finite numbers are refused."""

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        value: dict[str, Any] = {}
        for name, item in pairs:
            if name in value:
                raise type_refusal(f"{file}: {name}", "成员重复", "the member stands twice")
            value[name] = item
        return value

    def no_constant(name: str) -> Any:
        raise type_refusal(file, f"不允许的数值 {name}", f"{name} is no number of JSON")

    try:
        return json.loads(data.decode("utf-8"), object_pairs_hook=once, parse_constant=no_constant)
    except UnicodeDecodeError as error:
        raise type_refusal(file, "不是 UTF-8 文本", f"not UTF-8 text ({error.reason})") from error
    except json.JSONDecodeError as error:
        raise type_refusal(
            file,
            f"第 {error.lineno} 行第 {error.colno} 列不是 JSON",
            f"not JSON at line {error.lineno} column {error.colno}",
        ) from error
    except RecursionError as error:
        raise type_refusal(file, "嵌套过深", "nested too deeply") from error


class Member:
    """One JSON object of a type folder, read member by member."""

    def __init__(self, value: Any, file: str, path: str, known: Collection[str]) -> None:
        self.file, self.path = file, path
        if not isinstance(value, dict):
            raise type_refusal(self._where(""), "应为对象", "must be an object")
        for name in value:
            if name not in known:
                raise type_refusal(
                    self._where(name), "未知成员", f"unknown member; known are {', '.join(sorted(known))}"
                )
        self.value: dict[str, Any] = value

    def _where(self, name: str) -> str:
        dotted = f"{self.path}.{name}" if self.path and name else self.path or name
        return f"{self.file}: {dotted}" if dotted else self.file

    def refusal(self, name: str, zh: str, en: str) -> RefusedError:
        """A refusal about the member ``name`` of this object."""
        return type_refusal(self._where(name), zh, en)

    def has(self, name: str) -> bool:
        """Whether the member is there and not null."""
        return self.value.get(name) is not None

    def raw(self, name: str) -> Any:
        """The member as it stands; refused when absent."""
        if name not in self.value:
            raise self.refusal(name, "缺少此成员", "the member is missing")
        return self.value[name]

    def text(self, name: str, default: str | None = None, *, limit: int = 400) -> str:
        """A text of at most ``limit`` characters."""
        if default is not None and not self.has(name):
            return default
        value = self.raw(name)
        if not isinstance(value, str) or len(value) > limit:
            raise self.refusal(name, f"应为不超过 {limit} 字的文本", f"must be text of at most {limit} characters")
        self._check_characters(name, value)
        return value

    def choice(self, name: str, choices: Collection[str], default: str | None = None) -> str:
        """A text out of ``choices``."""
        value = self.text(name, default)
        if value not in choices:
            listed = ", ".join(sorted(choices))
            raise self.refusal(name, f"应为下列之一：{listed}", f"must be one of {listed}")
        return value

    def number(self, name: str, default: float | None = None, *, low: float = 0, high: float = 2000) -> float:
        """A number from ``low`` to ``high``."""
        if default is not None and not self.has(name):
            return float(default)
        value = self.raw(name)
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= high:
            raise self.refusal(name, f"应为 {low:g} 至 {high:g} 的数", f"must be a number from {low:g} to {high:g}")
        return float(value)

    def integer(self, name: str, default: int | None = None, *, low: int = 0, high: int = 10_000) -> int:
        """A whole number from ``low`` to ``high``."""
        value = self.number(name, default, low=low, high=high)
        if not value.is_integer():
            raise self.refusal(name, "应为整数", "must be a whole number")
        return int(value)

    def boolean(self, name: str, default: bool = False) -> bool:
        """True or false."""
        value = self.value.get(name, default)
        if not isinstance(value, bool):
            raise self.refusal(name, "应为 true 或 false", "must be true or false")
        return value

    def numbers(self, name: str, count: int, *, low: float = -2000, high: float = 2000) -> tuple[float, ...]:
        """A list of exactly ``count`` numbers."""
        value = self.raw(name)
        if not isinstance(value, list) or len(value) != count:
            raise self.refusal(name, f"应为 {count} 个数的列表", f"must be a list of {count} numbers")
        for v in value:
            if isinstance(v, bool) or not isinstance(v, (int, float)) or not low <= v <= high:
                raise self.refusal(name, "含有不允许的数", "holds something that is no number in range")
        return tuple(float(v) for v in value)

    def texts(self, name: str, *, limit: int = 200) -> tuple[str, ...]:
        """A list of texts; empty when absent."""
        value = self.value.get(name, [])
        if not isinstance(value, list) or len(value) > limit or not all(isinstance(v, str) for v in value):
            raise self.refusal(name, f"应为不超过 {limit} 项的文本列表", f"must be a list of at most {limit} texts")
        for text in value:
            self._check_characters(name, text)
        return tuple(value)

    def _check_characters(self, name: str, text: str) -> None:
        bad = next((c for c in text if c != "\n" and unicodedata.category(c) in _REFUSED_CATEGORIES), None)
        if bad is not None:
            code = f"U+{ord(bad):04X}"
            raise self.refusal(name, f"含有控制或不可见字符 {code}", f"holds a control or invisible character {code}")

    def object(self, name: str, known: Collection[str]) -> Member:
        """A nested object."""
        return Member(self.raw(name), self.file, self._path(name), known)

    def objects(self, name: str, known: Collection[str], *, limit: int = 300) -> Iterator[Member]:
        """A list of objects; empty when absent."""
        value = self.value.get(name, [])
        if not isinstance(value, list) or len(value) > limit:
            raise self.refusal(name, f"应为不超过 {limit} 项的列表", f"must be a list of at most {limit}")
        for index, item in enumerate(value):
            yield Member(item, self.file, f"{self._path(name)}[{index}]", known)

    def _path(self, name: str) -> str:
        return f"{self.path}.{name}" if self.path else name
