"""Errors inside the verifier. Each becomes a finding; none reaches a caller of the library."""

from __future__ import annotations

from typing import Any

from verify.place import Place


class UnreadableError(Exception):
    """Input that cannot be judged further. ``code`` is a finding's code."""

    def __init__(self, code: str, *, where: str = "", place: Place | None = None, **params: Any) -> None:
        super().__init__(code, params)
        self.code = code
        self.where = where
        self.place = place
        self.params = params


class LimitError(UnreadableError):
    """Input that would cost more than the policy allows."""
