"""Keys in a PKCS#11 token.

Sessions are pooled; one belongs to one thread while it works. When the token went away the pool is dropped and the
call tried once more on a freshly initialized module, so that a returned token needs no restart. A refused PIN is never
tried again, lest the token lock.
"""

from __future__ import annotations

import contextlib
import hashlib
import queue
import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from pkcs11 import Attribute, GCMParams, KeyType, Mechanism, ObjectClass
from pkcs11 import exceptions as cki

from signing.backends import software
from signing.backends.base import PinSource, checked_label, checked_secret
from signing.backends.pkcs11_module import Module
from signing.backends.pkcs11_objects import SECRET_TEMPLATE, find, generate_pair, one, signing_with, spki_of
from signing.backends.pkcs11_uri import Pkcs11Uri, parse_pkcs11_uri
from signing.errors import BackendUnavailableError, KeyNotFoundError, MechanismError, PinError, SigningError
from signing.keys import KeyHandle, KeyPurpose
from verify.formats.algorithms import Algorithm

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
    cki.GeneralError,
    cki.FunctionFailed,
    cki.HostMemory,
)
_UNSUPPORTED = (
    cki.MechanismInvalid,
    cki.MechanismParamInvalid,
    cki.KeySizeRange,
    cki.KeyTypeInconsistent,
    cki.FunctionNotSupported,
    cki.DomainParamsInvalid,
)


class _Lane:
    """One session and the objects found through it."""

    def __init__(self, session: Any, generation: int) -> None:
        self.session = session
        self.generation = generation
        self.objects: dict[str, Any] = {}


class Pkcs11Backend:
    """A token. Thread-safe, and safe to use on both sides of a fork.

    ``sessions`` bounds how many threads work on the token at once; more wait. Calls raise BackendUnavailableError while
    the token is away, and work again once it is back.
    """

    def __init__(self, uri: Pkcs11Uri, module: Module, pin: PinSource | None, sessions: int = 4) -> None:
        if sessions < 1:
            raise SigningError("the pool needs at least one session", uri=uri.token_uri())
        self._where = uri
        self._module = module
        self._pin_source = pin
        self._pin: str | None = None
        self._refused = False
        self._login_lock = threading.Lock()
        self._size = sessions
        self._pool = _new_pool(sessions)
        self._born = module.generation

    @property
    def uri(self) -> str:
        return self._where.token_uri()

    # -- keys --------------------------------------------------------------------------------------------------------

    def generate(self, label: str, algorithm: Algorithm, purpose: KeyPurpose, *, exportable: bool = False) -> KeyHandle:
        """Make a key pair that stays in the token; ``exportable`` allows wrapping under another key, for a backup."""
        uri = self._where.key_uri(checked_label(label, self.uri), key_id := secrets.token_bytes(8))

        def make(_: _Lane) -> KeyHandle:
            with self._writable() as session:
                public, _ = generate_pair(session, algorithm, (label, key_id), exportable=exportable, uri=uri)
                return KeyHandle(uri, spki_of(public), algorithm, purpose)

        self._refuse_taken(ObjectClass.PRIVATE_KEY, label, uri)
        return self._run(make, uri, retry=False)

    def handle_for(self, uri_or_label: str, algorithm: Algorithm, purpose: KeyPurpose) -> KeyHandle:
        label, key_id = self._name(uri_or_label)

        def look(lane: _Lane) -> KeyHandle:
            public = one(find(lane.session, ObjectClass.PUBLIC_KEY, label, key_id), uri_or_label)
            spki = spki_of(public)
            software.check_kind(spki, algorithm, uri_or_label)
            uri = self._where.key_uri(public[Attribute.LABEL], public[Attribute.ID])
            return KeyHandle(uri, spki, algorithm, purpose)

        return self._run(look, uri_or_label)

    def keys(self) -> list[str]:
        def look(lane: _Lane) -> list[str]:
            found = find(lane.session, ObjectClass.PRIVATE_KEY)
            return sorted(self._where.key_uri(k[Attribute.LABEL], k[Attribute.ID]) for k in found)

        listed = self._run(look, self.uri)
        if not listed:  # an empty token, or one that is being pulled: see _run
            self._module.renew(self._module.generation)
            listed = self._run(look, self.uri)
        return listed

    def destroy(self, handle: KeyHandle) -> None:
        label, key_id = self._name(handle.uri)

        def end(lane: _Lane) -> None:
            lane.objects.pop(handle.uri, None)
            with self._writable() as session:
                kinds = (ObjectClass.PRIVATE_KEY, ObjectClass.PUBLIC_KEY)
                halves = [half for kind in kinds for half in find(session, kind, label, key_id)]
                if not halves:
                    raise KeyNotFoundError("the token has no such key", uri=handle.uri)
                for half in halves:
                    half.destroy()

        with contextlib.suppress(KeyNotFoundError):
            self._run(end, handle.uri)

    # -- use ---------------------------------------------------------------------------------------------------------

    def sign(self, handle: KeyHandle, data: bytes) -> bytes:
        digest = hashlib.new(handle.algorithm.hash, data).digest()
        sign = signing_with(handle.algorithm, handle.uri)
        return self._run(lambda lane: sign(self._object(lane, handle.uri, ObjectClass.PRIVATE_KEY), digest), handle.uri)

    def generate_wrapping_key(self, label: str) -> str:
        key_id = secrets.token_bytes(8)
        uri = self._where.key_uri(checked_label(label, self.uri), key_id, "secret-key")

        def make(_: _Lane) -> str:
            with self._writable() as session:
                session.generate_key(KeyType.AES, 256, id=key_id, label=label, store=True, template=SECRET_TEMPLATE)
            return uri

        self._refuse_taken(ObjectClass.SECRET_KEY, label, uri)
        return self._run(make, uri, retry=False)

    def _refuse_taken(self, kind: ObjectClass, label: str, uri: str) -> None:
        if self._run(lambda lane: find(lane.session, kind, label), uri):
            raise SigningError("a key of this label exists", uri=uri)

    def wrap(self, uri: str, secret: bytes) -> bytes:
        """AES-256-GCM inside the token, in the form of :mod:`signing.backends.software`."""
        checked_secret(secret, uri)
        nonce = secrets.token_bytes(12)
        gcm = GCMParams(nonce, software.WRAP_AAD, 128)

        def work(lane: _Lane) -> bytes:
            key = self._object(lane, uri, ObjectClass.SECRET_KEY)
            return bytes(key.encrypt(secret, mechanism=Mechanism.AES_GCM, mechanism_param=gcm))

        return software.WRAP_VERSION + nonce + self._run(work, uri)

    def unwrap(self, uri: str, wrapped: bytes) -> bytes:
        nonce, body = software.split_wrapped(wrapped, uri)
        gcm = GCMParams(nonce, software.WRAP_AAD, 128)

        def work(lane: _Lane) -> bytes:
            key = self._object(lane, uri, ObjectClass.SECRET_KEY)
            try:
                return bytes(key.decrypt(body, mechanism=Mechanism.AES_GCM, mechanism_param=gcm))
            except (cki.GeneralError, cki.EncryptedDataInvalid, cki.EncryptedDataLenRange, cki.FunctionFailed):
                # SoftHSM says GENERAL_ERROR for a wrong tag as for a lost token; a key that still works tells them.
                key.encrypt(
                    b"?", mechanism=Mechanism.AES_GCM, mechanism_param=GCMParams(secrets.token_bytes(12), b"", 128)
                )
                raise SigningError("the wrapped secret was changed or is of another key", uri=uri) from None

        return self._run(work, uri)

    def close(self) -> None:
        """Give sessions back and forget the PIN; the process stays logged in while the module is loaded."""
        with self._module.entered():
            self._drop_pool()
        self._pin, self._refused = None, False

    # -- sessions ----------------------------------------------------------------------------------------------------

    def _run(self, work: Callable[[_Lane], T], uri: str, *, retry: bool = True) -> T:
        """Run ``work`` with a session of its own; once more on a renewed module when the token went away.

        ``retry=False`` is for making keys, which is not repeated after it failed half way.
        """
        seen = self._module.generation
        try:
            return self._once(work, uri)
        except KeyNotFoundError:
            # A token that is being pulled shows no objects before it reports a fault: believe it when it is fresh.
            self._module.renew(seen)
        except (*_GONE, BackendUnavailableError) as error:
            self._module.renew(seen)
            if not retry:
                raise BackendUnavailableError(f"the token does not answer ({type(error).__name__})", uri=uri) from error
        try:
            return self._once(work, uri)
        except _GONE as error:
            self._module.renew(self._module.generation)
            raise BackendUnavailableError(f"the token does not answer ({type(error).__name__})", uri=uri) from error

    def _once(self, work: Callable[[_Lane], T], uri: str) -> T:
        try:
            with self._module.entered() as generation, self._lane(generation) as lane:
                return work(lane)
        except _GONE:
            raise
        except _UNSUPPORTED as error:
            raise MechanismError(f"the token does not do this ({type(error).__name__})", uri=uri) from error
        except cki.PKCS11Error as error:
            raise SigningError(f"the token refused ({type(error).__name__})", uri=uri) from error

    @contextmanager
    def _lane(self, generation: int) -> Iterator[_Lane]:
        pool = self._pool_of(generation)
        lane = pool.get()
        try:
            if lane is None:
                lane = _Lane(self._open(rw=False), generation)
            yield lane
        except _GONE:
            lane = None
            raise
        finally:
            pool.put(lane)

    def _pool_of(self, generation: int) -> queue.LifoQueue[_Lane | None]:
        with self._login_lock:
            if self._born != generation:
                self._pool, self._born = _new_pool(self._size), generation
            return self._pool

    @contextmanager
    def _writable(self) -> Iterator[Any]:
        session = self._open(rw=True)
        try:
            yield session
        finally:
            session.close()

    def _open(self, *, rw: bool) -> Any:
        token = self._module.token(self._where)
        with self._login_lock:
            if self._refused:
                raise PinError("the PIN was refused before; close and open again with the right one", uri=self.uri)
            if self._pin is None:
                if self._pin_source is None:
                    raise PinError("no PIN was given for this token", uri=self.uri)
                self._pin = self._pin_source()
            try:
                self._module.log_in(token, self._pin, self.uri)
            except PinError:
                self._pin, self._refused = None, True
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

    def _name(self, uri_or_label: str) -> tuple[str | None, bytes | None]:
        if not uri_or_label.startswith("pkcs11:"):
            return uri_or_label, None
        uri = parse_pkcs11_uri(uri_or_label)
        if uri.token is not None and self._where.token is not None and uri.token != self._where.token:
            raise KeyNotFoundError(f"the key is of another token than {self.uri}", uri=uri_or_label)
        if uri.object is None and uri.id is None:
            raise KeyNotFoundError("the URI names no key", uri=uri_or_label)
        return uri.object, uri.id

    def _object(self, lane: _Lane, uri: str, kind: ObjectClass) -> Any:
        found = lane.objects.get(uri)
        if found is None:
            label, key_id = self._name(uri)
            found = lane.objects[uri] = one(find(lane.session, kind, label, key_id), uri)
        return found


def _new_pool(size: int) -> queue.LifoQueue[_Lane | None]:
    pool: queue.LifoQueue[_Lane | None] = queue.LifoQueue(size)
    for _ in range(size):
        pool.put(None)
    return pool
