"""What can go wrong at a key. Every error names the key's URI and never a secret."""

from __future__ import annotations


class SigningError(Exception):
    """Base of the errors of this package. ``uri`` is the key or token meant, without any PIN; ``reason`` the rest."""

    code = "SIGNING_FAILED"

    def __init__(self, message: str, *, uri: str = "") -> None:
        super().__init__(f"{message} [{uri}]" if uri else message)
        self.uri = uri
        self.reason = message


class PurposeError(SigningError):
    """A key was asked to sign what it is not for."""

    code = "KEY_PURPOSE"


class KeyNotFoundError(SigningError):
    """The token or folder holds no such key."""

    code = "KEY_NOT_FOUND"


class NotExportableError(SigningError):
    """The key was not made to be backed up."""

    code = "KEY_NOT_EXPORTABLE"


class ShareError(SigningError):
    """Shares of a key are too few, of different keys, mistyped or false. Never says what stood in them.

    Keepers read it, so it comes in both languages: ``zh`` is the Chinese.
    """

    code = "KEY_SHARES"

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(en)
        self.zh = zh


class BackendUnavailableError(SigningError):
    """The token or module is not there now; the same call may succeed later without a restart."""

    code = "BACKEND_UNAVAILABLE"


class PinError(SigningError):
    """The PIN is missing or wrong. Nothing is retried, so that the token does not lock."""

    code = "PIN_REFUSED"


class PinNotTriedError(PinError):
    """The PIN was not tried: the token is locked, or one more wrong PIN would lock it."""


class MechanismError(SigningError):
    """The token does not support the mechanism or kind of key."""

    code = "MECHANISM_UNSUPPORTED"
