"""What may be said of a mutant, and an independent look at whether INTACT can be true.

INTACT is right only when every signature of some revision of the base still signs the very bytes that it signed there,
or the only one signs, by pyHanko's word, the whole file but validation data
(compared here as digests of what the byte ranges cover and of the signers' part of the value in the gap), when no
signature field is there besides, and when PDFium shows the very pages, text and attachments of that revision. Where
only what annotations and form fields show differs, the verdict must say that a permitted change was made.
"""

from __future__ import annotations

import hashlib
import io
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import pypdfium2

from tests.support.damage.anatomy import Anatomy
from tests.support.damage.mutants import Base, Mutant
from verify import Integrity, TrustStore, verify_document

AT = datetime(2026, 11, 23, tzinfo=UTC)
SECONDS = 5.0
MEGABYTES = 512
PAGES = 12


@dataclass(frozen=True)
class Outcome:
    """The answer about one mutant and what is wrong with it: nothing, or what was missed in words."""

    integrity: str
    wrong: str = ""
    seconds: float = 0.0
    codes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Shown:
    """What PDFium shows: digests of page sizes, texts, pixels without annotations and attachments; of all with them."""

    content: str
    whole: str
    error: str = field(default="", compare=False)


def look(data: bytes) -> Shown:
    """Render and extract. What cannot be opened shows nothing."""
    try:
        document = pypdfium2.PdfDocument(data)
        document.init_forms()
    except Exception as error:
        return Shown("", "", str(error))
    content, whole = hashlib.sha256(), hashlib.sha256()
    try:
        content.update(b"%d" % len(document))
        for index in range(min(len(document), PAGES)):
            _look_at_page(document, index, content, whole)
        for index in range(min(document.count_attachments(), 20)):
            attachment = document.get_attachment(index)
            content.update(attachment.get_name().encode())
            content.update(bytes(attachment.get_data()))
    except Exception as error:
        return Shown("", "", str(error))
    finally:
        document.close()
    return Shown(content.hexdigest(), content.hexdigest() + whole.hexdigest())


def _look_at_page(document: pypdfium2.PdfDocument, index: int, content: Any, whole: Any) -> None:
    page = document[index]
    try:
        scale = min(1.0, 600 / max(*page.get_size(), 1))
        text = page.get_textpage()
        content.update(repr(page.get_size()).encode())
        content.update(text.get_text_range(errors="replace").encode())
        text.close()
        for digest, annotated in ((content, False), (whole, True)):
            bitmap = page.render(scale=scale, may_draw_forms=annotated, draw_annots=annotated)
            digest.update(bytes(bitmap.buffer))
            bitmap.close()
    finally:
        page.close()


@lru_cache(maxsize=300)
def _revisions(base: Base) -> tuple[tuple[frozenset[bytes], bytes], ...]:
    """Each revision of a base that holds a signature: what is signed in it, and its bytes."""
    whole = Anatomy(base.data)
    found = []
    for end in (*whole.ends, len(base.data)):
        revision = Anatomy(base.data[:end])
        if revision.ranges:
            found.append((revision.signed, revision.data))
    return tuple(found)


def _signature_fields(data: bytes) -> int:
    """How many signature fields PDFium finds; none in what it cannot open."""
    try:
        document = pypdfium2.PdfDocument(data)
    except pypdfium2.PdfiumError:
        return 0
    try:
        return int(pypdfium2.raw.FPDF_GetSignatureCount(document))
    finally:
        document.close()


@lru_cache(maxsize=300)
def _shown(data: bytes) -> Shown:
    return look(data)


def judge(mutant: Mutant) -> Outcome:
    """Judge one mutant; ``wrong`` says what must not be."""
    start = time.process_time()
    try:
        verdict = verify_document(mutant.data, trust=TrustStore(), at=AT)
        verdict.to_json("zh")
    except Exception as error:
        return Outcome("RAISED", f"raised {type(error).__name__}: {error}"[:200])
    seconds = time.process_time() - start
    wrong = ""
    if "INTERNAL" in verdict.codes():
        params = [dict(f.params) for f in verdict.findings if f.code == "INTERNAL"]
        wrong = f"INTERNAL {params}"
    elif seconds > SECONDS:
        wrong = f"took {seconds:.1f} s"
    elif verdict.integrity is Integrity.INTACT:
        wrong = intact_wrong(mutant.data, (mutant.base, mutant.other), "CHANGE_PERMITTED" in verdict.codes())
    return Outcome(verdict.integrity.value, wrong, seconds, tuple(sorted(verdict.codes())))


def intact_wrong(data: bytes, bases: Iterable[Base], permitted: bool) -> str:
    """Why INTACT cannot be true of ``data``; empty when it can."""
    known = [revision for base in bases for revision in _revisions(base)]
    if any(data == whole for _, whole in known):
        return ""
    # every signature of some revision is there unchanged, and PDFium finds no more of them in fields than there
    signed, found = Anatomy(data).signed, _signature_fields(data)
    alike = [whole for marks, whole in known if marks <= signed and found <= _signature_fields(whole)]
    if not alike:
        # a base may be a changed file itself, and a piece of another one put back what was signed
        whole = _is_signed_whole(data)
        return "" if whole else "INTACT, but what is signed differs from every revision of the base"
    now = look(data)
    shown = [_shown(whole) for whole in alike]
    if now.whole in {s.whole for s in shown}:
        return ""
    if now.content in {s.content for s in shown}:
        return "" if permitted else "INTACT without a word, but annotations or fields show something else"
    return f"INTACT, but pages, text or attachments differ {now.error}".strip()


def _is_signed_whole(data: bytes) -> bool:
    """Whether by pyHanko's word the only signature holds, and nothing but validation data came after it."""
    from pyhanko.pdf_utils.reader import PdfFileReader
    from pyhanko.sign.diff_analysis import DiffResult, ModificationLevel
    from pyhanko.sign.validation.status import SignatureCoverageLevel

    from bench.engines import pyhanko

    try:
        (only,) = PdfFileReader(io.BytesIO(data), strict=False).embedded_signatures
        only.compute_integrity_info()
        later = only.diff_result
    except Exception:
        return False
    kept = isinstance(later, DiffResult) and later.modification_level.value <= ModificationLevel.LTA_UPDATES.value
    whole = only.coverage is SignatureCoverageLevel.ENTIRE_FILE
    return (whole or kept) and pyhanko()(data)[0] == "INTACT"


def peak_megabytes() -> int:
    """The most memory this process ever held."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) // 1024
    return 0
