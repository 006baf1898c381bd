"""Reading typed members of foreign JSON, naming the path of what is wrong."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

MAX_TEXT = 4_000
MAX_ITEMS = 20_000
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
HTTP = re.compile(r"https?://[!-~]{1,490}")
"""An address: visible ASCII, as it is shown and asked."""
_STEERING = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]")


class MemberError(ValueError):
    """A member is missing or of the wrong kind. The message names it."""


class Members:
    """One JSON object. Each method gives a member of one kind or raises MemberError with its path."""

    def __init__(self, value: Any, path: str = "") -> None:
        if not isinstance(value, dict):
            raise MemberError(f"{path or 'the document'} is no object")
        self.value: dict[str, Any] = value
        self.path = path

    def at(self, name: str) -> str:
        """The path of a member."""
        return f"{self.path}.{name}" if self.path else name

    def has(self, name: str) -> bool:
        """Whether the member is there and not null."""
        return self.value.get(name) is not None

    def get(self, name: str) -> Any:
        """The member as it is."""
        if name not in self.value:
            raise MemberError(f"{self.at(name)} is missing")
        return self.value[name]

    def text(self, name: str, default: str | None = None, *, limit: int = MAX_TEXT) -> str:
        """Text of at most ``limit`` characters."""
        if default is not None and not self.has(name):
            return default
        return self._text(self.get(name), self.at(name), limit)

    def line(self, name: str, default: str | None = None, *, limit: int = MAX_TEXT) -> str:
        """Text as :meth:`text` gives it that a person is shown: nothing in it steers a terminal or turns a line."""
        found = self.text(name, default, limit=limit)
        if _STEERING.search(found):
            raise MemberError(f"{self.at(name)} holds control characters")
        return found

    def matching(self, name: str, pattern: re.Pattern[str], default: str | None = None) -> str:
        """Text of a given shape; ``default`` stands for one that is missing."""
        found = self.text(name, default)
        if not (found == default or pattern.fullmatch(found)):
            raise MemberError(f"{self.at(name)} is not of the form expected")
        return found

    def integer(self, name: str, default: int | None = None, *, low: int = 0, high: int = 2**53 - 1) -> int:
        """A whole number from ``low`` to ``high``."""
        value = default if default is not None and not self.has(name) else self.get(name)
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise MemberError(f"{self.at(name)} is no whole number from {low} to {high}")
        return value

    def boolean(self, name: str, default: bool | None = None) -> bool:
        """True or false."""
        value = default if default is not None and not self.has(name) else self.get(name)
        if not isinstance(value, bool):
            raise MemberError(f"{self.at(name)} is neither true nor false")
        return value

    def moment(self, name: str) -> datetime:
        """RFC 3339 in UTC with whole seconds."""
        text = self.text(name)
        try:
            if not _MOMENT.fullmatch(text):
                raise ValueError(text)
            return datetime.fromisoformat(text.removesuffix("Z")).replace(tzinfo=UTC)
        except ValueError as error:
            raise MemberError(f"{self.at(name)} is no moment in UTC") from error

    def optional_moment(self, name: str) -> datetime | None:
        """A moment, or None when the member is missing or null."""
        return self.moment(name) if self.has(name) else None

    def optional_date(self, name: str) -> date | None:
        """A day, or None when the member is missing or null."""
        if not self.has(name):
            return None
        try:
            return date.fromisoformat(self.text(name, limit=10))
        except ValueError as error:
            raise MemberError(f"{self.at(name)} is no date") from error

    def items(self, name: str, *, limit: int = MAX_ITEMS) -> list[Any]:
        """A list; empty when the member is missing or null."""
        value = self.value.get(name)
        if value is None:
            return []
        if not isinstance(value, list) or len(value) > limit:
            raise MemberError(f"{self.at(name)} is no list of at most {limit}")
        return value

    def texts(self, name: str, *, limit: int = MAX_ITEMS) -> tuple[str, ...]:
        """A list of texts."""
        return tuple(self._text(v, self.at(name), MAX_TEXT) for v in self.items(name, limit=limit))

    def optional_texts(self, name: str) -> tuple[str, ...] | None:
        """A list of texts, or None when the member is missing or null."""
        return self.texts(name) if self.has(name) else None

    def object(self, name: str) -> Members:
        """An object."""
        return Members(self.get(name), self.at(name))

    def optional_object(self, name: str) -> Members:
        """An object; an empty one when the member is missing or null."""
        return Members(self.value.get(name) or {}, self.at(name))

    def objects(self, name: str, *, limit: int = MAX_ITEMS) -> list[Members]:
        """A list of objects."""
        return [Members(v, f"{self.at(name)}[{i}]") for i, v in enumerate(self.items(name, limit=limit))]

    def octets(self, name: str, *, limit: int = 64_000) -> bytes:
        """Bytes in base64 of at most ``limit`` characters."""
        return self._octets(self.get(name), self.at(name), limit)

    def all_octets(self, name: str, *, most: int, limit: int = 64_000) -> tuple[bytes, ...]:
        """A list of bytes in base64."""
        return tuple(self._octets(v, self.at(name), limit) for v in self.items(name, limit=most))

    def checked(self, name: str, read: Callable[[Any], Any]) -> Any:
        """What ``read`` makes of the member; its ValueError becomes MemberError."""
        try:
            return read(self.get(name))
        except MemberError:
            raise
        except (ValueError, TypeError, KeyError) as error:
            raise MemberError(f"{self.at(name)}: {error}") from error

    @staticmethod
    def _text(value: Any, path: str, limit: int) -> str:
        if not isinstance(value, str) or len(value) > limit:
            raise MemberError(f"{path} is no text of at most {limit} characters")
        return value

    @classmethod
    def _octets(cls, value: Any, path: str, limit: int) -> bytes:
        try:
            return base64.b64decode(cls._text(value, path, limit), validate=True)
        except ValueError as error:  # binascii.Error among them
            raise MemberError(f"{path} is not base64") from error


def moment_text(moment: datetime) -> str:
    """RFC 3339 in UTC with whole seconds."""
    return moment.astimezone(UTC).replace(microsecond=0, tzinfo=None).isoformat() + "Z"


def base64_text(data: bytes) -> str:
    """Base64 with padding, as certificates stand in JSON (RFC 7515 4.1.6)."""
    return base64.b64encode(data).decode("ascii")
