"""A Merkle tree over the approved rows of a bulk job (the hashing of RFC 6962, 2.1).

A leaf binds the row's place to its data, so that each may be redeemed once and none can be added or exchanged.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence

_SIZE = 32


def leaf_hash(row: int, data: bytes) -> bytes:
    """The leaf of one row: its number and the (keyed) digest of its data."""
    return hashlib.sha256(b"\x00" + row.to_bytes(8, "big") + data).digest()


class MerkleTree:
    """All levels of the tree over ``leaves``, at 64 bytes a leaf."""

    def __init__(self, leaves: Sequence[bytes]) -> None:
        if not leaves:
            raise ValueError("a tree needs a leaf")
        self._levels = [b"".join(leaves)]
        while len(self._levels[-1]) > _SIZE:
            self._levels.append(_above(self._levels[-1]))

    @property
    def count(self) -> int:
        """How many leaves there are."""
        return len(self._levels[0]) // _SIZE

    @property
    def root(self) -> bytes:
        """What all leaves together come to."""
        return self._levels[-1]

    def leaf(self, index: int) -> bytes:
        """The leaf at ``index``."""
        return self._levels[0][index * _SIZE : (index + 1) * _SIZE]

    def proof(self, index: int) -> list[bytes]:
        """The siblings on the way from a leaf to the root; a node without sibling is carried up as it is."""
        found: list[bytes] = []
        for level in self._levels[:-1]:
            sibling = (index ^ 1) * _SIZE
            if sibling < len(level):
                found.append(level[sibling : sibling + _SIZE])
            index >>= 1
        return found


def proves(root: bytes, count: int, index: int, leaf: bytes, proof: Sequence[bytes]) -> bool:
    """Whether ``leaf`` stands at ``index`` among ``count`` under ``root``."""
    if not 0 <= index < count:
        return False
    value, width, siblings = leaf, count, list(proof)
    while width > 1:
        if index ^ 1 < width:
            if not siblings:
                return False
            sibling = siblings.pop(0)
            value = _node(sibling, value) if index & 1 else _node(value, sibling)
        index, width = index >> 1, (width + 1) >> 1
    return not siblings and hmac.compare_digest(value, root)


def _above(level: bytes) -> bytes:
    made = [
        _node(level[i : i + _SIZE], level[i + _SIZE : i + 2 * _SIZE]) if i + _SIZE < len(level) else level[i:]
        for i in range(0, len(level), 2 * _SIZE)
    ]
    return b"".join(made)


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()
