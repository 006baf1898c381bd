"""Every route for every role: what the interface opens is open, to those it names, and nothing else is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from fastapi.routing import APIRoute

from api.app import ROUTERS
from api.routes.seals import STEPS
from certvault.model.actor import LOCAL_OPERATOR, Actor, Role
from tests.api.conftest import Door, example
from verify.formats.refusal import RefusedError

if TYPE_CHECKING:
    from certvault.bootstrap import Vault
    from certvault.model.views import IssuedLicense

ROLES = frozenset(r.value for r in Role)
NOBODY = "nobody"
EVERYONE = ROLES | {NOBODY}
READERS = frozenset({"operator", "issuer", "auditor", "holder"})
ISSUERS = frozenset({"operator", "issuer"})
HOLDERS = frozenset({"holder"})
SIGNERS = frozenset({"operator", "issuer", "custodian"})
CUSTODIANS = frozenset({"operator", "custodian"})
APPLICANTS = CUSTODIANS | {"issuer"}
OPERATORS = frozenset({"operator"})
SEAL_READERS = APPLICANTS | {"auditor"}

MATRIX: dict[tuple[str, str], frozenset[str]] = {
    ("POST", "/v1/licenses"): ISSUERS,
    ("GET", "/v1/licenses"): READERS,
    ("GET", "/v1/licenses/{identifier}"): READERS,
    ("GET", "/v1/licenses/{identifier}/pdf"): READERS,
    ("GET", "/v1/licenses/{identifier}/record"): READERS,
    ("POST", "/v1/licenses/{identifier}/suspend"): ISSUERS,
    ("POST", "/v1/licenses/{identifier}/reinstate"): ISSUERS,
    ("POST", "/v1/licenses/{identifier}/revoke"): ISSUERS,
    ("POST", "/v1/licenses/{identifier}/renew"): ISSUERS,
    ("POST", "/v1/licenses/{identifier}/amend"): ISSUERS,
    ("GET", "/v1/licenses/{identifier}/status"): READERS,
    ("POST", "/v1/mintings"): ISSUERS,
    ("GET", "/v1/mintings/{job}"): ISSUERS,
    ("POST", "/v1/seals"): APPLICANTS,
    ("GET", "/v1/seals"): SEAL_READERS,
    ("GET", "/v1/seals/{seal}"): SEAL_READERS,
    ("GET", "/v1/seals/{seal}/log"): SEAL_READERS,
    ("GET", "/v1/seals/{seal}/status"): EVERYONE,
    ("POST", "/v1/seals/{seal}/change"): APPLICANTS,
    **{("POST", f"/v1/seals/{{seal}}/{step}"): CUSTODIANS for step in STEPS},
    ("POST", "/v1/seals/{seal}/permits"): CUSTODIANS,
    ("GET", "/v1/seals/{seal}/permits"): SEAL_READERS,
    ("POST", "/v1/seals/{seal}/permits/{permit}/approve"): CUSTODIANS,
    ("POST", "/v1/seals/{seal}/permits/{permit}/cancel"): CUSTODIANS,
    ("POST", "/v1/seals/{seal}/uses"): APPLICANTS,
    ("GET", "/v1/seals/{seal}/uses"): SEAL_READERS,
    ("POST", "/v1/webhooks"): OPERATORS,
    ("GET", "/v1/webhooks"): OPERATORS,
    ("GET", "/v1/webhooks/{webhook}"): OPERATORS,
    ("DELETE", "/v1/webhooks/{webhook}"): OPERATORS,
    ("GET", "/v1/webhooks/{webhook}/attempts"): OPERATORS,
    **{
        ("POST", f"/v1/webhooks/{{webhook}}/{what}"): OPERATORS
        for what in ("pause", "resume", "replay", "rotate", "test")
    },
    ("GET", "/v1/feed"): frozenset({"operator", "verifier"}),
    ("POST", "/v1/verifications"): EVERYONE,
    ("POST", "/v1/verifications/report"): EVERYONE,
    ("POST", "/v1/verifications/info"): frozenset({"operator", "verifier"}),
    ("POST", "/v1/recognitions"): frozenset({"operator", "verifier"}),
    ("GET", "/v1/types"): EVERYONE,
    ("GET", "/v1/types/{code}"): EVERYONE,
    ("GET", "/v1/wallet"): HOLDERS,
    ("GET", "/v1/wallet/archive"): HOLDERS,
    ("GET", "/v1/notices"): EVERYONE,
    ("GET", "/status-lists/{n}"): EVERYONE,
    ("GET", "/v1/trust-list/anchors"): EVERYONE,
    ("GET", "/v1/trust-list.xml"): EVERYONE,
    ("GET", "/v1/trust-list.sha2"): EVERYONE,
    ("GET", "/v1/trust-list"): EVERYONE,
    ("GET", "/v1/regions"): EVERYONE,
    ("GET", "/v1/hub/lists"): EVERYONE,
    ("GET", "/v1/hub/lists/{region}"): EVERYONE,
    ("GET", "/v1/hub/anchors/{region}"): EVERYONE,
    ("GET", "/v1/hub/entries"): EVERYONE,
    ("GET", "/v1/hub/agreements"): EVERYONE,
    ("POST", "/v1/hub/agreements"): EVERYONE,
    ("GET", "/v1/hub/notices"): EVERYONE,
    ("POST", "/v1/hub/notices"): EVERYONE,
    ("POST", "/v1/hub/witness"): EVERYONE,
    ("GET", "/crl/{ca}"): EVERYONE,
    ("GET", "/ca/{ca}"): EVERYONE,
    ("POST", "/ocsp"): EVERYONE,
    ("GET", "/ocsp/{request64:path}"): EVERYONE,
    ("POST", "/tsa"): EVERYONE,
    ("POST", "/csc/{version}/info"): EVERYONE,
    ("POST", "/csc/{version}/credentials/list"): SIGNERS,
    ("POST", "/csc/{version}/credentials/info"): SIGNERS,
    ("POST", "/csc/{version}/credentials/authorize"): SIGNERS,
    ("POST", "/csc/{version}/credentials/authorizeCheck"): SIGNERS,
    ("POST", "/csc/{version}/credentials/extendTransaction"): SIGNERS,
    ("POST", "/csc/{version}/signatures/signHash"): SIGNERS,
    ("GET", "/healthz"): EVERYONE,
    ("GET", "/readyz"): EVERYONE,
    ("GET", "/metrics"): frozenset({"operator"}),
}
"""Who is let in, by route. A route that is not here fails the first test."""

BODIES: dict[str, dict[str, Any]] = {
    "/v1/licenses": {"type": "food-business-license", "data": {}},
    "/v1/seals": {"kind": "none"},
    "/v1/seals/{seal}/change": {},
    "/v1/seals/{seal}/permits": {"digests": ["0" * 64]},
}
"""What a caller sends who is let in: nothing comes of it."""

ROUTES = {
    (method, route.path)
    for module in ROUTERS
    for route in module.router.routes
    if isinstance(route, APIRoute)
    for method in route.methods or ()
}


def test_the_matrix_names_every_route() -> None:
    assert set(MATRIX) == ROUTES


@pytest.mark.parametrize("role", sorted(EVERYONE))
@pytest.mark.parametrize(("method", "path"), sorted(MATRIX))
def test_who_is_let_in(door: Door, issued: IssuedLicense, role: str, method: str, path: str) -> None:
    address = (
        path.replace("{identifier}", issued.identifier)
        .replace("{job}", "0" * 16)
        .replace("{code}", "food-business-license")
        .replace("{n}", "0")
        .replace("{version}", "v2")
        .replace("{seal}", "41020000000000")
        .replace("{permit}", "0" * 32)
        .replace("{ca}", "root")
        .replace("{request64:path}", "AAAA")
    )
    headers = {} if role == NOBODY else door.as_(role)
    body = BODIES.get(path) if method == "POST" else None
    body: dict[str, object] | None = None
    if path == "/v1/licenses" and method == "POST":
        body = {"type": "food-business-license", "data": {}}
    if method == "POST" and path.startswith("/v1/licenses/"):
        body = {"reason": "none that is known"}  # let in and refused: the license stays in force
    status = door.client.request(method, address, headers=headers, json=body).status_code
    if role in MATRIX[method, path]:
        assert status not in (401, 403), (role, method, address)
    else:
        assert status == (401 if role == NOBODY else 403), (role, method, address)


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "TRACE", "CONNECT", "PROPFIND"])
def test_no_other_method_does_anything(door: Door, issued: IssuedLicense, method: str) -> None:
    for path in ("/v1/licenses", f"/v1/licenses/{issued.identifier}", "/v1/wallet", "/metrics", "/"):
        assert door.client.request(method, path, headers=door.as_("operator")).status_code in (404, 405)


@pytest.mark.parametrize("path", ["", "/pdf", "/record"])
def test_anothers_license_looks_like_none(door: Door, issued: IssuedLicense, path: str) -> None:
    """Nobody learns from an answer whether an identifier is somebody's."""
    other = issued.identifier[:-8] + "ZZ" + issued.identifier[-6:]
    theirs = door.client.get(f"/v1/licenses/{issued.identifier}{path}", headers=door.as_("stranger"))
    nobodys = door.client.get(f"/v1/licenses/{other}{path}", headers=door.as_("stranger"))
    assert theirs.status_code == nobodys.status_code == 404
    assert theirs.text.replace(issued.identifier, "X") == nobodys.text.replace(other, "X")


def test_an_issuer_narrowed_to_one_code_sees_its_own_only(
    door: Door, issued: IssuedLicense, embedded_vault: Vault
) -> None:
    other = Actor("token:other", frozenset({"issuer"}), None, "11100000MB0143028R")
    assert embedded_vault.licenses.get(issued.identifier, LOCAL_OPERATOR).issuer_code != other.issuer_code
    assert embedded_vault.licenses.list(other).items == ()
    started = door.client.post(
        "/v1/mintings",
        files={"file": ("a.csv", b"operator_name\nx\n")},
        data={"type": "food-business-license"},
        headers=door.as_("issuer"),
    )
    assert started.status_code == 202, started.text
    for ask in (
        lambda: embedded_vault.licenses.get(issued.identifier, other),
        lambda: embedded_vault.licenses.pdf(issued.identifier, other),
        lambda: embedded_vault.licenses.record(issued.identifier, other),
        lambda: embedded_vault.minting.progress(started.json()["job"], other),
        lambda: embedded_vault.minting.report(started.json()["job"], other),
        lambda: embedded_vault.minting.abandon(started.json()["job"], other),
        lambda: embedded_vault.issuing.issue("food-business-license", example("food-business-license"), actor=other),
    ):
        with pytest.raises(RefusedError) as caught:
            ask()
        assert caught.value.first.code in ("NOT_FOUND", "FORBIDDEN", "ISSUER_UNKNOWN"), caught.value


def test_a_key_of_another_caller_replays_nothing(door: Door, embedded_vault: Vault) -> None:
    data = example("food-business-license") | {"operator_name": "钥匙店甲"}
    body = {"type": "food-business-license", "data": data}
    first = door.client.post("/v1/licenses", json=body, headers={**door.as_("issuer"), "Idempotency-Key": "k-1"})
    assert first.status_code == 201
    for role in ("holder", "stranger", "auditor", "verifier", "custodian"):
        answer = door.client.post("/v1/licenses", json=body, headers={**door.as_(role), "Idempotency-Key": "k-1"})
        assert answer.status_code == 403
        assert first.json()["identifier"] not in answer.text
    other = embedded_vault.tokens.create("issuer", actor=LOCAL_OPERATOR)
    again = door.client.post(
        "/v1/licenses", json=body, headers={"Authorization": f"Bearer {other}", "Idempotency-Key": "k-1"}
    )
    assert again.headers.get("idempotency-replayed") is None
    assert again.status_code == 201
    assert again.json()["identifier"] != first.json()["identifier"]


@pytest.mark.parametrize(
    "header",
    [
        "Bearer",
        "Bearer ",
        "Bearer cv_",
        "Bearer cv__",
        "Bearer cv_0123456789abcdef_" + "a" * 9000,
        "Bearer \xff\xfe",
        "bearer  x",
        "Bearer a b",
        "Negotiate x",
        "Bearer cv_%00%00%00%00%00%00_x",
        "Bearer cv_'or'1'='1'--aa_x",
    ],
)
def test_headers_that_are_no_token_are_refused_and_no_more(door: Door, header: str) -> None:
    answer = door.client.get("/v1/licenses", headers={"Authorization": header.encode("latin-1")})
    assert answer.status_code == 401
    assert answer.json()["code"] == "NOT_SIGNED_IN"


def test_secrets_of_tokens_are_compared_whole(door: Door) -> None:
    token = door.tokens["issuer"]
    for wrong in (token[:-1], token + "x", token.upper(), token.replace("_", "-"), token[:20], token.split("_")[2]):
        headers = {"Authorization": f"Bearer {wrong}"}
        assert door.client.get("/v1/licenses", headers=headers).status_code == 401


def test_metrics_and_readiness_name_nobody(door: Door, issued: IssuedLicense, holder_code: str) -> None:
    door.client.get(f"/v1/licenses/{issued.identifier}", headers=door.as_("holder"))
    door.client.get(f"/{holder_code}")
    door.client.get(f"/v1/types/{holder_code}")
    door.client.request(holder_code[:10], "/")
    for path in ("/metrics", "/readyz", "/healthz", "/openapi.json"):
        for role in ("operator", "auditor"):
            text = door.client.get(path, headers=door.as_(role)).text
            for secret in (holder_code, issued.identifier, issued.number, "王浩然", *door.tokens.values()):
                assert secret not in text, path
    assert holder_code[:10] not in door.client.get("/metrics", headers=door.as_("operator")).text
