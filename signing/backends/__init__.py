"""Where keys live. The only place that opens private keys.

``open_backend`` reads a URI: ``memory:``, ``file:/folder`` or ``pkcs11:token=LABEL?module-path=/path/to/module.so``.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from signing.backends.base import Backend, PinSource
from signing.backends.files import FilesBackend
from signing.backends.memory import MemoryBackend
from signing.backends.softhsm import create_softhsm_token, softhsm_available, softhsm_configuration, softhsm_module
from signing.errors import BackendUnavailableError, PinError, SigningError

__all__ = [
    "Backend",
    "PinSource",
    "create_softhsm_token",
    "open_backend",
    "pin_from_environment",
    "pin_from_file",
    "softhsm_available",
    "softhsm_configuration",
    "softhsm_module",
]


def open_backend(uri: str, *, pin: PinSource | None = None, **options: Any) -> Backend:
    """Open the home of keys that ``uri`` names. Nothing is asked of it before the first key is.

    Options of ``pkcs11:``: ``sessions`` (default 4), ``module_path`` where the URI has none, ``softhsm_conf``,
    ``mechanisms`` (tables as :mod:`signing.backends.pkcs11_mechanisms` says). The URI's ``pin-source`` (a file) is used
    when ``pin`` is None. Raises SigningError for a URI of no known kind or an unknown option,
    BackendUnavailableError when a module does not load.
    """
    scheme = uri.partition(":")[0]
    if scheme == "memory":
        _no_more(options)
        return MemoryBackend()
    if scheme == "file":
        _no_more(options)
        return FilesBackend(_folder(uri), pin)
    if scheme == "pkcs11":
        return _open_pkcs11(uri, pin, options)
    raise SigningError("keys live in memory:, file: or pkcs11:, nowhere else")


def _open_pkcs11(uri: str, pin: PinSource | None, options: dict[str, Any]) -> Backend:
    from signing.backends.pkcs11_uri import parse_pkcs11_uri

    where = parse_pkcs11_uri(uri)
    try:
        from signing.backends.pkcs11 import Pkcs11Backend
        from signing.backends.pkcs11_mechanisms import read_mechanisms
        from signing.backends.pkcs11_module import load_module
    except ImportError as error:
        raise BackendUnavailableError("python-pkcs11 is not installed: certvault[service] brings it") from error
    path = where.module_path or options.pop("module_path", None)
    options.pop("module_path", None)
    softhsm_conf = options.pop("softhsm_conf", None)
    sessions = options.pop("sessions", 4)
    mechanisms = read_mechanisms(options.pop("mechanisms", None) or {})
    _no_more(options)
    if path is None:
        raise SigningError("the URI has no module-path", uri=where.token_uri())
    if not Path(path).is_file():
        raise BackendUnavailableError(f"there is no PKCS#11 module at {path}", uri=where.token_uri())
    if pin is None and where.pin_source is not None:
        pin = pin_from_file(Path(where.pin_source.removeprefix("file:")))
    module = load_module(path, None if softhsm_conf is None else str(softhsm_conf))
    return Pkcs11Backend(where, module, pin, sessions, mechanisms)


def _folder(uri: str) -> Path:
    text = uri.removeprefix("file:")
    if text.startswith("//"):
        raise SigningError("a key folder is written file:/folder, without a host", uri=uri)
    if not text:
        raise SigningError("the URI names no folder", uri=uri)
    return Path(text)


def _no_more(options: dict[str, Any]) -> None:
    if options:
        raise SigningError(f"unknown backend option: {', '.join(sorted(options))}")


def pin_from_file(path: Path) -> PinSource:
    """A PIN on the first line of a file, read when it is needed."""

    def read() -> str:
        try:
            line = path.read_text().split("\n", 1)[0].strip()
        except OSError as error:
            raise PinError(f"the PIN file {path} cannot be read: {error.strerror}") from None
        if not line:
            raise PinError(f"the PIN file {path} is empty")
        return line

    return read


def pin_from_environment(name: str) -> PinSource:
    """A PIN in an environment variable, read when it is needed."""

    def read() -> str:
        value = os.environ.get(name, "")
        if not value:
            raise PinError(f"the environment has no {name}")
        return value

    return read
