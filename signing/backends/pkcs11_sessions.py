"""Sessions of one token: pooled, logged in, renewed when the token went away and came back."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from random import random
from typing import Any, TypeVar

from pkcs11 import exceptions as cki

from signing.backends.base import PinSource
from signing.backends.pins import PinDoor
from signing.backends.pkcs11_module import Module
from signing.backends.pkcs11_uri import Pkcs11Uri
from signing.errors import (
    BackendUnavailableError,
    KeyNotFoundError,
    MechanismError,
    PinError,
    PinNotTriedError,
    SigningError,
)

T = TypeVar("T")

_GONE = (
    cki.DeviceRemoved,
    cki.DeviceError,
    cki.TokenNotPresent,
    cki.TokenNotRecognised,
    cki.SessionHandleInvalid,
    cki.SessionClosed,
    cki.ObjectHandleInvalid,
    cki.KeyHandleInvalid,
    cki.UserNotLoggedIn,
    cki.SlotIDInvalid,
    cki.UserPinNotInitialized,
    cki.GeneralError,
    cki.FunctionFailed,
    cki.HostMemory,
)
_AWAY = (*_GONE, BackendUnavailableError)

_PAUSES = (0.0, 0.02, 0.06, 0.2)
"""Longest waits, in seconds, before each new try. SoftHSM loses sight of a token while other processes start too."""

_UNSUPPORTED = (
    cki.MechanismInvalid,
    cki.MechanismParamInvalid,
    cki.KeySizeRange,
    cki.KeyTypeInconsistent,
    cki.FunctionNotSupported,
    cki.DomainParamsInvalid,
)


class Lane:
    """One session and the objects found through it."""

    def __init__(self, session: Any, generation: int) -> None:
        self.session = session
        self.generation = generation
        self.objects: dict[str, Any] = {}


class Sessions:
    """The sessions of a token that this process holds; at most ``size`` threads work at once, more wait."""

    def __init__(self, where: Pkcs11Uri, module: Module, pin: PinSource | None, size: int) -> None:
        self.uri = where.token_uri()
        self._where = where
        self._module = module
        self._door = PinDoor(pin, missing="no PIN was given for this token", empty="the PIN is empty")
        self._login_lock = threading.Lock()
        self._size = size
        self._pool = _new_pool(size)
        self._born = module.generation

    def renew(self) -> None:
        """Start the module anew, to see the token as it is now."""
        self._module.renew(self._module.generation)

    def close(self) -> None:
        """Give sessions back and forget the PIN."""
        with self._module.entered():
            self._drop_pool()
        self._door.forget()

    def run(self, work: Callable[[Lane], T], uri: str, *, retry: bool = True) -> T:
        """Run ``work`` with a session of its own; again on a renewed module when the token went away.

        ``retry=False`` is for making keys, which is not repeated after it failed half way.
        """
        seen, missed = self._module.generation, False
        try:
            return self._once(work, uri)
        except KeyNotFoundError as error:
            # A token that is being pulled shows no objects before it reports a fault: believe it when it is fresh.
            fault: Exception = error
        except _AWAY as error:
            fault = error
            if not retry:
                self._module.renew(seen)
                raise _unavailable(error, uri) from error
        for pause in _PAUSES:
            time.sleep(pause * random())  # noqa: S311 - spreads processes, hides nothing
            try:
                self._module.renew(seen)
                return self._once(work, uri)
            except KeyNotFoundError as error:
                if missed:
                    raise
                # It may have been pulled between the fresh look at it and the search: only twice in a row counts.
                fault, seen, missed = error, self._module.generation, True
            except _AWAY as error:
                fault, seen, missed = error, self._module.generation, False
        raise _unavailable(fault, uri) from fault

    def _once(self, work: Callable[[Lane], T], uri: str) -> T:
        try:
            with self._module.entered() as generation, self._lane(generation, uri) as lane:
                return work(lane)
        except _GONE:
            raise
        except _UNSUPPORTED as error:
            raise MechanismError(f"the token does not do this ({type(error).__name__})", uri=uri) from error
        except cki.PKCS11Error as error:
            raise SigningError(f"the token refused ({type(error).__name__})", uri=uri) from error

    @contextmanager
    def _lane(self, generation: int, uri: str) -> Iterator[Lane]:
        pool = self._pool_of(generation)
        lane = pool.get()
        try:
            if lane is None:
                lane = Lane(self._open(uri, rw=False), generation)
            yield lane
        except _GONE:
            lane = None
            raise
        finally:
            pool.put(lane)

    def _pool_of(self, generation: int) -> queue.SimpleQueue[Lane | None]:
        with self._login_lock:
            if self._born != generation:
                self._pool, self._born = _new_pool(self._size), generation
            return self._pool

    @contextmanager
    def writable(self, uri: str) -> Iterator[Any]:
        """A session that may write, for work on the key ``uri``; closed when the block ends."""
        session = self._open(uri, rw=True)
        try:
            yield session
        finally:
            session.close()

    def _open(self, uri: str, *, rw: bool) -> Any:
        token = self._module.token(self._where)
        with self._login_lock:
            pin = self._door.pin(uri)
            try:
                self._module.log_in(token, pin, uri)
            except PinNotTriedError:
                self._door.spare()
                raise
            except PinError:
                self._door.refuse()
                raise
        return token.open(rw=rw)

    def _drop_pool(self) -> None:
        with self._login_lock:
            old, self._pool = self._pool, _new_pool(self._size)
        while True:
            try:
                lane = old.get_nowait()
            except queue.Empty:
                return
            if lane is not None and lane.generation == self._module.generation:
                try:
                    lane.session.close()
                except cki.PKCS11Error:
                    continue  # gone with its token


def _unavailable(error: Exception, uri: str) -> BackendUnavailableError:
    if isinstance(error, BackendUnavailableError):
        return BackendUnavailableError(error.reason, uri=uri)
    return BackendUnavailableError(f"the token does not answer ({type(error).__name__})", uri=uri)


def _new_pool(size: int) -> queue.SimpleQueue[Lane | None]:
    pool: queue.SimpleQueue[Lane | None] = queue.SimpleQueue()
    for _ in range(size):
        pool.put(None)
    return pool
