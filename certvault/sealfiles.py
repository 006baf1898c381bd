"""Sealing documents and files: rehearse, redeem a permit for their exact bytes, then sign.

A PDF gets the seal's picture and a signature (PAdES, SES, or both); any file gets a detached signature: CMS (of
GB/T 35275 with SM2), or SES_Signature. What is sealed is a private copy, hashed while it is made, so that nothing
changes between leave and signature. Everything that needs no key runs first, and refuses while the permit is unused.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

from certvault.cipher import Cipher
from certvault.clock import Clock
from certvault.db.unit_of_work import Database
from certvault.hands import Hand
from certvault.keyring import Keyring
from certvault.model.actor import Actor
from certvault.model.seal import Life, SealVersion
from certvault.model.work import SealUse
from certvault.pki import Pki
from certvault.sealart import Extras, art_of, uploaded
from certvault.sealing import Sealing
from certvault.sealstanding import SealStandings
from certvault.sealuses import SealUses
from signing.formats.detached import DetachedForm, check_instrument, seal_digest
from signing.formats.keyless import Keyless
from signing.formats.pades import Baseline
from signing.formats.pdf_body import Progress, silent
from signing.formats.pdf_form import NO_CHANGE
from signing.formats.pdf_signature import PERMISSIONS
from signing.formats.placement import Placement
from signing.formats.seal_document import (
    Found,
    Instrument,
    Profile,
    SealOrder,
    rehearse,
    seal_document,
    seal_file,
    settled,
)
from signing.formats.seal_look import Picture, PngPicture, VectorPicture
from signing.keys import KeyPurpose
from templates.seals import draw_seal
from templates.typesetting import MM
from verify.formats.refusal import refuse

Rehearsal = Callable[[bytes, SealOrder], Found]
"""Tries an order without a key on a PDF before its permit is redeemed, like
:func:`signing.formats.seal_document.rehearse`: a service lets a process of its own do it."""

DOCUMENT = "document"
_PIECE = 1 << 20


@dataclass(frozen=True, slots=True)
class Way:
    """How to seal. ``detached``: a signature beside the file, which may be any; else the file is a PDF.

    ``field``, ``permission`` and ``lock`` are as in :class:`signing.formats.seal_document.SealOrder`.
    """

    profile: Profile = Profile.PADES
    detached: bool = False
    placements: tuple[Placement, ...] = ()
    baseline: Baseline = Baseline.B_LT
    field: str = ""
    permission: int | None = None
    lock: bool = False
    reason: str = ""


@dataclass(frozen=True, slots=True)
class _Asked:
    """One use that is asked for."""

    seal_id: str
    digest: str
    actor: Actor
    permit: str | None
    purpose: str


class SealFiles:
    """Uses seals on files and documents in memory."""

    def __init__(
        self,
        database: Database,
        cipher: Cipher,
        keyring: Keyring,
        pki: Pki,
        uses: SealUses,
        standings: SealStandings,
        sealing: Sealing,
        clock: Clock,
    ) -> None:
        self._database = database
        self._cipher = cipher
        self._keyring = keyring
        self._pki = pki
        self._uses = uses
        self._standings = standings
        self._sealing = sealing
        self._clock = clock

    def seal_bytes(
        self,
        seal_id: str,
        data: bytes,
        way: Way,
        *,
        actor: Actor,
        permit: str | None = None,
        purpose: str = DOCUMENT,
        rehearsal: Rehearsal = rehearse,
    ) -> tuple[bytes, SealUse]:
        """The sealed PDF, or the detached signature.

        Without ``permit`` the caller gives one to themselves, where they may. Raises the refusals of
        :class:`certvault.sealuses.SealUses` and of :func:`signing.formats.seal_document.seal_document`; after none of
        them is the permit used.
        """
        self._check(way)
        asked = _Asked(seal_id, hashlib.sha256(data).hexdigest(), actor, permit, purpose)
        known, edition = self._ready(asked)
        if way.detached:
            instrument = self._instrument(known, edition, way)
            use, hand = self._redeem(asked, edition)
            digest = hashlib.new(hand.signer.handle.algorithm.hash, data).digest()
            return self._detached(instrument, hand, digest, way), use
        plan = self._order(known, edition, way)
        plan = settled(plan, rehearsal(data, plan))
        use, hand = self._redeem(asked, edition)
        return seal_document(data, self._keyed(plan, hand)), use

    def seal_path(
        self,
        seal_id: str,
        source: Path,
        target: Path,
        way: Way,
        *,
        actor: Actor,
        permit: str | None = None,
        purpose: str = DOCUMENT,
        progress: Progress = silent,
    ) -> SealUse:
        """As :meth:`seal_bytes`, from file to file; a large one is never held in memory as a whole."""
        self._check(way)
        with _private_copy(source, target.parent) as (copy, digest):
            asked = _Asked(seal_id, digest, actor, permit, purpose)
            known, edition = self._ready(asked)
            if way.detached:
                instrument = self._instrument(known, edition, way)
                with copy.open("rb") as file:
                    value = _digest(file, instrument.signer.handle.algorithm.hash)
                use, hand = self._redeem(asked, edition)
                target.write_bytes(self._detached(instrument, hand, value, way))
            else:
                plan = self._order(known, edition, way)
                plan = settled(plan, rehearse(copy, plan))
                use, hand = self._redeem(asked, edition)
                seal_file(copy, target, self._keyed(plan, hand), progress)
        return use

    def _ready(self, asked: _Asked) -> tuple[Life, SealVersion]:
        """The seal and its edition, if the use would be let now."""
        return self._uses.ready(
            asked.seal_id, asked.digest, actor=asked.actor, purpose=asked.purpose, permit_id=asked.permit
        )

    def _redeem(self, asked: _Asked, edition: SealVersion) -> tuple[SealUse, Hand]:
        permit = asked.permit
        if permit is None:
            permit = self._uses.permit(asked.seal_id, [asked.digest], purpose=asked.purpose, actor=asked.actor)[0].id
        return self._uses.use(permit, asked.digest, actor=asked.actor, seal_id=asked.seal_id, edition=edition)

    def _check(self, way: Way) -> None:
        if way.permission not in (None, *PERMISSIONS) or (way.profile is Profile.BOTH and way.permission == NO_CHANGE):
            raise refuse(
                "SEAL_OPTION",
                "certify",
                "认证等级须为 1 至 3，两种格式并用时须为 2 或 3",
                "a certification is 1, 2 or 3, and 2 or 3 where both profiles are asked for",
                remedy_zh="请选择 2。",
                remedy_en="Choose 2.",
            )
        if way.detached and way.profile is Profile.BOTH:
            raise refuse(
                "SEAL_OPTION",
                "profile",
                "分离签名只能选一种格式",
                "a detached signature has one profile",
                remedy_zh="请选择 pades 或 ses。",
                remedy_en="Choose pades or ses.",
            )

    def _detached(self, instrument: Instrument, hand: Hand, digest: bytes, way: Way) -> bytes:
        at = self._clock.now()
        keyed = replace(instrument, signer=hand.signer)
        return seal_digest(digest, keyed, at=at, form=_form(way), stamp=self._pki.authority().at(at))

    def _instrument(self, known: Life, edition: SealVersion, way: Way) -> Instrument:
        """What will seal, without its key. RefusedError when it may not now."""
        hand = self._uses.hand_of(edition.key_id or "")
        structure = None
        if way.profile is not Profile.PADES:
            structure = self._standings.structure(known.seal.id, edition.version)
        made = Instrument(Keyless(hand.signer.handle), hand.certificate, hand.chain, structure)
        check_instrument(made, at=self._clock.now(), form=_form(way))
        return made

    def _order(self, known: Life, edition: SealVersion, way: Way) -> SealOrder:
        """The order, without a key. RefusedError when the seal allows none."""
        at = self._clock.now()
        instrument = self._instrument(known, edition, way)
        with self._database.reading() as view:
            owner = view.issuers.get(known.seal.owner)
        timed, proved = way.baseline is not Baseline.B_B, way.baseline in (Baseline.B_LT, Baseline.B_LTA)
        tsa = self._keyring.active(KeyPurpose.TSA)
        key = self._keyring.by_id(edition.key_id or "")
        return SealOrder(
            instrument=instrument,
            at=at,
            placements=way.placements,
            picture=self._picture(known, edition) if way.placements or way.field else None,
            field=way.field,
            profile=way.profile,
            baseline=way.baseline,
            stamp=self._pki.authority(tsa).at(at) if timed else None,
            validation=self._sealing.validation_for(key, tsa) if proved and key is not None else None,
            permission=way.permission,
            lock=way.lock,
            name=edition.name if owner is None else owner.name,
            reason=way.reason,
        )

    def _keyed(self, plan: SealOrder, hand: Hand) -> SealOrder:
        """The order as it was rehearsed, with its key, now."""
        at = self._clock.now()
        stamp = None if plan.stamp is None else self._pki.authority(self._keyring.active(KeyPurpose.TSA)).at(at)
        return replace(plan, at=at, stamp=stamp, instrument=replace(plan.instrument, signer=hand.signer))

    def _picture(self, known: Life, edition: SealVersion) -> Picture:
        extras = Extras.opened(self._cipher, edition)
        if extras.picture is not None:
            found = uploaded(known.seal.kind, edition.diameter_mm, extras)
            return PngPicture(found.png, found.width_mm, found.height_mm)
        drawn = draw_seal(art_of(known.seal.kind, known.seal.owner, edition.name, edition.diameter_mm, extras))
        return VectorPicture(drawn.deflated, drawn.width / MM, drawn.height / MM)


def _form(way: Way) -> DetachedForm:
    return DetachedForm.CMS if way.profile is Profile.PADES else DetachedForm.SES


@contextmanager
def _private_copy(source: Path, folder: Path) -> Iterator[tuple[Path, str]]:
    """A copy that nobody else may read, and its SHA-256 (hex)."""
    descriptor, name = tempfile.mkstemp(prefix=".to-seal-", dir=folder)
    try:
        digest = hashlib.sha256()
        with os.fdopen(descriptor, "wb") as copy, source.open("rb") as file:
            for piece in _pieces(file):
                digest.update(piece)
                copy.write(piece)
        yield Path(name), digest.hexdigest()
    finally:
        Path(name).unlink(missing_ok=True)


def _digest(file: BinaryIO, algorithm: str) -> bytes:
    value = hashlib.new(algorithm)
    for piece in _pieces(file):
        value.update(piece)
    return value.digest()


def _pieces(file: BinaryIO) -> Iterable[bytes]:
    return iter(lambda: file.read(_PIECE), b"")
