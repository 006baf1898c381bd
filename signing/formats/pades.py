"""PAdES signatures, ETSI EN 319 142-1, in updates that change nothing but what they must.

B-B and B-T fill an existing empty field: field, signature dictionary, catalog. B-LT adds the document security store
in an update of its own, B-LTA a document timestamp after that; their updates write the catalog, the store and the
timestamp's field, never Info, XMP or a page. The field of a timestamp stands in the form and on no page.
"""

from __future__ import annotations

import enum
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from signing.errors import PurposeError, SigningError
from signing.formats import cms
from signing.formats.dss import ValidationData, add_store
from signing.formats.pdf_update import (
    Name,
    PdfUpdater,
    Reference,
    dictionary,
    is_dictionary,
    is_reference,
    number,
    reference,
    text,
)
from signing.keys import KeyPurpose
from signing.signer import Signer
from signing.tbs import ToBeSigned

__all__ = ["Baseline", "Stamp", "ValidationData", "extend_archive", "seal_pdf"]

Stamp = Callable[[bytes, str], bytes]
"""Gives a TimeStampToken (DER) for a digest and the name of its hash.

An attribute ``token_size``, as :class:`signing.timestamp.Stamper` has, says how many bytes a token takes at most;
without it 6 kB are kept free. ``hash_name`` is the hash to stamp whole documents with, SHA-256 by default.
"""

_TOKEN_ROOM = 6144
_RANGE, _RANGE_WIDTH = b" /ByteRange ", 64
_SIGNATURE = b"/Type /Sig /Filter /Adobe.PPKLite /SubFilter /ETSI.CAdES.detached"
_TIMESTAMP = b"/Type /DocTimeStamp /Filter /Adobe.PPKLite /SubFilter /ETSI.RFC3161"
_PERMISSIONS = (1, 2, 3)


class Baseline(enum.Enum):
    """Levels of PAdES baseline signatures."""

    B_B = "B-B"
    B_T = "B-T"
    B_LT = "B-LT"
    B_LTA = "B-LTA"


class _TooSmallError(Exception):
    def __init__(self, needed: int) -> None:
        super().__init__(needed)
        self.needed = needed


@dataclass(frozen=True)
class _Draft:
    """A signature dictionary to be filled: its first and further entries, and who makes the value for a digest."""

    reference: Reference
    head: bytes
    entries: list[tuple[bytes, bytes]]
    hash_name: str
    make: Callable[[bytes], bytes]
    room: int


def seal_pdf(
    pdf: bytes,
    *,
    field: str,
    signer: Signer,
    certificate: bytes,
    chain: tuple[bytes, ...],
    at: datetime,
    baseline: Baseline,
    stamp: Stamp | None,
    validation: ValidationData | None,
    permission: int | None = 1,
    purpose: KeyPurpose = KeyPurpose.SEAL,
    name: str = "",
    reason: str = "",
    location: str = "",
) -> bytes:
    """Sign the empty field and return the whole new file.

    ``permission`` makes it the certification signature (DocMDP; 1: no change allowed); None an approval signature.
    ``chain`` goes into the signature beside ``certificate``. B-T and above need ``stamp``, B-LT and above
    ``validation``. ``purpose``: SEAL for documents, ANSWER for the vault's own reports. Raises SigningError for a field
    that is missing or signed, PurposeError for a key of another use.
    """
    if purpose not in (KeyPurpose.SEAL, KeyPurpose.ANSWER):
        raise PurposeError(f"a {purpose.value} key signs no document", uri=signer.handle.uri)
    _check(baseline, stamp, validation, permission, at)
    updater = PdfUpdater(pdf)
    field_reference, widget = _empty_field(updater, field)
    entries = [(b"/M", _date(at))]
    entries += [(k, text(v)) for k, v in ((b"/Name", name), (b"/Reason", reason), (b"/Location", location)) if v]
    identity = cms.SignerIdentity.of(certificate)
    cms.require_own_certificate(identity, signer)
    certificates = (certificate, *chain)
    signature_stamp = None if baseline is Baseline.B_B else stamp

    def make(digest: bytes) -> bytes:
        attributes = cms.signed_attributes(identity, digest, hash_name=signer.handle.algorithm.hash)
        value = signer.sign(ToBeSigned(attributes, purpose))
        token = None if signature_stamp is None else _stamp_of(signature_stamp, value, signer.handle.algorithm.hash)
        return cms.signed_data(identity, signer, attributes, value, certificates=certificates, timestamp=token)

    token_room = 0 if signature_stamp is None else _room(signature_stamp)
    room = cms.longest_signed_data(identity, signer, certificates=certificates, timestamp_size=token_room)
    signature = updater.new_reference()
    widget[Name("/V")] = signature
    objects: dict[Reference, Any] = {field_reference: widget}
    _mark_form(updater, objects)
    if permission is not None:
        entries.append((b"/Reference", _doc_mdp(permission)))
        updater.catalog[Name("/Perms")] = dictionary({"/DocMDP": signature})
    objects[updater.catalog_reference] = updater.catalog
    hash_name = signer.handle.algorithm.hash
    sealed = _sign_update(updater, objects, _Draft(signature, _SIGNATURE, entries, hash_name, make, room))
    if baseline in (Baseline.B_LT, Baseline.B_LTA) and validation is not None:
        add_store(updater, validation, (sealed,))
    if baseline is Baseline.B_LTA and stamp is not None:
        _add_document_timestamp(updater, stamp)
    return updater.result()


def extend_archive(pdf: bytes, *, stamp: Stamp, validation: ValidationData, at: datetime) -> bytes:
    """Bring new validation data and a document timestamp behind a sealed file (B-LTA); may be repeated.

    ``at`` is the time of the update; the timestamp itself states when it was made. Raises SigningError for a file that
    has no signature.
    """
    if at.tzinfo is None:
        raise SigningError("the time of an update is aware")
    updater = PdfUpdater(pdf)
    signed = [updater.resolve(f.raw_get("/V")) for f in map(updater.resolve, _fields(updater)) if "/V" in f]
    if not signed:
        raise SigningError("a file without a signature is not extended")
    add_store(updater, validation, [bytes(s.raw_get("/Contents")) for s in signed if "/Contents" in s])
    _add_document_timestamp(updater, stamp)
    return updater.result()


def _check(
    baseline: Baseline, stamp: Stamp | None, validation: ValidationData | None, permission: int | None, at: datetime
) -> None:
    if baseline is not Baseline.B_B and stamp is None:
        raise SigningError(f"{baseline.value} needs a timestamp authority")
    if baseline in (Baseline.B_LT, Baseline.B_LTA) and validation is None:
        raise SigningError(f"{baseline.value} needs validation data")
    if permission not in (None, *_PERMISSIONS):
        raise SigningError("the permission of a certification is 1, 2 or 3")
    if at.tzinfo is None:
        raise SigningError("the time of signing is aware")


def _stamp_of(stamp: Stamp, data: bytes, hash_name: str) -> bytes:
    return stamp(hashlib.new(hash_name, data).digest(), hash_name)


def _room(stamp: Stamp) -> int:
    return int(getattr(stamp, "token_size", _TOKEN_ROOM))


def _date(at: datetime) -> bytes:
    return at.astimezone(UTC).strftime("(D:%Y%m%d%H%M%S+00'00')").encode()


def _doc_mdp(permission: int) -> bytes:
    """ISO 32000-1 12.8.2.2; PDF/A forbids the Digest* keys here (ISO 19005-3 6.1.12)."""
    parameters = b"<< /Type /TransformParams /P %d /V /1.2 >>" % permission
    return b"[<< /Type /SigRef /TransformMethod /DocMDP /TransformParams " + parameters + b" >>]"


def _form(updater: PdfUpdater) -> Any:
    form = updater.resolve(updater.catalog.raw_get("/AcroForm")) if "/AcroForm" in updater.catalog else None
    if not is_dictionary(form):
        raise SigningError("the PDF has no form")
    return form


def _fields(updater: PdfUpdater) -> list[Any]:
    form = _form(updater)
    fields = updater.resolve(form.raw_get("/Fields")) if "/Fields" in form else []
    return list(fields)


def _empty_field(updater: PdfUpdater, name: str) -> tuple[Reference, Any]:
    for found in _fields(updater):
        widget = updater.resolve(found)
        if is_reference(found) and widget.get("/T") == name:
            if widget.get("/FT") != "/Sig":
                raise SigningError(f"field {name} is no signature field")
            if "/V" in widget:
                raise SigningError(f"field {name} is signed already")
            return reference(found.idnum, found.generation), widget
    raise SigningError(f"the PDF has no field {name}")


def _mark_form(updater: PdfUpdater, objects: dict[Reference, Any]) -> None:
    """SigFlags: signatures exist, append only. A form outside the catalog is written as its own object."""
    form = _form(updater)
    form[Name("/SigFlags")] = number(3)
    if is_reference(raw := updater.catalog.raw_get("/AcroForm")):
        objects[reference(raw.idnum, raw.generation)] = form


def _sign_update(updater: PdfUpdater, objects: dict[Reference, Any], draft: _Draft) -> bytes:
    """Append the update with a signature over everything but its own ``/Contents``; gives the signature.

    When the signature needs more room than foreseen, it is laid out again with what it needs, and signed again.
    """
    room = draft.room
    while True:
        try:
            return _attempt(updater, objects, draft, room)
        except _TooSmallError as error:
            room = error.needed + 64


def _attempt(updater: PdfUpdater, objects: dict[Reference, Any], draft: _Draft, room: int) -> bytes:
    before = b"<< " + draft.head + b" /Contents "
    tail = b"".join(b" %s %s" % entry for entry in draft.entries) + b" >>"
    body = before + b"<" + b"0" * (2 * room) + b">" + _RANGE + b" " * _RANGE_WIDTH + tail
    update, bodies = updater.append({**objects, draft.reference: body})
    start = bodies[draft.reference.idnum] + len(before)
    end = start + 2 * room + 2
    covered = b"[%d %d %d %d]" % (0, updater.length + start, updater.length + end, len(update) - end)
    place = end + len(_RANGE)
    update[place : place + _RANGE_WIDTH] = covered.ljust(_RANGE_WIDTH)
    with memoryview(update) as view:
        digest = updater.digest(draft.hash_name, view[:start], view[end:])
    value = draft.make(digest)
    if len(value) > room:
        raise _TooSmallError(len(value))
    hexed = value.hex().encode()
    update[start + 1 : start + 1 + len(hexed)] = hexed
    updater.accept(update)
    return value


def _add_document_timestamp(updater: PdfUpdater, stamp: Stamp) -> None:
    """A document timestamp over the whole file (ETSI EN 319 142-1 5.4.3)."""
    form = _form(updater)
    raw_fields = form.raw_get("/Fields")
    fields = updater.resolve(raw_fields)
    taken = {updater.resolve(f).get("/T") for f in fields}
    title = next(f"Timestamp{n}" for n in range(1, len(taken) + 2) if f"Timestamp{n}" not in taken)
    signature, place = updater.new_reference(), updater.new_reference()
    fields.append(place)
    objects: dict[Reference, Any] = {place: b"<< /FT /Sig /T (%s) /V %d 0 R >>" % (title.encode(), signature.idnum)}
    if is_reference(raw_fields):
        objects[reference(raw_fields.idnum, raw_fields.generation)] = fields
    _mark_form(updater, objects)
    objects[updater.catalog_reference] = updater.catalog
    name = str(getattr(stamp, "hash_name", "sha256"))
    _sign_update(
        updater,
        objects,
        _Draft(signature, _TIMESTAMP, [], name, lambda digest: stamp(digest, name), _room(stamp)),
    )
