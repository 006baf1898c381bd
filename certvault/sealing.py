"""The keys and evidence with which one issuer's documents are made now.

Its official seal has to be ready for use; leave to use it is :mod:`certvault.sealuses`'.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass, replace

from certvault.cipher import Cipher
from certvault.clock import Clock
from certvault.db.unit_of_work import Database
from certvault.hands import Hand
from certvault.keyring import Keyring
from certvault.model.actor import Actor
from certvault.model.keys import Issuer, KeyRecord
from certvault.model.seal import Seal, SealVersion
from certvault.model.sealrules import LICENSE
from certvault.pki import Pki
from certvault.sealart import Extras, look_of
from certvault.sealchecks import asked_by, no_leave
from certvault.sealstanding import SealStandings
from certvault.sealuses import SealUses
from certvault.settings import Settings
from signing.formats.pades import Baseline, ValidationData
from signing.formats.seal_look import Picture, PngPicture, VectorPicture
from signing.keys import KeyPurpose
from signing.timestamp import TimestampAuthority
from templates.registry import FurtherSeal, LicenseType
from templates.sealpicture import CheckedPicture
from templates.seals import SealArt, SealPicture, look
from templates.typesetting import MM
from verify.formats.seal import has_shape_1

__all__ = ["Further", "Hand", "Sealing", "Tools", "baseline_named"]

_PREPARED_FOR = datetime.timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Further:
    """A seal that a license bears beside the issuer's official one: ``field`` and ``box`` (points) are its place."""

    field: str
    kind: str
    owner: str
    box: tuple[float, float, float, float]
    seal_id: str
    edition: SealVersion
    picture: Picture
    hand: Hand
    name: str
    validation: ValidationData


@dataclass(frozen=True, slots=True)
class Tools:
    """Everything needed to make an issuer's documents. ``evidence_until`` ends the timestamp's certificate;
    ``structure`` (SES_Seal, DER) is there where licenses bear seal signatures instead of CMS."""

    issuer: Issuer
    seal_id: str
    edition_at_work: SealVersion
    art: SealArt | CheckedPicture
    seal: Hand
    record: Hand
    code: Hand
    authority: TimestampAuthority
    validation: ValidationData
    evidence_until: datetime.datetime
    prepared_at: datetime.datetime
    edition: int
    structure: bytes | None = None
    further: tuple[Further, ...] = ()

    def reached(self, baseline: Baseline) -> Baseline:
        """The level that the document has in the end: a seal signature of version 4 holds a timestamp and no more, one
        of version 1 not even that."""
        if self.structure is None or baseline is Baseline.B_B:
            return baseline
        return Baseline.B_B if has_shape_1(self.structure) else Baseline.B_T


class Sealing:
    """Prepares tools."""

    def __init__(
        self,
        database: Database,
        cipher: Cipher,
        keyring: Keyring,
        pki: Pki,
        uses: SealUses,
        standings: SealStandings,
        settings: Settings,
        clock: Clock,
    ) -> None:
        self._database = database
        self._standings = standings
        self._settings = settings
        self._cipher = cipher
        self._keyring = keyring
        self._uses = uses
        self._pki = pki
        self._clock = clock
        self._tools: dict[str, Tools] = {}

    def tools(self, issuer: Issuer, actor: Actor) -> Tools:
        """The issuer's tools. Keys and seal are looked up anew each time, so that a rollover, a revocation or a
        suspension by any process counts at once; revocation data are at most five minutes older than they could be.

        Refused while the issuer's official seal may not be used, or not by ``actor``."""
        now = self._clock.now()
        with self._database.reading() as view:
            self._keyring.refresh(view)
            seal, edition = self._uses.ready_for(view, issuer.code, asked_by(actor, LICENSE, now))
        known = self._tools.get(issuer.code)
        fresh = known is not None and known.prepared_at <= now < known.prepared_at + _PREPARED_FOR
        same = known is not None and (known.seal_id, known.edition_at_work) == (seal.id, edition)
        if known is None or not fresh or not same or known.edition != self._keyring.edition or known.issuer != issuer:
            known = self._prepare(issuer, seal, edition, now)
            self._tools[issuer.code] = known
        return known

    def tools_for(self, issuer: Issuer, license_type: LicenseType, actor: Actor) -> Tools:
        """The tools for licenses of a type, with every further seal it asks for.

        Another organization's seal is used only where its own rules name the type: that is its leave."""
        tools = self.tools(issuer, actor)
        if not license_type.seals:
            return tools
        wanted = enumerate(license_type.seals, 2)
        return replace(tools, further=tuple(self._further(n, s, issuer, license_type, actor) for n, s in wanted))

    def _further(self, n: int, wanted: FurtherSeal, issuer: Issuer, license_type: LicenseType, actor: Actor) -> Further:
        owner = wanted.owner or issuer.code
        asked = asked_by(actor, LICENSE, self._clock.now(), license_type=license_type.name)
        with self._database.reading() as view:
            seal, edition = self._uses.ready_for(view, owner, asked, kind=wanted.kind)
            name = next((i.name for i in view.issuers.where(code=owner)), edition.name)
        if owner != issuer.code and license_type.name not in (edition.rule.types or ()):
            raise no_leave(seal.id, license_type.name)
        hand = self._uses.hand_of(edition.key_id or "")
        drawn = look_of(seal.kind, owner, edition.name, edition.diameter_mm, Extras.opened(self._cipher, edition))
        return Further(
            field=f"Seal{n}",
            kind=seal.kind,
            owner=owner,
            box=_box(wanted, license_type, look(drawn)),
            seal_id=seal.id,
            edition=edition,
            picture=_shown(drawn),
            hand=hand,
            name=name,
            validation=self.validation_for(hand.key, self._keyring.active(KeyPurpose.TSA)),
        )

    def forget(self) -> None:
        """Prepare anew next time: keys were rolled over, or a token came back."""
        self._tools.clear()

    def validation_for(self, seal: KeyRecord, tsa: KeyRecord) -> ValidationData:
        """What proves the seal's and the timestamp's certificates, from the vault's own data."""
        parts = [self._pki.evidence_for(seal), self._pki.evidence_for(tsa)]
        certificates = [self._keyring.certificate_der(seal), self._keyring.certificate_der(tsa)]
        certificates += [c for part in parts for c in part.certificates]
        return ValidationData(
            certificates=tuple(dict.fromkeys(certificates)),
            crls=tuple(dict.fromkeys(c for part in parts for c in part.crls)),
            ocsps=(),
        )

    def _prepare(self, issuer: Issuer, seal: Seal, at_work: SealVersion, at: datetime.datetime) -> Tools:
        edition = self._keyring.edition
        hand = self._uses.hand_of(at_work.key_id or "")
        tsa = self._keyring.active(KeyPurpose.TSA)
        return Tools(
            issuer=issuer,
            seal_id=seal.id,
            edition_at_work=at_work,
            art=look_of(
                seal.kind, issuer.code, at_work.name, at_work.diameter_mm, Extras.opened(self._cipher, at_work)
            ),
            seal=hand,
            record=self._hand(self._keyring.active(KeyPurpose.RECORD, issuer.code)),
            code=self._hand(self._keyring.active(KeyPurpose.CODE, issuer.code)),
            authority=self._pki.authority(tsa),
            validation=self.validation_for(hand.key, tsa),
            evidence_until=self._keyring.certificate(tsa).not_after,
            prepared_at=at,
            edition=edition,
            structure=self._structure(seal.id, at_work.version),
        )

    def _structure(self, seal_id: str, version: int) -> bytes | None:
        return None if self._settings.seal_structure == "pades" else self._standings.structure(seal_id, version)

    def _hand(self, key: KeyRecord) -> Hand:
        return Hand(
            key,
            self._keyring.signer(key),
            self._keyring.certificate_der(key),
            self._pki.above(key, with_root=False),
        )


def baseline_named(name: str | Baseline) -> Baseline:
    """``B-B``, ``B-T``, ``B-LT`` or ``B-LTA``; ValueError for another name."""
    return name if isinstance(name, Baseline) else Baseline(name)


def _box(wanted: FurtherSeal, license_type: LicenseType, drawn: SealPicture) -> tuple[float, float, float, float]:
    x, y = wanted.x * MM, (license_type.layout.height - wanted.y) * MM
    half_w, half_h = drawn.width / 2, drawn.height / 2
    return round(x - half_w, 2), round(y - half_h, 2), round(x + half_w, 2), round(y + half_h, 2)


def _shown(drawn: SealArt | CheckedPicture) -> Picture:
    if isinstance(drawn, CheckedPicture):
        return PngPicture(drawn.png, drawn.width_mm, drawn.height_mm)
    vector = look(drawn)
    return VectorPicture(vector.deflated, vector.width / MM, vector.height / MM)
