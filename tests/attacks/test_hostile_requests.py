"""Broken and oversized requests to what is open to anyone: answered by the standards, and nothing signed for them."""

from __future__ import annotations

import hashlib
import random
import time
from typing import TYPE_CHECKING

import pytest
from asn1crypto import core, ocsp, tsp, x509

if TYPE_CHECKING:
    from certvault.bootstrap import Vault


def ocsp_request(vault: Vault, count: int = 1, nonce: bytes | None = None) -> bytes:
    """A request about ``count`` unknown certificates."""
    ca = x509.Certificate.load(vault.pki.ca_certificate("issuing"))
    numbers = [
        ocsp.CertId(
            {
                "hash_algorithm": {"algorithm": "sha1"},
                "issuer_name_hash": hashlib.sha1(ca.subject.dump(), usedforsecurity=False).digest(),
                "issuer_key_hash": hashlib.sha1(
                    ca.public_key["public_key"].contents[1:], usedforsecurity=False
                ).digest(),
                "serial_number": 10**18 + i,
            }
        )
        for i in range(count)
    ]
    body: dict[str, object] = {"request_list": [{"req_cert": n} for n in numbers]}
    if nonce is not None:
        body["request_extensions"] = [{"extn_id": "nonce", "critical": False, "extn_value": core.OctetString(nonce)}]
    der: bytes = ocsp.OCSPRequest({"tbs_request": body}).dump()
    return der


def timestamp_request(**members: object) -> bytes:
    """A request for a timestamp."""
    imprint = {"hash_algorithm": {"algorithm": "sha256"}, "hashed_message": b"\x11" * 32}
    der: bytes = tsp.TimeStampReq({"version": "v1", "message_imprint": imprint, **members}).dump()
    return der


def damaged(original: bytes, chance: random.Random) -> bytes:
    """Some bytes changed, taken out or put in."""
    data = bytearray(original)
    for _ in range(chance.choice([1, 1, 2, 4, 20])):
        place = chance.randrange(len(data))
        kind = chance.random()
        if kind < 0.5:
            data[place] = chance.choice([0, 1, 0x7F, 0x80, 0x84, 0xFF, 0x30, 0x24, chance.randrange(256)])
        elif kind < 0.7 and len(data) > 16:
            del data[place : place + chance.randrange(1, 9)]
        else:
            data[place:place] = chance.randbytes(chance.randrange(1, 9))
    return bytes(data)


BOMBS = [
    b"",
    b"\x30\x84\x7f\xff\xff\xff",
    b"\x30\x80" * 30_000,
    b"\x30\x82\xff\xf0" + b"\x30\x80" * 32_000,
    bytes(65_536),
    b"\x30\x88" + b"\xff" * 8,
]


def test_damaged_requests_are_answered(embedded_vault: Vault) -> None:
    chance = random.Random(7)
    seeds = [
        ocsp_request(embedded_vault),
        ocsp_request(embedded_vault, 2, b"x" * 16),
        timestamp_request(),
        timestamp_request(nonce=5, cert_req=True),
    ]
    for data in [*BOMBS, *(damaged(chance.choice(seeds), chance) for _ in range(400))]:
        began = time.monotonic()
        for answer in (embedded_vault.pki.ocsp(data), embedded_vault.pki.tsa(data)):
            assert answer[0] == 0x30
        assert time.monotonic() - began < 5


def test_one_request_asks_for_a_bounded_answer(embedded_vault: Vault) -> None:
    for count, nonce in ((700, None), (1, b"x" * 33), (1, b"x" * 5000)):
        answer = embedded_vault.pki.ocsp(ocsp_request(embedded_vault, count, nonce))
        assert ocsp.OCSPResponse.load(answer)["response_status"].native == "malformed_request"
    assert len(embedded_vault.pki.tsa(timestamp_request(nonce=2**200_000))) < 100


@pytest.mark.parametrize("data", [*BOMBS[1:3], timestamp_request(req_policy="1.2.3")])
def test_a_refused_timestamp_takes_no_serial_number(embedded_vault: Vault, data: bytes) -> None:
    def last() -> int:
        answer = tsp.TimeStampResp.load(embedded_vault.pki.tsa(timestamp_request()))
        return int(
            answer["time_stamp_token"]["content"]["encap_content_info"]["content"].parsed["serial_number"].native
        )

    before = last()
    for _ in range(5):
        embedded_vault.pki.tsa(data)
    assert last() == before + 1
