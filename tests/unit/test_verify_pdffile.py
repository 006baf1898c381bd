"""The reader of PDF files: lenient as viewers are, every byte accounted for, linear on hostile input."""

from __future__ import annotations

import json
import time
import zlib
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.pdfwriter import CATALOG, PAGE, PAGES, PdfWriter, one_page, written
from verify.checks.sealed import SealedDocument
from verify.checks.signature import SignatureView
from verify.checks.signaturefields import check_fields, check_strays
from verify.evidence import Evidence
from verify.formats.pageview import Revisions
from verify.formats.pdffile import PdfError, PdfFile, PdfLimitError, PdfLimits, PdfPasswordError
from verify.formats.pdfgraph import PdfGraph
from verify.formats.pdfvalues import Name, Reference, Stream, Text, Value, same_value
from verify.inquiry import Inquiry
from verify.policy import Policy
from verify.trust.anchors import TrustStore
from verify.verdict import Integrity


def kinds(file: PdfFile) -> set[str]:
    return {notice.kind for notice in file.ambiguities}


def value_of(body: bytes) -> Value:
    writer = one_page((9, body))
    writer.table()
    return PdfFile(writer.data).newest.get(9)


# -- values


@pytest.mark.parametrize(
    ("written_as", "meant"),
    [
        (b"(a(b)\\)c)", b"a(b))c"),
        (b"(\\101\\n\\\\n\\7\\q)", b"A\n\\n\x07q"),
        (b"(a\r\nb\rc\\\r\nd)", b"a\nb\ncd"),
        (b"<48 6\n5 6c6C6f>", b"Hello"),
        (b"<4>", b"@"),
        (b"()", b""),
        (b"((((((((x))))))))", b"(((((((x)))))))"),
        (b"(\\400)", b"\x00"),
    ],
)
def test_strings_in_every_spelling(written_as: bytes, meant: bytes) -> None:
    found = value_of(b"[" + written_as + b"]")
    assert isinstance(found, list)
    assert found == [Text(meant)]
    assert isinstance(found[0], Text)


def test_numbers_names_and_comments() -> None:
    found = value_of(b"[1 -2 +3 4. .5 -.25 /A#42/ % a comment ] >>\n true false null 7 0 R 8 % c\n 0 R]")
    numbers: list[Value] = [1, -2, 3, 4.0, 0.5, -0.25]
    others: list[Value] = [Name(b"AB"), Name(b""), True, False, None, Reference(7, 0), Reference(8, 0)]
    assert same_value(found, numbers + others)


def test_comparison_tells_kinds_apart() -> None:
    assert not same_value(Name(b"A"), Text(b"A"))
    assert not same_value(True, 1)
    assert same_value(1, 1.0)
    assert same_value({Name(b"A"): None}, {})
    assert not same_value([1], [1, 1])
    assert not same_value(Reference(1, 0), [1, 0])


def test_a_key_that_stands_twice_is_noted_and_the_last_one_taken() -> None:
    writer = one_page((9, b"<</A 1/B 2/#41 3>>"))
    writer.table()
    file = PdfFile(writer.data)
    assert file.newest.get(9) == {b"A": 3, b"B": 2}
    assert "duplicate-key" in kinds(file)
    same = one_page((9, b"<</A[1]/B 2/A[1]>>"))
    same.table()
    assert not kinds(PdfFile(same.data))


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**12), 10**12)
    | st.binary(max_size=12).map(Text)
    | st.binary(max_size=8).map(Name)
    | st.builds(Reference, st.integers(1, 9999), st.just(0)),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.binary(max_size=6).map(Name), inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=150, deadline=None)
@given(values)
def test_what_a_writer_writes_is_what_is_read(value: Value) -> None:
    writer = one_page((9, b"[" + written(value) + b"]"))
    writer.table()
    found = PdfFile(writer.data).newest.get(9)
    assert same_value(found, [value])


# -- totality


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=400))
def test_any_bytes_give_a_file_or_a_typed_error(raw: bytes) -> None:
    for data in (raw, b"%PDF-1.7\n" + raw):
        with suppress(PdfError):
            assert sum(span.end - span.start for span in PdfFile(data).spans().spans) == len(data)


def rich_file() -> bytes:
    writer = one_page((4, b"<</Length 5 0 R>>stream\nq Q\nendstream"), (5, b"3"))
    writer.table()
    writer.object_stream(6, {7: b"<</A(x)>>", 8: b"[1 2 0 R]"})
    writer.object(1, b"<</Type/Catalog/Pages 2 0 R/AcroForm<</Fields[9 0 R]>>>>")
    writer.object(9, b"<</FT/Sig/T(S)/V<</ByteRange[0 1 2 3]/Contents<00>>>>>")
    writer.cross_stream(10, compressed={7: (6, 0), 8: (6, 1)})
    return writer.data


@settings(max_examples=250, deadline=None)
@given(st.data())
def test_damaged_files_give_a_file_or_a_typed_error(data: st.DataObject) -> None:
    raw = bytearray(rich_file())
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(raw) - 1))
        if data.draw(st.booleans()):
            raw[at] = data.draw(st.integers(0, 255))
        else:
            del raw[at : at + data.draw(st.integers(1, 30))]
        if not raw:
            return
    with suppress(PdfError):
        graph = PdfGraph(bytes(raw), None)
        graph.signatures(50)
        graph.stray_signatures(50)
        graph.annotation_kinds()
        graph.attachments(1000)
        graph.validation_data()
        file = graph.file
        _ = file.ambiguities, file.unlisted(), file.revisions, file.unlisted_compressed(), file.orphan_sections()
        for number in file.newest.numbers():
            file.newest.get(number)
        spans = file.spans().spans
        assert [span.start for span in spans[1:]] == [span.end for span in spans[:-1]]
        assert spans[-1].end == len(raw)


# -- cross-references


def test_tables_with_wrong_first_number_and_loose_rows() -> None:
    writer = one_page()
    offsets = dict(writer.offsets)
    start = len(writer.data)
    writer.data += b"xref \r\n1 4\n0000000000 65535 f\r\n"
    for number in (1, 2, 3):
        writer.data += b"%d 0 n\n" % offsets[number]
    writer.data += b"trailer <</Root 1 0 R/Size 4>>\nstartxref %d %%%%EOF" % start
    file = PdfFile(writer.data)
    assert file.newest.get(3) == {b"Type": b"Page", b"Parent": Reference(2, 0), b"MediaBox": [0, 0, 100, 100]}
    assert any("one too high" in text for text in file.repaired)


@pytest.mark.parametrize("damage", ["startxref", "no-table", "root", "offset"])
def test_a_file_that_needs_repair_is_read_and_says_so(damage: str) -> None:
    writer = one_page()
    if damage != "no-table":
        writer.table()
    data = writer.data
    if damage == "startxref":
        data = data.replace(b"startxref\n%d" % (writer.last or 0), b"startxref\n12345")
    elif damage == "root":
        data = data.replace(b"/Root 1 0 R", b"/Root 7 0 R")
    elif damage == "offset":
        data = data.replace(b"%010d" % data.index(b"3 0 obj"), b"%010d" % data.index(b"2 0 obj"))
    file = PdfFile(data)
    assert isinstance(file.newest.get(3), dict)
    assert file.repaired


def test_an_offset_a_little_off_is_repaired_and_a_search_proves_that_nothing_changes() -> None:
    writer = one_page()
    start = writer.table()
    file = PdfFile(writer.data.replace(b"startxref\n%d" % start, b"startxref\n%d" % (start + 2)))
    assert file.repaired
    assert file.newest.sections
    assert file.newest.search_differences() == []


def test_bytes_before_the_header_with_offsets_from_either_beginning() -> None:
    writer = one_page()
    writer.table()
    from_header = PdfFile(b"junk before\n" + writer.data)
    assert not from_header.repaired
    assert from_header.newest.get(3)
    assert [span.kind for span in from_header.spans().spans][0] == "unknown"
    shifted = PdfWriter(b"junk before\n%PDF-1.7\n")
    for number, body in ((1, CATALOG), (2, PAGES), (3, PAGE)):
        shifted.object(number, body)
    shifted.table()
    from_start = PdfFile(shifted.data)
    assert not from_start.repaired
    assert from_start.newest.get(3)


def test_loops_of_sections_end() -> None:
    writer = one_page()
    start = writer.table()
    file = PdfFile(writer.data.replace(b"/Root 1 0 R", b"/Root 1 0 R/Prev %d" % start))
    assert any("before itself" in text for text in file.repaired)


def test_a_freed_object_is_none_and_the_older_state_still_has_it() -> None:
    writer = one_page((9, b"(there)"))
    writer.table()
    before = len(writer.data)
    writer.table(rows={9: (0, 1, b"f")})
    file = PdfFile(writer.data)
    assert file.newest.get(9) is None
    assert 9 not in file.newest.numbers()
    assert file.snapshot(before).get(9) == b"there"
    assert [revision.end for revision in file.revisions] == [before, len(writer.data)]


def test_states_share_what_did_not_change() -> None:
    writer = one_page((9, b"<</A 1>>"))
    writer.table()
    before = len(writer.data)
    writer.object(3, PAGE.replace(b"100 100", b"200 200"))
    writer.table()
    file = PdfFile(writer.data)
    old, new = file.snapshot(before), file.newest
    assert old.get(9) is new.get(9)
    assert old.entry(9) == new.entry(9)
    assert old.get(3) != new.get(3)


def test_a_state_sees_nothing_behind_its_end() -> None:
    writer = one_page()
    writer.table()
    before = len(writer.data)
    end = writer.object(9, b"(later)")
    writer.data = writer.data[:before].replace(b"%%EOF", b"%%EOF") + writer.data[before:]
    writer.table()
    file = PdfFile(writer.data)
    assert file.newest.get(9) == b"later"
    assert file.snapshot(before).get(9) is None
    assert end == before


def test_object_streams_and_cross_reference_streams() -> None:
    file = PdfFile(rich_file())
    assert file.newest.get(8) == [1, Reference(2, 0)]
    assert file.newest.entry(8).kind == "compressed"  # type: ignore[union-attr]
    assert file.newest.raw_object_span(8) == file.newest.raw_object_span(6)
    assert not file.repaired
    assert not file.unlisted()
    assert not file.unlisted_compressed()


def test_an_object_at_another_index_of_its_stream_is_noted() -> None:
    writer = one_page()
    writer.object_stream(6, {7: b"(seven)", 8: b"(eight)"})
    writer.cross_stream(10, compressed={7: (6, 1)})
    file = PdfFile(writer.data)
    assert file.newest.get(7) == b"seven"
    assert "wrong-index" in kinds(file)
    assert file.unlisted_compressed() == [(6, 8)]


def hybrid(table_has_it: bool) -> bytes:
    writer = one_page()
    writer.object_stream(6, {9: b"(from the stream)"})
    offsets = dict(writer.offsets)
    stream_at = writer.cross_stream(10, compressed={9: (6, 0)})
    writer.data = writer.data[: writer.data.rindex(b"startxref")]
    writer.last, writer.offsets = None, offsets
    if table_has_it:
        writer.object(9, b"(from the table)")
    writer.table(b"/XRefStm %d" % stream_at, rows={} if table_has_it else {9: (0, 0, b"f")})
    return writer.data


def test_hybrid_files_show_hidden_objects_and_note_contradictions() -> None:
    plain, contradicting = PdfFile(hybrid(table_has_it=False)), PdfFile(hybrid(table_has_it=True))
    assert plain.newest.get(9) == b"from the stream"
    assert "hybrid" not in kinds(plain)
    assert contradicting.newest.get(9) == b"from the table"
    assert "hybrid" in kinds(contradicting)


def test_a_cross_reference_to_another_number_is_noted() -> None:
    writer = one_page((8, b"(eight)"), (9, b"(nine)"))
    writer.table(rows={9: (writer.offsets[8], 0, b"n")})
    file = PdfFile(writer.data)
    assert file.newest.get(9) == b"nine"
    assert "wrong-number" in kinds(file)
    assert file.repaired


def test_a_cross_reference_into_a_stream_is_noted() -> None:
    writer = one_page()
    inner = b"9 0 obj (hidden) endobj"
    writer.stream(4, inner)
    at = writer.data.index(inner)
    writer.table(rows={9: (at, 0, b"n")})
    file = PdfFile(writer.data)
    assert file.newest.get(9) == b"hidden"
    assert "inside-object" in kinds(file)


def test_a_size_that_makes_earlier_objects_vanish_is_noted() -> None:
    writer = one_page((50, b"(beyond)"))
    writer.table(size=60)
    grown = PdfWriter(writer.data, last=writer.last)
    grown.object(70, b"(new)")
    grown.table(size=60)
    assert "beyond-size" not in kinds(PdfFile(grown.data))
    writer.object(9, b"(new)")
    writer.table(size=10)
    assert "beyond-size" in kinds(PdfFile(writer.data))


def test_linearized_files_have_one_state() -> None:
    writer = PdfWriter()
    writer.object(4, b"<</Linearized 1>>")
    first = len(writer.data)
    placeholder = b"xref\n3 1\n%s 00000 n \ntrailer\n<</Size 5/Root 1 0 R/Prev %s>>\nstartxref\n0\n%%%%EOF\n"
    writer.data += placeholder % (b"0" * 10, b"0" * 10)
    writer.object(3, PAGE)
    writer.object(1, CATALOG)
    writer.object(2, PAGES)
    main = len(writer.data)
    listed = writer.offsets
    writer.data += b"xref\n0 3\n0000000000 65535 f \n%010d 00000 n \n%010d 00000 n \ntrailer\n<</Size 3>>\n" % (
        listed[1],
        listed[2],
    )
    writer.data += b"startxref\n%d\n%%%%EOF\n" % first
    filled = placeholder % (b"%010d" % listed[3], b"%010d" % main)
    data = writer.data.replace(placeholder % (b"0" * 10, b"0" * 10), filled)
    file = PdfFile(data)
    assert not file.repaired
    assert len(file.revisions) == 1
    assert len(file.newest.sections) == 2
    assert not file.orphan_sections()


# -- streams


@pytest.mark.parametrize("length", [b"0", b"2", b"999", b"-1", b"77 0 R", b"(x)"])
def test_a_wrong_length_is_repaired_and_noted(length: bytes) -> None:
    writer = one_page()
    writer.stream(9, b"content", length=length)
    writer.table()
    file = PdfFile(writer.data)
    found = file.newest.get(9)
    assert isinstance(found, Stream)
    assert found.raw == b"content"
    assert "stream-length" in kinds(file)


def test_a_right_length_wins_over_an_endstream_inside() -> None:
    writer = one_page()
    writer.stream(9, b"a\nendstream\nendobj\n8 0 obj (x) endobj")
    writer.table()
    file = PdfFile(writer.data)
    found = file.newest.get(9)
    assert isinstance(found, Stream)
    assert found.raw.endswith(b"(x) endobj")
    assert not file.unlisted()
    assert not kinds(file)


def test_an_indirect_length_that_a_later_revision_changes_changes_the_stream() -> None:
    writer = one_page((8, b"7"))
    writer.stream(9, b"content\nendstream more", length=b"8 0 R")
    writer.table()
    before = len(writer.data)
    writer.object(8, b"22")
    writer.table()
    file = PdfFile(writer.data)
    old, new = file.snapshot(before).get(9), file.newest.get(9)
    assert isinstance(old, Stream)
    assert isinstance(new, Stream)
    assert (old.raw, new.raw) == (b"content", b"content\nendstream more")
    assert not same_value(old, new)


def encoded(filters: bytes, content: bytes, parameters: bytes = b"") -> PdfFile:
    writer = one_page()
    writer.stream(9, content, b"/Filter" + filters + parameters)
    writer.table()
    return PdfFile(writer.data)


@pytest.mark.parametrize(
    ("filters", "content", "parameters", "meant"),
    [
        (b"/FlateDecode", zlib.compress(b"hello"), b"", b"hello"),
        (b"/FlateDecode", zlib.compress(b"hello" * 9)[:-3], b"", b"hello" * 9),
        (b"/FlateDecode", zlib.compress(b"hello") + b"tail", b"", b"hello"),
        (b"/ASCIIHexDecode", b"68 65 6C6c6f>", b"", b"hello"),
        (b"/ASCII85Decode", b"BOu!rDZ~>", b"", b"hello"),
        (b"/RunLengthDecode", b"\x01he\xff l\x80".replace(b" ", b""), b"", b"hell"),
        (b"/LZWDecode", bytes.fromhex("800b6050220c0c8501"), b"", b"-----A---B"),
        (b"[/ASCIIHexDecode/FlateDecode]", zlib.compress(b"x").hex().encode(), b"", b"x"),
        (b"[/AHx/Fl]", zlib.compress(b"x").hex().encode(), b"", b"x"),
        (
            b"/FlateDecode",
            zlib.compress(b"\x02\x01\x02\x02\x01\x01\x01\x05\x01\x00\x09\x09"),
            b"/DecodeParms<</Predictor 12/Columns 2>>",
            b"\x01\x02\x02\x03\x05\x06\x09\x09",
        ),
        (b"/FlateDecode", zlib.compress(b"\x01\x02\x03"), b"/DecodeParms<</Predictor 2/Columns 3>>", b"\x01\x03\x06"),
        (b"/DCTDecode", b"\xff\xd8", b"", b"\xff\xd8"),
    ],
)
def test_filters(filters: bytes, content: bytes, parameters: bytes, meant: bytes) -> None:
    file = encoded(filters, content, parameters)
    stream = file.newest.get(9)
    assert isinstance(stream, Stream)
    assert file.newest.decoded(stream)[: len(meant)] == meant


@pytest.mark.parametrize("row", [0, 1, 2, 3, 4])
def test_png_predictors_against_their_definition(row: int) -> None:
    width, pixel = 6, 3
    plain = [bytes((7 * i * j + 31 * j) % 256 for j in range(width)) for i in range(1, 4)]
    coded, above = b"", bytes(width)
    for line in plain:
        coded += bytes([row])
        for at, octet in enumerate(line):
            left, corner = (line[at - pixel], above[at - pixel]) if at >= pixel else (0, 0)
            guess = left + above[at] - corner
            nearest = min((left, above[at], corner), key=lambda v: abs(guess - v))
            coded += bytes([(octet - (0, left, above[at], (left + above[at]) // 2, nearest)[row]) % 256])
        above = line
    file = encoded(b"/FlateDecode", zlib.compress(coded), b"/DecodeParms<</Predictor 15/Colors 3/Columns 2>>")
    stream = file.newest.get(9)
    assert isinstance(stream, Stream)
    assert file.newest.decoded(stream) == b"".join(plain)


def test_decompressed_bytes_are_limited() -> None:
    writer = one_page()
    writer.stream(9, zlib.compress(bytes(3_000_000)), b"/Filter/FlateDecode")
    writer.table()
    file = PdfFile(writer.data, limits=PdfLimits(decompressed_bytes=1_000_000))
    stream = file.newest.get(9)
    assert isinstance(stream, Stream)
    with pytest.raises(PdfLimitError):
        file.newest.decoded(stream)


# -- accounting


def test_every_byte_has_a_kind_and_strays_are_found() -> None:
    writer = one_page()
    writer.table()
    writer.data += b"% a comment\n77 0 obj (unlisted) endobj\n"
    at = len(writer.data)
    writer.data += b"some garbage\n"
    file = PdfFile(writer.data)
    spans = file.spans()
    assert [(span.number, span.generation) for span in file.unlisted()] == [(77, 0)]
    assert [span.start for span in spans.unknown()] == [at]
    assert spans.at(at).kind == "unknown"  # type: ignore[union-attr]
    assert {span.kind for span in spans.spans} >= {"header", "object", "xref", "startxref", "eof", "comment", "space"}


def test_sections_that_nothing_leads_to_are_orphans_and_list_what_they_list() -> None:
    writer = one_page()
    first = writer.table()
    writer.object(9, b"(aside)")
    aside = writer.table()
    writer.last = first
    writer.object(8, b"(onward)")
    writer.table()
    file = PdfFile(writer.data)
    assert [section.start for section in file.orphan_sections()] == [aside]
    assert not file.unlisted()
    assert file.newest.get(9) is None
    assert 9 in file.newest.search_differences()


def test_the_content_of_streams_and_strings_is_no_structure() -> None:
    trick = b"77 0 obj (x) endobj xref trailer startxref 9 %%EOF"
    writer = one_page((8, b"(" + trick.replace(b"(", b"\\(").replace(b")", b"\\)") + b")"))
    writer.stream(9, trick)
    writer.table()
    file = PdfFile(writer.data)
    assert not file.unlisted()
    assert not file.spans().unknown()
    assert len(file.revisions) == 1


def test_a_last_startxref_in_a_comment_is_noted() -> None:
    writer = one_page()
    start = writer.table()
    file = PdfFile(writer.data + b"%% startxref\n%% %d\n" % start)
    assert "startxref-hidden" in kinds(file)


# -- encryption


def encrypted(kind: str, user: str, owner: str) -> bytes:
    from io import BytesIO

    from pyhanko.pdf_utils import crypt, generic, writer

    out: Any = writer.PdfFileWriter()  # type: ignore[no-untyped-call]
    make_page: Any = writer.PageObject
    page = make_page(
        contents=out.add_object(generic.StreamObject(stream_data=b"secret content")), media_box=[0, 0, 10, 10]
    )
    out.insert_page(page)
    out.root["/Secret"] = generic.TextStringObject("secret text")
    identifier = out._document_id[0].original_bytes
    if kind in ("aes256", "aes-gcm"):
        gcm = kind == "aes-gcm"
        handler = crypt.StandardSecurityHandler.build_from_pw(owner, user, encrypt_metadata=gcm, use_gcm=gcm)
    else:
        handler = crypt.StandardSecurityHandler.build_from_pw_legacy(
            crypt.StandardSecuritySettingsRevision.RC4_OR_AES128
            if kind != "rc4-40"
            else crypt.StandardSecuritySettingsRevision.RC4_BASIC,
            identifier,
            owner,
            user,
            keylen_bytes=5 if kind == "rc4-40" else 16,
            use_aes128=kind == "aes128",
        )
    out.security_handler = handler
    out._encrypt = out.add_object(handler.as_pdf_object())
    buffer = BytesIO()
    out.write(buffer)
    return buffer.getvalue()


@pytest.mark.parametrize("kind", ["rc4-40", "rc4", "aes128", "aes256", "aes-gcm"])
@pytest.mark.parametrize("password", ["user", "owner"])
def test_encrypted_files_open_with_either_password(kind: str, password: str) -> None:
    file = PdfFile(encrypted(kind, "user", "owner"), password=password)
    assert file.encrypted
    document = file.newest
    assert str(document.entry_of(document.root, b"Secret")) == "secret text"
    page = document.entry_of(document.root, b"Pages")
    stream = document.entry_of(document.items_of(document.entry_of(page, b"Kids"))[0], b"Contents")
    assert isinstance(stream, Stream)
    assert document.decoded(stream) == b"secret content"


@pytest.mark.parametrize("kind", ["rc4-40", "rc4", "aes128", "aes256", "aes-gcm"])
def test_a_wrong_password_is_refused_and_an_empty_one_tried(kind: str) -> None:
    data = encrypted(kind, "user", "owner")
    for password in (None, "wrong"):
        with pytest.raises(PdfPasswordError):
            PdfFile(data, password=password)
    assert PdfFile(encrypted(kind, "", "owner")).encrypted


def test_encrypted_bytes_that_do_not_fit_their_tag_are_refused() -> None:
    data = encrypted("aes-gcm", "user", "owner")
    start = data.index(b"stream", data.index(b"/Length")) + len(b"stream\n") + 14
    file = PdfFile(data[:start] + bytes([data[start] ^ 1]) + data[start + 1 :], password="user")
    document = file.newest
    page = document.entry_of(document.root, b"Pages")
    stream = document.entry_of(document.items_of(document.entry_of(page, b"Kids"))[0], b"Contents")
    assert isinstance(stream, Stream)
    with pytest.raises(PdfError):
        document.decoded(stream)


def test_an_unknown_handler_is_refused() -> None:
    writer = one_page((8, b"<</Filter/Adobe.PubSec/V 4>>"))
    writer.table(b"/Encrypt 8 0 R")
    with pytest.raises(PdfPasswordError):
        PdfFile(writer.data)


# -- signatures

VALUE = (
    b"<</Type/Sig/SubFilter/ETSI.CAdES.detached/ByteRange[0 10 20 30]/Contents<3003020101>/M(D:20260102030405+08'00')>>"
)


def signed(fields: bytes, *more: tuple[int, bytes], page: bytes = b"") -> PdfGraph:
    form = CATALOG.replace(b">>", b"/AcroForm<</Fields[" + fields + b"]>>>>")
    writer = PdfWriter()
    for number, body in ((1, form), (2, PAGES), (3, PAGE.replace(b">>", page + b">>")), *more):
        writer.object(number, body)
    writer.table()
    return PdfGraph(writer.data, None)


def test_fields_inherit_and_widgets_are_no_fields() -> None:
    graph = signed(
        b"10 0 R",
        (10, b"<</T(top)/FT/Sig/Kids[11 0 R 12 0 R]>>"),
        (11, b"<</T(one.two)/V 13 0 R/Kids[14 0 R]>>"),
        (12, b"<</T(empty)>>"),
        (13, VALUE),
        (14, b"<</Subtype/Widget/Parent 11 0 R>>"),
        page=b"/Annots[14 0 R]",
    )
    (found,) = graph.signatures(9)
    assert (found.field, found.subfilter, found.byte_range) == ("top.one.two", "/ETSI.CAdES.detached", (0, 10, 20, 30))
    assert found.oddities == ("period-in-name",)
    assert found.claimed_time is not None
    assert found.claimed_time.isoformat() == "2026-01-02T03:04:05+08:00"
    start, end = found.contents_span or (0, 0)
    assert graph.file.data[start:end] == b"<3003020101>"
    assert not graph.stray_signatures(9)


def test_a_signature_only_on_a_page_is_found_and_named_so() -> None:
    graph = signed(b"", (10, b"<</T(p)/FT/Sig/Subtype/Widget/V 13 0 R>>"), (13, VALUE), page=b"/Annots[10 0 R]")
    assert [(s.field, s.origin) for s in graph.signatures(9)] == [("p", "page")]


def test_a_value_that_no_field_holds_is_a_stray() -> None:
    graph = signed(b"10 0 R", (10, b"<</T(a)/FT/Sig/V 13 0 R>>"), (13, VALUE), (14, VALUE))
    assert [s.origin for s in graph.stray_signatures(9)] == ["stray"]


def test_one_value_in_two_fields_and_one_field_twice_are_noted() -> None:
    graph = signed(
        b"10 0 R 11 0 R 10 0 R", (10, b"<</T(a)/FT/Sig/V 13 0 R>>"), (11, b"<</T(b)/FT/Sig/V 13 0 R>>"), (13, VALUE)
    )
    found = graph.signatures(9)
    assert [s.field for s in found] == ["a", "b"]
    assert set(found[0].oddities) == {"shared-value", "field-twice"}
    assert found[1].oddities == ("shared-value",)


def test_a_value_inside_its_field_is_read_where_it_stands() -> None:
    graph = signed(b"10 0 R", (10, b"<</T(a)/FT/Sig/V " + VALUE + b">>"))
    (found,) = graph.signatures(9)
    start, end = found.contents_span or (0, 0)
    assert graph.file.data[start:end] == b"<3003020101>"


def test_a_broken_value_has_a_fault_and_does_not_hide_the_others() -> None:
    graph = signed(
        b"10 0 R 11 0 R", (10, b"<</T(a)/FT/Sig/V 13 0 R>>"), (11, b"<</T(b)/FT/Sig/V<</Contents<00>>>>>"), (13, VALUE)
    )
    assert [bool(s.fault) for s in graph.signatures(9)] == [False, True]


def test_too_many_signatures_are_refused() -> None:
    fields = b" ".join(b"<</T(%d)/FT/Sig/V %s>>" % (n, VALUE) for n in range(12))
    with pytest.raises(PdfError):
        signed(fields).signatures(10)


def test_attachments_by_tree_array_and_annotation_each_once() -> None:
    spec = b"<</Type/Filespec/F(%s)/AFRelationship/Data/EF<</F 30 0 R>>>>"
    writer = PdfWriter()
    writer.object(1, b"<</Type/Catalog/Pages 2 0 R/AF[20 0 R]/Names<</EmbeddedFiles<</Kids[25 0 R]>>>>>>")
    writer.object(2, PAGES)
    writer.object(3, PAGE.replace(b">>", b"/Annots[<</Subtype/FileAttachment/FS 22 0 R>>]>>"))
    for number, name in ((20, b"a"), (21, b"b"), (22, b"c")):
        writer.object(number, spec % name)
    writer.object(25, b"<</Names[(a)20 0 R(b)21 0 R]>>")
    writer.stream(30, b"data")
    writer.table()
    found = PdfGraph(writer.data, None).attachments(100)
    assert [(a.name, a.data, a.relationship, a.associated) for a in found] == [
        ("a", b"data", "/Data", True),
        ("b", b"data", "/Data", False),
        ("c", b"data", "/Data", False),
    ]


def test_validation_data_of_the_store_and_its_entries() -> None:
    writer = PdfWriter()
    writer.object(1, b"<</Type/Catalog/Pages 2 0 R/DSS<</CRLs[20 0 R 99 0 R]/VRI<</AB<</CRL[20 0 R 21 0 R]>>>>>>>>")
    writer.object(2, PAGES)
    writer.object(3, PAGE)
    writer.stream(20, b"crl one")
    writer.stream(21, b"crl two")
    writer.table()
    found = PdfGraph(writer.data, None).validation_data()
    assert (found.certificates, found.crls, found.ocsps) == ([], [b"crl one", b"crl two"], [])


# -- hostile input

M = 1_000_000


HOSTILE = {
    "long hexadecimal string": lambda: b"9 0 obj<" + b"41" * 5 * M + b">endobj\n",
    "deep nesting": lambda: b"9 0 obj" + b"[<</A" * M,
    "strings without end": lambda: b"9 0 obj (\n" * 100_000,
    "streams without end": lambda: b"9 0 obj<</Length 99999999>>stream\n" * 100_000,
    "white space": lambda: b" " * 5 * M,
    "comments": lambda: b"%\n" * 2 * M,
    "digits": lambda: b"1 " * M,
    "headers": lambda: b"9 0 obj\n" * 100_000,
    "lengths that wait": lambda: b"".join(
        b"%d 0 obj<</Length %d 0 R>>stream\nx\nendstream endobj\n" % (n, n + 1) for n in range(9, 5000)
    ),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_bytes_take_linear_time(name: str) -> None:
    writer = one_page()
    writer.data += HOSTILE[name]()
    writer.table()
    start = time.process_time()
    with suppress(PdfLimitError):
        file = PdfFile(writer.data)
        _ = file.ambiguities, file.unlisted(), file.revisions
    assert time.process_time() - start < 6


def test_limits_end_in_typed_errors() -> None:
    million_rows = (
        b"%PDF-1.4\nxref\n0 1000000\n" + b"0000000009 00000 n \n" * 1000 + b"trailer<<>>\nstartxref\n9\n%%EOF"
    )
    with pytest.raises(PdfError):
        PdfFile(million_rows)
    many_rows = b"%PDF-1.4\nxref\n0 300000\n" + b"0000000009 00000 n \n" * 300_000
    with pytest.raises(PdfLimitError) as caught:
        PdfFile(many_rows + b"trailer<</Root 1 0 R>>\nstartxref\n9\n%%EOF")
    assert caught.value.reason == "limit-objects"
    writer = one_page()
    for _ in range(30):
        writer.table()
    with pytest.raises(PdfLimitError):
        PdfFile(writer.data, limits=PdfLimits(sections=20))


# -- the corpus


def files(corpus: Path) -> list[Path]:
    return [corpus / entry["file"] for entry in json.loads((corpus / "manifest.json").read_text())]


def test_a_sample_of_foreign_files_reads_as_pyhanko_reads_it(corpus: Path) -> None:
    from io import BytesIO

    from pyhanko.pdf_utils.reader import PdfFileReader

    compared = 0
    for path in files(corpus)[::9]:
        data = path.read_bytes()
        try:
            reader = PdfFileReader(BytesIO(data), strict=False)
            if reader.encrypted:
                continue
            pages = int(reader.root["/Pages"]["/Count"])
        except Exception:  # noqa: BLE001, S112 - what the oracle cannot read, it says nothing about
            continue
        file = PdfFile(data)
        document = file.newest
        tree = document.entry_of(document.root, b"Pages")
        assert document.entry_of(tree, b"Count") == pages
        assert document.root_reference is not None
        assert document.root_reference.number == reader.root_ref.idnum
        for number in document.numbers()[::7]:
            _same(document.get(number), reader, number)
        compared += 1
    assert compared > 10


def _same(value: Value, reader: object, number: int) -> None:
    from pyhanko.pdf_utils import generic
    from pyhanko.pdf_utils.misc import PdfReadError

    try:
        theirs = reader.get_object(generic.Reference(number, 0, reader))  # type: ignore[attr-defined]
    except PdfReadError:
        return
    if isinstance(theirs, generic.StreamObject):
        assert isinstance(value, Stream)
        assert value.raw == theirs.encoded_data
        assert {b"/" + key for key in value.dictionary} == {key.encode("latin-1") for key in theirs}
    elif isinstance(theirs, generic.DictionaryObject):
        assert isinstance(value, dict)
        assert {("/" + key.decode("utf-8", "replace")) for key in value} == set(theirs)
    elif isinstance(theirs, generic.ArrayObject):
        assert isinstance(value, list)
        assert len(value) == len(theirs)


def test_every_foreign_file_opens_or_is_refused_within_a_second(corpus: Path) -> None:
    for path in files(corpus):
        data = path.read_bytes()
        start = time.process_time()
        with suppress(PdfError):
            assert sum(span.end - span.start for span in PdfFile(data).spans().spans) == len(data)
        assert time.process_time() - start < 1, path.name


# -- fields and the bytes they stand for


def judged(graph: PdfGraph) -> list[tuple[str, str]]:
    """What the check of fields says of a file, as codes with reasons."""
    at = datetime(2026, 1, 1, tzinfo=UTC)
    inquiry = Inquiry("pdf", trust=TrustStore(), at=at, policy=Policy(), evidence=Evidence())
    views = [SignatureView(raw, Integrity.INTACT) for raw in graph.signatures(9)]
    document = SealedDocument(graph.file.data, graph, views, strict=False, views=Revisions(graph.file.data))
    check_fields(inquiry, document)
    check_strays(inquiry, document)
    assert all((view.integrity is Integrity.INTACT) == ("BYTE_RANGE_WRONG" not in codes(inquiry)) for view in views)
    return [(f.code, str(f.params.get("reason", f.params.get("what")))) for f in inquiry.findings]


def codes(inquiry: Inquiry) -> set[str]:
    return {f.code for f in inquiry.findings}


def in_place(value: bytes, *fields: bytes) -> PdfGraph:
    """A file whose fields hold object 13, and whose byte range leaves out exactly the last value of /Contents."""
    numbers = b" ".join(b"%d 0 R" % (20 + n) for n in range(len(fields)))
    more = [(20 + n, body) for n, body in enumerate(fields)]
    data = signed(numbers, (13, value), *more).file.data
    start = data.rindex(b"<30030201")
    here = b"[0 %04d %04d 0001]" % (start, data.index(b">", start) + 1)
    return PdfGraph(data.replace(b"[0 1111 2222 0001]", here), None)


IN_PLACE = b"<</Type/Sig/ByteRange[0 1111 2222 0001]/Contents<3003020101>>>"


def test_a_value_in_its_own_gap_is_well() -> None:
    assert judged(in_place(IN_PLACE, b"<</T(a)/FT/Sig/V 13 0 R>>")) == []


def test_a_value_beside_its_gap_is_not_what_was_signed() -> None:
    moved = IN_PLACE.replace(b"/Contents<3003020101>", b"/Contents<3003020102>/Was<3003020101>")
    assert judged(in_place(moved, b"<</T(a)/FT/Sig/V 13 0 R>>")) == [
        ("BYTE_RANGE_WRONG", "the gap is not where the signature value stands")
    ]


def test_a_value_that_two_fields_show_is_refused() -> None:
    found = judged(in_place(IN_PLACE, b"<</T(a)/FT/Sig/V 13 0 R>>", b"<</T(b)/FT/Sig/V 13 0 R>>"))
    assert found == [("BYTE_RANGE_WRONG", "another field shows the same signature")] * 2


def test_two_values_in_one_dictionary_are_refused() -> None:
    twice = IN_PLACE.replace(b"/Contents", b"/Contents<00>/Contents")
    assert judged(in_place(twice, b"<</T(a)/FT/Sig/V 13 0 R>>")) == [
        ("BYTE_RANGE_WRONG", "the signature's dictionary names a key twice")
    ]


def test_a_signature_that_no_field_shows_is_named() -> None:
    assert judged(in_place(IN_PLACE)) == [("HIDDEN_CONTENT", "a signature that no field shows")]
