"""Forgeries of later changes that were once called intact, one function each: what is wrong, and the clause."""

from __future__ import annotations

import io
import time
import zlib
from collections.abc import Callable

import pypdf
import pytest

from tests.support.forger.bases import Base, base, draw, field_body, look, signed
from tests.support.forger.families.annotations import annotate, annotation
from tests.support.forger.families.sneaky import with_field
from tests.support.forger.families.sneaky_signing import sign_without_leave
from tests.support.forger.judging import judge
from tests.support.forger.writer import array, changed, entries, items, last_startxref, stream, trailer_of
from verify import Integrity
from verify.checks.changes.fieldlook import is_formatted
from verify.checks.changes.judge import Judge
from verify.formats.pdffile import PdfFile
from verify.formats.pdfsignatures import UnverifiedPdfSignature
from verify.formats.pdfvalues import Reference

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


# --- looks of fields ------------------------------------------------------------------------------------------------

_FORM = b"/Type /XObject /Subtype /Form /BBox [0 0 200 20] /Resources << /Font << /F1 7 0 R >> %s >>"
_LINE = b"BT /F1 12 Tf 2 5 Td (Good Works) Tj ET"


def _filled(
    look: bytes, value: bytes = b"(Good Works)", more: dict[str | int, bytes] | None = None, **entry: bytes
) -> bytes:
    doc = base("p2")
    body = changed(doc.body("payee"), V=value, AP=b"<< /N %d 0 R >>" % doc.free, **entry)
    return doc.update({"payee": body, doc.free: look, **(more or {})})


def _drawn(content: bytes, more: bytes = b"") -> bytes:
    return stream(content, _FORM % more)


_GENUINE = {
    "plain": b"/Tx BMC q BT /F1 12 Tf 0 g 2 6.548 Td (Good Works) Tj ET Q EMC",
    "framed": b"1 g 0 0 200 20 re f 0 0 1 RG 1 w 0.5 0.5 199 19 re s /Tx BMC q 1 1 198 18 re W n 0 g "
    + _LINE
    + b" Q EMC",
    "bevelled": b"0.9 g 0 0 200 20 re f 1 g 1 1 m 1 19 l 199 19 l 198 18 l 2 18 l 2 2 l f 0.5 g 199 19 m 199 1 l "
    b"1 1 l 2 2 l 198 2 l 198 18 l f q 2 2 196 16 re W n BT /F1 12 Tf 0 g 4 5 Td (Good Works) Tj ET Q",
    "comb": b"0 G 0.5 0.5 199 19 re s 40 0 m 40 20 l s 80 0 m 80 20 l s BT /F1 12 Tf 12 5 Td (G) Tj 40 0 Td (o) Tj "
    b"40 0 Td (o) Tj 40 0 Td (d) Tj 24 0 Td (Works) Tj ET",
    "two-lines": b"BT /F1 8 Tf 9 TL 2 12 Td (Good) Tj T* (Works) Tj ET",
    "words-by-matrix": b"q BT 0 0 0 rg /F1 12 Tf 1 0 0 1 2 5 Tm [(Go) 20 (od) -300] TJ 1 0 0 1 40 5 Tm (Works) Tj ET Q",
    "white-on-dark": b"0 0 0.5 rg 0 0 200 20 re f 1 g " + _LINE,
}


@pytest.mark.parametrize("content", _GENUINE.values(), ids=_GENUINE.keys())
def test_a_field_filled_in_as_producers_do_stays_intact(content: bytes) -> None:
    """The looks that Acrobat, PDFBox, iText and pdf-lib draw (ISO 32000-2 12.7.4.3)."""
    _intact(_filled(_drawn(content)))


_ART = b"".join(b"%d 4 2 12 re f " % x for x in range(2, 100, 6))
_UNSEEN = {
    "white": b"BT 1 g /F1 12 Tf 2 5 Td (Good Works) Tj ET",
    "colour-of-its-ground": b"0.5 g 0 0 200 20 re f " + _LINE.replace(b"BT", b"BT 0.5 g"),
    "shade-nobody-knows": b"/Cs1 cs 1 sc " + _LINE,
    "tiny": b"BT /F1 0.01 Tf 2 5 Td (Good Works) Tj ET",
    "shrunk": b"0.001 0 0 0.001 0 0 cm " + _LINE,
    "outside": b"BT /F1 12 Tf 2000 5 Td (Good Works) Tj ET",
    "end-outside": b"BT /F1 12 Tf 2 5 Td (Good) Tj 2000 0 Td (Works) Tj ET",
    "end-far-away": b"BT /F1 12 Tf 2 5 Td [(Good) -200000 (Works)] TJ ET",
    "clipped": b"0 0 0 0 re W n " + _LINE,
    "clipped-by-a-shape": b"0 0 m 1 1 l 2 0 l h W n " + _LINE,
    "mirrored": b"BT /F1 12 Tf -1 0 0 1 100 5 Tm (Good Works) Tj ET",
    "head-down": b"BT /F1 12 Tf -1 0 0 -1 100 15 Tm (Good Works) Tj ET",
    "squeezed": b"BT /F1 12 Tf 1 Tz 2 5 Td (Good Works) Tj ET",
    "over-one-another": b"BT /F1 12 Tf -7 Tc 2 5 Td (Good Works) Tj ET",
    "parts-over-one-another": b"BT /F1 12 Tf 2 5 Td (Good) Tj 1 0 Td (Works) Tj ET",
    "words-in-another-order": b"BT /F1 12 Tf 80 5 Td (Good) Tj -60 0 Td (Works) Tj ET",
    "words-pulled-back": b"BT /F1 12 Tf -80 Tw 80 5 Td (Good Works) Tj ET",
    "letters-pulled-back": b"BT /F1 12 Tf 20 5 Td [(G) 1800 (ood Works)] TJ ET",
    "later-line-above": b"BT /F1 8 Tf 2 2 Td (Good) Tj 0 9 Td (Works) Tj ET",
    "rectangles": b"0 g " + _ART + b"BT /F1 1 Tf 2 5 Td (Good Works) Tj ET",
    "lines": _LINE + b" 0 G " + b"".join(b"%d 7 m %d 12 l S " % (x, x + 3) for x in range(70, 120, 6)),
    "layer": b"/OC /L BDC " + _LINE + b" EMC",
}


@pytest.mark.parametrize("content", _UNSEEN.values(), ids=_UNSEEN.keys())
def test_a_field_names_its_value_where_nobody_sees_it(content: bytes) -> None:
    """The stream has the value's characters, and the page shows none of them, others, or another order (12.7.4.3)."""
    _refused(_filled(_drawn(content, b"/Properties << /L 36 0 R >>")))


@pytest.mark.parametrize("state", [b"/ca 0", b"/Font [90 0 R 12]", b"/SMask << /S /Alpha /G 11 0 R >>", b"/BM /Screen"])
def test_a_graphics_state_hides_the_text_or_brings_another_font(state: bytes) -> None:
    """What gs sets is not in the stream: transparency, a mask, a font of its own (ISO 32000-2 Table 57)."""
    content = _LINE.replace(b"2 5 Td", b"/G gs 2 5 Td")
    font = b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding << /Differences [71 /E /v] >> >>"
    _refused(_filled(_drawn(content, b"/ExtGState << /G << %s >> >>" % state), more={90: font}))


@pytest.mark.parametrize(
    ("box", "more"),
    [
        (b"[0 0 1 1]", b""),
        (b"[0 0 20000 2000]", b""),
        (b"[0 0 200 20]", b"/OC 36 0 R"),
        (b"[0 0 200 20]", b"/Matrix [-1 0 0 1 0 0]"),
        (b"[0 0 200 20]", b"/Ref << /F 40 0 R /Page 0 >>"),
    ],
)
def test_the_dictionary_of_a_look_shows_it_otherwise(box: bytes, more: bytes) -> None:
    """A box beside the text or far larger, a layer, a mirror, a page of another file (ISO 32000-2 Table 93)."""
    _refused(_filled(stream(_LINE, (_FORM % b"").replace(b"[0 0 200 20]", box) + b" " + more)))


def test_a_look_is_deflated_behind_a_predictor_that_only_some_readers_undo() -> None:
    """Who ignores /Predictor 5 reads a comment and another name, who undoes it the value (ISO 32000-2 Table 10)."""
    good, bad = _LINE + b" %", _LINE.replace(b"Good", b"Evil")
    packed = zlib.compress(b"%" + good + b"\n" + bad.ljust(len(good)))
    parameters = b"/Filter /FlateDecode /DecodeParms << /Predictor 5 /Columns %d >>" % len(good)
    head = b"<< %s %s /Length %d >>" % (_FORM % b"", parameters, len(packed))
    _refused(_filled(head + b"\nstream\n%s\nendstream" % packed))


_FONTS = {
    "map-against-names": b"/BaseFont /Helvetica /Encoding << /Differences [1 /E /v /i /l] >> /ToUnicode 91 0 R",
    "symbols": b"/BaseFont /ZapfDingbats",
    "other-alphabet": b"/BaseFont /Helvetica /Encoding << /BaseEncoding /MacExpertEncoding >>",
    "backwards": b"/BaseFont /Helvetica /FirstChar 32 /LastChar 127 /Widths [%s]" % (b"-600 " * 95),
    "no-width": b"/BaseFont /Helvetica /FirstChar 32 /LastChar 127 /Widths [%s]" % (b"0 " * 95),
}


@pytest.mark.parametrize("font", _FONTS.values(), ids=_FONTS.keys())
def test_a_font_that_is_not_embedded_shows_other_characters_than_it_names(font: bytes) -> None:
    """Shapes go by names and widths, copied text by the map, and only the map has the value (ISO 32000-2 9.10.2)."""
    value = b"(Good)" if b"ToUnicode" in font else b"(Good Works)"
    codes = b"(\\001\\002\\002\\003)" if b"ToUnicode" in font else b"(Good Works)"
    look = stream(b"BT /F1 12 Tf 99 5 Td %s Tj ET" % codes, (_FORM % b"").replace(b"7 0 R", b"90 0 R"))
    unicode_map = stream(b"1 beginbfchar <01> <0047> <02> <006F> <03> <0064> endbfchar")
    _refused(_filled(look, value, {90: b"<< /Type /Font /Subtype /Type1 %s >>" % font, 91: unicode_map}))


def test_a_look_without_resources_takes_the_font_of_the_page() -> None:
    """The form has one font of the name, the page another; PDFium takes the page's (ISO 32000-2 7.8.3)."""
    doc = base("p2")
    form = changed(doc.body("form"), DR=b"<< /Font << /F1 7 0 R /F2 90 0 R >> >>")
    font = b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"
    look = stream(_LINE.replace(b"F1", b"F2"), b"/Type /XObject /Subtype /Form /BBox [0 0 200 20]")
    _refused(_filled(look, more={"form": form, 90: font}))


@pytest.mark.parametrize(
    ("value", "shown"),
    [(b"<FEFF003100302076>", b"106"), (b"(\\2125)", b"5"), (b"<FEFF003500BD>", b"51\\2642")],
    ids=["power", "minus", "fraction"],
)
def test_characters_that_mean_something_else_are_taken_for_plain_ones(value: bytes, shown: bytes) -> None:
    """10 to the 6th is shown as 106, minus 5 as 5, 5 and a half as 51/2 (ISO 32000-2 Annex D.3)."""
    _refused(_filled(_drawn(_LINE.replace(b"Good Works", shown)), value))


def test_rich_text_says_something_other_than_the_value() -> None:
    """Viewers that know rich text draw the field from /RV (ISO 32000-2 12.7.4.4)."""
    said = b'(<body xmlns="http://www.w3.org/1999/xhtml"><p>%s</p></body>)'
    _refused(_filled(_drawn(_LINE), RV=said % b"Evil Works"))
    _intact(_filled(_drawn(_LINE), RV=said % b"Good <b>Works</b>"))


# --- buttons --------------------------------------------------------------------------------------------------------

_SMALL = (_FORM % b"").replace(b"200 20", b"20 20")


def _ticked(look: bytes, state: bytes, more: bytes = b"") -> bytes:
    doc = base("p2")
    looks = {b"/Yes": b"/Yes 51 0 R", b"/Off": b"/Off 52 0 R"} | {state: b"%s %d 0 R" % (state, doc.free)}
    states = b"<< /N << %s >> %s >>" % (b" ".join(looks.values()), more)
    value = b"/Off" if state == b"/Off" else b"/Yes"
    body = changed(doc.body("agree"), V=value, AS=value, AP=states)
    return doc.update({"agree": body, doc.free: look})


@pytest.mark.parametrize(
    "cross", [b"0 g 4 4 12 12 re f", b"0 g 0 0 20 20 re f", b"0.7 0.7 -0.7 0.7 9 0 cm 0 8 20 3 re f"]
)
def test_the_state_off_is_drawn_with_rectangles(cross: bytes) -> None:
    """A box that is not ticked shows a mark that is made of filled rectangles (ISO 32000-2 12.7.5.2.3)."""
    _refused(_ticked(stream(cross, _SMALL), b"/Off"))


_RING = b"20 10 m 20 15.52 15.52 20 10 20 c 4.48 20 0 15.52 0 10 c 0 4.48 4.48 0 10 0 c 15.52 0 20 4.48 20 10 c "


@pytest.mark.parametrize(
    "off",
    [
        b"0 g " + _RING + b"f",
        b"40 w 0 G " + _RING + b"S",
        b"0 G 9 w 1 1 18 18 re S",
        b"0 g 0 4 20 4 re f 0 12 20 4 re f 1 g 0 0 20 1 re f",
        b"0 G 0 0 m 20 20 l S 0 20 m 20 0 l S",
        b"0 G 0 10 m 10 0 10 0 20 20 c S",
        b"0 g 0 0 m 20 0 l 20 20 l 0 20 l f",
        b"0 G 0.2 w " + b"".join(b"%d 0 m %d 3 l S " % (n, n + 1) for n in range(1, 18)) * 2,
    ],
    ids=[
        "disc",
        "thick-ring",
        "thick-frame",
        "bars",
        "cross-by-edges",
        "bent-check",
        "black-outline",
        "writing-at-the-edge",
    ],
)
def test_the_state_off_is_drawn_as_a_frame_that_looks_like_a_mark(off: bytes) -> None:
    """A box that is not ticked shows a border that is none (ISO 32000-2 12.7.5.2.3)."""
    _refused(_ticked(stream(off, _SMALL), b"/Off"))


@pytest.mark.parametrize(
    "mark",
    [
        b"1 g BT /F1 12 Tf 4 4 Td (X) Tj ET",
        b"1 G 2 2 m 18 18 l S",
        b"0 G 4 4 m 16 16 l S 1 g 0 0 20 20 re f",
        b"0 G 4 4 m 16 16 l S 1 g " + _RING + b"f",
        b"q 0 0 1 1 re W n 0 G 4 4 m 16 16 l S Q",
        b"0 G " + _RING + b"S",
        b"0 g " + _RING + b"f 0 G 4 4 m 16 16 l S",
    ],
    ids=["white-letter", "white-line", "covered", "covered-by-a-disc", "clipped", "ring-only", "black-on-a-black-disc"],
)
def test_the_state_on_has_a_mark_that_is_not_seen(mark: bytes) -> None:
    """A box that is ticked looks empty (ISO 32000-2 12.7.5.2.3)."""
    _refused(_ticked(stream(mark, _SMALL), b"/Yes"))


def test_a_text_field_is_black_on_an_outline_filled_with_black() -> None:
    """What is filled need not be a rectangle: nothing of the value is seen (ISO 32000-2 12.7.4.3)."""
    ground = b"0 0 m 200 0 l 200 20 l 0 20 l %s "
    _refused(_filled(_drawn(b"0 g " + ground % b"f" + _LINE)))
    _refused(_filled(_drawn(b"0 g 0 10 m 0 25 200 25 200 10 c 200 -5 0 -5 0 10 c f " + _LINE)))
    _intact(_filled(_drawn(b"0.9 g " + ground % b"f" + b" 0 g " + _LINE)))


def test_a_box_that_is_ticked_loses_the_colours_of_its_frame_and_nothing_else() -> None:
    """iText writes /MK anew without them (ISO 32000-2 Table 192); a caption is another thing."""
    drawing = b"<< /BG [1 1 1] /BC [0 0 0] /CA (4) >>"
    doc = signed(draw(agree=changed(draw().objects[24], MK=drawing)), "colours", 2)
    ticked = changed(doc.body("agree"), V=b"/Yes", AS=b"/Yes")
    _intact(doc.update({"agree": changed(ticked, MK=b"<< /CA (4) >>")}))
    for other in (b"<< /CA (8) >>", b"<< /BG [0 0 0] /BC [0 0 0] /CA (4) >>", b"<< /CA (4) /I 10 0 R >>", b"<< >>"):
        _refused(doc.update({"agree": changed(ticked, MK=other)}))
    _refused(doc.update({"agree": changed(doc.body("agree"), MK=b"<< /CA (4) >>")}))


def test_a_look_is_clipped_by_four_lines() -> None:
    """As pdf-lib and iText draw frames: the rectangle is what the lines make of it."""
    sides = b"2 2 m 2 18 l 198 18 l 198 2 l h W n "
    _intact(_filled(_drawn(b"q " + sides + _LINE + b" Q")))
    _refused(_filled(_drawn(b"q 2 2 m 2 3 l 198 3 l 198 2 l h W n " + _LINE.replace(b"2 5 Td", b"2 8 Td") + b" Q")))
    _refused(_filled(_drawn(b"0 g 0 0 m 0 20 l 200 20 l 200 0 l h f " + _LINE)))


def test_a_round_button_that_is_drawn_anew_stays_intact() -> None:
    frame = b"0.8 0.84 1 rg " + _RING + b"f 1 w 0.1 G " + _RING + b"S "
    disc = b"0 g 14 10 m 14 12.2 12.2 14 10 14 c 7.8 14 6 12.2 6 10 c 6 7.8 7.8 6 10 6 c 12.2 6 14 7.8 14 10 c f"
    bevel = b"0.5 g 0 0 m 20 0 l 20 20 l 18 18 l 18 2 l 2 2 l f "
    for off in (frame, bevel, bevel + frame):
        _intact(_ticked(stream(off, _SMALL), b"/Off"))
        _intact(_ticked(stream(off + disc, _SMALL), b"/Yes"))


@pytest.mark.parametrize("key", [b"/R", b"/D"])
def test_a_button_shows_a_picture_under_the_pointer(key: bytes) -> None:
    """The looks for pointing and pressing were not judged (ISO 32000-2 Table 170)."""
    _refused(_ticked(stream(b"0 G 2 2 m 18 18 l S", _SMALL), b"/Yes", key + b" << /Yes 53 0 R /Off 53 0 R >>"))


def test_a_box_that_is_ticked_with_a_visible_mark_stays_intact() -> None:
    _intact(_ticked(stream(b"1 g 0 0 20 20 re f 0 G 2 2 m 18 18 l S 2 18 m 18 2 l S", _SMALL), b"/Yes"))


# --- signatures and their fields ------------------------------------------------------------------------------------

_NOWHERE = b"<< /Type /Annot /FT /Sig /T (Sig9) /F 4 /P 3 0 R /Rect [100 720 100 720] %s >>"


@pytest.mark.parametrize(
    "kind",
    [
        b"/Subtype /Text /Name /Note /Contents (Amount: 900.00)",
        b"/Subtype /Line /L [50 725 300 725] /C [0 0 0] /BS << /W 30 >>",
        b"/Subtype /FreeText /Contents (900) /DA (/Helv 12 Tf 0 g)",
        b"",
    ],
)
def test_a_new_signature_field_is_another_annotation(kind: bytes) -> None:
    """A field of no size is no widget but a line or a note, which viewers draw all the same (ISO 32000-2 12.5.6)."""
    _refused(with_field(base("approval"), _NOWHERE % kind))
    _intact(with_field(base("approval"), _NOWHERE % b"/Subtype /Widget"))


def test_a_signature_calls_itself_a_timestamp() -> None:
    """/Type /DocTimeStamp with another /SubFilter is a signature, and P is 1 (ISO 32000-2 12.8.2.2, 12.8.5)."""
    doc = base("p1")
    value = b"<< /Type /DocTimeStamp /SubFilter /ETSI.CAdES.detached /ByteRange [0 9 99 9] /Contents <00> >>"
    _refused(with_field(doc, _NOWHERE % b"/Subtype /Widget /V 95 0 R", more={95: value}))


_UNSEEN = b"<< /Type /Annot /Subtype /Widget /FT /Sig /T (%s) /F 132 /P 3 0 R /Rect [0 0 0 0] %s >>"


def test_a_signature_field_with_a_period_in_its_name_stays_intact() -> None:
    """A name has no periods (ISO 32000-2 12.7.4.2), and producers write them all the same."""
    _intact(with_field(base("p2"), _UNSEEN % (b"people.first", b"")))
    _intact(with_field(base("approval"), _UNSEEN % (b"people.first", b"")))


@pytest.mark.parametrize("name", [b"payee.first", b"payee.", b"."])
def test_a_name_with_a_period_is_read_as_a_part_of_a_signed_field(name: bytes) -> None:
    """Viewers split full names at periods and take the new field for a kid of the payee (ISO 32000-2 12.7.4.2)."""
    _refused(with_field(base("p2"), _UNSEEN % (name, b"")))


def test_a_signature_field_is_added_below_a_field_with_a_value() -> None:
    """The payee would be no text field any more but the name of others (ISO 32000-2 12.7.4.2)."""
    doc = base("p2")
    body = changed(doc.body("payee"), Kids=b"[%d 0 R]" % doc.free)
    _refused(doc.update({"payee": body, doc.free: _UNSEEN % (b"sign", b"/Parent 23 0 R")}))


_ODT = b"[/application#2Fvnd.oasis.opendocument.text %d 0 R]"


def test_a_trailer_leads_to_another_document_for_an_office_program() -> None:
    """LibreOffice opens what /AdditionalStreams names instead of the PDF (ISO 32000-2 7.5.5)."""
    doc = base("p2")
    other = stream(b"PK another document", b"")
    _refused(doc.update({doc.free: other}, trailer={b"/AdditionalStreams": _ODT % doc.free}))
    kept = changed(doc.body("catalog"), DSS=b"<< /Certs [%d 0 R] >>" % doc.free)
    _refused(doc.update({doc.free: other, "catalog": kept}, trailer={b"/AdditionalStreams": _ODT % doc.free}))
    named = b"<< /Type /Filespec /FT /Sig /EF << /F %d 0 R >> >>" % (doc.free + 1)
    _refused(doc.update({doc.free: named, doc.free + 1: other}, trailer={b"/AdditionalStreams": _ODT % doc.free}))


def test_a_trailer_that_leads_to_the_new_signature_by_chance_stays_intact() -> None:
    """PDFBox renumbers what it does not know, and then gives the number to what it adds."""
    doc = base("p2")
    fields = array([*items(entries(doc.body("form"))[b"/Fields"]), b"%d 0 R" % doc.free])
    objects = {"form": changed(doc.body("form"), Fields=fields), doc.free: _UNSEEN % (b"Sig9", b"")}
    _intact(doc.update(objects, trailer={b"/AdditionalStreams": _ODT % doc.free}))


@pytest.mark.parametrize("part", ["page", "catalog"])
def test_a_program_keeps_another_drawing_of_the_page_for_itself(part: str) -> None:
    """Drawing programs open their own copy from /PieceInfo, and show that (ISO 32000-2 14.5)."""
    doc = base("p2")
    notes = b"<< /Draw << /LastModified (D:20260101) /Private %s >> >>"
    other = changed(doc.body(part), PieceInfo=notes % (b"%d 0 R" % doc.free))
    _refused(doc.update({part: other, doc.free: _EVIL}))
    _intact(doc.update({part: changed(doc.body(part), PieceInfo=notes % b"<< /Kept true >>")}))


# --- structure, form, generations -----------------------------------------------------------------------------------


def _tagged() -> Base:
    doc = draw()
    doc.put("catalog", changed(doc.objects[1], StructTreeRoot=b"60 0 R", MarkInfo=b"<< /Marked true >>"), 1)
    doc.put("page", changed(doc.objects[3], StructParents=b"0"), 3)
    doc.put("tree", b"<< /Type /StructTreeRoot /K [61 0 R] /ParentTree << /Nums [] >> >>", 60)
    doc.put("element", b"<< /Type /StructElem /S /Document /P 60 0 R /K [] >>", 61)
    return signed(doc, "tagged", 1)


def test_a_new_tag_has_words_and_belongs_to_nothing() -> None:
    """/Alt is read aloud in place of content that is not there (ISO 32000-2 14.9.3)."""
    doc = _tagged()
    element = b"<< /Type /StructElem /S /P /P 60 0 R /Alt (The amount is 900.00) >>"
    _refused(doc.update({"tree": changed(doc.body("tree"), K=b"[61 0 R 90 0 R]"), 90: element}))


def test_signed_content_is_given_other_words_by_an_element_beside_the_tree() -> None:
    """The parent tree leads from marked content to an element with /ActualText (ISO 32000-2 14.7.5.4, 14.9.4)."""
    doc = _tagged()
    parents = b"<< /Nums [0 [90 0 R]] >>"
    element = b"<< /Type /StructElem /S /P /P 61 0 R /Pg 3 0 R /K 0 /ActualText (Amount: 900.00) >>"
    _refused(doc.update({"tree": changed(doc.body("tree"), ParentTree=parents), 90: element}))


def test_signed_content_without_a_tag_is_given_one_that_was_there() -> None:
    """The page's own key comes into the parent tree, and leads to an element with words (ISO 32000-2 14.7.5.4)."""
    doc = _tagged()
    _refused(doc.update({"tree": changed(doc.body("tree"), ParentTree=b"<< /Nums [0 [61 0 R]] >>")}))


def _with_form(**entries: bytes) -> Base:
    doc = draw()
    doc.put("form", changed(doc.objects[20], **entries), 20)
    return signed(doc, "form", 1)


def test_a_font_that_fields_name_comes_later_and_shows_other_digits() -> None:
    """The form lacked the font of its fields, and viewers took a plain one (ISO 32000-2 12.7.4.3)."""
    doc = _with_form(DA=b"(/Own 12 Tf 0 g)")
    resources = b"<< /Font << /F1 7 0 R /Own 90 0 R >> >>"
    plain = b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>"
    other = changed(plain, Encoding=b"<< /Differences [49 /nine] >>")
    form = changed(doc.body("form"), DR=resources)
    _refused(doc.update({"form": form, 90: other}))
    _intact(doc.update({"form": form, 90: plain}))


def test_viewers_are_told_to_keep_a_look_that_is_not_the_value() -> None:
    """With /NeedAppearances the value was shown; without it the prepared look is (ISO 32000-2 Table 224)."""
    for name, judged in ((b"Example Works", _intact), (b"Evil Works", _refused)):
        doc = draw(payee_look=look(name))
        asked = changed(doc.objects[20], NeedAppearances=b"true")
        doc.put("form", asked, 20)
        made = Base("asked", sign_without_leave(doc.write(), "Sig1"), doc.parts)
        assert b"NeedAppearances" in made.body("form")
        judged(made.update({"form": changed(made.body("form"), NeedAppearances=None)}))


def test_a_reference_of_another_generation_is_nothing_for_one_viewer_and_an_annotation_for_the_next() -> None:
    """26 3 R is object 26 for PDFium and null for poppler (ISO 32000-2 7.3.10)."""
    doc = base("approval")
    made = doc.update({"page2": changed(doc.body("page2"), Annots=b"[26 3 R]")})
    _refused(made, "BYTES_UNACCOUNTED")


def test_content_is_written_again_under_another_generation() -> None:
    """The page refers to generation 0: poppler shows nothing there, PDFium the content (ISO 32000-2 7.3.10)."""
    doc = base("p1")
    made = doc.update({"content2": doc.body("content2")}, generations={doc.number("content2"): 1})
    _refused(made, "BYTES_UNACCOUNTED")


# --- comments where a certification permits them --------------------------------------------------------------------

_OVER = b"50 715 300 735"
_STATE = b"/ExtGState << /M << /BM /Multiply >> >>"


def _marked(content: bytes, more: bytes = _STATE) -> tuple[bytes, bytes]:
    form = b"/Type /XObject /Subtype /Form /BBox [0 0 250 20] /Resources << %s >>" % more
    return b"/AP << /N 91 0 R >>", stream(content, form)


@pytest.mark.parametrize(
    ("kind", "rectangle", "drawn"),
    [
        (b"/Highlight", _OVER, (b"/C [0 0 0 1]", b"<< >>")),
        (b"/Highlight", _OVER, (b"/C [0 0 0.31]", b"<< >>")),
        (b"/Highlight", _OVER, _marked(b"1 g 0 0 250 20 re f")),
        (b"/Highlight", _OVER, _marked(b"/M gs 0 g 0 0 250 20 re f")),
        (b"/StrikeOut", _OVER, _marked(b"1 G 20 w 0 10 m 250 10 l S")),
        (b"/Popup", _OVER, (b"/Open true", b"<< >>")),
        (b"/Line", b"500 20 510 30", (b"/L [50 725 300 725] /BS << /W 20 >>", b"<< >>")),
        (b"/Ink", b"500 20 510 30", (b"/InkList [[50 725 300 725 50 730]] /BS << /W 20 >>", b"<< >>")),
        (b"/Text", b"60 745 61 746", (b"/Name /Note", b"<< >>")),
    ],
    ids=["cmyk", "dark", "unused-state", "multiplied-black", "thick", "open", "line", "ink", "icon"],
)
def test_a_comment_covers_the_text_in_a_way_of_its_own(
    kind: bytes, rectangle: bytes, drawn: tuple[bytes, bytes]
) -> None:
    """Comments may be added and may not hide what is printed: marks that are opaque, points beside the rectangle."""
    doc = base("p3")
    body = annotation(kind[1:], drawn[0], b"/Rect [%s]" % rectangle)
    _refused(annotate(doc, body, more={91: drawn[1]}))


def test_a_mark_that_leaves_the_text_readable_stays_intact() -> None:
    doc = base("p3")
    entry, look = _marked(b"/M gs 1 1 0 rg 0 0 250 20 re f")
    _intact(annotate(doc, annotation(b"Highlight", entry, b"/Rect [%s]" % _OVER), more={91: look}))


# --- comments in a tagged document ----------------------------------------------------------------------------------


def _read_aloud(*, tree: int = 3, **sentence: bytes | None) -> Base:
    """Certified with P=``tree``: a paragraph with words of its own, below an element that names no page."""
    doc = draw()
    doc.put("catalog", changed(doc.objects[1], StructTreeRoot=b"60 0 R", MarkInfo=b"<< /Marked true >>"), 1)
    doc.put("page", changed(doc.objects[3], StructParents=b"0"), 3)
    parents = b"<< /Nums [0 [62 0 R]] >>"
    doc.put("tree", b"<< /Type /StructTreeRoot /K 61 0 R /ParentTree %s /ParentTreeNextKey 1 >>" % parents, 60)
    doc.put("whole", b"<< /Type /StructElem /S /Document /P 60 0 R /K [62 0 R 63 0 R] >>", 61)
    spoken = b"<< /Type /StructElem /S /P /P 61 0 R /Pg 3 0 R /K [0] /ActualText (Amount: 100.00) >>"
    doc.put("sentence", changed(spoken, **sentence), 62)
    doc.put("figure", b"<< /Type /StructElem /S /Figure /P 61 0 R /Pg 3 0 R /K [1] /Alt (The seal) >>", 63)
    return signed(doc, "tagged", tree)


_NOTE = annotation(b"Text", b"/Name /Note /Contents (checked) /StructParent 1", b"/Rect [500 300 520 320]")
_OBJR = b"<< /Type /OBJR /Obj 95 0 R >>"
_ELEMENT = b"<< /Type /StructElem /S /Annot /P 61 0 R /Pg 3 0 R /K %s >>" % _OBJR
_KIDS = b"[62 0 R 63 0 R %s]"


def _noted(doc: Base, whole: bytes, parent: bytes = b"61 0 R", more: dict[int | str, bytes] | None = None) -> bytes:
    """A note added as iText does, with ``whole`` for the topmost element and ``parent`` for the note's."""
    parents = b"<< /Nums [0 [62 0 R] 1 %s] >>" % parent
    tree = changed(doc.body("tree"), ParentTree=parents, ParentTreeNextKey=b"2")
    notes = array([*items(doc.body("annots")), b"95 0 R"])
    return doc.update({"tree": tree, "annots": notes, "whole": whole, 95: _NOTE, **(more or {})})


def test_a_note_that_is_tagged_behind_everything_stays_intact() -> None:
    """By a reference in the topmost element that names its page, and by an element of its own."""
    doc = _read_aloud()
    whole = doc.body("whole")
    _intact(_noted(doc, changed(whole, K=_KIDS % _OBJR, Pg=b"3 0 R")))
    _intact(_noted(doc, changed(whole, K=_KIDS % changed(_OBJR, Pg=b"3 0 R"))))
    _intact(_noted(doc, changed(whole, K=_KIDS % b"96 0 R"), b"96 0 R", {96: _ELEMENT}))


def test_with_a_note_the_words_of_what_was_signed_are_changed() -> None:
    """/ActualText, /Alt, the role, or what stands in an element (ISO 32000-2 14.9)."""
    doc = _read_aloud()
    whole = changed(doc.body("whole"), K=_KIDS % _OBJR, Pg=b"3 0 R")
    sentence, figure = doc.body("sentence"), doc.body("figure")
    for name, other in (
        ("sentence", changed(sentence, ActualText=b"(Amount: 900.00)")),
        ("sentence", changed(sentence, ActualText=None)),
        ("sentence", changed(sentence, K=b"[1]")),
        ("sentence", changed(sentence, K=b"[0 1]")),
        ("sentence", changed(sentence, S=b"/Artifact")),
        ("sentence", changed(sentence, Pg=b"4 0 R")),
        ("figure", changed(figure, Alt=b"(No seal)")),
    ):
        _refused(_noted(doc, whole, more={name: other}))
    for other in (
        changed(whole, ActualText=b"(Amount: 900.00)"),
        changed(whole, Alt=b"(Amount: 900.00)"),
        changed(whole, Lang=b"(xx)"),
        changed(whole, K=b"[63 0 R 62 0 R %s]" % _OBJR),
        changed(whole, K=b"[63 0 R %s]" % _OBJR),
        changed(whole, K=b"[62 0 R 62 0 R %s]" % _OBJR),
    ):
        _refused(_noted(doc, other))


def test_a_note_is_tagged_among_the_words_of_a_sentence() -> None:
    """Read aloud it would be one of them; it comes last, or it is no comment."""
    doc = _read_aloud()
    whole, sentence = doc.body("whole"), doc.body("sentence")
    _refused(_noted(doc, changed(whole, K=b"[62 0 R %s 63 0 R]" % _OBJR)))
    _refused(_noted(doc, changed(whole, K=b"[%s 62 0 R 63 0 R]" % _OBJR)))
    _refused(_noted(doc, changed(whole, K=b"[62 0 R 96 0 R 63 0 R]"), b"96 0 R", {96: _ELEMENT}))
    _refused(_noted(doc, whole, more={"sentence": changed(sentence, K=b"[0 %s]" % _OBJR)}))
    _refused(_noted(doc, whole, b"96 0 R", {"sentence": changed(sentence, K=b"[0 96 0 R]"), 96: _ELEMENT}))


@pytest.mark.parametrize(
    "element",
    [
        changed(_ELEMENT, Alt=b"(Amount: 900.00)"),
        changed(_ELEMENT, ActualText=b"(Amount: 900.00)"),
        changed(_ELEMENT, T=b"(Amount: 900.00)"),
        changed(_ELEMENT, S=b"/P"),
        changed(_ELEMENT, K=b"[0 %s]" % _OBJR),
        changed(_ELEMENT, K=b"[62 0 R %s]" % _OBJR),
        changed(_ELEMENT, K=b"[]"),
        changed(_ELEMENT, Pg=b"95 0 R"),
        changed(_ELEMENT, P=b"95 0 R"),
        changed(_ELEMENT, K=b"<< /Type /OBJR /Obj 26 0 R >>"),
        changed(_ELEMENT, K=b"<< /Type /OBJR /Obj 95 0 R /Alt (900.00) >>"),
    ],
    ids=["alt", "text", "title", "role", "content", "another's", "nothing", "page", "parent", "other-object", "entry"],
)
def test_the_element_of_a_note_says_more_than_that_it_is_one(element: bytes) -> None:
    doc = _read_aloud()
    _refused(_noted(doc, changed(doc.body("whole"), K=_KIDS % b"96 0 R"), b"96 0 R", {96: element}))


def test_the_page_named_for_a_note_gives_signed_content_another_place() -> None:
    """Readers look for the page of content upwards; here it had none, or another one (ISO 32000-2 Table 355)."""
    for held in (b"[0]", b"<< /Type /MCR /MCID 0 >>"):
        doc = _read_aloud(Pg=None, K=held)
        whole = doc.body("whole")
        _refused(_noted(doc, changed(whole, K=_KIDS % _OBJR, Pg=b"3 0 R")))
        _intact(_noted(doc, changed(whole, K=_KIDS % changed(_OBJR, Pg=b"3 0 R"))))
    doc = _read_aloud()
    whole = doc.body("whole")
    _refused(_noted(doc, changed(whole, Pg=b"3 0 R")))
    _refused(_noted(doc, changed(whole, K=_KIDS % _OBJR, Pg=b"61 0 R")))
    _refused(_noted(doc, changed(whole, K=_KIDS % b"96 0 R", Pg=b"3 0 R"), b"96 0 R", {96: _ELEMENT}))


def test_with_a_note_signed_content_is_given_to_another_element() -> None:
    """In the parent tree, which leads from content to its words (ISO 32000-2 14.7.5.4)."""
    doc = _read_aloud()
    pdf = _noted(doc, changed(doc.body("whole"), K=_KIDS % _OBJR, Pg=b"3 0 R"))
    _intact(pdf)
    _refused(pdf.replace(b"/Nums [0 [62 0 R] 1", b"/Nums [0 [63 0 R] 1"))


def test_a_note_is_tagged_where_no_comment_is_permitted() -> None:
    doc = _read_aloud(tree=2)
    _refused(_noted(doc, changed(doc.body("whole"), K=_KIDS % _OBJR, Pg=b"3 0 R")))


# --- what comparing may cost ----------------------------------------------------------------------------------------


def _shared_arrays() -> bytes:
    """3000 entries of the validation data share one array of 3000 references."""
    doc = base("approval")
    entries = b" ".join(b"/%040X << /Cert 91 0 R >>" % i for i in range(3000))
    return doc.update(
        {
            90: stream(b"0certificate"),
            91: b"[" + b"90 0 R " * 3000 + b"]",
            92: b"<< /Certs 91 0 R /VRI << %s >> >>" % entries,
            "catalog": changed(doc.body("catalog"), DSS=b"92 0 R"),
        }
    )


def _equal_options() -> bytes:
    """A list of 6000 equal options, and a look that shows nearly all of them."""
    options = b"/Ff 0 /Opt [%s] /V (a) /AP << /N 50 0 R >>" % (b"(a)" * 6000)
    doc = signed(draw(payee=field_body(b"Ch", b"payee", b"60 500 260 520", options)), "options")
    return doc.update({"payee": changed(doc.body("payee"), V=b"(b)"), "payee_look": look(b"a" * 5999 + b"b")})


def _script(text: bytes) -> bytes:
    return signed(
        draw(catalog=changed(draw().objects[1], OpenAction=b"<< /S /JavaScript /JS (%s) >>" % text)), "js"
    ).pdf


def _unused_drawings() -> bytes:
    """Streams that nothing uses, in which text begins often and never shows."""
    doc = draw()
    for number in range(200, 500):
        doc.put(str(number), stream(b"BT " * 60_000, packed=True), number)
    return signed(doc, "unused").pdf


def _maps(content: bytes) -> bytes:
    font = b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /ToUnicode 91 0 R >>"
    drawn = stream(_LINE, (_FORM % b"").replace(b"7 0 R", b"90 0 R"))
    return _filled(drawn, more={90: font, 91: stream(content, packed=True)})


def _unlisted() -> bytes:
    """As many objects behind the signed part as in it, none listed."""
    doc = draw()
    doc.objects |= dict.fromkeys(range(100, 20_100), b"[1]")
    return signed(doc, "many").pdf + b"\n" + b"".join(b"%d 0 obj [1] endobj\n" % n for n in range(100, 20_100))


def _many_pieces() -> bytes:
    """Strings and rectangles by the thousand: each is asked whether it lies over the others."""
    rectangles = b"0 0 1 1 re f " * 3000
    return _filled(_drawn(rectangles + b"BT /F1 1 Tf " + b"1 0 Td (a) Tj " * 6000 + b"ET " + rectangles))


_COSTLY: dict[str, Callable[[], bytes]] = {
    "shared-arrays": _shared_arrays,
    "equal-options": _equal_options,
    "long-word": lambda: _script(b"AFNumber" + b"A" * 100_000),
    "many-ways": lambda: _script(b"AFDate\\(\\)" * 40 + b"!"),
    "unused-drawings": _unused_drawings,
    "open-blocks": lambda: _maps(b"beginbfchar " * 80_000),
    "open-lists": lambda: _maps(b"beginbfrange " + b"<00><01>[" * 90_000 + b" endbfrange"),
    "unlisted": _unlisted,
    "many-pieces": _many_pieces,
}


@pytest.mark.parametrize("make", _COSTLY.values(), ids=_COSTLY.keys())
def test_a_small_file_does_not_cost_much(make: Callable[[], bytes]) -> None:
    """Work that grows with the square of what stands in the file; each of these took half a minute or more."""
    pdf = make()
    start = time.process_time()
    judge(pdf)
    assert time.process_time() - start < 8


# --- second round ---------------------------------------------------------------------------------------------------


def _two_fronts(length: int) -> bytes:
    """Signed: in front a linearized document with a section of its own, behind it the invoice."""
    front = (
        b"%%PDF-1.7\n%%\xe2\xe3\xcf\xd3\n70 0 obj\n<< /Linearized 1 /L %010d /H [9 9] /O 73 /E 9 /N 1 /T 9 >>\nendobj\n"
    )
    bodies = {
        71: b"<< /Type /Catalog /Pages 72 0 R >>",
        72: b"<< /Type /Pages /Count 1 /Kids [73 0 R] /MediaBox [0 0 595 842] >>",
        73: b"<< /Type /Page /Parent 72 0 R /Contents 74 0 R /Resources << /Font << /F1 75 0 R >> >> >>",
        74: _EVIL,
        75: b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    }
    head, tail = b"xref\n70 6\n", b"trailer\n<< /Size 76 /Root 71 0 R >>\nstartxref\n0\n%%EOF\n"
    place = len(front % length) + len(head) + 20 * 6 + len(tail)
    rows, objects = b"%010d 00000 n\r\n" % front.index(b"70 0 obj"), b""
    for number, body in bodies.items():
        rows += b"%010d 00000 n\r\n" % (place + len(objects))
        objects += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    return sign_without_leave(draw().write(head=front % length + head + rows + tail + objects), "Sig1")


def test_blanks_make_a_file_linearized_and_its_front_another_document() -> None:
    """/L was wrong when it was signed; with blanks behind it is right, and poppler shows the front (Annex F)."""
    length = len(_two_fronts(0)) + 40
    pdf = _two_fronts(length)
    assert len(pdf) < length
    _intact(pdf)
    _refused(pdf.ljust(length), "BYTES_UNACCOUNTED")


def test_a_signed_annotation_becomes_a_signature_field_of_no_size() -> None:
    """The note is gone: its object is the widget of a new field (ISO 32000-2 12.8.2.2)."""
    doc = base("approval")
    fields = [*items(entries(doc.body("form"))[b"/Fields"]), doc.ref("note")]
    field = b"<< /Type /Annot /Subtype /Widget /FT /Sig /T (Sig9) /Rect [0 0 0 0] /F 4 /P 3 0 R >>"
    _refused(doc.update({"form": changed(doc.body("form"), Fields=array(fields)), "note": field}))


def test_an_empty_signature_field_covers_what_a_field_shows() -> None:
    """The payee stands in a form field, and not in the text of the page (S&P 2021, 4.2)."""
    field = field_body(b"Sig", b"Sig9", b"60 500 260 520", b"/AP << /N 95 0 R >>")
    _refused(with_field(base("approval"), field, more={95: look(b"Evil Works", background=b"1 g")}))


def test_a_comment_covers_what_a_field_shows() -> None:
    """As before, where comments are permitted (S&P 2021, 4.1)."""
    comment = annotation(b"FreeText", b"/Contents (Evil Works) /DA (/F1 12 Tf 0 g)", b"/Rect [60 500 260 520]")
    _refused(annotate(base("p3"), comment))


@pytest.mark.parametrize("number", [b"%s842" % (b"0" * 300), b"842.%s" % (b"0" * 300)])
def test_a_number_has_more_digits_than_some_viewers_read(number: bytes) -> None:
    """PDFium reads 255 characters of a word, which here are no 842 (ISO 32000-2 Annex C)."""
    doc = base("p1")
    _refused(doc.update({"page": changed(doc.body("page"), MediaBox=b"[0 0 595 %s]" % number)}), "BYTES_UNACCOUNTED")


@pytest.mark.parametrize(
    ("shown", "value", "same"),
    [
        ("1,234.50 EUR", "1234.5", True),
        ("1.234,50", "1234.5", True),
        ("50%", "0.5", True),
        ("(5.00)", "-5", True),
        ("2026-11-23", "20261123", True),
        ("1,000,000", "1", False),
        ("100", "1", False),
        ("1000", "10.00", False),
        ("-5", "5", False),
        ("9", "", False),
    ],
)
def test_a_format_changes_the_number(shown: str, value: str, same: bool) -> None:
    """A script that formats adds signs and separators, no zeros (ISO 32000-2 Table 199, F)."""
    assert is_formatted(shown, value) is same


@pytest.mark.parametrize(
    "back", [b"[(1) 399 399 399 (9)] TJ", b"[(1) 399 399] TJ [399 (9)] TJ", b"[(1) 399 () 399 399 (9)] TJ"]
)
def test_characters_are_moved_back_step_by_step(back: bytes) -> None:
    """Each step is small, and together they make 91 of 19 (ISO 32000-2 9.4.3)."""
    _refused(_filled(_drawn(b"BT /F1 12 Tf 20 5 Td %s ET" % back), b"(19)"))


@pytest.mark.parametrize(
    ("look", "permitted"),
    [
        (b"/F1 12 Tf 0 0 0.5 rg", True),
        (b"0 g /F1 0 Tf", True),
        (b"/F1 12 Tf 1 g", False),
        (b"/F1 0.01 Tf 0 g", False),
        (b"/F1 12 Tf 3 Tr 0 g", False),
        (b"/Own 12 Tf 0 g", False),
    ],
)
def test_a_field_drawn_anew_from_its_value_would_not_show_it(look: bytes, permitted: bool) -> None:
    """Viewers draw a field from /DA when somebody touches it: white, tiny, or in a font that came with the value."""
    font = b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding << /Differences [71 /E] >> >>"
    form = changed(base("p2").body("form"), DR=b"<< /Font << /F1 7 0 R /Own 90 0 R >> >>")
    pdf = _filled(_drawn(_LINE), more={"form": form, 90: font}, DA=b"(%s)" % look)
    (_intact if permitted else _refused)(pdf)


def test_a_password_field_shows_a_number() -> None:
    """Characters are masked by one that says nothing, not by nines (ISO 32000-2 Table 231)."""
    doc = signed(draw(payee=changed(draw().objects[23], Ff=b"8192")), "password")
    for text, judged in ((b"***", _intact), (b"999", _refused)):
        judged(doc.update({"payee": changed(doc.body("payee"), V=b"(abc)"), "payee_look": look(text)}))


def test_words_beside_a_formatted_number_are_no_format() -> None:
    assert not is_formatted("100.00 has been paid", "100")


def test_the_leave_of_a_certification_stands_with_the_parent_of_its_field() -> None:
    """A field whose value and lock are its parent's binds as much as any (ISO 32000-2 12.7.4.1)."""
    doc = draw()
    doc.put("value", b"<< /Type /Sig /Reference [<< /TransformMethod /DocMDP /TransformParams << /P 1 >> >>] >>", 60)
    file = PdfFile(doc.write())
    raw = UnverifiedPdfSignature(
        "a", "", "", (), b"", 1, "", field_reference=Reference(21, 0), value_reference=Reference(60, 0)
    )
    assert Judge(file, [(raw, len(file.data))]).rights(file.newest).level == 1


def test_a_page_that_writes_out_what_it_inherited_is_the_same_page() -> None:
    """No forgery: pypdf writes pages so, and a drawing asks where the page lies, not where that is written."""
    doc = base("approval")
    _intact(doc.update({"page2": changed(doc.body("page2"), MediaBox=b"[0 0 595 842]")}))


@pytest.mark.parametrize("value", ["Good Works GmbH", "Größe 12", "1,234.50"])
def test_a_form_filled_in_by_pypdf_stays_intact(value: str) -> None:
    doc, out = base("approval"), io.BytesIO()
    writer = pypdf.PdfWriter(io.BytesIO(doc.pdf), incremental=True)
    writer.update_page_form_field_values(writer.pages[0], {"payee": value, "agree": "/Yes"}, auto_regenerate=False)
    writer.write(out)
    assert out.getvalue().startswith(doc.pdf)
    _intact(out.getvalue())
