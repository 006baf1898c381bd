"""Sealing any PDF: places, shapes of files, several seals, what is refused, and what other readers say of it."""

from __future__ import annotations

import io
import re
import shutil
import subprocess
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pypdfium2
import pytest
from asn1crypto import x509
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko_certvalidator import ValidationContext

from signing.formats.pades import Baseline
from signing.formats.pdf_update import PdfUpdater
from signing.formats.placement import AcrossEdges, AtKeyword, AtPosition, Corner, Edge, InBox, Placement
from signing.formats.seal_document import (
    Profile,
    Reserved,
    reserve_fields,
    seal_document,
    seal_file,
)
from signing.formats.seal_look import PngPicture, VectorPicture
from tests.support.contracts import contract, deflated, png
from tests.support.forger.bases import base, sign
from tests.support.forger.bases import draw as invoice
from tests.support.sealed import validation_data
from tests.support.sealing import NO_TEXT, SEAL, assert_good, instrument, judged, make, order, sealed
from tests.support.signing_pki import AT, shared_pki
from verify.formats.refusal import RefusedError
from verify.verdict import Conclusion, Integrity

MM = 72 / 25.4


def assert_pyhanko(pdf: bytes, count: int, *, levels: set[str] | None = None) -> None:
    """pyHanko finds each signature valid and intact, and later changes within what it permits."""
    reader = PdfFileReader(io.BytesIO(pdf), strict=b"/XRefStm" not in pdf)  # it validates no hybrid file otherwise
    pki = shared_pki("p256")
    context = ValidationContext(
        trust_roots=[x509.Certificate.load(pki.root.certificate)], moment=AT + timedelta(hours=1), allow_fetching=False
    )
    found = [s for s in reader.embedded_regular_signatures if s.sig_object["/SubFilter"] == "/ETSI.CAdES.detached"]
    assert len(found) == count
    for signature in found:
        status = validate_pdf_signature(signature, context)
        assert status.bottom_line, status.pretty_print_details()
        if levels is not None:
            assert status.modification_level.name in levels


def _marks(pdf: bytes, page: int, scale: float = 1.0) -> tuple[float, float, float, float] | None:
    """The box of everything red on a page as shown, in mm from its left and upper edge."""
    document = pypdfium2.PdfDocument(pdf)
    document.init_forms()
    image = document[page - 1].render(scale=2).to_pil().convert("RGB")
    red = image.split()[0].point(lambda v: 255 if v > 120 else 0)
    other = image.split()[1].point(lambda v: 255 if v < 120 else 0)
    from PIL import ImageChops

    box = ImageChops.multiply(red, other).getbbox()
    return None if box is None else tuple(round(v / 2 / MM / scale, 1) for v in box)  # type: ignore[return-value]


def near(found: tuple[float, ...] | None, wanted: tuple[float, ...], slack: float = 1.6) -> bool:
    return found is not None and all(abs(a - b) <= slack for a, b in zip(found, wanted, strict=True))


# --- places ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
@pytest.mark.parametrize("corner", list(Corner))
def test_a_position_is_measured_on_the_page_as_shown(rotation: int, corner: Corner) -> None:
    made = sealed(contract(rotate=(rotation,)), AtPosition(1, 10, 20, corner))
    wide, high = (842 / MM, 595 / MM) if rotation % 180 else (595 / MM, 842 / MM)
    left = 10 if corner in (Corner.TOP_LEFT, Corner.BOTTOM_LEFT) else wide - 52
    top = 20 if corner in (Corner.TOP_LEFT, Corner.TOP_RIGHT) else high - 62
    assert near(_marks(made, 1), (left, top, left + 42, top + 42))


def test_the_picture_stands_upright_on_a_turned_page() -> None:
    """The drawing has a bar on the right of its middle: it is on the right whatever the page's rotation."""
    for rotation in (0, 90, 180, 270):
        document = pypdfium2.PdfDocument(sealed(contract(rotate=(rotation,)), AtPosition(1, 10, 10)))
        document.init_forms()
        picture = document[0].render(scale=2).to_pil().convert("RGB")
        middle, radius = round(31 * MM * 2), round(10 * MM * 2)
        assert picture.getpixel((middle + radius, middle))[1] < 120, rotation
        assert picture.getpixel((middle - radius, middle))[1] > 200, rotation


def test_crop_box_and_user_unit_count() -> None:
    cropped = sealed(contract(crop=b"100 100 500 700"), AtPosition(1, 10, 20))
    assert near(_marks(cropped, 1), (10, 20, 52, 62))
    large = sealed(contract(unit=2), AtPosition(1, 10, 20))
    rect = [float(v) for v in re.findall(rb"/Rect \[([^\]]+)\]", large)[-1].split()]
    assert abs((rect[2] - rect[0]) * 2 / MM - 42) < 0.01
    assert abs(rect[0] * 2 / MM - 10) < 0.01
    assert_good(large, 1)


def test_the_centre_can_be_given_and_pages_counted_from_the_end() -> None:
    made = sealed(contract(3), AtPosition(-1, 50, 60, centred=True))
    assert _marks(made, 1) is None
    assert near(_marks(made, 3), (29, 39, 71, 81))


def test_png_and_vector_pictures_have_their_true_size() -> None:
    made = sealed(contract(), AtPosition(1, 20, 30), picture=PngPicture(png(), 42, 42))
    assert near(_marks(made, 1), (20, 30, 62, 72))
    assert_good(made, 1)


@pytest.mark.parametrize("rotation", [0, 90])
def test_a_keyword_is_found_wherever_it_stands(rotation: int) -> None:
    """甲方盖章 stands at (100, 200) of every page's user space, about 24 points wide."""
    pdf = contract(3, rotate=(rotation,))
    second = sealed(pdf, AtKeyword("甲方 盖章", 2))
    assert _marks(second, 1) is None
    assert _marks(second, 3) is None
    across, down = (112 / MM, (842 - 204) / MM) if not rotation else (204 / MM, 112 / MM)
    assert near(_marks(second, 2), (across - 21, down - 21, across + 21, down + 21), 3)
    assert _marks(sealed(pdf, AtKeyword("甲方盖章", -1)), 3) is not None
    moved = _marks(sealed(pdf, AtKeyword("甲方盖章", 1, right_mm=30, up_mm=10)), 1)
    assert near(moved, (across + 9, down - 31, across + 51, down + 11), 3)


def test_a_seal_at_every_keyword_is_one_signature() -> None:
    made = sealed(contract(4), AtKeyword("甲方盖章", 0))
    assert all(_marks(made, page) is not None for page in (1, 2, 3, 4))
    verdict = judged(made)
    assert len(verdict.signatures) == 1


def test_near_the_edge_of_the_page_a_keyword_seal_stays_on_it() -> None:
    made = sealed(contract(), InBox(1, (0, 0, 10, 10)))
    assert near(_marks(made, 1), (0, 842 / MM - 42, 42, 842 / MM))


# --- across page edges ----------------------------------------------------------------------------------------------


def _fanned(pdf: bytes, pages: list[int], edge: Edge) -> Any:
    """The slices of a run of pages put together as the fanned edge shows them."""
    from PIL import Image

    document = pypdfium2.PdfDocument(pdf)
    document.init_forms()
    slices = []
    count = len(pages)
    for page in pages:
        image = document[page - 1].render(scale=4).to_pil().convert("RGB")
        part = round(42 * MM * 4 / count)
        w, h = image.size
        box = {
            Edge.RIGHT: (w - part, 0, w, h),
            Edge.LEFT: (0, 0, part, h),
            Edge.TOP: (0, 0, w, part),
            Edge.BOTTOM: (0, h - part, w, h),
        }[edge]
        slices.append(image.crop(box))
    if edge in (Edge.LEFT, Edge.TOP):
        slices.reverse()
    across = edge in (Edge.LEFT, Edge.RIGHT)
    size = (
        (sum(s.width for s in slices), slices[0].height) if across else (slices[0].width, sum(s.height for s in slices))
    )
    whole, at = Image.new("RGB", size, "white"), 0
    for part_image in slices:
        whole.paste(part_image, (at, 0) if across else (0, at))
        at += part_image.width if across else part_image.height
    return whole


@pytest.mark.parametrize("edge", list(Edge))
def test_fanned_pages_show_the_whole_seal(edge: Edge) -> None:
    from PIL import ImageChops

    made = sealed(
        contract(4, rotate=(0, 90, 180, 270) if edge is Edge.RIGHT else (0,), media=b"0 0 600 600"),
        AcrossEdges(edge=edge, offset_mm=80),
    )
    whole = _fanned(made, [1, 2, 3, 4], edge)
    single = sealed(
        contract(1, media=b"0 0 600 600"),
        AtPosition(1, 20, 80) if edge in (Edge.LEFT, Edge.RIGHT) else AtPosition(1, 80, 20),
    )
    document = pypdfium2.PdfDocument(single)
    document.init_forms()
    wanted = document[0].render(scale=4).to_pil().convert("RGB")
    side = round(42 * MM * 4)
    start = (
        (round(20 * MM * 4), round(80 * MM * 4))
        if edge in (Edge.LEFT, Edge.RIGHT)
        else (round(80 * MM * 4), round(20 * MM * 4))
    )
    reference = wanted.crop((*start, start[0] + side, start[1] + side))
    place = (0, round(80 * MM * 4)) if edge in (Edge.LEFT, Edge.RIGHT) else (round(80 * MM * 4), 0)
    shown = whole.crop((*place, place[0] + side, place[1] + side))
    wrong = ImageChops.difference(reference, shown).convert("L").point(lambda v: 255 if v > 120 else 0)
    assert wrong.histogram()[255] < 0.02 * side * side


def test_a_long_run_is_cut_into_groups_of_nearly_one_size() -> None:
    made = sealed(contract(45), AcrossEdges(most=20))
    slices = {round(_marks(made, page)[2] - _marks(made, page)[0], 0) for page in (2, 17, 33)}  # type: ignore[index]
    assert slices <= {2.0, 3.0}  # 15 pages each: 42 / 15 mm
    verdict = assert_good(made, 1)
    assert verdict.signatures[0].covers_whole_file
    assert_pyhanko(made, 1)


def test_the_fronts_of_sheets_alone_can_be_sealed() -> None:
    made = sealed(contract(7), AcrossEdges(step=2))
    assert [p for p in range(1, 8) if _marks(made, p) is not None] == [1, 3, 5, 7]


def test_slices_of_a_first_seal_are_content_and_leave_one_widget() -> None:
    made = sealed(contract(6), AcrossEdges())
    assert made.count(b"/Subtype /Widget") == 1
    assert_good(made, 1)


def test_a_second_party_seals_across_the_edges_as_well() -> None:
    """Its slices are widgets of its one field: all that the first party's signature bears."""
    first = sealed(contract(6), AcrossEdges(offset_mm=20), AtPosition(1, 15, 80))
    second = sealed(first, AcrossEdges(offset_mm=150), AtPosition(1, 100, 80))
    verdict = assert_good(second, 2)
    assert [s.field for s in verdict.signatures] == ["Seal1", "Seal2"]
    assert_pyhanko(second, 2, levels={"NONE", "FORM_FILLING"})


def test_content_that_leaves_states_open_does_not_move_the_slices() -> None:
    plain = _marks(sealed(contract(2), AcrossEdges()), 2)
    for content in (
        b"q 0.5 0 0 0.5 50 50 cm",
        b"q q 2 0 0 2 0 0 cm (a \\) Q Q) Tj",
        b"Q Q",
        b"% q q q\n<</A(q)>> BI /W 1 ID q Q EI",
    ):
        assert _marks(sealed(contract(2, content=content), AcrossEdges()), 2) == plain, content


# --- shapes of files ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("style", ["table", "stream", "packed", "hybrid"])
def test_every_shape_of_file_is_sealed_twice(style: str, tmp_path: Path) -> None:
    pdf = contract(2, style=style)
    first = sealed(pdf, NO_TEXT)
    assert first.startswith(pdf)
    second = sealed(first, AtPosition(2, 15, 80), baseline=Baseline.B_T, stamp=shared_pki("p256").tsa().at(AT))
    assert second.startswith(first)
    assert_good(second, 2)
    assert_pyhanko(second, 2, levels={"NONE", "FORM_FILLING"})
    if shutil.which("qpdf"):
        (tmp_path / "a.pdf").write_bytes(second)
        done = subprocess.run(["qpdf", "--check", "a.pdf"], cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("style", ["table", "stream", "packed"])
def test_a_form_with_fields_keeps_them(style: str) -> None:
    made = sealed(invoice(style).write(), AtPosition(2, 20, 100))
    assert_good(made, 1)
    reader = PdfFileReader(io.BytesIO(made))
    names = {str(f.get_object()["/T"]) for f in reader.root["/AcroForm"]["/Fields"]}
    assert {"Sig1", "Sig2", "payee", "agree", "logo", "Seal1"} == names


def test_what_others_signed_stays_good() -> None:
    made = sealed(base("approval").pdf, AtPosition(2, 20, 100))
    assert_good(made, 2, but={"SIGNED_IN_FUTURE"})
    assert_pyhanko(made, 1, levels={"NONE", "FORM_FILLING"})


def test_an_empty_field_of_the_document_is_sealed_in_its_place() -> None:
    field = b"<< /Type /Annot /Subtype /Widget /FT /Sig /T (Sig2) /F 4 /P 20 0 R /Rect [300 60 440 190] >>"
    pdf = contract(catalog=b"/AcroForm << /Fields [5 0 R] >>", page=b"/Annots [5 0 R]", extra=(field,))
    made = seal_document(pdf, order(field="Sig2"))
    assert near(_marks(made, 1), (370 / MM - 21, (842 - 125) / MM - 21, 370 / MM + 21, (842 - 125) / MM + 21), 2)
    assert_good(made, 1)


def test_four_seals_of_both_kinds_follow_each_other() -> None:
    made = contract(4)
    for number, page in enumerate((1, 2, 3, 4), 1):
        pki = shared_pki("p256")
        levels = (Baseline.B_B, Baseline.B_T, Baseline.B_LT, Baseline.B_LTA)
        made = sealed(
            made,
            AtPosition(page, 15, 80),
            baseline=levels[number - 1],
            stamp=pki.tsa().at(AT),
            validation=validation_data(pki),
            reason=f"第{number}方签章",
        )
    verdict = judged(made)
    assert verdict.integrity is Integrity.INTACT
    assert verdict.conclusion is Conclusion.VALID
    assert [s.format for s in verdict.signatures if s.format.startswith("PAdES")].count("PAdES-B-LTA") == 4
    assert_pyhanko(made, 4, levels={"NONE", "FORM_FILLING", "LTA_UPDATES"})


def test_pdfsig_finds_every_seal_valid(tmp_path: Path) -> None:
    if not shutil.which("pdfsig"):
        pytest.skip("pdfsig is not installed")
    made = sealed(sealed(contract(5), AcrossEdges(), NO_TEXT), AtPosition(3, 15, 80))
    (tmp_path / "a.pdf").write_bytes(made)
    command = ["pdfsig", "-nocert", "a.pdf"]
    said = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False).stdout
    assert said.count("Signature Validation: Signature is Valid") == 2
    assert said.count("Total document signed") == 1


# --- licenses with several seals ------------------------------------------------------------------------------------


def reserved() -> bytes:
    fields = (
        Reserved("First", AtPosition(1, 15, 80), (44, 44)),
        Reserved("Second", AtPosition(1, 70, 80), (44, 44)),
        Reserved("Third", AtPosition(1, 125, 80), (44, 44), lock=True),
    )
    return reserve_fields(contract(2), fields)


def test_the_first_of_several_seals_certifies_and_the_last_locks() -> None:
    made = seal_document(reserved(), order(field="First", permission=2))
    made = seal_document(made, order(field="Second"))
    made = seal_document(
        made,
        order(
            field="Third",
            baseline=Baseline.B_LT,
            stamp=shared_pki("p256").tsa().at(AT),
            validation=validation_data(shared_pki("p256")),
        ),
    )
    assert_good(made, 3)
    assert_pyhanko(made, 3, levels={"NONE", "FORM_FILLING", "LTA_UPDATES"})
    assert near(_marks(made, 1), (16, 81, 168, 123), 2)
    for changes in ({"field": ""}, {"field": "Fourth"}):
        with pytest.raises(RefusedError, match="CHANGE_FORBIDDEN"):
            seal_document(made, order(**changes))


def test_a_certified_document_takes_seals_in_reserved_fields_only() -> None:
    made = seal_document(reserved(), order(field="First", permission=2))
    with pytest.raises(RefusedError, match="reserved"):
        sealed(made, AtPosition(2, 20, 100))
    with pytest.raises(RefusedError, match="certification must be its first"):
        seal_document(made, order(field="Second", permission=2))
    with pytest.raises(RefusedError, match="signed already"):
        seal_document(made, order(field="First"))


def test_a_reserved_field_that_is_too_small_for_the_seal_is_refused() -> None:
    small = reserve_fields(contract(), (Reserved("First", NO_TEXT, (30, 30)),))
    with pytest.raises(RefusedError, match="SEAL_BOX_TOO_SMALL"):
        seal_document(small, order(field="First"))


def test_a_lock_holds_without_a_certification() -> None:
    made = sealed(contract(), NO_TEXT, lock=True)
    assert_good(made, 1)
    with pytest.raises(RefusedError, match="CHANGE_FORBIDDEN"):
        sealed(made, AtPosition(1, 100, 80))


# --- what is refused ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["p1", "p1-stream"])
def test_a_certification_that_allows_no_change_is_respected(name: str) -> None:
    with pytest.raises(RefusedError, match="allows no change") as refused:
        sealed(base(name).pdf, AtPosition(2, 20, 100))
    assert refused.value.first.code == "CHANGE_FORBIDDEN"
    assert refused.value.first.remedy.zh


def test_a_locked_field_is_respected() -> None:
    lock = b"/Lock << /Type /SigFieldLock /Action /Include /Fields [(Sig2)] >>"
    sig1 = b"<< /Type /Annot /Subtype /Widget /FT /Sig /T (Sig1) /F 4 /P 3 0 R /Rect [60 60 200 110] %s >>" % lock
    signed = sign(invoice("table", sig1=sig1).write())
    with pytest.raises(RefusedError, match="has locked this field"):
        seal_document(signed, order(field="Sig2"))
    assert_good(sealed(signed, AtPosition(2, 20, 100)), 2, but={"SIGNED_IN_FUTURE"})


@pytest.mark.parametrize(
    ("placement", "code"),
    [
        (AtPosition(3, 10, 10), "PAGE_MISSING"),
        (AtPosition(0, 10, 10), "PAGE_MISSING"),
        (AtPosition(1, 190, 10), "SEAL_OFF_PAGE"),
        (AtPosition(1, -5, 10), "SEAL_OFF_PAGE"),
        (AtPosition(1, float("nan"), 10), "SEAL_OFF_PAGE"),
        (AtKeyword("乙方", 1), "KEYWORD_NOT_FOUND"),
        (AtKeyword("甲方盖章", 3), "KEYWORD_NOT_FOUND"),
        (AcrossEdges(1, 1), "TOO_FEW_PAGES"),
        (AcrossEdges(offset_mm=270), "SEAL_OFF_PAGE"),
    ],
)
def test_a_place_that_is_not_there_is_refused(placement: Placement, code: str) -> None:
    with pytest.raises(RefusedError, match=code):
        sealed(contract(2), placement)


def test_files_that_cannot_be_sealed_are_refused_with_the_reason() -> None:
    from pyhanko.pdf_utils.writer import copy_into_new_writer

    writer = copy_into_new_writer(PdfFileReader(io.BytesIO(contract())))
    writer.encrypt("owner", "")
    out = io.BytesIO()
    writer.write(out)
    whole = contract(2)
    cases = {
        "PDF_ENCRYPTED": out.getvalue(),
        "PDF_XFA": contract(catalog=b"/AcroForm << /Fields [] /XFA [(template) 4 0 R] >>"),
    }
    for code, pdf in cases.items():
        with pytest.raises(RefusedError, match=code):
            sealed(pdf, NO_TEXT)
    broken = [
        b"",
        b"%PDF-1.7\n",
        whole[: len(whole) // 2],
        whole.replace(b"startxref", b"startxxxx"),
        b"PK\x03\x04" * 50,
    ]
    broken += [
        whole.replace(b"/Type /Pages /Kids [20 0 R", b"/Type /Pages /Kids [ 2 0 R"),
        whole.replace(b"/Pages 2 0 R", b"/Pages 7 0 R"),
    ]
    for pdf in broken:
        with pytest.raises(RefusedError, match="PDF_BROKEN"):
            sealed(pdf, NO_TEXT)


@pytest.mark.parametrize("data", [b"", b"GIF89a", png()[:60], b"\x89PNG\r\n\x1a\n" + b"\0" * 100])
def test_a_picture_that_is_none_is_refused(data: bytes) -> None:
    with pytest.raises(RefusedError, match="BAD_SEAL_PICTURE"):
        sealed(contract(), NO_TEXT, picture=PngPicture(data, 40, 40))


# --- files on disk --------------------------------------------------------------------------------------------------


def test_a_file_is_sealed_beside_itself_with_progress(tmp_path: Path) -> None:
    source, target = tmp_path / "contract.pdf", tmp_path / "sealed.pdf"
    source.write_bytes(contract(30))
    stages: list[str] = []

    def progress(stage: str, done: int, total: int) -> None:
        assert 0 <= done <= total
        stages.append(stage)

    seal_file(source, target, order(AtKeyword("甲方盖章", 1, right_mm=60), AcrossEdges()), progress)
    assert target.read_bytes().startswith(source.read_bytes())
    assert_good(target.read_bytes(), 1)
    assert {"copy", "pages", "hash", "sign"} <= set(stages)
    assert {p.name for p in tmp_path.iterdir()} == {"contract.pdf", "sealed.pdf"}


def test_a_refused_file_leaves_nothing_behind(tmp_path: Path) -> None:
    source = tmp_path / "broken.pdf"
    source.write_bytes(b"%PDF-1.7\nnothing")
    with pytest.raises(RefusedError):
        seal_file(source, tmp_path / "sealed.pdf", order(NO_TEXT))
    assert [p.name for p in tmp_path.iterdir()] == ["broken.pdf"]


def test_a_file_may_be_sealed_onto_itself(tmp_path: Path) -> None:
    source = tmp_path / "contract.pdf"
    source.write_bytes(contract(2))
    seal_file(source, source, order(NO_TEXT))
    seal_file(source, source, order(AtPosition(2, 15, 80)))
    assert_good(source.read_bytes(), 2)


def test_updates_that_were_written_are_read_back() -> None:
    """What an updater wrote is what it gives afterwards, so that several updates follow each other."""
    updater = PdfUpdater(contract())
    from signing.formats.pdf_update import dictionary, text

    place = updater.new_reference()
    made = dictionary({"/A": updater.catalog_reference})
    update, _ = updater.append({place: made})
    updater.accept(update)
    assert updater.resolve(place) is made
    assert text("甲").startswith(b"<FEFF")


def test_the_profiles_need_what_they_need() -> None:
    from signing.errors import SigningError

    with pytest.raises(SigningError, match="seal structure"):
        sealed(contract(), NO_TEXT, profile=Profile.SES)
    with pytest.raises(SigningError, match="timestamp authority"):
        sealed(contract(), NO_TEXT, baseline=Baseline.B_T)
    with pytest.raises(RefusedError, match="SEAL_PICTURE_MISSING"):
        sealed(contract(), NO_TEXT, picture=None)


def test_an_invisible_seal_may_follow_a_certification() -> None:
    made = sealed(seal_document(reserved(), order(field="First", permission=2)))
    assert_good(made, 2)
    assert_pyhanko(made, 2, levels={"NONE", "FORM_FILLING", "LTA_UPDATES"})


# --- seals over print -----------------------------------------------------------------------------------------------

OVER_TEXT = AtPosition(1, 22, 20)
"""A place where the contract prints its title and its parties."""


@pytest.mark.parametrize("kind", ["vector", "png", "drawn"])
def test_a_later_seal_over_print_is_ink_and_raises_no_doubt(kind: str) -> None:
    from templates.seals import SealArt, draw_seal

    art = draw_seal(SealArt("示例市示例区市场监督管理局", "official", "", 42.0))
    pictures = {"vector": SEAL, "png": PngPicture(png(300), 42, 42), "drawn": VectorPicture(art.deflated, 42, 42)}
    first = sealed(contract(4), NO_TEXT)
    made = sealed(first, OVER_TEXT, AcrossEdges(), picture=pictures[kind])
    assert_good(made, 2)
    assert_pyhanko(made, 2)


@pytest.mark.parametrize(
    "drawing",
    [
        b"0.83 0.07 0.09 rg 0 0 99 99 re f",
        b"q /Ink gs 0 0 0 rg 0 0 99 99 re f Q",
        b"q /Ink gs 0.4 g 0 0 99 99 re f Q",
        b"q /Ink gs 0.83 0.07 0.09 rg 0 0 9 9 re f Q 1 1 1 rg 0 0 99 99 re f",
        b"q /Ink gs 0.83 0.07 0.09 rg BT (9) Tj ET Q",
        b"q /Ink gs 0.1 0.9 0.9 0.9 k 0 0 99 99 re f Q",
        b"q /Ink gs /Pattern cs /P scn 0 0 99 99 re f Q",
        b"q /Ink gs 0 0 99 99 re f Q",
    ],
)
def test_paint_over_print_stays_a_doubt(drawing: bytes) -> None:
    first = sealed(contract(), NO_TEXT)
    made = sealed(first, OVER_TEXT, picture=VectorPicture(deflated(drawing), 42, 42))
    verdict = judged(made)
    assert verdict.integrity is Integrity.INTACT
    assert "LATER_ADDITION" in verdict.codes()


def test_a_picture_with_black_in_it_over_print_stays_a_doubt() -> None:
    from PIL import Image

    out = io.BytesIO()
    image = Image.open(io.BytesIO(png(200))).convert("RGBA")
    image.putpixel((100, 150), (20, 20, 20, 255))
    image.save(out, "PNG")
    made = sealed(sealed(contract(), NO_TEXT), OVER_TEXT, picture=PngPicture(out.getvalue(), 42, 42))
    assert "LATER_ADDITION" in judged(made).codes()


@pytest.mark.parametrize("suite", ["sm2", "rsa3072"])
def test_other_suites_seal_in_both_profiles(suite: str, tmp_path: Path) -> None:
    pki = shared_pki(suite)
    own = instrument(make(suite=suite), suite)
    wanted = order(NO_TEXT, AcrossEdges(), picture=None, instrument=own, profile=Profile.BOTH)
    wanted = replace(
        wanted, baseline=Baseline.B_LT, stamp=pki.tsa().at(AT), validation=validation_data(pki), reason="合同签章"
    )
    source, target = tmp_path / "a.pdf", tmp_path / "b.pdf"
    source.write_bytes(contract(4))
    seal_file(source, target, wanted)
    verdict = judged(target.read_bytes(), suite=suite)
    assert verdict.conclusion is Conclusion.VALID, verdict.findings
    assert [(s.format, s.time_source) for s in verdict.signatures] == [
        ("ses-v4", "timestamp"),
        ("PAdES-B-LT", "timestamp"),
    ]
    if suite == "sm2":
        assert b"\x06\x08\x2a\x81\x1c\xcf\x55\x01\x83\x75".hex().encode() in target.read_bytes()
