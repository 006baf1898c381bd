"""Controls: genuine files and harmless continuations, which must stay INTACT."""

from __future__ import annotations

from tests.support.forger.bases import Base, look, sign, with_timestamp
from tests.support.forger.families.annotations import annotate, annotation
from tests.support.forger.families.sneaky_signing import sign_without_leave
from tests.support.forger.registry import Expected, forgery
from tests.support.forger.writer import changed

_FAMILY = "control"
_STYLES = [f"{k}{s}" for k in ("approval", "p1", "p2", "p3") for s in ("", "-stream", "-packed")]


@forgery(_FAMILY, *_STYLES, expected=Expected.INTACT)
def as_signed(doc: Base) -> bytes:
    """Nothing: the document as its signer left it."""
    return doc.pdf


@forgery(_FAMILY, "approval", "p1", "p2", "p3", "p1-stream", "p2-packed", expected=Expected.INTACT)
def archived(doc: Base) -> bytes:
    """Nothing: validation data and a document timestamp were added (ISO 32000-2 12.8.4.3, 12.8.5)."""
    return with_timestamp(doc.pdf)


@forgery(_FAMILY, "approval", "p1", "p2", expected=Expected.INTACT)
def archived_twice(doc: Base) -> bytes:
    """Nothing: an archive renewed its timestamp (ETSI EN 319 142-1 5.5)."""
    return with_timestamp(with_timestamp(doc.pdf))


@forgery(_FAMILY, "approval", "p2", "p3", "approval-stream", "p2-packed", expected=Expected.INTACT)
def signed_again(doc: Base) -> bytes:
    """Nothing: a second person signed the reserved field (ISO 32000-2 Table 257)."""
    return sign(doc.pdf, "Sig2")


@forgery(_FAMILY, "approval", "p2", expected=Expected.INTACT)
def signed_again_by_ours(doc: Base) -> bytes:
    """Nothing: a second person signed the reserved field with our own writer (ISO 32000-2 Table 257)."""
    return sign_without_leave(doc.pdf, "Sig2")


@forgery(_FAMILY, "approval", "p2", expected=Expected.INTACT)
def signed_again_without_a_place(doc: Base) -> bytes:
    """Nothing: a second person signed the reserved field, which gave up its room on the page (12.7.5.5)."""
    return sign(doc.pdf, "Sig2", rect=[0, 0, 0, 0])


@forgery(_FAMILY, "approval", "p2", expected=Expected.INTACT)
def signed_again_and_archived(doc: Base) -> bytes:
    """Nothing: a second signature, then validation data and a document timestamp."""
    return with_timestamp(sign(doc.pdf, "Sig2"))


@forgery(_FAMILY, "approval", "p2", "p3", "p2-packed", expected=Expected.INTACT)
def form_filled(doc: Base) -> bytes:
    """Nothing: a text field and a check box were filled, looks and values agreeing (ISO 32000-2 Table 257)."""
    n = doc.free
    payee = changed(doc.body("payee"), V=b"(Good Works)", AP=b"<< /N %d 0 R >>" % n)
    return doc.update(
        {"payee": payee, n: look(b"Good Works"), "agree": changed(doc.body("agree"), V=b"/Yes", AS=b"/Yes")}
    )


@forgery(_FAMILY, "approval", "p2", "p3", expected=Expected.INTACT)
def form_filled_in_place(doc: Base) -> bytes:
    """Nothing: a text field was filled, its look's object written again (ISO 32000-2 Table 257)."""
    payee = changed(doc.body("payee"), V=b"(Good Works)")
    return doc.update({"payee": payee, "payee_look": look(b"Good Works")})


@forgery(
    _FAMILY,
    "p3",
    expected=Expected.INTACT,
    cases={
        "note": annotation(b"Text", b"/Contents (seen) /T (clerk) /Name /Note", b"/Rect [300 300 320 320]"),
        "highlight": annotation(
            b"Highlight", b"/QuadPoints [60 755 180 755 60 735 180 735] /C [1 1 0]", b"/Rect [60 735 180 755]"
        ),
        "words": annotation(b"FreeText", b"/Contents (seen) /DA (/F1 12 Tf 0 g)", b"/Rect [300 300 400 320]"),
    },
)
def commented(doc: Base, body: bytes) -> bytes:
    """Nothing: a comment where the certification permits comments, beside the text (ISO 32000-2 Table 257, P 3)."""
    return annotate(doc, body)


@forgery(_FAMILY, "approval", expected=Expected.INTACT)
def metadata_renewed(doc: Base) -> bytes:
    """Nothing: XMP and the information dictionary say when a second signature was made (ISO 32000-2 14.3)."""
    metadata = doc.body("metadata").replace(b"application/pdf", b"application/pdf ")
    size = metadata[metadata.index(b"stream\n") + 7 : metadata.rindex(b"\nendstream")]
    metadata = changed(metadata, Length=b"%d" % len(size))
    info = b"<< /Title (Invoice) /CreationDate (D:20260101000000Z) /ModDate (D:20260201000000Z) >>"
    return doc.update({"metadata": metadata, "info": info})


@forgery(_FAMILY, "approval", "p1", "p2", expected=Expected.INTACT)
def empty_update(doc: Base) -> bytes:
    """Nothing: an update that brings no object at all (ISO 32000-2 7.5.6)."""
    return doc.update({})


@forgery(_FAMILY, "approval", "p1", expected=Expected.INTACT)
def written_again_unchanged(doc: Base) -> bytes:
    """Nothing: a program wrote the catalog and the page again as they were (ISO 32000-2 7.5.6)."""
    return doc.update({"catalog": doc.body("catalog"), "page": doc.body("page")})
