"""A region's trust list: who issues what there, with certificates, after ETSI TS 119 602 (JSON binding, JWS).

The list is a compact JWS (``typ`` ``certvault-trust-list+jwt``) by a key for trust lists, its chain in ``x5c``. The
payload is a List of Trusted Entities in RFC 8785 form, so that a follower can rebuild it from a former list and the
differences and still check the region's own signature. One entity is the region's platform (its authorities), every
other is an issuer with its services for seals, records and codes. What the standard has no member for stands in its
extension points, under one object ``certvault``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from verify.formats.anchor import REGION
from verify.formats.jose import MAX_HEADER, JoseError, UnverifiedJws, decode_base64url, strict_object, unverified_jws
from verify.formats.license import canonical_json
from verify.formats.members import HTTP, MemberError, Members, base64_text, moment_text
from verify.formats.purposes import ARC

JWS_TYPE = "certvault-trust-list+jwt"
MAX_BYTES = 30_000_000
"""Of a list as a token: 10,000 issuers with three certificates each."""
MAX_ISSUERS = 20_000
MAX_TYPES = 2_000
LIST_TYPE = f"urn:oid:{ARC}.200"
STATUS_APPROACH = f"urn:oid:{ARC}.201"
"""Services are listed as their region grants them; their licenses have status lists of their own."""
SERVICE_CA = f"urn:oid:{ARC}.210"
SERVICE_SEAL = f"urn:oid:{ARC}.211"
SERVICE_RECORD = f"urn:oid:{ARC}.212"
SERVICE_CODE = f"urn:oid:{ARC}.213"
SERVICE_TIMESTAMP = f"urn:oid:{ARC}.214"
GRANTED = f"urn:oid:{ARC}.220"
WITHDRAWN = f"urn:oid:{ARC}.221"
EXTENSION = "certvault"
_TYPE = re.compile(r"[a-z0-9][a-z0-9._-]{0,99}")
_PLACE = re.compile(r"[0-9]{0,6}")


class TrustListError(ValueError):
    """The bytes are no trust list. The message says why."""


@dataclass(frozen=True, slots=True)
class ListedSeal:
    """A seal of an issuer. ``structures`` are the seal structures it signs with: ``pades``, ``ses-1``, ``ses-4``.
    ``granted`` is False for one that is suspended or gone; ``since`` is when that began."""

    id: str
    name: str
    kind: str
    certificates: tuple[bytes, ...]
    granted: bool
    since: datetime
    structures: tuple[str, ...] = ("pades",)


@dataclass(frozen=True, slots=True)
class ListedIssuer:
    """An issuer with its remit: ``types`` and ``places`` (beginnings of region codes) None means all of the region's.

    ``level``: 1 national, 2 provincial, 3 of a city, 4 of a county; 0 is not said. ``records`` and ``codes`` are the
    certificates (DER) of its keys of all generations that may still count.
    """

    code: str
    name: str
    types: tuple[str, ...] | None
    places: tuple[str, ...] | None
    since: datetime
    until: datetime | None = None
    level: int = 0
    granted: bool = True
    seals: tuple[ListedSeal, ...] = ()
    records: tuple[bytes, ...] = ()
    codes: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class ListedType:
    """A license type: its JSON Schema, titles of its fields by language, its codes of GB/T 36904."""

    name: str
    version: int
    code: str
    title_zh: str
    title_en: str
    schema: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Addresses of the region. ``base``: all others begin with it, and so do the addresses of its status lists.

    Nothing is fetched for this region from an address that begins otherwise.
    """

    base: str
    trust_list: str
    status_lists: tuple[str, ...] = ()
    notices: str = ""


@dataclass(frozen=True, slots=True)
class TrustList:
    """A list. ``roots`` are the anchors of its licenses (DER), ``authorities`` stand between; ``crls`` are revocation
    lists (DER) of both. ``example``: of an example vault, where an issuer may print another authority's name.

    ``timestamps`` are the certificates (DER) of the region's timestamp authority, of all keys whose timestamps may
    still count; they stand below the roots and need no trust of their own.
    """

    region: str
    name: str
    sequence: int
    issued: datetime
    next_update: datetime
    roots: tuple[bytes, ...]
    authorities: tuple[bytes, ...]
    endpoints: Endpoints
    issuers: tuple[ListedIssuer, ...]
    types: tuple[ListedType, ...]
    crls: tuple[bytes, ...] = ()
    anchor_sequence: int = 1
    example: bool = False
    extra: Mapping[str, Any] = field(default_factory=dict)
    timestamps: tuple[bytes, ...] = ()

    def type_named(self, name: str) -> ListedType | None:
        """The newest version of a type."""
        found = [t for t in self.types if t.name == name]
        return max(found, key=lambda t: t.version) if found else None

    def issuer_of(self, code: str) -> ListedIssuer | None:
        """The issuer of that code."""
        return next((i for i in self.issuers if i.code == code), None)

    def to_json(self) -> dict[str, Any]:
        """The payload."""
        return {"LoTE": {"ListAndSchemeInformation": self._scheme(), "TrustedEntitiesList": self._entities()}}

    def payload(self) -> bytes:
        """What is signed: the payload in RFC 8785 form."""
        return canonical_json(self.to_json())

    def _scheme(self) -> dict[str, Any]:
        return {
            "LoTEVersionIdentifier": 1,
            "LoTESequenceNumber": self.sequence,
            "LoTEType": LIST_TYPE,
            "SchemeOperatorName": _named(self.name),
            "SchemeName": _named(f"{self.name} 电子证照信任列表", f"Trust list of region {self.region}"),
            "SchemeTerritory": "CN",
            "StatusDeterminationApproach": STATUS_APPROACH,
            "ListIssueDateTime": moment_text(self.issued),
            "NextUpdate": moment_text(self.next_update),
            "DistributionPoints": [self.endpoints.trust_list],
            "SchemeExtensions": [
                {
                    EXTENSION: {
                        "region": self.region,
                        "anchor_sequence": self.anchor_sequence,
                        "example": self.example,
                        "endpoints": {
                            "base": self.endpoints.base,
                            "trust_list": self.endpoints.trust_list,
                            "status_lists": list(self.endpoints.status_lists),
                            "notices": self.endpoints.notices,
                        },
                        "types": [_type_json(t) for t in self.types],
                        "crls": [base64_text(c) for c in self.crls],
                        "extra": dict(self.extra),
                    }
                }
            ],
        }

    def _entities(self) -> list[dict[str, Any]]:
        since = moment_text(self.issued)
        services = [
            _service(SERVICE_CA, "根证书", "Root authorities", self.roots, True, since, {"anchors": True}),
            _service(SERVICE_CA, "签发机构", "Issuing authorities", self.authorities, True, since, {}),
        ]
        if self.timestamps:
            services.append(
                _service(SERVICE_TIMESTAMP, "时间戳机构", "Timestamp authority", self.timestamps, True, since, {})
            )
        platform = {
            "TrustedEntityInformation": {
                "TEName": _named(self.name),
                "TEInformationExtensions": [{EXTENSION: {"kind": "platform"}}],
            },
            "TrustedEntityServices": services,
        }
        return [platform, *(_issuer_json(i) for i in self.issuers)]


def unverified_trust_list(token: bytes | str) -> tuple[TrustList, UnverifiedJws]:
    """Read a list. Nothing is verified: use it only after :mod:`verify.trust.lists` has. Raises TrustListError."""
    try:
        jws = unverified_jws(token, MAX_BYTES)
        if jws.header.get("typ") != JWS_TYPE:
            raise TrustListError("its type is another")
        claims = jws.claims()
    except JoseError as error:
        raise TrustListError(str(error)) from error
    found = trust_list_from_json(claims)
    try:
        payload = found.payload()
    except (ValueError, RecursionError) as error:  # schemas are anybody's: numbers or depth that have no such form
        raise TrustListError("it holds something that has no RFC 8785 form") from error
    if payload != jws.payload:
        raise TrustListError("it holds members that are not known, or is not in RFC 8785 order")
    return found, jws


def begins_as_trust_list(data: bytes) -> bool:
    """Whether this is a compact JWS whose header says that it is a trust list."""
    head, dot, _ = data[:MAX_HEADER].lstrip().partition(b".")
    if not dot:
        return False
    try:
        return strict_object(decode_base64url(head.decode("ascii")), "header").get("typ") == JWS_TYPE
    except (JoseError, UnicodeDecodeError):
        return False


def trust_list_from_json(value: Any) -> TrustList:
    """Build a list from its payload; the inverse of :meth:`TrustList.to_json`. Raises TrustListError."""
    try:
        return _list(Members(value).object("LoTE"))
    except MemberError as error:
        raise TrustListError(str(error)) from error


def _list(o: Members) -> TrustList:
    scheme = o.object("ListAndSchemeInformation")
    ours = _extension(scheme, "SchemeExtensions")
    points = ours.object("endpoints")
    entities = o.objects("TrustedEntitiesList", limit=MAX_ISSUERS + 1)
    if not entities or _extension(entities[0].object("TrustedEntityInformation")).text("kind") != "platform":
        raise MemberError("TrustedEntitiesList does not begin with the platform")
    services = entities[0].objects("TrustedEntityServices", limit=3)
    kinds = [s.object("ServiceInformation").text("ServiceTypeIdentifier") for s in services]
    if kinds not in ([SERVICE_CA] * 2, [SERVICE_CA, SERVICE_CA, SERVICE_TIMESTAMP]):
        raise MemberError("the platform's services are not its authorities and perhaps its timestamps")
    base = points.matching("base", HTTP).rstrip("/")
    found = TrustList(
        region=ours.matching("region", REGION),
        name=_name_of(scheme, "SchemeOperatorName"),
        sequence=scheme.integer("LoTESequenceNumber", low=1),
        issued=scheme.moment("ListIssueDateTime"),
        next_update=scheme.moment("NextUpdate"),
        roots=_certificates(services[0]),
        authorities=_certificates(services[1]),
        endpoints=Endpoints(
            base,
            points.matching("trust_list", HTTP),
            tuple(_below(base, u, "status_lists") for u in points.texts("status_lists", limit=1_000)),
            points.text("notices", ""),
        ),
        issuers=tuple(_issuer(e) for e in entities[1:]),
        types=tuple(_type(t) for t in ours.objects("types", limit=MAX_TYPES)),
        crls=ours.all_octets("crls", most=64, limit=4_000_000),
        anchor_sequence=ours.integer("anchor_sequence", low=1),
        example=ours.boolean("example"),
        extra=ours.optional_object("extra").value,
        timestamps=_certificates(services[2]) if len(services) == 3 else (),
    )
    _below(base, found.endpoints.trust_list, "trust_list")
    if found.endpoints.notices:
        _below(base, found.endpoints.notices, "notices")
    if found.next_update <= found.issued:
        raise MemberError("NextUpdate is not after ListIssueDateTime")
    if not found.roots:
        raise MemberError("it lists no root")
    codes = [i.code for i in found.issuers]
    if len(set(codes)) != len(codes):
        raise MemberError("an issuer stands twice")
    return found


def _issuer(entity: Members) -> ListedIssuer:
    information = entity.object("TrustedEntityInformation")
    ours = _extension(information)
    seals: list[ListedSeal] = []
    held: dict[str, tuple[bytes, ...]] = {SERVICE_RECORD: (), SERVICE_CODE: ()}
    for one in entity.objects("TrustedEntityServices", limit=200):
        kind = one.object("ServiceInformation").text("ServiceTypeIdentifier")
        if kind == SERVICE_SEAL:
            seals.append(_seal(one))
        elif kind in held and not held[kind]:
            held[kind] = _certificates(one)
        else:
            raise MemberError(f"{one.path}: a service of an unknown kind, or one that stands twice")
    places = ours.optional_texts("places")
    types = ours.optional_texts("types")
    if any(not _PLACE.fullmatch(p) for p in places or ()) or any(not _TYPE.fullmatch(t) for t in types or ()):
        raise MemberError(f"{ours.path}: a place or type is not of the form expected")
    return ListedIssuer(
        code=ours.line("code", limit=18),
        name=_name_of(information, "TEName"),
        types=types,
        places=places,
        since=ours.moment("since"),
        until=ours.optional_moment("until"),
        level=ours.integer("level", low=0, high=9),
        granted=ours.boolean("granted"),
        seals=tuple(seals),
        records=held[SERVICE_RECORD],
        codes=held[SERVICE_CODE],
    )


def _seal(service: Members) -> ListedSeal:
    information = service.object("ServiceInformation")
    ours = _extension(information, "ServiceInformationExtensions")
    status = information.text("ServiceStatus")
    if status not in (GRANTED, WITHDRAWN):
        raise MemberError(f"{information.at('ServiceStatus')} is not known")
    return ListedSeal(
        id=ours.line("id", limit=100),
        name=_name_of(information, "ServiceName"),
        kind=ours.line("kind", limit=40),
        certificates=_certificates(service),
        granted=status == GRANTED,
        since=information.moment("StatusStartingTime"),
        structures=ours.texts("structures", limit=8),
    )


def _type(o: Members) -> ListedType:
    return ListedType(
        name=o.matching("name", _TYPE),
        version=o.integer("version", low=1, high=999),
        code=o.line("code", limit=40),
        title_zh=o.line("title_zh", limit=200),
        title_en=o.line("title_en", limit=200),
        schema=o.object("schema").value,
    )


def _type_json(listed: ListedType) -> dict[str, Any]:
    return {
        "name": listed.name,
        "version": listed.version,
        "code": listed.code,
        "title_zh": listed.title_zh,
        "title_en": listed.title_en,
        "schema": dict(listed.schema),
    }


def _issuer_json(issuer: ListedIssuer) -> dict[str, Any]:
    since = moment_text(issuer.since)
    ours = {
        "kind": "issuer",
        "code": issuer.code,
        "types": None if issuer.types is None else list(issuer.types),
        "places": None if issuer.places is None else list(issuer.places),
        "since": since,
        "until": None if issuer.until is None else moment_text(issuer.until),
        "level": issuer.level,
        "granted": issuer.granted,
    }
    services = [_seal_json(s) for s in issuer.seals]
    if issuer.records:
        services.append(_service(SERVICE_RECORD, "电子证照数据", "Records", issuer.records, True, since, {}))
    if issuer.codes:
        services.append(_service(SERVICE_CODE, "证照二维码", "Codes", issuer.codes, True, since, {}))
    return {
        "TrustedEntityInformation": {"TEName": _named(issuer.name), "TEInformationExtensions": [{EXTENSION: ours}]},
        "TrustedEntityServices": services,
    }


def _seal_json(seal: ListedSeal) -> dict[str, Any]:
    ours = {"id": seal.id, "kind": seal.kind, "structures": list(seal.structures)}
    since = moment_text(seal.since)
    return _service(SERVICE_SEAL, seal.name, f"Seal {seal.id}", seal.certificates, seal.granted, since, ours)


def _service(
    kind: str, zh: str, en: str, certificates: Sequence[bytes], granted: bool, since: str, ours: dict[str, Any]
) -> dict[str, Any]:
    return {
        "ServiceInformation": {
            "ServiceTypeIdentifier": kind,
            "ServiceName": _named(zh, en),
            "ServiceDigitalIdentity": {"X509Certificates": [{"val": base64_text(c)} for c in certificates]},
            "ServiceStatus": GRANTED if granted else WITHDRAWN,
            "StatusStartingTime": since,
            "ServiceInformationExtensions": [{EXTENSION: ours}],
        }
    }


def _certificates(service: Members) -> tuple[bytes, ...]:
    from asn1crypto import x509

    identity = service.object("ServiceInformation").object("ServiceDigitalIdentity")
    found = tuple(c.octets("val") for c in identity.objects("X509Certificates", limit=100))
    for der in found:
        try:
            certificate = x509.Certificate.load(der, strict=True)
            _ = len(certificate.subject.chosen), certificate.public_key.algorithm  # lists have thousands
        except (ValueError, TypeError, KeyError) as error:
            raise MemberError(f"{identity.path} holds something that is no certificate") from error
    return found


def _extension(o: Members, name: str = "TEInformationExtensions") -> Members:
    listed = o.objects(name, limit=8)
    if len(listed) != 1:
        raise MemberError(f"{o.at(name)} holds not one extension")
    return listed[0].object(EXTENSION)


def _named(zh: str, en: str | None = None) -> list[dict[str, str]]:
    named = [{"lang": "zh", "value": zh}]
    return named if en is None else [*named, {"lang": "en", "value": en}]


def _name_of(o: Members, name: str) -> str:
    for one in o.objects(name, limit=40):
        if one.text("lang", limit=20) == "zh":
            return one.line("value", limit=400)
    raise MemberError(f"{o.at(name)} has no Chinese name")


def _below(base: str, url: str, name: str) -> str:
    """An address below ``base``: a list sends nobody elsewhere."""
    if not url.startswith(base + "/") or not HTTP.fullmatch(url):
        raise MemberError(f"{name}: an address is not below {base[:100]}")
    return url
