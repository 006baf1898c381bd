"""Enveloped XML signatures, XAdES baseline B (ETSI EN 319 132-1), through a Signer, over trees that are made here.

No XML is read in this project, so there are no entities and no document types to be afraid of; this is the one module
that knows the XML library. What is digested is the exclusive canonical form (without comments) of what is written.
"""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Any

from lxml import etree

from signing.errors import MechanismError, SigningError
from signing.formats.cms import SignerIdentity, require_own_certificate
from signing.formats.jose import raw_signature
from signing.signer import Signer
from verify.formats.algorithms import Algorithm
from verify.formats.members import base64_text, moment_text

DS = "http://www.w3.org/2000/09/xmldsig#"
XADES = "http://uri.etsi.org/01903/v1.3.2#"
XML = "http://www.w3.org/XML/1998/namespace"
_CANONICAL = "http://www.w3.org/2001/10/xml-exc-c14n#"
_ENVELOPED = f"{DS}enveloped-signature"
_SHA256 = "http://www.w3.org/2001/04/xmlenc#sha256"
_SIGNED_PROPERTIES = "http://uri.etsi.org/01903#SignedProperties"
_METHODS = {
    Algorithm.ECDSA_P256_SHA256: "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256",
    Algorithm.ECDSA_P384_SHA384: "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384",
    Algorithm.RSA_PKCS1_SHA256: "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256",
    # RFC 9231 2.3.10: both hashes SHA-256 and a salt of 32 bytes, as our PSS keys sign
    Algorithm.RSA_PSS_SHA256: "http://www.w3.org/2007/05/xmldsig-more#sha256-rsa-MGF1",
}


def can_sign(algorithm: Algorithm) -> bool:
    """Whether XML signatures have an identifier for it (RFC 9231). SM2 has none."""
    return algorithm in _METHODS


def root_element(namespace: str, name: str, **attributes: str) -> Any:
    """The root of a new document, in ``namespace`` as the default one. Raises SigningError like :func:`add`."""
    root = etree.Element(f"{{{namespace}}}{name}", nsmap={None: namespace})
    return _filled(root, "", attributes)


def add(parent: Any, name: str, text: str = "", *, lang: str = "", **attributes: str) -> Any:
    """A new last child of ``parent``, in its namespace; runs of white space in ``text`` become one space.

    Raises SigningError for a text with characters that XML cannot hold.
    """
    child = etree.SubElement(parent, f"{{{etree.QName(parent).namespace}}}{name}")
    return _filled(child, text, {**({f"{{{XML}}}lang": lang} if lang else {}), **attributes})


def _filled(element: Any, text: str, attributes: dict[str, str]) -> Any:
    try:
        if text:
            element.text = " ".join(text.split())
        for name, value in attributes.items():
            element.set(name, value)
    except ValueError as error:
        raise SigningError("a text has characters that XML cannot hold") from error
    return element


def signed_document(root: Any, *, signer: Signer, certificate: bytes, at: datetime) -> bytes:
    """The document as UTF-8, with the signature as the last child of ``root``.

    Two references: the document without its signature, and the signed properties (signing time, digest of the
    signer's certificate, format of the data). The certificate (DER) stands in KeyInfo, alone. ECDSA values are
    ``r || s`` (RFC 9231 2.3.6). Raises SigningError for a certificate of another key, MechanismError for an algorithm
    that XML signatures do not have, and what the signer raises.
    """
    algorithm = signer.handle.algorithm
    if not can_sign(algorithm):
        raise MechanismError(f"XML signatures have no identifier for {algorithm.name}", uri=signer.handle.uri)
    require_own_certificate(SignerIdentity.of(certificate), signer)
    content = _digest(root)
    signature = etree.SubElement(root, f"{{{DS}}}Signature", nsmap={"ds": DS}, Id="signature")
    info = add(signature, "SignedInfo")
    value = add(signature, "SignatureValue")
    add(add(add(signature, "KeyInfo"), "X509Data"), "X509Certificate", base64_text(certificate))
    properties = _properties(add(signature, "Object"), certificate, at)
    add(info, "CanonicalizationMethod", Algorithm=_CANONICAL)
    add(info, "SignatureMethod", Algorithm=_METHODS[algorithm])
    _reference(info, content, (_ENVELOPED, _CANONICAL), Id="content", URI="")
    _reference(info, _digest(properties), (_CANONICAL,), Type=_SIGNED_PROPERTIES, URI="#signed-properties")
    value.text = base64_text(raw_signature(signer, _canonical(info), signer.handle.purpose))
    found: bytes = etree.tostring(root.getroottree(), encoding="UTF-8", xml_declaration=True)
    return found


def _properties(parent: Any, certificate: bytes, at: datetime) -> Any:
    """Signed properties of baseline B (EN 319 132-1, 6.3)."""
    qualifying = etree.SubElement(
        parent, f"{{{XADES}}}QualifyingProperties", nsmap={"xades": XADES}, Target="#signature"
    )
    signed = add(qualifying, "SignedProperties", Id="signed-properties")
    of_signature = add(signed, "SignedSignatureProperties")
    add(of_signature, "SigningTime", moment_text(at))
    digest = add(add(add(of_signature, "SigningCertificateV2"), "Cert"), "CertDigest")
    etree.SubElement(digest, f"{{{DS}}}DigestMethod", Algorithm=_SHA256)
    etree.SubElement(digest, f"{{{DS}}}DigestValue").text = base64_text(hashlib.sha256(certificate).digest())
    of_data = add(add(signed, "SignedDataObjectProperties"), "DataObjectFormat", ObjectReference="#content")
    add(of_data, "MimeType", "text/xml")
    return signed


def _reference(info: Any, digest: bytes, transforms: tuple[str, ...], **attributes: str) -> None:
    reference = add(info, "Reference", **attributes)
    listed = add(reference, "Transforms")
    for transform in transforms:
        add(listed, "Transform", Algorithm=transform)
    add(reference, "DigestMethod", Algorithm=_SHA256)
    add(reference, "DigestValue", base64_text(digest))


def _digest(element: Any) -> bytes:
    return hashlib.sha256(_canonical(element)).digest()


def _canonical(element: Any) -> bytes:
    found: bytes = etree.tostring(element, method="c14n", exclusive=True, with_comments=False)
    return found
