"""Was a certificate good, revoked or unknown at a moment, by revocation lists and OCSP answers at hand?

(RFC 5280 6.3, RFC 6960, ETSI EN 319 102-1 5.2.5.) Only what the issuer's own key signed counts, or a responder that it
appointed. What was made after the moment tells of it too, unless it may have forgotten a certificate that had lapsed.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from verify.checks.pathsearch import signed_by, value_signed_by
from verify.formats import purposes
from verify.formats.certificates import name_key
from verify.formats.cms import as_utc
from verify.formats.keyinfo import key_bits
from verify.formats.schemes import UnknownHashError, digest_of, hash_name

_NO_REVOCATION = {"2.5.29.56", "0.4.0.194121.2.1", purposes.OCSP_NOCHECK}
"""noRevAvail (RFC 9608), validity-assured short-term (ETSI EN 319 412-1 5.2), and responders (RFC 6960 4.2.2.2.1)."""
_HARMLESS_CRL_EXTENSIONS = {"authority_key_identifier", "crl_number", "issuing_distribution_point"}
_KNOWN_ENTRY_EXTENSIONS = {"crl_reason", "invalidity_date", "hold_instruction_code", "certificate_issuer"}


class Status(enum.Enum):
    """What is known of one certificate."""

    GOOD = "good"
    REVOKED = "revoked"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Answer:
    """A status; ``since`` and ``reason`` of a revocation, or why nothing is known as ``reason``."""

    status: Status
    reason: str = ""
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class _Window:
    """When one source of information was made and until when it is current."""

    made: datetime
    until: datetime | None
    cutoff: datetime | None  # of certificates that lapsed after this, it still tells


NOTHING = Answer(Status.UNKNOWN, "no revocation list or answer about it is at hand")
_STALE = Answer(Status.UNKNOWN, "the revocation data at hand are out of date")
_FORGOTTEN = Answer(Status.UNKNOWN, "the revocation data are younger than its end, and may have forgotten it")


class Records:
    """Revocation lists and OCSP answers of one run. Those that cannot be read prove nothing and are left out."""

    def __init__(self, crls: Iterable[bytes], ocsps: Iterable[bytes]) -> None:
        self._crls = list(dict.fromkeys(crls))
        self._ocsps = list(dict.fromkeys(ocsps))

    def add(self, crls: Iterable[bytes], ocsps: Iterable[bytes]) -> None:
        """Take in more."""
        self._crls += [c for c in crls if c not in self._crls]
        self._ocsps += [o for o in ocsps if o not in self._ocsps]

    def ask(
        self,
        certificate: Any,
        issuers: Sequence[Any],
        moment: datetime,
        *,
        now: datetime,
        skew: timedelta,
        most_age: timedelta,
    ) -> Answer:
        """The status at ``moment``; ``issuers`` are certificates of the issuer, that of the path first.

        A revocation counts from its date on; data from before ``moment`` must still be current then.
        """
        if _NO_REVOCATION & {e["extn_id"].dotted for e in certificate["tbs_certificate"]["extensions"] or ()}:
            return Answer(Status.GOOD)
        found: list[Answer] = []
        for window, answer in self._statements(certificate, issuers):
            if window.made > now + skew:
                continue
            if answer.status is Status.REVOKED and answer.since is not None:
                found.append(answer if answer.since <= moment else Answer(Status.GOOD))
            elif answer.status is Status.GOOD:
                found.append(_judged(window, certificate, moment, skew, most_age))
            else:
                found.append(answer)
        order = (Status.REVOKED, Status.GOOD, Status.UNKNOWN)
        return min(found, key=lambda a: order.index(a.status), default=NOTHING)

    def _statements(self, certificate: Any, issuers: Sequence[Any]) -> Iterable[tuple[_Window, Answer]]:
        for der in self._ocsps:
            yield from _guarded(_from_ocsp, der, certificate, issuers)
        for der in self._crls:
            yield from _guarded(_from_crl, der, certificate, issuers)


def _guarded(read: Any, der: bytes, certificate: Any, issuers: Sequence[Any]) -> list[tuple[_Window, Answer]]:
    try:
        return list(read(der, certificate, issuers))
    except (RecursionError, MemoryError):
        raise
    except Exception:  # noqa: BLE001 - what cannot be read proves nothing
        return []


def _judged(window: _Window, certificate: Any, moment: datetime, skew: timedelta, most_age: timedelta) -> Answer:
    lapsed = as_utc(certificate.not_valid_after)
    if window.made >= _before(moment, skew):
        forgotten = lapsed < window.made and (window.cutoff is None or window.cutoff > lapsed)
        return _FORGOTTEN if forgotten else Answer(Status.GOOD)
    current = window.until >= _before(moment, skew) if window.until else window.made >= _before(moment, skew + most_age)
    return Answer(Status.GOOD) if current else _STALE


def _before(moment: datetime, span: timedelta) -> datetime:
    """``moment - span``, at the earliest the beginning of the calendar."""
    try:
        return moment - span
    except OverflowError:
        return datetime.min.replace(tzinfo=moment.tzinfo)


def _from_ocsp(der: bytes, certificate: Any, issuers: Sequence[Any]) -> Iterable[tuple[_Window, Answer]]:
    response = _loaded_ocsp(der)
    for single in response.response_data["responses"]:
        identity = single["cert_id"]
        if identity["serial_number"].native != certificate.serial_number:
            continue
        issuer = next((i for i in issuers if _is_about(identity, certificate, i)), None)
        if issuer is None or not _answered_by(der, issuer):
            continue
        cutoff = next((e["extn_value"].parsed.native for e in _extensions(single) if _is_cutoff(e)), None)
        until = single["next_update"].native
        window = _Window(
            as_utc(single["this_update"].native), as_utc(until) if until else None, as_utc(cutoff) if cutoff else None
        )
        name, value = single["cert_status"].name, single["cert_status"].chosen
        if name == "revoked":
            reason = value["revocation_reason"].native or "unspecified"
            yield window, Answer(Status.REVOKED, str(reason), as_utc(value["revocation_time"].native))
        elif name == "good":
            yield window, Answer(Status.GOOD)
        else:
            yield window, Answer(Status.UNKNOWN, "the responder does not know it")


@lru_cache(maxsize=512)
def _loaded_ocsp(der: bytes) -> Any:
    """An OCSP response; a bare BasicOCSPResponse, as CAdES keeps them, is wrapped first."""
    from asn1crypto import ocsp

    response = ocsp.OCSPResponse.load(der)
    try:
        _ = response["response_status"].native
    except (ValueError, TypeError):
        basic = ocsp.BasicOCSPResponse.load(der)
        return ocsp.OCSPResponse(
            {
                "response_status": "successful",
                "response_bytes": {"response_type": "basic_ocsp_response", "response": basic},
            }
        )
    return response


def _extensions(single: Any) -> Any:
    return single["single_extensions"] or ()


def _is_cutoff(extension: Any) -> bool:
    return bool(extension["extn_id"].dotted == "1.3.6.1.5.5.7.48.1.6")


def _is_about(identity: Any, certificate: Any, issuer: Any) -> bool:
    """Whether a CertID names this issuer: by its name as the certificate writes it, and its key (RFC 6960 4.1.1)."""
    name = hash_name(identity["hash_algorithm"])
    try:
        names = {digest_of(name, certificate.issuer.dump()), digest_of(name, issuer.subject.dump())}
        key = digest_of(name, key_bits(issuer.public_key.dump()))
    except UnknownHashError:
        return False
    return identity["issuer_name_hash"].native in names and identity["issuer_key_hash"].native == key


def _answered_by(der: bytes, issuer: Any) -> bool:
    """Whether the issuer, or a responder that it appointed for that (RFC 6960 4.2.2.2), signed the response."""
    return _answered(der, issuer.dump())


@lru_cache(maxsize=1024)
def _answered(der: bytes, issuer_der: bytes) -> bool:
    from asn1crypto import x509

    response, issuer = _loaded_ocsp(der), x509.Certificate.load(issuer_der)
    basic = response.basic_ocsp_response
    made = as_utc(response.response_data["produced_at"].native)
    signed, value = response.response_data.dump(), basic["signature"].native
    if value_signed_by(value, signed, basic["signature_algorithm"], issuer.public_key):
        return True
    return any(
        purposes.OCSP in {u.dotted for u in responder.extended_key_usage_value or ()}
        and as_utc(responder.not_valid_before) <= made <= as_utc(responder.not_valid_after)
        and signed_by(responder, issuer)
        and value_signed_by(value, signed, basic["signature_algorithm"], responder.public_key)
        for responder in list(basic["certs"] or ())[:20]
    )


def _from_crl(der: bytes, certificate: Any, issuers: Sequence[Any]) -> Iterable[tuple[_Window, Answer]]:
    listed = _loaded_crl(der)
    tbs = listed["tbs_cert_list"]
    if name_key(listed.issuer) != name_key(certificate.issuer) or not any(_lists(der, i.dump()) for i in issuers):
        return
    point = listed.issuing_distribution_point_value
    critical = {e["extn_id"].native for e in tbs["crl_extensions"] or () if e["critical"].native}
    partial = bool(critical - _HARMLESS_CRL_EXTENSIONS) or not _covers(point, certificate)
    until, cutoff = tbs["next_update"].native, _expired_certificates(tbs)
    window = _Window(as_utc(tbs["this_update"].native), as_utc(until) if until else None, cutoff)
    entry = _entry(der, certificate.serial_number)
    if entry is not None:
        yield window, entry
    elif not partial:
        yield window, Answer(Status.GOOD)


@lru_cache(maxsize=256)
def _loaded_crl(der: bytes) -> Any:
    from asn1crypto import crl

    return crl.CertificateList.load(der)


@lru_cache(maxsize=1024)
def _lists(der: bytes, issuer_der: bytes) -> bool:
    """Whether this issuer signed the list, and its key may (RFC 5280 4.2.1.3)."""
    from asn1crypto import x509

    listed, issuer = _loaded_crl(der), x509.Certificate.load(issuer_der)
    usage = issuer.key_usage_value
    if usage is not None and "crl_sign" not in usage.native:
        return False
    signed = listed["tbs_cert_list"].dump()
    return value_signed_by(listed["signature"].native, signed, listed["signature_algorithm"], issuer.public_key)


def _covers(point: Any, certificate: Any) -> bool:
    """Whether a list is about all reasons and this kind of certificate (RFC 5280 5.2.5)."""
    if point is None:
        return True
    if (
        point["indirect_crl"].native
        or point["only_some_reasons"].native
        or point["only_contains_attribute_certs"].native
    ):
        return False
    if point["only_contains_ca_certs"].native and not certificate.ca:
        return False
    if point["only_contains_user_certs"].native and certificate.ca:
        return False
    named = _addresses(point["distribution_point"])
    own = {a for p in certificate.crl_distribution_points_value or () for a in _addresses(p["distribution_point"])}
    return not named or not own or bool(named & own)


def _addresses(point: Any) -> set[str]:
    if not point or point.native is None or point.name != "full_name":
        return set()
    return {str(n.native) for n in point.chosen}


def _expired_certificates(tbs: Any) -> datetime | None:
    """expiredCertsOnCRL (X.509 9.5.2.8): of certificates that lapsed since then the list still tells."""
    from asn1crypto import core

    for extension in tbs["crl_extensions"] or ():
        if extension["extn_id"].dotted == "2.5.29.60":
            return as_utc(core.GeneralizedTime.load(bytes(extension["extn_value"].native)).native)
    return None


@lru_cache(maxsize=1024)
def _entry(der: bytes, serial: int) -> Answer | None:
    """The revocation of one number in a list. The bytes are searched first: a list may have a million entries."""
    from asn1crypto import core

    if core.Integer(serial).dump() not in der:
        return None
    for revoked in _loaded_crl(der)["tbs_cert_list"]["revoked_certificates"] or ():
        if revoked["user_certificate"].native != serial:
            continue
        extensions = {e["extn_id"].native: e for e in revoked["crl_entry_extensions"] or ()}
        unknown = [n for n, e in extensions.items() if e["critical"].native and n not in _KNOWN_ENTRY_EXTENSIONS]
        if unknown or "certificate_issuer" in extensions:
            return Answer(Status.UNKNOWN, "an entry of a revocation list cannot be understood")
        reason = revoked.crl_reason_value.native if revoked.crl_reason_value is not None else "unspecified"
        if reason == "remove_from_crl":
            return None
        return Answer(Status.REVOKED, str(reason), as_utc(revoked["revocation_date"].native))
    return None
