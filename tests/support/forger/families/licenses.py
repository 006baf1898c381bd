"""Forged licenses: what an issuer's stolen key or a dishonest drawing can put on the page of a genuine record."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import lru_cache

from signing.formats.pades import Baseline
from tests.support.forger.registry import Expected, forgery
from tests.support.forger.writer import array, changed, dictionary, entries, items, stream, update
from tests.support.forging import catalog, object_text, page_number, root_number, size
from tests.support.sealed import Sealed, build, genuine
from tests.support.signing_pki import shared_pki
from verify.formats.license import Box, FaceItem, LicenseRecord

_PAGE, _SEALED = "license-page", "sealed-license"
_TYPE = "business-license"
_FIELD = "unified_social_credit_code"


@lru_cache(maxsize=1)
def _genuine() -> Sealed:
    return genuine(Baseline.B_LT, _TYPE)


def _box(field: str = _FIELD) -> Box:
    return next(i.box for i in _genuine().record.face.items if i.field == field)


def _rectangle(box: Box) -> bytes:
    return b"%.2f %.2f %.2f %.2f re" % (box[0], box[1], box[2] - box[0], box[3] - box[1])


def _around_content(pdf: bytes, before: bytes, after: bytes, **resources: bytes) -> bytes:
    """The unsigned page with a stream before and one behind its content, and more XObjects or shadings."""
    page = object_text(pdf, page_number(pdf))
    n = size(pdf)
    old = items(entries(page)[b"/Contents"])
    body = changed(page, Contents=array([b"%d 0 R" % n, *old, b"%d 0 R" % (n + 1)]))
    objects = {n: stream(before), n + 1: stream(after)}
    for number, (name, extra) in enumerate(resources.items(), n + 2):
        kind, _, key = name.partition("_")
        values = entries(entries(body)[b"/Resources"])
        group = entries(values.get(b"/" + kind.encode(), b"<< >>"))
        group[b"/" + key.encode()] = b"%d 0 R" % number
        values[b"/" + kind.encode()] = dictionary(group)
        body = changed(body, Resources=dictionary(values))
        objects[number] = extra
    return update(pdf, {page_number(pdf): body, **objects})


def _sealed(change: Callable[[bytes], bytes]) -> bytes:
    return build(shared_pki("p256"), _TYPE, baseline=Baseline.B_B, change_pdf=change).pdf


def _codes(*codes: str) -> dict[str, object]:
    return {"expected": Expected.NOT_VALID, "codes": frozenset(codes)}


@forgery(_PAGE, **_codes("PAGE_TEXT_COVERED"), cases={"white": b"1 g", "black": b"0 g", "half": b"0.9 g"})
def text_under_a_rectangle(colour: bytes) -> bytes:
    """A filled rectangle is painted over a datum, whose text stays extractable (ISO 32000-2 8.5.3)."""
    return _sealed(lambda pdf: _around_content(pdf, b"", b"%s %s f" % (colour, _rectangle(_box()))))


@forgery(_PAGE, **_codes("PAGE_TEXT_COVERED"))
def text_under_a_picture() -> bytes:
    """A white picture is painted over a datum (ISO 32000-2 8.9)."""
    b = _box()
    image = stream(
        b"\xff", b"/Type /XObject /Subtype /Image /Width 1 /Height 1 /ColorSpace /DeviceGray /BitsPerComponent 8"
    )
    draw = b"q %.2f 0 0 %.2f %.2f %.2f cm /Cover Do Q" % (b[2] - b[0], b[3] - b[1], b[0], b[1])
    return _sealed(lambda pdf: _around_content(pdf, b"", draw, XObject_Cover=image))


@forgery(_PAGE, **_codes("PAGE_TEXT_COVERED"))
def text_under_a_form() -> bytes:
    """A form that fills its box is painted over a datum (ISO 32000-2 8.10)."""
    box = _box()
    form = stream(b"1 g " + _rectangle(box) + b" f", b"/Type /XObject /Subtype /Form /BBox [0 0 2000 2000]")
    return _sealed(lambda pdf: _around_content(pdf, b"", b"/Cover Do", XObject_Cover=form))


@forgery(_PAGE, **_codes("PAGE_TEXT_COVERED"))
def text_under_a_shading() -> bytes:
    """A shading is painted over a datum (ISO 32000-2 8.7.4)."""
    shading = (
        b"<< /ShadingType 2 /ColorSpace /DeviceGray /Coords [0 0 1 0] /Extend [true true] "
        b"/Function << /FunctionType 2 /Domain [0 1] /C0 [1] /C1 [1] /N 1 >> >>"
    )
    draw = b"q %s W n /Cover sh Q" % _rectangle(_box())
    return _sealed(lambda pdf: _around_content(pdf, b"", draw, Shading_Cover=shading))


@forgery(_PAGE, **_codes("PAGE_TEXT_HIDDEN"))
def text_in_an_invisible_mode() -> bytes:
    """The page's text is set in rendering mode 3, which paints nothing (ISO 32000-2 9.3.6)."""
    return _sealed(lambda pdf: _around_content(pdf, b"3 Tr", b""))


@forgery(_PAGE, **_codes("PAGE_TEXT_HIDDEN"))
def text_clipped_away() -> bytes:
    """A clipping path leaves a corner of the page, the text outside it stays extractable (ISO 32000-2 8.5.4)."""
    return _sealed(lambda pdf: _around_content(pdf, b"0 0 5 5 re W n", b""))


@forgery(_PAGE, **_codes("PAGE_TEXT_SHAPES"))
def shapes_where_the_text_stands() -> bytes:
    """Strokes that read as other digits are drawn in the box of a datum, before its text (ISO 32000-2 8.5)."""
    b = _box()
    x, y, w, h = b[0], b[1], b[2] - b[0], b[3] - b[1]
    strokes = b"0 G 2 w " + b" ".join(
        b"%.1f %.1f m %.1f %.1f l %.1f %.1f l S"
        % (x + w * k / 5, y + 2, x + w * k / 5 + 6, y + h - 2, x + w * k / 5, y + h / 2)
        for k in range(5)
    )
    return _sealed(lambda pdf: _around_content(pdf, strokes, b""))


@forgery(_PAGE, **_codes("PAGE_TEXT_EXTRA", "PAGE_TEXT_DIFFERS"), cases={"shown": b"400 400", "off-page": b"-500 400"})
def further_text(place: bytes) -> bytes:
    """Text that no record knows stands on the page or beside it (certvault-license/1 face)."""
    font = b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"
    words = b"BT /Evil 12 Tf %s Td (Capital 900) Tj ET" % place
    return _sealed(lambda pdf: _around_content(pdf, b"", words, Font_Evil=font))


@forgery(_PAGE, **_codes("PAGE_TEXT_HIDDEN", "PAGE_TEXT_COVERED"))
def text_under_an_opaque_seal() -> bytes:
    """The seal's own appearance is opaque and hides the data that it lies over (ISO 32000-2 12.5.5)."""

    def change(pdf: bytes) -> bytes:
        number = next(iter(_appearances(pdf)))
        body = object_text(pdf, number)
        values = {k: v for k, v in entries(body).items() if k not in (b"/Length", b"/Filter")}
        box = b" ".join(items(values[b"/BBox"]))
        return update(
            pdf, {number: stream(b"1 0.9 0.9 rg -999 -999 5000 5000 re f % " + box, dictionary(values)[2:-2])}
        )

    return _sealed(change)


def _appearances(pdf: bytes) -> Mapping[int, bytes]:
    page = object_text(pdf, page_number(pdf))
    widget = object_text(pdf, int(items(entries(page)[b"/Annots"])[0].split()[0]))
    normal = entries(entries(widget)[b"/AP"])[b"/N"]
    return {int(normal.split()[0]): normal}


@forgery(_PAGE, **_codes("PAGE_TEXT_DIFFERS"), cases={"first": 0, "middle": 7})
def characters_exchanged(at: int) -> bytes:
    """Two characters of a datum stand in each other's place: same characters, another number (certvault face)."""

    def change(record: LicenseRecord) -> LicenseRecord:
        def swapped(item: FaceItem) -> FaceItem:
            if item.field != _FIELD:
                return item
            other = next(i for i in range(at + 1, len(item.text)) if item.text[i] != item.text[at])
            text = list(item.text)
            text[at], text[other] = text[other], text[at]
            return replace(item, text="".join(text))

        face = replace(record.face, items=tuple(swapped(i) for i in record.face.items))
        return replace(record, face=face)

    return build(shared_pki("p256"), _TYPE, baseline=Baseline.B_B, change_record=change).pdf


@forgery(_PAGE, **_codes("PAGE_CODE_UNREADABLE"))
def code_painted_over() -> bytes:
    """The printed code is covered (ISO/IEC 18004)."""
    box = _genuine().record.face.code_box
    return _sealed(lambda pdf: _around_content(pdf, b"", b"1 g %s f" % _rectangle(box)))


@forgery(
    _PAGE,
    **_codes("PAGE_SIZE_DIFFERS"),
    cases={
        "tiny": b"[0 0 20 20]",
        "wide": b"[0 0 9000 20]",
        "moved": b"[500 500 1700 1400]",
        "empty": b"[0 0 0 0]",
        "negative": b"[0 0 -100 -100]",
        "huge": b"[0 0 1e9 1e9]",
    },
)
def page_of_another_size(box: bytes) -> bytes:
    """The page's box is not that of the record (ISO 32000-2 14.11.2)."""

    def change(pdf: bytes) -> bytes:
        return update(pdf, {page_number(pdf): changed(object_text(pdf, page_number(pdf)), MediaBox=box)})

    return _sealed(change)


@forgery(
    _PAGE,
    **_codes("PAGE_SIZE_DIFFERS", "PAGE_TEXT_DIFFERS", "PAGE_TEXT_HIDDEN"),
    cases={"rotate": {"Rotate": b"90"}, "unit": {"UserUnit": b"3"}, "crop": {"CropBox": b"[0 0 600 400]"}},
)
def page_shown_otherwise(change: dict[str, bytes]) -> bytes:
    """The page is turned, enlarged or cut (ISO 32000-2 7.7.3.3)."""
    return _sealed(lambda pdf: update(pdf, {page_number(pdf): changed(object_text(pdf, page_number(pdf)), **change)}))


@forgery(_PAGE, **_codes("PAGE_COUNT_DIFFERS"))
def second_page() -> bytes:
    """A further page stands behind the license (certvault-license/1 face)."""

    def change(pdf: bytes) -> bytes:
        n = size(pdf)
        page = b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 100 100] >>"
        kids = b"[%d 0 R %d 0 R]" % (page_number(pdf), n)
        return update(pdf, {2: changed(object_text(pdf, 2), Kids=kids, Count=b"2"), n: page})

    return _sealed(change)


@forgery(
    _PAGE,
    **_codes("HIDDEN_CONTENT"),
    cases={
        "script": {"OpenAction": b"<< /S /JavaScript /JS (x) >>"},
        "layers": {"OCProperties": b"<< /OCGs [] /D << >> >>"},
    },
)
def something_waits(change: dict[str, bytes]) -> bytes:
    """The license carries a script or layers (ISO 32000-2 8.11, 12.6)."""
    return _sealed(lambda pdf: update(pdf, {root_number(pdf): changed(catalog(pdf), **change)}))


_CATALOG = {
    "script": {"OpenAction": b"<< /S /JavaScript /JS (x) >>"},
    "no-permissions": {"Perms": None},
    "no-record": {"Names": None},
    "no-association": {"AF": None},
    "other-language": {"Lang": b"(en)"},
    "no-form": {"AcroForm": None},
    "metadata": {"Metadata": b"3 0 R"},
    "version": {"Version": b"/2.0"},
}


@forgery(_SEALED, cases=_CATALOG)
def catalog_of_a_sealed_license(change: dict[str, bytes | None]) -> bytes:
    """The catalog of a sealed license is written again with one entry changed (ISO 32000-2 12.8.2.2)."""
    pdf = _genuine().pdf
    return update(pdf, {root_number(pdf): changed(catalog(pdf), **change)})


@forgery(_SEALED, cases={"rotate": {"Rotate": b"180"}, "no-content": {"Contents": None}, "no-seal": {"Annots": None}})
def page_of_a_sealed_license(change: dict[str, bytes | None]) -> bytes:
    """The page of a sealed license is written again with one entry changed (ISO 32000-2 12.8.2.2)."""
    pdf = _genuine().pdf
    return update(pdf, {page_number(pdf): changed(object_text(pdf, page_number(pdf)), **change)})


@forgery(_SEALED, cases={"listed": True, "unlisted": False})
def covering_content_of_a_sealed_license(listed: bool) -> bytes:
    """Content is appended to the page of a sealed license, in a table or behind it (CCS 2019, 4.2)."""
    pdf = _genuine().pdf
    made = _around_content(pdf, b"", b"1 g %s f" % _rectangle(_box()))
    return made if listed else made[: made.rindex(b"xref\n", 0, made.rindex(b"startxref"))] + b"%%EOF\n"


@forgery(_SEALED, codes=frozenset({"CONTENTS_NOT_CANONICAL"}))
def one_digit_in_another_case() -> bytes:
    """One hexadecimal digit of /Contents changes from small to capital: the same value, other bytes."""
    pdf = bytearray(_genuine().pdf)
    at = pdf.index(b"/Contents <") + 11
    at = next(i for i in range(at, len(pdf)) if pdf[i] in b"abcdef")
    pdf[at] -= 32
    return bytes(pdf)


@forgery("control", expected=Expected.INTACT, cases={b.value: b for b in Baseline})
def license_as_sealed(baseline: Baseline) -> bytes:
    """Nothing: a license as it is issued, at each level."""
    return genuine(baseline, _TYPE).pdf
