"""The trust a caller chose. Nothing here, or anywhere in ``verify``, reads the system's own roots."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from verify.trust.regions import Regions

MAX_CERTIFICATE_FILE = 1_000_000
MAX_FILES_IN_FOLDER = 10_000
_SUFFIXES = {".pem", ".crt", ".cer", ".der", ".cert"}


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

    def allows(self, license_type: str, place: str, at: datetime) -> bool:
        """Whether the issuer may issue that type there at that moment."""
        return not self.refuses(license_type, place, at)

    def refuses(self, license_type: str, place: str, at: datetime) -> str:
        """What stands against it: ``the type``, ``the place``, ``the time``, or nothing."""
        if self.types is not None and license_type not in self.types:
            return "the type"
        if self.places is not None and not any(place.startswith(p) for p in self.places):
            return "the place"
        after = self.since is not None and at < self.since
        return "the time" if after or (self.until is not None and at >= self.until) else ""


@dataclass(frozen=True, slots=True)
class TrustStore:
    """Anchors (DER certificates), further certificates that are no anchors, and who may issue what.

    ``remits`` None: nobody told us, which the verdict notes. ``allow_example`` lets anchors count whose subject's
    common name begins ``EXAMPLE``. ``regions``: what is known of other regions, by which recognition is judged; None
    when no region's trust is in play.
    """

    anchors: tuple[bytes, ...] = ()
    certificates: tuple[bytes, ...] = ()
    remits: tuple[Remit, ...] | None = None
    allow_example: bool = False
    regions: Regions | None = None

    @classmethod
    def from_paths(cls, paths: Sequence[Path], allow_example: bool = False) -> TrustStore:
        """Read PEM or DER certificates from files and folders.

        A self-issued certificate becomes an anchor, and so does an authority whose issuer is not among them; anything
        else is a certificate that may stand in between, unless there would be no anchor: then all were chosen as such.
        Raises OSError for a path that cannot be read and ValueError, naming it, for a file that holds no certificate.
        """
        given = list(dict.fromkeys(der for path in paths for der in _certificates_below(Path(path))))
        anchors = _chosen(given) or given
        return cls(tuple(anchors), tuple(d for d in given if d not in anchors), None, allow_example)


def _certificates_below(path: Path) -> Iterator[bytes]:
    if not path.is_dir():
        yield from _certificates_in(path)
        return
    files = sorted(p for p in path.iterdir() if p.suffix.lower() in _SUFFIXES and p.is_file())
    for file in files[:MAX_FILES_IN_FOLDER]:
        yield from _certificates_in(file)


def _certificates_in(path: Path) -> list[bytes]:
    from asn1crypto import pem, x509

    with path.open("rb") as stream:
        data = stream.read(MAX_CERTIFICATE_FILE + 1)
    if len(data) > MAX_CERTIFICATE_FILE:
        raise ValueError(f"{path}: larger than {MAX_CERTIFICATE_FILE} bytes")
    try:
        ders = (
            [der for kind, _, der in pem.unarmor(data, multiple=True) if kind == "CERTIFICATE"]
            if pem.detect(data)
            else [data]
        )
        for der in ders:
            _ = x509.Certificate.load(der, strict=True).subject.native
    except (ValueError, TypeError, KeyError) as error:
        raise ValueError(f"{path}: not a certificate") from error
    if not ders:
        raise ValueError(f"{path}: holds no certificate")
    return ders


def _chosen(given: Sequence[bytes]) -> list[bytes]:
    """Those that stand for themselves: self-issued ones, and authorities that nobody else given has issued."""
    from asn1crypto import x509

    read = [x509.Certificate.load(der) for der in given]
    subjects = {c.subject.dump() for c in read}
    return [
        der
        for der, c in zip(given, read, strict=True)
        if c.issuer.dump() == c.subject.dump() or (_is_authority(c) and c.issuer.dump() not in subjects)
    ]


def _is_authority(certificate: Any) -> bool:
    try:
        return bool(certificate.ca)
    except (ValueError, TypeError):
        return False
