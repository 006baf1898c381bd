"""Reading the code on the page: a CWT (RFC 8392) in COSE_Sign1 (RFC 9052), in the fragment of a URL.

The fragment never reaches a server. CBOR is read with limits, and only in its one deterministic encoding: reading
and writing again must give the same bytes.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from typing import Any

from verify.formats.algorithms import Algorithm, by_cose
from verify.formats.jose import JoseError, decode_base64url
from verify.formats.license import Holder, LicenseRecord
from verify.formats.statuslist import numeric_date

MAX_CODE_BYTES = 2_000
SUBJECT, EXPIRES, NOT_BEFORE, ISSUED, STATUS = 2, 4, 5, 6, 65535
TYPE, NUMBER, HOLDER, RECORD = -70001, -70002, -70003, -70004
_CLAIMS = {SUBJECT, EXPIRES, NOT_BEFORE, ISSUED, STATUS, TYPE, NUMBER, HOLDER, RECORD}
_COSE_SIGN1 = 18
_ALG, _KID = 1, 4
KID_BYTES = 8
_NATURAL = re.compile(r"[1-9][0-9]{2}")
_FRAGMENT = re.compile(r"(?:https?://[\x21-\x7e]{1,400}?)?#c=([A-Za-z0-9_-]+)")
_SHANGHAI = timezone(timedelta(hours=8))


class CodeError(ValueError):
    """The text is no code of ours. The message says why."""


@dataclass(frozen=True, slots=True)
class UnverifiedCode:
    """A code's claims before its signature was checked. ``signed`` are the bytes that the signature covers.

    ``holders`` are names, or 16 bytes of digest, as for natural persons. Days are of Asia/Shanghai; ``valid_to`` is the
    last day.
    """

    algorithm: Algorithm
    kid: bytes
    signed: bytes
    signature: bytes
    identifier: str
    type: str
    number: str
    holders: tuple[str | bytes, ...]
    issued: datetime
    valid_from: date | None
    valid_to: date | None
    status_uri: str
    status_index: int
    record_sha256: bytes
    sha256: str
    """Of the code's own bytes, hex."""

    def differs_from(self, record: LicenseRecord) -> str | None:
        """The first claim that a record contradicts, or None."""
        pairs = (
            ("identifier", self.identifier, record.identifier),
            ("type", self.type, record.type),
            ("number", self.number, record.number),
            ("valid from", self.valid_from, record.valid_from),
            ("valid to", self.valid_to, record.valid_to),
            ("status", (self.status_uri, self.status_index), (record.status_uri, record.status_index)),
            ("holder", _names(self.holders, record), True),
            ("record", self.record_sha256, record.sha256()),
        )
        return next((name for name, mine, its in pairs if mine != its), None)


def holder_digest(identifier: str, name: str) -> bytes:
    """What stands for a withheld name: 16 bytes of SHA-256 over identifier, ``|`` and name."""
    return hashlib.sha256(f"{identifier}|{name}".encode()).digest()[:16]


def _names(claims: tuple[str | bytes, ...], record: LicenseRecord) -> bool:
    """Whether each claim is its holder's name, or the name's digest; a natural person's must be the digest."""
    if len(claims) != len(record.holders):
        return False
    pairs = zip(claims, record.holders, strict=True)
    return all(
        claim == holder_digest(record.identifier, h.name) or (claim == h.name and not is_natural_person(h))
        for claim, h in pairs
    )


def is_natural_person(holder: Holder) -> bool:
    """Whether a holder's code type (GB/T 36903 Appendix A) is one of natural persons: all but 001 and 099."""
    return bool(_NATURAL.fullmatch(holder.code_type))


def kid_of(certificate: bytes) -> bytes:
    """The key number of a certificate: the first eight bytes of its SHA-256."""
    return hashlib.sha256(certificate).digest()[:KID_BYTES]


def unverified_code(text: str) -> UnverifiedCode:
    """Read a code from its URL or its base64url part. Raises CodeError."""
    match = _FRAGMENT.fullmatch(text.strip())
    try:
        data = decode_base64url(match[1] if match else text.strip())
    except JoseError as error:
        raise CodeError(str(error)) from error
    return unverified_cose(data)


def unverified_cose(data: bytes) -> UnverifiedCode:
    """Read a code from its bytes. Raises CodeError."""
    if not data or len(data) > MAX_CODE_BYTES:
        raise CodeError(f"empty or larger than {MAX_CODE_BYTES} bytes")
    value = _strict_cbor(data)
    if (
        getattr(value, "tag", None) != _COSE_SIGN1
        or not isinstance(value.value, (list, tuple))
        or len(value.value) != 4
    ):
        raise CodeError("no COSE_Sign1")
    protected, unprotected, payload, signature = value.value
    if not all(isinstance(v, bytes) for v in (protected, payload, signature)) or unprotected != {}:
        raise CodeError("no COSE_Sign1 of the expected form")
    header = _strict_cbor(protected)
    if not _is_numbered(header) or set(header) != {_ALG, _KID} or not isinstance(header[_KID], bytes):
        raise CodeError("its header is not of the expected form")
    algorithm = by_cose(header[_ALG]) if type(header[_ALG]) is int else None
    if algorithm is None or len(header[_KID]) != KID_BYTES:
        raise CodeError("its algorithm or key number is not accepted")
    return _claims(_strict_cbor(payload), algorithm, header[_KID], signed_bytes(protected, payload), signature, data)


def signed_bytes(protected: bytes, payload: bytes) -> bytes:
    """The Sig_structure of RFC 9052 4.4."""
    import cbor2

    return bytes(cbor2.dumps(["Signature1", protected, b"", payload], canonical=True))


def _refused(*_: Any) -> Any:
    raise ValueError("reference")


_CBOR_DEPTH = 8
"""Maps as keys of maps are hashed anew at each level, so that nesting costs its power of two."""
_REFUSED = dict.fromkeys((25, 28, 29, 256), _refused)
"""References to values and texts (shared values, string references): a few bytes would unfold into gigabytes."""


def _strict_cbor(data: bytes) -> Any:
    import cbor2

    try:
        value = cbor2.loads(
            data, max_depth=_CBOR_DEPTH, allow_indefinite=False, allow_duplicate_keys=False, semantic_decoders=_REFUSED
        )
        again = cbor2.dumps(value, canonical=True)
    except Exception as error:  # the decoder raises many types on hostile input
        raise CodeError("no CBOR") from error
    if again != data:
        raise CodeError("CBOR is not in its one encoding")
    return value


def _is_numbered(value: Any) -> bool:
    """Whether it is a map whose keys are integers: 1.0 and true equal 1 for Python, not for COSE."""
    return isinstance(value, Mapping) and all(type(key) is int for key in value)


def _claims(
    claims: Any, algorithm: Algorithm, kid: bytes, signed: bytes, signature: bytes, data: bytes
) -> UnverifiedCode:
    if not _is_numbered(claims) or not set(claims) <= _CLAIMS:
        raise CodeError("its claims are not of the expected form")
    texts = [claims.get(k) for k in (SUBJECT, TYPE, NUMBER)]
    issued = numeric_date(claims.get(ISSUED))
    holders, record = _holders(claims.get(HOLDER)), claims.get(RECORD)
    if not all(isinstance(t, str) and t for t in texts) or issued is None:
        raise CodeError("identifier, type, number or time is missing")
    if not isinstance(record, bytes) or len(record) != 32:
        raise CodeError("the record's digest is missing")
    uri, index = _status(claims.get(STATUS))
    return UnverifiedCode(
        algorithm=algorithm,
        kid=kid,
        signed=signed,
        signature=signature,
        identifier=str(texts[0]),
        type=str(texts[1]),
        number=str(texts[2]),
        holders=holders,
        issued=issued,
        valid_from=_day(claims, NOT_BEFORE, timedelta()),
        valid_to=_day(claims, EXPIRES, timedelta(seconds=1)),
        status_uri=uri,
        status_index=index,
        record_sha256=record,
        sha256=hashlib.sha256(data).hexdigest(),
    )


def _holders(value: Any) -> tuple[str | bytes, ...]:
    values = tuple(value) if isinstance(value, (list, tuple)) and len(value) > 1 else (value,)
    if not all((isinstance(v, str) and v) or (isinstance(v, bytes) and len(v) == 16) for v in values):
        raise CodeError("the holder is missing or wrong")
    return values


def _status(value: Any) -> tuple[str, int]:
    listed = value.get("status_list") if isinstance(value, Mapping) and set(value) == {"status_list"} else None
    if not isinstance(listed, Mapping) or set(listed) != {"idx", "uri"}:
        raise CodeError("its status reference is missing")
    uri, index = listed["uri"], listed["idx"]
    if not isinstance(uri, str) or isinstance(index, bool) or not isinstance(index, int):
        raise CodeError("its status reference is wrong")
    return uri, index


def _day(claims: Mapping[int, Any], key: int, before: timedelta) -> date | None:
    if key not in claims:
        return None
    moment = numeric_date(claims[key])
    if moment is None:
        raise CodeError("a date is wrong")
    return (moment - before).astimezone(_SHANGHAI).date()
