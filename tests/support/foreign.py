"""Signed PDFs as other producers write them: any key, any CMS shape, any padding. One page, one signature."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from asn1crypto import algos, cms, core, x509
from cryptography import x509 as pyca
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509.oid import NameOID

AT = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
ROOM = 16_000

Sign = Callable[[bytes], bytes]


@dataclass(frozen=True)
class Person:
    """A key with its certificate: ``sign`` makes a value under ``algorithm`` over what it is given."""

    certificate: bytes
    sign: Sign
    algorithm: algos.SignedDigestAlgorithm
    hash: str = "sha256"

    @property
    def x509(self) -> Any:
        return x509.Certificate.load(self.certificate)


@lru_cache(maxsize=8)
def rsa_key(bits: int = 2048) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, bits)


def self_signed(key: Any, name: str = "Somebody", hashed: Any = None, **changes: Any) -> bytes:
    subject = pyca.Name([pyca.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = pyca.CertificateBuilder(
        issuer_name=subject,
        subject_name=subject,
        public_key=key.public_key(),
        serial_number=changes.get("serial", 4711),
        not_valid_before=AT - timedelta(days=365),
        not_valid_after=AT + timedelta(days=365),
    )
    edwards = type(key).__name__.startswith("Ed")
    made = builder.sign(key, None if edwards else hashed or hashes.SHA256())
    return made.public_bytes(serialization.Encoding.DER)


def rsa_person(bits: int = 2048, hashed: str = "sha256") -> Person:
    key = rsa_key(bits)
    chosen = getattr(hashes, hashed.upper())()
    return Person(
        self_signed(key),
        lambda data: key.sign(data, padding.PKCS1v15(), chosen),
        algos.SignedDigestAlgorithm({"algorithm": "rsassa_pkcs1v15", "parameters": core.Null()}),
        hashed,
    )


def ec_person(curve: Any = None) -> Person:
    key = ec.generate_private_key(curve or ec.SECP256R1())
    return Person(
        self_signed(key),
        lambda data: key.sign(data, ec.ECDSA(hashes.SHA256())),
        algos.SignedDigestAlgorithm({"algorithm": "sha256_ecdsa"}),
    )


@dataclass
class Shape:
    """How a CMS value is put together; the defaults are the usual ones."""

    attributes: bool = True
    certificates: bool = True
    content: bytes | None = None
    signing_time: bool = True
    digest: bytes | None = None
    extra: list[tuple[str, list[Any]]] = field(default_factory=list)
    unsorted: bool = False
    signers: int = 1
    sid: Any = None
    unsigned: list[dict[str, Any]] = field(default_factory=list)


def cms_of(person: Person, document: bytes, shape: Shape | None = None) -> bytes:
    """A CMS value over ``document``, detached unless the shape gives content."""
    shape = shape or Shape()
    digest = shape.digest or hashlib.new(person.hash.replace("-", "_"), document).digest()
    attributes = _attributes(person, digest, shape)
    signed = attributes.dump() if attributes is not None else document
    sid = shape.sid or cms.SignerIdentifier(
        {
            "issuer_and_serial_number": cms.IssuerAndSerialNumber(
                {"issuer": person.x509.issuer, "serial_number": person.x509.serial_number}
            )
        }
    )
    info = {
        "version": "v1",
        "sid": sid,
        "digest_algorithm": algos.DigestAlgorithm({"algorithm": person.hash}),
        "signature_algorithm": person.algorithm,
        "signature": person.sign(signed),
    }
    if attributes is not None:
        info["signed_attrs"] = attributes
    if shape.unsigned:
        info["unsigned_attrs"] = shape.unsigned
    data: dict[str, Any] = {
        "version": "v1",
        "digest_algorithms": [algos.DigestAlgorithm({"algorithm": person.hash})],
        "encap_content_info": {"content_type": "data"},
        "signer_infos": [cms.SignerInfo(info)] * shape.signers,
    }
    if shape.content is not None:
        data["encap_content_info"]["content"] = core.OctetString(shape.content)
    if shape.certificates:
        data["certificates"] = [person.x509]
    value = cms.ContentInfo({"content_type": "signed_data", "content": cms.SignedData(data)})
    return bytes(value.dump())


def _attributes(person: Person, digest: bytes, shape: Shape) -> Any:
    if not shape.attributes:
        return None
    given: list[tuple[str, list[Any]]] = [("content_type", ["data"]), ("message_digest", [digest])]
    if shape.signing_time:
        given.append(("signing_time", [cms.Time({"utc_time": core.UTCTime(AT)})]))
    made = [cms.CMSAttribute({"type": t, "values": v}).dump() for t, v in [*given, *shape.extra]]
    ordered = sorted(made, reverse=shape.unsorted)
    body = b"".join(ordered)
    size = len(body).to_bytes((len(body).bit_length() + 7) // 8, "big")
    head = bytes((0x31, len(body))) if len(body) < 128 else bytes((0x31, 0x80 | len(size))) + size
    return cms.CMSAttributes.load(head + body)


def indefinite(der: bytes) -> bytes:
    """The same value with the outer four lengths left open, as streaming writers do."""
    from verify.formats.der import children

    def opened(value: bytes, depth: int) -> bytes:
        if depth == 0 or not value[0] & 0x20:
            return value
        return bytes((value[0], 0x80)) + b"".join(opened(c, depth - 1) for c in children(value)) + b"\0\0"

    return opened(der, 4)


def signed_pdf(
    make: Callable[[bytes], bytes],
    *,
    subfilter: str = "adbe.pkcs7.detached",
    write: Callable[[bytes], bytes] = lambda value: value.hex().encode().ljust(2 * ROOM, b"0"),
    entries: bytes = b"",
    field_name: bytes = b"Signature1",
) -> bytes:
    """A PDF whose signature value is ``make(covered bytes)``, written between the brackets by ``write``."""
    hole = len(write(b"\x30\x03\x02\x01\x01".ljust(64, b"\1")))
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [5 0 R] /SigFlags 3 >> >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 300 300] /Annots [5 0 R] /Resources << >> /Contents 4 0 R >>",
        b"<< /Length 21 >>\nstream\n0 0 1 rg 9 9 9 9 re f\nendstream",
        b"<< /Type /Annot /Subtype /Widget /FT /Sig /T (%s) /F 132 /Rect [0 0 0 0] /P 3 0 R /V 6 0 R >>" % field_name,
        b"<< /Type /Sig /Filter /Adobe.PPKLite /SubFilter /%s %s /ByteRange [0 AAAAAAAAAA BBBBBBBBBB CCCCCCCCCC] "
        b"/Contents <%s> >>" % (subfilter.encode(), entries, b"0" * hole),
    ]
    out = bytearray(b"%PDF-1.7\n")
    offsets = []
    for number, body in enumerate(objects, 1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    start = len(out)
    out += b"xref\n0 7\n0000000000 65535 f\r\n" + b"".join(b"%010d 00000 n\r\n" % o for o in offsets)
    out += b"trailer\n<< /Size 7 /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % start
    first = out.index(b"/Contents <") + 10
    second = first + hole + 2
    for place, number in ((b"AAAAAAAAAA", first), (b"BBBBBBBBBB", second), (b"CCCCCCCCCC", len(out) - second)):
        out = bytearray(bytes(out).replace(place, b"%-10d" % number))
    covered = bytes(out[:first] + out[second:])
    value = write(make(covered))
    assert len(value) == hole, (len(value), hole)
    out[first + 1 : second - 1] = value
    return bytes(out)
