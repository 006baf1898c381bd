"""The values inside a seal, read leniently: any definite length, times of either kind, texts of several.

Every value knows where it lies in the input, so that a signature is checked over the bytes as they came.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

_MAX_CHILDREN = 2_000
INTEGER, BITS, OCTETS, OID, UTF8, PRINTABLE, IA5, UTC_TIME, GENERAL_TIME = 2, 3, 4, 6, 12, 19, 22, 23, 24
BOOLEAN, SEQUENCE, TAGGED_0 = 1, 0x30, 0xA0
TEXTS = {UTF8: "utf-8", PRINTABLE: "ascii", IA5: "utf-8", 30: "utf-16-be"}


class SealFormatError(Exception):
    """The bytes are no seal, or no seal signature. ``part`` names the element that does not conform."""

    def __init__(self, part: str, reason: str) -> None:
        super().__init__(f"{part}: {reason}")
        self.part = part
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Node:
    """One value: its identifier octet, and where header, content and end lie in ``data``."""

    data: bytes
    tag: int
    start: int
    body: int
    end: int

    @property
    def content(self) -> bytes:
        """The content octets."""
        return self.data[self.body : self.end]

    @property
    def encoded(self) -> bytes:
        """The value as it stands in the input, header included."""
        return self.data[self.start : self.end]

    def children(self, part: str, tag: int = 0x30) -> list[Node]:
        """The values inside a sequence, or inside a constructed value of another tag. Raises SealFormatError."""
        if self.tag != tag:
            raise SealFormatError(part, "it is no sequence")
        found: list[Node] = []
        position = self.body
        while position < self.end:
            if len(found) == _MAX_CHILDREN:
                raise SealFormatError(part, "it has too many elements")
            found.append(node_at(self.data, position, self.end, part))
            position = found[-1].end
        return found


def node_at(data: bytes, start: int, limit: int, part: str) -> Node:
    """The value that begins at ``start`` and ends at or before ``limit``. Raises SealFormatError."""
    if start + 2 > limit:
        raise SealFormatError(part, "it is truncated")
    tag, length, body = data[start], data[start + 1], start + 2
    if tag & 0x1F == 0x1F:
        raise SealFormatError(part, "a tag number has several bytes")
    if length & 0x80:
        count = length & 0x7F
        if not 1 <= count <= 4 or body + count > limit:
            raise SealFormatError(part, "a length is not definite")
        length = int.from_bytes(data[body : body + count], "big")
        body += count
    if body + length > limit:
        raise SealFormatError(part, "it is truncated")
    return Node(data, tag, start, body, body + length)


def time_info(content: bytes) -> tuple[datetime | None, bytes | None, tuple[str, ...]]:
    """Version 1's timeInfo: a timestamp token, a UTC time, or (seen in files) the time as ISO text."""
    if content[:1] == b"\x30":
        return None, content, ()
    if content[:1] and content[0] in (UTC_TIME, GENERAL_TIME):
        return moment_of(node_at(content, 0, len(content), "timeInfo"), "timeInfo"), None, ()
    text = content.decode("ascii", "replace").strip()
    for read in (_iso, _compact):
        moment = read(text)
        if moment is not None:
            return moment, None, ("TIME_AS_TEXT",)
    raise SealFormatError("timeInfo", "it is neither a token nor a time")


def _iso(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None


def _compact(text: str) -> datetime | None:
    # by length: strptime takes fewer digits for a number than the form has, and so a year of two for one of four
    form = {15: "%Y%m%d%H%M%SZ", 14: "%Y%m%d%H%M%S", 13: "%y%m%d%H%M%SZ"}.get(len(text))
    try:
        return datetime.strptime(text, form).replace(tzinfo=UTC) if form and text[:12].isdigit() else None
    except ValueError:
        return None


def moment_of(node: Node, part: str) -> datetime:
    """UTCTime or GeneralizedTime; either is read where the other belongs, as some makers mix them."""
    if node.tag not in (UTC_TIME, GENERAL_TIME):
        raise SealFormatError(part, "it is no time")
    text = node.content.decode("ascii", "replace")
    year = 2 if node.tag == UTC_TIME else 4
    body, zone = (text[:-1], "Z") if text.endswith("Z") else (text[:-5], text[-5:])
    whole, _, fraction = body.partition(".")
    if not whole.isdigit() or len(whole) != year + 10 or (fraction and not fraction.isdigit()):
        raise SealFormatError(part, "it is no time")
    if year == 2:
        whole = ("19" if whole[:2] >= "50" else "20") + whole
    try:
        moment = datetime.strptime(whole, "%Y%m%d%H%M%S").replace(tzinfo=UTC)
        return moment if zone == "Z" else moment - _offset(zone)
    except (ValueError, OverflowError) as error:
        raise SealFormatError(part, "it is no time") from error


def _offset(zone: str) -> timedelta:
    if zone[0] not in "+-" or not zone[1:].isdigit():
        raise ValueError(zone)
    size = timedelta(hours=int(zone[1:3]), minutes=int(zone[3:]))
    return size if zone[0] == "+" else -size


def number_of(node: Node, part: str) -> int:
    """An INTEGER of at most eight bytes."""
    if node.tag != INTEGER or not 1 <= len(node.content) <= 8:
        raise SealFormatError(part, "it is no number")
    return int.from_bytes(node.content, "big", signed=True)


def text_of(node: Node, part: str, tags: tuple[int, ...]) -> str:
    """A text of one of these kinds."""
    if node.tag not in tags:
        raise SealFormatError(part, "it is no text of the kind that belongs there")
    try:
        return node.content.decode(TEXTS[node.tag])
    except UnicodeDecodeError as error:
        raise SealFormatError(part, "its text cannot be read") from error


def octets_of(node: Node, part: str) -> bytes:
    """The content of an OCTET STRING."""
    if node.tag != OCTETS:
        raise SealFormatError(part, "it is no OCTET STRING")
    return node.content


def certificate_of(node: Node, part: str) -> bytes:
    """A certificate inside an OCTET STRING, or (seen in files) as a bare sequence.

    Nothing may follow it: a maker's certificate is not in what the maker signs, so such bytes would be anybody's.
    """
    content = node.content if node.tag == OCTETS else node.encoded
    if content[:1] != b"\x30":
        raise SealFormatError(part, "it holds no certificate")
    certificate = node_at(content, 0, len(content), part)
    if certificate.end != len(content):
        raise SealFormatError(part, "bytes follow it")
    if [child.tag for child in certificate.children(part)] != [SEQUENCE, SEQUENCE, BITS]:
        raise SealFormatError(part, "it holds no certificate")
    return content


def bits_of(node: Node, part: str) -> bytes:
    """The content of a BIT STRING of whole bytes."""
    if node.tag != BITS or not node.content or node.content[0] != 0:
        raise SealFormatError(part, "it is no BIT STRING of whole bytes")
    return node.content[1:]


def tagged_bits_of(node: Node, part: str) -> bytes:
    """A BIT STRING under [0], or bare."""
    inner = node.children(part, TAGGED_0) if node.tag == TAGGED_0 else [node]
    if len(inner) != 1:
        raise SealFormatError(part, f"it has {len(inner)} elements")
    return bits_of(inner[0], part)


def oid_of(node: Node, part: str) -> str:
    """An object identifier; wrapped in an AlgorithmIdentifier it is read as well."""
    from asn1crypto import core

    if node.tag == SEQUENCE:
        node = (node.children(part) or [node])[0]
    if node.tag != OID or not 1 <= len(node.content) <= 64 or node.content[-1] & 0x80:
        raise SealFormatError(part, "it is no object identifier")
    return str(core.ObjectIdentifier.load(node.encoded).dotted)
