"""Keys in a PKCS#11 token.

Sessions are pooled; one belongs to one thread while it works. When the token went away the pool is dropped and the
call tried again on a freshly initialized module, so that a returned token needs no restart. A refused PIN is never
tried again, lest the token lock.
"""

from __future__ import annotations

import contextlib
import hashlib
import secrets
from collections.abc import Mapping, Sequence
from typing import Any

from pkcs11 import Attribute, GCMParams, KeyType, Mechanism, ObjectClass
from pkcs11 import exceptions as cki

from signing.backends import shares, software
from signing.backends.base import PinSource, SharedKey, checked_label, checked_secret, label_of
from signing.backends.pkcs11_mechanisms import MappedMechanism
from signing.backends.pkcs11_module import Module
from signing.backends.pkcs11_objects import (
    BACKUP_TEMPLATE,
    PASSING_TEMPLATE,
    SECRET_TEMPLATE,
    find,
    generate_pair,
    one,
    passing_secret,
    put_back,
    secret_object,
    signing_with,
    spki_of,
)
from signing.backends.pkcs11_sessions import Lane, Sessions
from signing.backends.pkcs11_uri import Pkcs11Uri, parse_pkcs11_uri
from signing.errors import KeyNotFoundError, MechanismError, NotExportableError, SigningError
from signing.keys import KeyHandle, KeyPurpose
from verify.formats.algorithms import Algorithm

_BAD_WRAP = (cki.WrappedKeyInvalid, cki.WrappedKeyLenRange, cki.EncryptedDataInvalid, cki.EncryptedDataLenRange)


class Pkcs11Backend:
    """A token. Thread-safe, and safe to use on both sides of a fork.

    ``sessions`` bounds how many threads work on the token at once; more wait. Calls raise BackendUnavailableError while
    the token is away, and work again once it is back. ``mechanisms`` is how this token does what PKCS#11 leaves open.
    """

    def __init__(
        self,
        uri: Pkcs11Uri,
        module: Module,
        pin: PinSource | None,
        sessions: int = 4,
        mechanisms: Mapping[Algorithm, MappedMechanism] | None = None,
    ) -> None:
        if sessions < 1:
            raise SigningError("the pool needs at least one session", uri=uri.token_uri())
        self._where = uri
        self._mechanisms = mechanisms or {}
        self._sessions = Sessions(uri, module, pin, sessions)

    @property
    def uri(self) -> str:
        return self._where.token_uri()

    # -- keys --------------------------------------------------------------------------------------------------------

    def generate(self, label: str, algorithm: Algorithm, purpose: KeyPurpose, *, exportable: bool = False) -> KeyHandle:
        """Make a key pair that stays in the token; ``exportable`` allows wrapping under another key, for a backup."""
        uri = self._where.key_uri(checked_label(label, self.uri), key_id := secrets.token_bytes(8))

        def make(_: Lane) -> KeyHandle:
            with self._sessions.writable(uri) as session:
                mapped = self._mechanisms.get(algorithm)
                pair = generate_pair(session, algorithm, (label, key_id), exportable=exportable, uri=uri, mapped=mapped)
                spki = spki_of(pair[0]) if mapped is None else _proven(mapped, pair, uri)
                return KeyHandle(uri, spki, algorithm, purpose)

        self._refuse_taken(ObjectClass.PRIVATE_KEY, label, uri)
        return self._sessions.run(make, uri, retry=False)

    def handle_for(self, uri_or_label: str, algorithm: Algorithm, purpose: KeyPurpose) -> KeyHandle:
        label, key_id = self._name(uri_or_label)

        def look(lane: Lane) -> KeyHandle:
            public = one(find(lane.session, ObjectClass.PUBLIC_KEY, label, key_id), uri_or_label)
            mapped = self._mechanisms.get(algorithm)
            spki = spki_of(public) if mapped is None else mapped.spki_of(public, uri_or_label)
            software.check_kind(spki, algorithm, uri_or_label)
            uri = self._where.key_uri(public[Attribute.LABEL], public[Attribute.ID])
            return KeyHandle(uri, spki, algorithm, purpose)

        return self._sessions.run(look, uri_or_label)

    def keys(self) -> list[str]:
        def look(lane: Lane) -> list[str]:
            found = find(lane.session, ObjectClass.PRIVATE_KEY)
            return sorted(self._where.key_uri(k[Attribute.LABEL], k[Attribute.ID]) for k in found)

        listed = self._sessions.run(look, self.uri)
        if not listed:  # an empty token, or one that is being pulled: see _run
            self._sessions.renew()
            listed = self._sessions.run(look, self.uri)
        return listed

    def destroy(self, handle: KeyHandle) -> None:
        label, key_id = self._name(handle.uri)

        def end(lane: Lane) -> None:
            lane.objects.pop(handle.uri, None)
            with self._sessions.writable(handle.uri) as session:
                kinds = (ObjectClass.PRIVATE_KEY, ObjectClass.PUBLIC_KEY)
                halves = [half for kind in kinds for half in find(session, kind, label, key_id)]
                if not halves:
                    raise KeyNotFoundError("the token has no such key", uri=handle.uri)
                for half in halves:
                    half.destroy()

        with contextlib.suppress(KeyNotFoundError):
            self._sessions.run(end, handle.uri)

    # -- use ---------------------------------------------------------------------------------------------------------

    def sign(self, handle: KeyHandle, data: bytes) -> bytes:
        mapped = self._mechanisms.get(handle.algorithm)
        if mapped is not None:
            return self._sign_mapped(handle, mapped, mapped.payload(handle.spki, data))
        return self.sign_digest(handle, hashlib.new(handle.algorithm.hash, data).digest())

    def sign_digest(self, handle: KeyHandle, digest: bytes) -> bytes:
        software.checked_digest(digest, handle.algorithm, handle.uri)
        software.check_kind(handle.spki, handle.algorithm, handle.uri)
        mapped = self._mechanisms.get(handle.algorithm)
        if mapped is not None:
            return self._sign_mapped(handle, mapped, mapped.digest_payload(digest, handle.uri))
        sign = signing_with(handle.algorithm, handle.uri)
        return self._sessions.run(lambda lane: sign(self._object(lane, handle.uri, "sign"), digest), handle.uri)

    def _sign_mapped(self, handle: KeyHandle, mapped: MappedMechanism, payload: bytes) -> bytes:
        return self._sessions.run(
            lambda lane: mapped.signed(self._object(lane, handle.uri, "sign"), payload, handle.uri),
            handle.uri,
        )

    def generate_wrapping_key(self, label: str) -> str:
        return self._generate_secret(label, SECRET_TEMPLATE)

    def _generate_secret(self, label: str, template: dict[Attribute, bool]) -> str:
        key_id = secrets.token_bytes(8)
        uri = self._where.key_uri(checked_label(label, self.uri), key_id, "secret-key")

        def make(_: Lane) -> str:
            with self._sessions.writable(uri) as session:
                session.generate_key(KeyType.AES, 256, id=key_id, label=label, store=True, template=template)
            return uri

        self._refuse_taken(ObjectClass.SECRET_KEY, label, uri)
        return self._sessions.run(make, uri, retry=False)

    def generate_backup_key(self, label: str) -> str:
        return self._generate_secret(label, BACKUP_TEMPLATE)

    def back_up(self, handle: KeyHandle, under: str) -> bytes:
        """AES_KEY_WRAP_PAD inside the token: SoftHSM and others give RFC 5649 over PKCS#8."""

        def work(lane: Lane) -> bytes:
            key = self._object(lane, handle.uri, "sign")
            if not key[Attribute.EXTRACTABLE]:
                raise NotExportableError("the key was not made to be backed up", uri=handle.uri)
            backup_key = self._object(lane, under, "wrap_key")
            try:
                return bytes(backup_key.wrap_key(key, mechanism=Mechanism.AES_KEY_WRAP_PAD))
            except (cki.KeyUnextractable, cki.KeyNotWrappable) as error:
                raise NotExportableError("the token does not let this key out, even wrapped", uri=handle.uri) from error

        return self._sessions.run(work, handle.uri)

    def put_back(self, handle: KeyHandle, under: str, wrapped: bytes) -> KeyHandle:
        name = label, _ = self._name_here(handle.uri)
        uri = self._where.key_uri(*name)
        self._refuse_taken(ObjectClass.PRIVATE_KEY, label, uri)

        def work(_: Lane) -> None:
            with self._sessions.writable(handle.uri) as session:
                backup_key = one(find(session, ObjectClass.SECRET_KEY, *self._name(under)), under)
                try:
                    mapped = self._mechanisms.get(handle.algorithm)
                    put_back(session, backup_key, name, handle.spki, wrapped, mapped)
                except (cki.GeneralError, cki.FunctionFailed, *_BAD_WRAP) as error:
                    raise SigningError(
                        "the wrapped key was changed or is of another backup key", uri=handle.uri
                    ) from error

        self._sessions.run(work, uri, retry=False)
        return KeyHandle(uri, handle.spki, handle.algorithm, handle.purpose)

    def _name_here(self, uri: str) -> tuple[str, bytes]:
        """Label and id under which a key comes back: its own when it was of this token, else the label and a new id."""
        try:
            label, key_id = self._name(uri) if uri.startswith("pkcs11:") else (None, None)
        except KeyNotFoundError:
            label, key_id = None, None
        return label or label_of(uri), key_id or secrets.token_bytes(8)

    def generate_shared_backup_key(self, label: str, threshold: int, count: int, purpose: str) -> SharedKey:
        """The key is made here, of this machine's randomness and the token's, split, and then put into the token."""
        more = self._sessions.run(lambda lane: bytes(lane.session.generate_random(256)), self.uri)
        secret = shares.new_secret(more)
        parts = shares.split(secret, threshold, count, purpose)
        key_id = parts[0].key_id
        return SharedKey(self._keep_secret(f"{label}-{key_id}", secret), key_id, parts)

    def restore_backup_key(self, label: str, given: Sequence[shares.Share]) -> str:
        secret = shares.combine(given)
        label = checked_label(f"{label}-{shares.key_id_of(secret)}", self.uri)

        def look(lane: Lane) -> list[str]:
            found = find(lane.session, ObjectClass.SECRET_KEY, label)
            return [self._where.key_uri(label, k[Attribute.ID], "secret-key") for k in found]

        there = self._sessions.run(look, self.uri)
        return there[0] if there else self._keep_secret(label, secret)

    def _keep_secret(self, label: str, secret: bytes) -> str:
        key_id = secrets.token_bytes(8)
        uri = self._where.key_uri(checked_label(label, self.uri), key_id, "secret-key")
        named = {Attribute.TOKEN: True, Attribute.LABEL: label, Attribute.ID: key_id}

        def make(_: Lane) -> str:
            with self._sessions.writable(uri) as session:
                session.create_object(secret_object(secret) | BACKUP_TEMPLATE | named)
            return uri

        self._refuse_taken(ObjectClass.SECRET_KEY, label, uri)
        return self._sessions.run(make, uri, retry=False)

    def back_up_wrapped(self, uri: str, wrapped: bytes, under: str) -> bytes:
        """The secret is held by this process meanwhile, as it is whenever it is used."""
        secret = self.unwrap(uri, wrapped)

        def work(lane: Lane) -> bytes:
            backup_key = self._object(lane, under, "wrap_key")
            passing = lane.session.create_object(secret_object(secret) | PASSING_TEMPLATE)
            try:
                return bytes(backup_key.wrap_key(passing, mechanism=Mechanism.AES_KEY_WRAP_PAD))
            finally:
                passing.destroy()

        return self._sessions.run(work, under)

    def put_back_wrapped(self, uri: str, wrapped: bytes, under: str) -> bytes:
        def work(lane: Lane) -> bytes:
            backup_key = self._object(lane, under, "unwrap_key")
            try:
                return passing_secret(backup_key, wrapped)
            except (cki.GeneralError, cki.FunctionFailed, *_BAD_WRAP) as error:
                raise SigningError("the wrapped secret was changed or is of another backup key", uri=under) from error

        return self.wrap(uri, self._sessions.run(work, under))

    def _refuse_taken(self, kind: ObjectClass, label: str, uri: str) -> None:
        if self._sessions.run(lambda lane: find(lane.session, kind, label), uri):
            raise SigningError("a key of this label exists", uri=uri)

    def wrap(self, uri: str, secret: bytes) -> bytes:
        """AES-256-GCM inside the token, in the form of :mod:`signing.backends.software`."""
        checked_secret(secret, uri)
        nonce = secrets.token_bytes(12)
        gcm = GCMParams(nonce, software.WRAP_AAD, 128)

        def work(lane: Lane) -> bytes:
            key = self._object(lane, uri, "encrypt")
            return bytes(key.encrypt(secret, mechanism=Mechanism.AES_GCM, mechanism_param=gcm))

        return software.WRAP_VERSION + nonce + self._sessions.run(work, uri)

    def unwrap(self, uri: str, wrapped: bytes) -> bytes:
        nonce, body = software.split_wrapped(wrapped, uri)
        gcm = GCMParams(nonce, software.WRAP_AAD, 128)

        def work(lane: Lane) -> bytes:
            key = self._object(lane, uri, "decrypt")
            try:
                return bytes(key.decrypt(body, mechanism=Mechanism.AES_GCM, mechanism_param=gcm))
            except (cki.GeneralError, cki.EncryptedDataInvalid, cki.EncryptedDataLenRange, cki.FunctionFailed):
                # SoftHSM says GENERAL_ERROR for a wrong tag as for a lost token; a key that still works tells them.
                key.encrypt(
                    b"?", mechanism=Mechanism.AES_GCM, mechanism_param=GCMParams(secrets.token_bytes(12), b"", 128)
                )
                raise SigningError("the wrapped secret was changed or is of another key", uri=uri) from None

        return self._sessions.run(work, uri)

    def close(self) -> None:
        """Give sessions back and forget the PIN; the process stays logged in while the module is loaded."""
        self._sessions.close()

    def _name(self, uri_or_label: str) -> tuple[str | None, bytes | None]:
        if not uri_or_label.startswith("pkcs11:"):
            return uri_or_label, None
        uri = parse_pkcs11_uri(uri_or_label)
        if uri.token is not None and self._where.token is not None and uri.token != self._where.token:
            raise KeyNotFoundError(f"the key is of another token than {self.uri}", uri=uri_or_label)
        if uri.object is None and uri.id is None:
            raise KeyNotFoundError("the URI names no key", uri=uri_or_label)
        return uri.object, uri.id

    def _object(self, lane: Lane, uri: str, ability: str) -> Any:
        """The key of that name, which must be able to do ``ability``: a private key signs, secret ones do the rest."""
        found = lane.objects.get(uri)
        if found is None:
            kind = ObjectClass.PRIVATE_KEY if ability == "sign" else ObjectClass.SECRET_KEY
            label, key_id = self._name(uri)
            found = lane.objects[uri] = one(find(lane.session, kind, label, key_id), uri)
        if not hasattr(found, ability):  # python-pkcs11 gives an object the methods that its attributes allow
            raise MechanismError(f"the key does not allow {ability.removesuffix('_key')}", uri=uri)
        return found


def _proven(mapped: MappedMechanism, pair: tuple[Any, Any], uri: str) -> bytes:
    """The public half of a new key that signs as its mapping says; one that does not is destroyed."""
    public, private = pair
    try:
        spki = mapped.spki_of(public, uri)
        mapped.prove(private, spki, uri)
    except Exception:
        for half in (private, public):
            half.destroy()
        raise
    return spki
