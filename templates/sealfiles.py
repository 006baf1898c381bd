"""The picture of a seal in its forms: operators for a PDF, a PDF file, PNG, SVG."""

from __future__ import annotations

import base64
import hashlib
import io
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from xml.sax.saxutils import escape, quoteattr

from templates.layout import Rgb
from templates.pdf import PdfFile, dictionary, name, number, reference
from templates.typesetting import MM
from verify.formats.pageview import open_pages
from verify.formats.refusal import refuse

LEAST_DPI, MOST_DPI = 72, 1200
_GROUP = b"/Group << /Type /Group /S /Transparency /CS /DeviceRGB >>"


@dataclass(frozen=True, slots=True)
class SealImage:
    """A picture inside a seal: the resource's name, its size in pixels, rows of RGB and of opacity, both deflated."""

    resource: str
    width: int
    height: int
    colours: bytes
    opacity: bytes


@dataclass(frozen=True, slots=True)
class SealPicture:
    """The picture's operators, deflated, and its width and height in points.

    They use a graphics state named ``Ink`` (the seal multiplies with what lies under it) and the XObjects ``images``.
    """

    deflated: bytes
    width: float
    height: float
    images: tuple[SealImage, ...] = ()

    @property
    def digest(self) -> bytes:
        """SHA-256 over all that is shown."""
        made = hashlib.sha256(self.deflated)
        for image in self.images:
            made.update(image.colours + image.opacity)
        return made.digest()


def appearance(file: PdfFile, picture: SealPicture, *, ink: bytes = b"/Multiply") -> bytes:
    """The form XObject that shows a seal, with its resources, added to ``file``; returns a reference to it.

    ``ink`` is the blend mode: a seal multiplies with what lies under it, so that text stays readable.
    """
    images = {image.resource: _image(file, image) for image in picture.images}
    entries = (
        b"/Type /XObject /Subtype /Form /BBox [0 0 " + number(picture.width) + b" " + number(picture.height) + b"] "
    )
    resources = b" /Resources << /ExtGState << /Ink << /Type /ExtGState /BM " + ink + b" >> >>"
    if images:
        resources += b" /XObject " + dictionary(images)
    return file.stream(entries + _GROUP + resources + b" >>", picture.deflated, deflated=True)


def _image(file: PdfFile, image: SealImage) -> bytes:
    size = b"/Type /XObject /Subtype /Image /Width %d /Height %d /BitsPerComponent 8" % (image.width, image.height)
    mask = file.stream(size + b" /ColorSpace /DeviceGray", image.opacity, deflated=True)
    return file.stream(size + b" /ColorSpace /DeviceRGB /SMask " + mask, image.colours, deflated=True)


def pdf_of(picture: SealPicture, *, ink: bytes = b"/Multiply") -> bytes:
    """A PDF of one page of the seal's size that shows it alone; same in, same bytes out."""
    file = PdfFile()
    root, pages, page = file.reserve(), file.reserve(), file.reserve()
    form = appearance(file, picture, ink=ink)
    content = file.stream(b"", b"/Seal Do", deflated=False)
    box = b"[0 0 " + number(picture.width) + b" " + number(picture.height) + b"]"
    file.put(
        page,
        dictionary(
            {
                "Type": b"/Page",
                "Parent": reference(pages),
                "MediaBox": box,
                "Resources": dictionary({"XObject": dictionary({"Seal": form})}),
                "Contents": content,
            }
        ),
    )
    file.put(pages, dictionary({"Type": name("Pages"), "Kids": b"[" + reference(page) + b"]", "Count": b"1"}))
    file.put(root, dictionary({"Type": name("Catalog"), "Pages": reference(pages)}))
    return file.write(reference(root), file.add(b"<< >>"), picture.digest[:16])


def pixels(length: float, dpi: int) -> int:
    """How many pixels a length in points takes."""
    return round(length / 72 * dpi)


def png_of(picture: SealPicture, dpi: int, colour: Rgb) -> bytes:
    """A PNG of exactly the seal's size at ``dpi`` (which stands in its pHYs chunk): one colour, the background
    transparent. Refused: BAD_DPI."""
    if not LEAST_DPI <= dpi <= MOST_DPI:
        raise refuse(
            "BAD_DPI",
            "dpi",
            f"分辨率 {dpi} 不在 {LEAST_DPI} 至 {MOST_DPI} dpi 之间",
            f"the resolution {dpi} is not between {LEAST_DPI} and {MOST_DPI} dpi",
            remedy_zh="印章图片常用 600 dpi",
            remedy_en="pictures of seals usually have 600 dpi",
        )
    view = open_pages(pdf_of(picture, ink=b"/Normal"))
    try:
        drawn = view.with_opacity(1, (pixels(picture.width, dpi), pixels(picture.height, dpi)))
    finally:
        view.close()
    return one_colour_png(drawn.getchannel("A"), colour, dpi)


def one_colour_png(opacity: object, colour: Rgb, dpi: float) -> bytes:
    """A PNG of one colour whose opacity is a Pillow image of mode L."""
    from PIL import Image

    if not isinstance(opacity, Image.Image):
        raise TypeError("opacity must be a Pillow image")
    made = Image.new("RGBA", opacity.size, (*(round(c * 255) for c in colour), 0))
    made.putalpha(opacity)
    out = io.BytesIO()
    made.save(out, "PNG", dpi=(dpi, dpi), optimize=False)
    return out.getvalue()


# --- SVG ------------------------------------------------------------------------------------------------------------


def svg_of(picture: SealPicture, title: str) -> str:
    """An SVG in millimetres with the same outlines: no text, script, style or reference to anything outside."""
    width, height = (f"{v / MM:.3f}".rstrip("0").rstrip(".") for v in (picture.width, picture.height))
    body = "\n".join(_svg_elements(picture))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}mm" height="{height}mm" role="img"'
        f' viewBox="0 0 {picture.width:.3f} {picture.height:.3f}" aria-label={quoteattr(title)}>\n'
        f"<title>{escape(title)}</title>\n"
        f'<g transform="matrix(1 0 0 -1 0 {picture.height:.3f})">\n{body}\n</g>\n</svg>\n'
    )


def _svg_elements(picture: SealPicture) -> Iterator[str]:
    """Our own operators as elements: paths, their colours and widths, images."""
    stack: list[str] = []
    path: list[str] = []
    fill = stroke = "#000"
    width = "1"
    images = {f"/{i.resource}": i for i in picture.images}
    matrix = "1 0 0 1 0 0"
    for operator in zlib.decompress(picture.deflated).decode("ascii").split():
        if operator in ("m", "l", "c"):
            path.append({"m": "M", "l": "L", "c": "C"}[operator] + " ".join(stack))
        elif operator == "h":
            path.append("Z")
        elif operator == "re":
            x, y, w, h = stack
            path.append(f"M{x} {y}h{w}v{h}h-{w}Z")
        elif operator in ("f", "f*", "S", "n", "b", "B", "b*", "B*", "s"):
            yield from _svg_path(path, operator, fill, stroke, width)
            path.clear()
        elif operator == "rg":
            fill = _hex(stack)
        elif operator == "RG":
            stroke = _hex(stack)
        elif operator == "w":
            width = stack[-1]
        elif operator == "cm":
            matrix = " ".join(stack)
        elif operator == "Do":
            yield _svg_image(images[stack[-1]], matrix)
        elif operator not in ("q", "Q", "gs", "j", "J"):
            stack.append(operator)
            continue
        stack.clear()


def _svg_path(path: list[str], operator: str, fill: str, stroke: str, width: str) -> Iterator[str]:
    if not path or operator == "n":
        return
    filled, stroked = operator[0] in "fbB", operator[0] in "SsbB"
    rule = ' fill-rule="evenodd"' if operator.endswith("*") else ""
    paint = f' fill="{fill}"{rule}' if filled else ' fill="none"'
    if stroked:
        paint += f' stroke="{stroke}" stroke-width="{width}" stroke-linejoin="round"'
    yield f'<path d="{"".join(path)}"{paint}/>'


def _svg_image(image: SealImage, matrix: str) -> str:
    from PIL import Image

    size = (image.width, image.height)
    made = Image.frombytes("RGB", size, zlib.decompress(image.colours)).convert("RGBA")
    made.putalpha(Image.frombytes("L", size, zlib.decompress(image.opacity)))
    out = io.BytesIO()
    made.save(out, "PNG")
    data = base64.b64encode(out.getvalue()).decode("ascii")
    # Pictures stand on their heads in user space that grows upwards.
    return (
        f'<g transform="matrix({matrix})"><image width="1" height="1" preserveAspectRatio="none"'
        f' transform="matrix(1 0 0 -1 0 1)" href="data:image/png;base64,{data}"/></g>'
    )


def _hex(parts: list[str]) -> str:
    return "#" + "".join(f"{round(float(p) * 255):02x}" for p in parts[-3:])
