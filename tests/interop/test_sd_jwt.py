"""The sd-jwt package of the Open Wallet Foundation reads our records."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from jwcrypto.jwk import JWK
from jwcrypto.jws import InvalidJWSSignature
from sd_jwt.holder import SDJWTHolder
from sd_jwt.verifier import SDJWTVerifier

from tests.interop.conftest import TYPES, Sealed, example

if TYPE_CHECKING:
    from certvault.bootstrap import Vault

OURS = Callable[[str, str], Sealed]


def _header(record: str) -> dict[str, Any]:
    head = record.partition(".")[0]
    header: dict[str, Any] = json.loads(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)))
    return header


def _issuer_key(record: str) -> JWK:
    leaf = x509.load_der_x509_certificate(base64.b64decode(_header(record)["x5c"][0]))
    spki = leaf.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return JWK.from_pem(spki)


def _read(record: str, **key_binding: str) -> dict[str, Any]:
    payload: dict[str, Any] = SDJWTVerifier(
        record, lambda *_: _issuer_key(record), **key_binding
    ).get_verified_payload()
    return payload


@pytest.mark.parametrize("type_name", TYPES)
def test_it_reads_the_whole_record(sealed: OURS, type_name: str) -> None:
    one = sealed(type_name, "B-LT")
    payload = _read(one.record)
    assert _header(one.record)["typ"] == "dc+sd-jwt"
    assert payload["certificateIdentifier"] == one.identifier
    assert payload["certificateNumber"] == one.number
    assert payload["vct"].endswith(f"/v1/types/{type_name}")
    assert set(payload["status"]["status_list"]) == {"idx", "uri"}
    assert payload["holders"]
    assert "_sd" not in json.dumps(payload["fields"])


def test_a_holder_shows_one_field_and_hides_the_others(sealed: OURS) -> None:
    record = sealed("business-license", "B-LT").record
    holder = SDJWTHolder(record)
    holder.create_presentation({"certificateNumber": True})
    payload = _read(holder.sd_jwt_presentation)
    assert "certificateNumber" in payload
    assert not payload.get("holders")
    assert str(example("business-license")["name"]) not in json.dumps(payload, ensure_ascii=False)


def test_a_changed_disclosure_is_refused(sealed: OURS) -> None:
    record = sealed("business-license", "B-LT").record
    signed, *disclosures, last = record.split("~")
    salt_name_value = json.loads(base64.urlsafe_b64decode(disclosures[0] + "=="))
    salt_name_value[-1] = "其他"
    forged = base64.urlsafe_b64encode(json.dumps(salt_name_value).encode()).rstrip(b"=").decode()
    payload = _read("~".join([signed, forged, *disclosures[1:], last]))
    assert "其他" not in json.dumps(payload, ensure_ascii=False)


def test_a_changed_payload_is_refused(sealed: OURS) -> None:
    head, body, rest = sealed("business-license", "B-LT").record.split(".", 2)
    claims = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    claims["certificateIdentifier"] += "0"
    forged = base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()
    with pytest.raises(InvalidJWSSignature):
        _read(f"{head}.{forged}.{rest}")


def test_a_record_bound_to_the_holder_s_key(embedded_vault: Vault) -> None:
    from certvault.bootstrap import LOCAL_OPERATOR

    key = JWK.generate(kty="EC", crv="P-256")
    issued = embedded_vault.issuing.issue(
        "driving-license",
        example("driving-license"),
        actor=LOCAL_OPERATOR,
        holder_key=json.loads(key.export_public()),
    )
    holder = SDJWTHolder(issued.record)
    holder.create_presentation({"certificateNumber": True}, nonce="n-1", aud="https://verifier.example", holder_key=key)
    payload = _read(holder.sd_jwt_presentation, expected_aud="https://verifier.example", expected_nonce="n-1")
    assert payload["certificateNumber"] == issued.number


def test_the_issuer_s_key_is_not_the_seal_s(sealed: OURS) -> None:
    """Purposes are kept apart: the record's certificate carries the usage of records and no other."""
    from verify.formats.purposes import RECORD

    leaf = x509.load_der_x509_certificate(
        base64.b64decode(_header(sealed("business-license", "B-LT").record)["x5c"][0])
    )
    usage = leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert [u.dotted_string for u in usage] == [RECORD]
    assert isinstance(leaf.public_key(), ec.EllipticCurvePublicKey)
