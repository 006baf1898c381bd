"""A signature in a PDF (ISO 32000-1 12.8): its dictionary, its byte range, and what it lets later updates do.

Every kind of value is written here in the same way: a CMS signature, a timestamp, a seal signature.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from signing.errors import SigningError
from signing.formats import cms
from signing.formats.pdf_update import PdfUpdater, Reference, text
from signing.keys import KeyPurpose
from signing.signer import Signer
from signing.tbs import ToBeSigned
from verify.formats.schemes import digest_of

Stamp = Callable[[bytes, str], bytes]
"""Gives a TimeStampToken (DER) for a digest and the name of its hash.

An attribute ``token_size``, as :class:`signing.timestamp.Stamper` has, says how many bytes a token takes at most;
without it 6 kB are kept free. ``hash_name`` is the hash to stamp whole documents with, SHA-256 by default.
"""

PERMISSIONS = (1, 2, 3)
_TOKEN_ROOM = 6144
_RANGE, _RANGE_WIDTH = b" /ByteRange ", 64
_PADES = b"/Type /Sig /Filter /Adobe.PPKLite /SubFilter /ETSI.CAdES.detached"


class _TooSmallError(Exception):
    def __init__(self, needed: int) -> None:
        super().__init__(needed)
        self.needed = needed


@dataclass(frozen=True)
class Value:
    """How a signature's value is made: the first entries of its dictionary, its hash, the value for a digest, and the
    most bytes that it takes."""

    head: bytes
    hash_name: str
    make: Callable[[bytes], bytes]
    room: int


def pades_value(
    signer: Signer,
    certificate: bytes,
    chain: tuple[bytes, ...],
    *,
    stamp: Stamp | None,
    purpose: KeyPurpose = KeyPurpose.SEAL,
) -> Value:
    """A CAdES signature (ETSI EN 319 142-1), with a signature timestamp where there is a ``stamp``."""
    identity = cms.SignerIdentity.of(certificate)
    cms.require_own_certificate(identity, signer)
    certificates = (certificate, *chain)

    def make(digest: bytes) -> bytes:
        attributes = cms.signed_attributes(identity, digest, hash_name=signer.handle.algorithm.hash)
        value = signer.sign(ToBeSigned(attributes, purpose))
        token = None if stamp is None else stamp_of(stamp, value, signer.handle.algorithm.hash)
        return cms.signed_data(identity, signer, attributes, value, certificates=certificates, timestamp=token)

    token_room = 0 if stamp is None else room_of(stamp)
    room = cms.longest_signed_data(identity, signer, certificates=certificates, timestamp_size=token_room)
    return Value(_PADES, signer.handle.algorithm.hash, make, room)


def stamp_of(stamp: Stamp, data: bytes, hash_name: str) -> bytes:
    """The timestamp over ``data``."""
    return stamp(digest_of(hash_name, data), hash_name)


def room_of(stamp: Stamp) -> int:
    """The most bytes that one of its tokens takes."""
    return int(getattr(stamp, "token_size", _TOKEN_ROOM))


def told(at: datetime, *, name: str = "", reason: str = "", location: str = "") -> list[tuple[bytes, bytes]]:
    """The entries of a signature dictionary that tell people about it."""
    entries = [(b"/M", date(at))]
    return entries + [(k, text(v)) for k, v in ((b"/Name", name), (b"/Reason", reason), (b"/Location", location)) if v]


def date(at: datetime) -> bytes:
    """A PDF date in UTC. Raises SigningError for one without a zone."""
    if at.tzinfo is None:
        raise SigningError("the time of signing is aware")
    return at.astimezone(UTC).strftime("(D:%Y%m%d%H%M%S+00'00')").encode()


def doc_mdp(permission: int) -> bytes:
    """The transform of a certification, 12.8.2.2; PDF/A forbids the Digest* keys here (ISO 19005-3 6.1.12)."""
    return _transform(b"DocMDP", b"/P %d" % permission)


def field_mdp(lock: bytes) -> bytes:
    """The transform that says which fields the signature locks, 12.8.2.4; ``lock`` as from :func:`locked`."""
    return _transform(b"FieldMDP", lock)


def locked(action: str, names: Iterable[str] = ()) -> bytes:
    """The entries /Action and /Fields of a lock: ``All``, or ``Include`` or ``Exclude`` these fields."""
    listed = b" ".join(text(name) for name in names)
    return b"/Action /" + action.encode() + (b" /Fields [" + listed + b"]" if action != "All" else b"")


def _transform(method: bytes, parameters: bytes) -> bytes:
    inner = b"<< /Type /TransformParams " + parameters + b" /V /1.2 >>"
    return b"<< /Type /SigRef /TransformMethod /" + method + b" /TransformParams " + inner + b" >>"


def sign_update(
    updater: PdfUpdater,
    objects: dict[Reference, Any],
    place: Reference,
    value: Value,
    entries: list[tuple[bytes, bytes]],
) -> bytes:
    """Append the update of ``objects`` with a signature at ``place`` over everything but its own ``/Contents``.

    Gives the signature. When it needs more room than foreseen, it is laid out again with what it needs, and signed
    again.
    """
    room = value.room
    while True:
        try:
            return _attempt(updater, objects, place, value, entries, room)
        except _TooSmallError as error:
            room = error.needed + 64


def _attempt(
    updater: PdfUpdater,
    objects: dict[Reference, Any],
    place: Reference,
    value: Value,
    entries: list[tuple[bytes, bytes]],
    room: int,
) -> bytes:
    before = b"<< " + value.head + b" /Contents "
    tail = b"".join(b" %s %s" % entry for entry in entries) + b" >>"
    body = before + b"<" + b"0" * (2 * room) + b">" + _RANGE + b" " * _RANGE_WIDTH + tail
    update, bodies = updater.append({**objects, place: body})
    start = bodies[place.idnum] + len(before)
    end = start + 2 * room + 2
    covered = b"[%d %d %d %d]" % (0, updater.length + start, updater.length + end, len(update) - end)
    spot = end + len(_RANGE)
    update[spot : spot + _RANGE_WIDTH] = covered.ljust(_RANGE_WIDTH)
    with memoryview(update) as view:
        digest = updater.digest(value.hash_name, view[:start], view[end:])
    made = value.make(digest)
    if len(made) > room:
        raise _TooSmallError(len(made))
    hexed = made.hex().encode()
    update[start + 1 : start + 1 + len(hexed)] = hexed
    updater.accept(update)
    return made
