"""Signing what a hub says: entries of regions, and the list of lists; both by a key for trust lists."""

from __future__ import annotations

from signing.errors import PurposeError
from signing.formats.jose import signed_payload
from signing.keys import KeyPurpose
from signing.signer import Signer
from verify.formats.hubentry import JWS_TYPE as ENTRY_TYPE
from verify.formats.hubentry import HubEntry
from verify.formats.hublist import JWS_TYPE as LIST_TYPE


def make_entry(entry: HubEntry, *, signer: Signer, chain: tuple[bytes, ...]) -> str:
    """The entry as a compact JWS. ``chain`` begins with the certificate of the signer's key. Raises PurposeError."""
    return _signed(ENTRY_TYPE, entry.payload(), signer, chain)


def sign_hub_list(payload: bytes, *, signer: Signer, chain: tuple[bytes, ...]) -> str:
    """A list of lists as a compact JWS, over its payload as it was stored. Raises PurposeError."""
    return _signed(LIST_TYPE, payload, signer, chain)


def _signed(kind: str, payload: bytes, signer: Signer, chain: tuple[bytes, ...]) -> str:
    if signer.handle.purpose is not KeyPurpose.TRUST_LIST:
        raise PurposeError(f"a {signer.handle.purpose.value} key signs nothing of a hub", uri=signer.handle.uri)
    return signed_payload({"typ": kind}, payload, signer=signer, chain=chain)
