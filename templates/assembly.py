"""The last stage of drawing: a composed page, the record and the code become one unsigned PDF/A-3b file.

ISO 19005-3, level B: every font embedded with its true widths, colours in DeviceRGB under an sRGB output intent, XMP
that agrees with Info, the record as an associated file. ``/AcroForm`` is direct in the catalog and holds one empty
signature field, ``Seal1``, whose appearance is the seal; signing and later updates are incremental.
"""

from __future__ import annotations

import datetime
import hashlib
import zlib
from typing import TYPE_CHECKING

from templates.archive import attached, font_object, info, output_intent, xmp
from templates.barcode import draw_modules, qr_modules
from templates.fonts import DEFLATE_LEVEL
from templates.pdf import PdfFile, dictionary, number, reference, text_string
from templates.sealfiles import appearance
from verify.formats.license import ATTACHMENT_NAME

if TYPE_CHECKING:
    from templates.render import Composition

SEAL_FIELD = "Seal1"
RECORD_DESCRIPTION = "the license record 证照数据"
_WIDGET_FLAGS = 132  # print, locked


def assemble(
    composition: Composition,
    *,
    record: bytes,
    code_text: str,
    title: str,
    created: datetime.datetime,
    identifier: str,
    issuer: str,
) -> bytes:
    """The unsigned file. ``record`` are the canonical bytes of ``license.json``, ``code_text`` what the QR code says,
    ``created`` an aware moment (UTC). Same in, same bytes out.

    Raises RefusedError (CODE_TOO_LONG) for a code text that is too long.
    """
    if created.tzinfo is None:
        raise ValueError("created must be aware")
    moment = created.astimezone(datetime.UTC).replace(microsecond=0)
    code = draw_modules(qr_modules(code_text), *_square(composition))
    identity = _identity(composition, moment, record, code_text, title, identifier, issuer)
    file = PdfFile()
    root, pages, page = file.reserve(), file.reserve(), file.reserve()
    fonts = {font.resource: font_object(file, font) for font in (*composition.page.fonts, *composition.fonts)}
    forms = {form: _form(file, box, data) for form, box, data in composition.page.forms}
    contents = [
        file.stream(b"", composition.page.content, deflated=True),
        file.stream(b"", composition.content, deflated=True),
        file.stream(b"", zlib.compress(code, DEFLATE_LEVEL), deflated=True),
    ]
    widget = _widget(file, composition, page)
    width, height = composition.face.pages[0]
    file.put(
        pages,
        dictionary({"Type": b"/Pages", "Kids": b"[" + reference(page) + b"]", "Count": b"1"}),
    )
    file.put(
        page,
        dictionary(
            {
                "Type": b"/Page",
                "Parent": reference(pages),
                "MediaBox": b"[0 0 " + number(width) + b" " + number(height) + b"]",
                "Resources": dictionary({"Font": dictionary(fonts), "XObject": dictionary(forms)}),
                "Contents": b"[" + b" ".join(contents) + b"]",
                "Annots": b"[" + widget + b"]",
                "Group": b"<< /Type /Group /S /Transparency /CS /DeviceRGB >>",
            }
        ),
    )
    record_file = attached(file, ATTACHMENT_NAME, record, RECORD_DESCRIPTION, moment)
    metadata = file.stream(
        b"/Type /Metadata /Subtype /XML", xmp(title, issuer, identifier, moment, identity), deflated=False
    )
    intent = output_intent(file)
    file.put(
        root,
        dictionary(
            {
                "Type": b"/Catalog",
                "Version": b"/1.7",
                "Pages": reference(pages),
                "Metadata": metadata,
                "OutputIntents": b"[" + intent + b"]",
                "Lang": b"(zh-CN)",
                "ViewerPreferences": b"<< /DisplayDocTitle true >>",
                "Names": b"<< /EmbeddedFiles << /Names ["
                + text_string(ATTACHMENT_NAME)
                + b" "
                + record_file
                + b"] >> >>",
                "AF": b"[" + record_file + b"]",
                "AcroForm": b"<< /Fields [" + widget + b"] /SigFlags 3 >>",
            }
        ),
    )
    return file.write(reference(root), info(file, title, issuer, moment), identity)


def _square(composition: Composition) -> tuple[float, float, float]:
    x0, y0, x1, _ = composition.face.code_box
    return x0, y0, x1 - x0


def _identity(composition: Composition, moment: datetime.datetime, record: bytes, *texts: str) -> bytes:
    """Sixteen bytes that name this file, from all that goes into it."""
    parts = (composition.page.content, composition.content, composition.seal.digest, record)
    fonts = (f.data for f in (*composition.page.fonts, *composition.fonts))
    digest = hashlib.sha256()
    for part in (*parts, *fonts, moment.isoformat().encode(), *(t.encode() for t in texts)):
        digest.update(len(part).to_bytes(8, "big") + part)
    return digest.digest()[:16]


def _form(file: PdfFile, box: tuple[float, float, float, float], data: bytes) -> bytes:
    bounds = b"[" + b" ".join(number(v) for v in box) + b"]"
    return file.stream(b"/Type /XObject /Subtype /Form /BBox " + bounds + b" /Resources << >>", data, deflated=True)


def _widget(file: PdfFile, composition: Composition, page: int) -> bytes:
    """The empty signature field, its widget and the seal as the widget's appearance.

    The seal multiplies with what lies under it, as ink does, so that authority and date stay readable.
    """
    form = appearance(file, composition.seal)
    return file.add(
        dictionary(
            {
                "Type": b"/Annot",
                "Subtype": b"/Widget",
                "FT": b"/Sig",
                "T": text_string(SEAL_FIELD),
                "F": b"%d" % _WIDGET_FLAGS,
                "Rect": b"[" + b" ".join(number(v) for v in composition.face.seal_box) + b"]",
                "P": reference(page),
                "AP": b"<< /N " + form + b" >>",
            }
        )
    )
