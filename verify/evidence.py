"""What a caller hands in beside the file: status lists, revocation data, the vault's own facts. Nothing is fetched."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Protocol, TypeVar

K = TypeVar("K")


@dataclass(frozen=True, slots=True)
class VaultFacts:
    """What the issuing vault knows of one identifier. Digests are lower-case hex.

    ``state`` is ``ISSUED`` or ``VOID`` (a number that never became a license). ``token_sha256`` is over what the issuer
    signed of the structured record (the JWT's header and payload), ``signature_sha256`` over that signature,
    ``code_sha256`` over the bytes of the code.
    """

    identifier: str
    state: str
    pdf_sha256: str | None = None
    record_sha256: str | None = None
    code_sha256: str | None = None
    token_sha256: str | None = None
    signature_sha256: str | None = None
    current_version: int | None = None


@dataclass(frozen=True, slots=True)
class SealFacts:
    """What the vault knows of one of its seals at a moment. ``status`` is VALID when it was ``good``, else why not."""

    seal: str
    status: str
    good: bool


class Source(Protocol):
    """Fetches what a certificate or license under a chosen anchor names. The verifier itself opens no connection.

    Each method gets an address of http or https and gives the body, or None when it cannot be had; it must be quick and
    bound what it reads. It is never asked for an address that stands only in a stranger's file.
    """

    def crl(self, url: str) -> bytes | None:
        """A revocation list (RFC 5280 4.2.1.13)."""

    def ocsp(self, url: str, request: bytes) -> bytes | None:
        """The answer to an OCSP request in DER (RFC 6960 Appendix A)."""

    def status_list(self, url: str) -> bytes | None:
        """The signed token of a status list, by the address that a license names."""


class IssuerSource(Protocol):
    """Fetches missing certificates of authorities (caIssuers, RFC 5280 4.2.2.1).

    It is asked for addresses that stand in a stranger's file and that nobody vouches for yet: whoever made the file
    learns who judges it, from where and when. What comes counts only once its key has signed what lies below.
    """

    def issuer(self, url: str) -> bytes | None:
        """A certificate in DER or PEM, or a bag of them (PKCS #7), by an address of http or https."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """Evidence by the caller's leave. ``status_lists`` maps a list's URI to its signed token.

    ``region_lists`` are those of other regions, by region and URI: two regions may have one address by chance.
    ``region_source`` fetches one of them; it is asked only for addresses below those of an adopted trust list.

    ``seal_at`` tells of the seal whose certificate has that SHA-256 (hex): good when it was so at some moment from the
    first to the second, else what it was at the second; None for no seal of the vault. ``standing_at`` gives the
    issuing vault's signed answer (JWS) about where the license of that identifier stood at a past moment, None where it
    has none: it is asked only where the status list at hand was made after the moment of checking.
    """

    status_lists: Mapping[str, bytes] = field(default_factory=dict)
    crls: tuple[bytes, ...] = ()
    ocsps: tuple[bytes, ...] = ()
    lookup: Callable[[str], VaultFacts | None] | None = None
    source: Source | None = None
    issuers: IssuerSource | None = None
    seal_at: Callable[[str, datetime, datetime], SealFacts | None] | None = None
    standing_at: Callable[[str, datetime], bytes | None] | None = None
    region_lists: Mapping[tuple[str, str], bytes] = field(default_factory=dict)
    region_source: Callable[[str, str], bytes | None] | None = None

    def beside(self, more: Evidence) -> Evidence:
        """This together with the lists and revocation data of ``more``; where both have a list, this one's counts."""
        return replace(
            self,
            status_lists=_both(self.status_lists, more.status_lists),
            region_lists=_both(self.region_lists, more.region_lists),
            crls=(*self.crls, *more.crls),
            ocsps=(*self.ocsps, *more.ocsps),
        )


def _both(first: Mapping[K, bytes], second: Mapping[K, bytes]) -> Mapping[K, bytes]:
    return ChainMap(first, second) if second else first  # type: ignore[arg-type]


NO_EVIDENCE = Evidence()
