"""PAdES signatures, ETSI EN 319 142-1, in updates that change nothing but what they must.

B-B and B-T fill an existing empty field: field, signature dictionary, catalog. B-LT adds the document security store
in an update of its own, B-LTA a document timestamp after that; their updates write the catalog, the store and the
timestamp's field, never Info, XMP or a page. The field of a timestamp stands in the form and on no page.
"""

from __future__ import annotations

import enum
from datetime import datetime
from typing import Any

from signing.errors import PurposeError, SigningError
from signing.formats.dss import ValidationData, add_store
from signing.formats.pdf_signature import (
    PERMISSIONS,
    Stamp,
    Value,
    doc_mdp,
    pades_value,
    room_of,
    sign_update,
    told,
)
from signing.formats.pdf_update import (
    Name,
    PdfUpdater,
    Reference,
    dictionary,
    is_dictionary,
    is_reference,
    number,
    reference,
)
from signing.formats.ses_value import check_seal, ses_value
from signing.keys import KeyPurpose
from signing.signer import Signer

__all__ = ["Baseline", "Stamp", "ValidationData", "check_baseline", "complete", "extend_archive", "seal_pdf"]

_TIMESTAMP = b"/Type /DocTimeStamp /Filter /Adobe.PPKLite /SubFilter /ETSI.RFC3161"


class Baseline(enum.Enum):
    """Levels of PAdES baseline signatures."""

    B_B = "B-B"
    B_T = "B-T"
    B_LT = "B-LT"
    B_LTA = "B-LTA"


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
    seal: bytes | None = None,
) -> bytes:
    """Sign the empty field and return the whole new file.

    ``seal`` (SES_Seal, DER): the value is a seal signature with that seal instead of CMS.

    ``permission`` makes it the certification signature (DocMDP; 1: no change allowed); None an approval signature.
    ``chain`` goes into the signature beside ``certificate``. B-T and above need ``stamp``, B-LT and above
    ``validation``. ``purpose``: SEAL for documents, ANSWER for the vault's own reports. Raises SigningError for a field
    that is missing or signed, PurposeError for a key of another use.
    """
    if purpose not in (KeyPurpose.SEAL, KeyPurpose.ANSWER):
        raise PurposeError(f"a {purpose.value} key signs no document", uri=signer.handle.uri)
    check_baseline(baseline, stamp, validation)
    if permission not in (None, *PERMISSIONS):
        raise SigningError("the permission of a certification is 1, 2 or 3")
    entries = told(at, name=name, reason=reason, location=location)
    updater = PdfUpdater(pdf)
    field_reference, widget = _empty_field(updater, field)
    used = None if baseline is Baseline.B_B else stamp
    if seal is None:
        value = pades_value(signer, certificate, chain, stamp=used, purpose=purpose)
    else:
        check_seal(seal, certificate, at)
        value = ses_value(signer, certificate, seal, at=at, stamp=used)
    signature = updater.new_reference()
    widget[Name("/V")] = signature
    objects: dict[Reference, Any] = {field_reference: widget}
    _mark_form(updater, objects)
    if permission is not None:
        entries.append((b"/Reference", b"[" + doc_mdp(permission) + b"]"))
        updater.catalog[Name("/Perms")] = dictionary({"/DocMDP": signature})
    objects[updater.catalog_reference] = updater.catalog
    sealed = sign_update(updater, objects, signature, value, entries)
    complete(updater, baseline, sealed, stamp, validation)
    return updater.result()


def complete(
    updater: PdfUpdater, baseline: Baseline, sealed: bytes, stamp: Stamp | None, validation: ValidationData | None
) -> None:
    """Bring what a level above B-T has behind the signature ``sealed``."""
    if baseline in (Baseline.B_LT, Baseline.B_LTA) and validation is not None:
        add_store(updater, validation, (sealed,))
    if baseline is Baseline.B_LTA and stamp is not None:
        _add_document_timestamp(updater, stamp)


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


def check_baseline(baseline: Baseline, stamp: Stamp | None, validation: ValidationData | None) -> None:
    """Raise SigningError when a level lacks what it needs."""
    if baseline is not Baseline.B_B and stamp is None:
        raise SigningError(f"{baseline.value} needs a timestamp authority")
    if baseline in (Baseline.B_LT, Baseline.B_LTA) and validation is None:
        raise SigningError(f"{baseline.value} needs validation data")


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


def _add_document_timestamp(updater: PdfUpdater, stamp: Stamp) -> None:
    """A document timestamp over the whole file (ETSI EN 319 142-1 5.4.3)."""
    form = _form(updater)
    raw_fields = form.raw_get("/Fields")
    fields = updater.resolve(raw_fields)
    taken = {updater.entry(f, "/T") for f in fields}
    title = next(f"Timestamp{n}" for n in range(1, len(taken) + 2) if f"Timestamp{n}" not in taken)
    signature, place = updater.new_reference(), updater.new_reference()
    fields.append(place)
    objects: dict[Reference, Any] = {place: b"<< /FT /Sig /T (%s) /V %d 0 R >>" % (title.encode(), signature.idnum)}
    if is_reference(raw_fields):
        objects[reference(raw_fields.idnum, raw_fields.generation)] = fields
    _mark_form(updater, objects)
    objects[updater.catalog_reference] = updater.catalog
    name = str(getattr(stamp, "hash_name", "sha256"))
    value = Value(_TIMESTAMP, name, lambda digest: stamp(digest, name), room_of(stamp))
    sign_update(updater, objects, signature, value, [])
