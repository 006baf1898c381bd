"""What a caller hands in beside the file: status lists, revocation data, the vault's own facts. Nothing is fetched."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class VaultFacts:
    """What the issuing vault knows of one identifier. Digests are lower-case hex.

    ``state`` is ``ISSUED`` or ``VOID`` (a number that never became a license). ``token_sha256`` is over what the issuer
    signed of the structured record (the JWT's header and payload), ``code_sha256`` over the bytes of the code.
    """

    identifier: str
    state: str
    pdf_sha256: str | None = None
    record_sha256: str | None = None
    code_sha256: str | None = None
    token_sha256: str | None = None
    current_version: int | None = None


@dataclass(frozen=True, slots=True)
class Evidence:
    """Evidence by the caller's leave. ``status_lists`` maps a list's URI to its signed token."""

    status_lists: Mapping[str, bytes] = field(default_factory=dict)
    crls: tuple[bytes, ...] = ()
    ocsps: tuple[bytes, ...] = ()
    lookup: Callable[[str], VaultFacts | None] | None = None


NO_EVIDENCE = Evidence()
