"""What happened after each signature of a file: the revisions that later signatures sign, and the newest one."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from verify.checks.changes.accounting import account, ambiguities, hides_its_end, reached_numbers, searched
from verify.checks.changes.compare import compare
from verify.checks.changes.model import Changes, Kind
from verify.checks.changes.overlap import PrintedText
from verify.checks.changes.permissions import Rights, rights_after
from verify.checks.changes.reasons import Reason
from verify.checks.changes.walk import Effort
from verify.formats.pdflimits import PdfError, PdfLimitError
from verify.place import Place

if TYPE_CHECKING:
    from verify.formats.pdffile import PdfFile, Snapshot
    from verify.formats.pdfsignatures import UnverifiedPdfSignature

_BLANK = b"\0\t\n\f\r "
_TAIL = 64


class Judge:
    """Compares the revisions of one file, each pair once. ``signatures`` are all that the file has, with their ends."""

    def __init__(
        self,
        file: PdfFile,
        signatures: Sequence[tuple[UnverifiedPdfSignature, int]],
        printed: PrintedText | None = None,
    ) -> None:
        self.file = file
        self.signatures = sorted(signatures, key=lambda item: item[1])
        self.printed = printed or PrintedText()
        self._effort = Effort()
        self._reached: set[int] | None = None
        self._steps: dict[tuple[int, int], Changes] = {}
        self._ends: list[int] | None = None

    def after(self, end: int) -> Changes:
        """Everything that changed after the revision that ends at ``end``. Raises PdfError when that is unreadable.

        Revision by revision, because what one changes and the next takes back was signed by whoever signed between
        them; and as a whole, because many harmless steps could lead somewhere.
        """
        data = self.file.data
        if not self._is_revision(end):
            found = Changes()
            found.add(Reason.NO_REVISION, Place(span=(end, len(data))))
            return found
        old = self.file.snapshot(end)
        if self.file.shows_its_front:
            found = Changes()
            found.add(Reason.AMBIGUOUS, Place(span=(end, len(data))))
            return found
        if not data[end:].strip(_BLANK):
            return searched(self.file, old, self.reached) if hides_its_end(self.file, old) else Changes()
        found = account(self.file, old, self.reached)
        found.merge(compare(old, self.file.newest, self.rights(old), self.printed, self._effort))
        steps = [end, *self._later(end)]
        if len(steps) > 2:
            for one, other in pairwise(steps):
                found.merge(self._step(one, other))
        found.merge(ambiguities(self.file, old))
        if not found.kinds and not found.faults:
            found.kinds.add(Kind.REWRITTEN)
        return found

    def _later(self, end: int) -> list[int]:
        """The ends of the revisions after one, the last of them the whole file."""
        if self._ends is None:
            revisions = (r.end for r in self.file.revisions)
            self._ends = sorted({*revisions, *(e for _, e in self.signatures), len(self.file.data)})
        data = self.file.data
        later: list[int] = []
        for other in self._ends:
            if other > end and data[(later[-1] if later else end) : other].strip(_BLANK):
                later.append(other)
        return later

    def _step(self, one: int, other: int) -> Changes:
        """What one revision changed in the one before. Nothing where a revision shows no document by itself."""
        if (one, other) not in self._steps:
            try:
                old, new = self.file.snapshot(one), self.file.snapshot(other)
                self._steps[one, other] = compare(old, new, self.rights(old), None, self._effort)
            except PdfLimitError:
                raise
            except PdfError:
                self._steps[one, other] = Changes()
        return self._steps[one, other]

    def reached(self) -> set[int]:
        """The numbers of objects that something in the newest revision refers to."""
        if self._reached is None:
            self._reached = reached_numbers(self.file.newest, self._effort)
        return self._reached

    def rights(self, old: Snapshot) -> Rights:
        """What the signatures of a revision allow together."""
        fields = []
        for signature, end in self.signatures:
            held = old.resolve(signature.field_reference) if end <= old.end else None
            if isinstance(held, dict):
                above = old.entry_of(held.get(b"Parent"), b"Lock")
                given = {b"V": signature.value_reference or signature.dictionary, b"Lock": above}
                fields.append({**given, **held})  # both may stand with the parent
        return rights_after(old, fields)

    def _is_revision(self, end: int) -> bool:
        """Whether ``end`` is the end of a revision: behind its %%EOF, give or take white space."""
        head = self.file.data[max(0, end - _TAIL) : end].rstrip(_BLANK)
        return head.endswith(b"%%EOF")
