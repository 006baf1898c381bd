"""The usual way: reportlab draws the page, pyHanko signs the file. Nothing else is done.

It is given every advantage that does not change the page: faces parsed once, lines broken and placed beforehand,
ornament as ready operators, the key in memory, no timestamp, no revocation data, no PDF/A, no record inside, no
database, no file written. Its signature is PAdES B-B, certifying with no change allowed, of the same kind of key.
"""

from __future__ import annotations

import asyncio
import datetime
import io
import re
import zlib
from itertools import groupby

from asn1crypto import keys as asn1_keys
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign import signers
from pyhanko.sign.fields import MDPPerm, SigFieldSpec, SigSeedSubFilter
from pyhanko_certvalidator.registry import SimpleCertificateStore
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

from templates.barcode import draw_modules, qr_modules
from templates.fonts import font_folders
from templates.ornament import draw_art
from templates.registry import LicenseType
from templates.render import shown
from templates.schema import CheckedData
from templates.seals import SealArt, draw_seal
from templates.typesetting import MM, SetText, set_text

_PLACED = re.compile(r"/(A[0-9]+) Do")


class Rival:
    """Prepared once for one type and one set of data; :meth:`make` gives one signed file."""

    def __init__(self, type: LicenseType, checked: CheckedData, seal: SealArt, code_text: str) -> None:
        layout = type.layout
        self._size = (layout.width * MM, layout.height * MM)
        values = dict(checked.fields) | {"number": checked.number or "", "identifier": f"1.2.156.3005.2.{'0' * 63}"}
        static = [s for s in (*layout.static, *layout.sample) if s.when is None or s.when.holds(values)]
        texts = [set_text(s.text, s.box, s.style, layout.height, s.text) for s in static]
        texts += [
            set_text(shown(values[f.field], f.show), f.box, f.style, layout.height, f.field)
            for f in layout.fields
            if values.get(f.field) and (f.when is None or f.when.holds(values))
        ]
        self._runs = [run for text in texts for run in _runs(text)]
        for face in {run[0] for run in self._runs}:
            path = next(p for p in (folder / face for folder in font_folders()) if p.is_file())
            pdfmetrics.registerFont(TTFont(face, str(path)))
        art = draw_art(layout.art, layout.width, layout.height)
        self._art = art.drawing.operators().decode("ascii")
        self._forms = {name: (box, data.decode("ascii")) for name, (box, data) in art.forms.items()}
        picture = draw_seal(seal)
        x, y = layout.seal[0] * MM - picture.width / 2, (layout.height - layout.seal[1]) * MM - picture.height / 2
        # its blend with the text below is left out: reportlab would need a graphics state for it
        operators = zlib.decompress(picture.deflated).decode("ascii").replace("/Ink gs", "")
        self._seal = f"q 1 0 0 1 {x:.2f} {y:.2f} cm {operators} Q"
        code_x, code_y, side, _ = layout.code
        self._code = (code_x * MM, (layout.height - code_y - side) * MM, side * MM)
        self._code_text = code_text
        self._signer = _signer()

    def draw(self) -> bytes:
        """The page, by reportlab."""
        out = io.BytesIO()
        canvas = Canvas(out, pagesize=self._size, pageCompression=1)
        for name, (box, operators) in self._forms.items():
            canvas.beginForm(name, *box)
            canvas._code.append(operators)
            canvas.endForm()
        canvas._formsinuse.extend(self._forms)
        canvas._code.append(_PLACED.sub(lambda m: f"/{canvas._doc.getXObjectName(m[1])} Do", self._art))
        canvas._code.append(draw_modules(qr_modules(self._code_text), *self._code).decode("ascii"))
        for face, size, color, x, y, text, extra in self._runs:
            canvas.setFillColorRGB(*color)
            canvas.setFont(face, size)
            canvas.drawString(x, y, text, charSpace=extra)
        canvas._code.append(self._seal)
        canvas.save()
        return out.getvalue()

    def sign(self, pdf: bytes) -> bytes:
        """The signed file, by pyHanko."""
        metadata = signers.PdfSignatureMetadata(
            field_name="Seal1",
            subfilter=SigSeedSubFilter.PADES,
            certify=True,
            docmdp_permissions=MDPPerm.NO_CHANGES,
            md_algorithm="sha256",
        )
        signer = signers.PdfSigner(metadata, self._signer, new_field_spec=SigFieldSpec("Seal1"))
        signed = asyncio.run(signer.async_sign_pdf(IncrementalPdfFileWriter(io.BytesIO(pdf))))
        return bytes(signed.getvalue())

    def make(self) -> bytes:
        """Draw and sign."""
        return self.sign(self.draw())


def _runs(text: SetText) -> list[tuple[str, float, tuple[float, float, float], float, float, str, float]]:
    out = []
    for line in text.lines:
        x = line.x
        for face, group in groupby(line.glyphs, key=lambda g: g.face):
            glyphs = list(group)
            content = "".join(g.char for g in glyphs)
            out.append((face, text.size, text.style.color, x, line.y, content, line.extra))
            x += sum(g.advance * text.size / 1000 + line.extra for g in glyphs)
    return out


def _signer() -> signers.SimpleSigner:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "bench")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=365))
        .sign(key, hashes.SHA256())
    )
    plain = key.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return signers.SimpleSigner(
        signing_cert=asn1_x509.Certificate.load(certificate.public_bytes(serialization.Encoding.DER)),
        signing_key=asn1_keys.PrivateKeyInfo.load(plain),
        cert_registry=SimpleCertificateStore(),
    )
