"""CMS and timestamps: canonical DER, the attributes that belong, the refusals of RFC 3161."""

from __future__ import annotations

import hashlib
import itertools

import pytest
from asn1crypto import algos, cms, core, tsp

from signing.errors import PurposeError, SigningError
from signing.formats import cms as writer
from signing.formats import der
from signing.keys import KeyPurpose
from signing.timestamp import TimestampAuthority
from tests.support.signing_pki import AT, POLICY, Pki, shared_pki


@pytest.fixture(scope="module", params=["p256", "rsa3072"])
def pki(request: pytest.FixtureRequest) -> Pki:
    return shared_pki(request.param)


def _sign(pki: Pki, **options: object) -> bytes:
    return writer.sign_detached(
        hashlib.sha256(b"data").digest(),
        signer=pki.signer(KeyPurpose.SEAL),
        certificate=pki.certificate(KeyPurpose.SEAL),
        chain=(pki.issuing.certificate,),
        **options,  # type: ignore[arg-type]
    )


def is_canonical(data: bytes) -> bool:
    """Whether every element is definite, minimal, and every SET in order; EXPLICIT and octets are not entered."""
    rest = data
    children: list[bytes] = []
    while rest:
        tag, first = rest[0], rest[1]
        if first == 0x80:
            return False
        head = 2 + (first & 0x7F if first & 0x80 else 0)
        size = int.from_bytes(rest[2:head], "big") if first & 0x80 else first
        if first & 0x80 and (size < 0x80 or rest[2] == 0):
            return False
        body, whole = rest[head : head + size], rest[: head + size]
        if len(body) != size or (tag & 0x20 and not is_canonical(body)):
            return False
        if tag == 0x31 and _children(body) != sorted(_children(body)):
            return False
        children.append(whole)
        rest = rest[head + size :]
    return True


def _children(body: bytes) -> list[bytes]:
    found = []
    while body:
        first = body[1]
        head = 2 + (first & 0x7F if first & 0x80 else 0)
        size = int.from_bytes(body[2:head], "big") if first & 0x80 else first
        found.append(body[: head + size])
        body = body[head + size :]
    return found


def test_a_signature_is_canonical_and_minimal(pki: Pki) -> None:
    made = _sign(pki)
    assert is_canonical(made)
    content = cms.ContentInfo.load(made, strict=True)
    assert content.dump(force=True) == made
    (info,) = content["content"]["signer_infos"]
    kinds = sorted(a["type"].native for a in info["signed_attrs"])
    assert kinds == ["content_type", "message_digest", "signing_certificate_v2"]
    assert content["content"]["encap_content_info"]["content"].native is None
    assert len(content["content"]["certificates"]) == 2


def test_a_signing_time_only_where_asked(pki: Pki) -> None:
    (info,) = cms.ContentInfo.load(_sign(pki, signing_time=AT))["content"]["signer_infos"]
    times = [a["values"][0].native for a in info["signed_attrs"] if a["type"].native == "signing_time"]
    assert times == [AT]


def test_the_certificate_must_be_the_key_s(pki: Pki) -> None:
    with pytest.raises(SigningError, match="another key"):
        writer.sign_detached(
            bytes(32), signer=pki.signer(KeyPurpose.SEAL), certificate=pki.certificate(KeyPurpose.RECORD)
        )
    with pytest.raises(PurposeError):
        writer.sign_detached(
            bytes(32), signer=pki.signer(KeyPurpose.RECORD), certificate=pki.certificate(KeyPurpose.RECORD)
        )


def test_the_longest_signature_is_foreseen(pki: Pki) -> None:
    identity = writer.SignerIdentity.of(pki.certificate(KeyPurpose.SEAL))
    certificates = (pki.certificate(KeyPurpose.SEAL), pki.issuing.certificate)
    room = writer.longest_signed_data(identity, pki.signer(KeyPurpose.SEAL), certificates=certificates)
    for _ in range(5):
        assert room - 4 <= len(_sign(pki)) <= room


def test_endesive_makes_a_signature_of_the_same_shape(pki: Pki) -> None:
    """endesive's own CMS writer, signing through our Signer, agrees on digest, signer and certificates."""
    signer = pytest.importorskip("endesive.signer")
    from signing.tbs import ToBeSigned

    class Door:
        """What endesive asks of an HSM."""

        def certificate(self) -> tuple[int, bytes]:
            return 1, pki.certificate(KeyPurpose.SEAL)

        def sign(self, _keyid: object, data: bytes, _mech: str) -> bytes:
            return pki.signer(KeyPurpose.SEAL).sign(ToBeSigned(data, KeyPurpose.SEAL))

    theirs = signer.sign(b"data", None, None, [], "sha256", attrs=True, hsm=Door())
    ours = cms.ContentInfo.load(_sign(pki))["content"]
    other = cms.ContentInfo.load(theirs)["content"]
    ours_info, other_info = ours["signer_infos"][0], other["signer_infos"][0]
    digests = [
        next(a["values"][0].native for a in info["signed_attrs"] if a["type"].native == "message_digest")
        for info in (ours_info, other_info)
    ]
    assert digests[0] == digests[1] == hashlib.sha256(b"data").digest()
    assert ours_info["sid"].chosen.dump() == other_info["sid"].chosen.dump()
    assert other["certificates"][0].dump() in [c.dump() for c in ours["certificates"]]
    for info in (ours_info, other_info):
        _verify(pki, info, info["signature"].native)


def _verify(pki: Pki, info: cms.SignerInfo, value: bytes) -> None:
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
    from cryptography.hazmat.primitives.serialization import load_der_public_key

    signed = der.retagged(0x31, info["signed_attrs"].dump())
    public = load_der_public_key(pki.signer(KeyPurpose.SEAL).handle.spki)
    if isinstance(public, ec.EllipticCurvePublicKey):
        public.verify(value, signed, ec.ECDSA(hashes.SHA256()))
    else:
        assert isinstance(public, rsa.RSAPublicKey)
        public.verify(value, signed, padding.PKCS1v15(), hashes.SHA256())


def _query(**changes: object) -> dict[str, object]:
    imprint = {"hash_algorithm": {"algorithm": "sha256"}, "hashed_message": bytes(32)}
    return {"version": 1, "message_imprint": imprint, **changes}


def _respond(pki: Pki, query: dict[str, object] | bytes) -> tsp.TimeStampResp:
    request = query if isinstance(query, bytes) else tsp.TimeStampReq(query).dump()
    return tsp.TimeStampResp.load(pki.tsa().respond(request, AT), strict=True)


def _info(response: tsp.TimeStampResp) -> tsp.TSTInfo:
    return response["time_stamp_token"]["content"]["encap_content_info"]["content"].parsed


def test_a_token_says_what_was_asked(pki: Pki) -> None:
    response = _respond(pki, _query(nonce=2**63 + 5, cert_req=True))
    assert response["status"]["status"].native == "granted"
    info = _info(response)
    assert info["nonce"].native == 2**63 + 5
    assert info["policy"].dotted == POLICY
    assert info["gen_time"].native == AT
    assert info["accuracy"]["seconds"].native == 1
    assert info["message_imprint"]["hashed_message"].native == bytes(32)
    assert len(response["time_stamp_token"]["content"]["certificates"]) == 2
    assert is_canonical(response["time_stamp_token"].dump())
    (signer,) = response["time_stamp_token"]["content"]["signer_infos"]
    assert "signing_certificate_v2" in [a["type"].native for a in signer["signed_attrs"]]


def test_certificates_only_on_request(pki: Pki) -> None:
    assert not _respond(pki, _query())["time_stamp_token"]["content"]["certificates"].native


def test_serial_numbers_are_the_caller_s(pki: Pki) -> None:
    serials = itertools.count(10**12)
    certificate, signer = pki.leafs[KeyPurpose.TSA]
    tsa = TimestampAuthority(signer, certificate, (), POLICY, lambda: next(serials))
    found = [
        _info(tsp.TimeStampResp.load(tsa.respond(tsp.TimeStampReq(_query()).dump(), AT)))["serial_number"].native
        for _ in range(3)
    ]
    assert found == [10**12, 10**12 + 1, 10**12 + 2]


@pytest.mark.parametrize(
    ("query", "failure"),
    [
        (b"", "bad_data_format"),
        (b"nonsense", "bad_data_format"),
        (b"\x30" * 5000, "bad_data_format"),
        (_query(version=2) | {"version": 2}, "bad_request"),
        (_query(message_imprint={"hash_algorithm": {"algorithm": "sha1"}, "hashed_message": bytes(20)}), "bad_alg"),
        (_query(message_imprint={"hash_algorithm": {"algorithm": "md5"}, "hashed_message": bytes(16)}), "bad_alg"),
        (
            _query(message_imprint={"hash_algorithm": {"algorithm": "sha256"}, "hashed_message": bytes(20)}),
            "bad_data_format",
        ),
        (_query(req_policy="1.2.3.4"), "unaccepted_policy"),
        (
            _query(extensions=[{"extn_id": "1.2.3.4", "extn_value": b"\x05\x00"}]),
            "unaccepted_extensions",
        ),
    ],
)
def test_refusals_name_their_reason(pki: Pki, query: dict[str, object] | bytes, failure: str) -> None:
    request = query if isinstance(query, bytes) else tsp.TimeStampReq(query).dump()
    (status,) = core.SequenceOf.load(pki.tsa().respond(request, AT), strict=True, spec=core.Any)  # and no token
    info = tsp.PKIStatusInfo.load(status.dump(), strict=True)
    assert info["status"].native == "rejection"
    assert info["fail_info"].native == {failure}
    assert info["status_string"].native


def test_a_stamp_fits_its_room_and_names_its_digest(pki: Pki) -> None:
    tsa = pki.tsa()
    for name in ("sha256", "sha384"):
        token = tsa.at(AT)(hashlib.new(name, b"x").digest(), name)
        assert len(token) <= tsa.token_size < len(token) + 50
    with pytest.raises(SigningError):
        tsa.stamp(bytes(20), "sha256", AT)
    with pytest.raises(SigningError):
        tsa.stamp(bytes(20), "sha1", AT)


def test_only_a_timestamp_key_stamps(pki: Pki) -> None:
    certificate, signer = pki.leafs[KeyPurpose.SEAL]
    with pytest.raises(PurposeError):
        TimestampAuthority(signer, certificate, (), POLICY, lambda: 1).stamp(bytes(32), "sha256", AT)


@pytest.mark.parametrize("value", [0, 1, 127, 128, 255, 256, -1, -128, -129, 2**64, -(2**64)])
def test_integers_are_minimal(value: int) -> None:
    assert der.integer(value) == core.Integer(value).dump()


@pytest.mark.parametrize("dotted", ["1.2.840.113549.1.7.1", "2.25.206853310937546410384529471116239071104.1", "2.999"])
def test_object_identifiers(dotted: str) -> None:
    assert der.oid(dotted) == core.ObjectIdentifier(dotted).dump()


def test_algorithm_identifiers_are_what_asn1crypto_writes() -> None:
    from signing.formats.identifiers import signature_identifier
    from verify.formats.algorithms import Algorithm

    pss = algos.SignedDigestAlgorithm.load(signature_identifier(Algorithm.RSA_PSS_SHA256), strict=True)
    assert (pss.signature_algo, pss.hash_algo, pss["parameters"]["salt_length"].native) == ("rsassa_pss", "sha256", 32)
