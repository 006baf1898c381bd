"""Offline kits: what a region knows of itself and of others, in one signed file for who judges without a network.

A kit is a ZIP file that any tool opens, in one form only: members are stored and not compressed, in the order of the
manifest, without dates, comments, extra fields or anything between, before or after. So a reader takes no second look
at what another one might read, and nothing in it unfolds. The first member, ``manifest.jws``, is a compact JWS by the
region's key for trust lists (``typ`` ``certvault-kit+jwt``); it names every other member by size and SHA-256.
"""

from __future__ import annotations

import hashlib
import re
import struct
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from verify.formats.anchor import REGION
from verify.formats.jose import JoseError, UnverifiedJws, unverified_jws
from verify.formats.license import canonical_json
from verify.formats.members import MemberError, Members, moment_text

SCHEMA = "certvault-kit/1"
JWS_TYPE = "certvault-kit+jwt"
MANIFEST = "manifest.jws"
MAX_BYTES = 500_000_000
"""Of a kit: the lists and status lists of a nation."""
MAX_MEMBERS = 10_000
MAX_MANIFEST = 10_000_000
MAX_TYPES = 2_000
MAX_FIELDS = 500
_NAME = re.compile(r"(?:anchors|lists|status|agreements|crls)/[0-9a-z]+(?:[.-][0-9a-z]+){0,8}")
_DIGEST = re.compile(r"[0-9a-f]{64}")
_CODE = re.compile(r"[A-Z][A-Z_]{2,60}")
_LONGEST_NAME = 200

_LOCAL = struct.Struct("<4s5H3I2H")
_CENTRAL = struct.Struct("<4s6H3I5H2I")
_END = struct.Struct("<4s4H2IH")
_LOCAL_MARK, _CENTRAL_MARK, _END_MARK = b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06"
_VERSION = 10
_DAY_ONE = 0x21  # 1980-01-01, the first day that the format can write


class KitError(ValueError):
    """The bytes are no kit that counts. ``code`` is a finding's; ``params`` fill its message."""

    def __init__(self, code: str, **params: str) -> None:
        super().__init__(f"{code} {params}")
        self.code = code
        self.params = params


@dataclass(frozen=True, slots=True)
class KitMember:
    """One member by its digest (SHA-256 in hex).

    ``kind``: ``anchor`` (JSON), ``list`` (trust list), ``status`` (status list token at ``uri``), ``agreement`` (which
    the kit's region ``approved`` or not) or ``crl`` (DER). ``region`` is whose it is; of an agreement, who issues.
    """

    name: str
    kind: str
    region: str
    size: int
    sha256: str
    uri: str = ""
    approved: bool = False

    @classmethod
    def of(cls, name: str, kind: str, region: str, data: bytes, *, uri: str = "", approved: bool = False) -> KitMember:
        """The entry for ``data``."""
        return cls(name, kind, region, len(data), hashlib.sha256(data).hexdigest(), uri, approved)


KINDS: Mapping[str, str] = {
    "anchor": "anchors",
    "list": "lists",
    "status": "status",
    "agreement": "agreements",
    "crl": "crls",
}
"""Kinds of members, with the folder of each."""


@dataclass(frozen=True, slots=True)
class KitRegion:
    """How the kit's region stands to another: since when it holds its list, when it last saw that to be the newest, and
    what stands against it (finding codes)."""

    region: str
    adopted: datetime
    confirmed: datetime
    faults: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class KitType:
    """A license type of the kit's region: its fields, and those of them that no license may lack."""

    name: str
    fields: tuple[str, ...]
    required: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class KitManifest:
    """What the region signs. Standing is known from the kit until ``until``. ``countersigned`` (whether agreements need
    the other region's signature), ``types`` and ``example`` (whether the region is an example itself) are what it
    recognizes licenses of others by."""

    region: str
    made: datetime
    until: datetime
    members: tuple[KitMember, ...]
    regions: tuple[KitRegion, ...] = ()
    countersigned: bool = False
    example: bool = False
    types: tuple[KitType, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """The payload."""
        return {
            "schema": SCHEMA,
            "region": self.region,
            "made": moment_text(self.made),
            "until": moment_text(self.until),
            "members": [_member_json(m) for m in self.members],
            "regions": [
                {
                    "region": r.region,
                    "adopted": moment_text(r.adopted),
                    "confirmed": moment_text(r.confirmed),
                    "faults": list(r.faults),
                }
                for r in self.regions
            ],
            "countersigned": self.countersigned,
            "example": self.example,
            "types": [{"name": t.name, "fields": list(t.fields), "required": list(t.required)} for t in self.types],
        }

    def payload(self) -> bytes:
        """What is signed: RFC 8785."""
        return canonical_json(self.to_json())

    def of_kind(self, kind: str) -> list[KitMember]:
        """The members of one kind, in order."""
        return [m for m in self.members if m.kind == kind]


@dataclass(frozen=True, slots=True)
class UnverifiedKit:
    """A kit before its signature was checked; its members are those that the manifest names, byte for byte."""

    manifest: KitManifest
    jws: UnverifiedJws
    data: Mapping[str, bytes]


def begins_as_kit(data: bytes) -> bool:
    """Whether this is a ZIP file whose first member is a kit's manifest."""
    return data[:4] == _LOCAL_MARK and data[_LOCAL.size : _LOCAL.size + len(MANIFEST)] == MANIFEST.encode()


def unverified_kit(data: bytes) -> UnverifiedKit:
    """Read a kit and compare its members with the manifest. Nothing is trusted yet. Raises KitError."""
    found = unpacked(data)
    token = found.pop(MANIFEST, b"")
    try:
        jws = unverified_jws(token, MAX_MANIFEST)
        if jws.header.get("typ") != JWS_TYPE:
            raise KitError("KIT_BROKEN", reason="the type of its manifest is another")
        manifest = manifest_from_json(jws.claims())
    except (JoseError, MemberError) as error:
        raise KitError("KIT_BROKEN", reason=f"its manifest: {error}") from error
    if manifest.payload() != jws.payload:
        raise KitError(
            "KIT_BROKEN", reason="its manifest is not in RFC 8785 order, or holds members that are not known"
        )
    named = [m.name for m in manifest.members]
    for name in found:
        if name not in set(named):
            raise KitError("KIT_MEMBER_EXTRA", member=name)
    for member in manifest.members:
        content = found.get(member.name)
        if content is None:
            raise KitError("KIT_MEMBER_MISSING", member=member.name)
        if len(content) != member.size or hashlib.sha256(content).hexdigest() != member.sha256:
            raise KitError("KIT_MEMBER_DIFFERS", member=member.name)
    if named != list(found):
        raise KitError("KIT_BROKEN", reason="its members are not in the order of the manifest")
    return UnverifiedKit(manifest, jws, found)


def packed(members: Iterable[tuple[str, bytes]]) -> bytes:
    """A ZIP file of the one form that kits have. Raises KitError for what :func:`unpacked` would not read."""
    entries = list(members)
    parts: list[bytes] = []
    offsets: list[tuple[str, bytes, int]] = []
    place = 0
    for name, content in entries:
        _check_name(name)
        header = _local(name, content)
        offsets.append((name, content, place))
        parts += [header, content]
        place += len(header) + len(content)
    parts.append(_tail(offsets, place))
    data = b"".join(parts)
    if len(data) > MAX_BYTES or len(entries) > MAX_MEMBERS or len({n for n, _ in entries}) != len(entries):
        raise KitError("KIT_TOO_LARGE", reason="it has too many members or bytes, or a name twice")
    return data


def unpacked(data: bytes) -> dict[str, bytes]:
    """The members of a ZIP file that :func:`packed` could have written, in order. Raises KitError."""
    if len(data) > MAX_BYTES:
        raise KitError("KIT_TOO_LARGE", reason=f"it has more than {MAX_BYTES} bytes")
    found: dict[str, bytes] = {}
    offsets: list[tuple[str, bytes, int]] = []
    place = 0
    while data[place : place + 4] == _LOCAL_MARK:
        name, content, after = _member_at(data, place)
        if name in found:
            raise KitError("KIT_MEMBER_TWICE", member=name)
        if len(found) >= MAX_MEMBERS:
            raise KitError("KIT_TOO_LARGE", reason=f"it has more than {MAX_MEMBERS} members")
        found[name] = content
        offsets.append((name, content, place))
        place = after
    if not found or next(iter(found)) != MANIFEST:
        raise KitError("KIT_BROKEN", reason="it does not begin with a manifest")
    if data[place:] != _tail(offsets, place):
        raise KitError("KIT_BROKEN", reason="its directory names other members than it holds, or something follows")
    return found


def manifest_from_json(value: Any) -> KitManifest:
    """Build a manifest from its payload; the inverse of :meth:`KitManifest.to_json`. Raises MemberError."""
    o = Members(value)
    if o.text("schema") != SCHEMA:
        raise MemberError(f"schema is not {SCHEMA}")
    found = KitManifest(
        region=o.matching("region", REGION),
        made=o.moment("made"),
        until=o.moment("until"),
        members=tuple(_member(m) for m in o.objects("members", limit=MAX_MEMBERS)),
        regions=tuple(_region(r) for r in o.objects("regions", limit=MAX_MEMBERS)),
        countersigned=o.boolean("countersigned"),
        example=o.boolean("example"),
        types=tuple(_type(t) for t in o.objects("types", limit=MAX_TYPES)),
    )
    if found.until <= found.made:
        raise MemberError("until is not after made")
    regions = [r.region for r in found.regions]
    if len({m.name for m in found.members}) != len(found.members) or len(set(regions)) != len(regions):
        raise MemberError("a member or a region stands twice")
    return found


def _member(o: Members) -> KitMember:
    found = KitMember(
        name=_checked_name(o),
        kind=o.text("kind", limit=20),
        region=o.matching("region", REGION),
        size=o.integer("size", high=MAX_BYTES),
        sha256=o.matching("sha256", _DIGEST),
        uri=o.text("uri", "", limit=500),
        approved=o.boolean("approved", False),
    )
    if KINDS.get(found.kind) != found.name.partition("/")[0]:
        raise MemberError(f"{o.at('name')} does not suit its kind")
    if bool(found.uri) != (found.kind == "status") or (found.approved and found.kind != "agreement"):
        raise MemberError(f"{o.path}: uri belongs to a status list, approved to an agreement")
    return found


def _checked_name(o: Members) -> str:
    return o.matching("name", _NAME)


def _region(o: Members) -> KitRegion:
    faults = o.texts("faults", limit=20)
    if not all(_CODE.fullmatch(f) for f in faults):
        raise MemberError(f"{o.at('faults')} holds something that is no finding")
    return KitRegion(o.matching("region", REGION), o.moment("adopted"), o.moment("confirmed"), faults)


def _type(o: Members) -> KitType:
    return KitType(
        o.text("name", limit=100), o.texts("fields", limit=MAX_FIELDS), o.texts("required", limit=MAX_FIELDS)
    )


def _member_json(member: KitMember) -> dict[str, Any]:
    found: dict[str, Any] = {
        "name": member.name,
        "kind": member.kind,
        "region": member.region,
        "size": member.size,
        "sha256": member.sha256,
    }
    if member.uri:
        found["uri"] = member.uri
    if member.kind == "agreement":
        found["approved"] = member.approved
    return found


def _check_name(name: str) -> None:
    if name != MANIFEST and not (len(name) <= _LONGEST_NAME and _NAME.fullmatch(name)):
        raise KitError("KIT_MEMBER_NAME", member=ascii(name[:80]))


def _member_at(data: bytes, place: int) -> tuple[str, bytes, int]:
    """The member whose local header is at ``place``, and where the next one begins."""
    try:
        header = _LOCAL.unpack_from(data, place)
    except struct.error as error:
        raise KitError("KIT_BROKEN", reason="it is cut short") from error
    _, _, _, method, _, _, _, size, unfolded, length, _ = header
    start = place + _LOCAL.size
    name = data[start : start + length].decode("ascii", "replace")
    _check_name(name)
    if method != 0 or size != unfolded:
        raise KitError("KIT_COMPRESSED", member=name)
    end = start + length + size
    if end > len(data):
        raise KitError("KIT_BROKEN", reason="it is cut short")
    content = data[start + length : end]
    if data[place : start + length] != _local(name, content):
        raise KitError("KIT_BROKEN", reason=f"{name} is not written in the form of kits, or its check sum differs")
    return name, content, end


def _local(name: str, content: bytes) -> bytes:
    size, label = len(content), name.encode("ascii")
    return _LOCAL.pack(_LOCAL_MARK, _VERSION, 0, 0, 0, _DAY_ONE, zlib.crc32(content), size, size, len(label), 0) + label


def _tail(offsets: Iterable[tuple[str, bytes, int]], place: int) -> bytes:
    entries = []
    for name, content, offset in offsets:
        size, label = len(content), name.encode("ascii")
        numbers = (_VERSION, _VERSION, 0, 0, 0, _DAY_ONE, zlib.crc32(content), size, size, len(label), 0, 0, 0, 0, 0)
        entries.append(_CENTRAL.pack(_CENTRAL_MARK, *numbers, offset) + label)
    directory = b"".join(entries)
    return directory + _END.pack(_END_MARK, 0, 0, len(entries), len(entries), len(directory), place, 0)
