"""Keys, certificates and issuers as the vault knows them: names and public halves, never key bytes."""

from __future__ import annotations

import datetime
import enum
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace

from signing.keys import KeyHandle, KeyPurpose
from verify.formats.algorithms import Algorithm


class KeyState(enum.StrEnum):
    """ACTIVE keys sign; RETIRED ones were rolled over and stay known; CAs that are RETIRED still sign CRLs.

    Of a DESTROYED key the certificates stay known; it comes back as RETIRED, from a backup.
    """

    ACTIVE = "ACTIVE"
    RETIRED = "RETIRED"
    DESTROYED = "DESTROYED"


VAULT_OWNER = "vault"


@dataclass(frozen=True, slots=True)
class KeyRecord:
    """One key. ``owner`` is ``vault`` or an issuer's code; ``name`` is e.g. ``issuing-1`` or ``seal-2``."""

    id: str
    name: str
    owner: str
    purpose: KeyPurpose
    algorithm: Algorithm
    uri: str
    spki: bytes
    generation: int
    created_at: datetime.datetime
    state: KeyState = KeyState.ACTIVE
    retired_at: datetime.datetime | None = None
    revision: int = 0

    @property
    def handle(self) -> KeyHandle:
        """What a backend needs to know of it."""
        return KeyHandle(self.uri, self.spki, self.algorithm, self.purpose)

    def retired(self, at: datetime.datetime) -> KeyRecord:
        """ACTIVE → RETIRED."""
        return replace(self, state=KeyState.RETIRED, retired_at=at)

    def destroyed(self) -> KeyRecord:
        """RETIRED → DESTROYED."""
        return replace(self, state=KeyState.DESTROYED)

    def put_back(self) -> KeyRecord:
        """DESTROYED → RETIRED; a key that was lost without being destroyed keeps its state."""
        return replace(self, state=KeyState.RETIRED) if self.state is KeyState.DESTROYED else self

    def moved(self, uri: str) -> KeyRecord:
        """The same key in another place."""
        return replace(self, uri=uri)


class CertificateState(enum.StrEnum):
    """RESERVED: the serial is stored, nothing signed yet. ISSUED: signed. VOID: given up between the two."""

    RESERVED = "RESERVED"
    ISSUED = "ISSUED"
    VOID = "VOID"
    REVOKED = "REVOKED"


@dataclass(frozen=True, slots=True)
class CertificateRecord:
    """One X.509 certificate. ``ca`` names the issuing CA key (``root-1``); ``serial`` is decimal text.

    ``doubtful_since``: what its key signed from then on is in doubt, because the key was compromised then.
    """

    ca: str
    serial: str
    key_id: str
    subject: str
    purpose: KeyPurpose
    not_before: datetime.datetime
    not_after: datetime.datetime
    signs_until: datetime.datetime | None = None
    der: bytes | None = None
    state: CertificateState = CertificateState.RESERVED
    revoked_at: datetime.datetime | None = None
    reason: str = ""
    doubtful_since: datetime.datetime | None = None
    revision: int = 0

    def signed(self, der: bytes) -> CertificateRecord:
        """RESERVED → ISSUED."""
        return replace(self, der=der, state=CertificateState.ISSUED)

    def voided(self) -> CertificateRecord:
        """RESERVED → VOID: the serial is never used again."""
        return replace(self, state=CertificateState.VOID)

    def revoked(
        self, at: datetime.datetime, reason: str, *, doubtful_since: datetime.datetime | None = None
    ) -> CertificateRecord:
        """ISSUED → REVOKED; ``reason`` is a CRLReason name of RFC 5280, 5.3.1."""
        return replace(
            self, state=CertificateState.REVOKED, revoked_at=at, reason=reason, doubtful_since=doubtful_since
        )


@dataclass(frozen=True, slots=True)
class CrlRecord:
    """One certificate revocation list of ``ca``, by its number."""

    ca: str
    number: int
    der: bytes
    this_update: datetime.datetime
    next_update: datetime.datetime
    revision: int = 0


@dataclass(frozen=True, slots=True)
class SerialBlock:
    """Timestamp serials ``first`` … ``first + size - 1``, reserved for one process before any is used."""

    first: int
    size: int
    session: str
    reserved_at: datetime.datetime
    revision: int = 0


@dataclass(frozen=True, slots=True)
class DataKey:
    """A wrapped secret. ``use`` is ``data`` (AES-256-GCM master) or ``index`` (HMAC key of the blind indexes)."""

    use: str
    generation: int
    wrapping_uri: str
    wrapped: bytes
    created_at: datetime.datetime
    revision: int = 0

    def rewrapped(self, uri: str, wrapped: bytes) -> DataKey:
        """The same secret under another wrapping key."""
        return replace(self, wrapping_uri=uri, wrapped=wrapped)


@dataclass(frozen=True, slots=True)
class Issuer:
    """An issuer (颁发机构), its remit and its seal. ``types``/``places`` hold JSON lists; ``null`` means all."""

    code: str
    name: str
    types: str
    places: str
    seal_name: str
    seal_kind: str
    seal_code: str
    since: datetime.datetime
    until: datetime.datetime | None = None
    revision: int = 0

    @property
    def type_names(self) -> frozenset[str] | None:
        """The types it may issue; None: all."""
        value = json.loads(self.types)
        return None if value is None else frozenset(value)

    @property
    def place_prefixes(self) -> tuple[str, ...] | None:
        """Prefixes of region codes it may issue for; None: all."""
        value = json.loads(self.places)
        return None if value is None else tuple(value)

    def may_issue(self, type_name: str) -> bool:
        """Whether ``type_name`` is in the remit."""
        return self.type_names is None or type_name in self.type_names

    def may_issue_for(self, region: str) -> bool:
        """Whether ``region`` is in the remit."""
        places = self.place_prefixes
        return places is None or any(region.startswith(p) for p in places)


@dataclass(frozen=True, slots=True)
class Event:
    """One audit line before it is chained. ``details`` never holds a name, a code of a person or a secret."""

    kind: str
    object: str
    actor: str
    details: Mapping[str, str | int]


def event(kind: str, about: str, actor: str, /, **details: str | int) -> Event:
    """Shorthand for :class:`Event`."""
    return Event(kind, about, actor, details)
