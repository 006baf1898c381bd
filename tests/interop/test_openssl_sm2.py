"""OpenSSL on a vault of the suite ``sm2``: chains by ``verify -vfyopt distid:…``, everything else by ``dgst``.

Its ``crl``, ``cms``, ``ocsp`` and ``ts`` cannot be told the identity, so there the signed bytes are checked.
"""

from __future__ import annotations

import io
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from asn1crypto import crl, ocsp, pem, tsp, x509
from pyhanko.pdf_utils.reader import PdfFileReader

from certvault.bootstrap import LOCAL_OPERATOR, Vault
from signing.formats import cms, der
from signing.formats.ocsp import ocsp_for
from signing.formats.x509 import CertificateRequestData, Subject, issue_certificate, random_serial
from signing.keys import KeyHandle, KeyPurpose
from signing.tbs import ToBeSigned
from signing.timestamp import TimestampAuthority
from tests.support.derparts import exchanged
from tests.support.rows import business
from tests.support.signing_pki import AT, POLICY, Pki, serial_of, shared_pki
from verify import DEFAULT_POLICY, Evidence, TrustStore
from verify.checks.chain import Chains, Revocation, load_lenient
from verify.checks.sealtime import check_token
from verify.formats.algorithms import Algorithm
from verify.formats.cms import check_signature, unverified_cms
from verify.formats.publickeys import BadSignatureError
from verify.formats.sm2 import sm3, verify_sm2
from verify.inquiry import Inquiry

IDENTITY = "distid:1234567812345678"
EMPTY = "distid:"
HOUR = timedelta(hours=1)
DATA = b"a file of any kind"


def _openssl(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["openssl", *arguments], cwd=folder, check=False, capture_output=True, text=True, timeout=30)


def _made(folder: Path, *arguments: str) -> None:
    done = _openssl(folder, *arguments)
    assert done.returncode == 0, done.stderr


@dataclass(frozen=True)
class Signed:
    """Bytes that were signed, the value, and the certificate of the key."""

    covered: bytes
    value: bytes
    certificate: Any


@pytest.fixture(scope="module")
def asked(sm2_vault: Vault, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a question by OpenSSL about the seal's certificate, and the vault's answer."""
    folder = tmp_path_factory.mktemp("ocsp")
    question = _question(folder, sm2_vault.pki, _seal_key(sm2_vault)[1])
    (folder / "answer").write_bytes(sm2_vault.pki.ocsp(question))
    return folder


@pytest.fixture(scope="module")
def signed(sm2_vault: Vault, asked: Path) -> dict[str, Signed]:
    """One of each: what the vault serves, and what its licenses and seals hold."""
    pki = sm2_vault.pki
    found = {}
    for name in ("root", "issuing"):
        value = crl.CertificateList.load(pki.crl(name))
        ca = x509.Certificate.load(pki.ca_certificate(name))
        found[f"list of {name}"] = Signed(value["tbs_cert_list"].dump(), value["signature"].native, ca)
    answer = ocsp.OCSPResponse.load((asked / "answer").read_bytes()).basic_ocsp_response
    found["answer"] = Signed(
        answer["tbs_response_data"].dump(), answer["signature"].native, x509.Certificate.load(answer["certs"][0].dump())
    )
    query = tsp.TimeStampReq(
        {
            "version": "v1",
            "message_imprint": {"hash_algorithm": {"algorithm": "1.2.156.10197.1.401"}, "hashed_message": sm3(DATA)},
            "cert_req": True,
        }
    )
    found["timestamp"] = _of_cms(tsp.TimeStampResp.load(pki.tsa(query.dump()))["time_stamp_token"].dump())
    issued = sm2_vault.issuing.issue("business-license", business(1), actor=LOCAL_OPERATOR, baseline="B-LTA")
    seal, stamp = (s.pkcs7_content for s in PdfFileReader(io.BytesIO(issued.pdf)).embedded_signatures)
    found |= {"seal on a license": _of_cms(seal), "timestamp on a license": _of_cms(stamp)}
    signer, certificate = _seal_key(sm2_vault)
    detached = cms.sign_national(sm3(DATA), signer=signer, certificate=certificate)
    return found | {"GB/T 35275": _of_cms(detached)}


def _records(vault: Vault) -> list[Any]:
    with vault._database.reading() as view:
        return list(view.certificates.all())


def _seal_key(vault: Vault) -> tuple[Any, bytes]:
    """The door to the one issuer's seal key, and its certificate."""
    keyring = vault._keyring
    (key,) = (k for k in keyring.all(KeyPurpose.SEAL) if k.retired_at is None)
    return keyring.signer(key), keyring.certificate_der(key)


def _question(folder: Path, pki: Any, seal: bytes) -> bytes:
    """What OpenSSL asks about a certificate, whose issuer it names by SM3 digests."""
    for name, certificate in (("issuing", pki.ca_certificate("issuing")), ("seal", seal)):
        (folder / name).write_bytes(pem.armor("CERTIFICATE", certificate))
    _made(folder, "ocsp", "-issuer", "issuing", "-sm3", "-cert", "seal", "-reqout", "question")
    return (folder / "question").read_bytes()


def _of_cms(value: bytes) -> Signed:
    read = unverified_cms(value)
    return Signed(b"\x31" + read.attributes_der[1:], read.signature, read.signer)


KINDS = (
    "list of root",
    "list of issuing",
    "answer",
    "timestamp",
    "seal on a license",
    "timestamp on a license",
    "GB/T 35275",
)


def _dgst(folder: Path, given: Signed, identity: str | None = IDENTITY) -> str:
    (folder / "key").write_bytes(pem.armor("PUBLIC KEY", given.certificate.public_key.dump()))
    (folder / "value").write_bytes(given.value)
    (folder / "covered").write_bytes(given.covered)
    option = () if identity is None else ("-sigopt", identity)
    done = _openssl(folder, "dgst", "-sm3", "-verify", "key", *option, "-signature", "value", "covered")
    return done.stdout.strip()


@pytest.mark.parametrize("kind", KINDS)
def test_what_we_sign_verifies_under_the_default_identity_alone(
    signed: dict[str, Signed], tmp_path: Path, kind: str
) -> None:
    given = signed[kind]
    assert _dgst(tmp_path, given) == "Verified OK"
    for identity in (None, EMPTY, "distid:ALICE123@YAHOO.COM"):
        assert _dgst(tmp_path, given, identity) == "Verification failure"
    other = Signed(given.covered[:-1] + bytes((given.covered[-1] ^ 1,)), given.value, given.certificate)
    assert _dgst(tmp_path, other) == "Verification failure"


def test_openssl_finds_its_question_answered(asked: Path) -> None:
    """It names issuers by SM3 digests; the answer's own signature it cannot check, see above."""
    done = _openssl(asked, "ocsp", "-respin", "answer", "-issuer", "issuing", "-sm3", "-cert", "seal", "-noverify")
    assert done.stdout.startswith("seal: good"), done.stderr
    single = ocsp.OCSPResponse.load((asked / "answer").read_bytes()).response_data["responses"][0]
    assert single["cert_id"]["hash_algorithm"]["algorithm"].dotted == "1.2.156.10197.1.401"


def test_every_certificate_of_a_vault_verifies_strictly(sm2_vault: Vault, tmp_path: Path) -> None:
    """Link by link: OpenSSL 3.0 gives the identity to the first certificate of a path and not to those above it."""
    names: dict[str, list[str]] = {"root-1": [], "issuing-1": []}
    for record in _records(sm2_vault):
        name = f"{record.purpose.value}-{record.serial}"
        (tmp_path / name).write_bytes(pem.armor("CERTIFICATE", record.der))
        names[record.ca].append(name)
    assert [len(n) for n in names.values()] == [2, 10]
    for ca, below in names.items():
        (tmp_path / ca).write_bytes(pem.armor("CERTIFICATE", sm2_vault.pki.ca_certificate(ca)))
        command = ("verify", "-x509_strict", "-partial_chain", "-trusted", ca)
        done = _openssl(tmp_path, *command, "-vfyopt", IDENTITY, *below)
        assert done.stdout.splitlines() == [f"{name}: OK" for name in below], done.stderr
        without = _openssl(tmp_path, *command, below[-1])
        assert "signature failure" in without.stderr


def test_names_and_algorithms_are_those_of_gbt_20518(sm2_vault: Vault) -> None:
    """Version 3, country first, key identifiers everywhere, and the algorithm without parameters, twice the same."""
    algorithm = der.sequence(der.oid("1.2.156.10197.1.501"))
    for record in _records(sm2_vault):
        certificate = x509.Certificate.load(record.der)
        tbs = certificate["tbs_certificate"]
        assert tbs["version"].native == "v3"
        assert tbs["signature"].dump() == certificate["signature_algorithm"].dump() == algorithm
        for name in (certificate.issuer, certificate.subject):
            parts = [(a["type"].dotted, type(a["value"].chosen).__name__) for rdn in name.chosen for a in rdn]
            assert parts[0] == ("2.5.4.6", "PrintableString")
            assert {kind for _, kind in parts[1:]} == {"UTF8String"}
        assert certificate.key_identifier
        assert certificate.authority_key_identifier or certificate.self_signed != "no"
        assert certificate.key_usage_value is not None
        critical = {e["extn_id"].native for e in tbs["extensions"] if e["critical"].native}
        assert "key_usage" in critical
        assert critical <= {"key_usage", "basic_constraints", "extended_key_usage"}


# -- the other way round --------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an SM2 key and a certificate over it, both by OpenSSL."""
    folder = tmp_path_factory.mktemp("openssl")
    _made(folder, "genpkey", "-algorithm", "SM2", "-out", "key")
    subject = ("-subj", "/CN=OpenSSL", "-addext", "keyUsage=critical,digitalSignature")
    _made(folder, "req", "-x509", "-new", "-key", "key", "-sm3", "-sigopt", IDENTITY, *subject, "-out", "certificate")
    return folder


def _sign(folder: Path, covered: bytes, identity: str = IDENTITY) -> bytes:
    (folder / "covered").write_bytes(covered)
    _made(folder, "dgst", "-sm3", "-sign", "key", "-sigopt", identity, "-out", "value", "covered")
    return (folder / "value").read_bytes()


def _certificate(folder: Path) -> bytes:
    return pem.unarmor((folder / "certificate").read_bytes())[2]


def test_what_openssl_signs_under_another_identity_is_refused(key: Path) -> None:
    spki = x509.Certificate.load(_certificate(key)).public_key.dump()
    verify_sm2(_sign(key, DATA), DATA, spki)
    for identity in (EMPTY, "distid:ALICE123@YAHOO.COM"):
        with pytest.raises(BadSignatureError):
            verify_sm2(_sign(key, DATA, identity), DATA, spki)


class _OpensslSigner:
    """A door to the key in OpenSSL's hands."""

    def __init__(self, folder: Path, handle: Any) -> None:
        self._folder = folder
        self.handle = handle

    def sign(self, tbs: ToBeSigned) -> bytes:
        return _sign(self._folder, tbs.data)


class _OpensslSigner:
    """A door to the key in OpenSSL's hands, for one purpose."""

    def __init__(self, folder: Path, purpose: KeyPurpose) -> None:
        self._folder = folder
        spki = x509.Certificate.load(_certificate(folder)).public_key.dump()
        self.handle = KeyHandle("openssl:key", spki, Algorithm.SM2_SM3, purpose)

    def sign(self, tbs: ToBeSigned) -> bytes:
        return _sign(self._folder, tbs.data)

    def certified(self, pki: Pki) -> bytes:
        """A certificate of our authority over it."""
        request = CertificateRequestData(
            Subject("by OpenSSL"), self.handle, random_serial(), AT - HOUR, AT + HOUR, ca_name="issuing-1"
        )
        return issue_certificate(pki.issuing, request)


@pytest.mark.parametrize("write", [cms.sign_detached, cms.sign_national], ids=["RFC 5652", "GB/T 35275"])
def test_cms_whose_value_openssl_made_is_accepted(key: Path, write: Callable[..., bytes]) -> None:
    signer = _OpensslSigner(key, KeyPurpose.SEAL)
    value = write(sm3(DATA), signer=signer, certificate=_certificate(key))
    read = unverified_cms(value)
    assert check_signature(read, DATA, "data").signer.subject.native == {"common_name": "OpenSSL"}
    wrong = exchanged(value, read.signature, _sign(key, b"other attributes"))
    with pytest.raises(BadSignatureError):
        check_signature(unverified_cms(wrong), DATA, "data")


def test_an_answer_and_a_token_whose_values_openssl_made_are_accepted(key: Path) -> None:
    """A responder and an authority of our region whose keys OpenSSL keeps."""
    pki = shared_pki("sm2")
    seal = pki.certificate(KeyPurpose.SEAL)
    responder = _OpensslSigner(key, KeyPurpose.OCSP)
    answering = replace(pki.responder, signer=responder, certificate=responder.certified(pki))
    answer = ocsp_for([serial_of(seal)], responder=answering, at=AT)
    authority = _OpensslSigner(key, KeyPurpose.TSA)
    token = TimestampAuthority(
        authority, authority.certified(pki), (pki.issuing.certificate,), POLICY, lambda: 1
    ).stamp(sm3(DATA), "sm3", AT)
    trust = TrustStore((pki.root.certificate,), (pki.issuing.certificate,), allow_example=True)
    for ocsps, good in (((answer,), True), ((), False)):
        evidence = Evidence(crls=(pki.root_crl(),), ocsps=ocsps)
        chains = Chains(Inquiry("seal", trust=trust, at=AT, policy=DEFAULT_POLICY, evidence=evidence), ())
        assert chains.validate(load_lenient(seal), AT, Revocation.REQUIRED).good is good
    assert check_token(chains, "TIMESTAMP", token, DATA, None).outcome.value == "PASSED"
    assert check_token(chains, "TIMESTAMP", token, b"other", None).outcome.value == "FAILED"
