"""A region's anchor: the roots under which its trust list is signed, and how many of them a new anchor needs.

JSON ``{region, certificates, threshold, sequence}`` with ``name``, ``admits`` and ``signatures`` beside. Certificates
are DER in base64 (PEM is read too). Who adopts the first anchor of a region takes it from hand to hand; a later one
counts when as many of the old roots as the old threshold says, and as many of the new as the new one says, vouch for
it (the rule of TUF 5.3 for root rollover). A root vouches by a signature of a key for trust lists under it:
``signatures`` holds compact JWS with detached payload (RFC 7515 appendix F) over :meth:`Anchor.statement`.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import Any

from verify.formats.jose import JoseError, strict_object
from verify.formats.license import canonical_json
from verify.formats.members import MemberError, Members, base64_text

JWS_TYPE = "certvault-anchor+jws"
MAX_BYTES = 400_000
MAX_CERTIFICATES = 16
MAX_SIGNATURES = 32
REGION = re.compile(r"[0-9]{6}")
"""A region code of GB/T 2260; 100000 is the nation's hub (000000 is no code)."""
_DIGEST = re.compile(r"[0-9a-f]{64}")


class AnchorError(ValueError):
    """The bytes are no anchor. The message says why."""


@dataclass(frozen=True, slots=True)
class Anchor:
    """``certificates`` are root certificates (DER). ``admits`` names by SHA-256 (hex) those of a hub under which
    entries of regions are signed; empty is all. ``signatures`` vouch for this anchor as the follower of another."""

    region: str
    certificates: tuple[bytes, ...]
    threshold: int = 1
    sequence: int = 1
    name: str = ""
    admits: tuple[str, ...] = ()
    signatures: tuple[str, ...] = ()

    def digests(self) -> frozenset[str]:
        """SHA-256 in hex of each root."""
        return frozenset(hashlib.sha256(c).hexdigest() for c in self.certificates)

    def statement(self) -> bytes:
        """What is signed: the anchor without its signatures, RFC 8785."""
        return canonical_json({k: v for k, v in self.to_json().items() if k != "signatures"})

    def to_json(self) -> dict[str, Any]:
        """The anchor as files hold it."""
        found: dict[str, Any] = {
            "region": self.region,
            "certificates": [base64_text(c) for c in self.certificates],
            "threshold": self.threshold,
            "sequence": self.sequence,
            "name": self.name,
        }
        if self.admits:
            found["admits"] = list(self.admits)
        if self.signatures:
            found["signatures"] = list(self.signatures)
        return found


def read_anchor(data: bytes) -> Anchor:
    """Read an anchor from a file. Raises AnchorError."""
    if len(data) > MAX_BYTES:
        raise AnchorError(f"larger than {MAX_BYTES} bytes")
    try:
        return anchor_from_json(strict_object(data, "anchor"))
    except JoseError as error:
        raise AnchorError(str(error)) from error


def anchor_from_json(value: Any) -> Anchor:
    """Build an anchor from its JSON object. Raises AnchorError."""
    try:
        o = Members(value)
        certificates = tuple(_certificate(v) for v in o.items("certificates", limit=MAX_CERTIFICATES))
        found = Anchor(
            region=o.matching("region", REGION),
            certificates=certificates,
            threshold=o.integer("threshold", low=1, high=MAX_CERTIFICATES),
            sequence=o.integer("sequence", low=1),
            name=o.line("name", "", limit=200),
            admits=o.texts("admits", limit=MAX_CERTIFICATES),
            signatures=tuple(
                Members({"s": s}).text("s", limit=MAX_BYTES) for s in o.items("signatures", limit=MAX_SIGNATURES)
            ),
        )
    except MemberError as error:
        raise AnchorError(str(error)) from error
    if not certificates or len(found.digests()) != len(certificates):
        raise AnchorError("certificates is empty or names one twice")
    if found.threshold > len(certificates):
        raise AnchorError("threshold is more than there are certificates")
    if not all(_DIGEST.fullmatch(d) and d in found.digests() for d in found.admits):
        raise AnchorError("admits names a certificate that is not among certificates")
    return found


def begins_as_anchor(data: bytes) -> bool:
    """Whether this is a JSON object with an anchor's members."""
    return data.lstrip()[:1] == b"{" and b'"threshold"' in data[:MAX_BYTES] and b'"certificates"' in data[:MAX_BYTES]


def _certificate(value: Any) -> bytes:
    from asn1crypto import pem, x509

    try:
        data = value.encode("ascii")
        if pem.detect(data):
            kind, _, der = pem.unarmor(data)
            if kind != "CERTIFICATE":
                raise AnchorError("certificates holds something else")
        else:
            der = Members({"c": value}).octets("c")
        certificate = x509.Certificate.load(der, strict=True)
        _ = certificate.subject.native, certificate.public_key.algorithm
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise AnchorError("certificates holds something that is no certificate") from error
    return bytes(der)
