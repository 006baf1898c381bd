"""Rehearsals: they refuse what sealing refuses, without a key, and change nothing."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from signing.errors import SigningError
from signing.formats import seal_document as sealing
from signing.formats.pades import Baseline
from signing.formats.placement import AcrossEdges, AtKeyword, AtPosition, InBox
from signing.formats.seal_document import (
    Profile,
    Reserved,
    SealOrder,
    keyless,
    rehearse,
    reserve_fields,
    seal_document,
    seal_file,
    settled,
)
from signing.formats.seal_look import PngPicture
from tests.support.contracts import contract
from tests.support.sealed import validation_data
from tests.support.sealing import NO_TEXT, instrument, judged, make, order, sealed
from tests.support.signing_pki import AT, shared_pki
from verify.formats.refusal import RefusedError
from verify.verdict import Integrity


def complete(profile: Profile, baseline: Baseline, *placements: object) -> SealOrder:
    """An order with everything, also what follows the signature."""
    seal = make() if profile is not Profile.PADES else None
    return order(
        *placements,  # type: ignore[arg-type]
        instrument=instrument(seal),
        profile=profile,
        baseline=baseline,
        stamp=shared_pki("p256").tsa().at(AT) if baseline is not Baseline.B_B else None,
        validation=validation_data(shared_pki("p256")) if baseline in (Baseline.B_LT, Baseline.B_LTA) else None,
    )


@pytest.mark.parametrize("style", ["table", "stream", "packed", "hybrid"])
@pytest.mark.parametrize("profile", list(Profile))
def test_what_a_rehearsal_lets_pass_is_sealed(style: str, profile: Profile, tmp_path: Path) -> None:
    """In memory and from file to file, twice in one document, keywords found once."""
    pdf = contract(3, style=style)
    wanted = complete(profile, Baseline.B_LTA, AtKeyword("甲方盖章", 2), AcrossEdges())
    found = rehearse(pdf, pickle.loads(pickle.dumps(keyless(wanted))))  # noqa: S301 - our own
    assert [page for page, _ in found["甲方盖章"]] == [1, 2, 3]
    plan = settled(wanted, found)
    assert [type(p) for p in plan.placements] == [InBox, AcrossEdges]
    first = seal_document(pdf, plan)
    verdict = judged(first)
    assert verdict.integrity is Integrity.INTACT, verdict.findings
    assert len(verdict.signatures) == {Profile.PADES: 2, Profile.SES: 2, Profile.BOTH: 3}[profile]  # one is a timestamp
    source, target = tmp_path / "a.pdf", tmp_path / "b.pdf"
    source.write_bytes(first)
    assert rehearse(source, wanted).keys() == found.keys()
    assert source.read_bytes() == first
    again = order(NO_TEXT)
    rehearse(source, again)
    seal_file(source, target, again)
    assert target.read_bytes().startswith(first)


def _certified() -> bytes:
    return sealed(contract(2), NO_TEXT, permission=1)


def _small_field() -> bytes:
    return reserve_fields(contract(2), [Reserved("Small", AtPosition(1, 10, 10), (20, 20))])


REFUSED: dict[str, tuple[Callable[[], bytes], SealOrder]] = {
    "PDF_BROKEN": (lambda: b"%PDF-1.7\nnothing", order(NO_TEXT)),
    "PAGE_MISSING": (lambda: contract(2), order(AtPosition(9, 10, 10))),
    "SEAL_OFF_PAGE": (lambda: contract(2), order(AtPosition(1, 300, 10))),
    "TOO_FEW_PAGES": (lambda: contract(1), order(AcrossEdges())),
    "KEYWORD_NOT_FOUND": (lambda: contract(1), order(AtKeyword("乙方"))),
    "CHANGE_FORBIDDEN": (_certified, order(NO_TEXT)),
    "BAD_FIELD": (lambda: contract(1), order(NO_TEXT, field="a.b")),
    "SEAL_BOX_TOO_SMALL": (_small_field, order(field="Small")),
    "PDF_XFA": (lambda: contract(1, catalog=b"/AcroForm << /Fields [] /XFA (x) >>"), order(NO_TEXT)),
    "BAD_SEAL_PICTURE": (lambda: contract(1), order(NO_TEXT, picture=PngPicture(b"GIF89a", 42, 42))),
    "SEAL_FORMAT": (lambda: contract(1), order(NO_TEXT, profile=Profile.SES, instrument=instrument(b"0"))),
    "SEAL_VALIDITY": (
        lambda: contract(1),
        order(NO_TEXT, profile=Profile.SES, instrument=instrument(make(valid_to=AT - timedelta(seconds=1)))),
    ),
    "SIGNER_NOT_IN_SEAL": (
        lambda: contract(1),
        order(NO_TEXT, profile=Profile.SES, instrument=instrument(make(signers=(instrument().chain[0],)))),
    ),
}


@pytest.mark.parametrize("code", REFUSED)
def test_a_rehearsal_refuses_what_sealing_refuses(code: str) -> None:
    made, wanted = REFUSED[code]
    pdf = made()
    with pytest.raises(RefusedError) as rehearsed:
        settled(wanted, rehearse(pdf, keyless(wanted)))
    with pytest.raises(RefusedError) as really:
        seal_document(pdf, wanted)
    assert rehearsed.value.refusals == really.value.refusals
    assert rehearsed.value.first.code == code


@pytest.mark.parametrize(
    "catalog",
    [
        b"/DSS << /Certs [4 0 R] >>",
        b"/DSS << /Certs 7 >>",
        b"/DSS [1]",
        b"/AcroForm << /Fields [<< /FT /Sig /T (F) /Rect [(a) /b null 4] >>] >>",
    ],
)
def test_what_a_file_contradicts_is_its_own_fault(catalog: bytes) -> None:
    """What sealing itself may stumble over, a rehearsal refuses; nothing else comes out of it."""
    pdf = contract(2, catalog=catalog)
    wanted = complete(Profile.PADES, Baseline.B_LT, NO_TEXT)
    fault = None
    try:
        rehearse(pdf, wanted)
    except RefusedError as error:
        fault = error.first.code
    assert fault in (None, "PDF_BROKEN")
    if fault is None:
        seal_document(pdf, wanted)


def test_an_order_without_a_key_seals_nothing(tmp_path: Path) -> None:
    source = tmp_path / "a.pdf"
    source.write_bytes(contract())
    without = keyless(order(NO_TEXT))
    with pytest.raises(SigningError, match="only be rehearsed"):
        seal_document(source.read_bytes(), without)
    with pytest.raises(SigningError, match="only be rehearsed"):
        seal_file(source, tmp_path / "b.pdf", without)
    assert list(tmp_path.iterdir()) == [source]


def test_a_rehearsal_of_a_large_file_reads_little_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is hashed, and of a file only what the update needs is read."""
    source = tmp_path / "large.pdf"
    source.write_bytes(contract(40, extra=[b"<< /Length 30000000 >>\nstream\n" + bytes(30_000_000) + b"\nendstream"]))
    read = 0

    class Counting(sealing.TrialBody):
        def __init__(self, base: object) -> None:
            class Base:
                def __getattr__(self, name: str) -> object:
                    return getattr(base, name)

                def read(self, size: int = -1) -> bytes:
                    nonlocal read
                    data: bytes = base.read(size)  # type: ignore[attr-defined]
                    read += len(data)
                    return data

            super().__init__(Base())  # type: ignore[arg-type]

    monkeypatch.setattr(sealing, "TrialBody", Counting)
    rehearse(source, order(AcrossEdges()))
    assert 0 < read < 1_000_000
