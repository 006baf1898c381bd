"""A verification report as an unsigned PDF/A-3b file with one empty signature field.

A4, one column, the facts as an associated file. Texts are set with the license types' own faces and subsets.
"""

from __future__ import annotations

import datetime
import hashlib
import zlib
from collections.abc import Sequence

from templates.archive import attached, font_object, info, output_intent, xmp
from templates.fonts import DEFLATE_LEVEL, FontSet
from templates.pdf import PdfFile, dictionary, number, reference, text_string
from templates.report.blocks import Origin, report_title
from templates.report.page import HEIGHT, WIDTH, Page
from templates.report.pixels import Picture
from templates.report.setting import Setter
from verify.formats.report import ATTACHMENT_NAME

FIELD = "Report1"
_DESCRIPTION = "verification report 验证报告"
_WIDGET_FLAGS = 132  # print, locked


def report_pdf(blocks: Sequence[object], facts: bytes, *, origin: Origin, lang: str, made: datetime.datetime) -> bytes:
    """The file. ``facts`` are the bytes of the attached JSON, ``made`` an aware moment. Same in, same bytes out."""
    moment = made.astimezone(datetime.UTC).replace(microsecond=0)
    setter = Setter(lang, origin)
    pages = setter.pages(blocks)
    fonts = FontSet((g for page in pages for g in page.glyphs()), "R")
    title = report_title(lang)
    identity = _identity(facts, moment, lang)
    file = PdfFile()
    root, tree = file.reserve(), file.reserve()
    kids = [file.reserve() for _ in pages]
    font_entries = dictionary({f.resource: font_object(file, f) for f in fonts.files})
    widget = reference(_field(file, kids[0])) if origin.signed else None
    for kid, page in zip(kids, pages, strict=True):
        _put_page(file, kid, tree, page, fonts, font_entries, widget if kid == kids[0] else None)
    numbers = b" ".join(reference(k) for k in kids)
    file.put(tree, dictionary({"Type": b"/Pages", "Kids": b"[" + numbers + b"]", "Count": b"%d" % len(kids)}))
    attachment = attached(file, ATTACHMENT_NAME, facts, _DESCRIPTION, moment)
    described = xmp(title, origin.made_by, identity.hex(), moment, identity)
    metadata = file.stream(b"/Type /Metadata /Subtype /XML", described, deflated=False)
    _put_root(file, root, tree, attachment, widget, lang, metadata)
    return file.write(reference(root), info(file, title, origin.made_by, moment), identity)


def _put_root(
    file: PdfFile, root: int, tree: int, attachment: bytes, widget: bytes | None, lang: str, metadata: bytes
) -> None:
    entries = {
        "Type": b"/Catalog",
        "Version": b"/1.7",
        "Pages": reference(tree),
        "Metadata": metadata,
        "OutputIntents": b"[" + output_intent(file) + b"]",
        "Lang": b"(zh-CN)" if lang == "zh" else b"(en)",
        "ViewerPreferences": b"<< /DisplayDocTitle true >>",
        "Names": b"<< /EmbeddedFiles << /Names [" + text_string(ATTACHMENT_NAME) + b" " + attachment + b"] >> >>",
        "AF": b"[" + attachment + b"]",
    }
    if widget is not None:
        entries["AcroForm"] = b"<< /Fields [" + widget + b"] /SigFlags 3 >>"
    file.put(root, dictionary(entries))


def _put_page(
    file: PdfFile, kid: int, tree: int, page: Page, fonts: FontSet, font_entries: bytes, widget: bytes | None
) -> None:
    pictures = {name: _picture(file, picture) for name, picture in page.pictures.items()}
    entries = {
        "Type": b"/Page",
        "Parent": reference(tree),
        "MediaBox": b"[0 0 " + number(WIDTH) + b" " + number(HEIGHT) + b"]",
        "Resources": dictionary({"Font": font_entries, "XObject": dictionary(pictures)}),
        "Contents": file.stream(b"", zlib.compress(page.operators(fonts), DEFLATE_LEVEL), deflated=True),
    }
    if widget is not None:
        entries["Annots"] = b"[" + widget + b"]"
    file.put(kid, dictionary(entries))


def _picture(file: PdfFile, picture: Picture) -> bytes:
    """An image whose data go as they came: deflated rows with PNG's filters (ISO 32000-2 7.4.4.4)."""
    entries = (
        b"/Type /XObject /Subtype /Image /Width %d /Height %d /ColorSpace /DeviceRGB /BitsPerComponent 8"
        b" /Filter /FlateDecode /DecodeParms << /Predictor 15 /Colors 3 /BitsPerComponent 8 /Columns %d >>"
        % (picture.width, picture.height, picture.width)
    )
    return file.stream(entries, picture.rows, deflated=False)


def _field(file: PdfFile, page: int) -> int:
    """The empty signature field; it shows nothing, since what it would show is no proof."""
    made = file.reserve()
    file.put(
        made,
        dictionary(
            {
                "Type": b"/Annot",
                "Subtype": b"/Widget",
                "FT": b"/Sig",
                "T": text_string(FIELD),
                "F": b"%d" % _WIDGET_FLAGS,
                "Rect": b"[0 0 0 0]",
                "P": reference(page),
            }
        ),
    )
    return made


def _identity(facts: bytes, moment: datetime.datetime, lang: str) -> bytes:
    return hashlib.sha256(b"%s %s %s" % (lang.encode(), moment.isoformat().encode(), facts)).digest()[:16]
