"""Asking a caller's source for what is missing, by addresses in certificates and licenses under a chosen anchor."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from verify.evidence import IssuerSource, Source

MAX_ADDRESSES = 4
MAX_BYTES = 20_000_000
MAX_ISSUER_BYTES, MAX_ISSUERS = 100_000, 20


def fetch_revocation(source: Source, certificate: Any, issuer: Any) -> tuple[list[bytes], list[bytes]]:
    """Revocation lists and OCSP answers (DER, unverified) about a certificate. Nothing raises."""
    ocsps, crls = [], []
    for url in _addresses(_responders(certificate)):
        answer = _asked(lambda u: source.ocsp(u, ocsp_request(certificate, issuer)), url)
        if answer:
            ocsps.append(answer)
            return [], ocsps
    for url in _addresses(_points(certificate)):
        listed = _asked(source.crl, url)
        if listed:
            crls.append(listed)
    return crls, ocsps


def fetch_status_list(source: Source, url: str) -> bytes | None:
    """The status list that a license names, unverified."""
    return _asked(source.status_list, url) if _addresses([url]) else None


def fetch_issuers(source: IssuerSource, certificate: Any) -> list[bytes]:
    """Certificates (DER, unverified) that a certificate's own addresses name as its issuer's. Nothing raises."""
    found: list[bytes] = []
    for url in _addresses(_authorities(certificate)):
        body = _asked(source.issuer, url)
        if body and len(body) <= MAX_ISSUER_BYTES:
            found += _unpacked(body)[:MAX_ISSUERS]
    return found


def _unpacked(body: bytes) -> list[bytes]:
    """The certificates in a file: one, in DER or PEM, or those of a CMS value without signers (RFC 5280 4.2.2.1)."""
    from asn1crypto import cms, pem

    try:
        if pem.detect(body):
            return [der for _, _, der in pem.unarmor(body, multiple=True)]
        if body[:1] == b"\x30" and (held := _bag(cms.ContentInfo.load(body))) is not None:
            return [choice.chosen.dump() for choice in held if choice.name == "certificate"]
    except Exception:  # noqa: BLE001 - what comes from an address may be anything
        return []
    return [body]


def _bag(info: Any) -> Any:
    try:
        return info["content"]["certificates"] if info["content_type"].native == "signed_data" else None
    except Exception:  # noqa: BLE001 - a certificate is no such value, and asn1crypto says so in many ways
        return None


def _asked(ask: Any, url: str) -> bytes | None:
    try:
        body = ask(url)
    except Exception:  # noqa: BLE001 - the caller's own code
        return None
    return body if isinstance(body, bytes) and 0 < len(body) <= MAX_BYTES else None


def ocsp_request(certificate: Any, issuer: Any) -> bytes:
    """A request about one certificate, its issuer named by SHA-1 as every responder understands (RFC 5019 2.1.1)."""
    from asn1crypto import algos, core, ocsp

    from verify.formats.keyinfo import key_bits
    from verify.formats.schemes import digest_of

    identity = ocsp.CertId(
        {
            "hash_algorithm": algos.DigestAlgorithm({"algorithm": "sha1", "parameters": core.Null()}),
            "issuer_name_hash": digest_of("sha1", certificate.issuer.dump()),
            "issuer_key_hash": digest_of("sha1", key_bits(issuer.public_key.dump())),
            "serial_number": certificate.serial_number,
        }
    )
    request = ocsp.TBSRequest({"request_list": [ocsp.Request({"req_cert": identity})]})
    return bytes(ocsp.OCSPRequest({"tbs_request": request}).dump())


def _responders(certificate: Any) -> Iterator[str]:
    for description in certificate.authority_information_access_value or ():
        if description["access_method"].native == "ocsp":
            yield str(description["access_location"].native)


def _authorities(certificate: Any) -> Iterator[str]:
    for description in certificate.authority_information_access_value or ():
        if description["access_method"].native == "ca_issuers":
            yield str(description["access_location"].native)


def _points(certificate: Any) -> Iterator[str]:
    for point in certificate.crl_distribution_points_value or ():
        name = point["distribution_point"]
        if name and name.name == "full_name":
            yield from (str(n.native) for n in name.chosen)


def _addresses(found: Iterable[str]) -> list[str]:
    try:
        unique = list(dict.fromkeys(found))
    except Exception:  # noqa: BLE001 - extensions that cannot be read name no address
        return []
    return [u for u in unique if u.lower().startswith(("http://", "https://"))][:MAX_ADDRESSES]
