"""What goes wrong in the vault.

Two families. A *refusal* is a rule's answer to a request and is a :class:`verify.formats.refusal.RefusedError`; the
subclasses here let a caller tell "not there" and "not allowed" from "wrong data". A *failure* is trouble of the vault
itself, carries a stable ``code``, and says whether trying again later makes sense.
"""

from __future__ import annotations

from verify.formats.refusal import Refusal, RefusedError, Text, refuse


class NotFoundError(RefusedError):
    """Nothing of that name is here, or the caller may not know that it is."""


class ForbiddenError(RefusedError):
    """The caller's roles do not cover the request."""


class ConflictError(RefusedError):
    """The request contradicts what the vault already holds."""


class VaultError(Exception):
    """Base of failures. ``code`` is stable; ``retry`` tells whether the same call may succeed later."""

    code = "VAULT_FAILED"
    retry = False


class SettingsError(VaultError):
    """The folder is no vault, or its settings cannot be used; ``reason`` says it in both languages."""

    code = "SETTINGS_WRONG"

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(en)
        self.reason = Text(zh, en)


class DatabaseBusyError(VaultError):
    """Another process holds the database longer than the busy timeout."""

    code = "DATABASE_BUSY"
    retry = True


class DeadlockError(DatabaseBusyError):
    """Two writers waited for each other and the database ended this one's transaction; nothing of it remains."""


class DatabaseUnavailableError(VaultError):
    """The database does not answer."""

    code = "DATABASE_UNAVAILABLE"
    retry = True


class StorageFullError(VaultError):
    """No space left on the device of the database or of the document store."""

    code = "STORAGE_FULL"
    retry = True


class StorageUnavailableError(VaultError):
    """The document store does not answer, or refuses."""

    code = "STORAGE_UNAVAILABLE"
    retry = True


class ConcurrentChangeError(VaultError):
    """The record was changed by another writer since it was read."""

    code = "CONCURRENT_CHANGE"
    retry = True


class DuplicateRowError(VaultError):
    """A unique constraint of the database said no. ``constraint`` is its name, as far as the database tells."""

    code = "DUPLICATE_ROW"

    def __init__(self, message: str, constraint: str = "") -> None:
        super().__init__(message)
        self.constraint = constraint


class CorruptDataError(VaultError):
    """Stored bytes do not decrypt or do not have the digest that was recorded."""

    code = "DATA_CORRUPT"


def not_found(what_zh: str, what_en: str, name: str) -> NotFoundError:
    """There is no ``what`` called ``name``."""
    return NotFoundError(
        Refusal(
            "NOT_FOUND",
            "",
            Text(f"没有这个{what_zh}：{name}", f"there is no {what_en} {name}"),
            Text("请核对名称后重试。", "Check the name and try again."),
        )
    )


def forbidden(role: str) -> ForbiddenError:
    """The caller lacks ``role``."""
    return ForbiddenError(
        Refusal(
            "FORBIDDEN",
            "",
            Text(f"此操作需要角色 {role}", f"this needs the role {role}"),
            Text("请使用具有该角色的令牌。", "Use a token that has this role."),
        )
    )


def conflict(code: str, field: str, zh: str, en: str, *, remedy_zh: str, remedy_en: str) -> ConflictError:
    """The request contradicts what is already here."""
    return ConflictError(Refusal(code, field, Text(zh, en), Text(remedy_zh, remedy_en)))


def cursor_unknown() -> RefusedError:
    """A cursor that no page gave."""
    return refuse(
        "CURSOR_UNKNOWN",
        "cursor",
        "无法识别的分页游标",
        "the cursor is none that was given out",
        remedy_zh="请原样使用上一页给出的游标，或不带游标从头开始。",
        remedy_en="Use the cursor of the page before as it is, or none to begin anew.",
    )
