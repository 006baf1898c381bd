"""Writing offline kits: a manifest signed by the region's key for trust lists, and the members that it names."""

from __future__ import annotations

from collections.abc import Mapping

from signing.errors import PurposeError, SigningError
from signing.formats.jose import signed_payload
from signing.keys import KeyPurpose
from signing.signer import Signer
from verify.formats.kit import JWS_TYPE, MANIFEST, KitError, KitManifest, packed, unverified_kit


def make_kit(
    manifest: KitManifest, contents: Mapping[str, bytes], *, signer: Signer, chain: tuple[bytes, ...]
) -> bytes:
    """A kit of ``contents`` (name → bytes), each of which ``manifest`` names. ``chain`` begins with the certificate of
    the signer's key. Raises PurposeError for another key, SigningError for contents that the manifest does not name."""
    if signer.handle.purpose is not KeyPurpose.TRUST_LIST:
        raise PurposeError(f"a {signer.handle.purpose.value} key signs no kits", uri=signer.handle.uri)
    token = signed_payload({"typ": JWS_TYPE}, manifest.payload(), signer=signer, chain=chain)
    names = [m.name for m in manifest.members]
    try:
        data = packed([(MANIFEST, token.encode()), *((n, contents[n]) for n in names)])
        unverified_kit(data)
    except (KitError, KeyError) as error:
        raise SigningError(f"the kit cannot be made: {error}", uri=signer.handle.uri) from error
    return data
