"""Electronic seals and seal signatures as other software writes them (GM/T 0031-2014, GB/T 38540-2020, GM/T 0031-2025).

Read leniently, because real seals are not strict DER, and always with the original bytes kept: what a signature covers
is a slice of the input, never something encoded anew. The version is decided by shape first (number of elements), then
compared with the number inside.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from verify.formats.der import wrap
from verify.formats.sealvalues import (
    BOOLEAN,
    IA5,
    INTEGER,
    OCTETS,
    SEQUENCE,
    TAGGED_0,
    TEXTS,
    UTF8,
    Node,
    SealFormatError,
    bits_of,
    certificate_of,
    moment_of,
    node_at,
    number_of,
    octets_of,
    oid_of,
    tagged_bits_of,
    text_of,
    time_info,
)

MAX_SEAL_BYTES = 8_000_000
_HEADER = b"\x16\x02ES"
"""The first value in the header of every seal, the text ES; four or five lengths stand before it."""


@dataclass(frozen=True, slots=True)
class Picture:
    """The seal's picture: its kind as named, its bytes, and its size in millimetres."""

    kind: str
    data: bytes
    width_mm: int
    height_mm: int


@dataclass(frozen=True, slots=True)
class SealExtension:
    """One extension, its value as it stands."""

    oid: str
    critical: bool
    value: bytes


@dataclass(frozen=True, slots=True)
class Seal:
    """SES_Seal. ``version`` is 1, 4 or 5 by shape; ``covered`` is what the maker's signature covers."""

    version: int
    stated_version: int
    vendor: str
    seal_id: str
    kind: int
    name: str
    certificates: tuple[bytes, ...]
    digests: tuple[tuple[str, bytes], ...]
    created: datetime
    valid_from: datetime
    valid_to: datetime
    picture: Picture
    extensions: tuple[SealExtension, ...]
    maker: bytes
    algorithm: str
    signature: bytes
    covered: bytes
    encoded: bytes
    timestamp: bytes | None = None
    remarks: tuple[str, ...] = ()

    def lists(self, certificate: bytes, digest: Callable[[str, bytes], bytes | None]) -> bool:
        """Whether a signer's certificate (DER) is in the seal's list; ``digest`` hashes under a name or OID."""
        if certificate in self.certificates:
            return True
        return any(digest(name, certificate) == value for name, value in self.digests)


@dataclass(frozen=True, slots=True)
class SealSignature:
    """SES_Signature. ``time`` is None where ``time_token`` holds a timestamp token instead (version 1)."""

    version: int
    stated_version: int
    seal: Seal
    time: datetime | None
    time_token: bytes | None
    data_hash: bytes
    property_info: str
    extensions: tuple[SealExtension, ...]
    signer: bytes
    algorithm: str
    signature: bytes
    covered: bytes
    timestamp: bytes | None = None
    remarks: tuple[str, ...] = field(default=())


def unverified_seal(data: bytes) -> Seal:
    """Read a bare seal. Raises SealFormatError."""
    return _seal(_whole(data))


def unverified_seal_signature(data: bytes) -> SealSignature:
    """Read a seal signature value. Raises SealFormatError."""
    top = _whole(data)
    parts = top.children("SES_Signature")
    if len(parts) == 2:
        return _signature_1(parts)
    if len(parts) in (4, 5):
        return _signature_4(parts)
    raise SealFormatError("SES_Signature", f"it has {len(parts)} elements")


def begins_as_seal(data: bytes) -> bool:
    """Whether these bytes begin as a seal or a seal signature does, right or wrong as they may be."""
    return data[:1] == b"\x30" and _HEADER in data[:64]


def looks_like_signature(data: bytes) -> bool:
    """Whether a value is a seal signature rather than a bare seal: its first element begins with a number."""
    try:
        first = _whole(data).children("value")[0]
        return first.children("value")[0].tag == INTEGER
    except (SealFormatError, IndexError):
        return False


def has_shape_1(data: bytes) -> bool:
    """Whether a value has the two elements of version 1, whatever is inside."""
    try:
        return len(_whole(data).children("value")) == 2
    except SealFormatError:
        return False


def begins_like_signature(data: bytes) -> bool:
    """Whether a value that something may follow begins as a seal signature: zeros do, in a PDF."""
    try:
        top = node_at(data, 0, len(data), "value")
        return top.tag == SEQUENCE and looks_like_signature(top.encoded)
    except SealFormatError:
        return False


def _whole(data: bytes) -> Node:
    if len(data) > MAX_SEAL_BYTES:
        raise SealFormatError("value", "it is too large")
    node = node_at(data, 0, len(data), "value")
    if node.tag != SEQUENCE:
        raise SealFormatError("value", "it is no sequence")
    if node.end != len(data):
        raise SealFormatError("value", "bytes follow it")
    return node


def _seal(node: Node) -> Seal:
    parts = node.children("SESeal")
    if len(parts) == 2:
        return _seal_1(node, parts)
    if len(parts) not in (4, 5):
        raise SealFormatError("SESeal", f"it has {len(parts)} elements")
    info, cert, algorithm, signature = parts[:4]
    timestamp = tagged_bits_of(parts[4], "SESeal.timeStamp") if len(parts) == 5 else None
    shape = 5 if timestamp is not None or _stated(info) == 5 else 4
    return _assemble(node, shape, info, (cert, algorithm, signature), info.encoded, timestamp)


def _seal_1(node: Node, parts: list[Node]) -> Seal:
    info, sign_info = parts
    inner = sign_info.children("SES_SignInfo")
    if len(inner) != 3:
        raise SealFormatError("SES_SignInfo", f"it has {len(inner)} elements")
    cert, algorithm, signature = inner
    # the wrapping that version 1 signs around three elements stands nowhere in the file itself
    covered = wrap(SEQUENCE, info.encoded, cert.encoded, algorithm.encoded)
    return _assemble(node, 1, info, (cert, algorithm, signature), covered, None)


def _stated(info: Node) -> int:
    header = info.children("SES_SealInfo")[:1]
    inner = header[0].children("SES_Header") if header else []
    if len(inner) != 3:
        raise SealFormatError("SES_Header", f"it has {len(inner)} elements")
    return number_of(inner[1], "SES_Header.version")


def _assemble(
    node: Node, shape: int, info: Node, signing: tuple[Node, Node, Node], covered: bytes, timestamp: bytes | None
) -> Seal:
    parts = info.children("SES_SealInfo")
    if len(parts) not in (4, 5):
        raise SealFormatError("SES_SealInfo", f"it has {len(parts)} elements")
    header, seal_id, properties, picture = parts[:4]
    stated, vendor = _header(header, shape)
    kind, name, (certificates, digests), times = _properties(properties, shape)
    cert, algorithm, signature = signing
    return Seal(
        version=shape,
        stated_version=stated,
        vendor=vendor,
        seal_id=text_of(seal_id, "esID", (IA5,)),
        kind=kind,
        name=name,
        certificates=certificates,
        digests=digests,
        created=times[0],
        valid_from=times[1],
        valid_to=times[2],
        picture=_picture(picture),
        extensions=_extensions(parts[4]) if len(parts) == 5 else (),
        maker=certificate_of(cert, "SESeal.cert"),
        algorithm=oid_of(algorithm, "SESeal.signAlgID"),
        signature=bits_of(signature, "SESeal.signedValue"),
        covered=covered,
        encoded=node.encoded,
        timestamp=timestamp,
        remarks=_remarks(algorithm, digests),
    )


def _remarks(algorithm: Node, digests: tuple[tuple[str, bytes], ...]) -> tuple[str, ...]:
    """Identifiers that makers are known to write wrongly, read as what they meant."""
    found = []
    if any(name == "1.2.156.10197.1.401.2" for name, _ in digests):
        found.append("SM3_AS_HMAC")
    if oid_of(algorithm, "SESeal.signAlgID") == "1.2.156.10197.501":
        found.append("SM2_OID_SHORT")
    return tuple(found)


def _header(node: Node, shape: int) -> tuple[int, str]:
    parts = node.children("SES_Header")
    if len(parts) != 3:
        raise SealFormatError("SES_Header", f"it has {len(parts)} elements")
    if text_of(parts[0], "SES_Header.ID", (IA5,)) != "ES":
        raise SealFormatError("SES_Header.ID", "it is not ES")
    stated = number_of(parts[1], "SES_Header.version")
    # version 1 leaves its number free, the later ones state theirs
    if shape != 1 and stated != shape:
        raise SealFormatError("SES_Header.version", f"it states {stated}, the shape is that of version {shape}")
    if shape == 1 and stated in (4, 5):
        raise SealFormatError("SES_Header.version", f"it states {stated}, the shape is that of version 1")
    return stated, text_of(parts[2], "SES_Header.Vid", (IA5,))


_Listed = tuple[tuple[bytes, ...], tuple[tuple[str, bytes], ...]]


def _properties(node: Node, shape: int) -> tuple[int, str, _Listed, list[datetime]]:
    parts = node.children("SES_ESPropertyInfo")
    expected = 6 if shape == 1 else 7
    if len(parts) != expected:
        raise SealFormatError("SES_ESPropertyInfo", f"it has {len(parts)} elements")
    list_kind = 1 if shape == 1 else number_of(parts[2], "certListType")
    listed = _list(parts[-4], list_kind)
    names = ("createDate", "validStart", "validEnd")
    times = [moment_of(part, name) for part, name in zip(parts[-3:], names, strict=True)]
    return number_of(parts[0], "type"), text_of(parts[1], "name", (UTF8,)), listed, times


def _list(node: Node, kind: int) -> _Listed:
    if node.tag != SEQUENCE:
        raise SealFormatError("certList", "it is no sequence")
    parts = node.children("certList")
    if kind == 1:
        return tuple(certificate_of(part, "certList") for part in parts), ()
    if kind != 2:
        raise SealFormatError("certListType", f"it is {kind}")
    digests: list[tuple[str, bytes]] = []
    for part in parts:
        pair = part.children("CertDigestObj")
        if len(pair) != 2:
            raise SealFormatError("CertDigestObj", f"it has {len(pair)} elements")
        digests.append(
            (text_of(pair[0], "CertDigestObj.type", tuple(TEXTS)), octets_of(pair[1], "CertDigestObj.value"))
        )
    return (), tuple(digests)


def _picture(node: Node) -> Picture:
    parts = node.children("SES_ESPictrueInfo")
    if len(parts) != 4:
        raise SealFormatError("SES_ESPictrueInfo", f"it has {len(parts)} elements")
    return Picture(
        text_of(parts[0], "picture.type", (IA5,)),
        octets_of(parts[1], "picture.data"),
        number_of(parts[2], "picture.width"),
        number_of(parts[3], "picture.height"),
    )


def _extensions(node: Node) -> tuple[SealExtension, ...]:
    """A plain sequence, one under [0], or one inside an OCTET STRING: all three are found in real seals."""
    if node.tag == TAGGED_0:
        parts = node.children("extDatas", TAGGED_0)
        if len(parts) == 1 and parts[0].tag == SEQUENCE and _is_list(parts[0]):
            parts = parts[0].children("extDatas")
    elif node.tag == OCTETS:
        inner = node_at(node.data, node.body, node.end, "extDatas")
        if inner.end != node.end:
            raise SealFormatError("extDatas", "bytes follow it")
        parts = inner.children("extDatas")
    else:
        parts = node.children("extDatas")
    return tuple(_extension(part) for part in parts)


def _is_list(node: Node) -> bool:
    parts = node.children("extDatas")
    return not parts or parts[0].tag == SEQUENCE


def _extension(node: Node) -> SealExtension:
    parts = node.children("ExtData")
    if len(parts) not in (2, 3) or (len(parts) == 3 and parts[1].tag != BOOLEAN):
        raise SealFormatError("ExtData", f"it has {len(parts)} elements")
    critical = len(parts) == 3 and parts[1].content not in (b"\0", b"")
    return SealExtension(oid_of(parts[0], "ExtData.extnID"), critical, octets_of(parts[-1], "ExtData.extnValue"))


def _signature_1(parts: list[Node]) -> SealSignature:
    signed, value = parts
    inner = signed.children("TBS_Sign")
    if len(inner) != 7:
        raise SealFormatError("TBS_Sign", f"it has {len(inner)} elements")
    version, seal, time, data_hash, info, cert, algorithm = inner
    moment, token, remarks = time_info(bits_of(time, "timeInfo"))
    return SealSignature(
        version=1,
        stated_version=number_of(version, "TBS_Sign.version"),
        seal=_seal(seal),
        time=moment,
        time_token=token,
        data_hash=bits_of(data_hash, "dataHash"),
        property_info=text_of(info, "propertyInfo", (IA5, UTF8)),
        extensions=(),
        signer=certificate_of(cert, "TBS_Sign.cert"),
        algorithm=oid_of(algorithm, "signatureAlgorithm"),
        signature=bits_of(value, "signature"),
        covered=signed.encoded,
        remarks=remarks,
    )


def _signature_4(parts: list[Node]) -> SealSignature:
    signed, cert, algorithm, value = parts[:4]
    inner = signed.children("TBS_Sign")
    if len(inner) not in (5, 6):
        raise SealFormatError("TBS_Sign", f"it has {len(inner)} elements")
    version, seal_node, time, data_hash, info = inner[:5]
    seal = _seal(seal_node)
    if seal.version == 1:
        raise SealFormatError("TBS_Sign.eseal", "a seal of version 1 in a signature of a later version")
    return SealSignature(
        version=seal.version,
        stated_version=_stated_like(version, seal),
        seal=seal,
        time=moment_of(time, "timeInfo"),
        time_token=None,
        data_hash=bits_of(data_hash, "dataHash"),
        property_info=text_of(info, "propertyInfo", (IA5, UTF8)),
        extensions=_extensions(inner[5]) if len(inner) == 6 else (),
        signer=certificate_of(cert, "SES_Signature.cert"),
        algorithm=oid_of(algorithm, "signatureAlgID"),
        signature=bits_of(value, "signature"),
        covered=signed.encoded,
        timestamp=tagged_bits_of(parts[4], "SES_Signature.timeStamp") if len(parts) == 5 else None,
    )


def _stated_like(node: Node, seal: Seal) -> int:
    stated = number_of(node, "TBS_Sign.version")
    if stated != seal.version:
        raise SealFormatError("TBS_Sign.version", f"it states {stated}, its seal is of version {seal.version}")
    return stated
