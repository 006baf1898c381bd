"""The trust a caller chose. Nothing here, or anywhere in ``verify``, reads the system's own roots."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from verify.trust.regions import KnownRegion, Regions


@dataclass(frozen=True, slots=True)
class Remit:
    """The types and places an issuer may issue for; None means all. ``places`` are prefixes of GB/T 2260 codes.

    ``anchors``: SHA-256 in hex of the anchors under which this issuer stands, where several regions are trusted.
    """

    issuer_code: str
    types: frozenset[str] | None = None
    places: tuple[str, ...] | None = None
    since: datetime | None = None
    until: datetime | None = None
    anchors: frozenset[str] | None = None

    def allows(self, license_type: str, place: str | None, at: datetime) -> bool:
        """Whether the issuer may issue that type there at that moment."""
        return not self.refuses(license_type, place, at)

    def refuses(self, license_type: str, place: str | None, at: datetime) -> str:
        """What stands against it: ``the type``, ``the place``, ``the time``, or nothing. ``place`` None: a code does
        not say it."""
        if self.types is not None and license_type not in self.types:
            return "the type"
        if self.places is not None and not any((place or "").startswith(p) or place is None for p in self.places):
            return "the place"
        after = self.since is not None and at < self.since
        return "the time" if after or (self.until is not None and at >= self.until) else ""


@dataclass(frozen=True, slots=True)
class KitKnowledge:
    """The offline kit that is trusted: whose it is, when it was made, and until when standing is known from it."""

    region: str
    made: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class TrustStore:
    """Anchors (DER certificates), further certificates that are no anchors, and who may issue what.

    ``remits`` None: nobody told us, which the verdict notes. ``allow_example`` lets anchors count whose subject's
    common name begins ``EXAMPLE``. ``regions``: what is known of other regions, by which recognition is judged; None
    when no region's trust is in play. ``kit``: the offline kit all this is from.
    """

    anchors: tuple[bytes, ...] = ()
    certificates: tuple[bytes, ...] = ()
    remits: tuple[Remit, ...] | None = None
    allow_example: bool = False
    regions: Regions | None = None
    kit: KitKnowledge | None = None

    def remits_of(self, issuer: str) -> tuple[Remit, ...] | None:
        """The remits of an issuer, here and in other regions; None where nobody told us of any issuer."""
        own = tuple(r for r in self.remits or () if r.issuer_code == issuer)
        others = self.regions.remits_of(issuer) if self.regions is not None else ()
        return None if self.remits is None and not others else own + others

    def region_of(self, anchor: bytes) -> KnownRegion | None:
        """The other region whose root that is; None for an anchor of our own."""
        return None if self.regions is None else self.regions.of_anchor(hashlib.sha256(anchor).hexdigest())

    @classmethod
    def from_paths(
        cls, paths: Sequence[Path], allow_example: bool = False, *, at: datetime | None = None
    ) -> TrustStore:
        """The trust in certificates, anchors with trust lists, or an offline kit: :mod:`verify.trust.sources`."""
        from verify.trust.sources import read_sources

        return read_sources(paths, allow_example=allow_example, at=at).trust
