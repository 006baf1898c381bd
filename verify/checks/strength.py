"""Is an algorithm strong enough for the moment at which a signature is known to have existed? (ETSI TS 119 312)"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from verify.formats.keyinfo import UnsupportedKeyError, key_strength
from verify.formats.schemes import hash_of
from verify.policy import Policy


def weak_hash(policy: Policy, name: str, moment: datetime) -> str | None:
    """The hash's name when it no longer counted at ``moment``, else None."""
    plain = name.removesuffix("_len").replace("_", "-") if name.startswith("sha3") else name
    ended = policy.hashes_until.get(name)
    return plain if name in policy.hashes_until and (ended is None or ended <= moment) else None


def weak_key(policy: Policy, spki: bytes, moment: datetime) -> str | None:
    """Kind and size of a key that was too short at ``moment``, else None."""
    try:
        kind, bits = key_strength(spki)
    except UnsupportedKeyError:
        return None  # it cannot be checked at all, which is said elsewhere
    for least, until in policy.keys_until.get(kind, ()):
        if bits >= least:
            return None if until is None or moment < until else f"{kind} {bits}"
    return f"{kind} {bits}" if kind in policy.keys_until else None


def weak_link(policy: Policy, certificate: Any, moment: datetime) -> str | None:
    """What is weak in the signature that an issuer made on a certificate, else None."""
    try:
        name = hash_of(certificate["signature_algorithm"])
    except Exception:  # noqa: BLE001 - parameters that cannot be read: the path itself does not hold then
        return None
    return weak_hash(policy, name, moment)
