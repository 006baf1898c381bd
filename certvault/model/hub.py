"""What is kept of hubs: the entries by which regions are admitted, the hubs that are followed, what a hub publishes
and relays, and evidence of two lists with one number."""

from __future__ import annotations

import datetime
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class EntryRecord:
    """The newest entry of ``hub`` about ``region``. ``digest`` is of what it states (SHA-256, hex), ``listed`` the
    highest number of the region's list that the hub has named since: it does not go back behind that. ``anchors`` is a
    JSON array of those that the region had since the one in the entry: a hub hands them on."""

    hub: str
    region: str
    kind: str
    token: str
    sequence: int
    digest: str
    taken_at: datetime.datetime
    listed: int = 0
    anchors: str = "[]"
    revision: int = 0


@dataclass(frozen=True, slots=True)
class HubRecord:
    """A hub that is followed: its anchor (JSON), and its newest list of lists as it was signed.

    ``above`` is the hub that admits it, empty for one that a person adopted; ``depth`` is 1 for that and counts
    downwards. ``digest`` is of the list's payload. ``faults``, ``outcome``, ``failures`` and ``retry_at`` are as those
    of an adopted region.
    """

    hub: str
    anchor: str
    address: str
    added_at: datetime.datetime
    above: str = ""
    depth: int = 1
    token: bytes = b""
    sequence: int = 0
    digest: str = ""
    next_update: datetime.datetime | None = None
    confirmed_at: datetime.datetime | None = None
    etag: str = ""
    faults: str = ""
    outcome: str = ""
    failures: int = 0
    retry_at: datetime.datetime | None = None
    revision: int = 0


@dataclass(frozen=True, slots=True)
class PublishedHubList:
    """A list of lists of this hub. ``payload`` is stored before it is signed; ``content`` is a digest of what it says
    without number and times. ``token`` is None until it is signed."""

    sequence: int
    content: str
    payload: bytes
    issued_at: datetime.datetime
    next_update: datetime.datetime
    token: str | None = None
    revision: int = 0


@dataclass(frozen=True, slots=True)
class RelayedDocument:
    """A document that a hub hands on, or that a member took from one.

    ``kind`` is ``agreement`` or ``notice``, ``name`` what versions of it share.
    ``number`` counts the documents in the order in which they came.
    """

    sha256: str
    number: int
    kind: str
    region: str
    name: str
    version: int
    body: bytes
    received_at: datetime.datetime
    revision: int = 0


@dataclass(frozen=True, slots=True)
class SeenList:
    """A list that the region signed, kept as evidence because another one has the same number. ``source`` is where it
    was seen: ``direct`` or ``hub:CODE``."""

    region: str
    sequence: int
    content: str
    token: bytes
    source: str
    seen_at: datetime.datetime
    revision: int = 0


@dataclass(frozen=True, slots=True)
class RelayCursor:
    """Up to which number ``source`` was read, or what is ours was handed to it. When ``mark`` changes, which stands for
    the regions and anchors that were known, it begins anew: what was refused before may count now."""

    source: str
    mark: str = ""
    position: int = 0
    revision: int = 0
