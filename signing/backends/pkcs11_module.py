"""One PKCS#11 module loaded into this process: its gate, its log-ins, and its life across forks.

A module is process-wide: finalizing it to find a returned token ends the sessions of every backend on it, and so does
a fork. Both raise the *generation*; whoever holds sessions of an older one throws them away. Calls into the module
pass a gate that lets many through, or one alone (initializing, forking).
"""

from __future__ import annotations

import hmac
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pkcs11
from pkcs11 import TokenFlag
from pkcs11.exceptions import (
    PinExpired,
    PinIncorrect,
    PinInvalid,
    PinLenRange,
    PinLocked,
    PKCS11Error,
    UserAlreadyLoggedIn,
)

from signing.backends.pins import PinMarks
from signing.backends.pkcs11_start import Starter, between_processes
from signing.backends.pkcs11_uri import Pkcs11Uri
from signing.errors import BackendUnavailableError, PinError, PinNotTriedError, SigningError

_modules: dict[str, Module] = {}
_modules_lock = threading.Lock()
_softhsm_conf: str | None = None
_PIN_REFUSED = (PinExpired, PinIncorrect, PinInvalid, PinLenRange, PinLocked)


class _Gate:
    """Many callers together, or one alone; a caller that waits to be alone lets no new ones in."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._inside = 0
        self._alone = False

    @contextmanager
    def together(self) -> Iterator[None]:
        with self._condition:
            while self._alone:
                self._condition.wait()
            self._inside += 1
        try:
            yield
        finally:
            with self._condition:
                self._inside -= 1
                if not self._inside:
                    self._condition.notify_all()

    def shut(self) -> None:
        with self._condition:
            while self._alone:
                self._condition.wait()
            self._alone = True
            while self._inside:
                self._condition.wait()

    def open(self) -> None:
        with self._condition:
            self._alone = False
            self._condition.notify_all()

    @contextmanager
    def alone(self) -> Iterator[None]:
        self.shut()
        try:
            yield
        finally:
            self.open()


class Module:
    """A loaded module. Get it with :func:`load_module`."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.gate = _Gate()
        self.generation = 0
        self._logins: dict[bytes, tuple[Any, bytes]] = {}
        self._login_lock = threading.Lock()
        self._marks = PinMarks()
        self._stale = False
        try:
            with between_processes(path):
                self._lib = pkcs11.lib(path)
            self._starter = Starter(path)
            self._starter.restart()
        except (PKCS11Error, RuntimeError, OSError) as error:
            raise BackendUnavailableError(f"the PKCS#11 module {path} does not load: {error}") from error
        os.register_at_fork(
            before=self.gate.shut, after_in_parent=self.gate.open, after_in_child=self._after_fork_in_child
        )

    def _after_fork_in_child(self) -> None:
        # The threads of the parent are gone, and with them whoever held a lock; sessions belong to the parent.
        self.gate = _Gate()
        self._login_lock = threading.Lock()
        self._stale = True
        self.generation += 1

    @contextmanager
    def entered(self) -> Iterator[int]:
        """Hold the gate together with others; gives the generation. A forked child initializes anew first."""
        if self._stale:
            self.renew(self.generation)
        with self.gate.together():
            yield self.generation

    def renew(self, seen: int) -> None:
        """Finalize and initialize again, unless somebody did since generation ``seen``. Ends all sessions."""
        with self.gate.alone():
            if self.generation != seen and not self._stale:
                return
            self._logins.clear()
            self.generation += 1
            self._stale = True
            try:
                self._starter.restart()
            except OSError as error:
                raise BackendUnavailableError(f"the PKCS#11 module does not start: {error}") from error
            self._stale = False

    def token(self, uri: Pkcs11Uri) -> Any:
        """The one token that ``uri`` names; BackendUnavailableError when it is not there now."""
        found = [t for t in self._tokens() if _matches(t, uri)]
        if len(found) > 1:
            raise SigningError("several tokens have this name: add the serial", uri=uri.token_uri())
        if not found:
            raise BackendUnavailableError("the token is not there", uri=uri.token_uri())
        return found[0]

    def _tokens(self) -> list[Any]:
        try:
            slots = self._lib.get_slots(token_present=True)
        except PKCS11Error as error:
            raise BackendUnavailableError(f"the PKCS#11 module lists no tokens: {error!r}") from error
        tokens = []
        for slot in slots:
            try:
                tokens.append(slot.get_token())
            except PKCS11Error:
                continue  # taken out between the two calls, or never initialized
        return tokens

    def log_in(self, token: Any, pin: str, uri: str) -> None:
        """Log this process in to ``token``; at most one try with a PIN. PinError when it is refused.

        A log-in counts for the whole process, so a token that is open already must be given the same PIN. A token that
        says that its next wrong PIN would lock it is not asked at all (PinNotTriedError).
        """
        mark = self._marks.of(pin)
        with self._login_lock:
            known = self._logins.get(token.serial)
            if known is not None:
                if not hmac.compare_digest(known[1], mark):
                    raise PinError("the token is open in this process under another PIN", uri=uri)
                return
            try:
                with between_processes(self.path):  # so that the token's count of wrong PINs is the newest
                    _refuse_lock_out(token.slot.get_token().flags, uri)
                    session = token.open(user_pin=pin)
            except UserAlreadyLoggedIn:
                session = None
            except _PIN_REFUSED as error:
                raise PinError(
                    f"the token refused the PIN ({type(error).__name__}); it is not retried", uri=uri
                ) from None
            self._logins[token.serial] = (session, mark)


def _refuse_lock_out(flags: TokenFlag, uri: str) -> None:
    """PinNotTriedError before a try that could lock the token, or that cannot succeed any more (PKCS#11 2.40, 3.2)."""
    if flags & TokenFlag.USER_PIN_LOCKED:
        raise PinNotTriedError("the token's PIN is locked, nothing was tried: its security officer sets one", uri=uri)
    if flags & TokenFlag.USER_PIN_FINAL_TRY:
        raise PinNotTriedError(
            "one more wrong PIN would lock the token, so nothing was tried: log in once with the maker's tool", uri=uri
        )


def _matches(token: Any, uri: Pkcs11Uri) -> bool:
    wanted = (
        (uri.token, token.label),
        (uri.manufacturer, token.manufacturer_id),
        (uri.model, token.model),
        (uri.serial, token.serial.decode("utf-8", "replace").strip()),
        (uri.slot_id, token.slot.slot_id),
    )
    return all(want is None or want == have for want, have in wanted)


def load_module(path: str, softhsm_conf: str | None = None) -> Module:
    """Load the module once in this process.

    ``softhsm_conf`` is the configuration file for SoftHSM, which knows only one a process: another one while the module
    is loaded raises SigningError.
    """
    global _softhsm_conf  # noqa: PLW0603
    with _modules_lock:
        if softhsm_conf is not None:
            if path in _modules and _softhsm_conf not in (None, softhsm_conf):
                raise SigningError(
                    f"this process uses SoftHSM with {_softhsm_conf}; {softhsm_conf} needs a process of its own"
                )
            if path in _modules and _softhsm_conf is None and os.environ.get("SOFTHSM2_CONF") != softhsm_conf:
                raise SigningError(f"SoftHSM was started with another configuration than {softhsm_conf}")
            os.environ["SOFTHSM2_CONF"] = softhsm_conf
            _softhsm_conf = softhsm_conf
        if path not in _modules:
            _modules[path] = Module(path)
        return _modules[path]
