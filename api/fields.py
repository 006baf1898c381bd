"""Faults of single members of a request, as pydantic names them, in the words of both languages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from verify.formats.refusal import Refusal, RefusedError, Text

_PLACES = frozenset({"body", "query", "path", "header", "cookie"})
_REMEDY = Text("请对照 /openapi.json 检查请求。", "Check the request against /openapi.json.")

WORDS: Mapping[str, Text] = {
    "missing": Text("缺少该项", "it is missing"),
    "extra_forbidden": Text("没有这一项", "there is no such member"),
    "string_type": Text("应为文本", "it must be text"),
    "string_too_long": Text("超过 {max_length} 个字符", "it has more than {max_length} characters"),
    "string_too_short": Text("少于 {min_length} 个字符", "it has fewer than {min_length} characters"),
    "dict_type": Text("应为对象", "it must be an object"),
    "model_type": Text("应为对象", "it must be an object"),
    "model_attributes_type": Text("应为对象", "it must be an object"),
    "list_type": Text("应为列表", "it must be a list"),
    "int_parsing": Text("应为整数", "it must be a whole number"),
    "int_type": Text("应为整数", "it must be a whole number"),
    "bool_parsing": Text("应为是或否", "it must be true or false"),
    "literal_error": Text("应为以下之一：{expected}", "it must be one of {expected}"),
    "greater_than_equal": Text("不能小于 {ge}", "it must not be less than {ge}"),
    "less_than_equal": Text("不能大于 {le}", "it must not be more than {le}"),
}
"""By pydantic's type of error; what stands in braces comes from the error's context."""

_OTHER = Text("不符合要求", "it is not as the description asks")


def refused(errors: Iterable[Mapping[str, Any]]) -> RefusedError:
    """422: the body can be read, but members are missing, unknown or of the wrong kind. ``errors``: pydantic's.

    Members of a union are named as the caller wrote them: where every reading of one failed, it is named once.
    """
    found: dict[str, Refusal] = {}
    for error in errors:
        name = ".".join(part for part in map(str, error["loc"]) if part not in _PLACES and not _is_branch(part))
        found.setdefault(name, Refusal("FIELD_WRONG", name, _worded(error), _REMEDY))
    return RefusedError(found.values() or [Refusal("FIELD_WRONG", "", _OTHER, _REMEDY)])


def _is_branch(part: str) -> bool:
    """Whether ``part`` of a location names a reading of a union, such as ``dict[str,str]`` or ``constrained-str``."""
    return "[" in part or part in ("str", "int", "float", "bool") or part.startswith("constrained-")


def _worded(error: Mapping[str, Any]) -> Text:
    words = WORDS.get(str(error["type"]), _OTHER)
    context = {k: str(v).replace("'", "").replace(" or ", ", ") for k, v in (error.get("ctx") or {}).items()}
    try:
        return Text(words.zh.format(**context).replace(", ", "、"), words.en.format(**context))
    except (KeyError, IndexError):
        return _OTHER
