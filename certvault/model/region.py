"""What the vault keeps of its own region's trust lists and anchors, and of other regions."""

from __future__ import annotations

import datetime
import zlib
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class OwnAnchor:
    """One anchor of this region. ``anchor`` is its JSON with the signatures that vouch for it; ``complete_at`` is when
    there were enough of them, None while it waits for others."""

    sequence: int
    anchor: str
    made_at: datetime.datetime
    complete_at: datetime.datetime | None = None
    revision: int = 0


@dataclass(frozen=True, slots=True)
class OwnList:
    """One trust list of this region. ``packed`` is its payload, deflated, stored before it is signed; empty once too
    old to make differences from. ``content`` is a digest of what it says without number and times. ``token`` is None
    until it is signed."""

    sequence: int
    anchor_sequence: int
    content: str
    packed: bytes
    issued_at: datetime.datetime
    next_update: datetime.datetime
    token: str | None = None
    revision: int = 0

    @property
    def payload(self) -> bytes:
        """What is signed."""
        return zlib.decompress(self.packed) if self.packed else b""

    def signed(self, token: str) -> OwnList:
        """With its signature."""
        return replace(self, token=token)

    def forgotten(self) -> OwnList:
        """Number and digest alone."""
        return replace(self, packed=b"", token=None)


@dataclass(frozen=True, slots=True)
class RegionRecord:
    """Another region that was adopted: the state of :mod:`verify.trust.lists` but for its confirmation.

    ``anchor`` is JSON, ``token`` the list as it was signed, ``faults`` are codes, separated by spaces. ``address`` is
    where a person said that the list is fetched, empty when it came as a file.
    """

    region: str
    anchor: str
    token: bytes
    added_at: datetime.datetime
    adopted_at: datetime.datetime | None = None
    faults: str = ""
    address: str = ""
    revision: int = 0


@dataclass(frozen=True, slots=True)
class RegionContact:
    """How asking a region goes; apart from its record, which is large and seldom changes.

    ``outcome`` is that of the last try: a finding's code, empty when it went well; ``failures`` counts those in a row,
    ``retry_at`` is when to ask again.
    """

    region: str
    confirmed_at: datetime.datetime | None = None
    etag: str = ""
    anchor_etag: str = ""
    synced_at: datetime.datetime | None = None
    outcome: str = ""
    failures: int = 0
    retry_at: datetime.datetime | None = None
    revision: int = 0


@dataclass(frozen=True, slots=True)
class RegionHead:
    """By what a change of a region's record is seen."""

    region: str
    added_at: datetime.datetime
    revision: int
