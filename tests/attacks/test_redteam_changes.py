"""Forgeries of later changes that were once called intact, one function each: what is wrong, and the clause."""

from __future__ import annotations

import zlib

import pytest

from tests.support.forger.bases import Base, base
from tests.support.forger.judging import judge
from tests.support.forger.writer import changed, last_startxref, stream, trailer_of
from verify import Integrity

_EVIL = stream(b"BT /F1 40 Tf 60 400 Td (Amount: 900.00) Tj ET")


def _refused(pdf: bytes, code: str = "CHANGE_NOT_PERMITTED") -> None:
    verdict = judge(pdf)
    assert verdict.integrity is Integrity.ALTERED
    assert code in verdict.codes()


def _intact(pdf: bytes) -> None:
    verdict = judge(pdf)
    assert verdict.integrity is Integrity.INTACT, sorted(verdict.codes())


# --- page tree and streams ------------------------------------------------------------------------------------------


def _new_node(doc: Base, node: bytes) -> bytes:
    return doc.update(
        {
            "pages": changed(doc.body("pages"), Kids=b"[90 0 R 4 0 R]"),
            90: b"<< /Parent 2 0 R /Kids [3 0 R] %s >>" % node,
        }
    )


@pytest.mark.parametrize("name", ["approval", "p1"])
def test_a_new_node_of_the_page_tree_is_a_page_for_viewers_that_go_by_its_type(name: str) -> None:
    """/Type /Page with /Kids and /Contents: poppler shows the node, others its kid (ISO 32000-2 7.7.3.2)."""
    doc = base(name)
    kids = changed(doc.body("pages"), Kids=b"[90 0 R 4 0 R]")
    node = b"<< /Type /Page /Parent 2 0 R /Kids [3 0 R] /Count 1 /Contents 91 0 R >>"
    _refused(doc.update({"pages": kids, 90: node, 91: _EVIL}))


def test_a_new_node_of_the_page_tree_lies_about_its_count() -> None:
    """Viewers that skip by /Count find other pages (ISO 32000-2 Table 30)."""
    _refused(_new_node(base("p1"), b"/Type /Pages /Count 2"))


def test_a_new_node_of_the_page_tree_that_is_nothing_else_is_harmless() -> None:
    _intact(_new_node(base("p2"), b"/Type /Pages /Count 1"))


def test_content_is_deflated_behind_a_predictor_that_only_some_readers_undo() -> None:
    """/Predictor 5 is none of ISO 32000-2 Table 10; who ignores it sees a comment where the text was."""
    doc = base("p1")
    content = b"BT /F1 12 Tf 60 780 Td (General terms, page two) Tj ET\n"
    packed = zlib.compress(b"%" + content)
    parameters = b"/Filter /FlateDecode /DecodeParms << /Predictor 5 /Columns %d >>" % len(content)
    body = b"<< %s /Length %d >>\nstream\n%s\nendstream" % (parameters, len(packed), packed)
    _refused(doc.update({"content2": body}))


# --- what viewers find that search the file -------------------------------------------------------------------------


def _listed_between(doc: Base, tail: bytes) -> bytes:
    """A copy of the content, the evil one behind it, a section that lists that one, a last one that lists the copy."""
    out = bytearray(doc.pdf if doc.pdf.endswith(b"\n") else doc.pdf + b"\n")
    old, number = trailer_of(doc.pdf), doc.number("content")
    previous, places = last_startxref(doc.pdf), []
    for body in (doc.body("content"), _EVIL):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    for place in reversed(places):
        start = len(out)
        kept = b" ".join(key + b" " + old[key] for key in (b"/Root", b"/Info", b"/ID", b"/Size"))
        out += b"xref\n%d 1\n%010d 00000 n\r\ntrailer\n<< %s /Prev %d >>\n" % (number, place, kept, previous)
        previous = start
    return bytes(out) + b"startxref\n%d\n%%%%EOF\n" % previous + tail


@pytest.mark.parametrize("tail", [b"", b"%" + b"x" * 1500 + b"\n", b" " * 1500], ids=["plain", "comment", "blanks"])
def test_a_later_object_is_listed_by_a_section_that_another_overrules(tail: bytes) -> None:
    """Viewers that find no startxref near the end search the file, and the evil object comes last (Annex I.2)."""
    _refused(_listed_between(base("p1"), tail), "BYTES_UNACCOUNTED")


def test_the_last_trailer_in_the_file_names_another_catalog_than_the_newest() -> None:
    """The newest section stands before an older one whose /Root is a whole other document (ISO 32000-2 7.5.5)."""
    doc = base("p1")
    out = bytearray(doc.pdf if doc.pdf.endswith(b"\n") else doc.pdf + b"\n")
    rest = b"/Info %s /ID %s /Size 94" % (trailer_of(doc.pdf)[b"/Info"], trailer_of(doc.pdf)[b"/ID"])
    bodies = {
        90: b"<< /Type /Catalog /Pages 91 0 R >>",
        91: b"<< /Type /Pages /Count 1 /Kids [92 0 R] /MediaBox [0 0 595 842] >>",
        92: b"<< /Type /Page /Parent 91 0 R /Contents 93 0 R /Resources << /Font << /F1 7 0 R >> >> >>",
        93: _EVIL,
    }
    rows = b""
    for number, body in bodies.items():
        rows += b"%010d 00000 n\r\n" % len(out)
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    newest = len(out)
    end = b"startxref\n%d\n%%%%EOF\n" % newest
    head = b"xref\n0 0\ntrailer\n<< /Root 1 0 R %s /Prev %010d >>\n" + end.replace(b"%", b"%%")
    out += head % (rest, newest + len(head % (rest, 0)))
    out += b"xref\n90 4\n%strailer\n<< /Root 90 0 R %s /Prev %d >>\n" % (rows, rest, last_startxref(doc.pdf)) + end
    _refused(bytes(out), "BYTES_UNACCOUNTED")


def test_a_number_is_written_so_that_viewers_read_different_ones() -> None:
    """842-0 is 842, 8420 or no number: nothing of ISO 32000-2 7.3.3 says which."""
    doc = base("p1")
    _refused(doc.update({"page": changed(doc.body("page"), MediaBox=b"[0 0 595 842-0]")}), "BYTES_UNACCOUNTED")
