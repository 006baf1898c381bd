"""Limits and demands as data. Nothing here decides; the checks read it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from verify.formats.pdflimits import PdfLimits


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
    code_checks: tuple[str, ...] = ("limits", "structure", "signatures", "chain", "claims", "standing")
    weak_hashes: frozenset[str] = frozenset({"md2", "md4", "md5", "sha1"})
    minimum_rsa_bits: int = 2048
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
