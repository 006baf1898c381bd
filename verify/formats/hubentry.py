"""An entry of a hub: one region (or a hub below it) that it admits, with the anchor that its members take from it.

A compact JWS (``typ`` ``certvault-hub-entry+jwt``) by a key for trust lists under one of the roots that the hub's
anchor names in ``admits``; the payload is in RFC 8785 form. It is signed offline and carried to the online hub as a
file. A later ``sequence`` of the same region takes the place of an earlier one; ``withdrawn`` ends the admission.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from verify.formats.anchor import MAX_BYTES as MAX_ANCHOR
from verify.formats.anchor import REGION, Anchor, AnchorError, anchor_from_json
from verify.formats.jose import JoseError, UnverifiedJws, unverified_jws
from verify.formats.license import canonical_json
from verify.formats.members import HTTP, MemberError, Members, moment_text

SCHEMA = "certvault-hub-entry/1"
JWS_TYPE = "certvault-hub-entry+jwt"
MAX_BYTES = 2 * MAX_ANCHOR
KINDS = ("region", "hub")


class HubEntryError(ValueError):
    """The bytes are no entry of a hub. The message says why."""


@dataclass(frozen=True, slots=True)
class HubEntry:
    """``hub`` admits ``region``. ``kind`` ``hub``: its list is a list of lists. ``address`` is where it serves.

    ``level``: 1 national, 2 provincial, 3 of a city, 4 of a county. ``parent`` is the region above it, the hub itself
    where nothing else was said. The entry holds from ``admitted`` to ``until``.
    """

    hub: str
    region: str
    kind: str
    name: str
    anchor: Anchor
    address: str
    level: int
    parent: str
    admitted: datetime
    until: datetime
    sequence: int
    withdrawn: bool = False

    def to_json(self) -> dict[str, Any]:
        """The entry as it is signed."""
        return {
            "schema": SCHEMA,
            "hub": self.hub,
            "region": self.region,
            "kind": self.kind,
            "name": self.name,
            "anchor": self.anchor.to_json(),
            "address": self.address,
            "level": self.level,
            "parent": self.parent,
            "admitted": moment_text(self.admitted),
            "until": moment_text(self.until),
            "sequence": self.sequence,
            "withdrawn": self.withdrawn,
        }

    def payload(self) -> bytes:
        """What is signed: RFC 8785."""
        return canonical_json(self.to_json())

    def holds(self, at: datetime) -> bool:
        """Whether the admission counts at ``at``."""
        return not self.withdrawn and self.admitted <= at < self.until


def anchor_digest(anchor: Anchor) -> str:
    """SHA-256 in hex of what an anchor states."""
    return hashlib.sha256(anchor.statement()).hexdigest()


def level_of(region: str) -> int:
    """The level that a region's code tells: 100000 → 1, 410000 → 2, 410200 → 3, 410202 → 4."""
    if region == "100000":
        return 1
    return 2 if region.endswith("0000") else 3 if region.endswith("00") else 4


def unverified_entry(token: bytes | str) -> tuple[HubEntry, UnverifiedJws]:
    """Read an entry. Nothing is verified: :mod:`verify.trust.hubs` does that. Raises HubEntryError."""
    try:
        jws = unverified_jws(token, MAX_BYTES)
        if jws.header.get("typ") != JWS_TYPE:
            raise HubEntryError("its type is another")
        found = entry_from_json(jws.claims())
    except JoseError as error:
        raise HubEntryError(str(error)) from error
    if found.payload() != jws.payload:
        raise HubEntryError("it holds members that are not known, or is not in RFC 8785 order")
    return found, jws


def entry_from_json(value: Any) -> HubEntry:
    """Build an entry from its payload; the inverse of :meth:`HubEntry.to_json`. Raises HubEntryError."""
    try:
        found = _entry(Members(value))
    except (MemberError, AnchorError) as error:
        raise HubEntryError(str(error)) from error
    if found.anchor.region != found.region:
        raise HubEntryError("its anchor is another region's")
    if found.hub == found.region:
        raise HubEntryError("a hub admits itself")
    if found.until <= found.admitted:
        raise HubEntryError("until is not after admitted")
    return found


def _entry(o: Members) -> HubEntry:
    if o.text("schema") != SCHEMA:
        raise MemberError(f"schema is not {SCHEMA}")
    kind = o.text("kind")
    if kind not in KINDS:
        raise MemberError("kind is neither region nor hub")
    return HubEntry(
        hub=o.matching("hub", REGION),
        region=o.matching("region", REGION),
        kind=kind,
        name=o.line("name", limit=200),
        anchor=anchor_from_json(o.get("anchor")),
        address=o.matching("address", HTTP),
        level=o.integer("level", low=1, high=4),
        parent=o.matching("parent", REGION),
        admitted=o.moment("admitted"),
        until=o.moment("until"),
        sequence=o.integer("sequence", low=1),
        withdrawn=o.boolean("withdrawn"),
    )
