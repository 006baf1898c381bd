"""The document security store (ETSI EN 319 142-1 5.4.2): what a verifier needs later, beside the signatures.

Written without a VRI dictionary: readers take the values from the store itself, and a VRI would only repeat them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from signing.formats.pdf_update import (
    Name,
    PdfReadError,
    PdfUpdater,
    Reference,
    array,
    dictionary,
    is_dictionary,
    is_reference,
    reference,
    stream,
)


@dataclass(frozen=True, slots=True)
class ValidationData:
    """Certificates, CRLs and OCSP responses, DER, that prove the signatures of a document."""

    certificates: tuple[bytes, ...]
    crls: tuple[bytes, ...] = ()
    ocsps: tuple[bytes, ...] = ()


def add_store(updater: PdfUpdater, data: ValidationData, carried: Iterable[bytes] = ()) -> bool:
    """Append an update that brings the store; only the catalog and the store's own objects are written.

    Values that the store has already are not repeated, nor certificates that stand in an OCSP response or in one of
    ``carried`` (signatures and timestamps of the file, DER). False, and no update, when nothing is left to write.
    """
    there = _existing(updater)
    containers = (*carried, *data.ocsps)
    certificates = tuple(c for c in data.certificates if not any(c in container for container in containers))
    objects: dict[Reference, Any] = {}
    lists: dict[str, list[Reference]] = {}
    for kind, values in (("/Certs", certificates), ("/CRLs", data.crls), ("/OCSPs", data.ocsps)):
        lists[kind] = [old for old, _ in there.get(kind, ())]
        known = {digest for _, digest in there.get(kind, ())}
        for value in _distinct(values, known):
            new = updater.new_reference()
            objects[new] = stream(dictionary(), value)
            lists[kind].append(new)
    if not objects:
        return False
    store = dictionary({"/Type": Name("/DSS")})
    for kind, references in lists.items():
        if references:
            store[Name(kind)] = array(references)
    place = _store_reference(updater)
    objects[place] = store
    updater.catalog[Name("/DSS")] = place
    objects[updater.catalog_reference] = updater.catalog
    update, _ = updater.append(objects)
    updater.accept(update)
    return True


def _store_reference(updater: PdfUpdater) -> Reference:
    old: Any = updater.catalog.raw_get("/DSS") if "/DSS" in updater.catalog else None
    return reference(old.idnum, old.generation) if is_reference(old) else updater.new_reference()


def _existing(updater: PdfUpdater) -> dict[str, list[tuple[Reference, bytes]]]:
    if "/DSS" not in updater.catalog:
        return {}
    store = updater.resolve(updater.catalog.raw_get("/DSS"))
    if not is_dictionary(store):
        raise PdfReadError("the document security store is no dictionary")
    found: dict[str, list[tuple[Reference, bytes]]] = {}
    for kind in ("/Certs", "/CRLs", "/OCSPs"):
        if kind in store:
            there = [r for r in updater.resolve(store.raw_get(kind)) if is_reference(r)]
            found[kind] = [
                (reference(r.idnum, r.generation), hashlib.sha256(updater.content(r)).digest()) for r in there
            ]
    return found


def _distinct(values: Iterable[bytes], known: set[bytes]) -> Iterable[bytes]:
    for value in values:
        digest = hashlib.sha256(value).digest()
        if digest not in known:
            known.add(digest)
            yield value
