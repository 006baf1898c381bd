"""The sRGB profile of the output intent, the same bytes in every process."""

from __future__ import annotations

import functools

from PIL import ImageCms

CONDITION = "sRGB IEC61966-2.1"


@functools.cache
def srgb_profile() -> bytes:
    """An ICC profile of sRGB. Its date and time (header bytes 24-35) are fixed, its profile ID is left out."""
    data = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    data[24:36] = b"".join(v.to_bytes(2, "big") for v in (2020, 1, 1, 0, 0, 0))
    data[84:100] = bytes(16)
    return bytes(data)
