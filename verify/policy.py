"""Limits and demands as data. Nothing here decides; the checks read it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from verify.formats.pdflimits import PdfLimits


def _day(year: int, month: int, day: int) -> datetime:
    return datetime(year, month, day, tzinfo=UTC)


_HASHES_UNTIL: Mapping[str, datetime | None] = {
    "md2": None,
    "md4": None,
    "md5": _day(2004, 8, 1),
    "sha1": _day(2012, 8, 1),
    "ripemd160": _day(2014, 8, 1),
}
_KEYS_UNTIL: Mapping[str, tuple[tuple[int, datetime | None], ...]] = {
    "RSA": ((1900, None), (1024, _day(2019, 10, 1)), (786, _day(2010, 8, 1))),
    "DSA": ((2048, None), (1024, _day(2015, 12, 1))),
    "EC": ((224, None), (192, _day(2013, 8, 1)), (160, _day(2013, 8, 1))),
}
"""After ETSI TS 119 312 and its predecessor TS 102 176-1: the day on which an algorithm ceased to be recommended.

A signature proven to have existed before that day is judged as of then (ETSI EN 319 102-1 5.6.2.4).
"""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a stranger's input may cost. Sizes in bytes, times in seconds."""

    pdf_bytes: int = 100_000_000
    picture_bytes: int = 40_000_000
    picture_pixels: int = 50_000_000
    enlarged_pixels: int = 4_000_000  # a picture of at most so many pixels is tried at twice its size
    text_bytes: int = 2_000_000
    pages: int = 500
    objects: int = 200_000
    revisions: int = 200
    pdf_values: int = 3_000_000  # names, numbers, strings, brackets read from one file
    pdf_nesting: int = 100  # of arrays and dictionaries
    pdf_nodes: int = 50_000  # of one tree: pages, names, form fields
    signatures: int = 50
    decompressed_bytes: int = 64_000_000  # of one stream; all together four times that
    seconds: float = 20.0
    padding_bytes: int = 65_536  # zero bytes after the CMS in /Contents
    status_list_bytes: int = 16_000_000
    disclosures: int = 1_000
    codes_in_picture: int = 16
    render_pixels: int = 40_000_000
    drawn_pages: int = 60  # of a file whose revisions are compared as pictures
    drawn_pixels: int = 2_000_000  # of one page then; a larger one is drawn smaller

    def for_pdf(self) -> PdfLimits:
        """What the reader of PDF files needs to know of them."""
        return PdfLimits(
            objects=self.objects,
            decompressed_bytes=self.decompressed_bytes,
            nesting=self.pdf_nesting,
            values=self.pdf_values,
            nodes=self.pdf_nodes,
        )


@dataclass(frozen=True, slots=True)
class Policy:
    """What VALID needs. A listed check that did not run to its end is a doubt about its answer."""

    limits: Limits = Limits()
    document_checks: tuple[str, ...] = ("limits", "structure", "signatures", "revisions", "chain")
    license_checks: tuple[str, ...] = (
        "record",
        "identifier",
        "issuer",
        "page_text",
        "page_ink",
        "page_code",
        "standing",
    )
    record_checks: tuple[str, ...] = ("limits", "structure", "signatures", "chain", "claims", "standing")
    seal_checks: tuple[str, ...] = ("limits", "structure", "signatures", "chain", "seal")
    signature_checks: tuple[str, ...] = ("limits", "structure", "signatures", "chain")
    receipt_checks: tuple[str, ...] = ("limits", "structure", "signatures", "chain")
    code_checks: tuple[str, ...] = ("limits", "structure", "signatures", "chain", "claims", "standing")
    hashes_until: Mapping[str, datetime | None] = field(default_factory=lambda: _HASHES_UNTIL)
    """Hashes that no longer count, and until when they did; None is never. One that is not listed counts."""
    keys_until: Mapping[str, tuple[tuple[int, datetime | None], ...]] = field(default_factory=lambda: _KEYS_UNTIL)
    """For each kind of key: from so many bits on, until when it counts (None is without end); shorter ones never."""
    revocation_age: timedelta = timedelta(days=7)
    """How long revocation data count that do not say until when they are current."""
    draw_revisions: bool = True
    """Whether signed and final revision are drawn and compared. False is for measuring what the rest costs."""
    ink_dpi: int = 100
    code_dpi: int = 300
    contrast: int = 60
    """Grey levels of 255 between paper and ink, for a text to count as visible."""
    page_size_tolerance: float = 0.5  # points
    clock_skew: timedelta = timedelta(minutes=5)
    issue_day_tolerance: timedelta = timedelta(days=1)
    """How far the printed day of issue may lie after the moment of signing."""


DEFAULT_POLICY = Policy()
