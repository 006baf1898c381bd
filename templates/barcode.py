"""The QR code on the page: modules from zxing-cpp, drawn as vector rectangles."""

from __future__ import annotations

import zxingcpp

from verify.formats.refusal import refuse

MAX_TEXT = 600
QUIET_MODULES = 4


def qr_modules(text: str) -> tuple[tuple[bool, ...], ...]:
    """The dark modules, row by row from the top, of a QR code with error correction M, without quiet zone.

    Refused (CODE_TOO_LONG) above 600 characters, which would make the modules too small for a phone at 30 mm.
    """
    if not 1 <= len(text) <= MAX_TEXT:
        raise refuse(
            "CODE_TOO_LONG", "code", f"二维码内容有 {len(text)} 字符,超过 {MAX_TEXT}",
            f"the code's text has {len(text)} characters, more than {MAX_TEXT}",
            remedy_zh="请缩短验证网址或持证主体名称", remedy_en="shorten the verification address or the holder's name",
        )  # fmt: skip
    code = zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.QRCode, ec_level="M")
    picture = memoryview(code.to_image(scale=1, add_quiet_zones=False))
    width, height = picture.shape[1], picture.shape[0]
    data = bytes(picture)
    return tuple(tuple(data[y * width + x] == 0 for x in range(width)) for y in range(height))


def draw_modules(modules: tuple[tuple[bool, ...], ...], x: float, y: float, side: float) -> bytes:
    """Operators that fill the modules into a white square of ``side`` points at ``x``, ``y`` (its lower left corner).

    The quiet zone lies inside the square. Runs of modules are one rectangle, a little higher than a module, so that no
    renderer leaves hairlines between rows.
    """
    count = len(modules) + 2 * QUIET_MODULES
    unit = side / count
    out = [f"q 1 1 1 rg {x:.2f} {y:.2f} {side:.2f} {side:.2f} re f 0 0 0 rg {unit:.6f} 0 0 {-unit:.6f} {x:.2f} {y + side:.2f} cm"]
    for row, line in enumerate(modules):
        start = None
        for column, dark in enumerate((*line, False)):
            if dark and start is None:
                start = column
            elif not dark and start is not None:
                out.append(f"{start + QUIET_MODULES} {row + QUIET_MODULES} {column - start} 1.02 re")
                start = None
    out.append("f Q")
    return "\n".join(out).encode("ascii")
