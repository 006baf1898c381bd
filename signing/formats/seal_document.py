"""Sealing any PDF: a license's next seal, a contract, a file that others have signed already.

One act puts one signature (two with the profile BOTH) into an update behind the file, with the seal's picture where it
is to be seen. Earlier signatures stay good: what they forbid is refused here, with the reason, before a key is used. A
file on disk is copied once, hashed once, and never held in memory as a whole. A rehearsal does the same without key and
hashing, and changes nothing: what it lets pass, sealing does not refuse.
"""

from __future__ import annotations

import contextlib
import enum
import io
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

from signing.errors import SigningError
from signing.formats.keyless import Keyless, KeylessStamp, rehearsed
from signing.formats.pades import Baseline, ValidationData, check_baseline, complete
from signing.formats.pdf_body import PIECE, FileBody, MemoryBody, PdfBody, Progress, TrialBody, silent
from signing.formats.pdf_form import NO_CHANGE, Field, Form, Rights
from signing.formats.pdf_pages import Box, Page, Pages
from signing.formats.pdf_signature import (
    PERMISSIONS,
    Stamp,
    Value,
    doc_mdp,
    field_mdp,
    locked,
    pades_value,
    sign_update,
    told,
)
from signing.formats.pdf_update import (
    Name,
    PdfReadError,
    PdfUpdater,
    Reference,
    array,
    dictionary,
    is_dictionary,
    is_reference,
    number,
    reference,
    string,
)
from signing.formats.placement import MAX_MARKS, AtKeyword, InBox, Mark, Placement, marks_of
from signing.formats.seal_look import Looks, Picture, PngPicture
from signing.formats.seal_marks import Marker
from signing.formats.seal_refusals import (
    bad_field,
    broken_file,
    check_form,
    check_rights,
    forbidden_change,
    refusing,
    refusing_all,
)
from signing.formats.ses_value import check_seal, ses_value
from signing.signer import Signer
from verify.formats.refusal import refuse

__all__ = [
    "Baseline",
    "Found",
    "Instrument",
    "Profile",
    "Reserved",
    "SealOrder",
    "ValidationData",
    "keyless",
    "rehearse",
    "reserve_fields",
    "seal_document",
    "seal_file",
    "settled",
]


class Profile(enum.Enum):
    """What kind of signature the seal is: PAdES for readers everywhere, SES (GB/T 38540), or one after the other."""

    PADES = "pades"
    SES = "ses"
    BOTH = "both"


@dataclass(frozen=True, slots=True)
class Instrument:
    """What seals: the door to its key, its certificate, the certificates above it without the root, all DER.

    ``seal`` is the SES_Seal (DER), which the SES profile needs.
    """

    signer: Signer
    certificate: bytes
    chain: tuple[bytes, ...] = ()
    seal: bytes | None = None


@dataclass(frozen=True, slots=True)
class SealOrder:
    """One act of sealing.

    ``placements`` say where the picture stands; none: the seal is invisible. ``picture`` may be None with the SES
    profile: then it is the seal's own PNG. ``field`` names an empty signature field that is there (its box is the place
    then), or a new one; without it a free name is taken. ``permission`` makes this the certification (DocMDP 1 to 3),
    ``lock`` forbids every later change but validation data and timestamps. B-T and above need ``stamp``, B-LT and above
    ``validation``; ``at`` is the time of signing, aware.
    """

    instrument: Instrument
    at: datetime
    placements: tuple[Placement, ...] = ()
    picture: Picture | None = None
    field: str = ""
    profile: Profile = Profile.PADES
    baseline: Baseline = Baseline.B_B
    stamp: Stamp | None = None
    validation: ValidationData | None = None
    permission: int | None = None
    lock: bool = False
    name: str = ""
    reason: str = ""
    location: str = ""


@dataclass(frozen=True, slots=True)
class Reserved:
    """An empty signature field to be sealed later: its box is ``size_mm`` large; ``lock``: who seals it locks all."""

    name: str
    placement: Placement
    size_mm: tuple[float, float]
    lock: bool = False


Places = Callable[[str], Sequence[tuple[int, Box]]]
"""Finds a text in the document: pages (from 1) and boxes in user space, in its order."""

Found = dict[str, list[tuple[int, Box]]]
"""Where the keywords of an order stand."""


def seal_document(pdf: bytes, order: SealOrder, progress: Progress = silent) -> bytes:
    """Seal a PDF in memory and return the whole new file.

    Refused (RefusedError): an encrypted or broken file, a place that is not there, what earlier signatures forbid, a
    seal that may not be used. Raises SigningError for what the caller got wrong, and for the key's own trouble.
    """
    _keyed(order)
    body = MemoryBody(pdf, progress)
    _act(body, order, partial(locate, pdf), progress)
    return body.result()


def seal_file(source: Path, target: Path, order: SealOrder, progress: Progress = silent) -> None:
    """Seal the PDF ``source`` into the new file ``target``, which appears whole or not at all.

    As :func:`seal_document`; OSError where a file cannot be read or written.
    """
    _keyed(order)
    descriptor, name = tempfile.mkstemp(prefix=".sealing-", dir=target.parent)
    working = Path(name)
    try:
        with os.fdopen(descriptor, "w+b") as file:
            _copy(source, file, progress)
            _act(FileBody(file, progress), order, partial(locate, working), progress)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(working, 0o666 & ~_umask())
        working.replace(target)
    except BaseException:
        with contextlib.suppress(OSError):
            working.unlink()
        raise


def rehearse(pdf: bytes | Path, order: SealOrder, find: Places | None = None) -> Found:
    """Everything of :func:`seal_document` that needs no key, with nothing kept: raises what it would raise, before a
    key is used. The order may be :func:`keyless`.

    Gives where its keywords stand (as ``find`` says, by default this process): with them in its place (:func:`settled`)
    the order need not look for them again. Of a file on disk nothing is copied, hashed or changed.
    """
    look = find or partial(locate, pdf)
    found: Found = {}

    def places(keyword: str) -> Sequence[tuple[int, Box]]:
        if keyword not in found:
            found[keyword] = list(look(keyword))
        return found[keyword]

    with _opened(pdf) as stream, refusing_all():
        _act(TrialBody(stream), keyless(order), places, silent)
    return found


def keyless(order: SealOrder) -> SealOrder:
    """The order as data, with neither key nor clock: another process may rehearse it."""
    instrument = replace(order.instrument, signer=Keyless(order.instrument.signer.handle))
    return replace(order, instrument=instrument, stamp=None if order.stamp is None else KeylessStamp.of(order.stamp))


def settled(order: SealOrder, found: Mapping[str, Sequence[tuple[int, Box]]]) -> SealOrder:
    """The order with the places of its keywords. Refused: keywords that are not there."""
    placements: list[Placement] = []
    for placement in order.placements:
        if isinstance(placement, AtKeyword) and placement.keyword in found:
            placements += _boxes(placement, found[placement.keyword])
        else:
            placements.append(placement)
    return replace(order, placements=tuple(placements))


def locate(pdf: bytes | Path, keyword: str) -> list[tuple[int, Box]]:
    """Where a text stands in the document. Refused: one that cannot be read."""
    from verify.formats.pageview import PageError
    from verify.formats.textplaces import locate_text

    try:
        return [(place.page, place.box) for place in locate_text(pdf, keyword)]
    except PageError as error:
        raise broken_file(error) from error


@contextlib.contextmanager
def _opened(pdf: bytes | Path) -> Iterator[BinaryIO]:
    with io.BytesIO(pdf) if isinstance(pdf, bytes) else pdf.open("rb") as stream:
        yield stream


def _keyed(order: SealOrder) -> None:
    if isinstance(order.instrument.signer, Keyless):
        raise SigningError("an order without a key can only be rehearsed")


def reserve_fields(pdf: bytes, fields: Iterable[Reserved]) -> bytes:
    """The file with empty signature fields, for seals that follow a certification. Refused for a file that is signed:
    what is to be sealed later is settled before the first seal."""
    updater = _open(MemoryBody(pdf))
    with refusing():
        _reserve(updater, fields, partial(locate, pdf))
    return updater.result()


def _reserve(updater: PdfUpdater, fields: Iterable[Reserved], places: Places) -> None:
    form, pages = Form(updater), Pages(updater)
    check_form(form)
    if form.rights().filled:
        raise forbidden_change("the document is signed already", "文件已有签名")
    objects: dict[Reference, Any] = {}
    marker = Marker(updater, objects)
    for wanted in fields:
        if form.field(wanted.name) is not None or "." in wanted.name or not wanted.name:
            raise bad_field(wanted.name, "a new field needs a name that is free", "新字段须使用未占用的名称")
        mark = _all_marks((wanted.placement,), pages, wanted.size_mm, places)[0]
        place = updater.new_reference()
        objects[place] = marker.widget(mark, None, _field(updater, objects, wanted.name, lock=wanted.lock))
        objects |= form.add(place)
        marker.list_widget(mark.page, place)
    update, _ = updater.append(objects)
    updater.accept(update)


# --- one signature --------------------------------------------------------------------------------------------------


def _act(body: PdfBody, order: SealOrder, places: Places, progress: Progress) -> None:
    """One act, or its rehearsal, on the PDF in ``body``."""
    for step in _steps(order):
        updater = _open(body)
        with refusing():
            _seal(updater, step, places, progress)


def _steps(order: SealOrder) -> list[SealOrder]:
    """The signatures of one act: with BOTH the seal signature first, which is seen, then PAdES over it, which is not.

    PAdES comes second since validation data and timestamps follow it, and since readers that know no seal signatures
    then find a signature that they do know over the whole file.
    """
    if order.at.tzinfo is None:
        raise SigningError("the time of signing is aware")
    if order.permission not in (None, *PERMISSIONS):
        raise SigningError("the permission of a certification is 1, 2 or 3")
    check_baseline(order.baseline, order.stamp, order.validation)
    if order.profile is not Profile.BOTH:
        return [order]
    if order.permission == NO_CHANGE:
        raise SigningError("a certification that allows no change bears no second signature")
    first = replace(order, profile=Profile.SES, baseline=_without_store(order.baseline), validation=None, lock=False)
    second = replace(order, profile=Profile.PADES, placements=(), picture=None, field="", permission=None)
    return [first, second]


def _without_store(baseline: Baseline) -> Baseline:
    return Baseline.B_B if baseline is Baseline.B_B else Baseline.B_T


def _seal(updater: PdfUpdater, order: SealOrder, places: Places, progress: Progress) -> None:
    form = Form(updater)
    check_form(form)
    rights = form.rights()
    existing = form.field(order.field) if order.field else None
    check_rights(
        rights,
        existing,
        field=order.field,
        placed=bool(order.placements),
        certifies=order.permission is not None,
    )
    value = _value(order)
    objects: dict[Reference, Any] = {}
    signature = updater.new_reference()
    if existing is not None:
        _fill(updater, objects, existing, order, signature)
        objects |= form.mark()
    else:
        _add(updater, objects, form, order, signature, rights, places, progress)
    entries = told(order.at, name=order.name, reason=order.reason, location=order.location)
    transforms = _transforms(updater, order, existing)
    if transforms:
        entries.append((b"/Reference", b"[" + b" ".join(transforms) + b"]"))
    if order.permission is not None:
        permissions = updater.entry(updater.catalog, "/Perms")
        kept = permissions if is_dictionary(permissions) else dictionary()
        kept[Name("/DocMDP")] = signature
        updater.catalog[Name("/Perms")] = kept
    objects[updater.catalog_reference] = updater.catalog
    progress("sign", 0, 1)
    sealed = sign_update(updater, objects, signature, value, entries)
    progress("sign", 1, 1)
    complete(updater, order.baseline, sealed, order.stamp, order.validation)


def _value(order: SealOrder) -> Value:
    instrument = order.instrument
    stamp = None if order.baseline is Baseline.B_B else order.stamp
    if order.profile is Profile.PADES:
        value = pades_value(instrument.signer, instrument.certificate, instrument.chain, stamp=stamp)
        return rehearsed(value, instrument.signer)
    if instrument.seal is None:
        raise SigningError("the SES profile needs a seal structure", uri=instrument.signer.handle.uri)
    check_seal(instrument.seal, instrument.certificate, order.at)
    value = ses_value(instrument.signer, instrument.certificate, instrument.seal, at=order.at, stamp=stamp)
    return rehearsed(value, instrument.signer)


def _picture(order: SealOrder) -> Picture:
    if order.picture is not None:
        return order.picture
    if order.profile is Profile.SES and order.instrument.seal is not None:
        held = check_seal(order.instrument.seal, order.instrument.certificate, order.at).picture
        if held.kind.upper() == "PNG":
            return PngPicture(held.data, float(held.width_mm), float(held.height_mm))
    raise refuse(
        "SEAL_PICTURE_MISSING",
        "picture",
        "没有可绘制的印章图片",
        "there is no picture of the seal to draw",
        remedy_zh="请提供印章图片（PNG 或矢量）",
        remedy_en="give the seal's picture, PNG or vector art",
    )


def _add(
    updater: PdfUpdater,
    objects: dict[Reference, Any],
    form: Form,
    order: SealOrder,
    signature: Reference,
    rights: Rights,
    places: Places,
    progress: Progress,
) -> None:
    """A new signature field with its marks."""
    pages = Pages(updater)
    place = updater.new_reference()
    head = _field(updater, objects, order.field or form.free_name("Seal"), lock=order.lock) | {"/V": signature}
    marker = Marker(updater, objects, progress)
    objects |= form.add(place)
    if not order.placements:
        hidden = Mark(pages[0], (0.0, 0.0, 0.0, 0.0), (0.0, 0.0, 0.0, 0.0))
        objects[place] = marker.widget(hidden, None, head)
        marker.list_widget(pages[0], place)
        return
    picture = _picture(order)
    marks = _all_marks(order.placements, pages, (picture.width_mm, picture.height_mm), places)
    looks = Looks(updater, picture, objects)
    if rights.filled and len(marks) > 1:
        kids = marker.widgets(marks, looks, place)
        objects[place] = dictionary({**head, "/Kids": array(kids)})
        return
    marker.draw(marks[1:], looks)
    objects[place] = marker.widget(marks[0], looks, head)
    marker.list_widget(marks[0].page, place)


def _all_marks(
    placements: Iterable[Placement], pages: Sequence[Page], size: tuple[float, float], places: Places
) -> list[Mark]:
    marks: list[Mark] = []
    for placement in placements:
        if isinstance(placement, AtKeyword):
            for found in _boxes(placement, places(placement.keyword)):
                marks += marks_of(found, pages, size)
        else:
            marks += marks_of(placement, pages, size)
    if len(marks) > MAX_MARKS:
        raise refuse(
            "TOO_MANY_MARKS",
            "placements",
            f"印章位置超过 {MAX_MARKS} 处",
            f"the seal would stand at more than {MAX_MARKS} places",
            remedy_zh="请减少位置",
            remedy_en="choose fewer places",
        )
    return marks


def _boxes(wanted: AtKeyword, found: Sequence[tuple[int, Box]]) -> list[InBox]:
    index = wanted.occurrence - 1 if wanted.occurrence > 0 else len(found) + wanted.occurrence
    if not found or (wanted.occurrence and not 0 <= index < len(found)):
        raise refuse(
            "KEYWORD_NOT_FOUND",
            "keyword",
            f"关键字“{wanted.keyword}”只出现 {len(found)} 次",
            f"the keyword {wanted.keyword!r} occurs {len(found)} times only",
            remedy_zh="请核对关键字和次序；扫描件没有文字，须按页面位置用印",
            remedy_en="check the keyword and its number; a scan has no text, so give a page and a position",
        )
    chosen = found if not wanted.occurrence else [found[index]]
    return [InBox(page, box, wanted.right_mm, wanted.up_mm) for page, box in chosen]


def _fill(
    updater: PdfUpdater, objects: dict[Reference, Any], existing: Field, order: SealOrder, signature: Reference
) -> None:
    """Sign in a field that is there: the picture stands in the middle of its box, at its true size."""
    assert existing.reference is not None  # noqa: S101 - checked before
    field = existing.dictionary
    field[Name("/V")] = signature
    objects[existing.reference] = field
    kids = updater.entry(field, "/Kids")
    place, widget = existing.reference, field
    if isinstance(kids, list) and len(kids) == 1 and is_reference(kids[0]):
        place, widget = reference(kids[0].idnum, kids[0].generation), updater.resolve(kids[0])
    rect = updater.entry(widget, "/Rect")
    edges = [float(updater.resolve(v)) for v in rect] if isinstance(rect, list) and len(rect) == 4 else []
    if not edges or edges[0] == edges[2] or edges[1] == edges[3]:
        return
    page = _page_of(updater, widget, place)
    picture = _picture(order)
    wide, high = (abs(edges[2] - edges[0]) / page.per_mm, abs(edges[3] - edges[1]) / page.per_mm)
    wide, high = (high, wide) if page.rotation % 180 else (wide, high)
    across, up = (wide - picture.width_mm) / 2, (high - picture.height_mm) / 2
    if min(across, up) < -0.5:
        raise refuse(
            "SEAL_BOX_TOO_SMALL",
            "field",
            f"签名域 {existing.name} 为 {wide:.0f}×{high:.0f} 毫米，容不下印章",
            f"field {existing.name} is {wide:.0f} by {high:.0f} mm, too small for the seal",
            remedy_zh="印章须按规定尺寸加盖，请预留足够大的签名域",
            remedy_en="a seal has its prescribed size: reserve a field that is large enough",
        )
    part = (-across, -up, picture.width_mm + across, picture.height_mm + up)
    look = Looks(updater, picture, objects).look(part, page.turn)
    widget[Name("/AP")] = dictionary({"/N": look})
    if "/F" not in widget:
        widget[Name("/F")] = number(132)
    objects[place] = widget


def _page_of(updater: PdfUpdater, widget: Any, place: Reference) -> Page:
    pages = Pages(updater)
    raw: Any = widget.raw_get("/P") if "/P" in widget else None
    for page in pages:
        if is_reference(raw) and page.reference.idnum == raw.idnum:
            return page
    for page in pages:
        listed = updater.entry(page.dictionary, "/Annots")
        if any(is_reference(a) and a.idnum == place.idnum for a in (listed if isinstance(listed, list) else [])):
            return page
    raise PdfReadError("a signature field stands on no page")


def _transforms(updater: PdfUpdater, order: SealOrder, existing: Field | None) -> list[bytes]:
    found = [] if order.permission is None else [doc_mdp(order.permission)]
    held = existing.lock if existing is not None else None
    if is_dictionary(held) and not order.lock:
        names = updater.entry(held, "/Fields")
        listed = [str(updater.resolve(n)) for n in names] if isinstance(names, list) else []
        action = str(updater.entry(held, "/Action")).lstrip("/")
        found.append(field_mdp(locked(action if action in ("Include", "Exclude") else "All", listed)))
    elif order.lock:
        found.append(field_mdp(locked("All")))
    return found


def _field(updater: PdfUpdater, objects: dict[Reference, Any], name: str, *, lock: bool) -> dict[str, Any]:
    """The entries of a signature field."""
    entries = {"/FT": Name("/Sig"), "/T": string(name)}
    return entries | {"/Lock": _lock_object(updater, objects)} if lock else entries


def _lock_object(updater: PdfUpdater, objects: dict[Reference, Any]) -> Reference:
    """/Lock over all fields that allows no change any more (ISO 32000-2 12.7.5.5)."""
    place = updater.new_reference()
    objects[place] = b"<< /Type /SigFieldLock %s /P %d >>" % (locked("All"), NO_CHANGE)
    return place


def _copy(source: Path, file: BinaryIO, progress: Progress) -> None:
    size = source.stat().st_size
    done = 0
    with source.open("rb") as original:
        while piece := original.read(PIECE):
            file.write(piece)
            done += len(piece)
            progress("copy", done, max(size, done))


def _umask() -> int:
    """The process's own; there is no way to read it without setting it."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def _open(body: PdfBody) -> PdfUpdater:
    with refusing():
        return PdfUpdater(body)
