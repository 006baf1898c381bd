"""Ways from a certificate up to an anchor, by names and by signatures that really hold. (RFC 5280 6, RFC 4158)

Only links whose signature verifies are followed, so that namesakes and loops lead nowhere; the search has limits,
since cross-certificates can be multiplied at will. Whether a way is a valid path is asked afterwards.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from typing import Any

from verify.formats.certificates import name_key
from verify.formats.publickeys import BadSignatureError, UnsupportedKeyError, verify_x509

MAX_DEPTH = 12
MAX_LINKS = 300
MAX_PATHS = 16


class PathSearch:
    """Anchors and other certificates of one run. ``spend`` is called now and then, and may raise."""

    def __init__(self, anchors: Iterable[Any], pool: Iterable[Any], spend: Callable[[], None]) -> None:
        self.anchors = list(anchors)
        self._spend = spend
        self._anchor_ders = {a.dump() for a in self.anchors}
        self._by_name: dict[str, list[Any]] = {}
        known: set[bytes] = set()
        for certificate in [*self.anchors, *pool]:
            if certificate.dump() not in known:
                known.add(certificate.dump())
                self._by_name.setdefault(name_key(certificate.subject), []).append(certificate)

    def add(self, certificate: Any) -> None:
        """One more certificate to look for ways through."""
        named = self._by_name.setdefault(name_key(certificate.subject), [])
        if all(known.dump() != certificate.dump() for known in named):
            named.append(certificate)

    def is_anchor(self, certificate: Any) -> bool:
        """Whether it is one of the anchors, byte for byte."""
        return certificate.dump() in self._anchor_ders

    def issuers(self, certificate: Any) -> list[Any]:
        """Those whose name and, where stated, key number fit as issuer; anchors first, then the newest."""
        found = [c for c in self._by_name.get(name_key(certificate.issuer), ()) if _key_fits(certificate, c)]
        return sorted(found, key=lambda c: (not self.is_anchor(c), -c.not_valid_after.timestamp()))

    def named(self, name: Any) -> list[Any]:
        """All certificates with this subject."""
        return self._by_name.get(name_key(name), [])

    def beside(self, certificate: Any, other: Any) -> bool:
        """Whether one of the issuers of ``other`` certified ``certificate`` too, or it is an anchor."""
        return self.is_anchor(certificate) or any(signed_by(certificate, i) for i in self.issuers(other)[:MAX_PATHS])

    def ways(self, certificate: Any) -> Iterator[tuple[Any, ...]]:
        """Ways from an anchor down to ``certificate``, the shortest first among those of one branch."""
        self._links, self._paths = 0, 0
        yield from self._climb((certificate,))

    def _climb(self, below: tuple[Any, ...]) -> Iterator[tuple[Any, ...]]:
        top = below[0]
        if self.is_anchor(top):
            self._paths += 1
            yield below
            return
        if len(below) >= MAX_DEPTH:
            return
        seen = {(name_key(c.subject), c.public_key.dump()) for c in below}
        for issuer in self.issuers(top):
            if self._links >= MAX_LINKS or self._paths >= MAX_PATHS:
                return
            self._links += 1
            if self._links % 10 == 0:
                self._spend()
            if (name_key(issuer.subject), issuer.public_key.dump()) in seen or not signed_by(top, issuer):
                continue
            yield from self._climb((issuer, *below))

    def namesake(self, certificate: Any) -> Any | None:
        """An anchor whose name stands above ``certificate`` though its key signed nothing there; None when none is."""
        todo, seen = [certificate], set[bytes]()
        while todo and len(seen) < MAX_LINKS:
            current = todo.pop()
            seen.add(current.dump())
            for anchor in self.anchors:
                same_name = name_key(current.issuer) == name_key(anchor.subject)
                if same_name and not self.is_anchor(current) and not signed_by(current, anchor):
                    return anchor
            named = self._by_name.get(name_key(current.issuer), ())
            todo += [c for c in named if c.dump() not in seen and not self.is_anchor(c)]
        return None

    def names_an_anchor(self, certificate: Any) -> bool:
        """Whether issuers, by name and key number (RFC 5280 4.2.1.1), lead up to an anchor."""
        todo, seen = [certificate], set[bytes]()
        while todo and len(seen) < MAX_LINKS:
            current = todo.pop()
            seen.add(current.dump())
            found = self.issuers(current)
            if any(self.is_anchor(c) for c in found):
                return True
            todo += [c for c in found if c.dump() not in seen]
        return False


def _key_fits(certificate: Any, issuer: Any) -> bool:
    named, own = certificate.authority_key_identifier, issuer.key_identifier
    if named is None and name_key(certificate.issuer) == name_key(certificate.subject):
        named = certificate.key_identifier  # a root need not name its own key as its issuer's
    return named is None or own is None or bool(named == own)


def signed_by(certificate: Any, issuer: Any) -> bool:
    """Whether the issuer's key signed the certificate."""
    return _signed(certificate.dump(), issuer.public_key.dump())


@lru_cache(maxsize=4096)
def _signed(der: bytes, spki: bytes) -> bool:
    from asn1crypto import keys, x509

    certificate = x509.Certificate.load(der)
    return value_signed_by(
        certificate["signature_value"].native,
        certificate["tbs_certificate"].dump(),
        certificate["signature_algorithm"],
        keys.PublicKeyInfo.load(spki),
    )


def value_signed_by(signature: bytes, signed: bytes, algorithm: Any, key: Any) -> bool:
    """Whether ``key`` made the signature; what cannot be checked counts as no."""
    try:
        verify_x509(signature, signed, key, algorithm)
    except (BadSignatureError, UnsupportedKeyError):
        return False
    return True
