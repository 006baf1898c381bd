"""Asking a caller's source for what is missing, by addresses in certificates and licenses under a chosen anchor."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from verify.evidence import Source

MAX_ADDRESSES = 4
MAX_BYTES = 20_000_000


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
