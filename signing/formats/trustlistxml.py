"""The XML form of a region's trust list: ETSI TS 119 612 v2.4.1, for its certification authorities and timestamps.

Made from the same :class:`verify.formats.trustlist.TrustList` as the JSON form and with its number; what the standard
has no element for (issuers with their remits, license types, addresses of status lists) is in the JSON form alone.
Service types and statuses are those which readers of European lists look for: ``CA/QC``, ``TSA/QTST``, ``granted`` and
``withdrawn``. The list's legal notice says that they are meant under the region's own rules.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from asn1crypto import crl, x509

from signing.errors import PurposeError, SigningError
from signing.formats.xades import add, root_element, signed_document
from signing.keys import KeyPurpose
from signing.signer import Signer
from verify.formats.members import base64_text, moment_text
from verify.formats.trustlist import TrustList

MEDIA_TYPE = "application/vnd.etsi.tsl+xml"
TSL = "http://uri.etsi.org/02231/v2#"
VERSION = "6"
TERRITORY = "CN"
MOST = timedelta(days=183)
"""From issue to next update: six months at most (5.3.15)."""
_BASE = "http://uri.etsi.org/TrstSvc"
GRANTED = f"{_BASE}/TrustedList/Svcstatus/granted"
WITHDRAWN = f"{_BASE}/TrustedList/Svcstatus/withdrawn"
AUTHORITY = f"{_BASE}/Svctype/CA/QC"
TIMESTAMP = f"{_BASE}/Svctype/TSA/QTST"
_OCSP = f"{_BASE}/Svctype/Certstatus/OCSP/QC"
_FOR_SEALS = f"{_BASE}/TrustedList/SvcInfoExt/ForeSeals"
_ROOT = f"{_BASE}/TrustedList/SvcInfoExt/RootCA-QC"
_EVER = "65535"  # 5.3.12: history is never removed


@dataclass(frozen=True, slots=True)
class Operator:
    """Where those who answer for the list are reached, as far as they say it.

    ``registration`` is the unified social credit code of the operator, for its registration identifier (5.4.2).
    """

    street: str = ""
    locality: str = ""
    postal_code: str = ""
    email: str = ""
    registration: str = ""


@dataclass(frozen=True, slots=True)
class _Kind:
    """A kind of service. ``about``: the additional information of its extension; ``point``: path and type of access."""

    type: str
    zh: str
    en: str
    about: str = ""
    point: tuple[str, str] | None = None


_KINDS = {
    "roots": _Kind(AUTHORITY, "根证书颁发机构", "Root certification authority", _ROOT),
    "authorities": _Kind(
        AUTHORITY, "签发证书颁发机构", "Issuing certification authority", _FOR_SEALS, ("/ocsp", _OCSP)
    ),
    "timestamps": _Kind(TIMESTAMP, "时间戳服务", "Timestamping authority", "", ("/tsa", "")),
}
_NOTICE_ZH = (
    "本列表所列服务依区域电子证照信任体系的规则核准。服务类型与状态采用 ETSI TS 119 612 的标识，"
    "供通用软件读取，不表示其为欧盟第 910/2014 号条例意义上的合格服务。"
    "证照颁发机构、颁发权限与证照类型见同一序号的 JSON 信任列表。"
)
_NOTICE_EN = (
    "The services of this list are approved under the rules of the region's licensing scheme. Service types and "
    "statuses have the identifiers of ETSI TS 119 612 so that common software can read them; they do not mean "
    "qualified services under Regulation (EU) No 910/2014. License issuers, their remits and license types are in the "
    "JSON trust list of the same number."
)
_EXAMPLE_ZH, _EXAMPLE_EN = "样本，不作任何用途。", "EXAMPLE, for no use. "


def xml_address(listed: TrustList) -> str:
    """Where the XML form is published: beside the JSON form."""
    return f"{listed.endpoints.trust_list}.xml"


def make_trust_list_xml(
    listed: TrustList, *, signer: Signer, certificate: bytes, at: datetime, operator: Operator | None = None
) -> bytes:
    """The list as a signed XML document (UTF-8).

    ``certificate`` (DER) is that of the key for trust lists. Raises PurposeError for another key, MechanismError where
    XML signatures have no algorithm for it (SM2), SigningError for a list that holds longer than six months.
    """
    if signer.handle.purpose is not KeyPurpose.TRUST_LIST:
        raise PurposeError(f"a {signer.handle.purpose.value} key signs no trust lists", uri=signer.handle.uri)
    if listed.next_update - listed.issued > MOST:
        raise SigningError("the XML form of a trust list holds for six months at most", uri=signer.handle.uri)
    root = root_element(TSL, "TrustServiceStatusList", TSLTag="http://uri.etsi.org/19612/TSLTag", Id="trust-list")
    operator = operator or Operator()
    _scheme(root, listed, operator)
    _provider(root, listed, operator)
    return signed_document(root, signer=signer, certificate=certificate, at=at)


def _scheme(root: Any, listed: TrustList, operator: Operator) -> None:
    """Scheme information (5.3)."""
    scheme = add(root, "SchemeInformation")
    add(scheme, "TSLVersionIdentifier", VERSION)
    add(scheme, "TSLSequenceNumber", str(listed.sequence))
    add(scheme, "TSLType", f"{_BASE}/TrustedList/TSLType/{TERRITORY}list")
    _names(scheme, "SchemeOperatorName", listed.name, _english(listed))
    _address(scheme, "SchemeOperatorAddress", listed, operator)
    _names(
        scheme,
        "SchemeName",
        f"{TERRITORY}:{listed.region} {listed.name} 电子证照信任列表",
        f"{TERRITORY}:Trust list of region {listed.region}",
    )
    _links(scheme, "SchemeInformationURI", listed.endpoints.base)
    add(scheme, "StatusDeterminationApproach", f"{_BASE}/TrustedList/StatusDetn/{TERRITORY}determination")
    _links(scheme, "SchemeTypeCommunityRules", f"{_BASE}/TrustedList/schemerules/{TERRITORY}")
    add(scheme, "SchemeTerritory", TERRITORY)
    notice = add(scheme, "PolicyOrLegalNotice")
    add(notice, "TSLLegalNotice", (_EXAMPLE_EN if listed.example else "") + _NOTICE_EN, lang="en")
    add(notice, "TSLLegalNotice", (_EXAMPLE_ZH if listed.example else "") + _NOTICE_ZH, lang="zh")
    add(scheme, "HistoricalInformationPeriod", _EVER)
    add(scheme, "ListIssueDateTime", moment_text(listed.issued))
    add(add(scheme, "NextUpdate"), "dateTime", moment_text(listed.next_update))
    add(add(scheme, "DistributionPoints"), "URI", xml_address(listed))


def _provider(root: Any, listed: TrustList, operator: Operator) -> None:
    """The region's platform as the one provider (5.4), with a service for each key (5.5.3)."""
    provider = add(add(root, "TrustServiceProviderList"), "TrustServiceProvider")
    about = add(provider, "TSPInformation")
    _names(about, "TSPName", listed.name, _english(listed))
    if operator.registration:
        identifier = f"NTR{TERRITORY}-{operator.registration}"
        _names(about, "TSPTradeName", identifier, identifier)
    _address(about, "TSPAddress", listed, operator)
    _links(about, "TSPInformationURI", listed.endpoints.base)
    services = add(provider, "TSPServices")
    revoked = _revocations(listed)
    for member, kind in _KINDS.items():
        for same_key in _by_key(getattr(listed, member)):
            _service(services, kind, same_key, listed, revoked)


def _service(
    services: Any,
    kind: _Kind,
    certificates: list[x509.Certificate],
    listed: TrustList,
    revoked: Mapping[tuple[bytes, int], datetime],
) -> None:
    """A service, granted from the beginning of its certificate; withdrawn when all of its certificates are revoked."""
    service = add(services, "TSPService")
    began = min(c.not_valid_before for c in certificates)
    ends = [revoked.get((c.issuer.dump(), c.serial_number)) for c in certificates]
    ended = None if None in ends else max(e for e in ends if e is not None)
    now = add(service, "ServiceInformation")
    _service_name(now, kind, certificates[0], listed)
    identity = add(now, "ServiceDigitalIdentity")
    for certificate in certificates:
        add(add(identity, "DigitalId"), "X509Certificate", base64_text(certificate.dump()))
    add(now, "ServiceStatus", GRANTED if ended is None else WITHDRAWN)
    add(now, "StatusStartingTime", moment_text(began if ended is None else ended))
    if kind.point is not None:
        path, access = kind.point
        typed = {"type": access} if access else {}
        add(add(now, "ServiceSupplyPoints"), "ServiceSupplyPoint", listed.endpoints.base + path, **typed)
    _extensions(now, kind)
    if ended is not None:
        before = add(add(service, "ServiceHistory"), "ServiceHistoryInstance")
        _service_name(before, kind, certificates[0], listed)
        # a former status names the key and holds no certificate (5.6.3)
        identity = add(add(before, "ServiceDigitalIdentity"), "DigitalId")
        add(identity, "X509SKI", base64_text(_key_identifier(certificates[0])))
        add(before, "ServiceStatus", GRANTED)
        add(before, "StatusStartingTime", moment_text(began))
        _extensions(before, kind)


def _service_name(parent: Any, kind: _Kind, certificate: x509.Certificate, listed: TrustList) -> None:
    add(parent, "ServiceTypeIdentifier", kind.type)
    name = str(certificate.subject.native.get("common_name", ""))
    shown = name if name.isascii() and name else hashlib.sha256(certificate.dump()).hexdigest()[:16]
    _names(parent, "ServiceName", f"{name}（{kind.zh}）", f"{kind.en} of region {listed.region}: {shown}")


def _extensions(parent: Any, kind: _Kind) -> None:
    """What the authority's certificates are for, as additional information (5.5.9.4); a reader may pass over it."""
    if kind.about:
        extension = add(add(parent, "ServiceInformationExtensions"), "Extension", Critical="false")
        add(add(extension, "AdditionalServiceInformation"), "URI", kind.about, lang="en")


def _names(parent: Any, element: str, zh: str, en: str) -> None:
    names = add(parent, element)
    add(names, "Name", en, lang="en")
    add(names, "Name", zh, lang="zh")


def _links(parent: Any, element: str, address: str) -> None:
    links = add(parent, element)
    for lang in ("en", "zh"):
        add(links, "URI", address, lang=lang)


def _address(parent: Any, element: str, listed: TrustList, operator: Operator) -> None:
    """Postal and electronic address (5.3.5). The schema wants a street: who gave none says so."""
    address = add(parent, element)
    postal = add(address, "PostalAddresses")
    region = f"Region {listed.region}"
    for lang, unknown, place in (("en", "not published", region), ("zh", "未公布", listed.name)):
        one = add(postal, "PostalAddress", lang=lang)
        add(one, "StreetAddress", operator.street or unknown)
        add(one, "Locality", operator.locality or place)
        if operator.postal_code:
            add(one, "PostalCode", operator.postal_code)
        add(one, "CountryName", TERRITORY)
    reached = add(address, "ElectronicAddress")
    for uri in (f"mailto:{operator.email}" if operator.email else "", listed.endpoints.base):
        for lang in ("en", "zh") if uri else ():
            add(reached, "URI", uri, lang=lang)


def _english(listed: TrustList) -> str:
    return listed.name if listed.name.isascii() else f"Licensing platform of region {listed.region}"


def _by_key(certificates: tuple[bytes, ...]) -> list[list[x509.Certificate]]:
    """One list for each public key: a key stands in a list of one type once (5.5.3)."""
    found: dict[bytes, list[x509.Certificate]] = {}
    for der in dict.fromkeys(certificates):
        certificate = x509.Certificate.load(der)
        found.setdefault(certificate.public_key.dump(), []).append(certificate)
    return list(found.values())


def _revocations(listed: TrustList) -> dict[tuple[bytes, int], datetime]:
    """Issuer and serial of what the list's own revocation lists revoke, until it was issued, and from when.

    From when its key was in doubt, where the revocation list says so (RFC 5280 5.3.2).
    """
    found: dict[tuple[bytes, int], datetime] = {}
    for der in listed.crls:
        tbs = crl.CertificateList.load(der)["tbs_cert_list"]
        for entry in tbs["revoked_certificates"] or ():
            revoked = entry["revocation_date"].native
            doubted = entry.invalidity_date_value
            if revoked <= listed.issued:
                since = revoked if doubted is None else min(revoked, doubted.native)
                found[tbs["issuer"].dump(), entry["user_certificate"].native] = since
    return found


def _key_identifier(certificate: x509.Certificate) -> bytes:
    return bytes(certificate.key_identifier or certificate.public_key.sha1)
