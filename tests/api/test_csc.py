"""The remote signing service as version 2 of the specification has it: examples, errors; and version 1 beside it."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from fastapi.testclient import TestClient

from api.app import create_app
from api.csc.clients import ProxyOnly
from api.limits import Rate
from certvault.bootstrap import InitOptions, create_vault, open_vault
from certvault.clock import FixedClock
from certvault.model.actor import LOCAL_OPERATOR, Actor
from certvault.model.sealrules import SealRules
from certvault.remote import PURPOSE
from certvault.seals import Wanted
from tests.api.conftest import GENEROUS
from tests.conftest import NOW
from verify.formats.sm2 import message_digest, point_of_spki, verify_sm2

if TYPE_CHECKING:
    from certvault.bootstrap import Vault

SHA256, ES256, RSA = "2.16.840.1.101.3.4.2.1", "1.2.840.10045.4.3.2", "1.2.840.113549.1.1.1"
EXAMPLE = "sTOgwOm+474gFj0q0x1iSNspKqbcse4IeiqlDg/HWuI="
"""The first hash of the specification's examples (11.6, 11.10)."""


@dataclasses.dataclass
class Service:
    """A vault with a clock of its own, its application, and tokens by role."""

    vault: Vault
    clock: FixedClock
    client: TestClient
    tokens: dict[str, str]
    credential: str

    def ask(
        self, method: str, body: Any = None, *, role: str | None = "custodian", version: str = "v2", **headers: str
    ) -> Any:
        who = {} if role is None else {"Authorization": f"Bearer {self.tokens[role]}"}
        return self.client.post(f"/csc/{version}/{method}", json={} if body is None else body, headers=who | headers)

    def authorize(self, *digests: str, count: int | None = None, **more: Any) -> Any:
        body = {"credentialID": self.credential, "numSignatures": count or len(digests), "hashes": list(digests)}
        return self.ask("credentials/authorize", body, **more)

    def sign(self, sad: str, *digests: str, **changes: Any) -> Any:
        body = {"credentialID": self.credential, "SAD": sad, "hashes": list(digests), "signAlgo": ES256}
        return self.ask("signatures/signHash", {k: v for k, v in (body | changes).items() if v is not None})

    def subject(self, role: str) -> str:
        return f"token:{self.tokens[role].split('_')[1]}"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    clock = FixedClock(NOW)
    vault = create_vault(InitOptions(folder=tmp_path_factory.mktemp("csc") / "var", keys="file"), clock=clock)
    tokens = {r: vault.tokens.create(r, actor=LOCAL_OPERATOR) for r in ("custodian", "issuer", "auditor", "operator")}
    with TestClient(create_app(vault, limits=GENEROUS), raise_server_exceptions=False) as client:
        (first,) = vault.seals.list(LOCAL_OPERATOR)
        yield Service(vault, clock, client, tokens, f"{first.seal.id}-1")
    vault.close()


def _hash() -> str:
    return base64.b64encode(secrets.token_bytes(32)).decode()


def _refused(answer: Any, description: str, error: str = "invalid_request", status: int = 400) -> None:
    assert answer.headers["content-type"] == "application/json"
    assert (answer.status_code, answer.json()) == (status, {"error": error, "error_description": description})


def _verify(service: Service, signature: str, digest: str) -> None:
    shown = service.ask("credentials/info", {"credentialID": service.credential}).json()["cert"]["certificates"]
    public = x509.load_der_x509_certificate(base64.b64decode(shown[0])).public_key()
    assert isinstance(public, ec.EllipticCurvePublicKey)
    public.verify(base64.b64decode(signature), base64.b64decode(digest), ec.ECDSA(Prehashed(hashes.SHA256())))


# -- the specification's examples ------------------------------------------------------------------------------------


def test_info_has_every_required_member_and_is_open_to_anyone(service: Service) -> None:
    """11.1."""
    told = service.ask("info", role=None).json()
    required = {"specs", "name", "logo", "region", "lang", "description", "authType", "methods", "signAlgorithms"}
    assert required | {"signature_formats", "conformance_levels"} <= set(told)
    assert (told["specs"], told["region"], told["authType"]) == ("2.0.0.0", "CN", ["external"])
    assert {"credentials/list", "credentials/authorize", "signatures/signHash"} <= set(told["methods"])
    assert ES256 in told["signAlgorithms"]["algos"]
    assert service.ask("info", {"lang": "en-US"}, role=None).json()["lang"] == "en-US"
    routes = {r.rpartition("/csc/{version}/")[2] for r in service.client.get("/openapi.json").json()["paths"]}
    assert set(told["methods"]) <= routes


def test_list_and_info_as_in_the_examples(service: Service) -> None:
    """11.4 and 11.5."""
    asked = {"credentialInfo": True, "certificates": "chain", "certInfo": True, "authInfo": True}
    listed = service.ask("credentials/list", asked).json()
    (one,) = listed["credentialInfos"]
    assert listed["credentialIDs"] == [one.pop("credentialID")]
    told = service.ask(
        "credentials/info",
        {"credentialID": service.credential, "certificates": "chain", "certInfo": True, "authInfo": True},
    ).json()
    assert told == one
    assert told["key"] == {"status": "enabled", "algo": [ES256], "len": 256, "curve": "1.2.840.10045.3.1.7"}
    assert (told["auth"], told["SCAL"]) == ({"mode": "explicit", "objects": []}, "2")
    assert told["multisign"] >= 2
    chain = [x509.load_der_x509_certificate(base64.b64decode(c)) for c in told["cert"]["certificates"]]
    assert len(chain) == 3
    for below, above in zip(chain, [*chain[1:], chain[-1]], strict=True):
        below.verify_directly_issued_by(above)
    cert = told["cert"]
    assert cert["serialNumber"] == f"{chain[0].serial_number:X}"
    assert cert["subjectDN"] == chain[0].subject.rfc4514_string()
    assert cert["validTo"] == chain[0].not_valid_after_utc.strftime("%Y%m%d%H%M%SZ")
    plain = service.ask("credentials/info", {"credentialID": service.credential, "certificates": "none"}).json()
    assert plain["cert"] == {"status": "valid"}


def test_authorize_and_sign_several_hashes_as_in_the_examples(service: Service) -> None:
    """11.6 and 11.10, with the specification's first hash; its second has 44 bytes, which is no SHA-256."""
    second = _hash()
    asked = {
        "credentialID": service.credential,
        "numSignatures": 2,
        "hashes": [EXAMPLE, second],
        "hashAlgorithmOID": SHA256,
        "authData": [],
        "clientData": "12345678",
    }
    leave = service.ask("credentials/authorize", asked).json()
    assert set(leave) == {"SAD", "expiresIn"}
    done = service.sign(leave["SAD"], EXAMPLE, second, hashAlgorithmOID=SHA256, clientData="12345678")
    assert set(done.json()) == {"signatures"}
    for value, digest in zip(done.json()["signatures"], (EXAMPLE, second), strict=True):
        _verify(service, value, digest)


def test_each_signature_is_a_use_of_the_seal_recorded_under_its_permit(service: Service) -> None:
    digest = _hash()
    seal_id = service.credential.partition("-")[0]
    before = {u.permit_id for u in service.vault.seal_uses.uses(seal_id, LOCAL_OPERATOR)}
    sad = service.authorize(digest).json()["SAD"]
    assert {u.permit_id for u in service.vault.seal_uses.uses(seal_id, LOCAL_OPERATOR)} == before
    assert service.sign(sad, digest).status_code == 200
    (use,) = [u for u in service.vault.seal_uses.uses(seal_id, LOCAL_OPERATOR) if u.permit_id not in before]
    assert (use.digest, use.used_by) == (base64.b64decode(digest).hex(), service.subject("custodian"))
    told = [e.kind for e in service.vault.audit.entries(LOCAL_OPERATOR, about=f"seal:{seal_id}").items]
    assert {"SEAL_PERMITTED", "SEAL_USED", "REMOTE_SIGNING"} <= set(told)
    assert sad not in str(service.vault.audit.entries(LOCAL_OPERATOR, about=f"seal:{seal_id}").items)


# -- what a SAD is not good for --------------------------------------------------------------------------------------


def test_a_sad_signs_its_hashes_once_and_no_others(service: Service) -> None:
    one, two, other = _hash(), _hash(), _hash()
    sad = service.authorize(one, two).json()["SAD"]
    _refused(service.sign(sad, other), "Hash is not authorized by the SAD")
    _refused(service.sign(sad, one, other), "Hash is not authorized by the SAD")  # none of them is signed then
    assert len(service.sign(sad, one).json()["signatures"]) == 1
    _refused(service.sign(sad, one), "Hash is not authorized by the SAD")
    _refused(service.sign(sad, two, two), "Hash is not authorized by the SAD")
    assert len(service.sign(sad, two).json()["signatures"]) == 1


def test_a_sad_expires(service: Service) -> None:
    digest = _hash()
    leave = service.authorize(digest).json()
    service.clock.sleep(leave["expiresIn"])
    _refused(service.sign(leave["SAD"], digest), "SAD expired")


def test_a_sad_is_its_callers_and_its_credentials(service: Service) -> None:
    digest = _hash()
    sad = service.authorize(digest).json()["SAD"]
    asked = {"credentialID": service.credential, "SAD": sad, "hashes": [digest], "signAlgo": ES256}
    _refused(service.ask("signatures/signHash", asked, role="operator"), "Invalid parameter SAD")
    for changed in (sad[:-4] + "AAAA", sad[::-1], "x", "é", "A" * 8000):
        _refused(service.sign(changed, digest), "Invalid parameter SAD")
    assert service.sign(sad, digest).status_code == 200


def test_two_requests_at_once_sign_one_hash_once(service: Service) -> None:
    import threading

    digest = _hash()
    sad, credential = service.authorize(digest).json()["SAD"], service.credential
    asked = {"credentialID": credential, "SAD": sad, "hashes": [digest], "signAlgo": ES256}
    answers: list[int] = []
    threads = [
        threading.Thread(target=lambda: answers.append(service.ask("signatures/signHash", asked).status_code))
        for _ in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [200, 400, 400, 400, 400, 400]


def test_a_transaction_is_extended_up_to_its_number(service: Service) -> None:
    """11.9: hashes of later signatures in one PDF are known after the earlier ones."""
    first, second, third, fourth = (_hash() for _ in range(4))
    sad = service.authorize(first, count=3).json()["SAD"]

    def extend(sad: str, *digests: str) -> Any:
        body = {"credentialID": service.credential, "hashes": list(digests), "hashAlgorithmOID": SHA256, "SAD": sad}
        return service.ask("credentials/extendTransaction", body)

    assert service.sign(sad, first).status_code == 200
    _refused(extend(sad, second, third, fourth), "Numbers of signatures is too high")
    then = extend(sad, second).json()["SAD"]
    assert service.sign(then, second).status_code == 200
    last = extend(sad, third).json()["SAD"]  # an older SAD counts for the same transaction
    assert service.sign(last, third).status_code == 200
    for old in (sad, then, last):
        _refused(extend(old, fourth), "Numbers of signatures is too high")


# -- the specification's errors --------------------------------------------------------------------------------------


def _without(name: str) -> Callable[[dict[str, Any]], dict[str, Any]]:
    return lambda body: {k: v for k, v in body.items() if k != name}


def _with(**changes: Any) -> Callable[[dict[str, Any]], dict[str, Any]]:
    return lambda body: body | changes


WRONG_SIGNING = [
    (_without("SAD"), "Missing (or invalid type) string parameter SAD"),
    (_with(SAD=7), "Missing (or invalid type) string parameter SAD"),
    (_without("credentialID"), "Missing (or invalid type) string parameter credentialID"),
    (_with(credentialID="GX0112348"), "Invalid parameter credentialID"),
    (_without("hashes"), "Missing (or invalid type) array parameter hashes"),
    (_with(hashes=EXAMPLE), "Missing (or invalid type) array parameter hashes"),
    (_with(hashes=[]), "Empty hash array"),
    (_with(hashes=["not base64!"]), "Invalid Base64 hash string parameter"),
    (_with(hashes=[7]), "Invalid Base64 hash string parameter"),
    (_with(hashes=["c1RPZ3dPbSs0NzRnRmowcTB4MWlTTnNwS3FiY3NlNEllaXFsRGcvSFd1ST0="]), "Invalid digest value length"),
    (_with(hashes=[EXAMPLE] * 101), "Numbers of signatures is too high"),
    (_without("signAlgo"), "Missing (or invalid type) string parameter signAlgo"),
    (_with(signAlgo=RSA), "Invalid parameter signAlgo"),
    (_with(signAlgoParams=7), "Missing (or invalid type) string parameter signAlgoParams"),
    (_with(hashAlgorithmOID="1.3.14.3.2.26"), "Invalid parameter hashAlgorithmOID"),
    (_with(operationMode="A"), "Invalid parameter operationMode"),
]
WRONG_LEAVE = [
    (_without("credentialID"), "Missing (or invalid type) string parameter credentialID"),
    (_without("numSignatures"), "Missing (or invalid type) integer parameter numSignatures"),
    (_with(numSignatures="2"), "Missing (or invalid type) integer parameter numSignatures"),
    (_with(numSignatures=True), "Missing (or invalid type) integer parameter numSignatures"),
    (_with(numSignatures=0), "Invalid value for parameter numSignatures"),
    (_with(numSignatures=101), "Numbers of signatures is too high"),
    (_with(hashes=[EXAMPLE, EXAMPLE], numSignatures=1), "Invalid value for parameter numSignatures"),
    (_without("hashes"), "Missing (or invalid type) array parameter hashes"),
    (_with(credentialID="44" + "0" * 12 + "-1"), "Invalid parameter credentialID"),
]


def test_signing_errors_are_those_of_11_10(service: Service) -> None:
    sad = service.authorize(EXAMPLE).json()["SAD"]
    good = {"credentialID": service.credential, "SAD": sad, "hashes": [EXAMPLE], "signAlgo": ES256}
    for change, description in WRONG_SIGNING:
        _refused(service.ask("signatures/signHash", change(good)), description)
    assert service.ask("signatures/signHash", good).status_code == 200


def test_authorization_errors_are_those_of_11_6(service: Service) -> None:
    good = {"credentialID": service.credential, "numSignatures": 1, "hashes": [EXAMPLE]}
    for change, description in WRONG_LEAVE:
        _refused(service.ask("credentials/authorize", change(good)), description)


def test_bodies_headers_and_versions_that_are_none(service: Service) -> None:
    bearer = {"Authorization": f"Bearer {service.tokens['custodian']}"}
    for content in (b"{", b"[]", b"\xff", b'{"hashes": [], "hashes": []}', b"[" * 5000):
        answer = service.client.post("/csc/v2/credentials/list", content=content, headers=bearer)
        _refused(answer, "The body is not a JSON object")
    url = "/csc/v2/credentials/list"
    _refused(service.client.post(url, json={}), "The access token is not valid", "invalid_token", 401)
    wrong = service.client.post(url, json={}, headers={"Authorization": "Bearer cv_0_x"})
    _refused(wrong, "The access token is not valid", "invalid_token", 401)
    basic = service.client.post(url, json={}, headers={"Authorization": "Basic Zm9v"})
    _refused(basic, "Malformed authorization header")
    assert service.ask("credentials/list", version="v3").status_code == 404
    assert service.client.get("/csc/v2/info").json()["error"] == "invalid_request"
    _refused(service.ask("credentials/list", {"userID": "somebody"}), "userID parameter MUST be null")
    _refused(
        service.ask("credentials/info", {"credentialID": service.credential, "certificates": "all"}),
        "Invalid parameter certificates",
    )
    assert service.ask("credentials/list", role="auditor").status_code == 403
    assert service.ask("credentials/list", role="auditor").json()["error"] == "access_denied"


# -- rules, quotas, other people -------------------------------------------------------------------------------------


def test_an_issuer_signs_what_a_custodian_permitted_and_nothing_else(service: Service) -> None:
    permitted, other = _hash(), _hash()
    assert service.authorize(permitted, role="issuer").status_code == 403
    custodian = Actor("token:somebody", frozenset({"custodian"}))
    service.vault.seal_uses.permit(
        service.credential.partition("-")[0],
        [base64.b64decode(permitted).hex()],
        purpose=PURPOSE,
        actor=custodian,
        user=service.subject("issuer"),
    )
    assert service.authorize(permitted, other, role="issuer").status_code == 403
    sad = service.authorize(permitted, role="issuer").json()["SAD"]
    asked = {"credentialID": service.credential, "SAD": sad, "hashes": [permitted], "signAlgo": ES256}
    done = service.ask("signatures/signHash", asked, role="issuer")
    _verify(service, done.json()["signatures"][0], permitted)
    assert service.authorize(permitted, role="issuer").status_code == 403  # the permit is used up


@pytest.fixture
def seal(service: Service) -> Iterator[Callable[..., str]]:
    """``seal(rules)``: a further seal's credential; retired afterwards."""
    made: list[str] = []

    def make(**rules: Any) -> str:
        seals = service.vault.seals
        life = seals.apply("contract", actor=LOCAL_OPERATOR, wanted=Wanted(rules=SealRules(**rules)))
        for step in (seals.approve, seals.make, seals.activate):
            step(life.seal.id, LOCAL_OPERATOR)
        made.append(life.seal.id)
        return f"{life.seal.id}-1"

    yield make
    for one in made:
        service.vault.seals.retire(one, LOCAL_OPERATOR, "done")


def _leave(service: Service, credential: str, *digests: str) -> Any:
    body = {"credentialID": credential, "numSignatures": len(digests), "hashes": list(digests)}
    return service.ask("credentials/authorize", body)


def test_the_seals_own_rules_hold(service: Service, seal: Callable[..., str]) -> None:
    assert _leave(service, seal(purposes=("contract",)), EXAMPLE).json()["error"] == "access_denied"
    limited = seal(max_uses=2)
    one, two, three = (_hash() for _ in range(3))
    sad = _leave(service, limited, one, two, three).json()["SAD"]
    answers = [service.sign(sad, digest, credentialID=limited) for digest in (one, two, three)]
    assert [a.status_code for a in answers] == [200, 200, 403]
    assert "2" in answers[2].json()["error_description"]
    assert service.sign(sad, three, credentialID=service.credential).json()["error_description"] == (
        "Invalid parameter SAD"
    )


def test_two_approvers_are_waited_for(service: Service, seal: Callable[..., str]) -> None:
    """11.7: 202 with a handle until the second one has given leave."""
    credential, digest = seal(approvers=2), _hash()
    asked = _leave(service, credential, digest)
    assert asked.status_code == 202
    handle = asked.json()["handle"]
    again = service.ask("credentials/authorizeCheck", {"handle": handle})
    assert (again.status_code, set(again.json())) == (202, {"handle"})
    _refused(service.sign(handle, digest, credentialID=credential), "Invalid parameter SAD")
    (permit,) = service.vault.seal_uses.permits(credential.partition("-")[0], LOCAL_OPERATOR)
    service.vault.seal_uses.confirm(permit.id, Actor("token:second", frozenset({"custodian"})))
    then = service.ask("credentials/authorizeCheck", {"handle": handle})
    assert then.status_code == 200
    assert service.sign(then.json()["SAD"], digest, credentialID=credential).status_code == 200


def test_a_suspended_seal_is_a_disabled_credential(service: Service, seal: Callable[..., str]) -> None:
    credential, digest = seal(), _hash()
    sad = _leave(service, credential, digest).json()["SAD"]
    service.vault.seals.suspend(credential.partition("-")[0], LOCAL_OPERATOR, "lost")
    words = "The credential identified by credentialID is disabled"
    _refused(service.sign(sad, digest, credentialID=credential), words)
    _refused(_leave(service, credential, digest), words)
    told = service.ask("credentials/info", {"credentialID": credential}).json()
    assert told["key"]["status"] == "disabled"
    assert credential in service.ask("credentials/list").json()["credentialIDs"]
    assert credential not in service.ask("credentials/list", {"onlyValid": True}).json()["credentialIDs"]
    service.vault.seals.resume(credential.partition("-")[0], LOCAL_OPERATOR)
    assert service.sign(sad, digest, credentialID=credential).status_code == 200


def test_another_organizations_seal_is_not_to_be_seen(service: Service) -> None:
    code = "91110000600037341L"
    service.vault.issuers.add(name="某局", code=code, actor=LOCAL_OPERATOR) if code not in {
        i.code for i in service.vault.issuers.list(LOCAL_OPERATOR)
    } else None
    service.tokens["other"] = service.vault.tokens.create("custodian", actor=LOCAL_OPERATOR, issuer_code=code)
    theirs = service.ask("credentials/list", role="other").json()["credentialIDs"]
    assert service.credential not in theirs
    asked = {"credentialID": service.credential, "numSignatures": 1, "hashes": [EXAMPLE]}
    _refused(service.ask("credentials/authorize", asked, role="other"), "Invalid parameter credentialID")
    _refused(
        service.ask("credentials/info", {"credentialID": service.credential}, role="other"),
        "Invalid parameter credentialID",
    )


def test_quotas_and_rates(service: Service) -> None:
    """A day's signatures of one caller, and hashes a minute."""
    object.__setattr__(service.vault.settings, "remote_daily", 0)
    try:
        digest = _hash()
        sad = service.authorize(digest).json()["SAD"]
        used_up = service.sign(sad, digest)
        assert (used_up.status_code, used_up.json()["error"]) == (429, "access_denied")
    finally:
        object.__setattr__(service.vault.settings, "remote_daily", 10_000)
    assert service.sign(sad, digest).status_code == 200  # the refusal used nothing up
    slow = dataclasses.replace(GENEROUS, rates={**GENEROUS.rates, "remote-signature": Rate(2, 1)})
    with TestClient(create_app(service.vault, limits=slow), raise_server_exceptions=False) as client:
        quick = dataclasses.replace(service, client=client)
        digests = [_hash() for _ in range(3)]
        sad = quick.authorize(*digests).json()["SAD"]
        assert quick.sign(sad, *digests[:2]).status_code == 200
        late = quick.sign(sad, digests[2])
        assert (late.status_code, late.json()["error"]) == (429, "temporarily_unavailable")
        assert int(late.headers["retry-after"]) > 0


def test_it_can_be_switched_off(service: Service) -> None:
    object.__setattr__(service.vault.settings, "remote_signing", False)
    try:
        assert service.ask("credentials/list").status_code == 501
    finally:
        object.__setattr__(service.vault.settings, "remote_signing", True)


# -- client certificates ---------------------------------------------------------------------------------------------


def test_a_client_certificate_counts_from_the_proxy_alone(service: Service) -> None:
    own = service.ask("credentials/info", {"credentialID": service.credential}).json()["cert"]["certificates"][0]
    print_ = hashlib.sha256(base64.b64decode(own)).hexdigest()
    token_id = service.tokens["custodian"].split("_")[1]
    object.__setattr__(service.vault.settings, "remote_clients", (f"{print_}={token_id}",))
    pem = x509.load_der_x509_certificate(base64.b64decode(own)).public_bytes(_pem()).decode()
    from urllib.parse import quote

    try:
        app = create_app(service.vault, limits=GENEROUS)
        for proxy, peer, status in (("10.0.0.1", "10.0.0.1", 200), ("10.0.0.1", "10.0.0.2", 401), (None, "x", 401)):
            with TestClient(ProxyOnly(app, proxy), client=(peer, 1)) as client:
                for header in ({"Client-Cert": f":{own}:"}, {"X-SSL-Client-Cert": quote(pem)}):
                    assert client.post("/csc/v2/credentials/list", json={}, headers=header).status_code == status
                other = {"Client-Cert": f":{base64.b64encode(b'other').decode()}:"}
                assert client.post("/csc/v2/credentials/list", json={}, headers=other).status_code == 401
                assert client.post("/csc/v2/credentials/list", json={}).status_code == 401
                assert client.post("/csc/v2/info", json={}).json()["authType"] == ["external", "TLS"]
    finally:
        object.__setattr__(service.vault.settings, "remote_clients", ())


def _pem() -> Any:
    from cryptography.hazmat.primitives.serialization import Encoding

    return Encoding.PEM


def test_the_settings_are_kept_in_the_file(service: Service) -> None:
    entry = "ab" * 32 + "=" + "0" * 16
    changed = dataclasses.replace(service.vault.settings, remote_clients=(entry,), remote_daily=7, remote_signing=False)
    from certvault.settings import read_settings

    try:
        changed.write()
        read = read_settings(changed.folder)
        assert (read.remote_clients, read.remote_daily, read.remote_signing) == ((entry,), 7, False)
    finally:
        service.vault.settings.write()
    with open_vault(changed.folder) as again:
        assert again.settings.remote_signing


# -- version 1 -------------------------------------------------------------------------------------------------------


def test_version_1_has_its_own_names(service: Service) -> None:
    assert service.ask("info", role=None, version="v1").json()["specs"] == "1.0.4.0"
    assert service.credential in service.ask("credentials/list", version="v1").json()["credentialIDs"]
    credential = service.credential
    told = service.ask("credentials/info", {"credentialID": credential}, version="v1").json()
    assert (told["authMode"], told["SCAL"]) == ("implicit", "2")
    assert "auth" not in told
    digest = _hash()
    asked = {"credentialID": credential, "numSignatures": 1, "hash": [digest], "PIN": "12345678", "OTP": "738496"}
    sad = service.ask("credentials/authorize", asked, version="v1").json()["SAD"]
    body = {"credentialID": credential, "SAD": sad, "signAlgo": ES256}
    _refused(
        service.ask("signatures/signHash", body | {"hashes": [digest]}, version="v1"),
        "Missing (or invalid type) array parameter hash",
    )
    done = service.ask("signatures/signHash", body | {"hash": [digest], "hashAlgo": SHA256}, version="v1")
    _verify(service, done.json()["signatures"][0], digest)


def test_an_sm2_seal_signs_e(tmp_path: Path) -> None:
    """The hash of an SM2 credential is ``e`` of GB/T 32918.2 (ZA with the default identity, then the message)."""
    vault = create_vault(InitOptions(folder=tmp_path / "var", keys="file", suite="sm2"), clock=FixedClock(NOW))
    tokens = {"custodian": vault.tokens.create("custodian", actor=LOCAL_OPERATOR)}
    with vault, TestClient(create_app(vault, limits=GENEROUS), raise_server_exceptions=False) as client:
        (seal,) = vault.seals.list(LOCAL_OPERATOR)
        service = Service(vault, FixedClock(NOW), client, tokens, f"{seal.seal.id}-1")
        told = service.ask("credentials/info", {"credentialID": service.credential}).json()
        key = {"status": "enabled", "algo": ["1.2.156.10197.1.501"], "len": 256, "curve": "1.2.156.10197.1.301"}
        assert told["key"] == key
        (record,) = [k for k in vault.pki.keys(LOCAL_OPERATOR) if k.purpose == "seal"]
        spki = vault._keyring.by_id(record.id).spki  # type: ignore[union-attr]
        e = base64.b64encode(message_digest(point_of_spki(spki), b"contract")).decode()
        sad = service.authorize(e).json()["SAD"]
        done = service.sign(sad, e, signAlgo="1.2.156.10197.1.501", hashAlgorithmOID="1.2.156.10197.1.401")
        verify_sm2(base64.b64decode(done.json()["signatures"][0]), b"contract", spki)


@pytest.mark.parametrize(
    ("proxy", "peer", "seen", "vouched"),
    [("10.0.0.1", "10.0.0.1", "9.9.9.9", True), ("10.0.0.1", "10.0.0.2", "10.0.0.2", False), (None, "x", "x", False)],
)
def test_what_a_proxy_says_counts_from_the_proxy_alone(proxy: str | None, peer: str, seen: str, vouched: bool) -> None:
    """The client's address and its certificate, as ``serve`` puts the layers together."""
    import asyncio

    from api.cli.service import _behind

    told: list[tuple[str, bool]] = []

    async def app(scope: Any, _receive: Any, _send: Any) -> None:
        told.append((scope["client"][0], any(name == b"client-cert" for name, _ in scope["headers"])))

    headers = [(b"x-forwarded-for", b"9.9.9.9"), (b"Client-Cert".lower(), b":AA==:")]
    scope = {"type": "http", "client": (peer, 1), "headers": headers, "scheme": "http"}
    asyncio.run(_behind(proxy, app)(scope, None, None))
    assert told == [(seen, vouched)]
