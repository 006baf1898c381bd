"""OpenSSL's own tools judge our certificates, revocation lists, OCSP answers, timestamps and CMS."""

from __future__ import annotations

import hashlib
import http.server
import subprocess
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from signing.backends import open_backend
from signing.formats import cms
from signing.formats.crl import RevokedEntry, make_crl
from signing.formats.ocsp import CertificateStatus, answer_ocsp
from signing.keys import KeyPurpose
from tests.support.signing_pki import AT, POLICY, Pki, build_pki, serial_of

NOW = datetime.now(UTC)
MOMENT = str(int((AT + timedelta(minutes=5)).timestamp()))


@pytest.fixture(scope="module", params=["p256", "rsa3072"])
def pki(request: pytest.FixtureRequest) -> Pki:
    return build_pki(open_backend("memory:"), request.param)


@pytest.fixture
def files(pki: Pki, tmp_path: Path) -> Path:
    """root.pem, issuing.pem, chain.pem, one PEM per purpose."""
    named = {"root": pki.root.certificate, "issuing": pki.issuing.certificate}
    named |= {purpose.value: certificate for purpose, (certificate, _) in pki.leafs.items()}
    for name, der in named.items():
        (tmp_path / f"{name}.pem").write_bytes(x509.load_der_x509_certificate(der).public_bytes(Encoding.PEM))
    return tmp_path


def _openssl(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = ["openssl", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)


def _crls(pki: Pki, folder: Path, *revoked: RevokedEntry) -> Path:
    made = (
        make_crl(pki.root, number=1, this_update=AT, next_update=AT + timedelta(days=180)),
        make_crl(pki.issuing, number=2, this_update=AT, next_update=AT + timedelta(days=7), revoked=revoked),
    )
    path = folder / "crls.pem"
    path.write_bytes(b"".join(x509.load_der_x509_crl(c).public_bytes(Encoding.PEM) for c in made))
    return path


def _verify(files: Path, crls: Path, name: str, *more: str) -> subprocess.CompletedProcess[str]:
    return _openssl(
        "verify", "-x509_strict", "-crl_check_all", "-CAfile", files / "root.pem", "-untrusted", files / "issuing.pem",
        "-CRLfile", crls, "-attime", MOMENT, *more, files / f"{name}.pem",
    )  # fmt: skip


def test_every_certificate_verifies_strictly(pki: Pki, files: Path) -> None:
    crls = _crls(pki, files)
    for purpose in pki.leafs:
        done = _verify(files, crls, purpose.value)
        assert done.returncode == 0, f"{purpose}: {done.stderr}"


def test_a_revoked_certificate_does_not(pki: Pki, files: Path) -> None:
    entry = RevokedEntry(serial_of(pki.certificate(KeyPurpose.SEAL)), AT, "key_compromise", AT - timedelta(hours=3))
    crls = _crls(pki, files, entry, RevokedEntry(7, AT), RevokedEntry(9, AT, "superseded"))
    assert "certificate revoked" in _verify(files, crls, "seal").stderr
    assert _verify(files, crls, "record").returncode == 0
    shown = _openssl("crl", "-in", crls, "-noout", "-text").stdout
    assert "X509v3 CRL Number" in shown


def test_purposes_are_openssl_s_too(pki: Pki, files: Path) -> None:
    crls = _crls(pki, files)
    assert _verify(files, crls, "tsa", "-purpose", "timestampsign").returncode == 0
    assert _verify(files, crls, "seal", "-purpose", "timestampsign").returncode != 0
    assert _verify(files, crls, "seal", "-purpose", "sslserver").returncode != 0


@pytest.fixture
def responder(pki: Pki) -> Iterator[str]:
    """An OCSP responder over HTTP on the loopback interface; it answers for now."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            request = self.rfile.read(int(self.headers["Content-Length"]))
            answer = answer_ocsp(request, responders=[pki.responder], at=datetime.now(UTC))
            self.send_response(200)
            self.send_header("Content-Type", "application/ocsp-response")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            return

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_openssl_ocsp_asks_and_believes(pki: Pki, files: Path, responder: str) -> None:
    revoked = serial_of(pki.certificate(KeyPurpose.RECORD))
    before = dict(pki.statuses)
    pki.statuses[revoked] = CertificateStatus("revoked", AT, "key_compromise")
    try:
        done = _openssl(
            "ocsp", "-url", responder, "-issuer", files / "issuing.pem", "-cert", files / "seal.pem",
            "-cert", files / "record.pem", "-sha256", "-cert", files / "tsa.pem", "-serial", "123456",
            "-CAfile", files / "root.pem", "-VAfile", files / "issuing.pem", "-verify_other", files / "issuing.pem",
        )  # fmt: skip
    finally:
        pki.statuses.clear()
        pki.statuses.update(before)
    assert "Response verify OK" in done.stderr, done.stderr
    assert f"{files}/seal.pem: good" in done.stdout
    assert f"{files}/record.pem: revoked" in done.stdout
    assert "keyCompromise" in done.stdout
    assert f"{files}/tsa.pem: good" in done.stdout
    assert "123456: unknown" in done.stdout
    assert "WARNING" not in done.stdout + done.stderr  # the nonce came back


def test_openssl_ts_queries_and_verifies(pki: Pki, files: Path) -> None:
    data, tsa = files / "data", pki.tsa()
    data.write_bytes(b"a document")
    for options in (["-cert"], ["-cert", "-sha512"], ["-sha384", "-no_nonce"], ["-cert", "-tspolicy", POLICY]):
        query, reply = files / "q.tsq", files / "r.tsr"
        assert _openssl("ts", "-query", "-data", data, *options, "-out", query).returncode == 0
        reply.write_bytes(tsa.respond(query.read_bytes(), NOW))
        command = ["ts", "-verify", "-queryfile", query, "-in", reply, "-CAfile", files / "root.pem"]
        done = _openssl(*command, "-untrusted", files / "issuing.pem", *_signer_if_absent(options, files))
        assert "Verification: OK" in done.stdout + done.stderr, (options, done.stderr)
    (files / "data").write_bytes(b"another document")
    assert _openssl("ts", "-verify", "-data", data, "-in", files / "r.tsr", "-CAfile", files / "root.pem",
                    "-untrusted", files / "issuing.pem").returncode != 0  # fmt: skip


def _signer_if_absent(options: list[str], files: Path) -> list[object]:
    if "-cert" in options:
        return []
    both = files / "tsa-and-issuing.pem"
    both.write_bytes((files / "tsa.pem").read_bytes() + (files / "issuing.pem").read_bytes())
    return ["-untrusted", both]


def test_openssl_ts_reads_our_refusals(pki: Pki, files: Path) -> None:
    data = files / "data"
    data.write_bytes(b"a document")
    cases = {"-sha1": "unrecognized or unsupported algorithm", "-tspolicy": "policy is not supported"}
    for option, words in cases.items():
        arguments = [option] if option == "-sha1" else [option, "1.2.3.4"]
        _openssl("ts", "-query", "-data", data, *arguments, "-out", files / "q.tsq")
        (files / "r.tsr").write_bytes(pki.tsa().respond((files / "q.tsq").read_bytes(), NOW))
        shown = _openssl("ts", "-reply", "-in", files / "r.tsr", "-text").stdout
        assert "Rejected" in shown
        assert words in shown, shown


def test_openssl_cms_verifies(pki: Pki, files: Path) -> None:
    data = b"any file \x00\xff"
    (files / "data").write_bytes(data)
    for signing_time in (None, AT):
        made = cms.sign_detached(
            hashlib.sha256(data).digest(),
            signer=pki.signer(KeyPurpose.SEAL),
            certificate=pki.certificate(KeyPurpose.SEAL),
            chain=(pki.issuing.certificate,),
            signing_time=signing_time,
        )
        (files / "data.p7s").write_bytes(made)
        command = ["cms", "-verify", "-cades", "-binary", "-inform", "DER", "-in", files / "data.p7s", "-CAfile"]
        command += [files / "root.pem", "-purpose", "any", "-attime", MOMENT, "-out", "/dev/null", "-content"]
        done = _openssl(*command, files / "data")
        assert done.returncode == 0, done.stderr
        (files / "other").write_bytes(data + b"!")
        assert _openssl(*command, files / "other").returncode != 0
