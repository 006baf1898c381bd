"""Incremental saving attack: an update behind the signed revision, in forms that a check of listed objects overlooks.

Mladenov et al., "1 Trillion Dollar Refund" (CCS 2019), 4.2.
"""

from __future__ import annotations

from tests.support.forger.bases import Base, with_timestamp
from tests.support.forger.families.sneaky_signing import sign_without_leave
from tests.support.forger.registry import forgery
from tests.support.forger.writer import changed, last_startxref, stream

_FAMILY = "incremental-saving"
_ALL = ("approval", "p1", "p2", "p3")
_STYLES = ("approval", "approval-stream", "approval-packed", "p2", "p2-stream", "p2-packed")


def _content(doc: Base) -> bytes:
    return doc.body("content").replace(b"100.00", b"900.00")


def _object(doc: Base) -> bytes:
    return b"%d 0 obj\n%s\nendobj\n" % (doc.number("content"), _content(doc))


@forgery(_FAMILY, *_ALL, "approval-stream", "p2-stream", "approval-packed")
def plain_update(doc: Base) -> bytes:
    """An ordinary update replaces the page's content (ISO 32000-2 7.5.6)."""
    return doc.update({"content": _content(doc)})


@forgery(_FAMILY, *_STYLES)
def update_without_cross_reference(doc: Base) -> bytes:
    """Objects and a trailer behind the end, no cross-reference: readers repair and show them (CCS 2019, 4.2)."""
    tail = b"trailer\n<< /Size %d /Root 1 0 R /Prev %d >>\n" % (doc.free, last_startxref(doc.pdf))
    return doc.pdf + b"\n" + _object(doc) + tail + b"startxref\n%d\n%%%%EOF\n" % last_startxref(doc.pdf)


@forgery(_FAMILY, *_STYLES)
def update_with_empty_cross_reference(doc: Base) -> bytes:
    """The cross-reference of the update lists nothing; its object waits for readers that repair (CCS 2019, 4.2)."""
    return doc.update({"content": _content(doc)}, unlisted=[doc.number("content")])


@forgery(_FAMILY, *_STYLES)
def update_without_trailer(doc: Base) -> bytes:
    """Object and cross-reference table without trailer and startxref (CCS 2019, 4.2)."""
    place = len(doc.pdf) + 1
    table = b"xref\n%d 1\n%010d 00000 n\r\n" % (doc.number("content"), place)
    return doc.pdf + b"\n" + _object(doc) + table


@forgery(_FAMILY, *_STYLES)
def body_only(doc: Base) -> bytes:
    """Nothing but an object behind the end of file (CCS 2019, 4.2)."""
    return doc.pdf + b"\n" + _object(doc)


@forgery(_FAMILY, *_STYLES)
def body_and_end_marker(doc: Base) -> bytes:
    """An object and another %%EOF behind the end of file (CCS 2019, 4.2)."""
    return doc.pdf + b"\n" + _object(doc) + b"%%EOF\n"


@forgery(_FAMILY, *_STYLES)
def body_and_old_startxref(doc: Base) -> bytes:
    """An object, then a startxref that points to the signed revision's cross-reference (CCS 2019, 4.2)."""
    return doc.pdf + b"\n" + _object(doc) + b"startxref\n%d\n%%%%EOF\n" % last_startxref(doc.pdf)


@forgery(_FAMILY, "approval", "p2")
def signature_object_copied(doc: Base) -> bytes:
    """The update brings a copy of the signature object, to satisfy readers that look for one in it (CCS 2019, 4.2)."""
    return doc.update({"content": _content(doc), doc.signature: doc.body(doc.signature)})


@forgery(_FAMILY, "approval", "p2")
def signature_object_copied_without_cross_reference(doc: Base) -> bytes:
    """As before, and nothing lists what the update brings (CCS 2019, 4.2)."""
    copy = b"%d 0 obj\n%s\nendobj\n" % (doc.signature, doc.body(doc.signature))
    tail = b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n0\n%%%%EOF\n" % doc.free
    return doc.pdf + b"\n" + _object(doc) + copy + tail


@forgery(_FAMILY, "approval", "p1", "p2")
def update_with_startxref_zero(doc: Base) -> bytes:
    """startxref 0 makes readers rebuild the table, last object wins (ISO 32000-2 7.5.5)."""
    tail = b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n0\n%%%%EOF\n" % doc.free
    return doc.pdf + b"\n" + _object(doc) + tail


@forgery(_FAMILY, "approval", "p1", "p2")
def update_with_broken_startxref(doc: Base) -> bytes:
    """startxref points into nowhere: readers rebuild the table (ISO 32000-2 7.5.5)."""
    made = doc.update({"content": _content(doc)})
    at = made.rindex(b"startxref")
    return made[:at] + b"startxref\n99999999\n%%EOF\n"


@forgery(_FAMILY, "approval", "p1", "p2")
def object_in_a_comment(doc: Base) -> bytes:
    """The object stands behind a comment sign on one line, which readers that scan do not honour (7.2.4)."""
    return doc.pdf + b"%" + _object(doc)


@forgery(_FAMILY, "approval", "p1")
def object_after_many_spaces(doc: Base) -> bytes:
    """The object stands behind a screenful of white space (CCS 2019, 4.2)."""
    return doc.pdf + b"\n" * 3000 + _object(doc)


@forgery(_FAMILY, "approval", "p1", "p2")
def second_file_behind(doc: Base) -> bytes:
    """A whole other PDF stands behind the signed one."""
    other = doc.pdf[: doc.byte_range()[0]]
    other = other[: other.rindex(b"%%EOF") + 6].replace(b"100.00", b"900.00")
    return doc.pdf + other


@forgery(_FAMILY, "approval", "p1", "p2")
def two_updates_second_restores(doc: Base) -> bytes:
    """One update changes the page, the next writes the old content back: both are changes (7.5.6)."""
    middle = Base(doc.name, doc.update({"content": _content(doc)}), doc.parts)
    restored = doc.body("content").replace(b"Invoice", b"invoice")
    return middle.update({"content": restored})


@forgery(_FAMILY, "approval", "p1", "p2", "p3")
def catalog_replaced(doc: Base) -> bytes:
    """The trailer's /Root names a new catalog with other pages (7.5.5)."""
    n = doc.free
    objects = {
        n: changed(doc.body("catalog"), Pages=b"%d 0 R" % (n + 1)),
        n + 1: b"<< /Type /Pages /Kids [%d 0 R] /Count 1 >>" % (n + 2),
        n + 2: b"<< /Type /Page /Parent %d 0 R /MediaBox [0 0 595 842] /Contents %d 0 R >>" % (n + 1, n + 3),
        n + 3: stream(b"0 0 1 rg 0 0 200 200 re f"),
    }
    return doc.update(objects, trailer={b"/Root": b"%d 0 R" % n})


@forgery(_FAMILY, "approval", "p1", "p2")
def trailing_bytes(doc: Base) -> bytes:
    """Bytes that belong to nothing follow the end of file."""
    return doc.pdf + b"garbage that is no object"


@forgery(_FAMILY, "approval", "p2", "p3", "approval-stream", "p2-packed")
def altered_then_signed_again(doc: Base) -> bytes:
    """The page is changed, then a second person signs the whole: the first signature covers something else (12.8.1)."""
    return sign_without_leave(doc.update({"content": _content(doc)}), "Sig2")


@forgery(_FAMILY, "approval", "p1", "p2", "p3")
def altered_then_archived(doc: Base) -> bytes:
    """The page is changed, then validation data and a document timestamp follow as in any archive (12.8.5)."""
    return with_timestamp(doc.update({"content": _content(doc)}))


@forgery(_FAMILY, "approval", "p1", "p2", "p3")
def archived_then_altered(doc: Base) -> bytes:
    """After validation data and a document timestamp the page is changed (12.8.5)."""
    return Base(doc.name, with_timestamp(doc.pdf), doc.parts).update({"content": _content(doc)})


@forgery(_FAMILY, "approval", "p2", "p3")
def altered_in_the_update_that_signs(doc: Base) -> bytes:
    """A second signature's own update is written again with the page's content in it, then signed (12.8.1)."""
    prepared = doc.update({"sig2": changed(doc.body("sig2"), TU=b"(second)"), "content": _content(doc)})
    return sign_without_leave(prepared, "Sig2")


@forgery(_FAMILY, "approval", "p2")
def validation_data_with_a_page(doc: Base) -> bytes:
    """An update of validation data also brings a page's new content under the name of a CRL (12.8.4.3)."""
    n = doc.free
    objects: dict[str | int, bytes] = {
        "catalog": changed(doc.body("catalog"), DSS=b"%d 0 R" % n),
        n: b"<< /Type /DSS /CRLs [%d 0 R] /VRI << >> >>" % (n + 1),
        n + 1: stream(b"0 0 1 rg 0 0 200 200 re f"),
        "page": changed(doc.body("page"), Contents=b"[5 0 R %d 0 R]" % (n + 1)),
    }
    return doc.update(objects)
