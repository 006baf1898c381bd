"""Certificates and names that were read before. Most of those in a pile of files are the same few, and reading one
into Python objects costs more than checking a signature.

What is read is looked up by its own bytes, so that it can stand for nothing else. asn1crypto reads each part when it is
first asked for, which two threads may not do at once: each thread keeps its own.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from functools import lru_cache
from typing import Any

_KEPT = 512
_LARGEST = 8_192
"""Bytes: longer certificates and names are read anew each time, so that what is kept stays small."""


class _Known(threading.local):
    """The certificates that a thread read last."""

    def __init__(self) -> None:
        self.by_der: OrderedDict[bytes, Any] = OrderedDict()


_known = _Known()


def once(certificate: Any) -> Any:
    """The asn1crypto certificate that was read from the same bytes before, else this one. Nobody may change it."""
    der = certificate.dump()
    if len(der) > _LARGEST:
        return certificate
    kept = _known.by_der
    found = kept.setdefault(der, certificate)
    kept.move_to_end(der)
    if len(kept) > _KEPT:
        kept.popitem(last=False)
    return found


def name_key(name: Any) -> str:
    """A text that two names share when RFC 5280 7.1 calls them the same. Raises as asn1crypto does for broken ones."""
    der = name.chosen.dump()
    return _name_key(der) if len(der) <= _LARGEST else str(name.hashable)


@lru_cache(maxsize=1024)
def _name_key(der: bytes) -> str:
    from asn1crypto import x509

    return str(x509.RDNSequence.load(der).hashable)
