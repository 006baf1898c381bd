"""The QR code on the page: modules from zxing-cpp, drawn as vector rectangles."""

from __future__ import annotations

import re

import zxingcpp

from verify.formats.refusal import refuse

MAX_TEXT = 600
QUIET_MODULES = 4
_DARK = bytes([1] + [0] * 255)
_RUN = re.compile(rb"\x01+")


def qr_modules(text: str) -> tuple[bytes, ...]:
    """The modules of a QR code with error correction M, without quiet zone: rows from the top, 1 for dark, 0 for light.

    Refused (CODE_TOO_LONG) above 600 characters, which would make the modules too small for a phone at 30 mm.
    """
    if not 1 <= len(text) <= MAX_TEXT:
        raise refuse(
            "CODE_TOO_LONG",
            "code",
            f"二维码内容有 {len(text)} 字符，超过 {MAX_TEXT}",
            f"the code's text has {len(text)} characters, more than {MAX_TEXT}",
            remedy_zh="请缩短验证网址或持证主体名称",
            remedy_en="shorten the verification address or the holder's name",
        )
    code = zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.QRCode, ec_level="M")
    picture = memoryview(code.to_image(scale=1, add_quiet_zones=False))  # type: ignore[arg-type]
    width = len(picture)
    data = bytes(picture).translate(_DARK)
    return tuple(data[start : start + width] for start in range(0, width * width, width))


def draw_modules(modules: tuple[bytes, ...], x: float, y: float, side: float) -> bytes:
    """Operators that fill the modules into a white square of ``side`` points at ``x``, ``y`` (its lower left corner).

    The quiet zone lies inside the square. Runs of modules are one rectangle, a little higher than a module, so that no
    renderer leaves hairlines between rows.
    """
    count = len(modules) + 2 * QUIET_MODULES
    unit = side / count
    out = [
        f"q 1 1 1 rg {x:.2f} {y:.2f} {side:.2f} {side:.2f} re f 0 0 0 rg",
        f"{unit:.6f} 0 0 {-unit:.6f} {x + QUIET_MODULES * unit:.4f} {y + side - QUIET_MODULES * unit:.4f} cm",
    ]
    for row, line in enumerate(modules):
        out += [f"{run.start()} {row} {run.end() - run.start()} 1.02 re" for run in _RUN.finditer(line)]
    out.append("f Q")
    return "\n".join(out).encode("ascii")
