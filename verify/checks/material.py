"""Every certificate, revocation list and OCSP response that a sealed file carries: right, and of use?

Validation data are not signed by the seal, so each value must prove itself: distinguished encoding, algorithm named
alike inside and outside, a signature by an issuer that is at hand, and a place in one of the chains of the document.
A value that fails is a change that nobody may make.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from verify.formats.certificates import name_key, once
from verify.formats.cmsform import is_canonical_algorithm
from verify.formats.der import NotDerError, require_der, wrap
from verify.formats.publickeys import BadSignatureError, UnsupportedKeyError, verify_x509


class MaterialError(Exception):
    """A value that is wrong or serves nothing. ``code`` is the finding, the message its reason."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code


@dataclass(slots=True)
class Material:
    """All validation data of one document. Certificates are asn1crypto values, by subject.

    ``closed``: roots are at hand, so every certificate must lead to an issuer that is there too.
    """

    by_subject: dict[bytes, list[Any]] = field(default_factory=dict)
    crls: list[Any] = field(default_factory=list)
    ocsps: list[Any] = field(default_factory=list)
    closed: bool = False

    def add(self, certificates: Iterable[Any]) -> None:
        """Take in certificates, each once."""
        for certificate in certificates:
            same = self.by_subject.setdefault(_name(certificate.subject), [])
            if all(certificate.dump() != other.dump() for other in same):
                same.append(certificate)

    def all_certificates(self) -> list[Any]:
        """Every certificate once."""
        return [c for same in self.by_subject.values() for c in same]

    def issuers_of(self, value: Any) -> list[Any]:
        """Certificates whose subject is the issuer of a certificate or revocation list."""
        return self.by_subject.get(_name(value.issuer), [])


def _name(name: Any) -> bytes:
    return name_key(name).encode()


def load_certificate(der: bytes) -> Any:
    """Read a certificate. Raises MaterialError."""
    from asn1crypto import x509

    try:
        certificate = once(x509.Certificate.load(der, strict=True))
        _read_through(certificate)
    except Exception as error:  # asn1crypto's lazy parsing raises a dozen types
        raise MaterialError("DSS_VALUE_WRONG", "a certificate cannot be read") from error
    return certificate


def _read_through(certificate: Any) -> None:
    """Read every part that a check looks at, so that what is broken shows here and not in the middle of a check."""
    _ = name_key(certificate.subject), name_key(certificate.issuer), certificate.public_key.algorithm
    _ = certificate.serial_number, certificate.not_valid_before, certificate.not_valid_after, certificate.ca
    _ = certificate.authority_key_identifier, certificate.key_identifier
    for part in (certificate["tbs_certificate"]["signature"], certificate["signature_algorithm"]):
        _ = part["algorithm"].native, part["parameters"]
    _ = certificate["signature_value"].native


def load_crl(der: bytes) -> Any:
    """Read a revocation list. Raises MaterialError."""
    from asn1crypto import crl

    try:
        found = crl.CertificateList.load(der, strict=True)
        listed = found["tbs_cert_list"]
        _ = name_key(found.issuer), listed["this_update"].native, listed["next_update"].native
        _ = listed["signature"].native, found["signature_algorithm"].native, found["signature"].native
    except Exception as error:
        raise MaterialError("DSS_VALUE_WRONG", "a revocation list cannot be read") from error
    return found


def load_ocsp(der: bytes) -> Any:
    """Read an OCSP response. Raises MaterialError."""
    from asn1crypto import ocsp

    try:
        found = ocsp.OCSPResponse.load(der, strict=True)
        if found["response_status"].native != "successful":
            raise MaterialError("DSS_VALUE_WRONG", "an OCSP response is an error")
        _ = found.response_data["responses"].native, found.basic_ocsp_response["signature_algorithm"].native
        for certificate in ocsp_certificates(found):
            _read_through(certificate)
    except MaterialError:
        raise
    except Exception as error:
        raise MaterialError("DSS_VALUE_WRONG", "an OCSP response cannot be read") from error
    return found


def may_be_above(anchor: Any, certificate: Any) -> bool:
    """Whether an anchor may be meant as the issuer: by name, and by key number where stated (RFC 5280 4.2.1.1).

    A root of somebody else that merely has the same name has no say about this document.
    """
    named, own = certificate.authority_key_identifier, anchor.key_identifier
    same = bool(anchor.dump() == certificate.dump() or _name(certificate.issuer) == _name(anchor.subject))
    return same and (named is None or own is None or bool(named == own))


def ocsp_certificates(response: Any) -> list[Any]:
    """The certificates inside an OCSP response."""
    certificates = response.basic_ocsp_response["certs"]
    return list(certificates) if certificates else []


def check_material(material: Material, leaves: list[Any], trusted: frozenset[bytes]) -> None:
    """Check every value. ``leaves`` are the signers, ``trusted`` the DER of certificates that the caller gave.

    Raises MaterialError for the first value that is wrong or unused.
    """
    try:
        _check_all(material, leaves, trusted)
    except (ValueError, TypeError, KeyError, IndexError) as error:  # asn1crypto's lazy parsing
        raise MaterialError("DSS_VALUE_WRONG", "a value cannot be read") from error


def _check_all(material: Material, leaves: list[Any], trusted: frozenset[bytes]) -> None:
    own = [c for c in material.all_certificates() if c.dump() not in trusted]
    parents = {c.dump(): _check_certificate(c, material) for c in own}
    _check_copies(own)
    signers = [_check_crl(crl, material) for crl in material.crls]
    responders = [_check_ocsp(response, material) for response in material.ocsps]
    used = _chains(leaves + responders, parents)
    for certificate in own:
        if certificate.dump() not in used:
            raise MaterialError("DSS_VALUE_UNUSED", f"certificate of {certificate.subject.human_friendly}")
    for signer in signers:
        if signer.dump() not in used:
            raise MaterialError("DSS_VALUE_UNUSED", f"revocation list of {signer.subject.human_friendly}")
    _check_answers(material, used)


def _check_certificate(certificate: Any, material: Material) -> Any | None:
    """Check one certificate; the certificate of its issuer, when that is at hand."""
    _require_der(certificate.dump(), "a certificate")
    _require_parts(certificate, ("tbs_certificate", "signature_algorithm", "signature_value"), "a certificate")
    inner, outer = certificate["tbs_certificate"]["signature"], certificate["signature_algorithm"]
    if inner.dump() != outer.dump() or certificate["signature_value"].contents[:1] != b"\x00":
        raise MaterialError("DSS_VALUE_WRONG", f"algorithm of the certificate of {certificate.subject.human_friendly}")
    issuers = [i for i in material.issuers_of(certificate) if i.ca or i.dump() == certificate.dump()]
    if issuers:
        return _signed_by(certificate, certificate["tbs_certificate"].dump(), issuers, "certificate")
    if material.closed:
        raise MaterialError("DSS_VALUE_WRONG", f"no issuer of the certificate of {certificate.subject.human_friendly}")
    return None


def _check_copies(certificates: list[Any]) -> None:
    """One certificate may stand in several places, but everywhere alike: same key or same number, same bytes."""
    seen: dict[tuple[bytes, bytes], bytes] = {}
    for certificate in certificates:
        number = str(certificate.serial_number).encode()
        for key in ((b"key", certificate.public_key.dump()), (_name(certificate.issuer), number)):
            if seen.setdefault(key, certificate.dump()) != certificate.dump():
                raise MaterialError("DSS_VALUE_WRONG", "two certificates that should be one differ")


def _check_crl(crl: Any, material: Material) -> Any:
    """Check one revocation list; the certificate that signed it."""
    _require_der(crl.dump(), "a revocation list")
    _require_parts(crl, ("tbs_cert_list", "signature_algorithm", "signature"), "a revocation list")
    if crl["tbs_cert_list"]["signature"].dump() != crl["signature_algorithm"].dump():
        raise MaterialError("DSS_VALUE_WRONG", "algorithm of a revocation list")
    if crl["signature"].contents[:1] != b"\x00":
        raise MaterialError("DSS_VALUE_WRONG", "signature of a revocation list")
    issuers = material.issuers_of(crl)
    if not issuers:
        raise MaterialError("DSS_VALUE_UNUSED", f"revocation list of {crl.issuer.human_friendly}")
    return _signed_by(crl, crl["tbs_cert_list"].dump(), issuers, "revocation list")


def _check_ocsp(response: Any, material: Material) -> Any:
    """Check one response; the responder's certificate."""
    _require_der(response.dump(), "an OCSP response")
    basic = response.basic_ocsp_response
    if response["response_bytes"]["response_type"].native != "basic_ocsp_response":
        raise MaterialError("DSS_VALUE_WRONG", "type of an OCSP response")
    _require_der(response["response_bytes"]["response"].contents, "an OCSP response")
    if _rebuilt_ocsp(response) != response.dump():
        raise MaterialError("DSS_VALUE_WRONG", "an OCSP response holds elements that belong nowhere")
    if not is_canonical_algorithm(basic["signature_algorithm"]) or basic["signature"].contents[:1] != b"\x00":
        raise MaterialError("DSS_VALUE_WRONG", "algorithm of an OCSP response")
    candidates = _responders(response.response_data["responder_id"], material)
    if not candidates:
        raise MaterialError("DSS_VALUE_WRONG", "the responder of an OCSP response is not at hand")
    return _signed_by(basic, response.response_data.dump(), candidates, "OCSP response")


def _rebuilt_ocsp(response: Any) -> bytes:
    """The response built anew from the parts that are checked, and from nothing else."""
    basic = response.basic_ocsp_response
    certificates = [c.dump() for c in ocsp_certificates(response)]
    answer = wrap(
        0x30,
        *(basic[k].dump() for k in ("tbs_response_data", "signature_algorithm", "signature")),
        wrap(0xA0, wrap(0x30, *certificates)) if certificates else b"",
    )
    kind = response["response_bytes"]["response_type"].dump()
    return wrap(0x30, b"\x0a\x01\x00", wrap(0xA0, wrap(0x30, kind, wrap(0x04, answer))))


def _require_parts(value: Any, parts: tuple[str, ...], what: str) -> None:
    if wrap(0x30, *(value[p].dump() for p in parts)) != value.dump():
        raise MaterialError("DSS_VALUE_WRONG", f"{what} holds elements that belong nowhere")


def _responders(identity: Any, material: Material) -> list[Any]:
    if identity.name == "by_name":
        return material.by_subject.get(_name(identity.chosen), [])
    digest = identity.chosen.native
    return [c for c in material.all_certificates() if c.public_key.sha1 == digest]


def _signed_by(value: Any, signed: bytes, issuers: list[Any], what: str) -> Any:
    """The one of ``issuers`` whose key signed the value."""
    name = "signature_value" if "signature_value" in value else "signature"
    for issuer in issuers:
        try:
            verify_x509(value[name].native, signed, issuer.public_key, value["signature_algorithm"])
        except (BadSignatureError, UnsupportedKeyError):
            continue
        return issuer
    raise MaterialError("DSS_VALUE_WRONG", f"the signature of a {what} does not match")


def _chains(leaves: list[Any], parents: dict[bytes, Any | None]) -> set[bytes]:
    """DER of every certificate on the way from ``leaves`` upwards."""
    used: set[bytes] = set()
    for leaf in leaves:
        current: Any | None = leaf
        while current is not None and current.dump() not in used:
            used.add(current.dump())
            current = parents.get(current.dump())
    return used


def _check_answers(material: Material, used: set[bytes]) -> None:
    """Every OCSP response must be about certificates of the document's chains."""
    serials = {c.serial_number for c in material.all_certificates() if c.dump() in used}
    for response in material.ocsps:
        about = {r["cert_id"]["serial_number"].native for r in response.response_data["responses"]}
        if not about <= serials:
            raise MaterialError("DSS_VALUE_UNUSED", "an OCSP response about another certificate")


def _require_der(der: bytes, what: str) -> None:
    try:
        require_der(der)
    except NotDerError as error:
        raise MaterialError("DSS_VALUE_WRONG", f"{what}: {error}") from error
