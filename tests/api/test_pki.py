"""What anyone may fetch: status lists, revocation lists, certificates, OCSP, timestamps. OpenSSL reads the answers."""

from __future__ import annotations

import base64
import hashlib
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from tests.api.conftest import Door
from verify.formats.notice import unverified_notice

if TYPE_CHECKING:
    from certvault.bootstrap import Vault


def openssl(*arguments: str | Path) -> str:
    done = subprocess.run(["openssl", *map(str, arguments)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr + done.stdout
    return done.stdout + done.stderr


@pytest.fixture
def chain(door: Door, tmp_path: Path) -> dict[str, Path]:
    """Root and issuing CA, as fetched, in PEM."""
    found = {}
    for name in ("root", "issuing"):
        answer = door.client.get(f"/ca/{name}")
        assert answer.headers["content-type"] == "application/pkix-cert"
        (tmp_path / f"{name}.der").write_bytes(answer.content)
        found[name] = tmp_path / f"{name}.pem"
        openssl("x509", "-inform", "DER", "-in", tmp_path / f"{name}.der", "-out", found[name])
    return found


def test_notices_by_number(door: Door, embedded_vault: Vault) -> None:
    """Each once, in order, however the pages are cut; what lies behind the last is an empty page."""
    made = [embedded_vault.notices.add("EXERCISE", {"n": n}).number for n in range(3)]
    seen, after = [], made[0] - 1
    while True:
        page = door.client.get("/v1/notices", params={"after": after, "limit": 1}).json()
        seen += [(n["number"], n["kind"]) for n in page["notices"]]
        if page["next"] is None:
            break
        after = page["next"]
    assert seen == [(n, "EXERCISE") for n in made]
    whole = door.client.get("/v1/notices", params={"after": made[0] - 1}).json()
    assert ([n["number"] for n in whole["notices"]], whole["next"]) == (made, None)
    assert unverified_notice(whole["notices"][0]["notice"]).claims["n"] == 0
    assert door.client.get("/v1/notices", params={"after": made[-1]}).json() == {"notices": [], "next": None}
    for wrong in ({"after": -1}, {"limit": 0}, {"limit": 201}, {"after": 2**60}):
        assert door.client.get("/v1/notices", params=wrong).status_code == 422


def test_status_list(door: Door) -> None:
    answer = door.client.get("/status-lists/1")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("application/statuslist+jwt")
    assert answer.headers["cache-control"].startswith("public, max-age=")
    assert answer.text.count(".") == 2
    again = door.client.get("/status-lists/1", headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert door.client.get("/status-lists/99").status_code == 404
    assert door.client.get("/status-lists/x").status_code == 422


@pytest.mark.parametrize("ca", ["root", "issuing"])
def test_crl(door: Door, chain: dict[str, Path], tmp_path: Path, ca: str) -> None:
    answer = door.client.get(f"/crl/{ca}")
    assert answer.headers["content-type"] == "application/pkix-crl"
    (tmp_path / "crl").write_bytes(answer.content)
    text = openssl("crl", "-inform", "DER", "-in", tmp_path / "crl", "-CAfile", chain[ca], "-noout", "-nextupdate")
    assert "verify OK" in text
    assert door.client.get("/crl/none").status_code == 404
    assert door.client.get("/ca/none").status_code == 404


@pytest.fixture
def leaf(embedded_vault: Vault, tmp_path: Path) -> Path:
    """A certificate that the issuing CA issued, in PEM."""
    loaded = [x509.load_der_x509_certificate(der) for der in embedded_vault.verification.trust().certificates]
    found = next(c for c in loaded if "Issuing" in c.issuer.rfc4514_string())
    path = tmp_path / "leaf.pem"
    path.write_bytes(found.public_bytes(serialization.Encoding.PEM))
    return path


def test_ocsp_by_post_and_get(door: Door, chain: dict[str, Path], leaf: Path, tmp_path: Path) -> None:
    request, answer = tmp_path / "req.der", tmp_path / "resp.der"
    asked = ("-issuer", chain["issuing"], "-cert", leaf)
    openssl("ocsp", *asked, "-reqout", request, "-no_nonce")
    posted = door.client.post(
        "/ocsp", content=request.read_bytes(), headers={"Content-Type": "application/ocsp-request"}
    )
    encoded = quote(base64.b64encode(request.read_bytes()).decode(), safe="")
    for response in (posted, door.client.get(f"/ocsp/{encoded}")):
        assert response.status_code == 200
        assert response.headers["content-type"] == "application/ocsp-response"
        answer.write_bytes(response.content)
        text = openssl("ocsp", "-respin", answer, *asked, "-CAfile", chain["root"], "-verify_other", chain["issuing"])
        assert "Response verify OK" in text
        assert ": good" in text


def test_ocsp_nonsense_is_answered_as_malformed(door: Door, tmp_path: Path) -> None:
    for response in (door.client.post("/ocsp", content=b"nonsense"), door.client.get("/ocsp/%%%")):
        assert response.status_code == 200
        assert response.content == bytes.fromhex("30030a0101")  # malformedRequest (1), RFC 6960 4.2.1


def test_timestamp(door: Door, chain: dict[str, Path], tmp_path: Path) -> None:
    data, query, reply = tmp_path / "data", tmp_path / "q", tmp_path / "r"
    data.write_bytes(b"when")
    openssl("ts", "-query", "-data", data, "-sha256", "-cert", "-out", query)
    answer = door.client.post(
        "/tsa", content=query.read_bytes(), headers={"Content-Type": "application/timestamp-query"}
    )
    assert answer.headers["content-type"] == "application/timestamp-reply"
    reply.write_bytes(answer.content)
    text = openssl(
        "ts", "-verify", "-in", reply, "-data", data, "-CAfile", chain["root"], "-untrusted", chain["issuing"]
    )
    assert "Verification: OK" in text
    assert hashlib.sha256(b"when").digest() in answer.content


def test_a_timestamp_request_must_say_what_it_is(door: Door) -> None:
    assert door.client.post("/tsa", content=b"x").status_code == 415
