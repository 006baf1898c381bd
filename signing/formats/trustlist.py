"""Signing a region's trust list, and vouching for anchors: both by a key for trust lists."""

from __future__ import annotations

from signing.errors import PurposeError
from signing.formats.jose import signed_detached, signed_payload
from signing.keys import KeyPurpose
from signing.signer import Signer
from verify.formats.anchor import JWS_TYPE as ANCHOR_TYPE
from verify.formats.anchor import Anchor
from verify.formats.trustlist import JWS_TYPE as LIST_TYPE
from verify.formats.trustlist import TrustList


def make_trust_list(listed: TrustList, *, signer: Signer, chain: tuple[bytes, ...]) -> str:
    """The list as a compact JWS. ``chain`` begins with the certificate of the signer's key.

    Raises PurposeError for a key of another purpose.
    """
    return sign_trust_list(listed.payload(), signer=signer, chain=chain)


def sign_trust_list(payload: bytes, *, signer: Signer, chain: tuple[bytes, ...]) -> str:
    """The same for a payload that was stored before (:meth:`TrustList.payload`)."""
    _require_purpose(signer)
    return signed_payload({"typ": LIST_TYPE}, payload, signer=signer, chain=chain)


def vouch_for(anchor: Anchor, *, signer: Signer, chain: tuple[bytes, ...]) -> str:
    """A signature over the anchor's statement, by which the root above the signer vouches for it: a compact JWS with
    detached payload, one of :attr:`Anchor.signatures`. Raises PurposeError."""
    _require_purpose(signer)
    return signed_detached({"typ": ANCHOR_TYPE}, anchor.statement(), signer=signer, chain=chain)


def _require_purpose(signer: Signer) -> None:
    if signer.handle.purpose is not KeyPurpose.TRUST_LIST:
        raise PurposeError(f"a {signer.handle.purpose.value} key signs no trust lists", uri=signer.handle.uri)
