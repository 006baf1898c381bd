"""The PKI from outside: OpenSSL asks for chains, revocation, OCSP and time; keys roll over; evidence is renewed."""

from __future__ import annotations

import base64
import datetime
import json
import subprocess
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from certvault.bootstrap import LOCAL_OPERATOR, Actor, Vault
from certvault.certification import YEAR
from certvault.clock import FixedClock
from certvault.errors import ConflictError, ForbiddenError, NotFoundError, StorageFullError
from certvault.model.license import LicenseState
from signing.keys import KeyPurpose
from tests.support.rows import business

Example = Callable[[str], dict[str, Any]]


def openssl(*arguments: str | Path, stdin: bytes | None = None) -> str:
    done = subprocess.run(["openssl", *map(str, arguments)], input=stdin, capture_output=True, check=False)
    return (done.stdout + done.stderr).decode()


def verdict(vault: Vault, content: bytes | str) -> tuple[str, str]:
    found = vault.verification.verify(content)
    return found.integrity.value, found.conclusion.value


def test_openssl_accepts_chain_lists_ocsp_and_time(make_vault: Callable[..., Vault], tmp_path: Path) -> None:
    vault = make_vault()
    key = vault._keyring.active(KeyPurpose.SEAL, "11410200MB0A00018X")
    leaf, root, issuing = tmp_path / "leaf.pem", tmp_path / "root.pem", tmp_path / "issuing.pem"
    leaf.write_text(_pem(vault._keyring.certificate_der(key)))
    root.write_text(vault.pki.root_pem)
    issuing.write_text(_pem(vault.pki.ca_certificate("issuing")))
    crls = tmp_path / "crls.pem"
    crls.write_text("".join(_pem(vault.pki.crl(n), "X509 CRL") for n in ("root-1", "issuing-1")))
    shown = openssl(
        "verify", "-crl_check_all", "-x509_strict", "-CAfile", root, "-untrusted", issuing, "-CRLfile", crls, leaf
    )
    assert shown.strip().endswith(": OK"), shown
    request, answer = tmp_path / "r.der", tmp_path / "a.der"
    asked = ("ocsp", "-no_nonce", "-issuer", issuing, "-cert", leaf)
    openssl(*asked, "-reqout", request)
    answer.write_bytes(vault.pki.ocsp(request.read_bytes()))
    shown = openssl(*asked, "-respin", answer, "-CAfile", root, "-verify_other", issuing)
    assert "Response verify OK" in shown
    assert ": good" in shown
    query, stamp = tmp_path / "q.tsq", tmp_path / "t.tsr"
    openssl("ts", "-query", "-data", leaf, "-sha256", "-cert", "-out", query)
    stamp.write_bytes(vault.pki.tsa(query.read_bytes()))
    shown = openssl("ts", "-verify", "-in", stamp, "-queryfile", query, "-CAfile", root, "-untrusted", issuing)
    assert "Verification: OK" in shown, shown


def test_a_revoked_certificate_is_on_the_list_and_in_ocsp(make_vault: Callable[..., Vault], tmp_path: Path) -> None:
    clock = FixedClock(datetime.datetime(2026, 11, 23, 2, 0, tzinfo=datetime.UTC))
    vault = make_vault(clock=clock)
    key = vault._keyring.active(KeyPurpose.ANSWER)
    before = vault.pki.crl("issuing")
    clock.sleep(1)
    vault.pki.revoke(key.id, "key_compromise", LOCAL_OPERATOR)
    assert vault.pki.crl("issuing") != before
    shown = openssl("crl", "-inform", "DER", "-noout", "-text", stdin=vault.pki.crl("issuing-1"))
    assert "Key Compromise" in shown
    assert f"{int(vault._keyring.certificate(key).serial):X}" in shown


def test_serials_are_stored_before_they_are_used(make_vault: Callable[..., Vault]) -> None:
    vault = make_vault()
    lines = [e for e in _all_entries(vault) if e.kind in ("SERIAL_RESERVED", "CERTIFICATE_ISSUED")]
    by_object: dict[str, list[str]] = {}
    for line in reversed(lines):
        by_object.setdefault(line.object, []).append(line.kind)
    assert len(by_object) == 12
    assert all(kinds == ["SERIAL_RESERVED", "CERTIFICATE_ISSUED"] for kinds in by_object.values())
    first, second = vault.pki._serials.next(), vault.pki._serials.next()
    assert second == first + 1
    assert any(e.kind == "SERIALS_RESERVED" for e in _all_entries(vault))


def test_every_key_rolls_over_and_what_was_signed_stays_good(
    make_vault: Callable[..., Vault], example: Example
) -> None:
    vault = make_vault()
    old = vault.issuing.issue("business-license", business(1), actor=LOCAL_OPERATOR)
    purposes = ["seal", "record", "code", "status", "tsa", "ocsp", "log", "answer", "trust-list", "issuing", "root"]
    for purpose in purposes:
        rolled = vault.pki.rollover(purpose, LOCAL_OPERATOR)
        assert rolled.generation >= 2
        assert rolled.state == "ACTIVE"
    vault.status_lists.forget()
    new = vault.issuing.issue("business-license", business(2), actor=LOCAL_OPERATOR)
    for purpose in ("seal", "record", "code", "status", "tsa"):  # and again under the newest CA
        vault.pki.rollover(purpose, LOCAL_OPERATOR)
    vault.status_lists.forget()
    newest = vault.issuing.issue("business-license", business(3), actor=LOCAL_OPERATOR)
    for issued in (old, new, newest):
        assert verdict(vault, issued.pdf) == ("INTACT", "VALID")
        assert verdict(vault, issued.record) == ("INTACT", "VALID")
    assert set(vault.pki.ca_names()) == {"root-1", "issuing-1", "issuing-2", "root-2", "issuing-3"}
    for name in vault.pki.ca_names():
        assert vault.pki.ca_certificate(name)
        assert vault.pki.crl(name)
    assert len(vault.verification.trust().anchors) == 2
    assert vault.doctor().problems == ()


def test_a_revoked_seal_seals_nothing_until_it_is_rolled_over(make_vault: Callable[..., Vault]) -> None:
    vault = make_vault()
    old = vault.issuing.issue("business-license", business(1), actor=LOCAL_OPERATOR)
    seal = vault._keyring.active(KeyPurpose.SEAL, "11410200MB0A00018X")
    vault.pki.revoke(seal.id, "superseded", LOCAL_OPERATOR)
    with pytest.raises(ConflictError, match="SEAL_WITHOUT_KEY"):
        vault.issuing.issue("business-license", business(2), actor=LOCAL_OPERATOR)
    vault.pki.rollover("seal", LOCAL_OPERATOR)
    new = vault.issuing.issue("business-license", business(2), actor=LOCAL_OPERATOR)
    assert verdict(vault, new.pdf) == ("INTACT", "VALID")
    assert verdict(vault, old.pdf)[0] == "INTACT"


def test_rollover_asks_for_a_known_purpose_and_an_operator(make_vault: Callable[..., Vault]) -> None:
    vault = make_vault()
    for name in ("ca", "nothing"):
        with pytest.raises(NotFoundError):
            vault.pki.rollover(name, LOCAL_OPERATOR)
    with pytest.raises(ForbiddenError):
        vault.pki.rollover("seal", Actor("x", frozenset({"issuer"})))
    by_id = vault.pki.rollover(vault._keyring.active(KeyPurpose.STATUS).id, LOCAL_OPERATOR)
    assert by_id.purpose == "status"
    for name in ("root-9", "../etc", ""):
        with pytest.raises(NotFoundError):
            vault.pki.ca_certificate(name)


def test_maintenance_carries_documents_past_their_timestamps_certificate(make_vault: Callable[..., Vault]) -> None:
    """Twelve years, a maintenance run every 300 days: the license stays provable."""
    clock = FixedClock(datetime.datetime(2026, 11, 23, 2, 0, tzinfo=datetime.UTC))
    vault = make_vault(clock=clock)
    issued = vault.issuing.issue("business-license", business(1), actor=LOCAL_OPERATOR)
    stamps = 0
    for _ in range(15):
        clock.sleep(datetime.timedelta(days=300).total_seconds())
        stamps += vault.maintenance().done["archive_timestamps"]
    assert stamps == 2
    pdf = vault.licenses.pdf(issued.identifier, LOCAL_OPERATOR)
    assert pdf.startswith(issued.pdf)
    assert clock.now() > datetime.datetime(2026, 11, 23, tzinfo=datetime.UTC) + 12 * YEAR
    found = vault.verification.verify(pdf)
    assert (found.integrity.value, found.conclusion.value) == ("INTACT", "VALID"), [f.code for f in found.findings]
    fresh = vault.issuing.issue("business-license", business(2), actor=LOCAL_OPERATOR)
    assert verdict(vault, fresh.pdf) == ("INTACT", "VALID")
    assert vault.doctor().problems == ()


def test_status_lists_say_void_and_are_cached(
    make_vault: Callable[..., Vault], monkeypatch: pytest.MonkeyPatch
) -> None:
    vault = make_vault()
    issued = vault.issuing.issue("business-license", business(1), actor=LOCAL_OPERATOR)
    with vault._database.reading() as view:
        found = view.licenses.get(issued.identifier)
    assert found is not None
    token, etag = vault.status_lists.token(found.status_list)
    assert vault.status_lists.token(found.status_list) == (token, etag)
    payload = json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))
    values = zlib.decompress(base64.urlsafe_b64decode(payload["status_list"]["lst"] + "=="))
    assert len(values) == (1 << 17) * 2 // 8
    assert not any(values)
    with monkeypatch.context() as patch:
        patch.setattr(vault.licenses._store, "put", lambda *_: (_ for _ in ()).throw(StorageFullError("full")))
        with pytest.raises(StorageFullError):
            vault.issuing.issue("business-license", business(2), actor=LOCAL_OPERATOR)
    vault.status_lists.forget()
    with vault._database.reading() as view:
        void = view.licenses.in_state(LicenseState.VOID)[0]
    again, other = vault.status_lists.token(void.status_list)
    assert other != etag
    payload = json.loads(base64.urlsafe_b64decode(again.split(".")[1] + "=="))
    values = zlib.decompress(base64.urlsafe_b64decode(payload["status_list"]["lst"] + "=="))
    assert values[void.status_index // 4] == 1 << (void.status_index % 4 * 2)
    assert sum(values) == values[void.status_index // 4]
    with pytest.raises(NotFoundError):
        vault.status_lists.token(99)


def _all_entries(vault: Vault) -> list[Any]:
    entries, cursor = [], None
    while True:
        page = vault.audit.entries(LOCAL_OPERATOR, cursor=cursor, limit=50)
        entries += page.items
        cursor = page.next_cursor
        if cursor is None:
            return entries


def _pem(der: bytes, kind: str = "CERTIFICATE") -> str:
    return f"-----BEGIN {kind}-----\n{base64.encodebytes(der).decode()}-----END {kind}-----\n"
