"""What is open is open, and nothing else is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from fastapi.routing import APIRoute

from api.app import ROUTERS
from certvault.model.actor import LOCAL_OPERATOR
from tests.api.conftest import Door

if TYPE_CHECKING:
    from certvault.bootstrap import Vault
    from certvault.model.views import IssuedLicense

OPEN = {
    "/v1/verifications",
    "/v1/verifications/report",
    "/v1/types",
    "/v1/types/{code}",
    "/v1/seals/{seal}/status",
    "/csc/{version}/info",
    "/status-lists/{n}",
    "/v1/trust-list/anchors",
    "/v1/trust-list.xml",
    "/v1/trust-list.sha2",
    "/v1/trust-list",
    "/v1/regions",
    "/v1/notices",
    "/v1/hub/lists",
    "/v1/hub/lists/{region}",
    "/v1/hub/anchors/{region}",
    "/v1/hub/entries",
    "/v1/hub/agreements",
    "/v1/hub/notices",
    "/v1/hub/witness",
    "/crl/{ca}",
    "/ca/{ca}",
    "/ocsp",
    "/ocsp/{request64:path}",
    "/tsa",
    "/healthz",
    "/readyz",
}
"""What the interface opens to anyone."""

ROUTES = [
    (method, route.path)
    for module in ROUTERS
    for route in module.router.routes
    if isinstance(route, APIRoute)
    for method in sorted(route.methods)
]


SIGNING = [r for r in ROUTES if r[1].startswith("/csc/") and r[1] not in OPEN]
"""Remote signing tells its errors in the consortium's form."""


@pytest.mark.parametrize(("method", "path"), [r for r in ROUTES if r[1] not in OPEN and r not in SIGNING])
def test_everything_else_asks_who_is_there(door: Door, method: str, path: str) -> None:
    address = path.replace("{identifier}", "x").replace("{job}", "x")
    for headers in ({}, {"Authorization": "Bearer cv_0000000000000000_x"}, {"Authorization": "Basic eDp5"}):
        answer = door.client.request(method, address, headers=headers)
        assert answer.status_code == 401, (address, headers, answer.text)
        assert answer.json()["code"] == "NOT_SIGNED_IN"
        assert answer.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize("version", ["v1", "v2"])
@pytest.mark.parametrize(("method", "path"), SIGNING)
def test_remote_signing_asks_who_is_there(door: Door, method: str, path: str, version: str) -> None:
    address = path.replace("{version}", version)
    for headers in ({}, {"Authorization": "Bearer cv_0000000000000000_x"}):
        answer = door.client.request(method, address, headers=headers)
        assert answer.status_code == 401, (address, headers, answer.text)
        assert answer.json()["error"] == "invalid_token"
        assert answer.headers["www-authenticate"].startswith("Bearer")
    answer = door.client.request(method, address, headers={"Authorization": "Basic eDp5"})
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


@pytest.mark.parametrize(
    ("role", "method", "path", "status"),
    [
        ("verifier", "POST", "/v1/licenses", 403),
        ("holder", "POST", "/v1/licenses", 403),
        ("auditor", "POST", "/v1/mintings", 403),
        ("custodian", "GET", "/v1/licenses", 403),
        ("issuer", "GET", "/v1/wallet", 403),
        ("issuer", "GET", "/metrics", 403),
        ("holder", "GET", "/metrics", 403),
        ("operator", "GET", "/metrics", 200),
        ("holder", "GET", "/v1/wallet", 200),
    ],
)
def test_roles(door: Door, role: str, method: str, path: str, status: int) -> None:
    body = {"type": "x", "data": {}} if method == "POST" and path == "/v1/licenses" else None
    extra = {"files": {"file": ("a.csv", b"x")}, "data": {"type": "x"}} if path == "/v1/mintings" else {}
    answer = door.client.request(method, path, json=body, headers=door.as_(role), **extra)
    assert answer.status_code == status, answer.text


def test_a_holder_sees_only_what_is_theirs(door: Door, issued: IssuedLicense) -> None:
    for path in ("", "/pdf", "/record"):
        address = f"/v1/licenses/{issued.identifier}{path}"
        assert door.client.get(address, headers=door.as_("holder")).status_code == 200
        assert door.client.get(address, headers=door.as_("stranger")).status_code in (403, 404)
    assert door.client.get("/v1/wallet", headers=door.as_("stranger")).json()["items"] == []
    listed = door.client.get("/v1/licenses", headers=door.as_("stranger"))
    assert listed.status_code in (200, 403)
    assert issued.identifier not in listed.text


def test_a_withdrawn_token_ends_at_once(door: Door, embedded_vault: Vault) -> None:
    token = embedded_vault.tokens.create("issuer", actor=LOCAL_OPERATOR)
    headers = {"Authorization": f"Bearer {token}"}
    assert door.client.get("/v1/licenses", headers=headers).status_code == 200
    embedded_vault.tokens.revoke(token.split("_")[1], LOCAL_OPERATOR)
    assert door.client.get("/v1/licenses", headers=headers).status_code == 401


def test_health(door: Door) -> None:
    assert door.client.get("/healthz").json() == {"status": "ok"}
    assert door.client.get("/readyz").json() == {"status": "ready"}
    assert door.client.get("/readyz", headers=door.as_("operator")).json() == {"status": "ready", "problems": []}


def test_metrics_name_routes_and_not_identifiers(door: Door, issued: IssuedLicense) -> None:
    door.client.get(f"/v1/licenses/{issued.identifier}", headers=door.as_("issuer"))
    text = door.client.get("/metrics", headers=door.as_("operator")).text
    assert 'route="/v1/licenses/{identifier}"' in text
    assert issued.identifier not in text
    assert "certvault_ready 1" in text


def test_openapi_is_3_1_and_names_every_route(door: Door) -> None:
    described = door.client.get("/openapi.json").json()
    assert described["openapi"].startswith("3.1")
    for _, path in ROUTES:
        assert path.replace(":path", "") in described["paths"], path
    assert "/issue" not in described["paths"]


def test_no_page_of_the_framework_loads_scripts_from_elsewhere(door: Door) -> None:
    assert door.client.get("/docs").status_code == 404
    assert door.client.get("/redoc").status_code == 404
