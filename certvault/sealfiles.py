"""Sealing documents and files: redeem a permit for their exact bytes, then sign.

A PDF gets the seal's picture and a signature (PAdES, SES, or both); any file gets a detached signature: CMS (of
GB/T 35275 with SM2), or SES_Signature. What is sealed is a private copy, hashed while it is made, so that nothing
changes between leave and signature.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
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
from certvault.sealrecords import life_of
from certvault.sealstanding import SealStandings
from certvault.sealuses import SealUses
from signing.formats.detached import DetachedForm, seal_digest
from signing.formats.pades import Baseline
from signing.formats.pdf_body import Progress, silent
from signing.formats.placement import Placement
from signing.formats.seal_document import Instrument, Profile, SealOrder, seal_document, seal_file
from signing.formats.seal_look import Picture, PngPicture, VectorPicture
from signing.keys import KeyPurpose
from templates.seals import draw_seal
from templates.typesetting import MM
from verify.formats.refusal import refuse

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
    ) -> tuple[bytes, SealUse]:
        """The sealed PDF, or the detached signature.

        Without ``permit`` the caller gives one to themselves, where they may. Raises the refusals of
        :class:`certvault.sealuses.SealUses` and of :func:`signing.formats.seal_document.seal_document`.
        """
        self._check(way)
        use, hand = self._redeem(seal_id, hashlib.sha256(data).hexdigest(), actor, permit, purpose)
        if way.detached:
            digest = hashlib.new(hand.signer.handle.algorithm.hash, data).digest()
            return self._detached(use, hand, digest, way), use
        return seal_document(data, self._order(use, hand, way)), use

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
            use, hand = self._redeem(seal_id, digest, actor, permit, purpose)
            if way.detached:
                with copy.open("rb") as file:
                    value = _digest(file, hand.signer.handle.algorithm.hash)
                target.write_bytes(self._detached(use, hand, value, way))
            else:
                seal_file(copy, target, self._order(use, hand, way), progress)
        return use

    def _redeem(
        self, seal_id: str, digest: str, actor: Actor, permit: str | None, purpose: str
    ) -> tuple[SealUse, Hand]:
        if permit is None:
            given = self._uses.permit(seal_id, [digest], purpose=purpose, actor=actor)[0]
            permit = given.id
        return self._uses.use(permit, digest, actor=actor, seal_id=seal_id)

    def _check(self, way: Way) -> None:
        if way.detached and way.profile is Profile.BOTH:
            raise refuse(
                "SEAL_OPTION",
                "profile",
                "分离签名只能选一种格式",
                "a detached signature has one profile",
                remedy_zh="请选择 pades 或 ses。",
                remedy_en="Choose pades or ses.",
            )

    def _detached(self, use: SealUse, hand: Hand, digest: bytes, way: Way) -> bytes:
        at = self._clock.now()
        ses = way.profile is Profile.SES
        structure = self._standings.structure(use.seal_id, use.seal_version) if ses else None
        instrument = Instrument(hand.signer, hand.certificate, hand.chain, structure)
        form = DetachedForm.SES if ses else DetachedForm.CMS
        return seal_digest(digest, instrument, at=at, form=form, stamp=self._pki.authority().at(at))

    def _order(self, use: SealUse, hand: Hand, way: Way) -> SealOrder:
        at = self._clock.now()
        with self._database.reading() as view:
            known = life_of(view, use.seal_id)
            owner = view.issuers.get(known.seal.owner)
        edition = next(v for v in known.versions if v.version == use.seal_version)
        structure = None
        if way.profile is not Profile.PADES:
            structure = self._standings.structure(use.seal_id, use.seal_version)
        timed, proved = way.baseline is not Baseline.B_B, way.baseline in (Baseline.B_LT, Baseline.B_LTA)
        tsa = self._keyring.active(KeyPurpose.TSA)
        return SealOrder(
            instrument=Instrument(hand.signer, hand.certificate, hand.chain, structure),
            at=at,
            placements=way.placements,
            picture=self._picture(known, edition) if way.placements or way.field else None,
            field=way.field,
            profile=way.profile,
            baseline=way.baseline,
            stamp=self._pki.authority(tsa).at(at) if timed else None,
            validation=self._sealing.validation_for(hand.key, tsa) if proved else None,
            permission=way.permission,
            lock=way.lock,
            name=edition.name if owner is None else owner.name,
            reason=way.reason,
        )

    def _picture(self, known: Life, edition: SealVersion) -> Picture:
        extras = Extras.opened(self._cipher, edition)
        if extras.picture is not None:
            found = uploaded(known.seal.kind, edition.diameter_mm, extras)
            return PngPicture(found.png, found.width_mm, found.height_mm)
        drawn = draw_seal(art_of(known.seal.kind, known.seal.owner, edition.name, edition.diameter_mm, extras))
        return VectorPicture(drawn.deflated, drawn.width / MM, drawn.height / MM)


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
