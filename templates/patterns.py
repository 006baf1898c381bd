"""Regular expressions of type folders: only those that no value keeps busy.

The usual matcher tries one way after another, so what counts is how many ways there are to lay a pattern over a value
of the longest length allowed. Each quantifier multiplies them by its span, each alternative by two, and a pattern that
does not begin with ``^`` by the places where it may begin.
"""

from __future__ import annotations

import re

from templates.members import Member

MAX_WAYS = 1_000_000
_TOKEN = re.compile(
    r"""(?P<class>\[\^?\]?(?:\\.|[^\]\\])*\])
      | (?P<reference>\\[1-9gk])
      | (?P<escape>\\.)
      | (?P<special>\(\?(?!:))
      | (?P<open>\((?:\?:)?)
      | (?P<close>\))
      | (?P<bar>\|)
      | (?P<quantifier>[*+?]|\{(?P<low>[0-9]*)(?P<comma>,?)(?P<high>[0-9]*)\})
      | (?P<atom>.)""",
    re.VERBOSE | re.DOTALL,
)


def safe_pattern(member: Member, name: str, longest: int) -> re.Pattern[str]:
    """Compile a regular expression of a type folder for values of at most ``longest`` characters.

    Refused are quantified groups, lookaround, back references, and what could be laid over a value in too many ways.
    """
    text = member.text(name, limit=200)
    try:
        compiled = re.compile(text)
    except (re.error, OverflowError, RecursionError) as error:
        raise member.refusal(name, "不是正则表达式", f"not a regular expression ({error})") from error
    ways = _ways(text, longest)
    if ways is None:
        raise member.refusal(
            name,
            "不允许对分组使用量词、环视和反向引用",
            "a quantifier after a group, lookaround and back references are not allowed",
        )
    if ways > MAX_WAYS:
        raise member.refusal(
            name,
            f"对 {longest} 字的值匹配可能过慢，请减少 *、+、? 和 |，或以 ^ 开头，或减小 maxLength",
            f"may take long for a value of {longest} characters: use fewer of *, +, ? and |, begin it with ^, or lower "
            "maxLength",
        )
    return compiled


def _ways(text: str, longest: int) -> int | None:
    """Upper bound of the ways to match, or None for what is not allowed at all."""
    ways = 1 if text.startswith("^") and "|" not in text else longest
    before = ""
    for token in _TOKEN.finditer(text):
        kind = token.lastgroup or ""
        if token["quantifier"] is not None and token["quantifier"] != "{}":
            if before == "close":
                return None
            ways *= _span(token, longest)
            kind = "quantifier"
        elif kind in ("special", "reference"):
            return None
        elif kind == "bar":
            ways *= 2
        before = kind
    return ways


def _span(token: re.Match[str], longest: int) -> int:
    """How many numbers of repetitions a quantifier allows."""
    quantifier = token["quantifier"]
    if quantifier in "*+":
        return longest + 1
    if quantifier == "?":
        return 2
    low = int(token["low"] or 0)
    high = int(token["high"] or longest) if token["comma"] else low
    return max(1, min(high, longest) - min(low, longest) + 1)
