"""Forged licenses: the page, the record and the code of our own sealed documents."""

from __future__ import annotations

from tests.support.forger.registry import forgery  # noqa: F401
