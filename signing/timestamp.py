"""A timestamp authority, RFC 3161 with ESSCertIDv2 (RFC 5816)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from asn1crypto import core, tsp

from signing.errors import SigningError
from signing.formats import cms, der
from signing.formats.identifiers import DIGEST_SIZES, digest_identifier, digest_name, longest_signature
from signing.keys import KeyPurpose
from signing.signer import Signer
from signing.tbs import ToBeSigned
from verify.formats.schemes import digest_of

MAX_REQUEST = 4096
"""Longest request, in bytes, that is read."""

# PKIFailureInfo, RFC 3161 2.4.2: bit numbers
_BAD_ALG, _BAD_REQUEST, _BAD_DATA_FORMAT = 0, 2, 5
_UNACCEPTED_POLICY, _UNACCEPTED_EXTENSION = 15, 16

_ACCURACY = der.sequence(der.integer(1))  # one second
_LONGEST_SERIAL = 2**64


class _RejectedError(Exception):
    def __init__(self, bit: int, text: str) -> None:
        super().__init__(text)
        self.bit = bit


@dataclass(frozen=True, slots=True)
class _Query:
    hash_name: str
    digest: bytes
    imprint: bytes
    nonce: int | None
    with_certificates: bool


class Stamper:
    """``TimestampAuthority.stamp`` at a fixed time, and the room a token needs: what ``seal_pdf`` takes."""

    def __init__(self, authority: TimestampAuthority, at: datetime) -> None:
        self._authority = authority
        self._at = at

    @property
    def token_size(self) -> int:
        """The most bytes that a token takes."""
        return self._authority.token_size

    @property
    def hash_name(self) -> str:
        """The authority's own hash: SM3 or SHA-256, for what has no hash of its own yet."""
        return self._authority.hash_name

    def __call__(self, digest: bytes, hash_name: str) -> bytes:
        return self._authority.stamp(digest, hash_name, self._at)


class TimestampAuthority:
    """Answers requests and stamps digests. ``next_serial`` gives unique positive numbers, stored before they are used.

    ``chain`` holds the certificates above the authority's own that go into tokens, without the root. Accuracy is one
    second; tokens are not ordered. Raises PurposeError for a key that is not for timestamps.
    """

    def __init__(
        self,
        signer: Signer,
        certificate: bytes,
        chain: tuple[bytes, ...],
        policy_oid: str,
        next_serial: Callable[[], int],
    ) -> None:
        self._signer = signer
        self._identity = cms.SignerIdentity.of(certificate)
        cms.require_own_certificate(self._identity, signer)
        self._certificates = (certificate, *chain)
        self._policy = policy_oid
        self._next_serial = next_serial
        self._token_size = self._longest_token()

    @property
    def token_size(self) -> int:
        """The most bytes that a token takes: over SHA-384 or shorter, with a serial number below 2**64."""
        return self._token_size

    @property
    def hash_name(self) -> str:
        """The hash that the authority itself signs with."""
        return self._signer.handle.algorithm.hash

    def at(self, at: datetime) -> Stamper:
        """Stamp at this time."""
        return Stamper(self, at)

    def stamp(self, digest: bytes, hash_name: str, at: datetime) -> bytes:
        """A TimeStampToken (DER) over a digest, with certificates and without a nonce."""
        if DIGEST_SIZES.get(hash_name) != len(digest):
            raise SigningError(f"{len(digest)} bytes are no {hash_name} digest", uri=self._signer.handle.uri)
        imprint = der.sequence(digest_identifier(hash_name), der.octets(digest))
        return self._token(_Query(hash_name, digest, imprint, None, True), at)

    def respond(self, request: bytes, at: datetime) -> bytes:
        """Answer a TimeStampReq with a TimeStampResp (DER); a bad request gets a rejection that says why."""
        try:
            query = _read(request, self._policy)
        except _RejectedError as error:
            return _rejection(error)
        return der.sequence(der.sequence(der.integer(0)), self._token(query, at))

    def _token(self, query: _Query, at: datetime) -> bytes:
        info = self._info(query, self._next_serial(), at)
        attributes = cms.signed_attributes(
            self._identity, self._digest(info), content_type=cms.ID_TST_INFO, signing_time=at, hash_name=self.hash_name
        )
        signature = self._signer.sign(ToBeSigned(attributes, KeyPurpose.TSA))
        return self._wrapped(info, attributes, signature, with_certificates=query.with_certificates)

    def _info(self, query: _Query, serial: int, at: datetime) -> bytes:
        return der.sequence(
            der.integer(1),
            der.oid(self._policy),
            query.imprint,
            der.integer(serial),
            der.generalized_time(at),
            _ACCURACY,
            b"" if query.nonce is None else der.integer(query.nonce),
        )

    def _digest(self, info: bytes) -> bytes:
        return digest_of(self.hash_name, info)

    def _wrapped(self, info: bytes, attributes: bytes, signature: bytes, *, with_certificates: bool) -> bytes:
        return cms.signed_data(
            self._identity,
            self._signer,
            attributes,
            signature,
            certificates=self._certificates if with_certificates else (),
            content_type=cms.ID_TST_INFO,
            content=info,
        )

    def _longest_token(self) -> int:
        imprint = der.sequence(digest_identifier("sha384"), der.octets(bytes(48)))
        at = datetime.fromisoformat("2050-01-01T00:00:00+00:00")
        info = self._info(_Query("sha384", b"", imprint, None, True), _LONGEST_SERIAL, at)
        attributes = cms.signed_attributes(
            self._identity, self._digest(info), content_type=cms.ID_TST_INFO, signing_time=at, hash_name=self.hash_name
        )
        longest = bytes(longest_signature(self._signer.handle.algorithm))
        return len(self._wrapped(info, attributes, longest, with_certificates=True))


def _read(request: bytes, policy: str) -> _Query:
    if len(request) > MAX_REQUEST:
        raise _RejectedError(_BAD_DATA_FORMAT, "the request is too long")
    try:
        parsed = tsp.TimeStampReq.load(request, strict=True)
        version = parsed["version"].native
        imprint = parsed["message_imprint"]
        dotted = imprint["hash_algorithm"]["algorithm"].dotted
        parameters = imprint["hash_algorithm"]["parameters"]
        digest = imprint["hashed_message"].native
        wanted = parsed["req_policy"].dotted if parsed["req_policy"].native is not None else None
        nonce = parsed["nonce"].native
        with_certificates = bool(parsed["cert_req"].native)
        extensions = parsed["extensions"].native
    except (ValueError, TypeError, KeyError, IndexError, OverflowError, AttributeError) as error:
        raise _RejectedError(_BAD_DATA_FORMAT, "the request is no TimeStampReq") from error
    if version != "v1":
        raise _RejectedError(_BAD_REQUEST, "only version 1 is known")
    name = digest_name(dotted)
    if name is None or not isinstance(parameters, core.Void | core.Null):
        raise _RejectedError(_BAD_ALG, "use SHA-256, SHA-384, SHA-512 or SM3")
    if len(digest) != DIGEST_SIZES[name]:
        raise _RejectedError(_BAD_DATA_FORMAT, "the digest has the wrong length")
    if wanted not in (None, policy):
        raise _RejectedError(_UNACCEPTED_POLICY, "the policy is not served here")
    if extensions:
        raise _RejectedError(_UNACCEPTED_EXTENSION, "no extension is served here")
    return _Query(name, digest, imprint.dump(), nonce, with_certificates)


def _rejection(error: _RejectedError) -> bytes:
    """PKIStatusInfo: rejection (2), a text, one bit."""
    octet, bit = divmod(error.bit, 8)
    bits = bytes((7 - bit,)) + bytes(octet) + bytes((0x80 >> bit,))
    text = der.sequence(der.tagged(0x0C, str(error).encode()))
    return der.sequence(der.sequence(der.integer(2), text, der.tagged(0x03, bits)))
