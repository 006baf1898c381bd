"""A hub's list of lists: which regions it admits, and which list of each it holds.

A compact JWS (``typ`` ``certvault-list-of-lists+jwt``) by a key for trust lists of the hub, payload in RFC 8785 form.
Each item carries the entry as it was signed (:mod:`verify.formats.hubentry`), and number, digest and size of the
region's own list, which the hub hands on with the region's own signature. The hub vouches for nothing but that: which
lists it saw last, and which two of one number it saw.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from verify.formats.anchor import REGION
from verify.formats.hubentry import MAX_BYTES as MAX_ENTRY
from verify.formats.hubentry import HubEntry, HubEntryError, unverified_entry
from verify.formats.jose import JoseError, UnverifiedJws, unverified_jws
from verify.formats.license import canonical_json
from verify.formats.members import HTTP, MemberError, Members, moment_text

SCHEMA = "certvault-list-of-lists/1"
JWS_TYPE = "certvault-list-of-lists+jwt"
MAX_BYTES = 40_000_000
MAX_REGIONS = 4_000
"""China has some 3,200 regions down to the counties."""
MAX_EQUIVOCATIONS = 1_000
MAX_DEPTH = 4
"""Nation, province, city, county: how deep hubs stand below one another."""
_DIGEST = re.compile(r"[0-9a-f]{64}")


class HubListError(ValueError):
    """The bytes are no list of lists. The message says why."""


@dataclass(frozen=True, slots=True)
class HeldList:
    """A list that the hub holds of a region, a list of lists where that is a hub. ``sha256`` (hex) is of the payload
    that the region signed, ``size`` of the token in bytes; ``confirmed``: when the hub last saw that it is the newest,
    to the hour. ``anchor_sequence`` is the number of the region's newest anchor that the hub knows."""

    sequence: int
    sha256: str
    size: int
    issued: datetime
    next_update: datetime
    confirmed: datetime
    anchor_sequence: int


@dataclass(frozen=True, slots=True)
class Admitted:
    """One item: the entry (JWS), and the region's list, None as long as the hub has none."""

    entry: str
    held: HeldList | None

    def read(self) -> tuple[HubEntry, UnverifiedJws]:
        """The entry, unverified. Raises HubEntryError."""
        return unverified_entry(self.entry)


@dataclass(frozen=True, slots=True)
class Equivocation:
    """Two lists of one region under one number, by SHA-256 (hex) of their payloads."""

    region: str
    sequence: int
    first: str
    second: str
    seen: datetime


@dataclass(frozen=True, slots=True)
class HubList:
    """A list of lists. ``base`` is the hub's public address."""

    hub: str
    name: str
    sequence: int
    issued: datetime
    next_update: datetime
    anchor_sequence: int
    base: str
    admitted: tuple[Admitted, ...]
    equivocations: tuple[Equivocation, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """The list as it is signed."""
        return {
            "schema": SCHEMA,
            "hub": self.hub,
            "name": self.name,
            "sequence": self.sequence,
            "issued": moment_text(self.issued),
            "next_update": moment_text(self.next_update),
            "anchor_sequence": self.anchor_sequence,
            "base": self.base,
            "regions": [_admitted_json(a) for a in self.admitted],
            "equivocations": [_equivocation_json(e) for e in self.equivocations],
        }

    def payload(self) -> bytes:
        """What is signed: RFC 8785."""
        return canonical_json(self.to_json())


def begins_as_hub_list(token: bytes | str) -> bool:
    """Whether the token says of itself that it is a list of lists."""
    from verify.formats.jose import decode_base64url, strict_object

    head = (token.encode() if isinstance(token, str) else token)[:100_000].lstrip().partition(b".")[0]
    try:
        return strict_object(decode_base64url(head.decode("ascii")), "header").get("typ") == JWS_TYPE
    except ValueError:
        return False


def unverified_hub_list(token: bytes | str) -> tuple[HubList, UnverifiedJws]:
    """Read a list of lists. Nothing is verified: :mod:`verify.trust.hubs` does that. Raises HubListError."""
    try:
        jws = unverified_jws(token, MAX_BYTES)
        if jws.header.get("typ") != JWS_TYPE:
            raise HubListError("its type is another")
        found = hub_list_from_json(jws.claims())
    except JoseError as error:
        raise HubListError(str(error)) from error
    if found.payload() != jws.payload:
        raise HubListError("it holds members that are not known, or is not in RFC 8785 order")
    return found, jws


def hub_list_from_json(value: Any) -> HubList:
    """Build a list of lists from its payload; the inverse of :meth:`HubList.to_json`. Raises HubListError."""
    try:
        return _list(Members(value))
    except (MemberError, HubEntryError) as error:
        raise HubListError(str(error)) from error


def _list(o: Members) -> HubList:
    if o.text("schema") != SCHEMA:
        raise MemberError(f"schema is not {SCHEMA}")
    found = HubList(
        hub=o.matching("hub", REGION),
        name=o.line("name", limit=200),
        sequence=o.integer("sequence", low=1),
        issued=o.moment("issued"),
        next_update=o.moment("next_update"),
        anchor_sequence=o.integer("anchor_sequence", low=1),
        base=o.matching("base", HTTP),
        admitted=tuple(_admitted(a) for a in o.objects("regions", limit=MAX_REGIONS)),
        equivocations=tuple(_equivocation(e) for e in o.objects("equivocations", limit=MAX_EQUIVOCATIONS)),
    )
    if found.next_update <= found.issued:
        raise MemberError("next_update is not after issued")
    return found


def _admitted(o: Members) -> Admitted:
    return Admitted(o.text("entry", limit=MAX_ENTRY), _held(o.object("list")) if o.has("list") else None)


def _held(o: Members) -> HeldList:
    return HeldList(
        sequence=o.integer("sequence", low=1),
        sha256=o.matching("sha256", _DIGEST),
        size=o.integer("size", low=1),
        issued=o.moment("issued"),
        next_update=o.moment("next_update"),
        confirmed=o.moment("confirmed"),
        anchor_sequence=o.integer("anchor_sequence", low=1),
    )


def _equivocation(o: Members) -> Equivocation:
    return Equivocation(
        region=o.matching("region", REGION),
        sequence=o.integer("sequence", low=1),
        first=o.matching("first", _DIGEST),
        second=o.matching("second", _DIGEST),
        seen=o.moment("seen"),
    )


def _admitted_json(admitted: Admitted) -> dict[str, Any]:
    held = admitted.held
    return {
        "entry": admitted.entry,
        "list": None
        if held is None
        else {
            "sequence": held.sequence,
            "sha256": held.sha256,
            "size": held.size,
            "issued": moment_text(held.issued),
            "next_update": moment_text(held.next_update),
            "confirmed": moment_text(held.confirmed),
            "anchor_sequence": held.anchor_sequence,
        },
    }


def _equivocation_json(found: Equivocation) -> dict[str, Any]:
    return {
        "region": found.region,
        "sequence": found.sequence,
        "first": found.first,
        "second": found.second,
        "seen": moment_text(found.seen),
    }
