"""What cannot be sealed uses up no permit: it is refused first, and the same permit then seals the right way."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from certvault.bootstrap import LOCAL_OPERATOR, InitOptions, Vault, create_vault
from certvault.clock import FixedClock
from certvault.errors import ConcurrentChangeError, ConflictError
from certvault.model.sealrules import SealRules
from certvault.sealart import Extras
from certvault.sealfiles import Way
from certvault.sealrecords import life_of
from certvault.seals import Wanted
from signing.formats.pades import Baseline
from signing.formats.placement import AcrossEdges, AtKeyword, AtPosition
from signing.formats.seal_document import Found, Profile, SealOrder, rehearse
from tests.conftest import NOW
from tests.support.contracts import contract
from tests.support.sealing import NO_TEXT, make, sealed
from verify.formats.refusal import RefusedError
from verify.formats.seal import unverified_seal

OP = LOCAL_OPERATOR
HERE = Way(placements=(AtPosition(1, 15, 80),), baseline=Baseline.B_B)
BESIDE = Way(detached=True, baseline=Baseline.B_B)


@pytest.fixture(scope="module")
def vault(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Vault]:
    options = InitOptions(folder=tmp_path_factory.mktemp("rehearsals") / "vault", keys="file")
    with create_vault(options, clock=FixedClock(NOW)) as made:
        yield made


@pytest.fixture(scope="module")
def seal(vault: Vault) -> str:
    return active(vault)


def active(vault: Vault, rules: SealRules | None = None) -> str:
    """A finance seal in use."""
    seal_id = vault.seals.apply("finance", actor=OP, wanted=Wanted(rules=rules)).seal.id
    for step in (vault.seals.approve, vault.seals.make, vault.seals.activate):
        step(seal_id, OP)
    return seal_id


def permitted(vault: Vault, seal_id: str, data: bytes) -> str:
    return vault.seal_uses.permit(seal_id, [hashlib.sha256(data).hexdigest()], purpose="letter", actor=OP)[0].id


def lines(vault: Vault, seal_id: str) -> int:
    """Permits, uses and lines of the audit about a seal."""
    told = vault.audit.entries(OP, about=f"seal:{seal_id}").items
    return len(told) + len(vault.seal_uses.uses(seal_id, OP)) + len(vault.seal_uses.permits(seal_id, OP))


def seals_with(vault: Vault, seal_id: str, data: bytes, way: Way, permit: str) -> None:
    _, use = vault.seal_files.seal_bytes(seal_id, data, way, actor=OP, permit=permit)
    assert use.permit_id == permit
    with pytest.raises(ConflictError, match="PERMIT_USED"):
        vault.seal_files.seal_bytes(seal_id, data, way, actor=OP, permit=permit)


def encrypted() -> bytes:
    import io

    from pyhanko.pdf_utils.reader import PdfFileReader
    from pyhanko.pdf_utils.writer import copy_into_new_writer

    writer = copy_into_new_writer(PdfFileReader(io.BytesIO(contract())))
    writer.encrypt("owner", "")
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


CASES: dict[str, tuple[Callable[[], bytes], Way, Way]] = {
    "PDF_BROKEN": (lambda: b"%PDF-1.7\nno document at all", HERE, BESIDE),
    "PDF_ENCRYPTED": (encrypted, HERE, BESIDE),
    "PAGE_MISSING": (lambda: contract(2), replace(HERE, placements=(AtPosition(9, 1, 1),)), HERE),
    "SEAL_OFF_PAGE": (lambda: contract(3), replace(HERE, placements=(AtPosition(1, 300, 1),)), HERE),
    "TOO_FEW_PAGES": (lambda: contract(1), replace(HERE, placements=(AcrossEdges(),)), HERE),
    "KEYWORD_NOT_FOUND": (
        lambda: contract(4),
        replace(HERE, placements=(AtKeyword("乙方盖章"),)),
        replace(HERE, placements=(AtKeyword("甲方盖章"),)),
    ),
    "CHANGE_FORBIDDEN": (lambda: sealed(contract(2), NO_TEXT, permission=1), HERE, BESIDE),
    "BAD_FIELD": (lambda: contract(5), replace(HERE, field="a.b"), replace(HERE, field="ab")),
    "SEAL_OPTION": (lambda: contract(6), replace(HERE, permission=9), replace(HERE, permission=2)),
}


@pytest.mark.parametrize("code", CASES)
def test_a_refused_file_leaves_the_permit_unused(vault: Vault, seal: str, tmp_path: Path, code: str) -> None:
    build, wrong, right = CASES[code]
    data = build()
    permit = permitted(vault, seal, data)
    before = lines(vault, seal)
    source = tmp_path / "a.pdf"
    source.write_bytes(data)
    for given in (permit, None):
        with pytest.raises(RefusedError, match=code):
            vault.seal_files.seal_bytes(seal, data, wrong, actor=OP, permit=given)
        with pytest.raises(RefusedError, match=code):
            vault.seal_files.seal_path(seal, source, tmp_path / "b.pdf", wrong, actor=OP, permit=given)
    assert list(tmp_path.iterdir()) == [source]
    assert lines(vault, seal) == before
    seals_with(vault, seal, data, right, permit)


@pytest.mark.parametrize("detached", [False, True])
@pytest.mark.parametrize("fault", ["SEAL_VALIDITY", "SIGNER_NOT_IN_SEAL", "SEAL_FORMAT"])
def test_a_seal_structure_that_does_not_hold_leaves_the_permit_unused(
    vault: Vault, tmp_path: Path, fault: str, detached: bool
) -> None:
    seal_id, data = active(vault), contract(2)
    good = vault.seal_standings.structure(seal_id)
    own, old = (vault.seal_uses.hand(seal_id).certificate,), NOW - timedelta(days=9)
    bad = {
        "SEAL_VALIDITY": make(signers=own, created=old, valid_from=old, valid_to=NOW - timedelta(days=1)),
        "SIGNER_NOT_IN_SEAL": make(),
        "SEAL_FORMAT": b"0",
    }[fault]
    assert unverified_seal(good).seal_id == seal_id
    permit = permitted(vault, seal_id, data)
    _kept(vault, seal_id, structure=bad)
    before = lines(vault, seal_id)
    way = replace(BESIDE if detached else HERE, profile=Profile.SES)
    with pytest.raises(RefusedError, match=fault):
        vault.seal_files.seal_bytes(seal_id, data, way, actor=OP, permit=permit)
    source = tmp_path / "a.pdf"
    source.write_bytes(data)
    with pytest.raises(RefusedError, match=fault):
        vault.seal_files.seal_path(seal_id, source, tmp_path / "b", way, actor=OP, permit=permit)
    assert lines(vault, seal_id) == before
    _kept(vault, seal_id, structure=good)
    seals_with(vault, seal_id, data, way, permit)


def test_an_own_picture_that_cannot_be_drawn_leaves_the_permit_unused(vault: Vault) -> None:
    seal_id, data = active(vault), contract(2)
    permit = permitted(vault, seal_id, data)
    _kept(vault, seal_id, face=Extras(picture=b"no picture").sealed(vault.seal_files._cipher, seal_id))
    before = lines(vault, seal_id)
    with pytest.raises(RefusedError):
        vault.seal_files.seal_bytes(seal_id, data, HERE, actor=OP, permit=permit)
    assert lines(vault, seal_id) == before
    _kept(vault, seal_id, face=None)
    seals_with(vault, seal_id, data, HERE, permit)


def test_rules_and_leave_come_before_the_file_is_read(vault: Vault) -> None:
    """Who may not use the seal learns nothing of the file, and costs nothing."""

    def never(_data: bytes, _order: SealOrder) -> Found:
        raise AssertionError("the file was read")

    limited, data = active(vault, SealRules(max_uses=1)), contract(2)
    first, second = permitted(vault, limited, data), permitted(vault, limited, data)
    other = permitted(vault, limited, b"other bytes")
    use = vault.seal_files.seal_bytes

    def refused(code: str, permit: str | None, **given: str) -> None:
        with pytest.raises(RefusedError, match=code):
            use(limited, data, HERE, actor=OP, permit=permit, rehearsal=never, **given)

    refused("NOT_FOUND", "0" * 32)
    refused("PERMIT_DIGEST", other)
    refused("SEAL_OPTION", None, purpose="two words")
    refused("SEAL_OPTION", None, purpose="license")
    use(limited, data, HERE, actor=OP, permit=first)
    refused("PERMIT_USED", first)
    refused("SEAL_RULE", second)
    vault.seal_uses.cancel(second, OP)
    refused("PERMIT_CANCELLED", second)
    vault.seals.suspend(limited, OP, "lost")
    refused("SEAL_SUSPENDED", None)


def test_another_edition_put_to_work_meanwhile_leaves_the_permit_unused(vault: Vault) -> None:
    """What was rehearsed is what is sealed; the next attempt rehearses the new edition."""
    seal_id, data = active(vault), contract(2)
    permit = permitted(vault, seal_id, data)

    def slowly(pdf: bytes, order: SealOrder) -> Found:
        vault.seals.change(seal_id, actor=OP, wanted=Wanted(diameter_mm=40))
        for step in (vault.seals.approve, vault.seals.make, vault.seals.activate):
            step(seal_id, OP)
        return rehearse(pdf, order)

    with pytest.raises(ConcurrentChangeError):
        vault.seal_files.seal_bytes(seal_id, data, HERE, actor=OP, permit=permit, rehearsal=slowly)
    assert vault.seal_uses.uses(seal_id, OP) == []
    seals_with(vault, seal_id, data, HERE, permit)
    assert vault.seal_uses.uses(seal_id, OP)[0].seal_version == 2


def _kept(vault: Vault, seal_id: str, **changes: object) -> None:
    """Change what the database keeps of the seal's edition at work."""
    with vault._database.writing() as uow:
        edition = life_of(uow, seal_id).at_work
        assert edition is not None
        uow.seal_versions.save_all([replace(edition, **changes)], ())  # type: ignore[arg-type]
