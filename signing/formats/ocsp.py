"""OCSP answers, RFC 6960: a delegated responder for each CA, any number of questions up to a limit."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from asn1crypto import ocsp as asn1_ocsp
from asn1crypto import x509

from signing.errors import SigningError
from signing.formats import der
from signing.formats.crl import REASONS
from signing.formats.identifiers import signature_identifier
from signing.formats.x509 import key_identifier
from signing.keys import KeyPurpose
from signing.signer import Signer
from signing.tbs import ToBeSigned
from verify.formats.schemes import digest_of

MAX_REQUEST = 16_384
MAX_QUESTIONS = 32
_NONCE = "1.3.6.1.5.5.7.48.1.2"
_BASIC = "1.3.6.1.5.5.7.48.1.1"
_MALFORMED, _UNAUTHORIZED = 1, 6
_HASHES = {"1.3.14.3.2.26": "sha1", "2.16.840.1.101.3.4.2.1": "sha256", "2.16.840.1.101.3.4.2.2": "sha384"}
_HASHES |= {"1.2.156.10197.1.401": "sm3"}
_BAD = (ValueError, TypeError, KeyError, IndexError, OverflowError, AttributeError)


@dataclass(frozen=True, slots=True)
class CertificateStatus:
    """``state`` is good, revoked or unknown; ``at`` and ``reason`` (of ``crl.REASONS``) belong to revoked."""

    state: str
    at: datetime | None = None
    reason: str = "unspecified"


GOOD = CertificateStatus("good")
UNKNOWN = CertificateStatus("unknown")


@dataclass(frozen=True, slots=True)
class Responder:
    """Who answers for one CA. ``certificate`` is the responder's own, issued by ``issuer`` (DER both).

    ``status`` tells the state of a serial number; one that was never issued is UNKNOWN.
    """

    issuer: bytes
    signer: Signer
    certificate: bytes
    status: Callable[[int], CertificateStatus]


@dataclass(frozen=True, slots=True)
class _Question:
    cert_id: bytes
    hash_name: str
    name_hash: bytes
    key_hash: bytes
    serial: int


def answer_ocsp(
    request: bytes, *, responders: Sequence[Responder], at: datetime, lifetime: timedelta = timedelta(hours=1)
) -> bytes:
    """Answer an OCSPRequest with an OCSPResponse (DER).

    A request that cannot be read, or asks too much, gets ``malformedRequest``; one about CAs that are not ours gets
    ``unauthorized``. The nonce is echoed. Certificates of another CA than the first one's are ``unknown``.
    """
    try:
        questions, nonce = _read(request)
    except _BAD:
        return _failure(_MALFORMED)
    responder = next((r for r in responders if _asks(questions[0], r)), None)
    if responder is None:
        return _failure(_UNAUTHORIZED)
    answers = [(q.cert_id, responder.status(q.serial) if _asks(q, responder) else UNKNOWN) for q in questions]
    return _response(responder, answers, at, lifetime, nonce)


def ocsp_for(
    serials: Iterable[int], *, responder: Responder, at: datetime, lifetime: timedelta = timedelta(days=1)
) -> bytes:
    """An OCSPResponse (DER) that nobody asked for: what is embedded in documents."""
    issuer = x509.Certificate.load(responder.issuer)
    name = "sm3" if responder.signer.handle.algorithm.hash == "sm3" else "sha256"
    answers = [(_cert_id(issuer, serial, name), responder.status(serial)) for serial in serials]
    return _response(responder, answers, at, lifetime, None)


def _read(request: bytes) -> tuple[list[_Question], bytes | None]:
    if len(request) > MAX_REQUEST:
        raise ValueError("too long")
    body = asn1_ocsp.OCSPRequest.load(request, strict=True)["tbs_request"]
    if body["version"].native != "v1":
        raise ValueError("unknown version")
    questions = [_question(r) for r in body["request_list"]]
    if not 0 < len(questions) <= MAX_QUESTIONS:
        raise ValueError("too many questions, or none")
    nonce = None
    for extension in body["request_extensions"]:
        if extension["extn_id"].dotted == _NONCE:
            nonce = extension["extn_value"].parsed.native
            if not isinstance(nonce, bytes) or not 1 <= len(nonce) <= 32:
                raise ValueError("a nonce has 1 to 32 bytes (RFC 8954 2.1)")
        elif extension["critical"].native:
            raise ValueError("unknown critical extension")
    return questions, nonce


def _question(request: asn1_ocsp.Request) -> _Question:
    for extension in request["single_request_extensions"]:
        if extension["critical"].native:
            raise ValueError("unknown critical extension")
    cert_id = request["req_cert"]
    return _Question(
        cert_id=cert_id.dump(),
        hash_name=_HASHES.get(cert_id["hash_algorithm"]["algorithm"].dotted, ""),
        name_hash=cert_id["issuer_name_hash"].native,
        key_hash=cert_id["issuer_key_hash"].native,
        serial=cert_id["serial_number"].native,
    )


def _asks(question: _Question, responder: Responder) -> bool:
    if not question.hash_name:
        return False
    names = _issuer_hashes(x509.Certificate.load(responder.issuer), question.hash_name)
    return names == (question.name_hash, question.key_hash)


def _issuer_hashes(issuer: x509.Certificate, hash_name: str) -> tuple[bytes, bytes]:
    def digest(data: bytes) -> bytes:
        return digest_of(hash_name, data)

    return digest(issuer.subject.dump()), digest(bytes(issuer.public_key["public_key"]))


def _cert_id(issuer: x509.Certificate, serial: int, hash_name: str) -> bytes:
    name_hash, key_hash = _issuer_hashes(issuer, hash_name)
    algorithm = der.sequence(der.oid(next(oid for oid, name in _HASHES.items() if name == hash_name)), der.NULL)
    return der.sequence(algorithm, der.octets(name_hash), der.octets(key_hash), der.integer(serial))


def _response(
    responder: Responder,
    answers: list[tuple[bytes, CertificateStatus]],
    at: datetime,
    lifetime: timedelta,
    nonce: bytes | None,
) -> bytes:
    handle = responder.signer.handle
    if x509.Certificate.load(responder.certificate).public_key.dump() != handle.spki:
        raise SigningError("the responder's certificate belongs to another key", uri=handle.uri)
    now, later = der.generalized_time(at), der.tagged(0xA0, der.generalized_time(at + lifetime))
    singles = [der.sequence(cert_id, _status(status), now, later) for cert_id, status in answers]
    extensions = b""
    if nonce is not None:
        extension = der.sequence(der.oid(_NONCE), der.octets(der.octets(nonce)))
        extensions = der.tagged(0xA1, der.sequence(extension))
    by_key = der.tagged(0xA2, der.octets(key_identifier(handle.spki)))
    tbs = der.sequence(by_key, now, der.sequence(*singles), extensions)
    signature = responder.signer.sign(ToBeSigned(tbs, KeyPurpose.OCSP))
    basic = der.sequence(
        tbs,
        signature_identifier(handle.algorithm),
        der.tagged(0x03, b"\x00" + signature),
        der.tagged(0xA0, der.sequence(responder.certificate)),
    )
    body = der.sequence(der.oid(_BASIC), der.octets(basic))
    return der.sequence(der.tagged(0x0A, b"\x00"), der.tagged(0xA0, body))


def _status(status: CertificateStatus) -> bytes:
    if status.state == "good":
        return b"\x80\x00"
    if status.state == "unknown":
        return b"\x82\x00"
    if status.at is None:
        raise SigningError("a revoked certificate needs the time of its revocation")
    reason = b""
    if status.reason != "unspecified":
        reason = der.tagged(0xA0, der.tagged(0x0A, bytes((REASONS[status.reason],))))
    return der.tagged(0xA1, der.generalized_time(status.at) + reason)


def _failure(status: int) -> bytes:
    return der.sequence(der.tagged(0x0A, bytes((status,))))
