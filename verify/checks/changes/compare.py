"""Two revisions of a file, compared as documents."""

from __future__ import annotations

from typing import TYPE_CHECKING

from verify.checks.changes.document import compare_trailers
from verify.checks.changes.model import Changes
from verify.checks.changes.walk import Effort, Walk

if TYPE_CHECKING:
    from verify.checks.changes.overlap import PrintedText
    from verify.checks.changes.permissions import Rights
    from verify.formats.pdffile import Snapshot


def compare(
    old: Snapshot, new: Snapshot, rights: Rights, printed: PrintedText | None = None, effort: Effort | None = None
) -> Changes:
    """What ``new`` shows otherwise than ``old``, judged by what ``rights`` let a later revision do.

    With ``printed``, additions to pages are asked as well whether they cover text. ``effort`` is shared by the
    comparisons of one file.

    Raises PdfError when a revision cannot be read to its end.
    """
    if old is new:
        return Changes()
    walk = Walk(old, new, rights, printed, effort or Effort())
    compare_trailers(walk)
    walk.finish()
    return walk.changes
