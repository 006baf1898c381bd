"""Certificates and revocation data that a CMS value carries beside its signature.

Adobe's signed attribute (ISO 32000-2 12.8.3.3.2), CAdES' unsigned values (ETSI EN 319 122-1 A.1), and the sets of
RFC 5652 5.1. Nothing here is checked; what cannot be read is left out.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from verify.formats.ber import BerError, definite
from verify.formats.cms import UnverifiedCms
from verify.formats.der import NotDerError, children

_CERTIFICATE_VALUES = "1.2.840.113549.1.9.16.2.23"
_REVOCATION_VALUES = "1.2.840.113549.1.9.16.2.24"
_OCSP_FORMATS = {"1.3.6.1.5.5.7.16.2", "1.3.6.1.5.5.7.48.1.1"}
MAX_VALUES = 500


@dataclass(slots=True)
class CarriedValues:
    """DER of what was found, in the order of the file."""

    certificates: list[bytes] = field(default_factory=list)
    crls: list[bytes] = field(default_factory=list)
    ocsps: list[bytes] = field(default_factory=list)


def carried_values(cms: UnverifiedCms) -> CarriedValues:
    """Everything that one value carries; at most MAX_VALUES of each kind."""
    found = CarriedValues()
    try:
        for archival in cms.attributes.get("revocation_info_archival") or ():
            _take(found, archival.dump())
        if cms.signed_data is not None:
            _from_set(found, cms.signed_data["crls"])
        for attribute in cms.signer_info["unsigned_attrs"] or ():
            oid = attribute["type"].dotted
            for value in attribute["values"] if oid in (_CERTIFICATE_VALUES, _REVOCATION_VALUES) else ():
                if oid == _REVOCATION_VALUES:
                    _take(found, value.dump())
                else:
                    found.certificates += children(definite(value.dump())[0])
    except (RecursionError, MemoryError):
        raise
    except Exception:  # noqa: BLE001, S110 - asn1crypto's lazy parsing raises a dozen types; what was read is kept
        pass
    for values in (found.certificates, found.crls, found.ocsps):
        del values[MAX_VALUES:]
    return found


def _take(found: CarriedValues, encoded: bytes) -> None:
    """``SEQUENCE { crls [0] SEQUENCE OF, ocsps [1] SEQUENCE OF, … }``, the shape that both attributes share."""
    try:
        for part in children(definite(encoded)[0]):
            target = {0xA0: found.crls, 0xA1: found.ocsps}.get(part[0])
            if target is not None:
                for sequence in children(part):
                    target += children(sequence)
    except (BerError, NotDerError):
        return


def _from_set(found: CarriedValues, choices: Any) -> None:
    for choice in choices or ():
        if choice.name == "certificate_list":
            found.crls.append(choice.chosen.dump())
        elif choice.chosen["other_rev_info_format"].dotted in _OCSP_FORMATS:
            found.ocsps.append(choice.chosen["other_rev_info"].dump())
